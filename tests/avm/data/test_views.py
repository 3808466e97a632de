"""Views for people."""

from __future__ import annotations

import json

import pytest

from avm.data.codec import encode
from avm.data.human import HumanViewError, to_human_readable_data
from avm.data.interpreter_data import InterpreterData
from avm.data.tree import tree_text
from avm.trace.states import AP, PAR, SCALAR, SENT_BY
from tests.avm.data.test_stores import PAIR, build


def test_json_view() -> None:
    data = build()
    data.interpreter_version = "0.62.0"
    view = json.loads(to_human_readable_data(encode(data)))
    assert view["versions"] == {"interpreter_version": "0.62.0", "version": "0.17.2"}
    assert view["data"]["cid_info"]["value_store"] == data.stores.values
    assert [next(iter(state)) for state in view["data"]["trace"]] == ["call", "call", "canon"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "failed to deserialize envelope: IO error while reading marker: failed to fill whole buffer"),
        (b"\xc1", "failed to deserialize envelope: wrong msgpack marker Reserved"),
        (
            encode(InterpreterData(interpreter_version="0.1.0")),
            "supplied data was produced by `0.1.0` version of interpreter, but minimum `0.61.0` version is required",
        ),
    ],
)
def test_errors(data: bytes, message: str) -> None:
    with pytest.raises(HumanViewError) as caught:
        to_human_readable_data(data)
    assert str(caught.value) == message


def test_tree() -> None:
    data = build()
    data.trace = [(PAR, 2, 1), (PAR, 1, 0), data.trace[1], (AP, (0,)), (SENT_BY, "peer"), (SCALAR, "absent")]
    lines = tree_text(data).splitlines()
    assert lines[2:] == [
        "    0 par 2 | 1",
        "    1   par 1 | 0",
        f'    2     call {PAIR.peer_id} ser"vice.f returned 1',
        "    3   ap into generation 0",
        "    4 call sent on by peer",
        "    5 call executed (absent)",
    ]


def test_control_characters_stay_out_of_the_tree() -> None:
    lines = tree_text(InterpreterData(trace=[(SENT_BY, "\x1b[31mred\n    1 par 0 | 0\x9b\u2028é")])).splitlines()
    assert lines[2:] == [r"    0 call sent on by \x1b[31mred\n    1 par 0 | 0\x9b\u2028é"]


def test_tree_of_hostile_sizes() -> None:
    data = InterpreterData(trace=[(PAR, 2**32 - 1, 2**32 - 1)] * 2000)
    assert len(tree_text(data).splitlines()) == 2002
