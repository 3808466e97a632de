"""Rewrite files written for versions before 0.14 into the present language: `aquac migrate`.

Input:  files or folders.
Output: `Migration` per file: its new text, what changed, what a person has to change.
Errors: those of reading and parsing; a file with errors is left as it is. Nothing is written here but by `write`.
Source: spec aqua-language §13.1.

Only the places that have to change are edited, so comments and formatting stay. Each text is read again after editing: a
change that does not lead to a file the parser accepts is not made. Migrating a migrated file changes nothing.

| old form | becomes |
|---|---|
| `module X declares …` | `aqua X declares …` |
| a file without header | `aqua Name declares *` with a name made of the file's |
| `x: ?T` as a statement | `x: *T` |
| `<-` inside `on` | `<-` at the level of the function |
| a line indented unlike its block | indented like it |
| `alias T: type` of an imported type that is the same | nothing: the imported one serves |
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from aquac.records import dataclass, field, field_names

from .codes import ALIAS_REDEFINED, INDENT_INCONSISTENT, INDENT_RETURN_NESTED, STREAM_DECL_NOT_STREAM, TYPE_REDEFINED
from .diagnostics import Diagnostic, Edit, has_errors
from .project.bundle import Disk, Overlay, read_source
from .rewrite import replace_file, text_diff
from .source import SourceFile, Span
from .syntax import ast
from .syntax.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .project.config import ImportMap

_Change = tuple[str, Edit]
"""What is done, in words, and the edit that does it."""

_OLD_FORMS = (ALIAS_REDEFINED.id, TYPE_REDEFINED.id, STREAM_DECL_NOT_STREAM.id)


@dataclass(slots=True)
class Migration:
    """One file: its text before and after. `changes` says in words what was done, `left` what remains to be done."""

    source: SourceFile
    text: str
    changes: list[str] = field(default_factory=list)
    left: list[Diagnostic] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Absolute path."""
        return self.source.path

    @property
    def changed(self) -> bool:
        """Whether the text differs."""
        return self.text != self.source.text

    def diff(self, name: str) -> str:
        """The change as a unified diff, the file called `name`."""
        return text_diff(self.source.text, self.text, name)


def migrate(paths: Sequence[str], *, imports: ImportMap | None = None, export: bool = False) -> list[Migration]:
    """Migrate the files at `paths` in memory.

    Args:
        paths: absolute paths of files.
        imports: where imports are looked for; needed to find types that repeat imported ones.
        export: name in an `export` line what a file without header used to export, all its functions and services.
    """
    migrations = [_migrate_file(path, export=export) for path in paths]
    _drop_repeated_types(migrations, imports or {})
    return migrations


def migrate_text(source: SourceFile, *, export: bool = False) -> Migration:
    """Migrate one text by itself, without looking at what it imports."""
    result = Migration(source, source.text)
    file, found = parse(source, legacy=True)
    if has_errors(found):
        result.left = [d for d in found if d.is_error]
        return result
    edits = [*_header_edits(source, file, export=export), *_option_edits(source, file)]
    moves = [_edit_of(d) for d in found if d.code.id in (INDENT_INCONSISTENT.id, INDENT_RETURN_NESTED.id)]
    indents = [edit for edit in moves if edit is not None]
    _make(result, edits + indents)
    if result.left and indents:
        _make(result, edits)
    return result


def _make(result: Migration, changes: Sequence[_Change]) -> None:
    """Make the changes of a file; what the parser still refuses is left."""
    result.text = _apply(result.source.text, [edit for _, edit in changes])
    result.changes = [title for title, _ in changes]
    _, found = parse(SourceFile(result.path, result.text, result.source.bom))
    result.left = [d for d in found if d.is_error]


def write(migration: Migration) -> None:
    """Put the new text in place of the old file. Raises CommandError."""
    replace_file(migration.path, migration.text, bom=migration.source.bom)


def module_name(path: str) -> str:
    """A module name made of a file's: `trust-graph-api.aqua` → `TrustGraphApi`."""
    stem = os.path.basename(path.replace("\\", "/")).removesuffix(".aqua")
    words = re.findall(r"[A-Za-z0-9]+", stem)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Module{name}"


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


# ── one file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _migrate_file(path: str, *, export: bool) -> Migration:
    source, problem = read_source(Disk(), path)
    if problem is not None:
        return Migration(source, source.text, left=[problem])
    return migrate_text(source, export=export)


