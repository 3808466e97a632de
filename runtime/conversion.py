"""JSON of a Python program ↔ JSON of an Aqua program, by the types of a definition (`funcDef`).

Aqua has no null: an option travels as an array of none or one element, and is null or the value on this side. Everything
else keeps its shape and is checked on the way.
Errors: `ConversionError`, naming the place, what the type is and what was given.
Source: js-client:packages/core/js-client/src/compilerSupport/conversions.ts
"""

from __future__ import annotations

import math
from typing import Any, Final

from runtime.client.errors import AquaError

Type = dict[str, Any]
"""One TYPE or PRODUCT of a definition."""

_INTEGERS: Final = {
    name: (low, high)
    for bits in (8, 16, 32, 64)
    for name, low, high in (
        (f"u{bits}", 0, 2**bits - 1),
        (f"i{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
    )
}
_FLOATS: Final = ("f32", "f64")


class ConversionError(AquaError, ValueError):
    """A value does not have its type."""

    def __init__(self, place: str, expected: str, value: Any) -> None:
        """Build the message."""
        super().__init__(f"{place}: expected {expected}, got {describe(value)}")


def describe(value: Any) -> str:
    """What a value is, shortly, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the string {value[:40]!r}"
        case list() | tuple():
            return f"an array of {len(value)}"
        case dict():
            return "an object"
        case _:
            return f"a value of type {type(value).__name__}"


def type_text(schema: Type) -> str:
    """The type as Aqua writes it."""
    match schema["tag"]:
        case "scalar":
            return str(schema["name"])
        case "array":
            return "[]" + type_text(schema["type"])
        case "option":
            return "?" + type_text(schema["type"])
        case "struct":
            return str(schema["name"])
        case "topType":
            return "any value"
        case "bottomType":
            return "no value"
        case "nil":
            return "nothing"
        case "unlabeledProduct":
            return ", ".join(map(type_text, schema["items"]))
        case "labeledProduct":
            return ", ".join(f"{name}: {type_text(kind)}" for name, kind in schema["fields"].items())
        case "arrow":
            return f"{type_text(schema['domain'])} -> {type_text(schema['codomain'])}"
        case other:
            return str(other)


def to_aqua(value: Any, schema: Type, place: str) -> Any:
    """A value of this side as the program gets it. Raises ConversionError."""
    match schema["tag"]:
        case "option":
            return [] if value is None else [to_aqua(value, schema["type"], place)]
        case "array":
            return [
                to_aqua(element, schema["type"], f"{place}[{at}]")
                for at, element in enumerate(_list(value, schema, place))
            ]
        case "struct" | "labeledProduct":
            fields = schema["fields"]
            given = _dict(value, schema, place)
            return {name: to_aqua(given.get(name), kind, f"{place}.{name}") for name, kind in fields.items()}
        case "unlabeledProduct":
            return _product(value, schema, place, to_aqua)
        case "scalar":
            return _scalar(value, schema, place)
        case "topType":
            return value
        case "nil":
            if value is None:
                return None
        case _:
            pass
    raise ConversionError(place, type_text(schema), value)


def from_aqua(value: Any, schema: Type, place: str) -> Any:
    """A value of the program as this side sees it. Raises ConversionError.

    Scalars are passed on as they are: what a program computed is not checked against the width of its type.
    """
    match schema["tag"]:
        case "option":
            if value is None or value == []:
                return None
            return from_aqua(_list(value, schema, place)[0], schema["type"], place)
        case "array":
            return [
                from_aqua(element, schema["type"], f"{place}[{at}]")
                for at, element in enumerate(_list(value, schema, place))
            ]
        case "struct" | "labeledProduct":
            given = _dict(value, schema, place)
            return {
                name: from_aqua(given.get(name), kind, f"{place}.{name}") for name, kind in schema["fields"].items()
            }
        case "unlabeledProduct":
            return _product(value, schema, place, from_aqua)
        case "scalar" | "topType" | "bottomType":
            return value
        case "nil":
            return None
        case _:
            pass
    raise ConversionError(place, type_text(schema), value)


def scalar_from_aqua(value: Any, schema: Type, place: str) -> Any:
    """A scalar of the program, checked for its kind though not for its width. Raises ConversionError."""
    name = schema["name"]
    if name in _INTEGERS:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is int:
            return number
    elif name in _FLOATS:
        if type(value) in (int, float):
            return value
    elif name == "bool":
        if isinstance(value, bool):
            return value
    elif name != "string" or isinstance(value, str):
        return value
    raise ConversionError(place, name, value)


def arguments_of(product: Type) -> list[tuple[str, Type]]:
    """Names and types of a domain; unnamed arguments are `arg0`, `arg1`, …."""
    match product["tag"]:
        case "labeledProduct":
            return list(product["fields"].items())
        case "unlabeledProduct":
            return [(f"arg{at}", kind) for at, kind in enumerate(product["items"])]
        case _:
            return []


def results_of(product: Type) -> list[Type]:
    """Types of a codomain."""
    return [kind for _, kind in arguments_of(product)]


def result_from_aqua(values: list[Any], codomain: Type, place: str) -> Any:
    """What a call returns: nothing is null, one value is itself, several are an array. Raises ConversionError."""
    kinds = results_of(codomain)
    if not kinds:
        return None
    if len(values) != len(kinds):
        raise ConversionError(place, f"{len(kinds)} results", values)
    converted = [from_aqua(value, kind, place) for value, kind in zip(values, kinds, strict=True)]
    return converted[0] if len(converted) == 1 else converted


def result_to_aqua(value: Any, codomain: Type, place: str) -> Any:
    """What a service function or callback answers. Raises ConversionError.

    A function without results answers null; several results are given as a sequence and travel as an array.
    """
    kinds = results_of(codomain)
    if not kinds:
        return None
    if len(kinds) == 1:
        return to_aqua(value, kinds[0], place)
    return _product(value, {"tag": "unlabeledProduct", "items": kinds}, place, to_aqua)


def _product(value: Any, schema: Type, place: str, convert: Any) -> list[Any]:
    values = _list(value, schema, place)
    kinds = schema["items"]
    if len(values) != len(kinds):
        raise ConversionError(place, f"{len(kinds)} values ({type_text(schema)})", value)
    return [
        convert(element, kind, f"{place}[{at}]") for at, (element, kind) in enumerate(zip(values, kinds, strict=True))
    ]


def _list(value: Any, schema: Type, place: str) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    raise ConversionError(place, type_text(schema), value)


def _dict(value: Any, schema: Type, place: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ConversionError(place, f"{type_text(schema)} (an object)", value)


def _scalar(value: Any, schema: Type, place: str) -> Any:
    name = schema["name"]
    if name in _INTEGERS:
        low, high = _INTEGERS[name]
        # JSON written by other languages may spell 5 as 5.0; the program must get an integer.
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is int and low <= number <= high:
            return number
    elif name in _FLOATS:
        if type(value) is int or (isinstance(value, float) and math.isfinite(value)):
            return value
    elif (name == "bool" and isinstance(value, bool)) or (name == "string" and isinstance(value, str)):
        return value
    raise ConversionError(place, name, value)
