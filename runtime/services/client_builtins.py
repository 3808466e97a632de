"""The pure built-ins of a client, in JavaScript's arithmetic and with zod's complaints.

Source: js-client:packages/core/js-client/src/services/builtins.ts
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Final

from avm.crypto import base58
from avm.data.canonical_json import JsonError, parse

from . import js_json
from .js_json import number
from .op import BASE58_BYTES_MAX
from .registry import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.clock import Clock

    from .registry import CallContext, Handler

_UNSUPPORTED: Final = {
    "peer": ("is_connected", "connect", "get_contact"),
    "kad": ("neighborhood", "merge"),
    "srv": ("list", "create", "get_interface", "resolve_alias", "add_alias", "remove"),
    "dist": (
        "add_module_from_vault",
        "add_module",
        "add_blueprint",
        "make_module_config",
        "load_module_config",
        "default_module_config",
        "make_blueprint",
        "load_blueprint",
        "list_modules",
        "get_module_interface",
        "list_blueprints",
    ),
    "script": ("add", "remove", "list"),
}


def type_of(value: Any) -> str:
    """The name that zod has for the type of a JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _check(place: int, value: Any, expected: str) -> None:
    if expected != "any" and type_of(value) != expected:
        raise ServiceError(f"Argument {place} expected to be of type {expected}, Got {type_of(value)}")


def _check_nested(value: Any, expected: str) -> None:
    if type_of(value) != expected:
        raise ServiceError(f"Expected {expected}, received {type_of(value)}")


def fixed(*types: str, then: Callable[..., Any]) -> Handler:
    """A function of exactly these types; `number[]` checks the elements, `any` takes everything."""

    def handler(values: list[Any], _: CallContext) -> Any:
        if len(values) != len(types):
            raise ServiceError(f"Expected {len(types)} argument(s). Got {len(values)}")
        for place, (value, expected) in enumerate(zip(values, types, strict=True)):
            _check(place, value, "array" if expected == "number[]" else expected)
            if expected == "number[]":
                for element in value:
                    _check_nested(element, "number")
        return then(*values)

    return handler


def many(expected: str, then: Callable[[list[Any]], Any]) -> Handler:
    """A function of any number of arguments of one type."""

    def handler(values: list[Any], _: CallContext) -> Any:
        for place, value in enumerate(values):
            _check(place, value, expected)
        return then(values)

    return handler


def identity(values: list[Any], _: CallContext) -> Any:
    """The only argument; without one, an empty object."""
    if len(values) > 1:
        raise ServiceError(f"Expected 1 argument(s). Got {len(values)}")
    return values[0] if values else {}


def to_base58(data: bytes) -> str:
    """Base58, bounded as on a host."""
    if len(data) > BASE58_BYTES_MAX:
        raise ValueError(f"base58 functions accept up to {BASE58_BYTES_MAX} bytes, got {len(data)}")
    return base58.encode(data)


def from_base58(text: str) -> bytes:
    """Bytes of a base58 text."""
    if len(text) > BASE58_BYTES_MAX:
        raise ValueError(f"base58 functions accept up to {BASE58_BYTES_MAX} bytes, got {len(text)}")
    try:
        return base58.decode(text)
    except ValueError as error:
        raise ValueError("Non-base58 character") from error


def wrap_bytes(values: list[float]) -> bytes:
    """Numbers as a Uint8Array takes them: truncated, modulo 256."""
    return bytes(int(value) % 256 for value in values)


def divide(x: float, y: float) -> float:
    """Quotient of two doubles."""
    x, y = float(x), float(y)
    if y == 0:
        return math.nan if x == 0 or math.isnan(x) else math.copysign(math.inf, x) * math.copysign(1, y)
    return x / y


def floor(value: float) -> float:
    """Floor that passes infinities and not-a-number through."""
    return math.floor(value) if math.isfinite(value) else value


def power(x: float, y: float) -> float:
    """`Math.pow`."""
    x, y = float(x), float(y)
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        return math.inf if x == 0 else math.nan


def natural_log(value: float) -> float:
    """`Math.log`."""
    value = float(value)
    if value == 0:
        return -math.inf
    return math.log(value) if value > 0 else math.nan


def remainder(x: float, y: float) -> float:
    """`%`: the sign of the dividend."""
    return math.fmod(float(x), float(y)) if y != 0 else math.nan


def key(value: Any) -> Any:
    """Equality of `Set` and `includes`: by value for primitives, by identity for arrays and objects."""
    if isinstance(value, list | dict):
        return ("object", id(value))
    return (type_of(value), value)


def dedup(values: list[Any]) -> list[Any]:
    """Each primitive once."""
    seen: dict[Any, Any] = {}
    for value in values:
        seen.setdefault(key(value), value)
    return list(seen.values())


def without(values: list[Any], others: list[Any]) -> list[Any]:
    """Elements that are not among the others."""
    keys = set(map(key, others))
    return [value for value in values if key(value) not in keys]


def within(values: list[Any], others: list[Any]) -> list[Any]:
    """Elements that are among the others."""
    keys = set(map(key, others))
    return [value for value in values if key(value) in keys]


