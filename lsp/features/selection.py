"""`textDocument/selectionRange`: word, value, brackets, line, block, definition, file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from aquac.records import field_names
from aquac.source import Span
from lsp.convert import to_range

from .symbols import extents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquac.source import SourceFile
    from aquac.syntax import ast
    from lsp.workspace import Workspace


def selection_range(workspace: Workspace, path: str, offset: int) -> types.SelectionRange:
    """Growing ranges around an offset, the innermost first."""
    source, file = workspace.parsed(path)
    spans = sorted(set(_around(source, file, offset)), key=lambda s: (s.end - s.start, -s.start))
    chain: types.SelectionRange | None = None
    outer: Span | None = None
    for span in reversed(spans):
        if outer is None or (outer.start <= span.start and span.end <= outer.end):
            chain = types.SelectionRange(to_range(source, span), chain)
            outer = span
    assert chain is not None  # the whole file is always there
    return chain


def _around(source: SourceFile, file: ast.File, offset: int) -> Iterator[Span]:
    text = source.text
    yield Span(0, len(text))
    for word in re.finditer(r"\w+", text[max(0, offset - 200) : offset + 200]):
        start = word.start() + max(0, offset - 200)
        if start <= offset <= start + len(word[0]):
            yield Span(start, start + len(word[0]))
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    end = len(text) if end < 0 else end
    line = text[start:end]
    yield Span(start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
    yield from _blocks(text, offset)
    for d, whole in extents(source, file):
        if whole.start <= offset <= whole.end:
            yield whole
            yield from (span for span in _values(d) if span.start <= offset <= span.end)


def _blocks(text: str, offset: int) -> Iterator[Span]:
    """For each less indented line above: that line with everything deeper below it."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    number = text.count("\n", 0, offset)
    indent = len(lines[number]) - len(lines[number].lstrip())
    for above in range(number, -1, -1):
        line = lines[above]
        depth = len(line) - len(line.lstrip())
        if not line.strip() or depth >= indent:
            continue
        indent = depth
        last = above
        for below in range(above + 1, len(lines)):
            if lines[below].strip():
                if len(lines[below]) - len(lines[below].lstrip()) <= depth:
                    break
                last = below
        if last >= number:
            yield Span(starts[above] + depth, starts[last] + len(lines[last]))


def _values(node: Any) -> Iterator[Span]:
    """Whole texts of the values below a node. Lines and blocks are bounded in depth; the walk needs no recursion."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif not isinstance(node, Span):
            full = getattr(node, "full", None)
            if isinstance(full, Span):
                yield full
            waiting += [getattr(node, name) for name in field_names(node)]
