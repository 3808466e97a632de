"""Iteration order of maps and sets that the reference compiler keeps in hash tables.

The order of `new` instructions, of exported functions and of fields in definitions follows Scala's immutable collections:
insertion order up to four entries, then a trie over a mixed string hash. It is a pure function of the keys and of how the
map was built, so it is emulated here instead of being declared irrelevant.

Source: scala 2.12+ `immutable.Map`/`HashMap`; spec aqua-to-air §13.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

V = TypeVar("V")

SMALL_MAX: Final = 4
"""Largest map that keeps insertion order."""

_MASK: Final = 0xFFFFFFFF


def java_hash(text: str) -> int:
    """`String.hashCode` of Java: over UTF-16 units, as an unsigned 32-bit number."""
    value = 0
    units = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & _MASK
    return value


@lru_cache(maxsize=65536)
def mixed_hash(text: str) -> int:
    """The hash a trie places a key by."""
    value = java_hash(text)
    value = (value + ~(value << 9)) & _MASK
    value ^= value >> 14
    value = (value + (value << 4)) & _MASK
    return value ^ value >> 10


def trie_order(keys: Iterable[str]) -> list[str]:
    """Keys in the order a hash trie yields them; keys of equal hash stay in the order given."""
    result: list[str] = []
    # Within a node, entries come before sub-tries; both by ascending 5-bit index.
    stack: list[tuple[list[str], int]] = [(list(keys), 0)]
    while stack:
        group, shift = stack.pop()
        if len(group) == 1 or shift > 31:
            result.extend(group)
            continue
        by_index: dict[int, list[str]] = {}
        for key in group:
            by_index.setdefault(mixed_hash(key) >> shift & 31, []).append(key)
        ordered = [by_index[index] for index in sorted(by_index)]
        result.extend(keys[0] for keys in ordered if len(keys) == 1)
        stack.extend((keys, shift + 5) for keys in reversed(ordered) if len(keys) > 1)
    return result


def set_order(keys: Iterable[str]) -> list[str]:
    """Order of a set or map built by inserting `keys` one after the other; repeated keys keep their first place."""
    distinct = list(dict.fromkeys(keys))
    return distinct if len(distinct) <= SMALL_MAX else trie_order(distinct)


def find_order(names: Iterable[str]) -> list[str]:
    """Order in which a set of names asks the mangler.

    The order shows only when one name is the numbered form of another (`x-0` beside `x`); otherwise hashing is spared.
    """
    distinct = dict.fromkeys(names)
    if "-" not in "".join(distinct):
        return list(distinct)
    for name in distinct:
        base, dash, number = name.rpartition("-")
        if dash and base in distinct and number.isdigit():
            return set_order(distinct)
    return list(distinct)


def export_order(names: Iterable[str]) -> list[str]:
    """Order of exported names: each is combined into the map so far, and the smaller or equal map goes into the other."""
    result: ScalaMap[None] = ScalaMap()
    for name in dict.fromkeys(names):
        one = ScalaMap({name: None})
        result = one.concat(result) if len(result) <= len(one) else result.concat(one)
    return list(result)


class ScalaMap(Generic[V]):
    """An immutable map with Scala's iteration order. A map that once outgrew four entries stays a trie when it shrinks."""

    __slots__ = ("_entries", "_trie")

    def __init__(self, entries: Mapping[str, V] | None = None, *, trie: bool = False) -> None:
        """Insert `entries` in their order."""
        self._entries: dict[str, V] = dict(entries or {})
        self._trie = trie or len(self._entries) > SMALL_MAX

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        """Whether `key` has an entry."""
        return key in self._entries

    def __getitem__(self, key: str) -> V:
        """Value under `key`. Raises: KeyError."""
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        """Keys in order."""
        return iter(trie_order(self._entries) if self._trie else list(self._entries))

    def items(self) -> list[tuple[str, V]]:
        """Entries in order."""
        return [(key, self._entries[key]) for key in self]

    def updated(self, key: str, value: V) -> ScalaMap[V]:
        """With `key` set; an existing key keeps its place."""
        return ScalaMap({**self._entries, key: value}, trie=self._trie)

    def without(self, keys: Iterable[str]) -> ScalaMap[V]:
        """Without the entries of `keys`."""
        gone = set(keys)
        return ScalaMap({k: v for k, v in self._entries.items() if k not in gone}, trie=self._trie)

    def concat(self, other: ScalaMap[V]) -> ScalaMap[V]:
        """`self ++ other`: the right side wins."""
        if self._trie:
            return ScalaMap({**self._entries, **other._entries}, trie=True)
        if not other:
            return self
        if not self:
            return other
        return ScalaMap(dict(chain(self.items(), other.items())))
