"""Tasks that wait until a peer takes more of what their author wrote.

One task is woken for each change, and whoever is let in is a change itself: so as many get up as find room, however many
wait. Authors take turns; the tasks of one author stay in the order they came in.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable


class WaitingRoom:
    """See the module. `may`: whether there is room for an author now."""

    __slots__ = ("_lots", "_may")

    def __init__(self, may: Callable[[str], bool]) -> None:
        """Start empty."""
        self._may = may
        self._lots: OrderedDict[str, trio.lowlevel.ParkingLot] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._lots.values()))

    async def enter(self, author: str) -> None:
        """Return when there is room; whoever returns takes it at once."""
        while not self._may(author):
            lot = self._lots.setdefault(author, trio.lowlevel.ParkingLot())
            try:
                await lot.park()
            finally:
                if not lot and self._lots.get(author) is lot:
                    del self._lots[author]

    def wake(self) -> None:
        """Let the next one look, after anything that may have made room."""
        for author in self._lots:
            if self._may(author):
                self._lots[author].unpark()
                self._lots.move_to_end(author)
                return
