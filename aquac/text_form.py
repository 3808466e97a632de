"""Reading the text forms of the stages: lines by depth, and the words of a line.

Input:  text printed by `semantics/text.py`, `lowering/text.py` or `topology/text.py`.
Output: `Line`s for the parsers beside them.
Errors: `TextFormError`, naming the line.

A name that could be misread (it has a dot, say) stands in backquotes. A string literal may span lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from aquac.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

_LINE: Final = re.compile(r'(?:"[^"]*"|[^"\n])*')
_WORD: Final = re.compile(r'"[^"]*"|(?:#%|[*%#])?`[^`]*`|-?\d+(?:\.\d+)?(?![\w-])|!=|[(),\[\]{}.!]|[^\s(),\[\]{}.!`"]+')
_PLAIN: Final = re.compile(r"[^\s(),\[\]{}.!`\"*%#?@\d][^\s(),\[\]{}.!`\"]*\Z")
_RESERVED: Final = frozenset({"true", "false", "=", "@"})


class TextFormError(ValueError):
    """The text is not what the printer of a stage prints."""


def plain(name: str) -> str:
    """A name as it stands in the text."""
    return name if _PLAIN.match(name) and name not in _RESERVED else f"`{name}`"


def is_literal(word: str) -> bool:
    """Whether a word is a literal: a number, string or truth value, or what AquaVM provides, such as `%init_peer_id%`."""
    if word in ("true", "false") or word.startswith('"') or (len(word) > 2 and word[0] == word[-1] == "%"):
        return True
    return word.removeprefix("-")[:1].isdigit()


@dataclass(slots=True)
class Line:
    """One line: its depth, its words, and how far they have been read."""

    number: int
    depth: int
    words: list[str]
    text: str
    at: int = 0

    def peek(self, ahead: int = 0) -> str:
        """The next word, empty at the end."""
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def take(self) -> str:
        """The next word."""
        if self.at >= len(self.words):
            raise self.error("the line ends too early")
        self.at += 1
        return self.words[self.at - 1]

    def accept(self, word: str) -> bool:
        """Whether the next word is `word`; it is taken then."""
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def expect(self, *words: str) -> None:
        """Take exactly these words."""
        for word in words:
            if not self.accept(word):
                raise self.error(f"`{word}` expected, found `{self.peek()}`")

    def name(self) -> str:
        """Take a name."""
        word = self.take()
        if word.startswith("`"):
            return word[1:-1]
        if not _PLAIN.match(word):
            raise self.error(f"a name expected, found `{word}`")
        return word

    def end(self) -> None:
        """Nothing may follow."""
        if self.at < len(self.words):
            raise self.error(f"unexpected `{self.peek()}`")

    def error(self, message: str) -> TextFormError:
        """An error in this line."""
        return TextFormError(f"line {self.number}: {message}")


def read_lines(text: str) -> list[Line]:
    """The lines of a text that are not empty. Two blanks are one level."""
    lines: list[Line] = []
    at, number = 0, 1
    while at < len(text):
        found = _LINE.match(text, at)
        assert found is not None
        content = found.group()
        at = found.end() + 1
        if content.strip():
            body = content.lstrip(" ")
            indent = len(content) - len(body)
            if indent % 2:
                raise TextFormError(f"line {number}: indented by {indent} blanks")
            lines.append(Line(number, indent // 2, _WORD.findall(body), body))
        number += content.count("\n") + 1
    return lines


@dataclass(slots=True)
class _Open(Generic[T]):
    line: Line
    children: list[T] = field(default_factory=list)


def build_tree(lines: Sequence[Line], make: Callable[[Line, list[T]], T]) -> T:
    """Nodes of lines by depth, children before parents. No host recursion. Raises TextFormError."""
    roots: list[T] = []
    stack: list[_Open[T]] = []
    for line in _with_end(lines):
        while stack and (line is None or stack[-1].line.depth >= line.depth):
            done = stack.pop()
            node = make(done.line, done.children)
            done.line.end()
            (stack[-1].children if stack else roots).append(node)
        if line is not None:
            if line.depth != len(stack):
                raise line.error("indented too far")
            stack.append(_Open(line))
    if len(roots) != 1:
        raise TextFormError(f"one tree expected, found {len(roots)}")
    return roots[0]


def _with_end(lines: Sequence[Line]) -> Iterator[Line | None]:
    yield from lines
    yield None
