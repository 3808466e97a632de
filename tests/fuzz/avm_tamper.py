"""Dishonest data: edits of decoded interpreter data, with or without consistent CIDs and signatures, and of its bytes.

Four depths, because each check of the preparation hides what lies behind it: bytes anyhow, entries that no longer match
their CIDs, CIDs made right again, and signatures made right again by peers that all cheat together.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

from avm.crypto.keys import KeyPair
from avm.crypto.signatures import sign
from avm.data.canonical_json import dumps
from avm.data.cid_store import (
    canon_element_json,
    canon_result_json,
    cid_of,
    service_result_json,
    tetraplet_json,
)
from avm.data.codec import ArchiveError, EnvelopeError, decode, encode
from avm.data.interpreter_data import (
    CanonElement,
    CanonResult,
    InterpreterData,
    Provenance,
    ServiceResult,
    Stores,
    Tetraplet,
)
from avm.trace import states
from tests.fuzz.json_texts import json_text, object_text

TEXTS = ('"v"', "1", "-0", "1.0", "[1, 2]", '{"a":{"a":1}}', '{"b":1,"a":2}', "{oops", "", "1e400", "null", '"\\u00e9"',
         '{"ret_code":3,"message":"m"}', '{"message":"m"}', "18446744073709551615", "0.30000000000000004")  # fmt: skip
VERSIONS = ("0.62.0", "0.61.0", "0.60.9", "0.61.0-rc.1", "99.0.0", "0.63.0+b.1", "x")
REHASH_ROUNDS_MAX = 6


def tampered(rng: random.Random, data: bytes, keys: Mapping[str, KeyPair], salt: str) -> bytes:
    """A dishonest variant of data."""
    if not data:
        return bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 4, 60))))
    if rng.random() < 0.15:
        return mutated_bytes(rng, data)
    try:
        decoded = decode(data)
    except (EnvelopeError, ArchiveError):
        return mutated_bytes(rng, data)
    depth = rng.random()
    edit(rng, decoded, trace_only=depth > 0.4 and rng.random() < 0.6)
    if depth > 0.15:
        rehash(decoded)
    if depth > 0.3:
        resign(decoded, keys, salt)
    try:
        return encode(decoded)
    except (KeyError, UnicodeEncodeError):
        return data


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, removed, inserted or repeated."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(out)) if out else 0
        match rng.randrange(6):
            case 0 if out:
                out[at] ^= 1 << rng.randrange(8)
            case 1 if out:
                out[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
            case 2:
                out[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 4, 8))))
            case 3:
                del out[at : at + rng.choice((1, 2, 4, 60))]
            case 4:
                del out[at:]
            case _:
                word = rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32), rng.randrange(256)))
                at &= ~3
                out[at : at + 4] = word.to_bytes(4, "big")
    return bytes(out)


# ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def edit(rng: random.Random, data: InterpreterData, *, trace_only: bool = False) -> None:
    """One or a few edits in place."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        kind = 0 if trace_only else rng.choices(range(5), (6, 4, 2, 0.7, 0.5))[0]
        match kind:
            case 0:
                _edit_trace(rng, data)
            case 1:
                _edit_stores(rng, data.stores)
            case 2:
                _edit_signatures(rng, data)
            case 3:
                data.last_call_request_id = rng.choice((0, 1, 2, 7, 2**32 - 2, rng.getrandbits(32)))
            case _:
                if rng.random() < 0.7:
                    data.interpreter_version = rng.choice(VERSIONS)
                else:
                    data.data_version = rng.choice(VERSIONS)


def _edit_trace(rng: random.Random, data: InterpreterData) -> None:
    trace = data.trace = list(data.trace)
    if not trace:
        trace.append(random_state(rng, data))
        return
    at = rng.randrange(len(trace))
    streams = [place for place, state in enumerate(trace) if state[0] in {states.FOLD, states.AP, states.STREAM}]
    if streams and rng.random() < 0.4:
        at = rng.choice(streams)
    match rng.randrange(8):
        case 0:
            other = rng.randrange(len(trace))
            trace[at], trace[other] = trace[other], trace[at]
        case 1:
            del trace[at]
        case 2:
            trace.insert(at, random_state(rng, data))
        case 3:
            trace[at] = random_state(rng, data)
        case 4:
            del trace[at:]
        case 5:
            trace.append(trace[at])
        case _:
            trace[at] = changed_state(rng, data, trace[at])


def number(rng: random.Random, near: int) -> int:
    """A number of the trace: near an honest one, or extreme."""
    return max(0, rng.choice((near - 1, near + 1, near + 2, 0, 1, rng.randrange(12), 2**31, 2**32 - 1))) & 0xFFFFFFFF


