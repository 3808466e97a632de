"""The same program, laid out by somebody careless: other blanks, indentation, line breaks, and comments wherever one can stand.

    python -m tests.fuzz.aqua_respace FILE SEED

A pure function of a text and an integer. What each line says stays the same: a line that would be read otherwise is tried again
with other blanks, and in the end left as it was.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from lark import UnexpectedInput

from aquac.formatting.lines import Code, Lines, TextParser
from aquac.records import field_names
from aquac.source import SourceFile, Span
from aquac.syntax.grammar import line_parser
from aquac.syntax.heads import BlockHead, CompoundHead
from aquac.syntax.layout import LogicalLine, lay_out
from aquac.syntax.reject import Reject

TRIES = 8
COMMENTS = ("-- why", "--", "--x = f(1)", "--- rule ---  ", '-- "quoted', "-- é 😀", "--  (")
INDENTS = (" ", "  ", "   ", "    ", "        ", "\t", "\t ")


def respaced(text: str, seed: int, *, comments: bool = False) -> str:
    """Another layout of a program without errors; blank lines stay where they are. `comments` adds some, and outer line breaks."""
    parser = TextParser()
    lines = parser.read(SourceFile("respaced.aqua", text))
    assert not lines.errors, lines.errors
    for attempt in range(TRIES):
        made = _Careless(text, lines, parser, random.Random(seed + 7919 * attempt), comments=comments).text()
        # A line continued by hand outside of brackets may not fit its new indentation.
        if not TextParser().read(SourceFile("respaced.aqua", made)).errors:
            return made
    return text


class _Careless:
    """One pass over the lines."""

    def __init__(self, text: str, lines: Lines, parser: TextParser, rng: random.Random, *, comments: bool) -> None:
        self.source = text
        self.lines = lines
        self.rng = rng
        self.comments = comments
        self.starts = {id(code): start for (_, start), code in parser.known.items()}

    def text(self) -> str:
        """The whole file; gaps keep their comments and their blank lines."""
        rng, out = self.rng, []
        indents: list[tuple[str, str]] = [("", "")]
        opens = False
        done = 0
        layout = self.lines.layout
        for line, code in zip(layout.lines, self.lines.codes, strict=True):
            if opens:
                indents.append((line.indent, indents[-1][1] + rng.choice(INDENTS)))
            while len(indents) > 1 and indents[-1][0] != line.indent:
                indents.pop()
            start = line.start - len(line.indent)
            out.append(self._gap(self.source[done:start], indents[-1][1]))
            written = self.source[line.start : line.end]
            out.append(indents[-1][1] + (written if "\n" in written else self._line(line, code, indents[-1][1])))
            done = line.end
            if self.comments and rng.random() < 0.1 and self.source[done : done + 1] in ("\n", ""):
                out.append(" " * rng.randrange(4) + rng.choice(COMMENTS))
            opens = isinstance(code.node, BlockHead | CompoundHead)
        out.append(self._gap(self.source[done:].rstrip(" ") + "\n", ""))
        made = "".join(out)
        return made.replace("\n", "\r\n") if '"' not in made and "\r" not in made and rng.random() < 0.1 else made

    def _gap(self, gap: str, indent: str) -> str:
        """Blanks at the ends of lines, more blank lines where there is one; comments only behind a blank line or inside blocks."""
        rng = self.rng
        lines = gap.split("\n")
        out = [lines[0] + " " * rng.choice((0, 0, 0, 2))]
        for line in lines[1:-1]:
            blank = not line.strip()
            out += [line + " " * rng.choice((0, 0, 1))] * (rng.choice((1, 1, 2, 3)) if blank else 1)
            if blank and self.comments and rng.random() < 0.2:
                out += [indent + rng.choice(COMMENTS), ""]
        return "\n".join([*out, lines[-1]] if len(lines) > 1 else lines)

    def _line(self, line: LogicalLine, code: Code, indent: str) -> str:
        old = self.source[line.start : line.end]
        start = self.starts[id(code)]
        for _ in range(TRIES):
            made = self._attempt(old, code, indent)
            layout = lay_out(f"{indent}{made}\n")
            if len(layout.lines) != 1 or layout.lines[0].problem is not None:
                continue
            again = layout.lines[0]
            whole = f"{indent}{made}\n"
            text = whole[again.start : again.end]
            try:
                node, trace = line_parser().parse_traced(whole, again, start)
            except (UnexpectedInput, Reject):
                continue
            said = [(kind, whole[a:b]) for kind, a, b, _ in trace]
            if (
                text == made
                and said == [(kind, old[a:b]) for kind, a, b, _ in code.tokens]
                and _shape(node) == _shape(code.node)
            ):
                return made
        return old

    def _attempt(self, old: str, code: Code, indent: str) -> str:
        rng = self.rng
        parts: list[str] = []
        depth = 0
        before = ""
        for kind, start, end, _ in code.tokens:
            piece = old[start:end]
            if parts:
                parts.append(self._between(before, kind, depth, indent))
            parts.append(piece)
            depth += (kind in ("LPAR", "LSQB", "LBRACE", "OPTION_OPEN", "STREAM_OPEN")) - (
                kind in ("RPAR", "RSQB", "RBRACE")
            )
            before = kind
        return "".join(parts) if rng.random() < 0.95 else old

    def _between(self, before: str, kind: str, depth: int, indent: str) -> str:
        rng = self.rng
        chance = rng.random()
        if depth and chance < 0.15:
            comment = f" {rng.choice(COMMENTS)}" if self.comments and rng.random() < 0.3 else ""
            return f"{comment}\n{' ' * rng.randrange(9)}"
        if self.comments and not depth and before == "COMMA" and chance < 0.2:
            return rng.choice(("\n", f"\n{indent}  ", f" -- list\n{indent}    "))
        if chance < 0.5:
            return ""
        return rng.choice((" ", " ", "  ", "\t", "   "))


def _shape(node: Any) -> Any:
    """The tree without positions."""
    if isinstance(node, Span):
        return None
    if isinstance(node, tuple):
        return tuple(map(_shape, node))
    names = field_names(node)
    return (type(node), *[_shape(getattr(node, name)) for name in names]) if names else node


def main() -> int:
    """Print a file laid out otherwise."""
    path, seed = sys.argv[1:]
    print(respaced(Path(path).read_text(encoding="utf-8"), int(seed), comments=True), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
