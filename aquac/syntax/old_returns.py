"""A `<-` inside `on`, as versions before 0.10.6 allowed it: the values are computed where it stands, and returned behind.

on peer:                    on peer:
  <- S.get(x)                 returned <- S.get(x)
                            <- returned
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquac.diagnostics import Edit, Fix
from aquac.records import dataclass
from aquac.source import Span

from . import ast

if TYPE_CHECKING:
    from aquac.source import SourceFile

    from .layout import LogicalLine


@dataclass(frozen=True, slots=True)
class Lifted:
    """What a nested return becomes: statements in its place, and a return at the level of the function."""

    bound: tuple[ast.Statement, ...]
    result: ast.Return


def lift(source: SourceFile, nested: ast.Return) -> Lifted:
    """Bind every value but names and literals to a name the file does not use."""
    bound: list[ast.Statement] = []
    values: list[ast.Value] = []
    for value in nested.values:
        if isinstance(value, ast.Variable | ast.Literal):
            values.append(value)
            continue
        name = _free_name(source.text, len(bound))
        target = ast.Name(name, nested.span)
        if _is_call(value):
            bound.append(ast.CallStmt((target,), value, nested.span))
        else:
            bound.append(ast.Assign(target, value, nested.span))
        values.append(ast.Variable(name, nested.span))
    return Lifted(tuple(bound), ast.Return(tuple(values), nested.span))


def lifting_edit(source: SourceFile, line: LogicalLine, lifted: Lifted, indent: str) -> tuple[Fix, ...]:
    """The same in the text, the function's lines being indented by `indent`; none for several computed values."""
    if not lifted.bound:
        return (Fix("return at the level of the function", (Edit(source, line.indent_span, indent),)),)
    if len(lifted.result.values) > 1:
        return ()
    sign = "<-" if isinstance(lifted.bound[0], ast.CallStmt) else "="
    name = next(value.name for value in lifted.result.values if isinstance(value, ast.Variable))
    value = source.text[line.start + 2 : line.end].lstrip(" \t")
    newline = "\r\n" if "\r\n" in source.text else "\n"
    text = f"{line.indent}{name} {sign} {value}{newline}{indent}<- {name}"
    span = Span(line.indent_span.start, line.end)
    return (Fix("return at the level of the function", (Edit(source, span, text),)),)


def _free_name(text: str, taken: int) -> str:
    code = re.sub(r"--[^\n]*", "", text)
    number = 1
    while True:
        name = "returned" if number == 1 else f"returned{number}"
        if not re.search(rf"\b{name}\b", code):
            if not taken:
                return name
            taken -= 1
        number += 1


def _is_call(value: ast.Value) -> bool:
    match value:
        case ast.Call():
            return True
        case ast.Chain(ops=ops):
            return isinstance(ops[-1], ast.MethodOp)
        case _:
            return False
