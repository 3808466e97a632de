"""Random programs of the module language, for comparison with Python: typed expressions, nested control flow, calls, module state.

Numbers stay small, so that none leaves 64 bits; loops are bounded. Whatever the program does, an error included, Python says what is right.
"""

from __future__ import annotations

import random

HEAD = """from dataclasses import dataclass, field
from runtime.marine.sdk import export, u8


@dataclass
class R:
    n: int
    s: str = "r"
    xs: list[int] = field(default_factory=list)


total = 0
log_: list[str] = []
recs: list[R] = []
index: dict[str, int] = {}
"""


class Writer:
    """One program of a seed."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.lines: list[str] = []
        self.functions: list[tuple[str, list[str], str]] = []
        self.vars: dict[str, str] = {}
        self.count = 0
        self.loop_depth = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def known(self, kind: str) -> list[str]:
        return [name for name, k in self.vars.items() if k == kind]

    def expr(self, kind: str, depth: int = 0) -> str:
        names = self.known(kind)
        if names and self.pick.random() < 0.35:
            return self.pick.choice(names)
        deep = depth > 2
        return getattr(self, f"_{kind}")(depth + 1, deep)

    def _int(self, d: int, deep: bool) -> str:
        r = self.pick.randrange(20)
        if deep or r < 4:
            return str(self.pick.randrange(-9, 40))
        e = self.expr
        if r < 8:
            return f"(({e('int', d)}) {self.pick.choice(['+', '-', '*'])} ({e('int', d)})) % 997"
        if r == 8:
            return f"({e('int', d)}) {self.pick.choice(['//', '%', '&', '|', '^'])} ({e('int', d)})"
        if r == 9:
            return f"len({e(self.pick.choice(['str', 'ints', 'strs']), d)})"
        if r == 10:
            return f"({e('int', d)} if {e('bool', d)} else {e('int', d)})"
        if r == 11:
            return f"{e('ints', d)}[{e('int', d)}]"
        if r == 12:
            return f"sum({e('ints', d)}) % 991"
        if r == 13:
            return f"{e('rec', d)}.n"
        if r == 14:
            return f"index.get({e('str', d)}, {e('int', d)})"
        if r == 15:
            return f"min({e('int', d)}, {e('int', d)}, {e('int', d)})"
        if r == 16:
            return f"{e('str', d)}.find({e('str', d)})"
        if r == 17:
            return f"-({e('int', d)})"
        if r == 18:
            return f"total + ({e('int', d)})"
        return self.call("int", d)

    def _bool(self, d: int, deep: bool) -> str:
        e = self.expr
        r = self.pick.randrange(10)
        if deep or r == 0:
            return self.pick.choice(["True", "False"])
        if r < 4:
            kind = self.pick.choice(["int", "str"])
            return f"({e(kind, d)}) {self.pick.choice(['<', '<=', '==', '!=', '>', '>='])} ({e(kind, d)})"
        if r == 4:
            return f"(({e('bool', d)}) {self.pick.choice(['and', 'or'])} ({e('bool', d)}))"
        if r == 5:
            return f"(not ({e('bool', d)}))"
        if r == 6:
            return f"(({e('int', d)}) in {e('ints', d)})"
        if r == 7:
            return f"({e('int', d)} < {e('int', d)} <= {e('int', d)})"
        if r == 8:
            return f"any(x > {self.pick.randrange(20)} for x in {e('ints', d)})"
        return f"({e('ints', d)} == {e('ints', d)})"

    def _str(self, d: int, deep: bool) -> str:
        e = self.expr
        r = self.pick.randrange(12)
        if deep or r < 3:
            return repr(self.pick.choice(["", "a", "ab", "é", "x y", "😀z"]))
        if r < 5:
            return f"({e('str', d)} + {e('str', d)})"
        if r == 5:
            return f'f"{{{e("int", d).replace(chr(34), chr(39))}}}-{{{self.short("str")}}}"'
        if r == 6:
            return f"str({e('int', d)})"
        if r == 7:
            return f"{e('str', d)}[{e('int', d)}:{e('int', d)}]"
        if r == 8:
            return f"'{self.pick.choice(',-')}'.join({e('strs', d)})[:60]"
        if r == 9:
            return f"({e('str', d)} or {e('str', d)})"
        if r == 10:
            return f"{e('rec', d)}.s"
        return self.call("str", d)

    def short(self, kind: str) -> str:
        names = self.known(kind)
        return self.pick.choice(names) if names else "total"

    def _ints(self, d: int, deep: bool) -> str:
        e = self.expr
        r = self.pick.randrange(9)
        if deep or r < 2:
            return "[" + ", ".join(str(self.pick.randrange(-5, 30)) for _ in range(self.pick.randrange(1, 8))) + "]"
        if r == 2:
            return f"[{e('int', d)}, {e('int', d)}]"
        if r == 3:
            return f"({e('ints', d)} + {e('ints', d)})[:20]"
        if r == 4:
            x = self.name()
            return (
                f"[{x} * 2 - {self.pick.randrange(9)} for {x} in {e('ints', d)} if {x} % 3 != {self.pick.randrange(3)}]"
            )
        if r == 5:
            return f"{e('ints', d)}[{e('int', d)}:]"
        if r == 6:
            return f"sorted({e('ints', d)})"
        if r == 7:
            return f"{e('rec', d)}.xs"
        return f"list(range({self.pick.randrange(6)}))"

    def _strs(self, d: int, deep: bool) -> str:
        e = self.expr
        r = self.pick.randrange(5)
        if deep or r < 2:
            return (
                "["
                + ", ".join(repr(self.pick.choice(["a", "b", "é", "xyz"])) for _ in range(self.pick.randrange(1, 5)))
                + "]"
            )
        if r == 2:
            x = self.name()
            return f"[{x} + 'q' for {x} in {e('strs', d)}][:9]"
        if r == 3:
            return f"{e('str', d)}.split('a')"
        return f"[{e('str', d)}, *{e('strs', d)}][:9]"

    def _rec(self, d: int, deep: bool) -> str:
        e = self.expr
        if deep or self.pick.random() < 0.6:
            return (
                f"R({self.pick.randrange(50)}, {self.pick.choice(['chr(97)', repr('zz')])}, [{self.pick.randrange(9)}])"
            )
        return f"R(xs={e('ints', d)}, n={e('int', d)})"

    def call(self, kind: str, d: int) -> str:
        fitting = [f for f in self.functions if f[2] == kind]
        if not fitting or self.loop_depth > 1:
            return self.expr(kind, 9)
        name, kinds, _ = self.pick.choice(fitting)
        return f"{name}({', '.join(self.expr(k, d) for k in kinds)})"

    # ── statements ──

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def block(self, indent: int, budget: int) -> None:
        outer = dict(self.vars)
        for _ in range(self.pick.randrange(1, 5)):
            self.statement(indent, budget)
        self.vars = outer

    def statement(self, indent: int, budget: int) -> None:
        e = self.expr
        r = self.pick.randrange(18)
        if r < 5 or budget == 0:
            kind = self.pick.choice(["int", "str", "ints", "strs", "bool", "rec"])
            value = e(kind)
            name = self.name()
            hint = {"ints": "list[int]", "strs": "list[str]", "rec": "R"}.get(kind, kind)
            self.line(indent, f"{name}: {hint} = {value}")
            self.vars[name] = kind
        elif r == 5 and self.known("int"):
            self.line(indent, f"{self.pick.choice(self.known('int'))} = {e('int')}")
        elif r == 6 and self.known("str"):
            name = self.pick.choice(self.known("str"))
            self.line(indent, f"{name} += {e('str')}")
            self.line(indent, f"{name} = {name}[-40:]")
        elif r == 7 and self.known("ints"):
            name = self.pick.choice(self.known("ints"))
            self.line(indent, f"{name}.append({e('int')})")
            self.line(indent, f"if len({name}) > 20:")
            self.line(indent + 1, f"{name}.pop(0)")
        elif r == 8 and self.known("ints"):
            self.line(indent, f"{self.pick.choice(self.known('ints'))}[{e('int')}] = {e('int')}")
        elif r == 9 and self.known("rec"):
            name = self.pick.choice(self.known("rec"))
            self.line(
                indent,
                self.pick.choice([f"{name}.n += {e('int')}", f"{name}.s = {e('str')}[:9]", f"{name}.xs = {e('ints')}"]),
            )
        elif r == 10:
            self.line(indent, f"log_.append(({e('str')})[:30])")
        elif r == 11 and self.loop_depth < 2:
            name = self.known("rec")[0] if self.known("rec") else e("rec")
            self.line(indent, f"recs.append({name})")
        elif r == 12:
            self.line(indent, f"index[({e('str')})[:4]] = {e('int')}")
        elif r < 15:
            self.line(indent, f"if {e('bool')}:")
            self.block(indent + 1, budget - 1)
            if self.pick.random() < 0.5:
                self.line(indent, "else:")
                self.block(indent + 1, budget - 1)
        elif self.loop_depth < 2:
            name = self.name()
            kind, iterable = self.pick.choice(
                [
                    ("int", f"range({self.pick.randrange(5)})"),
                    ("int", f"{e('ints')}[:5]"),
                    ("str", f"{e('strs')}[:4]"),
                    ("str", f"({e('str')})[:5]"),
                ]
            )
            self.line(indent, f"for {name} in {iterable}:")
            self.loop_depth += 1
            outer = dict(self.vars)
            self.vars[name] = kind
            self.block(indent + 1, budget - 1)
            if self.pick.random() < 0.3:
                self.line(indent + 1, f"if {e('bool')}:")
                self.line(indent + 2, self.pick.choice(["break", "continue"]))
            self.vars = outer
            self.loop_depth -= 1
        else:
            self.line(indent, f"log_.append(str({e('int')}))")

    def function(self, name: str, kinds: list[str], result: str, *, exported: bool) -> None:
        hints = {"ints": "list[int]", "strs": "list[str]", "rec": "R"}
        names = [f"p{n}" for n in range(len(kinds))]
        self.vars = dict(zip(names, kinds, strict=True))
        arguments = ", ".join(f"{n}: {hints.get(k, k)}" for n, k in self.vars.items())
        self.lines += ["", ""] + (["@export"] if exported else [])
        self.line(0, f"def {name}({arguments}) -> {hints.get(result, result)}:")
        self.line(1, "global total")
        for _ in range(self.pick.randrange(2, 7)):
            self.statement(1, 3)
        self.line(1, f"total = (total + {self.expr('int')}) % 1009")
        self.line(1, f"return {self.expr(result)}")
        self.functions.append((name, kinds, result))

    def program(self) -> str:
        self.function("helper", ["int", "str"], "int", exported=False)
        self.function("words", ["strs"], "str", exported=False)
        self.function("f", ["int", "str", "ints"], "str", exported=True)
        self.function("g", ["ints", "strs"], "ints", exported=True)
        self.lines += [
            "", "", "@export", "def state() -> list[str]:",
            "    out = [str(total), *log_[-30:]]",
            "    for r in recs[-9:]:",
            '        out.append(f"{r.n}{r.s}{len(r.xs)}{sum(r.xs)}")',
            "    for key, value in index.items():",
            '        out.append(f"{key}={value}")',
            "    return out",
        ]  # fmt: skip
        return HEAD + "\n".join(self.lines) + "\n"


def program(seed: int) -> str:
    """The program of a seed: functions `f`, `g` and `state`."""
    return Writer(seed).program()
