"""Texts and bytes, which are kept alike: UTF-8 or bytes, with the number of code points or bytes. Positions count those."""

from __future__ import annotations

from typing import TypeVar

from runtime.marine.sdk.intrinsics import (
    UnicodeDecodeError,
    address,
    is_text,
    item,
    like,
    load8,
    load32,
    move,
    number,
    set_item,
    store8,
    store32,
)

from .lists import list_append, list_room, set_length
from .memory import alloc

S = TypeVar("S", str, bytes)
N = TypeVar("N", bound=int)

_MAX = 9223372036854775807
_LONGEST = 4294967295


def data_of(text: S) -> int:
    """Where the bytes are."""
    return load32(address(text) + 4)


def size_of(text: S) -> int:
    """How many there are."""
    return load32(address(text) + 8)


def count_of(text: S) -> int:
    """`len`."""
    return load32(address(text) + 12)


def points(data: int, count: int) -> int:
    """How many code points so many bytes are."""
    out = 0
    for i in range(count):
        if load8(data + i) & 192 != 128:
            out += 1
    return out


def shared(text: S, data: int, size: int, count: int) -> S:
    """A text of bytes that lie somewhere already."""
    made = alloc(16)
    store32(made, 1)
    store32(made + 4, data)
    store32(made + 8, size)
    store32(made + 12, count)
    return like(text, made)


def fresh(text: S, size: int, room: int) -> S:
    """A text with bytes of its own, to be written; `len` is its size until it is set."""
    made = alloc(24 + room)
    store32(made, 0)
    store32(made + 4, made + 24)
    store32(made + 8, size)
    store32(made + 12, size)
    store32(made + 16, size)
    store32(made + 20, room)
    return like(text, made)


def concat(a: S, b: S) -> S:
    """`a + b`. Bytes are added to those of `a` if nothing follows them yet and there is room, so a loop of these costs no more than its result."""
    more = size_of(b)
    if more == 0:
        return a
    old = size_of(a)
    if old == 0:
        return b
    place = address(a)
    data = load32(place + 4)
    count = count_of(a) + count_of(b)
    if load32(place) == 0 and load32(data - 8) == old:
        if load32(data - 4) - old >= more:
            move(data + old, data_of(b), more)
            store32(data - 8, old + more)
            out = alloc(16)
            store32(out, 0)
            store32(out + 4, data)
            store32(out + 8, old + more)
            store32(out + 12, count)
            return like(a, out)
        made = fresh(a, old + more, (old + more) * 2)
    else:
        made = fresh(a, old + more, old + more)
    move(data_of(made), data, old)
    move(data_of(made) + old, data_of(b), more)
    store32(address(made) + 12, count)
    return made


def repeat(text: S, times: int) -> S:
    """`text * times`."""
    size = size_of(text)
    if times <= 0 or size == 0:
        return shared(text, data_of(text), 0, 0)
    if times == 1:
        return text
    if times > _LONGEST:
        raise MemoryError("text is too long")
    made = fresh(text, size * times, size * times)
    for i in range(times):
        move(data_of(made) + i * size, data_of(text), size)
    store32(address(made) + 12, count_of(text) * times)
    return made


def width(byte: int) -> int:
    """Bytes of the code point that begins so."""
    if byte < 128:
        return 1
    if byte < 224:
        return 2
    if byte < 240:
        return 3
    return 4


def offset(text: S, index: int) -> int:
    """Byte at which a code point begins; `index` is 0 to `len`."""
    if size_of(text) == count_of(text):
        return index
    data = data_of(text)
    out = 0
    for _ in range(index):
        out += width(load8(data + out))
    return out


def position(text: S, byte: int) -> int:
    """Code point that begins at a byte."""
    if size_of(text) == count_of(text):
        return byte
    return points(data_of(text), byte)


