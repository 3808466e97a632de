"""Steps for both engines: scripts of every kind, histories of them, and what makes two outcomes the same.

`NATIVE` has scripts that native code must run to their end at every step of an honest history; `MIXED` has those of which it
declines some steps. Everything follows from seeds.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

from avm import Avm, Outcome
from avm.data.codec import decode
from avm.data.envelope import EnvelopeError, read_envelope
from avm.jit.kernels import machine
from avm.jit.library import Library
from avm.jit.run import NativeRuns
from tests.fuzz.avm_history import HONEST, IDS, KEYS, Invocation, Manners, play, random_history
from tests.fuzz.avm_tamper import mutated_bytes, tampered

SEED: Final = 11
"""All histories of the scripts below have it, and so one particle id: parts of their inputs can be exchanged."""
STEPS: Final = 24
A, B, C = (f'"{IDS[name]}"' for name in "ABC")


def nest(word: str, *parts: str) -> str:
    """`(word first (word second (… last)))`."""
    text = parts[-1]
    for part in reversed(parts[:-1]):
        text = f"({word} {part} {text})"
    return text


def seq(*parts: str) -> str:
    return nest("seq", *parts)


def par(*parts: str) -> str:
    return nest("par", *parts)


def call(peer: str, function: str, arguments: str = "", output: str = "") -> str:
    return f'(call {peer} ("s" "{function}") [{arguments}]{" " * bool(output)}{output})'


def waited(stream: str, count: int, peer: str = A) -> str:
    """Go on when a stream has so many values, as compilers write it."""
    return (
        f"(new $w (fold {stream} w (seq (seq (ap w $w) (canon {peer} $w #ww)) "
        f"(xor (match #ww.length {count} (null)) (next w))) (never)))"
    )


NATIVE: Final = {
    "nothing": "(null)",
    "never": par("(never)", call(A, "num", "", "x")),
    "literals": seq(
        call(A, "id", '"v" "" "é ☃" 0 -2 9223372036854775807 -9223372036854775808 1.5 0.1 true false []', "x"),
        call(A, "id", "%timestamp% %ttl% %init_peer_id% x x.length x.$.[3] x.$.[2]", "y"),
        call(B, "tet", '"w" x.$.[5] y y.$.[3].[0]'),
    ),
    "lenses": seq(
        call(A, "obj", "", "x"),
        "(ap x.$.b y)",
        "(ap y.$.[2] z)",
        "(ap x.$.key key)",
        '(ap "a" name)',
        "(ap 1 one)",
        call(B, "id", "x.$.a.[1].a y.length z.$.a x.$.[name] y.$.[one].[0]"),
        call("x.$.value", "tet", "x.$.value key y.length y x.$.b.[2]!"),
    ),
    "streams": seq(
        "(ap 1 $s)",
        call(A, "obj", "", "x"),
        "(ap x.$.a $s)",
        "(ap x $s)",
        call(B, "num", "", "$s"),
        call(B, "arr", "", "$s"),
        f"(canon {B} $s #cc)",
        "(ap #cc.$.[0] y)",
        "(ap #cc $t)",
        "(ap #cc.$.[2].key $t)",
        f"(canon {C} $t #dd)",
        call(C, "tet", "#cc #cc.length #cc.$.[1] #cc.$.[y] #dd #dd.$.[0].[2] y", "z"),
        call(A, "id", "z.$.[0].[0] #dd"),
    ),
    "nothing in streams": seq(
        f"(canon {A} $s #cc)",
        f"(canon {B} %m #%dd)",
        call(B, "id", "#cc #cc.length #%dd #%dd.length"),
        "(fold #cc i (seq (null) (next i)))",
        "(fold #%dd i (seq (null) (next i)))",
        "(fold [] i (next i))",
        call(A, "id", "#cc"),
    ),
    "maps": seq(
        '(ap ("k" 1) %m)',
        '(ap (1 "one") %m)',
        call(A, "arr", "", "x"),
        '(ap ("k" x) %m)',
        '(ap ("é" x.length) %m)',
        call(B, "text", "", "name"),
        '(ap (name "more") %m)',
        f"(canon {A} %m #%dd)",
        f"(canon {B} %m o)",
        call(B, "tet", "#%dd #%dd.length #%dd.$.k #%dd.$.k.[0] #%dd.$.[1].[0] o o.$.k", "y"),
        "(fold %m i (seq (ap i $s) (next i)))",
        "(fold #%dd j (seq (ap j.$.key $s) (next j)))",
        "(fold #%dd.$.k j (seq (ap j $s) (next j)))",
        f"(canon {C} $s #cc)",
        call(C, "id", "#cc o"),
    ),
    "loops over values": seq(
        call(A, "arr", "7", "x"),
        call(B, "peers", "", "peers"),
        f"(fold x i (seq {call(A, 'id', 'i i.$.a', '$s')} (next i)))",
        f"(fold peers p (par {call('p', 'step', '2', '$s')} (next p)) (null))",
        "(fold x.$.[0].b i (seq (next i) (ap i $t)) (ap 9 $t))",
        "(fold x i (seq (fold peers p (seq (ap p $u) (par (next p) (ap i.$.a $u)))) (next i)))",
        "(fold x i (par (next i) (ap i.$.b $u)) (never))",
        f"(canon {A} $t #tt)",
        f"(canon {A} $u #uu)",
        call(A, "id", "#tt #uu"),
    ),
    "loops over streams": seq(
        par(*(call(peer, "arr", f'"{number}"', "$s") for number, peer in enumerate((A, B, C, B)))),
        f"(fold $s i (par {call(B, 'id', 'i', '$t')} (next i)))",
        f"(fold $s i (seq {call(A, 'id', 'i', 'x')} (par (null) (xor (next i) (null)))))",
        "(fold $t i (par (fold $s j (par (ap j $u) (next j))) (next i)))",
        f"(canon {A} $u #uu)",
        call(A, "id", "#uu.length"),
    ),
    "a loop that feeds itself": seq(
        "(ap 0 $s)",
        f"(fold $s i (seq {call(A, 'step', 'i', 'x')} (seq (xor (mismatch x 3 (ap x $s)) (null)) (next i))))",
        f"(fold $s i (seq {call(B, 'step', 'i', 'x')} (par (xor (mismatch x 2 (ap x $t)) (null)) (next i))))",
        f"(canon {A} $t #tt)",
        call(A, "id", "#tt"),
    ),
    "the same, by several peers": seq(
        call(A, "peers", "", "peers"),
        "(ap 0 $s)",
        f"(fold peers p (par {call('p', 'num', 'p', '$s')} (next p)))",
        f"(fold $s i (par (seq {call(B, 'step', 'i', 'x')} (xor (match x 3 (null)) (ap [] $s))) (next i)))",
    ),
    "join": seq(
        call(A, "peers", "", "peers"),
        par(f"(fold peers p (par (seq {call('p', 'obj', '', 'x')} (ap x $s)) (next p)))", "(null)"),
        waited("$s", 1),
        f"(canon {A} $s #ss)",
        call(A, "tet", "#ss.$.[0].key #ss.length"),
    ),
    "pars": par(
        seq(call(A, "num", "", "x"), call(B, "id", "x", "y"), call(C, "id", "x y", "z")),
        seq(call(B, "num", "", "u"), par(call(A, "id", "u"), call(C, "id", "y u", "v"))),
        f"(par (null) {call(C, 'tet', 'z v')})",
        "(xor (match y z (null)) (null))",
    ),
    "errors that are caught": seq(
        call(A, "obj", "", "y"),
        "(xor (match y 1 (null)) (ap 1 $s))",
        "(xor (mismatch y y (null)) (ap 2 $s))",
        "(xor (match y.$.key y.$.key (ap 3 $s)) (null))",
        "(xor (ap y.$.zz z) (ap 4 $s))",
        "(xor (ap y.$.a.[7] z) (ap 5 $s))",
        "(xor (xor (ap y.$.key.[0] z) (ap y.$.b.a z)) (ap 6 $s))",
        "(xor (match 1 1.0 (null)) (null))",
        "(xor (fold y.$.key i (next i)) (ap 7 $s))",
        f"(xor {call('y.$.a', 'id')} (ap 8 $s))",
        "(par (match 1 2 (null)) (ap 9 $s))",
        "(fold y.$.b i (xor (seq (match i 1 (null)) (next i)) (ap i $s)))",
        f"(canon {C} $s #ss)",
        call(C, "id", "#ss"),
    ),
    "errors inside of loops": seq(
        "(ap 1 $s)",
        "(ap 2 $s)",
        par(call(B, "step", "3", "$s"), call(C, "peer", "", "$s")),
        f"(xor (fold $s i (seq {call(A, 'id', 'i', 'x')} (seq (mismatch i 2 (null)) (next i)))) (ap 3 $t))",
        "(fold $s i (par (seq (match i 2 (ap i $t)) (null)) (next i)))",
        "(xor (new $s (seq (ap 1 $s) (fold $s i (xor (mismatch i 1 (null)) (match i 2 (next i)))))) (ap 4 $t))",
        f"(canon {A} $t #tt)",
        call(A, "id", "#tt"),
    ),
    "new": seq(
        "(ap 1 x)",
        "(ap 1 $s)",
        "(new x (seq (ap 2 x) (ap x $s)))",
        f"(new $s (seq (ap 3 $s) (seq (canon {A} $s #cc) {call(B, 'id', '#cc', '$s')})))",
        f'(new %m (seq (ap ("k" x) %m) (seq (canon {B} %m #%dd) {call(B, "id", "#%dd")})))',
        f"(new #cc (seq (canon {C} $s #cc) {call(C, 'id', '#cc x')}))",
        f"(new #%dd (seq (canon {C} %m #%dd) {call(C, 'id', '#%dd')}))",
        f"(fold $s i (new $s (seq (ap i $s) (seq (canon {A} $s #ee) (next i)))))",
        "(fold #cc i (new y (seq (ap i y) (seq (next i) (ap y $t)))))",
        f"(canon {A} $t #tt)",
        call(A, "id", "#tt x"),
    ),
    "forms of numbers and texts": seq(
        call(A, "map", "", "m"),
        call(B, "text", "", "t"),
        call(B, "null", "", "n"),
        call(A, "id", "m.$.k m.$.l m.$.length t n", "x"),
        "(xor (match x.$.[2] 2 (ap t $s)) (ap n $s))",
        f"(canon {C} $s #ss)",
        call(C, "id", "#ss x"),
    ),
}
"""Scripts of which native code does every step."""

MIXED: Final = {
    "services that fail": seq(
        f"(xor {call(A, 'fail', '3')} {call(B, 'id', '1', 'x')})",
        f"(xor {call(B, 'fail2', '4', 'f')} (ap 1 $s))",
        f"(par {call(C, 'fail', '6', '$s')} {call(C, 'id', '2', '$s')})",
        f"(canon {A} $s #ss)",
        call(A, "id", "#ss x"),
    ),
    "errors that are shown": seq(
        f"(xor {call(A, 'fail', '3')} {call(A, 'id', ':error: %last_error%')})",
        call(B, "id", ":error: %last_error%.$.message :error:.$.error_code"),
    ),
    "failures": seq(
        "(ap 1 x)",
        f'(xor (fail 7 "failed") {call(A, "id", "x :error:.$.message")})',
        call(A, "err", "", "e"),
        f"(xor (xor (fail e) (fail :error:)) {call(B, 'id', '%last_error%')})",
        "(fail x)",
    ),
    "uncaught": seq(call(A, "obj", "", "x"), par(call(B, "id", "x"), "(null)"), "(match x.$.key 1 (null))"),
    "a result that is no JSON": seq(call(A, "badjson", "", "x"), call(A, "id", "x")),
    "a name twice": seq("(ap 1 x)", f"(xor {call(A, 'num', '', 'x')} (null))", call(B, "id", "x")),
    "a value that is not there": seq(
        par(call(B, "num", "", "x"), call(A, "num", "", "y")), call(A, "id", "x y"), call(C, "id", "x")
    ),
    "a canon of large numbers": seq(
        *("(ap 1e9 $s)".replace("1e9", text) for text in ("1.0", "-0.0", "12345.67891", "0.1")),
        call(A, "num", "", "$s"),
        call(A, "num", "1", "$s"),
        f"(canon {B} $s #ss)",
        call(B, "id", "#ss"),
    ),
}
"""Scripts that native code leaves to the interpreter at some steps."""

SCRIPTS: Final = {**NATIVE, **MIXED}


def arguments(step: Invocation) -> tuple[Any, ...]:
    """Those of `Avm.invoke`."""
    return step.air, step.prev_data, step.data, step.parameters, step.call_results


def described(outcome: Outcome) -> tuple[object, ...]:
    """All that leaves the interpreter; in the bytes of requests `1`, `1.0` and `True` differ, and so do orders of requests."""
    flags = (
        outcome.air_size_limit_exceeded,
        outcome.particle_size_limit_exceeded,
        outcome.call_result_size_limit_exceeded,
    )
    requests = outcome.call_requests_bytes
    return outcome.ret_code, outcome.error_message, outcome.data, outcome.next_peer_pks, flags, requests, outcome


def same(left: Outcome, right: Outcome) -> bool:
    """Whether two outcomes are equal to the byte.

    One difference is the interpreter's own and allowed: its writer takes two values of one character for one object, as CPython
    does, and so shares them. Only damaged previous data has one text under two CIDs.
    """
    if described(left) == described(right):
        return True
    if left.data == right.data or described(replace(left, data=b"")) != described(replace(right, data=b"")):
        return False
    data = decode(left.data)
    letters = [text for text in data.stores.values.values() if len(text) == 1]
    return len(set(letters)) < len(letters) and data == decode(right.data)


def new_vm(runs: NativeRuns | None = None) -> Avm:
    """An interpreter that declined nothing yet, with these buffers."""
    vm = Avm("jit")
    vm._native_runs = runs
    return vm


def done(vm: Avm) -> int:
    """Runs that native code did."""
    return 0 if vm._native_runs is None else vm._native_runs.done


def declined(vm: Avm) -> dict[str, int]:
    """Runs that it declined, by reason."""
    return {} if vm._native_runs is None else vm._native_runs.declined


def history(
    air: str,
    seed: int,
    *vms: Avm,
    steps: int = STEPS,
    manners: Manners = HONEST,
    see: Callable[[Invocation], None] | None = None,
) -> int:
    """Play; all interpreters must agree at every step. Returns how many there were."""

    def invoke(step: Invocation) -> Outcome:
        first = vms[0].invoke(*arguments(step))
        for vm in vms[1:]:
            assert same(vm.invoke(*arguments(step)), first), step
            assert "bug" not in declined(vm), step
        if see is not None:
            see(step)
        return first

    return play(air, seed, steps, invoke, manners)


@cache
def honest_steps() -> tuple[Invocation, ...]:
    """Steps of all scripts, of one particle."""
    found: list[Invocation] = []
    for air in SCRIPTS.values():
        history(air, SEED, Avm("python"), see=found.append)
    return tuple(found)


@cache
def random_steps(first: int, count: int) -> tuple[Invocation, ...]:
    """Steps of random scripts, honest or not."""
    found: list[Invocation] = []
    for seed in range(first, first + count):
        air, manners = random_history(seed)
        history(air, seed, Avm("python"), steps=10, manners=manners, see=found.append)
    return tuple(found)


def damaged(rng: random.Random, step: Invocation, others: tuple[Invocation, ...]) -> Invocation:
    """The step with dishonest data, damaged bytes, or with parts of another step."""
    prev, data, results, air = step.prev_data, step.data, step.call_results, step.air
    for _ in range(rng.choice((1, 1, 2))):
        match rng.randrange(12):
            case 0 | 1 if data:
                data = mutated_bytes(rng, data)
            case 9 | 10 if data:
                data = nudged(rng, data)
            case 11 if prev:
                prev = nudged(rng, prev)
            case 2 if prev:
                prev = mutated_bytes(rng, prev)
            case 3 | 4 if data:
                data = tampered(rng, data, KEYS, step.parameters.particle_id)
            case 5 if prev:
                prev = tampered(rng, prev, KEYS, step.parameters.particle_id)
            case 6:
                results = mutated_bytes(rng, results)
            case 7:
                other = rng.choice(others)
                prev, data = rng.choice(((prev, other.data), (other.data, data), (other.prev_data, data)))
            case _:
                air = rng.choice(others).air
    return Invocation(step.peer, air, prev, data, step.parameters, results)


def nudged(rng: random.Random, data: bytes) -> bytes:
    """One number of the archive is a little off: a pointer, a length, a kind, a position, a generation."""
    try:
        inner = len(read_envelope(data).inner)
    except EnvelopeError:
        return data
    if inner < 60:
        return data
    end = len(data) - 4 * rng.randrange(min(inner // 4, rng.choice((15, 40, 1000))))
    number = int.from_bytes(data[end - 4 : end], "big")
    off = rng.choice((1, -1, 2, -2, 3, 4, -4, 8, 12, -12, 16, 24, -24))
    return data[: end - 4] + (number + off & 0xFFFFFFFF).to_bytes(4, "big") + data[end:]


def twin() -> Library:
    """The kernels of a run in Python, on the memory of the arrays: slices are views there, as they are in native code."""

    def on_views(kernel: Callable[..., int]) -> Callable[..., int]:
        return lambda *given: kernel(*(memoryview(one) if isinstance(one, array) else one for one in given))

    names = machine.EXPORTS
    return SimpleNamespace(**{name: on_views(getattr(machine, name)) for name in names})  # type: ignore[return-value]
