"""What is called from outside: by Python for a call of a service, by wasmtime for what a module imports.

Errors: a call answers FAILED, with frames in the arena. A callback gives wasmtime a trap, and Python words it when the call is over.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Bytes, Longs, address_of, attempt, inline, invoke, numbers, octets, rare
from runtime.marine.limits import CALL_DEPTH_MAX
from runtime.marine.native.kernels.adapters import note, run, signed
from runtime.marine.native.kernels.arguments import read_arguments
from runtime.marine.native.kernels.layout import (
    ARENA_START,
    DECLINED,
    E_FALLBACK,
    E_HOME,
    E_MASK,
    E_PROGRAM,
    E_SHAPE,
    E_STATE,
    ENV,
    FAILED,
    FAULT_CALL,
    FAULT_DEPTH,
    FRAMES_BYTES,
    H_CORES,
    H_NUMBER,
    H_SET_POINTER,
    NOTHING,
    P_ARGUMENTS,
    P_RESULTS,
    P_TEXT,
    P_TYPES,
    PARAMETERS_WORDS,
    PYTHON,
    S_ARENA,
    S_ARENA_SIZE,
    S_CODE,
    S_DEPTH,
    S_END,
    S_LIMIT,
    S_LINK,
    S_OUT,
    S_PARAMETERS,
    S_PEAK,
    S_PREPARE,
    S_RESULT,
    S_TOP,
    S_TRAP,
    STATE,
    UNLINKED,
    VALUE,
)
from runtime.marine.native.kernels.memory import VALUE_BYTES, apply_limits, call, take, take_values
from runtime.marine.native.kernels.results import write
from runtime.marine.native.kernels.slots import load_value, store_value
from runtime.marine.native.kernels.values import lower_record

EXPORTS: Final = ("call_text", "call_values", "import_called", "parameters_called", "log_called")
CALLBACKS: Final = ("import_called", "parameters_called", "log_called")

TEXT_BYTES_MAX: Final = 64
"""Bytes of text for one of a value, but for long names; see S_PEAK."""
HOST_FAILED: Final = b"host function failed"


# ── calls of a service ───────────────────────────────────────────────────────────────────────────────────────────────


def call_text(state: int, home: int, program: int, text: Bytes) -> int:
    """Call with JSON text, which must end with a blank: bytes of the result's text at S_OUT, NOTHING, VALUE, DECLINED or FAILED."""
    s = numbers(state, STATE)
    p = numbers(program, numbers(program, 1)[0])
    s[S_TOP] = ARENA_START
    if p[P_TEXT] == 0:
        return DECLINED
    arguments = attempt(read_arguments, DECLINED, s, p, text)
    s[S_END] = s[S_ARENA_SIZE] - FRAMES_BYTES
    if arguments == DECLINED:
        return DECLINED
    done = started(s, home, p, arguments)
    if done != VALUE:
        return done
    at = attempt(written, FAILED, s, p)
    # where it did not end, it takes no more than this
    s[S_PEAK] = max(s[S_PEAK], at if at >= 0 else min(TEXT_BYTES_MAX * s[S_OUT], s[S_ARENA_SIZE]))
    return at - s[S_OUT] if at >= 0 else VALUE


def call_values(state: int, home: int, program: int, arguments: int) -> int:
    """Call with arguments that lie in the arena as values one after the other, 8 bytes each: NOTHING, VALUE or FAILED."""
    s = numbers(state, STATE)
    p = numbers(program, numbers(program, 1)[0])
    place = attempt(loaded, FAILED, s, p, arguments)
    return started(s, home, p, place) if place >= 0 else DECLINED


def loaded(s: Longs, p: Longs, arguments: int) -> int:
    """The arguments as an adapter takes them; their place."""
    place = take_values(s, p[P_ARGUMENTS])
    arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
    for k in range(p[P_ARGUMENTS]):
        load_value(s, p, arena, p[p[P_TYPES] + k], arguments + 8 * k, place + VALUE_BYTES * k)
    return place


def started(s: Longs, home: int, p: Longs, arguments: int) -> int:
    """Run an adapter; the place of its result is in S_RESULT."""
    result = attempt(run, FAILED, s, numbers(home, numbers(home, 1)[0]), p, s[S_ARENA] + arguments)
    if result == FAILED:
        return FAILED
    if p[P_RESULTS] == 0:
        return NOTHING
    place = attempt(stored, FAILED, s, p, result)
    if place < 0:
        return FAILED
    s[S_RESULT] = place
    return VALUE


def stored(s: Longs, p: Longs, result: int) -> int:
    """The result in the form that values have in the arena."""
    place = take(s, 8)
    kind = p[p[P_TYPES] + p[P_ARGUMENTS]]
    store_value(s, p, octets(s[S_ARENA], s[S_ARENA_SIZE]), kind, result, place)
    return place


def written(s: Longs, p: Longs) -> int:
    """Write the result behind everything else; the end."""
    at = s[S_TOP]
    s[S_OUT] = at
    kind = p[p[P_TYPES] + p[P_ARGUMENTS]]
    return write(p, octets(s[S_ARENA], s[S_ARENA_SIZE]), kind, s[S_RESULT], at)