def text_get(text: str, index: int) -> str:
    """`text[index]`."""
    count = count_of(text)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("string index out of range")
    start = offset(text, index)
    return shared(text, data_of(text) + start, width(load8(data_of(text) + start)), 1)


def bytes_get(text: bytes, index: int) -> int:
    """`text[index]`."""
    count = count_of(text)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("index out of range")
    return load8(data_of(text) + index)


def clamp(index: int, count: int) -> int:
    """The start or stop of a slice as a place between 0 and `count`."""
    if index < 0:
        index += count
        if index < 0:
            return 0
    return min(index, count)


def clamp_back(index: int, count: int) -> int:
    """The same for a slice that goes backwards: between -1 and `count` - 1."""
    if index < 0:
        index += count
        if index < 0:
            return -1
    return count - 1 if index >= count else index


def text_slice(text: S, start: int, stop: int) -> S:
    """`text[start:stop]`; shares its bytes."""
    count = count_of(text)
    start = clamp(start, count)
    stop = clamp(stop, count)
    if start >= stop:
        return shared(text, data_of(text), 0, 0)
    if size_of(text) == count:
        return shared(text, data_of(text) + start, stop - start, stop - start)
    first = offset(text, start)
    last = first
    data = data_of(text)
    for _ in range(stop - start):
        last += width(load8(data + last))
    return shared(text, data + first, last - first, stop - start)


def text_step(text: S, start: int, stop: int, step: int) -> S:
    """`text[start:stop:step]`."""
    count = count_of(text)
    if step > 0:
        start = clamp(start, count)
        stop = clamp(stop, count)
    else:
        start = clamp_back(start, count)
        stop = clamp_back(stop, count)
    made = fresh(text, 0, size_of(text))
    out = data_of(made)
    data = data_of(text)
    size = 0
    found = 0
    while start < stop if step > 0 else start > stop:
        place = offset(text, start)
        bytes_ = width(load8(data + place)) if is_text(text) else 1
        move(out + size, data + place, bytes_)
        size += bytes_
        found += 1
        start += step
    store32(address(made) + 8, size)
    store32(address(made) + 12, found)
    store32(address(made) + 16, size)
    return made


def same(a: int, b: int, count: int) -> bool:
    """Whether so many bytes are equal."""
    for i in range(count):
        if load8(a + i) != load8(b + i):
            return False
    return True


def text_equal(a: S, b: S) -> bool:
    """`a == b`."""
    size = size_of(a)
    if size != size_of(b):
        return False
    return same(data_of(a), data_of(b), size)


def text_less(a: S, b: S) -> bool:
    """`a < b`: the order of UTF-8 is that of code points."""
    least = min(size_of(a), size_of(b))
    for i in range(least):
        x = load8(data_of(a) + i)
        y = load8(data_of(b) + i)
        if x != y:
            return x < y
    return size_of(a) < size_of(b)


def seek(text: S, part: S, start: int, stop: int) -> int:
    """Byte of the first `part` that lies in bytes `start` to `stop`; -1."""
    size = size_of(part)
    data = data_of(text)
    wanted = data_of(part)
    while start + size <= stop:
        if same(data + start, wanted, size):
            return start
        start += 1
    return -1


def seek_back(text: S, part: S, start: int, stop: int) -> int:
    """Byte of the last `part` that lies there; -1."""
    size = size_of(part)
    place = stop - size
    while place >= start:
        if same(data_of(text) + place, data_of(part), size):
            return place
        place -= 1
    return -1


def find(text: S, part: S, start: int, stop: int) -> int:
    """`text.find(part, start, stop)`."""
    count = count_of(text)
    if start > count:
        return -1
    start = clamp(start, count)
    stop = clamp(stop, count)
    if start > stop:
        return -1
    found = seek(text, part, offset(text, start), offset(text, stop))
    return -1 if found < 0 else position(text, found)


