"""One running module: its store, its memory, its typed functions, and what it may call.

Made by `host` in load order. Output: `Function`s by name. A module keeps its memory and globals for the life of the service,
after traps too. Errors: LoadError while it is made, AdapterFault from calls.
Source: marine:core/src/module/marine_module.rs, wit_instance.rs, crates/wasmtime-backend
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

import wasmtime

from . import engine as backend
from .call_parameters import shape_of
from .engine import CoreFunction, CoreType
from .errors import AdapterFault, ErrorClass, Fault, LoadError, TrapFault
from .host_imports import host_functions
from .interpreter import Tagged, interpret
from .itypes import BYTES, F32, F64, I64, S64, STRING, U8, U64, ArrayOf, ByteList, IType, Prim, same_shapes
from .json_values import Arguments, ValueCodec
from .limits import ASK_TICKS, TABLE_ELEMENTS_MAX, TABLES_MAX
from .locate import failed_allocation
from .marshal import bind, plan
from .native.kernels import layout
from .polling import POLL, poll_oneoff
from .verify import LETTER_TYPES, is_well_typed
from .wasi import WASI, make_wasi

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping

    from .artifact import Artifact
    from .codec import Codecs
    from .config import ModuleConfig
    from .host import Service
    from .interface import ExportedFunction, ImportedFunction
    from .interface_types import FunctionType, Instruction
    from .native.program import Callee, Program
    from .native.service import Adapter
    from .window import Window

_NO_ALLOCATE_ARGUMENTS: Final = (
    "allocate func doesn't receive two i32 values,probably a Wasm module's built with unsupported sdk version"
)
_NO_ALLOCATE_RESULT: Final = (
    "allocate func doesn't return a one value of I32 type,probably a Wasm module's built with unsupported sdk version"
)
_OOM_BYTES: Final = 64 << 10


class Function:
    """A typed function of an instance. `run` takes and returns plain values; use it only when `is_verified`."""

    __slots__ = ("_arguments", "_native", "_run", "_verified", "_write_result", "body", "instance", "name", "signature")

    def __init__(self, instance: Instance, exported: ExportedFunction) -> None:
        """Prepare nothing yet: a module may have hundreds of functions."""
        self.instance = instance
        self.name = exported.name
        self.signature = exported.signature
        self.body = exported.body
        self._verified: bool | None = None
        self._run: Callable[..., Any] | None = None
        self._native: Adapter | Literal[False] | None = False
        self._arguments: Arguments | None = None
        self._write_result: Callable[[Any], Any] | Literal[False] | None = False

    @property
    def arguments(self) -> Arguments:
        """Reads JSON arguments."""
        if self._arguments is None:
            self._arguments = Arguments(self.instance.values, self.instance.name, self.name, self.signature)
        return self._arguments

    @property
    def write_result(self) -> Callable[[Any], Any] | None:
        """Makes JSON of the result; None where it is JSON already."""
        if self._write_result is False:
            results = self.signature.results
            self._write_result = self.instance.values.writer(results[0]) if len(results) == 1 else None
        return self._write_result

    @property
    def is_verified(self) -> bool:
        """Whether the adapter may be translated."""
        if self._verified is None:
            self._verified = self.instance.service.engine != "interpreted" and self.instance.is_well_typed(
                self.body, self.signature.argument_types, self.signature.results
            )
        return self._verified

    @property
    def run(self) -> Callable[..., Any]:
        """The translated adapter."""
        if self._run is None:
            self._run = self.instance.translated(("export", self.name), self.body, len(self.signature.arguments))
        return self._run

    @property
    def native(self) -> Adapter | None:
        """The adapter for native code, None if it stays with Python. Ask only while native code serves the service."""
        if self._native is False:
            self._native = self._find_native()
        return self._native

    def _find_native(self) -> Adapter | None:
        from .native.service import Adapter

        if not self.is_verified:
            return None
        place = ("export", self.name)
        kinds = self.signature.argument_types
        program = self.instance.native_program(place, self.body, kinds, self.signature.results)
        home = self.instance.native_home
        return None if program is None or home is None else Adapter(home, program, self.instance.codecs)

    def call_tagged(self, arguments: list[Tagged]) -> list[Tagged]:
        """Run the adapter on tagged values, translated if it is verified and they are of the declared types."""
        declared = self.signature.argument_types
        if self.is_verified and same_shapes([value.kind for value in arguments], declared):
            answer = self.run(*(value.value for value in arguments))
            results = self.signature.results
            answers = () if not results else (answer,) if len(results) == 1 else answer
            return [tag(kind, value) for kind, value in zip(results, answers, strict=True)]
        return interpret(self.body, self.instance, arguments)


def tag(kind: IType, value: Any) -> Tagged:
    """A plain value with its type; what JSON gives for a byte array is an array of u8."""
    return Tagged(_ARRAY_U8 if kind is BYTES and isinstance(value, ByteList) else kind, value)


_ARRAY_U8: Final = ArrayOf(U8)


class Instance:
    """A module in a service. Everything the adapters need is here: codecs, window, budget, functions by index."""

    def __init__(
        self, service: Service, config: ModuleConfig, artifact: Artifact, loaded: Mapping[str, Instance]
    ) -> None:
        """Instantiate the module and run its start functions. Raises LoadError."""
        self.service = service
        self.name = config.name
        self.config = config
        self.artifact = artifact
        self.codecs: Codecs = artifact.codecs
        self.values = ValueCodec()
        self.budget = service.budget
        self.depth = service.depth
        self.is_limited = service.memory_limit is not None
        self.pending: BaseException | None = None
        self.table_bytes = artifact.table_bytes
        self._keep: list[Any] = []
        self.store = wasmtime.Store(backend.engine())
        self.store.set_limits(table_elements=TABLE_ELEMENTS_MAX, tables=TABLES_MAX)
        self._keep.append(backend.watch(self.store, self))
        wasi, output = make_wasi(config, _output(service, config.name))
        self.store.set_wasi(wasi)
        self._keep.append(output)
        self._cores: list[CoreFunction | None] = []
        self._called: list[Function] = []
        self.functions: dict[str, Function] = {}
        self._named: dict[str, CoreFunction] = {}
        self._exports: Any = None
        self._parameter_envs: list[array[int]] = []
        self.allocate: Callable[[int, int], int] = self._allocator()
        self.window: Window = backend.window(self.store, None)
        self._home: array[int] | None = None
        self._programs: dict[tuple[str, str], Program | None] = {}
        service.instances.append(self)
        service.count_tables()
        try:
            self._instantiate(loaded)
        except (AdapterFault, TrapFault) as error:
            raise LoadError(f"Wasm backend error: {error.text}") from None

    # ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _instantiate(self, loaded: Mapping[str, Instance]) -> None:
        linker = wasmtime.Linker(backend.engine())
        if self.artifact.interface.imports_problem is not None:
            raise LoadError(self.artifact.interface.imports_problem)
        try:
            linker.define_wasi()
            linker.allow_shadowing = True
            self._keep.append(backend.define(linker, WASI, "poll_oneoff", POLL, poll_oneoff(self), self))
            linker.allow_shadowing = False
            for namespace, name, kind, body in host_functions(self):
                native = self._native_host_function(namespace, name)
                self._keep.append(backend.define(linker, namespace, name, kind, body, self, native))
            for imported in self.artifact.interface.imports:
                core = core_import_type(imported.signature)
                if core is not None:
                    body, native = self._import_body(imported), self._native_import(imported, core)
                    kept = backend.define(linker, imported.namespace, imported.name, core, body, self, native)
                    self._keep.append(kept)
            self._pay_for_tables()
            self.apply_limits()
            instance = self.service.within_time(lambda: linker.instantiate(self.store, self.artifact.compiled))
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            text = self._pending_text() or backend.first_lines(str(error))
            raise LoadError(f"Wasm backend error: failed to instantiate: {text}") from None
        self._keep.append(linker)
        self._exports = instance.exports(self.store)
        memory = self._exports.get("memory")
        self.window = backend.window(self.store, memory if isinstance(memory, wasmtime.Memory) else None)
        interface = self.artifact.interface
        for export in interface.exports:
            if export.name not in self.artifact.core_types:
                raise LoadError(f"Wasm backend error: export not found: {export.name}")
            self._cores.append(self.core_by_name(export.name))
        for called in interface.called:
            other = loaded.get(called.namespace)
            if other is None:
                raise LoadError(f"module with name '{called.namespace}' isn't loaded into Marine")
            if called.problem:
                raise LoadError(called.problem)
            target = other.functions.get(called.name)
            if target is None:
                raise LoadError(f"module with name '{self.name}' doesn't have function with name {called.name}")
            self._called.append(target)
        if self.artifact.problem is not None:
            raise LoadError(self.artifact.problem)
        self.allocate = self._allocator()
        self.functions = {name: Function(self, exported) for name, exported in interface.functions.items()}
        self.enter_native()
        for name in ("_initialize", "_start"):
            found = self.artifact.core_types.get(name)
            if found is not None and not found.parameters:
                start = self.core_by_name(name)
                assert start is not None
                self.service.within_time(start.plain)

    def core_by_name(self, name: str) -> CoreFunction | None:
        """An exported core function; None when there is none that adapters can call."""
        found = self._named.get(name)
        if found is None:
            kind = self.artifact.core_types.get(name)
            function = self._exports.get(name) if kind is not None else None
            if kind is None or not isinstance(function, wasmtime.Func):
                return None
            found = self._named[name] = CoreFunction(self.store, function, kind, name, self)
        return found

    def _import_body(self, imported: ImportedFunction) -> Callable[..., Any]:
        """The core import that an adapter serves; the adapter is linked when it is first called."""
        linked: list[Callable[..., Any]] = []

        def body(*core: Any) -> Any:
            if not linked:
                linked.append(self._link_import(imported))
            return linked[0](*core)

        return body

    def _link_import(self, imported: ImportedFunction) -> Callable[..., Any]:
        kind = core_import_type(imported.signature)
        assert kind is not None
        taken = [LETTER_TYPES[c] for c in kind.parameters]
        given = [LETTER_TYPES[c] for c in kind.results]
        if self.service.engine != "interpreted" and self.is_well_typed(imported.body, tuple(taken), tuple(given)):
            place = (f"import {imported.namespace}", imported.name)
            return self.translated(place, imported.body, len(taken))

        def interpreted(*core: Any) -> Any:
            stack = interpret(imported.body, self, [Tagged(k, v) for k, v in zip(taken, core, strict=True)])
            if [value.kind for value in stack] != given:
                shown = ", ".join(repr(value.kind) for value in stack)
                raise AdapterFault(f"an import adapter of `{imported.name}` ended with [{shown}]", ErrorClass.TYPE)
            values = tuple(value.value for value in stack)
            return values[0] if len(values) == 1 else values

        return interpreted

    # ── native code ──────────────────────────────────────────────────────────────────────────────────────────────────

    def enter_native(self) -> None:
        """Make the module known to native code, if that serves the service."""
        native = self.service.native
        if native is None:
            return
        store, context = backend.store_handles(self.store)
        memory, setter = self._exports.get("memory"), self.core_by_name("set_result_ptr")
        self._keep.append(memory)
        is_usable = setter is not None and setter.kind.parameters == "i" and not setter.kind.results
        handles = {
            layout.H_STORE: store,
            layout.H_CONTEXT: context,
            layout.H_MEMORY: backend.memory_handle(memory) if isinstance(memory, wasmtime.Memory) else 0,
            layout.H_TABLE_ELEMENTS: min(self.artifact.table_elements, TABLE_ELEMENTS_MAX),
            layout.H_SET_POINTER: setter.address if setter is not None and is_usable else 0,
        }
        cores = [0 if core is None else core.address for core in self._cores]
        self._home = native.add_home(self, handles, cores, len(self._called))
        for env in self._parameter_envs if is_usable and self.has_allocator else ():
            env[layout.E_HOME], env[layout.E_PROGRAM] = self._home.buffer_info()[0], layout.LINKED

    @property
    def native_home(self) -> int | None:
        """Address of what native code knows of the module."""
        return None if self._home is None else self._home.buffer_info()[0]

    def _native_host_function(self, namespace: str, name: str) -> Callable[[Any], tuple[int, int]] | None:
        """How a function of the host is defined for native code; None where Python does all of it."""
        native = self.service.native
        if native is None or name not in ("log_utf8_string", "get_call_parameters"):
            return None
        if name in self.config.mounted_binaries:
            return None
        if name == "log_utf8_string":
            words = {layout.E_MASK: self.config.logging_mask}
            return lambda callback: native.callback("log_called", callback, words)[:2]

        def define(callback: Any) -> tuple[int, int]:
            words = {layout.E_SHAPE: shape_of(namespace), layout.E_PROGRAM: layout.PYTHON}
            address, env, known = native.callback("parameters_called", callback, words)
            self._parameter_envs.append(known)
            return address, env

        return define

    def _native_import(self, imported: ImportedFunction, core: CoreType) -> Callable[[Any], tuple[int, int]] | None:
        """The same of a function of another module."""
        native = self.service.native
        if native is None:
            return None

        def link(env: array[int]) -> bool:
            home = self.native_home
            if home is None:
                return False  # the module is not loaded yet
            env[layout.E_HOME], env[layout.E_PROGRAM] = home, layout.PYTHON
            taken = tuple(LETTER_TYPES[c] for c in core.parameters)
            given = tuple(LETTER_TYPES[c] for c in core.results)
            if self.service.engine != "interpreted" and self.is_well_typed(imported.body, taken, given):
                place = (f"import {imported.namespace}", imported.name)
                program = self.native_program(place, imported.body, taken, given, core.parameters)
                if program is not None:
                    env[layout.E_PROGRAM] = program.address
            return True

        return lambda callback: native.callback("import_called", callback, {}, link)[:2]

    def native_program(
        self,
        place: tuple[str, str],
        body: tuple[Instruction, ...],
        arguments: tuple[IType, ...],
        results: tuple[IType, ...],
        letters: str | None = None,
    ) -> Program | None:
        """A verified adapter of this instance for native code, None if it, or one that it calls, is not for that.

        letters: of the arguments, where they are core values.
        """
        if place not in self._programs:
            self._programs[place] = self._bound_program(place, body, arguments, results, letters)
        return self._programs[place]

    def _bound_program(
        self,
        place: tuple[str, str],
        body: tuple[Instruction, ...],
        arguments: tuple[IType, ...],
        results: tuple[IType, ...],
        letters: str | None,
    ) -> Program | None:
        from .native.program import encode

        native, programs = self.service.native, self.artifact.programs
        if native is None or self._home is None:
            return None
        if place not in programs:
            tables, cores = self.codecs.tables, len(self._cores)
            programs[place] = encode(body, arguments, results, tables, self._callee, cores, letters)
        program = programs[place]
        if program is None:
            return None
        targets = {}
        for number in program.called:
            target = self._called[number].native
            if target is None:
                return None
            targets[number] = target.home, target.program.address
        native.bind(self._home, program, targets)
        return program

    def _callee(self, number: int) -> Callee:
        from .native.program import Callee

        core = self.core_function(number)
        if core is not None:
            return Callee(core.name, len(core.kind.parameters), core.kind.results)
        return Callee(*self._called_counts(number))

    # ── what adapters ask for ────────────────────────────────────────────────────────────────────────────────────────

    def core_function(self, number: int) -> CoreFunction | None:
        """The core export at an index; None beyond them, or when its values are unknown to adapters."""
        return self._cores[number] if number < len(self._cores) else None

    def called_function(self, number: int) -> Function | None:
        """The function of another module at an index."""
        at = number - len(self._cores)
        return self._called[at] if 0 <= at < len(self._called) else None

    def declared(self, number: int) -> FunctionType | None:
        """How this module declares the function at an index."""
        at = number - len(self._cores)
        called = self.artifact.interface.called
        return called[at].declared if 0 <= at < len(called) else None

    def _signature(self, number: int) -> tuple[tuple[IType, ...], tuple[IType, ...]] | None:
        """What a `call-core` takes and gives, when that is certain before the call."""
        core = self.core_function(number)
        if core is not None:
            kinds = core.kind
            return tuple(LETTER_TYPES[c] for c in kinds.parameters), tuple(LETTER_TYPES[c] for c in kinds.results)
        target, declared = self.called_function(number), self.declared(number)
        if target is None or declared is None or not target.is_verified:
            return None
        actual = target.signature
        if not same_shapes(declared.argument_types, actual.argument_types):
            return None
        if not same_shapes(declared.results, actual.results):
            return None
        return declared.argument_types, declared.results

    @property
    def has_allocator(self) -> bool:
        """Whether the module has a function that reserves memory, as adapters call it."""
        allocator = self.core_function(0)
        return allocator is not None and allocator.kind.parameters == "ii" and allocator.kind.results == "i"

    def is_well_typed(
        self, body: tuple[Instruction, ...], arguments: tuple[IType, ...], results: tuple[IType, ...]
    ) -> bool:
        """Whether an adapter of this module may be translated."""
        return self.has_allocator and is_well_typed(body, arguments, results, self.codecs.tables, self._signature)

    def translated(self, place: tuple[str, str], body: tuple[Instruction, ...], arguments: int) -> Callable[..., Any]:
        """The adapter as a function of this instance; the translation is shared by all instances of the module."""
        found = self.artifact.plans.get(place)
        if found is None:
            found = self.artifact.plans[place] = plan(body, arguments, self._core_letters, self._called_counts)
        return bind(found, self)

    def _core_letters(self, number: int) -> tuple[str, str, str] | None:
        core = self.core_function(number)
        return None if core is None else (core.name, core.kind.parameters, core.kind.results)

    def _called_counts(self, number: int) -> tuple[str, int, int]:
        target = self.called_function(number)
        assert target is not None
        return target.name, len(target.signature.arguments), len(target.signature.results)

    def _allocator(self) -> Callable[[int, int], int]:
        """What reserves memory in the module; the address is an unsigned number. It raises Fault."""
        function = self.core_function(0)
        problem = None
        if function is None:
            problem = "the local or import function `0` doesn't exist"
        elif function.kind.parameters[:2].strip("i"):
            problem = _NO_ALLOCATE_ARGUMENTS
        elif function.kind.results != "i":
            problem = _NO_ALLOCATE_RESULT
        elif function.kind.parameters != "ii":
            problem = _NO_ALLOCATE_ARGUMENTS
        if problem is not None or function is None:
            text = problem or ""

            def refuse(_size: int, _tag: int) -> int:
                raise Fault(text, ErrorClass.TYPE)

            return refuse
        run = function.variant("Ii")

        def allocate(size: int, tag: int) -> int:
            try:
                pointer: int = run(size, tag)
            except TrapFault as fault:
                raise failed_allocation(fault) from None
            return pointer & 0xFFFFFFFF

        return allocate

    # ── limits and failures ──────────────────────────────────────────────────────────────────────────────────────────

    def memory_size(self) -> int:
        """Bytes of memory 0; zero while there is none."""
        try:
            self.window.refresh()
        except Fault:
            return 0
        return self.window.size

    def memory(self) -> memoryview:
        """Memory 0 as it stands; empty when there is none. Works while the module starts, too."""
        try:
            return self.window.refresh()
        except Fault:
            return memoryview(b"")

    def _pay_for_tables(self) -> None:
        limit = self.service.memory_limit
        paid = sum(other.table_bytes for other in self.service.instances)
        if limit is not None and paid > limit:
            raise LoadError(f"Wasm backend error: tables of {paid} bytes exceed the memory limit of {limit}")

    def apply_limits(self) -> None:
        """Before control enters this module: what the others use is not free for it."""
        limit = self.service.memory_limit
        if limit is None:
            return
        others = sum(other.memory_size() for other in self.service.instances if other is not self)
        tables = sum(other.table_bytes for other in self.service.instances)
        free = max(limit - others - tables, 0)
        # nobody can see how far a table has grown: none grows, or it has been paid for
        elements = min(self.artifact.table_elements, TABLE_ELEMENTS_MAX)
        self.store.set_limits(memory_size=free, table_elements=elements, tables=TABLES_MAX)

    def returning(self) -> None:
        """Control comes back from an imported function: other modules may have grown."""
        if self.is_limited:
            self.apply_limits()

    def failure(self, error: int | None, trap: int | None) -> BaseException:
        """The exception for a failed core call: what an imported function raised, else the trap."""
        text = backend.failure_text(error, trap)
        self._take_native_failure()
        pending, self.pending = self.pending, None
        if pending is not None:
            match pending:
                case AdapterFault() | Fault() | TrapFault():
                    return TrapFault(f"Trap occurred: {pending.text}", pending.error_class)
                case RecursionError() | MemoryError():
                    return TrapFault(f"Trap occurred: {type(pending).__name__} in the host", ErrorClass.LIMIT)
                case _:
                    return pending
        limit = self.service.memory_limit
        if limit is not None:
            free = limit - sum(other.memory_size() for other in self.service.instances)
            if free < _OOM_BYTES:
                return TrapFault(f"OOM suspected (less than {_OOM_BYTES >> 10} KiB of the memory limit left): {text}")
        return TrapFault(f"Trap occurred: {text}")

    def _take_native_failure(self) -> None:
        """What failed below may have been native adapters, whose error nobody has worded."""
        native = self.service.native
        if native is not None and native.has_failed:
            self.pending = native.failure()

    def _pending_text(self) -> str | None:
        self._take_native_failure()
        pending, self.pending = self.pending, None
        if pending is None:
            return None
        if isinstance(pending, AdapterFault | Fault | TrapFault):
            return pending.text
        if isinstance(pending, Exception):
            return str(pending)
        raise pending

    def close(self) -> None:
        """Free the module and its memory now. Nothing of it may be called afterwards; its memory reads as none.

        Everything that holds a pointer into the store is dropped first. Imported functions outlive it.
        """
        self.window = backend.window(self.store, None)
        self.functions = {}
        self._cores, self._called, self._named = [], [], {}
        self.allocate = self._allocator()
        self._exports = None
        self.store.close()
        self._keep.clear()

    def ticks_left(self) -> int:
        """Asked by the code of the module: when to ask again. Raises TrapFault when the call has to end."""
        if self.service.running.stopped:
            raise TrapFault("wasm trap: interrupt: the call was stopped", ErrorClass.STOPPED)
        left_ms = self.service.remaining_ms()
        if left_ms is None:
            return ASK_TICKS
        if left_ms <= 0:
            raise TrapFault("wasm trap: interrupt: the call ran out of time", ErrorClass.DEADLINE)
        return min(backend.ticks(left_ms), ASK_TICKS)

    def ask_within(self, milliseconds: float) -> None:
        """Have the code of the module ask after this time, or earlier."""
        self.store.set_epoch_deadline(min(backend.ticks(milliseconds), ASK_TICKS))


def _output(service: Service, name: str) -> Callable[[list[bytes]], bool]:
    """Passes lines on to the service; False when the module had better not write any more.

    It does not keep the service alive, so that one which nobody closes goes as soon as nobody has it.
    """
    there = weakref.ref(service)

    def write(lines: list[bytes]) -> bool:
        found = there()
        return found is None or found.emit_output(name, lines)

    return write


def core_import_type(signature: FunctionType) -> CoreType | None:
    """Core signature of an imported function; None for types that never stand there."""
    letters = [[_core_letter(kind) for kind in kinds] for kinds in (signature.argument_types, signature.results)]
    if any(letter is None for side in letters for letter in side):
        return None
    return CoreType(*("".join(letter or "" for letter in side) for side in letters))


def _core_letter(kind: IType) -> str | None:
    if not isinstance(kind, Prim) or kind in (STRING, BYTES):
        return None
    if kind in (S64, U64, I64):
        return "l"
    return "f" if kind is F32 else "d" if kind is F64 else "i"


__all__ = ["Function", "Instance", "core_import_type", "tag"]
