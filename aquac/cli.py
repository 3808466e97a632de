"""The `aquac` command: build, check, call, fmt, graph, migrate, explain, doctor. Source: contracts §1, §2.

Results go to stdout, everything for people to stderr; exit codes are those of `command_line`. The compiler is loaded only
when a command needs it.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from .command_line import (
    DIAGNOSTICS,
    INTERNAL,
    OK,
    CommandError,
    Parser,
    add_common_flags,
    enter_directory,
    read_text,
    run_main,
    use_color,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from .compiler import Compiled, Options
    from .diagnostics import Diagnostic
    from .kept import Kept

TARGETS = ("air", "json", "ts", "js", "py")
FORMATS = ("human", "json", "sarif", "github")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return run_main("aquac", _run, argv)


def _run(argv: Sequence[str]) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help(sys.stderr)
        raise CommandError("no command given", hint="see `aquac --help`")
    enter_directory(args)
    command: Callable[[argparse.Namespace], int] = args.run
    return command(args)


# ── flags ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parser() -> Parser:
    parser = Parser(prog="aquac", description="Compiler of Aqua: checks programs and translates them to AIR.")
    add_common_flags(parser, top=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    build = commands.add_parser("build", help="translate files", description="Translate Aqua files.")
    _add_sources(build, many=True)
    _add_code_flags(build)
    build.add_argument(
        "-o", "--output", metavar="DIR", default="-", help="folder for the results; `-` (default) prints them"
    )
    build.add_argument(
        "--target",
        metavar="LIST",
        action="append",
        help="what to make, separated by commas: air, json, ts, js, py (default air)",
    )
    build.add_argument(
        "--source-map",
        action="store_true",
        help="write FUNCTION.air.map beside each FUNCTION.air: where in the source its instructions come from",
    )
    build.add_argument(
        "--emit", choices=("raw", "model", "res", "air"), help="print a stage of the translation instead"
    )
    build.add_argument("--watch", action="store_true", help="build again whenever a file changes, until interrupted")
    build.set_defaults(run=_build)

    check = commands.add_parser("check", help="report errors and warnings", description="Check Aqua files.")
    _add_sources(check, many=True)
    _add_code_flags(check)
    check.set_defaults(run=_check)

    call = commands.add_parser("call", help="translate one call", description="Translate one call of a function.")
    _add_sources(call, many=False)
    call.add_argument("call", metavar="CALL", help="the call, such as 'greet(\"you\", count)'")
    _add_code_flags(call)
    data = call.add_mutually_exclusive_group()
    data.add_argument("--data", metavar="JSON", help="values of the variables of the call, as a JSON object")
    data.add_argument("--data-file", metavar="FILE", help="file with that object; `-` reads stdin")
    call.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="file for the result; `-` (default) prints it"
    )
    call.set_defaults(run=_call)

    fmt = commands.add_parser("fmt", help="format files", description="Format Aqua files, in place.")
    fmt.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=["."],
        help="file, folder (every *.aqua file below it), or `-` for stdin to stdout; without any the present folder",
    )
    fmt.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    fmt.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    fmt.add_argument("--range", metavar="FIRST:LAST", dest="lines", help="format these lines only, counted from 1")
    fmt.add_argument("--message-format", choices=FORMATS, default="human", help="form of the messages")
    fmt.set_defaults(run=_fmt)

    graph = commands.add_parser(
        "graph", help="draw a function or imports", description="Draw an exported function, or what a file imports."
    )
    _add_sources(graph, many=False)
    graph.add_argument("-f", "--function", metavar="NAME", help="exported function; needed if there are several")
    graph.add_argument(
        "--view",
        choices=("sequence", "topology", "imports"),
        default="sequence",
        help="what happens in time (default), where each operation runs, or which file imports which",
    )
    graph.add_argument("--format", choices=("mermaid", "dot", "svg"), default="mermaid", help="default mermaid")
    graph.add_argument("--no-relay", action="store_true", help="the function runs on a peer that is reachable directly")
    graph.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="file for the picture; `-` (default) prints it"
    )
    graph.set_defaults(run=_graph)

    migrate = commands.add_parser(
        "migrate", help="rewrite files of old versions", description="Rewrite files of versions before 0.14, in place."
    )
    migrate.add_argument("paths", metavar="PATH", nargs="+", help="file, or folder: every *.aqua file below it")
    migrate.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    migrate.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    migrate.add_argument(
        "--export", action="store_true", help="export by name what files without header exported, all their functions"
    )
    _add_import_flags(migrate)
    migrate.set_defaults(run=_migrate)

    explain = commands.add_parser("explain", help="explain a code", description="Print the page of a code.")
    explain.add_argument("code", metavar="CODE", nargs="?", help="such as AQ0201; without it all codes are listed")
    explain.set_defaults(run=_explain)

    doctor = commands.add_parser("doctor", help="look at the installation", description="Look at the installation.")
    doctor.add_argument("--json", action="store_true", help="print a JSON object")
    doctor.set_defaults(run=_doctor)

    for sub in (build, check, call, fmt, graph, migrate, explain, doctor):
        add_common_flags(sub, top=False)
    return parser


def _add_sources(parser: argparse.ArgumentParser, *, many: bool) -> None:
    if many:
        parser.add_argument("paths", metavar="PATH", nargs="+", help="file, or folder: every *.aqua file below it")
    else:
        parser.add_argument("path", metavar="PATH", help="file that exports the function")
    group = _add_import_flags(parser)
    group.add_argument(
        "--const", dest="constants", metavar="'NAME = value'", action="append", default=[], help="define a constant"
    )
    group.add_argument(
        "--legacy-headers",
        action="store_true",
        help="accept files without header, the word `module`, and other forms of old versions",
    )


def _add_import_flags(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The flags of `_imports` and `_report`."""
    group = parser.add_argument_group("project")
    group.add_argument(
        "-I", "--import", dest="roots", metavar="DIR", action="append", default=[], help="look for imports here too"
    )
    group.add_argument(
        "--imports", metavar="FILE", help="JSON import map: path prefix → import prefix → location or locations"
    )
    group.add_argument("--message-format", choices=FORMATS, default="human", help="form of the messages")
    return group


