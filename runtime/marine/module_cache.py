"""Compiled modules on disk, so that a module is compiled once per machine.

A compiled module is native code that will be executed: only what this user alone can have written is read, its digest is checked
(`avm.private_cache`), and its name says for which module, wasmtime and settings it was made. A cache that cannot be used is
no error: the module is compiled instead.
Errors: wasmtime.WasmtimeError for a module that does not compile.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import wasmtime

from avm.private_cache import read_entry, write_entry
from runtime.reference_avm import cache_directory

from .engine import SETTINGS_KEY, WASMTIME_VERSION

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"marine-cwasm-2\0\0"


def default_folder() -> Path:
    """Where compiled modules are kept."""
    return cache_directory() / "wasm"


def cache_name(sha256: str) -> str:
    """File name for a module: another wasmtime or other settings make another file."""
    key = hashlib.sha256(f"{sha256} {WASMTIME_VERSION} {SETTINGS_KEY}".encode()).hexdigest()
    return f"{key[:40]}.cwasm"


def load_or_compile(
    engine: wasmtime.Engine, wasm: bytes, sha256: str, folder: Path | None = None
) -> tuple[wasmtime.Module, bool]:
    """The compiled module and whether it came from the cache. Raises wasmtime.WasmtimeError."""
    place = default_folder() if folder is None else folder
    path = str(place / cache_name(sha256))
    data = read_entry(path, _MAGIC)
    if data is not None:
        with suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(engine, data), True
    module = wasmtime.Module(engine, wasm)
    with suppress(OSError, wasmtime.WasmtimeError):
        write_entry(path, _MAGIC, bytes(module.serialize()))
    return module, False
