"""How a rule that the grammar cannot express refuses a line; parse.py turns it into a diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.codes import SYNTAX, Code

if TYPE_CHECKING:
    from aquac.source import Span


class Reject(Exception):
    """A line that parses but is not Aqua (spec aqua-language §5.4). Never leaves this package."""

    def __init__(self, message: str, span: Span, *, code: Code = SYNTAX, hint: str = "") -> None:
        """Keep what the diagnostic needs."""
        super().__init__(message)
        self.message = message
        self.span = span
        self.code = code
        self.hint = hint


class NotThisForm(Reject):
    """The line is not the form it was parsed as, and may be another one."""
