"""`avm disasm`: the flat program of a script, or the native kernels.

Errors: exit 1 with the parser's report on stderr; exit 2 for a file that cannot be read, or without LLVM.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

HELP: Final = "print the flat program the virtual machine runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", nargs="?", help="AIR script; - for standard input")
    parser.add_argument("--llvm", action="store_true", help="print the LLVM form of the native kernels instead")


def run(args: argparse.Namespace) -> int:
    """Print the program."""
    from aquac.command_line import DIAGNOSTICS, OK, CommandError

    if args.llvm:
        sys.stdout.write(_native())
        return OK
    if args.file is None:
        raise CommandError("no script", hint="name a file, - for standard input, or --llvm")
    from avm.air import parse
    from avm.ir.disasm import disassemble
    from avm.ir.lower import lower

    from .parse import read_script

    result = parse(read_script(args.file))
    if result.instruction is None:
        sys.stderr.write(result.report)
        return DIAGNOSTICS
    sys.stdout.write(disassemble(lower(result.instruction)))
    return OK


def _native() -> str:
    """LLVM text of the native kernels. Raises CommandError where there is no LLVM."""
    from aquac.command_line import CommandError

    try:
        from avm.jit.build import assembly

        return assembly()
    except ImportError as error:
        raise CommandError(f"no native code here: {error}", hint="install llvmlite, or leave out --llvm") from error