def rfind(text: S, part: S, start: int, stop: int) -> int:
    """`text.rfind(part, start, stop)`."""
    count = count_of(text)
    if start > count:
        return -1
    start = clamp(start, count)
    stop = clamp(stop, count)
    if start > stop:
        return -1
    found = seek_back(text, part, offset(text, start), offset(text, stop))
    return -1 if found < 0 else position(text, found)


def text_index(text: S, part: S, start: int, stop: int) -> int:
    """`text.index(part)`."""
    found = find(text, part, start, stop)
    if found < 0:
        raise ValueError("substring not found")
    return found


def text_contains(text: S, part: S) -> bool:
    """`part in text`."""
    return seek(text, part, 0, size_of(text)) >= 0


def bytes_contains(text: bytes, byte: int) -> bool:
    """`byte in text`."""
    if byte < 0 or byte > 255:
        raise ValueError("byte must be in range(0, 256)")
    for i in range(size_of(text)):
        if load8(data_of(text) + i) == byte:
            return True
    return False


def text_count(text: S, part: S) -> int:
    """`text.count(part)`."""
    size = size_of(part)
    if size == 0:
        return count_of(text) + 1
    out = 0
    place = 0
    while True:
        place = seek(text, part, place, size_of(text))
        if place < 0:
            return out
        out += 1
        place += size


def startswith(text: S, part: S) -> bool:
    """`text.startswith(part)`."""
    size = size_of(part)
    return size <= size_of(text) and same(data_of(text), data_of(part), size)


def endswith(text: S, part: S) -> bool:
    """`text.endswith(part)`."""
    size = size_of(part)
    return size <= size_of(text) and same(data_of(text) + size_of(text) - size, data_of(part), size)


def removeprefix(text: S, part: S) -> S:
    """`text.removeprefix(part)`."""
    if startswith(text, part):
        return text_slice(text, count_of(part), _MAX)
    return text


def removesuffix(text: S, part: S) -> S:
    """`text.removesuffix(part)`."""
    if count_of(part) > 0 and endswith(text, part):
        return text_slice(text, 0, count_of(text) - count_of(part))
    return text


def cut(text: S, start: int, stop: int) -> S:
    """Bytes `start` to `stop` as a text; shares them."""
    size = stop - start
    count = size
    if size_of(text) != count_of(text):
        count = points(data_of(text) + start, size)
    return shared(text, data_of(text) + start, size, count)


def replace(text: S, old: S, new: S, most: int) -> S:
    """`text.replace(old, new, most)`; `most` below 0 for all."""
    out = shared(text, data_of(text), 0, 0)
    size = size_of(old)
    place = 0
    data = data_of(text)
    while most != 0:
        most -= 1
        if size == 0:
            if place > size_of(text):
                return out
            out = concat(out, new)
            if place == size_of(text):
                return out
            step = width(load8(data + place)) if is_text(text) else 1
            out = concat(out, cut(text, place, place + step))
            place += step
        else:
            found = seek(text, old, place, size_of(text))
            if found < 0:
                return concat(out, cut(text, place, size_of(text))) if place > 0 else text
            out = concat(concat(out, cut(text, place, found)), new)
            place = found + size
    return concat(out, cut(text, place, size_of(text)))


def split(text: S, by: S, most: int) -> list[S]:
    """`text.split(by, most)`; `most` below 0 for all."""
    if size_of(by) == 0:
        raise ValueError("empty separator")
    out: list[S] = []
    place = 0
    while most != 0:
        most -= 1
        found = seek(text, by, place, size_of(text))
        if found < 0:
            break
        list_append(out, cut(text, place, found))
        place = found + size_of(by)
    list_append(out, cut(text, place, size_of(text)))
    return out


def point_at(data: int) -> int:
    """The code point whose bytes are there."""
    first = load8(data)
    if first < 128:
        return first
    if first < 224:
        return (first & 31) << 6 | load8(data + 1) & 63
    if first < 240:
        return (first & 15) << 12 | (load8(data + 1) & 63) << 6 | load8(data + 2) & 63
    return (first & 7) << 18 | (load8(data + 1) & 63) << 12 | (load8(data + 2) & 63) << 6 | load8(data + 3) & 63


