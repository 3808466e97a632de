"""`avm replay`: runs invocations recorded by `avm invoke --record` again and reports the first that answers differently.

Answers are compared in their normal form: data decoded, requests and peers without order. `--exact` compares the bytes of
data and requests too. Prints `{"runs", "difference": null | {"line", "id", "fields": {name: {"expected", "got"}}}}`.
Errors: exit 1 for a difference, exit 2 for a file or engine that is not there and for a line that is no recorded invocation.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from runtime.commands.invoke import add_engine_flags

if TYPE_CHECKING:
    import argparse

    from runtime.invocation_json import Interpreter
    from runtime.invocation_lines import Line

HELP: Final = "run recorded invocations again and show the first that answers differently"

_TRAP: Final = "trap"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="recorded invocations; - for standard input")
    parser.add_argument("--exact", action="store_true", help="compare the bytes of data and requests too")
    add_engine_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Run line by line up to the first difference."""
    from aquac.command_line import DIAGNOSTICS, OK, CommandError
    from runtime.commands.invoke import make_interpreter, vm_options
    from runtime.invocation_json import json_text
    from runtime.invocation_lines import read_lines

    options = vm_options(args)
    if args.exact and args.engine in ("reference", "both"):
        raise CommandError("--exact does not apply to the reference, which orders the parts of data at random")
    if args.engine == "both":
        engines = [make_interpreter("auto", args.wasm, options=options), make_interpreter("reference", args.wasm)]
    else:
        engines = [make_interpreter(args.engine, args.wasm, options=options)]
    runs = 0
    difference: dict[str, Any] | None = None
    for line in read_lines(args.file):
        runs += 1
        for engine in engines:
            fields = _difference(line, engine, exact=args.exact)
            if fields:
                difference = {"line": line.number, "id": line.name, "fields": fields}
                break
        if difference is not None:
            sys.stderr.write(f"avm replay: line {line.number}: {', '.join(difference['fields'])} differ\n")
            break
    sys.stdout.write(json_text({"runs": runs, "difference": difference}, indent=2) + "\n")
    return OK if difference is None else DIAGNOSTICS


def _difference(line: Line, engine: Interpreter, *, exact: bool) -> dict[str, dict[str, Any]]:
    """Fields that are not as recorded. Raises CommandError."""
    from aquac.command_line import CommandError
    from runtime.invocation_json import InvocationError, difference, json_text, outcome_json, read_outcome
    from runtime.reference_avm import ReferenceTrapError

    if isinstance(line.invocation, str):
        raise CommandError(f"line {line.number}: {line.invocation}")
    recorded = line.document.get("expect")
    if not isinstance(recorded, dict):
        raise CommandError(f"line {line.number}: no recorded answer in `expect`")
    trapped = "error" in recorded
    try:
        expected = None if trapped else read_outcome(recorded)
    except InvocationError as error:
        raise CommandError(f"line {line.number}: `expect`: {error}") from error
    try:
        outcome = line.invocation.run(engine)
    except ReferenceTrapError:
        return {} if trapped else {"ret_code": {"expected": recorded["ret_code"], "got": _TRAP}}
    if expected is None:
        # where the reference panicked, any error is right
        return {} if not outcome.ok else {"ret_code": {"expected": _TRAP, "got": 0}}
    if exact:
        got = outcome_json(outcome)
        return {
            name: {"expected": recorded.get(name), "got": value}
            for name, value in got.items()
            if json_text(recorded.get(name)) != json_text(value)
        }
    found = difference(outcome, expected)
    return {name: {"expected": pair["reference"], "got": pair["ours"]} for name, pair in found.items()}
