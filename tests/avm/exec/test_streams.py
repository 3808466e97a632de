"""Streams: order, generations from anywhere, the size limit, scopes."""

from __future__ import annotations

import pytest

from avm.data.interpreter_data import LITERAL, Tetraplet
from avm.errors import VmError
from avm.exec.streams import GENERATIONS_MAX, STREAM_SIZE_MAX, Stream, StreamScopes
from avm.exec.values import Json, Record
from avm.trace.handler import FROM_CURRENT, FROM_PREVIOUS, TraceHandler
from avm.trace.states import AP, CANON, STREAM


def item(value: object, pos: int = 0) -> Record:
    return Record(Json(value), Tetraplet("p", "", "", ""), pos, LITERAL)


def values(stream: Stream) -> list[object]:
    return [record.json.value for record in stream]


def slices(stream: Stream, cursor: tuple[int, int, int]) -> list[list[object]]:
    return [[record.json.value for record in part] for part in stream.slices(cursor)]


def test_order_is_previous_current_new() -> None:
    stream = Stream()
    stream.add_new(item("n"))
    stream.add_known(item("c1"), FROM_CURRENT, 1)
    stream.add_known(item("c0"), FROM_CURRENT, 0)
    stream.add_known(item("p"), FROM_PREVIOUS, 5)
    assert values(stream) == ["p", "c0", "c1", "n"]
    assert stream.sizes() == (6, 2, 1)


def test_generation_numbers_of_other_peers_cost_nothing() -> None:
    stream = Stream()
    stream.add_known(item("far"), FROM_CURRENT, GENERATIONS_MAX - 1)
    stream.add_known(item("near"), FROM_CURRENT, 0)
    assert values(stream) == ["near", "far"]
    assert stream.sizes() == (0, GENERATIONS_MAX, 0)


@pytest.mark.parametrize("generation", [GENERATIONS_MAX, 2**32 - 1])
def test_generation_the_reference_cannot_address(generation: int) -> None:
    with pytest.raises(VmError, match=f"generation with number {generation}") as caught:
        Stream().add_known(item("far"), FROM_CURRENT, generation)
    assert caught.value.code == 20011
    assert not caught.value.catchable


def test_new_generations_open_and_close() -> None:
    stream = Stream()
    stream.open_generation()
    stream.drop_empty_generation()
    assert stream.sizes() == (0, 0, 0)
    stream.add_new(item(1))
    stream.open_generation()
    stream.add_new(item(2))
    stream.drop_empty_generation()
    assert slices(stream, (0, 0, 0)) == [[1], [2]]
    assert slices(stream, (0, 0, 1)) == [[2]]


def test_skipping_counts_filled_generations_only() -> None:
    """The reference's defect D1: generation 2 is third by number, yet second of those that have values."""
    stream = Stream()
    stream.add_known(item("a"), FROM_CURRENT, 0)
    stream.add_known(item("b"), FROM_CURRENT, 2)
    seen: dict[tuple[int, int], int] = {}
    assert len(stream.fresh_slices(seen)) == 2
    cursor = stream.sizes()
    stream.add_known(item("c"), FROM_CURRENT, 4)
    stream.add_known(item("a2"), FROM_CURRENT, 0)
    assert slices(stream, cursor) == []
    fresh = stream.fresh_slices(seen)
    assert [[record.json.value for record in part] for part in fresh] == [["a2"], ["c"]]
    assert stream.fresh_slices(seen) == []


def test_size_limit_counts_all_parts() -> None:
    stream = Stream()
    for number in range(STREAM_SIZE_MAX - 1):
        if number % 2:
            stream.add_new(item(number))
        else:
            stream.add_known(item(number), FROM_PREVIOUS, number)
    with pytest.raises(VmError) as caught:
        stream.add_new(item("one too many"))
    assert (caught.value.code, caught.value.message) == (20013, "stream size goes over the allowed limit of 1024")


def test_compaction_numbers_filled_generations() -> None:
    trace = TraceHandler([], [])
    trace.result += [(AP, (0,)), (STREAM, "cid", 0), (AP, (0,))]
    stream = Stream()
    stream.add_known(item(1, 0), FROM_PREVIOUS, 7)
    stream.add_known(item(2, 1), FROM_CURRENT, 3)
    stream.add_new(item(3, 2))
    stream.compact(trace)
    assert trace.result == [(AP, (0,)), (STREAM, "cid", 1), (AP, (2,))]


@pytest.mark.parametrize(
    ("pos", "message"),
    [
        (5, "trying to change generation of an invalid trace position 5"),
        (
            0,
            "trying to change generation of a state canon [<object>] on 0 position, the state doesn't contain generation",
        ),
    ],
)
def test_compaction_of_a_wrong_position(pos: int, message: str) -> None:
    trace = TraceHandler([], [])
    trace.result.append((CANON, "cid"))
    stream = Stream()
    stream.add_new(item(1, pos))
    with pytest.raises(VmError) as caught:
        stream.compact(trace)
    assert (caught.value.code, caught.value.message) == (20001, message)


def test_a_name_means_the_innermost_scope_around_its_use() -> None:
    scopes = StreamScopes(("$s",))
    assert scopes.find(0, 5) is None
    outer = scopes.find_or_make(0, 5)
    scopes.new_start(0, 10, 20)
    inner = scopes.find(0, 15)
    assert inner is not outer
    assert scopes.find(0, 10) is outer
    assert scopes.find(0, 25) is outer
    scopes.new_end(0, TraceHandler([], []))
    assert scopes.find(0, 15) is outer


def test_the_first_global_write_replaces_active_scopes() -> None:
    scopes = StreamScopes(("$s",))
    scopes.new_start(0, 10, 20)
    made = scopes.find_or_make(0, 50)
    assert scopes.find(0, 15) is made
    scopes.new_end(0, TraceHandler([], []))
    assert scopes.find(0, 50) is None
    with pytest.raises(VmError) as caught:
        scopes.new_end(0, TraceHandler([], []))
    assert caught.value.code == 20008
