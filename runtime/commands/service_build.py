"""`avm service build`: compile a module written in the module language, see `docs/module-sdk.md`.

Output: the module in a file. Errors: exit 1 for findings about the source, 2 for files.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import DIAGNOSTICS, OK, CommandError, read_bytes, use_color

if TYPE_CHECKING:
    import argparse

    from .service_shared import SubParsers

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def configure(commands: SubParsers) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("build", help="compile a module written in typed Python")
    parser.set_defaults(handler=build_module)
    parser.add_argument("source", metavar="SERVICE.py", help="the module's source")
    parser.add_argument("-o", "--output", metavar="OUT.wasm", help="default: NAME.wasm in the current folder")
    parser.add_argument("--name", metavar="NAME", help="name of the module; default: of the source")
    parser.add_argument(
        "--no-log", action="store_true", help="do not import the host's log, for hosts that have logging off"
    )
    parser.add_argument("-g", "--debug-names", action="store_true", help="keep names of functions, for traces")
    parser.add_argument("--check", action="store_true", help="look for mistakes only, write nothing")
    parser.add_argument("--message-format", choices=("human", "json"), default="human", help="form of the messages")


def build_module(args: argparse.Namespace) -> int:
    """Compile, and write the module."""
    from aquac.render import render_text, summary
    from aquac.render_json import dumps, to_json
    from aquac.source import BOM, SourceFile
    from runtime.marine.limits import SDK_SOURCE_BYTES_MAX
    from runtime.marine.sdk.build import Options, build

    data = read_bytes(args.source, what="source")
    if len(data) > SDK_SOURCE_BYTES_MAX:
        raise CommandError(f"{args.source} has {len(data)} bytes; a module's source has at most {SDK_SOURCE_BYTES_MAX}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{args.source} is not UTF-8 (byte {error.start})") from error
    name = args.name or Path(args.source).name.removesuffix(".py")
    if args.source == "-" and args.name is None:
        raise CommandError("a source from standard input has no name", hint="give it one with --name")
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name} is no name for a module", hint="use letters, digits, _ and -, beginning with a letter: --name NAME"
        )
    path = "standard input" if args.source == "-" else os.path.abspath(args.source)
    # lines end as Python reads them
    file = SourceFile(path, text.replace("\r\n", "\n").replace("\r", "\n"), data.startswith(BOM))
    built = build(file, Options(logging=not args.no_log, names=args.debug_names))
    if args.message_format == "json":
        sys.stdout.write(dumps(to_json(built.diagnostics, 1)))
    elif built.diagnostics:
        sys.stderr.write(render_text(built.diagnostics, color=use_color(args.color, sys.stderr), base=os.getcwd()))
        print(f"\n{summary(built.diagnostics, 1)}", file=sys.stderr)
    if built.wasm is None:
        return DIAGNOSTICS
    if args.check:
        return OK
    output = args.output or f"{name}.wasm"
    try:
        _write(output, built.wasm)
    except OSError as error:
        raise CommandError(f"cannot write {output}: {error.strerror or error}") from error
    if not args.quiet and args.message_format == "human":
        functions = ", ".join(entry["name"] for entry in built.interface["functions"])
        print(f"{output}: {len(built.wasm)} bytes, functions {functions}", file=sys.stderr)
    return OK


def _write(output: str, data: bytes) -> None:
    """Write a file that appears complete or not at all."""
    if output == "-":
        sys.stdout.buffer.write(data)
        return
    part = f"{output}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(data)
        os.replace(part, output)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise
