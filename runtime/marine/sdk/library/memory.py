"""Memory: objects, their collection, and the end of a call by an error.

New objects are taken from the end of the heap, one after the other; nothing is freed during a call. When the call is over and its result was
taken, a module without objects in its variables starts again at the beginning of the heap. Otherwise what the variables refer to is copied behind
the heap, object by object, and then moved to its beginning; this happens only when the heap has doubled, so it costs a constant share.

A call may be cut off: by an error of its own, by the host, by an error of a module it calls. What it made is given up at the beginning of the
next call. By then the next call's arguments may be in memory; if the call was cut off while it waited for the host, they are kept like variables.

An object begins with a word of the collector: 0, 1 for a text that shares its bytes with another, else where the object has moved to. A text: word,
address of bytes, number of bytes, `len`. The bytes it does not share follow two words: how many are used, how many there are. A list: word, length,
room, address of elements. A record: word, fields, each at a multiple of its size.
"""

from __future__ import annotations

from typing import TypeVar

from runtime.marine.sdk.intrinsics import (
    address,
    collect,
    element_size,
    file_name,
    grow,
    heap_base,
    holds_objects,
    host_log,
    is_boxed,
    item,
    like,
    line,
    load32,
    move,
    pages,
    rare,
    record_size,
    store32,
    trace,
    trace_fields,
    trace_state,
    trap,
    ult,
    unwrapped,
)

from .numbers import show_int
from .texts import concat, count_of, data_of, size_of

T = TypeVar("T")
S = TypeVar("S", str, bytes)
K = TypeVar("K")
V = TypeVar("V")

_top = 0
_limit = 0
_threshold = 0
_active = 0
_shift = 0
_start = 0
_calling = 0

_SLACK = 16
_PAUSE = 65536
_MEMORY_MAX = 4294836224


def alloc(count: int) -> int:
    """Address of so many new bytes, a multiple of 8."""
    global _top
    start = _top
    end = (start + count + 7) & -8
    if ult(_limit, end):  # also if the sum went beyond 64 bits
        return more(count)
    _top = end
    return start


@rare
def more(count: int) -> int:
    """As `alloc`, with memory of the host. The last bytes stay unused: hosts refuse to read them."""
    global _top, _limit
    if _top == 0:
        _top = heap_base()
    start = _top
    end = (start + count + 7) & -8
    if count < 0 or count > _MEMORY_MAX or end > _MEMORY_MAX:
        no_memory()
    have = pages()
    if end > (have << 16) - _SLACK:
        wanted = (end + _SLACK + 65535 >> 16) - have
        if grow(wanted + (have >> 3)) < 0 and grow(wanted) < 0:
            no_memory()
    _limit = (pages() << 16) - _SLACK
    _top = end
    return start


@rare
def no_memory() -> None:
    """End the call without making anything."""
    message = "MemoryError: out of memory"
    host_log(1, 0, data_of(message), size_of(message))
    trap()


def panic(message: str) -> None:
    """End the call; the message says where the program was."""
    text = concat(concat(concat(concat(file_name(), ":"), show_int(line())), ": "), message)
    host_log(1, 0, data_of(text), size_of(text))
    trap()


def allocate(count: int, tag: int) -> int:
    """Memory for the host, which counts in elements; sizes of types by tag.

    The host asks for it before a call, and while it serves one of ours. If a call is open that waits for nothing, it was cut off.
    """
    if _active == 1 and _calling == 0:
        leave()
        collect()
    if count == 0:
        return 0
    if tag == 4 or tag == 8 or tag == 10:
        return alloc(count << 3)
    if tag == 3 or tag == 7 or tag == 9:
        return alloc(count << 2)
    if tag == 2 or tag == 6:
        return alloc(count << 1)
    if tag <= 5:
        return alloc(count)
    return alloc(0)


def enter() -> None:
    """A call begins whose arguments are in memory already."""
    global _active
    _active = 1


def enter_plain() -> None:
    """A call begins that has no arguments in memory. One before it may have been cut off."""
    if _active == 1:
        leave()
        collect()
    enter()


def leave() -> None:
    """A call has ended."""
    global _active, _calling
    _active = 0
    _calling = 0


def ask() -> None:
    """The host is asked for something that it may have to put into memory, or that may fail."""
    global _calling
    _calling = 1


def asked() -> None:
    """It has answered."""
    global _calling
    _calling = 0


def cut_off() -> bool:
    """Whether the call before this one was cut off while it waited for the host."""
    return _calling == 1


def begin_moving() -> None:
    """From here on objects are copied behind the heap; addresses in them are those they will have in the end."""
    global _shift, _start
    _start = _top
    _shift = heap_base() - _top


def end_moving() -> None:
    """Move the copies to the beginning of the heap."""
    global _top, _threshold, _calling
    live = _top - _start
    move(heap_base(), _start, live)
    _top = heap_base() + live
    _threshold = _top + max(live, _PAUSE)
    _calling = 0


def collect_all() -> None:
    """After a call, in a module whose variables refer to no objects."""
    global _top
    if _active == 0:
        _top = heap_base()


def collect_some() -> None:
    """After a call, in other modules."""
    if _active == 1 or _top <= _threshold or _top == 0:
        return
    begin_moving()
    trace_state()
    end_moving()


def trace_text(value: S) -> S:
    """Copy a text, its bytes right behind it."""
    place = address(value)
    if place < heap_base():
        return value
    moved = load32(place)
    if moved > 1:
        return like(value, moved)
    count = size_of(value)
    copy = alloc(24 + count)
    store32(copy, 0)
    store32(copy + 4, copy + 24 + _shift)
    store32(copy + 8, count)
    store32(copy + 12, count_of(value))
    store32(copy + 16, count)
    store32(copy + 20, count)
    move(copy + 24, data_of(value), count)
    store32(place, copy + _shift)
    return like(value, copy + _shift)


def trace_list(value: list[T]) -> list[T]:
    """Copy a list, its elements right behind it."""
    place = address(value)
    moved = load32(place)
    if moved > 1:
        return like(value, moved)
    count = load32(place + 4)
    copy = alloc(16 + count * element_size(value))
    store32(copy, 0)
    store32(copy + 4, count)
    store32(copy + 8, count)
    store32(copy + 12, copy + 16 + _shift)
    store32(place, copy + _shift)
    if holds_objects(value):
        for i in range(count):
            store32(copy + 16 + (i << 2), address(trace(item(value, i))))
    else:
        move(copy + 16, load32(place + 12), count * element_size(value))
    return like(value, copy + _shift)


def trace_record(value: T) -> T:
    """Copy a record."""
    place = address(value)
    moved = load32(place)
    if moved > 1:
        return like(value, moved)
    copy = alloc(record_size(value))
    move(copy, place, record_size(value))
    store32(place, copy + _shift)
    trace_fields(value, copy)
    return like(value, copy + _shift)


def trace_optional(value: T | None) -> T | None:
    """Copy what is there."""
    if address(value) == 0:
        return value
    if is_boxed(value):
        place = address(value)
        moved = load32(place)
        if moved > 1:
            return like(value, moved)
        copy = alloc(record_size(value))
        move(copy, place, record_size(value))
        store32(place, copy + _shift)
        return like(value, copy + _shift)
    return like(value, address(trace(unwrapped(value))))
