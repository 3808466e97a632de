"""Attempts to get past the checks of received data, and to make a run take what its sender did not pay for in bytes."""

from __future__ import annotations

import dataclasses
import struct
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import pytest

from avm import Avm, CallResult, Outcome, RunParameters
from avm.crypto.cid import json_cid
from avm.crypto.keys import KeyPair
from avm.crypto.signatures import sign
from avm.data.archive_reader import read_archive
from avm.data.archive_writer import write_archive
from avm.data.cid_store import cid_of, service_result_json, tetraplet_json
from avm.data.codec import decode, encode
from avm.data.interpreter_data import InterpreterData, ServiceResult, Stores, Tetraplet
from avm.trace.states import CANON, FAILED, REQUESTED, SCALAR, SENT_BY, STREAM, State

MIB = 1 << 20
SALT = "attack"
VICTIM, THIEF = (KeyPair(bytes([number]) * 32) for number in (1, 2))
SEEDS = {pair.peer_id: bytes([number]) * 32 for number, pair in ((1, VICTIM), (2, THIEF))}
A, B = VICTIM.peer_id, THIEF.peer_id
AIR = f"""
    (seq (call "{A}" ("bank" "balance") [] x)
         (seq (call "{A}" ("bank" "list") [x] $s)
              (seq (xor (call "{A}" ("bank" "fails") [] y) (null))
                   (seq (canon "{A}" $s #s) (call "{B}" ("s" "shown") [x #s])))))
"""


def run(data: bytes, prev_data: bytes = b"", results: dict[int, CallResult] | None = None, peer: str = B) -> Outcome:
    parameters = RunParameters(A, peer, 1, 2, SALT, SEEDS[peer])
    return Avm().invoke(AIR, prev_data, data, parameters, results or {})


def honest() -> InterpreterData:
    """What A sends to B: a scalar, a stream value, a failure and a canon, all of A."""
    outcome = run(b"", peer=A)
    for number, result in ((1, CallResult(0, "1000")), (2, CallResult(0, "[1,2]")), (3, CallResult(1, "no"))):
        outcome = run(b"", outcome.data, {number: result}, peer=A)
    assert outcome.next_peer_pks == (B,)
    return decode(outcome.data)


def result_of(data: InterpreterData, index: int) -> ServiceResult:
    return data.stores.service_results[data.trace[index][1]]


def forge(data: InterpreterData, result: ServiceResult, value: str) -> str:
    """An entry like `result` with another value, rightly hashed; its CID."""
    data.stores.values[cid_of(value)] = value
    forged = result._replace(value_cid=cid_of(value))
    cid = cid_of(service_result_json(forged))
    data.stores.service_results[cid] = forged
    return cid


def check(data: InterpreterData, code: int) -> None:
    """B, who has nothing or honest data of its own, refuses; in an order or another, whatever is in caches."""
    sent = encode(data)
    for _ in range(2):
        assert run(sent).ret_code == code
    own = run(encode(honest()))
    assert own.ret_code == 0
    assert own.call_requests
    refused = run(sent, own.data)
    assert refused.ret_code == code
    assert refused.data == own.data
    assert refused.next_peer_pks == ()
    assert not refused.call_requests


def test_honest_data_are_accepted() -> None:
    data = honest()
    assert [state[0] for state in data.trace] == [SCALAR, STREAM, FAILED, CANON, SENT_BY]
    outcome = run(encode(data))
    assert outcome.ret_code == 0
    assert outcome.call_requests[1].arguments == [1000, [[1, 2]]]


# ── what a signature covers ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", [0, 1, 2])
def test_another_result_in_the_place_of_a_signed_one(index: int) -> None:
    data = honest()
    state = data.trace[index]
    cid = forge(data, result_of(data, index), '{"ret_code":1,"message":"x"}')
    data.trace[index] = (state[0], cid, *state[2:])
    check(data, 9)


def test_a_signed_result_told_twice() -> None:
    data = honest()
    data.trace[1] = (STREAM, data.trace[0][1], 0)
    check(data, 9)


def test_a_signed_result_left_out() -> None:
    data = honest()
    del data.trace[2:]
    check(data, 9)


def test_facts_of_a_peer_without_signature() -> None:
    data = honest()
    data.signatures.clear()
    check(data, 9)


@pytest.mark.parametrize("change", [lambda cids: cids[:-1], lambda cids: [*cids, cids[-1]], lambda _: []])
def test_signature_of_other_cids(change: Callable[[list[str]], list[str]]) -> None:
    """The signer's own earlier or later signature does not fit either."""
    data = honest()
    cids = sorted(str(state[1]) for state in data.trace[:4])
    assert data.signatures[VICTIM.public_key] == sign(VICTIM, cids, SALT)
    data.signatures[VICTIM.public_key] = sign(VICTIM, change(cids), SALT)
    check(data, 9)


