"""Lowering of a module: every exported function becomes one model (`spec aqua-to-air §1`).

Input:  `ModuleContext` of semantics.
Output: `LoweredModule`; functions and services in the order of the reference's output.
Errors: AQ0501, AQ0502, AQ0504.
Source: aqua:model/transform/src/main/scala/aqua/model/transform/Transform.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.diagnostics import Diagnostic
from aquac.records import dataclass, field, replace
from aquac.semantics import raw as r
from aquac.semantics import types as t

from .environment import Environment, Environments, Service
from .errors import LoweringError
from .function import NOTHING, Fn
from .hash_order import export_order, set_order
from .inline_call import inline_call
from .limits import INLINED_STATEMENTS_MAX
from .model import L, Model, V
from .state import State
from .tracing import finish
from .trampoline import run
from .wrapper import LoweringOptions, home, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FUNCTION_ARGUMENT = "_func"


@dataclass(frozen=True, slots=True)
class LoweredFunction:
    """An output function: its exported name, its type as declared, its model, and where nodes of it come from."""

    name: str
    type: t.Arrow
    model: Model
    sites: Mapping[Model, r.Site] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoweredService:
    """An output service: its exported name, its type, and its default id as AIR text, if it is known."""

    name: str
    type: t.ServiceType
    default_id: str | None


@dataclass(slots=True)
class LoweredModule:
    """What a module exports."""

    functions: list[LoweredFunction] = field(default_factory=list)
    services: list[LoweredService] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def lower_module(context: r.ModuleContext, options: LoweringOptions = LoweringOptions()) -> LoweredModule:  # noqa: B008
    """Lower everything a module exports itself. Exported names that are neither function nor service yield nothing."""
    environment = Environments(options.defects).of(context)
    functions: dict[str, Fn] = {}
    services: dict[str, Service] = {}
    for name in export_order(context.exports):
        owner, member = _owner(environment, name)
        if member in owner.funcs:
            functions[context.exports[name]] = owner.funcs[member]
        if member in owner.services:
            services[context.exports[name]] = owner.services[member]
    module = LoweredModule()
    for name in set_order(functions):
        _add_function(module, replace(functions[name], name=name), options)
    for name in set_order(services):
        default = services[name].id
        text = default.text if isinstance(default, L) else None
        module.services.append(LoweredService(name, services[name].type, text))
    return module


def lower_call(
    context: r.ModuleContext,
    name: str,
    args: Sequence[r.RawValue],
    options: LoweringOptions = LoweringOptions(),  # noqa: B008
    *,
    known_as: str | None = None,
) -> LoweredModule:
    """Lower one call of function `name` (`spec §19`); `known_as` is the name it is exported under, if another.

    A variable among `args` becomes a parameter labelled by its name, with its type; repetitions are kept. The module holds
    the one function, or none if it could not be lowered. Raises: KeyError when there is no such function.
    """
    environment = Environments(options.defects).of(context)
    owner, member = _owner(environment, name)
    callee = owner.funcs.get(member) or environment.all_funcs[name]
    module = LoweredModule()
    if known_as is not None:
        callee, name = replace(callee, name=known_as), known_as
    _add_function(module, call_function(callee, name, args), options)
    return module


def call_function(callee: Fn, name: str, args: Sequence[r.RawValue]) -> Fn:
    """A function that only calls `callee`, known as `name`, and returns its results."""
    parameters = tuple((arg.name, arg.type) for arg in args if isinstance(arg, r.Var))
    results = callee.type.results
    exports = tuple(r.CallExport(f"{name}_result{at}", of, False) for at, of in enumerate(results))
    body = r.CallTag(exports, r.Call(name, tuple(args), callee.type, r.arrow_type(callee.type)))
    ret = tuple(r.Var(export.name, export.type) for export in exports)
    arrow = t.Arrow(parameters, results)
    params = tuple(label for label, _ in parameters)
    return Fn(f"{name}Run", arrow, params, body, ret, {name: callee}, NOTHING, site=callee.site)


def _owner(environment: Environment, name: str) -> tuple[Environment, str]:
    """Module a qualified name lives in, and its name there."""
    *modules, member = name.split(".")
    for module in modules:
        environment = environment.modules[module]
    return environment, member


def _add_function(module: LoweredModule, fn: Fn, options: LoweringOptions) -> None:
    try:
        sites: dict[Model, r.Site] = {}
        module.functions.append(LoweredFunction(fn.name, fn.type, lower_function(fn, options, sites), sites))
    except LoweringError as error:
        file, span = (None, None) if error.site is None else (error.site.file, error.site.span)
        module.diagnostics.append(Diagnostic(error.code, f"in function `{fn.name}`: {error.message}", file, span))


def lower_function(fn: Fn, options: LoweringOptions, sites: dict[Model, r.Site] | None = None) -> Model:
    """Model of one function; `sites` is filled with the places its nodes come from. Raises: LoweringError."""
    located = {} if sites is None else sites
    state = State(no_xor=options.no_xor, tracing=options.tracing, statements_left=INLINED_STATEMENTS_MAX)
    state.arrows, state.sites, state.defects = {FUNCTION_ARGUMENT: fn}, located, options.defects
    try:
        tree, _ = run(inline_call(state, wrap(fn, options), [V(FUNCTION_ARGUMENT, fn.type)], []))
    except LoweringError as error:
        error.site = error.site or state.site
        raise
    at_home = home(options)
    root = replace(at_home, children=(tree,))
    state.locate((root,), fn.site)
    return finish(root, at_home, sites=located) if options.tracing else root
