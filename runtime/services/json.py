"""`json`: building objects, text in and out. Source: nox:particle-builtins/src/json.rs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import JsonError, dumps, parse

from .arguments import OBJECT, PAIRS, STRING, VALUE, Arguments, TypedServiceError, binary, unary
from .registry import ServiceError

if TYPE_CHECKING:
    from .registry import CallContext, Handler


def with_pairs(start: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """A copy of `start` with alternating keys and values put in."""
    out = dict(start)
    for place in range(0, len(values), 2):
        key = values[place]
        if place + 1 == len(values):
            raise ServiceError(f"Expected odd number of arguments, got even. No value for key '{dumps(key)}'")
        if not isinstance(key, str):
            raise ServiceError(
                "All keys must be of type string. Key of the following pair is of invalid type: "
                f"({dumps(key)}, {dumps(values[place + 1])})"
            )
        out[key] = values[place + 1]
    return out


def obj(values: list[Any], _: CallContext) -> Any:
    """An object of alternating keys and values."""
    return with_pairs({}, values)


def put(values: list[Any], _: CallContext) -> Any:
    """The object with one key set."""
    arguments = Arguments(values)
    start = arguments.next("object", OBJECT)
    key = arguments.next("key", STRING)
    return {**start, key: arguments.next("value", VALUE)}


def puts(values: list[Any], _: CallContext) -> Any:
    """The object with alternating keys and values set."""
    return with_pairs(Arguments(values).next("object", OBJECT), values[1:])


def puts_pairs(start: Any, pairs: list[list[Any]]) -> Any:
    """The object with `[key, value]` pairs set."""
    if not isinstance(start, dict):
        raise ServiceError(f"expected json object, got {dumps(start)}")
    return {**start, **dict(pairs)}


def parse_text(text: str) -> Any:
    """Value of a JSON text."""
    try:
        return parse(text)
    except JsonError as error:
        raise TypedServiceError(f"error parsing json {text}") from error


FUNCTIONS: Final[dict[str, Handler]] = {
    "obj": obj,
    "put": put,
    "puts": puts,
    "parse": unary(STRING, parse_text),
    "stringify": unary(VALUE, dumps),
    "obj_pairs": unary(PAIRS, dict),
    "puts_pairs": binary(VALUE, PAIRS, puts_pairs),
}
