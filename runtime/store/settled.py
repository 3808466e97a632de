"""Waiting for the store from a task."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from concurrent.futures import Future


async def settled(future: Future[None]) -> None:
    """Return once a commit is on disk. Raises StateError when it failed.

    A cancelled task waits all the same: what it does next must agree with what is on disk.
    """
    token, done = trio.lowlevel.current_trio_token(), trio.Event()

    def tell(_: Future[None]) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(done.set)

    if not future.done():
        future.add_done_callback(tell)
        with trio.CancelScope(shield=True):
            await done.wait()
    future.result()
