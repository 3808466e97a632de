"""Rust's forms of states and strings."""

from __future__ import annotations

import pytest

from avm.data.interpreter_data import Tetraplet
from avm.trace.debug import quoted, state_debug, state_display, tetraplet_debug
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


@pytest.mark.parametrize(
    ("state", "debug", "display"),
    [
        ((PAR, 1, 0), "Par(ParResult { left_size: 1, right_size: 0 })", "par(1, 0)"),
        ((SENT_BY, "p"), 'Call(RequestSentBy(PeerId("p")))', "request_sent_by(p)"),
        (
            (REQUESTED, "p", 1),
            'Call(RequestSentBy(PeerIdWithCallId { peer_id: "p", call_id: 1 }))',
            "request_sent_by(p: 1)",
        ),
        ((SCALAR, "b"), 'Call(Executed(Scalar(CID("b"))))', 'executed(Scalar(CID("b")))'),
        (
            (STREAM, "b", 0),
            'Call(Executed(Stream { cid: CID("b"), generation: 0 }))',
            'executed(Stream { cid: CID("b"), generation: 0 })',
        ),
        ((UNUSED, "b"), 'Call(Executed(Unused(CID("b"))))', 'executed(Unused(CID("b")))'),
        ((FAILED, "b"), 'Call(Failed(CID("b")))', 'failed(CID("b"))'),
        ((AP, (0,)), "Ap(ApResult { res_generations: [0] })", "ap: _ -> [0]"),
        ((CANON_SENT_BY, "p"), 'Canon(RequestSentBy("p"))', "canon [<object>]"),
        ((CANON, "b"), 'Canon(Executed(CID("b")))', "canon [<object>]"),
        (
            (FOLD, ((0, 2, 0, 3, 1),)),
            "Fold(FoldResult { lore: [FoldSubTraceLore { value_pos: 0, subtraces_desc: [SubTraceDesc { begin_pos: 2, "
            "subtrace_len: 0 }, SubTraceDesc { begin_pos: 3, subtrace_len: 1 }] }] })",
            "fold(\n          0 - [2, 0], [3, 1]\n     )",
        ),
    ],
)
def test_states(state: State, debug: str, display: str) -> None:
    assert state_debug(state) == debug
    assert state_display(state) == display


def test_strings() -> None:
    assert quoted('a"b\\c\n\t\r\0') == '"a\\"b\\\\c\\n\\t\\r\\0"'
    assert quoted("é\x01") == '"é\\u{1}"'


def test_tetraplets() -> None:
    assert tetraplet_debug(Tetraplet("p", "s", "f", ".$.a")) == (
        'SecurityTetraplet { peer_pk: "p", service_id: "s", function_name: "f", lens: ".$.a" }'
    )
