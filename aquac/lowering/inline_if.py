"""`if` and `else`: a `match` whose failure is told apart from a failure of the branch (`spec aqua-to-air §6`).

The test failing and the body failing look alike to `xor`. So the error is kept, and only the code of a failed test selects
the other branch; any other error is raised again.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/tag/IfTagInliner.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_tag, inline_value
from .build import ERROR, TRUE, after, flatten, if_equal, in_scope, join_prefixes, number, seq, with_props, xor
from .model import NULL, Empty, Fail, FieldP, Match, Model, V, ValueModel
from .streams import freeze_operand, settle
from .trampoline import nested

if TYPE_CHECKING:
    from .state import State

MATCH_FAILED: Final = 10001
MISMATCH_FAILED: Final = 10002

IF_ERROR: Final = "-if-error-"
ELSE_ERROR: Final = "-else-error-"
IF_ELSE_ERROR: Final = "-if-else-error-"

ERROR_CODE: Final = with_props(ERROR, FieldP("error_code", t.I64))


async def lower_if(state: State, tag: r.IfTag) -> Model:
    """Model of the statement with its `else` branches."""
    left: ValueModel
    right: ValueModel
    equal = True
    match tag.condition:
        case r.Bin("eq" | "neq" as op, raw_left, raw_right):
            equal = op == "eq"
            left, left_prefix = await _operand(state, raw_left)
            right, right_prefix = await _operand(state, raw_right)
            prefix = join_prefixes((left_prefix, right_prefix))
        case condition:
            left, prefix = await nested(inline_value.model(state, condition))
            left, copies = settle(state, left)
            prefix = after(prefix, *copies) if copies else prefix
            right = TRUE
    then, *otherwise = await inline_tag.restricted(state, tag.children)
    otherwise = [branch for branch in otherwise if not isinstance(branch, Empty)]
    if isinstance(then, Empty):
        if not otherwise:
            return after(prefix)
        if "D10" in state.defects:
            then, *otherwise = otherwise
        else:
            # Nothing to do when the condition holds, yet the other branch must not run then (D10).
            then = NULL
    test = Match(left, right, equal, (then,))
    if state.no_xor:
        return after(prefix, xor(test, seq(otherwise)))
    return after(prefix, _with_errors(test, otherwise))


async def _operand(state: State, raw: r.RawValue) -> tuple[ValueModel, Model | None]:
    value, prefix = await nested(inline_value.model(state, raw))
    frozen, canons = freeze_operand(state, value)
    return frozen, after(prefix, *canons) if canons else prefix


def _with_errors(test: Match, otherwise: list[Model]) -> Model:
    if not otherwise:
        return in_scope([(IF_ERROR, t.ERROR)], _run(test, [NULL], _fail(IF_ERROR)))
    # The code of a failed test here means that the else branch failed by a test of its own: the first error was foreign.
    foreign = if_equal(
        ERROR_CODE, number(MATCH_FAILED), _copy(IF_ERROR, IF_ELSE_ERROR), _copy(ELSE_ERROR, IF_ELSE_ERROR)
    )
    error_case = seq((flatten(ERROR, ELSE_ERROR), foreign, _fail(IF_ELSE_ERROR)))
    scopes = [(IF_ERROR, t.ERROR), (ELSE_ERROR, t.ERROR), (IF_ELSE_ERROR, t.ERROR)]
    return in_scope(scopes, _run(test, otherwise, error_case))


def _run(test: Match, false_case: list[Model], error_case: Model) -> Model:
    code = MATCH_FAILED if test.equal else MISMATCH_FAILED
    select = xor(Match(ERROR_CODE, number(code), True, tuple(false_case)), error_case)
    return xor(test, seq((flatten(ERROR, IF_ERROR), select)))


def _fail(name: str) -> Model:
    return Fail(V(name, t.ERROR))


def _copy(name: str, to: str) -> Model:
    return flatten(V(name, t.ERROR), to)
