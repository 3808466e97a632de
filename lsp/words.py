"""The words of the language and its scalar types, each in a sentence or two."""

from __future__ import annotations

import re
from typing import Final

from aquac.source import Span

WORDS: Final = {
    "aqua": "Names this file and, behind `declares`, what other files may take from it.",
    "declares": "Lists what other files may import; `*` is everything.",
    "import": "Makes names of another file visible here, all it declares or those that are listed.",
    "use": "Makes another file visible under a name: its functions are `Name.function`.",
    "from": "Names the file that the listed names come from.",
    "as": "Gives a name for this file only.",
    "export": "Lists the functions and services that come out of the compilation.",
    "const": "A value known when the program is compiled.",
    "alias": "Another name for a type.",
    "data": "A structure with named fields.",
    "service": "Functions that a peer offers under an id.",
    "ability": "Named values and functions that are passed together, in `{}`.",
    "func": "A function: calls and control flow that may run across peers.",
    "on": "Runs the block on a peer. Values made inside are known behind it.",
    "via": "Names the relays through which a peer is reached and left, in order.",
    "for": "Runs the block for each item. With `par` all at once, with `try` a failed item does not stop the others, with "
    "`rec` also for items that come while it runs.",
    "parseq": "Runs the block for each item on a peer of its own, all at once, and waits for all of them.",
    "par": "Runs the statement beside the one above and goes on when either of them is through.",
    "co": "Starts the statement beside all that follows; nobody waits for it.",
    "join": "Waits until the values are there.",
    "if": "Runs the block if the condition holds.",
    "else": "Runs the block if the condition above does not hold.",
    "try": "Runs the block; what fails inside is handled by `catch` or `otherwise`.",
    "catch": "Runs the block if the one above failed, with the error under a name.",
    "otherwise": "Runs the block if the one above failed.",
    "rec": "Items that are added to the stream while the loop runs have their turn too.",
    "true": "A `bool`.",
    "false": "A `bool`.",
    "bool": "`true` or `false`.",
    "string": "A text.",
    **{f"u{n}": f"A whole number of {n} bits, 0 to {2**n - 1}." for n in (8, 16, 32, 64)},
    **{f"i{n}": f"A whole number of {n} bits, -{2 ** (n - 1)} to {2 ** (n - 1) - 1}." for n in (8, 16, 32, 64)},
    "f32": "A floating-point number of 32 bits.",
    "f64": "A floating-point number of 64 bits.",
}

_WORD: Final = re.compile(r"[A-Za-z0-9_]+")


def word_at(text: str, offset: int) -> tuple[str, Span] | None:
    """The word of the language at an offset; None in comments, texts and names."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end]
    for found in _WORD.finditer(line):
        if found.start() <= offset - start <= found.end():
            before = re.sub(r'"[^"]*"', "", line[: found.start()])
            if found[0] not in WORDS or '"' in before or "--" in before or before.endswith("."):
                return None
            return found[0], Span(start + found.start(), start + found.end())
    return None
