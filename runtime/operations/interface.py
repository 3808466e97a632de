"""The interface of a service elsewhere, as the peer tells it, and as an Aqua declaration."""

from __future__ import annotations

from typing import Any


def shown(interface: Any, name: str | None) -> Any:
    """The interface itself, or with a name the Aqua declaration of a service of that name."""
    if name is None:
        return interface
    from runtime.commands.peer_remote import Text
    from runtime.marine.interface import aqua_text, interpret
    from runtime.marine.interface_emit import build

    functions = [
        {"name": f["name"], "args": f["arguments"], "ret": next(iter(f["output_types"]), None)}
        for f in interface["function_signatures"]
    ]
    records = [{"name": r["name"], "fields": r["fields"]} for r in interface["record_types"]]
    return Text(aqua_text(interpret(build({"records": records, "functions": functions})), name).rstrip("\n"))
