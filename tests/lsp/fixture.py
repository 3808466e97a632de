"""Workspaces in memory for the tests of features, and their answers as text.

A fixture is one or more files; `//- name` starts a file (the first is `main.aqua` unless named), `//! {json}` gives settings,
`$0` marks the cursor and `$1` the other end of a selection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from aquac.project.stdlib import is_stdlib
from aquac.source import LineIndex
from lsp.settings import read_settings
from lsp.workspace import Workspace

ROOT = "/w"


@dataclass
class Fixture:
    workspace: Workspace
    path: str
    offset: int
    end: int

    @classmethod
    def of(cls, text: str) -> Fixture:
        settings: object = {}
        files: dict[str, list[str]] = {}
        name = "main.aqua"
        for line in text.rstrip("\n").split("\n"):
            if line.startswith("//! "):
                settings = json.loads(line[4:])
            elif line.startswith("//- "):
                name = line[4:].strip()
                files[name] = []
            else:
                files.setdefault(name, []).append(line)
        workspace = Workspace(read_settings(settings, (ROOT,)))
        path, offset, end = f"{ROOT}/{next(iter(files))}", 0, -1
        for name, lines in files.items():
            body = "\n".join(lines) + "\n"
            if "$0" in body:
                path = f"{ROOT}/{name}"
                if "$1" in body:
                    end = body.replace("$0", "").index("$1")
                    body = body.replace("$1", "")
                offset = body.index("$0")
                body = body.replace("$0", "")
            workspace.set_text(f"{ROOT}/{name}", body)
        return cls(workspace, path, offset, end)

    def text(self, path: str) -> str:
        return self.workspace.parsed(path)[0].text

    # ── answers as text ──────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, uri: str, r: types.Range) -> str:
        """`file:line:column text`, counted from 1 as editors show them; the library by name alone."""
        path = unquote(urlsplit(uri).path)
        text = self.text(path)
        lines = LineIndex(text)
        start, end = (lines.offset(p.line, p.character) for p in (r.start, r.end))
        name = path.rpartition("/")[2] if is_stdlib(path) else path.removeprefix(ROOT + "/")
        where = name if is_stdlib(path) else f"{name}:{r.start.line + 1}:{r.start.character + 1}"
        shown = text[start:end]
        return f"{where} {shown if len(shown) < 60 else shown[:57] + '...'!r}" if shown else where

    def applied(self, edit: types.WorkspaceEdit) -> str:
        """The changed files after an edit, of the main one only what is there, others under their names."""
        out = []
        for uri, edits in sorted((edit.changes or {}).items()):
            path = unquote(urlsplit(uri).path)
            out.append(f"//- {path.removeprefix(ROOT + '/')}\n{apply(self.text(path), edits)}".rstrip("\n"))
        return "\n".join(out)


def apply(text: str, edits: list[types.TextEdit]) -> str:
    """The text after edits, which must not overlap."""
    lines = LineIndex(text)
    spans = sorted(
        (
            lines.offset(e.range.start.line, e.range.start.character),
            lines.offset(e.range.end.line, e.range.end.character),
            n,
            e.new_text,
        )
        for n, e in enumerate(edits)
    )
    out, done = [], 0
    for start, end, _, new in spans:
        assert start >= done, "edits overlap"
        out += [text[done:start], new]
        done = end
    return "".join([*out, text[done:]])
