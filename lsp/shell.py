"""The server's bytes: standard input and output, or one TCP connection.

Input is read by the event loop itself where the platform lets it: what a thread would read one line at a time comes in one
piece. Where it does not (files, consoles of Windows, one channel for both directions), pygls reads in a thread.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import OK

from .framing import Frames, StreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import AquaServer

FAILED: Final = 1


class _Input(asyncio.Protocol):
    """Bytes of the client to messages of the server."""

    def __init__(self, server: AquaServer, ended: asyncio.Future[int], opened: Callable[[Any], None] | None) -> None:
        self._server = server
        self._ended = ended
        self._opened = opened
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._opened is not None:
            self._opened(transport)

    def data_received(self, data: bytes) -> None:
        try:
            bodies = self._frames.feed(data)
        except StreamBroken as error:
            sys.stderr.write(f"aqua-lsp: what the client sends is no sequence of messages: {error}\n")
            self._end(FAILED)
            return
        try:
            self._server.conversation.handle_bodies(bodies)
        except BrokenPipeError:
            self._end(FAILED)
        except SystemExit as end:  # the client said `exit`
            self._end(end.code if isinstance(end.code, int) else OK)

    def connection_lost(self, _: Exception | None) -> None:
        self._end(OK)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)


class _Output:
    """Standard output as pygls writes to it."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        sys.stdout.buffer.flush()


def serve_stdio(server: AquaServer) -> int:
    """Serve until the client says `exit` or closes its end. The exit code of the process."""
    if not _loop_reads_stdin():
        server.start_io()
        return OK
    return asyncio.run(_stdio(server))


async def _stdio(server: AquaServer) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    server.conversation.set_writer(_Output())
    transport, _ = await loop.connect_read_pipe(lambda: _Input(server, ended, None), sys.stdin.buffer)
    try:
        return await ended
    finally:
        transport.close()


def _loop_reads_stdin() -> bool:
    """Whether standard input is a pipe or socket of its own: output through the same would not wait for its reader."""
    if os.name == "nt":
        return False
    try:
        ins, outs = os.fstat(0), os.fstat(1)
    except OSError:
        return False
    kind = stat.S_IFMT(ins.st_mode)
    return kind in (stat.S_IFIFO, stat.S_IFSOCK) and (ins.st_dev, ins.st_ino) != (outs.st_dev, outs.st_ino)


def serve_tcp(server: AquaServer, host: str, port: int) -> int:
    """Serve the first client that connects; port 0 takes a free one, which is told on standard error. Raises OSError."""
    return asyncio.run(_tcp(server, host, port))


async def _tcp(server: AquaServer, host: str, port: int) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def opened(transport: Any) -> None:
        listener.close()  # one client: its documents and settings are the server's
        server.conversation.set_writer(transport)

    listener = await loop.create_server(lambda: _Input(server, ended, opened), host, port)
    where = listener.sockets[0].getsockname()
    sys.stderr.write(f"aqua-lsp: listening at {where[0]}:{where[1]}\n")
    sys.stderr.flush()
    return await ended