def _add_code_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("code")
    group.add_argument("--no-relay", action="store_true", help="the function runs on a peer that is reachable directly")
    group.add_argument("--no-xor", action="store_true", help="do not pass errors on with their place")
    group.add_argument(
        "--no-empty-response",
        dest="no_empty_response",
        action="store_true",
        default=True,
        help="a function without results sends no response (default)",
    )
    group.add_argument("--empty-response", dest="no_empty_response", action="store_false", help="it sends an empty one")
    group.add_argument("--tracing", action="store_true", help="functions report when they begin and end")
    group.add_argument(
        "--reference-defects",
        action="store_true",
        help="repeat the mistakes of the reference compiler 0.14.6, where its very text is wanted",
    )


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _build(args: argparse.Namespace) -> int:
    targets = _targets(args)
    if args.emit and args.output != "-":
        raise CommandError("`--emit` prints to stdout, it takes no `-o`")
    if args.source_map and (args.output == "-" or "air" not in targets):
        raise CommandError("`--source-map` writes beside the AIR files", hint="give a folder with `-o DIR`")
    from .kept import Kept

    kept = Kept()
    if not args.watch:
        return _build_once(args, targets, kept)[0]
    _build_again_and_again(args, targets, kept)


def _build_again_and_again(args: argparse.Namespace, targets: Sequence[str], kept: Kept) -> NoReturn:
    """Build whenever a file changes. What ends the first build ends the command; later ones may meet a folder being moved."""
    from .watch import wait_for_change

    _, files = _build_once(args, targets, kept)
    built = True
    while True:
        _say(args, "waiting for changes; interrupt to end")
        sys.stdout.flush()
        watched = partial(_watched, args.paths, files)

        def missed(watched: Callable[[], list[str]] = watched, built: bool = built) -> bool:
            return built and not kept.is_current(watched())

        wait_for_change(watched, missed=missed)
        try:
            _, files = _build_once(args, targets, kept)
            built = True
        except CommandError as error:
            print(f"aquac: error: {error}", file=sys.stderr)
            built = False


def _watched(paths: Sequence[str], files: Sequence[str]) -> list[str]:
    """What to watch: all that was read, and what stands in the given folders now. A file may be gone for a moment."""
    from .outputs import expand_paths

    try:
        return [*files, *(unit.path for unit in expand_paths(paths))]
    except CommandError:
        return list(files)


