"""Strings in messages, as Rust's debug form has them: they are hashed by other peers."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm import RunParameters
from avm.call_data import encode_call_results
from avm.outcome import CallResult
from avm.trace.debug import quoted
from runtime.reference_avm import ReferenceAvm
from tests.avm.provoked_rows import PAIRS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é ☃", '"plain é ☃"'),
        ("\t\r\n\0'\"\\", r'''"\t\r\n\0'\"\\"'''),
        ("\x1f\x7f\x80", r'"\u{1f}\u{7f}\u{80}"'),
        ("o\u05aa\u0301", r'"o\u{5aa}\u{301}"'),
        ("\u09be\U0001d165\uff9e", r'"\u{9be}\u{1d165}\u{ff9e}"'),
        ("\u0378\ue000", r'"\u{378}\u{e000}"'),
        ("\u0cf3\U00011f02", '"\u0cf3\U00011f02"'),  # of Unicode 15, which older Pythons do not know
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert quoted(text) == expected


@pytest.mark.slow
@pytest.mark.reference
def test_every_character_as_the_reference_shows_it(avm_wasm: Path) -> None:
    """A call result that nobody asked for comes back in a message."""
    reference = ReferenceAvm(avm_wasm)
    parameters = RunParameters(PAIRS[0].peer_id, PAIRS[0].peer_id, 1, 2, "p", b"\1" * 32)
    for first in range(0, 0x110000, 0x4000):
        text = "".join(chr(c) for c in range(first, first + 0x4000) if not 0xD800 <= c < 0xE000)
        outcome = reference.invoke("(null)", b"", b"", parameters, encode_call_results({1: CallResult(1, text)}))
        assert quoted(text) in outcome.error_message, hex(first)
