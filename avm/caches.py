"""What one `Avm` remembers between runs: programs by script, and the decoded form of its own outputs.

A host keeps the data of a particle as bytes and hands them back as previous data; recognising them saves the decoding and
the grouping of CIDs. Both caches are bounded in entries and in bytes, least recently used first out. Nothing here changes
any outcome. Errors: PreparationError (code 1) for a script that does not parse.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal

from avm.limits import (
    DATA_CACHE_BYTES,
    DATA_CACHE_ENTRIES,
    NATIVE_WORK_BYTES,
    PROGRAM_CACHE_BYTES,
    PROGRAM_CACHE_ENTRIES,
)
from avm.stats import CacheStats, Lookups

if TYPE_CHECKING:
    from avm.data.interpreter_data import InterpreterData
    from avm.ir.program import Program, Reader
    from avm.ir.unread import Buffers
    from avm.jit.library import Library
    from avm.prepare import Decoded

Native = Literal["auto", "on", "off"]

_TAIL: Final = 256  # the end of the bytes holds signatures and root, which differ between any two data


def _exact_program(air: str) -> Program:
    from avm.air.parser import parse_exactly
    from avm.ir.lower import lower
    from avm.prepare import AIR_PARSE, PreparationError

    parsed = parse_exactly(air)
    if parsed.instruction is None:
        raise PreparationError(AIR_PARSE, f"air can't be parsed:\n{parsed.report}")
    return lower(parsed.instruction)


class Caches:
    """The caches of one interpreter. Not thread-safe."""

    __slots__ = (
        "_buffers",
        "_data",
        "_data_lookups",
        "_data_size",
        "_native",
        "_program_lookups",
        "_programs",
        "_programs_size",
        "_work_bytes",
    )

    def __init__(self, native: Native = "auto") -> None:
        """Start empty. native: whether native kernels are used: when they pay, always, never."""
        self._native = native
        self._buffers: Buffers = {}
        self._work_bytes = 0
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._programs_size = 0
        self._program_lookups = Lookups()
        self._data: OrderedDict[bytes, tuple[bytes, Decoded]] = OrderedDict()
        self._data_size = 0
        self._data_lookups = Lookups()

    def program(self, air: str) -> Program:
        """The program of a script. Raises PreparationError."""
        program = self._programs.get(air)
        if program is not None:
            self._program_lookups.hits += 1
            self._programs.move_to_end(air)
            return program
        self._program_lookups.misses += 1
        return self._keep(air, self._read(air))

    def native_reader(self, air: str, library: Library) -> Reader | None:
        """Who reads a script that native code takes, None for others: what is wrong with one is found once, in `program`."""
        program = self._programs.get(air)
        if program is None:
            from avm.ir.unread import unread_program

            program = unread_program(air, library, self._buffers)
            if program is None:
                return None
            self._program_lookups.misses += 1
            self._keep(air, program)
        else:
            self._program_lookups.hits += 1
            self._programs.move_to_end(air)
        return program.reader

    def _keep(self, air: str, program: Program) -> Program:
        if len(air) <= PROGRAM_CACHE_BYTES:
            self._programs[air] = program
            self._programs_size += len(air)
            while len(self._programs) > PROGRAM_CACHE_ENTRIES or self._programs_size > PROGRAM_CACHE_BYTES:
                dropped, _ = self._programs.popitem(last=False)
                self._programs_size -= len(dropped)
        return program

    def _read(self, air: str) -> Program:
        from avm.ir.quick import quick_program

        library = self.native(len(air))
        program = None
        if library is not None:
            from avm.ir.unread import unread_program

            program = unread_program(air, library, self._buffers)
        return program or quick_program(air) or _exact_program(air)

    def native(self, work_bytes: int) -> Library | None:
        """The native kernels: if the process has them, once this VM has done so much that they pay, or as it was told."""
        if self._native == "off":
            return None
        if self._native == "auto":
            module = sys.modules.get("avm.jit.library")
            loaded: Library | None = None if module is None else module.loaded()
            if loaded is not None:
                return loaded
            if self._work_bytes < NATIVE_WORK_BYTES:
                # counted afterwards, so that a process with one large run does not load what it has no more use for
                self._work_bytes += work_bytes
                return None
        from avm.jit import library

        return library.get() if self._native == "on" else library.ready()

    def decoded(self, data: bytes) -> Decoded | None:
        """The decoded form of an earlier output, or None."""
        found = self._data.get(data[-_TAIL:])
        if found is None or found[0] != data:
            self._data_lookups.misses += 1
            return None
        self._data_lookups.hits += 1
        self._data.move_to_end(data[-_TAIL:])
        return found[1]

    def remember(self, data: bytes, decoded: InterpreterData) -> None:
        """Keep the decoded form of an output; it must not be changed afterwards."""
        from avm.prepare import Decoded

        if len(data) > DATA_CACHE_BYTES:
            return
        tail = data[-_TAIL:]
        replaced = self._data.pop(tail, None)
        if replaced is not None:
            self._data_size -= len(replaced[0])
        self._data[tail] = (data, Decoded(decoded))
        self._data_size += len(data)
        while len(self._data) > DATA_CACHE_ENTRIES or self._data_size > DATA_CACHE_BYTES:
            _, (dropped, _) = self._data.popitem(last=False)
            self._data_size -= len(dropped)

    def stats(self) -> tuple[CacheStats, CacheStats]:
        """Counts of programs and of data."""
        return (
            CacheStats.of(
                self._program_lookups,
                len(self._programs),
                PROGRAM_CACHE_ENTRIES,
                self._programs_size,
                PROGRAM_CACHE_BYTES,
            ),
            CacheStats.of(self._data_lookups, len(self._data), DATA_CACHE_ENTRIES, self._data_size, DATA_CACHE_BYTES),
        )
