"""`avm invoke`: the interpreter as a pure function, JSON lines in and JSON lines out.

One invocation a line, answered in order and at once, so another program can drive it through pipes. A malformed line is
answered with `{"id", "error"}`. Errors: exit 1 if `--engine both` met a difference; exit 2 for a file or engine that is not there.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from runtime.invocation_json import Interpreter, Invocation

HELP: Final = "run the interpreter as a function: JSON lines in, JSON lines out"

ENGINES: Final = ("auto", "interp", "jit", "reference", "both")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="invocations; - for standard input (default)"
    )
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


def run(args: argparse.Namespace) -> int:
    """Answer every line."""
    from aquac.command_line import OK, CommandError

    ours = make_interpreter("auto" if args.engine == "both" else args.engine, args.wasm)
    reference = make_interpreter("reference", args.wasm) if args.engine == "both" else None
    try:
        source = nullcontext(sys.stdin.buffer) if args.file == "-" else open(args.file, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CommandError(f"cannot read {args.file}: {error.strerror}") from error
    with source as lines:
        return _answer(lines, ours, reference) if reference else _answer_all(lines, ours) or OK


def make_interpreter(engine: str, wasm: str | None) -> Interpreter:
    """The interpreter of that name. Raises CommandError."""
    from aquac.command_line import CommandError
    from avm import Avm
    from runtime.reference_avm import ReferenceAvm, ReferenceMissingError

    try:
        return ReferenceAvm(wasm) if engine == "reference" else Avm(engine)
    except (ReferenceMissingError, ValueError) as error:
        raise CommandError(str(error)) from error


def _answer_all(lines: Iterable[bytes], interpreter: Interpreter) -> int:
    from runtime.invocation_json import error_json, outcome_json
    from runtime.reference_avm import ReferenceTrapError

    for line in lines:
        parsed = _parse(line)
        if parsed is None:
            continue
        name, invocation = parsed
        if isinstance(invocation, str):
            _print(error_json(name, invocation))
            continue
        try:
            _print({"id": name, **outcome_json(invocation.run(interpreter))})
        except ReferenceTrapError as error:
            _print(error_json(name, str(error)))
    return 0


def _answer(lines: Iterable[bytes], ours: Interpreter, reference: Interpreter) -> int:
    """Answer from ours until the reference disagrees; that line shows both."""
    from aquac.command_line import DIAGNOSTICS, OK
    from runtime.invocation_json import difference, error_json, outcome_json
    from runtime.reference_avm import ReferenceTrapError

    for line in lines:
        parsed = _parse(line)
        if parsed is None:
            continue
        name, invocation = parsed
        if isinstance(invocation, str):
            _print(error_json(name, invocation))
            continue
        outcome = invocation.run(ours)
        try:
            found = difference(outcome, invocation.run(reference))
        except ReferenceTrapError:
            # where the reference panics, any error that keeps the data is right
            found = {} if not outcome.ok else {"ret_code": {"ours": 0, "reference": "trap"}}
        if found:
            _print(error_json(name, "outcomes differ", difference=found))
            sys.stderr.write(f"avm invoke: {name!r}: outcomes differ in {', '.join(found)}\n")
            return DIAGNOSTICS
        _print({"id": name, **outcome_json(outcome)})
    return OK


def _parse(line: bytes) -> tuple[Any, Invocation | str] | None:
    """Id, and the invocation or what is wrong with it; None for an empty line."""
    from runtime.invocation_json import InvocationError, read_invocation

    if not line.strip():
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, f"not a JSON document: {error}"
    name = document.get("id") if isinstance(document, dict) else None
    try:
        return name, read_invocation(document)
    except InvocationError as error:
        return name, str(error)


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
