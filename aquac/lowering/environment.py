"""Module contexts as lowering sees them: functions with their captures, constants, services, sub-modules.

Input:  `ModuleContext` of semantics.
Output: `Environment`.
Errors: none.

A function captures everything visible before it, used or not; this decides names, so nothing may be left out
(`spec aqua-to-air §3`).
Source: aqua:model/src/main/scala/aqua/model/AquaContext.scala
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar, assert_never

from aquac.records import dataclass, field, replace
from aquac.semantics import raw as r
from aquac.semantics.types import Arrow, ServiceType

from .defects import NO_DEFECTS
from .function import Fn, from_raw, method_wrapper
from .model import FieldP, FunctorP, IndexP, L, V, ValueModel
from .state import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """A service and its default id, resolved."""

    name: str
    type: ServiceType
    id: ValueModel | None
    defects: frozenset[str] = NO_DEFECTS

    @cached_property
    def wrappers(self) -> Mapping[str, Fn]:
        """Its methods by qualified name, if it can be called."""
        if self.id is None:
            return {}
        full = {f"{self.name}.{method}": (method, as_arrow(arrow)) for method, arrow in self.type.fields}
        wrap = partial(method_wrapper, defects=self.defects)
        return {name: wrap(name, method, arrow, self.id) for name, (method, arrow) in full.items()}


@dataclass(eq=False)
class Environment:
    """Definitions by name, in order; `modules` holds used modules and the methods of services with a default id."""

    funcs: dict[str, Fn] = field(default_factory=dict)
    values: dict[str, ValueModel] = field(default_factory=dict)
    modules: dict[str, Environment] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)

    @cached_property
    def all_values(self) -> Mapping[str, ValueModel]:
        """Constants by qualified name, and services that can be called."""
        found = _all(self, lambda environment: environment.values)
        for service in self.services.values():
            if service.id is not None:
                found.update((name, V(name, wrapper.type)) for name, wrapper in service.wrappers.items())
                found[service.name] = V(service.name, service.type)
        return found

    @cached_property
    def all_funcs(self) -> Mapping[str, Fn]:
        """Functions and service methods by qualified name."""
        found = _all(self, lambda environment: environment.funcs)
        for service in self.services.values():
            found.update(service.wrappers)
        return found


def _all(root: Environment, pick: Callable[[Environment], Mapping[str, T]]) -> dict[str, T]:
    """Own entries, then those of sub-modules with the module's name in front."""
    found: dict[str, T] = {}
    stack = [("", root)]
    while stack:
        prefix, environment = stack.pop()
        items = pick(environment)
        found.update({prefix + name: item for name, item in items.items()} if prefix else items)
        stack.extend((f"{prefix}{name}.", module) for name, module in reversed(environment.modules.items()))
    return found


def as_arrow(of: object) -> Arrow:
    """A member of a service is a function."""
    assert isinstance(of, Arrow)
    return of


