"""Random histories on two interpreters: ours and the reference must give the same outcome at every step.

    python -m tests.fuzz.avm_differential --steps 50000 --seed 0 [--minutes M] [--out FILE]

Outcomes are compared in the normal form: code, message, flags, next peers, call requests with their tetraplets, and the
decoded data. The next step continues from ours or from the reference's bytes, in turn, so each must accept the other's. The first
difference is shrunk by deleting parts of the script and printed with its seed; `--out` gets it as a line of
`conformance/avm/scenarios.jsonl`, with explicit inputs and the reference's answer.

Differences that are none of ours, and how they are recognised:

| What | Why | Treatment |
|---|---|---|
| order of entries, peers, requests | hash maps of the reference | normal form |
| order of the results in the message of 30000 | the same | compared sorted |
| message of 8, 9, of 20000 with a `ResolvedFold`, of scripts with several errors; value of `#%m` that has the keys 1 and "1" | the reference meets the entries of a hash map in random order | the reference is asked again, ours must equal one of its answers |
| text of code 2 inside `Validation(…)` | addresses of the reference's memory | compared up to there |
| a trap | the reference panics | ours must be an error that keeps the data and does nothing |
| a trap in a deep script or long fold | its stack is full | ours may be anything consistent with the inputs |
| 20009, 20021 of ours | values that grow exponentially, folds that take for ever: ours has budgets, the reference runs out of address space after minutes | the reference is not asked |
| a step that takes ours longer than 10 s | nested folds over full streams run a million times in both | the history ends there |
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from avm import Avm
from avm.air import parse
from avm.air.walk import children, postorder
from avm.call_data import encode_call_requests
from avm.data.codec import ArchiveError, EnvelopeError, decode
from avm.errors import STEPS_EXHAUSTED, TEXT_EXHAUSTED
from avm.outcome import Outcome
from runtime.reference_avm import ReferenceAvm, ReferenceMissingError, ReferenceTrapError
from tests.conftest import node_modules
from tests.fuzz.avm_history import IDS, SEEDS, Invocation, Manners, play, random_history

STEPS_PER_HISTORY: Final = 24
FRESH_EVERY: Final = 5
"""Each so many steps an interpreter without caches and native code must agree with the one that has both."""

RETRIES_MAX: Final = 40
STEP_SECONDS_MAX: Final = 10
BUDGET_CODES: Final = frozenset({TEXT_EXHAUSTED.number, STEPS_EXHAUSTED.number})
RETRIED_CODES: Final = frozenset({1, 8, 9})
STACK_OVERFLOW: Final = "call stack exhausted"
SHRINK_SECONDS_MAX: Final = 120.0
UNUSED_RESULTS: Final = re.compile(r', (?="[^"]*": CallServiceResult)|`\{|\}`')


class StepTimeout(BaseException):
    """A step took too long; not an Exception, so that nothing on the way catches it."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Interrupt the block after `seconds` of wall-clock time, where the platform and the thread allow that."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: object) -> None:
        raise StepTimeout

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True, slots=True)
class Difference:
    """One step on which the interpreters disagree."""

    invocation: Invocation
    what: str
    ours: Outcome | None
    theirs: Outcome | None


def normal_form(outcome: Outcome, prev_data: bytes) -> dict[str, Any]:
    """Everything of an outcome that does not depend on how an implementation orders its output."""
    message = outcome.error_message
    if outcome.ret_code == 2:
        message = message.partition("Validation(")[0]
    if outcome.ret_code == 30000:
        message = ", ".join(sorted(UNUSED_RESULTS.split(message)))
    data: object = "prev" if outcome.data == prev_data else None
    if outcome.data and (data is None or outcome.ret_code not in range(1, 11)):
        try:
            data = decode(outcome.data)
        except (EnvelopeError, ArchiveError):
            data = "prev" if data else outcome.data
    return {
        "code": outcome.ret_code,
        "message": message,
        "flags": (
            outcome.air_size_limit_exceeded,
            outcome.particle_size_limit_exceeded,
            outcome.call_result_size_limit_exceeded,
        ),
        "next peers": sorted(outcome.next_peer_pks),
        # as bytes, because 1 == 1.0 in Python
        "requests": encode_call_requests(dict(sorted(outcome.call_requests.items()))),
        "data": data,
    }


def first_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """What differs first, for people; None when nothing does."""
    for key, mine in ours.items():
        if mine != theirs[key]:
            return f"{key}: ours {mine!r:.1500}\n   theirs {theirs[key]!r:.1500}"
    return None


