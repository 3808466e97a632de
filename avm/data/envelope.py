"""The envelope around the inner archive: a MessagePack map of two versions and the archive's bytes.

Reading is as lax as the reference: any key order, unknown keys, trailing bytes, the archive as bin, str or array of
integers. Errors: EnvelopeError, with the text of the reference; `versions` is set when both versions could be read all
the same (code 4 instead of 3).
Source: aquavm:crates/air-lib/interpreter-data/src/interpreter_data.rs; serde's `flatten`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from . import messagepack
from .messagepack import FormatError, Reader, syntax, unexpected
from .versions import DATA_VERSION, INTERPRETER_VERSION, VersionError, parse_version

_NAMES: Final = (b"version", b"interpreter_version")
_NO_KEYS: Final = frozenset({messagepack.SEQUENCE, messagepack.MAP, messagepack.EXTENSION})
_HEAD: Final = b"\x83\xa7version"
_MIDDLE: Final = b"\xb3interpreter_version"
_TAIL: Final = b"\xaainner_data"
_OURS: Final = (
    _HEAD + bytes((0xA0 | len(DATA_VERSION),)) + DATA_VERSION.encode()
    + _MIDDLE + bytes((0xA0 | len(INTERPRETER_VERSION),)) + INTERPRETER_VERSION.encode() + _TAIL
)  # fmt: skip


class Versions(NamedTuple):
    """Data version and interpreter version, valid semver texts."""

    data: str
    interpreter: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A read envelope; `inner` are the bytes of the archive."""

    versions: Versions
    inner: bytes


class EnvelopeError(ValueError):
    """The bytes are no envelope. The text is the reference's debug form, `display` the one for people.

    `versions` is not None if they were readable all the same.
    """

    def __init__(self, debug: str, display: str, versions: Versions | None) -> None:
        """Keep the texts and what was readable."""
        super().__init__(debug)
        self.display = display
        self.versions = versions


def write_envelope(inner: bytes, versions: Versions) -> bytes:
    """Envelope of an archive."""
    if versions == (DATA_VERSION, INTERPRETER_VERSION):
        head = _OURS
    else:
        head = b"".join(
            (_HEAD, messagepack.pack(versions.data), _MIDDLE, messagepack.pack(versions.interpreter), _TAIL)
        )
    return head + messagepack.bytes_header(len(inner)) + inner


def envelope_head(inner_bytes: int) -> bytes:
    """What stands before an archive of this size in data of our versions."""
    return _OURS + messagepack.bytes_header(inner_bytes)


def own_archive(data: bytes) -> memoryview | None:
    """The archive of data that have the very form this interpreter writes, without a copy; None for others."""
    start = len(_OURS)
    if not data.startswith(_OURS) or len(data) < start + 5:
        return None
    sizes = {0xC4: 1, 0xC5: 2, 0xC6: 4}.get(data[start])
    if sizes is None:
        return None
    begin = start + 1 + sizes
    end = begin + int.from_bytes(data[start + 1 : begin], "big")
    return memoryview(data)[begin:end] if end <= len(data) else None


def read_envelope(data: bytes) -> Envelope:
    """Envelope of non-empty data. Raises EnvelopeError."""
    if data.startswith(_OURS):
        reader = Reader(data, len(_OURS))
        try:
            family, payload = reader.next()
        except FormatError:
            family, payload = "", b""
        if family is messagepack.BYTES:
            return Envelope(Versions(DATA_VERSION, INTERPRETER_VERSION), payload)
    try:
        return _read(data)
    except FormatError as error:
        versions = _read_versions(data)
        raise EnvelopeError(str(error), error.display, versions) from None


def _read(data: bytes) -> Envelope:
    reader = Reader(data)
    family, count = reader.next()
    if family is not messagepack.MAP:
        raise unexpected(family, count, "struct InterpreterDataEnvelope")
    inner: bytes | None = None
    # Everything but inner_data is collected first and searched for the versions afterwards.
    collected: list[tuple[bytes, str, object]] = []
    for _ in range(count):
        family, key = reader.next()
        if family in _NO_KEYS:
            raise unexpected(family, key, "field identifier")
        name = bytes(key) if family is messagepack.STRING or family is messagepack.BYTES else b""
        if name == b"inner_data":
            if inner is not None:
                raise syntax("duplicate field `inner_data`")
            inner = _read_bytes(reader)
            continue
        start = reader.pos
        family, payload = reader.next()
        if family in _NO_KEYS:
            reader.pos = start
            reader.skip(1)
        if name in _NAMES:
            collected.append((name, family, payload))
    if inner is None:
        raise syntax("missing field `inner_data`")
    found: dict[bytes, str] = {}
    for name, family, payload in collected:
        if name in found:
            raise syntax(f"duplicate field `{name.decode()}`")
        found[name] = _version(family, payload)
    return Envelope(_both(found), inner)


def _read_versions(data: bytes) -> Versions | None:
    """The two versions of an envelope that is otherwise broken, or None."""
    reader = Reader(data)
    found: dict[bytes, str] = {}
    try:
        family, count = reader.next()
        if family is messagepack.SEQUENCE and count == 2:
            return Versions(_version(*reader.next()), _version(*reader.next()))
        if family is not messagepack.MAP:
            return None
        for _ in range(count):
            family, key = reader.next()
            if family is messagepack.INTEGER and 0 <= key < len(_NAMES):
                key = _NAMES[key]
            elif family is not messagepack.STRING and family is not messagepack.BYTES:
                if family is not messagepack.INTEGER or key < 0:
                    return None
                key = b""
            if key not in _NAMES:
                reader.skip(1)
            elif key in found:
                return None
            else:
                found[key] = _version(*reader.next())
        return _both(found)
    except FormatError:
        return None


def _both(found: dict[bytes, str]) -> Versions:
    for name in _NAMES:
        if name not in found:
            raise syntax(f"missing field `{name.decode()}`")
    return Versions(found[b"version"], found[b"interpreter_version"])


def _version(family: str, payload: object) -> str:
    if family is messagepack.STRING and isinstance(payload, bytes):
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise unexpected(messagepack.BYTES, payload, "semver version") from None
        try:
            parse_version(text)
        except VersionError as error:
            raise syntax(str(error)) from None
        return text
    raise unexpected(family, payload, "semver version")


def _read_bytes(reader: Reader) -> bytes:
    family, payload = reader.next()
    if family is messagepack.BYTES or family is messagepack.STRING:
        return bytes(payload)
    if family is not messagepack.SEQUENCE:
        raise unexpected(family, payload, "a byte array")
    out = bytearray()
    for _ in range(payload):
        family, value = reader.next()
        if family is not messagepack.INTEGER:
            raise unexpected(family, value, "u8")
        if not 0 <= value < 256:
            raise unexpected(family, value, "u8", "value")
        out.append(value)
    return bytes(out)
