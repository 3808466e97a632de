"""Make a Marine module of any core Wasm module: check that it has what its interface needs, and append the sections.

Input: a core module (of any compiler that writes Wasm) and a description as `interface_emit` takes it. Output: the module with the
sections `interface-types` and `__fluence_sdk_version`, and the manifest when there is one; sections of these names that were there
are replaced, the rest is left as it is. Errors: EmbedError with every problem found, each with its remedy.
Source: marine:core/src/module/marine_module.rs (what a load needs), marine-rs-sdk:crates/main/src/module_manifest.rs
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .core_types import FUNCTION, KINDS, MEMORY
from .interface_types import CURRENT_SDK, MINIMUM_SDK, FunctionType, InterfaceError
from .semver import VersionError, parse_version
from .wasm_sections import (
    INTERFACE_TYPES,
    MANIFEST,
    SDK_VERSION,
    Manifest,
    SectionError,
    SectionsBrokenError,
    encode_manifest,
    manifest,
    with_custom_section,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .core_types import CoreShape, Letters
    from .engine import CoreType
    from .interface_types import Tables

ABI: Final = {
    "allocate": ("ii", "i"),
    "release_objects": ("", ""),
    "get_result_size": ("", "i"),
    "get_result_ptr": ("", "i"),
    "set_result_size": ("i", ""),
    "set_result_ptr": ("i", ""),
}
"""Core functions that every module exports, with their signatures as letters of `CoreType`."""

_NAMES: Final = {"i": "i32", "l": "i64", "f": "f32", "d": "f64"}
_MANIFEST_FIELDS: Final = ("authors", "version", "description", "repository", "build_time")


class Problem(NamedTuple):
    """Something about a core module, and how it is put right. severity: `error` or `warning`."""

    severity: str
    message: str
    remedy: str


class EmbedError(ValueError):
    """The module would not work. `problems` has at least one error."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems."""
        super().__init__("; ".join(problem.message for problem in problems if problem.severity == "error"))
        self.problems = problems


def embed(
    core: bytes,
    description: Mapping[str, Any],
    *,
    sdk_version: str = CURRENT_SDK,
    manifest: Manifest | None = None,
) -> bytes:
    """The module with its sections. Raises EmbedError when `examine` finds an error."""
    from .interface_emit import emit

    problems = [*examine(core, description), *_version_problems(sdk_version)]
    if any(problem.severity == "error" for problem in problems):
        raise EmbedError(problems)
    out = with_custom_section(core, INTERFACE_TYPES, emit(description))
    out = with_custom_section(out, SDK_VERSION, sdk_version.encode())
    return out if manifest is None else with_custom_section(out, MANIFEST, encode_manifest(manifest))


def core_imports(core: bytes) -> frozenset[tuple[str, str]]:
    """(module, function) of every import of a core module. Raises EmbedError when it is none."""
    return frozenset((item.module, item.name) for item in _shape(core).imports)


def examine(core: bytes, description: Mapping[str, Any]) -> list[Problem]:
    """Everything that keeps a core module from having this interface, errors first."""
    from .interface import check_records
    from .interface_emit import build, emit

    try:
        shape = _shape(core)
    except EmbedError as error:
        return error.problems
    try:
        tables = build(description)
        emit(description)  # what cannot be written, such as too many instructions
        check_records(tables)
    except InterfaceError as error:
        return [Problem("error", f"the interface cannot be written: {error}", _interface_remedy(str(error)))]
    found = _Examination(shape, tables).problems()
    return sorted(found, key=lambda problem: problem.severity != "error")


def _interface_remedy(text: str) -> str:
    """What helps against a complaint of the emitter."""
    remedies = {
        "unknown type": "types: bool, u8 … u64, s8 … s64, f32, f64, string, []T, []u8 for bytes, and names of records",
        "recursion": "a record cannot contain itself; use an array of keys, or text",
        "twice": "leave one of the definitions",
        "no fields": "give it a field, or leave it out",
        "arguments": "pass a record instead of many arguments",
        "instructions": "pass a record instead of many arguments",
    }
    return next((remedy for words, remedy in remedies.items() if words in text), "make it smaller")


def _version_problems(text: str) -> list[Problem]:
    remedy = f"leave --sdk-version out for {CURRENT_SDK}"
    try:
        version = parse_version(text)
    except VersionError as error:
        return [Problem("error", f"SDK version `{text}`: {error}", remedy)]
    if version < MINIMUM_SDK:
        return [Problem("error", f"SDK version {text} is below {MINIMUM_SDK}: no host loads the module", remedy)]
    return []


