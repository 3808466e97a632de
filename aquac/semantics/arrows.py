"""Functions and closures: signature, frame, body, returned values.

Errors: AQ0203, AQ0204 (arguments), AQ0401 – AQ0405 (returns), AQ0304. Warning: AQ0904, a statement after the return.
Source: aqua:semantics/src/main/scala/aqua/semantics/expr/func/ArrowSem.scala, …/ReturnSem.scala; spec aqua-to-air §2.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac import codes
from aquac.diagnostics import Edit, Fix, Note
from aquac.records import dataclass
from aquac.source import Span
from aquac.syntax import ast
from aquac.syntax.ast import extent
from aquac.syntax.layout import is_apart

from . import raw
from .fold import seq
from .printing import for_message
from .raw import FuncArrow, RawValue, Tree
from .report import Reporter, counted
from .subtyping import accepts
from .types import Array, Arrow, Canon, Stream, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .mangler import Mangler


@dataclass(slots=True)
class Signature:
    """A resolved signature. Types are None where unresolved.

    `arrow` is what callers see, None if that is not known.
    """

    params: tuple[tuple[ast.Name, Type | None], ...]
    results: tuple[Type | None, ...]

    @property
    def arrow(self) -> Arrow | None:
        """Type of the function; None if a part of it is unresolved, as nothing can be said about calls then."""
        args = tuple((name.text, t) for name, t in self.params if t is not None)
        results = tuple(t for t in self.results if t is not None)
        complete = len(args) == len(self.params) and len(results) == len(self.results)
        return Arrow(args, results) if complete else None


@dataclass(slots=True)
class Returns:
    """What the arrow being elaborated has returned so far."""

    signature: ast.Signature
    results: tuple[Type | None, ...]
    values: tuple[RawValue, ...] | None = None
    attempted: bool = False
    attempts: int = 0
    incomplete: bool = False
    """Whether a line of the body could not be read."""
    contradicted: bool = False
    """Whether what is returned is not what is declared, so that either may be the mistake."""
    span: Span | None = None
    last: ast.Statement | None = None


def check_return(
    report: Reporter, returns: Returns, statement: ast.Return, values: Sequence[RawValue]
) -> raw.ReturnTag | None:
    """Compare returned values with the declared results."""
    written = statement.values
    expected = len(returns.signature.results)
    if returns.values is not None:
        report(codes.RETURN_TWICE, written[0].span, "this function has returned already; only one `<-` is allowed")
        return None
    if not expected:
        message = "this function declares no result; add `-> type` to its signature or remove the `<-`"
        report(codes.RETURN_UNDECLARED, written[0].span, message)
        return None
    declared = f"{counted(expected, 'result')} {'is' if expected == 1 else 'are'} declared"
    if len(values) < expected:
        if returns.incomplete:
            return None  # what is missing may be there
        missing = counted(expected - len(values), "value")
        report(codes.RETURN_FEW, written[-1].span, f"{declared}, {len(values)} returned: {missing} missing")
        return None
    if len(values) > expected:
        report(codes.RETURN_MANY, written[expected].span, f"{declared}, {len(values)} returned")
        return None
    good = True
    for v, value, t, declared_as in zip(written, values, returns.results, returns.signature.results, strict=False):
        if t is None:
            break  # which result a type was meant for, nobody knows behind one that is wrong
        if not accepts(t, value.type):
            message = f"the function returns `{for_message(t)}` here, this value is `{for_message(value.type)}`"
            note = Note("the result is declared here", report.file, declared_as.span)
            report(codes.TYPE_WRONG_VALUE, v.span, message, notes=(note,))
            good = False
            returns.contradicted = True
    if not good:
        return None
    returns.values = tuple(values)
    returns.span = statement.span.to(extent(written[-1]))
    return raw.ReturnTag(tuple(values))


@dataclass(frozen=True, slots=True)
class SecondFunction:
    """Statements of a body that belong to another function whose first line is missing: from which on, and its `<-`."""

    start: int
    statement: ast.Statement
    returns: ast.Return


def second_function(text: str, body: ast.Body) -> SecondFunction | None:
    """What of a body seems to belong to another function.

    Statements may follow a `<-`, but not with another `<-`, and hardly behind a blank line.
    """
    returns = [at for at, statement in enumerate(body) if isinstance(statement, ast.Return)]
    if len(returns) < 2:
        return None
    for at in range(returns[0] + 1, returns[-1] + 1):
        line = text.rfind("\n", 0, body[at].span.start) + 1
        if is_apart(text, line):
            second = next(s for s in body[at:] if isinstance(s, ast.Return))
            return SecondFunction(at, body[at], second)
    return None


def report_second_function(report: Reporter, other: SecondFunction) -> None:
    """The second `<-` of such a body."""
    note = Note("a line with `func` may be missing above this one", report.file, other.statement.span)
    message = "the function above has returned already, and this does not belong to it"
    report(codes.RETURN_TWICE, other.returns.values[0].span, message, notes=(note,))


def check_returned(report: Reporter, returns: Returns) -> bool:
    """At the end of the body: whether everything declared was returned."""
    if returns.signature.results and returns.values is None:
        if not returns.attempted:
            first: Span = returns.signature.results[0].span
            message = "a result is declared but nothing is returned: end the body with `<- value`"
            notes: tuple[Note, ...] = ()
            fixes: tuple[Fix, ...] = ()
            last = returns.last
            if isinstance(last, ast.CallStmt) and not last.results:
                at = extent(last.value)
                notes = (
                    Note("what this line computes is not used; to return it, begin it with `<-`", report.file, at),
                )
                fixes = (Fix("return the last value", (Edit(report.file, Span(at.start, at.start), "<- "),)),)
            report(codes.RETURN_MISSING, first, message, notes=notes, fixes=fixes)
        return False
    return True


def finish(
    mangler: Mangler, t: Arrow, values: Sequence[RawValue], body: Tree, site: raw.Site | None = None
) -> FuncArrow:
    """Make returned values simple: computed ones are bound to names, streams returned as arrays are frozen first.

    `site` is where the values are returned.
    """
    returned: list[RawValue] = []
    appended: list[Tree] = []
    for value, result in zip(values, t.results, strict=True):
        match value:
            case raw.Var(stream, Stream(element)) if not isinstance(result, Stream):
                canon, flat = mangler.rename(f"-{stream}-fix"), mangler.rename(f"-{stream}-flat")
                appended.append(raw.CanonTag(value, canon, Canon(element), site))
                appended.append(raw.FlattenTag(raw.Var(canon, Canon(element)), flat, site))
                returned.append(raw.Var(flat, Array(element)))
            case raw.Prop() | raw.Call() | raw.Coll() | raw.StreamLit() | raw.Bin() | raw.NotOp():
                name = mangler.rename("-return-fix")
                appended.append(raw.AssignTag(value, name, site))
                returned.append(raw.Var(name, value.type))
            case _:
                returned.append(value)
    return FuncArrow(t, tuple(returned), seq((body, *appended)))
