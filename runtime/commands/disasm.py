"""`avm disasm`: the flat program of a script, or its native form.

Errors: exit 1 with the parser's report on stderr; exit 2 for a file that cannot be read, or without the native engine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

    from avm.ir.program import Program

HELP: Final = "print the flat program the virtual machine runs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="AIR script; - for standard input")
    parser.add_argument("--llvm", action="store_true", help="print the LLVM form of the native engine instead")


def run(args: argparse.Namespace) -> int:
    """Print the program."""
    from aquac.command_line import DIAGNOSTICS, OK
    from avm.air import parse
    from avm.ir.disasm import disassemble
    from avm.ir.lower import lower

    from .parse import read_script

    result = parse(read_script(args.file))
    if result.instruction is None:
        sys.stderr.write(result.report)
        return DIAGNOSTICS
    program = lower(result.instruction)
    sys.stdout.write(_native(program) if args.llvm else disassemble(program))
    return OK


def _native(program: Program) -> str:
    """LLVM text of a program. Raises CommandError where the native engine is missing."""
    from importlib import import_module

    from aquac.command_line import CommandError

    try:
        text: str = import_module("avm.jit").llvm_text(program)
    except (ImportError, AttributeError) as error:
        raise CommandError("the native engine is not available here", hint="leave out --llvm") from error
    return text