@lru_cache(maxsize=1)
def _shape(core: bytes) -> CoreShape:
    import wasmtime

    from .core_types import core_shape
    from .engine import engine
    from .limits import MODULE_BYTES_MAX

    if len(core) > MODULE_BYTES_MAX:
        raise _not_a_module(f"the file takes {len(core)} bytes, at most {MODULE_BYTES_MAX} are loaded", "strip it")
    if core[:4] != b"\0asm":
        what = "text" if core.lstrip()[:1] == b"(" else "an object of LLVM" if core[:2] == b"BC" else "something else"
        raise _not_a_module(f"not a Wasm module but {what}", "give the .wasm file that the linker writes")
    if core[4:8] != b"\1\0\0\0":
        raise _not_a_module(
            "not a core module but a component or another version", "build for wasm32-unknown-unknown or wasm32-wasip1"
        )
    try:
        wasmtime.Module.validate(engine(), core)
        return core_shape(core)
    except (wasmtime.WasmtimeError, SectionsBrokenError) as error:
        raise _not_a_module(
            f"not a valid module: {error}", "build it again; proposals beyond Wasm 3.0 are not known"
        ) from None


def _not_a_module(message: str, remedy: str) -> EmbedError:
    return EmbedError([Problem("error", message, remedy)])


# ── what the core module has ─────────────────────────────────────────────────────────────────────────────────────────


def shown(parameters: str, results: str) -> str:
    """A core signature: `(i32, i64) -> i32`."""
    answer = ", ".join(_NAMES[letter] for letter in results) or "()"
    return f"({', '.join(_NAMES[letter] for letter in parameters)}) -> {answer}"


def _has(letters: Letters | None) -> str:
    return "has values that are no numbers" if letters is None else f"is {shown(*letters)}"


def core_signature(signature: FunctionType) -> CoreType:
    """The core signature of a typed one: a pointer and a length for strings and arrays, a pointer for records."""
    from .instance import core_import_type
    from .interface_emit import raw_signature

    found = core_import_type(raw_signature(signature))
    assert found is not None
    return found


