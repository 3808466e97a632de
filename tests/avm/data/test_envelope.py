"""The envelope: lax where the reference is, and its words where it is not."""

from __future__ import annotations

import contextlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.data.envelope import EnvelopeError, Versions, read_envelope, write_envelope
from avm.data.versions import VersionError, is_supported, parse_version
from avm.limits import MESSAGEPACK_DEPTH_MAX

VERSIONS = Versions("0.17.2", "0.62.0")
FIELDS: dict[Any, Any] = {"version": "0.17.2", "interpreter_version": "0.62.0", "inner_data": b"archive"}


def check_accepted(data: bytes) -> None:
    envelope = read_envelope(data)
    assert (envelope.versions, envelope.inner) == (VERSIONS, b"archive")


def check_refused(data: bytes, message: str, *, versions: bool = False) -> None:
    with pytest.raises(EnvelopeError) as caught:
        read_envelope(data)
    assert str(caught.value) == message
    assert (caught.value.versions is not None) is versions


def pack(fields: dict[Any, Any]) -> bytes:
    return bytes(msgpack.packb(fields))


def test_written_form() -> None:
    assert write_envelope(b"archive", VERSIONS) == pack(FIELDS)
    for size in (0, 255, 256, 65535, 65536):
        assert read_envelope(write_envelope(bytes(size), VERSIONS)).inner == bytes(size)


@pytest.mark.parametrize(
    "data",
    [
        pack(dict(reversed(FIELDS.items()))),
        pack({**FIELDS, "more": [1, {"a": None}], 5: 6}),
        pack({**FIELDS, "inner_data": "archive"}),
        pack({**FIELDS, "inner_data": list(b"archive")}),
        pack(FIELDS) + b"rest",
        b"\x84\xa1z" + b"\x91" * (MESSAGEPACK_DEPTH_MAX - 1) + b"\xc0" + pack(FIELDS)[1:],
    ],
)
def test_laxities(data: bytes) -> None:
    check_accepted(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xc1", "TypeMismatch(Reserved)"),
        (b"{}", 'Syntax("invalid type: integer `123`, expected struct InterpreterDataEnvelope")'),
        (pack(FIELDS)[:-1], "InvalidDataRead(Kind(UnexpectedEof))"),
        (b"\x84\xa1z\xc7\2", 'InvalidDataRead(Error { kind: UnexpectedEof, message: "failed to fill whole buffer" })'),
        (b"\x84\xa1z\xc7\2\1a", "InvalidDataRead(Kind(UnexpectedEof))"),
        (pack(FIELDS)[:1], 'InvalidMarkerRead(Error { kind: UnexpectedEof, message: "failed to fill whole buffer" })'),
        (b"\x84" + pack(FIELDS)[1:] + pack({"version": "1.0.0"})[1:], 'Syntax("duplicate field `version`")'),
        (pack({**FIELDS, "version": "x"}), "Syntax(\"unexpected character 'x' while parsing major version number\")"),
        (
            b"\x84\xa1z" + b"\x91" * MESSAGEPACK_DEPTH_MAX + b"\xc0" + pack(FIELDS)[1:],
            "DepthLimitExceeded",
        ),
    ],
)
def test_refusals(data: bytes, message: str) -> None:
    check_refused(data, message)


def test_versions_of_a_broken_envelope() -> None:
    check_refused(
        pack({"version": "1.0.0", "interpreter_version": "2.0.0"}),
        'Syntax("missing field `inner_data`")',
        versions=True,
    )


@given(st.binary(max_size=60))
def test_noise_gives_one_kind_of_error(noise: bytes) -> None:
    for data in (noise, b"\x83" + noise, pack(FIELDS)[:40] + noise):
        with contextlib.suppress(EnvelopeError):
            read_envelope(data)


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ("0.61.0", True),
        ("0.61.0-rc.1", False),
        ("0.61.0+build", True),
        ("0.60.99", False),
        ("0.61.1-rc.1", True),
        ("99.0.0", True),
    ],
)
def test_lowest_interpreter_version(version: str, supported: bool) -> None:
    assert is_supported(version) is supported


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty string, expected a semver version"),
        ("1.2", "unexpected end of input while parsing minor version number"),
        ("1.02.3", "invalid leading zero in minor version number"),
        ("1.2.3-01", "invalid leading zero in pre-release identifier"),
        ("1.2.3+a..b", "empty identifier segment in build metadata"),
        ("1.2.3 ", "unexpected character ' ' after patch version number"),
        ("18446744073709551616.0.0", "value of major version number exceeds u64::MAX"),
    ],
)
def test_version_errors(text: str, message: str) -> None:
    with pytest.raises(VersionError) as caught:
        parse_version(text)
    assert str(caught.value) == message