def with_pairs(start: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """A copy of `start` with alternating keys and values put in."""
    out = dict(start)
    for place in range(0, len(values), 2):
        _check_nested(values[place], "string")
        out[values[place]] = values[place + 1]
    return out


def obj(values: list[Any], _: CallContext) -> Any:
    """An object of alternating keys and values."""
    if len(values) % 2:
        raise ServiceError(f"Expected even number of argument(s). Got {len(values)}")
    return with_pairs({}, values)


def puts(values: list[Any], _: CallContext) -> Any:
    """The object with alternating keys and values set."""
    if len(values) < 3:
        raise ServiceError(f"Expected more than 3 argument(s). Got {len(values)}")
    if len(values) % 2 == 0:
        raise ServiceError("Argument count must be odd.")
    _check(0, values[0], "object")
    return with_pairs(values[0], values[1:])


def parse_text(text: str) -> Any:
    """Value of a JSON text."""
    try:
        return parse(text)
    except JsonError as error:
        raise ServiceError(str(error)) from error


def stringify(values: list[Any], _: CallContext) -> Any:
    """The argument, or the array of all, as JSON text indented by four."""
    if not values:
        return '"<empty argument list>"'
    return js_json.text(values[0] if len(values) == 1 else values, indent=4)


async def timeout(duration_ms: float, message: str) -> str:
    """The message after a delay."""
    import trio  # here, so that networks without it can have the other functions

    await trio.sleep(max(0.0, float(duration_ms)) / 1000)
    return message


def _unsupported(service_id: str, name: str) -> Handler:
    def handler(_: list[Any], __: CallContext) -> Any:
        raise ServiceError(f'The JS implementation of Peer does not support "{service_id}.{name}"')

    return handler


def _arithmetic(body: Callable[[Any, Any], float]) -> Handler:
    return fixed("number", "number", then=lambda x, y: number(body(x, y)))


def _comparison(body: Callable[[float, float], Any]) -> Handler:
    return fixed("number", "number", then=lambda x, y: body(float(x), float(y)))


def tables(clock: Clock) -> dict[str, dict[str, Handler]]:
    """All functions by service id."""
    out: dict[str, dict[str, Handler]] = {
        service_id: {name: _unsupported(service_id, name) for name in names}
        for service_id, names in _UNSUPPORTED.items()
    }
    out["peer"] |= {
        "timestamp_ms": lambda _, __: clock.now_ms(),
        "timestamp_sec": lambda _, __: clock.now_ms() // 1000,
        "timeout": fixed("number", "string", then=timeout),
    }
    out["op"] = {
        "noop": lambda _, __: {},
        "array": lambda values, _: values,
        "array_length": fixed("array", then=len),
        "identity": identity,
        "concat": many("array", lambda values: [element for value in values for element in value]),
        "concat_strings": many("string", "".join),
        "string_to_b58": fixed("string", then=lambda text: to_base58(text.encode())),
        "string_from_b58": fixed("string", then=lambda text: from_base58(text).decode(errors="replace")),
        "bytes_to_b58": fixed("number[]", then=lambda values: to_base58(wrap_bytes(values))),
        "bytes_from_b58": fixed("string", then=lambda text: list(from_base58(text))),
        "sha256_string": fixed(
            "string", then=lambda text: base58.encode(b"\x12\x20" + hashlib.sha256(text.encode()).digest())
        ),
    }
    out["debug"] = {"stringify": stringify}
    out["math"] = {
        "add": _arithmetic(lambda x, y: float(x) + float(y)),
        "sub": _arithmetic(lambda x, y: float(x) - float(y)),
        "mul": _arithmetic(lambda x, y: float(x) * float(y)),
        "fmul": _arithmetic(lambda x, y: floor(float(x) * float(y))),
        "div": _arithmetic(lambda x, y: floor(divide(x, y))),
        "rem": _arithmetic(remainder),
        "pow": _arithmetic(power),
        "log": _arithmetic(lambda x, y: divide(natural_log(y), natural_log(x))),
    }
    out["cmp"] = {
        "gt": _comparison(lambda x, y: x > y),
        "gte": _comparison(lambda x, y: x >= y),
        "lt": _comparison(lambda x, y: x < y),
        "lte": _comparison(lambda x, y: x <= y),
        "cmp": _comparison(lambda x, y: (x > y) - (x < y)),
    }
    out["array"] = {
        "sum": fixed("number[]", then=lambda values: number(sum(map(float, values)))),
        "dedup": fixed("array", then=dedup),
        "intersect": fixed("array", "array", then=within),
        "diff": fixed("array", "array", then=without),
        "sdiff": fixed("array", "array", then=lambda x, y: without(x, y) + without(y, x)),
    }
    out["json"] = {
        "obj": obj,
        "put": fixed("object", "string", "any", then=lambda start, name, value: {**start, name: value}),
        "puts": puts,
        "parse": fixed("string", then=parse_text),
        "stringify": fixed("object", then=js_json.text),
    }
    return out
