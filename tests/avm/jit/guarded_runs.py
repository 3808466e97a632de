"""Native kernels on memory between two regions without access: a stray access ends this process.

    python -m tests.avm.jit.guarded_runs runs|kernels --seed N --count N     prints what was done, as JSON
    python -m tests.avm.jit.guarded_runs read|write|kernel                   strays; ends by SIGSEGV

Buffers stand once at the end of their memory and once at its beginning. What is left of their pages is filled with a pattern, which
must still be there after each call. `runs` also repeats each run in buffers that end in the middle of what it needs.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import random
import resource
import sys
from array import array
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from avm import Avm
from avm.ir.unread import skeleton
from avm.jit.build import kernel_modules, signatures
from avm.jit.kernel_types import CODES
from avm.jit.kernels import heap
from avm.jit.library import TRAPPED, Library, get
from avm.jit.run import NativeRuns
from tests.avm.jit.native_steps import arguments, damaged, honest_steps, new_vm, random_steps, same

PAGE: Final = mmap.PAGESIZE
GUARD: Final = 256 * PAGE
"""On each side."""
PATTERN: Final = b"\xa5"
WHOLE: Final = (1 << 60, 1 << 60)


class Memory:
    """At least `size` bytes between two guards."""

    def __init__(self, size: int) -> None:
        inner = max(PAGE, (size + PAGE - 1) // PAGE * PAGE)
        self._map = mmap.mmap(-1, inner + 2 * GUARD)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self._map)) + GUARD
        self.end = self.start + inner
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for place in (self.start - GUARD, self.end):
            if protect(ctypes.c_void_p(place), ctypes.c_size_t(GUARD), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, content: bytes, at_end: bool) -> int:
        """Address of a copy."""
        ctypes.memset(self.start, PATTERN[0], self.end - self.start)
        place = self.end - len(content) if at_end else self.start
        ctypes.memmove(place, content, len(content))
        return place

    def take(self, place: int, size: int) -> bytes:
        """The content now; the rest must be untouched."""
        found = ctypes.string_at(self.start, self.end - self.start)
        at = place - self.start
        assert not (found[:at] + found[at + size :]).strip(PATTERN), "a write outside of the buffer"
        return found[at : at + size]


class Guarded:
    """The exported kernels, called with copies of their buffers; what they wrote is copied back."""

    def __init__(self, library: Library) -> None:
        self.at_end = True
        self.calls = 0
        self.cut: tuple[int, int] = WHOLE
        """Bytes and words that the two buffers of a run have at most, until one is full."""
        self._memories: dict[tuple[int, int], Memory] = {}
        self.kinds: dict[str, list[str]] = {}
        self.functions: dict[str, Callable[..., int]] = {}
        for name, kinds in signatures(kernel_modules()).items():
            self.kinds[name] = kinds
            count = len(kinds) + sum(kind == "Bytes" or kind in CODES for kind in kinds)
            native = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(library.addresses[name])
            self.functions[name] = self._function(name, native)

    def library(self) -> Library:
        """In the place of the one that gives buffers as they are."""
        return SimpleNamespace(**self.functions)  # type: ignore[return-value]

    def _function(self, name: str, native: Callable[..., int]) -> Callable[..., int]:
        def call(*given: Any) -> int:
            flat: list[int] = []
            placed: list[tuple[Any, Memory, int, int]] = []
            for index, (kind, one) in enumerate(zip(self.kinds[name], given, strict=True)):
                if kind != "Bytes" and kind not in CODES:
                    flat.append(int(one))
                    continue
                count = len(one)
                if name.startswith("run_") and index < 2:
                    count = min(count, self.cut[index])
                content = bytes(memoryview(one)[:count])
                memory = self._memory(index, len(content))
                place = memory.put(content, self.at_end)
                flat += (place, count)
                placed.append((one, memory, place, len(content)))
            self.calls += 1
            value = native(*flat)
            for one, memory, place, size in placed:
                content = memory.take(place, size)
                if isinstance(one, array):
                    memoryview(one).cast("B")[:size] = content
                else:
                    assert content == one, "a write to what is read only"
            if value == TRAPPED:
                self.cut = WHOLE
                raise IndexError(name)
            return value

        return call

    def _memory(self, index: int, size: int) -> Memory:
        pages = (size + PAGE - 1) // PAGE
        if (index, pages) not in self._memories:
            self._memories[index, pages] = Memory(size)
        return self._memories[index, pages]


def library() -> Library:
    found = get()
    if found is None:
        raise SystemExit("no native code")
    return found


def check_runs(rng: random.Random, count: int) -> dict[str, int]:
    """Steps, honest and not; outcomes must be those of the interpreter."""
    guarded = Guarded(library())
    pool = honest_steps() + random_steps(rng.randrange(1 << 32), count // 10)
    tally: Counter[str] = Counter()
    for number in range(count):
        step = rng.choice(pool)
        if number % 2:
            step = damaged(rng, step, pool)
        expected = Avm("python").invoke(*arguments(step))
        runs = NativeRuns(guarded.library())
        for at_end in (True, False):
            guarded.at_end = at_end
            assert same(new_vm(runs).invoke(*arguments(step)), expected), step
        tally["honest"] += number % 2 == 0
        tally["done"] += runs.done
        tally["declined"] += sum(runs.declined.values())
        top, used = runs._words[heap.R_TOP], runs._words[heap.R_HEAP]
        for edge in range(4):
            guarded.at_end = edge != 3
            guarded.cut = rng.choice(((WHOLE[0], rng.randint(0, used)), (rng.randint(0, top), WHOLE[1])))
            runs = NativeRuns(guarded.library())
            assert same(new_vm(runs).invoke(*arguments(step)), expected), step
            tally["cut and repeated"] += runs.done if guarded.cut == WHOLE else 0
            guarded.cut = WHOLE
    tally["calls"] = guarded.calls
    return dict(tally)


def check_kernels(rng: random.Random, count: int) -> dict[str, int]:
    """The other kernels, with arguments that make sense and with any; they must do what they do on usual memory."""
    plain = library()
    guarded = Guarded(plain)
    tally: Counter[str] = Counter()
    pool = honest_steps()
    scripts = sorted({step.air.encode() for step in pool})
    texts = sorted(
        {step.call_results for step in pool} | {b'{"b":[1,2.50,"\\u00e9"],"a":{"x":null,"x":true}}', b" [1] "}
    )
    names = [name for name in guarded.functions if not name.startswith("run_") and name != "read_air"]

    def damage(text: bytes) -> bytes:
        out = bytearray(text)
        for _ in range(rng.choice((0, 0, 1, 3))):
            at = rng.randrange(len(out) + 1)
            out[at : at + rng.choice((0, 1, 1, 9))] = rng.choice(
                (b"", b'"', b"\\", b"(", b")", b"[", b"]", b"\xff", b".")
            )
        return bytes(out[: rng.choice((len(out), rng.randint(0, len(out))))])

    def number(sizes: list[int]) -> int:
        size = rng.choice(sizes)
        inside = rng.randint(0, size)
        return rng.choice((0, 1, inside, inside, inside, size - 1, size, size + 1, -1, 1 << 40, -(1 << 62), 1 << 62))

    for _ in range(count):
        guarded.at_end = rng.random() < 0.7
        text = damage(rng.choice(scripts))
        found = [skeleton(text, one.read_air, {}) for one in (plain, guarded.library())]
        assert found[0] == found[1], text
        tally["scripts taken"] += found[0] is not None
        for name in names:
            data = damage(rng.choice(texts)) + bytes(rng.choice((0, 0, 3, 70)))
            sizes = [len(data)]
            given: list[Any] = []
            for kind in guarded.kinds[name]:
                if kind == "Bytes":
                    given.append(data)
                elif kind == "Octets":
                    given.append(array("B", data))
                elif kind == "Words":
                    given.append(array("I", bytes(4 * rng.choice((0, 7, 8, 24, 64)))))
                elif kind == "Longs":
                    given.append(array("q", [number(sizes) for _ in range(rng.choice((0, 2, 8, 700)))]))
                else:
                    given.append(number(sizes))
            if rng.random() < 0.5 and name == "canonical":
                given[1:] = 0, len(data) // 2, len(data) // 2, array("q", bytes(8 * 1024))
            answers = []
            for one in (plain, guarded.library()):
                copies = [array(item.typecode, item) if isinstance(item, array) else item for item in given]
                try:
                    value = getattr(one, name)(*copies)
                except IndexError:
                    value = None
                answers.append((value, copies))
            assert answers[0] == answers[1], (name, given)
            tally["answers" if answers[0][0] is not None else "refusals"] += 1
    tally["calls"] = guarded.calls
    return dict(tally)


def stray(how: str) -> None:
    """An access outside. Does not return."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = Memory(PAGE)
    print("inside", ctypes.string_at(memory.end - 1, 1), flush=True)
    if how == "read":
        ctypes.string_at(memory.end, 1)
    elif how == "write":
        ctypes.memset(memory.start - 1, 0, 1)
    else:
        # the kernel is told that its buffer were longer than it is
        address = library().addresses["blake3"]
        native = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(address)
        digest = array("I", bytes(32))
        native(memory.start, 2 * PAGE, 0, 2 * PAGE, *digest.buffer_info())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="tests.avm.jit.guarded_runs")
    parser.add_argument("what", choices=("runs", "kernels", "read", "write", "kernel"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=50)
    args = parser.parse_args()
    if args.what in ("runs", "kernels"):
        check = check_runs if args.what == "runs" else check_kernels
        print(json.dumps(check(random.Random(args.seed), args.count)))
    else:
        stray(args.what)
    return 0


if __name__ == "__main__":
    sys.exit(main())