def _build_once(args: argparse.Namespace, targets: Sequence[str], kept: Kept) -> tuple[int, tuple[str, ...]]:
    """Compile and write; the exit code, and the files read. What several files import is checked once."""
    from .compiler import compile_path
    from .outputs import expand_paths, make_outputs, print_outputs, source_maps, stage_text, write_files

    units = expand_paths(args.paths)
    _warn_of_others(args)
    imports, options = _imports(args), _options(args)

    def compiled(paths: list[str]) -> Compiled:
        return compile_path(paths, imports=imports, constants=args.constants, options=options, kept=kept)

    if args.output == "-" or len(units) <= 1:
        results = [compiled([unit.path for unit in units])]
    else:
        results = [compiled([unit.path]) for unit in units]
    found = _unique([d for result in results for d in result.diagnostics])
    files = tuple(dict.fromkeys(path for result in results for path in result.files))
    failed = not all(result.ok for result in results)
    _report(args, found, len(files), to_stdout=args.output != "-" or (failed and "json" not in targets))
    if failed:
        if args.output == "-" and "json" in targets and not args.emit:
            _print_json(results[0].to_json())
        return DIAGNOSTICS, files
    if args.emit:
        sys.stdout.write(stage_text(results[0], args.emit))
    elif args.output == "-":
        sys.stdout.write(print_outputs(results[0], targets))
    else:
        pairs = list(zip(units, results, strict=False))
        made = make_outputs(pairs, targets)
        if args.source_map:
            made |= source_maps(pairs, args.output)
        write_files(args.output, made)
        if args.verbose:
            for name in made:
                _say(args, os.path.join(args.output, name))
        _say(args, f"{len(made)} {'file' if len(made) == 1 else 'files'} written to {args.output}")
    return OK, files


def _check(args: argparse.Namespace) -> int:
    from .compiler import compile_path
    from .outputs import expand_paths

    units = expand_paths(args.paths)
    _warn_of_others(args)
    result = compile_path(
        [unit.path for unit in units], imports=_imports(args), constants=args.constants, options=_options(args)
    )
    _report(args, _unique(result.diagnostics), len(result.files), to_stdout=True)
    return OK if result.ok else DIAGNOSTICS


def _call(args: argparse.Namespace) -> int:
    from .compiler import compile_call
    from .outputs import expand_paths, write_files
    from .render_json import dumps

    units = expand_paths([args.path])
    if len(units) != 1:
        raise CommandError(f"{args.path} is not an Aqua file")
    data = _data(args)
    result = compile_call(
        units[0].path, args.call, data=data, imports=_imports(args), constants=args.constants, options=_options(args)
    )
    _report(args, _unique(result.diagnostics), len(result.files), to_stdout=False)
    if args.output == "-":
        _print_json(result.to_json())
    elif result.ok:
        folder, name = os.path.split(args.output)
        write_files(folder or ".", {name: dumps(result.to_json())})
    return OK if result.ok else DIAGNOSTICS


def _fmt(args: argparse.Namespace) -> int:
    from .formatting.command import format_files, parse_range

    lines = None if args.lines is None else parse_range(args.lines)
    outcome = format_files(args.paths, check=args.check, diff=args.diff, lines=lines)
    _warn_of_others(args)
    if outcome.errors:
        _report(args, outcome.errors, outcome.files, to_stdout=False)
    for bug in outcome.bugs:
        print(f"aquac: internal error: {bug}; it stays as it is. This is a bug, please report it", file=sys.stderr)
    if args.paths != ["-"]:
        for name in outcome.changed if args.verbose else ():
            _say(args, name)
        verb = "would change" if args.check or args.diff else "changed"
        _say(args, f"{len(outcome.changed)} of {outcome.files} {'file' if outcome.files == 1 else 'files'} {verb}")
    if outcome.bugs:
        return INTERNAL
    return DIAGNOSTICS if outcome.errors or (args.check and outcome.changed) else OK


def _graph(args: argparse.Namespace) -> int:
    from .compiler import Options
    from .graph.command import draw
    from .outputs import expand_paths, write_files

    units = expand_paths([args.path])
    if len(units) != 1:
        raise CommandError(f"{args.path} is not an Aqua file")
    # What the compiler adds to pass errors on would hide what the program says.
    options = Options(no_relay=args.no_relay, no_xor=True, legacy_headers=args.legacy_headers)
    text, found, files = draw(
        units[0].path,
        function=args.function,
        view=args.view,
        form=args.format,
        imports=_imports(args),
        constants=args.constants,
        options=options,
    )
    errors = [d for d in _unique(found) if d.is_error]
    if errors:
        _report(args, errors, files, to_stdout=False)
        return DIAGNOSTICS
    if args.output == "-":
        sys.stdout.write(text)
    else:
        folder, name = os.path.split(args.output)
        write_files(folder or ".", {name: text})
    return OK


def _migrate(args: argparse.Namespace) -> int:
    from .migrate import migrate, write
    from .outputs import expand_paths

    migrations = migrate([unit.path for unit in expand_paths(args.paths)], imports=_imports(args), export=args.export)
    _warn_of_others(args)
    changed = [m for m in migrations if m.changed]
    dry = args.check or args.diff
    for m in changed:
        name = os.path.relpath(m.path)
        if args.diff:
            sys.stdout.write(m.diff(name.replace(os.sep, "/")))
        elif dry:
            print(name)
        else:
            write(m)
        _say(args, f"{name}: {'; '.join(dict.fromkeys(m.changes))}")
    left = _unique([d for m in migrations for d in m.left])
    if left:
        _report(args, left, len(migrations), to_stdout=False)
    verb = "would change" if dry else "changed"
    _say(args, f"{len(changed)} of {len(migrations)} {'file' if len(migrations) == 1 else 'files'} {verb}")
    return DIAGNOSTICS if any(d.is_error for d in left) or (args.check and changed) else OK


