"""MessagePack as the interface speaks it: exact reading of small structures, fast writing of JSON values.

Reading follows `rmp-serde`: a decoder asks for a kind of value and gets it or a `FormatError` whose text is the Rust debug
form that hosts see. Writing uses the smallest forms, doubles for floats, and keys sorted by UTF-8 bytes.
Source: rmp-serde 1.1.2 (decode.rs, encode.rs)
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any, Final

import msgpack

from avm.limits import MESSAGEPACK_DEPTH_MAX
from avm.trace.debug import quoted

_EOF: Final = 'Error { kind: UnexpectedEof, message: "failed to fill whole buffer" }'
# Debug and display form of the three ways in which the input can end too early.
_EOF_MARKER: Final = (f"InvalidMarkerRead({_EOF})", "IO error while reading marker: failed to fill whole buffer")
_EOF_NUMBER: Final = (f"InvalidDataRead({_EOF})", "IO error while reading data: failed to fill whole buffer")
_EOF_BODY: Final = ("InvalidDataRead(Kind(UnexpectedEof))", "IO error while reading data: unexpected end of file")

# Families of the value that a marker announces, named as serde names them in its messages.
NIL: Final = "unit value"
BOOLEAN: Final = "boolean"
INTEGER: Final = "integer"
FLOAT: Final = "floating point"
STRING: Final = "string"
BYTES: Final = "byte array"
SEQUENCE: Final = "sequence"
MAP: Final = "map"
EXTENSION: Final = "newtype struct"


class FormatError(ValueError):
    """The bytes are not what was asked for. `str(error)` is the Rust debug text, `display` the one for people."""

    def __init__(self, debug: str, display: str) -> None:
        """Keep both texts."""
        super().__init__(debug)
        self.display = display


def syntax(message: str) -> FormatError:
    """The error that serde's own complaints are wrapped in."""
    return FormatError(f"Syntax({quoted(message)})", message)


_FIXED: Final[dict[int, tuple[str, str, int]]] = {
    0xCA: (FLOAT, ">f", 4),
    0xCB: (FLOAT, ">d", 8),
    0xCC: (INTEGER, ">B", 1),
    0xCD: (INTEGER, ">H", 2),
    0xCE: (INTEGER, ">I", 4),
    0xCF: (INTEGER, ">Q", 8),
    0xD0: (INTEGER, ">b", 1),
    0xD1: (INTEGER, ">h", 2),
    0xD2: (INTEGER, ">i", 4),
    0xD3: (INTEGER, ">q", 8),
}
_SIZED: Final[dict[int, tuple[str, str, int]]] = {
    0xC4: (BYTES, ">B", 1),
    0xC5: (BYTES, ">H", 2),
    0xC6: (BYTES, ">I", 4),
    0xD9: (STRING, ">B", 1),
    0xDA: (STRING, ">H", 2),
    0xDB: (STRING, ">I", 4),
    0xDC: (SEQUENCE, ">H", 2),
    0xDD: (SEQUENCE, ">I", 4),
    0xDE: (MAP, ">H", 2),
    0xDF: (MAP, ">I", 4),
    0xC7: (EXTENSION, ">B", 1),
    0xC8: (EXTENSION, ">H", 2),
    0xC9: (EXTENSION, ">I", 4),
}


class Reader:
    """A position in a MessagePack buffer.

    `next` reads one marker: `(family, payload)` where the payload is the number, the boolean, the bytes of a string or
    byte array, or the count of a sequence or map. Of an extension only the size is read: type and body follow.
    """

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes, pos: int = 0) -> None:
        """Read `data` from `pos`."""
        self.data = data
        self.pos = pos

    def next(self) -> tuple[str, Any]:
        """The next marker and its direct payload. Raises FormatError."""
        data, pos = self.data, self.pos
        if pos >= len(data):
            raise FormatError(*_EOF_MARKER)
        byte = data[pos]
        self.pos = pos + 1
        if byte < 0x80:
            return INTEGER, byte
        if byte >= 0xE0:
            return INTEGER, byte - 256
        if byte < 0x90:
            return MAP, byte & 15
        if byte < 0xA0:
            return SEQUENCE, byte & 15
        if byte < 0xC0:
            return STRING, self._take(byte & 31)
        if byte in _FIXED:
            family, form, size = _FIXED[byte]
            return family, struct.unpack(form, self._take(size, _EOF_NUMBER))[0]
        if byte in _SIZED:
            family, form, size = _SIZED[byte]
            count = struct.unpack(form, self._take(size, _EOF_NUMBER))[0]
            if family is STRING or family is BYTES:
                return family, self._take(count)
            return family, count
        if byte == 0xC0:
            return NIL, None
        if byte in (0xC2, 0xC3):
            return BOOLEAN, byte == 0xC3
        if byte == 0xC1:
            raise FormatError("TypeMismatch(Reserved)", "wrong msgpack marker Reserved")
        return EXTENSION, 1 << (byte - 0xD4)

    def _take(self, count: int, error: tuple[str, str] = _EOF_BODY) -> bytes:
        end = self.pos + count
        if end > len(self.data):
            raise FormatError(*error)
        piece = self.data[self.pos : end]
        self.pos = end
        return piece

    def skip(self, depth: int) -> None:
        """Pass over one value inside `depth` containers. Raises FormatError, also beyond MESSAGEPACK_DEPTH_MAX levels."""
        pending = [1]
        while pending:
            if not pending[-1]:
                pending.pop()
                continue
            pending[-1] -= 1
            family, payload = self.next()
            if family is SEQUENCE or family is MAP:
                if depth + len(pending) > MESSAGEPACK_DEPTH_MAX:
                    raise FormatError("DepthLimitExceeded", "depth limit exceeded")
                pending.append(payload if family is SEQUENCE else 2 * payload)
            elif family is EXTENSION:
                self._take(1, _EOF_NUMBER)  # its type
                self._take(payload)

    def string(self) -> str:
        """A string, or bytes in its place. Raises FormatError."""
        family, payload = self.next()
        if family is BYTES:
            try:
                return bytes(payload).decode()
            except UnicodeDecodeError:
                raise syntax("invalid value: byte array, expected a string") from None
        if family is STRING:
            return decode_text(payload)
        raise unexpected(family, payload, "a string")


