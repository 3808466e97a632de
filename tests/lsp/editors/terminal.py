"""A program in a terminal: what it writes, without the escapes, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from time import monotonic
from types import TracebackType
from typing import Self

LIMIT_SECONDS = 60
"""Longest wait for something that has to come."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?<>=!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[()][A-Z0-9]|.)")


class Terminal:
    """The program of a command, ended with the block. Reads in order: `expect` goes on where the last one found."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=far,
            stdout=far,
            stderr=far,
            env={**env, "TERM": "xterm-256color"},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(far)
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)

    def keys(self, text: str) -> None:
        """Type."""
        os.write(self._near, text.encode())

    def expect(self, pattern: str) -> None:
        """Wait until the program has written something that matches. Raises AssertionError with what it wrote."""
        deadline = monotonic() + LIMIT_SECONDS
        while True:
            plain = _ESCAPE.sub("", self._text)
            found = re.search(pattern, plain)
            if found:
                self._text = plain[found.end() :]
                return
            if monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"{pattern} did not come:\n{plain[-3000:]}")

    def end(self) -> int:
        """Wait for the end of the program."""
        deadline = monotonic() + LIMIT_SECONDS
        while self._read(deadline):
            pass
        return self._process.wait(LIMIT_SECONDS)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._near], [], [], max(0.0, deadline - monotonic()))
        try:
            data = os.read(self._near, 65536) if ready else b""
        except OSError:  # the program has ended
            return False
        self._text += data.decode(errors="replace")
        return bool(data)
