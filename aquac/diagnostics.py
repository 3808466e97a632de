"""Diagnostics are data: a code from the table, a place, a message. Rendering is `render.py`'s.

Parsing and checking return `(tree, diagnostics)` and never raise on bad input; an exception is a bug in the compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.records import dataclass

from .codes import Code, Severity

if TYPE_CHECKING:
    from .source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Note:
    """A remark, with a place where it helps."""

    message: str
    file: SourceFile | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `span` of `file` by `text`."""

    file: SourceFile
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that would remove the diagnostic."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `file` and `span` are None when it has no place (a cycle, a bad constant given on the command line)."""

    code: Code
    message: str
    file: SourceFile | None = None
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def is_error(self) -> bool:
        """True for severity error."""
        return self.code.severity is Severity.ERROR


def has_errors(diagnostics: list[Diagnostic] | tuple[Diagnostic, ...]) -> bool:
    """Whether any of them is an error."""
    return any(d.is_error for d in diagnostics)