@dataclass
class Comparer:
    """Runs each step on ours and on the reference; remembers the first difference.

    turn: steps of the running history; whose data go on depends on it, so that a history depends on its seed alone.
    """

    reference: ReferenceAvm
    avm: Avm = field(default_factory=lambda: Avm("jit"))
    codes: Counter[int] = field(default_factory=Counter)
    steps: int = 0
    turn: int = 0
    traps: int = 0
    overflows: int = 0
    retried: int = 0
    slow: int = 0
    difference: Difference | None = None

    def invoke(self, step: Invocation) -> Outcome | None:
        """One step on both. Returns one side's outcome in turn; None after a trap or a difference."""
        self.steps += 1
        self.turn += 1
        inputs = (step.air, step.prev_data, step.data, step.parameters, step.call_results)
        ours: Outcome | None = None
        try:
            with time_limit(STEP_SECONDS_MAX):
                ours = self.avm.invoke(*inputs)
            if self.turn % FRESH_EVERY == FRESH_EVERY - 1 and Avm("python").invoke(*inputs) != ours:
                self._report(step, "an interpreter without caches and native code answers otherwise", ours, None)
                return None
        except StepTimeout:
            self.slow += 1
            return None
        except Exception as error:  # noqa: BLE001 - a crash is the most interesting difference
            self._report(step, f"crash: {type(error).__name__}: {error}", ours, None)
            return None
        if ours.ret_code in BUDGET_CODES:
            self.slow += 1
            return ours
        try:
            theirs = self.reference.invoke(*inputs)
        except ReferenceTrapError as trap:
            return self._trapped(step, ours, trap)
        self.codes[theirs.ret_code] += 1
        mine = normal_form(ours, step.prev_data)
        what = first_difference(mine, normal_form(theirs, step.prev_data))
        if what is not None and not self._explained(inputs, mine, ours.ret_code, step):
            self._report(step, what, ours, theirs)
            return None
        return ours if self.turn % 2 else theirs

    def _explained(self, inputs: tuple[Any, ...], mine: dict[str, Any], code: int, step: Invocation) -> bool:
        """Whether the reference, asked again, gives our answer: then it depends on the order of its hash maps."""
        resolved_fold = code == 20000 and "ResolvedFold {" in mine["message"]
        if code not in RETRIED_CODES and not resolved_fold and "#%" not in step.air:
            return False
        for _ in range(RETRIES_MAX):
            try:
                again = normal_form(self.reference.invoke(*inputs), step.prev_data)
            except ReferenceTrapError:
                if code in RETRIED_CODES and mine["data"] == "prev":  # of two flaws the one met first decides
                    self.retried += 1
                    return True
                continue
            if first_difference(mine, again) is None:
                self.retried += 1
                return True
        return False

    def _trapped(self, step: Invocation, ours: Outcome, trap: ReferenceTrapError) -> Outcome | None:
        if STACK_OVERFLOW in str(trap):
            self.overflows += 1
            return ours
        self.traps += 1
        if ours.ret_code == 0 or ours.data != step.prev_data or ours.next_peer_pks or ours.call_requests:
            panic = trap.diagnostics.strip()[-400:] or str(trap)[-600:]
            self._report(step, f"the reference panics, ours answers {ours.ret_code}: {panic}", ours, None)
            return None
        return None

    def _report(self, step: Invocation, what: str, ours: Outcome | None, theirs: Outcome | None) -> None:
        if self.difference is None:
            self.difference = Difference(step, what, ours, theirs)


def find_difference(
    air: str, seed: int, manners: Manners, reference: ReferenceAvm, comparer: Comparer | None = None
) -> Difference | None:
    """The first difference of a history; it ends there."""
    comparer = comparer or Comparer(reference)
    comparer.avm, comparer.turn = Avm("jit"), 0

    def invoke(step: Invocation) -> Outcome | None:
        return None if comparer.difference is not None else comparer.invoke(step)

    play(air, seed, STEPS_PER_HISTORY, invoke, manners)
    return comparer.difference


# ── shrinking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def smaller(air: str) -> list[str]:
    """Scripts with one part deleted or replaced by one of its own parts, smallest first."""
    root = parse(air).instruction
    if root is None:
        return []
    data = air.encode()
    found: set[bytes] = set()
    for node in postorder(root):
        start, end = node.span
        inner = [data[child.span[0] : child.span[1]] for child in children(node)]
        for text in (b"(null)", *inner):
            if text != data[start:end]:
                found.add(data[:start] + text + data[end:])
    return [text.decode() for text in sorted(found, key=len)]


