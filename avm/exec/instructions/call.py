"""`(call peer (service function) [arguments] output)`: the instruction that has effects.

What the trace says decides: a known result is checked against the arguments and bound, a request of this peer is answered
from the call results, everything else becomes a request to this peer's host or sends the particle on.
Source: aquavm:air/src/execution_step/instructions/call.rs, call/
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from avm.data import canonical_json
from avm.data.interpreter_data import Provenance, Tetraplet
from avm.errors import (
    ITERATOR_SHADOWED,
    LOCAL_SERVICE_ERROR,
    PARAMETERS_MISMATCH,
    REQUEST_IDS_EXHAUSTED,
    RESULT_KIND,
    SHADOWING,
    UNDEFINED_VARIABLE_CODE,
    UNRESOLVED_ARGUMENTS,
    VmError,
)
from avm.exec.budget import charge, joined
from avm.exec.resolve import resolve, resolve_text
from avm.exec.scopes import EMPTY
from avm.exec.service_failure import read_failure
from avm.exec.tracking import text_cid
from avm.exec.values import SERVICE_RESULT, Json, Record
from avm.ir.opcodes import OUTPUT_NONE, OUTPUT_SCALAR, OUTPUT_STREAM, Val
from avm.limits import ARGUMENT_HASH_ENTRIES, ARGUMENT_HASH_TEXT_MAX, REQUEST_ID_MAX
from avm.trace.debug import tetraplet_debug, value_debug
from avm.trace.states import FAILED, REQUESTED, SCALAR, SENT_BY, STREAM, UNUSED

if TYPE_CHECKING:
    from avm.data.interpreter_data import ServiceResult
    from avm.exec.machine import Machine
    from avm.exec.resolve import Resolved
    from avm.ir.program import CompiledValue
    from avm.outcome import CallResult
    from avm.trace.states import State

NOT_JSON_RET_CODE: Final = (1 << 31) - 1
"""Code of the failure that stands for a result that is not JSON."""

_SAME_IN_A_RUN: Final = frozenset({Val.CONST, Val.INIT_PEER})
_new: Final = tuple.__new__  # a named tuple's own constructor takes three times as long
_STATE_KIND: Final = {OUTPUT_NONE: UNUSED, OUTPUT_SCALAR: SCALAR, OUTPUT_STREAM: STREAM}


def call(m: Machine, pc: int) -> int:
    """One call; waits for undefined parts of the triplet, and for arguments if it is to be executed here."""
    # OPERANDS
    peer, service, function, argument_values, output, slot, position = m.operands[pc]
    fixed = m.program.fixed[pc]
    assert fixed is not None
    tetraplet, argument_hash = fixed
    if tetraplet is None:
        tetraplet = m.call_tetraplets.get(pc)
    if tetraplet is None:
        try:
            tetraplet = Tetraplet(resolve_text(m, peer), resolve_text(m, service), resolve_text(m, function), "")
        except VmError as error:
            if error.code != UNDEFINED_VARIABLE_CODE:
                raise
            m.complete = False
            return pc + 1
        if peer[0] in _SAME_IN_A_RUN and service[0] in _SAME_IN_A_RUN and function[0] in _SAME_IN_A_RUN:
            m.call_tetraplets[pc] = tetraplet
    if output == OUTPUT_SCALAR:
        _check_output(m, slot)
    try:
        # arguments before the trace, so that an error leaves no state behind
        arguments: list[Resolved] | None = None
        if argument_hash is None:
            arguments = _resolve_all(m, argument_values)
            argument_hash = None if arguments is None else _hash(arguments)
        # TRACE
        known = m.trace.take_call()
        state = None
        if known is not None:
            # OPERATION, for what is known
            state, source = known
            kind = state[0]
            if kind == FAILED:
                _known_failure(m, state, tetraplet, argument_hash)
            if kind in {SCALAR, STREAM, UNUSED}:
                _known_result(m, state, source, tetraplet, argument_hash, (output, slot, position))
                return pc + 1
            if kind == REQUESTED and state[1] == m.ctx.current_peer_id:
                _requested(m, state, tetraplet, argument_hash, (output, slot, position))
                return pc + 1
            if tetraplet.peer_pk != m.ctx.current_peer_id:
                m.complete = False
                m.trace.result.append(state)
                return pc + 1
        # OPERATION, for what is not
        m.complete = False
        if tetraplet.peer_pk != m.ctx.current_peer_id:
            m.next_peers[tetraplet.peer_pk] = None
            m.trace.result.append((SENT_BY, m.ctx.current_peer_id))
        elif argument_hash is None:
            if state is not None:
                m.trace.result.append(state)
        else:
            _request(m, tetraplet, arguments or [resolve(m, value) for value in argument_values])
    except VmError as error:
        # the error belongs to the callee, wherever the script runs
        error.tetraplet = tetraplet
        raise
    # NEXT
    return pc + 1


# ── operands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_output(m: Machine, slot: int) -> None:
    """Refuse an output that cannot be written, before anything happens."""
    content = m.scopes.find(slot)
    if content is EMPTY:
        return
    if slot in m.iterators:
        raise ITERATOR_SHADOWED.error(name=m.program.names[slot])
    if content is not None and not m.scopes.settable(slot):
        raise SHADOWING.error(name=m.program.names[slot])


def _resolve_all(m: Machine, values: tuple[CompiledValue, ...]) -> list[Resolved] | None:
    """All arguments, None if one is undefined. Raises for everything else that is wrong with one."""
    try:
        return [resolve(m, value) for value in values]
    except VmError as error:
        if error.code != UNDEFINED_VARIABLE_CODE:
            raise
        return None


def _hash(arguments: list[Resolved]) -> str:
    """CID of the array of the arguments' values."""
    text = joined([argument[0].text for argument in arguments])
    return _short_hash(text) if len(text) <= ARGUMENT_HASH_TEXT_MAX else text_cid(text)