def decode_text(payload: bytes) -> str:
    """Text of a string's bytes. Raises FormatError."""
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            length, text = "None", f"incomplete utf-8 byte sequence from index {error.start}"
        else:
            size = error.end - error.start
            length, text = f"Some({size})", f"invalid utf-8 sequence of {size} bytes from index {error.start}"
        raise FormatError(
            f"Utf8Error(Utf8Error {{ valid_up_to: {error.start}, error_len: {length} }})",
            f"string found to be invalid utf8: {text}",
        ) from None


def unexpected(family: str, payload: Any, expected: str, complaint: str = "type") -> FormatError:
    """Serde's complaint about a value of the wrong kind: ``invalid type: integer `1`, expected …``."""
    try:
        found = _describe(family, payload)
    except FormatError as error:
        # a string that is not UTF-8 is reported as that, whatever was wanted
        return error
    return syntax(f"invalid {complaint}: {found}, expected {expected}")


def _describe(family: str, payload: Any) -> str:
    if family is INTEGER:
        return f"integer `{payload}`"
    if family is FLOAT:
        return f"floating point `{_float_text(payload)}`"
    if family is BOOLEAN:
        return f"boolean `{'true' if payload else 'false'}`"
    if family is STRING:
        return f"string {quoted(decode_text(payload))}"
    return family


def _float_text(value: float) -> str:
    """A double as Rust displays it: never an exponent, no `.0`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return str(value)
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bytes_header(size: int) -> bytes:
    """Marker and size that go in front of `size` bytes."""
    if size < 1 << 8:
        return b"\xc4" + size.to_bytes(1, "big")
    if size < 1 << 16:
        return b"\xc5" + size.to_bytes(2, "big")
    return b"\xc6" + size.to_bytes(4, "big")


def pack(value: Any) -> bytes:
    """MessagePack of a JSON value, keys sorted by UTF-8 bytes (which is code point order)."""
    try:
        return bytes(msgpack.packb(_sorted(value), use_bin_type=True))
    except (RecursionError, ValueError):
        return _pack_deep(value)


def _sorted(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return [_sorted(item) if type(item) in (list, dict) else item for item in value]
    if kind is dict:
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value


def _pack_deep(value: Any) -> bytes:
    """As pack, without recursion, for values nested deeper than the library goes."""
    packer = msgpack.Packer(use_bin_type=True)
    out: list[bytes] = []
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is list:
            out.append(packer.pack_array_header(len(item)))
            todo.extend(reversed(item))
        elif type(item) is dict:
            out.append(packer.pack_map_header(len(item)))
            for key in sorted(item, reverse=True):
                todo.append(item[key])
                todo.append(key)
        else:
            out.append(packer.pack(item))
    return b"".join(out)


def unpack(data: bytes) -> Any:
    """The JSON value of bytes that `pack` wrote, however deep it is nested. Raises ValueError, for other bytes TypeError too."""
    try:
        return msgpack.unpackb(data, strict_map_key=False)
    except msgpack.StackError:
        return _unpack_deep(Reader(data))


def _unpack_deep(reader: Reader) -> Any:
    """As unpack, without recursion."""
    # kind, items so far, how many there will be; the outermost holds the value
    frames: list[tuple[str, list[Any], int]] = [(SEQUENCE, [], 1)]
    while True:
        kind, items, count = frames[-1]
        if len(items) < count:
            family, payload = reader.next()
            if family is SEQUENCE or family is MAP:
                frames.append((family, [], payload if family is SEQUENCE else 2 * payload))
            else:
                items.append(decode_text(payload) if family is STRING else payload)
            continue
        frames.pop()
        if not frames:
            return items[0]
        frames[-1][1].append(items if kind is SEQUENCE else dict(zip(items[::2], items[1::2], strict=True)))
