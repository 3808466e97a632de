"""wasmtime for this process: one engine, its clock for deadlines, and calls that cost half a microsecond.

The public API of wasmtime-py converts every value through objects and looks the function's type up on every call (25 µs);
`CoreFunction` and `define` go through the C API with prepared arguments instead. These use private names of the pinned
version, so `engine()` proves them on a small module first and refuses to work with a wasmtime that differs.
Errors: `TrapFault` from a core function. An exception inside an imported function is kept by the instance that made the
call, and the module sees a trap.
Source: wasmtime.h of wasmtime 50, wasmtime-py 50.0.1
"""

from __future__ import annotations

import ctypes
import threading
from ctypes import c_char_p, c_size_t, c_ubyte, c_uint64, c_void_p
from functools import lru_cache
from importlib.metadata import version
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from .codec import probe
from .errors import ErrorClass, LoadError, TrapFault, depth_fault
from .limits import ASK_TICKS, CALL_DEPTH_MAX, TICK_MS, WASM_STACK_BYTES
from .window import Window, no_window

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_SLOT: Final = 16
_PACKED: Final = {"i": "i12x", "I": "I12x", "l": "q8x", "f": "f12x", "d": "d8x"}
_PROBE_FROM: Final = 4
"""Imported functions within each other for which Python surely has frames."""
WASMTIME_VERSION: Final = version("wasmtime")

_SELF_TEST: Final = """(module (import "a" "b" (func $b (param i32 i64) (result f64))) (memory (export "memory") 1)
  (func (export "f") (param i32 i64) (result f64) (call $b (local.get 0) (local.get 1)))
  (func (export "t") unreachable) (func (export "n")))"""


class CoreType:
    """Signature of a core function, as letters: i i32, l i64, f f32, d f64."""

    __slots__ = ("parameters", "results")

    def __init__(self, parameters: str, results: str) -> None:
        """Make the signature."""
        self.parameters = parameters
        self.results = results

    def functype(self) -> wasmtime.FuncType:
        """The signature as wasmtime has it."""
        kinds = {
            "i": wasmtime.ValType.i32,
            "l": wasmtime.ValType.i64,
            "f": wasmtime.ValType.f32,
            "d": wasmtime.ValType.f64,
        }
        return wasmtime.FuncType([kinds[c]() for c in self.parameters], [kinds[c]() for c in self.results])


def _prototype(name: str, result: Any) -> Any:
    """A function of the C API, called with prepared arguments and without conversion."""
    function = ffi.dll[name]
    function.restype = result
    return function


_call: Final = _prototype("wasmtime_func_call_unchecked", c_void_p)
_quick: Final = ctypes.PyDLL(str(ffi.filename))
"""The same library for functions that return at once: the interpreter lock is kept."""
_memory_size: Final = _quick["wasmtime_memory_data_size"]
_memory_size.restype = c_size_t
_memory_data: Final = _quick["wasmtime_memory_data"]
_memory_data.restype = c_void_p
_trap_new: Final = ffi.dll["wasmtime_trap_new"]
_trap_new.restype = c_void_p
_trap_new.argtypes = [c_char_p, c_size_t]
_define: Final = ffi.dll["wasmtime_linker_define_func_unchecked"]
_define.restype = c_void_p
_CALLBACK: Final = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)
_on_epoch: Final = _prototype("wasmtime_store_epoch_deadline_callback", None)
_error_new: Final = ffi.dll["wasmtime_error_new"]
_error_new.restype = c_void_p
_error_new.argtypes = [c_char_p]
_EPOCH: Final = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, ctypes.POINTER(c_uint64), c_void_p)