def is_space(text: S, data: int) -> int:
    """Bytes of the white space there; 0 if there is none."""
    first = load8(data)
    if first == 32 or (first >= 9 and first <= 13):
        return 1
    if not is_text(text):
        return 0
    if first >= 28 and first <= 31:
        return 1
    if first < 194:
        return 0
    point = point_at(data)
    if point == 133 or point == 160:
        return 2
    if point == 5760 or (point >= 8192 and point <= 8202):
        return 3
    if point == 8232 or point == 8233 or point == 8239 or point == 8287 or point == 12288:
        return 3
    return 0


def before(text: S, place: int) -> int:
    """Where the code point before a byte begins."""
    place -= 1
    if is_text(text):
        while load8(data_of(text) + place) & 192 == 128:
            place -= 1
    return place


def split_space(text: S, most: int) -> list[S]:
    """`text.split()`."""
    out: list[S] = []
    data = data_of(text)
    size = size_of(text)
    place = 0
    while True:
        while place < size:
            space = is_space(text, data + place)
            if space == 0:
                break
            place += space
        if place == size:
            return out
        if most == 0:
            list_append(out, cut(text, place, size))
            return out
        most -= 1
        start = place
        while place < size and is_space(text, data + place) == 0:
            place += width(load8(data + place)) if is_text(text) else 1
        list_append(out, cut(text, start, place))


def strip_space(text: S, left: bool, right: bool) -> S:
    """`text.strip()`, or one side of it."""
    data = data_of(text)
    start = 0
    stop = size_of(text)
    while left and start < stop:
        space = is_space(text, data + start)
        if space == 0:
            break
        start += space
    while right and stop > start:
        last = before(text, stop)
        if is_space(text, data + last) == 0:
            break
        stop = last
    if stop - start == size_of(text):
        return text
    return cut(text, start, stop)


def strip(text: S, chars: S, left: bool, right: bool) -> S:
    """`text.strip(chars)`, or one side of it."""
    start = 0
    stop = size_of(text)
    data = data_of(text)
    while left and start < stop:
        size = width(load8(data + start)) if is_text(text) else 1
        if seek(chars, cut(text, start, start + size), 0, size_of(chars)) < 0:
            break
        start += size
    while right and stop > start:
        last = before(text, stop)
        if seek(chars, cut(text, last, stop), 0, size_of(chars)) < 0:
            break
        stop = last
    return cut(text, start, stop)


def splitlines(text: S) -> list[S]:
    """`text.splitlines()`."""
    out: list[S] = []
    data = data_of(text)
    size = size_of(text)
    start = 0
    place = 0
    while place < size:
        byte = load8(data + place)
        end = 0
        if byte == 10:
            end = 1
        elif byte == 13:
            end = 2 if place + 1 < size and load8(data + place + 1) == 10 else 1
        elif is_text(text):
            if byte == 11 or byte == 12 or (byte >= 28 and byte <= 30):
                end = 1
            elif byte >= 194:
                point = point_at(data + place)
                if point == 133:
                    end = 2
                elif point == 8232 or point == 8233:
                    end = 3
        if end > 0:
            list_append(out, cut(text, start, place))
            place += end
            start = place
        else:
            place += 1
    if start < size:
        list_append(out, cut(text, start, size))
    return out


def join(by: S, parts: list[S]) -> S:
    """`by.join(parts)`."""
    number = len(parts)
    if number == 0:
        return shared(by, data_of(by), 0, 0)
    size = size_of(by) * (number - 1)
    count = count_of(by) * (number - 1)
    for i in range(number):
        size += size_of(item(parts, i))
        count += count_of(item(parts, i))
    made = fresh(by, size, size)
    store32(address(made) + 12, count)
    out = data_of(made)
    for i in range(number):
        if i > 0:
            move(out, data_of(by), size_of(by))
            out += size_of(by)
        part = item(parts, i)
        move(out, data_of(part), size_of(part))
        out += size_of(part)
    return made


