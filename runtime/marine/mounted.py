"""Programs of the host that a module was given: run with the arguments the module passes, without a shell.

A program sees an empty environment and an empty working directory unless the configuration says otherwise; its output is bounded.
Output: the four fields of the reference's result. Errors: none; every failure is a result.
Source: marine:marine/src/host_imports/mounted_binaries.rs
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from .calls import kill
from .codec import Codecs
from .interface_types import Tables
from .itypes import BYTES, S32, STRING
from .limits import MOUNTED_OUTPUT_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Running

KILLED: Final = 100_000
NOT_STARTED: Final = 100_001


class MountedResult(NamedTuple):
    """What a module is told."""

    ret_code: int
    error: str
    stdout: bytes
    stderr: bytes


def run_mounted(
    path: str, arguments: list[str], running: Running, *, inherit: bool, timeout_s: float | None
) -> MountedResult:
    """Run a program until it and its streams have ended, the time or its output is used up, or the call is stopped."""
    with tempfile.TemporaryDirectory(prefix="marine-") as empty:
        environment = dict(os.environ) if inherit else {"PATH": os.environ.get("PATH", os.defpath)}
        try:
            process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=None if inherit else empty,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            return MountedResult(NOT_STARTED, getattr(error, "strerror", None) or str(error), b"", b"")
        assert process.stdout is not None
        assert process.stderr is not None
        with process, running.waits_for(process):
            stdout, stderr = _Reader(process, process.stdout), _Reader(process, process.stderr)
            with _time_limit(process, timeout_s):
                # not only the program: what it has started may still hold the streams
                output, errors = stdout.end(), stderr.end()
                process.wait()
        code = process.returncode
        return MountedResult(code if code is not None and code >= 0 else KILLED, "", output, errors)


@contextmanager
def _time_limit(process: subprocess.Popen[bytes], timeout_s: float | None) -> Iterator[None]:
    if timeout_s is None:
        yield
        return
    timer = threading.Timer(timeout_s, kill, (process,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Reader:
    """Collects one stream in a thread, so that neither can block the program."""

    def __init__(self, process: subprocess.Popen[bytes], stream: IO[bytes]) -> None:
        self._process = process
        self._stream = stream
        self._data = bytearray()
        self._thread = threading.Thread(target=self._read, name="mounted-output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while chunk := os.read(self._stream.fileno(), 1 << 16):
            self._data += chunk
            if len(self._data) > MOUNTED_OUTPUT_BYTES_MAX:
                kill(self._process)
                return

    def end(self) -> bytes:
        self._thread.join()
        return bytes(self._data[:MOUNTED_OUTPUT_BYTES_MAX])


def _tables() -> Tables:
    tables = Tables()
    record = tables.record(0)
    record.fields = (("ret_code", S32), ("error", STRING), ("stdout", BYTES), ("stderr", BYTES))
    tables.types.append(record)
    return tables


_TABLES: Final = _tables()
_CODECS: Final = Codecs(_TABLES)
read_arguments: Final = _CODECS.lift_array(STRING)
write_result: Final = _CODECS.lower_record(_TABLES.record(0))
