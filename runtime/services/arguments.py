"""Reading the arguments of a built-in function, with the reference's error texts.

Arguments are positional; surplus ones are ignored. Types keep their Rust spelling because the texts show it.
Errors: `ServiceError` (an explicit message, the bare text) and `TypedServiceError` (converted from a typed error, which
the reference renders as two lines, the second a debug dump; ours repeats the first).
Source: nox:crates/particle-args/src/args.rs, args_error.rs; nox:particle-builtins/src/func.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps
from runtime.services.registry import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.services.registry import CallContext, Handler

I64_MIN: Final = -(2**63)
I64_MAX: Final = 2**63 - 1
_MISSING: Final = object()


class TypedServiceError(ServiceError):
    """An error whose text is `Error: ` and the message, twice where the reference adds a debug dump."""

    def __init__(self, message: str, debug: str | None = None) -> None:
        """Build the value from the message. debug: the dump, where others quote it."""
        self.message = message
        self.debug = message if debug is None else debug
        super().__init__(f"Error: {message}\n{self.debug}")


@dataclass(frozen=True, slots=True)
class ArgumentType:
    """A type: its Rust spelling and which JSON values it takes."""

    name: str
    accepts: Callable[[Any], bool]


def _is_int(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _list_of(element: ArgumentType) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(element.accepts, value))


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


STRING: Final = ArgumentType("String", lambda value: isinstance(value, str))
BOOL: Final = ArgumentType("bool", lambda value: isinstance(value, bool))
U8: Final = ArgumentType("u8", lambda value: _is_int(value, 0, 255))
U32: Final = ArgumentType("u32", lambda value: _is_int(value, 0, 2**32 - 1))
U64: Final = ArgumentType("u64", lambda value: _is_int(value, 0, 2**64 - 1))
USIZE: Final = ArgumentType("usize", U64.accepts)
I64: Final = ArgumentType("i64", lambda value: _is_int(value, I64_MIN, I64_MAX))
F64: Final = ArgumentType("f64", lambda value: type(value) in (int, float))
VEC_U8: Final = ArgumentType("Vec<u8>", _list_of(U8))
VEC_I64: Final = ArgumentType("Vec<i64>", _list_of(I64))
VEC_STRING: Final = ArgumentType("Vec<String>", _list_of(STRING))
SET_STRING: Final = ArgumentType("std::collections::hash::set::HashSet<String>", _list_of(STRING))
OBJECT: Final = ArgumentType(
    "serde_json::map::Map<String, serde_json::value::Value>", lambda value: isinstance(value, dict)
)
PAIRS: Final = ArgumentType("Vec<(String, serde_json::value::Value)>", _is_pairs)
VALUE: Final = ArgumentType("serde_json::value::Value", lambda _: True)
NUMBER_OR_TEXT: Final = ArgumentType(
    "particle_builtins::builtins::parse_from_str::Either<u64>",
    lambda value: isinstance(value, str) or U64.accepts(value),
)


class Arguments:
    """The arguments of one call, taken one after another."""

    __slots__ = ("_next", "_values")

    def __init__(self, values: list[Any]) -> None:
        """Start before the first."""
        self._values = values
        self._next = 0

    def _take(self) -> Any:
        if self._next >= len(self._values):
            return _MISSING
        self._next += 1
        return self._values[self._next - 1]

    def next(self, field: str, kind: ArgumentType) -> Any:
        """The next argument, which must be there."""
        value = self._take()
        if value is _MISSING:
            raise TypedServiceError(f"Field '{field}' is missing from args to call_service")
        if not kind.accepts(value):
            raise wrong_type(field, kind.name, value)
        return value

    def optional(self, field: str, kind: ArgumentType) -> Any:
        """The next argument as an Aqua option: `T`, `[T]`, `[]`, null or nothing at all; None stands for no value."""
        value = self._take()
        if value is _MISSING or value is None:
            return None
        if isinstance(value, list) and all(map(kind.accepts, value)):
            if len(value) > 1:
                raise TypedServiceError(
                    f"Option's array must contain at most 1 element, '{field}' was of {len(value)} elements"
                )
            return value[0] if value else None
        if kind.accepts(value):
            return value
        raise wrong_type(field, f"Option<{kind.name}>", value)


def wrong_type(field: str, type_name: str, value: Any) -> TypedServiceError:
    """The error for an argument of another type."""
    return TypedServiceError(f"Error deserializing field '{field}': expected {type_name}, got {dumps(value)}")


def unary(kind: ArgumentType, body: Callable[[Any], Any]) -> Handler:
    """A function of exactly one argument."""

    def handler(values: list[Any], _: CallContext) -> Any:
        if len(values) != 1:
            raise ServiceError(f"expected 1 arguments, got {len(values)}")
        return body(Arguments(values).next("x", kind))

    return handler


def binary(left: ArgumentType, right: ArgumentType, body: Callable[[Any, Any], Any]) -> Handler:
    """A function of exactly two arguments."""

    def handler(values: list[Any], _: CallContext) -> Any:
        if len(values) != 2:
            raise ServiceError(f"expected 2 arguments, got {len(values)}")
        arguments = Arguments(values)
        return body(arguments.next("x", left), arguments.next("y", right))

    return handler
