"""What a service is made of: its modules in load order and what each of them may use.

Forms: the TOML of Marine, the JSON of marine-js (`modules_config`), and the flat JSON of a peer's module configuration.
Keys that the reference once had and ignores are accepted; any other unknown key is refused with its place, because a
misspelt permission would otherwise be granted or lost silently. `show_host_paths` and `inherit_environment` of a module are
this project's.
Errors: ConfigError naming the place.
Source: marine:marine/src/config/raw_marine_config.rs, marine_config.rs; nox:particle-builtins/src/builtins.rs
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .limits import LIFT_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOGGING_MASK: Final = 0x7FFFFFFF
_I32_MIN, _I32_MAX = -(2**31), 2**31 - 1

_UNITS: Final = {
    "": 1, "b": 1,
    **{f"{letter}{tail}": 1000**power for power, letter in enumerate("kmgtpe", 1) for tail in ("", "b")},
    **{f"{letter}i{tail}": 1024**power for power, letter in enumerate("kmgtpe", 1) for tail in ("", "b")},
}  # fmt: skip
_SIZE: Final = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([A-Za-z]*)\s*")


class ConfigError(ValueError):
    """A configuration cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """One module of a service and all it may use.

    name: how other modules import it. path: its file, if it has one; wasm: or its bytes. logging_mask: which targets of log messages pass.
    mapped_dirs: guest path → host folder. mounted_binaries: name → program. show_host_paths: whether the variable of a mapped
    folder holds the host path, as the reference has it. inherit_environment: whether mounted programs get the environment and
    working directory of the host.
    """

    name: str
    path: Path | None = None
    envs: Mapping[str, str] = field(default_factory=dict)
    mapped_dirs: Mapping[str, Path] = field(default_factory=dict)
    mounted_binaries: Mapping[str, str] = field(default_factory=dict)
    logger_enabled: bool = True
    logging_mask: int = DEFAULT_LOGGING_MASK
    show_host_paths: bool = True
    inherit_environment: bool = False
    wasm: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """A service. The last module is the facade.

    memory_limit: bytes for all modules together. timeout_ms: for one call, and for the start of each module; start_timeout_ms: for
    the start alone. All are off when None. lift_bytes_max: see `limits`. name: of its blueprint, when it is not that of the facade.
    """

    modules: tuple[ModuleConfig, ...]
    memory_limit: int | None = None
    timeout_ms: float | None = None
    lift_bytes_max: int = LIFT_BYTES_MAX
    name: str | None = None
    start_timeout_ms: float | None = None

    @property
    def facade(self) -> ModuleConfig:
        """The module that is called from outside."""
        return self.modules[-1]


def parse_size(text: object, place: str) -> int | None:
    """A memory size such as `10 MiB`; None for infinity. Raises ConfigError."""
    if text in ("Infinity", "infinity"):
        return None
    if type(text) is int and text >= 0:
        return text
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ConfigError(f'{place}: expected a size such as "10 MiB", or "Infinity"')
    number = match[1]
    return int(number) * unit if "." not in number else int(float(number) * unit)


# ── checked access ───────────────────────────────────────────────────────────────────────────────────────────────────


