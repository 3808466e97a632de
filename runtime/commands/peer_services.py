"""`avm peer services`, `alias`, `call`, `stats`: the services of a peer or of one of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .peer_remote import SubParsers, add_group, add_operation, json_argument

if TYPE_CHECKING:
    import argparse

    from runtime.operations.remote import Remote

    from .peer_remote import Work


def configure(commands: SubParsers) -> None:
    """Add the commands."""
    services = add_group(commands, "services", "list, make and remove services")
    add_operation(services, "list", "list services and spells with their aliases", _list, scoped=True)
    info = add_operation(services, "info", "tell about one service", _info, scoped=True)
    interface = add_operation(services, "interface", "print the interface of a service", _interface, scoped=True)
    create = add_operation(services, "create", "make a service of a blueprint; for management", _create, scoped=True)
    create.add_argument("blueprint", metavar="BLUEPRINT_ID", help="id of a blueprint that is on the peer")
    remove = add_operation(services, "remove", "remove services; for management and owners", _remove, scoped=True)
    again = add_operation(commands, "remove", "the same as `services remove`", _remove, scoped=True)
    for parser in (remove, again):
        parser.add_argument("services", metavar="SERVICE", nargs="+", help="id or alias")
    alias = add_group(commands, "alias", "give services further names, and find them")
    set_ = add_operation(
        alias, "set", "give a service an alias, taking it from another one; for management", _set_alias, scoped=True
    )
    set_.add_argument("alias", metavar="ALIAS")
    resolve = add_operation(alias, "resolve", "print the id of the service with an alias", _resolve, scoped=True)
    resolve.add_argument("alias", metavar="ALIAS")
    call = add_operation(commands, "call", "call a function of a service and print its result", _call, scoped=True)
    stats = add_operation(commands, "stats", "tell calls and memory of services", _stats, scoped=True)
    stats.add_argument("services", metavar="SERVICE", nargs="*", help="id or alias; default: all")
    for parser in (info, interface, set_, call):
        parser.add_argument("service", metavar="SERVICE", help="id or alias")
    add_aqua_flags(interface)
    call.add_argument("function", metavar="FUNCTION")
    call.add_argument("--args", default="[]", metavar="JSON", help="an array of arguments; default []")


def add_aqua_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that print an interface."""
    parser.add_argument("--aqua", action="store_true", help="print an Aqua declaration instead of JSON")
    parser.add_argument(
        "--name", help="name and id of the service in the declaration; default: as given here, or of the module"
    )


def _list(_: argparse.Namespace) -> Work:
    return lambda remote: remote.call("srv", "list")


def _info(args: argparse.Namespace) -> Work:
    return lambda remote: remote.call("srv", "info", args.service)


def _interface(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        from runtime.operations.interface import service_interface

        return await service_interface(remote, args.service, aqua=args.aqua, name=args.name)

    return work


def _create(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        return {"service_id": await remote.call("srv", "create", args.blueprint)}

    return work


def _remove(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        # All are looked up first: a mistyped one must not leave the others half done.
        found = [(await remote.call("srv", "info", name))["id"] for name in args.services]
        for service_id in dict.fromkeys(found):
            await remote.call("srv", "remove", service_id)
        return {"removed": list(dict.fromkeys(found))}

    return work


def _set_alias(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        service_id = (await remote.call("srv", "info", args.service))["id"]
        await remote.call("srv", "add_alias", args.alias, service_id)
        return {"alias": args.alias, "service_id": service_id}

    return work


def _resolve(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        return {"alias": args.alias, "service_id": await remote.call("srv", "resolve_alias", args.alias)}

    return work


def _call(args: argparse.Namespace) -> Work:
    values = json_argument("--args", args.args, list, "an array of arguments")
    return lambda remote: remote.call(args.service, args.function, *values)


def _stats(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        if args.services:
            found = [await remote.call("srv", "info", name) for name in args.services]
        else:
            found = [one for one in await remote.call("srv", "list") if one["service_type"] == "service"]
        out = []
        for one in found:
            memory = [] if one["service_type"] == "spell" else await remote.call("stat", "service_memory", one["id"])
            calls = await remote.call("stat", "service_stat", one["id"])
            out.append(
                {
                    "id": one["id"],
                    "aliases": one["aliases"],
                    "memory": memory,
                    "calls": calls["result"][0] if calls["status"] else None,
                }
            )
        return out

    return work
