"""Well-typed random Aqua programs, a pure function of an integer.

    python -m tests.fuzz.aqua_generator SEED

Every feature of 0.14.6 may occur anywhere its types allow. What the reference aborts on (D1) is avoided here: a method used
again after it was an expression (the instance is not used any more), and a variable that stands for such a method or its
service. What it gets silently wrong occurs in some programs only (`WILD`), because ours is then compared while it repeats
the defect; D2 and D3 cannot be avoided where names collide on purpose.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace
from typing import Any

from tests.fuzz.aqua_expressions import ExpressionWriter, Variable
from tests.fuzz.aqua_vocabulary import (
    ABILITIES,
    ARROWS,
    DATA,
    INNER_ARROWS,
    ODD_LABELS,
    PEERS,
    PLAIN,
    SERVICES,
    STREAMS,
    STRINGS,
    USUAL_LABELS,
    Arrow,
    Style,
    Type,
    accepts,
    declarations,
    element,
)

OPTION_SETS: tuple[dict[str, bool], ...] = (
    {},
    {},
    {},
    {"noRelay": True},
    {"noXor": True},
    {"tracing": True},
    {"noEmptyResponse": False},
    {"noRelay": True, "noXor": True},
    {"noRelay": True, "tracing": True},
    {"noXor": True, "tracing": True, "noEmptyResponse": False},
)


@dataclass(frozen=True, slots=True)
class Program:
    """Files, the one to compile, and the options to compile it with."""

    seed: int
    files: dict[str, str]
    entry: str
    options: dict[str, Any]


class FunctionWriter(ExpressionWriter):
    """Writes one function, statement by statement."""

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    def block(self, size: int, *, acts: bool = False) -> None:
        """Statements of a block; `acts` makes sure that it does something, unless D10 is wanted."""
        before = len(self.lines)
        if acts:
            if "D10" in self.program.wild and self.rng.random() < 0.5:
                self.s_assign()
            else:
                self.line(self.rng.choice(("Echo.ping()", f"Echo.say({self.value('string', 0)})")))
        for _ in range(max(size, 0 if acts else 1)):
            self.statement()
        if len(self.lines) == before:
            self.line("Echo.ping()")

    def statement(self) -> None:
        simple = SIMPLE[:-4] if self.program.library else SIMPLE
        kinds = simple if self.depth > 5 or self.budget <= 0 else simple + COMPOUND
        getattr(self, "s_" + self.rng.choice(kinds))()

    def s_assign(self) -> None:
        rng = self.rng
        of = rng.choice(PLAIN)
        if element(of):
            # The type of a literal follows from its elements, so these are chosen first.
            inner = rng.choice(("string", "string", "bool", "User"))
            opening, kind = rng.choice((("[", "[]"), ("[", "[]"), ("?[", "?")))
            items = [self.value(inner, 2) for _ in range(rng.randint(1, 2))]
            text, of = f"{opening}{', '.join(items)}]", kind + inner
        else:
            text = self.value(of, 3)
            if of in ("u64", "i64"):
                of = "opaque"
        name = self.fresh(class_too=True)
        self.line(f"{name} = {text}")
        self.define(name, of)

    def s_alias(self) -> None:
        own = [v for v in self.visible() if isinstance(v.type, Arrow) or v.type[0] == "*" or v.type in ABILITIES]
        if own:
            chosen, name = self.rng.choice(own), self.fresh()
            self.line(f"{name} = {chosen.name}")
            self.define(name, chosen.type, chosen.instance)

    def s_call(self) -> None:
        self.line(self.call_statement())

    def call_statement(self, *, quiet: bool = False) -> str:
        """`a, s <- f(x)`, results into new names or existing streams."""
        rng = self.rng
        calls = self.calls(expression=False)
        # What takes a service is left out once a method of that service was an expression (D1).
        services = [[a for a in self.program.arguments.get(call[0], ()) if a in SERVICES] for call in calls]
        calls = [c for c, needed in zip(calls, services, strict=True) if all(map(self.untouched, map(str, needed)))]
        text, of, instance = rng.choice(calls or [("Echo.ping", SERVICES["Echo"]["ping"], 0)])
        self.argument_of += [instance] if instance else []
        made = self.call_text(text, of, 2)
        if instance:
            self.argument_of.pop()
        results = self.program.results.get(text, of.results)
        names: list[str] = []
        new: list[tuple[str, Type]] = []
        if results and not (quiet and rng.random() < 0.5):
            for result in results[: rng.choice((len(results), len(results), 1))]:
                streams = [
                    v
                    for v in self.visible()
                    if isinstance(v.type, str)
                    and v.type[0] == "*"
                    and isinstance(result, str)
                    and accepts(v.type[1:], result)
                    and v.name not in names
                ]
                if streams and rng.random() < 0.4:
                    names.append(rng.choice(streams).name)
                else:
                    name = self.fresh()
                    while name in names:
                        name = self.fresh()
                    names.append(name)
                    new.append((name, result))
        for name, result in new:
            self.define(name, result)
        return f"{', '.join(names)} <- {made}" if names else made

    def s_push(self) -> None:
        """A closure pushes to its own streams only: elsewhere the reference may miss them (D14)."""
        base = 0 if "D14" in self.program.wild else self.closure_base
        near = {v.name for f in self.frames[base:] for v in f.variables}
        streams = [v for v in self.visible() if isinstance(v.type, str) and v.type[0] == "*" and v.name in near]
        if not streams:
            self.declare(self.rng.choice(STREAMS))
            return
        chosen = self.rng.choice(streams)
        self.line(f"{chosen.name} <<- {self.value(str(chosen.type)[1:], 2)}")

    def s_stream(self) -> None:
        self.declare(self.rng.choice(STREAMS))

    def s_join(self) -> None:
        operands = []
        for v in self.visible():
            inner = element(v.type)
            if inner is not None:
                operands.append(f"{v.name}!" if str(v.type)[0] == "?" else f"{v.name}{self.index(1)}")
            elif not isinstance(v.type, Arrow) and v.type not in ABILITIES and v.type not in SERVICES:
                operands.append(v.name)
        if operands:
            self.line(f"join {', '.join(self.rng.sample(operands, min(len(operands), self.rng.randint(1, 3))))}")

    def s_service(self) -> None:
        names = ("Store",) if self.program.library else ("Worker", "Worker", "Worker", "Store")
        # Blocks without content call Echo, of whatever instance (D1).
        service = self.rng.choice((*names, "Echo") if "D1" in self.program.wild else names)
        identity = self.rng.choice(('"w"', '"other"', "CONST_S", self.simple_string()))
        if identity in ("INIT_PEER_ID", "HOST_PEER_ID", "%init_peer_id%") and "D8" not in self.program.wild:
            identity = '"w"'
        self.line(f"{service} {identity}")
        self.frames[-1].services[service] = self.program.instance()

    def s_service_value(self) -> None:
        services = self.services()
        if not services:
            return
        service = self.rng.choice(sorted(services))
        if not services[service] and not self.untouched(service):
            return
        self.aliased.add(service)
        name = self.fresh()
        self.line(f"{name} = {service}")
        self.define(name, service, services[service] or self.program.instance())

    def s_closure(self) -> None:
        self.closure(self.rng.choice(ARROWS if self.program.library else (*ARROWS, *INNER_ARROWS)))

    def closure(self, of: Arrow) -> str:
        """`c = (x: string) -> string:` with a body; its names occur nowhere else in the function (D6)."""
        rng = self.rng
        name = self.fresh()
        self.frames[-1].variables.append(Variable(name, "reserved"))
        outer = self.closure_depth, self.closure_base
        self.closure_depth, self.closure_base = self.closure_depth + 1, len(self.frames)
        head = len(self.lines)
        self.line("")
        with self.frame():
            labels = []
            for arg in of.args:
                label = self.fresh()
                labels.append(f"{label}: {arg}")
                self.define(label, arg)
            arrow = f" -> {', '.join(of.results)}" if of.results else ""
            self.block(rng.randint(0, 2), acts=rng.random() < 0.6 or not of.results)
            if of.results:
                self.line(f"<- {', '.join(self.returned(result) for result in of.results)}")
        self.closure_depth, self.closure_base = outer
        keyword = rng.choice(("", "func "))
        self.lines[head] = "  " * self.depth + f"{name} = {keyword}({', '.join(labels)}){arrow}:"
        self.frames[-1].variables = [v for v in self.frames[-1].variables if v.name != name]
        self.define(name, of)
        return name

    def returned(self, of: Type) -> str:
        """A value to return; literals of data and abilities hold no calls (D12)."""
        if isinstance(of, str) and (of[0] == "*" or of in ABILITIES):
            own = self.of_type(of)
            if own:
                return self.rng.choice(own).name
            if of[0] != "*" or self.rng.random() < 0.7:
                return self.declare(of)
        if isinstance(of, str) and (of in DATA or (element(of) or "") in DATA):
            self.returning = True
        made = self.value(of, 2)
        self.returning = False
        return made

    def s_if(self) -> None:
        rng = self.rng
        self.line(f"if {self.boolean(rng.randint(0, 2)) if rng.random() < 0.6 else self.value('bool', 2)}:")
        with self.frame():
            self.block(rng.randint(0, 2), acts=True)
        if rng.random() < 0.6:
            self.line("else:")
            with self.frame():
                self.block(rng.randint(0, 2), acts=rng.random() < 0.7)

    def s_try(self) -> None:
        rng = self.rng
        self.line("try:")
        with self.frame():
            self.block(rng.randint(0, 2), acts=rng.random() < 0.8)
        for _ in range(rng.choice((1, 1, 1, 0, 2))):
            name = self.fresh()
            self.line(f"catch {name}:")
            with self.frame():
                self.define(name, "Error")
                self.line(f"Echo.say({name}.{rng.choice(('message', 'peer_id', 'instruction'))})")
                self.block(rng.randint(0, 1), acts=True)
        if rng.random() < 0.25:
            self.s_otherwise()

    def retire(self, known: int) -> None:
        """Nothing defined in this frame after the first `known` names is used any more; the names stay taken."""
        variables = self.frames[-1].variables
        variables[known:] = [Variable(v.name, "gone") for v in variables[known:]]

    def s_otherwise(self) -> None:
        self.line("otherwise:")
        with self.frame():
            self.block(self.rng.randint(0, 1), acts=True)

    def s_guarded(self) -> None:
        """A statement with `otherwise`: it becomes a `try`, and what it binds is gone afterwards."""
        known = len(self.frames[-1].variables)
        self.line(self.call_statement())
        self.retire(known)
        self.s_otherwise()

    def simple_string(self) -> str:
        own = [v.name for v in self.of_type("string")]
        return self.rng.choice(own) if own and self.rng.random() < 0.7 else self.rng.choice(PEERS)

    def where(self) -> str:
        """Operands of `on`: peer and vias, at most one of them computed, unless D5 is wanted."""
        rng = self.rng
        vias = rng.choice((0, 0, 0, 1, 1, 2))
        computed = rng.random() < 0.25
        peer = self.value("string", 2) if computed else self.simple_string()
        parts = [f"on {peer}"]
        for _ in range(vias):
            lists = [v.name for v in self.visible() if accepts("[]string", v.type) and str(v.type)[0] != "*"]
            if (not computed or "D5" in self.program.wild) and rng.random() < 0.15:
                parts.append(self.value("?string", 1))
                computed = "D5" not in self.program.wild
            else:
                parts.append(rng.choice(lists) if lists and rng.random() < 0.4 else self.simple_string())
        return " via ".join(parts)

    def s_on(self) -> None:
        self.line(f"{self.where()}:")
        with self.frame(values=False):
            self.block(self.rng.randint(1, 3))

    def s_par(self) -> None:
        """`x` and one to three statements beside it."""
        rng = self.rng
        known = len(self.frames[-1].variables)
        if rng.random() < 0.3:
            self.s_on()
        else:
            self.line(self.call_statement())
        for _ in range(rng.randint(1, 3)):
            self.parallel("par")
        if rng.random() < 0.1:
            self.retire(known)
            self.s_otherwise()

    def s_co(self) -> None:
        self.parallel("co")

    def parallel(self, word: str) -> None:
        rng = self.rng
        kind = rng.randrange(10)
        if kind < 4:
            self.line(f"{word} {self.where()}:")
            with self.frame(values=False):
                self.block(rng.randint(1, 2))
        elif kind < 6 and self.depth < 5:
            self.loop(word + " ")
        elif kind < 7:
            streams = [v for v in self.visible() if isinstance(v.type, str) and v.type[0] == "*"]
            if streams:
                self.line(f"{word} join {rng.choice(streams).name}{self.index(1)}")
            else:
                self.line(f"{word} Echo.ping()")
        else:
            self.line(f"{word} {self.call_statement(quiet=True)}")

    def s_for(self) -> None:
        self.loop("")

    def iterable(self) -> tuple[str, str]:
        own = [v for v in self.visible() if element(v.type) is not None]
        if own and self.rng.random() < 0.6:
            chosen = self.rng.choice(own)
            return chosen.name, str(element(chosen.type))
        of = self.rng.choice(("string", "string", "User"))
        text = self.value(f"[]{of}", 2)
        if text in ("nil", "[]", "?[]"):
            text = "[" + self.value(of, 0) + "]"
        return text, of

    def loop(self, word: str) -> None:
        rng = self.rng
        text, of = self.iterable()
        mode = rng.choice(("", "", " par", " par", " try", " rec"))
        name = self.fresh()
        self.line(f"{word}for {name} <- {text}{mode}:")
        with self.frame():
            self.define(name, of)
            self.block(rng.randint(0, 2), acts=mode == " rec" or rng.random() < 0.6)

    def s_gather(self) -> None:
        """Results of many peers in one stream, and a wait for them."""
        rng = self.rng
        streams = self.of_type("*string")
        stream = rng.choice(streams).name if streams and rng.random() < 0.5 else self.declare("*string")
        text, of = self.iterable()
        name = self.fresh()
        if of != "string":
            text, of = f"[{self.simple_string()}, {self.simple_string()}]", "string"
        if rng.random() < 0.4:
            self.line(f"parseq {name} <- {text} on {name}{rng.choice(('', ' via HOST_PEER_ID'))}:")
            with self.frame():
                self.define(name, of)
                self.line(f"{stream} <- Echo.say({self.value('string', 1)})")
        else:
            self.line(f"for {name} <- {text} par:")
            with self.frame():
                self.define(name, of)
                self.line(f"on {name}{rng.choice(('', ' via HOST_PEER_ID'))}:")
                with self.frame(values=False):
                    self.line(f"{stream} <- Echo.say({self.value('string', 1)})")
        if rng.random() < 0.7:
            self.line(f"join {stream}{self.index(1)}")

    def s_parseq(self) -> None:
        rng = self.rng
        text, of = self.iterable()
        name = self.fresh()
        if of != "string":
            text, of = f"[{self.simple_string()}]", "string"
        via = rng.choice(("", "", " via HOST_PEER_ID", f" via {self.simple_string()}"))
        self.line(f"parseq {name} <- {text} on {name}{via}:")
        with self.frame():
            self.define(name, of)
            self.block(rng.randint(0, 2), acts=True)

    def s_burst(self) -> None:
        """More streams in one scope than keep their order."""
        for _ in range(self.rng.randint(5, 7)):
            name = self.declare(self.rng.choice(("*string", "*u32")))
            if self.rng.random() < 0.6:
                self.line(f"{name} <<- {self.value(str(self.of_name(name))[1:], 1)}")

    def of_name(self, name: str) -> Type:
        """Type of a visible variable."""
        return next(v.type for v in reversed(self.visible()) if v.name == name)

    def s_ability(self) -> None:
        self.declare(self.rng.choice(sorted(ABILITIES)))


SIMPLE = (
    "burst",
    *("assign",) * 8,
    "alias",
    *("call",) * 10,
    *("service_value",) * 2,
    *("push",) * 4,
    *("stream",) * 2,
    *("join",) * 4,
    *("service",) * 2,
    *("ability",) * 2,
)
COMPOUND = (
    *("closure", "if", "if", "try", "guarded", "on", "on", "on", "par", "par"),
    *("co", "for", "for", "gather", "gather", "parseq"),
) * 2


WILD = ("D1", "D5", "D6", "D7", "D8", "D10", "D11", "D12", "D14", "D18")
"""Defects of the reference that a program may run into; each is avoided in most programs."""


class ProgramWriter:
    """Writes the files of a program."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.functions: dict[str, Arrow] = {}
        self.arguments: dict[str, tuple[Type, ...]] = {}
        self.results: dict[str, tuple[Type, ...]] = {}
        self.taken: set[str] = set()
        self.strings = STRINGS
        self.library = False
        self.wild = frozenset(name for name in WILD if self.rng.random() < 0.08)
        labels = self.rng.choice(ODD_LABELS) if self.rng.random() < 0.12 else USUAL_LABELS
        self.style = Style(labels, arrows=self.rng.random() < 0.15, only_used=self.rng.random() < 0.7)
        self._instances = 0

    def instance(self) -> int:
        """A number for a new service instance or ability value."""
        self._instances += 1
        return self._instances

    def program(self) -> Program:
        rng = self.rng
        options: dict[str, Any] = dict(rng.choice(OPTION_SETS))
        if rng.random() < 0.12:
            options["constants"] = ['CONST_S = "given"', 'GIVEN = "user\'s"', "CONST_N = 3"]
            self.style = replace(self.style, overridable=True)
            self.strings = (*STRINGS, "GIVEN")
        library, header = self._library() if rng.random() < 0.35 else ({}, [])
        imported = [name for name in self.functions if "." not in name]
        size = rng.choice((3, 4, 5, 6, 8, 8, 10, 12, 15, 20, 30, 60))
        count = rng.choice((1, 1, 2, 2, 3, 4))
        if rng.random() < 0.06:
            count, size = 7, 14
        bodies: list[list[str]] = []
        exported: list[str] = []
        for number in range(count):
            name = rng.choice((f"f{number}", f"g{number}", f"make{number}"))
            lines, exportable = self.function(name, max(2, size // count), last=number == count - 1 or count == 7)
            bodies.append(lines)
            if exportable and (number == count - 1 or rng.random() < (0.3 if count < 7 else 0.9)):
                exported.append(name)
        if rng.random() < 0.1:
            exported.append(rng.choice(("Echo", "Store")))
        if imported and rng.random() < 0.2:
            exported.append(rng.choice(imported))
        if rng.random() < 0.2:
            rng.shuffle(exported)
        items = [f"{n} as {n}Out" if rng.random() < 0.15 else n for n in exported]
        lines = ["aqua Fz declares *" if rng.random() < 0.5 else "aqua Fz", "", *header]
        if items:
            lines += [f"export {', '.join(items)}", ""]
        text = "\n".join(line for body in bodies for line in ("", *body))
        lines += declarations(self.style, " ".join((text, *items)))
        return Program(self.seed, {"main.aqua": "\n".join(lines) + f"\n{text}\n", **library}, "main.aqua", options)

    def function(self, name: str, size: int, *, last: bool, simple: bool = False) -> tuple[list[str], bool]:
        """One function and whether it may be exported."""
        rng = self.rng
        writer = FunctionWriter(self, size)
        args: list[Type] = []
        labels: list[str] = []
        braces: list[str] = []
        if not simple and not last and rng.random() < 0.25:
            braces = rng.sample(sorted(ABILITIES), rng.randint(1, 2))
            for ability in braces:
                args.append(ability)
                writer.define(ability, ability)
        callbacks = ARROWS if "D18" in self.wild or not last else [a for a in ARROWS if len(a.results) < 2]
        kinds = [*PLAIN, "string", "string", *STREAMS, *callbacks]
        if not last:
            kinds += [*ABILITIES, "Echo"] if rng.random() < 0.2 else [*ABILITIES]
            kinds += INNER_ARROWS
        for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
            of = rng.choice((*PLAIN, *STREAMS) if simple else kinds)
            label = writer.fresh()
            args.append(of)
            labels.append(f"{label}: {of}")
            writer.define(label, of)
        kinds = [*PLAIN, "string", "string", *STREAMS]
        if not last and not simple:
            kinds += [*ABILITIES, *ARROWS, *INNER_ARROWS]
        results: list[Type] = [
            rng.choice((*PLAIN, *STREAMS) if simple else kinds) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))
        ]
        while sum(isinstance(r, Arrow) for r in results) and not isinstance(results[-1], Arrow):
            results.pop()  # an arrow type swallows the results behind it
        results = [r for r in results[:-1] if not isinstance(r, Arrow)] + results[-1:]
        writer.block(rng.randint(1, 2))
        while writer.budget > 0:
            writer.statement()
        if results:
            writer.line(f"<- {', '.join(writer.returned(result) for result in results)}")
        head = f"func {name}" + (f"{{{', '.join(braces)}}}" if braces else "")
        shown = ", ".join(f"({r})" if isinstance(r, Arrow) and len(results) > 1 else str(r) for r in results)
        if results and isinstance(results[-1], Arrow) and len(results) == 1:
            shown = str(results[0])
        head += f"({', '.join(labels)})" + (f" -> {shown}" if results else "") + ":"
        self.functions[name] = Arrow(tuple(map(str, args)), tuple(map(str, results)))
        self.arguments[name], self.results[name] = tuple(args), tuple(results)
        self.taken.add(name)
        exportable = not any(isinstance(r, Arrow) or r in ABILITIES for r in results)
        inner = (*ABILITIES, *SERVICES, *INNER_ARROWS)
        exportable = exportable and not any(a in inner for a in args)
        return [head, *writer.lines], exportable

    def _library(self) -> tuple[dict[str, str], list[str]]:
        """Other files, and the header lines that bring their functions here under one of the forms of import."""
        rng = self.rng
        bodies: dict[str, list[str]] = {}
        self.library = True
        for number in range(rng.randint(1, 3)):
            name = f"lib{number}"
            bodies[name] = self.function(name, rng.randint(2, 8), last=False, simple=True)[0]
        self.library = False
        names = list(bodies)
        files: dict[str, str] = {}
        # The first function may come from a file further away, and be known here only because the nearer one declares it.
        far = names[:1] if len(names) > 1 and rng.random() < 0.5 else []
        near = [name for name in names if name not in far]
        if far:
            files["far/base.aqua"] = self._file("Base", "*", [], [bodies[name] for name in far])
        declared = "*" if rng.random() < 0.6 and not far else ", ".join(rng.sample(names, len(names)))
        header = ['import lib0 from "far/base.aqua"', ""] if far else []
        files["lib.aqua"] = self._file("Lib", declared, header, [bodies[name] for name in near])
        form = rng.randrange(5)
        if form == 0:
            header, known = [f'import {", ".join(names)} from "lib.aqua"'], {n: n for n in names}
        elif form == 1:
            header = [f'import {", ".join(f"{n} as other{n}" for n in names)} from "lib.aqua"']
            known = {n: f"other{n}" for n in names}
        elif form == 2:
            alias = rng.choice(("", " as Zed"))
            header, known = [f'use "lib.aqua"{alias}'], {n: f"{'Zed' if alias else 'Lib'}.{n}" for n in names}
            if declared == "*":
                for method, of in SERVICES["Echo"].items():
                    self.functions[f"{'Zed' if alias else 'Lib'}.Echo.{method}"] = of
        elif form == 3:
            header, known = [f'use {", ".join(names)} from "lib.aqua" as Zed'], {n: f"Zed.{n}" for n in names}
        else:
            renamed = [f"{n} as other{n}" for n in names]
            header = [f'use {", ".join(renamed)} from "lib.aqua" as Zed']
            known = {n: f"Zed.other{n}" for n in names}
        for table in (self.functions, self.arguments, self.results):
            for n in names:
                table[known[n]] = table.pop(n)  # type: ignore[attr-defined]
        self.taken = {n for n in known.values() if "." not in n}
        return files, [*header, ""]

    def _file(self, module: str, declared: str, header: list[str], bodies: list[list[str]]) -> str:
        style = replace(self.style, only_used=self.style.only_used and declared != "*")
        text = "\n".join(line for body in bodies for line in ("", *body))
        lines = [f"aqua {module} declares {declared}", "", *header, *declarations(style, text, library=True)]
        return "\n".join(lines) + f"\n{text}\n"


def generate(seed: int) -> Program:
    """The program of a seed."""
    return ProgramWriter(seed).program()


def main() -> int:
    """Print the files of a program."""
    program = generate(int(sys.argv[1]))
    for name, text in program.files.items():
        print(f"-- {name} {program.options}\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
