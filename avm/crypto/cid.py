"""Content identifiers: CIDv1, codec json, multihash blake3-256, base32 in lower case.

New CIDs are always written in that one form (`json_cid`); data from elsewhere may use any multibase and sha2-256, which
`matches` verifies. CIDs are compared as texts everywhere else. Errors: CidError, whose text is the message of code 8.
Source: aquavm:crates/air-lib/interpreter-cid/src/{lib,verify}.rs; crate cid 0.11
"""

from __future__ import annotations

import hashlib
from typing import Final

from blake3 import blake3

from avm.limits import CID_CHARS_MAX

from . import base58, multibase

JSON_CODEC: Final = 0x0200
BLAKE3_256: Final = 0x1E
SHA2_256: Final = 0x12
DIGEST_SIZE: Final = 32

_DAG_PB_CODEC: Final = 0x70
_MULTIHASH_SIZE_MAX: Final = 64
_VARINT_SIZE_MAX: Final = 10
_U64_MAX: Final = 2**64 - 1
_BAD_MULTIHASH: Final = "Failed to parse multihash"

PREFIX: Final = "bagaaihra"
"""Text of the bytes 01 80 04 1e 20, which happen to end on a character boundary."""

_TEXT_SIZE: Final = len(PREFIX) + 52
_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_TO_TEXT: Final = bytes(_ALPHABET[i] if i < 32 else 0x21 for i in range(256))
# To the digits of int(…, 32); everything that is not of the alphabet becomes a character int() refuses.
_TO_INT: Final = bytes(
    b"0123456789abcdefghijklmnopqrstuv"[_ALPHABET.index(i)] if i in _ALPHABET else 0x21 for i in range(256)
)


class CidError(ValueError):
    """A CID text that cannot be used to verify anything."""


