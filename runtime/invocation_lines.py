"""Files of invocations, one JSON object a line: what `avm invoke`, `avm stats` and `avm replay` read.

Errors: CommandError for a file that is not there; what is wrong with one line is part of that line.
"""

from __future__ import annotations

import json
import math
import re
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError
from runtime.invocation_json import InvocationError, read_invocation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.invocation_json import Invocation


_ID: Final = re.compile(rb'\s*\{\s*"id"\s*:\s*("[ !#-\[\]-~]{0,256}"|-?(?:0|[1-9][0-9]{0,18}))\s*,')
"""An id that can be answered although what follows it is broken: plain ASCII text or an integer, in front."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not empty. number: from 1. name: its `id`. invocation: or, as text, what is wrong with it."""

    number: int
    name: Any
    document: Any
    invocation: Invocation | str


def read_lines(path: str) -> Iterator[Line]:
    """The lines of a file, or of standard input for `-`, as they come. Raises CommandError."""
    try:
        if path == "-" and sys.stdin is None:
            raise CommandError("standard input is closed")
        source = nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    with source as lines:
        try:
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield parse_line(number, text)
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror}") from error


def parse_line(number: int, text: bytes) -> Line:
    """One line."""
    try:
        document = json.loads(text.decode(), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        return Line(number, _id_of(text), None, f"not UTF-8 (byte {error.start})")
    except (ValueError, RecursionError) as error:
        return Line(number, _id_of(text), None, f"not a JSON document: {error}")
    name = document.get("id") if isinstance(document, dict) else None
    try:
        return Line(number, name, document, read_invocation(document))
    except InvocationError as error:
        return Line(number, name, document, str(error))


def _refuse(word: str) -> Any:
    """JSON has no NaN and no infinity, though Python reads them."""
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    """A number; one beyond all doubles would be answered as `Infinity`, which is not JSON."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text:.40} is too large")
    return value


def _id_of(text: bytes) -> Any:
    """The id of a line that is no JSON document; None where it cannot be told."""
    found = _ID.match(text)
    return None if found is None else json.loads(found[1])
