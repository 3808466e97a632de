"""The archive: what is written is read back, and nothing but a well-formed archive is read."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.data.archive_reader import ROOT_SIZE, ArchiveError, read_archive
from avm.data.archive_writer import write_archive
from avm.data.codec import EnvelopeError, decode, encode
from avm.data.interpreter_data import (
    CanonElement,
    InterpreterData,
    Provenance,
    ServiceResult,
    Stores,
    Tetraplet,
)
from avm.trace.states import CANON, FOLD, REQUESTED, SCALAR
from tests.avm.data.strategies import DATA

SAMPLE = InterpreterData(
    trace=[
        (SCALAR, "cid-of-result"),
        (REQUESTED, "12D3KooWpeer", 7),
        (FOLD, ((1, 2, 3, 4, 5),)),
        (CANON, "cid-of-canon"),
    ],
    last_call_request_id=7,
    stores=Stores(
        values={"cid-of-value": '"v"'},
        tetraplets={"cid-of-tetraplet": Tetraplet("12D3KooWpeer", "service", "f", "")},
        service_results={"cid-of-result": ServiceResult("cid-of-value", "hash", "cid-of-tetraplet")},
    ),
    signatures={b"\0" + bytes(32): b"\0" + bytes(64)},
)


def check_refused(archive: bytes, reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason):
        read_archive(archive)


def word(archive: bytes, at: int, value: int) -> bytes:
    """The archive with another 32-bit word at `at`."""
    return archive[:at] + struct.pack(">I", value & 0xFFFFFFFF) + archive[at + 4 :]


@pytest.mark.slow
@given(DATA)
def test_round_trip(data: InterpreterData) -> None:
    assert decode(encode(data)) == data


@pytest.mark.slow
@given(DATA)
def test_writing_is_deterministic(data: InterpreterData) -> None:
    assert encode(decode(encode(data))) == encode(data)


@pytest.mark.slow
@given(DATA, st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4))
def test_damage_is_refused_or_read_never_more(data: InterpreterData, damage: list[tuple[int, bytes]]) -> None:
    archive = bytearray(encode(data))
    for place, piece in damage:
        at = place % len(archive)
        archive[at : at + len(piece)] = piece
    with contextlib.suppress(ArchiveError, EnvelopeError):
        decode(bytes(archive))


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with contextlib.suppress(ArchiveError):
        read_archive(noise)


def test_empty_data() -> None:
    assert decode(b"") == InterpreterData()
    assert len(write_archive(InterpreterData())) == ROOT_SIZE


def test_texts_are_stored_once() -> None:
    data = InterpreterData(trace=[(SCALAR, "c" * 61)] * 1000)
    assert len(write_archive(data)) < 61 + 24 * 1000 + ROOT_SIZE + 8


def test_aligned_prefix_is_skipped() -> None:
    assert read_archive(b"\xff" * 8 + write_archive(SAMPLE)).trace == SAMPLE.trace


def test_structure() -> None:
    archive = write_archive(SAMPLE)
    root = len(archive) - ROOT_SIZE
    trace = root + struct.unpack_from(">i", archive, root)[0]
    check_refused(archive[1:], "multiple of 4")
    check_refused(archive[:-4], ".")
    check_refused(archive[:59], "too few")
    check_refused(b"\0\0" + archive, "multiple of 4")
    check_refused(word(archive, trace, 0x05000000), "unknown state")
    check_refused(word(archive, trace + 4, 0x03000000), "unknown call state")
    check_refused(word(archive, trace + 8, 0x03000000), "unknown value kind")
    check_refused(word(archive, trace + 28, 0x00000000)[:-4] + b"\0\0\0\x02", ".")
    check_refused(word(archive, root + 4, 0xFFFFFFFF), "misplaced object")
    check_refused(word(archive, root + 12, 0), "misplaced object")
    check_refused(word(archive, root, trace - root + 2), "misplaced object")


def test_padding_is_ignored() -> None:
    archive = write_archive(SAMPLE)
    root = len(archive) - ROOT_SIZE
    trace = root + struct.unpack_from(">i", archive, root)[0]
    assert read_archive(word(archive, trace, 0x01ABCDEF)).trace == SAMPLE.trace


def test_shared_objects_must_agree_on_their_type() -> None:
    archive = write_archive(SAMPLE)
    root = len(archive) - ROOT_SIZE
    entries = [root + at + struct.unpack_from(">i", archive, root + at)[0] for at in (12, 20)]
    value = entries[0] + 8 + struct.unpack_from(">i", archive, entries[0] + 8)[0]
    # the tetraplet's pointer aims at the value
    check_refused(word(archive, entries[1] + 8, value - entries[1] - 8), "another type")
    # a CID that aims at the value's struct
    check_refused(word(word(archive, entries[1], value - entries[1]), entries[1] + 4, 8), "misplaced")


def test_empty_part_at_the_address_of_its_object() -> None:
    """Nothing fits there but a text without characters; it is of another type all the same, as the reference says."""
    stores = Stores(
        canon_elements={"element": CanonElement("v", "", Provenance("literal", None))},
        service_results={"result": ServiceResult("", "hash", "t")},
    )
    for part, data in (
        (8, InterpreterData(stores=Stores(canon_elements=stores.canon_elements))),
        (0, InterpreterData(stores=Stores(service_results=stores.service_results))),
    ):
        archive = write_archive(data)
        base = len(archive) - ROOT_SIZE
        at = base + (28 if part else 44)
        entry = at + struct.unpack_from(">i", archive, at)[0]
        place = entry + 8 + struct.unpack_from(">i", archive, entry + 8)[0]
        assert struct.unpack_from(">I", archive, place + part + 4) == (0,)
        check_refused(word(archive, place + part, -part), "misplaced string")


def test_children_in_front_of_their_parents_only() -> None:
    archive = write_archive(SAMPLE)
    root = len(archive) - ROOT_SIZE
    trace, values = (root + at + struct.unpack_from(">i", archive, root + at)[0] for at in (0, 12))
    # the two stores swapped: every object inside the archive, but not in the order of the walk
    swapped = word(word(archive, root, values - root), root + 12, trace - root - 12)
    check_refused(word(word(swapped, root + 4, 0), root + 16, 0), "misplaced object")


def test_no_allocation_beyond_the_input() -> None:
    archive = write_archive(InterpreterData())
    for at in (4, 16, 24, 32, 40, 48, 56):
        check_refused(word(archive, at, 0x7FFFFFFF), "misplaced object")


def test_inline_string_length() -> None:
    data = InterpreterData(stores=Stores(tetraplets={"cid": Tetraplet("p", "s", "f", "l")}))
    archive = write_archive(data)
    at = archive.index(b"p\0\0\0\0\0\0\x01")
    check_refused(archive[: at + 7] + b"\x08" + archive[at + 8 :], "inline")
    check_refused(archive[:at] + b"\xff" + archive[at + 1 :], "UTF-8")


def test_fold_lore_with_other_numbers_of_descriptors_is_kept() -> None:
    # dishonest, but valid as an archive: execution reports it
    data = InterpreterData(trace=[(FOLD, ((1, 2, 3), (4,), (5, 1, 2, 3, 4, 5, 6)))])
    assert read_archive(write_archive(data)).trace == data.trace
