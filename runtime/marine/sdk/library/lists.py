"""Lists."""

from __future__ import annotations

from typing import TypeVar

from runtime.marine.sdk.intrinsics import (
    address,
    at,
    element_size,
    equal,
    item,
    less,
    load32,
    move,
    rare,
    set_item,
    store32,
)

from .memory import alloc

T = TypeVar("T")

_LONGEST = 4294967295


def list_at(data: int, count: int) -> list[T]:
    """A list of elements that lie somewhere already."""
    made = alloc(16)
    store32(made, 0)
    store32(made + 4, count)
    store32(made + 8, count)
    store32(made + 12, data)
    out: list[T] = at(made)
    return out


def new_list(count: int) -> list[T]:
    """A list of so many elements, to be written."""
    out: list[T] = at(0)
    if count < 0 or count > _LONGEST:
        raise MemoryError("list is too long")
    made = alloc(16 + count * element_size(out))
    store32(made, 0)
    store32(made + 4, count)
    store32(made + 8, count)
    store32(made + 12, made + 16)
    out = at(made)
    return out


def set_length(values: list[T], count: int) -> None:
    """Set `len`."""
    store32(address(values) + 4, count)


@rare
def list_room(values: list[T], wanted: int) -> None:
    """Make room for so many elements."""
    room = load32(address(values) + 8)
    if wanted <= room:
        return
    if wanted > _LONGEST:
        raise MemoryError("list is too long")
    room = max(wanted, room * 2, 4)
    data = alloc(room * element_size(values))
    move(data, load32(address(values) + 12), len(values) * element_size(values))
    store32(address(values) + 8, room)
    store32(address(values) + 12, data)


def list_append(values: list[T], value: T) -> None:
    """`values.append(value)`."""
    count = len(values)
    if count == load32(address(values) + 8):
        list_room(values, count + 1)
    store32(address(values) + 4, count + 1)
    set_item(values, count, value)


def list_get(values: list[T], index: int) -> T:
    """`values[index]`."""
    count = len(values)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("list index out of range")
    return item(values, index)


def list_set(values: list[T], index: int, value: T) -> None:
    """`values[index] = value`."""
    count = len(values)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("list assignment index out of range")
    set_item(values, index, value)


def list_pop(values: list[T], index: int) -> T:
    """`values.pop(index)`."""
    count = len(values)
    if count == 0:
        raise IndexError("pop from empty list")
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("pop index out of range")
    out = item(values, index)
    close(values, index)
    return out


def list_delete(values: list[T], index: int) -> None:
    """`del values[index]`."""
    count = len(values)
    if index < 0:
        index += count
    if index < 0 or index >= count:
        raise IndexError("list assignment index out of range")
    close(values, index)


def close(values: list[T], index: int) -> None:
    """Take an element out; it is there."""
    count = len(values) - 1
    data = load32(address(values) + 12)
    size = element_size(values)
    move(data + index * size, data + (index + 1) * size, (count - index) * size)
    store32(address(values) + 4, count)


def list_insert(values: list[T], index: int, value: T) -> None:
    """`values.insert(index, value)`."""
    count = len(values)
    if index < 0:
        index = max(index + count, 0)
    index = min(index, count)
    list_room(values, count + 1)
    data = load32(address(values) + 12)
    size = element_size(values)
    move(data + (index + 1) * size, data + index * size, (count - index) * size)
    store32(address(values) + 4, count + 1)
    set_item(values, index, value)


def list_extend(values: list[T], others: list[T]) -> None:
    """`values.extend(others)`."""
    count = len(values)
    more = len(others)
    list_room(values, count + more)
    size = element_size(values)
    move(load32(address(values) + 12) + count * size, load32(address(others) + 12), more * size)
    store32(address(values) + 4, count + more)


def list_extend_bytes(values: list[T], others: bytes) -> None:
    """`values.extend(others)` of a bytearray."""
    count = len(values)
    more = len(others)
    list_room(values, count + more)
    move(load32(address(values) + 12) + count, load32(address(others) + 4), more)
    store32(address(values) + 4, count + more)


def list_concat(a: list[T], b: list[T]) -> list[T]:
    """`a + b`."""
    out: list[T] = new_list(len(a) + len(b))
    size = element_size(a)
    data = load32(address(out) + 12)
    move(data, load32(address(a) + 12), len(a) * size)
    move(data + len(a) * size, load32(address(b) + 12), len(b) * size)
    return out


def list_repeat(values: list[T], times: int) -> list[T]:
    """`values * times`."""
    count = len(values)
    if times < 0:
        times = 0
    if times > _LONGEST:
        raise MemoryError("list is too long")
    out: list[T] = new_list(count * times)
    if count == 1:
        value = item(values, 0)
        for i in range(times):
            set_item(out, i, value)
        return out
    size = count * element_size(values)
    for i in range(times):
        move(load32(address(out) + 12) + i * size, load32(address(values) + 12), size)
    return out


def list_multiply(values: list[T], times: int) -> None:
    """`values *= times`: the list itself changes."""
    made = list_repeat(values, times)
    set_length(values, 0)
    list_extend(values, made)


def list_slice(values: list[T], start: int, stop: int) -> list[T]:
    """`values[start:stop]`."""
    count = len(values)
    start = place(start, count)
    stop = max(place(stop, count), start)
    out: list[T] = new_list(stop - start)
    size = element_size(values)
    move(load32(address(out) + 12), load32(address(values) + 12) + start * size, (stop - start) * size)
    return out


def place(index: int, count: int) -> int:
    """The start or stop of a slice as a place between 0 and `count`."""
    if index < 0:
        index += count
        if index < 0:
            return 0
    return min(index, count)


def place_back(index: int, count: int) -> int:
    """The same for a slice that goes backwards."""
    if index < 0:
        index += count
        if index < 0:
            return -1
    return count - 1 if index >= count else index


def list_step(values: list[T], start: int, stop: int, step: int) -> list[T]:
    """`values[start:stop:step]`."""
    count = len(values)
    out: list[T] = new_list(0)
    if step > 0:
        start = place(start, count)
        stop = place(stop, count)
    else:
        start = place_back(start, count)
        stop = place_back(stop, count)
    while start < stop if step > 0 else start > stop:
        list_append(out, item(values, start))
        start += step
    return out


def list_equal(a: list[T], b: list[T]) -> bool:
    """`a == b`."""
    if len(a) != len(b):
        return False
    for i in range(len(a)):
        if not equal(item(a, i), item(b, i)):
            return False
    return True


def list_find(values: list[T], value: T) -> int:
    """Place of the first equal element; -1."""
    i = 0
    while i < len(values):
        if equal(item(values, i), value):
            return i
        i += 1
    return -1


def list_contains(values: list[T], value: T) -> bool:
    """`value in values`."""
    return list_find(values, value) >= 0


def list_index(values: list[T], value: T) -> int:
    """`values.index(value)`."""
    found = list_find(values, value)
    if found < 0:
        raise ValueError("value is not in list")
    return found


def list_remove(values: list[T], value: T) -> None:
    """`values.remove(value)`."""
    found = list_find(values, value)
    if found < 0:
        raise ValueError("list.remove(x): x not in list")
    close(values, found)


def list_count(values: list[T], value: T) -> int:
    """`values.count(value)`."""
    out = 0
    for i in range(len(values)):
        if equal(item(values, i), value):
            out += 1
    return out


def list_reverse(values: list[T]) -> None:
    """`values.reverse()`."""
    left = 0
    right = len(values) - 1
    while left < right:
        value = item(values, left)
        set_item(values, left, item(values, right))
        set_item(values, right, value)
        left += 1
        right -= 1


def list_reversed(values: list[T]) -> list[T]:
    """`list(reversed(values))`."""
    out = list_slice(values, 0, len(values))
    list_reverse(out)
    return out


def list_sort(values: list[T], reverse: bool) -> None:
    """`values.sort(reverse=…)`: merging runs of growing length, so equal elements keep their order."""
    count = len(values)
    if reverse:
        list_reverse(values)
    source = values
    target = list_slice(values, 0, count)
    run = 1
    while run < count:
        start = 0
        while start < count:
            merge(source, target, start, min(start + run, count), min(start + run * 2, count))
            start += run * 2
        held = source
        source = target
        target = held
        run *= 2
    if address(source) != address(values):
        move(load32(address(values) + 12), load32(address(source) + 12), count * element_size(values))
    if reverse:
        list_reverse(values)


def merge(source: list[T], target: list[T], left: int, middle: int, end: int) -> None:
    """Two sorted runs into one."""
    right = middle
    out = left
    while out < end:
        if left < middle and (right >= end or not less(item(source, right), item(source, left))):
            set_item(target, out, item(source, left))
            left += 1
        else:
            set_item(target, out, item(source, right))
            right += 1
        out += 1


def list_min(values: list[T]) -> T:
    """`min(values)`."""
    if len(values) == 0:
        raise ValueError("min() arg is an empty sequence")
    out = item(values, 0)
    for i in range(1, len(values)):
        if less(item(values, i), out):
            out = item(values, i)
    return out


def list_max(values: list[T]) -> T:
    """`max(values)`."""
    if len(values) == 0:
        raise ValueError("max() arg is an empty sequence")
    out = item(values, 0)
    for i in range(1, len(values)):
        if less(out, item(values, i)):
            out = item(values, i)
    return out
