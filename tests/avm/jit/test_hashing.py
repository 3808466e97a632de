"""Digests are those of the package `blake3`, identifiers those of `avm.crypto.cid`; native and in Python."""

from __future__ import annotations

from array import array
from types import ModuleType
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from avm.crypto.cid import json_cid
from avm.jit import library
from avm.jit.kernels import hashing
from avm.jit.library import Library

pytest.importorskip("llvmlite")

EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
"""Digest of nothing, of the official test vectors; their inputs count to 250 again and again."""
BEFORE = 3
"""Bytes in front of each input, so that it begins at no even address."""
EDGES = [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 3073, 4096, 5120, 6145]
LONG = [8192, 16383, 16384, 16385, 16448, 31744, 32768, 32769, 102400, 262145, 1048576, 1048577]
LANES = 16


@pytest.fixture(scope="module")
def kernels() -> Library:
    found = library.get()
    if found is None:
        pytest.skip("no native code on this platform")
    return found


def counting(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


def buffer(text: bytes, behind: int = 0) -> array[int]:
    return array("B", bytes([7]) * BEFORE + text + bytes([9]) * behind)


def digest(kernels: Library | ModuleType, text: bytes, behind: int = 0) -> bytes:
    found = array("I", bytes(40))
    kernels.blake3(buffer(text, behind), BEFORE, BEFORE + len(text), found)
    assert not any(found[8:])
    return b"".join(word.to_bytes(4, "little") for word in found[:8])


def many(kernels: Library | ModuleType, texts: list[bytes], behind: int = 0) -> list[bytes]:
    ranges, at = array("q"), BEFORE
    for text in texts:
        ranges.extend((at, at + len(text)))
        at += len(text)
    found = array("I", bytes(32 * len(texts) + 32))
    kernels.blake3_many(buffer(b"".join(texts), behind), ranges, len(texts), found)
    assert not any(found[8 * len(texts) :])
    words = [word.to_bytes(4, "little") for word in found]
    return [b"".join(words[8 * i : 8 * i + 8]) for i in range(len(texts))]


def test_digest_of_nothing(kernels: Library) -> None:
    assert digest(kernels, b"").hex() == digest(hashing, b"").hex() == EMPTY


@pytest.mark.parametrize("behind", [0, 1, 63, 64])
def test_lengths(kernels: Library, behind: int) -> None:
    text = counting(3000)
    for size in [*EDGES[:15], *range(behind % 7, 3000, 7)]:
        assert digest(kernels, text[:size], behind) == blake3(text[:size]).digest(), size


@pytest.mark.parametrize("size", [*EDGES, *LONG])
def test_trees(kernels: Library, size: int) -> None:
    text = counting(size)
    assert digest(kernels, text) == blake3(text).digest()


@pytest.mark.parametrize("size", [*EDGES[:14], 16384, 17500])
def test_the_kernel_is_the_same_in_python(size: int) -> None:
    text = counting(size)
    assert digest(hashing, text) == blake3(text).digest()


def test_counters_of_sixteen_chunks_pass_32_bits() -> None:
    """No input that long can be made here, so the chunks are compared with those hashed one by one."""
    data, first = buffer(counting(16384)), 2**32 - 5
    values = [hashing.chunk(data, BEFORE + 1024 * k, BEFORE + 1024 * k + 1024, first + k, 0) for k in range(LANES)]
    while len(values) > 1:
        values = [hashing.parent(*values[k : k + 2], 0) for k in range(0, len(values), 2)]
    assert hashing.branch(data, BEFORE, BEFORE + 16384, first, 0).numbers == values[0].numbers


@given(st.binary(max_size=3000), st.integers(0, 70))
def test_any_bytes(kernels: Library, text: bytes, behind: int) -> None:
    assert digest(kernels, text, behind) == blake3(text).digest()


@given(st.lists(st.integers(0, 2200), max_size=60), st.integers(0, 70))
def test_many(kernels: Library, sizes: list[int], behind: int) -> None:
    texts = [counting(size + i)[i:] for i, size in enumerate(sizes)]
    assert many(kernels, texts, behind) == [blake3(text).digest() for text in texts]


@pytest.mark.parametrize("count", [0, 1, LANES - 1, LANES, LANES + 1, 40])
def test_many_in_python(kernels: Library, count: int) -> None:
    texts = [counting(31 * i % 200 + (1100 if i % 9 == 1 else 0)) for i in range(count)]
    assert many(hashing, texts) == many(kernels, texts) == [blake3(text).digest() for text in texts]


def test_many_of_all_lengths_of_a_chunk(kernels: Library) -> None:
    texts = [counting(size) for size in range(1030)]
    assert many(kernels, texts) == [blake3(text).digest() for text in texts]


@given(st.binary(max_size=200))
def test_identifiers(kernels: Library, text: bytes) -> None:
    cid = json_cid(text).encode()
    end, at = BEFORE + len(text), BEFORE + len(text) + 5
    for form in (kernels, hashing):
        data = buffer(text, 5 + 61 + 4)
        form.write_cid(data, BEFORE, end, at)
        assert data.tobytes() == buffer(text, 5).tobytes() + cid + bytes([9]) * 4
        assert form.is_cid(data, BEFORE, end, at, at + 61)
        assert not form.is_cid(data, BEFORE, end, at, at + 60)
        assert not form.is_cid(data, BEFORE, end, at, at + 62)
        assert not form.is_cid(data, BEFORE - 1, end, at, at + 61)


def test_an_identifier_differs_in_any_byte(kernels: Library) -> None:
    text = counting(100)
    cid = json_cid(text).encode()
    for form in (kernels, hashing):
        for i in range(61):
            for other in (cid[i] ^ 1, cid[i] ^ 128, cid[i] ^ 32):
                data = array("B", text + cid)
                data[100 + i] = other
                assert not form.is_cid(data, 0, 100, 100, 161)


def cids(form: Library | ModuleType, texts: list[bytes], found: list[bytes]) -> bool:
    data, ranges, places = array("B"), array("q"), array("q")
    for parts, positions in ((texts, ranges), (found, places)):
        for part in parts:
            positions.extend((len(data), len(data) + len(part)))
            data.frombytes(part)
    return bool(form.are_cids(data, ranges, len(texts), places, array("I", bytes(32 * len(texts)))))


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_many_identifiers(kernels: Library, count: int) -> None:
    texts = [counting(37 * i) for i in range(count)]
    right = [json_cid(text).encode() for text in texts]
    forms: list[Any] = [kernels] if count > 5 else [kernels, hashing]
    for form in forms:
        assert cids(form, texts, right)
        for i in range(count):
            for wrong in (right[i][:-1], right[i] + b"a", right[i - 1] if count > 1 else b"", b"c" + right[i][1:]):
                assert not cids(form, texts, [*right[:i], wrong, *right[i + 1 :]])


OUTSIDE = [
    (-1, 5),
    (5, 4),
    (0, 101),
    (101, 101),
    (-5, -1),
    (2**62, 2**62),
    (-(2**63), 2**63 - 1),
    (2**63 - 1, -(2**63)),
]


@pytest.mark.parametrize(("start", "end"), OUTSIDE)
def test_parts_outside_of_the_buffer(kernels: Library, start: int, end: int) -> None:
    data = array("B", bytes(100))
    for form in (kernels, hashing):
        with pytest.raises(IndexError):
            form.blake3(data, start, end, array("I", bytes(32)))
        with pytest.raises(IndexError):
            form.blake3_many(data, array("q", [0, 7, start, end]), 2, array("I", bytes(64)))
        with pytest.raises(IndexError):
            form.write_cid(data, start, end, 0)
        with pytest.raises(IndexError):
            form.is_cid(data, start, end, 0, 61)
        with pytest.raises(IndexError):
            form.is_cid(data, 0, 5, start, end)
        with pytest.raises(IndexError):
            form.are_cids(data, array("q", [0, 5]), 1, array("q", [start, end]), array("I", bytes(32)))
    assert not any(data)


@pytest.mark.parametrize("at", [-1, 40, 100, 2**63 - 1, -(2**63)])
def test_results_outside_of_their_buffers(kernels: Library, at: int) -> None:
    data = array("B", bytes(100))
    for form in (kernels, hashing):
        with pytest.raises(IndexError):
            form.write_cid(data, 0, 10, at)
        with pytest.raises(IndexError):
            form.blake3(data, 0, 10, array("I", bytes(28)))
        with pytest.raises(IndexError):
            form.blake3_many(data, array("q", [0, 7, 7, 9]), 2, array("I", bytes(60)))
        with pytest.raises(IndexError):
            form.blake3_many(data, array("q", [0, 7, 7]), 2, array("I", bytes(64)))
    assert not any(data)
