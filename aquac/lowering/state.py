"""State of the lowering of one exported function: names taken, values, open streams, functions (`spec aqua-to-air §4`).

A call scope starts with empty tables and gives them back afterwards; streams opened inside stay open. A stream scope
closes what was opened in it, so that `new` stands around it.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/state
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aquac import codes
from aquac.records import dataclass, field
from aquac.semantics import types as t

from .abilities import as_ability, last, leaves
from .defects import NO_DEFECTS
from .errors import LoweringError
from .function import NO_ENV, Env, Fn
from .hash_order import ScalaMap
from .limits import INLINED_STATEMENTS_MAX
from .mangle import Mangler
from .model import Empty, L, Null, V, ValueModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aquac.semantics.raw import Site

    from .model import Model


@dataclass(slots=True)
class State:
    """Tables of one output function.

    Attributes:
        mangler: never scoped.
        values: name → value; entries of abilities under dotted names.
        streams: open streams and stream maps, in the order that decides which `new` is outermost.
        arrows: name → function.
        env: present names of the body being lowered.
        statements_left: how many more statements may be inlined.
        iterators: item as written → name of the loop's iterator.
        no_xor: leave error propagation out.
        tracing: remember which nodes are calls of functions.
        sites: nodes → where in the source they come from; a node without entry comes from where its parent does.
        site: of the statement being lowered, for errors.
        defects: mistakes of version 0.14.6 to repeat.
    """

    no_xor: bool = False
    tracing: bool = False
    defects: frozenset[str] = NO_DEFECTS
    mangler: Mangler = field(default_factory=Mangler)
    values: dict[str, ValueModel] = field(default_factory=dict)
    streams: ScalaMap[t.Type] = field(default_factory=ScalaMap)
    arrows: dict[str, Fn] = field(default_factory=dict)
    env: Env = NO_ENV
    statements_left: int = INLINED_STATEMENTS_MAX
    iterators: dict[str, str] = field(default_factory=dict)
    sites: dict[Model, Site] = field(default_factory=dict)
    site: Site | None = None

    def locate(self, nodes: Iterable[Model], site: Site | None) -> None:
        """Remember where nodes come from, unless something inside them has said it more precisely."""
        if site is not None:
            for node in nodes:
                if not isinstance(node, Empty | Null):
                    self.sites.setdefault(node, site)

    def spend(self) -> None:
        """Count a statement. Raises: LoweringError when the function has become too large."""
        self.statements_left -= 1
        if self.statements_left < 0:
            message = f"it inlines to more than {INLINED_STATEMENTS_MAX} statements"
            raise LoweringError(codes.PROGRAM_TOO_LARGE, message)

    def define(self, name: str, value: ValueModel) -> None:
        """Bind `name`; the fields of an ability follow it, a stream under its own name is opened."""
        ability = as_ability(value)
        if ability is not None and isinstance(value, V) and not value.props:
            fields = [(path, last(self.values, f"{value.name}.{path}"), of) for path, of in leaves(ability)]
            for path, found, of in fields:
                self.values[f"{name}.{path}"] = found or V(f"{value.name}.{path}", of)
        elif isinstance(value, V) and is_stream(value.base) and value.name == name:
            self.streams = self.streams.updated(name, value.base)
        self.values[name] = value

    def last(self, name: str) -> ValueModel | None:
        """What a chain of names ends in."""
        return last(self.values, name)

    def resolve(self, value: V) -> ValueModel:
        """What a variable stands for now."""
        return resolve(self.values, value)

    def arrow(self, name: str) -> Fn | None:
        """Function called `name`, directly or through a variable.

        A closure of a block that is over may still be here under the name of a variable; the variable is meant (D17).
        """
        target = self.last(name)
        through = self.arrows.get(target.name) if isinstance(target, V) and isinstance(target.base, t.Arrow) else None
        direct = self.arrows.get(name)
        return direct or through if "D17" in self.defects else through or direct

    @contextmanager
    def call_scope(self) -> Iterator[None]:
        """Empty tables inside; the outer ones come back, with the streams opened inside still open."""
        saved = self.values, self.arrows, self.env, self.streams, self.iterators
        self.values, self.arrows, self.iterators = {}, {}, {}
        try:
            yield
        finally:
            self.values, self.arrows, self.env, streams, self.iterators = saved
            self.streams = self.streams.concat(streams)

    @contextmanager
    def stream_scope(self) -> Iterator[list[tuple[str, t.Type]]]:
        """Yields a list that holds, after the block, the streams opened in it; they are closed."""
        opened: list[tuple[str, t.Type]] = []
        before = self.streams
        yield opened
        if self.streams is before:
            return
        opened.extend(self.streams.without(before).items())
        self.streams = self.streams.without(name for name, _ in opened)


def is_stream(of: t.Type) -> bool:
    """Stream or stream map."""
    return isinstance(of, t.Stream | t.StreamMap)


def resolve(values: Mapping[str, ValueModel], value: ValueModel) -> ValueModel:
    """What a value stands for in `values`; properties add up along the way."""
    if isinstance(value, L):
        return value
    name, base, props = value.name, value.base, value.props
    if name not in values:
        return value
    seen: set[str] = set()
    while True:
        bound = values.get(name)
        if bound is None or name in seen:
            return V(name, base, props)
        seen.add(name)
        if isinstance(bound, L):
            assert not props, "a literal has no properties"
            return bound
        props = bound.props + props
        target = values.get(bound.name)
        if target is None:
            return V(bound.name, bound.base, props)
        if isinstance(target, L):
            assert not props, "a literal has no properties"
            return target
        if target.name == name:
            return V(target.name, target.base, target.props + props)
        name, base, props = target.name, target.base, target.props + props
