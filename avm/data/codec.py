"""Interpreter data ↔ bytes on the wire: envelope and archive together.

Errors: EnvelopeError and ArchiveError, see there. Empty bytes are valid data: nothing happened yet.
Source: aquavm:crates/air-lib/interpreter-data/src/interpreter_data.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .archive_reader import ArchiveError, read_archive, read_archive_with_layout
from .archive_writer import rewrite_archive, write_archive
from .envelope import EnvelopeError, Versions, read_envelope, write_envelope
from .interpreter_data import InterpreterData

if TYPE_CHECKING:
    from .envelope import Envelope

__all__ = ["ArchiveError", "EnvelopeError", "decode", "encode", "encode_again", "open_archive", "open_reusable"]


def decode(data: bytes) -> InterpreterData:
    """Decode any data buffer. Raises EnvelopeError, ArchiveError."""
    return open_archive(read_envelope(data)) if data else InterpreterData()


def open_archive(envelope: Envelope) -> InterpreterData:
    """Decode the archive of an envelope. Raises ArchiveError."""
    decoded = read_archive(envelope.inner)
    decoded.data_version, decoded.interpreter_version = envelope.versions
    return decoded


def open_reusable(envelope: Envelope) -> tuple[InterpreterData, bytes | None]:
    """As open_archive; with the archive if `encode_again` may copy from it. Raises ArchiveError."""
    decoded, reusable = read_archive_with_layout(envelope.inner)
    decoded.data_version, decoded.interpreter_version = envelope.versions
    return decoded, envelope.inner if reusable else None


def encode_again(data: InterpreterData, archive: bytes) -> bytes:
    """Bytes of `data`, whose trace and stores are those of an archive that was read before."""
    inner = rewrite_archive(archive, data.last_call_request_id, data.signatures)
    return write_envelope(inner, Versions(data.data_version, data.interpreter_version))


def encode(data: InterpreterData) -> bytes:
    """Bytes of `data`, with the versions it names. Equal data in equal order gives equal bytes."""
    return write_envelope(write_archive(data), Versions(data.data_version, data.interpreter_version))
