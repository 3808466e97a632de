"""Names visible at a point of a module: values, types, service ids, used modules.

Values live in one namespace without shadowing: a name readable anywhere outside cannot be defined again. Types have a
namespace of their own. Ids of services follow frames of their own, which `on` opens too.

A definition that failed leaves a *broken* entry (type None) behind. Reading it fails silently, so that one mistake yields
one message; defining the name again is allowed. Where follow-ups are wanted, nothing is left behind instead, as in the reference.

Errors: AQ0203, AQ0204 (a name defined twice).
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/names/NamesInterpreter.scala, …/rules/abilities/AbilitiesInterpreter.scala
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Literal as Lit

from aquac import codes
from aquac.diagnostics import Note
from aquac.records import dataclass

from .library_names import LIBRARY
from .mangler import Mangler
from .raw import ConstPart, FuncPart, ModuleContext, Occurrence, ServicePart, Site, TypePart
from .report import closest
from .types import AbilityType, Arrow, ServiceType, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquac.source import Span
    from aquac.syntax import ast

    from .report import Reporter

EXCUSED_MAX = 200
"""Unreadable names that are compared with unknown ones; where there are more, no unknown name is wondered about."""

ValueKind = Lit["constant", "function", "variable", "argument"]


@dataclass(frozen=True, slots=True)
class ValueEntry:
    """A constant, function, argument or variable. `type` is None if its definition failed."""

    type: Type | None
    kind: ValueKind
    site: Site | None
    stays_broken: bool = False
    """What it means is anybody's guess: defining it again does not mend it."""
    results_known: bool = True
    """Whether the results of a function are what its signature says; its body may contradict it."""


@dataclass(frozen=True, slots=True)
class TypeEntry:
    """A data, ability, service or alias.

    `type` is None if nothing usable was defined; `broken` names members whose declaration failed; `service` is true for
    services themselves, not for aliases of them.
    """

    type: Type | None
    site: Site | None
    service: bool = False
    default_id: bool = False
    broken: frozenset[str] = frozenset()

    def lacks(self, member: str) -> bool:
        """Whether a member is missing only because its declaration is wrong, perhaps under a name that is a slip for it."""
        return any(b.startswith(member) for b in self.broken) or bool(closest(member, self.broken))