def parse_json(text: str) -> Any:
    """A JSON document without objects that say a key twice. Raises ConfigError."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ConfigError("not JSON: nested too deeply") from None
    except UnicodeEncodeError:
        raise ConfigError("half a surrogate pair is no text") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}") from None
    return value


def _no_number(text: str) -> None:
    raise ConfigError(f"not JSON: {text}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        names = [name for name, _ in pairs]
        raise ConfigError(f"{next(name for name in names if names.count(name) > 1)}: the key is there twice")
    return out


def _table(value: object, place: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: expected a table")
    return value


def _known(table: dict[str, Any], place: str, known: frozenset[str], *, dropped: frozenset[str] = frozenset()) -> None:
    for key in table:
        if key not in known and key not in dropped:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            where = f"{place}.{key}" if place else key
            raise ConfigError(f"{where}: unknown key{hint}")


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{place}: expected a string")
    return value


def checked_flag(value: object, place: str) -> bool:
    """True or false. Raises ConfigError."""
    if not isinstance(value, bool):
        raise ConfigError(f"{place}: expected true or false")
    return value


def checked_mask(value: object, place: str) -> int:
    """A logging mask. Raises ConfigError."""
    if type(value) is not int or not _I32_MIN <= value <= _I32_MAX:
        raise ConfigError(f"{place}: expected an integer of 32 bits")
    return value


def checked_texts(value: object, place: str) -> dict[str, str]:
    """Strings by name. Raises ConfigError."""
    return {key: _text(item, f"{place}.{key}") for key, item in _table(value, place).items()}


# ── the forms ────────────────────────────────────────────────────────────────────────────────────────────────────────

_TOP_KEYS: Final = frozenset({"modules_dir", "total_memory_limit", "service_working_dir", "module", "default"})
_MODULE_KEYS: Final = frozenset(
    {"name", "file_name", "load_from", "logger_enabled", "logging_mask", "wasi", "mounted_binaries"}
    | {"show_host_paths", "inherit_environment"}
)
_DROPPED_KEYS: Final = frozenset({"mem_pages_count", "max_heap_size", "total_memory_limit", "preopened_files"})
_WASI_KEYS: Final = frozenset({"envs", "mapped_dirs"})
_WASI_DROPPED: Final = frozenset({"preopened_files"})
_DEFAULT_DROPPED: Final = _MODULE_KEYS | _DROPPED_KEYS


def read_toml(path: Path) -> ServiceConfig:
    """The service of a TOML file; its paths are relative to the file. Raises ConfigError and OSError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise ConfigError("not TOML: nested too deeply") from None
    except ValueError as error:  # also of a number that has more digits than Python reads
        raise ConfigError(f"not TOML: {error}") from None
    return from_toml(document, path.parent)


def from_toml(document: dict[str, Any], folder: Path) -> ServiceConfig:
    """The service of a TOML document; relative paths start at `folder`. Raises ConfigError."""
    _known(document, "", _TOP_KEYS)
    if "total_memory_limit" not in document:
        raise ConfigError('total_memory_limit: missing; write a size such as "10 MiB", or "Infinity"')
    limit = parse_size(document["total_memory_limit"], "total_memory_limit")
    if "default" in document:
        default = _table(document["default"], "default")
        _known(default, "default", _DEFAULT_DROPPED)
        _known(_table(default.get("wasi"), "default.wasi"), "default.wasi", _WASI_KEYS, dropped=_WASI_DROPPED)
    modules_dir = None
    if "modules_dir" in document:
        modules_dir = _existing(folder, _text(document["modules_dir"], "modules_dir"), "modules_dir")
    working = folder
    if "service_working_dir" in document:
        working = folder / _text(document["service_working_dir"], "service_working_dir")
    entries = document.get("module", [])
    if not isinstance(entries, list) or not entries:
        raise ConfigError("config should contain at least one module")
    modules = []
    for number, entry in enumerate(entries):
        place = f"module[{number}]"
        table = _table(entry, place)
        _known(table, place, _MODULE_KEYS, dropped=_DROPPED_KEYS)
        if "name" not in table:
            raise ConfigError(f"{place}.name: missing")
        config = _module(table, place, working)
        binaries = {
            name: str(_existing(folder, program, f"{place}.mounted_binaries.{name}"))
            for name, program in config.mounted_binaries.items()
        }
        path = _module_path(table, place, folder, modules_dir)
        modules.append(_with(config, path=path, mounted_binaries=binaries))
    return ServiceConfig(tuple(modules), limit)


def _with(config: ModuleConfig, **changes: Any) -> ModuleConfig:
    from dataclasses import replace

    return replace(config, **changes)


