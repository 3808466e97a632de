"""The operating system as one module sees it: its environment, its folders, output that goes to the service's log.

Errors: LoadError for a folder that cannot be opened. No network, no arguments, no standard input.
Source: marine:crates/wasmtime-backend/src/wasi.rs
"""

from __future__ import annotations

import ctypes
import errno
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

import wasmtime
from wasmtime import _ffi as ffi

from .errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import ModuleConfig

WASI: Final = "wasi_snapshot_preview1"
_LINE_BYTES_MAX: Final = 64 << 10


class OutputLines:
    """Cuts a stream into lines for the log; a line that never ends is cut."""

    def __init__(self, log: Callable[[list[bytes]], bool]) -> None:
        """Call `log` with whole lines; it says whether there may be more."""
        self._log = log
        self._rest = b""

    def write(self, data: bytes) -> int:
        """Take bytes. All of them are accepted, or an error closes the stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES_MAX:
            lines, self._rest = [*lines, self._rest], b""
        return len(data) if self._log(lines) else -errno.EIO


outputs: Final[WeakValueDictionary[int, OutputLines]] = WeakValueDictionary()
"""Streams of running modules by number. wasmtime's own table would be told by a thread of wasmtime when a stream is dropped, which ends the
process with an abort when the interpreter is ending as well; this one is told nothing."""
_numbers: Final = count(1)


def _written(number: int | None, data: Any, size: int) -> int:
    """Called by a thread of wasmtime, while the one of the call waits."""
    found = outputs.get(number or 0)
    return size if found is None else found.write(ctypes.string_at(data, size))


_WRITTEN: Final = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_size_t)(
    _written
)
_NOT_TOLD: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)


def environment(config: ModuleConfig) -> dict[str, str]:
    """Variables of a module: those of its configuration, and the host path of every folder under its guest path."""
    if config.show_host_paths:
        return dict(config.envs) | {alias: str(path) for alias, path in config.mapped_dirs.items()}
    return dict(config.envs) | {alias: alias for alias in config.mapped_dirs}


def make_wasi(
    config: ModuleConfig, log: Callable[[list[bytes]], bool]
) -> tuple[wasmtime.WasiConfig, tuple[OutputLines, ...]]:
    """The context of a module, and its streams, which take what is written for as long as they live. Raises LoadError.

    log: takes lines, on another thread; False closes the stream.
    """
    wasi = wasmtime.WasiConfig()
    variables = environment(config)
    if any("\0" in text for pair in variables.items() for text in pair):
        raise LoadError("Wasm backend error: an environment variable contains a NUL character")
    wasi.env = list(variables.items())
    streams = OutputLines(log), OutputLines(log)
    for stream, setter in zip(
        streams, (ffi.wasi_config_set_stdout_custom, ffi.wasi_config_set_stderr_custom), strict=True
    ):
        number = next(_numbers)
        outputs[number] = stream
        setter(wasi.ptr(), _WRITTEN, number, _NOT_TOLD)
    for alias, path in config.mapped_dirs.items():
        if not Path(path).is_dir():
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias} does not exist")
        try:
            wasi.preopen_dir(str(path), alias)
        except (wasmtime.WasmtimeError, ValueError) as error:
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias}: {error}") from None
    return wasi, streams