class Environments:
    """Converts contexts, each once."""

    def __init__(self, defects: frozenset[str] = NO_DEFECTS) -> None:
        """Nothing converted yet."""
        self._defects = defects
        # Keyed by identity; the contexts are kept, so an identity is not used twice.
        self._done: dict[int, tuple[r.ModuleContext, Environment]] = {}
        self._parts: dict[tuple[int, int], Environment] = {}

    def of(self, root: r.ModuleContext) -> Environment:
        """The environment of a context. Contexts it refers to are converted first, without recursion."""
        stack = [root]
        while stack:
            context = stack[-1]
            missing = [needed for needed in _needed(context) if id(needed) not in self._done]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if id(context) not in self._done:
                self._done[id(context)] = (context, self._convert(context))
        return self._done[id(root)][1]

    def _convert(self, context: r.ModuleContext) -> Environment:
        environment, parts = self._begun(context)
        for before, part in parts:
            if isinstance(part, r.TypePart):
                continue
            if isinstance(part, r.ConstPart):
                _constant(self._done[id(before)][1], part, environment.values)
                continue
            key = id(before), id(part)
            added = self._parts.get(key)
            if added is None:
                added = self._parts[key] = _definition(self._done[id(before)][1], part, self._defects)
            environment.values.update(added.values)
            environment.funcs.update(added.funcs)
            environment.services.update(added.services)
            environment.modules.update(added.modules)
        return environment

    def _begun(self, context: r.ModuleContext) -> tuple[Environment, Sequence[r.PlacedPart]]:
        """Where to start, and the parts still to add.

        Usually a context is the one before its last definition and that definition: then copies are made of that one, or
        a module would cost the square of its length.
        """
        before = _one_before(context)
        if before is not None:
            begun = self._done[id(before)][1]
            copy = Environment(dict(begun.funcs), dict(begun.values), dict(begun.modules), dict(begun.services))
            return copy, (context.parts[-1],)
        modules = {alias: self._done[id(used)][1] for alias, used in context.used.items()}
        return Environment(modules=modules), context.parts


def _constant(preceding: Environment, part: r.ConstPart, values: dict[str, ValueModel]) -> None:
    """Add a constant to the values of a module, unless it only stands in for one that is there."""
    if not (part.overridable and part.name in preceding.values):
        values[part.name] = resolve(preceding.all_values, constant(part.value))


def _definition(preceding: Environment, part: r.FuncPart | r.ServicePart, defects: frozenset[str]) -> Environment:
    """What one definition adds to a module. It depends on nothing but the part and what precedes it."""
    name = part.name
    match part:
        case r.FuncPart(_, arrow):
            fn = from_raw(name, arrow, preceding.all_funcs, preceding.all_values)
            return Environment(funcs={name: replace(fn, site=part.site)})
        case r.ServicePart(_, of, raw_id):
            if raw_id is None:
                return Environment(services={name: Service(name, of, None)})
            wrap = partial(method_wrapper, service_id=raw_id, defects=defects)
            methods = {m: wrap(m, m, as_arrow(arrow)) for m, arrow in of.fields}
            service = Service(name, of, resolve(preceding.all_values, constant(raw_id)), defects)
            return Environment(services={name: service}, modules={name: Environment(funcs=methods)})
        case _:
            assert_never(part)


def _needed(context: r.ModuleContext) -> list[r.ModuleContext]:
    """Contexts that must be converted before this one."""
    before = _one_before(context)
    if before is not None:
        return [*context.used.values(), before]
    return [*context.used.values(), *(before for before, part in context.parts if not isinstance(part, r.TypePart))]


def _one_before(context: r.ModuleContext) -> r.ModuleContext | None:
    """The context without the last definition, if it is one of the same module."""
    if not context.parts:
        return None
    before = context.parts[-1][0]
    same = isinstance(before.parts, r.PartsPrefix) and before.parts.precedes(context.parts)
    return before if same and before.used is context.used else None


def constant(value: r.RawValue) -> ValueModel:
    """A constant or service id as a value: literals, names and their fields only."""
    match value:
        case r.Var(name, of):
            return V(name, of)
        case r.Literal(text, of):
            return L(text, of)
        case r.Prop(inner, prop):
            root = constant(inner)
            assert isinstance(root, V)
            return V(root.name, root.base, (*root.props, _constant_prop(prop)))
        case _:
            raise AssertionError("a constant is a literal or a name")


def _constant_prop(prop: r.RawProp) -> FieldP | FunctorP | IndexP:
    match prop:
        case r.FieldProp(name, of):
            return FieldP(name, of)
        case r.FunctorProp(name, of):
            return FunctorP(name, of)
        case r.IndexProp(index, of):
            value = constant(index)
            return IndexP(value.text if isinstance(value, L) else value.name, of)
        case _:
            raise AssertionError("a constant has no computed properties")
