"""A module file, read and compiled once per process: everything about it that no instance changes.

Errors: LoadError in the order and the words of the reference: compilation, SDK version, interface section, its version.
Source: marine:core/src/module/marine_module.rs, crates/min-it-version
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import wasmtime

from . import interface_types
from .codec import Codecs
from .core_types import FUNCTION, CoreShape, core_shape
from .engine import CoreType, engine
from .errors import LoadError
from .interface import Interface, check_records, interpret
from .interface_types import InterfaceError
from .limits import CODE_CACHE_ARTIFACTS, INTERFACE_BYTES_MAX, MODULE_BYTES_MAX
from .module_cache import load_or_compile
from .wasm_sections import INTERFACE_TYPES, SectionError, SectionsBrokenError, custom_sections, sdk_version
from .wasm_sections import tables as table_sizes

if TYPE_CHECKING:
    from pathlib import Path

    from .marshal import Plan
    from .native.program import Program
    from .semver import Version

HOST_NAMESPACES = ("host", "__marine_host_api_v1", "__marine_host_api_v2", "__marine_host_api_v3")


@dataclass(slots=True)
class Artifact:
    """A compiled module with its interface.

    core: core imports and exports. core_types: signatures of exported functions, None where one has values that adapters do not
    know. table_elements: of the largest table at the start. table_bytes: what its tables take if all of them grow to that, or to
    their own bound. plans: translated adapters by place. programs: native ones, None for those that stay with Python. Both are
    filled on first use. problem: why the interface cannot be used, told when the load comes to it.
    """

    sha256: str
    size: int
    compiled: wasmtime.Module
    sdk: Version
    interface: Interface
    codecs: Codecs
    core: CoreShape
    core_types: dict[str, CoreType | None]
    host_imports: tuple[tuple[str, str], ...]
    table_elements: int
    table_bytes: int
    problem: str | None
    from_cache: bool
    plans: dict[tuple[str, str], Plan] = field(default_factory=dict)
    programs: dict[tuple[str, str], Program | None] = field(default_factory=dict)


_kept: OrderedDict[str, Artifact] = OrderedDict()
_lock = threading.Lock()


def load_artifact(name: str, wasm: bytes, *, cache: Path | None = None) -> Artifact:
    """Read and compile a module, or find it among those of this process. Raises LoadError; `name` is for its text."""
    digest = hashlib.sha256(wasm).hexdigest()
    with _lock:
        found = _kept.get(digest)
        if found is not None:
            _kept.move_to_end(digest)
            return found
    artifact = _read(name, wasm, digest, cache)
    with _lock:
        _kept[digest] = artifact
        while len(_kept) > CODE_CACHE_ARTIFACTS:
            _kept.popitem(last=False)
    return artifact


def read_tables(name: str, wasm: bytes) -> tuple[Version, interface_types.Tables]:
    """SDK version and interface tables of a module, checked but not compiled. Raises LoadError."""
    try:
        sdk = sdk_version(wasm)
        if sdk < interface_types.MINIMUM_SDK:
            raise LoadError(
                f"module with name '{name}' compiled with {sdk} sdk version, but at least "
                f"{interface_types.MINIMUM_SDK} required"
            )
        found = custom_sections(wasm, INTERFACE_TYPES)
        if not found:
            raise LoadError("the module doesn't contain IT section")
        if len(found) > 1:
            raise LoadError("the module contains multiple IT sections that is unsupported")
        if len(found[0]) > INTERFACE_BYTES_MAX:
            raise LoadError(f"IT section takes {len(found[0])} bytes, at most {INTERFACE_BYTES_MAX} are read")
        tables = interface_types.decode(found[0])
    except (SectionError, InterfaceError) as error:
        raise LoadError(str(error)) from None
    except ValueError as error:
        raise LoadError(f"Wasm backend error: {error}") from None
    if tables.version < interface_types.MINIMUM_IT:
        raise LoadError(
            f"module with name '{name}' compiled with {tables.version} IT version, but at least "
            f"{interface_types.MINIMUM_IT} required"
        )
    return sdk, tables


def _read(name: str, wasm: bytes, digest: str, cache: Path | None) -> Artifact:
    if len(wasm) > MODULE_BYTES_MAX:
        raise LoadError(
            f"Wasm backend error: the module takes {len(wasm)} bytes, at most {MODULE_BYTES_MAX} are loaded"
        )
    if wasm[:4] != b"\0asm":
        # the engine would take the text form as well
        raise LoadError("Wasm backend error: magic header not detected: bad magic number")
    try:
        compiled, from_cache = load_or_compile(engine(), wasm, digest, cache)
    except wasmtime.WasmtimeError as error:
        raise LoadError(f"Wasm backend error: {error}") from None
    sdk, tables = read_tables(name, wasm)
    try:
        interface = interpret(tables)
        own_tables = table_sizes(wasm)
    except ValueError as error:
        raise LoadError(f"Wasm backend error: {error}") from None
    problem = interface.functions_problem
    try:
        check_records(tables)
    except InterfaceError as error:
        problem = problem or str(error)
    largest = max((least for least, _ in own_tables), default=0)
    try:
        core = core_shape(wasm)
    except SectionsBrokenError as error:
        raise LoadError(f"Wasm backend error: {error}") from None
    return Artifact(
        sha256=digest,
        size=len(wasm),
        compiled=compiled,
        sdk=sdk,
        interface=interface,
        codecs=Codecs(tables),
        core=core,
        core_types={
            name: None if export.letters is None else CoreType(*export.letters)
            for name, export in core.exports.items()
            if export.kind == FUNCTION
        },
        host_imports=tuple(
            (item.module, item.name)
            for item in core.imports
            if item.module in HOST_NAMESPACES and item.kind == FUNCTION
        ),
        table_elements=largest,
        table_bytes=8 * sum(largest if most is None else min(most, largest) for _, most in own_tables),
        problem=problem,
        from_cache=from_cache,
    )


def mounted_names(artifact: Artifact) -> list[str]:
    """Names of the binaries a module expects to be mounted: what it imports from the host beside the host's functions."""
    known = {"log_utf8_string", "get_call_parameters"}
    return list(dict.fromkeys(name for _, name in artifact.host_imports if name not in known))
