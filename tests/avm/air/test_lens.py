"""Lenses: trees, printed forms, and the reference's debug texts of errors."""

import pytest

from avm.air import ast
from avm.air.lens import EMPTY_LENS, LensError, parse_lens
from avm.air.limits import INDEX_MAX
from avm.air.printer import lens_text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (".length", ".length"),
        (".$.length", ".$.length"),
        (".$.a", ".$.a"),
        (".$[0]!", ".$.[0]"),
        (".$.[007]", ".$.[7]"),
        (".$.a.[b].c", ".$.a.[b].c"),
        (".$.a![0]!", ".$.a.[0]"),
        (".$.[-1]", ".$.[-1]"),
        (".$.éa", ".$.éa"),
        (".$.[" + "0" * 5000 + "1]", ".$.[1]"),
    ],
)
def test_printed(text: str, printed: str) -> None:
    assert lens_text(parse_lens(text)) == printed


def test_kinds_of_accessors() -> None:
    assert parse_lens(".$.f.[3].[s]") == ast.ValuePath(
        (ast.FieldByName("f"), ast.ArrayAccess(3), ast.FieldByScalar("s"))
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (".$", EMPTY_LENS),
        (".x", "User { error: UnexpectedSymbol(0, 2) }"),
        (".length.a", "User { error: UnexpectedSymbol(0, 9) }"),
        (".$.$", "User { error: UnexpectedSymbol(3, 4) }"),
        (".$.a'b", "User { error: UnexpectedSymbol(4, 5) }"),
        (".$.[4294967296]", "User { error: ParseIntError(4, 14, ParseIntError { kind: PosOverflow }) }"),
        (
            ".$.",
            '[ErrorRecovery { error: UnrecognizedEof { location: 3, expected: ["\\"[\\"", "string_accessor"] }, '
            "dropped_tokens: [] }]",
        ),
        (
            ".$.0a",
            '[ErrorRecovery { error: UnrecognizedToken { token: (3, NumberAccessor(0), 4), expected: ["\\"[\\"", '
            '"string_accessor"] }, dropped_tokens: [(3, NumberAccessor(0), 4), (4, StringAccessor("a"), 5)] }]',
        ),
        (
            ".$a.!.b]",
            '[ErrorRecovery { error: UnrecognizedToken { token: (2, StringAccessor("a"), 3), expected: ["\\".\\"", '
            '"\\"[\\""] }, dropped_tokens: [(2, StringAccessor("a"), 3)] }, ErrorRecovery { error: UnrecognizedToken '
            '{ token: (4, FlatteningSign, 5), expected: ["\\"[\\"", "string_accessor"] }, dropped_tokens: '
            "[(4, FlatteningSign, 5)] }, ErrorRecovery { error: UnrecognizedToken { token: (7, CloseSquareBracket, 8), "
            'expected: ["\\"!\\"", "\\".\\"", "\\"[\\""] }, dropped_tokens: [(7, CloseSquareBracket, 8)] }]',
        ),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(LensError) as caught:
        parse_lens(text)
    assert str(caught.value) == error


def test_a_name_that_ends_in_a_non_ascii_character_is_refused() -> None:
    # The reference panics on it.
    with pytest.raises(LensError):
        parse_lens(".$.aé")


def test_limit_index() -> None:
    assert parse_lens(f".$.[{INDEX_MAX}]") == ast.ValuePath((ast.ArrayAccess(INDEX_MAX),))
    with pytest.raises(LensError):
        parse_lens(f".$.[{INDEX_MAX + 1}]")
