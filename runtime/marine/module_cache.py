"""Compiled modules on disk, so that a module is compiled once per machine.

A compiled module is native code that will be executed: only what this user alone can have written is read (`avm.private_cache`), its
digest is checked, and its name says for which module, wasmtime and settings it was made. A cache that cannot be used is
no error: the module is compiled instead. The digest stands behind the code, so that wasmtime can map the file: that takes no time for
its size, and processes share its memory.
Errors: wasmtime.WasmtimeError for a module that does not compile.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import wasmtime

from avm.private_cache import open_private, write_private
from runtime.reference_avm import cache_directory

from .engine import SETTINGS_KEY, WASMTIME_VERSION
from .limits import KEPT_MODULES_MAX

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"marine-cwasm-3\0\0"
_END_BYTES: Final = len(_MAGIC) + hashlib.sha256().digest_size


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
    with suppress(OSError, ValueError, wasmtime.WasmtimeError):
        return _read(engine, path), True
    module = wasmtime.Module(engine, wasm)
    with suppress(OSError, wasmtime.WasmtimeError):
        code = bytes(module.serialize())
        write_private(path, code, _MAGIC, hashlib.sha256(code).digest(), entries_max=KEPT_MODULES_MAX)
    return module, False


def _read(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
    """A module that is kept and whole. Raises OSError, ValueError and wasmtime.WasmtimeError."""
    with open_private(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view:
            digest = hashlib.sha256(view[:-_END_BYTES]).digest()
        if mapped[-_END_BYTES:] != _MAGIC + digest:
            raise ValueError(f"{path} is damaged")
        opened = f"/proc/self/fd/{file.fileno()}"  # the very file that was looked at, also if another one has taken its place
        return wasmtime.Module.deserialize_file(engine, opened if os.path.exists(opened) else path)