def _spread_masks() -> tuple[tuple[int, int, int], ...]:
    """Steps that move 64 groups of 5 bits apart until each has a byte of its own: (upper halves, lower halves, shift)."""
    steps = []
    half = 32
    while half:
        upper = lower = 0
        for block in range(32 // half):
            base = block * half * 16
            lower |= ((1 << half * 5) - 1) << base
            upper |= ((1 << half * 5) - 1) << base + half * 5
        steps.append((upper, lower, half * 3))
        half //= 2
    return tuple(steps)


(_U1, _L1, _S1), (_U2, _L2, _S2), (_U3, _L3, _S3), (_U4, _L4, _S4), (_U5, _L5, _S5), (_U6, _L6, _S6) = _spread_masks()


def _digest_text(digest: bytes) -> str:
    """The 52 base32 characters of 32 bytes, by six shifts of one large integer (three times as fast as base64.b32encode)."""
    n = int.from_bytes(digest, "big") << 4
    n = (n & _U1) << _S1 | n & _L1
    n = (n & _U2) << _S2 | n & _L2
    n = (n & _U3) << _S3 | n & _L3
    n = (n & _U4) << _S4 | n & _L4
    n = (n & _U5) << _S5 | n & _L5
    n = (n & _U6) << _S6 | n & _L6
    return n.to_bytes(52, "big").translate(_TO_TEXT).decode("ascii")


def json_cid(data: bytes) -> str:
    """CID text of the JSON text `data` (UTF-8, hashed as it is)."""
    return PREFIX + _digest_text(blake3(data).digest())


_LANES: Final = 64
_LANE: Final = 8 * _TEXT_SIZE
_LANE_GAP: Final = bytes(_TEXT_SIZE - DIGEST_SIZE)
_REPEAT: Final = sum(1 << _LANE * lane for lane in range(_LANES))
_DIGITS: Final = (1 << 8 * 52) - 1
_LANE_STEPS: Final = tuple(
    ((upper & _DIGITS) * _REPEAT, (lower & _DIGITS) * _REPEAT, shift) for upper, lower, shift in _spread_masks()
)
_LANE_PREFIXES: Final = (int.from_bytes(bytes(map(_ALPHABET.index, PREFIX.encode())), "big") << 8 * 52) * _REPEAT


def are_json_cids(cids: list[str], texts: list[bytes]) -> bool:
    """Whether each of `cids` is the usual identifier of its JSON text. Half the cost of comparing them one by one.

    The digests of up to 64 texts lie side by side in one integer, in lanes as wide as a CID's text, and are spread together.
    """
    if not set(map(len, cids)) <= {_TEXT_SIZE}:
        return False  # or two texts could share a lane's characters otherwise than half and half
    for start in range(0, len(texts), _LANES):
        chunk = [_LANE_GAP + blake3(text).digest() for text in texts[start : start + _LANES]]
        n = int.from_bytes(b"".join(chunk), "big") << 4
        for upper, lower, shift in _LANE_STEPS:
            n = (n & upper) << shift | n & lower
        n |= _LANE_PREFIXES >> _LANE * (_LANES - len(chunk))
        found = n.to_bytes(_TEXT_SIZE * len(chunk), "big").translate(_TO_TEXT)
        if found != "".join(cids[start : start + _LANES]).encode("utf-8", "surrogatepass"):
            return False
    return True


class Hashed:
    """Some bytes, hashed at most once each way: one text may have any number of identifiers, and be large."""

    __slots__ = ("_blake3", "_data", "_sha2")

    def __init__(self, data: bytes) -> None:
        """Nothing is hashed yet."""
        self._data = data
        self._blake3 = b""
        self._sha2 = b""

    def blake3(self) -> bytes:
        """The digest that every identifier made today has."""
        self._blake3 = self._blake3 or blake3(self._data).digest()
        return self._blake3

    def sha2(self) -> bytes:
        """The other digest that is accepted."""
        self._sha2 = self._sha2 or hashlib.sha256(self._data).digest()
        return self._sha2


def matches(cid: str, data: bytes | Hashed) -> bool:
    """Whether `cid` is an identifier of `data`. Raises CidError when it is no identifier at all, or of a foreign kind."""
    hashed = data if isinstance(data, Hashed) else Hashed(data)
    if len(cid) == _TEXT_SIZE and cid.startswith(PREFIX):
        try:
            number = int(cid.encode().translate(_TO_INT)[len(PREFIX) :], 32)
        except ValueError:
            number = -1
        if number == int.from_bytes(hashed.blake3(), "big") << 4:
            return True
    codec, code, digest = parse(cid)
    if codec != JSON_CODEC:
        raise CidError(f"unsupported CID codec: {codec}")
    if code == BLAKE3_256:
        return digest == hashed.blake3()
    if code == SHA2_256:
        return digest == hashed.sha2()
    raise CidError(f"unsupported multihash code: {code}")


def parse(cid: str) -> tuple[int, int, bytes]:
    """Content codec, multihash code and digest of a CID text. Raises CidError."""
    _, found, tail = cid.partition("/ipfs/")
    text = tail if found else cid
    if len(text.encode("utf-8", "surrogatepass")) < 2:
        raise CidError("Input too short")
    if len(text) > CID_CHARS_MAX:
        raise CidError(f"Input too long: a CID has up to {CID_CHARS_MAX} characters")
    try:
        data = base58.decode(text) if len(text) == 46 and text.startswith("Qm") else multibase.decode(text)
    except ValueError:
        raise CidError(_BAD_MULTIHASH) from None
    version, at = _varint(data, 0)
    codec, at = _varint(data, at)
    if (version, codec) == (SHA2_256, DIGEST_SIZE):
        if len(data) < at + DIGEST_SIZE:
            raise CidError("failed to fill whole buffer")
        return _DAG_PB_CODEC, SHA2_256, data[at : at + DIGEST_SIZE]
    if version == 0:
        raise CidError("CIDv0 cannot be specified in CIDv1 format")
    if version != 1:
        raise CidError("Unrecognized CID version")
    try:
        code, at = _varint(data, at)
        size, at = _varint(data, at)
    except CidError:
        raise CidError(_BAD_MULTIHASH) from None
    if size > _MULTIHASH_SIZE_MAX or len(data) < at + size:
        raise CidError(_BAD_MULTIHASH)
    return codec, code, data[at : at + size]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number in its minimal form, cut to 64 bits, and the position after it."""
    value = shift = 0
    for index in range(at, at + _VARINT_SIZE_MAX):
        if index >= len(data):
            raise CidError("unexpected end of file")
        byte = data[index]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if byte == 0 and index > at:
                break
            return value & _U64_MAX, index + 1
    raise CidError("Failed to decode unsigned varint format")
