"""Who produced what: CIDs of a trace by peer, the check of their signatures, and the merge of two signature stores.

Input: decoded data. Output: the signature store a run starts with. Errors: SignatureStoreError, whose text is the message
of code 9 (code 8 where a trace refers to entries that are not there; the reference panics on that).
Source: aquavm:crates/air-lib/interpreter-data/src/interpreter_data/verification.rs
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from avm.crypto import base58, signatures
from avm.crypto.keys import KeyFormatError, public_key_peer_id
from avm.crypto.signatures import SignatureError
from avm.trace.debug import quoted
from avm.trace.states import CANON, FAILED, SCALAR, STREAM

from .cid_store import CANON_RESULT, SERVICE_RESULT, TETRAPLET

if TYPE_CHECKING:
    from .interpreter_data import InterpreterData

_OF_SERVICES: Final = frozenset({SCALAR, STREAM, FAILED})
CID_CODE: Final = 8
SIGNATURE_CODE: Final = 9


class SignatureStoreError(ValueError):
    """Signatures and trace do not fit together. `code` is that of the outcome."""

    def __init__(self, message: str, code: int = SIGNATURE_CODE) -> None:
        """Keep the code."""
        super().__init__(message)
        self.code = code


class Signers:
    """The peers of one data: by peer id its key, signature and sorted CIDs, in the order of the signature store."""

    __slots__ = ("cids", "keys", "signatures")

    def __init__(self, data: InterpreterData) -> None:
        """Group the trace of `data`. Raises SignatureStoreError for a bad key and for a peer without one."""
        self.keys: dict[str, bytes] = {}
        self.signatures: dict[str, bytes] = {}
        self.cids: dict[str, list[str]] = {}
        for key, signature in data.signatures.items():
            try:
                peer_id = public_key_peer_id(key)
            except KeyFormatError as error:
                raise SignatureStoreError(f'malformed key: "{base58.shown(key)}": {error}') from None
            self.keys[peer_id] = key
            self.signatures[peer_id] = signature
            self.cids[peer_id] = []
        self._group(data)
        for cids in self.cids.values():
            cids.sort()

    def _group(self, data: InterpreterData) -> None:
        groups = self.cids
        stores = data.stores
        service_results, canon_results, tetraplets = stores.service_results, stores.canon_results, stores.tetraplets
        for state in data.trace:
            kind = state[0]
            try:
                if kind in _OF_SERVICES:
                    tetraplet = service_results[state[1]][2]
                elif kind == CANON:
                    tetraplet = canon_results[state[1]][0]
                else:
                    continue
            except KeyError:
                target = CANON_RESULT if kind == CANON else SERVICE_RESULT
                raise _dangling(state[1], "ExecutedState", target) from None
            try:
                peer_id = tetraplets[tetraplet][0]
            except KeyError:
                source = CANON_RESULT if kind == CANON else SERVICE_RESULT
                raise _dangling(tetraplet, source, TETRAPLET) from None
            try:
                groups[peer_id].append(state[1])
            except KeyError:
                raise SignatureStoreError(
                    f"peer_id doens't match any available public key: {quoted(peer_id)}"
                ) from None

    def verify(self, salt: str) -> None:
        """Check every signature, also those of peers without CIDs. Raises SignatureStoreError."""
        for peer_id, cids in self.cids.items():
            try:
                signatures.verify(self.keys[peer_id], cids, salt, self.signatures[peer_id])
            except SignatureError as error:
                raise SignatureStoreError(
                    f"signature mismatch for {quoted(peer_id)}: {error}, values: CIDS: {_list(cids)}"
                ) from None


def merge(prev: Signers, current: Signers) -> dict[bytes, bytes]:
    """Signature store of the union: per peer the side that knows more of its CIDs, the previous one if both know the same.

    Raises SignatureStoreError when neither side's CIDs contain the other's.
    """
    store = {key: prev.signatures[peer_id] for peer_id, key in prev.keys.items()}
    for peer_id, key in current.keys.items():
        if peer_id in prev.keys:
            ours, theirs = prev.cids[peer_id], current.cids[peer_id]
            larger, smaller = (ours, theirs) if len(ours) >= len(theirs) else (theirs, ours)
            if ours != theirs and not Counter(smaller) <= Counter(larger):
                raise SignatureStoreError(
                    f"inconsistent CID multisets on merge for peer {quoted(peer_id)}, "
                    f"prev: {_list(larger)}, current: {_list(smaller)}"
                )
            if larger is ours:
                continue
        store[key] = current.signatures[peer_id]
    return store


def _list(cids: list[str]) -> str:
    return f"[{', '.join(map(quoted, cids))}]"


def _dangling(cid: str, source: str, target: str) -> SignatureStoreError:
    return SignatureStoreError(
        f'Reference CID {quoted(cid)} from type "{source}" to "{target}" was not found', CID_CODE
    )
