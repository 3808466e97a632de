"""A pool of interpreters in threads."""

from __future__ import annotations

import trio

from avm import Avm
from avm.outcome import RunParameters
from runtime.core.actions import Run
from runtime.vm import ThreadVm
from tests.fuzz.avm_history import IDS, SEEDS

ME = IDS["A"]
RUN = Run((ME, "p"), "(null)", b"", b"", RunParameters(ME, ME, 1, 2, "p", SEEDS["A"]), {})


class Taken(list):
    """Free interpreters, of which another thread takes the last as soon as one has looked."""

    def __bool__(self) -> bool:
        found = len(self) > 0
        self.clear()
        return found


def test_two_threads_may_want_the_last_free_interpreter() -> None:
    """One of them makes another."""

    async def main() -> None:
        pool = ThreadVm(lambda: Avm("python"))
        await pool.run(RUN)
        pool._free = Taken(pool._free)
        assert (await pool.run(RUN)).ret_code == 0

    trio.run(main)