class CoreFunction:
    """An exported core function, bound to its store. Call `plain`, or a `variant` for unsigned arguments.

    The buffer is shared by every call: arguments are read from it before the function runs, results are written after it
    has ended, and one thread at a time is inside a service.
    """

    __slots__ = ("_buffer", "_context", "_function", "_home", "_keep", "_variants", "address", "kind", "name")

    def __init__(self, store: wasmtime.Store, function: wasmtime.Func, kind: CoreType, name: str, home: Any) -> None:
        """Prepare the call. `home` takes what imported functions raise: see `Instance.failure`."""
        self.name = name
        self.kind = kind
        self._home = home
        self._keep = (store, function)
        self._context = c_void_p(ctypes.cast(store._context(), c_void_p).value)
        self._function = ctypes.byref(function._func)
        self.address = ctypes.addressof(function._func)
        """Of the handle, for native code."""
        self._buffer: Any = None
        self._variants: dict[str, Callable[..., Any]] = {}

    @property
    def plain(self) -> Callable[..., Any]:
        """The call with signed numbers."""
        return self.variant(self.kind.parameters)

    def variant(self, letters: str) -> Callable[..., Any]:
        """The call with arguments of these letters: `I` takes an i32 as an unsigned number.

        It returns None, the only result, or a tuple. Raises TrapFault.
        """
        found = self._variants.get(letters)
        if found is None:
            if self._buffer is None:
                # many functions of a module are never called, or only by native code
                self._buffer = (c_ubyte * (_SLOT * max(len(self.kind.parameters), len(self.kind.results), 1)))()
            found = self._variants[letters] = self._make(letters)
        return found

    def _make(self, letters: str) -> Callable[..., Any]:
        """The call written out for its number of arguments and results: it is made several times in every typed call."""
        trap = c_void_p()
        results = len(self.kind.results)
        names: dict[str, Any] = {
            "pack": Struct("<" + "".join(_PACKED[c] for c in letters)).pack_into,
            "unpack": Struct("<" + "".join(_PACKED[c] for c in self.kind.results)).unpack_from,
            "buffer": self._buffer,
            "invoke": _call,
            "context": self._context,
            "function": self._function,
            "pointer": c_void_p(ctypes.addressof(self._buffer)),
            "slots": c_size_t(len(self._buffer) // _SLOT),
            "trap": trap,
            "trap_at": ctypes.byref(trap),
            "home": self._home,
        }
        arguments = ", ".join(f"a{n}" for n in range(len(letters)))
        lines = [f"def run({arguments}):"]
        if self._home.is_limited:
            lines.append("    home.apply_limits()")
        if letters:
            lines.append(f"    pack(buffer, 0, {arguments})")
        lines += [
            "    error = invoke(context, function, pointer, slots, trap_at)",
            "    if error is not None or trap:",
            "        reason = trap.value",
            "        trap.value = None",
            "        raise home.failure(error, reason)",
        ]
        if results:
            lines.append("    return unpack(buffer)" + ("[0]" if results == 1 else ""))
        exec(_compiled("\n".join(lines)), names)  # the source is made of numbers only
        run: Callable[..., Any] = names["run"]
        return run


@lru_cache(maxsize=1024)
def _compiled(source: str) -> CodeType:
    return compile(source, "<core call>", "exec")


def failure_text(error: int | None, trap: int | None) -> str:
    """Message of a failed call; both objects are freed."""
    if error is not None:
        problem = wasmtime.WasmtimeError._from_ptr(ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t)))
        return _cause(str(problem))
    assert trap is not None
    found = wasmtime.Trap._from_ptr(ctypes.cast(trap, ctypes.POINTER(ffi.wasm_trap_t)))
    return _cause(found.message)


