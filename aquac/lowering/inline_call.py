"""Calls: functions are inlined, service methods become `Srv` nodes (`spec aqua-to-air §5`).

A call assigns nothing: the name of a result becomes an alias of whatever the callee returned, and literals travel through
functions unchanged.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/{ArrowInliner,raw/CallArrowRawInliner,raw/CallServiceRawInliner}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac import codes
from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_tag, inline_value
from .build import Inline, after, flatten, join_prefixes, mark, seq
from .defects import RENAMING
from .errors import InternalError, LoweringError
from .model import Apply, Insert, L, Model, Push, Srv, Target, V, ValueModel
from .prelude import enter, passed_arrows
from .returned import Saved, returned
from .state import State, is_stream
from .streams import freeze, plain
from .trampoline import nested

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .function import Fn

Modelled = tuple[ValueModel, Model | None]
"""A value and what must run before it."""


async def call(
    state: State, name: str, args: Sequence[r.RawValue], exports: Sequence[r.CallExport]
) -> tuple[list[ValueModel], Inline]:
    """Inline the function called `name`; the export names are present names."""
    fn = state.arrow(name)
    if fn is None:
        raise InternalError(f"no function `{name}` to inline")
    models = [await nested(inline_value.model(state, arg)) for arg in args]
    targets = _targets(state, exports)
    prefix = join_prefixes(before for _, before in models)
    existing = {target.name for target, export in zip(targets, exports, strict=True) if export.existing}
    tree, results = await nested(inline_call(state, fn, [value for value, _ in models], targets, existing))
    whole = after(prefix, tree)
    return results, Inline((mark(fn.name, (whole,)) if state.tracing else whole,))


async def service_call(
    state: State, raw: r.ServiceCall, exports: Sequence[r.CallExport]
) -> tuple[list[ValueModel], Inline]:
    """Call a method by service id; streams among the arguments are frozen."""
    targets = _targets(state, exports)
    results = [state.resolve(V(target.name, target.type)) for target in targets]
    models = [await nested(inline_value.model(state, arg)) for arg in raw.args]
    for value, _ in models:
        if isinstance(value.type, t.Arrow | t.AbilityType | t.ServiceType) and RENAMING not in state.defects:
            message = (
                f"`{raw.method}` of a service is given a function or an ability, but only data can leave the program"
            )
            raise LoweringError(codes.UNSUPPORTED, message)
    args = [freeze(state, value, before) for value, before in models]
    service_id, id_prefix = await nested(inline_value.model(state, raw.service_id))
    if isinstance(service_id, L) and not service_id.text.startswith('"') and "D8" not in state.defects:
        # AIR takes a string or a variable here, but no `%init_peer_id%` (D8).
        copy = V(state.mangler.new("service_id"), t.STRING)
        id_prefix = after(id_prefix, flatten(service_id, copy.name))
        service_id = copy
    service_id, copies = plain(state, service_id)
    id_prefix = after(id_prefix, *copies) if copies else id_prefix
    state.values.update((target.name, result) for target, result in zip(targets, results, strict=True))
    state.mangler.forbid(target.name for target in targets)
    node = Srv(service_id, raw.method, tuple(value for value, _ in args), tuple(targets))
    return results, Inline((after(id_prefix, after(join_prefixes(before for _, before in args), node)),))


async def inline_call(
    state: State, fn: Fn, args: Sequence[ValueModel], exports: Sequence[Target], existing: Iterable[str] = ()
) -> tuple[Model, list[ValueModel]]:
    """The body of `fn` with `args` put in, and its results as the caller may name them.

    `existing` are exports that are streams already: results are pushed into them. The reference knows this by its table
    of values only, in which the streams passed to the program are missing (D19).
    """
    passed = passed_arrows(state, args)
    before = state.values
    outer = _outer_streams(state, exports).union(() if "D19" in state.defects else existing)
    with state.call_scope():
        fn, canons = enter(state, fn, args, passed, before)
        body = await nested(inline_tag.tree(state, fn.body))
        if fn.topology is not None:
            body = Apply(fn.topology, (body,))
        returns = [await nested(inline_value.model(state, value)) for value in fn.ret]
        operations, results = _place_results(exports, returns, outer)
        saved = returned(state, results)
        tree = seq((seq(canons), seq((body, *operations))))
    _keep(state, saved, exports, results)
    return tree, results


def _targets(state: State, exports: Sequence[r.CallExport]) -> list[Target]:
    """Targets of exports; an existing stream may be known under another name here."""
    targets: list[Target] = []
    for export in exports:
        target = Target(export.name, export.type)
        if export.existing:
            stream = state.resolve(V(export.name, export.type))
            if not isinstance(stream, V):
                raise InternalError(f"`{export.name}` is no stream")
            target = Target(stream.name, stream.base)
        targets.append(target)
    return targets


def _outer_streams(state: State, exports: Sequence[Target]) -> set[str]:
    """Exported streams that exist before the call."""
    outer: set[str] = set()
    for export in exports:
        known = state.values.get(export.name)
        if isinstance(known, V) and is_stream(known.base):
            outer.add(export.name)
    return outer


def _place_results(
    exports: Sequence[Target], returns: Sequence[Modelled], outer: set[str]
) -> tuple[list[Model], list[ValueModel]]:
    """What runs after the body, and the values of the exports."""
    if len(exports) == 1 and len(returns) == 2 and isinstance(exports[0].type, t.StreamMap):
        (key, key_prefix), (value, value_prefix) = returns
        if not (isinstance(key, V) and isinstance(key.base, t.StreamMap)):
            pair = Insert(key, value, exports[0])
            return [*_present(key_prefix, value_prefix), pair], [V(exports[0].name, exports[0].type)]
    operations: list[Model] = []
    results: list[ValueModel] = []
    for export, (value, prefix) in zip(exports, returns, strict=False):
        operations += _present(prefix)
        whole = isinstance(value, V) and type(value.base) is type(export.type)
        takes_place = whole and export.name not in outer
        if is_stream(export.type) and not takes_place:
            operations.append(Push(value, export))
            results.append(V(export.name, export.type))
        else:
            results.append(value)
    return operations, results


def _present(*prefixes: Model | None) -> list[Model]:
    return [prefix for prefix in prefixes if prefix is not None]


def _keep(state: State, saved: Saved, exports: Sequence[Target], results: Sequence[ValueModel]) -> None:
    state.arrows.update(saved.arrows)
    state.values.update((export.name, result) for export, result in zip(exports, results, strict=False))
    state.values.update(saved.values)
    state.mangler.forbid(export.name for export in exports)
