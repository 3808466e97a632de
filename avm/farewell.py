"""Last step of a run: sign what the current peer produced, write the new data, and say how the run ended.

Errors: none; every end of a run is an Outcome.
Source: aquavm:air/src/farewell_step/{outcome,errors}.rs, air/src/signing_step
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.crypto.signatures import sign
from avm.data.codec import encode, encode_again
from avm.data.interpreter_data import InterpreterData
from avm.data.versions import DATA_VERSION, OWN_VERSIONS
from avm.outcome import Outcome
from avm.trace.debug import quoted

if TYPE_CHECKING:
    from avm.caches import Caches
    from avm.exec.context import RunResult
    from avm.outcome import CallResult, RunParameters
    from avm.prepare import Decoded, Flags, PreparationError, Prepared

SUCCESS: Final = 0
UNPROCESSED_CALL_RESULTS: Final = 30000


def refused(error: PreparationError, prev_data: bytes, flags: Flags) -> Outcome:
    """The run did not start: the previous data stay as they are."""
    return _outcome(error.code, str(error), prev_data, flags)


def finished(
    prepared: Prepared, result: RunResult, prev_data: bytes, params: RunParameters, flags: Flags, caches: Caches
) -> Outcome:
    """The run ended, well or badly."""
    error = result.error
    if error is not None and result.stream_compaction_failed:
        return _outcome(error.code, error.message, b"", flags, raw_call_requests=b"")
    if error is not None and not error.catchable:
        return _outcome(error.code, error.message, prev_data, flags)
    if error is not None:
        code, message = error.code, error.message
    else:
        unused = {str(key): item for key, item in result.unused_results.items()} | prepared.stray_results
        code, message = (UNPROCESSED_CALL_RESULTS, _unprocessed(unused)) if unused else (SUCCESS, "")
    signatures = dict(prepared.signatures)
    signatures[prepared.key.public_key] = sign(prepared.key, sorted(result.signed_cids), params.particle_id)
    new_data = InterpreterData(
        trace=result.trace,
        last_call_request_id=result.last_call_request_id,
        stores=prepared.context.stores,
        signatures=signatures,
        data_version=DATA_VERSION,
        interpreter_version=OWN_VERSIONS[prepared.context.options.version],
    )
    data = _encode(new_data, prepared.current)
    caches.remember(data, new_data)
    return Outcome(
        ret_code=code,
        error_message=message,
        data=data,
        next_peer_pks=tuple(result.next_peers),
        call_requests=result.requests,
        air_size_limit_exceeded=flags.air,
        particle_size_limit_exceeded=flags.particle,
        call_result_size_limit_exceeded=flags.call_result,
    )


def _encode(data: InterpreterData, current: Decoded) -> bytes:
    """The bytes of new data. Where nothing but signatures changed since they arrived, most are copied.

    An empty trace is written anew, as native code does: foreign data may have anything in front of it.
    """
    arrived = current.data
    if current.archive is not None and data.trace and data.trace == arrived.trace and data.stores == arrived.stores:
        data.stores = arrived.stores  # in the order of the bytes, so that later outputs do not depend on what is cached
        return encode_again(data, current.archive)
    return encode(data)


def _outcome(code: int, message: str, data: bytes, flags: Flags, raw_call_requests: bytes | None = None) -> Outcome:
    return Outcome(
        ret_code=code,
        error_message=message,
        data=data,
        air_size_limit_exceeded=flags.air,
        particle_size_limit_exceeded=flags.particle,
        call_result_size_limit_exceeded=flags.call_result,
        raw_call_requests=raw_call_requests,
    )


def _unprocessed(results: dict[str, CallResult]) -> str:
    entries = ", ".join(
        f"{quoted(key)}: CallServiceResult {{ ret_code: {item.ret_code}, result: {quoted(item.result)} }}"
        for key, item in results.items()
    )
    return (
        "after finishing execution of supplied AIR, there are some unprocessed call results: "
        f"`{{{entries}}}`, probably a wrong call_id used"
    )
