"""Run lark's LALR tables over one line, several times faster than lark's own loop does.

Problem: lark's lexer and parser spend most of their time on what this grammar never needs: line counters, tokens of skipped
blanks, one combined pattern for each set of terminals, and ten reductions without effect for every operand (`?or: and` …).
Idea:    the tables are lark's, in a compact form (`tables.py`). Words, numbers and operators are cut by one pattern, and the
         state decides which terminal a text is: the contextual lexer's rule, a terminal counts only where it is accepted, and
         of those the most specific. Chains of reductions without effect are followed once and remembered.
Errors:  none of its own. `run` returns `REFUSED` where the tables have no action; the caller asks lark, which explains.

An editor of this file must preserve: whatever lark accepts, this accepts, with the same calls of the builder in the same
order; `tests/aquac/syntax/test_automaton.py` compares the two.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Set

REFUSED: Final[Any] = object()
"""What `run` returns for a line that is not in the language."""

_END: Final = "$END"
FILTERED: Final = frozenset({"COMMA", "DOT", "LBRACE", "RBRACE"})
"""Punctuation that no method of the builder is given."""
_ACCEPT: Final = 1 << 30
# What the pattern below takes these terminals of the grammar for; `tables.py` checks that they still are that.
LEXICAL: Final = {
    "NAME": "[a-z][A-Za-z0-9_]*",
    "CLASS": "[A-Z][A-Za-z0-9_]*",
    "STR": '"[^"]*"',
    "FLOAT": r"-?(0|[1-9][0-9]*)\.[0-9]+",
    "INT": "-?(0|[1-9][0-9]*)",
    "BANG_N": "!(0|[1-9][0-9]*)",
    "TOP": "[⊤⊥]",
    "SPACE": "([ \t]|\r?\n\r?|--[^\n]*)+",
}
_SKIPPED: Final = r"(?:[ \t]+|\r?\n\r?|--[^\n]*)*"
_SIGNED: Final = re.compile(r"-(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBERED_BANG: Final = re.compile(r"!(?:0|[1-9][0-9]*)")

# Groups of the pattern that cuts a line into pieces.
_LOWER, _UPPER, _STRING, _NUMBER, _OPERATOR, _EXTREME = range(1, 7)


class Token(str):
    """A terminal: its text, `type`, and `start_pos` in the text of the file. lark's tokens serve as well."""

    __slots__ = ("start_pos", "type")
    type: str
    start_pos: int


class Inline(list[Any]):
    """Children of a rule whose name begins with `_`: they become children of the rule around it."""

    __slots__ = ()


Reduction = tuple[int, int, Any]
"""Number of symbols, number of the rule's own symbol, and what makes its value of theirs; None to pass on the only one."""


Traced = tuple[str, int, int, int]
"""A token that was read: its terminal, where it starts and ends, and the state that took it."""


