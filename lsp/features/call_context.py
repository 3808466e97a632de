"""The call whose brackets are open at an offset, told by the text: lines being typed rarely parse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from lsp.expressions import before

SEARCHED_MAX = 5000
"""Characters searched backwards for the opening bracket."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What is called, the texts of the arguments so far (the last may be empty), and where the bracket is."""

    callee: str
    args: tuple[str, ...]
    start: int

    @property
    def active(self) -> int:
        """Index of the argument being typed."""
        return max(0, len(self.args) - 1)


def call_at(text: str, offset: int) -> CallContext | None:
    """The innermost call around `offset`; a blank line or a definition ends the search."""
    depth = 0
    commas: list[int] = []
    at = offset
    lowest = max(0, offset - SEARCHED_MAX)
    in_string = text.count('"', text.rfind("\n", 0, offset) + 1, offset) % 2 == 1
    while at > lowest:
        at -= 1
        char = text[at]
        if char == '"':
            in_string = not in_string
        elif in_string:
            continue
        elif char in ")]}":
            depth += 1
        elif char in "([{":
            if depth:
                depth -= 1
            elif char == "(":
                callee = before(text, at)
                if not callee:
                    return None
                cuts = [at, *reversed(commas), offset]
                args = tuple(text[a + 1 : b].strip() for a, b in pairwise(cuts))
                return CallContext(callee, args, at)
            else:
                commas.clear()  # items of a collection
        elif char == "," and not depth:
            commas.append(at)
        elif char == "\n" and text[at + 1 : at + 2] not in (" ", "\t", ")", "]", ""):
            return None
    return None
