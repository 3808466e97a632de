"""Names for programs in the module language, so that they also run, and are checked for types, as plain Python.

    from runtime.marine.sdk import export, log, u32

Under Python the fixed-size integers are `int`; called, they check the range. `log` writes to the `logging` module. A service has no
module behind it until `provide` gives it one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
C = TypeVar("C", bound=type)

if TYPE_CHECKING:
    i8: TypeAlias = int
    i16: TypeAlias = int
    i32: TypeAlias = int
    i64: TypeAlias = int
    s8: TypeAlias = int
    s16: TypeAlias = int
    s32: TypeAlias = int
    s64: TypeAlias = int
    u8: TypeAlias = int
    u16: TypeAlias = int
    u32: TypeAlias = int
    u64: TypeAlias = int
    f32: TypeAlias = float
    f64: TypeAlias = float
else:

    def _sized(name: str, least: int, most: int) -> type:
        def new(cls: type, value: Any = 0) -> int:
            number = int(value)
            if not least <= number <= most:
                raise OverflowError(f"number does not fit {name}")
            return number

        return type(name, (int,), {"__new__": new, "__module__": __name__})

    i8 = s8 = _sized("s8", -(1 << 7), (1 << 7) - 1)
    i16 = s16 = _sized("s16", -(1 << 15), (1 << 15) - 1)
    i32 = s32 = _sized("s32", -(1 << 31), (1 << 31) - 1)
    i64 = s64 = _sized("s64", -(1 << 63), (1 << 63) - 1)
    u8 = _sized("u8", 0, (1 << 8) - 1)
    u16 = _sized("u16", 0, (1 << 16) - 1)
    u32 = _sized("u32", 0, (1 << 32) - 1)
    u64 = _sized("u64", 0, (1 << 64) - 1)
    f64 = float

    class f32(float):
        """A float of 32 bits: rounds what it is made of."""

        def __new__(cls, value: Any = 0.0) -> float:
            """A `float`."""
            from ctypes import c_float

            return float(c_float(float(value)).value)


def wrapping_add(a: int, b: int) -> int:
    """The sum of two u64, without what leaves 64 bits."""
    return (a + b) & 0xFFFF_FFFF_FFFF_FFFF


def wrapping_sub(a: int, b: int) -> int:
    """The difference of two u64, without what leaves 64 bits."""
    return (a - b) & 0xFFFF_FFFF_FFFF_FFFF


def wrapping_mul(a: int, b: int) -> int:
    """The product of two u64, without what leaves 64 bits."""
    return (a * b) & 0xFFFF_FFFF_FFFF_FFFF


def export(function: F) -> F:
    """A function callers of the module see."""
    return function


def start(function: F) -> F:
    """The function that runs when the module is loaded."""
    return function


_PROVIDED: dict[str, object] = {}


def service(name: str) -> Callable[[C], C]:
    """A class whose methods are functions of another module of the service; of the host's programs for the name `host`."""

    def decorate(stub: C) -> C:
        for method in [key for key, value in vars(stub).items() if callable(value) and not key.startswith("__")]:
            setattr(stub, method, _forward(name, method))
        return stub

    return decorate


def _forward(name: str, method: str) -> Callable[..., Any]:
    def call(_: object, *args: Any) -> Any:
        if name not in _PROVIDED:
            raise RuntimeError(f"no module behind service {name}: use provide({name!r}, …)")
        return getattr(_PROVIDED[name], method)(*args)

    call.__name__ = method
    return call


def provide(name: str, implementation: object) -> None:
    """Under plain Python: functions of this object serve as those of the module `name`."""
    _PROVIDED[name] = implementation


class Log:
    """Messages to the log of the host, by level. `target` is a bit mask hosts can filter by; 0 passes always."""

    def error(self, message: str, target: int = 0) -> None:
        """Level 1."""
        _write(logging.ERROR, message)

    def warning(self, message: str, target: int = 0) -> None:
        """Level 2."""
        _write(logging.WARNING, message)

    def info(self, message: str, target: int = 0) -> None:
        """Level 3."""
        _write(logging.INFO, message)

    def debug(self, message: str, target: int = 0) -> None:
        """Level 4."""
        _write(logging.DEBUG, message)

    def trace(self, message: str, target: int = 0) -> None:
        """Level 5."""
        _write(5, message)


def _write(level: int, message: str) -> None:
    logging.getLogger("marine").log(level, "%s", message)


log = Log()


@dataclass
class Tetraplet:
    """Where an argument of the call comes from."""

    peer_pk: str = ""
    service_id: str = ""
    function_name: str = ""
    lens: str = ""


@dataclass
class Particle:
    """The particle that makes the call. `timestamp` and `ttl` are in milliseconds."""

    id: str = ""
    init_peer_id: str = ""
    timestamp: u64 = 0
    ttl: u32 = 0
    script: str = ""
    signature: bytes = b""
    token: str = ""


@dataclass
class CallParameters:
    """What a module may know about the call it serves; one list of tetraplets per argument."""

    particle: Particle = field(default_factory=Particle)
    service_id: str = ""
    service_creator_peer_id: str = ""
    host_id: str = ""
    worker_id: str = ""
    tetraplets: list[list[Tetraplet]] = field(default_factory=list)


_parameters = CallParameters()


def call_parameters() -> CallParameters:
    """Of the running call. Under plain Python: what `set_call_parameters` said."""
    return _parameters


def set_call_parameters(parameters: CallParameters) -> None:
    """For tests under plain Python."""
    global _parameters  # noqa: PLW0603
    _parameters = parameters


@dataclass
class MountedBinaryResult:
    """How a program of the host ended; `error` tells why it could not run."""

    ret_code: s32 = 0
    error: str = ""
    stdout: bytes = b""
    stderr: bytes = b""
