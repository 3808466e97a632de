"""Variables of a script: which words mean the same one.

Told by tokens and brackets, so that scripts with errors have answers too. A name is one variable in the whole script, except
inside `(new name …)` and inside a fold for its iterator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from avm.air import ast
from avm.air import tokens as t
from avm.air.lexer import TextError, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

_VARIABLES: Final = (ast.Scalar, ast.Stream, ast.StreamMap, ast.CanonStream, ast.CanonStreamMap)

WRITTEN: Final = {t.CALL, t.AP, t.CANON}
"""Instructions whose last operand receives a value."""


@dataclass(frozen=True, slots=True)
class Name:
    """A word at bytes `[start, end)`. `scope` is the offset of the bracket it belongs to, -1 for the script."""

    text: str
    start: int
    end: int
    scope: int
    writes: bool

    @property
    def key(self) -> tuple[str, int]:
        """What all mentions of a variable share."""
        return self.text, self.scope


@dataclass(slots=True)
class _Frame:
    """An open bracket: its instruction, the names it binds, how many operands came, the last one's place in the list."""

    start: int
    word: int = 0
    binds: str = ""
    operands: int = 0
    last: int = -1


def names_of(text: str) -> list[Name]:
    """Mentions of variables in order; nothing if a word of the script is none."""
    try:
        tokens = tokenize(text)
    except TextError:
        return []
    found: list[Name] = []
    frames = [_Frame(-1)]
    squares = 0
    for kind, node, start in zip(tokens.kinds, tokens.nodes, tokens.starts, strict=True):
        frame = frames[-1]
        if kind == t.OPEN:
            frame.operands += 1
            frame.last = -1
            frames.append(_Frame(start))
        elif kind == t.CLOSE:
            if len(frames) > 1:
                frames.pop()
                if frame.word in WRITTEN and frame.last >= 0:
                    found[frame.last] = _written(found[frame.last])
        elif kind in (t.OPEN_SQUARE, t.CLOSE_SQUARE):
            squares += 1 if kind == t.OPEN_SQUARE else -1
            frame.last = -1
        elif kind & t.KEYWORD and not frame.word:
            frame.word = kind
        elif isinstance(node, _VARIABLES):
            frame.operands += not squares
            binds = (frame.word == t.NEW and frame.operands == 1) or (frame.word == t.FOLD and frame.operands == 2)
            if binds:
                frame.binds = node.name
            scope = next((f.start for f in reversed(frames) if f.binds == node.name), -1)
            found.append(Name(node.name, start, start + len(node.name.encode()), scope, binds))
            frame.last = -1 if squares else len(found) - 1
            lens = None if isinstance(node, ast.Stream | ast.StreamMap) else node.lens
            for accessor in lens.accessors if isinstance(lens, ast.ValuePath) else ():
                if isinstance(accessor, ast.FieldByScalar):
                    found += _inside(text, start, accessor.name, frames)
        else:
            frame.operands += not squares
            frame.last = -1
    return sorted(found, key=lambda name: name.start)


def _written(name: Name) -> Name:
    return Name(name.text, name.start, name.end, name.scope, writes=True)


def _inside(text: str, start: int, name: str, frames: Sequence[_Frame]) -> list[Name]:
    """The scalar in the brackets of a lens, `.[name]`."""
    data = text.encode()
    at = data.find(f"[{name}]".encode(), start)
    if at < 0:
        return []
    scope = next((f.start for f in reversed(frames) if f.binds == name), -1)
    return [Name(name, at + 1, at + 1 + len(name.encode()), scope, writes=False)]
