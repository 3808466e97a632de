"""Diagnostics for machines: the JSON document of contracts §2.2, GitHub workflow commands, SARIF 2.1.0.

The schema of the JSON document is `schemas/diagnostics.schema.json`. Lines and columns count from 1, columns in UTF-16 units,
offsets in bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .codes import TABLE, Severity
from .render import shown_path
from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .diagnostics import Diagnostic, Fix
    from .source import SourceFile, Span

Json = dict[str, Any]


def to_json(diagnostics: Sequence[Diagnostic], files: int) -> Json:
    """The document: every diagnostic and a summary. `files` is the number of files read."""
    return {
        "diagnostics": [diagnostic_json(d) for d in diagnostics],
        "summary": {
            "errors": sum(d.is_error for d in diagnostics),
            "warnings": sum(d.code.severity is Severity.WARNING for d in diagnostics),
            "files": files,
        },
    }


def diagnostic_json(diagnostic: Diagnostic) -> Json:
    """One diagnostic; `file` and `span` are null when it has no place."""
    return {
        "code": diagnostic.code.id,
        "kind": diagnostic.code.kind,
        "severity": diagnostic.code.severity.value,
        "message": diagnostic.message,
        "file": diagnostic.file.path if diagnostic.file else None,
        "span": span_json(diagnostic.file, diagnostic.span),
        "notes": [
            {
                "message": note.message,
                "file": note.file.path if note.file else None,
                "span": span_json(note.file, note.span),
            }
            for note in diagnostic.notes
        ],
        "fixes": [
            {
                "title": fix.title,
                "edits": [
                    {"file": edit.file.path, "span": span_json(edit.file, edit.span), "text": edit.text}
                    for edit in fix.edits
                ],
            }
            for fix in diagnostic.fixes
        ],
    }


def span_json(file: SourceFile | None, span: Span | None) -> Json | None:
    """Start and end of a span, or None without a place."""
    if file is None or span is None:
        return None
    start = file.lines.position(span.start)
    end = file.lines.position(span.end)
    return {
        "start": {"line": start.line, "column": start.column, "offset": start.offset},
        "end": {"line": end.line, "column": end.column, "offset": end.offset},
    }


def to_sarif(diagnostics: Sequence[Diagnostic], *, base: str | None = None) -> Json:
    """A SARIF 2.1.0 log, for code scanning. Paths below `base` are relative to it, as code hosts want them."""
    used = sorted({d.code.id for d in diagnostics})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "aquac",
                        "version": VERSION,
                        "rules": [
                            {
                                "id": code,
                                "name": TABLE[code].kind,
                                "shortDescription": {"text": TABLE[code].summary},
                                "defaultConfiguration": {"level": _level(TABLE[code].severity)},
                            }
                            for code in used
                        ],
                    }
                },
                "columnKind": "utf16CodeUnits",
                "results": [_sarif_result(d, used, base) for d in diagnostics],
            }
        ],
    }


def _sarif_result(diagnostic: Diagnostic, used: list[str], base: str | None) -> Json:
    text = "\n".join([diagnostic.message, *(note.message for note in diagnostic.notes)])
    result: Json = {
        "ruleId": diagnostic.code.id,
        "ruleIndex": used.index(diagnostic.code.id),
        "level": _level(diagnostic.code.severity),
        "message": {"text": text},
    }
    if diagnostic.file is not None:
        result["locations"] = [{"physicalLocation": _sarif_place(diagnostic.file, diagnostic.span, base)}]
    related = [
        {"physicalLocation": _sarif_place(note.file, note.span, base), "message": {"text": note.message}}
        for note in diagnostic.notes
        if note.file is not None
    ]
    if related:
        result["relatedLocations"] = related
    if diagnostic.fixes:
        result["fixes"] = [_sarif_fix(fix, base) for fix in diagnostic.fixes]
    return result


def _sarif_place(file: SourceFile, span: Span | None, base: str | None) -> Json:
    place: Json = {"artifactLocation": {"uri": _uri(file.path, base)}}
    if span is not None:
        place["region"] = _sarif_region(file, span)
    return place


def _sarif_region(file: SourceFile, span: Span) -> Json:
    start, end = file.lines.position(span.start), file.lines.position(span.end)
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _sarif_fix(fix: Fix, base: str | None) -> Json:
    changes: dict[str, list[Json]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _sarif_region(edit.file, edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(_uri(edit.file.path, base), []).append(replacement)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": replacements} for uri, replacements in changes.items()
        ],
    }


def _uri(path: str, base: str | None) -> str:
    """A relative reference below `base`, else a `file` URI: a bare absolute path would be taken as one of any server."""
    text = quote(shown_path(path, base).replace("\\", "/"), errors="surrogateescape")
    return f"file://{text}" if text.startswith("/") else text


def _level(severity: Severity) -> str:
    return "note" if severity is Severity.INFO else severity.value


def to_github(diagnostics: Iterable[Diagnostic], *, base: str | None = None) -> str:
    """Workflow commands, one a line, that annotate a pull request. Paths below `base` are relative to it."""
    lines = []
    for diagnostic in diagnostics:
        word = "notice" if diagnostic.code.severity is Severity.INFO else diagnostic.code.severity.value
        properties = [f"title={_property(diagnostic.code.id)}"]
        if diagnostic.file is not None:
            properties.insert(0, f"file={_property(shown_path(diagnostic.file.path, base))}")
            if diagnostic.span is not None:
                start = diagnostic.file.lines.position(diagnostic.span.start)
                end = diagnostic.file.lines.position(diagnostic.span.end)
                properties[1:1] = [f"line={start.line}", f"endLine={end.line}", f"col={start.column}"]
        text = "\n".join([diagnostic.message, *(note.message for note in diagnostic.notes)])
        lines.append(f"::{word} {','.join(properties)}::{_data(text)}")
    return "".join(line + "\n" for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def dumps(document: Json, *, indent: int | None = 2) -> str:
    """JSON text, one document, ending in a line break."""
    return json.dumps(document, ensure_ascii=False, indent=indent) + "\n"
