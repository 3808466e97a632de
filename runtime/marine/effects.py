"""What a module wants of its host, read off its imports without running it: the log, programs of the host.

Errors: LoadError for bytes that are no module.
Source: marine:crates/module-info-parser/src/effects.rs
"""

from __future__ import annotations

from typing import NamedTuple

import wasmtime

from .artifact import HOST_NAMESPACES
from .core_types import FUNCTION, core_shape
from .engine import engine
from .errors import LoadError
from .limits import MODULE_BYTES_MAX
from .wasm_sections import SectionsBrokenError


class Effects(NamedTuple):
    """logs: whether the module imports the log. programs: names of the programs it may run, in order."""

    logs: bool
    programs: tuple[str, ...]


def module_effects(wasm: bytes) -> Effects:
    """The effects of a module. Raises LoadError; costs a validation, which compiles nothing."""
    if len(wasm) > MODULE_BYTES_MAX:
        raise LoadError(f"a module takes at most {MODULE_BYTES_MAX} bytes")
    if wasm[:4] != b"\0asm":
        raise LoadError("provided Wasm file is corrupted: bad magic number")
    try:
        wasmtime.Module.validate(engine(), wasm)
        imports = core_shape(wasm).imports
    except (wasmtime.WasmtimeError, SectionsBrokenError) as error:
        raise LoadError(f"provided Wasm file is corrupted: {error}") from None
    names = [item.name for item in imports if item.module in HOST_NAMESPACES and item.kind == FUNCTION]
    programs = tuple(name for name in dict.fromkeys(names) if name not in ("log_utf8_string", "get_call_parameters"))
    return Effects("log_utf8_string" in names, programs)
