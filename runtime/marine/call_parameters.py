"""What a module may ask about the call it serves, in the four shapes of the host API.

Set once per top-level call and the same for every module of the service. Input: JSON or the dataclasses. Output: a record type and
a value for `codec`. Errors: CallError for JSON of another shape.
Source: marine:core/src/host_imports/call_parameters_{v0,v1,v2,v3}.rs, marine-rs-sdk:crates/main/src/call_parameters.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .codec import Codecs
from .errors import CallError, ErrorClass
from .interface_types import Tables
from .itypes import STRING, U8, U32, U64, ArrayOf, ByteList, IType, RecordOf

if TYPE_CHECKING:
    from collections.abc import Sequence


class CallTetraplet(NamedTuple):
    """Where an argument comes from. `lens` is called `lambda` or `json_path` in older host APIs."""

    peer_pk: str = ""
    service_id: str = ""
    function_name: str = ""
    lens: str = ""


@dataclass(frozen=True, slots=True)
class ParticleParameters:
    """The particle that makes the call. Times are in milliseconds."""

    id: str = ""
    init_peer_id: str = ""
    timestamp: int = 0
    ttl: int = 0
    script: str = ""
    signature: bytes = b""
    token: str = ""


@dataclass(frozen=True, slots=True)
class CallParameters:
    """All a module can know about its caller; one list of tetraplets per argument."""

    particle: ParticleParameters = field(default_factory=ParticleParameters)
    service_id: str = ""
    service_creator_peer_id: str = ""
    host_id: str = ""
    worker_id: str = ""
    tetraplets: tuple[tuple[CallTetraplet, ...], ...] = ()


NO_PARAMETERS: Final = CallParameters()


def from_json(value: Any) -> CallParameters:
    """Call parameters from their JSON form; absent fields are empty. Raises CallError."""
    try:
        return _from_json(value)
    except ValueError as error:
        raise CallError(f"call parameters: {error}", ErrorClass.ARGUMENTS) from None


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place}expected an object")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place}: expected an array")
    return value


def _text(source: dict[str, Any], name: str, place: str = "") -> str:
    value = source.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{place}{name}: expected a string")
    return value


def _number(source: dict[str, Any], name: str, bits: int, place: str) -> int:
    value = source.get(name, 0)
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise ValueError(f"{place}{name}: expected an integer of {bits} bits")
    return value


def _bytes(source: dict[str, Any], name: str, place: str) -> bytes:
    values = _list(source.get(name, []), f"{place}{name}")
    for number, value in enumerate(values):
        if type(value) is not int or not 0 <= value < 1 << 8:
            raise ValueError(f"{place}{name}[{number}]: expected an integer of 8 bits")
    return bytes(values)


def _tetraplet(value: Any, place: str) -> CallTetraplet:
    source = _object(value, f"{place}: ")
    lens = next((name for name in ("lens", "lambda", "json_path") if name in source), "lens")
    names = ("peer_pk", "service_id", "function_name", lens)
    return CallTetraplet(*(_text(source, name, f"{place}.") for name in names))


def _from_json(value: Any) -> CallParameters:
    source = _object(value, "")
    inner = _object(source.get("particle", {}), "particle: ")
    particle = ParticleParameters(
        _text(inner, "id", "particle."),
        _text(inner, "init_peer_id", "particle."),
        _number(inner, "timestamp", 64, "particle."),
        _number(inner, "ttl", 32, "particle."),
        _text(inner, "script", "particle."),
        _bytes(inner, "signature", "particle."),
        _text(inner, "token", "particle."),
    )
    groups = [
        tuple(_tetraplet(item, f"{place}[{number}]") for number, item in enumerate(_list(group, place)))
        for at, group in enumerate(_list(source.get("tetraplets", []), "tetraplets"))
        for place in (f"tetraplets[{at}]",)
    ]
    return CallParameters(
        particle,
        _text(source, "service_id"),
        _text(source, "service_creator_peer_id"),
        _text(source, "host_id"),
        _text(source, "worker_id"),
        tuple(groups),
    )


# ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(tables: Tables, fields: Sequence[IType]) -> RecordOf:
    """A record of the host's own; names of fields do not travel."""
    record = tables.record(len(tables.types))
    record.fields = tuple((str(n), kind) for n, kind in enumerate(fields))
    tables.types.append(record)
    return record


_TABLES: Final = Tables()
_TETRAPLETS: Final = ArrayOf(ArrayOf(_record(_TABLES, [STRING] * 4)))
_PARTICLE: Final = _record(_TABLES, [STRING, STRING, U64, U32, STRING, ArrayOf(U8), STRING])
_ROOTS: Final[dict[str, RecordOf]] = {
    "host": _record(_TABLES, [STRING] * 5 + [_TETRAPLETS]),
    "__marine_host_api_v1": _record(_TABLES, [STRING] * 6 + [_TETRAPLETS]),
    "__marine_host_api_v2": _record(_TABLES, [_PARTICLE] + [STRING] * 4 + [_TETRAPLETS]),
}
_ROOTS["__marine_host_api_v3"] = _ROOTS["__marine_host_api_v2"]
_CODECS: Final = Codecs(_TABLES)


def lower(home: Any, namespace: str, parameters: CallParameters) -> int:
    """Write the parameters into a module in the shape of its host API; the address of the root record."""
    particle = parameters.particle
    tetraplets = [list(group) for group in parameters.tetraplets]
    middle = (parameters.service_id, parameters.service_creator_peer_id, parameters.host_id)
    value: tuple[Any, ...]
    if namespace == "host":
        value = (particle.init_peer_id, *middle, particle.id, tetraplets)
    elif namespace == "__marine_host_api_v1":
        value = (particle.init_peer_id, *middle, parameters.worker_id, particle.id, tetraplets)
    else:
        described = (
            particle.id, particle.init_peer_id, particle.timestamp, particle.ttl, particle.script,
            ByteList(particle.signature), particle.token,
        )  # fmt: skip
        value = (described, *middle, parameters.worker_id, tetraplets)
    return _CODECS.lower_record(_ROOTS[namespace])(home, value)


def shape_of(namespace: str) -> int:
    """Number of the shape that a host API has; from 0 on."""
    return _SHAPES[namespace]


def shape_type(shape: int) -> tuple[RecordOf, Tables]:
    """The record of a shape, and the tables it belongs to."""
    return next(_ROOTS[namespace] for namespace, one in _SHAPES.items() if one == shape), _TABLES


def image(shape: int, parameters: CallParameters) -> tuple[bytes, int]:
    """The parameters as they would be in a memory that has nothing else, and the address of the root record."""
    from .native.images import Image

    particle = parameters.particle
    texts = [
        particle.id, particle.init_peer_id, particle.script, particle.token,
        parameters.service_id, parameters.service_creator_peer_id, parameters.host_id, parameters.worker_id,
    ]  # fmt: skip
    records = [one for group in parameters.tetraplets for one in group]
    texts += [text for record in records for text in record]
    size = 4 * sum(map(len, texts)) + len(particle.signature) + 40 * len(records) + 8 * len(parameters.tetraplets)
    memory = bytearray(size + 256)
    home = Image(memoryview(memory))
    home.top = 8
    namespace = next(namespace for namespace, one in _SHAPES.items() if one == shape)
    root = lower(home, namespace, parameters)
    return bytes(memory), root


_SHAPES: Final = {"host": 0, "__marine_host_api_v1": 1, "__marine_host_api_v2": 2, "__marine_host_api_v3": 2}
