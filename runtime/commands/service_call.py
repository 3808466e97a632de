"""`avm service call` and `avm service run`: single calls, and rows of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aquac.command_line import OK, TIMED_OUT, WORKFLOW_ERROR, CommandError, read_text

from .service_shared import PLACE, SubParsers, add_permissions, config_of, logger_of

if TYPE_CHECKING:
    import argparse


def configure(commands: SubParsers) -> None:
    """Add the sub-commands."""
    call = commands.add_parser("call", help="call a function and print its result")
    call.add_argument("service", nargs="+", metavar=PLACE)
    call.add_argument("-f", "--function", required=True, metavar="FN")
    call.add_argument("--args", default="[]", metavar="JSON", help="an array, or an object by names; default []")
    call.add_argument("--module", metavar="NAME", help="call this module instead of the facade")
    call.add_argument("--call-parameters", metavar="JSON", help="what the modules are told about their caller")
    call.add_argument("--repeat", type=int, default=1, metavar="N", help="call N times in one instance, print the last")
    add_permissions(call)
    call.set_defaults(handler=call_once)
    rows = commands.add_parser("run", help="answer rows of JSON, one a line")
    rows.add_argument("--jsonl", action="store_true", help="rows as JSON lines (the only form)")
    rows.add_argument("rows", nargs="?", default="-", metavar="FILE", help="rows; - for standard input (default)")
    rows.add_argument("--root", metavar="DIR", help="where module files are; default: beside FILE, else here")
    rows.add_argument(
        "--engine", choices=("auto", "native", "translated", "interpreted"), default="auto", help="how adapters run"
    )
    rows.set_defaults(handler=answer_rows)


def call_once(args: argparse.Namespace) -> int:
    """`call`: print the result of one function."""
    from runtime.marine.call_parameters import NO_PARAMETERS, from_json
    from runtime.marine.errors import CallError, ErrorClass
    from runtime.marine.host import Service
    from runtime.marine.json_values import parse_text

    if args.repeat < 1:
        raise CommandError(f"--repeat {args.repeat}: expected a number above 0")
    parameters, flag = NO_PARAMETERS, "--args"
    try:
        values = parse_text(args.args)
        if args.call_parameters is not None:
            flag = "--call-parameters"
            parameters = from_json(parse_text(args.call_parameters))
    except CallError as error:
        raise CommandError(f"{flag}: {error}") from error
    with Service(config_of(args), log=logger_of(args)) as service:
        result = None
        try:
            for _ in range(args.repeat):
                result = service.call(args.function, values, parameters, module=args.module)
        except CallError as error:
            codes = {ErrorClass.DEADLINE: TIMED_OUT, ErrorClass.NO_FUNCTION: 2, ErrorClass.NO_MODULE: 2}
            hint = ""
            if error.error_class is ErrorClass.NO_FUNCTION and args.module is None:
                hint = "functions: " + ", ".join(sorted(service.interface().functions))
            raise CommandError(str(error), codes.get(error.error_class, WORKFLOW_ERROR), hint=hint) from error
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return OK


def answer_rows(args: argparse.Namespace) -> int:
    """`run`: an answer to every row."""
    from runtime.marine.rows import RowRunner, reference_folders

    root = Path(args.root) if args.root else Path() if args.rows == "-" else Path(args.rows).parent
    runner = RowRunner(root, reference_folders(), engine=args.engine)
    lines = sys.stdin if args.rows == "-" else read_text(args.rows, what="rows").split("\n")
    for line in lines:
        if line.strip():
            print(json.dumps(runner.answer(line), ensure_ascii=False), flush=True)
    return OK
