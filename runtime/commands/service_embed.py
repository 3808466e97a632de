"""`avm service embed`: make a Marine module of a core Wasm module and a description of its interface."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from aquac.command_line import DIAGNOSTICS, OK, CommandError, read_bytes, read_text, use_color

from .service_shared import SubParsers, write_output

if TYPE_CHECKING:
    import argparse

    from runtime.marine.embed import Problem
    from runtime.marine.interface_aqua import Described
    from runtime.marine.wasm_sections import Manifest


def configure(commands: SubParsers) -> None:
    """Add the sub-command."""
    embed = commands.add_parser("embed", help="append interface and versions to a core Wasm module of any language")
    embed.description = (
        "Append interface and versions to a core Wasm module. INTERFACE is an Aqua file whose last `service` is the module; services "
        "before it are modules it calls, by their ids. Or JSON: records, functions and imports."
    )
    embed.add_argument("core", metavar="CORE.wasm", help="what a compiler and its linker wrote; - for standard input")
    embed.add_argument("interface", metavar="INTERFACE", help="an .aqua or .json file")
    embed.add_argument("-o", "--output", default="-", metavar="OUT.wasm", help="default: standard output")
    embed.add_argument(
        "--service", metavar="NAME", help="the service of the Aqua file that is the module; default: the last"
    )
    embed.add_argument(
        "-I", "--import", dest="roots", action="append", default=[], metavar="DIR", help="for Aqua imports"
    )
    embed.add_argument("--imports", metavar="FILE", help="import map of the Aqua compiler")
    embed.add_argument("--sdk-version", metavar="VERSION", help="default: 0.14.0")
    embed.add_argument("--manifest", metavar="FILE", help="JSON: authors, version, description, repository, build_time")
    embed.set_defaults(handler=_embed)


def _embed(args: argparse.Namespace) -> int:
    from runtime.marine.embed import EmbedError, core_imports, embed, examine
    from runtime.marine.interface_types import CURRENT_SDK

    core = read_bytes(args.core, what="module")
    manifest = _manifest(args.manifest)
    try:
        interface = read_described(args, core_imports(core))
        module = embed(core, interface.description, sdk_version=args.sdk_version or CURRENT_SDK, manifest=manifest)
        warnings = examine(core, interface.description)
    except EmbedError as error:
        _show(error.problems, quiet=False)
        raise CommandError(f"{args.core} cannot have this interface", DIAGNOSTICS) from None
    _show(warnings, quiet=bool(args.quiet))
    write_output(args.output, module)
    return OK


def read_described(args: argparse.Namespace, used: frozenset[tuple[str, str]]) -> Described:
    """The interface the arguments name. Raises CommandError, after the diagnostics of a file that does not compile."""
    from runtime.marine.interface_aqua import InterfaceFileError, read_interface
    from runtime.program import read_imports

    try:
        imports = read_imports(args.imports, args.roots)
        return read_interface(args.interface, service=args.service, imports=imports, used=used)
    except InterfaceFileError as error:
        if not error.diagnostics:
            raise CommandError(str(error), hint=error.hint) from None
        from aquac.render import render_text

        shown = [item for item in error.diagnostics if item.is_error or not args.quiet]
        sys.stderr.write(render_text(shown, color=use_color(args.color, sys.stderr), base=os.getcwd()))
        raise CommandError(str(error), DIAGNOSTICS) from None


def _show(problems: list[Problem], *, quiet: bool) -> None:
    for problem in problems:
        if problem.severity == "error" or not quiet:
            print(f"{problem.severity}: {problem.message}\n  {problem.remedy}", file=sys.stderr)


def _manifest(path: str | None) -> Manifest | None:
    from runtime.marine.embed import manifest_of

    if path is None:
        return None
    try:
        return manifest_of(json.loads(read_text(path, what="manifest")))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path}: {error}") from None
