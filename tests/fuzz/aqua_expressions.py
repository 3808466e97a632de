"""Names and expressions of one generated function: what is visible, and texts of a wanted type.

Part of `aqua_generator`, which has the statements; that module says which defects of the reference are avoided and how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fuzz.aqua_vocabulary import (
    ABILITIES,
    CLASS_NAMES,
    DATA,
    DEFAULT_IDS,
    NAMES,
    SERVICES,
    Arrow,
    Type,
    accepts,
    element,
)

if TYPE_CHECKING:
    from tests.fuzz.aqua_generator import ProgramWriter

HIDDEN = ("reserved", "gone")
"""Types of names that are taken but cannot be used here."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A name with its type. `instance` tells abilities and services apart for defect D1."""

    name: str
    type: Type
    instance: int = 0


@dataclass
class Frame:
    """Names of one block."""

    variables: list[Variable] = field(default_factory=list)
    services: dict[str, int] = field(default_factory=dict)


class ExpressionWriter:
    """Scope and expressions; a statement that an expression needs first goes into `lines`."""

    def __init__(self, program: ProgramWriter, budget: int) -> None:
        self.program = program
        self.rng = program.rng
        self.lines: list[str] = []
        self.depth = 1
        self.budget = budget
        self.frames = [Frame()]
        self.closure_depth = 0
        self.closure_base = 0
        self.closure_names: set[str] = set()
        self.own_names: set[str] = set()
        self.burnt: set[int] = set()
        self.expressed: set[str] = set()
        self.aliased: set[str] = set()
        self.returning = False
        self.argument_of: list[int] = []

    # ── scope ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def line(self, text: str) -> None:
        self.lines.append("  " * self.depth + text)
        self.budget -= 1

    @contextmanager
    def frame(self, *, values: bool = True) -> Iterator[None]:
        """A block; `on` opens one for service ids only."""
        self.frames.append(Frame())
        self.depth += 1
        yield
        self.depth -= 1
        gone = self.frames.pop()
        if not values:
            self.frames[-1].variables += gone.variables

    def visible(self) -> list[Variable]:
        everything = (v for f in self.frames for v in f.variables)
        return [v for v in everything if v.type not in HIDDEN and v.instance not in self.burnt]

    def of_type(self, expected: Type) -> list[Variable]:
        return [v for v in self.visible() if accepts(expected, v.type)]

    def services(self) -> dict[str, int]:
        """Services with an id here: name → instance, 0 for the default id."""
        found = dict.fromkeys(DEFAULT_IDS, 0)
        for frame in self.frames:
            found.update(frame.services)
        return {name: instance for name, instance in found.items() if instance not in self.burnt}

    def fresh(self, *, class_too: bool = False) -> str:
        """A name not visible here; inside closures one that the rest of the function never uses, unless D6 is wanted."""
        taken = {v.name for f in self.frames for v in f.variables} | self.program.taken
        own, other = self.own_names, self.closure_names
        if self.closure_depth:
            own, other = other, own
        if "D6" in self.program.wild:
            other = set()
        pool = CLASS_NAMES if class_too and self.rng.random() < 0.03 else NAMES
        name = self.rng.choice(pool)
        number = 0
        while name in taken or name in other:
            number += 1
            name = self.rng.choice(NAMES) if number < 20 else f"{self.rng.choice(NAMES)}{number}"
        own.add(name)
        return name

    def define(self, name: str, of: Type, instance: int = 0) -> None:
        if not instance and isinstance(of, str) and (of in ABILITIES or of in SERVICES):
            instance = self.program.instance()
        self.frames[-1].variables.append(Variable(name, of, instance))

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, of: Type, depth: int = 2) -> str:
        """Text of an expression of a type that `of` accepts."""
        rng = self.rng
        variables = self.of_type(of)
        if isinstance(of, Arrow):
            return self.arrow(of)
        if variables and rng.random() < (0.45 if depth else 0.85):
            return rng.choice(variables).name
        if depth > 0 and ("D12" in self.program.wild or not self.returning):
            made = rng.choice((self.from_call, self.from_property, self.from_property, self.literal))(of, depth)
            if made is not None:
                return made
        elif depth > 0:
            made = self.from_property(of, depth)
            if made is not None and rng.random() < 0.5:
                return made
        return self.literal(of, depth) or rng.choice(variables).name

    def literal(self, of: Type, depth: int) -> str | None:
        """A literal, operation or construction."""
        rng = self.rng
        assert isinstance(of, str)
        match of:
            case "string":
                return rng.choice(self.program.strings)
            case "u32":
                return self.integer(depth)
            case "u64":
                return rng.choice(("PARTICLE_TIMESTAMP", "5", self.integer(depth)))
            case "i64":
                return rng.choice(("-3", "7", "1.5 * 2.25", self.integer(depth)))
            case "bool":
                return self.boolean(depth)
        inner = element(of)
        if inner is not None:
            if of[0] == "*":
                return f"*[{', '.join(self.value(inner, depth - 1) for _ in range(rng.randint(1, 2)))}]"
            if rng.random() < 0.12:
                return rng.choice(("nil", "[]", "?[]"))
            sigil = of[: -len(inner)] if rng.random() < 0.8 else rng.choice(("[]", "?"))
            opening = "[" if sigil == "[]" else "?["
            items = [self.value(inner, depth - 1) for _ in range(1 if of[0] == "?" else rng.randint(1, 3))]
            return opening + ", ".join(items) + "]"
        if of in DATA:
            return self.struct(of, depth)
        if of in ABILITIES:
            return self.ability(of, depth)
        return None

    def struct(self, of: str, depth: int) -> str:
        rng = self.rng
        own = self.of_type(of)
        copies = not (self.closure_depth and "D11" not in self.program.wild)
        copies = copies and not (self.returning and "D12" not in self.program.wild)
        if own and copies and rng.random() < 0.4:
            names = rng.sample(list(DATA[of]), rng.randint(1, 2))
            changes = ", ".join(f"{name} = {self.value(DATA[of][name], depth - 1)}" for name in names)
            return f"{rng.choice(own).name}.copy({changes})"
        fields = list(DATA[of].items())
        if rng.random() < 0.3:
            rng.shuffle(fields)
        visible = {v.name: v.type for v in self.visible()}
        parts = []
        for name, t in fields:
            short = name in visible and accepts(t, visible[name])
            parts.append(name if short else f"{name} = {self.value(t, depth - 1)}")
        return f"{of}({', '.join(parts)})"

    def ability(self, of: str, depth: int) -> str:
        parts = []
        for name, t in ABILITIES[of].items():
            if isinstance(t, Arrow):
                parts.append(f"{name} = {self.arrow(t)}")
            elif t[0] == "*" or t in ABILITIES:
                own = self.of_type(t)
                if own:
                    made = self.rng.choice(own).name
                else:
                    made = self.ability(t, depth) if t in ABILITIES and self.rng.random() < 0.5 else self.declare(t)
                parts.append(f"{name} = {made}")
            else:
                parts.append(f"{name} = {self.value(t, depth - 1)}")
        return f"{of}({', '.join(parts)})"

    def declare(self, of: str) -> str:
        """A new variable of a type that is not written inline: a stream or ability."""
        made = self.ability(of, 1) if of in ABILITIES else ""
        name = self.fresh()
        self.line(f"{name} = {made}" if made else f"{name}: {of}")
        self.define(name, of)
        return name

    def integer(self, depth: int) -> str:
        rng = self.rng
        if depth > 0 and rng.random() < 0.4:
            operator = rng.choice(["+", "+", "+", "-", "*", "/", "%", "**"])
            left, right = self.value("u32", depth - 1), self.value("u32", depth - 1)
            return f"({left} {operator} {right})"
        return rng.choice(("1", "0", "2", "5", "CONST_N", "PARTICLE_TTL"))

    def boolean(self, depth: int) -> str:
        rng = self.rng
        if depth <= 0:
            return rng.choice(("true", "false"))
        kind = rng.randrange(5)
        if kind == 0:
            return f"!({self.value('bool', depth - 1)})"
        if kind == 1:
            return f"({self.value('bool', depth - 1)}) {rng.choice(('&&', '||'))} ({self.value('bool', depth - 1)})"
        if kind == 2:
            return (
                f"({self.value('u32', depth - 1)} {rng.choice(('<', '>', '<=', '>='))} {self.value('u32', depth - 1)})"
            )
        of = rng.choice(("string", "u32", "bool", "User", "[]string", "?string"))
        return f"({self.value(of, depth - 1)} {rng.choice(('==', '!='))} {self.value(of, depth - 1)})"

    def from_call(self, of: Type, depth: int) -> str | None:
        """A call whose first result fits."""
        calls = [call for call in self.calls(expression=True) if call[1].results and accepts(of, call[1].results[0])]
        calls = [call for call in calls if not {call[0], call[0].partition(".")[0]} & self.aliased]
        if not calls:
            return None
        text, arrow, instance = self.rng.choice(calls)
        if instance:
            self.burnt.add(instance)
        self.expressed.add(text)
        return self.call_text(text, arrow, depth - 1)

    def from_property(self, of: Type, depth: int) -> str | None:
        """A field, an element, a length."""
        rng = self.rng
        found: list[Callable[[], str]] = []
        for v in self.visible():
            if isinstance(v.type, Arrow):
                continue
            fields = DATA.get(v.type) or ABILITIES.get(v.type) or {}
            for name, t in fields.items():
                base = f"{v.name}.{name}"
                if accepts(of, t):
                    found.append(lambda base=base: base)
                if isinstance(t, str):
                    found += self._element(base, t, of, depth)
                    found += [lambda text=f"{base}.{n}": text for n, u in DATA.get(t, {}).items() if accepts(of, u)]
            found += self._element(v.name, v.type, of, depth)
        if of == "string" and rng.random() < 0.05:
            return "LAST_ERROR.message"
        return rng.choice(found)() if found else None

    def _element(self, base: str, collection: str, of: Type, depth: int) -> list[Callable[[], str]]:
        inner = element(collection)
        if inner is None:
            return []
        found: list[Callable[[], str]] = []
        if of == "u32" or of == "u64":
            found.append(lambda: f"{base}.length")
        option = collection[0] == "?"
        if accepts(of, inner):
            found.append(lambda: f"{base}!" if option else f"{base}{self.index(depth)}")
        fields = DATA.get(inner, {})
        return found + [
            lambda name=name: (f"{base}!" if option else f"{base}{self.index(depth)}") + f".{name}"
            for name, t in fields.items()
            if accepts(of, t)
        ]

    def index(self, depth: int) -> str:
        """`[2]`, `!`, `!1`, `[n + 1]`; a subtraction only where D7 is wanted."""
        rng = self.rng
        kind = rng.randrange(6)
        if kind == 0:
            return "!"
        if kind == 1:
            return f"!{rng.randint(0, 3)}"
        own = self.of_type("u32")
        if kind == 2 and own:
            return f"[{rng.choice(own).name}]"
        if kind == 3 and own:
            operators = "+*-" if "D7" in self.program.wild else "+*"
            return f"[{rng.choice(own).name} {rng.choice(operators)} {rng.randint(1, 2)}]"
        if kind == 4 and depth > 0:
            made = self.from_property("u32", depth - 2)
            if made is not None:
                return f"[{made}]"
        return f"[{rng.randint(0, 3)}]"

    def arrow(self, of: Arrow) -> str:
        """The name of a function of exactly this type; writes a closure if there is none."""
        rng = self.rng
        found = [v.name for v in self.of_type(of)]
        found += [name for name, t in self.program.functions.items() if t == of and "." not in name]
        methods = [f"{s}.{m}" for s in self.services() for m, t in SERVICES[s].items() if t == of]
        found += [method for method in methods if method not in self.expressed]
        for v in self.visible():
            if isinstance(v.type, str) and v.type in ABILITIES:
                found += [f"{v.name}.{m}" for m, t in ABILITIES[v.type].items() if t == of]
        if found and rng.random() < 0.9:
            name = rng.choice(found)
            if "." not in name:
                return name
            bound = self.fresh()
            self.aliased.add(name)
            self.line(f"{bound} = {name}")
            self.define(bound, of)
            return bound
        return self.closure(of)

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def calls(self, *, expression: bool) -> list[tuple[str, Arrow, int]]:
        """Everything that can be called here: text before the arguments, type, instance to retire after an expression."""
        found: list[tuple[str, Arrow, int]] = []
        for service, instance in self.services().items():
            found += [(f"{service}.{m}", t, instance) for m, t in SERVICES[service].items()]
        found += [(name, t, 0) for name, t in self.program.functions.items()] * 2
        for v in self.visible():
            if isinstance(v.type, Arrow):
                found += [(v.name, v.type, 0)] * 2
            elif v.type in ABILITIES:
                for m, t in ABILITIES[v.type].items():
                    if isinstance(t, Arrow):
                        found.append((f"{v.name}.{m}", t, v.instance))
                    elif t in ABILITIES:
                        inner = ABILITIES[t].items()
                        found += [(f"{v.name}.{m}.{n}", u, v.instance) for n, u in inner if isinstance(u, Arrow)]
            elif v.type in SERVICES:
                found += [(f"{v.name}.{m}", t, v.instance) for m, t in SERVICES[v.type].items()]
        if self.argument_of:
            found = [call for call in found if call[2] not in self.argument_of]
        # Inside a closure no instance is retired: the function around it may still use it.
        return [call for call in found if not call[2]] if expression and self.closure_depth else found

    def call_text(self, text: str, of: Arrow, depth: int) -> str:
        args = [self.argument(arg, depth) for arg in self.program.arguments.get(text, of.args)]
        if args and len(args) > 2 and self.rng.random() < 0.1:
            inside = ",\n".join("  " * (self.depth + 2) + arg for arg in args)
            return f"{text}(\n{inside}\n{'  ' * self.depth})"
        return f"{text}({', '.join(args)})"

    def untouched(self, service: str) -> bool:
        """Whether no method of a service was called as an expression yet (D1)."""
        return not any(text.startswith(f"{service}.") for text in self.expressed)

    def argument(self, of: Type, depth: int) -> str:
        """An argument; streams and abilities are variables."""
        if isinstance(of, str) and (of[0] == "*" or of in ABILITIES or of in SERVICES):
            own = self.of_type(of)
            if own:
                return self.rng.choice(own).name
            if of in SERVICES:
                self.aliased.add(of)
                return of
            return self.declare(of)
        if self.rng.random() < 0.15 and isinstance(of, str):
            streams = [
                v for v in self.visible() if isinstance(v.type, str) and v.type[0] == "*" and accepts(of, v.type)
            ]
            if streams:
                return self.rng.choice(streams).name
        return self.value(of, max(depth, 0))
