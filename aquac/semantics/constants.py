"""Constants every module has: the predefined six and those given to the compiler.

Errors: AQ0133, a definition given to the compiler that is not `NAME = literal`.
Source: aqua:model/raw/src/main/scala/aqua/raw/ConstantRaw.scala; aqua:api/api/src/main/scala/aqua/api/APICompilation.scala
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from aquac import codes
from aquac.diagnostics import Diagnostic, Note

from .raw import NIL, ConstPart, Literal, RawValue, Var
from .types import BOOL_LITERAL, ERROR, FLOAT, SIGNED, STRING, STRING_LITERAL, U32, U64, UNSIGNED, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFINITION: Final = re.compile(r"\s*([A-Z][A-Z0-9_]*)[ \t]+(\??)=[ \t]+(.*?)\s*", re.DOTALL)
_LITERALS: Final[tuple[tuple[re.Pattern[str], Type], ...]] = (
    (re.compile(r"true|false"), BOOL_LITERAL),
    (re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+"), FLOAT),
    (re.compile(r"0|[1-9][0-9]*"), UNSIGNED),
    (re.compile(r"-(0|[1-9][0-9]*)"), SIGNED),
    (re.compile(r'"[^"]*"'), STRING_LITERAL),
)


@cache
def predefined(*, no_relay: bool = False) -> tuple[ConstPart, ...]:
    """`HOST_PEER_ID`, `INIT_PEER_ID`, … in their fixed order. Without a relay the host is the initial peer."""
    init_peer = Literal("%init_peer_id%", STRING)
    values: dict[str, RawValue] = {
        "HOST_PEER_ID": init_peer if no_relay else Var("-relay-", STRING),
        "INIT_PEER_ID": init_peer,
        "PARTICLE_TTL": Literal("%ttl%", U32),
        "PARTICLE_TIMESTAMP": Literal("%timestamp%", U64),
        "nil": NIL,
        "LAST_ERROR": Var(":error:", ERROR),
    }
    return tuple(ConstPart(name, value, overridable=False) for name, value in values.items())


def parse_constants(definitions: Sequence[str]) -> tuple[tuple[ConstPart, ...], list[Diagnostic]]:
    """Constants given to the compiler as `NAME = literal` or `NAME ?= literal`; of equal names the last wins."""
    constants: dict[str, ConstPart] = {}
    diagnostics: list[Diagnostic] = []
    for text in definitions:
        part = _parse(text)
        if part is None:
            diagnostics.append(
                Diagnostic(
                    codes.CONSTANT_INVALID,
                    f"invalid constant definition `{text}`",
                    notes=(
                        Note(
                            "write `NAME = literal` with blanks around `=`; the literal is a string, number or boolean"
                        ),
                    ),
                )
            )
        else:
            constants.pop(part.name, None)
            constants[part.name] = part
    return tuple(constants.values()), diagnostics


def _parse(text: str) -> ConstPart | None:
    definition = _DEFINITION.fullmatch(text)
    if definition is None:
        return None
    name, override, literal = definition.groups()
    for pattern, t in _LITERALS:
        if pattern.fullmatch(literal):
            return ConstPart(name, Literal(literal, t), overridable=bool(override))
    return None
