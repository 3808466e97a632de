"""Modules and blueprints of a host: files by content id, as the reference lays them out.

    modules/<cid>.wasm              the bytes
    modules/<cid>_config.toml       name, logger_enabled, mounted_binaries
    blueprint/<id>_blueprint.toml   name, id, dependencies

What a module may use follows from its bytes and from what the host allows, never from what the uploader asks for. Calls that
write or read files block; the shell runs them in threads, several at a time. Errors: StoreError, whose text is what a program is told.
Source: nox:particle-modules/src/modules.rs, files.rs; nox:crates/service-modules
"""

from __future__ import annotations

import json
import logging
import threading
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from avm.crypto.cid import CidError
from avm.crypto.cid import parse as parse_cid
from runtime.marine.blueprint import Blueprint
from runtime.marine.cids import cid_text, file_cid, varint
from runtime.marine.config import ConfigError, ModuleConfig, from_module_json
from runtime.services.limits import (
    BLUEPRINT_BYTES_MAX,
    BLUEPRINTS_MAX,
    MODULES_BYTES_MAX,
    MODULES_STORED_MAX,
    NAME_BYTES_MAX,
)

from .files import remove_drafts, write_file
from .toml_text import toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runtime.marine.effects import Effects

log = logging.getLogger(__name__)

CID_LENGTH_MAX: Final = 128
"""Letters of a content id; ours have 59."""

_CIDV0_LENGTH: Final = 46
_WASM, _CONFIG, _BLUEPRINT = ".wasm", "_config.toml", "_blueprint.toml"


class StoreError(Exception):
    """A module or blueprint cannot be stored or found."""


@dataclass(frozen=True, slots=True)
class Effectors:
    """Which modules may run which programs of the host.

    allowed: content id → name → program. open: for every other module, name → program; None forbids them all.
    """

    allowed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    open: Mapping[str, str] | None = None

    def programs(self) -> tuple[str, ...]:
        """Every program that some module may run."""
        return tuple(path for table in (*self.allowed.values(), self.open or {}) for path in table.values())

    def binaries(self, name: str, cid: str, wanted: tuple[str, ...]) -> Mapping[str, str]:
        """The programs for a module that wants these. Raises StoreError."""
        given = self.allowed.get(cid, self.open)
        if given is None:
            raise StoreError(f"Config error: requested module effector {name} with CID {cid} is forbidden on this host")
        for binary in wanted:
            if binary not in given:
                raise StoreError(
                    f"Module {name} with CID {cid} requested a binary `{binary}` which isn't in the configured list of binaries"
                )
        return given


def normal_cid(text: str) -> str:
    """A content id in the form files are named by. Raises CidError."""
    if len(text) > CID_LENGTH_MAX:
        raise CidError("content id is too long")
    codec, code, digest = parse_cid(text)
    tail = text.rpartition("/ipfs/")[2]
    if len(tail) == _CIDV0_LENGTH and tail.startswith("Qm"):
        return tail
    return cid_text(b"\x01" + varint(codec) + varint(code) + varint(len(digest)) + digest)


def check_name(name: str) -> None:
    """Refuse a module name that could not be the name of a folder. Raises StoreError."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= NAME_BYTES_MAX or name in (".", "..") or any(letter in name for letter in "/\\\0"):
        raise StoreError(f"module name {json.dumps(name[:NAME_BYTES_MAX])} cannot be the name of a folder")


def read_blueprint(text: str | bytes) -> Blueprint:
    """A blueprint of its DAG-JSON text. Raises StoreError in the reference's words."""
    if len(text) > BLUEPRINT_BYTES_MAX:
        raise StoreError(f"a blueprint takes at most {BLUEPRINT_BYTES_MAX} bytes")
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(str(error)) from None
    table = document if isinstance(document, dict) else {}
    for key in ("name", "dependencies"):
        if key not in table:
            raise StoreError(f"{key} field is missing")
    name, links = table["name"], table["dependencies"]
    if not isinstance(name, str):
        raise StoreError("name field is not a string")
    if not isinstance(links, list):
        raise StoreError("dependencies field is not a list")
    cids = []
    for link in links:
        if not isinstance(link, dict) or link.keys() != {"/"} or not isinstance(link["/"], str):
            raise StoreError("dependency is not a link")
        try:
            cids.append(normal_cid(link["/"]))
        except CidError as error:
            raise StoreError(str(error)) from None
    blueprint = Blueprint(name, tuple(cids))
    try:
        if len(blueprint.text.encode()) > BLUEPRINT_BYTES_MAX:
            raise StoreError(f"a blueprint takes at most {BLUEPRINT_BYTES_MAX} bytes")
    except UnicodeEncodeError:
        raise StoreError("name field is not a string") from None
    return blueprint


