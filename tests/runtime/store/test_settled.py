"""Waiting for the store from a task."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
import trio
import trio.testing

from runtime.store.settled import settled
from runtime.store.state import StateError


def test_a_task_waits_even_when_it_is_cancelled():
    async def main():
        future: Future[None] = Future()
        done = []

        async def task():
            await settled(future)
            done.append(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(task)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked()
                assert not done
                await trio.to_thread.run_sync(future.set_result, None)
        assert done

    trio.run(main)


def test_a_failure_is_raised():
    async def main():
        future: Future[None] = Future()
        future.set_exception(StateError("full"))
        with pytest.raises(StateError, match="full"):
            await settled(future)

    trio.run(main)
