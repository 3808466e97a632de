"""The VM's table of execution errors: number → kind → message template → catchable. Numbers are written out, never counted.

Preparation errors (1–10) and the farewell's 30000 belong to `avm.prepare` and `avm.farewell`; this file holds what a running script can raise.
Numbers and texts reach the wire: they are part of error objects, which scripts pass on as call arguments.
Source: aquavm:air/src/execution_step/errors/{catchable_errors,uncatchable_errors}.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class VmError(Exception):
    """One execution error. Catchable ones are caught by `xor`, `par` and stream folds; the others end the run."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def catchable(self) -> bool:
        """Whether the script can handle it."""
        return self.code < UNCATCHABLE_MIN


UNCATCHABLE_MIN: Final = 20000
"""Codes below are catchable, codes from here on end the run with the previous data."""


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table. A number has several rows when the reference words the same kind differently."""

    number: int
    kind: str
    template: str

    @property
    def catchable(self) -> bool:
        """Whether errors of this kind can be handled by the script."""
        return self.number < UNCATCHABLE_MIN

    def error(self, **fields: object) -> VmError:
        """The error with the template's fields filled in."""
        return VmError(self.number, self.template.format(**fields) if fields else self.template)


LOCAL_SERVICE_ERROR: Final = ErrorKind(10000, "LocalServiceError", "Local service error, ret_code is {ret_code}, error message is '{message}'")
MATCH_VALUES_NOT_EQUAL: Final = ErrorKind(10001, "MatchValuesNotEqual", "compared values do not match")
MISMATCH_VALUES_EQUAL: Final = ErrorKind(10002, "MismatchValuesEqual", "compared values do not mismatch")
