"""Errors that come alone out of a nursery.

Nurseries raise groups, even of one error, and `raise` within `except*` makes a group again in Python 3.11 before 3.11.4.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def lone(*kinds: type[Exception]) -> Iterator[None]:
    """Raise the first error of a group in its place where all in it are of these kinds; anything else as it is."""
    try:
        yield
    except BaseExceptionGroup as group:
        found, rest = group.split(kinds)
        if found is None or rest is not None:
            raise
        error: BaseException = found
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
    else:
        return
    raise error
