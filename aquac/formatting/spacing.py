"""Put the tokens of a line together with the blanks that belong between them.

Input:  tokens as the compiler's automaton read them.
Output: the text of the line.
Errors: none; what stands where is known from the states of the automaton, not guessed from the text.

Whether `*`, `-`, `!`, `(` or `[` stands between operands or before one is told by what its state could have read instead: a
string where a value starts, `⊤` where a type does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from .lines import Piece

PLAIN: Final = 0
"""A blank follows, unless the next token wants none."""
TIGHT: Final = 1
"""No blank follows."""
APART: Final = 2
"""A blank follows in any case."""

_CLOSING: Final = frozenset({"COMMA", "COLON", "RPAR", "RBRACE", "RSQB", "DOT", "BANG_N"})
_OPENING: Final = frozenset({"LPAR", "LSQB", "LBRACE", "OPTION_OPEN", "STREAM_OPEN", "DOT"})
_SIGILS: Final = frozenset({"STAR", "PERCENT", "QUESTION"})
_AFTER_OPERAND: Final = frozenset({"LPAR", "LSQB", "LBRACE", "BANG"})

Sides = tuple[bool, int]
"""Whether a token wants no blank before it, and what it wants behind it."""


class Spacing:
    """Blanks around tokens. `accepts` tells the terminals that a state of the automaton can read."""

    def __init__(self, accepts: Callable[[int], Set[str]]) -> None:
        """Start without knowledge; there are a few hundred pairs of terminal and state."""
        self._accepts = accepts
        self._sides: dict[tuple[str, int], Sides] = {}

    def flat(self, text: str, tokens: list[Piece]) -> str:
        """The line on one line; `text` is what the tokens are places of."""
        parts = []
        known = self._sides
        behind = TIGHT
        for kind, start, end, state in tokens:
            sides = known.get((kind, state))
            if sides is None:
                sides = self.sides(kind, state)
            if behind != TIGHT and (behind == APART or not sides[0]):
                parts.append(" ")
            parts.append(text[start:end])
            behind = sides[1]
        return "".join(parts)

    def sides(self, kind: str, state: int) -> Sides:
        """The blanks around a token."""
        known = self._sides.get((kind, state))
        if known is None:
            known = self._sides[kind, state] = self._make(kind, self._accepts(state))
        return known

    def _make(self, kind: str, others: Set[str]) -> Sides:
        starts_operand = "STR" in others or "TOP" in others
        before = kind in _CLOSING or (kind in _AFTER_OPERAND and not starts_operand)
        behind = TIGHT if kind in _OPENING else PLAIN
        if kind == "BANG" and starts_operand:
            behind = TIGHT
        elif kind == "RSQB" and len(others) == 1:
            behind = TIGHT  # `[]` of an array type: nothing else could have stood there
        elif kind in _SIGILS and "TOP" in others:
            behind = TIGHT
        elif kind == "CLOSURE":
            behind = APART
        return before, behind

    def takes_type(self, state: int) -> bool:
        """Whether a type can start in a state."""
        return "TOP" in self._accepts(state)
