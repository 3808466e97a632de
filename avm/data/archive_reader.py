"""Inner archive → interpreter data, refusing exactly what the reference refuses.

The archive is rkyv 0.7 with big-endian numbers and 32-bit relative pointers; children stand before their parents and the
root is the last 60 bytes. One depth-first walk in declaration order decodes and validates: `start` is the lower edge of the
window in which the next owned object must lie, its upper edge is the parent. Only the first visit of a shared object is
checked against the window. Because `start` never goes back, the work is linear and the values decoded are no larger than
the archive, apart from shared ones, which are decoded once; shared strings that overlap add at most its size again.

Input: bytes from anywhere. Output: trace, stores, signatures. Errors: ArchiveError, nothing else.
Source: rkyv v0.7.43 src/validation/, aquavm:crates/air-lib/interpreter-data/src/{executed_state,cid_info,trace}.rs
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from avm.trace.states import AP, CANON, CANON_SENT_BY, FAILED, FOLD, PAR, REQUESTED, SCALAR, SENT_BY, STREAM, UNUSED

from .interpreter_data import (
    LITERAL,
    CanonElement,
    CanonResult,
    InterpreterData,
    Provenance,
    ServiceResult,
    Stores,
    Tetraplet,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.trace.states import State, Trace

ROOT_SIZE: Final = 60
STATE_SIZE: Final = 24

_ROOT: Final = struct.Struct(">iIIiIiIiIiIiIiI")
_STATES: Final = struct.Struct(">BxxxIIiII")
_ENTRIES: Final = struct.Struct(">iIi")
_SIGNATURES: Final = struct.Struct(">iIiI")
_VECTOR: Final = struct.Struct(">iI")
_LORE: Final = struct.Struct(">IiI")
_SERVICE_RESULT: Final = struct.Struct(">iIiIiI")
_CANON_ELEMENT: Final = struct.Struct(">iIiIBxxxiI")
_CANON_RESULT: Final = struct.Struct(">iIiI")
_LENGTHS: Final = struct.Struct(">I4xI4xI4xI4x")
_OFFSETS: Final = struct.Struct("<4xi4xi4xi4xi")
_INLINE_MAX: Final = 7

_new: Final = tuple.__new__  # a named tuple's own constructor takes three times as long

# Pointee types of shared pointers: two pointers to one address must agree.
_STRING, _VALUE, _TETRAPLET, _ELEMENT, _RESULT, _SERVICE = range(6)
_SIZES: Final = (8, 8, 32, 28, 16, 24)


class ArchiveError(ValueError):
    """The bytes are not an archive of interpreter data. The text says what and where, for people only."""


def read_archive(data: bytes) -> InterpreterData:
    """Decode and validate an archive. Raises ArchiveError. Linear in its size."""
    return read_archive_with_layout(data)[0]


def read_archive_with_layout(data: bytes) -> tuple[InterpreterData, bool]:
    """As read_archive; and whether each text stands in bytes of its own, so that parts of the archive can be copied."""
    reader = _Reader(data)
    try:
        return reader.read(), not reader.others
    except UnicodeDecodeError as error:
        raise ArchiveError(f"text is not UTF-8: {error.reason}") from None


def _fail(what: str, position: int) -> ArchiveError:
    return ArchiveError(f"{what} at {position}")


class _Reader:
    __slots__ = ("buf", "end", "others", "others_size", "shared", "size", "start", "structs", "texts")

    def __init__(self, buf: bytes) -> None:
        self.buf = buf
        self.size = len(buf)
        # window of the object being read
        self.start = 0
        self.end = 0
        self.texts: dict[int, str | None] = {}  # shared strings by position; None where it is not ASCII
        self.others: dict[tuple[int, int], str] = {}  # by position and size, where `texts` has another size or None
        self.others_size = 0
        self.shared: dict[int, int] = {}  # other shared objects: position → type
        self.structs: dict[int, Any] = {}  # … and what they decoded to

    def read(self) -> InterpreterData:
        base = self.size - ROOT_SIZE
        if base < 0:
            raise ArchiveError(f"{self.size} bytes are too few")
        if base & 3:
            raise ArchiveError("the size is not a multiple of 4")
        root = _ROOT.unpack_from(self.buf, base)
        self.end = base
        trace = self.trace(base + root[0], root[1])
        stores = Stores()
        self.values(base + 12 + root[3], root[4], stores.values)
        self.store(base + 20 + root[5], root[6], stores.tetraplets, _TETRAPLET, self.tetraplet)
        self.store(base + 28 + root[7], root[8], stores.canon_elements, _ELEMENT, self.canon_element)
        self.store(base + 36 + root[9], root[10], stores.canon_results, _RESULT, self.canon_result)
        self.service_results(base + 44 + root[11], root[12], stores.service_results)
        signatures = self.signatures(base + 52 + root[13], root[14])
        return InterpreterData(trace, root[2], stores, signatures)

    # -- windows

    def claim(self, position: int, size: int) -> None:
        """Check that an aligned object lies in the window."""
        if position & 3 or position < self.start or position + size > self.end:
            raise _fail("misplaced object", position)

    def text(self, position: int, size: int) -> str:
        """A shared string (`Rc<str>`): CIDs and argument hashes."""
        found = self.texts.get(position)
        if found is not None and len(found) == size:
            return found
        if position in self.texts:
            # a second pointer, to a text that is not ASCII or with another length
            return self.other_text(position, size)
        end = position + size
        if position < self.start or end > self.end or position in self.shared:
            raise _fail("misplaced string", position)
        found = str(self.buf[position:end], "utf-8")
        self.start = end
        if len(found) == size:
            self.texts[position] = found
        else:
            # its length in characters says nothing about the bytes that a second pointer wants
            self.texts[position] = None
            self.others[position, size] = found
        return found

    def other_text(self, position: int, size: int) -> str:
        """A string at the place of another one, of another length.

        Those are not validated by the reference, which has made a text of the first one and reads on behind it: what it finds there no
        check of CIDs will accept, and neither the zeros here. Their sum is limited, or a small archive could ask for very much memory.
        """
        found = self.others.get((position, size))
        if found is None:
            end = position + size
            if position < 0 or end > self.size:
                raise _fail("string out of bounds", position)
            self.others_size += size
            if self.others_size > self.size:
                raise _fail("strings overlap too often", position)
            first = self.texts.get(position)
            if first is not None and size > len(first):
                found = first + "\0" * (size - len(first))
            else:
                found = str(self.buf[position:end], "utf-8", "replace")
            self.others[position, size] = found
        return found

    def string(self, position: int) -> str:
        """An ArchivedString at a checked position: inline up to 7 bytes, else a body inside the window."""
        last = self.buf[position + 7]
        if last < 0x80:
            if last > _INLINE_MAX:
                raise _fail("inline string too long", position)
            return str(self.buf[position : position + last], "utf-8")
        size = int.from_bytes(self.buf[position : position + 4], "big")
        body = position + int.from_bytes(self.buf[position + 4 : position + 8], "little", signed=True)
        if body < self.start or body + size > self.end:
            raise _fail("misplaced string", body)
        self.start = body + size
        return str(self.buf[body : body + size], "utf-8")

    def peer_id(self, position: int) -> str:
        """A shared `Rc<String>`."""
        kind = self.shared.get(position)
        if kind is not None:
            if kind != _STRING:
                raise _fail("pointer to another type", position)
            return str(self.structs[position])
        if position in self.texts:
            raise _fail("pointer to another type", position)
        self.claim(position, 8)
        outer, self.end = self.end, position
        value = self.string(position)
        self.start, self.end = position + 8, outer
        self.shared[position] = _STRING
        self.structs[position] = value
        return value

    # -- trace

    def trace(self, base: int, count: int) -> Trace:
        size = STATE_SIZE * count
        self.claim(base, size)
        outer, self.end = self.end, base
        trace: Trace = []
        append = trace.append
        texts = self.texts
        text = self.text
        at = base
        for tag, a, b, c, d, e in _STATES.iter_unpack(self.buf[base : base + size]):
            if tag == 1:
                variant = a >> 24
                inner = b >> 24
                if variant == 1:
                    position = at + 12 + c
                    cid = texts.get(position)
                    if cid is None or len(cid) != d:
                        cid = text(position, d)
                    if inner == 0:
                        append((SCALAR, cid))
                    elif inner == 1:
                        append((STREAM, cid, e))
                    elif inner == 2:
                        append((UNUSED, cid))
                    else:
                        raise _fail("unknown value kind", at)
                elif variant == 0:
                    if inner == 0:
                        append((SENT_BY, self.peer_id(at + 12 + c)))
                    elif inner == 1:
                        append((REQUESTED, self.peer_id(at + 12 + c), d))
                    else:
                        raise _fail("unknown sender kind", at)
                elif variant == 2:
                    append((FAILED, text(at + 8 + _signed(b), c & 0xFFFFFFFF)))
                else:
                    raise _fail("unknown call state", at)
            elif tag == 0:
                append((PAR, a, b))
            elif tag == 3:
                append((AP, self.generations(at + 4 + _signed(a), b)))
            elif tag == 4:
                variant = a >> 24
                if variant == 1:
                    append((CANON, text(at + 8 + _signed(b), c & 0xFFFFFFFF)))
                elif variant == 0:
                    append((CANON_SENT_BY, self.peer_id(at + 8 + _signed(b))))
                else:
                    raise _fail("unknown canon state", at)
            elif tag == 2:
                append(self.fold(at + 4 + _signed(a), b))
            else:
                raise _fail("unknown state", at)
            at += STATE_SIZE
        self.start, self.end = base + size, outer
        return trace

    def generations(self, position: int, count: int) -> tuple[int, ...]:
        self.claim(position, 4 * count)
        self.start = position + 4 * count
        return struct.unpack_from(f">{count}I", self.buf, position)

    def fold(self, base: int, count: int) -> State:
        """The lore; an entry is `(value_pos, begin, len, begin, len)`, longer or shorter in dishonest data only."""
        size = _LORE.size * count
        self.claim(base, size)
        outer, self.end = self.end, base
        lore = []
        at = base
        for value_position, offset, descriptors in _LORE.iter_unpack(self.buf[base : base + size]):
            position = at + 4 + offset
            self.claim(position, 8 * descriptors)
            lore.append((value_position, *struct.unpack_from(f">{2 * descriptors}I", self.buf, position)))
            self.start = position + 8 * descriptors
            at += _LORE.size
        self.start, self.end = base + size, outer
        return (FOLD, tuple(lore))

    # -- stores

    def store(self, base: int, count: int, into: dict[str, Any], kind: int, read: Callable[[int], Any]) -> None:
        """One store: entries of key CID and shared value; of equal keys the last wins."""
        size = _ENTRIES.size * count
        self.claim(base, size)
        outer, self.end = self.end, base
        texts, shared, structs = self.texts, self.shared, self.structs
        value_size = _SIZES[kind]
        at = base
        for key_offset, key_size, value_offset in _ENTRIES.iter_unpack(self.buf[base : base + size]):
            position = at + key_offset
            key = texts.get(position)
            if key is None or len(key) != key_size:
                key = self.text(position, key_size)
            position = at + 8 + value_offset
            seen = shared.get(position)
            if seen is None:
                if position & 3 or position < self.start or position + value_size > base or position in texts:
                    raise _fail("misplaced object", position)
                # its own address is taken before its parts are read: an empty text of theirs may point there
                shared[position] = kind
                self.end = position
                value = read(position)
                self.start, self.end = position + value_size, base
                structs[position] = value
            elif seen != kind:
                raise _fail("pointer to another type", position)
            else:
                value = structs[position]
            into[key] = value
            at += _ENTRIES.size
        self.start, self.end = base + size, outer

    def values(self, base: int, count: int, into: dict[str, str]) -> None:
        """As `store`, for the store that is nearly always the longest: the same steps in one function."""
        size = _ENTRIES.size * count
        self.claim(base, size)
        buf, texts, shared, structs = self.buf, self.texts, self.shared, self.structs
        unpack = _VECTOR.unpack_from
        start = self.start
        at = base
        for key_offset, key_size, value_offset in _ENTRIES.iter_unpack(buf[base : base + size]):
            position = at + key_offset
            key = texts.get(position)
            if key is None and position not in texts:
                end = position + key_size
                if position < start or end > base or position in shared:
                    raise _fail("misplaced string", position)
                key = str(buf[position:end], "utf-8")
                start = end
                if len(key) == key_size:
                    texts[position] = key
                else:
                    texts[position] = None
                    self.others[position, key_size] = key
            elif key is None or len(key) != key_size:
                key = self.other_text(position, key_size)
            position = at + 8 + value_offset
            if position not in shared:
                if position & 3 or position < start or position + 8 > base or position in texts:
                    raise _fail("misplaced object", position)
                offset, length = unpack(buf, position)
                body = position + offset
                if body < start or body + length > position:
                    raise _fail("misplaced value", body)
                structs[position] = value = str(buf[body : body + length], "utf-8")
                shared[position] = _VALUE
                start = position + 8
            elif shared[position] != _VALUE:
                raise _fail("pointer to another type", position)
            else:
                value = str(structs[position])
            into[key] = value
            at += 12
        self.start = base + size

    def tetraplet(self, position: int) -> Tetraplet:
        """Four ArchivedStrings, read as `string` does."""
        buf = self.buf
        start, end = self.start, self.end
        parts = []
        at = position
        for size, offset in zip(_LENGTHS.unpack_from(buf, at), _OFFSETS.unpack_from(buf, at), strict=True):
            if offset < 0:  # what the highest bit of the last byte says
                body = at + offset
                if body < start or body + size > end:
                    raise _fail("misplaced string", body)
                start = body + size
                parts.append(str(buf[body:start], "utf-8"))
            else:
                last = buf[at + 7]
                if last > _INLINE_MAX:
                    raise _fail("inline string too long", at)
                parts.append(str(buf[at : at + last], "utf-8"))
            at += 8
        self.start = start
        return _new(Tetraplet, parts)

    def service_results(self, base: int, count: int, into: dict[str, ServiceResult]) -> None:
        """As `store`, for the second longest store. Keys are written here, values and tetraplets were mostly seen before."""
        size = _ENTRIES.size * count
        self.claim(base, size)
        outer, self.end = self.end, base
        buf, texts, shared, structs, text = self.buf, self.texts, self.shared, self.structs, self.text
        unpack = _SERVICE_RESULT.unpack_from
        at = base
        for key_offset, key_size, value_offset in _ENTRIES.iter_unpack(buf[base : base + size]):
            position = at + key_offset
            key = texts.get(position)
            if key is None or len(key) != key_size:
                key = text(position, key_size)
            position = at + 8 + value_offset
            seen = shared.get(position)
            if seen is None:
                if position & 3 or position < self.start or position + 24 > base or position in texts:
                    raise _fail("misplaced object", position)
                shared[position] = _SERVICE  # before its parts are read, as in `store`
                self.end = position
                value, value_size, arguments, arguments_size, tetraplet, tetraplet_size = unpack(buf, position)
                value_cid = texts.get(position + value)
                if value_cid is None or len(value_cid) != value_size:
                    value_cid = text(position + value, value_size)
                arguments_cid = texts.get(position + 8 + arguments)
                if arguments_cid is None or len(arguments_cid) != arguments_size:
                    arguments_cid = text(position + 8 + arguments, arguments_size)
                tetraplet_cid = texts.get(position + 16 + tetraplet)
                if tetraplet_cid is None or len(tetraplet_cid) != tetraplet_size:
                    tetraplet_cid = text(position + 16 + tetraplet, tetraplet_size)
                result = _new(ServiceResult, (value_cid, arguments_cid, tetraplet_cid))
                self.start, self.end = position + 24, base
                structs[position] = result
            elif seen != _SERVICE:
                raise _fail("pointer to another type", position)
            else:
                result = structs[position]
            into[key] = result
            at += 12
        self.start, self.end = base + size, outer

    def canon_element(self, position: int) -> CanonElement:
        value, value_size, tetraplet, size, tag, source, source_size = _CANON_ELEMENT.unpack_from(self.buf, position)
        text, texts = self.text, self.texts
        value_cid = texts.get(position + value)
        if value_cid is None or len(value_cid) != value_size:
            value_cid = text(position + value, value_size)
        tetraplet_cid = texts.get(position + 8 + tetraplet)
        if tetraplet_cid is None or len(tetraplet_cid) != size:
            tetraplet_cid = text(position + 8 + tetraplet, size)
        if tag == 0:
            return _new(CanonElement, (value_cid, tetraplet_cid, LITERAL))
        if tag > 2:
            raise _fail("unknown provenance", position)
        source_cid = texts.get(position + 20 + source)
        if source_cid is None or len(source_cid) != source_size:
            source_cid = text(position + 20 + source, source_size)
        provenance = _new(Provenance, ("service_result" if tag == 1 else "canon", source_cid))
        return _new(CanonElement, (value_cid, tetraplet_cid, provenance))

    def canon_result(self, position: int) -> CanonResult:
        offset, size, values, count = _CANON_RESULT.unpack_from(self.buf, position)
        tetraplet = self.text(position + offset, size)
        base = position + 8 + values
        self.claim(base, 8 * count)
        self.end = base
        cids = []
        at = base
        for cid_offset, cid_size in _VECTOR.iter_unpack(self.buf[base : base + 8 * count]):
            cids.append(self.text(at + cid_offset, cid_size))
            at += 8
        self.start, self.end = at, position
        return CanonResult(tetraplet, tuple(cids))

    def signatures(self, base: int, count: int) -> dict[bytes, bytes]:
        """Public key → signature; neither is looked into here."""
        size = _SIGNATURES.size * count
        self.claim(base, size)
        outer, self.end = self.end, base
        signatures = {}
        at = base
        for key_offset, key_size, offset, signature_size in _SIGNATURES.iter_unpack(self.buf[base : base + size]):
            key = self.owned_bytes(at + key_offset, key_size)
            signatures[key] = self.owned_bytes(at + 8 + offset, signature_size)
            at += _SIGNATURES.size
        self.start, self.end = base + size, outer
        return signatures

    def owned_bytes(self, position: int, size: int) -> bytes:
        if position < self.start or position + size > self.end:
            raise _fail("misplaced bytes", position)
        self.start = position + size
        return self.buf[position : position + size]


def _signed(word: int) -> int:
    """The i32 of a word read as u32."""
    return word - 0x100000000 if word >= 0x80000000 else word