class _Examination:
    """Compares a compiled core module with the tables it is to have."""

    def __init__(self, shape: CoreShape, tables: Tables) -> None:
        from .interface import interpret

        self.core = shape
        self.exports = shape.exports
        self.interface = interpret(tables)
        self.out: list[Problem] = []

    def error(self, message: str, remedy: str) -> None:
        self.out.append(Problem("error", message, remedy))

    def problems(self) -> list[Problem]:
        self.names()
        for name, (parameters, results) in ABI.items():
            remedy = "export the functions of the Marine ABI; `avm service new` writes them for several languages"
            self.function(name, parameters, results, "function of the ABI", remedy)
        for function in self.interface.functions.values():
            kind = core_signature(function.signature)
            self.function(function.name, kind.parameters, kind.results, "function", self.export_remedy(function.name))
        self.memory()
        self.starts()
        self.imports()
        return self.out

    def names(self) -> None:
        seen: set[str] = set()
        for export in self.interface.exports[len(ABI) :]:
            if export.name in ABI:
                self.error(f"function `{export.name}` has the name of a function of the ABI", "call it something else")
            elif export.name in seen:
                self.error(f"function `{export.name}` is declared twice", "leave one of the declarations")
            seen.add(export.name)

    def export_remedy(self, name: str) -> str:
        functions = [known for known, export in self.exports.items() if known not in ABI and export.kind == FUNCTION]
        near = next((known for known in functions if known.lstrip("_") == name), None)
        near = near or next(iter(difflib.get_close_matches(name, functions, n=1)), None)
        if near is not None:
            return f"the module exports `{near}`: rename one of the two"
        return (
            'export it: C `__attribute__((export_name("…")))`, Rust `#[no_mangle] pub extern "C"`, Zig `export fn`, '
            "AssemblyScript `export function`"
        )

    def function(self, name: str, parameters: str, results: str, what: str, remedy: str) -> None:
        wanted = shown(parameters, results)
        found = self.exports.get(name)
        if found is None:
            self.error(f"{what} `{name}` is not exported; it is {wanted}", remedy)
        elif found.kind != FUNCTION:
            self.error(f"`{name}` is exported as a {KINDS[found.kind]}, not as a function {wanted}", remedy)
        elif found.letters != (parameters, results):
            self.error(
                f"{what} `{name}` {_has(found.letters)}; its signature needs {wanted}",
                "strings and arrays are a pointer and a length, records a pointer; u64, s64 are i64, other integers i32; a result "
                "that is no number goes through set_result_ptr and set_result_size",
            )

    def memory(self) -> None:
        found = self.exports.get("memory")
        if (found is not None and found.kind == MEMORY) or not self.uses_memory():
            return
        other = next((name for name, export in self.exports.items() if export.kind == MEMORY), None)
        now = "" if other is None else f"; now it is exported as `{other}`"
        self.error("memory is not exported as `memory`", f"export it under that name{now}")

    def uses_memory(self) -> bool:
        """Whether any value of the interface lies in memory. A module of numbers alone loads without."""
        from .itypes import BYTES, STRING, Prim

        signatures = [one.signature for one in self.interface.functions.values()]
        signatures += [one.declared for one in self.interface.called if one.declared is not None]
        kinds = [kind for one in signatures for kind in (*one.argument_types, *one.results)]
        return any(not isinstance(kind, Prim) or kind in (STRING, BYTES) for kind in kinds)

    def starts(self) -> None:
        for name in ("_initialize", "_start"):
            found = self.exports.get(name)
            if found is not None and found.kind == FUNCTION and found.letters != ("", ""):
                self.error(f"`{name}` is called when the module loads, but is no () -> ()", "call it something else")

    # ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def imports(self) -> None:
        from .artifact import HOST_NAMESPACES
        from .check import WASI, WASI_FUNCTIONS
        from .instance import core_import_type

        declared = {(one.namespace, one.name): one.signature for one in self.interface.imports}
        if len(declared) < len(self.interface.imports):
            names = [f"{one.namespace}.{one.name}" for one in self.interface.imports]
            twice = next(name for name in names if names.count(name) > 1)
            self.error(f"import `{twice}` is declared twice", "leave one of the declarations")
        met: set[tuple[str, str]] = set()
        for namespace, name, kind, letters in self.core.imports:
            met.add((namespace, name))
            place = f"import `{namespace}.{name}`"
            if kind != FUNCTION:
                self.error(
                    f"{place} is a {KINDS[kind]}: modules share functions only",
                    f"define the {KINDS[kind]} inside the module",
                )
            elif namespace == WASI:
                if name not in WASI_FUNCTIONS:
                    self.error(f"{place} is no function of WASI preview 1", "build for wasm32-wasip1")
                elif letters != WASI_FUNCTIONS[name]:
                    self.error(f"{place} of WASI has the signature {shown(*WASI_FUNCTIONS[name])}", "declare it so")
            elif namespace in HOST_NAMESPACES:
                wanted = {"log_utf8_string": ("iiii", ""), "get_call_parameters": ("", "")}.get(name, ("ii", ""))
                if letters != wanted:
                    self.error(f"{place} of the host has the signature {shown(*wanted)}", "declare it so")
            elif (namespace, name) in declared:
                needed = core_import_type(declared[namespace, name])
                assert needed is not None
                if letters != (needed.parameters, needed.results):
                    self.error(
                        f"{place} {_has(letters)}; its declaration needs {shown(needed.parameters, needed.results)}",
                        "strings and arrays are a pointer and a length, records a pointer",
                    )
            else:
                self.error(f"{place} is declared nowhere", self.import_remedy(namespace, name))
        for namespace, name in declared:
            if namespace in HOST_NAMESPACES or namespace == WASI:
                self.error(
                    f"`{namespace}` is a namespace of the host, no module", "call the imported module something else"
                )
            elif (namespace, name) not in met:
                self.out.append(
                    Problem("warning", f"the module does not import `{namespace}.{name}`", "leave its declaration out")
                )

    def import_remedy(self, namespace: str, name: str) -> str:
        if namespace.startswith("__marine_host_api"):
            return "this version of the host interface is not known; __marine_host_api_v3 is the latest"
        if namespace == "env":
            if name == "abort":
                return "AssemblyScript: build with `--use abort=`"
            return f"the linker left `{name}` open: link what defines it, or say which module it is of"
        if namespace.startswith("wasi"):
            return "of WASI only wasi_snapshot_preview1 is provided"
        return f'declare it: `service {namespace.capitalize()}("{namespace}"):` with `{name}(…)` in front of the service of the module'


# ── manifest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def manifest_of(document: object) -> Manifest:
    """A manifest from JSON: `version` and `build_time` (RFC 3339) are needed, the other fields may be absent. Raises ValueError."""
    if not isinstance(document, dict):
        raise ValueError("expected an object")
    for key, value in document.items():
        if key not in _MANIFEST_FIELDS:
            raise ValueError(f"unknown key `{key}`; known: {', '.join(_MANIFEST_FIELDS)}")
        if not isinstance(value, str):
            raise ValueError(f"`{key}`: expected a string")
    for key in ("version", "build_time"):
        if key not in document:
            raise ValueError(f"`{key}` is missing")
    made = Manifest(*(document.get(key, "") for key in _MANIFEST_FIELDS))
    try:
        manifest(with_custom_section(b"\0asm\1\0\0\0", MANIFEST, encode_manifest(made)))
    except SectionError as error:
        raise ValueError(str(error)) from None
    return made