def random_state(rng: random.Random, data: InterpreterData) -> states.State:
    """Any state; CIDs and peers mostly exist."""
    stores = data.stores
    results = [*stores.service_results, *stores.canon_results, "bagaaihra"]
    peers = [item.peer_pk for item in stores.tetraplets.values()] or ["nobody"]
    size = len(data.trace)
    makers: list[states.State] = [
        (states.PAR, number(rng, 1), number(rng, 1)),
        (states.SENT_BY, rng.choice(peers)),
        (states.REQUESTED, rng.choice(peers), number(rng, 1)),
        (states.SCALAR, rng.choice(results)),
        (states.STREAM, rng.choice(results), number(rng, 0)),
        (states.UNUSED, rng.choice([*stores.values, "bagaaihra"])),
        (states.FAILED, rng.choice(results)),
        (states.FOLD, tuple(_lore(rng, size) for _ in range(rng.randrange(3)))),
        (states.AP, tuple(number(rng, 0) for _ in range(rng.choice((0, 1, 1, 1, 2))))),
        (states.CANON_SENT_BY, rng.choice(peers)),
        (states.CANON, rng.choice([*stores.canon_results, rng.choice(results)])),
    ]
    return rng.choice(makers)


def _lore(rng: random.Random, size: int) -> tuple[int, ...]:
    entry = (
        rng.randrange(size + 2),
        rng.randrange(size + 2),
        rng.randrange(3),
        rng.randrange(size + 2),
        rng.randrange(3),
    )
    return entry if rng.random() < 0.9 else entry[: rng.choice((1, 3))]


def changed_state(rng: random.Random, data: InterpreterData, state: states.State) -> states.State:
    """The same kind of state, or a related kind, with something changed."""
    kind = state[0]
    if kind == states.PAR:
        changed = list(state)
        place = rng.choice((1, 2))
        changed[place] = number(rng, changed[place])
        return tuple(changed)
    if kind == states.AP:
        return (states.AP, tuple(number(rng, generation) for generation in state[1]) * rng.choice((1, 1, 2)))
    if kind == states.FOLD and state[1]:
        lore = [list(entry) for entry in state[1]]
        match rng.randrange(4):
            case 0:
                del lore[rng.randrange(len(lore))]
            case 1:
                lore.append(list(rng.choice(lore)))
            case _:
                entry = rng.choice(lore)
                place = rng.randrange(len(entry))
                entry[place] = number(rng, entry[place])
        return (states.FOLD, tuple(map(tuple, lore)))
    if kind in {states.SCALAR, states.STREAM, states.UNUSED, states.FAILED}:
        cid = state[1]
        variants: list[states.State] = [
            (states.SCALAR, cid),
            (states.STREAM, cid, number(rng, state[2] if kind == states.STREAM else 0)),
            (states.UNUSED, cid),
            (states.FAILED, cid),
            (states.SENT_BY, rng.choice([item.peer_pk for item in data.stores.tetraplets.values()] or ["x"])),
        ]
        if data.stores.service_results:
            variants.append((kind, rng.choice(list(data.stores.service_results)), *state[2:]))
        return rng.choice(variants)
    return random_state(rng, data)


def _edit_stores(rng: random.Random, stores: Stores) -> None:
    everything: list[dict[str, Any]] = [
        stores.values,
        stores.tetraplets,
        stores.canon_elements,
        stores.canon_results,
        stores.service_results,
    ]
    store = rng.choice([item for item in everything if item] or [stores.values])
    if not store:
        stores.values[cid_of("1")] = "1"
        return
    cid = rng.choice(list(store))
    match rng.randrange(5):
        case 0:
            del store[cid]
        case 1:
            store[cid] = store[rng.choice(list(store))]
        case 2:
            store[rng.choice(("bagaaihra", "", "Qm" + "1" * 44, cid.upper(), cid[:-1], cid + "a", "z" + cid))] = store[
                cid
            ]
        case _:
            store[cid] = _changed_entry(rng, store[cid], stores)


def _changed_entry(rng: random.Random, entry: Any, stores: Stores) -> Any:
    cids = [*stores.values, *stores.tetraplets, *stores.canon_elements, *stores.canon_results, *stores.service_results]
    if isinstance(entry, str):
        return rng.choice(TEXTS)
    if isinstance(entry, Tetraplet):
        fields = list(entry)
        fields[rng.randrange(4)] = rng.choice(
            ("", "x", "service", ".$.a", *[item.peer_pk for item in stores.tetraplets.values()])
        )
        return Tetraplet(*fields)
    if isinstance(entry, ServiceResult):
        fields = list(entry)
        fields[rng.randrange(3)] = rng.choice(cids)
        return ServiceResult(*fields)
    if isinstance(entry, CanonElement):
        match rng.randrange(3):
            case 0:
                return entry._replace(value=rng.choice(list(stores.values) or cids))
            case 1:
                return entry._replace(tetraplet=rng.choice(list(stores.tetraplets) or cids))
            case _:
                kind = rng.choice(("literal", "service_result", "canon"))
                target = list(stores.service_results if kind == "service_result" else stores.canon_results) or cids
                return entry._replace(provenance=Provenance(kind, None if kind == "literal" else rng.choice(target)))
    assert isinstance(entry, CanonResult)
    values = list(entry.values)
    rng.shuffle(values)
    return CanonResult(
        rng.choice([entry.tetraplet, *stores.tetraplets]), tuple(values[: rng.choice((len(values), 1, 0))])
    )


