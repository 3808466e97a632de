"""Random programs without regard to types and scopes, in syntax that every version of the language takes.

    python -m tests.fuzz.aqua_salad SEED

`bodies` makes a function of random statements over fixed declarations, `definitions` random declarations, `headers` several
files with random header lines, `types` values of random types where others are expected. Names are mostly known ones, counts of arguments mostly right: what is wrong is a matter of
kinds and types more than of spelling.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Final

Files = dict[str, str]

LIBRARY: Final = """aqua Lib declares *

const LK = 7
const LTEXT = "lib"

data LD:
  a: u8
  t: string

ability LA:
  n: u8
  go(x: u8) -> u8

service LSrv("lib"):
  get(x: u8) -> u8
  say(s: string)

service LQ:
  get(x: u8) -> u8

func lf(x: u8) -> u8:
  <- x

func lpair() -> u8, string:
  <- 1, "s"

"""
PRELUDE: Final = """aqua Main
use "lib.aqua"
import "lib2.aqua"

const NUM = 3
const TEXT = "t"
const NEG = -3
const REAL = 1.5

data P:
  x: u8
  y: string

data N:
  p: P
  list: []P
  maybe: ?string

data W:
  x: u8
  y: string
  z: bool

alias Num: u32
alias Fun: u8 -> u8
alias Many: []u8

ability Ab:
  n: u8
  f(x: u8) -> u8
  two() -> u8, string
  quiet(s: string)

ability Big:
  inner: P
  ab: Ab
  s: *u8

service S("id"):
  get(x: u8) -> u8
  text() -> string
  list(xs: []u8) -> []string
  put(p: P)
  go()

service Dyn:
  get(x: u8) -> u8
  p() -> P

alias Other: Dyn

func one(x: u8) -> u8:
  <- x

func two() -> u8, string:
  <- 1, "s"

func none():
  S.go()

func words(xs: []string, o: ?string) -> string:
  <- xs[0]

func apply(f: u8 -> u8, x: u8) -> u8:
  r <- f(x)
  <- r

func with{Ab}(x: u8) -> u8:
  <- Ab.f(x)

func svc(q: Dyn) -> u8:
  <- q.get(1)

func stream(s: *u8) -> []u8:
  <- s

func maker() -> u8 -> u8:
  c = (x: u8) -> u8:
    <- x
  <- c

"""
LIBRARY2: Final = """aqua Lib2 declares K2, D2, f2

const K2 = 2

data D2:
  q: []u8

func f2(d: D2) -> []u8:
  <- d.q

func hidden() -> u8:
  <- 1

