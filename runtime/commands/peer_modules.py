"""`avm peer modules`, `blueprints`, `interface`: what services of a peer are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.command_line import CommandError

from .peer_remote import SubParsers, add_group, add_operation
from .peer_services import add_aqua_flags

if TYPE_CHECKING:
    import argparse

    from runtime.operations.remote import Remote

    from .peer_remote import Work


def configure(commands: SubParsers) -> None:
    """Add the commands."""
    modules = add_group(commands, "modules", "list and add modules")
    add_operation(modules, "list", "list modules with their content ids", _list)
    add = add_operation(modules, "add", "send modules to a peer; for management", _add)
    add.add_argument("modules", metavar="[NAME=]module.wasm", nargs="+")
    interface = add_operation(modules, "interface", "print the interface of a module", _module_interface)
    interface.add_argument("cid", metavar="CID", help="content id of the module")
    blueprints = add_group(commands, "blueprints", "list and add blueprints")
    add_operation(blueprints, "list", "list blueprints with their modules", _list_blueprints)
    info = add_operation(blueprints, "info", "tell about one blueprint", _blueprint)
    info.add_argument("blueprint", metavar="BLUEPRINT_ID")
    new = add_operation(blueprints, "add", "make a blueprint of modules; for management", _add_blueprint)
    new.add_argument("name", metavar="NAME")
    new.add_argument("modules", metavar="CID", nargs="+", help="content ids of modules in load order, the facade last")
    either = add_operation(
        commands, "interface", "print the interface of a service or a module", _interface, scoped=True
    )
    either.add_argument("what", metavar="SERVICE|CID", help="id or alias of a service, or content id of a module")
    for parser in (interface, either):
        add_aqua_flags(parser)


def _list(_: argparse.Namespace) -> Work:
    return lambda remote: remote.call_host("dist", "list_modules")


def _add(args: argparse.Namespace) -> Work:
    from runtime.marine.config import ConfigError
    from runtime.marine.errors import LoadError
    from runtime.marine.files import service_config
    from runtime.operations.deploy import add_module, plan_of

    for text in args.modules:
        if not text.endswith(".wasm"):
            raise CommandError(f"{text}: expected a .wasm file", hint="whole services are for `avm peer deploy`")
    try:
        plan = plan_of(service_config(args.modules))
    except (ConfigError, LoadError) as error:
        raise CommandError(str(error)) from error

    async def work(remote: Remote) -> Any:
        return [
            {"name": name, "cid": await add_module(remote, name, wasm), "bytes": len(wasm)}
            for name, wasm in plan.modules
        ]

    return work


def _module_interface(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        from runtime.operations.interface import module_interface

        return await module_interface(remote, args.cid, aqua=args.aqua, name=args.name)

    return work


def _list_blueprints(_: argparse.Namespace) -> Work:
    return lambda remote: remote.call_host("dist", "list_blueprints")


def _blueprint(args: argparse.Namespace) -> Work:
    return lambda remote: remote.call_host("dist", "get_blueprint", args.blueprint)


def _add_blueprint(args: argparse.Namespace) -> Work:
    from avm.crypto.cid import CidError
    from runtime.marine.blueprint import Blueprint
    from runtime.store.modules import normal_cid

    for cid in args.modules:
        if not _is_cid(cid):
            raise CommandError(
                f"{cid[:80]}: expected the content id of a module", hint="`avm peer modules list` has them"
            )
    try:
        blueprint = Blueprint(args.name, tuple(map(normal_cid, args.modules)))
    except CidError as error:
        raise CommandError(str(error)) from None

    async def work(remote: Remote) -> Any:
        there = {found["hash"] for found in await remote.call_host("dist", "list_modules") if "hash" in found}
        missing = [cid for cid in blueprint.dependencies if cid not in there]
        if missing:
            raise CommandError(f"the peer has no module {missing[0]}", hint="send it first: avm peer modules add")
        await remote.call_host("dist", "add_blueprint", blueprint.text)
        return blueprint.to_json()

    return work


def _interface(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        from runtime.operations.interface import module_interface, service_interface

        ask = module_interface if _is_cid(args.what) else service_interface
        return await ask(remote, args.what, aqua=args.aqua, name=args.name)

    return work


def _is_cid(text: str) -> bool:
    from avm.crypto.cid import CidError
    from runtime.store.modules import normal_cid

    try:
        normal_cid(text)
    except CidError:
        return False
    return True