class ModuleStore:
    """The modules and blueprints of one host, kept in a folder."""

    def __init__(self, folder: Path, effectors: Effectors | None = None) -> None:
        """Read what is there; files that cannot be used are logged and told by `list_modules`. Raises OSError."""
        self._modules_dir = folder / "modules"
        self._blueprints_dir = folder / "blueprint"
        self._effectors = effectors or Effectors()
        self._configs: dict[str, dict[str, Any] | StoreError] = {}
        self._sizes: dict[str, int] = {}
        self._blueprints: dict[str, Blueprint] = {}
        self._interfaces: dict[str, Any] = {}
        self._lock = threading.Lock()
        for place in (self._modules_dir, self._blueprints_dir):
            place.mkdir(parents=True, exist_ok=True)
            remove_drafts(place)
        for path in sorted(self._modules_dir.glob(f"*{_WASM}")):
            stem = path.name.removesuffix(_WASM)
            self._sizes[stem] = path.stat().st_size
            try:
                self._configs[stem] = self._read_config(stem)
            except StoreError as error:
                log.warning("module %s: %s", stem, error)
                self._configs[stem] = error
        for path in sorted(self._blueprints_dir.glob(f"*{_BLUEPRINT}")):
            try:
                table = tomllib.loads(path.read_text(encoding="utf-8"))
                blueprint = Blueprint(str(table["name"]), tuple(normal_cid(cid) for cid in table["dependencies"]))
                if blueprint.id != table["id"] or f"{blueprint.id}{_BLUEPRINT}" != path.name:
                    raise ValueError("its id is another")
                self._blueprints[blueprint.id] = blueprint
            except (OSError, ValueError, LookupError, TypeError) as error:
                log.warning("blueprint %s: %s", path.name, error)

    def _read_config(self, stem: str) -> dict[str, Any]:
        try:
            if normal_cid(stem) != stem:
                raise StoreError(f"invalid module name {stem}")
            table = tomllib.loads((self._modules_dir / f"{stem}{_CONFIG}").read_text(encoding="utf-8"))
            from_module_json(table)
            check_name(table["name"])
        except OSError as error:
            raise StoreError(f'Module config wasn\'t found at "{stem}{_CONFIG}": {_os_text(error)}') from None
        except CidError as error:
            raise StoreError(f"invalid module name {stem}: {error}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ConfigError) as error:
            raise StoreError(f"Error parsing module config: {error}") from None
        return table

    # ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_module(self, name: str, wasm: bytes) -> str:
        """Keep a module under a name, in place of the one of the same bytes; its content id. Raises StoreError."""
        check_name(name)
        wants = _effects(wasm)
        cid = file_cid(wasm)
        table: dict[str, Any] = {"name": name, "file_name": f"{cid}{_WASM}", "logger_enabled": wants.logs}
        if wants.programs:
            table["mounted_binaries"] = dict(self._effectors.binaries(name, cid, wants.programs))
        with self._lock:
            others = sum(size for known, size in self._sizes.items() if known != cid)
            if cid not in self._sizes and len(self._sizes) >= MODULES_STORED_MAX:
                raise StoreError(f"the host keeps at most {MODULES_STORED_MAX} modules")
            if others + len(wasm) > MODULES_BYTES_MAX:
                raise StoreError(f"the host keeps at most {MODULES_BYTES_MAX} bytes of modules")
            # In this order: a configuration without a module is nothing, a module without one would be a damaged one.
            _write(self._modules_dir / f"{cid}{_CONFIG}", toml_text(table).encode(), "Error saving config to")
            _write(self._modules_dir / f"{cid}{_WASM}", wasm, "Error saving module")
            self._configs[cid], self._sizes[cid] = table, len(wasm)
        return cid

    def list_modules(self) -> list[dict[str, Any]]:
        """What `dist.list_modules` answers."""
        out: list[dict[str, Any]] = []
        for cid, table in list(self._configs.items()):
            if isinstance(table, StoreError):
                out.append({"invalid_file_name": cid, "error": str(table)})
            else:
                kept = ("logger_enabled", "logging_mask", "wasi", "mounted_binaries")
                config = {key: table[key] for key in kept if key in table}
                out.append({"name": table["name"], "hash": cid, "config": config})
        return out

    def interface(self, text: str) -> Any:
        """The interface of a module, by content id. Raises StoreError."""
        try:
            cid = normal_cid(text)
        except CidError as error:
            raise StoreError(str(error)) from None
        if cid not in self._interfaces:
            self._interfaces[cid] = _interface(cid, self._module_bytes(cid))
        return self._interfaces[cid]

    def _module_bytes(self, cid: str) -> bytes:
        if cid not in self._sizes:
            raise StoreError(f'Module wasn\'t found on path "{cid}{_WASM}": No such file or directory (os error 2)')
        try:
            data = (self._modules_dir / f"{cid}{_WASM}").read_bytes()
        except OSError as error:
            raise StoreError(f'Module wasn\'t found on path "{cid}{_WASM}": {_os_text(error)}') from None
        if file_cid(data) != cid:
            raise StoreError(f"the file of module {cid} is damaged")
        return data

    # ── blueprints ───────────────────────────────────────────────────────────────────────────────────────────────────

    def add_blueprint(self, blueprint: Blueprint) -> str:
        """Keep a blueprint; its id. Its modules may come later. Raises StoreError."""
        if not blueprint.dependencies:
            raise StoreError(f"Blueprint '{blueprint.name}' has empty list of dependencies")
        place = self._blueprints_dir / f"{blueprint.id}{_BLUEPRINT}"
        with self._lock:
            if blueprint.id not in self._blueprints and len(self._blueprints) >= BLUEPRINTS_MAX:
                raise StoreError(f"the host keeps at most {BLUEPRINTS_MAX} blueprints")
            _write(place, toml_text(blueprint.to_json()).encode(), "Error writing blueprint to")
            self._blueprints[blueprint.id] = blueprint
        return blueprint.id

    def blueprints(self) -> list[Blueprint]:
        """All of them, in the order they came."""
        return list(self._blueprints.values())

    def blueprint(self, blueprint_id: str) -> Blueprint:
        """One of them. Raises StoreError."""
        found = self._blueprints.get(blueprint_id)
        if found is None:
            raise StoreError(f"Blueprint '{blueprint_id}' wasn't found")
        return found

    def modules_of(self, blueprint_id: str) -> list[tuple[ModuleConfig, bytes]]:
        """The modules of a blueprint in load order: what they may use, and their bytes. Raises StoreError."""
        out = []
        for cid in self.blueprint(blueprint_id).dependencies:
            table = self._configs.get(cid)
            if table is None:
                raise StoreError(
                    f'Module config wasn\'t found at "{cid}{_CONFIG}": No such file or directory (os error 2)'
                )
            if isinstance(table, StoreError):
                raise table
            out.append((from_module_json(table), self._module_bytes(cid)))
        return out


def _effects(wasm: bytes) -> Effects:
    """What a module wants. Raises StoreError."""
    from runtime.marine.effects import module_effects
    from runtime.marine.errors import LoadError

    try:
        return module_effects(wasm)
    except LoadError as error:
        raise StoreError(str(error)) from None


def _interface(cid: str, wasm: bytes) -> Any:
    from runtime.marine.artifact import read_tables
    from runtime.marine.errors import LoadError
    from runtime.marine.interface import check_records, interface_json, interpret
    from runtime.marine.interface_types import InterfaceError

    try:
        _, tables = read_tables(cid, wasm)
        check_records(tables)
    except (LoadError, InterfaceError) as error:
        raise StoreError(f'Cannot read modules interface "{cid}{_WASM}": {error}') from None
    # Fields are pairs, as the Aqua library declares them; the reference's code would give objects of `name` and `ty`.
    return interface_json(interpret(tables))


def _write(place: Path, data: bytes, complaint: str) -> None:
    """Write a file that is there whole or not at all. Raises StoreError."""
    try:
        write_file(place, data)
    except OSError as error:
        raise StoreError(f'{complaint} "{place.name}": {_os_text(error)}') from None


def _os_text(error: OSError) -> str:
    return f"{error.strerror} (os error {error.errno})"