class Scope:
    """Everything elaboration of one module knows about names."""

    def __init__(self, report: Reporter, context: ModuleContext, *, follow_ups: bool = False) -> None:
        """Start from `context`: constants, imported parts and used modules.

        `later` is filled for messages only. `is_open`: any unknown name may come from a file that could not be imported.
        `gaps` are those of the file by owner. With `follow_ups` what only follows from another error is reported too.
        """
        self.report = report
        self.follow_ups = follow_ups
        self.context = context
        self.mangler = Mangler()
        self.occurrences: list[Occurrence] = []
        self.later: dict[str, Site] = {}
        self.is_open = False
        self.is_incomplete = False
        """Whether a line of the function being elaborated could not be read."""
        self.gaps: dict[int, list[ast.Gap]] = {}
        self._excused: list[str] = []
        self._bound: set[str] = set()
        self._constants: dict[str, ValueEntry] = {}
        self._functions: dict[str, ValueEntry] = {}
        self._types: dict[str, TypeEntry] = {}
        self._frames: list[dict[str, ValueEntry]] = []
        self._service_ids: list[dict[str, str | None]] = []
        for _, part in context.parts:
            match part:
                case ConstPart():
                    self._constants[part.name] = ValueEntry(part.value.type, "constant", part.site)
                case FuncPart():
                    self._functions[part.name] = ValueEntry(part.arrow.type, "function", part.site)
                case TypePart():
                    self._types[part.name] = TypeEntry(part.type, part.site)
                case ServicePart():
                    self._types[part.name] = TypeEntry(
                        part.type, part.site, service=True, default_id=part.id is not None
                    )

    # ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def frame(self) -> Iterator[None]:
        """A block of its own: names and service ids bound inside end with it."""
        self._frames.append({})
        self._service_ids.append({})
        try:
            yield
        finally:
            self._frames.pop()
            self._service_ids.pop()

    @contextmanager
    def service_frame(self) -> Iterator[None]:
        """The body of `on`: only service ids end with it."""
        self._service_ids.append({})
        try:
            yield
        finally:
            self._service_ids.pop()

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, name: str) -> ValueEntry | None:
        """What a name, plain or dotted, denotes as a value."""
        entry = self._constants.get(name)
        if entry is not None:
            return entry
        for frame in reversed(self._frames):
            if name in frame:
                return frame[name]
        entry = self._functions.get(name)
        if entry is not None or "." not in name:
            return entry
        match self.context.member(name, is_type=False):
            case ConstPart() as part:
                return ValueEntry(part.value.type, "constant", part.site)
            case FuncPart() as part:
                return ValueEntry(part.arrow.type, "function", part.site)
            case _:
                return None

    def constant(self, name: str) -> ValueEntry | None:
        """A constant by name, dotted for one of a used module."""
        entry = self.value(name)
        return entry if entry is not None and entry.kind == "constant" else None

    def value_names(self) -> list[tuple[str, Site | None]]:
        """Names one could have meant: frames inside out, functions, constants; broken ones left out."""
        if self.report.is_tired:
            return []
        levels = [*reversed(self._frames), self._functions, self._constants]
        return [(n, e.site) for level in levels for n, e in level.items() if e.type is not None]

    def service_names(self) -> list[tuple[str, Site | None]]:
        """Services and modules one could have meant by a name in value position."""
        services = [(n, e.site) for n, e in self._types.items() if e.service and e.type is not None]
        return [*services, *((name, None) for name in self.context.used)]

    def missing(self, name: str) -> tuple[Note, ...]:
        """What to do about a name that resembles no other: it may be defined further down, or in the library."""
        site = self.later.get(name)
        if site is None and name in LIBRARY:
            return (Note(f'the library declares it; add a line `import {name} from "{LIBRARY[name]}"`'),)
        if site is None:
            return (Note("define it above, or import the file that declares it"),)
        return (Note("it is defined further down; a definition stands before its uses", site.file, site.span),)

    def define(
        self,
        name: ast.Name,
        t: Type | None,
        kind: ValueKind = "variable",
        *,
        bound_by: Lit["definition", "item"] = "definition",
        stream: bool = False,
    ) -> bool:
        """Bind a name in the innermost frame; with type None as broken. False, and an error, if the name is taken.

        What a loop or a call hands out is a name like any other when it is taken, even if it is a function. A broken `stream`
        stays one: what is given to it later does not define it.
        """
        taken = self.value(name.text)
        if taken is not None and taken.stays_broken:
            return False
        if taken is not None and taken.type is not None:
            if t is not None:
                self.report_redefined(name, taken, function=bound_by == "definition" and isinstance(t, Arrow))
                if t != taken.type and not self.follow_ups:
                    # Which of the two a later use means is anybody's guess.
                    self._frames[-1][name.text] = ValueEntry(None, kind, taken.site, stays_broken=True)
            return False
        if t is None and self.follow_ups:
            return False
        self._frames[-1][name.text] = ValueEntry(t, kind, self.site(name.span), stays_broken=stream and t is None)
        self._bound.add(name.text)
        self.occurs(name.span, kind, name.text, t, self.site(name.span))
        return t is not None

    def poison(self, name: str, *, everywhere: bool) -> None:
        """Take an unknown name for a broken one, so that its other uses stay quiet.

        Misspelt variables are a matter of one function; functions, services and modules are missed in the whole module.
        """
        if self.follow_ups:
            return
        if everywhere or not self._frames:
            self._functions.setdefault(name, ValueEntry(None, "variable", None))
        else:
            self._frames[0].setdefault(name, ValueEntry(None, "variable", None, stays_broken=True))

    def poison_type(self, name: str) -> None:
        """As `poison`, for a name used as a type."""
        if not self.follow_ups:
            self._types.setdefault(name, TypeEntry(None, None))

    def excuse(self, names: Iterable[str]) -> None:
        """Names that something unreadable or missing may have defined for the whole module, as values or types."""
        for name in names:
            self._excused.append(name)
            if len(self._excused) > EXCUSED_MAX:
                self.is_open = True
                return
            self.poison(name, everywhere=True)
            self.poison_type(name)

    def begin_function(self) -> None:
        """What follows is another function of the module."""
        self._bound.clear()

    def has_bound(self, name: str) -> bool:
        """Whether the function has, or had in a block that has ended, an argument or variable of this name."""
        return name in self._bound

    def excuse_in_function(self, owner: int) -> bool:
        """As `excuse`, for the gaps in the body of the function whose name starts at `owner`; whether there are any."""
        gaps = self.gaps.get(owner, ())
        for gap in gaps:
            for name in gap.names:
                if self.value(name) is None:
                    self._frames[0][name] = ValueEntry(None, "variable", None, stays_broken=True)
            for name in gap.loose:
                if self.value(name) is None:
                    self._frames[0][name] = ValueEntry(None, "variable", None)
        return bool(gaps)

    def broken_members(self, owner: int) -> frozenset[str]:
        """Names of members that could not be read, of the type whose name starts at `owner`."""
        return frozenset(name for gap in self.gaps.get(owner, ()) for name in (*gap.names, *gap.loose))

    def is_whole(self, t: Type) -> bool:
        """Whether all members of a type were declared rightly."""
        entry = self.type(t.name) if isinstance(t, Struct | AbilityType | ServiceType) else None
        return entry is None or not entry.broken

    def is_excused(self, name: str) -> bool:
        """Whether nothing can be said about an unknown name: something that could not be read may have bound it.

        A name that could not be read may also be a slip for this one, or run together with what stood behind it.
        """
        first = name.partition(".")[0]
        if self.is_open or (first != name and self._is_broken(first)):
            return True
        return any(e.startswith(name) for e in self._excused) or bool(closest(name, self._excused))

    def _is_broken(self, name: str) -> bool:
        entry = self._functions.get(name)
        of_type = self._types.get(name)
        return (entry is not None and entry.type is None) or (of_type is not None and of_type.type is None)

    def redefines(self, name: ast.Name, t: Type) -> bool:
        """Whether a value name is taken, which is reported; for what cannot be bound to a type of its own."""
        taken = self.value(name.text)
        if taken is None or taken.type is None:
            return False
        self.report_redefined(name, taken, function=isinstance(t, Arrow))
        return True

    def report_redefined(self, name: ast.Name, taken: ValueEntry, *, function: bool) -> None:
        """A value name is taken; there is no shadowing."""
        code, what = (codes.ARROW_REDEFINED, "function") if function else (codes.NAME_REDEFINED, "name")
        self.report(
            code,
            name.span,
            f"the {what} `{name.text}` cannot be defined: {'an' if taken.kind == 'argument' else 'a'} {taken.kind} of this name is already visible here",
            notes=self.report.previous(taken.site),
        )

    def define_function(self, name: ast.Name, t: Arrow | None, *, results_known: bool = True) -> bool:
        """Bind a function of the module; with None as broken."""
        taken = self.value(name.text)
        if taken is not None and taken.type is not None:
            if t is not None:
                self.report_redefined(name, taken, function=True)
            return False
        if t is None and self.follow_ups:
            return False
        self._functions[name.text] = ValueEntry(t, "function", self.site(name.span), results_known=results_known)
        self.occurs(name.span, "function", name.text, t, self.site(name.span))
        return t is not None

    def define_constant(self, name: ast.Name, t: Type | None) -> None:
        """Bind a constant of the module, which the caller found free; with None as broken."""
        if t is None and self.follow_ups:
            return
        self._constants[name.text] = ValueEntry(t, "constant", self.site(name.span))
        self.occurs(name.span, "constant", name.text, t, self.site(name.span))

    # ── types and services ───────────────────────────────────────────────────────────────────────────────────────

    def type(self, name: str) -> TypeEntry | None:
        """What a name, plain or dotted, denotes as a type."""
        entry = self._types.get(name)
        if entry is not None or "." not in name:
            return entry
        match self.context.member(name, is_type=True):
            case TypePart() as part:
                return TypeEntry(part.type, part.site)
            case ServicePart() as part:
                return TypeEntry(part.type, part.site, service=True, default_id=part.id is not None)
            case _:
                return None

    def type_names(self) -> list[tuple[str, Site | None]]:
        """Names of types one could have meant."""
        return [(n, e.site) for n, e in self._types.items() if e.type is not None]

    def define_type(self, name: ast.Name, entry: TypeEntry) -> None:
        """Bind a type name the caller found free."""
        if entry.type is None and self.follow_ups:
            return
        self._types[name.text] = entry
        self.occurs(name.span, "service" if entry.service else "type", name.text, entry.type, entry.site)

    def service_id(self, name: str) -> str | None:
        """Name under which the instance of service `name` is known here: a rename, or the name itself for a default id."""
        for frame in reversed(self._service_ids):
            if name in frame:
                return frame[name]
        entry = self.type(name)
        return name if entry is not None and entry.service and entry.default_id else None

    def lost_service_id(self, name: str) -> bool:
        """Whether the service was to get an id that is wrong, which has been reported."""
        return next((frame[name] is None for frame in reversed(self._service_ids) if name in frame), False)

    def lose_service_id(self, name: str) -> None:
        """The id the service gets here is wrong; one it has already stays."""
        if self.service_id(name) is None and not self.follow_ups:
            self._service_ids[-1][name] = None

    def set_service_id(self, name: str) -> str:
        """From here to the end of the frame the service denotes a new instance; returns the instance's name."""
        rename = self.mangler.rename(name)
        self._service_ids[-1][name] = rename
        return rename

    def service_type(self, name: str) -> ServiceType | None:
        """Type of the service, or of an alias of one."""
        entry = self.type(name)
        return entry.type if entry is not None and isinstance(entry.type, ServiceType) else None

    # ── editors ──────────────────────────────────────────────────────────────────────────────────────────────────

    def site(self, span: Span) -> Site:
        """A place in this module's file."""
        return Site(self.report.file, span)

    def occurs(
        self,
        span: Span,
        kind: Lit["constant", "function", "variable", "argument", "field", "method", "type", "service", "module"],
        name: str,
        t: Type | None,
        site: Site | None,
        owner: Type | None = None,
    ) -> None:
        """Remember what the text at `span` denotes; `owner` is the type a member belongs to."""
        self.occurrences.append(Occurrence(span, kind, name, t, site, owner))