@lru_cache(maxsize=ARGUMENT_HASH_ENTRIES)
def _short_hash(text: str) -> str:
    """Every run of a particle hashes the arguments of all its known calls again."""
    return text_cid(text)


# ── known results ────────────────────────────────────────────────────────────────────────────────────────────────────


def _known_failure(m: Machine, state: State, tetraplet: Tetraplet, argument_hash: str | None) -> NoReturn:
    cid = state[1]
    result = m.tracker.find_service_result(cid)
    value = m.tracker.find_value(result.value_cid)
    _verify(m, result, tetraplet, argument_hash)
    ret_code, message = read_failure(value.value)
    m.complete = False
    m.sign(tetraplet.peer_pk, cid)
    m.trace.result.append(state)
    raise LOCAL_SERVICE_ERROR.error(ret_code=ret_code, message=message)


def _known_result(
    m: Machine,
    state: State,
    source: int,
    tetraplet: Tetraplet,
    argument_hash: str | None,
    target: tuple[int, int, int],
) -> None:
    output, slot, position = target
    if state[0] != _STATE_KIND[output]:
        raise RESULT_KIND.error(value=value_debug(state))
    if output != OUTPUT_NONE:
        cid = state[1]
        result = m.tracker.find_service_result(cid)
        value = m.tracker.find_value(result.value_cid)
        _verify(m, result, tetraplet, argument_hash)
        record = Record(value, tetraplet, len(m.trace.result), _new(Provenance, (SERVICE_RESULT, cid)))
        if output == OUTPUT_SCALAR:
            m.scopes.set(slot, record)
        else:
            m.streams.find_or_make(slot, position).add_known(record, source, state[2])
        m.sign(tetraplet.peer_pk, cid)
    elif argument_hash is None:
        raise UNRESOLVED_ARGUMENTS.error()
    m.trace.result.append(state)


