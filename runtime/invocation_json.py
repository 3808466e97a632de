"""One invocation of the interpreter as JSON, both ways: the lines of `avm invoke`, also used by `avm exec`.

Byte strings are base64. Errors: InvocationError, one line that names the field.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from avm.call_data import CallDataError, decode_call_requests, encode_call_results
from avm.data import canonical_json
from avm.data.human import HumanViewError, human_view, read_for_people
from avm.outcome import CallResult, Outcome, RunParameters

if TYPE_CHECKING:
    from collections.abc import Mapping

U8_MAX: Final = 2**8 - 1
U32_MAX: Final = 2**32 - 1
U64_MAX: Final = 2**64 - 1

_TEXTS: Final = ("init_peer_id", "current_peer_id", "particle_id")
_NUMBERS: Final = {"timestamp": U64_MAX, "ttl": U32_MAX}
_OPTIONAL_NUMBERS: Final = {
    "key_format": U8_MAX,
    "air_size_limit": U64_MAX,
    "particle_size_limit": U64_MAX,
    "call_result_size_limit": U64_MAX,
}
_FLAGS: Final = ("air_size_limit_exceeded", "particle_size_limit_exceeded", "call_result_size_limit_exceeded")
_KNOWN_PARAMS: Final = frozenset((*_TEXTS, *_NUMBERS, *_OPTIONAL_NUMBERS, "secret_key_bytes", "hard_limit_enabled"))
# Messages whose text depends on memory addresses or on the order of a hash map in the reference.
_UNSTABLE_MESSAGES: Final = frozenset({2, 8, 9, 30000})
# Messages of which a hash map orders the parts: the errors of a script in one place, the entries of a fold.
_AIR_PARSE: Final = 1
_FOLD_ENTRIES: Final = "ResolvedFold {"


class InvocationError(ValueError):
    """The JSON does not describe an invocation."""


class Interpreter(Protocol):
    """Ours or the reference."""

    def invoke(self, air: str, prev_data: bytes, data: bytes, params: RunParameters, call_results: bytes) -> Outcome:
        """One run."""
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """The arguments of one run."""

    air: str
    prev_data: bytes
    data: bytes
    params: RunParameters
    call_results: bytes

    def run(self, interpreter: Interpreter) -> Outcome:
        """Hand the arguments to an interpreter."""
        return interpreter.invoke(self.air, self.prev_data, self.data, self.params, self.call_results)


def read_invocation(document: Any) -> Invocation:
    """The invocation of a decoded line. Raises InvocationError."""
    if not isinstance(document, dict):
        raise InvocationError("a line holds one JSON object")
    if "air" not in document:
        raise InvocationError("`air` is missing")
    return Invocation(
        air=_text(document["air"], "air"),
        prev_data=_bytes(document.get("prev_data", ""), "prev_data"),
        data=_bytes(document.get("data", ""), "data"),
        params=read_parameters(document.get("params")),
        call_results=read_call_results(document.get("call_results", {})),
    )


def read_parameters(document: Any) -> RunParameters:
    """Run parameters of a JSON object. Raises InvocationError."""
    if not isinstance(document, dict):
        raise InvocationError("`params` must be an object")
    unknown = sorted(document.keys() - _KNOWN_PARAMS)
    if unknown:
        raise InvocationError(f"`params.{unknown[0]}` is not known")
    for name in (*_TEXTS, *_NUMBERS, "secret_key_bytes"):
        if name not in document:
            raise InvocationError(f"`params.{name}` is missing")
    fields: dict[str, Any] = {name: _text(document[name], f"params.{name}") for name in _TEXTS}
    for name, maximum in (_NUMBERS | _OPTIONAL_NUMBERS).items():
        if name in document:
            fields[name] = _number(document[name], f"params.{name}", maximum)
    fields["secret_key_bytes"] = _bytes(document["secret_key_bytes"], "params.secret_key_bytes")
    hard = document.get("hard_limit_enabled", False)
    if not isinstance(hard, bool):
        raise InvocationError("`params.hard_limit_enabled` must be true or false")
    return RunParameters(hard_limit_enabled=hard, **fields)


def read_call_results(document: Any) -> bytes:
    """Binary call results: base64 of them, or an object of results by request id. Raises InvocationError."""
    if isinstance(document, str):
        return _bytes(document, "call_results")
    if not isinstance(document, dict):
        raise InvocationError("`call_results` must be base64 or an object")
    results: dict[str, CallResult] = {}
    for key, item in document.items():
        where = f"call_results.{key}"
        _text(key, "call_results")
        if not isinstance(item, dict) or item.keys() != {"ret_code", "result"}:
            raise InvocationError(f"`{where}` must have the fields ret_code and result")
        code = item["ret_code"]
        if not isinstance(code, int) or isinstance(code, bool) or not -(2**31) <= code < 2**31:
            raise InvocationError(f"`{where}.ret_code` must be a 32-bit integer")
        results[key] = CallResult(code, _text(item["result"], f"{where}.result"))
    return encode_call_results(results)


def json_text(document: Any, *, indent: int | None = None) -> str:
    """A JSON document as text.

    The arguments of a request may be nested deeper than Python's printer goes: such a document has sorted keys and no indentation.
    """
    try:
        return json.dumps(document, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    except RecursionError:
        return canonical_json.dumps(document)


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Everything an outcome holds; requests both raw and decoded."""
    return {
        "ret_code": outcome.ret_code,
        "error_message": outcome.error_message,
        "data": base64.b64encode(outcome.data).decode(),
        "next_peer_pks": list(outcome.next_peer_pks),
        "call_requests": base64.b64encode(outcome.call_requests_bytes).decode(),
        "requests": requests_json(outcome),
        "air_size_limit_exceeded": outcome.air_size_limit_exceeded,
        "particle_size_limit_exceeded": outcome.particle_size_limit_exceeded,
        "call_result_size_limit_exceeded": outcome.call_result_size_limit_exceeded,
    }


