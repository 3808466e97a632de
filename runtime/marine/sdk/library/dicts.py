"""Dicts: entries in the order of insertion, found by a table of places."""

from __future__ import annotations

from typing import TypeVar

from runtime.marine.sdk.intrinsics import Table, equal, hashed, item, load8, lshr, new_table, rare, set_item

from .lists import list_append, new_list, set_length
from .texts import data_of, size_of

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S", str, bytes)

_PRIME = 1099511628211
_BASIS = -3750763034362895579
_MIX = -7046029254386353131


def hash_text(text: S) -> int:
    """FNV-1a."""
    out = _BASIS
    for i in range(size_of(text)):
        out = (out ^ load8(data_of(text) + i)) * _PRIME
    return out ^ lshr(out, 32)


def hash_int(value: int) -> int:
    """Mixed, so that low bits depend on high ones."""
    out = value * _MIX
    return out ^ lshr(out, 32)


def place_of(d: Table[K, V], key: K) -> int:
    """Where in the table a key is, or would be."""
    mask = len(d.table) - 1
    place = hashed(key) & mask
    while True:
        entry = item(d.table, place)
        if entry == -1 or (item(d.alive, entry) and equal(item(d.keys, entry), key)):
            return place
        place = place + 1 & mask


def entry_of(d: Table[K, V], key: K) -> int:
    """Number of the entry of a key; -1."""
    if len(d.table) == 0:
        return -1
    return item(d.table, place_of(d, key))


@rare
def rebuild(d: Table[K, V], room: int) -> None:
    """Give the dict a new table, and drop entries that are gone."""
    kept = 0
    for i in range(len(d.keys)):
        if item(d.alive, i):
            if kept != i:
                set_item(d.keys, kept, item(d.keys, i))
                set_item(d.values, kept, item(d.values, i))
                set_item(d.alive, kept, True)
            kept += 1
    set_length(d.keys, kept)
    set_length(d.values, kept)
    set_length(d.alive, kept)
    size = 8
    while size < room * 2:
        size *= 2
    d.table = new_list(size)
    for i in range(size):
        set_item(d.table, i, -1)
    for i in range(kept):
        set_item(d.table, place_of(d, item(d.keys, i)), i)


def dict_set(d: Table[K, V], key: K, value: V) -> None:
    """`d[key] = value`."""
    found = entry_of(d, key)
    if found >= 0:
        set_item(d.values, found, value)
        return
    if (len(d.keys) + 1) * 3 > len(d.table) * 2:
        rebuild(d, d.live + d.live + 2)
    set_item(d.table, place_of(d, key), len(d.keys))
    list_append(d.keys, key)
    list_append(d.values, value)
    list_append(d.alive, True)
    d.live += 1


def dict_get(d: Table[K, V], key: K) -> V:
    """`d[key]`."""
    found = entry_of(d, key)
    if found < 0:
        raise KeyError("key is not in dict")
    return item(d.values, found)


def dict_get_or(d: Table[K, V], key: K, other: V) -> V:
    """`d.get(key, other)`."""
    found = entry_of(d, key)
    return other if found < 0 else item(d.values, found)


def dict_find(d: Table[K, V], key: K) -> V | None:
    """`d.get(key)`."""
    found = entry_of(d, key)
    if found < 0:
        return None
    return item(d.values, found)


def dict_contains(d: Table[K, V], key: K) -> bool:
    """`key in d`."""
    return entry_of(d, key) >= 0


def dict_set_default(d: Table[K, V], key: K, value: V) -> V:
    """`d.setdefault(key, value)`."""
    found = entry_of(d, key)
    if found >= 0:
        return item(d.values, found)
    dict_set(d, key, value)
    return value


def kill(d: Table[K, V], entry: int) -> None:
    """Take an entry out. Its place in the table stays taken until the table is rebuilt, so that others behind it are found."""
    set_item(d.alive, entry, False)
    d.live -= 1
    if d.live == 0:
        dict_clear(d)


def dict_delete(d: Table[K, V], key: K) -> None:
    """`del d[key]`."""
    found = entry_of(d, key)
    if found < 0:
        raise KeyError("key is not in dict")
    kill(d, found)


def dict_pop(d: Table[K, V], key: K) -> V:
    """`d.pop(key)`."""
    found = entry_of(d, key)
    if found < 0:
        raise KeyError("key is not in dict")
    out = item(d.values, found)
    kill(d, found)
    return out


def dict_pop_or(d: Table[K, V], key: K, other: V) -> V:
    """`d.pop(key, other)`."""
    found = entry_of(d, key)
    if found < 0:
        return other
    out = item(d.values, found)
    kill(d, found)
    return out


def dict_pop_find(d: Table[K, V], key: K) -> V | None:
    """`d.pop(key, None)`."""
    found = entry_of(d, key)
    if found < 0:
        return None
    out = item(d.values, found)
    kill(d, found)
    return out


def dict_clear(d: Table[K, V]) -> None:
    """`d.clear()`."""
    set_length(d.keys, 0)
    set_length(d.values, 0)
    set_length(d.alive, 0)
    set_length(d.table, 0)
    d.live = 0


def dict_keys(d: Table[K, V]) -> list[K]:
    """`list(d)`."""
    out: list[K] = []
    for i in range(len(d.keys)):
        if item(d.alive, i):
            list_append(out, item(d.keys, i))
    return out


def dict_values(d: Table[K, V]) -> list[V]:
    """`list(d.values())`."""
    out: list[V] = []
    for i in range(len(d.keys)):
        if item(d.alive, i):
            list_append(out, item(d.values, i))
    return out


def dict_copy(d: Table[K, V]) -> Table[K, V]:
    """`d.copy()`."""
    out: Table[K, V] = new_table()
    dict_update(out, d)
    return out


def dict_update(d: Table[K, V], other: Table[K, V]) -> None:
    """`d.update(other)`."""
    for i in range(len(other.keys)):
        if item(other.alive, i):
            dict_set(d, item(other.keys, i), item(other.values, i))


def dict_equal(a: Table[K, V], b: Table[K, V]) -> bool:
    """`a == b`: the order does not matter."""
    if a.live != b.live:
        return False
    for i in range(len(a.keys)):
        if item(a.alive, i):
            found = entry_of(b, item(a.keys, i))
            if found < 0 or not equal(item(a.values, i), item(b.values, found)):
                return False
    return True


def dict_next(d: Table[K, V], entry: int) -> int:
    """The next entry that counts, from this one on; the number of entries if there is none."""
    while entry < len(d.keys) and not item(d.alive, entry):
        entry += 1
    return entry
