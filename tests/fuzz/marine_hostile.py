"""Hostile modules in Marine services: every call is answered, in time, in bounded memory, and as the checked interpreter answers it.

    python -m tests.fuzz.marine_hostile --count 100000 --seed 0 [--engine translated] [--reference N] [--out FILE]

`marine_mutation` makes the cases. One case creates a service and makes calls; after every one that fails, a module of the same service
that has done nothing wrong must still answer. What must hold: outcomes are values, LoadError or CallError; engines agree on them, word for
word, and on the memory of every module; no case takes longer than `SECONDS_MAX` or more memory than `MEMORY_BYTES_MAX`. Cases run in
another process; if it dies or hangs, the case is told and a new one goes on behind it. `--reference` compares the first N cases with
marine-js, too: whether they load, and every answer. A failing case is told by seed and number: `--case N` runs it alone.
"""

from __future__ import annotations

import argparse
import json
import mmap
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import wasmtime

from runtime.marine import artifact
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.host import LogRecord, Service
from runtime.marine.workers import stack_bytes, submit
from tests.conformance.areas.marine import bits
from tests.fuzz.marine_differential import comparable_case, compare, marine_js
from tests.fuzz.marine_modules import bare_part
from tests.fuzz.marine_mutation import Call, Case, make_case
from tests.runtime.marine.kit import ENGINES

TIMEOUT_MS: Final = 100
SECONDS_MAX: Final = 5.0
"""Processor time for one case on all engines."""
HANG_S: Final = 60.0
MEMORY_BYTES_MAX: Final = 96 << 20
"""By which one case may raise the peak of the process; services may copy a megabyte."""
DIGEST_BYTES: Final = 1 << 20
REPORT_EVERY_S: Final = 30.0
TRANSIENT: Final = frozenset({ErrorClass.DEADLINE})
"""Outcomes that depend on the clock: what comes after them is not compared."""


class Answer(NamedTuple):
    """What came of one step: a value, or an error and its class; and what the memories of the modules hold then."""

    error_class: str
    text: str
    value: Any
    memories: tuple[int, ...]


class Failure(Exception):
    """What must hold does not."""


# ── one case ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def share_compiled_modules() -> None:
    """Compile the core of every module once for this process."""
    compiled: dict[bytes, wasmtime.Module] = {}

    def load_or_compile(engine: wasmtime.Engine, wasm: bytes, *_: Any) -> tuple[wasmtime.Module, bool]:
        core = bare_part(wasm)
        found = compiled.get(core)
        if found is None:
            found = compiled[core] = wasmtime.Module(engine, core)
        return found, True

    artifact.load_or_compile = load_or_compile  # type: ignore[assignment]


def answers(case: Case, engine: str) -> Iterator[Answer]:
    """Load and call. Raises Failure, and whatever must not escape."""
    logs: list[LogRecord] = []
    try:
        service = make_service(case, engine, logs)
    except LoadError as error:
        yield Answer(error.error_class, str(error), None, ())
        return
    with service:
        for number, call in enumerate(case.calls):
            answer = make_call(service, call, as_text=bool(number % 2))
            yield answer
            if answer.error_class in TRANSIENT:
                return
            if answer.error_class:
                check_usable(service)
        yield Answer("", "", [list(record) for record in logs], ())


def make_service(case: Case, engine: str, logs: list[LogRecord]) -> Service:
    """The service of a case. Raises LoadError."""
    modules = tuple(ModuleConfig(name) for name in case.modules)
    config = ServiceConfig(modules, timeout_ms=TIMEOUT_MS, **case.settings)
    return Service(config, case.modules, log=logs.append, **ENGINES[engine])


def make_call(service: Service, call: Call, *, as_text: bool) -> Answer:
    """One call, with values or with JSON text on both sides."""
    try:
        if as_text:
            value = json.loads(service.call_text(call.function, json.dumps(call.arguments), module=call.module))
        else:
            value = service.call(call.function, call.arguments, module=call.module)
            json.dumps(value)
        return Answer("", "", bits(value), memories(service))
    except CallError as error:
        return Answer(error.error_class, str(error), None, memories(service))


def memories(service: Service) -> tuple[int, ...]:
    """Size and checksum of the memory of every module."""
    out = []
    for instance in service.instances:
        memory = instance.memory()
        out += [len(memory), zlib.crc32(memory[:DIGEST_BYTES])]
    return tuple(out)