def requests_json(outcome: Outcome) -> dict[str, Any]:
    """Call requests by id, decoded."""
    return {
        str(request_id): {
            "service_id": request.service_id,
            "function_name": request.function_name,
            "arguments": request.arguments,
            "tetraplets": [[tetraplet._asdict() for tetraplet in group] for group in request.tetraplets],
        }
        for request_id, request in outcome.call_requests.items()
    }


def read_outcome(document: Mapping[str, Any]) -> Outcome:
    """The outcome of an output line; requests are those of its bytes. Raises InvocationError."""
    peers = document.get("next_peer_pks")
    if not isinstance(peers, list):
        raise InvocationError("`next_peer_pks` must be an array")
    flags: dict[str, bool] = {}
    for name in _FLAGS:
        flag = document.get(name)
        if not isinstance(flag, bool):
            raise InvocationError(f"`{name}` must be true or false")
        flags[name] = flag
    code = document.get("ret_code")
    if not isinstance(code, int) or isinstance(code, bool):
        raise InvocationError("`ret_code` must be an integer")
    requests = _bytes(document.get("call_requests"), "call_requests")
    try:
        decoded = decode_call_requests(requests)
    except CallDataError as error:
        raise InvocationError(f"`call_requests`: {error}") from None
    return Outcome(
        ret_code=code,
        error_message=_text(document.get("error_message"), "error_message"),
        data=_bytes(document.get("data"), "data"),
        next_peer_pks=tuple(_text(peer, "next_peer_pks") for peer in peers),
        call_requests=decoded,
        air_size_limit_exceeded=flags["air_size_limit_exceeded"],
        particle_size_limit_exceeded=flags["particle_size_limit_exceeded"],
        call_result_size_limit_exceeded=flags["call_result_size_limit_exceeded"],
        raw_call_requests=requests,
    )


def difference(ours: Outcome, theirs: Outcome) -> dict[str, dict[str, Any]]:
    """What differs between two outcomes in their normal form: maps without order, data decoded. Empty: nothing."""
    views = [_normal_form(outcome) for outcome in (ours, theirs)]
    if ours.ret_code == theirs.ret_code and _say_the_same(ours, theirs):
        views[0].pop("error_message")
        views[1].pop("error_message")
    return {
        name: {"ours": mine, "reference": views[1][name]}
        for name, mine in views[0].items()
        # compared as JSON, because 1 and 1.0 and true are different there
        if canonical_json.dumps(mine) != canonical_json.dumps(views[1][name])
    }


def _say_the_same(ours: Outcome, theirs: Outcome) -> bool:
    """Whether the messages of two outcomes of one code differ by chance only: not at all, or in the order of their parts."""
    if ours.ret_code in _UNSTABLE_MESSAGES:
        return True
    if ours.ret_code != _AIR_PARSE and _FOLD_ENTRIES not in ours.error_message:
        return False
    # by characters, so that a column too many in a report is a difference
    return sorted(ours.error_message) == sorted(theirs.error_message)


def _normal_form(outcome: Outcome) -> dict[str, Any]:
    view = outcome_json(outcome)
    del view["call_requests"]
    view["next_peer_pks"] = sorted(outcome.next_peer_pks)
    if outcome.data:
        # previous data that no interpreter could read stay bytes
        with contextlib.suppress(HumanViewError):
            view["data"] = human_view(read_for_people(outcome.data))
    return view


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvocationError(f"`{where}` must be a string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvocationError(f"`{where}` has a lone surrogate") from None
    return value


def _number(value: Any, where: str, maximum: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise InvocationError(f"`{where}` must be an integer from 0 to {maximum}")
    return value


def _bytes(value: Any, where: str) -> bytes:
    if not isinstance(value, str):
        raise InvocationError(f"`{where}` must be base64 text")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InvocationError(f"`{where}` is not base64") from None


def error_json(name: Any, message: str, **more: Mapping[str, Any]) -> dict[str, Any]:
    """The line that stands for an invocation that gave no outcome."""
    return {"id": name, "error": message, **more}