def test_signature_of_another_particle() -> None:
    data = honest()
    cids = sorted(str(state[1]) for state in data.trace[:4])
    data.signatures[VICTIM.public_key] = sign(VICTIM, cids, SALT + "!")
    check(data, 9)


def test_signature_of_another_key() -> None:
    """The thief signs the victim's facts, under the victim's key or under its own."""
    cids = sorted(str(state[1]) for state in honest().trace[:4])
    for signatures in (
        {VICTIM.public_key: sign(THIEF, cids, SALT)},
        {THIEF.public_key: sign(THIEF, cids, SALT)},
    ):
        data = honest()
        data.signatures = signatures
        check(data, 9)


def test_facts_told_as_another_peers() -> None:
    """The thief's own tetraplet makes the facts its own, and its signature right; but the script wants the victim's."""
    data = honest()
    stores = data.stores
    mine = Tetraplet(B, "bank", "balance", "")
    stores.tetraplets[cid_of(tetraplet_json(mine))] = mine
    stolen = result_of(data, 0)._replace(tetraplet_cid=cid_of(tetraplet_json(mine)))
    cid = cid_of(service_result_json(stolen))
    stores.service_results[cid] = stolen
    data.trace = [(SCALAR, cid)]
    data.signatures = {VICTIM.public_key: sign(VICTIM, [], SALT), THIEF.public_key: sign(THIEF, [cid], SALT)}
    assert run(encode(data)).ret_code == 20017
    data.signatures[THIEF.public_key] = sign(THIEF, [], SALT)
    assert run(encode(data)).ret_code == 9


def test_a_fork_of_a_peers_facts() -> None:
    """Two sets of facts that the victim did sign, neither of which contains the other, do not merge."""
    data = honest()
    cid = forge(data, result_of(data, 0), "7")
    data.trace = [(SCALAR, cid)]
    data.signatures = {VICTIM.public_key: sign(VICTIM, [cid], SALT)}
    assert run(encode(data)).ret_code == 0
    own = run(encode(honest()))
    refused = run(encode(data), own.data)
    assert (refused.ret_code, refused.data) == (9, own.data)


@pytest.mark.parametrize("state", [(REQUESTED, B, 1), (REQUESTED, A, 7)])
def test_requests_that_were_never_made(state: State) -> None:
    """They bind nothing: without a result the run waits, and a result of the host's own is an unused one."""
    data = InterpreterData(trace=[state])
    outcome = run(encode(data))
    assert (outcome.ret_code, outcome.call_requests) == (0, {})


# ── what a CID covers ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_store_entry_of_other_content() -> None:
    for name in ("values", "tetraplets", "canon_elements", "canon_results", "service_results"):
        data = honest()
        store = getattr(data.stores, name)
        for cid, other in pairwise([*store, next(iter(store))]):
            if store[cid] != store[other]:
                store[cid] = store[other]
                check(data, 8)
                break
        else:
            (cid,) = store
            store[cid] = store[cid][:-1] if isinstance(store[cid], str) else store[cid]._replace(tetraplet="x")
            check(data, 8)


@pytest.mark.parametrize("moved", [1, 7, 61])
def test_cids_that_are_right_only_in_a_row(moved: int) -> None:
    """Hashes of many entries are compared at once: the end of one CID must not pass as the beginning of the next."""
    values = [str(number) for number in range(9000, 9000 + 8)]
    cids = [cid_of(value) for value in values]
    cids[2], cids[3] = cids[2][: 61 - moved], cids[2][61 - moved :] + cids[3]
    data = honest()
    data.stores.values |= dict(zip(cids, values, strict=True))
    check(data, 8)


def test_entries_verified_before_are_verified_as_what_they_are() -> None:
    """A text may be a right value and, under the same CID, be no right tetraplet."""
    tetraplet = Tetraplet("p", "s", "f", "")
    text = tetraplet_json(tetraplet)
    data = honest()
    data.stores.values[cid_of(text)] = text
    assert run(encode(data)).ret_code == 0
    data.stores.tetraplets[cid_of(text)] = tetraplet._replace(lens=" ")
    check(data, 8)


def test_previous_data_do_not_vouch_for_received_data() -> None:
    """Data that this very interpreter wrote, or just refused, are checked when they come from elsewhere."""
    vm = Avm()
    parameters = RunParameters(A, B, 1, 2, SALT, SEEDS[B])
    data = honest()
    first = vm.invoke(AIR, b"", encode(data), parameters, {})
    forged = decode(first.data)
    forged.stores.values[cid_of("[1,2]")] = "[3,4]"
    tampered = encode(forged)
    # as previous data it is the host's own business …
    kept = vm.invoke(AIR, tampered, b"", parameters, {})
    assert kept.ret_code == 0
    # … and what comes of it is refused by everybody else, the same interpreter included
    there = dataclasses.replace(parameters, current_peer_id=A, secret_key_bytes=SEEDS[A])
    for sent in (tampered, kept.data):
        assert vm.invoke(AIR, b"", sent, there, {}).ret_code == 8


