"""`avm invoke`: the interpreter as a pure function, JSON lines in and JSON lines out.

One invocation a line, answered in order and at once, so another program can drive it through pipes. A malformed line is
answered with `{"id", "error"}`. `--record` keeps the lines with their answers for `avm replay`.
Errors: exit 1 if `--engine both` met a difference; exit 2 for a file or engine that is not there.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from avm.exec.context import VmOptions
    from runtime.invocation_json import Interpreter
    from runtime.invocation_lines import Line

HELP: Final = "run the interpreter as a function: JSON lines in, JSON lines out"

ENGINES: Final = ("auto", "interp", "jit", "reference", "both")
FIXES: Final = ("D1", "D2", "D3")
VERSIONS: Final = ("0.62", "0.64.1")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="invocations; - for standard input (default)"
    )
    parser.add_argument("--record", metavar="FILE", help="also write the lines with their answers, for `avm replay`")
    add_engine_flags(parser)


def add_engine_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--engine` and `--wasm`."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="interpreter, native code, the reference module, or ours beside the reference up to the first difference",
    )
    parser.add_argument(
        "--wasm", metavar="FILE", help="the reference's avm.wasm; default $AVM_WASM, else ./node_modules"
    )
    parser.add_argument(
        "--fix", choices=FIXES, action="append", default=[], help="without this defect of the reference; repeatable"
    )
    parser.add_argument("--vm-version", choices=VERSIONS, default=VERSIONS[0], help="rules to follow, default 0.62")


def run(args: argparse.Namespace) -> int:
    """Answer every line."""
    from runtime.invocation_lines import read_lines

    ours = make_interpreter("auto" if args.engine == "both" else args.engine, args.wasm, options=vm_options(args))
    reference = make_interpreter("reference", args.wasm) if args.engine == "both" else None
    lines = read_lines(args.file)
    first = list(islice(lines, 1))  # a file that cannot be read must not cost an older recording
    with _recorder(args.record, args.file) as record:
        lines = chain(first, lines)
        return _answer(lines, ours, reference, record) if reference else _answer_all(lines, ours, record)


def vm_options(args: argparse.Namespace) -> VmOptions:
    """The switches that the flags name. Raises CommandError."""
    from aquac.command_line import CommandError
    from avm.exec.context import VmOptions

    if args.engine == "both" and args.vm_version != VERSIONS[0]:
        # the version stands in the data, so every run would differ
        raise CommandError(
            f"--vm-version {args.vm_version} cannot be compared with the reference, which is {VERSIONS[0]}"
        )
    return VmOptions(fix_d1="D1" in args.fix, fix_d2="D2" in args.fix, fix_d3="D3" in args.fix, version=args.vm_version)


def make_interpreter(engine: str, wasm: str | None, *, options: VmOptions | None = None) -> Interpreter:
    """The interpreter of that name. Raises CommandError."""
    from aquac.command_line import CommandError
    from avm import Avm
    from avm.exec.context import DEFAULT_OPTIONS
    from runtime.reference_avm import ReferenceAvm, ReferenceMissingError

    options = options or DEFAULT_OPTIONS
    if engine == "reference" and options != DEFAULT_OPTIONS:
        raise CommandError("--fix and --vm-version do not apply to the reference")
    try:
        return ReferenceAvm(wasm) if engine == "reference" else Avm(engine, options=options)
    except (ReferenceMissingError, ValueError) as error:
        raise CommandError(str(error)) from error


def _recorder(path: str | None, source: str) -> nullcontext[None] | TextIO:
    """The file of `--record`, empty. Raises CommandError, also when that would empty the invocations of `source`."""
    from aquac.command_line import CommandError

    if path is None:
        return nullcontext()
    try:
        if source != "-" and Path(path).exists() and Path(path).samefile(source):
            raise CommandError(f"--record {path} is the file of invocations", hint="record into another file")
        # a lone surrogate in an `id` is written as JSON escapes it, as on standard output
        return open(path, "w", buffering=1, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


def _answer_all(lines: Iterable[Line], interpreter: Interpreter, record: TextIO | None) -> int:
    from aquac.command_line import OK
    from runtime.invocation_json import error_json, outcome_json
    from runtime.reference_avm import ReferenceTrapError

    for line in lines:
        if isinstance(line.invocation, str):
            _print(error_json(line.name, line.invocation))
            continue
        try:
            _print({"id": line.name, **outcome_json(line.invocation.run(interpreter))}, line, record)
        except ReferenceTrapError as error:
            _print(error_json(line.name, str(error)), line, record)
    return OK


def _answer(lines: Iterable[Line], ours: Interpreter, reference: Interpreter, record: TextIO | None) -> int:
    """Answer from ours until the reference disagrees; that line shows both."""
    from aquac.command_line import DIAGNOSTICS, OK
    from runtime.invocation_json import difference, error_json, outcome_json
    from runtime.reference_avm import ReferenceTrapError

    for line in lines:
        if isinstance(line.invocation, str):
            _print(error_json(line.name, line.invocation))
            continue
        outcome = line.invocation.run(ours)
        try:
            found = difference(outcome, line.invocation.run(reference))
        except ReferenceTrapError:
            # where the reference panics, any error that keeps the data is right
            found = {} if not outcome.ok else {"ret_code": {"ours": 0, "reference": "trap"}}
        if found:
            _print(error_json(line.name, "outcomes differ", difference=found))
            sys.stderr.write(f"avm invoke: {line.name!r}: outcomes differ in {', '.join(found)}\n")
            return DIAGNOSTICS
        _print({"id": line.name, **outcome_json(outcome)}, line, record)
    return OK


def _print(document: dict[str, Any], line: Line | None = None, record: TextIO | None = None) -> None:
    """Print an answer; with its line, record both."""
    from runtime.invocation_json import json_text

    sys.stdout.write(json_text(document) + "\n")
    sys.stdout.flush()
    if line is not None and record is not None:
        record.write(json_text({**line.document, "expect": document}) + "\n")
