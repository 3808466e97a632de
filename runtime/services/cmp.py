"""`cmp`: comparing 64-bit integers. Source: nox:particle-builtins/src/math.rs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .arguments import I64, binary

if TYPE_CHECKING:
    from .registry import Handler

FUNCTIONS: Final[dict[str, Handler]] = {
    "gt": binary(I64, I64, lambda x, y: x > y),
    "gte": binary(I64, I64, lambda x, y: x >= y),
    "lt": binary(I64, I64, lambda x, y: x < y),
    "lte": binary(I64, I64, lambda x, y: x <= y),
    "cmp": binary(I64, I64, lambda x, y: (x > y) - (x < y)),
}