def _explain(args: argparse.Namespace) -> int:
    from .codes import TABLE
    from .outputs import code_page

    if args.code is None:
        for code in TABLE.values():
            print(f"{code.id}  {code.severity.value:7}  {code.kind:28}  {code.summary}")
        return OK
    wanted = args.code.upper()
    found = TABLE.get(wanted) or next((code for code in TABLE.values() if code.kind == args.code.lower()), None)
    if found is None:
        raise CommandError(f"no code {args.code}", hint="`aquac explain` lists all codes")
    sys.stdout.write(code_page(found))
    return OK


def _doctor(args: argparse.Namespace) -> int:
    from .doctor import examine, passed, render

    facts = examine()
    if args.json:
        _print_json(facts)
    else:
        sys.stdout.write(render(facts))
    return OK if passed(facts) else DIAGNOSTICS


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────────


def _targets(args: argparse.Namespace) -> list[str]:
    wanted = [name.strip() for text in args.target or ["air"] for name in text.split(",")]
    for name in wanted:
        if name not in TARGETS:
            raise CommandError(f"no target `{name}`", hint=f"targets are {', '.join(TARGETS)}")
    targets = list(dict.fromkeys(wanted))
    if args.output == "-" and len(targets) > 1 and not args.emit:
        raise CommandError("only one target can be printed", hint="give a folder with `-o DIR`")
    return targets


def _options(args: argparse.Namespace) -> Options:
    from .compiler import Options

    return Options(
        no_relay=args.no_relay,
        no_xor=args.no_xor,
        no_empty_response=args.no_empty_response,
        tracing=args.tracing,
        legacy_headers=args.legacy_headers,
        reference_defects=args.reference_defects,
    )


def _imports(args: argparse.Namespace) -> Any:
    """The import map of `--imports` and `-I`."""
    from .project.config import ImportsInvalid, parse_import_map, with_roots

    imports: Any = {}
    if args.imports is not None:
        text = read_text(args.imports, what="import map")
        try:
            imports = parse_import_map(text)
        except ImportsInvalid as error:
            raise CommandError(f"import map {args.imports}: {error}") from error
    for root in args.roots:
        if not os.path.isdir(root):
            raise CommandError(f"import folder {root} does not exist")
    return with_roots(imports, [os.path.abspath(root) for root in args.roots])


def _data(args: argparse.Namespace) -> dict[str, Any] | None:
    if args.data is None and args.data_file is None:
        return None
    text = args.data if args.data is not None else read_text(args.data_file, what="data file")
    where = "--data" if args.data is not None else args.data_file
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CommandError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"{where} must be a JSON object: variable → value")
    return value


def _warn_of_others(args: argparse.Namespace) -> None:
    """Say which of the given files are passed over, as the reference does without a word."""
    for path in args.paths:
        if os.path.isfile(path) and not path.endswith(".aqua"):
            print(f"aquac: warning: {path} is passed over: its name does not end in .aqua", file=sys.stderr)


def _unique(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Without repeats: a file imported by several is read for each."""
    seen: dict[object, Diagnostic] = {}
    for d in diagnostics:
        seen.setdefault((d.code.id, d.file.path if d.file else None, d.span, d.message), d)
    return list(seen.values())


def _report(args: argparse.Namespace, diagnostics: list[Diagnostic], files: int, *, to_stdout: bool) -> None:
    """Messages for people to stderr; a machine format to stdout unless results go there."""
    stream = sys.stdout if to_stdout else sys.stderr
    if args.message_format == "human":
        from .render import render_text, summary

        shown = [d for d in diagnostics if d.is_error or not args.quiet]
        if shown:
            sys.stderr.write(render_text(shown, color=use_color(args.color, sys.stderr), base=os.getcwd()) + "\n")
        if shown or not args.quiet:
            print(summary(diagnostics, files), file=sys.stderr)
        return
    from .render_json import dumps, to_github, to_json, to_sarif

    if args.message_format == "json":
        stream.write(dumps(to_json(diagnostics, files)))
    elif args.message_format == "sarif":
        stream.write(dumps(to_sarif(diagnostics, base=os.getcwd())))
    else:
        stream.write(to_github(diagnostics, base=os.getcwd()))


def _print_json(document: Any) -> None:
    from .render_json import dumps

    sys.stdout.write(dumps(document))


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.quiet:
        print(text, file=sys.stderr)
