"""Reading the stored value of a failed call: `{"message": string, "ret_code": i32}`.

Only edited previous data can hold anything else. Errors: VmError 20012 with the reference parser's text.
Source: aquavm:crates/air-lib/interpreter-data/src/executed_state.rs (CallServiceFailed), serde_json 1.0.108
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.air.numbers import display_float
from avm.errors import MALFORMED_FAILURE
from avm.trace.debug import quoted

if TYPE_CHECKING:
    from avm.errors import VmError

_I32: Final = range(-(1 << 31), 1 << 31)
_FIELDS: Final = ("ret_code", "message")


def read_failure(value: Any) -> tuple[int, str]:
    """Code and message. Raises 20012."""
    if type(value) is list:
        # elements are read in order, so a wrong type is reported before a missing element
        fields = dict(zip(_FIELDS, value, strict=False))
        _check(fields)
        if len(value) < len(_FIELDS):
            raise _malformed(f"invalid length {len(value)}, expected struct CallServiceFailed with 2 elements")
        if len(value) > len(_FIELDS):
            raise _malformed(f"invalid length {len(value)}, expected fewer elements in array")
    elif type(value) is dict:
        fields = {name: value[name] for name in sorted(_FIELDS) if name in value}
    else:
        raise _malformed(f"invalid type: {_kind(value)}, expected struct CallServiceFailed")
    _check(fields)
    for name in _FIELDS:
        if name not in fields:
            raise _malformed(f"missing field `{name}`")
    return fields["ret_code"], fields["message"]


def _check(fields: dict[str, Any]) -> None:
    for name, content in fields.items():
        if name == "message" and type(content) is not str:
            raise _malformed(f"invalid type: {_kind(content)}, expected a string")
        if name == "ret_code":
            if type(content) is not int:
                raise _malformed(f"invalid type: {_kind(content)}, expected i32")
            if content not in _I32:
                raise _malformed(f"invalid value: integer `{content}`, expected i32")


def _kind(value: Any) -> str:
    """A value as the parser's messages name it."""
    if value is None:
        return "null"
    if type(value) is bool:
        return f"boolean `{str(value).lower()}`"
    if type(value) is int:
        return f"integer `{value}`"
    if type(value) is float:
        return f"floating point `{display_float(value)}`"
    if type(value) is str:
        return f"string {quoted(value)}"
    return "sequence" if type(value) is list else "map"


def _malformed(text: str) -> VmError:
    return MALFORMED_FAILURE.error(error=text)