def test_a_long_text_that_passes_for_one_read_before() -> None:
    """That a CID's text is JSON is remembered by CID; who replaces it in its own data gets an error, not a crash."""
    text = '["' + "x" * 4000 + '"]'
    air = f'(seq (call "{A}" ("s" "f") [] x) (ap x.$.[0] y))'
    parameters = RunParameters(A, A, 1, 2, SALT, SEEDS[A])
    vm = Avm()
    asked = vm.invoke(air, b"", b"", parameters, {})
    known = vm.invoke(air, asked.data, b"", parameters, {1: CallResult(0, text)})
    assert vm.invoke(air, known.data, b"", parameters, {}).ret_code == 0
    tampered = decode(known.data)
    tampered.stores.values = {cid: "!" * len(value) for cid, value in tampered.stores.values.items()}
    outcome = vm.invoke(air, encode(tampered), b"", parameters, {})
    assert outcome.ret_code == 20010


# ── what bytes cost ──────────────────────────────────────────────────────────────────────────────────────────────────


def check_peak(work: Callable[[], object], peak_max: int) -> None:
    """Memory allocated at once stays below a bound."""
    tracemalloc.start()
    try:
        work()
        assert tracemalloc.get_traced_memory()[1] < peak_max
    finally:
        tracemalloc.stop()


def test_one_text_under_many_cids() -> None:
    """A CID has any number of texts (`…/ipfs/CID`), all of which may stand for one object: it is hashed once."""
    value = '"' + "x" * MIB + '"'
    cid = cid_of(value)
    data = honest()
    data.stores.values |= {f"{number}/ipfs/{cid}": value for number in range(64)}
    sent = encode(data)
    assert len(sent) < 2 * MIB
    outcomes = []
    check_peak(lambda: outcomes.append(run(sent)), 12 * MIB)
    assert outcomes[0].ret_code == 0
    assert len(outcomes[0].data) < 2 * MIB, "what came once leaves once"
    assert decode(outcomes[0].data).stores.values == data.stores.values


def test_many_states_of_one_large_value() -> None:
    """Its parsed form takes twenty times its text and is made once, however many states bind it."""
    count = 60
    value = "[" + ",".join(["[]"] * 20_000) + "]"
    tetraplet = Tetraplet(A, "s", "f", "")
    result = ServiceResult(cid_of(value), cid_of("[]"), cid_of(tetraplet_json(tetraplet)))
    cid = cid_of(service_result_json(result))
    stores = Stores({result.value_cid: value}, {result.tetraplet_cid: tetraplet}, {}, {}, {cid: result})
    signature = sign(VICTIM, [cid] * count, SALT)
    data = encode(InterpreterData([(SCALAR, cid)] * count, 0, stores, {VICTIM.public_key: signature}))
    air = "(null)"
    for number in range(count):
        use = f"(match x{number}.$.[0] [] (null))"
        air = f'(seq (call "{A}" ("s" "f") [] x{number}) (seq {use} {air}))'
    parameters = RunParameters(A, B, 1, 2, SALT, SEEDS[B])
    codes = []

    def receive() -> None:
        codes.append(Avm().invoke(air, b"", data, parameters, {}).ret_code)

    check_peak(receive, 12 * MIB)
    assert codes == [0]


def test_texts_that_are_not_ascii_have_their_length_in_bytes() -> None:
    """A second pointer to `é12` that wants three bytes gets `é1`, as in the reference."""
    archive = bytearray(write_archive(InterpreterData(trace=[(SCALAR, "é12"), (SCALAR, "é12")])))
    second = archive.rindex(b"\0\0\0\4", 0, len(archive) - 60)
    archive[second + 3] = 3
    assert read_archive(bytes(archive)).trace == [(SCALAR, "é12"), (SCALAR, "é1")]
    values = Stores(values={"é12": "1", json_cid(b"2"): "2"})
    data = InterpreterData(trace=[(SCALAR, "é12")], stores=values)
    assert read_archive(write_archive(data)) == data


@pytest.mark.parametrize("size", [1, 30, 60])
def test_a_state_that_takes_only_the_beginning_of_a_cid(size: int) -> None:
    """The key of the store stands at the same place; the reference reads it from memory of something else, and answers code 8."""
    data = encode(honest())
    state = struct.pack(">II", 1 << 24, 1 << 24) + b"\0\0\0\0"
    at = data.index(state) + 16
    assert data[at : at + 4] == struct.pack(">I", 61)
    outcome = run(data[:at] + struct.pack(">I", size) + data[at + 4 :])
    assert outcome.ret_code == 8
    assert "parse multihash" in outcome.error_message or "too short" in outcome.error_message
