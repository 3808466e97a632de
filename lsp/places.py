"""Where an offset stands: the statements around it, the names visible there, the peer that executes it.

Found by indentation, so that it holds on lines that do not parse yet. Rules of scopes are those of `semantics.check`: every
block but `on` hides its names from what follows it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aquac.lowering.model import L
from aquac.semantics.types import STRING
from aquac.syntax import ast
from aquac.topology.path import Frames, find_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquac.source import Span
    from aquac.topology.path import Path

    from .view import View

Compound = ast.On | ast.For | ast.ParSeq | ast.If | ast.Else | ast.Try | ast.Catch | ast.Otherwise | ast.Closure


@dataclass(slots=True)
class Place:
    """Around an offset.

    definition: the one it stands in. around: compound statements around it, outermost first, `par` and `co` unwrapped.
    names: bound names visible there, in order of binding.
    """

    definition: ast.Definition | None = None
    around: list[Compound] = field(default_factory=list)
    names: dict[str, ast.Name] = field(default_factory=dict)

    def bind(self, name: ast.Name) -> None:
        """Make a name visible."""
        self.names[name.text] = name


def place_at(view: View, offset: int) -> Place:
    """The place of an offset."""
    place = Place(_definition(view, offset))
    if isinstance(place.definition, ast.Func):
        for name in parameters(place.definition.signature):
            place.bind(name)
        _descend(view, place.definition.body, offset, place)
    return place


def parameters(signature: ast.Signature) -> list[ast.Name]:
    """Names a signature binds: abilities, then arguments."""
    return [*(ast.Name(a.name, a.span) for a in signature.abilities), *(p.name for p in signature.params)]


def unwrapped(statement: ast.Statement) -> ast.Statement:
    """The statement behind `par` and `co`."""
    while isinstance(statement, ast.Par | ast.Co):
        statement = statement.body
    return statement


def bound_by(statement: ast.Statement) -> Iterator[ast.Name]:
    """Names visible behind a statement because of it."""
    statement = unwrapped(statement)
    match statement:
        case ast.Assign(name) | ast.Declare(name) | ast.Closure(name):
            yield name
        case ast.CallStmt(results):
            yield from results
        case ast.On(body=body):
            for inner in body:
                yield from bound_by(inner)
        case _:
            pass


def bound_inside(statement: Compound) -> Iterator[ast.Name]:
    """Names a compound statement binds for its own body."""
    match statement:
        case ast.For() | ast.ParSeq():
            yield statement.item
            if statement.value_item is not None:
                yield statement.value_item
        case ast.Catch(name):
            yield name
        case ast.Closure(signature=signature):
            yield from parameters(signature)
        case _:
            pass


def _definition(view: View, offset: int) -> ast.Definition | None:
    """The definition whose text holds `offset`, even if its last lines do not parse."""
    span = view.line_span(offset)
    if view.indentation(offset) == 0 and not _is_code(view.text, span.start):
        return None
    start = span.start
    while start and not _is_code(view.text, start):
        start = view.text.rfind("\n", 0, start - 1) + 1
    for d in reversed(view.file.definitions):
        if d.name.span.start <= offset or d.name.span.start < span.end:
            return d if view.line_span(d.name.span.start).start == start else None
    return None


def _is_code(text: str, start: int) -> bool:
    """Whether the line at `start` begins at the first column, with something other than a comment or a bracket."""
    return text[start : start + 1].isalpha()


def _descend(view: View, body: ast.Body, offset: int, place: Place) -> None:
    """Follow the statements down to the line of `offset`, binding what is visible there."""
    line = view.line_span(offset).start
    indent = view.indentation(offset)
    while True:
        before = [s for s in body if view.line_span(_first(unwrapped(s)).start).start <= line]
        if not before:
            return
        for statement in before[:-1]:
            for name in bound_by(statement):
                place.bind(name)
        last = unwrapped(before[-1])
        first = _first(last).start
        if view.line_span(first).start == line:
            return
        if not isinstance(last, Compound) or indent <= view.indentation(first):
            for name in bound_by(last):
                place.bind(name)
            return
        place.around.append(last)
        for name in bound_inside(last):
            place.bind(name)
        body = last.body


def _first(statement: ast.Statement) -> Span:
    """A span on the first line of a statement."""
    return statement.results[0].span if isinstance(statement, ast.CallStmt) and statement.results else statement.span


# ── peers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Run:
    """Where a place is executed, as written: the peer, None for wherever the function is called, and the peers on the way."""

    peer: str | None
    hops: tuple[str, ...] = ()


def run_at(view: View, place: Place) -> Run:
    """The peer that executes a place, and the hops to it from the peer that executes the function or closure around."""
    return _run_around(view, place.around)


class Runs:
    """Where each statement of a file is executed, found in one walk."""

    def __init__(self, view: View) -> None:
        """Walk over all functions."""
        found: list[tuple[int, Run]] = []
        for d in view.file.definitions:
            found.append((view.line_span(d.name.span.start).start, Run(None)))
            waiting: list[tuple[ast.Body, tuple[Compound, ...]]] = [(d.body, ())] if isinstance(d, ast.Func) else []
            while waiting:
                body, around = waiting.pop()
                run = _run_around(view, around)
                for statement in body:
                    inner = unwrapped(statement)
                    found.append((view.line_span(_first(inner).start).start, run))
                    if isinstance(inner, Compound):
                        waiting.append((inner.body, (*around, inner)))
        found.sort(key=lambda item: item[0])
        self._starts = [start for start, _ in found]
        self._runs = [run for _, run in found]

    def at(self, offset: int) -> Run:
        """As `run_at`, for an offset in the text of a statement."""
        at = bisect_right(self._starts, offset) - 1
        return Run(None) if at < 0 else self._runs[at]


def _run_around(view: View, around: Iterable[Compound]) -> Run:
    frames = Frames()
    path: Path = ()
    for statement in around:
        if isinstance(statement, ast.Closure):
            path = ()  # a closure runs where it is called
        elif isinstance(statement, ast.On | ast.ParSeq):
            relays = tuple(L(_text(view, via), STRING) for via in statement.via)
            path = (frames.make(L(_text(view, statement.peer), STRING), relays), *path)
    if not path:
        return Run(None)
    hops = [hop.text for hop in find_path((), path) if isinstance(hop, L)]
    return Run(str(getattr(path[0].peer, "text", "")), tuple(hops))


def _text(view: View, value: ast.Value) -> str:
    span = ast.extent(value)
    return " ".join(view.text[span.start : span.end].split())