def check_usable(service: Service, attempts: int = 5) -> None:
    """The module that has done nothing wrong answers. Raises Failure."""
    try:
        answer = service.call("echo", ["still here"], module="good")
    except CallError as error:
        if error.error_class is ErrorClass.DEADLINE and attempts:
            check_usable(service, attempts - 1)  # the machine may have been busy with something else
            return
        if error.error_class is ErrorClass.LIMIT:
            return
        raise Failure(f"the service is not usable any more: {error}") from error
    if answer != "still here":
        raise Failure(f"the service answers {answer!r}")


def run_case(case: Case, engines: tuple[str, ...]) -> list[Answer]:
    """The answers of the first engine; the others must give the same. Raises Failure."""
    first: list[Answer] = []
    for engine in engines:
        got = list(answers(case, engine))
        if not first:
            first = got
            continue
        for number, (one, other) in enumerate(zip(first, got, strict=False)):
            if one.error_class in TRANSIENT or other.error_class in TRANSIENT:
                break
            if one != other and not (one[:3] == other[:3] and only_quiet(case, (engines[0], engine), number)):
                call = case.calls[number - 1 if len(first) == 1 else number] if number < len(case.calls) else None
                raise Failure(f"call {number} {call!r:.300}:\n  {engines[0]}: {one!r:.900}\n  {engine}: {other!r:.900}")
        else:
            if len(first) != len(got):
                raise Failure(f"{engines[0]} gives {len(first)} answers, {engine} {len(got)}")
    return first


def only_quiet(case: Case, engines: tuple[str, str], number: int) -> bool:
    """Whether memories differ after a call in signaling NaNs only: Python makes them quiet when it reads them, native code copies them."""
    contents: list[list[bytes]] = []
    for engine in engines:
        service = make_service(case, engine, [])
        with service:
            for at, call in enumerate(case.calls[: number + 1]):
                if make_call(service, call, as_text=bool(at % 2)).error_class:
                    check_usable(service)
            contents.append([bytes(instance.memory()) for instance in service.instances])
    return all(
        a == b or (a | 0x40 == b | 0x40 and a >= 0x80 and one[at + 1 : at + 2] in (b"\x7f", b"\xff"))
        for one, other in zip(*contents, strict=True)
        for at, (a, b) in enumerate(zip(one, other, strict=True))
    )


def guarded(case: Case, engines: tuple[str, ...], counts: Counter[str]) -> str | None:
    """Why a case fails."""
    started, before = time.process_time(), peak_bytes()
    try:
        found = run_case(case, engines)
    except Failure as failure:
        return str(failure)
    except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
        return f"{type(error).__name__}: {error!s:.300}\n{''.join(traceback.format_tb(error.__traceback__)[-4:])}"
    counts["cases"] += 1
    counts["refused" if len(found) == 1 and found[0].error_class else "loaded"] += 1
    for answer in found:
        counts[f"{answer.error_class or 'value'}"] += 1
    seconds, grown = time.process_time() - started, peak_bytes() - before
    if seconds > SECONDS_MAX:
        return f"takes {seconds:.1f} s"
    if grown > MEMORY_BYTES_MAX:
        return f"takes {grown >> 20} MiB"
    return None


def peak_bytes() -> int:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# ── the process that runs cases ──────────────────────────────────────────────────────────────────────────────────────


def work(seed: int, first: int, end: int, engines: tuple[str, ...], place: Path) -> None:
    """Run cases; the number of each is in the file at `place` while it runs. Failures and counts are lines of JSON."""
    share_compiled_modules()
    counts: Counter[str] = Counter()
    with place.open("r+b") as file, mmap.mmap(file.fileno(), 8) as now:
        for number in range(first, end):
            now[:] = number.to_bytes(8, "little")
            reason = guarded(make_case(seed, number), engines, counts)
            if reason is not None:
                print(json.dumps({"case": number, "failure": reason}), flush=True)
            if number % 1000 == 999 or number == end - 1:
                print(json.dumps({"counts": counts}), flush=True)
                counts.clear()


