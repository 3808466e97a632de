"""Character classes: the frozen tables against `unicodedata`, and the places where they must differ from `str` methods."""

import unicodedata
from pathlib import Path

import pytest

from avm import Avm, RunParameters
from avm.air import chars
from avm.call_data import NO_RESULTS
from runtime.reference_avm import ReferenceAvm
from tests.avm.provoked_rows import PAIRS

ASSIGNED = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]


def test_numeric_is_the_categories_of_numbers() -> None:
    # Every number Python 3.11 (Unicode 14) knows; later Pythons know more, the tables stay at Unicode 15.
    old = [c for c in ASSIGNED if unicodedata.ucd_3_2_0.category(c) != "Cn"]
    differing = [c for c in old if chars.is_numeric(c) != (unicodedata.category(c) in ("Nd", "Nl", "No"))]
    assert differing == []


def test_letters_and_numbers_are_name_characters() -> None:
    old = [c for c in ASSIGNED if unicodedata.ucd_3_2_0.category(c) != "Cn"]
    refused = [c for c in old if unicodedata.category(c)[0] in "LN" and not chars.is_name_char(c)]
    assert refused == []


@pytest.mark.parametrize("c", ["\u0345", "\u24b6", "\u0903", "\U0001f130"], ids=ascii)
def test_other_alphabetic_counts(c: str) -> None:
    # Marks and symbols with the property Alphabetic, which str.isalnum does not know.
    assert not c.isalpha()
    assert chars.is_name_char(c)


@pytest.mark.parametrize("c", ["\u0301", "\u200d", "!", "/", "\u2ebf", "\U0002ebf0"], ids=ascii)
def test_marks_and_later_versions_do_not(c: str) -> None:
    # U+2EBF0 is a letter from Unicode 15.1 on.
    assert not chars.is_name_char(c)


@pytest.mark.parametrize("c", ["\x1c", "\x1f", "\u180e", "\u200b", "\ufeff"], ids=ascii)
def test_not_white_space(c: str) -> None:
    assert not chars.is_white_space(c)


@pytest.mark.parametrize("c", [" ", "\t", "\x0b", "\x85", "\xa0", "\u1680", "\u2007", "\u202f", "\u3000"], ids=ascii)
def test_white_space(c: str) -> None:
    assert chars.is_white_space(c)


@pytest.mark.parametrize(
    ("c", "width"),
    [
        ("a", 1),
        ("日", 2),
        ("\u0301", 0),
        ("\u200b", 0),
        ("\xad", 1),
        ("\x07", 0),
        ("\x7f", 0),
        ("\u1160", 0),
        ("\ue000", 1),
    ],
    ids=ascii,
)
def test_display_width(c: str, width: int) -> None:
    assert chars.display_width(c) == width


@pytest.mark.parametrize(
    ("c", "width"), [("\u0378", 1), ("\u0cf3", 1), ("\u0ece", 0), ("\U00011f00", 0), ("\U0001fae8", 2)], ids=ascii
)
def test_display_width_of_what_some_pythons_do_not_know(c: str, width: int) -> None:
    assert chars.display_width(c) == width


@pytest.mark.slow
@pytest.mark.reference
def test_every_character_is_as_wide_as_in_the_reports_of_the_reference(avm_wasm: Path) -> None:
    ours, reference = Avm(), ReferenceAvm(avm_wasm)
    parameters = RunParameters(PAIRS[0].peer_id, PAIRS[0].peer_id, 1, 2, "p", b"\1" * 32)
    for first in range(0x80, 0x110000, 0x80):
        text = "".join(chr(c) for c in range(first, first + 0x80) if not 0xD800 <= c < 0xE000)
        script = f'(fail "{text}")'
        outcomes = [vm.invoke(script, b"", b"", parameters, NO_RESULTS) for vm in (ours, reference)]
        assert outcomes[0].error_message == outcomes[1].error_message, hex(first)


@pytest.mark.parametrize("c", ["a", "é", "日", "\U0001f600"])
def test_utf8_len(c: str) -> None:
    assert chars.utf8_len(c) == len(c.encode())
