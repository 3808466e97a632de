"""Reading and writing the sections of a core Wasm file that Marine cares about; nothing is executed or validated.

Errors: SectionError with the reference's words, SectionsBroken for a file that is no sequence of sections (the engine
refuses such a file first).
Source: marine:crates/utils, crates/module-info-parser; marine-rs-sdk:crates/main/src/module_manifest.rs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from .errors import utf8_text
from .semver import Version, VersionError, parse_version

MAGIC: Final = b"\0asm\x01\0\0\0"
SDK_VERSION: Final = "__fluence_sdk_version"
INTERFACE_TYPES: Final = "interface-types"
MANIFEST: Final = "__fluence_wasm_module_manifest"

_CUSTOM, _IMPORTS, _TABLES = 0, 2, 4
_ULEB_BYTES_MAX: Final = 5
_U64_MAX = 2**64 - 1
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))", re.ASCII)
_LEAP_YEAR: Final = 2000


class SectionError(ValueError):
    """A custom section is missing, doubled or does not hold what it should."""


class SectionsBrokenError(ValueError):
    """The bytes are no Wasm module."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who made a module, as it was embedded by the build."""

    authors: str
    version: str
    description: str
    repository: str
    build_time: str


def uleb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 of up to 32 bits and the place after it. Raises SectionsBrokenError."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise SectionsBrokenError("unexpected end of a Wasm section")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def write_uleb(value: int) -> bytes:
    """Shortest LEB128 of a number that is not negative."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def spans(wasm: bytes) -> list[tuple[int, int, int]]:
    """All sections as (id, start, end) of their content. Raises SectionsBrokenError."""
    if wasm[:8] != MAGIC:
        raise SectionsBrokenError("not a Wasm module")
    out, at = [], 8
    while at < len(wasm):
        code = wasm[at]
        size, at = uleb(wasm, at + 1)
        if at + size > len(wasm):
            raise SectionsBrokenError("a section reaches beyond the end of the file")
        out.append((code, at, at + size))
        at += size
    return out


def sections(wasm: bytes) -> list[tuple[int, bytes]]:
    """All sections as (id, content). Raises SectionsBrokenError."""
    return [(code, wasm[start:end]) for code, start, end in spans(wasm)]


def custom_sections(wasm: bytes, name: str) -> list[bytes]:
    """Contents of every custom section of this name, in order."""
    out, wanted = [], name.encode()
    for code, start, end in spans(wasm):
        if code == _CUSTOM:
            # a length that ends with its section, however far the file goes on
            size, at = uleb(wasm[start : min(end, start + _ULEB_BYTES_MAX)], 0)
            if size == len(wanted) and wasm[start + at : min(end, start + at + size)] == wanted:
                out.append(wasm[start + at + size : end])
    return out


def with_custom_section(wasm: bytes, name: str, content: bytes) -> bytes:
    """The module with the custom section appended; earlier ones of the name are dropped."""
    encoded = name.encode()
    out = bytearray(MAGIC)
    for code, body in sections(wasm):
        if code == _CUSTOM:
            size, at = uleb(body, 0)
            if body[at : at + size] == encoded:
                continue
        out += bytes([code]) + write_uleb(len(body)) + body
    body = write_uleb(len(encoded)) + encoded + content
    return bytes(out + bytes([_CUSTOM]) + write_uleb(len(body)) + body)


def tables(wasm: bytes) -> list[tuple[int, int | None]]:
    """How many elements each of the module's own tables has at the start and may have, of a module that the engine accepts."""
    out: list[tuple[int, int | None]] = []
    for code, start, end in spans(wasm):
        if code != _TABLES:
            continue
        content = wasm[start:end]
        count, at = uleb(content, 0)
        for _ in range(count):
            if content[at] not in (0x70, 0x6F):
                raise SectionsBrokenError("a table of a type that modules here cannot have")
            flags = content[at + 1]
            least, at = uleb(content, at + 2)
            most = None
            if flags & 1:
                most, at = uleb(content, at)
            out.append((least, most))
    return out


def sdk_version(wasm: bytes) -> Version:
    """The version of the SDK a module was built with. Raises SectionError."""
    found = custom_sections(wasm, SDK_VERSION)
    if not found:
        raise SectionError(
            f"the module doesn't contain section with '{SDK_VERSION}', probably it's compiled with an old sdk version"
        )
    if len(found) > 1:
        raise SectionError(f"the module contains {len(found)} sections with name '{SDK_VERSION}' - it's corrupted")
    try:
        text = found[0].decode()
    except UnicodeDecodeError as error:
        raise SectionError(f"embedded to the Wasm file version isn't valid UTF8 string: '{utf8_text(error)}'") from None
    try:
        return parse_version(text)
    except VersionError as error:
        raise SectionError(f"embedded to the Wasm file version is corrupted: '{error}'") from None


def manifest(wasm: bytes) -> Manifest | None:
    """The manifest of a module; None when it has none. Raises SectionError."""
    found = custom_sections(wasm, MANIFEST)
    if not found:
        return None
    if len(found) > 1:
        raise SectionError(f"the module contains {len(found)} sections with name '{MANIFEST}' - it's corrupted")
    data, at, values = found[0], 0, []
    for field in ("authors", "version", "description", "repository", "build time"):
        value, at = _manifest_field(data, at, field)
        values.append(value)
    if at != len(data):
        raise SectionError("embedded manifest is corrupted: there are some trailing characters")
    try:
        parse_version(values[1])
    except VersionError as error:
        raise SectionError(f"version can't be parsed: {error}") from None
    _check_time(values[4])
    return Manifest(*values)


def _check_time(text: str) -> None:
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise SectionError("build time can't be parsed: input contains invalid characters")
    year, month, day, hour, minute, second, zone_hour, zone_minute = (int(part or 0) for part in found.groups())
    try:
        datetime(year or _LEAP_YEAR, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - is there such a day?
        time(zone_hour, zone_minute)
    except ValueError:
        second = -1
    if not 0 <= second <= 60:  # the sixtieth is a leap second
        raise SectionError("build time can't be parsed: input is out of range")


def _manifest_field(data: bytes, at: int, field: str) -> tuple[str, int]:
    prefix = data[at : at + 8]
    if len(prefix) < 8:
        raise SectionError(
            f"{field} can't be read: embedded manifest doesn't contain enough bytes to read field size from prefix"
        )
    size = int.from_bytes(prefix, "little")
    at += 8
    if at + size > _U64_MAX:
        raise SectionError(f"{field} has too big size: {size}")
    if at + size > len(data):
        raise SectionError(
            f"{field} can't be read: embedded manifest doesn't contain enough bytes to read field of size {size}"
        )
    try:
        return data[at : at + size].decode(), at + size
    except UnicodeDecodeError as error:
        raise SectionError(f"{field} is an invalid Utf8 string: {utf8_text(error)}") from None


def encode_manifest(value: Manifest) -> bytes:
    """Content of the manifest section."""
    out = bytearray()
    for text in (value.authors, value.version, value.description, value.repository, value.build_time):
        out += len(text.encode()).to_bytes(8, "little") + text.encode()
    return bytes(out)
