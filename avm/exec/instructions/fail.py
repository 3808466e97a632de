"""`(fail …)`: raise an error object.

Source: aquavm:air/src/execution_step/instructions/fail.rs, instruction_error/instruction_error_definition.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from avm.data.interpreter_data import LITERAL
from avm.errors import (
    ERROR_CODE_BEYOND_I64,
    ERROR_CODE_ZERO,
    ERROR_FIELD_MISSING,
    ERROR_FIELD_TYPE,
    ERROR_NOT_OBJECT,
    USER_ERROR,
    VmError,
)
from avm.exec.resolve import resolve
from avm.exec.values import Json
from avm.ir.opcodes import Val

if TYPE_CHECKING:
    from avm.data.interpreter_data import Provenance, Tetraplet
    from avm.exec.machine import Machine

_I64_MAX: Final = (1 << 63) - 1


def fail_literal(m: Machine, pc: int) -> int:
    """`(fail code "message")`: the error object names the init peer."""
    code, message = m.operands[pc]
    content = {
        "error_code": code,
        "message": message,
        "instruction": m.text(pc),
        "peer_id": m.ctx.init_peer_id,
    }
    _raise(m, Json(content), m.literal_tetraplets[0], LITERAL)


def fail(m: Machine, pc: int) -> int:
    """`(fail variable)`, `(fail %last_error%)`, `(fail :error:)`. An undefined variable raises, it does not wait."""
    (value,) = m.operands[pc]
    if value[0] == Val.LAST_ERROR:
        last = m.errors.last_error
        _check(last.json)
        _raise(m, last.json, last.tetraplet, last.provenance)
    if value[0] == Val.ERROR:
        _raise_again(m)
    json, tetraplets, provenance = resolve(m, value)
    _check(json)
    _raise(m, json, tetraplets[0], provenance)


def _raise(m: Machine, json: Json, tetraplet: Tetraplet | None, provenance: Provenance) -> NoReturn:
    m.errors.raise_object(json, tetraplet, provenance)
    m.complete = False
    raise USER_ERROR.error(error=json.text)


def _raise_again(m: Machine) -> NoReturn:
    """`(fail :error:)`: the very error the enclosing xor caught, if there is one."""
    caught = m.errors.error
    _check(caught.json)
    m.errors.raise_object(caught.json, caught.tetraplet, caught.provenance)
    m.errors.error_settable = False
    m.complete = False
    if caught.original is None:
        raise USER_ERROR.error(error=caught.json.text)
    # a fresh object: the old one still carries what it collected on its way up
    raise VmError(caught.original.code, caught.original.message, catchable=True)


def _check(json: Json) -> None:
    """Raise 10008 unless the value can serve as an error object."""
    value: Any = json.value
    if type(value) is not dict:
        raise ERROR_NOT_OBJECT.error(value=json.text)
    if "error_code" not in value:
        raise ERROR_FIELD_MISSING.error(value=json.text, field="error_code")
    code = value["error_code"]
    if type(code) is int and code > _I64_MAX:
        raise ERROR_CODE_BEYOND_I64.error(value=json.text)
    if type(code) is not int:
        raise ERROR_FIELD_TYPE.error(value=json.text, field="error_code", expected="integer")
    if code == 0:
        raise ERROR_CODE_ZERO.error()
    if "message" not in value:
        raise ERROR_FIELD_MISSING.error(value=json.text, field="message")
    if type(value["message"]) is not str:
        raise ERROR_FIELD_TYPE.error(value=json.text, field="message", expected="string")
