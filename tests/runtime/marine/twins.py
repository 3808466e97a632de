"""Services of random interfaces in every engine, given the same calls: results, errors, logs and memories must be the same.

    python -m tests.runtime.marine.twins --seed N --count N      as long as you like; prints the first difference

Modules echo what they get, pass it on to another module, and answer or ask with addresses and sizes out of nowhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import struct
import sys
from typing import Any, Final

from runtime.marine.errors import CallError, MarineError
from runtime.marine.interface_emit import emit
from tests.runtime.marine.kit import core, function, service, with_sections
from tests.runtime.marine.plain_kernels import plain_kernels

ENGINES: Final = ("native", "translated", "interpreted", "plain")
"""`plain`: the native one, with its kernels in Python."""
SCALARS: Final = {
    **dict.fromkeys(("bool", "s8", "s16", "s32", "u8", "u16", "u32"), "i32"),
    **dict.fromkeys(("s64", "u64"), "i64"),
    "f32": "f32",
    "f64": "f64",
}
RANGES: Final = {f"s{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)} | {
    f"u{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)
}
CHARACTERS: Final = 'ab"\\/\n\t\0\x1f\x7féß€中\U0001f600\u2028'


class Made:
    """A random interface, and random values for it."""

    def __init__(self, seed: int) -> None:
        """The same seed makes the same."""
        self.random = random.Random(seed)
        self.records: list[dict[str, Any]] = []
        for number in range(self.random.randrange(4)):
            names = [self.random.choice(("a", "b", "ab", 'q"', "é", "longer_name")) for _ in range(6)]
            unique = list(dict.fromkeys(names)) if self.random.random() < 0.95 else names
            fields = [[name, self.kind(2)] for name in unique]
            self.records.append({"name": f"R{number}", "fields": fields})
        self.kinds = [self.kind(3) for _ in range(4)]

    def kind(self, depth: int) -> str:
        """A type."""
        chosen = self.random.randrange(10)
        if depth and chosen < 2:
            return "[]" + self.kind(depth - 1)
        if self.records and chosen < 5:
            return str(self.random.choice(self.records)["name"])
        return str(self.random.choice((*SCALARS, "string", "string", "[]u8", "[]u8")))

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, kind: str) -> Any:
        """A value of a type, or seldom one that is not."""
        if self.random.random() < 0.01:
            return self.random.choice((None, 1, -1, 1.5, "x", [], [[]], {}, [1, 2], True, 2**64, -(2**63) - 1, 1e300))
        if self.random.random() < 0.02:
            return [self.value(kind)]
        if kind == "[]u8":
            return list(self.random.randbytes(self.random.choice((0, 0, 1, 3, 40))))
        if kind.startswith("[]"):
            return [self.value(kind[2:]) for _ in range(self.random.choice((0, 0, 1, 2, 5)))]
        if kind in RANGES:
            low, high = RANGES[kind]
            near = self.random.choice((low, high, 0, 1, low + 1, high - 1, 10**17, 10**18, 10**19, -(10**18)))
            value = near if self.random.random() < 0.5 else self.random.randint(low, high)
            return min(max(value, low), high) if self.random.random() < 0.98 else value + 300
        if kind in ("f32", "f64"):
            return self.number()
        if kind == "bool":
            return self.random.random() < 0.5
        if kind == "string":
            return "".join(self.random.choice(CHARACTERS) for _ in range(self.random.choice((0, 1, 2, 9))))
        fields = next(record["fields"] for record in self.records if record["name"] == kind)
        if self.random.random() < 0.3:
            return [self.value(one) for _, one in fields]
        items = [(name, self.value(one)) for name, one in fields]
        if self.random.random() < 0.3:
            self.random.shuffle(items)
        if self.random.random() < 0.02:
            items.append(("surplus", 1))
        if self.random.random() < 0.02:
            items.pop()
        return dict(items)

    def number(self) -> Any:
        """A number that a float can be."""
        bits = struct.unpack("<d", self.random.randbytes(8))[0]
        return self.random.choice(
            (
                0, 1, -1, 0.0, -0.0, 0.1, 0.5, 1.5e-7, 1e15, 1e16, 123456.789, -2.5, 1e-4, 9.999e-5, 3.4e38, 1e39, 2**53, 10**17,
                999999999999999.9, 99999999999999.9, 0.30000000000000004, 123456789012345.0,
                round(self.random.uniform(-1000, 1000), self.random.randrange(8)), self.random.uniform(-1e6, 1e6),
                bits if math.isfinite(bits) else 0,
            )
        )  # fmt: skip

    def text(self, value: Any) -> str:
        """JSON in one of its forms."""
        indent = self.random.choice((None, None, None, 1))
        separators = self.random.choice((None, (",", ":"), (" ,", " : ")))
        text = json.dumps(value, ensure_ascii=self.random.random() < 0.5, indent=indent, separators=separators)
        if self.random.random() < 0.02:
            at = self.random.randrange(len(text) + 1)
            text = (
                text[:at]
                + self.random.choice(("", " ", ",", "]", "0", "\\u00e9", "\\ud83d\\ude00", '"'))
                + text[at + 1 :]
            )
        return text

    # ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def modules(self) -> dict[str, bytes]:
        """An inner and an outer module."""
        inner, outer, imports = [], [], []
        echoes, outers = [], []
        for number, kind in enumerate(self.kinds):
            letters = SCALARS.get(kind)
            given = letters or ("i32" if kind.startswith("R") else "i32 i32")
            answer = f"(result {letters})" if letters else ""
            count = len(given.split())
            locals_ = " ".join(f"(local.get {k})" for k in range(count))
            if letters:
                body = "(local.get 0)"
            else:
                body = "(global.set $ptr (local.get 0))" + ("(global.set $size (local.get 1))" if count == 2 else "")
            inner.append(f'(func (export "e{number}") (param {given}) {answer} {body})')
            wild = self.core_values(given)
            inner.append(f'(func (export "h{number}") {answer} {self.wild_answer(given, letters)})')
            imports.append(f'(import "inner" "e{number}" (func $e{number} (param {given}) {answer}))')
            outer.append(f'(func (export "v{number}") (param {given}) {answer} (call $e{number} {locals_}))')
            outer.append(f'(func (export "w{number}") {answer} (call $e{number} {wild}))')
            echoes += [function(f"e{number}", f"v: {kind}", kind), function(f"h{number}", "", kind)]
            outers += [function(f"v{number}", f"v: {kind}", kind), function(f"w{number}", "", kind)]
        used = [one for one in echoes if one["name"].startswith("e")]
        inner_interface = {"records": self.records, "functions": echoes}
        outer_interface = {
            "records": self.records,
            "functions": outers,
            "imports": [{"namespace": "inner", "functions": used}],
        }
        return {
            "inner": with_sections(core(self.data() + "".join(inner)), emit(inner_interface)),
            "outer": with_sections(core(self.data() + "".join(outer), "1", "".join(imports)), emit(outer_interface)),
        }

    def core_values(self, given: str) -> str:
        """Arguments out of nowhere."""
        return " ".join(f"({letters}.const {self.wild(letters, k)})" for k, letters in enumerate(given.split()))

    def wild_answer(self, given: str, letters: str | None) -> str:
        """A result out of nowhere."""
        if letters:
            return f"({letters}.const {self.wild(letters, 1)})"
        return (
            f"(global.set $ptr (i32.const {self.wild('i32', 0)})) (global.set $size (i32.const {self.wild('i32', 1)}))"
        )

    def wild(self, letters: str, place: int) -> str:
        """An address, or a count."""
        if letters in ("f32", "f64"):
            return self.random.choice(("0", "-0", "nan", "inf", "1.5", "0x1p-130"))
        if place == 0 and self.random.random() < 0.8:
            return str(self.random.randrange(0, 900))
        if self.random.random() < 0.7:
            return str(self.random.choice((0, 1, 1, 2, 3, 8, 40)))
        return str(self.random.choice((-1, 65535, 65536, 65528, 2**31 - 1, 1 << 29, 255, 256, -129, 128, 300)))

    def data(self) -> str:
        """Memory with small numbers, so that some are addresses; no signalling numbers of 32 bits, which Python makes quiet."""
        has_f32 = "f32" in json.dumps([self.kinds, self.records])
        common = (0, 0, 0, 1, 2, 4, 16, 64, 97, 195, 169)
        octets = [self.random.choice(common if has_f32 else (*common, 255)) for _ in range(1000)]
        return '(data (i32.const 0) "' + "".join(f"\\{octet:02x}" for octet in octets) + '")'

    def calls(self, count: int) -> list[tuple[str, str, str]]:
        """Module, function and arguments."""
        calls = []
        for _ in range(count):
            number = self.random.randrange(len(self.kinds))
            name = self.random.choice("eevvvhww")
            arguments = [self.value(self.kinds[number])] if name in "ev" else []
            if name in "ev" and self.random.random() < 0.05:
                arguments = self.random.choice(({"v": arguments[0]}, arguments[0], arguments * 2, []))  # type: ignore[assignment]
            calls.append(("inner" if name in "eh" else "outer", f"{name}{number}", self.text(arguments)))
        return calls


def answers(modules: dict[str, bytes], calls: list[tuple[str, str, str]], engine: str, **config: Any) -> list[Any]:
    """What a service says to each call, and what its memories are then."""
    if engine == "plain":
        with plain_kernels():
            return answers(modules, calls, "native", **config)
    found: list[Any] = []
    try:
        made = service(modules, engine=engine, **config)
    except MarineError as error:
        return [str(error)]
    with made as running:
        for module, name, text in calls:
            found.append([engine_free(running, module, name, text), memories(running)])
    return found


def engine_free(running: Any, module: str, name: str, text: str) -> Any:
    """One call, both as text and as values: which comes first depends on the text alone."""
    try:
        if len(text) % 3:
            return running.call_text(name, text, module=module)
        return repr(running.call(name, json.loads(text), module=module))
    except (CallError, ValueError) as error:
        return [type(error).__name__, str(error), str(getattr(error, "error_class", ""))]


def memories(running: Any) -> list[str]:
    """Digests of the memories."""
    return [hashlib.blake2b(one.memory(), digest_size=8).hexdigest() for one in running.instances]


def difference(seed: int, calls: int = 40) -> str | None:
    """The first difference between engines for a seed."""
    made = Made(seed)
    modules, asked = made.modules(), made.calls(calls)
    budget = made.random.choice((1 << 20, 1 << 20, 300))
    limit = made.random.choice((None, None, 3 * 65536))
    told = [answers(modules, asked, engine, lift_bytes_max=budget, memory_limit=limit) for engine in ENGINES]
    for engine, other in zip(ENGINES[1:], told[1:], strict=True):
        for call, mine, theirs in zip(asked, told[0], other, strict=False):
            if mine != theirs:
                return f"seed {seed}, {call}:\n  {ENGINES[0]} {mine}\n  {engine} {theirs}"
        if len(told[0]) != len(other):
            return f"seed {seed}: {told[0][:1]} and {other[:1]}"
    return None


def main() -> None:
    """Search."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.count):
        found = difference(seed)
        if found is not None:
            sys.exit(found)
    print(f"{options.count} services, no difference")


if __name__ == "__main__":
    main()
