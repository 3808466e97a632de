"""A service: modules linked to each other, callable through the last one.

One call at a time; services run in parallel. Every call runs on a thread with a large stack, within the limits of the
configuration, and leaves the service usable whatever happens. It ends before its time when the service is closed, when the
thread that waits for it is interrupted, and when a pending one is stopped. Output: JSON values. Errors: LoadError from the
constructor, CallError from `call`.
Source: marine:marine/src/marine.rs, crates/fluence-app-service/src/service.rs
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from . import engine as backend
from .artifact import load_artifact
from .call_parameters import NO_PARAMETERS, CallParameters, image
from .calls import PendingCall, Running
from .errors import AdapterFault, CallError, ErrorClass, LoadError
from .files import read_module
from .instance import Function, Instance, tag
from .interpreter import as_declared, debug_value
from .json_values import parse_text, result_text
from .limits import LOG_BYTES_MAX, LOG_RECORDS_MAX, MODULES_MAX, STOP_GRACE_S
from .native.kernels import layout
from .native.service import NativeService, Unwritten, new_words, shape_program
from .workers import here, on_stack, stack_bytes, submit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .config import ModuleConfig, ServiceConfig
    from .interface import Interface

T = TypeVar("T")
_log: Final = logging.getLogger("runtime.marine")
_LIMIT_MAX: Final = 1 << 62
"""A larger limit of memory is none: neither wasmtime nor native code has room for its number."""
Engine = Literal["auto", "native", "translated", "interpreted"]
"""How well-typed adapters run; others run on the checked interpreter.

