"""Data that only get another signature are copied, not written anew; nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm import Avm, CallResult, Outcome, RunParameters
from avm.crypto.keys import KeyPair
from avm.data import codec
from avm.data.archive_reader import read_archive, read_archive_with_layout
from avm.data.archive_writer import rewrite_archive, write_archive
from avm.data.codec import decode
from avm.data.envelope import read_envelope, write_envelope
from avm.data.interpreter_data import CanonResult, InterpreterData, ServiceResult, Stores, Tetraplet
from avm.trace.states import CANON, FOLD, PAR, SCALAR, UNUSED
from runtime.reference_avm import ReferenceAvm

SEEDS = [bytes([number]) * 32 for number in range(4)]
PEERS = [KeyPair(seed).peer_id for seed in SEEDS]
AIR = f"""
    (seq (call "{PEERS[0]}" ("s" "f") ["é"] x)
         (par (call "{PEERS[3]}" ("s" "g") [x])
              (seq (canon "{PEERS[0]}" $none #none) (call "{PEERS[0]}" ("s" "h") [#none] $more))))
"""


def invoke(peer: int, data: bytes, prev_data: bytes = b"", results: dict[int, CallResult] | None = None) -> Outcome:
    params = RunParameters(PEERS[0], PEERS[peer], 1, 2, "copied", SEEDS[peer])
    return Avm().invoke(AIR, prev_data, data, params, results or {})


def sent() -> bytes:
    """What peer 0 sends on when it has done its part."""
    data = invoke(0, b"").data
    data = invoke(0, b"", data, {1: CallResult(0, '{"a": [1.50]}')}).data
    return invoke(0, b"", data, {2: CallResult(7, "no")}).data


def check(monkeypatch: pytest.MonkeyPatch, peer: int, data: bytes, prev_data: bytes = b"") -> Outcome:
    """A run, and the same run without the short cut: equal but for the layout."""
    outcome = invoke(peer, data, prev_data)
    with monkeypatch.context() as patch:
        patch.setattr("avm.farewell._encode", lambda new, _: codec.encode(new))
        expected = invoke(peer, data, prev_data)
    assert (outcome.ret_code, outcome.next_peer_pks) == (expected.ret_code, expected.next_peer_pks)
    assert decode(outcome.data) == decode(expected.data)
    return outcome


def copied(outcome: Outcome, data: bytes) -> bool:
    """Whether trace and stores are the very bytes that arrived."""
    size = sum(len(text) for text in decode(data).stores.values.values())
    return read_envelope(outcome.data).inner[:size] == read_envelope(data).inner[:size]


def test_passing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sent()
    for peer in (1, 2):
        outcome = check(monkeypatch, peer, data)
        assert copied(outcome, data)
        data = outcome.data
    assert len(decode(data).signatures) == 3
    assert len(data) == len(sent()) + 2 * (33 + 65 + 16), "two keys, signatures and entries"


def test_doing_something(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = check(monkeypatch, 3, sent())
    assert outcome.call_requests


def test_with_data_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = check(monkeypatch, 1, sent())
    check(monkeypatch, 1, sent(), first.data)
    check(monkeypatch, 1, b"", first.data)


def test_empty_data_are_written_anew() -> None:
    """What somebody put in front of an empty trace is not passed on, whichever engine answers."""
    params = RunParameters(PEERS[0], PEERS[1], 1, 2, "copied", SEEDS[1])
    envelope = read_envelope(codec.encode(InterpreterData()))
    padded = write_envelope(b"\1" * 400 + envelope.inner, envelope.versions)
    plain = Avm("python").invoke("(null)", b"", codec.encode(InterpreterData()), params, {})
    for engine in ("python", "jit"):
        assert Avm(engine).invoke("(null)", b"", padded, params, {}) == plain


def test_rewritten_archive() -> None:
    data = InterpreterData(
        trace=[(PAR, 1, 2), (SCALAR, "r"), (CANON, "c"), (FOLD, ((1, 2, 3, 4, 5),)), (UNUSED, "ü")],
        last_call_request_id=7,
        stores=Stores(
            {"v": "[1]", "w": '"long enough"'},
            {"t": Tetraplet("peer of some length", "s", "f", "")},
            {},
            {"c": CanonResult("t", ())},
            {"r": ServiceResult("v", "", "t")},
        ),
        signatures={b"key": b"signature"},
    )
    archive = write_archive(data)
    for signatures in ({}, {b"key": b"other"}, {b"\1" * 33: b"\2" * 65, b"": b""}):
        again = read_archive(rewrite_archive(archive, 9, signatures))
        assert (again.trace, again.stores) == (data.trace, data.stores)
        assert (again.last_call_request_id, again.signatures) == (9, signatures)
    empty = rewrite_archive(write_archive(InterpreterData()), 1, {})
    assert read_archive(empty) == InterpreterData(last_call_request_id=1)


def test_overlapping_texts_are_not_copied() -> None:
    """One text seen with two lengths may reach into the part that changes."""
    archive = bytearray(write_archive(InterpreterData(trace=[(SCALAR, "abcdefgh"), (SCALAR, "abcdefgh")])))
    assert read_archive_with_layout(bytes(archive))[1]
    size_at = archive.index(b"\0\0\0\x08", 8 + 24)
    archive[size_at + 3] = 6
    decoded, reusable = read_archive_with_layout(bytes(archive))
    assert decoded.trace == [(SCALAR, "abcdefgh"), (SCALAR, "abcdef")]
    assert not reusable


@pytest.mark.reference
def test_reference_accepts_copies(avm_wasm: Path) -> None:
    data = invoke(2, invoke(1, sent()).data).data
    params = RunParameters(PEERS[0], PEERS[3], 1, 2, "copied", SEEDS[3])
    theirs = ReferenceAvm(avm_wasm).invoke(AIR, b"", data, params, b"\x81\x04\x80")
    ours = invoke(3, data)
    assert (theirs.ret_code, theirs.error_message) == (ours.ret_code, ours.error_message) == (0, "")
    assert decode(theirs.data).trace == decode(ours.data).trace