def _module(table: dict[str, Any], place: str, working: Path) -> ModuleConfig:
    """The settings of one module, without its file."""
    wasi = _table(table.get("wasi"), f"{place}.wasi")
    _known(wasi, f"{place}.wasi", _WASI_KEYS, dropped=_WASI_DROPPED)
    dirs = checked_texts(wasi.get("mapped_dirs"), f"{place}.wasi.mapped_dirs")
    return ModuleConfig(
        name=_text(table.get("name"), f"{place}.name"),
        envs=checked_texts(wasi.get("envs"), f"{place}.wasi.envs"),
        mapped_dirs={alias: working / path for alias, path in dirs.items()},
        mounted_binaries=checked_texts(table.get("mounted_binaries"), f"{place}.mounted_binaries"),
        logger_enabled=checked_flag(table.get("logger_enabled", True), f"{place}.logger_enabled"),
        logging_mask=checked_mask(table.get("logging_mask", DEFAULT_LOGGING_MASK), f"{place}.logging_mask"),
        show_host_paths=checked_flag(table.get("show_host_paths", True), f"{place}.show_host_paths"),
        inherit_environment=checked_flag(table.get("inherit_environment", False), f"{place}.inherit_environment"),
    )


def _existing(folder: Path, text: str, place: str) -> Path:
    """A path of the file: a relative one must exist, an absolute one is taken as it is."""
    path = Path(text)
    if path.is_absolute():
        return path
    try:
        return (folder / path).resolve(strict=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{place}: IOError: Failed to canonicalize path {folder / path}: {reason}") from None


def _module_path(table: dict[str, Any], place: str, folder: Path, modules_dir: Path | None) -> Path:
    name = _text(table["name"], f"{place}.name")
    file_name = _text(table.get("file_name", f"{name}.wasm"), f"{place}.file_name")
    if "load_from" in table:
        start = _existing(folder, _text(table["load_from"], f"{place}.load_from"), f"{place}.load_from")
        return start if start.is_file() else start / file_name
    if modules_dir is None:
        raise ConfigError(
            f'InvalidConfig: "modules_dir" field is not defined, but it is required to load module "{name}"'
        )
    return modules_dir / file_name


_JS_TOP_KEYS: Final = frozenset({"modules_config", "default_modules_config"})
_JS_MODULE_KEYS: Final = frozenset({"import_name", "config"})
_JS_CONFIG_KEYS: Final = _MODULE_KEYS - {"name", "file_name", "load_from"}


def from_marine_js(document: object, folder: Path = Path()) -> ServiceConfig:
    """The form of marine-js. A module without `config` has logging off and no environment. Raises ConfigError.

    folder: where relative paths start.
    """
    table = _table(document, "config")
    _known(table, "", _JS_TOP_KEYS)
    entries = table.get("modules_config")
    if not isinstance(entries, list) or not entries:
        raise ConfigError("config should contain at least one module")
    modules = []
    for number, entry in enumerate(entries):
        place = f"modules_config[{number}]"
        item = _table(entry, place)
        _known(item, place, _JS_MODULE_KEYS)
        name = _text(item.get("import_name"), f"{place}.import_name")
        if item.get("config") is None:
            modules.append(ModuleConfig(name, logger_enabled=False, logging_mask=0))
            continue
        config = _table(item["config"], f"{place}.config")
        _known(config, f"{place}.config", _JS_CONFIG_KEYS)
        made = _module(config | {"name": name}, f"{place}.config", folder)
        binaries = {
            alias: str(_existing(folder, program, f"{place}.config.mounted_binaries.{alias}"))
            for alias, program in made.mounted_binaries.items()
        }
        modules.append(_with(made, mounted_binaries=binaries))
    return ServiceConfig(tuple(modules))


def from_module_json(document: object) -> ModuleConfig:
    """The flat form of `dist.*` and of `<cid>_config.toml`. Raises ConfigError."""
    table = _table(document, "module config")
    _known(table, "", _MODULE_KEYS, dropped=_DROPPED_KEYS)
    if "name" not in table:
        raise ConfigError("name: missing")
    return _module({key: value for key, value in table.items() if value is not None}, "module config", Path())
