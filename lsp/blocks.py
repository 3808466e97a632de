"""Whole statements as text: the lines of a selection with the blocks below them, and what they bind and use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquac.source import Span

if TYPE_CHECKING:
    from .facts import Fact
    from .view import View

LOCAL = ("variable", "argument")


@dataclass(frozen=True, slots=True)
class Block:
    """Full lines `span` (without the last line break), the indentation of the first, and its text."""

    view: View
    span: Span
    indent: str

    @property
    def text(self) -> str:
        """The lines."""
        return self.view.text[self.span.start : self.span.end]

    def indented(self, by: str = "  ") -> str:
        """The lines, deeper."""
        return "\n".join(by + line if line.strip() else line for line in self.text.split("\n"))

    def at(self, indent: str) -> str:
        """The lines with another indentation of the first."""
        cut = len(self.indent)
        return "\n".join(indent + line[cut:] if line.strip() else line for line in self.text.split("\n"))

    def facts(self) -> list[Fact]:
        """Facts inside."""
        return [f for f in self.view.facts if self.span.start <= f.span.start < self.span.end]

    def bound(self) -> list[Fact]:
        """Names of values bound inside."""
        return [f for f in self.facts() if f.kind in LOCAL and f.is_definition(self.view.path)]

    def used_behind(self) -> list[Fact]:
        """Those of `bound` that are mentioned behind the block."""
        later = {f.key for f in self.view.facts if f.span.start >= self.span.end}
        return [f for f in self.bound() if f.key in later]

    def free(self) -> list[Fact]:
        """Values of the function around that are used inside, each once."""
        inside = {f.key for f in self.bound()}
        found: dict[tuple[str, int] | None, Fact] = {}
        for f in self.facts():
            if f.kind in LOCAL and f.key is not None and f.key not in inside:
                found.setdefault(f.key, f)
        return list(found.values())

    def returns(self) -> bool:
        """Whether a line at the level of the block is a return."""
        return any(line.startswith(self.indent + "<-") for line in self.text.split("\n"))


def block_at(view: View, span: Span) -> Block | None:
    """The statements that a selection touches, with their blocks; None outside of bodies or across their ends."""
    start = view.line_span(span.start).start
    text = view.text
    while start < len(text) and not text[start : view.line_span(start).end].strip():
        start = view.line_span(start).end + 1
    if start > span.end or start >= len(text):
        return None
    line = text[start : view.line_span(start).end]
    indent = line[: len(line) - len(line.lstrip())]
    if not indent or line.lstrip().startswith("--"):
        return None
    end = view.line_span(start).end
    at = end + 1
    while at < len(text):
        stop = view.line_span(at).end
        content = text[at:stop]
        if content.strip():
            depth = content[: len(content) - len(content.lstrip())]
            deeper = depth.startswith(indent) and len(depth) > len(indent)
            if at >= span.end and not deeper:
                break
            if not depth.startswith(indent):
                return None if at < span.end else Block(view, Span(start, end), indent)
            end = stop
        at = stop + 1
    return Block(view, Span(start, end), indent)
