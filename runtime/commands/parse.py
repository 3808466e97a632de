"""`avm parse`: the tree of a script as JSON, or the report the virtual machine would give.

Errors: exit 1 with the exact report on stderr; exit 2 for a file that cannot be read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

HELP: Final = "print the tree of an AIR script as JSON, or its errors"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="AIR script; - for standard input")


def read_script(path: str) -> str:
    """Text of a script file. A byte order mark stays: the virtual machine would refuse it too.

    Raises CommandError.
    """
    from aquac.command_line import CommandError, read_bytes

    try:
        return read_bytes(path, what="script").decode()
    except UnicodeDecodeError as error:
        name = "standard input" if path == "-" else path
        raise CommandError(f"{name} is not UTF-8 (byte {error.start})") from error


def run(args: argparse.Namespace) -> int:
    """Print one line of JSON, or the report."""
    from aquac.command_line import DIAGNOSTICS, OK
    from avm.air import parse
    from avm.air.ast_json import ast_json

    result = parse(read_script(args.file))
    if result.instruction is None:
        sys.stderr.write(result.report)
        return DIAGNOSTICS
    sys.stdout.write(f"{ast_json(result.instruction)}\n")
    return OK