def shrink(air: str, still_fails: Callable[[str], bool], seconds: float = SHRINK_SECONDS_MAX) -> str:
    """A script of which no part can be deleted without losing the failure, or the best found in time."""
    deadline = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for candidate in smaller(air):
            if time.monotonic() > deadline:
                return air
            if len(candidate) < len(air) and parse(candidate).instruction is not None and still_fails(candidate):
                air, progress = candidate, True
                break
    return air


def scenario(difference: Difference, name: str) -> dict[str, Any]:
    """The step as a line of the corpus. Its expectation is the reference's answer."""
    from tests.conformance.areas.avm import _described

    step = difference.invocation
    parameters = step.parameters
    expect = {"trap": "panic"} if difference.theirs is None else _described(difference.theirs, full=True)
    return {
        "id": name,
        "tags": ["fuzz"],
        "air": step.air,
        "peers": {peer: {"seed": SEEDS[peer].hex(), "peer_id": IDS[peer]} for peer in IDS},
        "particle": {
            "id": parameters.particle_id,
            "init_peer_id": parameters.init_peer_id,
            "timestamp": parameters.timestamp,
            "ttl": parameters.ttl,
        },
        "limits": {
            "air_size_limit": parameters.air_size_limit,
            "particle_size_limit": parameters.particle_size_limit,
            "call_result_size_limit": parameters.call_result_size_limit,
            "hard_limit_enabled": parameters.hard_limit_enabled,
        },
        "steps": [
            {
                "peer": step.peer,
                "prev_data": {"hex": step.prev_data.hex()},
                "data": {"hex": step.data.hex()},
                "call_results_hex": step.call_results.hex(),
                "current_peer_id": parameters.current_peer_id,
                "secret_key": parameters.secret_key_bytes.hex(),
                "key_format": parameters.key_format,
            }
        ],
        "expect": [expect],
    }


# ── command ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reference_module() -> Path | None:
    """The reference's wasm file, where it is installed."""
    modules = node_modules()
    path = None if modules is None else modules / "@fluencelabs" / "avm" / "dist" / "avm.wasm"
    return path if path is not None and path.is_file() else None


def report(difference: Difference, seed: int, air: str, out: Path | None) -> None:
    """Print a difference; append it to `out`."""
    step = difference.invocation
    print(f"\nDIFFERENCE seed {seed}, peer {step.peer}\n{difference.what}\n\nscript: {air}\nrun:    {step.air}")
    print(f"prev {len(step.prev_data)} B, data {len(step.data)} B, results {step.call_results!r:.300}")
    line = json.dumps(scenario(difference, f"fuzz-{seed}"))
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    else:
        print(f"scenario: {line}")


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 if a difference was found."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.avm_differential", description="ours against the reference")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="first seed; random if absent")
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--out", type=Path, default=None, metavar="FILE")
    parser.add_argument("--keep-going", type=int, default=1, metavar="N", help="differences to find before stopping")
    parser.add_argument("--no-shrink", action="store_true")
    args = parser.parse_args(argv)
    module = reference_module()
    try:
        reference = ReferenceAvm(module)
    except ReferenceMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 40)
    deadline = None if args.minutes is None else time.monotonic() + 60 * args.minutes
    total = Comparer(reference)
    found = histories = 0
    print(f"first seed {seed}")
    while (deadline is not None or total.steps < args.steps) and (deadline is None or time.monotonic() < deadline):
        air, manners = random_history(seed)
        difference = find_difference(air, seed, manners, reference, total)
        histories += 1
        if difference is not None:
            found += 1
            if not args.no_shrink:

                def fails(text: str, seed: int = seed, manners: Manners = manners) -> bool:
                    return find_difference(text, seed, manners, reference) is not None

                air = shrink(air, fails)
                difference = find_difference(air, seed, manners, reference) or difference
            report(difference, seed, air, args.out)
            total.difference = None
            if found >= args.keep_going:
                break
        seed += 1
    print(
        f"{total.steps} steps of {histories} histories, {found} differences; {total.traps} traps and "
        f"{total.overflows} stack overflows of the reference, {total.retried} answers that depend on its hash order, {total.slow} steps too large to compare"
    )
    print("codes: " + ", ".join(f"{code}×{count}" for code, count in sorted(total.codes.items())))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
