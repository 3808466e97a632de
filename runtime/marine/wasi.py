"""The operating system as one module sees it: its environment, its folders, output that goes to the service's log.

Errors: LoadError for a folder that cannot be opened. No network, no arguments, no standard input.
Source: marine:crates/wasmtime-backend/src/wasi.rs
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import wasmtime

from .errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import ModuleConfig

_LINE_BYTES_MAX = 64 << 10


class OutputLines:
    """Cuts a stream into lines for the log; a line that never ends is cut."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """Call `log` with each line."""
        self._log = log
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


def make_wasi(config: ModuleConfig, log: Callable[[str], None]) -> wasmtime.WasiConfig:
    """The context of a module. Raises LoadError."""
    wasi = wasmtime.WasiConfig()
    variables = environment(config)
    if any("\0" in text for pair in variables.items() for text in pair):
        raise LoadError("Wasm backend error: an environment variable contains a NUL character")
    wasi.env = list(variables.items())
    output, errors = OutputLines(log), OutputLines(log)
    wasi.stdout_custom = output.write
    wasi.stderr_custom = errors.write
    for alias, path in config.mapped_dirs.items():
        if not Path(path).is_dir():
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias} does not exist")
        try:
            wasi.preopen_dir(str(path), alias)
        except (wasmtime.WasmtimeError, ValueError) as error:
            raise LoadError(f"Wasm backend error: the folder {path} mapped to {alias}: {error}") from None
    return wasi
