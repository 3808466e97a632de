"""One whole run in native code, around the kernels of `machine`.

Input: what `Avm.invoke` gets, and a program whose skeleton native code has made. Output: the Outcome that the interpreter gives, to the byte; or
None where the kernels decline: then the interpreter has to do the run from the beginning. Errors: none.

Signatures are made and checked here, by the crypto library; the kernels write the messages.
"""

from __future__ import annotations

import logging
import struct
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from avm.crypto import signatures
from avm.crypto.keys import KeyFormatError, public_key_peer_id
from avm.crypto.signatures import SignatureError
from avm.data import canonical_json
from avm.data.archive_writer import rewritten_parts
from avm.data.envelope import EnvelopeError, envelope_head, own_archive, read_envelope
from avm.data.interpreter_data import Tetraplet
from avm.data.versions import is_supported
from avm.outcome import NATIVE, CallRequest, Outcome
from avm.stats import NativeStats

from .kernels import archive, heap, layout

if TYPE_CHECKING:
    from avm.crypto.keys import KeyPair
    from avm.ir.unread import Skeleton
    from avm.outcome import RunParameters
    from avm.prepare import Flags

    from .library import Library

_log: Final = logging.getLogger("avm.jit")

BUFFER_BYTES_MAX: Final = 1 << 31
"""A run that wants more is left to the interpreter."""

SHRINK_EVERY: Final = 256
"""After so many runs, buffers four times as large as any of those needed are replaced by smaller ones."""

_ARENA_BYTES: Final = 1 << 16
_HEAP_WORDS: Final = 1 << 14
_NUMBER_MAX: Final = (1 << 63) - 1
"""Kernels have signed numbers of 64 bits; a timestamp is unsigned."""

_ENTRY_WORDS: Final = 128
"""Words that a state or an entry of a store leads to, on average and roughly."""

_ROOT: Final = struct.Struct(">4xI8xI4xI4xI4xI4xI4xI")
_R_UNCHANGED: Final = heap.R_UNCHANGED


REASONS: Final = {
    heap.FULL_HEAP: "memory",
    heap.FULL_ARENA: "memory",
    heap.WHY_PROBES: "texts that collide",
    heap.WHY_CID: "content identifier",
    archive.WHY_ARCHIVE: "form of the archive",
    archive.WHY_SIGNERS: "signers",
    layout.WHY_OPERATION: "instruction",
    layout.WHY_ERROR: "error",
    layout.WHY_TRACE: "trace does not fit",
    layout.WHY_OPERAND: "operand",
    layout.WHY_STORE: "missing entry",
    layout.WHY_LIMIT: "limit",
    layout.WHY_UNCAUGHT: "uncaught error",
    layout.WHY_UNUSED: "unused call results",
    layout.WHY_JSON: "number or key order of a value",
    layout.WHY_STREAM: "limits of a stream",
    layout.WHY_RESULTS: "form of the call results",
}
"""What a kernel notes when it declines; anything else is a mistake of ours."""


class _DeclinedError(Exception):
    """The interpreter has to do it."""


