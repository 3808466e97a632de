"""The operating system as one module sees it: its environment, its folders, output that goes to the service's log.

Errors: LoadError for a folder that cannot be opened. No network, no arguments, no standard input.
Source: marine:crates/wasmtime-backend/src/wasi.rs
"""

from __future__ import annotations

import ctypes
import itertools
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from .errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import ModuleConfig

_LINE_BYTES_MAX = 64 << 10


_sinks: Final[weakref.WeakValueDictionary[int, OutputLines]] = weakref.WeakValueDictionary()
_numbers: Final = itertools.count(1)


@ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_size_t)  # type: ignore[untyped-decorator]
def _write(number: int, data: Any, size: int) -> int:
    sink = _sinks.get(number)
    return size if sink is None else sink.write(ctypes.string_at(data, size))


_NO_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
"""wasmtime calls one on a thread of its own, maybe while this process ends; Python ends a thread that comes then, and wasmtime panics."""


class OutputLines:
    """Cuts a stream into lines for the log; a line that never ends is cut. Whoever uses its number has to keep it."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """Call `log` with each line."""
        self._log = log
        self.number = next(_numbers)
        _sinks[self.number] = self
        self._rest = b""

    def write(self, data: bytes) -> int:
        """Take bytes; all of them are accepted."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES_MAX:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._log(line.decode("utf-8", "replace"))
        return len(data)


def environment(config: ModuleConfig) -> dict[str, str]:
    """Variables of a module: those of its configuration, and the host path of every folder under its guest path."""
    if config.show_host_paths:
        return dict(config.envs) | {alias: str(path) for alias, path in config.mapped_dirs.items()}
    return dict(config.envs) | {alias: alias for alias in config.mapped_dirs}


def make_wasi(config: ModuleConfig, log: Callable[[str], None]) -> tuple[wasmtime.WasiConfig, object]:
    """The context of a module, and what has to live as long as its output is wanted. Raises LoadError."""
    wasi = wasmtime.WasiConfig()
    variables = environment(config)
    if any("\0" in text for pair in variables.items() for text in pair):
        raise LoadError("Wasm backend error: an environment variable contains a NUL character")
    wasi.env = list(variables.items())
    output, errors = OutputLines(log), OutputLines(log)
    ffi.wasi_config_set_stdout_custom(wasi.ptr(), _write, output.number, _NO_FINALIZER)
    ffi.wasi_config_set_stderr_custom(wasi.ptr(), _write, errors.number, _NO_FINALIZER)
    for alias, path in config.mapped_dirs.items():
        if not Path(path).is_dir():
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias} does not exist")
        try:
            wasi.preopen_dir(str(path), alias)
        except (wasmtime.WasmtimeError, ValueError) as error:
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias}: {error}") from None
    return wasi, (output, errors)
