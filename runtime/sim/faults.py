"""What goes wrong in a simulated network, and when.

Every chance is drawn from the seed and the *name* of what it is about (the third message of particle 7 from peer 1 to peer 4), never
from a running generator: taking a particle or a fault out of a simulation leaves the fate of everything else as it was. That is what
makes failures small.
Two forms: `Seeded` draws, and can write down every fault it hands out; `Listed` knows exactly such a list and nothing else goes wrong.
Errors: ValueError for unknown kinds and malformed lists.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KINDS: Final = {
    "delay": "messages and runs take their time",
    "loss": "messages are lost",
    "duplicate": "messages come several times",
    "reorder": "messages are held back, and overtaken",
    "partition": "some peers cannot reach the others for a while, then they can",
    "crash": "peers die, in the middle of what they do, and start again; only what their store has taken is left",
    "skew": "clocks of peers are fast or slow by a constant",
    "slow": "services take long",
    "fail": "services answer with an error",
    "trap": "the interpreter breaks down in a run",
}
"""Kinds of faults, each with what it means."""

ALL: Final = frozenset(KINDS)
NONE: Final[frozenset[str]] = frozenset()
BENIGN: Final = frozenset({"delay", "duplicate", "reorder", "skew", "slow"})
"""Faults that cost time and nothing else: with these, every program still ends."""
NETWORK_KINDS: Final = frozenset({"delay", "loss", "duplicate", "reorder", "partition"})
"""Faults of messages: what real peers can be given as well."""

MESSAGE_MS: Final = 1
RUN_MS: Final = 1
CALL_MS: Final = 1
"""How long a message, a run and a service call take when nothing is wrong, milliseconds of virtual time."""

TRAPPED: Final = -1
"""Instead of the time of a run: the interpreter breaks down."""

NUMBER_MAX: Final = 2**53
"""Largest number of a plan: times and what is counted stay within 64 bits."""

Fault = tuple[Any, ...]
"""A kind, then what it concerns. Particles and peers are numbers; `n` counts messages of a particle from one peer to another, its runs on
a peer, or its calls there; times are milliseconds.

| fault | fields |
|---|---|
| `lose` | particle, from, to, n |
| `delay` | particle, from, to, n, ms |
| `copy` | particle, from, to, n, ms: one more copy, so long after it was sent |
| `run` | particle, peer, n, ms |
| `trap` | particle, peer, n |
| `slow` | particle, peer, n, ms |
| `fail` | particle, peer, n |
| `cut` | peers on one side, from, until |
| `crash` | peer, at, down for, how many actions of its last event it still performs |
| `skew` | peer, ms |
"""

_SHAPES: Final = {
    "lose": 5,
    "delay": 6,
    "copy": 6,
    "run": 5,
    "trap": 4,
    "slow": 5,
    "fail": 4,
    "cut": 4,
    "crash": 5,
    "skew": 3,
}
_WORDS: Final = struct.Struct("<4Q")
_NAME: Final = struct.Struct("<5q")
_SCALE: Final = 2**32
_LOW: Final = _SCALE - 1

_MESSAGE, _RUN, _CALL, _SETTING = range(4)


def parse_kinds(text: str) -> frozenset[str]:
    """Kinds of faults from `all`, `none`, `benign` or a list with commas. Raises ValueError."""
    named = {"all": ALL, "none": NONE, "benign": BENIGN}.get(text)
    if named is not None:
        return named
    kinds = {part.strip() for part in text.split(",")}
    unknown = sorted(kinds - ALL)
    if unknown:
        raise ValueError(
            f"`{unknown[0]}` is no kind of fault; there are {', '.join(KINDS)}, and `all`, `benign`, `none`"
        )
    return frozenset(kinds)


class Chance:
    """Numbers by name: the same seed and name give the same numbers, in every process and version."""

    __slots__ = ("_base",)

    def __init__(self, seed: int) -> None:
        """Any integer."""
        self._base = blake2b(str(seed).encode(), digest_size=_WORDS.size, person=b"avm sim")

    def words(self, kind: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> tuple[int, int, int, int]:
        """Four numbers below 2**64."""
        digest = self._base.copy()
        digest.update(_NAME.pack(kind, a, b, c, d))
        return _WORDS.unpack(digest.digest())


@dataclass(frozen=True, slots=True)
class Cut:
    """The peers of one side and all others do not hear of each other from `at_ms` until `until_ms`."""

    side: frozenset[int]
    at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Crash:
    """A peer dies at the first event from `at_ms` on, after it has performed `keep` of that event's actions."""

    peer: int
    at_ms: int
    down_ms: int
    keep: int


class Fates(Protocol):
    """What becomes of messages, runs and calls."""

    cuts: tuple[Cut, ...]
    crashes: tuple[Crash, ...]

    def skew_ms(self, peer: int) -> int:
        """How far the clock of a peer is ahead."""
        ...

    def message(self, particle: int, source: int, target: int, n: int) -> Sequence[int]:
        """After how many milliseconds each copy of a message arrives; none when it is lost."""
        ...

    def run(self, particle: int, peer: int, n: int) -> int:
        """How long a run takes, or TRAPPED."""
        ...

    def call(self, particle: int, peer: int, n: int) -> tuple[int, bool]:
        """How long a service takes, and whether it fails."""
        ...

    def cut_off(self, source: int, target: int, at_ms: int) -> bool:
        """Whether two peers cannot reach each other at this time."""
        ...


