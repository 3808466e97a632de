"""Checks programs whose expected diagnostics stand in comments of the source.

    x = foo  -- error: AQ0201 "foo"
    y <- two()  -- warning: AQ0901 "two", error: AQ0203 "y"

The quoted text is the start of what the diagnostic's span covers. A program without comments must be accepted without warnings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aquac.diagnostics import Diagnostic
from aquac.project.bundle import Bundle
from aquac.project.config import ProjectConfig
from aquac.project.link import load
from aquac.semantics import check_project
from aquac.semantics.constants import parse_constants
from aquac.semantics.raw import ConstPart, FuncArrow, FuncPart, ModuleContext

MAIN = "/main.aqua"
_EXPECTATION = re.compile(r'(error|warning): (AQ\d{4}) "(.*?)"(?=, (?:error|warning): |\s*$)')

Line = tuple[str, int, str, str, str]
"""File, line, severity, code, covered text."""


def checked(
    source: str, files: Mapping[str, str] | None = None, constants: tuple[str, ...] = (), *, legacy: bool = False
) -> tuple[dict[str, ModuleContext], list[Diagnostic]]:
    """Contexts by path and all diagnostics of a program; `files` lie beside the main one."""
    texts = {MAIN: source} | {f"/{name}": text for name, text in (files or {}).items()}
    parts, invalid = parse_constants(constants)
    assert not invalid
    modules, found = load([MAIN], ProjectConfig(stdlib=False, legacy_headers=legacy), Bundle(texts))
    assert not [d.message for d in found if d.is_error]
    contexts, diagnostics = check_project(modules, parts, legacy_headers=legacy)
    return contexts, [*found, *diagnostics]


def accepted(source: str, files: Mapping[str, str] | None = None, constants: tuple[str, ...] = ()) -> ModuleContext:
    """Context of a program that must be right."""
    contexts, found = checked(source, files, constants)
    assert not [(d.code.id, d.message) for d in found]
    return contexts[MAIN]


def func(context: ModuleContext, name: str = "f") -> FuncArrow:
    """A function of a module by name."""
    part = context.part(name, is_type=False)
    assert isinstance(part, FuncPart)
    return part.arrow


def const(context: ModuleContext, name: str) -> ConstPart:
    """A constant of a module by name."""
    part = context.part(name, is_type=False)
    assert isinstance(part, ConstPart)
    return part


def check(
    source: str, files: Mapping[str, str] | None = None, constants: tuple[str, ...] = (), *, legacy: bool = False
) -> None:
    """Compare diagnostics with the comments of the sources."""
    expected = set(_expected("main.aqua", source))
    for name, text in (files or {}).items():
        expected |= set(_expected(name, text))
    _, found = checked(source, files, constants, legacy=legacy)
    lines = {_line(d, expected) for d in found}
    assert lines == expected, f"not expected: {sorted(lines - expected)}; missing: {sorted(expected - lines)}"


def _expected(file: str, source: str) -> list[Line]:
    return [
        (file, number, severity, code, covered)
        for number, line in enumerate(source.split("\n"), 1)
        for severity, code, covered in _EXPECTATION.findall(line.partition("--")[2])
    ]


def _line(d: Diagnostic, expected: set[Line]) -> Line:
    assert d.file is not None
    assert d.span is not None
    number = d.file.lines.position(d.span.start).line
    file = d.file.path.removeprefix("/")
    severity = "error" if d.is_error else "warning"
    covered = d.file.text[d.span.start : d.span.end]
    same = [e for e in expected if e[:4] == (file, number, severity, d.code.id) and covered.startswith(e[4])]
    return same[0] if same else (file, number, severity, d.code.id, covered)
