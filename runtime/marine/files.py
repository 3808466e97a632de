"""Services from the files a person names: a configuration, or modules in load order.

Errors: ConfigError for a configuration, LoadError for a module; both name the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .config import ConfigError, ModuleConfig, ServiceConfig, from_marine_js, parse_json, read_toml
from .errors import LoadError
from .limits import MODULE_BYTES_MAX
from .packed import SUFFIXES, read_packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Permissions:
    """What all modules named on a command line get, and a packed service as far as it asks; with a configuration they are refused.

    names_only: for looking at a service that will not run: folders and programs of a packed one are names without a meaning.
    flags: whether who is refused has flags to allow more.
    """

    envs: Mapping[str, str]
    mapped_dirs: Mapping[str, Path]
    mounted_binaries: Mapping[str, str]
    names_only: bool = False
    flags: bool = True


NO_PERMISSIONS = Permissions({}, {}, {}, flags=False)
NAMES_ONLY = Permissions({}, {}, {}, names_only=True)


def service_config(paths: Sequence[str], permissions: Permissions = NO_PERMISSIONS) -> ServiceConfig:
    """The service of one `.toml`, `.json` or packed file, or of `[NAME=]module.wasm` files, the facade last.

    A module without NAME is called by its file name. The permissions are for modules and packed services. Raises ConfigError.
    """
    if not paths:
        raise ConfigError("no configuration and no module given")
    if len(paths) == 1 and not paths[0].endswith(".wasm"):
        return _configured(Path(paths[0]), permissions)
    modules = []
    for text in paths:
        name, found, rest = text.partition("=")
        path = Path(rest if found else text)
        if path.suffix != ".wasm":
            raise ConfigError(f"{text}: expected a .wasm file; a .toml or .json configuration stands alone")
        modules.append(
            ModuleConfig(
                name=name if found else path.stem,
                path=path,
                envs=dict(permissions.envs),
                mapped_dirs=dict(permissions.mapped_dirs),
                mounted_binaries=dict(permissions.mounted_binaries),
            )
        )
    return ServiceConfig(tuple(modules))


def _configured(path: Path, permissions: Permissions) -> ServiceConfig:
    given = permissions.envs or permissions.mapped_dirs or permissions.mounted_binaries
    if given and path.suffix in (".toml", ".json"):
        raise ConfigError(
            f"{path}: a configuration says itself what its modules may use; write it there instead of --env, --dir and --mount"
        )
    try:
        if path.suffix == ".toml":
            return read_toml(path)
        if path.suffix in SUFFIXES:
            return read_packed(path, permissions)
        if path.suffix == ".json":
            config = from_marine_js(parse_json(path.read_text(encoding="utf-8")), path.parent)
            return replace(
                config, modules=tuple(replace(one, path=path.parent / f"{one.name}.wasm") for one in config.modules)
            )
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})") from None
    missing = "" if path.exists() else "no such file or folder; "
    raise ConfigError(
        f"{path}: {missing}expected a .toml or .json configuration, a packed service (.tar, .zip), or .wasm modules"
    )


def read_module(module: ModuleConfig) -> bytes:
    """The file of a module. Raises LoadError."""
    if module.wasm is not None:
        return module.wasm
    if module.path is None:
        raise LoadError(f"module with name {module.name} has no file")
    try:
        if module.path.stat().st_size > MODULE_BYTES_MAX:
            raise LoadError(f"{module.path} is larger than {MODULE_BYTES_MAX} bytes")
        return module.path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL character
        raise LoadError(f"cannot read {module.path}: {getattr(error, 'strerror', None) or error}") from None