def _cut_off(cuts: Iterable[Cut], source: int, target: int, at_ms: int) -> bool:
    return any(cut.at_ms <= at_ms < cut.until_ms and (source in cut.side) != (target in cut.side) for cut in cuts)


_LEVELS: Final[dict[str, tuple[float, ...]]] = {
    "delay": (5, 50, 500, 3000),
    "loss": (0.01, 0.05, 0.2),
    "duplicate": (0.05, 0.2, 0.5),
    "reorder": (0.05, 0.2),
    "partition": (1, 2, 3),
    "crash": (1, 2, 4),
    "skew": (50, 2000, 10_000),
    "slow": (0.05, 0.3),
    "fail": (0.02, 0.1),
    "trap": (0.01, 0.05),
}
"""How bad a kind may be in one simulation: milliseconds, shares of messages, runs or calls, or how many."""

_OFF_SHARE: Final = 4
"""Of several kinds asked for, each is left out of one simulation in this many: some bugs show only where others do not happen."""

_REORDER_MS: Final = 2000
_SLOW_MS: Final = 5000
_COPIES_MAX: Final = 4
_CUT_MS: Final = 5000
_DOWN_MS: Final = 4000
_KEEP_MAX: Final = 4


class Seeded:
    """Fates from a seed. `levels`: how bad each kind is in this simulation; 0 is not at all."""

    def __init__(self, seed: int, kinds: frozenset[str], peers: int, span_ms: int, *, record: bool = False) -> None:
        """peers: how many; cuts and crashes begin within `span_ms`. record: write down what is handed out in `recorded`."""
        self._chance = Chance(seed)
        self.recorded: list[Fault] | None = [] if record else None
        self.levels = {kind: self._level(place, kind, kinds) for place, kind in enumerate(KINDS)}
        levels = self.levels
        self._delay_ms = int(levels["delay"])
        self._loss, self._duplicate, self._reorder, self._slow, self._fail, self._trap = (
            int(levels[kind] * _SCALE) for kind in ("loss", "duplicate", "reorder", "slow", "fail", "trap")
        )
        self.cuts = tuple(self._cut(n, peers, span_ms) for n in range(int(levels["partition"])))
        self.crashes = tuple(self._crash(n, peers, span_ms) for n in range(int(levels["crash"])))
        skew = int(levels["skew"])
        self._skews = [self._chance.words(_SETTING, 3, peer)[0] % (2 * skew + 1) - skew for peer in range(peers)]
        if self.recorded is not None:
            self.recorded += [("cut", tuple(sorted(cut.side)), cut.at_ms, cut.until_ms) for cut in self.cuts]
            self.recorded += [("crash", item.peer, item.at_ms, item.down_ms, item.keep) for item in self.crashes]
            self.recorded += [("skew", peer, ms) for peer, ms in enumerate(self._skews) if ms]

    def _level(self, place: int, kind: str, kinds: frozenset[str]) -> float:
        if kind not in kinds:
            return 0
        off, which, _, _ = self._chance.words(_SETTING, 0, place)
        if len(kinds) > 1 and off % _OFF_SHARE == 0:
            return 0
        return _LEVELS[kind][which % len(_LEVELS[kind])]

    def _cut(self, n: int, peers: int, span_ms: int) -> Cut:
        side, at, length, _ = self._chance.words(_SETTING, 1, n)
        at_ms = at % span_ms
        members = frozenset(peer for peer in range(peers) if side >> peer % 64 & 1)
        return Cut(members, at_ms, at_ms + 100 + length % _CUT_MS)

    def _crash(self, n: int, peers: int, span_ms: int) -> Crash:
        peer, at, down, keep = self._chance.words(_SETTING, 2, n)
        return Crash(peer % peers, at % span_ms, 10 + down % _DOWN_MS, keep % (_KEEP_MAX + 1))

    def skew_ms(self, peer: int) -> int:
        """How far the clock of a peer is ahead."""
        return self._skews[peer]

    def message(self, particle: int, source: int, target: int, n: int) -> Sequence[int]:
        """After how many milliseconds each copy of a message arrives; none when it is lost."""
        loss, time, copies, held = self._chance.words(_MESSAGE, particle, source, target, n)
        name = (particle, source, target, n)
        if (loss & _LOW) < self._loss:
            if self.recorded is not None:
                self.recorded.append(("lose", *name))
            return ()
        delay_ms = MESSAGE_MS
        if self._delay_ms:
            delay_ms += (time & _LOW) % self._delay_ms
        if (held & _LOW) < self._reorder:
            delay_ms += (held >> 32) % _REORDER_MS
        delays = [delay_ms]
        share = copies & _LOW
        while share < self._duplicate and len(delays) <= _COPIES_MAX:
            # what is left of the number below the bound is a chance of its own
            share = share * _SCALE // self._duplicate
            delays.append(MESSAGE_MS + (copies >> 32) * len(delays) % (2 * max(self._delay_ms, 50)))
        if self.recorded is not None:
            if delay_ms != MESSAGE_MS:
                self.recorded.append(("delay", *name, delay_ms))
            self.recorded += [("copy", *name, ms) for ms in delays[1:]]
        return delays

    def run(self, particle: int, peer: int, n: int) -> int:
        """How long a run takes, or TRAPPED."""
        trap, time, _, _ = self._chance.words(_RUN, particle, peer, n)
        if (trap & _LOW) < self._trap:
            if self.recorded is not None:
                self.recorded.append(("trap", particle, peer, n))
            return TRAPPED
        ms = RUN_MS if not self._delay_ms else RUN_MS + time % 5
        if self.recorded is not None and ms != RUN_MS:
            self.recorded.append(("run", particle, peer, n, ms))
        return ms

    def call(self, particle: int, peer: int, n: int) -> tuple[int, bool]:
        """How long a service takes, and whether it fails."""
        slow, time, fail, _ = self._chance.words(_CALL, particle, peer, n)
        ms = CALL_MS + time % _SLOW_MS if (slow & _LOW) < self._slow else CALL_MS
        fails = (fail & _LOW) < self._fail
        if self.recorded is not None:
            if ms != CALL_MS:
                self.recorded.append(("slow", particle, peer, n, ms))
            if fails:
                self.recorded.append(("fail", particle, peer, n))
        return ms, fails

    def cut_off(self, source: int, target: int, at_ms: int) -> bool:
        """Whether two peers cannot reach each other at this time."""
        return bool(self.cuts) and _cut_off(self.cuts, source, target, at_ms)


