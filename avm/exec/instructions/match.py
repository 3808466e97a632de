"""`(match left right body)` and `(mismatch left right body)`.

Source: aquavm:air/src/execution_step/instructions/{match_,mismatch,compare_matchable/mod}.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.data import canonical_json
from avm.errors import MATCH_VALUES_NOT_EQUAL, MISMATCH_VALUES_EQUAL, UNDEFINED_VARIABLE_CODE, VmError
from avm.exec.resolve import resolve

if TYPE_CHECKING:
    from avm.exec.machine import Machine


def match(m: Machine, pc: int) -> int:
    """Run the body if both values are equal; raises 10001 if not."""
    left, right, end = m.operands[pc]
    try:
        equal = canonical_json.equal(resolve(m, left)[0].value, resolve(m, right)[0].value)
    except VmError as error:
        return _wait(m, error, end)
    if not equal:
        raise MATCH_VALUES_NOT_EQUAL.error()
    return pc + 1


def mismatch(m: Machine, pc: int) -> int:
    """Run the body if the values differ; raises 10002 if not."""
    left, right, end = m.operands[pc]
    try:
        equal = canonical_json.equal(resolve(m, left)[0].value, resolve(m, right)[0].value)
    except VmError as error:
        return _wait(m, error, end)
    if equal:
        raise MISMATCH_VALUES_EQUAL.error()
    return pc + 1


def _wait(m: Machine, error: VmError, end: int) -> int:
    """An undefined variable may still come: wait without failing."""
    if error.code != UNDEFINED_VARIABLE_CODE:
        raise error
    m.complete = False
    return end
