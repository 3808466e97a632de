"""`textDocument/formatting` and `textDocument/rangeFormatting`: the edits of `aquac fmt`, line by line.

A document with syntax errors gets none. Of a range the lines that it touches are formatted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.compiler import collector_paused
from aquac.formatting.document import format_source
from lsp.convert import to_text_edit

if TYPE_CHECKING:
    from lsprotocol import types

    from lsp.workspace import Workspace


def formatting(workspace: Workspace, path: str, r: types.Range | None = None) -> list[types.TextEdit]:
    """Edits of a document, or of the lines of a range."""
    source = workspace.text(path)
    lines = None
    if r is not None:
        whole_lines = r.end.character == 0 and r.end.line > r.start.line
        lines = r.start.line + 1, r.end.line + (0 if whole_lines else 1)
    with collector_paused():
        made = format_source(source, lines=lines)
    return [to_text_edit(source, change.span, change.text) for change in made.changes]
