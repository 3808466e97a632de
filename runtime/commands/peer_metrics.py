"""`avm peer metrics HOST:PORT`: health, versions and metrics of a peer, from its HTTP endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError, add_common_flags

from .peer_remote import SubParsers, print_document

if TYPE_CHECKING:
    import argparse

DEFAULT_TIMEOUT: Final = "10s"


def configure(commands: SubParsers) -> None:
    """Add the command."""
    about = "tell health, versions and metrics of a peer from its HTTP endpoint"
    parser = commands.add_parser("metrics", help=about, description=f"{about[0].upper()}{about[1:]}.")
    parser.add_argument("endpoint", metavar="HOST:PORT", help="the --http of the peer")
    parser.add_argument(
        "--prefix", metavar="TEXT", action="append", default=[],
        help="only metrics that begin so, such as particle_executor or avm_; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", metavar="TIME", default=DEFAULT_TIMEOUT, help=f"for each answer (default {DEFAULT_TIMEOUT})"
    )
    add_common_flags(parser, top=False)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the endpoint and print what it says."""
    from runtime.commands.run import parse_time_ms
    from runtime.operations.endpoint import read_endpoint
    from runtime.settings import split_http

    host, port = split_http(args.endpoint.removeprefix("http://").rstrip("/"))
    timeout_ms = parse_time_ms("--timeout", args.timeout)
    if timeout_ms <= 0:
        raise CommandError(f"--timeout {args.timeout}: expected a time above 0")
    return print_document(read_endpoint(host, port, timeout_ms / 1000, tuple(args.prefix)))
