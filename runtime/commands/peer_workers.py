"""`avm peer workers`: the further identities of a peer, one for each deal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .peer_remote import SubParsers, add_group, add_operation, checked_peer_id

if TYPE_CHECKING:
    import argparse

    from runtime.operations.remote import Remote

    from .peer_remote import Work


def configure(commands: SubParsers) -> None:
    """Add the commands."""
    workers = add_group(commands, "workers", "list, make and remove workers")
    add_operation(workers, "list", "list peer ids of workers", _list)
    find = add_operation(workers, "find", "find the worker of a deal", _find)
    create = add_operation(workers, "create", "make the worker of a deal; for management", _create)
    on = add_operation(
        workers, "activate", "let a worker take particles, and start its spell; for management", _activate
    )
    off = add_operation(
        workers, "deactivate", "stop the spells of a worker, and close it to others; for management", _deactivate
    )
    for parser in (find, create, on, off):
        parser.add_argument("deal", metavar="DEAL_ID", help="id of the deal")
    remove = add_operation(workers, "remove", "remove a worker with its services and spells", _remove)
    remove.add_argument("worker_id", metavar="PEER_ID", help="peer id of the worker")


def _list(_: argparse.Namespace) -> Work:
    return lambda remote: remote.call_host("worker", "list")


def _find(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        found = await remote.call_host("worker", "get_worker_id", args.deal)
        active = await remote.call_host("worker", "is_active", args.deal) if found else False
        return {"deal_id": args.deal, "worker_id": found[0] if found else None, "active": active}

    return work


def _create(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        worker_id = await remote.call_host("worker", "create", args.deal, [])
        return {"deal_id": args.deal, "worker_id": worker_id, "active": True}

    return work


def _activate(args: argparse.Namespace) -> Work:
    return _switch(args.deal, "activate", active=True)


def _deactivate(args: argparse.Namespace) -> Work:
    return _switch(args.deal, "deactivate", active=False)


def _switch(deal: str, function: str, *, active: bool) -> Work:
    async def work(remote: Remote) -> Any:
        await remote.call_host("worker", function, deal)
        found = await remote.call_host("worker", "get_worker_id", deal)
        return {"deal_id": deal, "worker_id": found[0] if found else None, "active": active}

    return work


def _remove(args: argparse.Namespace) -> Work:
    worker_id = checked_peer_id("PEER_ID", args.worker_id)

    async def work(remote: Remote) -> Any:
        await remote.call_host("worker", "remove", worker_id)
        return {"removed": [worker_id]}

    return work
