"""`op`: arrays, strings, base58 and hashes.

Source: nox:particle-builtins/src/builtins.rs. `sha256_string` really hashes, as aqua-lib documents and js-client does;
nox 0.28.2 wraps the text as if it were a digest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from avm.crypto import base58

from .arguments import BOOL, STRING, VEC_U8, Arguments, TypedServiceError
from .registry import UNIT, ServiceError

if TYPE_CHECKING:
    from .registry import CallContext, Handler

BASE58_BYTES_MAX: Final = 16 * 1024
"""Longest input of the base58 functions: the conversion is quadratic and runs on the event loop."""

_SHA256_HEADER: Final = bytes.fromhex("1220")


def noop(_: list[Any], __: CallContext) -> Any:
    """Nothing; programs call it to visit a peer."""
    return UNIT


def array(values: list[Any], _: CallContext) -> Any:
    """The arguments as an array."""
    return values


def array_length(values: list[Any], _: CallContext) -> Any:
    """Number of elements of the only argument."""
    if len(values) != 1:
        raise ServiceError(f"op array_length accepts exactly 1 argument: {len(values)} found")
    if not isinstance(values[0], list):
        raise ServiceError("op array_length's argument must be an array")
    return len(values[0])


def concat(values: list[Any], _: CallContext) -> Any:
    """All arrays, one after another."""
    out: list[Any] = []
    for place, value in enumerate(values):
        if not isinstance(value, list):
            raise ServiceError(f"all arguments of 'concat' must be arrays: argument #{place} is not")
        out += value
    return out


def concat_strings(values: list[Any], _: CallContext) -> Any:
    """All strings, one after another."""
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise ServiceError(f"all arguments of 'concat_strings' must be strings: argument #{place} is not")
    return "".join(values)


def identity(values: list[Any], _: CallContext) -> Any:
    """The only argument; without one, nothing."""
    if len(values) > 1:
        raise ServiceError(f"identity accepts up to 1 arguments, received {len(values)} arguments")
    return values[0] if values else UNIT


def string_to_b58(values: list[Any], _: CallContext) -> Any:
    """Base58 of the UTF-8 bytes."""
    return _to_base58(Arguments(values).next("string", STRING).encode())


def string_from_b58(values: list[Any], _: CallContext) -> Any:
    """Text whose UTF-8 bytes the base58 stands for."""
    data = _from_base58(Arguments(values).next("b58_string", STRING))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TypedServiceError(f"decode from bytes to UTF8 failed: {_utf8_error(error)}") from error


def bytes_to_b58(values: list[Any], _: CallContext) -> Any:
    """Base58 of an array of bytes."""
    return _to_base58(bytes(Arguments(values).next("bytes", VEC_U8)))


def bytes_from_b58(values: list[Any], _: CallContext) -> Any:
    """Bytes of a base58 text as an array."""
    return list(_from_base58(Arguments(values).next("b58_string", STRING)))


def sha256_string(values: list[Any], _: CallContext) -> Any:
    """SHA-256 of the UTF-8 bytes: a multihash or the bare digest, in base58 or as an array."""
    arguments = Arguments(values)
    text = arguments.next("string", STRING)
    digest_only = arguments.optional("digest_only", BOOL)
    as_bytes = arguments.optional("as_bytes", BOOL)
    digest = hashlib.sha256(text.encode()).digest()
    result = digest if digest_only else _SHA256_HEADER + digest
    return list(result) if as_bytes else base58.encode(result)


def _to_base58(data: bytes) -> str:
    if len(data) > BASE58_BYTES_MAX:
        raise ServiceError(f"base58 functions accept up to {BASE58_BYTES_MAX} bytes, got {len(data)}")
    return base58.encode(data)


def _from_base58(text: str) -> bytes:
    if len(text) > BASE58_BYTES_MAX:
        raise ServiceError(f"base58 functions accept up to {BASE58_BYTES_MAX} bytes, got {len(text)}")
    return decode_base58(text, "decode base58 failed")


def decode_base58(text: str, complaint: str) -> bytes:
    """Bytes of a base58 text; `complaint` and the reason make the typed error."""
    try:
        return base58.decode(text)
    except ValueError as error:
        raise TypedServiceError(f"{complaint}: {base58_error(text)}") from error


def base58_error(text: str) -> str:
    """Why a text is not base58, in the reference's words; places are in bytes."""
    for place, character in enumerate(text):
        if not character.isascii():
            return f"provided string contained non-ascii character starting at byte {place}"
        if character not in base58.ALPHABET:
            return f"provided string contained invalid character {character!r} at byte {place}"
    return "not base58"


def _utf8_error(error: UnicodeDecodeError) -> str:
    if error.reason == "unexpected end of data":
        return f"incomplete utf-8 byte sequence from index {error.start}"
    return f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"


FUNCTIONS: Final[dict[str, Handler]] = {
    "noop": noop,
    "array": array,
    "array_length": array_length,
    "concat": concat,
    "concat_strings": concat_strings,
    "identity": identity,
    "string_to_b58": string_to_b58,
    "string_from_b58": string_from_b58,
    "bytes_to_b58": bytes_to_b58,
    "bytes_from_b58": bytes_from_b58,
    "sha256_string": sha256_string,
}
