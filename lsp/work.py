"""Work that takes long: done in slices between which other messages are served, shown to the client, stopped when it says so."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .server import AquaServer

SLICE_SECONDS: Final = 0.008
"""How long messages may wait for a slice to end; a step that takes longer is not divided."""

SHOWN_FROM: Final = 100
"""Steps from which work that the client did not ask to see is shown."""

Token = int | str


class WorkStopped(Exception):
    """The client cancelled the progress of this work."""


class Work:
    """The long work of one server."""

    def __init__(self, server: AquaServer) -> None:
        """Have nothing to do."""
        self._server = server
        self._tokens = 0
        self._index: asyncio.Task[None] | None = None
        self.is_indexed = False

    def index(self) -> None:
        """Begin to read the workspace, from the start if that is going on."""
        if self._index is not None:
            self._index.cancel()
        self.is_indexed = False
        self._index = asyncio.get_running_loop().create_task(self._read_workspace())

    async def _read_workspace(self) -> None:
        workspace = self._server.documents
        try:
            await self.gradually(workspace.index(), "Reading Aqua files")
        except WorkStopped:
            return
        self.is_indexed = True

    async def gradually(self, steps: Iterator[int], title: str, token: Token | None = None) -> None:
        """Do all steps, each of which tells how many there are (0: unknown yet).

        token: under which the client wants to see the work. Without one, much work is shown if the client can show it.
        Raises: WorkStopped; asyncio.CancelledError when the request is cancelled.
        """
        done = shown = 0
        began = token is not None
        if token is not None:
            self._begin(token, title)
        end = time.perf_counter() + SLICE_SECONDS
        try:
            for total in steps:
                done += total > 0
                if token is None and total >= SHOWN_FROM:
                    token = await self._create()
                    began = token is not None
                    if token is not None:
                        self._begin(token, title)
                    else:
                        token = ""
                if began and token is not None:
                    percentage = 100 * done // total if total else 0
                    if percentage > shown:
                        shown = percentage
                        report = types.WorkDoneProgressReport(message=f"{done}/{total}", percentage=shown)
                        self._server.work_done_progress.report(token, report)
                    if self._server.work_done_progress.tokens[token].cancelled():
                        raise WorkStopped
                if time.perf_counter() >= end:
                    await asyncio.sleep(0)
                    end = time.perf_counter() + SLICE_SECONDS
        finally:
            if began and token is not None:
                self._server.work_done_progress.end(token, types.WorkDoneProgressEnd())
                self._server.work_done_progress.tokens.pop(token, None)

    async def _create(self) -> Token | None:
        """A token for work the client did not ask for; None if it cannot show any."""
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return None
        self._tokens += 1
        token = f"aqua-{self._tokens}"
        await self._server.work_done_progress.create_async(token)
        return token

    def _begin(self, token: Token, title: str) -> None:
        begin = types.WorkDoneProgressBegin(title, cancellable=True, percentage=0)
        self._server.work_done_progress.begin(token, begin)
