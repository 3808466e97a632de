"""Types as text, the way diagnostics and editors show them.

Source: aqua:types/src/main/scala/aqua/types/Type.scala (the `toString` of each)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from .types import (
    AbilityType,
    Array,
    Arrow,
    Bottom,
    Canon,
    CanonMap,
    Fields,
    LiteralType,
    Nothing,
    Option,
    Scalar,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Top,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_LITERAL: Final = re.compile(r"\b(string|bool|unsigned|signed|float) literal\b")
_EVERYDAY: Final = {
    "string": "string",
    "bool": "bool",
    "unsigned": "whole number",
    "signed": "whole number",
    "float": "fraction",
}

TEXT_LENGTH_MAX = 400
"""Longer texts are cut in diagnostics: nested data types repeat their fields at every mention."""


def show(t: Type) -> str:
    """Full text of a type, fields of named types included."""
    match t:
        case Scalar(name):
            return name
        case LiteralType(name):
            return f"{name} literal"
        case Top():
            return "⊤"
        case Bottom():
            return "⊥"
        case Array(element):
            return f"[]{show(element)}"
        case Option(element):
            return f"?{show(element)}"
        case Stream(element):
            return f"*{show(element)}"
        case StreamMap(element):
            return f"%{show(element)}"
        case Canon(element):
            return f"#{show(element)}"
        case CanonMap(element):
            return f"#%{show(element)}"
        case Struct(name, fields):
            return f"data {name}{_fields(fields)}"
        case AbilityType(name, fields):
            return f"ability {name}{_fields(fields)}"
        case ServiceType(name, fields):
            return f"service {name}{_fields(fields)}"
        case Arrow(args, results):
            return (
                f"{_product([(label, show(a)) for label, a in args])} -> {_product([(None, show(r)) for r in results])}"
            )
        case Nothing():
            return "nothing"
        case _:
            assert_never(t)


def brief(t: Type) -> str:
    """Text of a type as a programmer would write it: named types by name, arrows as `a, b -> c`."""
    match t:
        case Struct(name) | AbilityType(name) | ServiceType(name):
            return name
        case Array(element):
            return f"[]{brief(element)}"
        case Option(element):
            return f"?{brief(element)}"
        case Stream(element) | Canon(element):
            return f"*{brief(element)}"
        case StreamMap(element) | CanonMap(element):
            return f"%{brief(element)}"
        case Arrow(args, results):
            domain = ", ".join(_nested(a) for _, a in args)
            codomain = ", ".join(_nested(r) for r in results) or "()"
            return f"{domain} -> {codomain}" if domain else f"-> {codomain}"
        case _:
            return show(t)


def for_message(t: Type) -> str:
    """Text of a type for a diagnostic: full unless that grows out of hand.

    What literals are before their type is settled is put into everyday words.
    """
    if isinstance(t, Struct | AbilityType | ServiceType):
        text = _outline(t)
        return text if len(text) <= TEXT_LENGTH_MAX else text[: TEXT_LENGTH_MAX - 2] + "…}"
    return _LITERAL.sub(lambda found: _EVERYDAY[found[1]], brief(t))


def _outline(t: Struct | AbilityType | ServiceType) -> str:
    kind = "data" if isinstance(t, Struct) else "ability" if isinstance(t, AbilityType) else "service"
    return f"{kind} {t.name}{{{', '.join(f'{n}: {brief(f)}' for n, f in t.fields)}}}"


def _nested(t: Type) -> str:
    return f"({brief(t)})" if isinstance(t, Arrow) else brief(t)


def _fields(fields: Fields) -> str:
    return "{" + ", ".join(f"{name}: {show(t)}" for name, t in fields) + "}"


def _product(items: Sequence[tuple[str | None, str]]) -> str:
    if not items:
        return "∅"
    return " :: ".join(f"({label}: {text})" if label else text for label, text in items) + " :: ∅"