auto: in native code, as soon as it is there, until then translated. native: in native code, which is compiled first if need be; translated
where there is none. translated: as generated Python. interpreted: on the checked interpreter, too.
"""


class LogRecord(NamedTuple):
    """A message of a module. Levels: error, warn, info, debug, trace; `output` for what it writes to its streams."""

    module: str
    level: str
    message: str


class Service:
    """A running service. Safe to use from several threads; calls wait for each other.

    log: takes messages of the modules while their call waits; too many of one call are dropped, see `limits`. It cannot call the
    same service; services that call each other from here, at the same time, may wait for each other forever. engine: how
    well-typed adapters run, see `Engine`.
    """

    def __init__(
        self,
        config: ServiceConfig,
        modules: Mapping[str, bytes] | None = None,
        *,
        log: Callable[[LogRecord], None] | None = None,
        cache: Path | None = None,
        engine: Engine = "auto",
    ) -> None:
        """Load every module in order. `modules` has their bytes by name, else their files are read. Raises LoadError."""
        if len(config.modules) > MODULES_MAX:
            raise LoadError(f"a service has at most {MODULES_MAX} modules, not {len(config.modules)}")
        if not config.modules:
            raise LoadError("config should contain at least one module")
        self.config = config
        self._facade = config.facade.name
        self.memory_limit = None if config.memory_limit is None else min(config.memory_limit, _LIMIT_MAX)
        self.engine = engine
        self._words = new_words()
        self.budget = memoryview(self._words)[layout.S_BUDGET : layout.S_BUDGET + 1]
        self.depth = memoryview(self._words)[layout.S_DEPTH : layout.S_DEPTH + 1]
        self.native: NativeService | None = None
        self._may_go_native = engine in ("auto", "native")
        self.call_parameters: CallParameters = NO_PARAMETERS
        self.instances: list[Instance] = []
        self.from_cache = True
        self._log = log
        self.has_log = log is not None
        self._lock = threading.Lock()
        self._stack = stack_bytes(len(config.modules))
        self._until: float | None = None
        self._time_ms = config.timeout_ms if config.start_timeout_ms is None else config.start_timeout_ms
        self._closed = False
        self._log_error: BaseException | None = None
        self._log_left = [0, 0]
        self._modules: dict[str, Instance] = {}
        self.running = Running()
        on_stack(self._stack, lambda: self._load(modules, cache), self.running.stop)

    def _load(self, modules: Mapping[str, bytes] | None, cache: Path | None) -> None:
        try:
            self._load_modules(modules, cache)
            self._time_ms = self.config.timeout_ms
            self._raise_log_error()
        except BaseException:
            self._free()
            raise

    def _load_modules(self, modules: Mapping[str, bytes] | None, cache: Path | None) -> None:
        if self._may_go_native:
            self._go_native()
        given = None if modules is None else dict(modules)
        for module in self.config.modules:
            wasm = _bytes_of(module, given)
            try:
                artifact = load_artifact(module.name, wasm, cache=cache)
                self.from_cache = self.from_cache and artifact.from_cache
                self.budget[0] = self.config.lift_bytes_max
                self._log_left = [LOG_RECORDS_MAX, LOG_BYTES_MAX]
                instance = Instance(self, module, artifact, self._modules)
                if module.name in self._modules:
                    raise LoadError(
                        f"module with name '{module.name}' already loaded into Marine, please specify another name"
                    )
            except LoadError as error:
                raise LoadError(f"engine error: {error}", module.name) from None
            self._modules[module.name] = instance

    def _go_native(self) -> None:
        """Have native code serve, if it is there."""
        from .native.library import MARINE

        library = MARINE.get() if self.engine == "native" else MARINE.ready()
        if library is None:
            self._may_go_native = not MARINE.failed
            return
        self._may_go_native = False
        try:
            self.native = NativeService(self._words, library, self.config.lift_bytes_max)
        except (OSError, ValueError) as error:
            _log.info("adapters run in Python: %s", error)
            return
        self.native.prepare = self._prepare_parameters
        if self.memory_limit is not None:
            self._words[layout.S_LIMIT] = self.memory_limit
        for instance in self.instances:
            instance.enter_native()

    def _native(self) -> NativeService | None:
        """Native code, if it serves; it may have been compiled meanwhile."""
        if self._may_go_native:
            with self._lock:
                if self._may_go_native and not self._closed:
                    self._go_native()
        return self.native

    def _prepare_parameters(self, shape: int) -> None:
        """A module asks for call parameters."""
        assert self.native is not None
        made, root = image(shape, self.call_parameters)
        self.native.set_parameters(shape, made, root, shape_program(shape))

    def count_tables(self) -> None:
        """There is another instance."""
        self._words[layout.S_TABLE_BYTES] = sum(instance.table_bytes for instance in self.instances)

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def facade(self) -> str:
        """Name of the module that is called."""
        return self._facade

    def call(
        self,
        function: str,
        arguments: Any,
        parameters: CallParameters = NO_PARAMETERS,
        *,
        module: str | None = None,
        as_bytes: bool = False,
    ) -> Any:
        """Call with JSON arguments (see `json_values`) and return a JSON value. Raises CallError.

        as_bytes: return a result of bytes as `bytes` instead of a list of numbers.
        """
        return self._now(self._job(function, arguments, parameters, module=module, as_bytes=as_bytes))

    def submit(
        self,
        function: str,
        arguments: Any,
        parameters: CallParameters = NO_PARAMETERS,
        *,
        module: str | None = None,
        as_bytes: bool = False,
    ) -> PendingCall:
        """The same on another thread. Every call that is pending takes a thread, also while it waits for others."""
        self._refuse_inside()
        job = self._job(function, arguments, parameters, module=module, as_bytes=as_bytes)
        running = Running()
        pending = PendingCall(running)
        submit(self._stack, lambda: on_stack(self._stack, lambda: job(running)), pending)
        return pending

    def call_text(
        self, function: str, arguments: str, parameters: CallParameters = NO_PARAMETERS, *, module: str | None = None
    ) -> str:
        """The same with JSON text on both sides. Raises CallError."""

        def job(running: Running) -> str:
            text = self._call_native_text(running, function, arguments, parameters, module)
            if text is not None:
                return text
            values = parse_text(arguments)
            target = self._find(module, function)
            return _text(self._call(running, target, target.arguments.read(values), parameters, as_bytes=True))

        return self._now(job)

    def _call_native_text(
        self, running: Running, function: str, arguments: str, parameters: CallParameters, module: str | None
    ) -> str | None:
        """The result of a call whose arguments native code reads; None for any other, of which nothing has happened."""
        native = self._native() if self._may_go_native else self.native
        instance = self._modules.get(self._facade if module is None else module)
        target = None if instance is None else instance.functions.get(function)
        if native is None or target is None:
            return None
        try:
            text = arguments.encode()
        except UnicodeEncodeError:
            return None
        answer = self._inside(running, lambda: native.call_text(target.native, text), parameters)
        if isinstance(answer, Unwritten):
            return _text(self._json(target, answer.value, as_bytes=True))
        return answer

    def _job(
        self, function: str, arguments: Any, parameters: CallParameters, *, module: str | None, as_bytes: bool
    ) -> Callable[[Running], Any]:
        def job(running: Running) -> Any:
            target = self._find(module, function)
            return self._call(running, target, target.arguments.read(arguments), parameters, as_bytes=as_bytes)

        return job

    def _now(self, job: Callable[[Running], T]) -> T:
        self._refuse_inside()
        running = Running()
        return on_stack(self._stack, lambda: job(running), running.stop)

    def _leave(self) -> None:
        """After a call, while the lock is held."""
        if self._closed:
            self._free()
        self._raise_log_error()

    def _refuse_inside(self) -> None:
        """A call that waits for the one it is part of would wait forever."""
        if self in here.inside:
            raise CallError("the service is in the middle of the call that wants this", ErrorClass.CLOSED)

    def _find(self, module: str | None, function: str) -> Function:
        found = self._instance(module).functions.get(function)
        if found is None:
            raise (
                _closed()
                if self._closed
                else CallError(f"function with name `{function}` is missing", ErrorClass.NO_FUNCTION)
            )
        return found

    def _instance(self, module: str | None) -> Instance:
        name = self._facade if module is None else module
        instance = self._modules.get(name)
        if instance is None:
            raise (
                _closed() if self._closed else CallError(f'module with name "{name}" is missing', ErrorClass.NO_MODULE)
            )
        return instance

    def _call(
        self, running: Running, target: Function, values: list[Any], parameters: CallParameters, *, as_bytes: bool
    ) -> Any:
        if self._may_go_native:
            self._native()
        value = self._inside(running, lambda: self._run(target, values), parameters)
        return self._json(target, value, as_bytes=as_bytes)

    def _run(self, target: Function, values: list[Any]) -> Any:
        """The single result of a call, None without one. Raises AdapterFault and CallError."""
        native = self.native
        if native is not None and len(target.signature.results) <= 1:
            answer = native.call_values(target.native, values)
            if answer is not None:
                return answer.value
        return _run_in_python(target, values)

    def _json(self, target: Function, value: Any, *, as_bytes: bool) -> Any:
        """A typed result as a JSON value."""
        write = target.write_result
        if write is None or (as_bytes and isinstance(value, bytes)):
            return bytes(value) if isinstance(value, bytes) else value
        try:
            return write(value)
        except RecursionError:
            raise _too_deep() from None

    def _inside(self, running: Running, job: Callable[[], T], parameters: CallParameters) -> T:
        """Run a job that calls the modules, while no other does."""
        with self._lock:
            # in this order: `close` first sets one and then stops the other
            self.running = running
            if self._closed:
                raise _closed()
            if running.stopped:
                raise CallError("the call was stopped", ErrorClass.STOPPED)
            outside, here.inside = here.inside, (*here.inside, self)
            self.budget[0] = self.config.lift_bytes_max
            self._log_left = [LOG_RECORDS_MAX, LOG_BYTES_MAX]
            native = self.native
            if native is not None:
                native.begin()
            if parameters is not self.call_parameters:
                self.call_parameters = parameters
                if native is not None:
                    native.forget_parameters()
            try:
                return job() if self._time_ms is None else self.within_time(job)
            except AdapterFault as fault:
                raise CallError(f"engine error: Execution error: {fault.text}", fault.error_class) from None
            finally:
                here.inside = outside
                if native is not None:
                    native.end()
                if self._closed or self._log_error is not None:
                    self._leave()

    def within_time(self, job: Callable[[], T]) -> T:
        """Run a job of the modules within the time of the configuration."""
        timeout_ms = self._time_ms
        if timeout_ms is None:
            return job()
        self._until = time.monotonic() + timeout_ms / 1000
        for instance in self.instances:
            instance.ask_within(timeout_ms)
        try:
            with backend.clock():
                return job()
        finally:
            self._until = None

    def remaining_ms(self) -> float | None:
        """What is left of the time of the call, below 0 when it is over; None when it is not limited."""
        return None if self._until is None else 1000 * (self._until - time.monotonic())

    def may_log(self, module: str, size: int) -> bool:
        """Whether a message of so many bytes is within the limits of the call; it counts from now on."""
        left = self._log_left
        if left[0] <= 0:
            return False
        left[0] -= 1
        left[1] -= size
        if left[0] and left[1] >= 0:
            return self._log is not None
        left[0] = 0
        self.emit(module, "warn", "messages of this call are dropped from here on: there are too many")
        return False

    def emit(self, module: str, level: str, message: str) -> None:
        """Pass on a message of a module that `may_log` it."""
        if self._log is not None:
            self._log(LogRecord(module, level, message))

    def emit_output(self, module: str, lines: list[bytes]) -> bool:
        """Pass on lines that a module wrote to a stream; False when it has written too much and the call has to end.

        Never raises: what `log` raised ends the call after it has returned. The foreign frames between here and there would lose it.
        """
        outside, here.inside = here.inside, (*here.inside, self)
        try:
            for line in lines:
                if not self.may_log(module, len(line)):
                    break
                self.emit(module, "output", line.decode("utf-8", "replace"))
        except BaseException as error:  # noqa: BLE001 - raised again by the call
            self._log_error = self._log_error or error
        finally:
            here.inside = outside
        left_ms = self.remaining_ms()
        return self._log_left[0] > 0 or not (self.running.stopped or (left_ms is not None and left_ms <= 0))

    def _raise_log_error(self) -> None:
        error, self._log_error = self._log_error, None
        if error is not None:
            raise error

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def interface(self, module: str | None = None) -> Interface:
        """The interface of a module; of the facade by default. Raises CallError."""
        return self._instance(module).artifact.interface

    def memory_stats(self) -> list[dict[str, Any]]:
        """Memory of every module, in load order."""
        with nullcontext() if self in here.inside else self._lock:
            return [{"name": one.name, "memory_size_bytes": one.memory_size()} for one in self.instances]

    def memory_bytes(self) -> int | None:
        """Bytes of all memories together; None while a call runs. Never waits."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return sum(one.memory_size() for one in self.instances)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Stop the running call, free all modules and their memory; later calls are refused.

        A call that does not end at once, because something in the host holds it up, frees them when it does. So does the
        call in whose midst this is called.
        """
        self._closed = True
        self.running.stop()
        if self not in here.inside and self._lock.acquire(timeout=STOP_GRACE_S):
            try:
                self._free()
            finally:
                self._lock.release()

    def _free(self) -> None:
        self._closed = True
        self._may_go_native = False
        self.native = None
        self._modules.clear()
        while self.instances:
            self.instances.pop().close()

    def __enter__(self) -> Service:
        """Close at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """See `close`."""
        self.close()