class Automaton:
    """The tables with the methods of a builder put in. Not safe to share between threads while it runs."""

    def __init__(self, tables: Mapping[str, Any], builder: object) -> None:
        """`tables` are those of `tables.compact`."""
        self._starts: dict[str, int] = tables["starts"]
        ends = set(tables["ends"].values())
        names: list[str] = tables["names"]
        shapes: list[list[list[int]]] = tables["shapes"]
        # An action above 0 is the next state + 1, one below 0 the rule.
        self._actions: list[dict[str, int]] = []
        self._goto: list[dict[int, int]] = []
        for state, (shape, actions, goto) in enumerate(tables["states"]):
            row = {names[symbol]: action for symbol, action in zip(shapes[shape], actions, strict=True)}
            if state in ends:
                row[_END] = _ACCEPT
            self._actions.append(row)
            self._goto.append(dict(goto))
        self._rules: list[Reduction] = [(0, 0, None)]
        for size, origin, callback, recipe in tables["rules"]:
            self._rules.append((size, origin, _maker(callback, recipe, builder)))
        self._jumps: dict[tuple[int, int, str], tuple[int, int]] = {}
        self._words: dict[str, list[tuple[str, Callable[..., object]]]] = {
            word: [(terminal, re.compile(behind).match) for terminal, behind in entries]
            for word, entries in tables["words"].items()
        }
        operators: list[tuple[str, str, str]] = tables["operators"]
        self._operators = {
            text: tuple((terminal, shorter) for shorter, terminal, _ in operators if text.startswith(shorter))
            for text, _, _ in operators
        }
        cut = "|".join(re.escape(text) + behind for text, _, behind in operators)
        self._next = re.compile(
            rf"{_SKIPPED}(?:([a-z][A-Za-z0-9_]*)|([A-Z][A-Za-z0-9_]*)|(\"[^\"]*\")"
            rf"|((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)|({cut})|([⊤⊥])|\Z)"
        ).match

    def run(self, text: str, at: int, end: int, start: str, trace: list[Traced] | None = None) -> Any:
        """The builder's value of `text[at:end]`, or `REFUSED`. The builder may raise.

        `trace` is given every token that is read, also those of a line that is refused further on.
        """
        all_actions, rules, jumps, cut = self._actions, self._rules, self._jumps, self._next
        state = self._starts[start]
        stack = [state]
        values: list[Any] = []
        while True:
            actions = all_actions[state]
            found = cut(text, at, end)
            if found is None:
                return REFUSED
            group = found.lastindex
            token: Token | None = None
            if group is None:
                kind, place = _END, at
            else:
                at = found.end()
                piece = found[group]
                place = at - len(piece)
                if group == _LOWER:
                    kind = "NAME"
                    for terminal, behind in self._words.get(piece, ()):
                        if terminal in actions and behind(text, at, end):
                            kind = terminal
                            break
                elif group == _OPERATOR:
                    kind, piece = self._operator(text, piece, at, end, actions)
                    at = place + len(piece)
                elif group == _UPPER:
                    kind = "CLASS"
                elif group == _NUMBER:
                    kind = "FLOAT" if "." in piece else "INT"
                elif group == _STRING:
                    kind = "STR"
                else:
                    kind = "TOP"
                if kind not in FILTERED:
                    token = Token(piece)
                    token.type = kind
                    token.start_pos = place
            action = actions.get(kind, 0)
            while action < 0:
                size, origin, make = rules[-action]
                if size:
                    children = values[-size:]
                    del values[-size:], stack[-size:]
                else:
                    children = []
                values.append(children[0] if make is None else make(children))
                jump = jumps.get((stack[-1], origin, kind))
                if jump is None:
                    jump = self._jump(stack[-1], origin, kind)
                state, action = jump
                stack.append(state)
            if action == _ACCEPT:
                return values[-1]
            if action == 0:
                return REFUSED
            if trace is not None:
                trace.append((kind, place, at, stack[-1]))
            state = action - 1
            stack.append(state)
            values.append(token)

    def accepts(self, state: int) -> Set[str]:
        """Terminals that can follow in a state."""
        return self._actions[state].keys()

    def _jump(self, state: int, symbol: int, kind: str) -> tuple[int, int]:
        """State and action after `symbol` in `state`, with `kind` ahead, behind all reductions that change no value."""
        asked = state, symbol, kind
        while True:
            reached = self._goto[state][symbol]
            action = self._actions[reached].get(kind, 0)
            if action >= 0:
                break
            size, origin, make = self._rules[-action]
            if size != 1 or make is not None:
                break
            symbol = origin
        self._jumps[asked] = reached, action
        return reached, action

    def _operator(self, text: str, piece: str, at: int, end: int, actions: Mapping[str, int]) -> tuple[str, str]:
        """Terminal and text of an operator: the longest that the state accepts; a sign belongs to its number there."""
        start = at - len(piece)
        if piece[0] == "-" and "INT" in actions:
            number = _SIGNED.match(text, start, end)
            if number is not None:
                return ("FLOAT" if "." in number[0] else "INT"), number[0]
        elif piece == "!" and "BANG_N" in actions:
            number = _NUMBERED_BANG.match(text, start, end)
            if number is not None:
                return "BANG_N", number[0]
        for terminal, shorter in self._operators[piece]:
            if terminal in actions:
                return terminal, shorter
        return "", piece


def _maker(callback: str, recipe: Sequence[Sequence[int]] | None, builder: object) -> Callable[[list[Any]], Any] | None:
    """What a reduction does: call a method of the builder, collect for the rule around it, or nothing."""
    if callback == "=":
        return None
    if callback == "_":
        if recipe is None:
            return Inline
        return lambda children: _inline(_picked(children, recipe))
    method: Callable[..., Any] = getattr(builder, callback.removeprefix("?"))
    if recipe is None:
        return lambda children: method(*children)
    if callback[0] == "?":
        return lambda children: _single(_picked(children, recipe), method)
    if not any(expand or absent for _, expand, absent in recipe):
        # Only punctuation is left out.
        if len(recipe) == 1:
            only = recipe[0][0]
            return lambda children: method(children[only])
        pick = itemgetter(*[place for place, _, _ in recipe])
        return lambda children: method(*pick(children))
    return lambda children: method(*_picked(children, recipe))


def _inline(children: list[Any]) -> Inline:
    return children if isinstance(children, Inline) else Inline(children)


def _single(children: list[Any], method: Callable[..., Any]) -> Any:
    """A rule whose name begins with `?` vanishes when it has one child."""
    return children[0] if len(children) == 1 else method(*children)


def _picked(children: list[Any], recipe: Sequence[Sequence[int]]) -> list[Any]:
    """The children that count: each entry of the recipe is a place, whether to expand it, and how many None stand before."""
    picked: list[Any] = []
    for place, expand, absent in recipe:
        if absent:
            picked += [None] * absent
        if place < 0:
            continue
        if not expand:
            picked.append(children[place])
        elif picked:
            picked += children[place]
        else:
            # A list grows on the left: taking it over keeps long lists linear.
            picked = children[place]
    return picked
