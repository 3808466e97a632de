"""Lenses (`.length`, `.$.field.[0].[name]!`): text to tree.

Input:  what follows a name in a word, from its first dot on.
Output: `ast.Lens`.
Errors: `LensError` with the text the reference shows, which is a debug print of its parser's error values. Syntax errors
        inside the path are collected with recovery at the next `.` or `[`, so one text can name several.
Source: aquavm:crates/air-lib/lambda/parser/src/parser/
"""

from __future__ import annotations

from typing import Final

from . import ast
from .chars import is_name_char, utf8_len
from .limits import INDEX_MAX

EMPTY_LENS: Final = "provided lambda expression doesn't contain any accessor"

_FUNCTOR: Final = ".length"
_START: Final = ".$"
_DIGITS: Final = frozenset("0123456789")
_MARKS: Final = {".": "ValuePathSelector", "[": "OpenSquareBracket", "]": "CloseSquareBracket", "!": "FlatteningSign"}

# The kinds of a path's tokens are their names in the reference's lists of expected tokens.
_NUMBER: Final = "number_accessor"
_NAME: Final = "string_accessor"
_END: Final = ""

# Legal next tokens, in the order they are listed, by the state of the path.
_ACCESSOR: Final = (".", "[")
_AFTER_DOT: Final = ("[", _NAME)
_IN_BRACKETS: Final = (_NUMBER, _NAME)
_CLOSING: Final = ("]",)
_FLATTEN: Final = ("!", ".", "[")

_Token = tuple[str, int, int, str]
"""Kind, start, end (bytes), text."""


class LensError(Exception):
    """The text after a name is not a lens."""


def parse_lens(text: str) -> ast.Lens:
    """Parse a whole lens. Raises `LensError`."""
    if text == _FUNCTOR:
        return ast.Length()
    if not text.startswith(_START):
        raise _unexpected_symbol(0, len(text.encode()))
    return _parse_path(_tokenize(text))


def _unexpected_symbol(start: int, end: int) -> LensError:
    return LensError(f"User {{ error: UnexpectedSymbol({start}, {end}) }}")


def _tokenize(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    i = offset = len(_START)
    while i < len(text):
        c = text[i]
        if c in _MARKS:
            tokens.append((c, offset, offset + 1, c))
            i, offset = i + 1, offset + 1
        elif c in _DIGITS:
            end = i
            while end < len(text) and text[end] in _DIGITS:
                end += 1
            digits = text[i:end].lstrip("0") or "0"
            if len(digits) > len(str(INDEX_MAX)) or int(digits) > INDEX_MAX:
                kind = "ParseIntError { kind: PosOverflow }"
                raise LensError(f"User {{ error: ParseIntError({offset}, {offset + end - i}, {kind}) }}")
            tokens.append((_NUMBER, offset, offset + end - i, digits))
            offset += end - i
            i = end
        elif is_name_char(c):
            end, last = i, 1
            end_offset = offset
            while end < len(text) and is_name_char(text[end]):
                last = utf8_len(text[end])
                end_offset += last
                end += 1
            if last > 1:
                # The reference panics here (it slices inside the last character); a refusal is the nearest sane answer.
                raise _unexpected_symbol(end_offset - last, end_offset)
            tokens.append((_NAME, offset, end_offset, text[i:end]))
            i, offset = end, end_offset
        else:
            raise _unexpected_symbol(offset, offset + 1)
    tokens.append((_END, offset, offset, ""))
    return tokens


def _parse_path(tokens: list[_Token]) -> ast.ValuePath:
    accessors: list[ast.Accessor] = []
    errors: list[str] = []
    expected: tuple[str, ...] = _ACCESSOR
    complete = True  # false inside an accessor
    i = 0
    while True:
        kind, _, _, text = tokens[i]
        if kind == _END and complete:
            break
        if kind not in expected:
            i = _recover(tokens, i, expected, errors)
            expected, complete = _ACCESSOR, True
            continue
        i += 1
        match kind:
            case ".":
                expected, complete = _AFTER_DOT, False
            case "[":
                expected, complete = _IN_BRACKETS, False
            case "!":
                expected = _ACCESSOR
            case "]":
                expected, complete = _FLATTEN, True
            case _ if expected is _IN_BRACKETS:
                accessors.append(ast.ArrayAccess(int(text)) if kind == _NUMBER else ast.FieldByScalar(text))
                expected = _CLOSING
            case _:
                accessors.append(ast.FieldByName(text))
                expected, complete = _FLATTEN, True
    if errors:
        raise LensError(f"[{', '.join(errors)}]")
    if not accessors:
        raise LensError(EMPTY_LENS)
    return ast.ValuePath(tuple(accessors))


def _recover(tokens: list[_Token], i: int, expected: tuple[str, ...], errors: list[str]) -> int:
    """Record the error at token `i`; answer the index of the token after which the path can go on."""
    listed = ", ".join(_debug_str(name if name in (_NUMBER, _NAME) else f'"{name}"') for name in expected)
    kind, start, _, _ = tokens[i]
    if kind == _END:
        error = f"UnrecognizedEof {{ location: {start}, expected: [{listed}] }}"
    else:
        error = f"UnrecognizedToken {{ token: {_debug_token(tokens[i])}, expected: [{listed}] }}"
    end = i
    while tokens[end][0] not in (*_ACCESSOR, _END):
        end += 1
    dropped = ", ".join(_debug_token(token) for token in tokens[i:end])
    errors.append(f"ErrorRecovery {{ error: {error}, dropped_tokens: [{dropped}] }}")
    return end


def _debug_token(token: _Token) -> str:
    kind, start, end, text = token
    if kind == _NUMBER:
        name = f"NumberAccessor({text})"
    elif kind == _NAME:
        name = f"StringAccessor({_debug_str(text)})"
    else:
        name = _MARKS[kind]
    return f"({start}, {name}, {end})"


def _debug_str(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
