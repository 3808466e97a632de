"""What a function's names become when it is inlined: arguments, captures and locals get their present names.

Input:  `Fn`, argument values, the caller's tables.
Output: the scope's tables filled, and the instructions that freeze streams passed as arrays.

The steps ask the mangler in a fixed order and decide all names of the output (`spec aqua-to-air §5.3`).
Source: aqua:model/inline/src/main/scala/aqua/model/inline/ArrowInliner.scala (prelude), model/ArgsCall.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.records import dataclass, field, replace
from aquac.semantics import types as t

from . import reference
from .abilities import arrow_paths, as_ability, renames
from .build import canon
from .defects import RENAMING
from .function import NO_ENV, Env, Fn
from .hash_order import find_order, set_order
from .model import Canon, V, ValueModel
from .state import State, is_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(slots=True)
class _Arguments:
    """Arguments sorted by how they enter the body. Keys are the names used in the body."""

    data: dict[str, ValueModel] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)
    canons: dict[str, V] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


def enter(
    state: State,
    fn: Fn,
    args: Sequence[ValueModel],
    passed: Mapping[str, Fn],
    before: Mapping[str, ValueModel],
) -> tuple[Fn, list[Canon]]:
    """Fill the (empty) call scope of `state` for `fn`. `before` is the caller's table of values.

    The function is given back as it is to be read in that scope.
    """
    label_of = dict(zip(fn.params, fn.labels, strict=True))
    arguments = _classify(fn, args)
    mangler = state.mangler
    renamed = mangler.find(find_order(label_of[param] for param in arguments.data))
    data = {param: renamed.get(label_of[param], label_of[param]) for param in arguments.data}
    captured = fn.capture.rename(mangler, follow=RENAMING not in state.defects)
    locals_ = mangler.find(find_order(fn.seeds.values()))
    canons: list[Canon] = []
    frozen: dict[str, str] = {}
    for param in set_order(arguments.canons):
        stream = arguments.canons[param]
        canons.append(canon(stream, mangler.new(f"{stream.name}_canon")))
        frozen[param] = canons[-1].target.name

    if RENAMING in state.defects or ("D3" in state.defects and fn.is_method):
        # As there: one table for all, in which the later ones win, and only names that change.
        changed = {param: name for param, name in data.items() if name != param}
        names = {
            **fn.copied.names,
            **changed,
            **arguments.renamed,
            **captured.names,
            **locals_,
            **frozen,
            **arguments.streams,
        }
        copies = {name: arguments.canons[param] for param, name in frozen.items()}
        ret = tuple(reference.in_result(value, names) for value in fn.ret)
        state.env = NO_ENV
        fn = replace(fn, body=reference.rewrite(fn.body, names, copies), ret=ret)
    else:
        # Innermost scope last: captures, then arguments, then what the body defines.
        names = dict(captured.names)
        names.update((raw, captured.names.get(name, name)) for raw, name in fn.env.names.items())
        for more in (fn.copied.names, arguments.renamed, frozen, arguments.streams, data):
            names.update(more)
        names.update((name, locals_.get(seed, seed)) for name, seed in fn.seeds.items())
        state.env = Env(names, fn.env.canons.union(frozen.values()))

    state.arrows.update(passed)
    state.arrows.update(captured.arrows)
    state.arrows.update(fn.copied.arrows)
    state.values.update(before)
    state.values.update((name, arguments.data[param]) for param, name in data.items())
    state.values.update(captured.values)
    state.values.update(fn.copied.values)
    return fn, canons


def _classify(fn: Fn, args: Sequence[ValueModel]) -> _Arguments:
    result = _Arguments()
    for param, (_, of), arg in zip(fn.params, fn.type.args, args, strict=False):
        ability = as_ability(arg)
        streamed = isinstance(arg, V) and is_stream(arg.base)
        if ability is not None and isinstance(arg, V):
            result.renamed.update(renames(ability, param, arg.name))
        elif isinstance(arg, V) and isinstance(of, t.Arrow):
            result.renamed[param] = arg.name
        elif isinstance(arg, V) and streamed and is_stream(of):
            result.streams[param] = arg.name
        elif isinstance(arg, V) and streamed and isinstance(of, t.Array | t.Option | t.Canon | t.CanonMap):
            result.canons[param] = arg
        else:
            result.data[param] = arg
    return result


def passed_arrows(state: State, args: Sequence[ValueModel]) -> dict[str, Fn]:
    """Functions the callee can reach through its arguments."""
    passed: dict[str, Fn] = {}
    for arg in args:
        if not isinstance(arg, V):
            continue
        if isinstance(arg.base, t.Arrow):
            if arg.name in state.arrows:
                passed[arg.name] = state.arrows[arg.name]
            continue
        ability = as_ability(arg)
        if ability is None:
            continue
        for path in arrow_paths(ability):
            target = state.last(f"{arg.name}.{path}")
            if isinstance(target, V) and target.name in state.arrows:
                passed[target.name] = state.arrows[target.name]
    return passed