def upper(text: S) -> S:
    """`text.upper()` of ASCII."""
    made = fresh(text, size_of(text), size_of(text))
    store32(address(made) + 12, count_of(text))
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        store8(data_of(made) + i, byte - 32 if byte >= 97 and byte <= 122 else byte)
    return made


def lower(text: S) -> S:
    """`text.lower()` of ASCII."""
    made = fresh(text, size_of(text), size_of(text))
    store32(address(made) + 12, count_of(text))
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        store8(data_of(made) + i, byte + 32 if byte >= 65 and byte <= 90 else byte)
    return made


def is_digit(text: S) -> bool:
    """`text.isdigit()` of ASCII."""
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        if byte < 48 or byte > 57:
            return False
    return size_of(text) > 0


def is_alpha(text: S) -> bool:
    """`text.isalpha()` of ASCII."""
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i) | 32
        if byte < 97 or byte > 122:
            return False
    return size_of(text) > 0


def is_alnum(text: S) -> bool:
    """`text.isalnum()` of ASCII."""
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        letter = byte | 32
        if (byte < 48 or byte > 57) and (letter < 97 or letter > 122):
            return False
    return size_of(text) > 0


def is_blank(text: S) -> bool:
    """`text.isspace()`."""
    return size_of(text) > 0 and size_of(strip_space(text, True, False)) == 0


def has_case(text: S, first: int) -> bool:
    """`text.isupper()` or `islower()` of ASCII: letters there are begin at `first`."""
    found = False
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        letter = byte | 32
        if letter >= 97 and letter <= 122:
            if byte < first or byte >= first + 26:
                return False
            found = True
    return found


def pad(text: S, wanted: int, by: S, side: int) -> S:
    """`text` with `by` on its left (-1), right (1) or both sides (0), to `wanted` code points."""
    missing = wanted - count_of(text)
    if missing <= 0:
        return text
    left = missing if side < 0 else 0
    if side == 0:
        left = missing >> 1
    return concat(concat(repeat(by, left), text), repeat(by, missing - left))


def justified(text: S, wanted: int, by: S, side: int) -> S:
    """`text.ljust(wanted, by)`, or `rjust`."""
    check_fill(by)
    return pad(text, wanted, by, side)


def check_fill(by: S) -> None:
    """What fills is one character."""
    if count_of(by) != 1:
        raise TypeError("the fill character must be exactly one character long")


def center(text: S, wanted: int, by: S) -> S:
    """`text.center(wanted, by)`, which rounds its own way."""
    check_fill(by)
    missing = wanted - count_of(text)
    if missing <= 0:
        return text
    left = (missing >> 1) + (missing & wanted & 1)
    return concat(concat(repeat(by, left), text), repeat(by, missing - left))


def zfill(text: S, wanted: int) -> S:
    """`text.zfill(wanted)`."""
    missing = wanted - count_of(text)
    if missing <= 0:
        return text
    made = fresh(text, size_of(text) + missing, size_of(text) + missing)
    store32(address(made) + 12, wanted)
    sign = 0
    if size_of(text) > 0:
        first = load8(data_of(text))
        if first == 43 or first == 45:
            sign = 1
            store8(data_of(made), first)
    for i in range(missing):
        store8(data_of(made) + sign + i, 48)
    move(data_of(made) + sign + missing, data_of(text) + sign, size_of(text) - sign)
    return made


def ord_of(text: str) -> int:
    """`ord(text)`."""
    if count_of(text) != 1:
        raise TypeError("ord() expected a character")
    return point_at(data_of(text))


