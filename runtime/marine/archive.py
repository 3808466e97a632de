"""Bytes of archives, tar and zip: written the same every time, read as what a stranger made.

Only regular files with plain relative names come out; links, devices, folders beside `modules/`, names that leave the archive or
come twice, and sizes beyond the limits are refused before anything is copied. Nothing is ever written to disk here.
Errors: ArchiveError.
Source: POSIX.1-1988 (ustar); PKWARE APPNOTE 6.3
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from .limits import ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, ARCHIVE_NAME_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK: Final = 512
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
_REGULAR, _OLD_REGULAR, _FOLDER = b"0", b"\0", b"5"
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_ENCRYPTED: Final = 1


class ArchiveError(ValueError):
    """The archive cannot be used; the text says what in it."""


def _check_name(name: str) -> str:
    """A name as it is used. Raises ArchiveError."""
    name = name.removeprefix("./")
    if len(name) > ARCHIVE_NAME_LENGTH_MAX:
        raise ArchiveError(f"the name of an entry has more than {ARCHIVE_NAME_LENGTH_MAX} letters: {name[:60]}…")
    if _NAME.fullmatch(name) is None or not {".", ".."}.isdisjoint(name.split("/")):
        raise ArchiveError(f"the name of an entry is no plain relative path: {name!r}")
    return name


class _Files:
    """Files gathered so far, within the limits."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.entries = 0
        self.bytes = 0

    def expect(self, name: str, size: int) -> str:
        """Before an entry is read."""
        name = _check_name(name)
        self.bytes += size
        if self.bytes > ARCHIVE_BYTES_MAX:
            raise ArchiveError(f"the entries have more than {ARCHIVE_BYTES_MAX} bytes")
        if name in self.files:
            raise ArchiveError(f"{name} is there twice")
        return name

    def count(self) -> None:
        self.entries += 1
        if self.entries > ARCHIVE_ENTRIES_MAX:
            raise ArchiveError(f"there are more than {ARCHIVE_ENTRIES_MAX} entries")


def read_archive(data: bytes) -> dict[str, bytes]:
    """Files of a tar or zip archive by name, in its order. Raises ArchiveError."""
    if len(data) > ARCHIVE_BYTES_MAX:
        raise ArchiveError(f"the archive has more than {ARCHIVE_BYTES_MAX} bytes")
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _read_zip(data)
    if data[257:262] == b"ustar":
        return _read_tar(data)
    raise ArchiveError("neither a tar (ustar) nor a zip archive")


# ── tar ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_tar(files: Mapping[str, bytes]) -> bytes:
    """The files in this order, without dates and owners."""
    out = bytearray()
    for name, data in files.items():
        head = struct.pack(
            "100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x",
            _check_name(name).encode(), b"0000644", b"0000000", b"0000000", b"%011o" % len(data), b"%011o" % 0, b" " * 8,
            _REGULAR, b"", b"ustar", b"00", b"", b"", b"0000000", b"0000000", b"",
        )  # fmt: skip
        out += head[:148] + b"%06o\0 " % sum(head) + head[156:]
        out += data + bytes(-len(data) % _BLOCK)
    return bytes(out + bytes(2 * _BLOCK))


def _read_tar(data: bytes) -> dict[str, bytes]:
    found = _Files()
    at = 0
    while True:
        head = data[at : at + _BLOCK]
        if len(head) < _BLOCK:
            raise ArchiveError("the archive ends before its end mark")
        if not any(head):
            return found.files
        found.count()
        at += _BLOCK
        name, size, kind = _tar_head(head)
        if kind == _FOLDER and size == 0:
            continue
        if kind not in (_REGULAR, _OLD_REGULAR):
            raise ArchiveError(f"{name}: only regular files are taken, no links, devices or extended headers")
        name = found.expect(name, size)
        if at + size > len(data):
            raise ArchiveError(f"{name} reaches beyond the end of the archive")
        found.files[name] = data[at : at + size]
        at += size + -size % _BLOCK


def _tar_head(head: bytes) -> tuple[str, int, bytes]:
    """Name, size and kind of an entry."""
    try:
        wanted = int(head[148:156].rstrip(b"\0 "), 8)
        size = int(head[124:136].rstrip(b"\0 "), 8)
        parts = [head[345:500].partition(b"\0")[0].decode("ascii"), head[:100].partition(b"\0")[0].decode("ascii")]
    except ValueError:
        raise ArchiveError("a tar header cannot be read") from None
    if sum(head[:148]) + sum(head[156:]) + 8 * ord(" ") != wanted or size < 0:
        raise ArchiveError("a tar header is damaged")
    return "/".join(part for part in parts if part), size, head[156:157]


# ── zip ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """The files in this order, without dates and compression: compressors differ from release to release."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", _STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(_check_name(name), _FIRST_DATE)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _read_zip(data: bytes) -> dict[str, bytes]:
    found = _Files()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                found.count()
                if entry.is_dir() and entry.file_size == 0:
                    continue
                name = found.expect(_zip_entry(entry), entry.file_size)
                with archive.open(entry) as file:
                    content = file.read(entry.file_size + 1)
                if len(content) != entry.file_size:
                    raise ArchiveError(f"{name} has another size than it says")
                found.files[name] = content
    except ArchiveError:
        raise
    except (
        zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, LookupError, RuntimeError, OverflowError
    ) as error:  # fmt: skip
        raise ArchiveError(f"the zip archive cannot be read: {error}") from None
    return found.files


def _zip_entry(entry: zipfile.ZipInfo) -> str:
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ArchiveError(f"{entry.filename}: only regular files are taken, no links or devices")
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"{entry.filename} is encrypted")
    if entry.compress_type not in (_STORED, _DEFLATED):
        raise ArchiveError(f"{entry.filename} is compressed in a way that is not taken")
    return entry.orig_filename
