"""Cases for fuzzing Marine services: damaged sections, lying modules, and the calls to make of them.

A case is a function of a seed and a number, so that a failure is told by the two. Half of the sections are damaged as bytes, the others as
tables, which readers accept more often: types, records, instructions of adapters, indices, exports, imports.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from runtime.marine.interface import Interface, interpret
from runtime.marine.interface_types import (
    MNEMONICS,
    TAKES_NUMBER,
    Export,
    FunctionType,
    Implementation,
    Import,
    Instruction,
    InterfaceError,
    Tables,
    decode,
    encode,
)
from runtime.marine.itypes import BOOL, BYTES, F32, F64, PRIMS, STRING, U8, ArrayOf, IType, Prim, RecordOf
from tests.fuzz import marine_modules as made
from tests.fuzz.marine_modules import SERVICES, bases

ROUNDS_MAX: Final = 10
CALLS_MAX: Final = 16
BODY_MAX: Final = 120
NUMBERS: Final = (
    0,
    1,
    -1,
    7,
    127,
    128,
    255,
    256,
    -129,
    32767,
    65535,
    65536,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    2**63,
    2**64 - 1,
)
ADDRESSES: Final = (
    0,
    1,
    59,
    60,
    1023,
    1024,
    4095,
    4096,
    8192,
    65535,
    65536,
    65537,
    262143,
    262144,
    -1,
    -8,
    2**31 - 1,
    -(2**31),
)
TEXTS: Final = ("", "a", "text", "é", "\0", "\U0001f600x", "\ufffd", '"\\', "a" * 40, "long " * 200)


class Call(NamedTuple):
    """A call to make. `module` None is the facade."""

    module: str | None
    function: str
    arguments: Any


@dataclass
class Case:
    """A service and what to do with it. modules: in load order. is_sound: whether its sections are."""

    origin: str
    modules: dict[str, bytes]
    calls: list[Call]
    settings: dict[str, Any] = field(default_factory=dict)
    is_sound: bool = False


def make_case(seed: int, number: int) -> Case:
    """The case of a number."""
    rng = random.Random(f"{seed}/{number}")
    names = rng.choice(SERVICES[:2]) if number % 5 < 2 else rng.choice(SERVICES)
    sections = {name: bases()[name].section for name in names}
    origin = "answers"
    if number % 5 >= 2:
        origin = rng.choice(("bytes", "tables", "tables"))
        for name in [rng.choice(names)] if rng.random() < 0.8 else names:
            sections[name] = (damaged_bytes if origin == "bytes" else damaged_tables)(rng, sections[name])
    sdk = b"0.14.0" if rng.random() < 0.99 else rng.choice((b"0.6.0", b"0.5.9", b"1", b"", b"0.14.0\xff", b"0.6.0-a"))
    good = bases()["good"]
    modules = {"good": good.module(good.section)}
    modules |= {name: bases()[name].module(section, sdk) for name, section in sections.items()}
    return Case(
        f"{origin} of {'+'.join(names)}",
        modules,
        answers(rng, names) if origin == "answers" else calls_of(rng, sections),
        settings(rng),
        origin == "answers",
    )


def settings(rng: random.Random) -> dict[str, Any]:
    """Limits of a service, often those that are met."""
    out: dict[str, Any] = {"lift_bytes_max": rng.choice((1 << 20, 1 << 20, 1 << 16, 400))}
    if rng.random() < 0.2:
        out["memory_limit"] = rng.choice((1 << 18, 1 << 19, 6 << 16, 1 << 24))
    return out


# ── sections ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged_bytes(rng: random.Random, section: bytes) -> bytes:
    """Some bytes changed, removed, inserted or repeated."""
    out = bytearray(section)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(out)) if out else 0
        match rng.randrange(7):
            case 0 if out:
                out[at] ^= 1 << rng.randrange(8)
            case 1 | 2 if out:
                out[at] = rng.choice((0, 1, 2, 3, 0x0E, 0x36, 0x3C, 127, 128, 255, rng.randrange(256)))
            case 3:
                out[at:at] = bytes(
                    rng.choice((0, 1, 0x36, 0x80, 0xFF, rng.randrange(256))) for _ in range(rng.choice((1, 2, 200)))
                )
            case 4:
                del out[at : at + rng.choice((1, 2, 4, 60))]
            case 5:
                end = at + rng.randrange(1, 60)
                out[at:at] = out[at:end]
            case _ if rng.random() < 0.2:
                del out[at:]
            case _:
                pass
    return bytes(out)


def damaged_tables(rng: random.Random, section: bytes) -> bytes:
    """The section with some of its entries changed."""
    tables = decode(section)
    steps: list[Callable[[random.Random, Tables], None]] = [
        _change_adapter, _change_adapter, _change_adapter, _change_adapter, _swap_adapters, _change_signature, _change_record,
        _change_export, _change_import, _change_implementation, _swap_types,
    ]  # fmt: skip
    for _ in range(rng.choice((1, 1, 2, 3, 8, 25))):
        rng.choice(steps)(rng, tables)
    version = "0.27.0" if rng.random() < 0.98 else rng.choice(("0.20.0", "0.19.9", "0.20.0-a", "9.9.9"))
    try:
        return encode(tables, version)
    except (InterfaceError, UnicodeEncodeError):
        return damaged_bytes(rng, section)


def random_kind(rng: random.Random, tables: Tables) -> IType:
    """Any type, of records that are there as a rule."""
    kind: IType = rng.choice(PRIMS)
    if rng.random() < 0.3:
        records = [one for one in tables.types if isinstance(one, RecordOf)]
        kind = rng.choice(records) if records and rng.random() < 0.9 else tables.record(rng.choice((0, 3, 90, 2**40)))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3, 100)) if rng.random() < 0.6 else 0):
        kind = ArrayOf(kind)
    return kind


def _index(rng: random.Random, count: int) -> int:
    return rng.randrange(count) if count and rng.random() < 0.9 else rng.choice((0, count, count + 1, 2**31, 2**62))


def random_instruction(rng: random.Random, tables: Tables) -> Instruction:
    """Any instruction; its number is seldom out of range."""
    code = rng.choice(list(MNEMONICS))
    number = 0
    if code in TAKES_NUMBER:
        number = (
            rng.randrange(4)
            if rng.random() < 0.5
            else _index(rng, len(tables.types if code >= 0x3A else tables.exports))
        )
        if code in (0x40, 0x41) and rng.random() < 0.5:
            number = rng.choice(NUMBERS) % 2**62
    return Instruction(code, number, random_kind(rng, tables))


def _change_adapter(rng: random.Random, tables: Tables) -> None:
    if not tables.adapters:
        return
    at = rng.randrange(len(tables.adapters))
    key, body = tables.adapters[at]
    changed = list(body)
    place = rng.randrange(len(changed)) if changed else 0
    match rng.randrange(8):
        case 0 if changed:
            changed[place] = random_instruction(rng, tables)
        case 1 | 2:
            changed[place:place] = [random_instruction(rng, tables) for _ in range(rng.choice((1, 1, 2, 5)))]
        case 3 if changed:
            del changed[place : place + rng.choice((1, 1, 3))]
        case 4 if changed:
            old = changed[place]
            changed[place] = Instruction(
                old.code, max(old.number + rng.choice((-1, 1, 5)), 0), random_kind(rng, tables)
            )
        case 5 if changed:
            other = rng.randrange(len(changed))
            changed[place], changed[other] = changed[other], changed[place]
        case 6:
            changed[place:place] = changed[place : place + rng.randrange(1, 6)]
        case _:
            changed += rng.choice(tables.adapters)[1]
    tables.adapters[at] = (key if rng.random() < 0.97 else _index(rng, len(tables.types)), tuple(changed[:BODY_MAX]))


def _swap_adapters(rng: random.Random, tables: Tables) -> None:
    if len(tables.adapters) < 2:
        return
    one, two = rng.sample(range(len(tables.adapters)), 2)
    (first, body), (second, other) = tables.adapters[one], tables.adapters[two]
    tables.adapters[one], tables.adapters[two] = (first, other), (second, body)


def _change_signature(rng: random.Random, tables: Tables) -> None:
    places = [at for at, one in enumerate(tables.types) if isinstance(one, FunctionType)]
    if not places:
        return
    at = rng.choice(places)
    old = tables.types[at]
    assert isinstance(old, FunctionType)
    arguments, results = list(old.arguments), list(old.results)
    match rng.randrange(5):
        case 0 if arguments:
            place = rng.randrange(len(arguments))
            arguments[place] = (arguments[place][0], random_kind(rng, tables))
        case 1:
            arguments.insert(rng.randrange(len(arguments) + 1), (rng.choice(("x", "", "v")), random_kind(rng, tables)))
        case 2 if arguments:
            del arguments[rng.randrange(len(arguments))]
        case 3:
            results = [random_kind(rng, tables) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        case _:
            arguments = [(f"a{n}", random_kind(rng, tables)) for n in range(rng.randrange(6))]
    tables.types[at] = FunctionType(tuple(arguments[:BODY_MAX]), tuple(results[:BODY_MAX]))


def _change_record(rng: random.Random, tables: Tables) -> None:
    records = [one for one in tables.types if isinstance(one, RecordOf)]
    if not records or rng.random() < 0.2:
        record = tables.record(len(tables.types))
        record.label, record.fields = "New", (("x", random_kind(rng, tables)),)
        tables.types.append(record)
        return
    record = rng.choice(records)
    fields = list(record.fields)
    place = rng.randrange(len(fields))
    match rng.randrange(4):
        case 0:
            fields[place] = (fields[place][0], random_kind(rng, tables))
        case 1:
            fields.insert(place, (rng.choice(("x", "", fields[place][0])), random_kind(rng, tables)))
        case 2 if len(fields) > 1:
            del fields[place]
        case _:
            other = rng.randrange(len(fields))
            fields[place], fields[other] = fields[other], fields[place]
    record.fields = tuple(fields[:BODY_MAX])


def _change_export(rng: random.Random, tables: Tables) -> None:
    if not tables.exports:
        return
    at = rng.randrange(len(tables.exports))
    old = tables.exports[at]
    match rng.randrange(5):
        case 0:
            tables.exports[at] = Export(
                rng.choice(("nowhere", "", "memory", rng.choice(tables.exports).name)), old.function_type
            )
        case 1:
            tables.exports[at] = Export(old.name, _index(rng, len(tables.types)))
        case 2:
            del tables.exports[at]
        case 3:
            tables.exports.insert(at, rng.choice(tables.exports))
        case _:
            other = rng.randrange(len(tables.exports))
            tables.exports[at], tables.exports[other] = tables.exports[other], old


def _change_import(rng: random.Random, tables: Tables) -> None:
    if not tables.imports or rng.random() < 0.1:
        tables.imports.append(
            Import(
                rng.choice(("good", "liar", "host", "wasi_snapshot_preview1", "")),
                "echo",
                _index(rng, len(tables.types)),
            )
        )
        return
    at = rng.randrange(len(tables.imports))
    old = tables.imports[at]
    match rng.randrange(5):
        case 0:
            tables.imports[at] = old._replace(namespace=rng.choice(("good", "nowhere", "", "host", old.namespace)))
        case 1:
            tables.imports[at] = old._replace(name=rng.choice(("nothing", "", rng.choice(tables.imports).name)))
        case 2:
            tables.imports[at] = old._replace(function_type=_index(rng, len(tables.types)))
        case 3:
            del tables.imports[at]
        case _:
            tables.imports.insert(at, rng.choice(tables.imports))


def _change_implementation(rng: random.Random, tables: Tables) -> None:
    if not tables.implementations:
        return
    at = rng.randrange(len(tables.implementations))
    old = tables.implementations[at]
    match rng.randrange(4):
        case 0:
            tables.implementations[at] = Implementation(_index(rng, len(tables.types)), old.adapter_type)
        case 1:
            tables.implementations[at] = Implementation(old.core_type, _index(rng, len(tables.types)))
        case 2:
            del tables.implementations[at]
        case _:
            tables.implementations.append(
                Implementation(_index(rng, len(tables.types)), _index(rng, len(tables.types)))
            )


def _swap_types(rng: random.Random, tables: Tables) -> None:
    places = [at for at, one in enumerate(tables.types) if isinstance(one, FunctionType)]
    if len(places) > 1:
        one, two = rng.sample(places, 2)
        tables.types[one], tables.types[two] = tables.types[two], tables.types[one]


# ── arguments and calls ──────────────────────────────────────────────────────────────────────────────────────────────


def random_json(rng: random.Random) -> Any:
    """Any small value."""
    return rng.choice(
        (
            None,
            True,
            0,
            1,
            -1,
            255,
            1.5,
            -0.0,
            "",
            "x",
            [],
            [1],
            [[1]],
            ["x"],
            {},
            {"a": 1},
            [[], [[]]],
            2**63,
            2**70,
            [0] * 30,
        )
    )


def random_value(rng: random.Random, kind: IType, depth: int = 0) -> Any:
    """A value that is of the type, as a rule."""
    if rng.random() < 0.03:
        return random_json(rng)
    if isinstance(kind, RecordOf):
        if depth > 6 or not kind.fields:
            return {}
        values = [random_value(rng, one, depth + 1) for _, one in kind.fields]
        names = [name for name, _ in kind.fields]
        return dict(zip(names, values, strict=True)) if rng.random() < 0.5 else values
    if kind is BYTES or (isinstance(kind, ArrayOf) and kind.element is U8):
        return [rng.randrange(256) for _ in range(rng.choice((0, 1, 3, 40, 300)))]
    if isinstance(kind, ArrayOf):
        count = rng.choice((0, 1, 2, 3, 20)) if depth < 2 else rng.choice((0, 1, 2))
        return [] if depth > 6 else [random_value(rng, kind.element, depth + 1) for _ in range(count)]
    if kind is STRING:
        return rng.choice(TEXTS)
    if kind is BOOL:
        return rng.random() < 0.5
    if kind in (F32, F64):
        return rng.choice((0, 1, -0.0, 1.5, 1e300, -1e39, 0.1, 5e-324))
    assert isinstance(kind, Prim)
    fitting = [number for number in NUMBERS if kind.low <= number <= kind.high]
    return rng.choice(fitting) if rng.random() < 0.9 else rng.choice(NUMBERS)


def calls_of(rng: random.Random, sections: dict[str, bytes]) -> list[Call]:
    """Calls of every function that the sections declare, at most so many; sometimes not through the facade."""
    calls = []
    facade = next(reversed(sections))
    for name, section in sections.items():
        try:
            functions = interpret(decode(section)).functions
        except InterfaceError:
            continue
        for function in functions.values():
            if name == facade or rng.random() < 0.2:
                arguments = [random_value(rng, kind) for kind in function.signature.argument_types]
                calls.append(Call(None if name == facade else name, function.name, arguments))
    rng.shuffle(calls)
    return calls[:CALLS_MAX]


@lru_cache(maxsize=16)
def interface_of(name: str) -> Interface:
    """What a module declares when its section is sound."""
    return interpret(decode(bases()[name].section))


def answers(rng: random.Random, names: tuple[str, ...]) -> list[Call]:
    """Rounds of lies and calls of a service of liars."""
    functions = interface_of(names[-1]).functions
    wanted = [name for name in functions if name not in ("poke", "reset", "echo")]
    calls: list[Call] = []
    for _ in range(rng.randrange(2, ROUNDS_MAX)):
        calls += [_lie(rng, rng.choice(names)) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        for _ in range(rng.choice((1, 1, 2))):
            name = rng.choice(wanted)
            arguments = [random_value(rng, kind) for kind in functions[name].signature.argument_types]
            calls.append(Call(rng.choice((None, None, *names)), name, arguments))
        if rng.random() < 0.3:
            calls += [Call(name, "reset", []) for name in names]
            calls.append(Call(None, "echo", ["as good as new"]))
    return calls


def _lie(rng: random.Random, module: str) -> Call:
    """One `poke`: controls, what a result points to, or anything anywhere."""
    words = [_word(rng) for _ in range(8)]
    match rng.randrange(8):
        case 0 | 1:
            at = made.POINTER
            words[0], words[1] = (
                rng.choice((1024, 1024, rng.choice(ADDRESSES))),
                rng.choice((0, 1, 2, 3, 40, _word(rng))),
            )
        case 2:
            at = made.FORCED
            words = [1, rng.choice(ADDRESSES), rng.choice((0, 0, 1, 4)), 0, 0, 0, 0, 0]
        case 3:
            at = made.WRITE
            words = [1, rng.choice((1024, *ADDRESSES)), _word(rng), rng.choice((0, 1)), 1024, _word(rng), 0, 1024]
        case 4:
            at = made.TRAPS
            words = [rng.choice((1, 2, 4, 8, 16, 32, 64, 0)), 0, 0, 0, 0, 0, 0, 0]
        case 5 if rng.random() < 0.01:
            at = made.LOOPS
            words = [rng.choice((1, 2, 4, 8, 16, 32, 64)), 1024, 2, 0, 0, 0, 0, 0]
        case 6:
            at = rng.choice(ADDRESSES)
        case _:
            at = rng.choice((1024, 1024, 1056, 1088, 2048))
    return Call(module, "poke", [at, *(_long(words[n], words[n + 1]) for n in range(0, 8, 2))])


def _word(rng: random.Random) -> int:
    """Four bytes of memory: an address of something, a small number, text, or anything."""
    return rng.choice(
        (
            1024,
            1032,
            1040,
            1088,
            2048,
            rng.randrange(0, 300),
            rng.randrange(0, 4),
            1,
            0,
            rng.choice(ADDRESSES),
            rng.randrange(1 << 32),
            0x41424344,
        )
    )


def _long(low: int, high: int) -> int:
    value = (low % 2**32) | (high % 2**32) << 32
    return value - 2**64 if value >> 63 else value