class Listed:
    """Fates from a list of faults."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Raises ValueError for a fault of no known shape."""
        self._times: dict[Fault, int] = {}
        self._copies: dict[Fault, list[int]] = {}
        self._set: set[Fault] = set()
        self._skews: Counter[int] = Counter()
        cuts: list[Cut] = []
        crashes: list[Crash] = []
        for fault in faults:
            check_fault(fault)
            match fault:
                case ("lose" | "trap" | "fail", *_):
                    self._set.add(fault)
                case ("delay" | "run" | "slow", *_):
                    self._times[fault[:-1]] = fault[-1]
                case ("copy", *_):
                    self._copies.setdefault(fault[1:-1], []).append(fault[-1])
                case ("cut", side, at_ms, until_ms):
                    cuts.append(Cut(frozenset(side), at_ms, until_ms))
                case ("crash", peer, at_ms, down_ms, keep):
                    crashes.append(Crash(peer, at_ms, down_ms, keep))
                case ("skew", peer, ms):
                    self._skews[peer] = ms
                case _:
                    raise ValueError(f"not a fault: {list(fault)!r}")
        self.cuts = tuple(cuts)
        self.crashes = tuple(crashes)

    def skew_ms(self, peer: int) -> int:
        """How far the clock of a peer is ahead."""
        return self._skews[peer]

    def message(self, particle: int, source: int, target: int, n: int) -> Sequence[int]:
        """After how many milliseconds each copy of a message arrives; none when it is lost."""
        name = (particle, source, target, n)
        if ("lose", *name) in self._set:
            return ()
        return [self._times.get(("delay", *name), MESSAGE_MS), *self._copies.get(name, ())]

    def run(self, particle: int, peer: int, n: int) -> int:
        """How long a run takes, or TRAPPED."""
        if ("trap", particle, peer, n) in self._set:
            return TRAPPED
        return self._times.get(("run", particle, peer, n), RUN_MS)

    def call(self, particle: int, peer: int, n: int) -> tuple[int, bool]:
        """How long a service takes, and whether it fails."""
        return self._times.get(("slow", particle, peer, n), CALL_MS), ("fail", particle, peer, n) in self._set

    def cut_off(self, source: int, target: int, at_ms: int) -> bool:
        """Whether two peers cannot reach each other at this time."""
        return bool(self.cuts) and _cut_off(self.cuts, source, target, at_ms)


def check_fault(fault: Fault) -> None:
    """Raises ValueError for a fault of no known shape."""
    if not fault or _SHAPES.get(fault[0]) != len(fault):
        raise ValueError(f"not a fault: {list(fault)!r}")
    for place, value in enumerate(fault[1:]):
        if fault[0] == "cut" and place == 0:
            if not isinstance(value, list | tuple) or not all(type(peer) is int for peer in value):
                raise ValueError(f"not a fault: {list(fault)!r}: the first field of a cut is a list of peers")
        elif type(value) is not int or (value < 0 and fault[0] != "skew"):
            raise ValueError(f"not a fault: {list(fault)!r}: field {place + 1} is not a number from 0 on")
        elif abs(value) > NUMBER_MAX:
            raise ValueError(f"not a fault: {list(fault)!r}: field {place + 1} is above {NUMBER_MAX}")
