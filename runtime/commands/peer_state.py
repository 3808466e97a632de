"""`avm peer state DIR`: what a data directory holds, without changing it, whether or not a peer uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import OK, CommandError, add_common_flags

SPELL: Final = "spell"
"""The type of a spell among services."""

if TYPE_CHECKING:
    import argparse

    from runtime.store.sqlite_state import Contents


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("directory_of_data", metavar="DIR", help="the --data-dir of a peer")
    parser.add_argument("--json", action="store_true", help="print one JSON document, with every particle")
    add_common_flags(parser, top=False)


def run(args: argparse.Namespace) -> int:
    """Tell what a data directory holds: services, spells, workers, aliases and data of particles. Reads only."""
    from runtime.store.state import StateError

    try:
        report = state_report(Path(args.directory_of_data))
    except StateError as error:
        raise CommandError(str(error), hint=error.hint) from None
    print(json.dumps(report) if args.json else "\n".join(_lines(report)))
    return OK


def state_report(folder: Path) -> dict[str, Any]:
    """The document of `--json`. Raises StateError; CommandError for what is no data directory."""
    from runtime.store.data_dir import STATE_FILE, holder
    from runtime.store.sqlite_state import read_state
    from runtime.store.state import ALIASES, PARTICLES, SERVICES

    path = folder / STATE_FILE
    if not path.is_file():
        raise CommandError(f"{folder} is not the data directory of a peer: it has no {STATE_FILE}")
    process = holder(folder)
    found = read_state(path, values_of=frozenset({SERVICES, ALIASES}))
    services = _services(found)
    return {
        "data_dir": str(folder),
        "process": int(process) if process is not None and process.isdecimal() else None,
        "in_use": process is not None,
        "schema": found.schema,
        "file_bytes": found.file_bytes,
        "namespaces": {
            name: {"entries": len(rows), "value_bytes": sum(size for _, size, _ in rows)}
            for name, rows in sorted(found.entries.items())
        },
        "modules": len(list((folder / "services" / "modules").glob("*.wasm"))),
        "blueprints": len(list((folder / "services" / "blueprint").glob("*_blueprint.toml"))),
        "services": [one for one in services if one.get("service_type") != SPELL],
        "spells": [one for one in services if one.get("service_type") == SPELL],
        "workers": _workers(folder / "services" / "workers"),
        "particles": [
            {
                "scope": key.rpartition("/")[0],
                "signature": key.rpartition("/")[2],
                "data_bytes": size,
                "expires_ms": at_ms,
            }
            for key, size, at_ms in found.entries.get(PARTICLES, [])
        ],
    }


def _services(found: Contents) -> list[dict[str, Any]]:
    """Services and spells with their aliases; what is not understood is shown as it is."""
    from runtime.store.state import ALIASES, SERVICES

    names: dict[str, list[str]] = {}
    for key, value in found.values.get(ALIASES, {}).items():
        names.setdefault(value.decode("utf-8", "replace"), []).append(key.partition("/")[2])
    out = []
    for key, value in found.values.get(SERVICES, {}).items():
        try:
            table = json.loads(value)
        except ValueError:
            table = None
        fields = table if isinstance(table, dict) else {"damaged": value.decode("utf-8", "replace")}
        out.append({"id": key, **fields, "aliases": names.get(key, [])})
    return out


def _workers(folder: Path) -> list[dict[str, Any]]:
    """The records of workers, without their keys; what is not understood is named."""
    from runtime.store.workers import read_record

    out: list[dict[str, Any]] = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            deal_id, creator, active, cu_ids = read_record(place)
        except (OSError, ValueError, LookupError, TypeError) as error:
            out.append({"id": place.name, "damaged": str(error)})
        else:
            units = len(cu_ids)
            out.append(
                {"id": place.name, "deal_id": deal_id, "creator": creator, "active": active, "compute_units": units}
            )
    return out


def _lines(report: dict[str, Any]) -> list[str]:
    process = report["process"] if report["process"] is not None else "of unknown id"
    lines = [
        f"{report['data_dir']}: schema {report['schema']}, {report['file_bytes']} bytes, "
        + (f"in use by process {process}" if report["in_use"] else "not in use"),
        f"modules     {report['modules']}",
        f"blueprints  {report['blueprints']}",
    ]
    for name, what in report["namespaces"].items():
        lines.append(f"{name:<11} {what['entries']}, {what['value_bytes']} bytes")
    for service in report["services"]:
        aliases = ", ".join(service["aliases"]) or "no alias"
        lines.append(
            f"service {service['id']} of blueprint {service.get('blueprint_id')} on {service.get('scope')}: {aliases}"
        )
    lines += [
        f"spell {spell['id']} on {spell.get('scope')}: {', '.join(spell['aliases']) or 'no alias'}"
        for spell in report["spells"]
    ]
    for worker in report["workers"]:
        if "damaged" in worker:
            lines.append(f"worker {worker['id']}: damaged: {worker['damaged']}")
        else:
            state = "active" if worker["active"] else "not active"
            lines.append(f"worker {worker['id']} of deal {worker['deal_id']}, made by {worker['creator']}: {state}")
    return lines
