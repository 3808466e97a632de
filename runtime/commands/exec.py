"""`avm exec`: one run of the interpreter on files, with sensible values for whatever is not given.

The outcome is printed as JSON. Errors: exit 1 for a script that does not parse, 3 for an error of the script or a panic of
the reference, 6 for data that cannot be used, 2 for files and flags.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runtime.commands.invoke import add_engine_flags

if TYPE_CHECKING:
    import argparse

HELP: Final = "run the interpreter once, on files"

DEFAULT_PARTICLE_ID: Final = "particle"
DEFAULT_TTL_MS: Final = 60_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("script", metavar="SCRIPT", help="AIR script; - for standard input")
    parser.add_argument("--prev-data", metavar="FILE", help="data this peer kept; default: none")
    parser.add_argument("--data", metavar="FILE", help="data that arrived; default: none")
    parser.add_argument("--call-results", metavar="FILE", help='JSON: {"1": {"ret_code": 0, "result": "…"}}')
    parser.add_argument("--init-peer-id", metavar="ID", help="default: the current peer")
    parser.add_argument("--current-peer-id", metavar="ID", help="default: the peer of the key")
    parser.add_argument("--particle-id", metavar="ID", default=DEFAULT_PARTICLE_ID)
    parser.add_argument("--timestamp", metavar="MS", type=int, default=0, help="of the particle, default 0")
    parser.add_argument("--ttl", metavar="MS", type=int, default=DEFAULT_TTL_MS, help=f"default {DEFAULT_TTL_MS}")
    parser.add_argument("--key", metavar="SEED|FILE", help="secret key; default: a fixed one, the same on every run")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the new data there")
    parser.add_argument("--plain", action="store_true", help="show the new data decoded instead of as base64")
    add_engine_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Run once and print the outcome."""
    from aquac.command_line import WORKFLOW_ERROR, CommandError
    from runtime.commands.invoke import make_interpreter, vm_options
    from runtime.invocation_json import json_text, outcome_json
    from runtime.reference_avm import ReferenceTrapError

    invocation = _invocation(args)
    engine = "auto" if args.engine == "both" else args.engine
    try:
        outcome = invocation.run(make_interpreter(engine, args.wasm, options=vm_options(args)))
    except ReferenceTrapError as error:
        raise CommandError(str(error), WORKFLOW_ERROR, hint="`--engine auto` answers an error there") from error
    if args.engine == "both":
        from runtime.invocation_json import difference

        try:
            found = difference(outcome, invocation.run(make_interpreter("reference", args.wasm)))
        except ReferenceTrapError:
            # where the reference panics, any error that keeps the data is right
            found = {} if not outcome.ok else {"ret_code": {"ours": 0, "reference": "trap"}}
        if found:
            raise CommandError(f"outcomes differ: {json_text(found)}", 1)
    document = outcome_json(outcome)
    if args.plain:
        document["data"] = _plain(outcome.data)
    if args.output is not None:
        try:
            Path(args.output).write_bytes(outcome.data)
        except OSError as error:
            raise CommandError(f"cannot write {args.output}: {error.strerror}") from error
    sys.stdout.write(json_text(document, indent=2) + "\n")
    return _exit_code(outcome.ret_code)


def _invocation(args: argparse.Namespace) -> Any:
    from aquac.command_line import CommandError, read_bytes
    from avm.crypto.keys import key_pair
    from avm.outcome import RunParameters
    from runtime.commands.parse import read_script
    from runtime.invocation_json import U32_MAX, U64_MAX, Invocation, InvocationError, read_call_results
    from runtime.keys import load_secret

    inputs = {
        "SCRIPT": args.script,
        "--prev-data": args.prev_data,
        "--data": args.data,
        "--call-results": args.call_results,
    }
    from_input = [name for name, path in inputs.items() if path == "-"]
    if len(from_input) > 1:
        raise CommandError(
            f"standard input is given for {' and '.join(from_input)}",
            hint="it can be read once; name files for the rest",
        )
    seed = load_secret(args.key) if args.key is not None else bytes(range(32))
    for name in ("particle_id", "init_peer_id", "current_peer_id"):
        try:
            (getattr(args, name) or "").encode()
        except UnicodeEncodeError:
            raise CommandError(f"--{name.replace('_', '-')} is not UTF-8") from None
    for name, maximum in (("timestamp", U64_MAX), ("ttl", U32_MAX)):
        if not 0 <= getattr(args, name) <= maximum:
            raise CommandError(f"--{name} must be from 0 to {maximum}")
    current = key_pair(0, seed).peer_id if args.current_peer_id is None else args.current_peer_id
    results: Any = {}
    results_name = "standard input" if args.call_results == "-" else args.call_results
    if args.call_results is not None:
        try:
            results = json.loads(read_bytes(args.call_results, what="call results"))
        except (ValueError, RecursionError) as error:
            raise CommandError(f"{results_name} is not JSON: {error}") from error
    try:
        call_results = read_call_results(results)
    except InvocationError as error:
        raise CommandError(f"{results_name}: {error}") from error
    return Invocation(
        air=read_script(args.script),
        prev_data=b"" if args.prev_data is None else read_bytes(args.prev_data, what="data"),
        data=b"" if args.data is None else read_bytes(args.data, what="data"),
        params=RunParameters(
            init_peer_id=current if args.init_peer_id is None else args.init_peer_id,
            current_peer_id=current,
            timestamp=args.timestamp,
            ttl=args.ttl,
            particle_id=args.particle_id,
            secret_key_bytes=seed,
        ),
        call_results=call_results,
    )


def _plain(data: bytes) -> Any:
    from avm.data.human import HumanViewError, human_view, read_for_people

    try:
        return human_view(read_for_people(data))
    except HumanViewError as error:
        return str(error)


def _exit_code(ret_code: int) -> int:
    from aquac.command_line import DIAGNOSTICS, INCOMPATIBLE, OK, USAGE, WORKFLOW_ERROR
    from avm import prepare

    if ret_code == 0:
        return OK
    if ret_code == prepare.AIR_PARSE:
        return DIAGNOSTICS
    if ret_code in (prepare.CALL_RESULTS_DECODING, prepare.MALFORMED_KEY, prepare.SIZE_LIMIT):
        return USAGE
    return INCOMPATIBLE if ret_code <= prepare.SIGNATURES else WORKFLOW_ERROR