class NativeRuns:
    """The buffers of one interpreter, and what became of its runs. Not thread-safe."""

    def __init__(self, library: Library) -> None:
        """Buffers grow to what the largest run needs."""
        self._run_begin = library.run_begin
        self._run_execute = library.run_execute
        self._encode = library.run_encode
        self._arena = array("B", (0,)) * _ARENA_BYTES
        self._words = array("q", (0,)) * _HEAP_WORDS
        self._seed = hash("texts of a run") & 0xFFFFFFFF
        self._arena_peak = self._words_peak = 0
        self.done = 0
        self.declined: Counter[str] = Counter()
        """Number of declined runs by reason."""

    def run(
        self,
        skeleton: Skeleton,
        prev_data: bytes,
        data: bytes,
        params: RunParameters,
        flags: Flags,
        results: bytes,
        key: KeyPair,
    ) -> Outcome | None:
        """The outcome. flags: those of script and data; results beyond their limit decline. results: in their binary form."""
        try:
            prev = _archive_of(prev_data)
            current = _archive_of(data)
            peers = (params.current_peer_id.encode(), params.init_peer_id.encode())
            salt = params.particle_id.encode()
        except (EnvelopeError, UnicodeEncodeError, _DeclinedError):
            return None
        if params.timestamp > _NUMBER_MAX:
            self.declined["limit"] += 1
            return None
        if 4 * (len(skeleton.text) + len(prev) + len(current) + len(results)) > BUFFER_BYTES_MAX:
            self.declined["memory"] += 1
            return None
        while True:
            try:
                outcome = self._once(skeleton, prev, current, peers, salt, results, params, flags, key)
            except IndexError:
                why = self._words[heap.R_WHY]
                if why == heap.FULL_HEAP and 16 * len(self._words) <= BUFFER_BYTES_MAX:
                    self._words = array("q", (0,)) * (2 * len(self._words))
                    continue
                if why == heap.FULL_ARENA and 2 * len(self._arena) <= BUFFER_BYTES_MAX:
                    self._arena = array("B", (0,)) * (2 * len(self._arena))
                    continue
                if why not in REASONS:
                    _log.error(
                        "native code went outside of a buffer, which is a mistake of ours; the interpreter serves"
                    )
                self.declined[REASONS.get(why, "bug")] += 1
                return None
            except _DeclinedError:
                self.declined["signature"] += 1
                return None
            self.done += 1
            self._arena_peak = max(self._arena_peak, self._words[heap.R_TOP])
            self._words_peak = max(self._words_peak, self._words[heap.R_HEAP])
            if self.done % SHRINK_EVERY == 0:
                self._shrink()
            return outcome

    def _shrink(self) -> None:
        if 4 * self._arena_peak < len(self._arena) > _ARENA_BYTES:
            self._arena = array("B", (0,)) * max(2 * self._arena_peak, _ARENA_BYTES)
        if 4 * self._words_peak < len(self._words) > _HEAP_WORDS:
            self._words = array("q", (0,)) * max(2 * self._words_peak, _HEAP_WORDS)
        self._arena_peak = self._words_peak = 0

    def stats(self) -> NativeStats:
        """Counts so far."""
        return NativeStats(self.done, dict(self.declined), len(self._arena), 8 * len(self._words))

    def _once(
        self,
        skeleton: Skeleton,
        prev: bytes | memoryview,
        current: bytes | memoryview,
        peers: tuple[bytes, bytes],
        salt: bytes,
        results: bytes,
        params: RunParameters,
        flags: Flags,
        key: KeyPair,
    ) -> Outcome:
        """Raises IndexError where a kernel ends early, _DeclinedError."""
        # the script comes first, archives begin at multiples of 4
        peers_place = len(skeleton.text)
        init_place = peers_place + len(peers[0])
        salt_place = init_place + len(peers[1])
        salt_end = salt_place + len(salt)
        prev_place = (salt_end + 3) & ~3
        current_place = (prev_place + len(prev) + 3) & ~3
        results_place = current_place + len(current)
        size = results_place + len(results)
        data_size = len(prev) + len(current)
        if len(self._arena) < size + (size >> 1) + 4096:
            self._arena = array("B", (0,)) * (2 * size + _ARENA_BYTES)
        wanted = _HEAP_WORDS + min(_ENTRY_WORDS * (_entries(prev) + _entries(current)), data_size)
        if len(self._words) < wanted:
            self._words = array("q", (0,)) * (wanted + (wanted >> 2))
        arena, words = self._arena, self._words
        view = memoryview(arena)
        view[:peers_place] = skeleton.text
        view[peers_place:salt_end] = b"".join((*peers, salt))
        view[prev_place : prev_place + len(prev)] = prev
        view[current_place:results_place] = current
        view[results_place:size] = results
        words[heap.R_TOP] = size
        words[heap.R_SEED] = self._seed
        words[heap.R_WHY] = 0
        places = (peers_place, init_place, salt_place, prev_place, prev_place + len(prev), current_place, results_place)
        store = self.begin(view, 64 + data_size // 160, places, salt)
        message = self.execute(
            skeleton.ops,
            skeleton.starts,
            skeleton.first,
            skeleton.second,
            params.timestamp,
            params.ttl,
            skeleton.folds_streams,
            salt_place,
            salt_end,
            results_place,
            size,
            params.call_result_size_limit,
        )
        store[key.public_key] = signatures.sign_message(key, bytes(view[message : words[heap.R_TOP]]))
        if len(current) and words[_R_UNCHANGED]:
            parts, inner_bytes = rewritten_parts(current, words[heap.R_LCID], store)
            written = b"".join((envelope_head(inner_bytes), *parts))
        else:
            written = self.written(view, words, store)
        return Outcome(
            ret_code=0,
            error_message="",
            data=written,
            next_peer_pks=tuple([_text(view, words, node) for node in _vector(words, heap.V_NEXT_PEERS)]),
            call_requests=_requests(view, words),
            air_size_limit_exceeded=flags.air,
            particle_size_limit_exceeded=flags.particle,
            tier=NATIVE,
        )

    def begin(self, view: memoryview, texts: int, places: tuple[int, ...], salt: bytes) -> dict[bytes, bytes]:
        """Read and check the data; the merged signatures. Raises IndexError, _DeclinedError."""
        self._run_begin(self._arena, self._words, texts, *places, places[2], places[2] + len(salt))
        return self._signatures(view, self._words, salt)

    def execute(self, *arguments: Any) -> int:
        """Run the script; where the message to sign begins. Raises IndexError."""
        return self._run_execute(self._arena, self._words, *arguments)

    def _signatures(self, view: memoryview, words: array[int], salt: bytes) -> dict[bytes, bytes]:
        """Check those of the current data; the merged store. Raises _DeclinedError."""
        prev = _signature_store(view, words, heap.V_PREV_SIGNATURES)
        current = _signature_store(view, words, heap.V_CURRENT_SIGNATURES)
        groups: dict[str, tuple[int, int, int]] = {}
        for group in _vector(words, heap.V_CURRENT_GROUPS):
            node, winner, start, end = words[group : group + 4]
            groups[_text(view, words, node)] = (winner, start, end)
        known = {_text(view, words, words[group]) for group in _vector(words, heap.V_PREV_GROUPS)}
        if not (groups.keys() <= current.keys() and known <= prev.keys()):
            raise _DeclinedError
        store = dict(prev.values())
        for peer, (public_key, signature) in current.items():
            its_group = groups.get(peer)
            message = (
                signatures.message([], salt.decode()) if its_group is None else bytes(view[its_group[1] : its_group[2]])
            )
            try:
                signatures.verify_message(public_key, message, signature)
            except SignatureError:
                raise _DeclinedError from None
            if peer not in prev or (its_group is not None and (peer not in known or its_group[0])):
                store[public_key] = signature
        return store

    def written(self, view: memoryview, words: array[int], store: dict[bytes, bytes]) -> bytes:
        """The new data."""
        entries: list[int] = []
        top = words[heap.R_TOP]
        for piece in (piece for pair in store.items() for piece in pair):
            if top + len(piece) > len(self._arena):
                words[heap.R_WHY] = heap.FULL_ARENA
                raise IndexError
            view[top : top + len(piece)] = piece
            entries += (top, len(piece))
            top += len(piece)
        words[heap.R_TOP] = top
        start = self._encode(self._arena, words, array("q", entries))
        end = words[heap.R_TOP]
        # the envelope goes where the kernel left room for it
        head = envelope_head(end - start)
        begin = start - len(head)
        view[begin:start] = head
        return bytes(view[begin:end])


def _entries(archive: bytes | memoryview) -> int:
    """How many states and entries of stores an archive says that it has."""
    if len(archive) < _ROOT.size:
        return 0
    return sum(_ROOT.unpack(archive[-_ROOT.size :]))


def _archive_of(data: bytes) -> bytes | memoryview:
    """The archive in an envelope. Raises EnvelopeError, _DeclinedError."""
    if not data:
        return b""
    inner = own_archive(data)
    if inner is None:
        envelope = read_envelope(data)
        if not is_supported(envelope.versions.interpreter):
            raise _DeclinedError
        inner = memoryview(envelope.inner)
    if not len(inner):
        raise _DeclinedError
    return inner


def _vector(words: array[int], vector: int) -> array[int]:
    base, _, length = words[vector : vector + 3]
    return words[base : base + length]


def _text(view: memoryview, words: array[int], node: int) -> str:
    start, size = words[node], words[node + 1]
    return str(view[start : start + size], "utf-8")


def _signature_store(view: memoryview, words: array[int], vector: int) -> dict[str, tuple[bytes, bytes]]:
    """Peer → key and signature, in their order. Raises _DeclinedError."""
    entries = _vector(words, vector)
    found: dict[str, tuple[bytes, bytes]] = {}
    for index in range(0, len(entries), 4):
        place, size, signature, signature_size = entries[index : index + 4]
        key = bytes(view[place : place + size])
        try:
            peer = public_key_peer_id(key)
        except KeyFormatError:
            raise _DeclinedError from None
        if peer in found:
            raise _DeclinedError
        found[peer] = (key, bytes(view[signature : signature + signature_size]))
    return found


def _requests(view: memoryview, words: array[int]) -> dict[int, CallRequest]:
    entries = _vector(words, heap.V_REQUESTS)
    if not entries:
        return {}
    counts = _vector(words, heap.V_COUNTS)
    nodes = _vector(words, heap.V_ORIGINS)
    origins = {node: Tetraplet(*[_text(view, words, words[node + k]) for k in range(4)]) for node in set(nodes)}
    found: dict[int, CallRequest] = {}
    number = 0
    for at in range(0, len(entries), 7):
        call_id, service, function, start, end, count, first = entries[at : at + 7]
        found[call_id] = UnreadRequest(
            _text(view, words, service),
            _text(view, words, function),
            bytes(view[start:end]),
            (origins, nodes, first, counts[number : number + count]),
        )
        number += count
    return found


class UnreadRequest(CallRequest):
    """A request whose arguments and tetraplets are made when somebody looks at them."""

    __slots__ = ("_origins", "_text")

    def __init__(
        self,
        service_id: str,
        function_name: str,
        text: bytes,
        origins: tuple[dict[int, Tetraplet], array[int], int, array[int]],
    ) -> None:
        """text: canonical array of the arguments. origins: tetraplet by node, nodes, the first of them, how many each argument has."""
        self.service_id = service_id
        self.function_name = function_name
        self._text = text
        self._origins = origins

    def is_longer_than(self, size: int) -> bool:
        """Whether the text of the arguments is; it is not read."""
        return len(self._text) > size

    def __getattr__(self, name: str) -> Any:
        """What has not been asked for yet."""
        if name == "arguments":
            self.arguments = canonical_json.parse(self._text.decode())
            return self.arguments
        if name == "tetraplets":
            known, nodes, at, counts = self._origins
            self.tetraplets = []
            for count in counts:
                self.tetraplets.append([known[node] for node in nodes[at : at + count]])
                at += count
            return self.tetraplets
        raise AttributeError(name)
