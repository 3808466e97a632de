"""What one logical line parses to, before the indenter makes blocks of the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aquac.records import dataclass

if TYPE_CHECKING:
    from aquac.source import Span

    from . import ast


@dataclass(frozen=True, slots=True)
class CompoundHead:
    """First line of a compound statement: the statement with an empty body, put into place by the indenter."""

    statement: ast.Statement


@dataclass(frozen=True, slots=True)
class BlockHead:
    """First line of `data`, `service`, `ability` or `func`."""

    kind: Literal["data", "service", "ability", "func"]
    name: ast.Name
    id: ast.Value | None = None
    signature: ast.Signature | None = None


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member of a type definition; `type_span` is the whole type as written."""

    name: ast.Name
    type: ast.TypeExpr
    type_span: Span
