"""What the commands of `avm peer` that ask a running peer share: whom, as whom, for how long, and how the answer is printed.

Each group of commands is a file; it gives every parser a `prepare(args)`, which reads files and checks arguments before anything is
dialled, and returns what to do with the peer. The result is one JSON document (`docs/schemas/avm-peer-operations.schema.json`).
Errors: exit 2 for arguments and files, 3 when the peer refuses, 4 for no answer in time, 5 when nobody can be reached.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import OK, CommandError, Parser, add_common_flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from runtime.operations.remote import Remote, Target

    Work = Callable[[Remote], Awaitable[Any]]
    Prepare = Callable[[argparse.Namespace], Work]

SubParsers = Any
"""What `add_subparsers` gives; argparse keeps the class to itself."""

GROUPS: Final = (
    "peer_network",
    "peer_services",
    "peer_modules",
    "peer_deploy",
    "peer_workers",
    "peer_spells",
    "peer_metrics",
)
"""Files with commands. Each has `configure(commands)`."""

DEFAULT_TIMEOUT: Final = "30s"


def configure(commands: SubParsers) -> None:
    """Add the commands of all groups."""
    for group in GROUPS:
        import_module(f"runtime.commands.{group}").configure(commands)


def add_group(commands: SubParsers, name: str, help_: str) -> SubParsers:
    """A command that has commands of its own, such as `modules`."""
    group = commands.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")
    return group.add_subparsers(dest=f"{name}_command", metavar="COMMAND", required=True, parser_class=Parser)


def add_operation(
    commands: SubParsers, name: str, help_: str, prepare: Prepare, *, scoped: bool = False
) -> argparse.ArgumentParser:
    """A command that asks a peer. scoped: whether it can be about a worker. The parser, for its own arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=f"{help_[0].upper()}{help_[1:]}."
    )
    group = parser.add_argument_group("the peer")
    group.add_argument(
        "--peer", metavar="MULTIADDR|PEER_ID", help="the peer that is asked; a mere peer id is reached through --relay"
    )
    group.add_argument(
        "--relay", metavar="MULTIADDR", help="the peer to connect to; also the one that is asked, without --peer"
    )
    if scoped:
        group.add_argument("--worker", metavar="PEER_ID", help="a worker of the peer, instead of the peer itself")
    group.add_argument(
        "--key", "--sk", metavar="KEY|FILE|NAME", help="secret key that signs (see `avm key`); default: a new one"
    )
    group.add_argument(
        "--timeout",
        metavar="TIME",
        default=DEFAULT_TIMEOUT,
        help=f"for everything, connecting included (default {DEFAULT_TIMEOUT})",
    )
    add_common_flags(parser, top=False)
    parser.set_defaults(handler=ask, prepare=prepare)
    return parser


def ask(args: argparse.Namespace) -> int:
    """Do the work of a command and print what comes of it."""
    target = target_of(args)
    work = args.prepare(args)

    from runtime.operations.remote import run_remote

    return print_document(run_remote(target, work))


def print_document(document: Any) -> int:
    """Print a result. The exit code."""
    from runtime.operations import Text

    print(document if isinstance(document, Text) else json.dumps(document, ensure_ascii=False, indent=2))
    return OK


def target_of(args: argparse.Namespace) -> Target:
    """The peer that the flags name. Raises CommandError."""
    from runtime.commands.run import parse_time_ms
    from runtime.operations.remote import Target

    relay, peer = args.relay, args.peer
    if peer is None and relay is None:
        raise CommandError(
            "no peer is named", hint="--peer MULTIADDR, as `avm peer run` prints it: /ip4/…/tcp/PORT/p2p/<peer id>"
        )
    if peer is not None and peer.startswith("/"):
        if relay is not None:
            raise CommandError(
                "--peer with an address and --relay: only one of them can be dialled",
                hint="behind a relay a peer is named by its peer id",
            )
        relay = peer
        peer = None
    if relay is None:
        raise CommandError(
            f"--peer {peer}: where is it?", hint="give its address, or with --relay the address of a peer that knows it"
        )
    relay_id = _peer_id_of("--relay" if args.relay is not None else "--peer", relay)
    timeout_ms = parse_time_ms("--timeout", args.timeout)
    if timeout_ms <= 0:
        raise CommandError(f"--timeout {args.timeout}: expected a time above 0")
    worker = getattr(args, "worker", None)
    return Target(
        relay,
        relay_id if peer is None else checked_peer_id("--peer", peer),
        timeout_ms,
        worker=None if worker is None else checked_peer_id("--worker", worker),
        secret=_secret(args.key),
    )


def checked_peer_id(flag: str, text: str) -> str:
    """A peer id that is one. Raises CommandError."""
    from runtime.protocol.identity import is_peer_id

    if not is_peer_id(text):
        raise CommandError(f"{flag} {text[:80]}: expected a peer id such as 12D3KooW…")
    return text


def _peer_id_of(flag: str, address: str) -> str:
    from runtime.protocol.identity import is_peer_id

    head, _, peer_id = address.rpartition("/p2p/")
    if not head.startswith("/") or not is_peer_id(peer_id):
        raise CommandError(f"{flag} {address[:200]}: expected a multiaddress that ends in /p2p/<peer id>")
    return peer_id


def _secret(text: str | None) -> bytes | None:
    if text is None:
        return None
    from runtime.key_store import load_named_secret

    return load_named_secret(text)


def json_argument(flag: str, text: str, kind: type, what: str) -> Any:
    """The JSON value of an argument. Raises CommandError."""
    from avm.data.canonical_json import JsonError, parse

    try:
        value = parse(text)
    except JsonError as error:
        raise CommandError(f"{flag}: not JSON: {error}", hint="texts need quotes: '[\"a\", 1]'") from None
    if not isinstance(value, kind):
        raise CommandError(f"{flag}: expected {what}")
    return value
