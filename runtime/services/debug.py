"""`debug`: arguments as JSON text. Source: nox:particle-builtins/src/builtins.rs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps

if TYPE_CHECKING:
    from .registry import CallContext, Handler


def stringify(values: list[Any], _: CallContext) -> Any:
    """The only argument, or the array of all, as compact JSON; a marker, itself valid JSON, when there are none."""
    if not values:
        return '"<empty argument list>"'
    return dumps(values[0] if len(values) == 1 else values)


FUNCTIONS: Final[dict[str, Handler]] = {"stringify": stringify}
