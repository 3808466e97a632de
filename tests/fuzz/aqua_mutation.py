"""Mutations of Aqua sources.

Programs of the conformance corpora get one or two small changes: names swapped, lines deleted, doubled or indented otherwise,
literals and types exchanged, tokens dropped. `aqua_diagnostics` compares what the reference says about them.
`hostile` makes the coarser changes for the test that nothing crashes: bytes, brackets, nesting.
"""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Final

from tests.conformance.runner import CorpusMissing, default_files, read_cases
from tests.fuzz.aqua_generator import Program

TOKEN: Final = re.compile(
    r'"[^"\n]*"|--[^\n]*|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|<<-|<-|->|[=!<>]=|\*\*|&&|\|\||\n *|\s|.'
)
TYPES: Final = ("u8", "u32", "i64", "bool", "string", "f64", "[]string", "?string", "*string", "[]u32")
WORDS: Final = (
    "par",
    "co",
    "on",
    "for",
    "if",
    "else",
    "try",
    "catch",
    "otherwise",
    "join",
    "via",
    "nil",
    "func",
    "copy",
)
PIECES: Final = (
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "!",
    "=",
    "<-",
    "<<-",
    "->",
    '"',
    "--",
    "\n",
    "\t",
    " ",
    "\r",
    "\0",
    "é",
    "😀",
    "⊤",
)
FILES_MAX: Final = 4


@cache
def corpus() -> tuple[dict[str, str], ...]:
    """Files of every accepted program of the corpora; the entry is `main.aqua`."""
    found = []
    try:
        for path in default_files("aqua-air"):
            found += [case["files"] for case in read_cases(path) if "call" not in case and not case.get("options")]
        for path in default_files("aqua-check"):
            for case in read_cases(path):
                if not case.get("quirk") and not case.get("later") and not case.get("constants"):
                    found.append({"main.aqua": case["source"], **case.get("imports", {})})
    except CorpusMissing:
        return ()
    return tuple(files for files in found if "main.aqua" in files and len(files) <= FILES_MAX)


def mutated(seed: int) -> Program:
    """A program of the corpus with one or two changes a tired person might make."""
    rng = random.Random(seed)
    files = dict(rng.choice(corpus()))
    name = rng.choice(sorted(files))
    for _ in range(rng.choice((1, 1, 2))):
        files[name] = rng.choice(CHANGES)(files[name], rng)
    return Program(seed, files, "main.aqua", {})


def _words(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"[A-Za-z_][A-Za-z0-9_]*", text)]


def swap_names(text: str, rng: random.Random) -> str:
    """One name becomes another that occurs in the file."""
    spans = _words(text)
    if len(spans) < 2:
        return text
    (a, b), (c, d) = rng.choice(spans), rng.choice(spans)
    return text[:a] + text[c:d] + text[b:]


def change_line(text: str, rng: random.Random) -> str:
    """A line is deleted, doubled, moved, or indented otherwise."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    match rng.randrange(5):
        case 0 | 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[at])
        case 3:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        case _:
            lines[at] = rng.choice(("  ", " ", "    ")) + lines[at] if rng.random() < 0.5 else lines[at][2:]
    return "\n".join(lines)


def change_literal(text: str, rng: random.Random) -> str:
    """A literal becomes another one."""
    spans = [m.span() for m in re.finditer(r'"[^"\n]*"|\b\d+\b|\btrue\b|\bfalse\b', text)]
    if not spans:
        return text
    a, b = rng.choice(spans)
    return text[:a] + rng.choice(("1", "-1", '"s"', "true", "1.5", "[]", "nil", "0")) + text[b:]


def change_type(text: str, rng: random.Random) -> str:
    """A type becomes another one."""
    spans = [m.span() for m in re.finditer(r"(\[\]|\?|\*)?\b(u8|u32|i64|bool|string|[A-Z][a-z]+)\b", text)]
    if not spans:
        return text
    a, b = rng.choice(spans)
    return text[:a] + rng.choice(TYPES) + text[b:]


def drop_token(text: str, rng: random.Random) -> str:
    """A token disappears or is doubled."""
    tokens = TOKEN.findall(text)
    if not tokens:
        return text
    at = rng.randrange(len(tokens))
    if rng.random() < 0.7:
        del tokens[at]
    else:
        tokens.insert(at, tokens[at])
    return "".join(tokens)


CHANGES: Final = (swap_names, swap_names, change_line, change_line, change_literal, change_type, drop_token)


def hostile(seed: int) -> dict[str, str]:
    """A program of the corpus, badly damaged."""
    rng = random.Random(seed)
    files = dict(rng.choice(corpus()))
    name = rng.choice(sorted(files))
    text = files[name]
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(7):
            case 0:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + rng.randint(1, 30) :]
            case 2:
                text = text[:at] + rng.choice(WORDS) + text[at:]
            case 3:
                other = rng.choice(sorted(rng.choice(corpus()).values()))
                cut = rng.randrange(len(other) + 1)
                text = text[:at] + other[cut : cut + 200] + text[at:]
            case 4:
                text = text[:at] + rng.choice(PIECES[:9]) * rng.choice((2, 50, 3000)) + text[at:]
            case 5:
                text = text[:at] + chr(rng.randrange(1, 0xD800)) + text[at + 1 :]
            case _:
                text = rng.choice(CHANGES)(text, rng)
    return files | {name: text}
