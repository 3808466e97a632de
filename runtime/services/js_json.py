"""JSON text as JavaScript writes it: its numbers, its order of keys, its indentation.

Numbers are doubles printed with the fewest digits: `2`, `1e-7`, `100000000000000000000`, `1e+21`. Integers that Python holds
exactly stay exact, where JavaScript would have rounded them on arrival.
Source: ECMA-262, Number::toString, OrdinaryOwnPropertyKeys and JSON.stringify
"""

from __future__ import annotations

import math
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Final

_PLAIN_BELOW: Final = 1e21
_PLAIN_FROM: Final = 1e-6
"""Between these two JavaScript prints a number without an exponent."""


_INDEX_MAX: Final = 2**32 - 2
"""Largest index of an array in JavaScript."""


def number(value: float) -> Any:
    """The JSON value of a JavaScript number: integral doubles as integers with the digits shown, no infinities."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < _PLAIN_BELOW else value


def number_text(value: float) -> str:
    """Text of a JavaScript number."""
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{'-' if exponent.startswith('-') else '+'}{exponent.lstrip('+-0')}"


def text(value: Any, indent: int = 0, depth: int = 0) -> str:
    """`JSON.stringify(value, null, indent)`. Recursion is as deep as the value, which AquaVM bounds to 127."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return number_text(value)
        case str():
            return encode_basestring(value)
        case list():
            return _joined([text(item, indent, depth + 1) for item in value], "[]", indent, depth)
        case _:
            colon = ": " if indent else ":"
            items = [f"{encode_basestring(key)}{colon}{text(value[key], indent, depth + 1)}" for key in _keys(value)]
            return _joined(items, "{}", indent, depth)


def _keys(value: dict[str, Any]) -> list[str]:
    """The keys as JavaScript lists them: those that could be indices of an array first, by their numbers."""
    indices = [key for key in value if _is_index(key)]
    return sorted(indices, key=int) + [key for key in value if not _is_index(key)] if indices else list(value)


def _is_index(key: str) -> bool:
    return (
        len(key) <= len(str(_INDEX_MAX))
        and key.isascii()
        and key.isdigit()
        and key == str(int(key))
        and int(key) <= _INDEX_MAX
    )


def _joined(items: list[str], brackets: str, indent: int, depth: int) -> str:
    if not items:
        return brackets
    if not indent:
        return f"{brackets[0]}{','.join(items)}{brackets[1]}"
    inner = "\n" + " " * indent * (depth + 1)
    return f"{brackets[0]}{inner}{f',{inner}'.join(items)}\n{' ' * indent * depth}{brackets[1]}"
