"""Interpreter data → inner archive, as compact as the format allows: every distinct CID and peer id stands once.

Order is stable: states first, then each store and the signatures in insertion order, so equal data gives equal bytes.
Input: data in memory, trusted. Output: bytes the reference accepts. Errors: none for well-formed data.
Source: rkyv v0.7.43 serialisers; spec of the archive layout in `archive_reader`
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from avm.trace.states import AP, CANON, CANON_SENT_BY, FAILED, FOLD, PAR, REQUESTED, SCALAR, SENT_BY, STREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avm.trace.states import State, Trace

    from .interpreter_data import CanonElement, CanonResult, InterpreterData, ServiceResult, Tetraplet

_WITH_PEER: Final = frozenset({SENT_BY, REQUESTED, CANON_SENT_BY})
_ROOT: Final = struct.Struct(">iIIiIiIiIiIiIiI")
_LAST_STORE: Final = 44  # place of the service results' pointer in the root
_PADDING: Final = (b"", b"\0", b"\0\0", b"\0\0\0")
_RAW_VALUE: Final = struct.Struct(">iI").pack
_SERVICE_RESULT: Final = struct.Struct(">iIiIiI").pack
_CANON_ELEMENT: Final = struct.Struct(">iIiIBxxxiI").pack
_GENERATION: Final = struct.Struct(">I").pack
_INLINE_MAX: Final = 7
_INLINE_PAD: Final = bytes.ljust
_BYTES: Final = tuple(bytes((number,)) for number in range(_INLINE_MAX + 1))
_PROVENANCE_TAGS: Final = {"literal": 0, "service_result": 1, "canon": 2}
_CALL: Final = 1 << 24
_TAG_1: Final = 1 << 24
_TAG_2: Final = 2 << 24


def write_archive(data: InterpreterData) -> bytes:
    """The archive of `data`. Linear in its size."""
    writer = _Writer()
    stores = data.stores
    root: list[int] = []
    root += writer.trace(data.trace)
    root += writer.store(stores.values, writer.raw_value)
    root += writer.store(stores.tetraplets, writer.tetraplet)
    root += writer.store(stores.canon_elements, writer.canon_element)
    root += writer.store(stores.canon_results, writer.canon_result)
    root += writer.store(stores.service_results, writer.service_result)
    root += writer.signatures(data.signatures)
    writer.align()
    base = writer.size
    # vectors start at 0, 12, 20, …: the trace is followed by the last call request id
    words = [root[0] - base, root[1], data.last_call_request_id]
    for index in range(1, len(root) // 2):
        words += (root[2 * index] - (base + 4 + 8 * index), root[2 * index + 1])
    writer.append(_ROOT.pack(*words))
    return b"".join(writer.parts)


def rewrite_archive(archive: bytes, last_call_request_id: int, signatures: dict[bytes, bytes]) -> bytes:
    """A valid archive with other signatures. Trace and stores are copied as they are: all their pointers are relative."""
    return b"".join(rewritten_parts(archive, last_call_request_id, signatures)[0])


def rewritten_parts(
    archive: bytes | memoryview, last_call_request_id: int, signatures: dict[bytes, bytes]
) -> tuple[list[bytes | memoryview], int]:
    """As rewrite_archive: the pieces, and their size. What is kept is not copied."""
    old_base = len(archive) - _ROOT.size
    root = _ROOT.unpack_from(archive, old_base)
    # nothing of trace and stores lies behind the entries of the last store
    end = old_base + _LAST_STORE + root[11] + 12 * root[12]
    writer = _Writer()
    writer.append(archive[:end])
    place, count = writer.signatures(signatures)
    base = writer.size
    shift = base - old_base
    words = [root[0] - shift, root[1], last_call_request_id]
    for index in range(3, 13, 2):
        words += (root[index] - shift, root[index + 1])
    words += (place - base - _LAST_STORE - 8, count)
    writer.append(_ROOT.pack(*words))
    return writer.parts, writer.size


class _Writer:
    __slots__ = ("cids", "parts", "peers", "size")

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = []
        self.size = 0
        self.cids: dict[str, tuple[int, int]] = {}  # text → position, length in bytes
        self.peers: dict[str, int] = {}

    def append(self, piece: bytes | memoryview) -> int:
        """Write bytes; where they went."""
        position = self.size
        self.parts.append(piece)
        self.size = position + len(piece)
        return position

    def align(self) -> None:
        if self.size & 3:
            self.append(_PADDING[-self.size & 3])

    def cid(self, text: str) -> tuple[int, int]:
        """Position and byte length of a shared string, written on first use."""
        found = self.cids.get(text)
        if found is None:
            piece = text.encode()
            if not piece:
                # a shared object needs an address of its own
                self.append(b"\0\0\0\0")
                found = (self.size - 4, 0)
            else:
                found = (self.append(piece), len(piece))
            self.cids[text] = found
        return found

    def peer_id(self, text: str) -> int:
        found = self.peers.get(text)
        if found is None:
            found = self.strings((text,))
            self.peers[text] = found
        return found

    def strings(self, texts: tuple[str, ...]) -> int:
        """Consecutive ArchivedStrings after the bodies of the long ones; position of the first."""
        pieces = [text.encode() for text in texts]
        parts = self.parts
        parts += [piece for piece in pieces if len(piece) > _INLINE_MAX]
        body = self.size
        first = body + sum([len(piece) for piece in pieces if len(piece) > _INLINE_MAX])
        if first & 3:
            parts.append(_PADDING[-first & 3])
            first += -first & 3
        at = first
        for piece in pieces:
            size = len(piece)
            if size > _INLINE_MAX:
                parts.append(size.to_bytes(4, "big") + (body - at).to_bytes(4, "little", signed=True))
                body += size
            else:
                parts.append(_INLINE_PAD(piece, _INLINE_MAX, b"\0") + _BYTES[size])
            at += 8
        self.size = at
        return first

    # -- trace

    def trace(self, trace: Trace) -> tuple[int, int]:
        """All states; position and count. Targets come first, their distance is known once the array's place is."""
        cid = self.cid
        targets: list[int] = []
        for state in trace:
            kind = state[0]
            if kind in _WITH_PEER:
                targets.append(self.peer_id(state[1]))
            elif kind == PAR:
                targets.append(0)
            elif kind == AP:
                self.align()
                numbers = state[1]
                piece = _GENERATION(*numbers) if len(numbers) == 1 else struct.pack(f">{len(numbers)}I", *numbers)
                targets.append(self.append(piece))
            elif kind == FOLD:
                targets.append(self.lore(state))
            else:
                targets.append(cid(state[1])[0])
        self.align()
        base = self.size
        words: list[int] = []
        cids = self.cids
        at = base
        for state, target in zip(trace, targets, strict=True):
            kind = state[0]
            if kind == SCALAR:
                words += (_CALL, _TAG_1, 0, target - at - 12, cids[state[1]][1], 0)
            elif kind == PAR:
                words += (0, state[1], state[2], 0, 0, 0)
            elif kind == STREAM:
                words += (_CALL, _TAG_1, _TAG_1, target - at - 12, cids[state[1]][1], state[2])
            else:
                words += self.other_state(state, at, target)
            at += 24
        self.append(struct.pack(f">{len(words)}I", *[word & 0xFFFFFFFF for word in words]))
        return base, len(trace)

    def other_state(self, state: State, at: int, target: int) -> tuple[int, int, int, int, int, int]:
        """The six words of a state at position `at`."""
        kind = state[0]
        if kind == AP:
            return 3 << 24, target - at - 4, len(state[1]), 0, 0, 0
        if kind == FOLD:
            return 2 << 24, target - at - 4, len(state[1]), 0, 0, 0
        if kind == CANON:
            return 4 << 24, _TAG_1, target - at - 8, self.cids[state[1]][1], 0, 0
        if kind == SENT_BY:
            return _CALL, 0, 0, target - at - 12, 0, 0
        if kind == REQUESTED:
            return _CALL, 0, _TAG_1, target - at - 12, state[2], 0
        if kind == CANON_SENT_BY:
            return 4 << 24, 0, target - at - 8, 0, 0, 0
        if kind == FAILED:
            return _CALL, _TAG_2, target - at - 8, self.cids[state[1]][1], 0, 0
        return _CALL, _TAG_1, _TAG_2, target - at - 12, self.cids[state[1]][1], 0

    def lore(self, state: State) -> int:
        """Descriptors of all iterations, then the array of iterations; position of the latter."""
        self.align()
        lore = state[1]
        places = [self.append(struct.pack(f">{len(entry) - 1}I", *entry[1:])) for entry in lore]
        base = self.size
        for entry, place in zip(lore, places, strict=True):
            self.append(struct.pack(">IiI", entry[0], place - self.size - 4, len(entry) // 2))
        return base

    # -- stores: each method writes the bodies of one entry, key first, and returns the place of its value

    def store(self, store: Mapping[str, Any], write: Callable[[str, Any], int]) -> tuple[int, int]:
        """All bodies, then the entry array; position and count of the latter.

        What was one object under several CIDs in the data that arrived stays one: dishonest data would grow otherwise.
        """
        if len(set(map(id, store.values()))) == len(store):
            places = [write(cid, item) for cid, item in store.items()]
        else:
            places = []
            known: dict[int, int] = {}
            for cid, item in store.items():
                place = known.get(id(item))
                if place is None:
                    place = known[id(item)] = write(cid, item)
                else:
                    self.cid(cid)
                places.append(place)
        self.align()
        base = at = self.size
        words: list[int] = []
        cids = self.cids
        for cid, place in zip(store, places, strict=True):
            position, size = cids[cid]
            words += (position - at, size, place - at - 8)
            at += 12
        self.append(struct.pack(">" + "iIi" * len(places), *words))
        return base, len(places)

    def raw_value(self, cid: str, text: str) -> int:
        if cid not in self.cids:
            self.cid(cid)
        piece = text.encode()
        length = len(piece)
        pad = -(self.size + length) & 3
        # the struct points back at the text just before it
        self.parts.append(piece + _PADDING[pad] + _RAW_VALUE(-length - pad, length))
        place = self.size + length + pad
        self.size = place + 8
        return place

    def tetraplet(self, cid: str, tetraplet: Tetraplet) -> int:
        self.cid(cid)
        return self.strings(tetraplet)

    def canon_element(self, cid: str, element: CanonElement) -> int:
        cids, write = self.cids, self.cid
        if cid not in cids:
            write(cid)
        value_cid, tetraplet_cid, (kind, source_cid) = element
        value, value_size = cids.get(value_cid) or write(value_cid)
        tetraplet, tetraplet_size = cids.get(tetraplet_cid) or write(tetraplet_cid)
        source = None if source_cid is None else cids.get(source_cid) or write(source_cid)
        self.align()
        at = self.size
        offset, size = (0, 0) if source is None else (source[0] - at - 20, source[1])
        self.parts.append(
            _CANON_ELEMENT(
                value - at, value_size, tetraplet - at - 8, tetraplet_size, _PROVENANCE_TAGS[kind], offset, size
            )
        )
        self.size = at + 28
        return at

    def canon_result(self, cid: str, result: CanonResult) -> int:
        self.cid(cid)
        tetraplet = self.cid(result.tetraplet)
        values = [self.cid(value) for value in result.values]
        self.align()
        base = at = self.size
        words: list[int] = []
        for position, size in values:
            words += (position - at, size)
            at += 8
        words += (tetraplet[0] - at, tetraplet[1], base - at - 8, len(values))
        self.append(struct.pack(">" + "iI" * (len(words) // 2), *words))
        return at

    def service_result(self, cid: str, result: ServiceResult) -> int:
        cids, write = self.cids, self.cid
        if cid not in cids:
            write(cid)
        value_cid, arguments_cid, tetraplet_cid = result
        value, value_size = cids.get(value_cid) or write(value_cid)
        arguments, arguments_size = cids.get(arguments_cid) or write(arguments_cid)
        tetraplet, tetraplet_size = cids.get(tetraplet_cid) or write(tetraplet_cid)
        self.align()
        at = self.size
        self.parts.append(
            _SERVICE_RESULT(
                value - at, value_size, arguments - at - 8, arguments_size, tetraplet - at - 16, tetraplet_size
            )
        )
        self.size = at + 24
        return at

    def signatures(self, signatures: dict[bytes, bytes]) -> tuple[int, int]:
        places = [(self.append(key), self.append(signature)) for key, signature in signatures.items()]
        self.align()
        base = at = self.size
        words: list[int] = []
        for (key, signature), (key_place, place) in zip(signatures.items(), places, strict=True):
            words += (key_place - at, len(key), place - at - 8, len(signature))
            at += 16
        self.append(struct.pack(">" + "iIiI" * len(signatures), *words))
        return base, len(signatures)
