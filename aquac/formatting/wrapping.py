"""Break lines that are too long, have comments inside, or were broken by hand outside of brackets.

Input:  the tokens of a logical line, the comments inside it, its indentation.
Output: its text, over as many lines as it takes.
Errors: none.

Brackets are opened from left to right: one stays closed if what follows up to the next bracket that could be opened fits
behind it. An opened bracket has each of its elements on a line of its own. Only arguments, parameters, fields and elements of
collections can be opened, because there every compiler of the language reads a line break. Outside of brackets breaks are the
author's: they stay where they are, and in the first column if they were there, as the reference reads them nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.records import dataclass, field

from .limits import INDENT, WIDTH
from .spacing import APART, TIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.syntax.ast import Comment

    from .lines import Piece
    from .spacing import Spacing

_OPEN: Final = frozenset({"LPAR", "LSQB", "LBRACE", "OPTION_OPEN", "STREAM_OPEN"})
_CLOSE: Final = frozenset({"RPAR", "RSQB", "RBRACE"})
_PARAMETER: Final = ["NAME", "COLON"]
# What may stand before the bracket of an only element that is opened together with the bracket around it.
_HUGGED: Final = frozenset({"NAME", "CLASS", "DOT", "EQ"})


@dataclass(slots=True, eq=False)
class _Token:
    """A token with the comments around it. `above` stand on lines of their own before it, `behind` on its line.

    `broken`: the line breaks before it, and there is nothing to open; None, or whether to go to the first column.
    """

    text: str
    kind: str
    blank: bool
    above: list[str] = field(default_factory=list)
    behind: str = ""
    broken: bool | None = None


@dataclass(slots=True, eq=False)
class _Group:
    """Brackets that can be opened. The comma behind an element is its last token."""

    opening: _Token
    items: list[_Sequence] = field(default_factory=list)
    closing: _Token | None = None


_Sequence = list["_Token | _Group"]


def wrap(
    text: str, tokens: Sequence[Piece], comments: Sequence[Comment], spacing: Spacing, indent: str, newline: str
) -> str:
    """A logical line, to stand behind `indent`.

    Args:
        text: what the tokens are places of; the spans of `comments` too.
        tokens: at least one.
        comments: those between the first token and the last, in order.
        spacing: blanks between tokens.
        indent: what the first line is indented with; it is not part of the result.
        newline: the line break to use.
    """
    writer = _Writer(indent, newline)
    writer.sequence(_nested(_with_comments(text, tokens, comments, spacing)), indent, "")
    return writer.text()


def _with_comments(
    text: str, tokens: Sequence[Piece], comments: Sequence[Comment], spacing: Spacing
) -> list[tuple[_Token, bool]]:
    """Tokens with their comments, and whether each opens or closes brackets that can be opened, or parts their elements."""
    made: list[tuple[_Token, bool]] = []
    waiting = list(comments)
    waiting.reverse()
    glue = TIGHT
    depth = 0
    end = 0
    kinds = [piece[0] for piece in tokens]
    above: list[str] = []
    pulled: bool | None = None
    openable: list[bool] = []
    signatures: list[bool] = []
    for number, (kind, start, stop, state) in enumerate(tokens):
        before, behind = spacing.sides(kind, state)
        token = _Token(text[start:stop], kind, glue == APART or (glue != TIGHT and not before))
        broken: bool | None = None
        if depth == 0:
            last_break = text.rfind("\n", end, start)
            if last_break >= 0:
                broken = not text[last_break + 1 : start].strip("\r")
        found: list[str] = []
        at = end
        while waiting and waiting[-1].span.start < start:
            comment = waiting.pop()
            trailing = made and not above and not found and not made[-1][0].behind
            if trailing and "\n" not in text[at : comment.span.start]:
                made[-1][0].behind = comment.text.rstrip(" \t")
            else:
                found.append(comment.text.rstrip(" \t"))
            at = comment.span.end
        above += found
        if kind == "COMMA":
            # A comma stands behind its element, whatever stood between them comes after.
            last = made[-1][0]
            token.behind, last.behind = last.behind, ""
            pulled = broken
        else:
            token.above, above = above, []
            token.broken = broken if broken is not None else pulled
            pulled = None
        can_open = False
        if kind in _OPEN:
            signatures.append(kinds[number + 1 : number + 3] == _PARAMETER)
            can_open = _can_open(kinds, number, before, spacing.takes_type(state))
            openable.append(can_open)
            depth += 1
        elif kind in _CLOSE:
            signatures.pop()
            can_open = openable.pop()
            depth -= 1
        elif kind == "COMMA" and depth:
            # `c: u8, string -> bool` is one parameter.
            can_open = not signatures[-1] or kinds[number + 1 : number + 3] == _PARAMETER
        made.append((token, can_open))
        glue = behind
        end = stop
    return made


def _can_open(kinds: list[str], number: int, before: bool, takes_type: bool) -> bool:
    """Whether a bracket can be opened: those of calls, signatures and collections, not those of values, types and indices.

    `before`: it wants no blank before it. `takes_type`: a type could have stood in its place.
    """
    if kinds[number] == "LPAR":
        return (before and kinds[0] != "SERVICE") or kinds[number + 1 : number + 3] == _PARAMETER
    return kinds[number] != "LBRACE" and not before and not takes_type


def _nested(tokens: list[tuple[_Token, bool]]) -> _Sequence:
    """Tokens by the brackets that can be opened."""
    root: _Sequence = []
    current = root
    around: list[tuple[_Sequence, _Group | None]] = []
    for token, can_open in tokens:
        group = around[-1][1] if around else None
        if token.kind in _OPEN:
            if can_open:
                opened = _Group(token, [[]])
                current.append(opened)
                around.append((current, opened))
                current = opened.items[0]
            else:
                current.append(token)
                around.append((current, None))
        elif token.kind in _CLOSE:
            current, opened_group = around.pop()
            if opened_group is None:
                current.append(token)
            else:
                opened_group.closing = token
                if opened_group.items == [[]]:
                    opened_group.items.clear()
        elif token.kind == "COMMA" and can_open and group is not None:
            current.append(token)
            current = []
            group.items.append(current)
        else:
            current.append(token)
    return root


class _Writer:
    """Collects the text.

    `_column` is where the current line ends, `_fresh` whether it is empty but for `_indent`, `_ends` whether a comment ends it.
    """

    def __init__(self, indent: str, newline: str) -> None:
        self._newline = newline
        self._parts: list[str] = []
        self._indent = indent
        self._column = len(indent)
        self._fresh = True
        self._ends = False

    def text(self) -> str:
        """What was written."""
        return "".join(self._parts)

    def sequence(self, sequence: _Sequence, indent: str, tail: str) -> None:
        """Write tokens and groups; `tail` is what comes behind them on the same line."""
        inner = indent + INDENT
        for number, part in enumerate(sequence):
            if isinstance(part, _Group):
                self._group(part, _until_next_group(sequence, number + 1, tail), indent)
                continue
            if part.broken is not None:
                indent_of = "" if part.broken else inner
                self._line(indent_of)
                self._token(part, indent_of)
            else:
                self._token(part, inner)

    def _group(self, group: _Group, behind: str, indent: str) -> None:
        """Write a group; `behind` is what has to stand on its last line with it."""
        closing = group.closing
        assert closing is not None
        if self._stays_closed(group, behind, indent):
            for token in _tokens([group]):
                self._token(token, indent + INDENT)
            return
        self._token(group.opening, indent + INDENT)
        only = group.items[0] if len(group.items) == 1 else []
        if _can_hug(only) and not group.opening.behind and not closing.above:
            self.sequence(only, indent, closing.text + behind)
        else:
            for item in group.items:
                self._line(indent + INDENT)
                self.sequence(item, indent + INDENT, "")
            for comment in closing.above:
                self._line(indent + INDENT)
                self._write(comment)
                self._ends = True
            closing.above = []
            if group.items or self._ends:
                self._line(indent)
        self._token(closing, indent)

    def _stays_closed(self, group: _Group, behind: str, indent: str) -> bool:
        """Whether a group fits on the line with what is behind it, and no comment ends the line inside."""
        column = len(indent + INDENT) if self._ends else self._column
        tokens = _tokens([group])
        for token in tokens:
            if token.above or (token.behind and token is not tokens[-1]):
                return False
            first, broke, rest = token.text.partition("\n")
            column += len(first) + token.blank
            if column > WIDTH:
                return False
            if broke:
                column = len(rest.rpartition("\n")[2])
        return column + len(behind.partition("\n")[0]) <= WIDTH

    def _token(self, token: _Token, indent: str) -> None:
        """Write a token; where a comment before it ends the line, it stands on the next one behind `indent`."""
        indent = self._indent if self._fresh else indent
        for comment in token.above:
            self._line(indent)
            self._write(comment)
            self._line(indent)
        if self._ends:
            self._line(indent)
        self._write(" " + token.text if token.blank and not self._fresh else token.text)
        if token.behind:
            self._parts.append(" " + token.behind)
            self._ends = True

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._fresh = False
        cut = text.rfind("\n")
        self._column = self._column + len(text) if cut < 0 else len(text) - cut - 1

    def _line(self, indent: str) -> None:
        """Begin a line, unless one has just begun."""
        self._ends = False
        if self._fresh:
            return
        self._parts += (self._newline, indent)
        self._indent = indent
        self._column = len(indent)
        self._fresh = True


def _tokens(sequence: _Sequence) -> list[_Token]:
    """All tokens in order."""
    found: list[_Token] = []
    waiting: list[_Token | _Group] = list(reversed(sequence))
    while waiting:
        part = waiting.pop()
        if isinstance(part, _Token):
            found.append(part)
        else:
            assert part.closing is not None
            found.append(part.opening)
            waiting.append(part.closing)
            waiting += [inner for item in reversed(part.items) for inner in reversed(item)]
    return found


def _until_next_group(sequence: _Sequence, start: int, tail: str) -> str:
    """What has to stand on the line of a group behind it: up to the next bracket that can be opened, or line break."""
    parts: list[str] = []
    for number in range(start, len(sequence)):
        part = sequence[number]
        token = part.opening if isinstance(part, _Group) else part
        if token.broken is not None or token.above:
            return "".join(parts)
        parts.append(" " + token.text if token.blank else token.text)
        if isinstance(part, _Group) or token.behind:
            return "".join(parts)
    return "".join(parts) + tail


def _can_hug(item: _Sequence) -> bool:
    """Whether an only element is a bracket with a name before it, so that both are opened on one line."""
    if not item or not isinstance(item[-1], _Group):
        return False
    tokens = [*item[:-1], item[-1].opening]
    closing = item[-1].closing
    assert closing is not None
    return not closing.behind and all(
        isinstance(token, _Token)
        and (token.kind in _HUGGED or token is tokens[-1])
        and not token.above
        and (not token.behind or token is tokens[-1])
        for token in tokens
    )
