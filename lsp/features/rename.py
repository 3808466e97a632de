"""`textDocument/prepareRename` and `rename`: give a thing another name in every file that mentions it.

Refused, with a reason: predefined names, files of the standard library and of packages, names of the wrong form, and names
taken where the thing is visible.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aquac.diagnostics import Edit
from aquac.project.imports import PACKAGES
from aquac.project.stdlib import is_stdlib
from lsp.convert import to_range, to_workspace_edit
from lsp.mentions import everywhere, of_ability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol import types

    from aquac.source import Span
    from lsp.facts import Fact
    from lsp.mentions import Mention
    from lsp.view import View
    from lsp.workspace import Workspace

_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_UPPER: Final = re.compile(r"[A-Z][A-Za-z0-9_]*")
_LOWER: Final = re.compile(r"[a-z][A-Za-z0-9_]*")


class RenameRefused(Exception):
    """Why a name cannot be changed; the text is for the person."""


def prepare_rename(workspace: Workspace, path: str, offset: int) -> types.Range:
    """Range of the name that would change. Raises RenameRefused."""
    view, fact = _target(workspace, path, offset)
    return to_range(view.source, fact.span)


def rename(
    workspace: Workspace, path: str, offset: int, new_name: str, *, mentions: Sequence[Mention] | None = None
) -> types.WorkspaceEdit:
    """Edits in all files; `mentions` are those of the workspace if they are found already. Raises RenameRefused."""
    view, fact = _target(workspace, path, offset)
    _check_form(fact, new_name)
    mentions = everywhere(workspace, view, fact) if mentions is None else mentions
    mentions = [m for m in mentions if m.fact.kind != "file"]
    old = fact.site.file.text[fact.site.span.start : fact.site.span.end] if fact.site is not None else fact.name
    if fact.name != old:  # a name given by an import or export, which is this file's own
        mentions = [m for m in mentions if m.view is view]
        old = fact.name
    for mention in mentions:
        _check_free(mention, new_name)
    return to_workspace_edit(_edits(mentions, old, new_name))


def _target(workspace: Workspace, path: str, offset: int) -> tuple[View, Fact]:
    view = workspace.view(path)
    fact = None if view is None else view.fact_at(offset)
    if view is None or fact is None or fact.kind == "file":
        raise RenameRefused("there is no name here")
    fact = replace(of_ability(view, fact), span=fact.span)
    if fact.site is None:
        raise RenameRefused(f"`{fact.name}` is predefined")
    where = fact.site.file.path
    if fact.name != fact.site.file.text[fact.site.span.start : fact.site.span.end]:
        return view, fact
    if is_stdlib(where) or f"/{PACKAGES}/" in where.replace("\\", "/"):
        raise RenameRefused(f"`{fact.name}` is defined in a library, in {os.path.basename(where)}")
    return view, fact


def _check_form(fact: Fact, name: str) -> None:
    if fact.kind == "constant":
        form, what = _CONSTANT, "a constant has an upper-case name, such as `LIMIT`"
    elif fact.kind in ("type", "service", "module"):
        form, what = _UPPER, "the name of a type, service or module starts with an upper-case letter"
    elif fact.kind in ("variable", "argument"):
        form = re.compile(r"[A-Za-z][A-Za-z0-9_]*") if fact.name[:1].isupper() else _LOWER
        what = "a name starts with a lower-case letter"
    else:
        form, what = _LOWER, "a name starts with a lower-case letter"
    if not form.fullmatch(name):
        raise RenameRefused(f"`{name}` cannot be used here: {what}")


def _check_free(mention: Mention, name: str) -> None:
    """Whether `name` means something else already where the thing is mentioned."""
    view, fact = mention.view, mention.fact
    if fact.kind in ("field", "method"):
        taken = view.members.get(fact.span.start)
        if taken is not None and any(m.name.text == name for m in taken[0].members):
            raise RenameRefused(f"`{taken[0].name.text}` has a member `{name}` already")
        return
    is_type = fact.kind in ("type", "service")
    part = view.context.part(name, is_type=is_type)
    if part is not None and (part.site is None or (part.site.file.path, part.site.span.start) != fact.key):
        raise RenameRefused(f"`{name}` is defined already, or imported, in {view.path}")
    if is_type or fact.kind == "module":
        return
    around = view.function_around(fact.span.start)
    if around is None:
        return
    for other in view.locals_of(name):
        if around[0].name.span.end < other.span.start <= around[1].end and other.key != fact.key:
            raise RenameRefused(f"`{name}` is the name of something else in the same function")


def _edits(mentions: list[Mention], old: str, new_name: str) -> list[Edit]:
    edits = []
    seen: set[tuple[str, Span]] = set()
    for mention in mentions:
        view, span = mention.view, mention.fact.span
        if view.text[span.start : span.end] != old or (view.path, span) in seen:
            continue  # a name given by an import stays
        seen.add((view.path, span))
        edits.append(Edit(view.source, span, _replacement(mention, new_name)))
    return edits


def _replacement(mention: Mention, new_name: str) -> str:
    """The new name; where one word was both a field and its value, the two are written out."""
    same = [f for f in mention.view.facts_at(mention.fact.span.start) if f.span == mention.fact.span]
    if len({f.key for f in same}) < 2 or not any(f.kind == "field" for f in same):
        return new_name
    if mention.fact.kind == "field":
        return f"{new_name} = {mention.fact.name}"
    return f"{mention.fact.name} = {new_name}"
