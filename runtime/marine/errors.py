"""What can go wrong with a service, as data: a message in the reference's words and the class of the error.

`LoadError` ends the creation of a service, `CallError` one call; the service stays usable after the latter. `Fault` and
`AdapterFault` live inside a call: the first has no place yet, the second names the instruction.
Source: marine:marine/src/errors.rs, interface-types:wasmer-it/src/errors.rs
"""

from __future__ import annotations

from enum import StrEnum


class ErrorClass(StrEnum):
    """The classes that the conformance rows distinguish, and those of our own limits."""

    JSON = "json"
    ARGUMENTS = "args"
    CAST = "cast"
    BOUNDS = "bounds"
    UTF8 = "utf8"
    TYPE = "type"
    CALL_FAILED = "call_failed"
    OUTPUT = "output"
    NO_FUNCTION = "no_function"
    NO_MODULE = "no_module"
    LOAD = "load"
    LIMIT = "limit"
    DEADLINE = "deadline"
    STOPPED = "stopped"
    CLOSED = "closed"


class MarineError(Exception):
    """A service cannot be made or a call failed; `str()` is what a caller is told."""

    def __init__(self, message: str, error_class: ErrorClass) -> None:
        """Keep the class beside the message."""
        super().__init__(message)
        self.error_class = error_class


class LoadError(MarineError):
    """A module or service cannot be loaded. module: its name, empty where no single one is to blame, or the message has it."""

    def __init__(self, message: str, module: str = "") -> None:
        """Every load error has the class `load`."""
        super().__init__(message, ErrorClass.LOAD)
        self.module = module


class CallError(MarineError):
    """One call failed. The modules keep the state they had where it happened."""


class Fault(Exception):
    """An instruction failed; who runs the adapter adds which one."""

    def __init__(self, text: str, error_class: ErrorClass) -> None:
        """Keep both."""
        super().__init__(text)
        self.text = text
        self.error_class = error_class


class AdapterFault(Exception):
    """An adapter failed: `text` has the instruction and the reason."""

    def __init__(self, text: str, error_class: ErrorClass) -> None:
        """Keep both."""
        super().__init__(text)
        self.text = text
        self.error_class = error_class


class TrapFault(Exception):
    """A core function trapped, or something it imports failed. `text` is the reason as the backend words it."""

    def __init__(self, text: str, error_class: ErrorClass = ErrorClass.CALL_FAILED) -> None:
        """A deadline or a limit keeps its class on the way out."""
        super().__init__(text)
        self.text = text
        self.error_class = error_class


class UnusableHomeError(TrapFault):
    """A module asked the host for something but lacks the function that takes the answer."""

    def __init__(self, name: str) -> None:
        """`name` is the function it should export."""
        super().__init__(f"the module doesn't export a usable `{name}`")


def cast_fault(source: str, target: str) -> Fault:
    """An integer that does not fit."""
    return Fault(f"failed to cast `{source}` to `{target}`", ErrorClass.CAST)


def access_fault(offset: int, size: int, memory_size: int) -> Fault:
    """A block of an array or a record outside the memory. `size` wraps at 2^32 as in the reference."""
    text = (
        f"Out-of-bound Wasm memory access: offset {offset}, size {size & 0xFFFFFFFF}, while memory_size {memory_size}"
    )
    return Fault(text, ErrorClass.BOUNDS)


def bounds_fault(end: int, memory_size: int) -> Fault:
    """A string or byte array outside the memory. `end` wraps at 2^32 as in the reference."""
    text = f"read out of the memory bounds (index {end & 0xFFFFFFFF} > memory length {memory_size})"
    return Fault(text, ErrorClass.BOUNDS)


def write_fault(offset: int, size: int, memory_size: int) -> Fault:
    """A block to be written outside the memory; the reference panics on it."""
    text = f"Out-of-bound Wasm memory write: offset {offset}, size {size}, while memory_size {memory_size}"
    return Fault(text, ErrorClass.BOUNDS)


def depth_fault() -> Fault:
    """Too many imported functions within each other."""
    return Fault("the modules call each other too deeply", ErrorClass.LIMIT)


def utf8_text(error: UnicodeDecodeError) -> str:
    """The words of the reference's decoder."""
    if error.reason == "unexpected end of data":
        return f"incomplete utf-8 byte sequence from index {error.start}"
    return f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"


def utf8_fault(error: UnicodeDecodeError) -> Fault:
    """Bytes that are no text."""
    return Fault(utf8_text(error), ErrorClass.UTF8)
