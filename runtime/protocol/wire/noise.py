"""Noise_XX_25519_ChaChaPoly_SHA256 as libp2p uses it: who the other side is, and a cipher for each direction.

Every message has two bytes of length, big-endian, before it. Handshake: `e`; `e, ee, s, es, payload`; `s, se, payload`,
where a payload is a protobuf of the identity key and its signature of the static key. Nonce of a transport message: four
zero bytes and a little-endian counter.
Errors: WireError for what does not decrypt, keys that are no keys, and identities that are not proven.
Source: spec peer.md §2.3; the noise specification §5, §7.5; the libp2p noise specification
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from runtime.protocol.limits import HANDSHAKE_BYTES_MAX, NOISE_BYTES_MAX
from runtime.protocol.protobuf import field_bytes, first_bytes, read_fields
from runtime.protocol.public_key import key_bytes, signer

from . import WireError

if TYPE_CHECKING:
    from runtime.protocol.identity import Identity

PROTOCOL: Final = "/noise"
TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
PLAIN_BYTES_MAX: Final = NOISE_BYTES_MAX - TAG_BYTES
_NAME: Final = b"Noise_XX_25519_ChaChaPoly_SHA256"
_SIGNED: Final = b"noise-libp2p-static-key:"
_NONCE: Final = struct.Struct("<4xQ")
_LENGTH: Final = struct.Struct(">H")


class StaticKey:
    """The X25519 key of a peer, and the payload in which its identity key vouches for it. One serves all connections."""

    __slots__ = ("payload", "private", "public")

    def __init__(self, identity: Identity) -> None:
        """Make a fresh key."""
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        signature = identity.sign(_SIGNED + self.public)
        self.payload = field_bytes(1, key_bytes(identity.public_key)) + field_bytes(2, signature)


class Cipher:
    """One direction after the handshake."""

    __slots__ = ("_aead", "_nonce")

    def __init__(self, key: bytes) -> None:
        """Start counting at zero."""
        self._aead = ChaCha20Poly1305(key)
        self._nonce = 0

    def seal(self, plain: bytes) -> bytes:
        """Transport messages of `plain`, with their lengths."""
        if len(plain) <= PLAIN_BYTES_MAX:
            return self._one(plain)
        view = memoryview(plain)
        return b"".join([self._one(view[at : at + PLAIN_BYTES_MAX]) for at in range(0, len(plain), PLAIN_BYTES_MAX)])

    def _one(self, plain: bytes | memoryview) -> bytes:
        sealed = self._aead.encrypt(_NONCE.pack(self._nonce), plain, None)
        self._nonce += 1
        return _LENGTH.pack(len(sealed)) + sealed

    def open(self, sealed: bytes | memoryview) -> bytes:
        """One transport message without its length. Raises WireError."""
        try:
            plain = self._aead.decrypt(_NONCE.pack(self._nonce), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise WireError("a message of noise that does not decrypt") from error
        self._nonce += 1
        return plain


class Handshake:
    """One side of the handshake; `peer_id`, `sending` and `receiving` are set when `done`."""

    __slots__ = (
        "_chain", "_ephemeral", "_hash", "_initiator", "_key", "_nonce", "_remote_ephemeral", "_static", "_step",
        "done", "peer_id", "receiving", "sending",
    )  # fmt: skip

    def __init__(self, static: StaticKey, *, initiator: bool) -> None:
        """Begin; an initiator sends `start()`."""
        self._static = static
        self._initiator = initiator
        self._ephemeral = X25519PrivateKey.generate()
        self._chain = self._hash = _NAME  # as long as a hash, so it is its own
        self._key: ChaCha20Poly1305 | None = None
        self._nonce = 0
        self._remote_ephemeral: X25519PublicKey | None = None
        self._step = 0
        self._mix_hash(b"")
        self.done = False
        self.peer_id = ""
        self.sending: Cipher | None = None
        self.receiving: Cipher | None = None

    def start(self) -> bytes:
        """The first message, of an initiator."""
        return _framed(self._send_ephemeral() + self._encrypt(b""))

    def feed(self, message: bytes) -> bytes:
        """Take one handshake message without its length; the answer to it, maybe empty. Raises WireError."""
        if len(message) > HANDSHAKE_BYTES_MAX:
            raise WireError(f"a handshake message of {len(message)} bytes, at most {HANDSHAKE_BYTES_MAX} are read")
        try:
            if self._initiator:
                return self._second(message)
            self._step += 1
            return self._first(message) if self._step == 1 else self._third(message)
        except (InvalidTag, ValueError) as error:
            raise WireError("the handshake of noise failed") from error

    # responder

    def _first(self, message: bytes) -> bytes:
        self._take_ephemeral(message[:KEY_BYTES])
        self._decrypt(message[KEY_BYTES:])
        answer = self._send_ephemeral()
        self._mix_key(self._exchange(self._ephemeral, self._remote_ephemeral))
        answer += self._encrypt(self._static.public)
        self._mix_key(self._exchange(self._static.private, self._remote_ephemeral))
        return _framed(answer + self._encrypt(self._static.payload))

    def _third(self, message: bytes) -> bytes:
        place = KEY_BYTES + TAG_BYTES
        static = self._decrypt(message[:place])
        self._mix_key(self._exchange(self._ephemeral, X25519PublicKey.from_public_bytes(static)))
        self._finish(static, self._decrypt(message[place:]))
        return b""

    # initiator

    def _second(self, message: bytes) -> bytes:
        place = 2 * KEY_BYTES + TAG_BYTES
        self._take_ephemeral(message[:KEY_BYTES])
        self._mix_key(self._exchange(self._ephemeral, self._remote_ephemeral))
        static = self._decrypt(message[KEY_BYTES:place])
        self._mix_key(self._exchange(self._ephemeral, X25519PublicKey.from_public_bytes(static)))
        payload = self._decrypt(message[place:])
        answer = self._encrypt(self._static.public)
        self._mix_key(self._exchange(self._static.private, self._remote_ephemeral))
        answer += self._encrypt(self._static.payload)
        self._finish(static, payload)
        return _framed(answer)

    # state

    def _finish(self, static: bytes, payload: bytes) -> None:
        fields = read_fields(payload)
        if fields is None:
            raise WireError("the payload of the handshake is no protobuf")
        peer_id = signer(first_bytes(fields, 1), first_bytes(fields, 2), _SIGNED + static)
        if peer_id is None:
            raise WireError("the identity of the other side is not proven")
        self.peer_id = peer_id
        ours, theirs = _expand(self._chain, b"")
        if not self._initiator:
            ours, theirs = theirs, ours
        self.sending, self.receiving = Cipher(ours), Cipher(theirs)
        self.done = True

    def _send_ephemeral(self) -> bytes:
        public = self._ephemeral.public_key().public_bytes_raw()
        self._mix_hash(public)
        return public

    def _take_ephemeral(self, public: bytes) -> None:
        self._remote_ephemeral = X25519PublicKey.from_public_bytes(public)
        self._mix_hash(public)

    @staticmethod
    def _exchange(private: X25519PrivateKey, public: X25519PublicKey | None) -> bytes:
        """The shared secret. Raises ValueError for a point of low order."""
        assert public is not None
        return private.exchange(public)

    def _mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix_key(self, secret: bytes) -> None:
        self._chain, key = _expand(self._chain, secret)
        self._key = ChaCha20Poly1305(key)
        self._nonce = 0

    def _encrypt(self, plain: bytes) -> bytes:
        if self._key is not None:
            plain = self._key.encrypt(_NONCE.pack(self._nonce), plain, self._hash)
            self._nonce += 1
        self._mix_hash(plain)
        return plain

    def _decrypt(self, sealed: bytes) -> bytes:
        plain = sealed
        if self._key is not None:
            plain = self._key.decrypt(_NONCE.pack(self._nonce), sealed, self._hash)
            self._nonce += 1
        self._mix_hash(sealed)
        return plain


def _expand(chain: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """HKDF of the noise specification, two outputs."""
    key = hmac.digest(chain, secret, "sha256")
    first = hmac.digest(key, b"\x01", "sha256")
    return first, hmac.digest(key, first + b"\x02", "sha256")


def _framed(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message
