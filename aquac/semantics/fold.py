"""Statements of a block become one tree: branches attach to what they belong to, the rest runs in sequence.

Input: the trees of sibling statements with the syntax they came from. Output: one tree.
Errors: AQ0406 – AQ0409, a branch without a statement to attach to; all are reported after the statements' own errors.
Warning: AQ0906, a branch that repeats another.
Source: aqua:semantics/src/main/scala/aqua/semantics/RawSemantics.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never
from typing import Literal as Lit

from aquac import codes
from aquac.records import dataclass
from aquac.syntax import ast

from .raw import EMPTY, EmptyTag, IfTag, ParTag, SeqTag, Tree, TryTag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Reporter

Branch = ast.Else | ast.Catch | ast.Otherwise | ast.Par


def seq(children: Sequence[Tree]) -> Tree:
    """Children one after another, empty ones dropped."""
    kept = tuple(c for c in children if not isinstance(c, EmptyTag))
    return EMPTY if not kept else kept[0] if len(kept) == 1 else SeqTag(kept)


@dataclass(slots=True)
class _Group:
    """A statement with the branches attached so far. `kind` `broken` accepts any branch: its own error was reported."""

    kind: Lit["if", "try", "par", "other", "broken"]
    head: Tree
    branches: list[Tree]
    seen: set[str]

    def tree(self) -> Tree:
        match self.kind:
            case "if":
                assert isinstance(self.head, IfTag)
                return IfTag(self.head.condition, (*self.head.children, *self.branches), self.head.site)
            case "try":
                return TryTag((self.head, *self.branches))
            case "par":
                return ParTag((self.head, *self.branches))
            case "other" | "broken":
                return self.head
            case _:
                assert_never(self.kind)


def fold(statements: Sequence[tuple[ast.Statement, Tree | None]], report: Reporter) -> Tree:
    """Tree of a block. A statement whose elaboration failed has None: it takes part in attachment, not in the result."""
    groups: list[_Group] = []
    for statement, tree in statements:
        if isinstance(statement, ast.Else | ast.Catch | ast.Otherwise | ast.Par):
            _attach(groups, statement, tree, report)
        else:
            groups.append(_group(statement, tree))
    result: list[Tree] = []
    for group in groups:
        tree = group.tree()
        if isinstance(tree, SeqTag):
            result += tree.children
        else:
            result.append(tree)
    return seq(result)


def _group(statement: ast.Statement, tree: Tree | None) -> _Group:
    if tree is None:
        return _Group("broken", EMPTY, [], set())
    match statement:
        case ast.If():
            return _Group("if", tree, [], set())
        case ast.Try():
            return _Group("try", tree, [], set())
        case _:
            return _Group("other", tree, [], set())


def _attach(groups: list[_Group], branch: Branch, tree: Tree | None, report: Reporter) -> None:
    group = groups[-1] if groups else None
    if group is not None and group.kind == "broken":
        return
    if tree is None:
        groups.append(_Group("broken", EMPTY, [], set()))
        return
    match branch:
        case ast.Else() if group is not None and group.kind == "if":
            _add(group, "else", branch, tree, report)
        case ast.Catch() if group is not None and group.kind == "try":
            _add(group, "catch", branch, tree, report)
        case ast.Otherwise() if group is not None:
            if group.kind != "try":
                groups[-1] = group = _Group("try", group.tree(), [], set())
            _add(group, "otherwise", branch, tree, report)
        case ast.Par() if group is not None:
            if group.kind != "par":
                groups[-1] = group = _Group("par", group.tree(), [], set())
            group.branches.append(tree)
        case _:
            _report_order(branch, report)
            if group is None:
                groups.append(_Group("broken", EMPTY, [], set()))


def _report_order(branch: Branch, report: Reporter) -> None:
    match branch:
        case ast.Else():
            message = "this `else` has no `if` directly before it, with the same indentation"
            report(codes.ORDER_ELSE, branch.span, message)
        case ast.Catch():
            message = "this `catch` has no `try` directly before it, with the same indentation"
            report(codes.ORDER_CATCH, branch.name.span, message)
        case ast.Otherwise():
            message = "this `otherwise` has no statement before it in its block"
            report(codes.ORDER_OTHERWISE, branch.span, message)
        case ast.Par():
            message = "this `par` has no statement before it to run in parallel with; `co` runs one aside on its own"
            report(codes.ORDER_PAR, branch.span, message)
        case _:
            assert_never(branch)


def _add(group: _Group, word: str, branch: Branch, tree: Tree, report: Reporter) -> None:
    """Attach a handler. Repeating one is legal and never what was meant: the later ones run only if the earlier fail."""
    if word in group.seen or (word == "catch" and "otherwise" in group.seen):
        at = branch.name.span if isinstance(branch, ast.Catch) else branch.span
        earlier = word if word in group.seen else "otherwise"
        report(codes.WARN_DUPLICATE_BRANCH, at, f"this `{word}` follows an `{earlier}` of the same statement")
    group.seen.add(word)
    group.branches.append(tree)
