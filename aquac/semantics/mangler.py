"""Fresh names: `x` stays `x` the first time, then becomes `x-0`, `x-1` and so on.

One mangler serves the statements of a module, another each lowered function. The numbers reach the AIR text, so the
order of requests is observable behaviour. `-` cannot occur in an Aqua identifier, hence no clash with written names.

Source: aqua:utils/mangler/src/main/scala/aqua/mangler/ManglerState.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Mangler:
    """Remembers every name seen and the number to try next for it."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        """Start with no name taken."""
        self._next: dict[str, int] = {}

    def find(self, names: Iterable[str]) -> dict[str, str]:
        """Take every name; returns the renames of those that were taken before. Order of `names` matters."""
        taken = self._next
        renames: dict[str, str] = {}
        for name in names:
            if name not in taken:
                taken[name] = 0
                continue
            number = taken[name]
            while (fresh := f"{name}-{number}") in taken:
                number += 1
            taken[name] = number + 1
            taken[fresh] = 0
            renames[name] = fresh
        return renames

    def forbid(self, names: Iterable[str]) -> None:
        """Mark names as taken without asking for a rename."""
        for name in names:
            self._next.setdefault(name, 0)

    def rename(self, name: str) -> str:
        """A name made of `name` and a number, always numbered."""
        self.forbid((name,))
        return self.find((name,))[name]

    def new(self, name: str) -> str:
        """`name` itself if it is free, else a numbered form."""
        return self.find((name,)).get(name, name)