def _header_edits(source: SourceFile, file: ast.File, *, export: bool) -> Iterator[_Change]:
    first = file.header[0] if file.header else None
    if isinstance(first, ast.ModuleHeader):
        if first.keyword.text != "aqua":
            yield f"`{first.keyword.text}` is now `aqua`", Edit(source, first.keyword.span, "aqua")
        return
    if any(isinstance(line, ast.ModuleHeader) for line in file.header):
        return
    name = module_name(source.path)
    newline = "\r\n" if re.search(r"\r\n", source.text) else "\n"
    lines = [f"aqua {name} declares *", ""]
    own = _implicit_exports(file) if export else []
    if own:
        lines += [f"export {', '.join(own)}", ""]
    at, indent = _header_place(source.text)
    yield f"added the header `aqua {name} declares *`", Edit(source, Span(at, at), newline.join([*lines, ""]))
    if indent:
        yield "removed the indentation of the first line", Edit(source, indent, "")


def _header_place(text: str) -> tuple[int, Span | None]:
    """Where a header goes: behind the comment at the top if a blank line ends it, else first of all.

    Also the blanks before the first line of code, which are allowed there only while it is the first.
    """
    at = 0
    place = 0
    in_comment = False
    for line in _lines(text):
        content = line.strip()
        if content.startswith("--"):
            in_comment = True
        elif not content:
            if in_comment:
                place = at + len(line)
            in_comment = False
        else:
            blanks = len(line) - len(line.lstrip(" \t"))
            return place, Span(at, at + blanks) if blanks else None
        at += len(line)
    # Nothing but comments: the header ends the file, on a line of its own.
    return (at if text.endswith("\n") else 0), None


def _implicit_exports(file: ast.File) -> list[str]:
    """Functions and services a file without header exported, less those that cannot be exported or are exported already."""
    named = {item.name.text for line in file.header if isinstance(line, ast.Export) for item in line.items}
    abilities = {d.name.text for d in file.definitions if isinstance(d, ast.Ability)}
    names = []
    for d in file.definitions:
        match d:
            case ast.Service():
                names.append(d.name.text)
            case ast.Func(signature=signature):
                results = signature.results
                types = [*results, *(p.type for p in signature.params)]
                inside = any(isinstance(t, ast.NamedType) and t.name in abilities for t in types)
                if not signature.abilities and not inside and not any(isinstance(t, ast.ArrowType) for t in results):
                    names.append(d.name.text)
            case _:
                pass
    return [name for name in names if name not in named]


def _option_edits(source: SourceFile, file: ast.File) -> Iterator[_Change]:
    for d in file.definitions:
        if not isinstance(d, ast.Func):
            continue
        waiting: list[Any] = [d.body]
        while waiting:
            node = waiting.pop()
            if isinstance(node, tuple):
                waiting += node
            elif isinstance(node, ast.Declare):
                if isinstance(node.type, ast.CollectionType) and node.type.kind == "?":
                    yield f"`{node.name.text}` is declared as a stream", Edit(source, node.type.span, "*")
            else:
                waiting += [getattr(node, name) for name in field_names(node) if name != "span"]


def _edit_of(diagnostic: Diagnostic) -> _Change | None:
    """The first edit of a diagnostic that has one."""
    if not diagnostic.fixes:
        return None
    fix = diagnostic.fixes[0]
    return fix.title, fix.edits[0]


def _apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made; of overlapping ones the first counts."""
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.start < done:
            continue
        parts += (text[done : edit.span.start], edit.text)
        done = edit.span.end
    return "".join([*parts, text[done:]])


# ── what depends on imports ──────────────────────────────────────────────────────────────────────────────────────────


def _drop_repeated_types(migrations: Sequence[Migration], imports: ImportMap) -> None:
    """Check the migrated files, and remove aliases that only repeat an imported type.

    Errors, and old forms nobody can rewrite without knowing what is meant, are left. Where imports are missing nothing is done.
    """
    from .project.config import ProjectConfig
    from .project.link import load
    from .semantics import check_project

    good = {m.path: m for m in migrations if not has_errors(m.left)}
    modules, found = load(
        list(good), ProjectConfig(imports, legacy_headers=True), Overlay({path: m.text for path, m in good.items()})
    )
    if has_errors(found):
        return
    _, found = check_project(modules, legacy_headers=True)
    edits: dict[str, list[_Change]] = {}
    for d in found:
        migration = good.get(d.file.path) if d.file is not None else None
        if migration is None or not (d.is_error or d.code.id in _OLD_FORMS):
            continue
        change = _edit_of(d)
        if change is None or d.is_error:
            migration.left.append(d)
        else:
            edits.setdefault(migration.path, []).append(change)
    for path, changes in edits.items():
        good[path].text = _apply(good[path].text, [edit for _, edit in changes])
        good[path].changes += [title for title, _ in changes]