# ── imported functions ───────────────────────────────────────────────────────────────────────────────────────────────


@inline
def trap(e: Longs) -> int:
    """What tells wasmtime that the module cannot go on."""
    return invoke(numbers(e[E_STATE], STATE)[S_TRAP], address_of(HOST_FAILED), len(HOST_FAILED))


def import_called(env: int, caller: int, values: int, count: int) -> int:
    """A function of another module, through an adapter of the importing one."""
    e = numbers(env, ENV)
    if e[E_PROGRAM] == UNLINKED:
        invoke(numbers(e[E_STATE], STATE)[S_LINK], env)
    if e[E_PROGRAM] <= PYTHON:
        return invoke(e[E_FALLBACK], env, caller, values, count)
    s = numbers(e[E_STATE], STATE)
    if s[S_DEPTH] >= CALL_DEPTH_MAX:
        attempt(too_deep, FAILED, env)
        return trap(e)
    s[S_DEPTH] += 1
    done = attempt(serve, FAILED, env, values)
    s[S_DEPTH] -= 1
    return trap(e) if done == FAILED else 0


@rare
def too_deep(env: int) -> None:
    """Note that there are too many functions within each other."""
    e = numbers(env, ENV)
    s = numbers(e[E_STATE], STATE)
    s[S_CODE] = FAULT_DEPTH
    note(s, numbers(e[E_HOME], H_CORES)[H_NUMBER], -1)


def serve(env: int, values: int) -> int:
    """Run the adapter of an imported function; core values lie as an adapter's do."""
    e = numbers(env, ENV)
    s = numbers(e[E_STATE], STATE)
    home = numbers(e[E_HOME], numbers(e[E_HOME], 1)[0])
    p = numbers(e[E_PROGRAM], numbers(e[E_PROGRAM], 1)[0])
    mark = s[S_TOP]
    found = numbers(s[S_ARENA] + run(s, home, p, values), 2 * p[P_RESULTS])
    given = numbers(values, 2 * p[P_RESULTS])
    for k in range(p[P_RESULTS]):
        given[2 * k] = found[2 * k]
    if s[S_LIMIT] >= 0:
        apply_limits(s, home)
    s[S_TOP] = mark
    return 0


def parameters_called(env: int, caller: int, values: int, count: int) -> int:
    """`get_call_parameters`: their image is written into the module that asks. Python makes it once for each call of the service."""
    e = numbers(env, ENV)
    if e[E_PROGRAM] <= PYTHON:
        return invoke(e[E_FALLBACK], env, caller, values, count)
    s = numbers(e[E_STATE], STATE)
    if s[S_DEPTH] >= CALL_DEPTH_MAX:
        attempt(too_deep, FAILED, env)
        return trap(e)
    s[S_DEPTH] += 1
    found = attempt(give_parameters, FAILED, env)
    s[S_DEPTH] -= 1
    if found == DECLINED:
        return invoke(e[E_FALLBACK], env, caller, values, count)
    if found == FAILED:
        return trap(e)
    return 0


def give_parameters(env: int) -> int:
    """As above; DECLINED where Python has to do it, before anything has happened."""
    e = numbers(env, ENV)
    s = numbers(e[E_STATE], STATE)
    at = S_PARAMETERS + PARAMETERS_WORDS * e[E_SHAPE]
    if s[at] == 0 and invoke(s[S_PREPARE], e[E_STATE], e[E_SHAPE]) != 0:
        return DECLINED
    mark = s[S_TOP]
    if attempt(lower_parameters, FAILED, env) == FAILED:
        home = numbers(e[E_HOME], numbers(e[E_HOME], 1)[0])
        note(s, home[H_NUMBER], -1)
        return FAILED
    s[S_TOP] = mark
    return 0


def lower_parameters(env: int) -> None:
    """Write them, and tell the module where."""
    e = numbers(env, ENV)
    s = numbers(e[E_STATE], STATE)
    home = numbers(e[E_HOME], numbers(e[E_HOME], 1)[0])
    at = S_PARAMETERS + PARAMETERS_WORDS * e[E_SHAPE]
    p = numbers(s[at + 3], numbers(s[at + 3], 1)[0])
    image = octets(s[at], s[at + 1])
    pointer = lower_record(s, p, home, image, p[p[P_TYPES]], s[at + 2])
    place = take_values(s, 1)
    slot = numbers(s[S_ARENA] + place, 2)
    slot[0] = signed(pointer)
    call(s, home, home[H_SET_POINTER], address_of(slot), 1, FAULT_CALL)
    if s[S_LIMIT] >= 0:
        apply_limits(s, home)


def log_called(env: int, caller: int, values: int, count: int) -> int:
    """`log_utf8_string`: what the mask lets through is for Python, whether somebody listens or not: it may be beyond the memory."""
    e = numbers(env, ENV)
    given = numbers(values, 8)
    wanted = signed(given[2])
    if wanted != 0 and (wanted & e[E_MASK]) == 0:
        return 0
    return invoke(e[E_FALLBACK], env, caller, values, count)