"""
ARGS: Final[dict[str, str]] = {
    "n": "u8",
    "m": "u64",
    "i": "i32",
    "fl": "f32",
    "b": "bool",
    "s": "string",
    "xs": "[]u8",
    "ss": "[]string",
    "o": "?u8",
    "os": "?string",
    "st": "*u8",
    "p": "P",
    "nn": "N",
    "ps": "[]P",
    "w": "W",
    "f": "u8 -> u8",
    "g": "-> string",
    "h": "u8, string -> ()",
    "ab": "Ab",
    "big": "Big",
    "q": "Dyn",
    "l": "Lib.LD",
    "la": "Lib.LA",
    "top": "⊤",
    "aa": "[][]u8",
    "oo": "?[]u8",
}
CLASSES: Final = (
    "NUM",
    "TEXT",
    "NEG",
    "REAL",
    "S",
    "Dyn",
    "Ab",
    "P",
    "Other",
    "K2",
    "HOST_PEER_ID",
    "LAST_ERROR",
    "Lib",
    "PARTICLE_TTL",
)
FUNCTIONS: Final[dict[str, int]] = {
    "one": 1,
    "two": 0,
    "none": 0,
    "words": 2,
    "apply": 2,
    "with": 2,
    "svc": 1,
    "stream": 1,
    "maker": 0,
    "f2": 1,
    "f": 1,
    "g": 0,
    "h": 2,
}
METHODS: Final[dict[str, int]] = {
    "get": 1,
    "text": 0,
    "list": 1,
    "put": 1,
    "go": 0,
    "p": 0,
    "f": 1,
    "two": 0,
    "quiet": 1,
}
FIELDS: Final = (
    "x",
    "y",
    "z",
    "n",
    "p",
    "list",
    "maybe",
    "inner",
    "ab",
    "s",
    "length",
    "a",
    "t",
    "message",
    "error_code",
    "q",
    "f",
)
RECORDS: Final[dict[str, tuple[str, ...]]] = {
    "P": ("x", "y"),
    "N": ("p", "list", "maybe"),
    "W": ("x", "y", "z"),
    "Ab": ("n", "f", "two", "quiet"),
    "Big": ("inner", "ab", "s"),
    "Lib.LD": ("a", "t"),
    "Lib.LA": ("n", "go"),
    "D2": ("q",),
    "S": ("get",),
    "Num": ("x",),
}
TYPES: Final = (
    "u8", "u16", "u64", "i8", "i32", "f64", "bool", "string", "[]u8", "[]string", "?u8", "?string", "*u8", "*string", "P", "N", "W",
    "[]P", "?P", "*P", "Ab", "Big", "S", "Dyn", "Num", "Fun", "Many", "Lib.LD", "Lib.LA", "D2", "[][]u8", "[]?u8", "*[]u8", "?[]P",
    "[]Ab", "[]Fun", "?Many", "*Num", "Ghost", "⊤", "⊥", "[]⊤", "Lib.Ghost", "Other", "[]*u8", "Lib.LSrv", "*⊤", "**u8",
)  # fmt: skip
OPERATORS: Final = ("+", "-", "*", "/", "%", "**", ">", "<", ">=", "<=", "==", "!=", "&&", "||", "+", "==")
LITERALS: Final = (
    "1",
    "0",
    "300",
    "-1",
    "1.5",
    "-2.5",
    "true",
    "false",
    '"a"',
    '""',
    "nil",
    "[]",
    "[1]",
    '["a"]',
    "?[1]",
    "*[1]",
    "*[]",
    "?[]",
)
LITERALS_BOUND: Final = tuple(x for x in LITERALS if x not in ("[]", "?[]", "*[]"))


class Writer:
    """Writes statements; `names` are variables bound so far."""

    def __init__(self, rng: random.Random) -> None:
        """All choices come from `rng`."""
        self.rng = rng
        self.names = list(ARGS)
        self.fresh = 0

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

    def name(self) -> str:
        roll = self.rng.random()
        if roll < 0.02:
            return "ghost"
        if roll < 0.12:
            return self.rng.choice(tuple(FUNCTIONS))
        return self.rng.choice(self.names)

    def value(self, depth: int = 2, *, bound: bool = False) -> str:
        """A value. With `bound` not an empty collection, which may not be assigned."""
        r = self.rng
        roll = r.random()
        if depth <= 0 or roll < 0.3:
            if r.random() < 0.35:
                return r.choice(LITERALS_BOUND if bound else LITERALS)
            return r.choice(CLASSES) if r.random() < 0.15 else self.name()
        if roll < 0.5:
            return self.call(depth)
        if roll < 0.62:
            return self.field(depth)
        if roll < 0.75:
            return f"{self.operand(depth - 1)} {r.choice(OPERATORS)} {self.operand(depth - 1)}"
        if roll < 0.8:
            return f"!{self.atom(depth - 1)}"
        if roll < 0.88:
            items = [self.value(depth - 1) for _ in range(r.choice((1, 1, 2, 3)))]
            return f"{r.choice(('[', '[', '?[', '*['))}{', '.join(items)}]"
        if roll < 0.95:
            return self.record(depth)
        return f"{self.name()}.copy({self.named(r.choice(tuple(RECORDS.values())), depth)})"

    def operand(self, depth: int) -> str:
        text = self.value(depth)
        plain = text.replace(".", "").replace("_", "").isalnum() or (text[-1] in "])" and " " not in text)
        return text if plain else f"({text})"

    def atom(self, depth: int) -> str:
        return self.name() if self.rng.random() < 0.7 else f"({self.value(depth)})"

    def args(self, count: int, depth: int) -> str:
        if self.rng.random() < 0.07:
            count = max(0, count + self.rng.choice((-1, 1)))
        return ", ".join(self.value(depth - 1) for _ in range(count))

    def call(self, depth: int) -> str:
        r = self.rng
        roll = r.random()
        if roll < 0.5:
            name = r.choice(tuple(FUNCTIONS)) if r.random() < 0.9 else self.name()
            return f"{name}({self.args(FUNCTIONS.get(name, 1), depth)})"
        if roll < 0.6:
            member = r.choice((("lf", 1), ("lpair", 0), ("ghost", 0), ("LSrv.get", 1), ("LSrv.say", 1), ("LQ.get", 1)))
            return f"Lib.{member[0]}({self.args(member[1], depth)})"
        if roll < 0.65:
            return (
                f"with{{{r.choice(('ab', 'Ab', 'S', 'Dyn', 'q', 'p', 'la', 'Ghost', 'n'))}}}({self.value(depth - 1)})"
            )
        owner = r.choice(("S", "S", "Dyn", "ab", "ab", "q", "big.ab", "la", "p", "xs", "Ab", "Other", self.name()))
        method = r.choice(tuple(METHODS)) if r.random() < 0.97 else "ghost"
        return f"{owner}.{method}({self.args(METHODS.get(method, 0), depth)})"

    def field(self, depth: int) -> str:
        r = self.rng
        text = r.choice(("p", "nn", "ps", "w", "ab", "big", "l", "LAST_ERROR", "xs", "o", "S", "Lib", self.name()))
        for _ in range(r.choice((1, 1, 2, 3))):
            roll = r.random()
            if roll < 0.6:
                text += f".{r.choice(FIELDS)}"
            elif roll < 0.75:
                text += f"[{self.index(depth)}]"
            elif roll < 0.9:
                text += "!"
            else:
                text += f"!{r.randrange(3)}"
        return text

    def index(self, depth: int) -> str:
        text = self.value(depth - 1)
        return "0" if text.startswith("-") else text

    def named(self, names: tuple[str, ...], depth: int) -> str:
        r = self.rng
        kept = [n for n in names if r.random() < 0.92] or list(names[:1])
        if r.random() < 0.06:
            kept.append(r.choice((kept[0], "extra")))
        return ", ".join(n if r.random() < 0.08 else f"{n} = {self.value(depth - 1)}" for n in kept)

    def record(self, depth: int) -> str:
        name = self.rng.choice(tuple(RECORDS)) if self.rng.random() < 0.96 else "Ghost"
        return f"{name}({self.named(RECORDS.get(name, ('x',)), depth)})"

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────

    def new_name(self) -> str:
        if self.rng.random() < 0.06:
            return self.rng.choice(self.names)
        self.fresh += 1
        name = f"v{self.fresh}"
        self.names.append(name)
        return name

    def body(self, indent: str, count: int, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(count):
            lines += self.statement(indent, depth)
        return lines

    def statement(self, indent: str, depth: int) -> list[str]:
        r = self.rng
        roll = r.random()
        if depth <= 0 or roll < 0.62:
            return [indent + self.simple()]
        inner = indent + "  "
        body = self.body(inner, r.choice((1, 1, 2)), depth - 1)
        match r.randrange(11):
            case 0:
                return [f"{indent}if {self.value()}:", *body]
            case 1:
                more = self.body(inner, 1, depth - 1)
                return [
                    f"{indent}if {self.value()}:",
                    *body,
                    f"{indent}{r.choice(('else', 'otherwise', 'catch e'))}:",
                    *more,
                ]
            case 2:
                return [f"{indent}on {self.peer()}:", *body]
            case 3:
                return [f"{indent}on {self.peer()} via {self.peer()}:", *body]
            case 4 | 5:
                mode = r.choice(("", "", " par", " try", " rec"))
                return [f"{indent}for {self.new_name()} <- {self.value()}{mode}:", *body]
            case 6:
                return [f"{indent}parseq {self.new_name()} <- {self.value()} on {self.peer()}:", *body]
            case 7:
                more = self.body(inner, 1, depth - 1)
                return [
                    f"{indent}try:",
                    *body,
                    f"{indent}{r.choice(('catch e', 'otherwise', 'else', 'catch n'))}:",
                    *more,
                ]
            case 8:
                return [f"{indent}par on {self.peer()}:", *body]
            case 9:
                return [f"{indent}{r.choice(('else', 'otherwise', 'catch e'))}:", *body]
            case _:
                return self.closure(indent, body)

    def closure(self, indent: str, body: list[str]) -> list[str]:
        r = self.rng
        arg = r.choice(("a1", "a2", "n"))
        results = ", ".join(r.choice(TYPES) for _ in range(r.choice((0, 1, 1, 2))))
        head = f"{indent}{self.new_name()} = ({arg}: {r.choice(TYPES)}){' -> ' + results if results else ''}:"
        returned = [] if r.random() < 0.2 else [f"{indent}  <- {self.value()}"]
        return [head, *body, *returned]

    def peer(self) -> str:
        r = self.rng
        return r.choice(("s", "HOST_PEER_ID", '"peer"', "ss", "os", "TEXT")) if r.random() < 0.75 else self.operand(1)

    def simple(self) -> str:
        r = self.rng
        match r.randrange(14):
            case 0 | 1 | 2:
                value = self.value(bound=True)
                return f"{self.new_name()} = {value}"
            case 3 | 4 | 5:
                call = self.call(2) if r.random() < 0.93 else self.value()
                names = ", ".join(self.new_name() for _ in range(r.choice((1, 1, 1, 2))))
                return f"{names} <- {call}"
            case 6 | 7:
                return self.call(2)
            case 8:
                return f"{r.choice(('st', 'st', self.name()))} <<- {self.value()}"
            case 9:
                return f"{self.new_name()}: {r.choice(TYPES)}"
            case 10:
                return f"join {', '.join(self.field(1) if r.random() < 0.5 else self.name() for _ in range(r.choice((1, 2))))}"
            case 11:
                service = r.choice(("Dyn", "Dyn", "S", "Other", "Ab", "P", "Ghost", "Lib.LQ"))
                return f"{service} {r.choice(('s', TEXT, '7', 'n', 'ghost', 'Dyn'))}"
            case 12:
                return f"{r.choice(('par', 'co'))} {self.call(1)}"
            case _:
                value = self.value()
                return f"<- {value}" if r.random() < 0.3 else f"st <- {self.call(1)}"


TEXT: Final = '"id"'


def bodies(seed: int) -> Files:
    """One function of random statements over fixed declarations."""
    rng = random.Random(seed)
    writer = Writer(rng)
    args = ", ".join(f"{name}: {t}" for name, t in ARGS.items())
    results = ", ".join(rng.choice(TYPES) for _ in range(rng.choice((0, 1, 1, 2))))
    lines = writer.body("  ", rng.randint(2, 9), 2)
    if rng.random() < 0.7:
        lines.append("  <- " + ", ".join(writer.value() for _ in range(rng.choice((1, 1, 2)))))
    head = f"func t({args}){' -> ' + results if results else ''}:"
    nested_returns = [line for line in lines if line.lstrip().startswith("<-") and len(line) - len(line.lstrip()) > 2]
    closures = any(line.rstrip().endswith(":") and " = (" in line for line in lines)
    if nested_returns and not closures:
        lines = [line for line in lines if line not in nested_returns or line.startswith("  <-")]
    return {"main.aqua": PRELUDE + "\n".join([head, *lines, ""]), "lib.aqua": LIBRARY, "lib2.aqua": LIBRARY2}


# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def definitions(seed: int) -> Files:
    """Random declarations; later ones use earlier ones, or themselves, or what does not exist."""
    rng = random.Random(seed)
    known = ["A", "B", "C", "D", "E"]
    lines = ["aqua Main declares *" if rng.random() < 0.5 else "aqua Main", 'import "lib2.aqua"', 'use "lib.aqua"', ""]

    def some_type(depth: int = 2) -> str:
        roll = rng.random()
        if depth and roll < 0.3:
            return rng.choice(("[]", "?", "*")) + some_type(depth - 1)
        if roll < 0.65:
            return rng.choice(("u8", "u16", "i32", "f64", "bool", "string", "⊤", "u8"))
        return rng.choice((*known, "D2", "Lib.LD", "Lib.LA", "Lib.LSrv", "Ghost", "K2"))

    def arrow() -> str:
        args = ", ".join(some_type(1) for _ in range(rng.choice((0, 1, 1, 2))))
        return f"{args} -> {', '.join(some_type(1) for _ in range(rng.choice((0, 1, 1, 2)))) or '()'}".strip()

    def labelled() -> str:
        names = rng.sample(("a", "b", "c", "x"), rng.choice((0, 1, 2))) + (["a"] if rng.random() < 0.05 else [])
        results = ", ".join(some_type(1) for _ in range(rng.choice((0, 1, 1, 1, 2))))
        return f"({', '.join(f'{n}: {some_type(1)}' for n in names)}){' -> ' + results if results else ''}"

    for _ in range(rng.randint(3, 9)):
        name = rng.choice((*known, "F", "G", "D2")) if rng.random() < 0.95 else "P"
        members = [rng.choice(("a", "b", "c", "d", "e")) for _ in range(rng.randint(1, 4))]
        match rng.randrange(7):
            case 0:
                value = rng.choice(("1", "-1", '"s"', "true", "1.5", "K2", "K0", "K1", "GHOST", "nil"))
                lines += [f"const {rng.choice(('K0', 'K1', 'K2', 'KX'))} {rng.choice(('=', '=', '?='))} {value}", ""]
            case 1:
                lines += [f"alias {name}: {some_type() if rng.random() < 0.6 else arrow()}", ""]
            case 2:
                lines += [f"data {name}:", *(f"  {m}: {some_type()}" for m in members), ""]
            case 3:
                service_id = rng.choice(("", '("s")', "(K0)", "(K2)", "(1)", "(GHOST)", '("s")'))
                lines += [f"service {name}{service_id}:", *(f"  {m}{labelled()}" for m in members), ""]
            case 4:
                member = [f"  {m}: {some_type()}" if rng.random() < 0.5 else f"  {m}{labelled()}" for m in members]
                lines += [f"ability {name}:", *member, ""]
            case _:
                label = labelled()
                called = rng.choice(("f", "g", "h", "f2", "Lib.lf"))
                statement = rng.choice(
                    (
                        "x1 = 1",
                        f"x1 <- {called}(1)",
                        f"{called}()",
                        "x1 = K0",
                        "<- 1",
                        "<- K2",
                        "x1: *A",
                        "x1 = a",
                        "<- a",
                    )
                )
                lines += [f"func {rng.choice(('f', 'g', 'h', 'f2', 'k'))}{label}:", f"  {statement}", ""]
    return {"main.aqua": "\n".join(lines), "lib.aqua": LIBRARY, "lib2.aqua": LIBRARY2}


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS: Final[dict[str, str]] = {
    "f": "func f() -> u8:\n  <- 1\n",
    "g": "func g(a: Ab) -> u8:\n  <- a.n\n",
    "h": "func h() -> u8 -> u8:\n  c = (x: u8) -> u8:\n    <- x\n  <- c\n",
    "Ab": "ability Ab:\n  n: u8\n",
    "D": "data D:\n  x: u8\n",
    "S": 'service S("s"):\n  go()\n',
    "K": "const K = 1\n",
    "T": "alias T: u8\n",
    "Q": "service Q:\n  go() -> u8\n",
    "k": "func k(c: u8 -> u8, d: []u8) -> ?u8:\n  r <- c(1)\n  <- ?[r]\n",
}


def headers(seed: int) -> Files:
    """Two to four files that import, use, declare and export at random."""
    rng = random.Random(seed)
    files = ["main.aqua", *(f"m{n}.aqua" for n in range(rng.randint(1, 3)))]
    modules = dict(zip(files, ("Main", "A", "B", "C.D"), strict=False))
    own = {}
    for file in files:
        chosen = rng.sample(tuple(PARTS), rng.randint(0, 5))
        own[file] = [name for name in PARTS if name in chosen or (name == "Ab" and "g" in chosen)]
        if "Ab" in own[file]:
            own[file].sort(key=lambda name: name != "Ab")

    def names(pool: list[str]) -> list[str]:
        every = [*pool, *pool, *pool, rng.choice(tuple(PARTS)), rng.choice(("ghost", "Ghost"))]
        return [rng.choice(every) for _ in range(rng.choice((1, 1, 2, 3)))]

    def renamed(name: str) -> str:
        if rng.random() < 0.75:
            return name
        return f"{name} as {'Re' if name[0].isupper() else 're'}{rng.choice(('', '1'))}"

    out = {}
    for at, file in enumerate(files):
        lines = []
        roll = rng.random()
        declares = "" if roll < 0.25 else " declares *" if roll < 0.6 else f" declares {', '.join(names(own[file]))}"
        header = f"aqua {modules[file]}{declares}"
        if rng.random() < 0.96:
            lines.append(header)
        visible = list(own[file])
        for _ in range(rng.choice((0, 1, 1, 2))):
            target = rng.choice(files[at + 1 :] or files) if rng.random() < 0.94 else rng.choice(files)
            if target == file and rng.random() < 0.9:
                continue
            path = target if rng.random() < 0.96 else rng.choice(("none.aqua", "dir/x"))
            path = path.removesuffix(".aqua") if rng.random() < 0.3 else path
            match rng.randrange(4):
                case 0:
                    lines.append(f'import "{path}"')
                    visible += own[target]
                case 1:
                    lines.append(f'import {", ".join(map(renamed, names(own[target])))} from "{path}"')
                    visible += own[target]
                case 2:
                    lines.append(f'use "{path}"' + rng.choice(("", "", " as Z", " as A")))
                case _:
                    lines.append(
                        f'use {", ".join(map(renamed, names(own[target])))} from "{path}" as {rng.choice(("Z", "Y"))}'
                    )
        if rng.random() < 0.6:
            lines.append(f"export {', '.join(map(renamed, names(visible)))}")
        if rng.random() < 0.03:
            lines.append("aqua Second")
        lines.append("")
        lines += [PARTS[name] for name in own[file]]
        if rng.random() < 0.5:
            used = rng.choice(
                (
                    "Z.f()",
                    "A.f()",
                    "C.D.f()",
                    "f()",
                    "A.k(f, [1])",
                    "Z.re()",
                    "re()",
                    "Z.S.go()",
                    "A.K",
                    "Z.D(x = 1)",
                    "A.Q.go()",
                    "B.f()",
                )
            )
            lines += [f"func u{at}():", f"  x {rng.choice(('=', '<-'))} {used}", ""]
        out[file] = "\n".join(lines)
    return out


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def types(seed: int) -> Files:
    """Random nested types, each value passed where each type is expected, and what operators and literals make of pairs."""
    rng = random.Random(seed)
    lines = ["aqua Main", ""]
    data: list[str] = []
    other: list[str] = []

    def field_types(depth: int) -> str:
        roll = rng.random()
        if depth and roll < 0.45:
            return rng.choice(("[]", "?", "[]", "?")) + field_types(depth - 1)
        if data and roll < 0.65:
            return rng.choice(data)
        return rng.choice(("u8", "u16", "u32", "i8", "i16", "i64", "f32", "f64", "bool", "string", "⊤", "⊥", "u64"))

    def argument(depth: int) -> str:
        roll = rng.random()
        if roll < 0.2:
            return "*" + field_types(depth - 1)
        return rng.choice(other) if other and roll < 0.4 else field_types(depth)

    def arrow() -> str:
        args = [argument(1) for _ in range(rng.choice((0, 1, 1, 2)))]
        results = [argument(1) for _ in range(rng.choice((0, 1, 1, 2)))]
        return f"{', '.join(args)} -> {', '.join(results) or '()'}".strip()

    def labelled(results_max: int) -> str:
        args = ", ".join(f"{name}: {argument(1)}" for name in ("a", "b")[: rng.choice((0, 1, 1, 2))])
        results = ", ".join(argument(1) for _ in range(rng.randint(0, results_max)))
        return f"({args}){' -> ' + results if results else ''}"

    for n in range(rng.randint(2, 4)):
        fields = rng.sample(("a", "b", "c"), rng.choice((1, 2, 2, 3)))
        lines += [f"data D{n}:", *(f"  {f}: {field_types(2)}" for f in fields), ""]
        data.append(f"D{n}")
    for n in range(2):
        lines += [f"alias F{n}: {arrow()}", ""]
        other.append(f"F{n}")
    for n in range(2):
        lines += [
            f'service S{n}("s"):',
            *(f"  {f}{labelled(1)}" for f in rng.sample(("f", "g"), rng.choice((1, 2)))),
            "",
        ]
        other.append(f"S{n}")
    for n in range(2):
        members = rng.sample(("p", "q", "f", "g"), rng.choice((1, 2, 3)))
        body = [f"  {m}: {argument(2)}" if m in "pq" else f"  {m}{labelled(2)}" for m in members]
        lines += [f"ability A{n}:", *body, ""]
        other.append(f"A{n}")
    chosen = [argument(2) for _ in range(8)]
    for n, t in enumerate(chosen):
        lines += [f"func take{n}(v: {t}) -> {t}:", "  <- v", ""]
    args = ", ".join(f"x{n}: {t}" for n, t in enumerate(chosen))
    lines.append(f"func main({args}) -> {rng.choice(chosen)}:")
    for n in range(8):
        lines += [f"  t{n}_{m} = take{n}(x{m})" for m in range(8)]
    for n in range(24):
        left, right, third = (f"x{rng.randrange(8)}" for _ in range(3))
        make = rng.choice(
            ("[{}, {}]", "?[{}, {}]", "*[{}, {}]", "{} == {}", "{} + {}", "{} * {}", "{} ** {}", "{} > {}")
        )
        value = rng.choice(
            (make.format(left, right), f"[{left}, {right}, {third}]", f"[[{left}], [{right}]]", f"({left} == {right})")
        )
        take = rng.randrange(8)
        lines.append(
            rng.choice(
                (f"  v{n} = {value}", f"  v{n} = take{take}({value})", f"  v{n} = [take{take}({left}), {right}]")
            )
        )
        if value[0] in "[?*":
            lines.append(f"  w{n} = take{take}({value}[0])" if value[0] != "?" else f"  w{n} = take{take}({value}!)")
    lines += [
        "  z = " + rng.choice((f"D0({', '.join(f'{f} = x{rng.randrange(8)}' for f in 'abc')})", "x0")),
        f"  <- x{rng.randrange(8)}",
        "",
    ]
    return {"main.aqua": "\n".join(lines)}


KINDS: Final[dict[str, Callable[[int], Files]]] = {
    "bodies": bodies,
    "definitions": definitions,
    "headers": headers,
    "types": types,
}

if __name__ == "__main__":
    for kind, make in KINDS.items():
        for file, text in make(int(sys.argv[1])).items():
            print(f"-- {kind} {file}\n{text}")
