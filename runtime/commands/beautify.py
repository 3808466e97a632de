"""`avm beautify`: a script as indented pseudo-code.

Errors: exit 1 with the parser's report on stderr; exit 2 for a file that cannot be read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

HELP: Final = "pretty-print an AIR script"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="AIR script; - for standard input")
    parser.add_argument("-p", "--patterns", action="store_true", help="show recognised idioms, such as `hopon`")


def run(args: argparse.Namespace) -> int:
    """Print the pseudo-code, or the report."""
    from aquac.command_line import DIAGNOSTICS, OK
    from avm.air import parse
    from avm.air.beautify import beautify

    from .parse import read_script

    result = parse(read_script(args.file))
    if result.instruction is None:
        sys.stderr.write(result.report)
        return DIAGNOSTICS
    sys.stdout.write(beautify(result.instruction, patterns=args.patterns))
    return OK