class Watched:
    """Runs ranges of cases in other processes."""

    def __init__(self, seed: int, engine: str) -> None:
        self.seed = seed
        self.engine = engine
        self.counts: Counter[str] = Counter()
        self.failures: list[tuple[int, str]] = []

    def run(self, first: int, end: int) -> None:
        """All of them, with as many processes as it takes."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(8))
            file.flush()
            while first < end:
                died = self._run(first, end, Path(file.name))
                if died is None:
                    return
                number = int.from_bytes(Path(file.name).read_bytes(), "little")
                self._failed(number, died)
                first = number + 1

    def _run(self, first: int, end: int, place: Path) -> str | None:
        command = [sys.executable, "-m", "tests.fuzz.marine_hostile", "--seed", str(self.seed), "--engine", self.engine,
                   "--worker", str(first), str(end), str(place)]  # fmt: skip
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            assert process.stdout is not None
            watch = _Watch(process, place)
            for line in process.stdout:
                said = json.loads(line)
                if "counts" in said:
                    self.counts.update(said["counts"])
                    watch.say(self.counts, len(self.failures))
                else:
                    self._failed(said["case"], said["failure"])
            code = process.wait()
            watch.end()
            if code == 0:
                return None
            errors.seek(0)
            shown = errors.read()[-2000:].decode("utf-8", "replace")
            return f"{'hangs' if watch.has_killed else 'dies'} (exit code {code})\n{shown}"

    def _failed(self, number: int, reason: str) -> None:
        self.failures.append((number, reason))
        print(f"\nseed {self.seed} case {number}: {reason}", flush=True)


class _Watch:
    """Kills a process that works on one case for too long."""

    def __init__(self, process: subprocess.Popen[str], place: Path) -> None:
        import threading

        self.has_killed = False
        self._process = process
        self._place = place
        self._over = threading.Event()
        self._said = time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        before = b""
        while not self._over.wait(HANG_S):
            now = self._place.read_bytes()
            if now == before:
                self.has_killed = True
                self._process.kill()
                return
            before = now

    def say(self, counts: Counter[str], failures: int) -> None:
        """Progress, now and then."""
        if time.monotonic() - self._said > REPORT_EVERY_S:
            self._said = time.monotonic()
            print(f"{counts['cases']} cases, {failures} failures", flush=True)

    def end(self) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()


# ── command ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 after a failure."""
    parser = argparse.ArgumentParser(prog="marine_hostile", description="hostile modules in Marine services")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="translated", help="compared with `interpreted`")
    parser.add_argument("--case", type=int, help="only this one, here")
    parser.add_argument("--reference", type=int, default=0, metavar="N", help="compare N cases with marine-js")
    parser.add_argument("--out", type=Path, help="failures as lines of JSON")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    engines = tuple(dict.fromkeys((args.engine, "interpreted")))
    if args.worker:
        first, end, place = args.worker
        job = lambda: work(args.seed, int(first), int(end), engines, Path(place))  # noqa: E731
        submit(stack_bytes(12), job).result()
        return 0
    if args.case is not None:
        return alone(args.seed, args.case, engines)
    started = time.monotonic()
    watched = Watched(args.seed, args.engine)
    watched.run(0, args.count)
    minutes = (time.monotonic() - started) / 60
    print(f"{watched.counts['cases']} cases in {minutes:.1f} minutes, {len(watched.failures)} failures")
    print(", ".join(f"{count} {name}" for name, count in watched.counts.most_common() if name != "cases"))
    if args.reference and not compare_with_reference(args.seed, args.reference, watched.failures):
        print("marine-js is not here: python3 tasks.py reference", file=sys.stderr)
        return 2
    if args.out is not None:
        with args.out.open("a", encoding="utf-8") as file:
            for number, reason in watched.failures:
                file.write(json.dumps({"seed": args.seed, "case": number, "failure": reason}) + "\n")
    return 1 if watched.failures else 0


def compare_with_reference(seed: int, count: int, failures: list[tuple[int, str]]) -> bool:
    """The first cases on marine-js, too. False when it is not here."""
    theirs = marine_js()
    if theirs is None:
        return False
    share_compiled_modules()
    counts: Counter[str] = Counter()

    def job() -> None:
        for number in range(count):
            case = make_case(seed, number)
            if not comparable_case(case):
                continue
            reason = compare(case, theirs.answers(case), counts)
            counts["cases"] += 1
            if reason is not None:
                failures.append((number, reason))
                print(f"\nseed {seed} case {number} ({case.origin}), with the reference: {reason}", flush=True)

    try:
        submit(stack_bytes(12), job).result()
    finally:
        theirs.close()
    print("with the reference: " + ", ".join(f"{number} {name}" for name, number in counts.most_common()))
    return True


def alone(seed: int, number: int, engines: tuple[str, ...]) -> int:
    """One case, with everything that is known about it."""
    share_compiled_modules()
    case = make_case(seed, number)
    print(case.origin, case.settings)
    for call in case.calls:
        print(" ", call)
    reason = submit(stack_bytes(12), lambda: guarded(case, engines, Counter())).result()
    print(reason or "holds")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
