"""Compiled modules on disk, so that a module is compiled once per machine.

A compiled module is native code that will be executed: the folder belongs to the user alone, a file must too, its name says
for which module, wasmtime and settings it was made, and its digest is checked. Files are written beside and renamed, so that
processes may race. A cache that cannot be used is no error: the module is compiled instead.
Errors: wasmtime.WasmtimeError for a module that does not compile.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import wasmtime
from blake3 import blake3

from runtime.reference_avm import cache_directory

from .engine import SETTINGS_KEY, WASMTIME_VERSION

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"marine-cwasm-1\0\0"
_DIGEST: Final = 32
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


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
    path = place / cache_name(sha256)
    data = _read(path)
    if data is not None:
        with suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(engine, data), True
    module = wasmtime.Module(engine, wasm)
    with suppress(OSError, wasmtime.WasmtimeError):
        _write(path, bytes(module.serialize()))
    return module, False


def _is_private(status: os.stat_result) -> bool:
    if os.name != "posix":
        return True  # the profile folder of Windows is private by its own rules
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE


def _read(path: Path) -> bytes | None:
    """The content of a file that only this user can have written; None otherwise."""
    try:
        if not _is_private(path.parent.lstat()):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            if not _is_private(os.fstat(file.fileno())):
                return None
            head = file.read(len(_MAGIC) + _DIGEST)
            data = file.read()
    except OSError:
        return None
    if head != _MAGIC + blake3(data).digest(length=_DIGEST):
        return None
    return data


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(path.parent.lstat()):
        return
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(_MAGIC + blake3(data).digest(length=_DIGEST))
            file.write(data)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
