"""Call results (host → VM) and call requests (VM → host) in their binary forms.

Both are a multicodec prefix `81 04` (0x0201, MessagePack) and a map. Errors: CallDataError, whose text is that of code 5.
Source: aquavm:crates/air-lib/interpreter-interface/src/{call_service_result,call_request_parameters}.rs, aquavm:crates/air-lib/interpreter-sede
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgpack

from avm.data import messagepack
from avm.data.interpreter_data import Tetraplet
from avm.data.messagepack import FormatError, Reader, pack, syntax, unexpected, unpack
from avm.outcome import CallRequest, CallResult

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = b"\x81\x04"
NO_REQUESTS: Final = PREFIX + b"\x80"
NO_RESULTS: Final = PREFIX + b"\x80"
_MESSAGEPACK_CODEC: Final = 0x0201
_RESULT_DEPTH: Final = 2  # a field of a result lies inside two containers
_I32: Final = range(-(2**31), 2**31)


class CallDataError(ValueError):
    """The buffer is not a valid set of call results or requests; the text is the reference's debug form."""


def encode_call_requests(requests: Mapping[int, CallRequest]) -> bytes:
    """Binary form of call requests, in the order of the mapping."""
    packer = msgpack.Packer(use_bin_type=True)
    out = [PREFIX, packer.pack_map_header(len(requests))]
    for request_id, request in requests.items():
        tetraplets = [[tetraplet._asdict() for tetraplet in group] for group in request.tetraplets]
        out.append(packer.pack(request_id))
        out.append(
            packer.pack(
                {
                    "service_id": request.service_id,
                    "function_name": request.function_name,
                    "arguments": pack(request.arguments),
                    "tetraplets": packer.pack(tetraplets),
                }
            )
        )
    return b"".join(out)


def decode_call_requests(data: bytes) -> dict[int, CallRequest]:
    """Call requests of a binary buffer; an empty buffer holds none. Raises CallDataError.

    Meant for buffers the VM wrote; the reader of hostile input is `decode_call_results`.
    """
    if not data:
        return {}
    try:
        raw = msgpack.unpackb(data[_payload_start(data) :], strict_map_key=False)
        return {
            request_id: CallRequest(
                service_id=fields["service_id"],
                function_name=fields["function_name"],
                arguments=unpack(fields["arguments"]),
                tetraplets=[
                    [Tetraplet(**tetraplet) for tetraplet in group] for group in msgpack.unpackb(fields["tetraplets"])
                ],
            )
            for request_id, fields in raw.items()
        }
    except CallDataError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, msgpack.UnpackException) as error:
        raise CallDataError(f"malformed call requests: {error}") from error


def encode_call_results(results: Mapping[int, CallResult] | Mapping[str, CallResult]) -> bytes:
    """Binary form of call results; ids become decimal text."""
    return PREFIX + bytes(
        msgpack.packb(
            {str(key): {"ret_code": result.ret_code, "result": result.result} for key, result in results.items()}
        )
    )


def decode_call_results(data: bytes) -> dict[str, CallResult]:
    """Call results by their id text. Raises CallDataError.

    Laxities of the reference: a result as a 2-element array, unknown fields, text as bytes, bytes after the map.
    """
    start = _payload_start(data)
    if data[start:] == b"\x80":
        return {}
    fast = _decode_fast(data[start:])
    if fast is not None:
        return fast
    try:
        return _decode_exactly(Reader(data, start))
    except FormatError as error:
        raise CallDataError(f"Format({error})") from None


def results_by_text(results: Mapping[int, CallResult] | Mapping[str, CallResult]) -> dict[str, CallResult]:
    """Results by their id text, for hosts that skip the binary form. Raises CallDataError for a code the binary form refuses.

    A code beyond i32 would be stored in the data, where no later run can read it (20012).
    """
    texts = {str(key): result for key, result in results.items()}
    for result in texts.values():
        if result.ret_code not in _I32:
            raise CallDataError(f"Format({unexpected(messagepack.INTEGER, result.ret_code, 'i32', 'value')})")
    return texts


def _payload_start(data: bytes) -> int:
    if data[:2] == PREFIX:
        return 2
    codec = shift = 0
    for index, byte in enumerate(data[:5]):
        codec |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if byte == 0 and index > 0:
                raise CallDataError("VarInt(NotMinimal)")
            codec &= 0xFFFFFFFF
            if codec != _MESSAGEPACK_CODEC:
                raise CallDataError(f"Codec({codec})")
            return index + 1
    raise CallDataError("VarInt(Insufficient)" if len(data) < 5 else "VarInt(Overflow)")


def _decode_fast(payload: bytes) -> dict[str, CallResult] | None:
    """The common shape through the C library; None when anything is unusual, for the exact reader to judge."""
    try:
        raw: Any = msgpack.unpackb(payload, object_pairs_hook=tuple)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        return None
    if type(raw) is not tuple:
        return None
    results: dict[str, CallResult] = {}
    for key, fields in raw:
        if type(key) is not str or type(fields) is not tuple or len(fields) != 2:
            return None
        (name0, code), (name1, result) = fields
        if name0 != "ret_code" or name1 != "result" or type(code) is not int or type(result) is not str:
            return None
        if code not in _I32:
            return None
        results[key] = CallResult(code, result)
    return results


def _decode_exactly(reader: Reader) -> dict[str, CallResult]:
    family, count = reader.next()
    if family is not messagepack.MAP:
        raise unexpected(family, count, "a map")
    results: dict[str, CallResult] = {}
    for _ in range(count):
        key = reader.string()
        results[key] = _result(reader)
    return results


def _result(reader: Reader) -> CallResult:
    family, count = reader.next()
    if family is messagepack.SEQUENCE:
        return _result_from_sequence(reader, count)
    if family is not messagepack.MAP:
        raise unexpected(family, count, "struct CallServiceResult")
    code: int | None = None
    result: str | None = None
    for _ in range(count):
        name = _field_name(reader)
        if name in (b"ret_code", 0):
            if code is not None:
                raise syntax("duplicate field `ret_code`")
            code = _code(reader)
        elif name in (b"result", 1):
            if result is not None:
                raise syntax("duplicate field `result`")
            result = reader.string()
        else:
            reader.skip(_RESULT_DEPTH)
    if code is None:
        raise syntax("missing field `ret_code`")
    if result is None:
        raise syntax("missing field `result`")
    return CallResult(code, result)


def _result_from_sequence(reader: Reader, count: int) -> CallResult:
    expected = "struct CallServiceResult with 2 elements"
    if count < 1:
        raise syntax(f"invalid length 0, expected {expected}")
    code = _code(reader)
    if count < 2:
        raise syntax(f"invalid length 1, expected {expected}")
    result = reader.string()
    if count > 2:
        raise FormatError("LengthMismatch(2)", "array had incorrect length, expected 2")
    return CallResult(code, result)


def _field_name(reader: Reader) -> bytes | int:
    family, payload = reader.next()
    if family is messagepack.STRING or family is messagepack.BYTES:
        return bytes(payload)
    if family is messagepack.INTEGER and payload >= 0:
        return int(payload)
    raise unexpected(family, payload, "field identifier")


def _code(reader: Reader) -> int:
    family, payload = reader.next()
    if family is not messagepack.INTEGER:
        raise unexpected(family, payload, "i32")
    if payload not in _I32:
        raise unexpected(family, payload, "i32", "value")
    return int(payload)