def _cause(text: str) -> str:
    """The cause without the addresses of the backtrace."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for index, line in enumerate(lines):
        if line.startswith("Caused by"):
            return lines[index + 1].removeprefix("0: ") if index + 1 < len(lines) else line
    return lines[0] if lines else "unknown"


def first_lines(text: str) -> str:
    """A message of the engine without its backtrace."""
    return _cause(text)


def define(
    linker: wasmtime.Linker,
    namespace: str,
    name: str,
    kind: CoreType,
    body: Callable[..., Any],
    home: Any,
    native: Callable[[Any], tuple[int, int]] | None = None,
) -> Any:
    """Define an imported function. The returned object must live as long as the linker and its instances.

    `body` gets the arguments and returns None, a number or a tuple; `home.depth[0]` counts how many are at work. What it raises
    is put into `home.pending` and the module traps; so it does when too many such calls lie within each other. native: given that
    as a callback of wasmtime, address and argument of the native one that takes its place. Raises wasmtime.WasmtimeError for a name
    that is defined already.
    """
    unpack = Struct("<" + "".join(_PACKED[c] for c in kind.parameters)).unpack_from
    pack = Struct("<" + "".join(_PACKED[c] for c in kind.results)).pack_into
    results = len(kind.results)
    takes = bool(kind.parameters)
    depth = home.depth
    area = c_ubyte * (_SLOT * max(len(kind.parameters), results, 1))
    last_address, buffer = 0, area()

    def entered(_env: Any, _caller: Any, address: int, _count: int) -> int | None:
        nonlocal last_address, buffer
        depth[0] += 1
        try:
            if depth[0] > _PROBE_FROM:
                if depth[0] > CALL_DEPTH_MAX:
                    raise depth_fault()
                probe()
            if address != last_address and address:
                # most calls come from the same depth of the stack
                last_address, buffer = address, area.from_address(address)
            here = buffer  # a nested call from another depth may exchange it
            answer = body(*unpack(here)) if takes else body()
            if results == 1:
                pack(here, 0, answer)
            elif results:
                pack(here, 0, *answer)
            if home.is_limited:
                home.returning()
        except BaseException as error:  # noqa: BLE001 - must not cross the foreign frames; the caller raises it again
            home.pending = error
            return int(_trap_new(b"host function failed", 20))
        finally:
            depth[0] -= 1
        return None

    callback = _CALLBACK(entered)
    space, item = namespace.encode(), name.encode()
    functype = kind.functype()
    address, env = (callback, None) if native is None else map(c_void_p, native(callback))
    problem = _define(
        linker.ptr(), c_char_p(space), c_size_t(len(space)), c_char_p(item), c_size_t(len(item)),
        functype.ptr(), address, env, None,
    )  # fmt: skip
    if problem:
        raise wasmtime.WasmtimeError._from_ptr(ctypes.cast(problem, ctypes.POINTER(ffi.wasmtime_error_t)))
    return callback


def watch(store: wasmtime.Store, home: Any) -> Any:
    """Have the Wasm code of a store ask `home.ticks_left()` whether it may go on; the answer says when to ask again.

    What that raises is put into `home.pending` and ends the call. The returned object must outlive the store.
    """

    def reached(_context: Any, _data: Any, delta: Any, _kind: Any) -> int | None:
        try:
            delta[0] = home.ticks_left()
        except BaseException as error:  # noqa: BLE001 - must not cross the foreign frames; the caller raises it again
            home.pending = error
            return int(_error_new(b"ended by the host"))
        return None

    callback = _EPOCH(reached)
    _on_epoch(store.ptr(), callback, None, None)
    return callback


def store_handles(store: wasmtime.Store) -> tuple[int, int]:
    """Addresses of a store and of its context, for native code."""
    return ctypes.cast(store.ptr(), c_void_p).value or 0, ctypes.cast(store._context(), c_void_p).value or 0


def memory_handle(memory: wasmtime.Memory) -> int:
    """Address of the handle of a memory, for native code; it lives as long as the object."""
    return ctypes.addressof(memory._memory)


def window(store: wasmtime.Store, memory: wasmtime.Memory | None) -> Window:
    """The memory of an instance; one that fails on use when there is none."""
    if memory is None:
        return no_window()
    context = c_void_p(ctypes.cast(store._context(), c_void_p).value)
    at = ctypes.byref(memory._memory)
    keep = (store, memory)

    def length() -> int:
        return int(_memory_size(context, at))

    def data() -> int:
        return int(_memory_data(context, at) or 0)

    def view(address: int, size: int) -> memoryview:
        assert keep
        if not size:
            return memoryview(b"")
        return memoryview((c_ubyte * size).from_address(address)).cast("B")

    return Window(length, data, view)


class Clock:
    """The epoch of the engine: a thread moves it on while somebody waits for a deadline."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        """Stand still."""
        self._engine = engine
        self._waiting = 0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Clock:
        """Tick until the matching exit."""
        with self._condition:
            self._waiting += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wasm-clock", daemon=True)
                self._thread.start()
            self._condition.notify_all()
        return self

    def __exit__(self, *_: object) -> None:
        """One waiter less."""
        with self._condition:
            self._waiting -= 1

    def _run(self) -> None:
        with self._condition:
            while True:
                if not self._waiting:
                    self._condition.wait()
                else:
                    self._condition.wait(TICK_MS / 1000)
                    self._engine.increment_epoch()


def ticks(milliseconds: float) -> int:
    """How many ticks a time takes, rounded up, one more because the current tick has begun."""
    return int(-(-milliseconds // TICK_MS)) + 1


class _Global:
    engine: wasmtime.Engine | None = None
    clock: Clock | None = None
    lock = threading.Lock()


def settings() -> wasmtime.Config:
    """The configuration; part of the key of compiled modules through `SETTINGS_KEY`."""
    config = wasmtime.Config()
    config.max_wasm_stack = WASM_STACK_BYTES
    config.epoch_interruption = True
    # what the engines of the reference do not have, and what would hold memory that no limit counts
    config.wasm_threads = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.wasm_gc = False
    config.wasm_function_references = False
    config.wasm_exceptions = False
    config.wasm_relaxed_simd = False
    return config


SETTINGS_KEY: Final = f"stack{WASM_STACK_BYTES >> 20}-epoch-2"


def engine() -> wasmtime.Engine:
    """The engine of this process. Raises LoadError when the installed wasmtime is not the one this was written for."""
    with _Global.lock:
        if _Global.engine is None:
            fresh = wasmtime.Engine(settings())
            _prove(fresh)
            _Global.engine = fresh
            _Global.clock = Clock(fresh)
        return _Global.engine


def clock() -> Clock:
    """The clock of the engine."""
    engine()
    assert _Global.clock is not None
    return _Global.clock


def wake() -> None:
    """Have all Wasm code ask now whether it may go on."""
    if _Global.engine is not None:
        for _ in range(ASK_TICKS):
            _Global.engine.increment_epoch()


class _Probe:
    """A home for the functions of the self-test."""

    is_limited = False
    pending: BaseException | None = None
    asked = 0

    def __init__(self) -> None:
        """Nothing has happened."""
        self.depth = [0]

    def ticks_left(self) -> int:
        """Once is fine."""
        self.asked += 1
        if self.asked > 1:
            raise TrapFault("asked twice")
        return 1

    def returning(self) -> None:
        """Nothing to restore."""

    def failure(self, error: int | None, trap: int | None) -> BaseException:
        """As an instance does."""
        text = failure_text(error, trap)
        return self.pending or TrapFault(text)


def _prove(fresh: wasmtime.Engine) -> None:
    """Run the prepared calls once against a module with a known answer."""
    store, linker, home = wasmtime.Store(fresh), wasmtime.Linker(fresh), _Probe()
    try:
        kind = CoreType("il", "d")
        keep = define(linker, "a", "b", kind, lambda a, b: a * 2.0 + b, home), watch(store, home)
        exports = linker.instantiate(store, wasmtime.Module(fresh, _SELF_TEST)).exports(store)
        memory = window(store, exports["memory"])
        answer = CoreFunction(store, exports["f"], kind, "f", home).plain(-3, 1 << 40)
        ends = [_trap_of(CoreFunction(store, exports["t"], CoreType("", ""), "t", home).plain)]
        fresh.increment_epoch()
        ends.append(_trap_of(CoreFunction(store, exports["n"], CoreType("", ""), "n", home).plain))
        fine = (
            len(keep) == 2 and answer == (1 << 40) - 6 and len(memory.refresh()) == 65536
            and "unreachable" in ends[0] and ends[1] == "asked twice"
        )  # fmt: skip
    except (AttributeError, TypeError, wasmtime.WasmtimeError) as error:
        raise LoadError(f"wasmtime {WASMTIME_VERSION} cannot be used: {error}") from error
    if not fine:
        raise LoadError(f"wasmtime {WASMTIME_VERSION} cannot be used: the self-test failed")


def _trap_of(call: Callable[[], Any]) -> str:
    try:
        call()
    except TrapFault as fault:
        return fault.text
    return ""


__all__ = [
    "SETTINGS_KEY", "Clock", "CoreFunction", "CoreType", "ErrorClass", "clock", "define", "engine",
    "failure_text", "memory_handle", "store_handles", "ticks", "wake", "watch", "window",
]  # fmt: skip
