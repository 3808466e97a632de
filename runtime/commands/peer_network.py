"""`avm peer identify`, `ping`, `connect`, `contact`, `neighbours`: who a peer is, whether it answers, whom it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError

from .peer_remote import SubParsers, add_operation, checked_peer_id

if TYPE_CHECKING:
    import argparse

    from runtime.operations.remote import Remote

    from .peer_remote import Work

PINGS_MAX: Final = 1000
"""Round trips of one `avm peer ping`."""

NEIGHBOURS_MAX: Final = 1000
"""Most peers that `avm peer neighbours` asks for; a peer does not tell more."""


def configure(commands: SubParsers) -> None:
    """Add the commands."""
    add_operation(commands, "identify", "tell a peer's versions and addresses", _identify)
    ping = add_operation(commands, "ping", "measure how long particles take to a peer and back", _ping)
    ping.add_argument("--count", metavar="N", type=int, default=3, help="round trips (default 3)")
    connect = add_operation(commands, "connect", "make a peer connect to another one; for management", _connect)
    connect.add_argument("other", metavar="PEER_ID", help="whom to connect to")
    connect.add_argument("addresses", metavar="MULTIADDR", nargs="*", help="where it may be")
    contact = add_operation(
        commands, "contact", "tell whether a peer is connected to another one, and where that is", _contact
    )
    contact.add_argument("other", metavar="PEER_ID", help="the other peer")
    near = add_operation(
        commands, "neighbours", "tell the peers that a peer knows nearest to a key, nearest first", _neighbours
    )
    near.add_argument("of", metavar="PEER_ID", nargs="?", help="the key; default: the peer's own id")
    near.add_argument("--count", metavar="N", type=int, default=20, help="how many at most (default 20)")


def _identify(_: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        return {"peer_id": remote.peer_id} | await remote.call_host("peer", "identify")

    return work


def _ping(args: argparse.Namespace) -> Work:
    if not 0 < args.count <= PINGS_MAX:
        raise CommandError(f"--count {args.count}: expected a number from 1 to {PINGS_MAX}")

    async def work(remote: Remote) -> Any:
        from runtime.operations.ping import ping

        return await ping(remote, args.count)

    return work


def _connect(args: argparse.Namespace) -> Work:
    other = checked_peer_id("PEER_ID", args.other)
    for address in args.addresses:
        if not address.startswith("/"):
            raise CommandError(f"{address[:200]}: expected a multiaddress such as /ip4/203.0.113.5/tcp/7771")

    async def work(remote: Remote) -> Any:
        connected = await remote.call_host("peer", "connect", other, args.addresses)
        return {"peer_id": other, "connected": connected}

    return work


def _contact(args: argparse.Namespace) -> Work:
    other = checked_peer_id("PEER_ID", args.other)

    async def work(remote: Remote) -> Any:
        found = await remote.call_host("peer", "get_contact", other)
        addresses = found["addresses"] if isinstance(found, dict) else []
        return {"peer_id": other, "connected": isinstance(found, dict), "addresses": addresses}

    return work


def _neighbours(args: argparse.Namespace) -> Work:
    key = None if args.of is None else checked_peer_id("PEER_ID", args.of)
    if not 0 < args.count <= NEIGHBOURS_MAX:
        raise CommandError(f"--count {args.count}: expected a number from 1 to {NEIGHBOURS_MAX}")

    async def work(remote: Remote) -> Any:
        return await remote.call_host("kad", "neigh_with_addrs", key or remote.peer_id, True, args.count)

    return work
