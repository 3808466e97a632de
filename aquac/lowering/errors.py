"""Errors of lowering.

`LoweringError` is about the program: `lower_module` turns it into a diagnostic. `InternalError` is a bug of the compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aquac.codes import Code
    from aquac.semantics.raw import Site


class InternalError(Exception):
    """Lowering met something semantics should have ruled out."""


class LoweringError(Exception):
    """The program cannot be compiled, for a reason known only after inlining."""

    def __init__(self, code: Code, message: str) -> None:
        """A row of the table of codes and the text for people."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.site: Site | None = None
