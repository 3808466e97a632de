"""A module file, read and compiled once per process: everything about it that no instance changes.

Errors: LoadError in the order and the words of the reference: compilation, SDK version, interface section, its version.
Source: marine:core/src/module/marine_module.rs, crates/min-it-version
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import wasmtime

from . import interface_types
from .codec import Codecs
from .core_types import FUNCTION, CoreShape, core_shape
from .engine import CoreType, engine
from .errors import LoadError
from .interface import Interface, check_records, interpret
from .interface_types import InterfaceError
from .limits import CODE_CACHE_ARTIFACTS, CODE_CACHE_BYTES, INTERFACE_BYTES_MAX, MODULE_BYTES_MAX
from .module_cache import load_or_compile
from .wasm_sections import INTERFACE_TYPES, SectionError, SectionsBrokenError, custom_sections, sdk_version
from .wasm_sections import tables as table_sizes

if TYPE_CHECKING:
    from pathlib import Path

    from .marshal import Plan
    from .native.program import Program
    from .semver import Version

_END_BYTES: Final = 1024
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


class KeptArtifacts:
    """Modules of this process and what was made of them; those not used for longest go first. For any thread.

    A module is found by all its bytes: comparing 6 MB takes a fraction of the time that a secure hash of them takes. Of two modules
    with one length and one end the later stays.
    """

    def __init__(self) -> None:
        """Nothing is kept."""
        self._entries: OrderedDict[tuple[int, bytes], tuple[bytes, Artifact]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, wasm: bytes) -> Artifact | None:
        """What was made of this module, if it is kept."""
        key = _key(wasm)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != wasm:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def keep(self, wasm: bytes, artifact: Artifact) -> None:
        """Keep one, and of all the latest within `CODE_CACHE_ARTIFACTS` and `CODE_CACHE_BYTES`; at least this one."""
        key = _key(wasm)
        with self._lock:
            earlier = self._entries.pop(key, None)
            self._bytes += len(wasm) - (0 if earlier is None else len(wasm))
            self._entries[key] = (bytes(wasm), artifact)
            while len(self._entries) > 1 and (
                len(self._entries) > CODE_CACHE_ARTIFACTS or self._bytes > CODE_CACHE_BYTES
            ):
                _, (oldest, _) = self._entries.popitem(last=False)
                self._bytes -= len(oldest)


_kept: Final = KeptArtifacts()


def load_artifact(name: str, wasm: bytes, *, cache: Path | None = None) -> Artifact:
    """Read and compile a module, or find it among those of this process. Raises LoadError; `name` is for its text."""
    found = _kept.find(wasm)
    if found is None:
        found = _read(name, wasm, hashlib.sha256(wasm).hexdigest(), cache)
        _kept.keep(wasm, found)
    return found


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


def _key(wasm: bytes) -> tuple[int, bytes]:
    """What tells most modules apart: a build's time and versions stand in sections at the end."""
    return len(wasm), bytes(wasm[-_END_BYTES:])


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