def _edit_signatures(rng: random.Random, data: InterpreterData) -> None:
    signatures = data.signatures = dict(data.signatures)
    if not signatures:
        signatures[b"\0" + bytes(32)] = b"\0" + bytes(64)
        return
    key = rng.choice(list(signatures))
    value = bytearray(signatures[key])
    match rng.randrange(6):
        case 0:
            del signatures[key]
        case 1 if value:
            value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)
            signatures[key] = bytes(value)
        case 2:
            signatures[key] = signatures[rng.choice(list(signatures))]
        case 3:
            signatures[rng.choice((b"", b"\0", b"\1" + key[1:], b"\2" + key[1:], key + b"\0", b"\0" + bytes(32)))] = (
                bytes(value)
            )
        case 4:
            signatures[key] = rng.choice(
                (b"", b"\0", bytes(65), bytes(value[:-1]), b"\2" + value[1:], b"\1" + value[1:])
            )
        case _:
            other = KeyPair(rng.randbytes(32))
            signatures[other.public_key] = bytes(value) if rng.random() < 0.5 else other.sign(b"")


# ── making it consistent again ───────────────────────────────────────────────────────────────────────────────────────


def rehash(data: InterpreterData) -> None:
    """Give every entry the CID of what it holds now, and rename all references to it."""
    stores = copy.copy(data.stores)
    renamed: dict[str, str] = {}
    for _ in range(REHASH_ROUNDS_MAX):
        new_names = _rename(stores)
        changes = {old: new for old, new in new_names.items() if old != new}
        if not changes:
            break
        renamed = {old: changes.get(new, new) for old, new in renamed.items()} | changes
        stores = _renamed(stores, new_names)
    data.stores = stores
    data.trace = [
        (state[0], renamed.get(state[1], state[1]), *state[2:])
        if state[0] in {states.SCALAR, states.STREAM, states.FAILED, states.CANON, states.UNUSED}
        else state
        for state in data.trace
    ]


def _rename(stores: Stores) -> dict[str, str]:
    names = {cid: cid_of(text) for cid, text in stores.values.items()}
    names |= {cid: cid_of(tetraplet_json(item)) for cid, item in stores.tetraplets.items()}
    names |= {cid: cid_of(service_result_json(item)) for cid, item in stores.service_results.items()}
    names |= {cid: cid_of(canon_element_json(item)) for cid, item in stores.canon_elements.items()}
    return names | {cid: cid_of(canon_result_json(item)) for cid, item in stores.canon_results.items()}


def _renamed(stores: Stores, names: Mapping[str, str]) -> Stores:
    def to(cid: str) -> str:
        return names.get(cid, cid)

    return Stores(
        {to(cid): text for cid, text in stores.values.items()},
        {to(cid): item for cid, item in stores.tetraplets.items()},
        {
            to(cid): CanonElement(
                to(item.value),
                to(item.tetraplet),
                item.provenance._replace(cid=None if item.provenance.cid is None else to(item.provenance.cid)),
            )
            for cid, item in stores.canon_elements.items()
        },
        {
            to(cid): CanonResult(to(item.tetraplet), tuple(map(to, item.values)))
            for cid, item in stores.canon_results.items()
        },
        {to(cid): ServiceResult(*map(to, item)) for cid, item in stores.service_results.items()},
    )


def resign(data: InterpreterData, keys: Mapping[str, KeyPair], salt: str) -> None:
    """Signatures of all peers that occur in the trace and whose keys are known, over what the trace says now."""
    stores = data.stores
    groups: dict[str, list[str]] = {}
    for state in data.trace:
        if state[0] in {states.SCALAR, states.STREAM, states.FAILED}:
            entry = stores.service_results.get(state[1])
            tetraplet = None if entry is None else stores.tetraplets.get(entry.tetraplet_cid)
        elif state[0] == states.CANON:
            result = stores.canon_results.get(state[1])
            tetraplet = None if result is None else stores.tetraplets.get(result.tetraplet)
        else:
            continue
        if tetraplet is not None:
            groups.setdefault(tetraplet.peer_pk, []).append(state[1])
    for peer_id, pair in keys.items():
        if peer_id in groups or pair.public_key in data.signatures:
            data.signatures[pair.public_key] = sign(pair, sorted(groups.get(peer_id, [])), salt)


def forged_value(rng: random.Random) -> str:
    """JSON text a service might answer: often valid, seldom canonical."""
    if rng.random() < 0.4:
        return object_text(rng) if rng.random() < 0.4 else json_text(rng)
    value: Any = rng.choice(({"a": [1, {"a": 2}]}, [1, 2], "x", 1.5, None, {"error_code": 4, "message": "m"}))
    return rng.choice(
        (*TEXTS, dumps(value), "1E2", "[" * 127 + "]" * 127, "[" * 128 + "]" * 128, '"\\ud800"', '{"a":1,"a":2}')
    )