def chr_of(point: int) -> str:
    """`chr(point)`."""
    if point < 0 or point > 1114111:
        raise ValueError("chr() arg not in range(0x110000)")
    if point >= 55296 and point <= 57343:
        raise ValueError("chr() arg is a surrogate, which no text of a module can hold")
    made = fresh("", 4, 4)
    data = data_of(made)
    size = 1
    if point < 128:
        store8(data, point)
    elif point < 2048:
        size = 2
        store8(data, 192 | point >> 6)
    elif point < 65536:
        size = 3
        store8(data, 224 | point >> 12)
    else:
        size = 4
        store8(data, 240 | point >> 18)
        store8(data + 1, 128 | point >> 12 & 63)
    if size > 2:
        store8(data + size - 2, 128 | point >> 6 & 63)
    if size > 1:
        store8(data + size - 1, 128 | point & 63)
    store32(address(made) + 8, size)
    store32(address(made) + 12, 1)
    store32(address(made) + 16, size)
    return made


def encode(text: str) -> bytes:
    """`text.encode()`; shares the bytes."""
    return shared(b"", data_of(text), size_of(text), size_of(text))


def decode(text: bytes) -> str:
    """`text.decode()`; shares the bytes."""
    data = data_of(text)
    size = size_of(text)
    place = 0
    count = 0
    while place < size:
        first = load8(data + place)
        need = width(first)
        if first >= 128 and (first < 194 or first > 244):
            raise UnicodeDecodeError("invalid start byte")
        if place + need > size:
            raise UnicodeDecodeError("unexpected end of data")
        for i in range(1, need):
            if load8(data + place + i) & 192 != 128:
                raise UnicodeDecodeError("invalid continuation byte")
        if need > 2:
            point = point_at(data + place)
            if need == 3 and (point < 2048 or (point >= 55296 and point <= 57343)):
                raise UnicodeDecodeError("invalid continuation byte")
            if need == 4 and (point < 65536 or point > 1114111):
                raise UnicodeDecodeError("invalid continuation byte")
        place += need
        count += 1
    return shared("", data, size, count)


def chars(text: str) -> list[str]:
    """`list(text)`."""
    out: list[str] = []
    place = 0
    while place < size_of(text):
        size = width(load8(data_of(text) + place))
        list_append(out, shared(text, data_of(text) + place, size, 1))
        place += size
    return out


def char_at(text: str, place: int) -> str:
    """The character that begins at a byte."""
    return shared(text, data_of(text) + place, width(load8(data_of(text) + place)), 1)


def bytes_of(values: list[N]) -> bytes:
    """`bytes(values)`."""
    made = fresh(b"", len(values), len(values))
    for i in range(len(values)):
        byte = item(values, i)
        if byte < 0 or byte > 255:
            raise ValueError("bytes must be in range(0, 256)")
        store8(data_of(made) + i, byte)
    return made


def zeros(count: int) -> bytes:
    """`bytes(count)`."""
    if count < 0:
        raise ValueError("negative count")
    made = fresh(b"", count, count)
    for i in range(count):
        store8(data_of(made) + i, 0)
    return made


def octets(text: bytes) -> list[N]:
    """`bytearray(text)`, or `list(text)`: elements are as wide as is wanted."""
    out: list[N] = []
    list_room(out, size_of(text))
    for i in range(size_of(text)):
        byte: N = number(load8(data_of(text) + i))
        set_item(out, i, byte)
    set_length(out, size_of(text))
    return out


def hex_of(text: bytes) -> str:
    """`text.hex()`."""
    made = fresh("", size_of(text) * 2, size_of(text) * 2)
    for i in range(size_of(text)):
        byte = load8(data_of(text) + i)
        store8(data_of(made) + i * 2, hex_digit(byte >> 4))
        store8(data_of(made) + i * 2 + 1, hex_digit(byte & 15))
    return made


def hex_digit(value: int) -> int:
    """The character of a digit up to 35."""
    return value + 48 if value < 10 else value + 87
