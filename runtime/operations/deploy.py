"""Deployment of a service on a peer, in one go: modules, blueprint, service, aliases.

What is there already stays, so doing it again changes nothing: modules and blueprints are known by their content, the service by the
blueprint behind its alias. A new blueprint makes a new service, to which the aliases move; the one they are taken from is removed
unless it has other aliases. What was interrupted is taken up again: a service of the same owner and blueprint that nobody has named yet.
Errors: CommandError.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError
from runtime.core.limits import FRAME_BYTES_MAX
from runtime.marine.blueprint import Blueprint
from runtime.marine.cids import file_cid
from runtime.marine.files import read_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.marine.config import ServiceConfig

    from .remote import Remote

MODULE_BYTES_MAX: Final = FRAME_BYTES_MAX // 4
"""Largest module that is sent: its base64 text is in the data of the particle beside the rest, and they come back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy. modules: name and bytes in load order, the facade last. ignored: settings a peer does not take from others."""

    name: str
    modules: tuple[tuple[str, bytes], ...]
    ignored: tuple[str, ...] = ()

    @property
    def cids(self) -> tuple[str, ...]:
        """Content ids of the modules."""
        return tuple(file_cid(wasm) for _, wasm in self.modules)

    @property
    def blueprint(self) -> Blueprint:
        """The blueprint."""
        return Blueprint(self.name, self.cids)


def plan_of(config: ServiceConfig, name: str | None = None) -> Plan:
    """The plan for a service as it is configured for this machine. name: of the blueprint, by default as configured, else the facade's.

    Raises LoadError for modules that cannot be read, CommandError for those that are too large.
    """
    modules = []
    ignored = [] if config.memory_limit is None else ["the memory limit of the service"]
    for module in config.modules:
        wasm = read_module(module)
        if len(wasm) > MODULE_BYTES_MAX:
            raise CommandError(f"module {module.name} has {len(wasm)} bytes, at most {MODULE_BYTES_MAX} can be sent")
        modules.append((module.name, wasm))
        for what, there in (
            ("envs", module.envs),
            ("mapped_dirs", module.mapped_dirs),
            ("mounted_binaries", module.mounted_binaries),
        ):
            if there:
                ignored.append(f"{what} of module {module.name}")
    return Plan(name or config.name or config.facade.name, tuple(modules), tuple(ignored))


async def add_module(remote: Remote, name: str, wasm: bytes) -> str:
    """Send a module; its content id. Raises CommandError."""
    config = {"name": name}
    cid: str = await remote.call_host("dist", "add_module", base64.b64encode(wasm).decode(), config)
    return cid


async def deploy(remote: Remote, plan: Plan, aliases: Sequence[str], *, keep_old: bool = False) -> dict[str, Any]:
    """Deploy; the document of `avm peer deploy`. keep_old: do not remove the service that loses its aliases. Raises CommandError."""
    found_there = await remote.call("srv", "list")
    services = [found for found in found_there if found["service_type"] == "service"]
    of_alias = {alias: found for found in services for alias in found["aliases"]}
    for found in found_there:
        taken = set(aliases) & set(found["aliases"])
        if taken and found not in services:
            raise CommandError(
                f"`{min(taken)}` is the alias of the spell {found['id']}",
                hint="take another --alias, or remove the spell: avm peer spells remove",
            )
    modules = await _add_modules(remote, plan)
    blueprint = plan.blueprint
    known = {found["id"] for found in await remote.call_host("dist", "list_blueprints")}
    added = blueprint.id not in known
    if added:
        await remote.call_host("dist", "add_blueprint", blueprint.text)
    service = _existing(services, of_alias, blueprint.id, aliases, remote.own_id)
    created = service is None
    service_id: str = await remote.call("srv", "create", blueprint.id) if service is None else service["id"]
    try:
        for alias in aliases:
            if of_alias.get(alias, {}).get("id") != service_id:
                await remote.call("srv", "add_alias", alias, service_id)
    except CommandError:
        if created:
            with suppress(CommandError):  # the first error is the one to tell
                await remote.call("srv", "remove", service_id)
        raise
    replaced = []
    for old in services:
        lost = set(old["aliases"]) & set(aliases)
        if old["id"] != service_id and lost and lost == set(old["aliases"]):
            if not keep_old:
                await remote.call("srv", "remove", old["id"])
            replaced.append({"service_id": old["id"], "removed": not keep_old})
    moved = any(of_alias.get(alias, {}).get("id") != service_id for alias in aliases)
    return {
        "peer_id": remote.peer_id,
        "scope": remote.scope,
        "name": plan.name,
        "modules": modules,
        "blueprint_id": blueprint.id,
        "blueprint_added": added,
        "service_id": service_id,
        "service_created": created,
        "aliases": list(aliases),
        "replaced": replaced,
        "changed": created or added or moved or any(module["added"] for module in modules),
        "ignored": list(plan.ignored),
    }


async def _add_modules(remote: Remote, plan: Plan) -> list[dict[str, Any]]:
    names = {
        found["hash"]: found["name"] for found in await remote.call_host("dist", "list_modules") if "hash" in found
    }
    for (name, _), cid in zip(plan.modules, plan.cids, strict=True):
        if names.get(cid, name) != name:
            raise CommandError(
                f"module {cid} is on the peer as `{names[cid]}` and is wanted as `{name}`; a module has one name there",
                hint=f"call it {names[cid]} here, too, or rename it for all services: avm peer modules add {name}=FILE.wasm",
            )
    out = []
    for (name, wasm), cid in zip(plan.modules, plan.cids, strict=True):
        if cid not in names and await add_module(remote, name, wasm) != cid:
            raise CommandError(f"the peer gives module {name} another content id than {cid}")
        out.append({"name": name, "cid": cid, "bytes": len(wasm), "added": cid not in names})
        names[cid] = name
    return out


def _existing(
    services: list[dict[str, Any]],
    of_alias: dict[str, dict[str, Any]],
    blueprint_id: str,
    aliases: Sequence[str],
    own_id: str,
) -> dict[str, Any] | None:
    """The service that is what is wanted; None when one has to be made.

    One that has one of the aliases; else a nameless one of the same owner; without aliases any of the blueprint.
    """
    same = [found for found in services if found["blueprint_id"] == blueprint_id]
    if not aliases:
        return same[0] if same else None
    named = [of_alias[alias] for alias in aliases if of_alias.get(alias) in same]
    nameless = [found for found in same if not found["aliases"] and found["owner_id"] == own_id]
    return next(iter((*named, *nameless)), None)
