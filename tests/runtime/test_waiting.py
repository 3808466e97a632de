"""The waiting room of a peer: nobody is woken in vain, nobody is forgotten, authors take turns."""

from __future__ import annotations

import trio
import trio.testing

from runtime.waiting import WaitingRoom


class Place:
    """Room for so many, one author at most `share`; each who enters takes a place."""

    def __init__(self, places: int, share: int = 100) -> None:
        self.places = places
        self.share = share
        self.entered: list[str] = []
        self.looks = 0
        self.room = WaitingRoom(self.may)

    def may(self, author: str) -> bool:
        self.looks += 1
        return self.places > 0 and self.entered.count(author) < self.share

    async def enter(self, author: str) -> None:
        await self.room.enter(author)
        self.places -= 1
        self.entered.append(author)
        self.room.wake()

    def free(self, places: int) -> None:
        self.places += places
        self.room.wake()


def test_as_many_enter_as_find_room() -> None:
    async def main() -> None:
        place = Place(1)
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(place.enter, "a")
            await trio.testing.wait_all_tasks_blocked()
            assert (len(place.entered), len(place.room)) == (1, 9)
            place.free(4)
            await trio.testing.wait_all_tasks_blocked()
            assert (len(place.entered), len(place.room)) == (5, 5)
            place.free(5)
        assert len(place.room) == 0
        assert not place.room._lots

    trio.run(main)


def test_a_change_wakes_one_however_many_wait() -> None:
    async def main() -> None:
        place = Place(0)
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(place.enter, "a")
            await trio.testing.wait_all_tasks_blocked()
            before = place.looks
            for _ in range(10):
                place.room.wake()
                await trio.testing.wait_all_tasks_blocked()
            assert place.looks - before <= 20
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_authors_take_turns_and_one_at_its_share_stops_nobody() -> None:
    async def main() -> None:
        place = Place(0, share=2)
        async with trio.open_nursery() as nursery:
            for author in "aaaabbc":
                nursery.start_soon(place.enter, author)
                await trio.testing.wait_all_tasks_blocked()
            place.free(6)
            await trio.testing.wait_all_tasks_blocked()
            assert sorted(place.entered) == list("aabbc")
            assert place.entered[:3] == list("abc")
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_who_gives_up_stands_in_nobodys_way() -> None:
    async def main() -> None:
        place = Place(0)
        scope = trio.CancelScope()

        async def gives_up() -> None:
            with scope:
                await place.enter("a")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(gives_up)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(place.enter, "a")
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
            place.free(1)
        assert place.entered == ["a"]
        assert not place.room._lots

    trio.run(main)
