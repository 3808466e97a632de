"""The interface of a service or module elsewhere, as the peer tells it, and as an Aqua declaration.

Errors: CommandError, see `remote`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import Text

if TYPE_CHECKING:
    from .remote import Remote


async def service_interface(remote: Remote, service: str, *, aqua: bool, name: str | None = None) -> Any:
    """The interface of a service, given by id or alias; with `aqua` its declaration, whose id is `name`, else what was given."""
    interface = await remote.call("srv", "get_interface", service)
    return declaration(interface, name or service) if aqua else interface


async def module_interface(remote: Remote, cid: str, *, aqua: bool, name: str | None = None) -> Any:
    """The interface of a module, given by content id; with `aqua` its declaration, whose id is `name`, else the name of the module."""
    interface = await remote.call_host("dist", "get_module_interface", cid)
    if not aqua:
        return interface
    if name is None:
        modules = await remote.call_host("dist", "list_modules")
        name = next((found["name"] for found in modules if found.get("hash") == cid), cid)
    return declaration(interface, name)


def declaration(interface: dict[str, Any], name: str) -> Text:
    """An Aqua file that declares a service of this id."""
    from runtime.marine.interface import aqua_text, interpret
    from runtime.marine.interface_emit import build

    functions = [
        {"name": f["name"], "args": f["arguments"], "ret": next(iter(f["output_types"]), None)}
        for f in interface["function_signatures"]
    ]
    records = [{"name": r["name"], "fields": r["fields"]} for r in interface["record_types"]]
    return Text(aqua_text(interpret(build({"records": records, "functions": functions})), name).rstrip("\n"))
