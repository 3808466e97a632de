"""Random AIR scripts for the interpreter: every instruction, operand kind, lens and loop shape, from one random generator.

Names are used after they are defined textually, as the validator demands; whether they have a value at run time is open,
which is the point. A few scripts are still refused; `valid_script` draws until one parses.
Used by: the simulator, the differential fuzzer, the merge laws, smoke tests. Everything follows from the `Random` that is passed in.

A *tame* script leaves out what known defects of the reference (docs/vm-defects.md) let differ between peers: folds over streams (D1, D8),
reading errors (D4), canons and map keys whose operands may be missing (D2). Data of tame scripts merge the same both ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from avm.air import parse

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FUNCTIONS = ("obj", "arr", "id", "num", "peer", "peers", "fail", "text", "map", "err", "echo", "tet", "badjson", "null")
FUNCTION_WEIGHTS = (6, 7, 6, 3, 3, 3, 6, 3, 2, 2, 3, 2, 0.4, 1)
LENSES = (
    ".$.a", ".$.[0]", ".$.b.[1]", ".$.[1].a", ".$.key", ".$.value", ".$.error_code", ".$.message", ".$.a.[0]",
    ".$.peer_id", ".$.instruction", ".$[0]!", ".$.b[0]", ".$.k", ".$.éa", ".$.[4294967295]", ".$.length", ".$.[0].[0]",
)  # fmt: skip
CANON_LENSES = (".length", ".$.[0]", ".$.[1]", ".$.[1].a", ".$.[0].[0]", ".$.a", ".$.[0].value", ".$.[7]")
MAP_LENSES = (
    ".length",
    ".$.k",
    ".$.k.[0]",
    ".$.[1]",
    ".$.[1].[0].a",
    ".$.l.[0].a",
    ".$.zz",
    ".$.zz.[0].q",
    ".$.k.length",
)
LITERALS = (
    '"v"', '"w"', '"k"', '"a"', '""', '"é \\ \' ☃"', "0", "1", "2", "-2", "-0", "1.5", "1.0", "-0.0", "0.1", "12345.67891",
    "9223372036854775807", "-9223372036854775808", "true", "false", "[]", "%timestamp%", "%ttl%", "%init_peer_id%",
)  # fmt: skip
KEYS = ('"k"', '"l"', "1", "2", '"1"', '""', "-3")
ERRORS = ("%last_error%", ":error:", "%last_error%.$.message", ":error:.$.error_code", ":error:.$.message",
          "%last_error%.$.peer_id", ":error:.$.peer_id", "%last_error%.$.instruction", ":error:.length")  # fmt: skip


@dataclass
class ScriptMaker:
    """One random script. `peers` are the peer ids that occur as literals."""

    rng: random.Random
    peers: list[str]
    scalars: list[str] = field(default_factory=list)
    iterators: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    canons: list[str] = field(default_factory=list)
    canon_maps: list[str] = field(default_factory=list)
    count: int = 0
    tame: bool = False

    # ── operands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def fresh(self, letter: str) -> str:
        """A name not used before."""
        self.count += 1
        return f"{letter}{self.count}"

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.rng.random() < share

    def peer(self) -> str:
        """Who does it: mostly a literal peer id."""
        if self.chance(0.82) or not self.scalars:
            return f'"{self.rng.choice(self.peers)}"' if self.chance(0.93) else "%init_peer_id%"
        if self.canons and self.chance(0.2):
            return self.rng.choice(self.canons) + self.rng.choice(CANON_LENSES[1:3])
        if self.canon_maps and self.chance(0.1):
            return self.rng.choice(self.canon_maps) + self.rng.choice(MAP_LENSES[1:4])
        return self.scalar()

    def canon_peer(self) -> str:
        """Who freezes a stream."""
        return f'"{self.rng.choice(self.peers)}"' if self.tame else self.peer()

    def lens(self) -> str:
        """A path into a value."""
        names = self.scalars + self.iterators
        if names and self.chance(0.15):
            return f".$.[{self.rng.choice(names)}]{self.rng.choice(('', '', '.a'))}"
        return ".length" if self.chance(0.12) else self.rng.choice(LENSES)

    def scalar(self, lens: float = 0.3) -> str:
        """A scalar or an iterator, some with a lens."""
        names = self.scalars + self.iterators * 2 + self.finished[-1:]
        return self.rng.choice(names) + (self.lens() if self.chance(lens) else "")

    def canon_ref(self) -> str:
        """A canon stream, most with a lens."""
        lens = ""
        if self.chance(0.6):
            lens = (
                f".$.[{self.rng.choice(self.scalars)}]"
                if self.scalars and self.chance(0.15)
                else self.rng.choice(CANON_LENSES)
            )
        return self.rng.choice(self.canons) + lens

    def map_ref(self, bare: bool = True) -> str:
        """A canon map, with a lens unless `bare`."""
        if bare and self.chance(0.3):
            return self.rng.choice(self.canon_maps)
        names = self.scalars + self.iterators
        lens = f".$.[{self.rng.choice(names)}]" if names and self.chance(0.15) else self.rng.choice(MAP_LENSES)
        return self.rng.choice(self.canon_maps) + lens

    def value(self, *, bare_map: bool = True) -> str:
        """Any operand."""
        options: list[Callable[[], str]] = [lambda: self.rng.choice(LITERALS), lambda: self.rng.choice(ERRORS)]
        weights = [3.0, 0.0 if self.tame else 0.7]
        if self.scalars or self.iterators:
            options.append(self.scalar)
            weights.append(6)
        if self.canons:
            options.append(self.canon_ref)
            weights.append(2)
        if self.canon_maps:
            options.append(lambda: self.map_ref(bare_map))
            weights.append(1.5)
        return self.rng.choices(options, weights)[0]()

    def key(self) -> str:
        """A key of a stream map."""
        if self.scalars and not self.tame and self.chance(0.25):
            return self.scalar(0.2)
        if self.canons and not self.tame and self.chance(0.08):
            return self.rng.choice(self.canons) + self.rng.choice(CANON_LENSES[:3])
        return self.rng.choice(KEYS)

    def word(self, text: str) -> str:
        """Service or function: nearly always a literal."""
        if self.scalars and self.chance(0.03):
            return self.scalar()
        return f'"{text}"'

    def stream(self) -> str:
        """A stream, perhaps a new one."""
        name = self.rng.choice(("$s", "$t", "$s", "$u"))
        if name not in self.streams:
            self.streams.append(name)
        return name

    def map(self) -> str:
        """A stream map, perhaps a new one."""
        name = self.rng.choice(("%m", "%m", "%n"))
        if name not in self.maps:
            self.maps.append(name)
        return name

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def whole(self, size: int) -> str:
        """A script. Most start with some values, as those of compilers do, so that later parts find work."""
        if size < 5 or self.chance(0.25):
            return self.instr(size)
        start = [self.first_value() for _ in range(self.rng.randint(1, 3))]
        text = self.instr(size - len(start))
        while start:
            text = f"(seq {start.pop()} {text})"
        wrapped = not self.tame and self.chance(0.3)
        return f'(xor {text} (call %init_peer_id% ("s" "id") [:error:]))' if wrapped else text

    def first_value(self) -> str:
        """A call that gives a scalar its value."""
        name = self.fresh("v")
        function = self.rng.choice(("obj", "arr", "peers", "id", "num"))
        peer = f'"{self.rng.choice(self.peers)}"' if self.chance(0.4) else "%init_peer_id%"
        self.define(name)
        return f'(call {peer} ("s" "{function}") [{self.rng.choice(LITERALS)}] {name})'

    def instr(self, size: int) -> str:
        """An instruction of about `size` instructions."""
        if size <= 1:
            return f"(xor {self.leaf()} (null))" if self.chance(0.15) else self.leaf()
        last = self.fan_out if self.tame else self.idiom
        makers = [self.seq, self.par, self.xor, self.match, self.fold_scalar, self.fold_stream, self.new, last]
        return self.rng.choices(makers, [9, 6, 4, 1.3, 2.4, 3.2, 1.8, 1.2])[0](size)

    def two(self, size: int) -> tuple[str, str]:
        """Two instructions of about `size` together."""
        left = self.rng.randint(1, size - 1) if size > 1 else 1
        return self.instr(left), self.instr(max(size - left, 1))

    def seq(self, size: int) -> str:
        """One after the other."""
        return "(seq {} {})".format(*self.two(size))

    def par(self, size: int) -> str:
        """Side by side."""
        return "(par {} {})".format(*self.two(size))

    def xor(self, size: int) -> str:
        """The second if the first fails."""
        left, right = self.two(size)
        if not self.tame and self.chance(0.2):
            right = f'(seq (call {self.peer()} ("s" "id") [{self.rng.choice(ERRORS)}]) {right})'
        return f"(xor {left} {right})"

    def match(self, size: int) -> str:
        """If two values are equal, or are not."""
        left, right = self.value(), self.value()
        if self.chance(0.3):
            right = left
        return f"({self.rng.choice(('match', 'mismatch'))} {left} {right} {self.instr(size - 1)})"

    def new(self, size: int) -> str:
        """A scope of a name."""
        name = self.rng.choice(("$s", "$s", "$t", "%m", "x", "y", "#cc", "#%dd", "$u"))
        self.define(name)
        return f"(new {name} {self.instr(size - 1)})"

    def define(self, name: str) -> None:
        """Let later parts use a name."""
        kinds = {"$": self.streams, "%": self.maps}
        names = (
            self.canon_maps
            if name.startswith("#%")
            else self.canons
            if name[0] == "#"
            else kinds.get(name[0], self.scalars)
        )
        if name not in names:
            names.append(name)

    def fold_scalar(self, size: int) -> str:
        """A loop over a value."""
        options = [*self.scalars[-4:], *self.iterators, *self.canons, *self.canon_maps]
        options += [f"{name}{self.rng.choice(('.$.b', '.$.a', '.$.[0]'))}" for name in self.scalars[-1:]]
        options += [f"{name}{self.rng.choice(('.$.k', '.$.[1]', '.$.k.[0]'))}" for name in self.canon_maps[-1:]]
        return self.fold(self.rng.choice(options) if options and self.chance(0.97) else "[]", size)

    def fold_stream(self, size: int) -> str:
        """A loop over a stream or map."""
        options = self.streams + self.maps
        if not options or self.tame:
            return self.seq(size)
        return self.fold(self.rng.choice(options), size)

    def fold(self, iterable: str, size: int) -> str:
        """A loop; where its `next` stands decides most of what happens to the trace."""
        iterator = self.fresh("i")
        self.iterators.append(iterator)
        body = self.instr(max(size - 2, 1))
        step = f"(next {iterator})"
        shapes = {
            "seq": f"(seq {body} {step})",
            "par": f"(par {body} {step})",
            "par first": f"(par {step} {body})",
            "first": f"(seq {step} {body})",
            "xor": f"(seq (xor {body} (null)) {step})",
            "inside xor": f"(xor (seq {body} {step}) (null))",
            "deep": f"(seq {body} (par (null) (xor {step} (null))))",
            "match": f"(seq {body} ({self.rng.choice(('match', 'mismatch'))} {self.value()} {self.value()} {step}))",
            "never": f"(par {body} (seq (never) {step}))",
            "new": f"(new {self.rng.choice(('$s', '$t', 'x'))} (seq {body} {step}))",
            "none": body,
            "both": f"(seq (par {body} {step}) (null))",
        }
        shape = self.rng.choices(
            list(shapes), [6, 6, 3, 3 if iterable[0] not in "$%" else 0, 3, 1.5, 1, 1, 0.5, 1, 1, 0.7]
        )[0]
        if shape == "new":
            self.define("$s")
        last = self.rng.choice(("", "", "", " (null)", " (never)", f" {self.leaf()}"))
        self.iterators.remove(iterator)
        self.finished.append(iterator)
        return f"(fold {iterable} {iterator} {shapes[shape]}{last})"

    # ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def leaf(self, _size: int = 1) -> str:
        """One instruction without a body."""
        makers = [self.call, self.ap, self.ap_stream, self.ap_map, self.canon, self.canon_map, self.fail, self.other]
        return self.rng.choices(makers, [9, 1.6, 2.8, 1.6, 2, 1.3, 0.7, 0.5])[0]()

    def call(self) -> str:
        """A call of a service."""
        function = self.rng.choices(FUNCTIONS, FUNCTION_WEIGHTS)[0]
        arguments = " ".join(self.value() for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))))
        head = f"(call {self.peer()} ({self.word('s')} {self.word(function)}) [{arguments}] "
        kind = self.rng.random()
        if kind < 0.58:
            output = self.rng.choice(("x", "y", self.fresh("z"), self.fresh("z"), self.fresh("z")))
            if self.iterators and self.chance(0.01):
                output = self.iterators[-1]
            self.define(output)
            return f"{head}{output})"
        return f"{head}{self.stream()})" if kind < 0.82 else f"{head.rstrip()})"

    def ap(self) -> str:
        """A value into a scalar."""
        value = self.value(bare_map=False)
        name = self.rng.choice(("x", "y", self.fresh("a"), self.fresh("a")))
        if self.iterators and self.chance(0.02):
            name = self.iterators[-1]
        self.define(name)
        return f"(ap {value} {name})"

    def ap_stream(self) -> str:
        """A value into a stream."""
        value = self.value(bare_map=False)
        return f"(ap {value} {self.stream()})"

    def ap_map(self) -> str:
        """A pair into a stream map."""
        key, value = self.key(), self.value(bare_map=False)
        return f"(ap ({key} {value}) {self.map()})"

    def canon(self) -> str:
        """A stream frozen."""
        name = self.rng.choice(("#cc", self.fresh("#c"), self.fresh("#$c")))
        text = f"(canon {self.canon_peer()} {self.stream()} {name})"
        self.define(name)
        return text

    def canon_map(self) -> str:
        """A stream map frozen."""
        name = self.rng.choice(("#%dd", self.fresh("#%d"), self.fresh("o")))
        text = f"(canon {self.canon_peer()} {self.map()} {name})"
        self.define(name)
        return text

    def fail(self) -> str:
        """An error."""
        options = ['7 "failed"', '-1 "é"'] if self.tame else ['7 "failed"', '-1 "é"', "%last_error%", ":error:"]
        if self.scalars:
            options += [self.scalar(), self.scalar()]
        if self.canons:
            options.append(self.rng.choice(self.canons) + ".$.[0]")
        return f"(fail {self.rng.choice(options)})"

    def other(self) -> str:
        """What does nothing."""
        return self.rng.choice(("(null)", "(null)", "(never)"))

    # ── what compilers write ─────────────────────────────────────────────────────────────────────────────────────────

    def idiom(self, size: int) -> str:
        """Shapes of compiled programs: fan out and join, a loop that feeds itself, calling back, handling errors."""
        body = max(size - 4, 1)
        match self.rng.randrange(8):
            case 5:
                name, canon, iterator = self.map(), self.fresh("#%d"), self.fresh("i")
                pairs = [
                    f"(ap ({self.key()} {self.value(bare_map=False)}) {name})" for _ in range(self.rng.randint(1, 4))
                ]
                text = f"(canon {self.peer()} {name} {canon})"
                self.define(canon)
                use = self.rng.choice((self.call(), self.ap(), self.fail(), self.match(2)))
                lens = self.rng.choice(("", ".$.k", ".$.[1]", ".$.k.[0]", ".$.zz"))
                use = self.rng.choice(
                    (use, f"(fold {canon}{lens} {iterator} (seq (ap {iterator} $t) (next {iterator})))")
                )
                text = f"(seq {text} {use})"
                while pairs:
                    text = f"(seq {pairs.pop()} {text})"
                return text
            case 6:
                name = self.fresh("e")
                text = f'(call {self.peer()} ("s" "err") [{self.value()}] {name})'
                self.define(name)
                handler = f'(call {self.peer()} ("s" "id") [{self.rng.choice(ERRORS)} {self.rng.choice(ERRORS)}])'
                lens = self.rng.choice(("", "", ".$.more"))
                return f"(seq {text} (xor (xor (fail {name}{lens}) (fail {self.rng.choice(ERRORS[:2])})) {handler}))"
            case 7:
                outer, inner = self.fresh("i"), self.fresh("i")
                options = [*self.scalars[-3:], *self.streams, *self.canons]
                if not options:
                    return self.seq(size)
                first, second = self.rng.choice(options), self.rng.choice(options)
                self.iterators += [outer, inner]
                work = self.leaf()
                self.iterators = self.iterators[:-2]
                join, other = self.rng.choice(("par", "seq")), self.rng.choice(("par", "seq", "xor"))
                return f"(fold {first} {outer} (fold {second} {inner} ({join} {work} ({other} (next {outer}) (next {inner})))))"
            case 0:
                items, iterator, found = self.fresh("z"), self.fresh("i"), self.fresh("z")
                self.define(items)
                self.define("$s")
                work = self.instr(min(body, 4))
                self.define(found)
                return (
                    f'(seq (call {self.peer()} ("s" "peers") [] {items}) (seq (fold {items} {iterator} '
                    f'(par (seq {work} (call {iterator} ("s" "{self.rng.choice(FUNCTIONS[:4])}") [{iterator}] $s)) '
                    f"(next {iterator}))) {self.joined('$s')}))"
                )
            case 1:
                iterator, found = self.fresh("i"), self.fresh("z")
                self.define("$s")
                text = (
                    f"(seq (ap 0 $s) (fold $s {iterator} (seq (call {self.peer()} "
                    f'("s" "step") [{iterator}] {found}) '
                    f"(seq (xor (mismatch {found} 3 (ap {found} $s)) (null)) {self.turn(iterator)}))))"
                )
                self.define(found)
                return f"(new $s {text})" if self.chance(0.5) else text
            case 2:
                inner = self.instr(body)
                return f'(xor {inner} (call %init_peer_id% ("s" "id") [{self.rng.choice(ERRORS[:2])}]))'
            case 3:
                return f"(seq {self.instr(body)} {self.joined(self.stream())})"
            case _:
                return self.fan_out(size)

    def fan_out(self, _size: int = 4) -> str:
        """Several leaves side by side."""
        branches = [self.leaf() for _ in range(self.rng.randint(2, 4))]
        text = branches.pop()
        while branches:
            text = f"(par {branches.pop()} {text})"
        return text

    def turn(self, iterator: str) -> str:
        """A `next`, plain or wrapped."""
        return self.rng.choice(
            (f"(next {iterator})", f"(par (null) (next {iterator}))", f"(xor (next {iterator}) (null))")
        )

    def joined(self, stream: str) -> str:
        """Wait for some values of a stream, then use them."""
        iterator, copy, canon = self.fresh("i"), self.fresh("$j"), self.fresh("#j")
        count = self.rng.randint(1, 3)
        text = (
            f"(new {copy} (fold {stream} {iterator} (seq (seq (ap {iterator} {copy}) (canon {self.peer()} {copy} {canon})) "
            f"(xor (match {canon}.length {count} (null)) (next {iterator}))) (never)))"
        )
        self.define(canon)
        return f"(seq {text} {self.call()})" if self.chance(0.7) else text


def script(rng: random.Random, peers: list[str], size: int) -> str:
    """A script of about `size` instructions; it may be refused by the validator."""
    return ScriptMaker(rng, peers).whole(size)


def valid_script(rng: random.Random, peers: list[str], size: int) -> str:
    """A script that parses."""
    while True:
        air = script(rng, peers, size)
        if parse(air).instruction is not None:
            return air
