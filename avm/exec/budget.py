"""How much text one run may make, so that a short script cannot take all memory.

An error message quotes the value that caused it, and an error object can be such a value again: each round doubles the
escapes, so 40 rounds of a stream fold make a terabyte. The same holds for a canon stream that is put into its own stream. The
reference runs into the end of its address space and panics; here the run ends with an uncatchable error long before.
Who charges: `values` for each text made from a value, the machine for each error message, calls for each request.
Errors: VmError 20009.
"""

from __future__ import annotations

from contextvars import ContextVar

from avm.errors import TEXT_EXHAUSTED
from avm.limits import RUN_TEXT_MAX

CHARGED_FROM = 1024
"""Shorter texts are free: they are as many as the steps of the run, which take longer than the texts."""

_left: ContextVar[list[int] | None] = ContextVar("characters a run may still make", default=None)


def open_budget() -> None:
    """A run begins: it may make `RUN_TEXT_MAX` characters."""
    _left.set([RUN_TEXT_MAX])


def charge(size: int) -> None:
    """Count a text of `size` characters. Raises VmError 20009 when the run has made too much; nothing counts outside a run."""
    if size < CHARGED_FROM:
        return
    left = _left.get()
    if left is None:
        return
    left[0] -= size
    if left[0] < 0:
        raise TEXT_EXHAUSTED.error(limit=RUN_TEXT_MAX)


def joined(texts: list[str]) -> str:
    """JSON array of canonical texts. Raises VmError 20009, before it is made, when it is longer than a run may make."""
    if sum(map(len, texts)) > RUN_TEXT_MAX:
        raise TEXT_EXHAUSTED.error(limit=RUN_TEXT_MAX)
    return "[" + ",".join(texts) + "]"
