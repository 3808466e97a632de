"""Merging of two states: the tables of §6.3 and §6.4, and every message."""

from __future__ import annotations

import pytest

from avm.errors import TraceError
from avm.trace import merge
from avm.trace.states import (
    AP,
    CANON,
    CANON_SENT_BY,
    FAILED,
    FOLD,
    PAR,
    REQUESTED,
    SCALAR,
    SENT_BY,
    STREAM,
    UNUSED,
    State,
)

SENT: State = (SENT_BY, "p")
ASKED: State = (REQUESTED, "p", 1)
DONE: State = (SCALAR, "c")


def refused(call: object, *args: object) -> str:
    with pytest.raises(TraceError) as caught:
        call(*args)  # type: ignore[operator]
    return str(caught.value)


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        (None, DONE, (DONE, merge.CURRENT)),
        (DONE, None, (DONE, merge.PREVIOUS)),
        (SENT, DONE, (DONE, merge.CURRENT)),
        (ASKED, (FAILED, "c"), ((FAILED, "c"), merge.CURRENT)),
        (DONE, SENT, (DONE, merge.PREVIOUS)),
        ((FAILED, "c"), ASKED, ((FAILED, "c"), merge.PREVIOUS)),
        (SENT, ASKED, (SENT, merge.PREVIOUS)),
        (DONE, DONE, (DONE, merge.BOTH)),
        ((STREAM, "c", 1), (STREAM, "c", 2), ((STREAM, "c", 1), merge.BOTH)),
        ((UNUSED, "v"), (UNUSED, "v"), ((UNUSED, "v"), merge.BOTH)),
        ((FAILED, "c"), (FAILED, "c"), ((FAILED, "c"), merge.PREVIOUS)),
    ],
)
def test_calls(previous: State | None, current: State | None, expected: tuple[State, int]) -> None:
    assert merge.call_states(previous, current) == expected


@pytest.mark.parametrize(
    ("previous", "current", "message"),
    [
        (DONE, (SCALAR, "d"), 'values in call results are not equal: Scalar(CID("c")) != Scalar(CID("d"))'),
        (
            (STREAM, "c", 0),
            (UNUSED, "c"),
            'values in call results are not equal: Stream { cid: CID("c"), generation: 0 } != Unused(CID("c"))',
        ),
        (
            DONE,
            (FAILED, "c"),
            "previous and current call results are incompatible: 'Executed(Scalar(CID(\"c\")))' 'Failed(CID(\"c\"))'",
        ),
        (
            (FAILED, "c"),
            (FAILED, "d"),
            "previous and current call results are incompatible: 'Failed(CID(\"c\"))' 'Failed(CID(\"d\"))'",
        ),
        (
            (PAR, 1, 0),
            DONE,
            "previous and current data have incompatible states: "
            "'Par(ParResult { left_size: 1, right_size: 0 })' 'Call(Executed(Scalar(CID(\"c\"))))'",
        ),
        (
            ASKED,
            (CANON_SENT_BY, "q"),
            "previous and current data have incompatible states: "
            "'Call(RequestSentBy(PeerIdWithCallId { peer_id: \"p\", call_id: 1 }))' 'Canon(RequestSentBy(\"q\"))'",
        ),
        (None, (CANON, "c"), 'state from current `Canon(Executed(CID("c")))` is incompatible with expected call'),
        (
            (AP, (3,)),
            None,
            "state from previous `Ap(ApResult { res_generations: [3] })` is incompatible with expected call",
        ),
        (
            (FOLD, ((0, 2, 0, 2, 1),)),
            None,
            "state from previous `Fold(FoldResult { lore: [FoldSubTraceLore { value_pos: 0, subtraces_desc: "
            "[SubTraceDesc { begin_pos: 2, subtrace_len: 0 }, SubTraceDesc { begin_pos: 2, subtrace_len: 1 }] }] })` "
            "is incompatible with expected call",
        ),
    ],
)
def test_calls_that_do_not_merge(previous: State | None, current: State | None, message: str) -> None:
    assert refused(merge.call_states, previous, current) == message


def test_aps() -> None:
    assert merge.ap_states((AP, (1,)), (AP, (2,))) == ((AP, (1,)), merge.BOTH)
    assert merge.ap_states(None, (AP, (2,))) == ((AP, (2,)), merge.CURRENT)
    assert merge.ap_generation((AP, (4,))) == 4
    for generations in ((), (1, 2)):
        assert refused(merge.ap_generation, (AP, generations)) == (
            f"ApResult {{ res_generations: {list(generations)} }} ap result contains inappropriate generation count in destination"
        )
    assert refused(merge.ap_states, (AP, (0,)), SENT).startswith("previous and current data have incompatible states")
    assert refused(merge.ap_states, SENT, None).endswith("is incompatible with expected ap")


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        ((CANON_SENT_BY, "p"), (CANON, "c"), (CANON, "c")),
        ((CANON_SENT_BY, "p"), (CANON_SENT_BY, "q"), (CANON_SENT_BY, "p")),
        ((CANON, "c"), (CANON_SENT_BY, "q"), (CANON, "c")),
        ((CANON, "c"), (CANON, "c"), (CANON, "c")),
        (None, (CANON, "c"), (CANON, "c")),
    ],
)
def test_canons(previous: State | None, current: State | None, expected: State) -> None:
    assert merge.canon_states(previous, current) == expected


def test_canons_that_do_not_merge() -> None:
    assert refused(merge.canon_states, (CANON, "c"), (CANON, "d")) == (
        'canon results Executed(CID("c")) Executed(CID("d")) points to incompatible execution states'
    )
    assert refused(merge.canon_states, SENT, None).endswith("is incompatible with expected canon")
    assert "incompatible states" in refused(merge.canon_states, (CANON, "c"), SENT)


def test_compound_states_are_only_checked() -> None:
    merge.par_states((PAR, 0, 0), None)
    merge.fold_states(None, (FOLD, ()))
    assert refused(merge.par_states, None, (FOLD, ())) == (
        "state from current `Fold(FoldResult { lore: [] })` is incompatible with expected par"
    )
    assert refused(merge.fold_states, (PAR, 1, 2), None).endswith("is incompatible with expected fold")
    assert "incompatible states" in refused(merge.fold_states, (PAR, 1, 2), (FOLD, ()))
