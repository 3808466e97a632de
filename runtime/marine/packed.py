"""A service in one file: its modules, what it is configured to be, and its blueprint, in a tar or zip archive.

    service.json            format, name, memory limit, modules in load order with their settings
    blueprint.json          the canonical text of the blueprint: its content id is the blueprint's id
    modules/<cid>.wasm      every module once, by content id

A packed service comes from elsewhere, so it never brings a permission: of folders and programs it holds the names only, and who uses it
says what they are (`--dir GUEST=HOST`, `--mount NAME=PROGRAM`). The same service gives the same bytes everywhere.
Errors: PackError for an archive that is no packed service, or was changed; ConfigError where a permission is missing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .archive import ArchiveError, read_archive, write_tar, write_zip
from .blueprint import Blueprint
from .cids import file_cid
from .config import ConfigError, ModuleConfig, ServiceConfig, checked_flag, checked_mask, checked_texts, parse_json
from .limits import ARCHIVE_BYTES_MAX, ARCHIVE_CONFIG_BYTES_MAX, MODULES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .files import Permissions

FORMAT: Final = 1
SUFFIXES: Final = (".tar", ".zip")
SERVICE, BLUEPRINT = "service.json", "blueprint.json"

_TOP_KEYS: Final = ("format", "name", "memory_limit", "modules")
_MODULE_KEYS: Final = ("name", "cid", "envs", "folders", "binaries", "logger_enabled", "logging_mask")


class PackError(ConfigError):
    """The file is no packed service, or not what its content ids say."""


def pack(config: ServiceConfig, modules: Sequence[bytes], *, form: str, name: str | None = None) -> bytes:
    """The archive of a service; `modules` in load order. form: `tar` or `zip`. name: of the blueprint; by default its own, or the facade's."""
    blueprint = Blueprint(name or config.name or config.facade.name, tuple(map(file_cid, modules)))
    entries = [
        {
            "name": one.name,
            "cid": cid,
            "envs": dict(sorted(one.envs.items())),
            "folders": sorted(one.mapped_dirs),
            "binaries": sorted(one.mounted_binaries),
            "logger_enabled": one.logger_enabled,
            "logging_mask": one.logging_mask,
        }
        for one, cid in zip(config.modules, blueprint.dependencies, strict=True)
    ]
    document = {"format": FORMAT, "name": blueprint.name, "memory_limit": config.memory_limit, "modules": entries}
    files = {
        SERVICE: (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode(),
        BLUEPRINT: blueprint.text.encode(),
    }
    files |= {f"modules/{cid}.wasm": wasm for cid, wasm in zip(blueprint.dependencies, modules, strict=True)}
    return {"tar": write_tar, "zip": write_zip}[form](files)


def unpack(data: bytes) -> tuple[ServiceConfig, Blueprint]:
    """The service of an archive: modules with their bytes, folders and programs still to be given. Raises PackError."""
    try:
        files = read_archive(data)
    except ArchiveError as error:
        raise PackError(str(error)) from None
    for name in (SERVICE, BLUEPRINT):
        if name not in files:
            raise PackError(f"no packed service: {name} is missing (avm service pack makes one)")
        if len(files[name]) > ARCHIVE_CONFIG_BYTES_MAX:
            raise PackError(f"{name} has more than {ARCHIVE_CONFIG_BYTES_MAX} bytes")
    try:
        document = parse_json(files.pop(SERVICE).decode())
        text = files.pop(BLUEPRINT).decode()
        config, cids = _service(document, files)
    except UnicodeDecodeError:
        raise PackError(f"{SERVICE} or {BLUEPRINT} is not UTF-8") from None
    except PackError:
        raise
    except ConfigError as error:
        raise PackError(f"{SERVICE}: {error}") from None
    blueprint = Blueprint(document["name"], cids)
    if text != blueprint.text:
        raise PackError(f"{BLUEPRINT} is not the blueprint of the modules in {SERVICE}")
    return config, blueprint


def _service(document: Any, files: dict[str, bytes]) -> tuple[ServiceConfig, tuple[str, ...]]:
    _keys(document, "", _TOP_KEYS)
    if document["format"] != FORMAT or type(document["format"]) is not int:
        raise PackError(f"{SERVICE}: format {document['format']!r} is not known; this is for format {FORMAT}")
    if not isinstance(document["name"], str):
        raise PackError(f"{SERVICE}: name: expected a string")
    limit = document["memory_limit"]
    if limit is not None and (type(limit) is not int or limit < 0):
        raise PackError(f"{SERVICE}: memory_limit: expected a number of bytes, or null")
    entries = document["modules"]
    if not isinstance(entries, list) or not 0 < len(entries) <= MODULES_MAX:
        raise PackError(f"{SERVICE}: modules: expected 1 to {MODULES_MAX} modules")
    modules, cids, seen = [], [], set()
    for number, entry in enumerate(entries):
        place = f"modules[{number}]"
        _keys(entry, place, _MODULE_KEYS)
        cid = entry["cid"]
        wasm = files.get(f"modules/{cid}.wasm") if isinstance(cid, str) else None
        if wasm is None:
            raise PackError(f"{SERVICE}: {place}.cid: no such module in the archive")
        if cid not in seen and file_cid(wasm) != cid:
            raise PackError(f"modules/{cid}.wasm has another content than its name says")
        seen.add(cid)
        if not isinstance(entry["name"], str) or not entry["name"]:
            raise PackError(f"{SERVICE}: {place}.name: expected a string")
        cids.append(cid)
        modules.append(
            ModuleConfig(
                entry["name"],
                envs=checked_texts(entry["envs"], f"{place}.envs"),
                mapped_dirs=dict.fromkeys(_names(entry["folders"], f"{place}.folders"), NOT_GIVEN_FOLDER),
                mounted_binaries=dict.fromkeys(_names(entry["binaries"], f"{place}.binaries"), ""),
                logger_enabled=checked_flag(entry["logger_enabled"], f"{place}.logger_enabled"),
                logging_mask=checked_mask(entry["logging_mask"], f"{place}.logging_mask"),
                wasm=wasm,
            )
        )
    for name in files:
        if name not in {f"modules/{cid}.wasm" for cid in seen}:
            raise PackError(f"{name} belongs to no module of the service")
    return ServiceConfig(tuple(modules), limit, name=document["name"]), tuple(cids)


NOT_GIVEN_FOLDER: Final = Path()


def _keys(value: Any, place: str, known: tuple[str, ...]) -> None:
    where = f"{place}: " if place else ""
    if not isinstance(value, dict):
        raise PackError(f"{SERVICE}: {where}expected an object")
    for key in value:
        if key not in known:
            raise PackError(f"{SERVICE}: {where}unknown key {key!r}")
    for key in known:
        if key not in value:
            raise PackError(f"{SERVICE}: {where}{key} is missing")


def _names(value: Any, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise PackError(f"{SERVICE}: {place}: expected an array of strings")
    return value


def read_packed(path: Path, permissions: Permissions) -> ServiceConfig:
    """The service of a file, with what its user allows. Raises PackError and ConfigError; OSError when it cannot be read."""
    if path.stat().st_size > ARCHIVE_BYTES_MAX:
        raise PackError(f"the archive has more than {ARCHIVE_BYTES_MAX} bytes")
    config, _ = unpack(path.read_bytes())
    return replace(config, modules=tuple(_allowed(module, permissions) for module in config.modules))


def _allowed(module: ModuleConfig, permissions: Permissions) -> ModuleConfig:
    if permissions.names_only:
        return module

    def refused(wish: str, flag: str) -> ConfigError:
        remedy = f"allow it with {flag}" if permissions.flags else "use a configuration that allows it (.toml)"
        return ConfigError(f"the module {module.name} wants {wish}: {remedy}")

    for guest in module.mapped_dirs:
        if guest not in permissions.mapped_dirs:
            raise refused(f"a folder as {guest}", f"--dir {guest}=FOLDER")
    for name in module.mounted_binaries:
        if name not in permissions.mounted_binaries:
            raise refused(f"to run {name}", f"--mount {name}=PROGRAM")
    return replace(
        module,
        envs={**module.envs, **permissions.envs},
        mapped_dirs={guest: permissions.mapped_dirs[guest] for guest in module.mapped_dirs},
        mounted_binaries={name: permissions.mounted_binaries[name] for name in module.mounted_binaries},
    )
