"""Types of kernels' parameters, and functions the kernel language has as instructions of the processor.

In Python a buffer is `bytes` or an `array`; a kernel gets it without a copy. What is outside of a buffer raises IndexError in both forms.
"""

from __future__ import annotations

import ctypes
import math
import struct
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Bytes: TypeAlias = "bytes | array[int] | memoryview"
"""Read only."""

Octets: TypeAlias = "array[int] | memoryview"
"""Type code `B`."""

Words: TypeAlias = "array[int] | memoryview"
"""Type code `I`."""

Longs: TypeAlias = "array[int] | memoryview"
"""Type code `q`."""

ELEMENT_BITS: Final = {"Bytes": 8, "Octets": 8, "Words": 32, "Longs": 64}
CODES: Final = {"Octets": "B", "Words": "I", "Longs": "q"}
LOCAL_MAX: Final = 1024
"""Elements of a local buffer: it lies on the stack."""

_MASK: Final = 0xFFFFFFFF
_F = TypeVar("_F", bound="Callable[..., Any]")


class Lanes:
    """Some numbers of 32 bits as one value: operators work on all of them, and what leaves 32 bits is lost."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: tuple[int, ...]) -> None:
        """Numbers below 2**32."""
        self.numbers = numbers

    def __add__(self, other: Lanes) -> Lanes:
        """Sums."""
        return Lanes(tuple(a + b & _MASK for a, b in zip(self.numbers, other.numbers, strict=True)))

    def __sub__(self, other: Lanes) -> Lanes:
        """Differences."""
        return Lanes(tuple(a - b & _MASK for a, b in zip(self.numbers, other.numbers, strict=True)))

    def __mul__(self, other: Lanes) -> Lanes:
        """Products."""
        return Lanes(tuple(a * b & _MASK for a, b in zip(self.numbers, other.numbers, strict=True)))

    def __lshift__(self, counts: int | tuple[int, ...]) -> Lanes:
        """Shifted up by 0 to 31 bits, the same or each by its own number."""
        return Lanes(tuple(a << n & _MASK for a, n in zip(self.numbers, self.counts(counts), strict=True)))

    def __rshift__(self, counts: int | tuple[int, ...]) -> Lanes:
        """Shifted down by 0 to 31 bits, the same or each by its own number; zeros come in."""
        return Lanes(tuple(a >> n for a, n in zip(self.numbers, self.counts(counts), strict=True)))

    def counts(self, counts: int | tuple[int, ...]) -> tuple[int, ...]:
        """As many counts as lanes."""
        return (counts,) * len(self.numbers) if isinstance(counts, int) else counts

    def __xor__(self, other: Lanes) -> Lanes:
        """Where the bits differ."""
        return Lanes(tuple(a ^ b for a, b in zip(self.numbers, other.numbers, strict=True)))

    def __and__(self, other: Lanes) -> Lanes:
        """Common bits."""
        return Lanes(tuple(a & b for a, b in zip(self.numbers, other.numbers, strict=True)))

    def __or__(self, other: Lanes) -> Lanes:
        """Bits of either."""
        return Lanes(tuple(a | b for a, b in zip(self.numbers, other.numbers, strict=True)))


Lanes4: TypeAlias = Lanes
Lanes8: TypeAlias = Lanes
Lanes16: TypeAlias = Lanes
LANES: Final = (4, 8, 16)


def inline(function: _F) -> _F:
    """A kernel whose code is to stand wherever it is called; not for the world outside."""
    return function


def rare(function: _F) -> _F:
    """A kernel that hardly ever runs: its code is kept apart, and small."""
    return function


def words(count: int) -> array[int]:
    """A local buffer of zeros. Each place in the text of a kernel has one; to come by again makes it zero again."""
    return array("I", bytes(count * array("I").itemsize))


def longs(count: int) -> array[int]:
    """A local buffer of zeros, as `words`."""
    return array("q", bytes(count * 8))


def load32(buffer: Bytes | Octets, i: int) -> int:
    """The number in four bytes, the lowest first."""
    _check(buffer, i, 4)
    return int.from_bytes(buffer[i : i + 4], "little")


def load64(buffer: Bytes | Octets, i: int) -> int:
    """The number in eight bytes, the lowest first; negative if its highest bit is set."""
    _check(buffer, i, 8)
    return int.from_bytes(buffer[i : i + 8], "little", signed=True)


def store64(buffer: Octets, i: int, number: int) -> None:
    """Write a number to eight bytes, the lowest first."""
    _check(buffer, i, 8)
    for k, byte in enumerate(number.to_bytes(8, "little", signed=True)):
        buffer[i + k] = byte


def store32(buffer: Octets, i: int, number: int) -> None:
    """Write the lower 32 bits of a number to four bytes, the lowest first."""
    _check(buffer, i, 4)
    for k, byte in enumerate((number & _MASK).to_bytes(4, "little")):
        buffer[i + k] = byte


# ── the world outside ────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=64)
def _foreign(address: int, count: int) -> Callable[..., int]:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(address)


def invoke(address: int, *arguments: int) -> int:
    """Call the C function at an address with integers of 64 bits; its result is one too. What it does is not checked."""
    return _foreign(address, len(arguments))(*arguments)


def octets(address: int, size: int) -> Octets:
    """So many bytes of memory that is not a kernel's own, as a buffer; accesses are checked against `size`."""
    if size < 0:
        raise IndexError(size)
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")


