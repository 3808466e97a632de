"""Types as text."""

import pytest

from aquac.semantics.printing import TEXT_LENGTH_MAX, brief, for_message, show
from aquac.semantics.types import (
    BOOL,
    STRING,
    TOP,
    U8,
    UNSIGNED,
    AbilityType,
    Array,
    Arrow,
    Canon,
    CanonMap,
    Option,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Type,
)

POINT = Struct("P", (("x", U8), ("y", Array(STRING))))


@pytest.mark.parametrize(
    ("t", "full", "short"),
    [
        (U8, "u8", "u8"),
        (UNSIGNED, "unsigned literal", "unsigned literal"),
        (TOP, "⊤", "⊤"),
        (Array(Option(U8)), "[]?u8", "[]?u8"),
        (Stream(U8), "*u8", "*u8"),
        (StreamMap(U8), "%u8", "%u8"),
        (Canon(U8), "#u8", "*u8"),
        (CanonMap(U8), "#%u8", "%u8"),
        (POINT, "data P{x: u8, y: []string}", "P"),
        (Arrow((), ()), "∅ -> ∅", "-> ()"),
        (Arrow((("x", U8), (None, STRING)), (BOOL,)), "(x: u8) :: string :: ∅ -> bool :: ∅", "u8, string -> bool"),
        (Arrow(((None, Arrow((), ())),), (POINT,)), "∅ -> ∅ :: ∅ -> data P{x: u8, y: []string} :: ∅", "(-> ()) -> P"),
        (AbilityType("A", (("n", U8),)), "ability A{n: u8}", "A"),
        (ServiceType("S", (("m", Arrow((), ())),)), "service S{m: ∅ -> ∅}", "S"),
    ],
)
def test_text(t: Type, full: str, short: str) -> None:
    assert show(t) == full
    assert brief(t) == short


def test_messages_cut_long_types() -> None:
    wide = Struct("Wide", tuple((f"field{i:03}", U8) for i in range(200)))
    text = for_message(wide)
    assert len(text) <= TEXT_LENGTH_MAX
    assert text.endswith("…}")
    assert for_message(POINT) == "data P{x: u8, y: []string}"
