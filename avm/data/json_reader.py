"""Strict JSON parser with the reference's error texts and positions.

It runs when the fast parser of `canonical_json` refuses a text, to say why: the message becomes part of the failed value a
peer stores and hashes, so wording, line and column are part of the format. Errors: JsonError.
Source: serde_json 1.0.108 src/de.rs, src/read.rs (SliceRead), src/error.rs; conformance/interpreter-data/canonical-json.jsonl
"""

from __future__ import annotations

import re
from typing import Any, Final

from avm.limits import JSON_DEPTH_MAX

from .json_number import NumberOutOfRangeError, parse_float, parse_integer

_SPACE: Final = re.compile(rb"[ \n\t\r]*")
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS: Final = re.compile(rb"[0-9]*")
_HEX: Final = re.compile(rb"[0-9a-fA-F]*")
_ESCAPES: Final = {34: '"', 92: "\\", 47: "/", 98: "\b", 102: "\f", 110: "\n", 114: "\r", 116: "\t"}
_IDENTS: Final[dict[int, tuple[bytes, Any]]] = {110: (b"null", None), 116: (b"true", True), 102: (b"false", False)}

_EOF_VALUE = "EOF while parsing a value"
_EOF_STRING = "EOF while parsing a string"


class JsonError(ValueError):
    """The text is not JSON. `str(error)` reads `<reason> at line L column C`; columns count bytes."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        """Keep the reason and the place."""
        super().__init__(f"{reason} at line {line} column {column}")
        self.reason = reason
        self.line = line
        self.column = column


def read_json(text: str) -> Any:
    """Value of a JSON text. Raises JsonError.

    Nesting is bounded by JSON_DEPTH_MAX, hence the recursion of this reader is too.
    """
    reader = _Reader(text.encode("utf-8", "surrogatepass"))
    value = reader.value(JSON_DEPTH_MAX + 1)
    if reader.skip_space() is not None:
        raise reader.error_at_peek("trailing characters")
    return value


class _Reader:
    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    def error(self, reason: str) -> JsonError:
        """Error after the last consumed byte."""
        return self._error_at(reason, self.pos)

    def error_at_peek(self, reason: str) -> JsonError:
        """Error on the next byte."""
        return self._error_at(reason, min(len(self.data), self.pos + 1))

    def _error_at(self, reason: str, index: int) -> JsonError:
        before = self.data[:index]
        return JsonError(reason, before.count(b"\n") + 1, index - (before.rfind(b"\n") + 1))

    def peek(self) -> int | None:
        return self.data[self.pos] if self.pos < len(self.data) else None

    def skip_space(self) -> int | None:
        match = _SPACE.match(self.data, self.pos)
        if match is not None:
            self.pos = match.end()
        return self.peek()

    def value(self, depth: int) -> Any:
        byte = self.skip_space()
        if byte is None:
            raise self.error_at_peek(_EOF_VALUE)
        if byte == 34:
            self.pos += 1
            return self.string()
        if byte in (91, 123):
            if depth == 1:
                raise self.error_at_peek("recursion limit exceeded")
            self.pos += 1
            return self.array(depth - 1) if byte == 91 else self.object(depth - 1)
        if byte == 45 or 48 <= byte <= 57:
            return self.number()
        if byte in _IDENTS:
            word, value = _IDENTS[byte]
            for expected in word:
                got = self.peek()
                if got is None:
                    raise self.error(_EOF_VALUE)
                self.pos += 1
                if got != expected:
                    raise self.error("expected ident")
            return value
        raise self.error_at_peek("expected value")

    def array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while True:
            byte = self.skip_space()
            if byte is None:
                raise self.error_at_peek("EOF while parsing a list")
            if byte == 93:
                self.pos += 1
                return items
            if items:
                if byte != 44:
                    raise self.error_at_peek("expected `,` or `]`")
                self.pos += 1
                byte = self.skip_space()
                if byte is None:
                    raise self.error_at_peek(_EOF_VALUE)
                if byte == 93:
                    raise self.error_at_peek("trailing comma")
            items.append(self.value(depth))

    def object(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        first = True
        while True:
            byte = self.skip_space()
            if byte is None:
                raise self.error_at_peek("EOF while parsing an object")
            if byte == 125:
                self.pos += 1
                return items
            if not first:
                if byte != 44:
                    raise self.error_at_peek("expected `,` or `}`")
                self.pos += 1
                byte = self.skip_space()
                if byte is None:
                    raise self.error_at_peek(_EOF_VALUE)
                if byte == 125:
                    raise self.error_at_peek("trailing comma")
            first = False
            if byte != 34:
                raise self.error_at_peek("key must be a string")
            self.pos += 1
            key = self.string()
            byte = self.skip_space()
            if byte is None:
                raise self.error_at_peek("EOF while parsing an object")
            if byte != 58:
                raise self.error_at_peek("expected `:`")
            self.pos += 1
            items[key] = self.value(depth)

    def string(self) -> str:
        parts: list[str] = []
        data = self.data
        while True:
            match = _PLAIN.match(data, self.pos)
            end = match.end() if match is not None else self.pos
            parts.append(data[self.pos : end].decode("utf-8", "surrogatepass"))
            self.pos = end
            if end == len(data):
                raise self.error(_EOF_STRING)
            byte = data[end]
            self.pos += 1
            if byte == 34:
                return "".join(parts)
            if byte != 92:
                raise self.error("control character (\\u0000-\\u001F) found while parsing a string")
            parts.append(self.escape())

    def escape(self) -> str:
        byte = self.peek()
        if byte is None:
            raise self.error(_EOF_STRING)
        self.pos += 1
        if byte in _ESCAPES:
            return _ESCAPES[byte]
        if byte != 117:
            raise self.error("invalid escape")
        unit = self.hex_escape()
        if 0xDC00 <= unit <= 0xDFFF:
            raise self.error("lone leading surrogate in hex escape")
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        for expected in b"\\u":
            byte = self.peek()
            if byte is None:
                raise self.error(_EOF_STRING)
            self.pos += 1
            if byte != expected:
                raise self.error("unexpected end of hex escape")
        low = self.hex_escape()
        if not 0xDC00 <= low <= 0xDFFF:
            raise self.error("lone leading surrogate in hex escape")
        return chr(((unit - 0xD800) << 10 | (low - 0xDC00)) + 0x10000)

    def hex_escape(self) -> int:
        start = self.pos
        if start + 4 > len(self.data):
            self.pos = len(self.data)
            raise self.error(_EOF_STRING)
        match = _HEX.match(self.data, start, start + 4)
        digits = match.group() if match is not None else b""
        if len(digits) < 4:
            self.pos = start + len(digits) + 1
            raise self.error("invalid escape")
        self.pos = start + 4
        return int(digits, 16)

    def digits(self) -> int:
        """Skip digits; how many there were."""
        start = self.pos
        match = _DIGITS.match(self.data, start)
        if match is not None:
            self.pos = match.end()
        return self.pos - start

    def number(self) -> int | float:
        start = self.pos
        if self.data[start] == 45:
            self.pos += 1
        byte = self.peek()
        if byte is None:
            raise self.error(_EOF_VALUE)
        if not 48 <= byte <= 57:
            self.pos += 1
            raise self.error("invalid number")
        if byte == 48:
            self.pos += 1
            following = self.peek()
            if following is not None and 48 <= following <= 57:
                raise self.error_at_peek("invalid number")
        else:
            self.digits()
        is_float = False
        if self.peek() == 46:
            is_float = True
            self.pos += 1
            if not self.digits():
                raise self.error_at_peek(_EOF_VALUE if self.peek() is None else "invalid number")
        if self.peek() in (69, 101):
            is_float = True
            self.pos += 1
            if self.peek() in (43, 45):
                self.pos += 1
            byte = self.peek()
            if byte is None:
                raise self.error(_EOF_VALUE)
            if not 48 <= byte <= 57:
                self.pos += 1
                raise self.error("invalid number")
            self.digits()
        text = self.data[start : self.pos].decode("ascii")
        try:
            return parse_float(text) if is_float else parse_integer(text)
        except NumberOutOfRangeError as error:
            self.pos = start + error.consumed
            raise self.error("number out of range") from None
