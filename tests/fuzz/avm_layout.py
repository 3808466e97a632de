"""Archives as no writer lays them out: the same data with other gaps, padding, copies and orders, or with pointers that go astray.

    python -m tests.fuzz.avm_layout --steps 5000 --seed 0

`mutated_bytes` of `avm_tamper` seldom gets behind the checks of an archive, and `encode` has one layout. Here every pointer, size and tag is
laid by hand. An archive without damage holds just what it was made of, so both engines must read it alike; one with damage is
refused or read as by the reference. All pointers to a text have its size: behind a shorter one the reference reads its memory.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from avm import Avm
from avm.call_data import NO_RESULTS
from avm.data.codec import decode
from avm.data.envelope import Versions, write_envelope
from avm.data.interpreter_data import CanonElement, CanonResult, InterpreterData, ServiceResult, Tetraplet
from avm.trace import states
from avm.trace.states import State
from runtime.reference_avm import ReferenceAvm, ReferenceMissingError
from tests.fuzz.avm_differential import FRESH_EVERY, Comparer, reference_module, report
from tests.fuzz.avm_history import HONEST, Invocation, play, random_history

INLINE_MAX: Final = 7
TAGS: Final = {"literal": 0, "service_result": 1, "canon": 2}
KINDS: Final = {states.SCALAR: 0, states.STREAM: 1, states.UNUSED: 2}
Place = tuple[int, int]


def laid_out(rng: random.Random, data: InterpreterData, odd: float, damage: float = 0.0) -> bytes:
    """Data in a layout of their own. odd, damage: shares of places where something is unusual, and where something is wrong."""
    return write_envelope(
        _Layout(rng, odd, damage).archive(data), Versions(data.data_version, data.interpreter_version)
    )


class _Layout:
    def __init__(self, rng: random.Random, odd: float, damage: float) -> None:
        self.rng = rng
        self.odd = odd
        self.damage = damage
        self.out = bytearray()
        self.texts: dict[str, list[Place]] = {}
        self.peers: dict[str, list[int]] = {}
        self.objects: list[int] = []

    # -- what is unusual, and what is wrong

    def unusual(self, factor: float = 1.0) -> bool:
        return self.rng.random() < self.odd * factor

    def wrong(self) -> bool:
        return self.rng.random() < self.damage

    def noise(self, size: int) -> bytes:
        """Padding: zeros, or anything."""
        return self.rng.randbytes(size) if self.unusual(3) else bytes(size)

    def gap(self) -> None:
        if self.unusual(2):
            self.out += self.rng.randbytes(self.rng.randrange(1, 6))

    def align(self) -> int:
        self.out += self.noise(-len(self.out) & 3)
        if self.unusual(2):
            self.out += self.rng.randbytes(4 * self.rng.randrange(1, 4))
        return len(self.out)

    def moved(self, place: int) -> int:
        return place + self.rng.choice((-8, -4, -1, 1, 4)) if self.wrong() else place

    def sized(self, size: int) -> int:
        return self.rng.choice((size + 1, max(size - 1, 0), 0, 2**31, 2**32 - 1)) if self.wrong() else size

    def tag(self, number: int) -> bytes:
        return bytes([self.rng.choice((0, 1, 2, 3, 5, 255)) if self.wrong() else number]) + self.noise(3)

    # -- texts

    def text(self, text: str) -> Place:
        """A shared text, mostly the copy that is there already."""
        known = self.texts.setdefault(text, [])
        if known and not self.unusual(4):
            return self.rng.choice(known)
        if self.wrong() and (others := [place for places in self.texts.values() for place in places]):
            return self.rng.choice(others)
        self.gap()
        piece = text.encode()
        place = (len(self.out), len(piece))
        self.out += piece or b"\0"  # a shared object needs an address of its own
        known.append(place)
        return place

    def string(self, text: str) -> Callable[[], bytes]:
        """An owned string: the body is written now, the eight bytes when they are asked for, where they will stand."""
        piece = text.encode()
        if len(piece) <= INLINE_MAX and not self.unusual():
            size = 8 if self.wrong() else len(piece)
            return lambda: (piece + self.noise(INLINE_MAX - len(piece)))[:INLINE_MAX] + bytes([size])
        self.gap()
        body = self.moved(len(self.out))
        self.out += piece
        return lambda: struct.pack(">I", len(piece)) + struct.pack("<i", body - len(self.out))

    def peer(self, text: str) -> int:
        known = self.peers.setdefault(text, [])
        if known and not self.unusual(4):
            return self.rng.choice(known)
        if self.wrong() and self.objects:
            return self.rng.choice(self.objects)
        string = self.string(text)
        position = self.align()
        self.out += string()
        known.append(position)
        self.objects.append(position)
        return position

    def pointer(self, place: Place, at: int) -> bytes:
        """To a text, whose size is always right."""
        return struct.pack(">iI", place[0] - at, place[1])

    def vector(self, place: Place, at: int) -> bytes:
        return struct.pack(">iI", place[0] - at, self.sized(place[1]))

    # -- the trace

    def trace(self, trace: Iterable[State]) -> Place:
        rows = [(state, self.target(state)) for state in trace]
        base = self.align()
        for state, target in rows:
            self.state(state, target)
        return self.moved(base), len(rows)

    def target(self, state: State) -> Place:
        """What a state points to, written in front of all of them."""
        kind = state[0]
        if kind in {states.SCALAR, states.STREAM, states.UNUSED, states.FAILED, states.CANON}:
            return self.text(state[1])
        if kind in {states.SENT_BY, states.REQUESTED, states.CANON_SENT_BY}:
            return self.peer(state[1]), 0
        if kind == states.AP:
            base = self.align()
            self.out += struct.pack(f">{len(state[1])}I", *state[1])
            return self.moved(base), len(state[1])
        if kind == states.FOLD:
            parts = []
            for _, *numbers in state[1]:
                parts.append(self.moved(self.align()))
                self.out += struct.pack(f">{len(numbers)}I", *numbers)
            base = self.align()
            for entry, part in zip(state[1], parts, strict=True):
                at = len(self.out) + 4
                self.out += struct.pack(">IiI", entry[0], part - at, self.sized(len(entry) // 2))
            return self.moved(base), len(parts)
        return 0, 0

    def state(self, state: State, target: Place) -> None:
        at, kind, position = len(self.out), state[0], target[0]
        match kind:
            case states.PAR:
                row = self.tag(0) + struct.pack(">II", state[1], state[2])
            case states.SENT_BY:
                row = self.tag(1) + self.tag(0) + self.tag(0) + struct.pack(">i", position - at - 12)
            case states.REQUESTED:
                row = self.tag(1) + self.tag(0) + self.tag(1) + struct.pack(">iI", position - at - 12, state[2])
            case states.FAILED:
                row = self.tag(1) + self.tag(2) + self.pointer(target, at + 8)
            case states.FOLD | states.AP:
                row = self.tag(2 if kind == states.FOLD else 3) + self.vector(target, at + 4)
            case states.CANON_SENT_BY:
                row = self.tag(4) + self.tag(0) + struct.pack(">i", position - at - 8)
            case states.CANON:
                row = self.tag(4) + self.tag(1) + self.pointer(target, at + 8)
            case _:
                generation = struct.pack(">I", state[2]) if kind == states.STREAM else b""
                row = self.tag(1) + self.tag(1) + self.tag(KINDS[kind]) + self.pointer(target, at + 12) + generation
        self.out += row + self.noise(24 - len(row))

    # -- stores and signatures

    def store(self, entries: dict[str, Any], write: Callable[[Any], int]) -> Place:
        """Entries in any order; some twice, some with one object, some after an entry of the same key that does not count."""
        items = list(entries.items())
        if self.unusual():
            self.rng.shuffle(items)
        if items and self.unusual():
            items.append(self.rng.choice(items))
        if items and self.unusual():
            items.insert(0, (self.rng.choice(items)[0], self.rng.choice(items)[1]))
        written: dict[Any, int] = {}
        rows = []
        for key, value in items:
            place = self.text(key)
            if self.wrong() and self.objects:
                position = self.rng.choice(self.objects)
            elif value in written and self.unusual(10):
                position = written[value]
            else:
                position = self.moved(write(value))
            written[value] = position
            self.objects.append(position)
            rows.append((place, position))
        if self.wrong():
            self.rng.shuffle(rows)
        base = self.align()
        for place, position in rows:
            at = len(self.out)
            self.out += self.pointer(place, at) + struct.pack(">i", position - at - 8)
        return self.moved(base), len(rows)

    def value(self, text: str) -> int:
        self.gap()
        body = (self.moved(len(self.out)), len(text.encode()))
        self.out += text.encode()
        at = self.align()
        self.out += self.vector(body, at)
        return at

    def tetraplet(self, item: Tetraplet) -> int:
        strings = [self.string(text) for text in item]
        at = self.align()
        for string in strings:
            self.out += string()
        return at

    def element(self, item: CanonElement) -> int:
        value, tetraplet = self.text(item.value), self.text(item.tetraplet)
        source = None if item.provenance.cid is None else self.text(item.provenance.cid)
        at = self.align()
        tail = self.noise(8) if source is None else self.pointer(source, at + 20)
        self.out += (
            self.pointer(value, at) + self.pointer(tetraplet, at + 8) + self.tag(TAGS[item.provenance.kind]) + tail
        )
        return at

    def result(self, item: CanonResult) -> int:
        tetraplet = self.text(item.tetraplet)
        values = [self.text(value) for value in item.values]
        base = self.align()
        for value in values:
            self.out += self.pointer(value, len(self.out))
        at = self.align()
        self.out += self.pointer(tetraplet, at) + self.vector((base, len(values)), at + 8)
        return at

    def service_result(self, item: ServiceResult) -> int:
        parts = [self.text(part) for part in item]
        at = self.align()
        for index, part in enumerate(parts):
            self.out += self.pointer(part, at + 8 * index)
        return at

    def signatures(self, signatures: dict[bytes, bytes]) -> Place:
        rows = []
        for pair in signatures.items():
            for piece in pair:
                self.gap()
                rows.append((self.moved(len(self.out)), len(piece)))
                self.out += piece
        base = self.align()
        for place in rows:
            self.out += self.vector(place, len(self.out))
        return self.moved(base), len(rows) // 2

    def archive(self, data: InterpreterData) -> bytes:
        if self.unusual():
            self.out += self.rng.randbytes(4 * self.rng.randrange(8))
        stores = data.stores
        vectors = [
            self.trace(data.trace),
            self.store(stores.values, self.value),
            self.store(stores.tetraplets, self.tetraplet),
            self.store(stores.canon_elements, self.element),
            self.store(stores.canon_results, self.result),
            self.store(stores.service_results, self.service_result),
            self.signatures(data.signatures),
        ]
        self.align()
        for index, vector in enumerate(vectors):
            self.out += self.vector(vector, len(self.out))
            if index == 0:
                self.out += struct.pack(">I", data.last_call_request_id)
        return bytes(self.out)


def honest_steps(seed: int, count: int) -> list[Invocation]:
    """Steps of honest histories at which data arrive."""
    steps: list[Invocation] = []
    avm = Avm("python")
    while len(steps) < count:

        def invoke(step: Invocation) -> Any:
            if step.data and len(step.data) + len(step.prev_data) < 12_000:
                steps.append(step)
            return avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)

        play(random_history(seed)[0], seed, 8, invoke, HONEST)
        seed += 1
    return steps[:count]


def relaid(rng: random.Random, step: Invocation, odd: float, damage: float) -> Invocation:
    """The step with its current data, its previous data or both laid out anew."""
    side = rng.randrange(4)
    if side != 0:
        step = replace(step, data=laid_out(rng, decode(step.data), odd, damage))
    if side < 2 and step.prev_data:
        step = replace(step, prev_data=laid_out(rng, decode(step.prev_data), odd, damage))
    return step


def compare(comparer: Comparer, seed: int, count: int) -> None:
    """Steps with data in other layouts, and what follows from ours, on both sides up to the first difference."""
    rng = random.Random(seed)
    steps = honest_steps(seed, 1 + count // 20)
    for index in range(count):
        # an interpreter without native code is asked at each first step; ours and theirs go on in turn
        comparer.turn = FRESH_EVERY * index + FRESH_EVERY - 2
        odd, damage = rng.choice(((0.02, 0.0), (0.1, 0.0), (0.2, 0.0), (0.02, 0.003), (0.05, 0.02)))
        step = relaid(rng, rng.choice(steps), odd, damage)
        outcome = comparer.invoke(step)
        if outcome is not None and outcome.data:
            comparer.invoke(replace(step, prev_data=outcome.data, call_results=NO_RESULTS))
        if comparer.difference is not None:
            return


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 if a difference was found."""
    parser = argparse.ArgumentParser(
        prog="tests.fuzz.avm_layout", description="archives in other layouts, on ours and the reference"
    )
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=None, help="random if absent")
    args = parser.parse_args(argv)
    try:
        comparer = Comparer(ReferenceAvm(reference_module()))
    except ReferenceMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 40)
    print(f"seed {seed}")
    compare(comparer, seed, args.steps)
    if comparer.difference is not None:
        report(comparer.difference, seed, comparer.difference.invocation.air, None)
    print(f"{comparer.steps} steps, codes: " + ", ".join(f"{code}×{n}" for code, n in sorted(comparer.codes.items())))
    return 0 if comparer.difference is None else 1


if __name__ == "__main__":
    sys.exit(main())