def _closed() -> CallError:
    return CallError("the service was closed", ErrorClass.CLOSED)


def _text(result: Any) -> str:
    try:
        return result_text(result)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> CallError:
    return CallError("the result is nested too deeply", ErrorClass.LIMIT)


def _run_in_python(target: Function, values: list[Any]) -> Any:
    """The single result of a call, None without one. Raises AdapterFault and CallError."""
    results = target.signature.results
    if target.is_verified and len(results) <= 1:
        return target.run(*values)
    kinds = target.signature.argument_types
    stack = target.call_tagged([tag(kind, value) for kind, value in zip(kinds, values, strict=True)])
    try:
        if len(stack) == len(results) <= 1:
            return as_declared(stack[0], results[0]) if stack else None
        shown = ", ".join(map(debug_value, stack))
        raise ValueError(f"resulted values [{shown}] and function signature {list(results)!r} aren't compatible")
    except ValueError as error:
        place = f'in module "{target.instance.name}", function "{target.name}"'
        raise CallError(f"output to json serialization error {place}: {error}", ErrorClass.OUTPUT) from None


def _bytes_of(module: ModuleConfig, given: dict[str, bytes] | None) -> bytes:
    """The file of a module. Each of the given ones serves once, so that two modules of one name are noticed."""
    if given is not None:
        if module.name not in given:
            names = ", ".join(f'"{name}"' for name in given)
            raise LoadError(
                f"module with name {module.name} is specified in config (dir: None), but not found in provided modules: "
                f"[{names}]"
            )
        return given.pop(module.name)
    return read_module(module)
