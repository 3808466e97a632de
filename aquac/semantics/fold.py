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
_Kind = Lit["failed", "if", "try", "group", "other", "else", "catch", "otherwise", "par"]


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


def fold(
    statements: Sequence[tuple[ast.Statement, Tree | None]], report: Reporter, *, follow_ups: bool = False
) -> Tree | None:
    """Tree of a block, None if nothing is right.

    A statement whose elaboration failed has None: it takes part in attachment, not in the result. With `follow_ups` a branch
    behind one that failed is reported as well.
    """
    misplaced, alone = _misplaced(statements)
    groups: list[_Group] = []
    for statement, tree in statements:
        if isinstance(statement, ast.Else | ast.Catch | ast.Otherwise | ast.Par):
            unattached = _attach(groups, statement, tree, report)
            if any(statement is branch for branch in misplaced) and (unattached or follow_ups):
                _report_order(statement, report)
        else:
            groups.append(_group(statement, tree))
    if alone or all(tree is None for _, tree in statements):
        return None
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


def _misplaced(statements: Sequence[tuple[ast.Statement, Tree | None]]) -> tuple[list[Branch], bool]:
    """Branches that belong to nothing, as far as the neighbours that are right tell, and whether one is all there is.

    Two neighbours combine or not; a branch is misplaced if it does not combine with the statement before it, or with the
    one behind it. One beside a statement that failed is nobody's business until that one is right.
    """
    found: list[Branch] = []
    last: tuple[_Kind, ast.Statement] | None = None
    single = True
    for statement, tree in statements:
        this = ("failed" if tree is None else _kind(statement), statement)
        if last is None:
            last = this
            continue
        combined, wrong = _combine(last, this)
        if wrong is not None:
            found.append(wrong)
        if combined is None:
            single = False
            last = this
        else:
            last = (combined, statement)
    alone = single and last is not None and last[0] in ("else", "catch", "otherwise", "par")
    if alone and last is not None and isinstance(last[1], Branch):
        found.append(last[1])
    return found, alone


def _combine(
    before: tuple[_Kind, ast.Statement], after: tuple[_Kind, ast.Statement]
) -> tuple[_Kind | None, Branch | None]:
    """What two neighbours become together, if anything, and which of them is misplaced."""
    (left, first), (right, second) = before, after
    if "failed" in (left, right):
        return None, None
    wrong: ast.Statement | None = None
    match left, right:
        case "if", "else":
            return "if", None
        case (_, "else") | ("else", _):
            wrong = first if left == "else" else second
        case "try", "catch":
            return "try", None
        case (_, "catch") | ("catch", _):
            wrong = first if left == "catch" else second
        case "otherwise", _:
            wrong = first
        case _, "otherwise":
            return "try", None
        case "par", _:
            wrong = first
        case _, "par":
            return "group", None
        case _:
            pass
    return None, wrong if isinstance(wrong, Branch) else None


def _kind(statement: ast.Statement) -> _Kind:
    match statement:
        case ast.If():
            return "if"
        case ast.Try():
            return "try"
        case ast.Else():
            return "else"
        case ast.Catch():
            return "catch"
        case ast.Otherwise():
            return "otherwise"
        case ast.Par():
            return "par"
        case _:
            return "other"


def _attach(groups: list[_Group], branch: Branch, tree: Tree | None, report: Reporter) -> bool:
    """Attach a branch to the last group; true if it belongs to none."""
    group = groups[-1] if groups else None
    if group is not None and group.kind == "broken":
        return False
    if tree is None:
        groups.append(_Group("broken", EMPTY, [], set()))
        return False
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
            if group is None:
                groups.append(_Group("other", EMPTY, [], set()))
            return True
    return False


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
        report(
            codes.WARN_DUPLICATE_BRANCH, at, f"this `{word}` follows another branch `{earlier}` of the same statement"
        )
    group.seen.add(word)
    group.branches.append(tree)
