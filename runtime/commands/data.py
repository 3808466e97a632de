"""`avm data`: what interpreter data hold, as the reference's JSON or as a tree of the trace.

Errors: exit 6 for data that cannot be decoded, exit 2 for a file that cannot be read.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

HELP: Final = "print what interpreter data hold"

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]++=*+\s*+")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="data of a particle, as bytes; - for standard input")
    parser.add_argument(
        "--format", choices=("json", "tree"), default="json", help="everything, or the trace with its values"
    )
    parser.add_argument("--base64", action="store_true", help="the file holds base64 text")


def run(args: argparse.Namespace) -> int:
    """Print the data."""
    import base64
    import binascii

    from aquac.command_line import INCOMPATIBLE, OK, CommandError, read_bytes
    from avm.data.human import HumanViewError, read_for_people, to_human_readable_data
    from avm.data.tree import tree_text

    name = "standard input" if args.file == "-" else args.file
    data = read_bytes(args.file, what="data")
    if args.base64:
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise CommandError(f"{name} is not base64: {error}") from error
    try:
        text = to_human_readable_data(data) if args.format == "json" else tree_text(read_for_people(data))
    except HumanViewError as error:
        is_text = not args.base64 and _BASE64.fullmatch(data)
        hint = "this is text: base64, as other commands print data, needs --base64" if is_text else ""
        raise CommandError(f"{name}: {error}", INCOMPATIBLE, hint=hint) from error
    sys.stdout.write(text + "\n")
    return OK
