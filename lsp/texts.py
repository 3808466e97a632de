"""Definitions and types as people read them, for hovers, completion and hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.semantics.printing import brief
from aquac.semantics.raw import ConstPart, FuncPart, Literal, Part, ServicePart, TypePart, Var
from aquac.semantics.types import AbilityType, Arrow, ServiceType, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquac.semantics.types import Fields, Type

FIELDS_SHOWN_MAX = 30
"""Members of a type shown in a hover."""


def signature(arrow: Arrow) -> str:
    """`(a: string, u8) -> u32, string`; labels where there are any."""
    results = ", ".join(brief(r) if not isinstance(r, Arrow) else f"({brief(r)})" for r in arrow.results)
    return f"({', '.join(parameter_texts(arrow))})" + (f" -> {results}" if results else "")


def parameter_texts(arrow: Arrow) -> list[str]:
    """Each argument as in a signature."""
    texts = []
    for label, t in arrow.args:
        text = brief(t)
        texts.append(f"{label}: {text}" if label else text)
    return texts


def member(name: str, t: Type) -> str:
    """`name: T`, of a function `name(a: T) -> R`."""
    return f"{name}{signature(t)}" if isinstance(t, Arrow) else f"{name}: {brief(t)}"


def outline(t: Type, name: str, docs: Mapping[str, str] | None = None, order: Fields = ()) -> str:
    """A definition of a type; `order` are its members as they are to be shown."""
    match t:
        case Struct(known, fields) | AbilityType(known, fields) | ServiceType(known, fields):
            if known != name:
                return f"alias {name}: {known}"
            word = "data" if isinstance(t, Struct) else "ability" if isinstance(t, AbilityType) else "service"
            return f"{word} {name}:\n" + "\n".join(_members(order or fields, docs or {}))
        case _:
            return f"alias {name}: {brief(t)}"


def _members(fields: Fields, docs: Mapping[str, str]) -> list[str]:
    lines = []
    for name, t in fields[:FIELDS_SHOWN_MAX]:
        lines += [f"  -- {line}" for line in docs.get(name, "").splitlines()]
        lines.append(f"  {member(name, t)}")
    if len(fields) > FIELDS_SHOWN_MAX:
        lines.append(f"  -- and {len(fields) - FIELDS_SHOWN_MAX} more")
    return lines


def part_text(part: Part, order: Fields = ()) -> str:
    """A part as its definition, of a function the first line; `order` as in `outline`."""
    match part:
        case ConstPart(site=None):
            return f"const {part.name}: {brief(part.value.type)}"
        case ConstPart():
            value = part.value
            text = value.text if isinstance(value, Literal) else value.name if isinstance(value, Var) else "…"
            return f"const {part.name} {'?=' if part.overridable else '='} {text}"
        case FuncPart():
            return f"func {part.name}{signature(part.arrow.type)}"
        case TypePart() | ServicePart():
            return outline(part.type, part.name, part.member_docs, order)


def short_part(part: Part) -> str:
    """A part in one line."""
    return part_text(part).splitlines()[0].rstrip(":")
