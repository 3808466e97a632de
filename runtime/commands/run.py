"""`avm run`: call a function of an Aqua program and print its result.

Without `--relay` the program runs on a network inside this process: a relay and a client, and with `--relay sim:N` N more
peers. These are whole peers; only the sockets are missing. Their names are variables in the call: `client`, `relay`,
`peer1` … and `peers`, the list of the further ones.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import OK, CommandError, read_text

if TYPE_CHECKING:
    import argparse

    from runtime.program import Program

HELP: Final = "run a function of an Aqua program, on a network of its own or through a relay"

DEFAULT_TTL: Final = "15s"
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.description = __doc__
    parser.add_argument("file", nargs="?", metavar="FILE", help="an .aqua file, or a compiled .air script")
    parser.add_argument(
        "-f", "--func", metavar="'FUNC(ARGS)'", help="the call; optional when the file exports one function"
    )
    parser.add_argument(
        "--relay",
        metavar="MULTIADDR|local|sim:N",
        default="local",
        help="where to run (default: local, without sockets)",
    )
    parser.add_argument(
        "--arg", metavar="NAME=JSON", action="append", default=[], help="a variable of the call; repeatable"
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", metavar="JSON", help="an object of variables")
    data.add_argument("--data-file", metavar="FILE", help="a file with an object of variables")
    parser.add_argument(
        "--service", metavar="NAME[@PEER]=FILE", action="append", default=[],
        help="serve a service of the program from a .py or .json file, a .wasm module or a .toml configuration of modules, "
        "on the client or the named peer; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--callback", metavar="NAME=print|FILE.py[:FUNC]", action="append", default=[],
        help="what a function given as an argument does; repeatable",
    )  # fmt: skip
    parser.add_argument("--sk", metavar="KEY|FILE|NAME", help="secret key of the client (see `avm key`)")
    parser.add_argument(
        "--ttl", metavar="TIME", default=DEFAULT_TTL, help=f"life of the particle (default {DEFAULT_TTL})"
    )
    parser.add_argument(
        "--timeout", metavar="TIME", help="give up after this time (default: when the particle expires)"
    )
    parser.add_argument(
        "-I", "--import", metavar="DIR", dest="imports", action="append", default=[], help="where imports are looked up"
    )
    parser.add_argument(
        "--imports", metavar="FILE", dest="import_map", help="JSON import map, as `aquac build` takes it"
    )
    parser.add_argument(
        "--const", metavar="'NAME = value'", action="append", default=[], help="a constant of the program"
    )
    parser.add_argument("--tracing", action="store_true", help="report the start and end of every function")
    parser.add_argument("--print-air", action="store_true", help="print the script to stderr before it runs")
    parser.add_argument(
        "--print-peers", action="store_true", help="print names and ids of the in-process peers and stop"
    )
    parser.add_argument("--engine", choices=("auto", "interp", "jit", "reference"), default="auto", help="interpreter")
    parser.add_argument("--wasm", metavar="avm.wasm", help="module of `--engine reference`")
    parser.add_argument(
        "--json", action="store_true", help="print one document with the result, or the error, and figures"
    )


def run(args: argparse.Namespace) -> int:
    """Run the program; the exit code tells how it ended."""
    levels = (logging.ERROR, logging.INFO, logging.DEBUG)
    logging.basicConfig(
        stream=sys.stderr, level=levels[min(args.verbose, 2)], format="%(levelname)s %(name)s: %(message)s"
    )
    extra = _extra_peers(args.relay)
    ttl_ms = parse_ttl_ms(args.ttl)
    timeout_ms = None if args.timeout is None else parse_time_ms("--timeout", args.timeout)
    if timeout_ms is not None and timeout_ms < 0:
        raise CommandError(f"--timeout {args.timeout}: expected a time of 0 or more")
    if args.print_peers:
        return _print_peers(extra, args)
    if args.file is None:
        raise CommandError("no FILE given", hint="see `avm run --help`")

    from runtime.program import CallbackName, CompileSettings, load_program
    from runtime.provided import load_callback, load_service, split_assignment

    variables = _peer_variables(extra, args) | variables_of(args)
    callback_names = [
        split_assignment("--callback", text, form="NAME=print or NAME=file.py[:function]")[0] for text in args.callback
    ]
    variables |= {name: CallbackName(name) for name in callback_names}
    call = call_of(args.func, variables)
    settings = CompileSettings(
        tuple(args.imports),
        args.import_map,
        tuple(args.const),
        color=args.color,
        tracing=args.tracing,
        quiet=args.quiet > 0,
    )
    program = load_program(args.file, call.name if call else None, settings)
    values, wanted = program.bind(call, variables)
    arrows = {given.name: arrow for arrow, given in wanted.values()}
    # What service files print while they are loaded or called must not mix with the result.
    with contextlib.redirect_stdout(sys.stderr):
        functions = dict(load_callback(text, arrows) for text in args.callback)
        services = [load_service(text, program.declarations, timeout_ms=ttl_ms) for text in args.service]
    if args.print_air:
        print(program.script, file=sys.stderr)

    from runtime.session import Session, run_session

    session = Session(
        script=program.script,
        answers=program.answers,
        arguments=values,
        callbacks={name: functions[given.name] for name, (_, given) in wanted.items()},
        services=tuple(services),
        relay=args.relay,
        extra_peers=extra,
        secret=_secret(args),
        ttl_ms=ttl_ms,
        timeout_ms=timeout_ms,
        engine=args.engine,
        wasm=args.wasm,
    )
    with contextlib.redirect_stdout(sys.stderr):
        ended = run_session(session)
    return _report(args, program, ended)


def parse_time_ms(flag: str, text: str) -> int:
    """A time such as `15s`, `500ms`, `2m`, or a number of milliseconds. Raises CommandError."""
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(digits) :] or "ms"
    try:
        value = float(digits) * _UNITS_MS[unit]
        return int(value)
    except (ValueError, KeyError, OverflowError) as error:
        raise CommandError(f"{flag} {text}: expected a time such as 15s or 500ms") from error


def parse_ttl_ms(text: str) -> int:
    """The time of `--ttl`. Raises CommandError for one that no particle can have."""
    from runtime.core.limits import TTL_MAX_MS

    ttl_ms = parse_time_ms("--ttl", text)
    if not 0 < ttl_ms <= TTL_MAX_MS:
        raise CommandError(f"--ttl {text}: expected a time above 0 and up to {TTL_MAX_MS} ms")
    return ttl_ms


def _extra_peers(relay: str) -> int | None:
    """How many further peers the in-process network has; None for a relay elsewhere."""
    from runtime.config import LOCAL_PEERS_MAX

    if relay == "local":
        return 0
    kind, _, number = relay.partition(":")
    if kind == "sim":
        if not number.isascii() or not number.isdigit() or int(number.lstrip("0")[:9] or "0") > LOCAL_PEERS_MAX:
            raise CommandError(f"--relay {relay}: expected sim:N with N up to {LOCAL_PEERS_MAX}")
        return int(number)
    if not relay.startswith("/"):
        raise CommandError(f"--relay {relay}: expected a multiaddress, `local` or `sim:N`")
    from runtime.protocol.identity import is_peer_id

    if not is_peer_id(relay.rpartition("/p2p/")[2]):
        raise CommandError(f"--relay {relay}: the address of a relay ends in /p2p/<peer id>")
    return None


def _print_peers(extra: int | None, args: argparse.Namespace) -> int:
    if extra is None:
        raise CommandError("--print-peers lists the peers of an in-process network: use --relay local or sim:N")
    print(json.dumps(_peer_ids(extra, args), indent=2))
    return OK


def _peer_ids(extra: int, args: argparse.Namespace) -> dict[str, str]:
    from runtime.protocol.identity import Identity, named_identity

    secret = _secret(args)
    client = Identity(secret) if secret is not None else named_identity("client")
    names = ("relay", *(f"peer{number}" for number in range(1, extra + 1)))
    return {"client": client.peer_id} | {name: named_identity(name).peer_id for name in names}


def _peer_variables(extra: int | None, args: argparse.Namespace) -> dict[str, Any]:
    if extra is None:
        return {}
    ids = _peer_ids(extra, args)
    return ids | {"peers": [ids[f"peer{number}"] for number in range(1, extra + 1)]}


def variables_of(args: argparse.Namespace) -> dict[str, Any]:
    """Variables given by --data or --data-file, then by --arg."""
    out: dict[str, Any] = {}
    if args.data is not None:
        out |= _object("--data", args.data)
    if args.data_file is not None:
        out |= _object(f"--data-file {args.data_file}", read_text(args.data_file, what="data file"))
    for text in args.arg:
        name, found, value = text.partition("=")
        if not found or not name:
            raise CommandError(f"--arg {text}: expected NAME=JSON")
        out[name.strip()] = _json(f"--arg {name}", value)
    return out


def _object(where: str, text: str) -> dict[str, Any]:
    value = _json(where, text)
    if not isinstance(value, dict):
        raise CommandError(f"{where}: expected a JSON object of variables")
    return value


def _json(where: str, text: str) -> Any:
    from avm.data.canonical_json import JsonError, parse

    try:
        return parse(text)
    except JsonError as error:
        hint = (
            f"a string needs quotes: '{where.removeprefix('--arg ')}={json.dumps(text, ensure_ascii=False)}'"
            if where.startswith("--arg")
            else ""
        )
        raise CommandError(f"{where}: not JSON: {error}", hint=hint) from error


def call_of(text: str | None, variables: dict[str, Any]) -> Any:
    """The call that `-f` names; None without one. Raises CommandError."""
    from runtime.call_text import CallTextError, parse_call

    if text is None:
        return None
    try:
        return parse_call(text, variables)
    except CallTextError as error:
        raise CommandError(str(error)) from error


def _secret(args: argparse.Namespace) -> bytes | None:
    if args.sk is None:
        return None
    from runtime.key_store import load_named_secret

    return load_named_secret(args.sk)


def _report(args: argparse.Namespace, program: Program, ended: Any) -> int:
    """Print how it ended: the result on stdout; an error on stderr, or in the document of --json."""
    from runtime.conversion import ConversionError

    result = None
    error = ended.error
    if error is None:
        try:
            result = program.result(ended.values)
        except ConversionError as complaint:
            error = ended.with_error(str(complaint)).error
    if error is not None and error.source is None and error.failed is not None:
        error = error.at(program.source_of(error.failed))
    if args.json:
        document = {
            "result": result,
            "particle_id": ended.particle_id,
            "elapsed_ms": ended.elapsed_ms,
            "error": None if error is None else error.to_json(),
        }
        print(json.dumps(document, ensure_ascii=False))
    elif error is None:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    if error is None:
        return OK
    if not args.json:
        raise CommandError(error.message, error.exit_code, hint=error.details())
    return int(error.exit_code)
