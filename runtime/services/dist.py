"""`dist`: modules and blueprints of a host, by content id.

Source: nox:particle-builtins/src/builtins.rs, particle-modules/src/modules.rs
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

import trio

from avm.crypto.cid import CidError
from runtime.marine.blueprint import Blueprint
from runtime.store.modules import StoreError, normal_cid, read_blueprint
from runtime.store.vault import VaultError

from .arguments import BOOL, STRING, U32, VEC_STRING, VEC_U8, Arguments, ArgumentType, TypedServiceError
from .registry import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hosted import HostedServices
    from .registry import CallContext, Handler

_I32_END: Final = 1 << 31
_BASE64: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def _is_i32(value: Any) -> bool:
    return type(value) is int and -_I32_END <= value < _I32_END


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in value
    )


def _maybe(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_wasi(value: Any) -> bool:
    return _is_table(value) and all(_maybe(_is_table)(value.get(key)) for key in ("envs", "mapped_dirs"))


_CONFIG_FIELDS: Final[dict[str, Callable[[Any], bool]]] = {
    "load_from": STRING.accepts,
    "file_name": STRING.accepts,
    "logger_enabled": BOOL.accepts,
    "logging_mask": _is_i32,
    "wasi": _is_wasi,
    "mounted_binaries": _is_table,
}


def _is_config(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and all(_maybe(check)(value.get(key)) for key, check in _CONFIG_FIELDS.items())
    )


def _is_cids(value: Any) -> bool:
    if not VEC_STRING.accepts(value):
        return False
    try:
        for text in value:
            normal_cid(text)
    except CidError:
        return False
    return True


I32: Final = ArgumentType("i32", _is_i32)
STRING_PAIRS: Final = ArgumentType("Vec<(String, String)>", _is_pairs)
MODULE_CONFIG: Final = ArgumentType("marine::config::raw_marine_config::TomlMarineNamedModuleConfig", _is_config)
BASE64_OR_BYTES: Final = ArgumentType("String", lambda value: STRING.accepts(value) or VEC_U8.accepts(value))
HASHES: Final = ArgumentType("Vec<cid_utils::hash::Hash>", _is_cids)


class DistService:
    """The functions, bound to the services of a host."""

    def __init__(self, hosted: HostedServices) -> None:
        """Keep the services."""
        self._hosted = hosted

    def functions(self) -> dict[str, Handler]:
        """The table."""
        return {
            "make_module_config": make_module_config,
            "default_module_config": default_module_config,
            "load_module_config": self.load_module_config,
            "add_module": self.add_module,
            "add_module_from_vault": self.add_module_from_vault,
            "add_module_bytes_from_vault": self.add_module_bytes_from_vault,
            "make_blueprint": make_blueprint,
            "load_blueprint": self.load_blueprint,
            "add_blueprint": self.add_blueprint,
            "list_modules": self.list_modules,
            "get_module_interface": self.get_module_interface,
            "list_blueprints": self.list_blueprints,
            "get_blueprint": self.get_blueprint,
        }

    # ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def add_module(self, values: list[Any], context: CallContext) -> Any:
        """Keep a module; its content id. Administrators only.

        The bytes are text in base64. The library declares them as bytes, which the reference refuses; here they may be both.
        """
        arguments = Arguments(values)
        given = arguments.next("module_bytes", BASE64_OR_BYTES)
        config = arguments.next("config", MODULE_CONFIG)
        self._hosted.rights.require(context)
        return await self._add(config["name"], _from_base64(given) if isinstance(given, str) else bytes(given))

    async def add_module_from_vault(self, values: list[Any], context: CallContext) -> Any:
        """Keep a module from a file of the particle; its content id. Administrators only."""
        arguments = Arguments(values)
        path = arguments.next("module_path", STRING)
        config = arguments.next("config", MODULE_CONFIG)
        self._hosted.rights.require(context)
        return await self._add(config["name"], self._from_vault(context, path))

    async def add_module_bytes_from_vault(self, values: list[Any], context: CallContext) -> Any:
        """The same with a name instead of a configuration. Administrators only."""
        arguments = Arguments(values)
        name = arguments.next("module_name", STRING)
        path = arguments.next("module_path", STRING)
        self._hosted.rights.require(context)
        return await self._add(name, self._from_vault(context, path))

    async def _add(self, name: str, wasm: bytes) -> str:
        try:
            return await trio.to_thread.run_sync(self._hosted.store.add_module, name, wasm)
        except StoreError as error:
            raise TypedServiceError(str(error)) from None

    def _from_vault(self, context: CallContext, path: str) -> bytes:
        particle = context.particle
        try:
            return self._hosted.vault.read(context.scope_id, particle.id, particle.signature, path)
        except VaultError as error:
            raise TypedServiceError(str(error)) from None

    def load_module_config(self, values: list[Any], context: CallContext) -> Any:
        """The configuration in a file of the particle."""
        path = Arguments(values).next("config_path", STRING)
        data = self._from_vault(context, path)
        try:
            config: Any = json.loads(data)
            if not _is_config(config):
                raise ValueError("no configuration of a module")
        except (ValueError, RecursionError) as error:
            text = f"Error parsing module config from vault {json.dumps(path, ensure_ascii=False)}: {error}"
            raise TypedServiceError(text) from None
        kept = {key: config[key] for key in _CONFIG_FIELDS if config.get(key) is not None}
        return {"name": config["name"], "load_from": None, "file_name": None} | kept

    def list_modules(self, _: list[Any], __: CallContext) -> Any:
        """Name, content id and configuration of every module."""
        return self._hosted.store.list_modules()

    async def get_module_interface(self, values: list[Any], _: CallContext) -> Any:
        """The interface of a module."""
        cid = Arguments(values).next("hex_hash", STRING)
        try:
            return await trio.to_thread.run_sync(self._hosted.store.interface, cid)
        except StoreError as error:
            raise ServiceError(str(error)) from None

    # ── blueprints ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def add_blueprint(self, values: list[Any], context: CallContext) -> Any:
        """Keep a blueprint given as its text; its id. Administrators only."""
        text = Arguments(values).next("blueprint", STRING)
        self._hosted.rights.require(context)
        try:
            blueprint = read_blueprint(text)
        except StoreError as error:
            raise ServiceError(f"Error deserializing blueprint from IPLD: {error}") from None
        try:
            return await trio.to_thread.run_sync(self._hosted.store.add_blueprint, blueprint)
        except StoreError as error:
            raise TypedServiceError(str(error)) from None

    def load_blueprint(self, values: list[Any], context: CallContext) -> Any:
        """The text of a blueprint in a file of the particle."""
        path = Arguments(values).next("blueprint_path", STRING)
        data = self._from_vault(context, path)
        try:
            return read_blueprint(data).text
        except StoreError as error:
            text = f"Error parsing blueprint from vault {json.dumps(path, ensure_ascii=False)}: {error}"
            raise ServiceError(text) from None

    def list_blueprints(self, _: list[Any], __: CallContext) -> Any:
        """All of them."""
        return [blueprint.to_json() for blueprint in self._hosted.store.blueprints()]

    def get_blueprint(self, values: list[Any], _: CallContext) -> Any:
        """One of them."""
        blueprint_id = Arguments(values).next("blueprint_id", STRING)
        try:
            return self._hosted.store.blueprint(blueprint_id).to_json()
        except StoreError as error:
            raise TypedServiceError(str(error)) from None


def make_module_config(values: list[Any], _: CallContext) -> Any:
    """A configuration of its parts; three of them have no effect any more."""
    arguments = Arguments(values)
    config: dict[str, Any] = {"name": arguments.next("name", STRING), "load_from": None, "file_name": None}
    arguments.optional("mem_pages_count", U32)
    arguments.optional("max_heap_size", STRING)
    logger_enabled = arguments.optional("logger_enabled", BOOL)
    arguments.optional("preopened_files", VEC_STRING)
    envs, mapped_dirs, mounted_binaries = (
        None if (pairs := arguments.optional(field, STRING_PAIRS)) is None else dict(pairs)
        for field in ("envs", "mapped_dirs", "mounted_binaries")
    )
    logging_mask = arguments.optional("logging_mask", I32)
    if logger_enabled is not None:
        config["logger_enabled"] = logger_enabled
    if logging_mask is not None:
        config["logging_mask"] = logging_mask
    config["wasi"] = {"envs": envs, "mapped_dirs": mapped_dirs}
    if mounted_binaries is not None:
        config["mounted_binaries"] = mounted_binaries
    return config


def default_module_config(values: list[Any], _: CallContext) -> Any:
    """A configuration with nothing set."""
    return {"name": Arguments(values).next("module_name", STRING), "load_from": None, "file_name": None}


def make_blueprint(values: list[Any], _: CallContext) -> Any:
    """The text of a blueprint."""
    arguments = Arguments(values)
    name = arguments.next("name", STRING)
    dependencies = arguments.next("dependencies", HASHES)
    return Blueprint(name, tuple(map(normal_cid, dependencies))).text


def _from_base64(text: str) -> bytes:
    """Bytes of canonical base64. Raises TypedServiceError."""
    data = text.encode("utf-8", "replace")
    body = data.rstrip(b"=")
    for at, byte in enumerate(body):
        if byte not in _BASE64:
            raise TypedServiceError(
                f"Error while decoding module bytes from base64: Invalid symbol {byte}, offset {at}."
            )
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise TypedServiceError("Error while decoding module bytes from base64: Invalid padding") from None
