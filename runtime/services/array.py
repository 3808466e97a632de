"""`array`: sums, sets of strings, slices.

The reference leaves the order of set results open; ours is the order of first occurrence.
Source: nox:particle-builtins/src/math.rs, builtins.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps

from .arguments import SET_STRING, VEC_I64, VEC_STRING, binary, unary
from .math import checked
from .op import array_length
from .registry import ServiceError

if TYPE_CHECKING:
    from .registry import CallContext, Handler

_U64_MAX: Final = 2**64 - 1


def sum_(values: list[int]) -> int:
    """Sum, checked at each step as the reference does."""
    total = 0
    for value in values:
        total = checked(total + value, "add")
    return total


def dedup(values: list[str]) -> list[str]:
    """Each string once."""
    return list(dict.fromkeys(values))


def intersect(left: list[str], right: list[str]) -> list[str]:
    """Strings in both."""
    others = set(right)
    return [value for value in dict.fromkeys(left) if value in others]


def diff(left: list[str], right: list[str]) -> list[str]:
    """Strings of `left` that are not in `right`."""
    others = set(right)
    return [value for value in dict.fromkeys(left) if value not in others]


def sdiff(left: list[str], right: list[str]) -> list[str]:
    """Strings in exactly one of the two."""
    return diff(left, right) + diff(right, left)


def slice_(values: list[Any], _: CallContext) -> Any:
    """Elements from a start index up to an end index; an empty array has only the empty slice."""
    if len(values) != 3:
        raise ServiceError("invalid number of parameters. need array, start index and end index")
    array, start, end = values
    if array == []:
        return []
    if not isinstance(array, list):
        raise ServiceError(f"first argument must be an array, was {dumps(array)}")
    if not _is_index(start):
        raise ServiceError(f"second argument (start index) must be an unsigned integer, was {dumps(start)}")
    if not _is_index(end):
        raise ServiceError(f"third argument (end index) must be an unsigned integer, was {dumps(end)}")
    if start > end or end > len(array):
        raise ServiceError(
            f"slice indexes out of bounds. start index: {start}, end index: {end}, array length: {len(array)}"
        )
    return array[start:end]


def _is_index(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _U64_MAX


FUNCTIONS: Final[dict[str, Handler]] = {
    "sum": unary(VEC_I64, sum_),
    "dedup": unary(VEC_STRING, dedup),
    "intersect": binary(SET_STRING, SET_STRING, intersect),
    "diff": binary(SET_STRING, SET_STRING, diff),
    "sdiff": binary(SET_STRING, SET_STRING, sdiff),
    "slice": slice_,
    "length": array_length,
}