def _verify(m: Machine, result: ServiceResult, tetraplet: Tetraplet, argument_hash: str | None) -> None:
    """The recorded call must be this one. Raises 20017."""
    stored = m.tracker.find_tetraplet(result.tetraplet_cid)
    if argument_hash is None:
        # cannot come from honest data; traps the reference
        raise UNRESOLVED_ARGUMENTS.error()
    if result.argument_hash != argument_hash:
        raise PARAMETERS_MISMATCH.error(
            parameter="call argument_hash", expected=argument_hash, got=result.argument_hash
        )
    if stored != tetraplet:
        raise PARAMETERS_MISMATCH.error(
            parameter="call tetraplet", expected=tetraplet_debug(tetraplet), got=tetraplet_debug(stored)
        )


# ── this peer's own requests ─────────────────────────────────────────────────────────────────────────────────────────


def _request(m: Machine, tetraplet: Tetraplet, arguments: list[Resolved]) -> None:
    """Hand the call to the host."""
    from avm.outcome import CallRequest

    if m.last_call_request_id == REQUEST_ID_MAX:
        raise REQUEST_IDS_EXHAUSTED.error(id=REQUEST_ID_MAX + 1)
    for argument in arguments:
        charge(len(argument[0].text))
    m.last_call_request_id += 1
    call_id = m.last_call_request_id
    m.requests[call_id] = CallRequest(
        tetraplet.service_id,
        tetraplet.function_name,
        [argument[0].value for argument in arguments],
        [argument[1] for argument in arguments],
    )
    m.trace.result.append((REQUESTED, m.ctx.current_peer_id, call_id))


def _requested(
    m: Machine, state: State, tetraplet: Tetraplet, argument_hash: str | None, target: tuple[int, int, int]
) -> None:
    """A request this peer made before: take its result, if it is there."""
    result = m.results.pop(state[2], None)
    if result is None:
        m.complete = False
        m.trace.result.append(state)
        return
    if argument_hash is None:
        raise UNRESOLVED_ARGUMENTS.error()
    if result.ret_code != 0:
        _fail(m, result.ret_code, result.result, tetraplet, argument_hash, signed=True)
    try:
        value = canonical_json.parse(result.result)
    except canonical_json.JsonError as error:
        message = _not_json(result, error)
        # unsigned in the reference (D3): other peers refuse the data of this run
        _fail(m, NOT_JSON_RET_CODE, message, tetraplet, argument_hash, signed=m.ctx.options.fix_d3)
    _bind_result(m, value, tetraplet, argument_hash, target)


def _bind_result(
    m: Machine, value: Any, tetraplet: Tetraplet, argument_hash: str, target: tuple[int, int, int]
) -> None:
    output, slot, position = target
    trace = m.trace.result
    json = Json(value)
    if output == OUTPUT_NONE:
        trace.append((UNUSED, text_cid(json.text)))
        return
    cid = m.tracker.service_result(json, tetraplet, argument_hash)
    record = Record(json, tetraplet, len(trace), Provenance(SERVICE_RESULT, cid))
    if output == OUTPUT_SCALAR:
        m.scopes.set(slot, record)
    else:
        m.streams.find_or_make(slot, position).add_new(record)
    m.sign(tetraplet.peer_pk, cid)
    trace.append((SCALAR, cid) if output == OUTPUT_SCALAR else (STREAM, cid, 0))


def _fail(
    m: Machine, ret_code: int, message: str, tetraplet: Tetraplet, argument_hash: str, *, signed: bool
) -> NoReturn:
    """The service failed: that is a fact like any other."""
    cid = m.tracker.service_result(Json({"message": message, "ret_code": ret_code}), tetraplet, argument_hash)
    if signed:
        m.sign(tetraplet.peer_pk, cid)
    m.trace.result.append((FAILED, cid))
    raise LOCAL_SERVICE_ERROR.error(ret_code=ret_code, message=message)


def _not_json(result: CallResult, error: canonical_json.JsonError) -> str:
    return (
        f"call_service result 'ret_code: {result.ret_code}, result: '{result.result}'' "
        f"can't be serialized or deserialized with an error: {error}"
    )