def numbers(address: int, count: int) -> Longs:
    """As `octets`, so many numbers of 64 bits."""
    if count < 0:
        raise IndexError(count)
    return memoryview((ctypes.c_int64 * count).from_address(address)).cast("B").cast("q")


def address_of(buffer: Bytes | Octets | Words | Longs) -> int:
    """Where the first element of a buffer is, for those outside. It must be held on to for as long as they use it."""
    if isinstance(buffer, bytes):
        return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(buffer)) if len(buffer) else 0


def attempt(function: Callable[..., int | None], otherwise: int, *arguments: Any) -> int:
    """What a kernel returns, `otherwise` if it ends early."""
    try:
        return int(function(*arguments) or 0)
    except IndexError:
        return otherwise


# ── floating point ───────────────────────────────────────────────────────────────────────────────────────────────────


def ratio(numerator: int, denominator: int) -> int:
    """Bits of the double nearest to a quotient; the numbers are below 2**53, or the denominator is 1."""
    return _bits(numerator / denominator)


def scaled(bits: int, factor: int) -> int:
    """The integer nearest to a double times a number below 2**53; 0 for what is no number, the nearest if it leaves 64 bits."""
    product = _double(bits) * factor
    if math.isnan(product):
        return 0
    return int(
        max(-(2**63), min(2**63 - 1, round(product) if math.isfinite(product) else math.copysign(2**64, product)))
    )


def widen(bits: int) -> int:
    """Bits of the double that is a number of 32 bits, of which these are the bits."""
    return _bits(struct.unpack("<f", struct.pack("<I", bits & _MASK))[0])


def narrow(bits: int) -> int:
    """Bits of the number of 32 bits nearest to a double; infinity for what is too large."""
    try:
        packed = struct.pack("<f", _double(bits))
    except OverflowError:
        packed = struct.pack("<f", math.copysign(math.inf, _double(bits)))
    return int.from_bytes(packed, "little")


def _double(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


def _bits(number: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", number))[0])


def rotate_right(x: Any, count: Any) -> Any:
    """A number of 32 bits, or lanes of them, turned by 1 to 31 bits; lanes the same, or each by its own number."""
    if isinstance(x, Lanes):
        return Lanes(tuple(map(rotate_right, x.numbers, x.counts(count))))
    x &= _MASK
    return (x >> count | x << 32 - count) & _MASK


def lanes(buffer: Bytes | Octets | Words, i: int, count: int) -> Lanes:
    """From element `i`: so many words, or so many times four bytes, the lowest first."""
    if memoryview(buffer).itemsize == 1:
        return Lanes(tuple(load32(buffer, i + 4 * k) for k in range(count)))
    _check(buffer, i, count)
    return Lanes(tuple(buffer[i : i + count]))


def put_lanes(buffer: Octets | Words, i: int, x: Lanes) -> None:
    """Write lanes to the elements from `i` on: words, or so many times four bytes, the lowest first."""
    numbers: tuple[int, ...] | bytes = x.numbers
    if memoryview(buffer).itemsize == 1:
        numbers = b"".join(number.to_bytes(4, "little") for number in x.numbers)
    _check(buffer, i, len(numbers))
    for k, number in enumerate(numbers):
        buffer[i + k] = number


def any_bit(x: Lanes) -> bool:
    """Whether a bit of any lane is set."""
    return any(x.numbers)


def spread(number: int, count: int) -> Lanes:
    """One number in all lanes."""
    return Lanes((number & _MASK,) * count)


def shuffle(x: Lanes, order: tuple[int, ...]) -> Lanes:
    """The lanes that `order` names; it is a constant of the module."""
    return Lanes(tuple(x.numbers[k] for k in order))


def shuffle_two(x: Lanes, y: Lanes, order: tuple[int, ...]) -> Lanes:
    """The lanes that `order` names; it counts on from those of `x` to those of `y`."""
    return shuffle(Lanes(x.numbers + y.numbers), order)


def _check(buffer: Bytes | Octets | Words, i: int, count: int) -> None:
    if not 0 <= i <= len(buffer) - count:
        raise IndexError(i)


def seek(data: Bytes | Octets, start: int, end: int, members: bytes) -> int:
    """Position of the first byte of data[start:end] that is one of `members`, a constant; `end` if there is none."""
    if not 0 <= start <= end <= len(data):
        raise IndexError(start)
    for i in range(start, end):
        if data[i] in members:
            return i
    return end


def move(
    target: Octets | Words | Longs, at: int, source: Bytes | Octets | Words | Longs, start: int, size: int
) -> None:
    """Copy `size` elements; the two ranges may overlap."""
    if not (0 <= start <= start + size <= len(source) and 0 <= at <= at + size <= len(target)):
        raise IndexError(at)
    memoryview(target)[at : at + size] = memoryview(source)[start : start + size]


def prefetch(source: Bytes | Octets | Words | Longs, at: int) -> None:
    """Tell the processor that this place will be read. It must not lie behind the end."""
    _check(source, at, 0)


def clear(target: Octets | Words | Longs, at: int, size: int) -> None:
    """Set `size` elements to 0."""
    if not 0 <= at <= at + size <= len(target):
        raise IndexError(at)
    view = memoryview(target)
    view[at : at + size] = array(view.format, bytes(size * view.itemsize))
