"""Fifty Wasm services in four threads: what every call must give is known, whatever went wrong before it.

Most services belong to one thread, which knows exactly what their counters say; a few are called by all, and no number may be given twice.
A share of the calls traps, runs out of time, of memory or of its budget; services are closed and made anew all the time.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from runtime.marine.calls import PendingCall
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError, ErrorClass
from runtime.marine.host import LogRecord, Service
from tests.runtime.marine.kit import function, module

THREADS: Final = 4
OWNED: Final = 10
"""Services of each thread; the others are shared."""
SHARED: Final = 10
LIFE: Final = 500
"""After how many calls a service is made anew, about."""
TIMEOUT_MS: Final = 200
PAGES: Final = 4
LIFT_BYTES_MAX: Final = 1 << 16

RECORD: Final = [
    {"name": "R", "fields": [["id", "u64"], ["name", "string"], ["tags", "[]string"], ["data", "[]u8"]]},
    {"name": "Counts", "fields": [["own", "u64"], ["inner", "u64"]]},
]
_NEXT: Final = """(global $count (mut i64) (i64.const 0))
  (func $next (result i64)
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
    (if (i64.ne (global.get $count) (i64.load (i32.const 8))) (then unreachable))
    (global.get $count))"""
_INNER: Final = f"""{_NEXT} (export "next" (func $next))
  (data (i32.const 64) "a message")
  (func (export "peek") (result i64) (global.get $count))
  (func (export "echo") (param i32 i32) (global.set $ptr (local.get 0)) (global.set $size (local.get 1)))
  (func (export "same") (param i32) (global.set $ptr (local.get 0)))
  (func (export "fail") (drop (call $next)) unreachable)
  (func (export "spin") (drop (call $next)) (loop (br 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "say") (call $log (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 9)))
  (func (export "bomb") (local $n i32)
    (loop $more
      (i32.store (i32.add (i32.const 2048) (i32.mul (local.get $n) (i32.const 8))) (i32.const 40000))
      (i32.store (i32.add (i32.const 2052) (i32.mul (local.get $n) (i32.const 8))) (i32.const 20000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 20))))
    (global.set $ptr (i32.const 2048)) (global.set $size (i32.const 20)))"""
_LOG: Final = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
_FUNCTIONS: Final = [
    function("next", "", "u64"), function("peek", "", "u64"), function("echo", "s: string", "string"), function("same", "r: R", "R"),
    function("fail"), function("spin"), function("grow", "pages: s32", "s32"), function("say"), function("bomb", "", "[]string"),
]  # fmt: skip
_FACADE: Final = f"""{_NEXT}
  (func (export "counts")
    (i64.store (i32.const 512) (call $next)) (i64.store (i32.const 520) (call $their_next)) (global.set $ptr (i32.const 512)))
  (func (export "pass") (param i32) (call $same (local.get 0)))
  (func (export "fail_inside") (drop (call $next)) (call $fail))"""
_IMPORTS: Final = """(import "inner" "next" (func $their_next (result i64))) (import "inner" "same" (func $same (param i32)))
  (import "inner" "fail" (func $fail))"""


def inner() -> bytes:
    """The module that counts."""
    return module(_INNER, {"records": RECORD, "functions": _FUNCTIONS}, imports=_LOG)


def facade() -> bytes:
    """A module that counts and has the other one count."""
    used = [entry for entry in _FUNCTIONS if entry["name"] in ("next", "same", "fail")]
    own = [function("counts", "", "Counts"), function("pass", "r: R", "R"), function("fail_inside")]
    interface = {"records": RECORD, "functions": own, "imports": [{"namespace": "inner", "functions": used}]}
    return module(_FACADE, interface, imports=_IMPORTS)


class Wrong(AssertionError):
    """A service does not say what it must."""


def expect(found: Any, wanted: Any, what: str) -> None:
    """Raises Wrong."""
    if found != wanted:
        raise Wrong(f"{what}: {found!r:.300}, expected {wanted!r:.300}")


class Life:
    """One service from its making to its end, and what it has been called."""

    def __init__(self, modules: dict[str, bytes], *, timed: bool) -> None:
        self.said = 0
        config = ServiceConfig(
            tuple(ModuleConfig(name) for name in modules),
            memory_limit=PAGES * 65536 * len(modules),
            timeout_ms=TIMEOUT_MS if timed else None,
            lift_bytes_max=LIFT_BYTES_MAX,
        )
        self.service = Service(config, modules, log=self._log)
        self.inner = 0
        self.own = 0
        self.pages = 1

    def _log(self, record: LogRecord) -> None:
        expect((record.module, record.level, record.message), ("inner", "info", "a message"), "log")
        self.said += 1

    def fails(self, name: str, wanted: ErrorClass) -> bool:
        """A call that must fail in this way. False if it was out of time before, which a busy machine may do to a call."""
        try:
            answer = self.service.call(name, [])
        except CallError as error:
            if error.error_class is wanted:
                return True
            if error.error_class is ErrorClass.DEADLINE and self.service.config.timeout_ms is not None:
                return False
            raise Wrong(f"{name} fails with {error}") from error
        raise Wrong(f"{name} gives {answer!r:.100}")

    def says_one(self) -> None:
        """A message arrives, within the call."""
        before = self.said
        self.service.call("say", [])
        expect(self.said, before + 1, "messages")

    def settle(self) -> bool:
        """After a call that counted, or was ended before it could: see which. False if nobody can say."""

        def look() -> None:
            counted = self.service.call("peek", [])
            if counted not in (self.inner, self.inner - 1):
                raise Wrong(f"the counter says {counted}, expected {self.inner} or one less")
            self.inner = counted

        return in_time(self, look)

    def end(self) -> None:
        """Close it; it must refuse calls from then on."""
        self.service.close()
        self.fails("peek", ErrorClass.CLOSED)


# ── services of one thread ───────────────────────────────────────────────────────────────────────────────────────────


def in_time(life: Life, job: Callable[[], Any]) -> bool:
    """Do a job of a service with a deadline; False if a busy machine has kept it from being in time."""
    try:
        job()
    except CallError as error:
        if error.error_class is not ErrorClass.DEADLINE or life.service.config.timeout_ms is None:
            raise
        return False
    return True


def owned_call(life: Life, rng: random.Random) -> bool:
    """One call of a service of one module. False if nobody can say what it has done."""
    service = life.service
    match rng.randrange(1000):
        case number if number < 500:
            life.inner += 1
            return in_time(life, lambda: expect(service.call("next", []), life.inner, "next"))
        case number if number < 700:
            text = chr(rng.randrange(32, 0xD800)) * rng.randrange(200)
            return in_time(life, lambda: expect(service.call("echo", [text]), text, "echo"))
        case number if number < 850:
            value = record(rng)
            return in_time(life, lambda: expect(service.call("same", [value]), value, "same"))
        case number if number < 920:
            return in_time(life, lambda: expect(service.call("peek", []), life.inner, "peek"))
        case number if number < 960:
            life.inner += 1
            return life.fails("fail", ErrorClass.CALL_FAILED)
        case number if number < 975:
            pages = rng.choice((0, 1, 1, 5))
            before, fits = life.pages, life.pages + pages <= PAGES
            life.pages += pages if fits else 0
            return in_time(life, lambda: expect(service.call("grow", [pages]), before if fits else -1, "grow"))
        case number if number < 990:
            return life.fails("bomb", ErrorClass.LIMIT)
        case number if number < 996:
            return in_time(life, life.says_one)
        case _ if service.config.timeout_ms is not None:
            life.inner += 1
            life.fails("spin", ErrorClass.DEADLINE)
            return life.settle()
        case _:
            life.inner += 1
            stop(service.submit("spin", []))
            return life.settle()


def record(rng: random.Random) -> dict[str, Any]:
    """A value of the record."""
    tags = [rng.choice(("", "tag", "é", "long " * 20)) for _ in range(rng.randrange(5))]
    data = [rng.randrange(256) for _ in range(rng.choice((0, 1, 40)))]
    return {"id": rng.randrange(1 << 64), "name": rng.choice(("", "name", "\U0001f600")), "tags": tags, "data": data}


def stop(pending: PendingCall) -> None:
    """Stop a call that never ends, before it begins or after."""
    pending.stop()
    try:
        pending.result()
    except CallError as error:
        expect(error.error_class, ErrorClass.STOPPED, "a stopped call")
        return
    raise Wrong("a call that never ends has ended")


def chained_call(life: Life, rng: random.Random) -> bool:
    """One call of a service of two modules."""
    service = life.service
    match rng.randrange(100):
        case number if number < 50:
            life.own, life.inner = life.own + 1, life.inner + 1
            expect(service.call("counts", []), {"own": life.own, "inner": life.inner}, "counts")
        case number if number < 80:
            value = record(rng)
            expect(service.call("pass", [value]), value, "pass")
        case number if number < 90:
            life.own, life.inner = life.own + 1, life.inner + 1
            life.fails("fail_inside", ErrorClass.CALL_FAILED)
        case number if number < 97:
            life.inner += 1
            expect(service.call("next", [], module="inner"), life.inner, "next of the inner module")
        case _:
            sizes = [one["memory_size_bytes"] for one in service.memory_stats()]
            expect(sizes, [65536, 65536], "memory")
    return True


# ── services of all threads ──────────────────────────────────────────────────────────────────────────────────────────


class Shared:
    """A service that every thread may call and exchange. No number is given twice, and none that nobody has asked for."""

    def __init__(self, modules: dict[str, bytes]) -> None:
        self._modules = modules
        self._lock = threading.Lock()
        self._life = Life(modules, timed=False)
        self._given = bytearray(1)
        self._tried = 0

    def call(self, rng: random.Random) -> None:
        """One call, or the end of the service."""
        with self._lock:
            life = self._life
            self._tried += 1
        try:
            if rng.random() < 0.05:
                life.service.call("fail", [])
                raise Wrong("a call that fails has not failed")
            number = life.service.call("next", [])
        except CallError as error:
            if error.error_class is ErrorClass.CLOSED or error.error_class is ErrorClass.STOPPED:
                if life is self._life:
                    raise Wrong(f"a service that is open says {error}") from error
                return
            expect(error.error_class, ErrorClass.CALL_FAILED, "a call that fails")
            return
        with self._lock:
            if life is not self._life:
                return
            if not 0 < number <= self._tried:
                raise Wrong(f"the number {number} was given after {self._tried} calls")
            self._given.extend(bytes(max(number + 1 - len(self._given), 0)))
            if self._given[number]:
                raise Wrong(f"the number {number} was given twice")
            self._given[number] = 1

    def renew(self) -> None:
        """Another service in its place, while others may be calling this one."""
        with self._lock:
            old, self._life = self._life, Life(self._modules, timed=False)
            self._given = bytearray(1)
            self._tried = 0
        old.end()


# ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lanes(seed: int) -> list[Iterator[None]]:
    """Calls without end, for every thread."""
    one, two = {"inner": inner()}, {"inner": inner(), "facade": facade()}
    shared = [Shared(one) for _ in range(SHARED)]
    return [_lane(random.Random(f"{seed}/{number}"), one, two, shared) for number in range(THREADS)]


def _lane(rng: random.Random, one: dict[str, bytes], two: dict[str, bytes], shared: list[Shared]) -> Iterator[None]:
    def make(number: int) -> Life:
        return Life(two if number % 3 == 2 else one, timed=number % 3 == 1)

    lives = [make(number) for number in range(OWNED)]
    while True:
        place = rng.randrange(OWNED + SHARED // 2)
        if place >= OWNED:
            other = rng.choice(shared)
            if rng.random() < 1 / LIFE:
                other.renew()
            other.call(rng)
        else:
            life = lives[place]
            known = chained_call(life, rng) if place % 3 == 2 else owned_call(life, rng)
            if not known or rng.random() < 1 / LIFE:
                life.end()
                lives[place] = make(place)
        yield
