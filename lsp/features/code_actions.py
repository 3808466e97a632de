"""`textDocument/codeAction`: fixes of the findings in a range, refactorings of what is selected, changes of the whole file."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lsprotocol import types

from aquac import codes
from aquac.diagnostics import Edit, Fix
from aquac.migrate import migrate_text
from aquac.source import Span
from aquac.syntax import ast
from lsp.convert import to_diagnostic, to_workspace_edit

from .quick_fixes import quick_fixes
from .refactorings import refactorings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquac.diagnostics import Diagnostic
    from lsp.view import View
    from lsp.workspace import Workspace

Kind = types.CodeActionKind

_BY_HAND = (codes.WARN_UNUSED_FUNCTION.id, codes.WARN_NOTHING_EXPORTED.id)
"""Findings with a fix that is a choice; `fix all` leaves them alone."""


def code_actions(workspace: Workspace, path: str, span: Span, only: Sequence[str] = ()) -> list[types.CodeAction]:
    """Actions for a range; `only` are the kinds wanted, with everything below them."""
    view = workspace.view(path)
    if view is None:
        return []
    found = [*_fixes(workspace, view, span), *_refactorings(view, span), *_of_file(workspace, view)]
    return [a for a in found if not only or any(_is_below(a.kind or "", kind) for kind in only)]


def _is_below(kind: str, wanted: str) -> bool:
    return kind == wanted or kind.startswith(wanted + ".")


def _findings(workspace: Workspace, view: View) -> list[Diagnostic]:
    return workspace.check(view.path).get(view.path, [])


def _fixes(workspace: Workspace, view: View, span: Span) -> Iterator[types.CodeAction]:
    for diagnostic in _findings(workspace, view):
        at = diagnostic.span
        if at is None or at.end < span.start or at.start > span.end:
            continue
        fixes = [*diagnostic.fixes, *quick_fixes(workspace, view, diagnostic)]
        for n, fix in enumerate(fixes):
            yield types.CodeAction(
                fix.title,
                kind=Kind.QuickFix,
                diagnostics=[to_diagnostic(diagnostic, view.source)],
                is_preferred=True if n == 0 and diagnostic.fixes else None,
                edit=to_workspace_edit(fix.edits),
            )


def _refactorings(view: View, span: Span) -> Iterator[types.CodeAction]:
    for kind, fix in refactorings(view, span):
        yield types.CodeAction(fix.title, kind=Kind(kind), edit=to_workspace_edit(fix.edits))


def _of_file(workspace: Workspace, view: View) -> Iterator[types.CodeAction]:
    sort = _sorted_imports(view)
    if sort is not None:
        yield types.CodeAction(sort.title, kind=Kind.SourceOrganizeImports, edit=to_workspace_edit(sort.edits))
    edits = _first_fixes(_findings(workspace, view))
    if edits:
        yield types.CodeAction("fix all", kind=Kind.SourceFixAll, edit=to_workspace_edit(edits))
    header = view.file.header[0] if view.file.header else None
    if not isinstance(header, ast.ModuleHeader) or header.keyword.text != "aqua":
        migrated = migrate_text(view.source, export=True)
        if migrated.text != view.text:
            whole = Edit(view.source, Span(0, len(view.text)), migrated.text)
            yield types.CodeAction("migrate the file", kind=Kind.Source, edit=to_workspace_edit((whole,)))


def _first_fixes(findings: Sequence[Diagnostic]) -> list[Edit]:
    """The first fix of each finding, as long as they do not touch each other."""
    chosen: list[Edit] = []
    for diagnostic in findings:
        edits = diagnostic.fixes[0].edits if diagnostic.fixes and diagnostic.code.id not in _BY_HAND else ()
        apart = all(
            e.span.end < c.span.start or c.span.end < e.span.start for e in edits for c in chosen if c.file is e.file
        )
        if apart and all(e.file is diagnostic.file for e in edits):
            chosen += edits
    return chosen


def _sorted_imports(view: View) -> Fix | None:
    """Import lines in order of their paths; only if they stand together and each on a line."""
    lines = [x for x in view.file.header if isinstance(x, ast.Import | ast.Use)]
    spans = [view.line_span(x.path.span.start) for x in lines]
    if len(spans) < 2 or any(a.end + 1 != b.start for a, b in pairwise(spans)):
        return None
    texts = [view.text[s.start : s.end] for s in spans]
    order = sorted(range(len(lines)), key=lambda n: (isinstance(lines[n], ast.Use), lines[n].path.text, texts[n]))
    kept = list(dict.fromkeys(texts[n] for n in order))
    if kept == texts:
        return None
    return Fix("sort imports", (Edit(view.source, Span(spans[0].start, spans[-1].end), "\n".join(kept)),))
