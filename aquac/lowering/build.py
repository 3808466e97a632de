"""Construction rules of model nodes, and `Inline`: the computations a value needs first.

A `Seq` of one is that one, an empty one vanishes; an `Xor` without a first branch vanishes; everything else is kept as
given (`spec aqua-to-air §4.3`). All of lowering builds groups through these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal as Lit

from aquac.records import dataclass
from aquac.semantics import types as t

from .model import EMPTY, Canon, Flatten, L, Mark, Match, Model, New, Par, PropM, Seq, Target, V, ValueModel, Xor

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUE = L("true", t.BOOL_LITERAL)
FALSE = L("false", t.BOOL_LITERAL)
ERROR = V(":error:", t.ERROR)


def number(value: int) -> L:
    """Integer literal, typed by its sign."""
    return L(str(value), t.SIGNED if value < 0 else t.UNSIGNED)


def quoted(text: str) -> L:
    """String literal."""
    return L(f'"{text}"', t.STRING_LITERAL)


def boolean(value: bool) -> L:
    """`true` or `false`."""
    return TRUE if value else FALSE


def with_props(value: V, *props: PropM) -> V:
    """`value` with more properties."""
    return V(value.name, value.base, (*value.props, *props))


def bare(value: V) -> V:
    """`value` without its properties."""
    return V(value.name, value.base) if value.props else value


def seq(children: Iterable[Model]) -> Model:
    """Sequence; empty children vanish, a single child stands for itself."""
    kept = [child for child in children if child is not EMPTY]
    if not kept:
        return EMPTY
    return kept[0] if len(kept) == 1 else Seq(tuple(kept))


def xor(*children: Model) -> Model:
    """First child, on error the next; nothing when there is no first child. Later empty children are kept."""
    if not children or children[0] is EMPTY:
        return EMPTY
    return Xor(children)


def mark(name: str, children: Iterable[Model]) -> Model:
    """Remember that the children are the inlined call of `name`."""
    kept = tuple([child for child in children if child is not EMPTY])
    return Mark(name, kept) if kept else EMPTY


def flatten(value: ValueModel, name: str) -> Flatten:
    """Copy `value` into scalar `name`; a frozen stream becomes an array."""
    of = value.type
    if isinstance(value, V) and isinstance(value.base, t.Canon):
        of = t.Array(value.base.element)
    return Flatten(value, Target(name, of))


def canon(stream: V, name: str) -> Canon:
    """Freeze a stream or stream map into `name`."""
    return Canon(stream, Target(name, canon_type(stream.base)))


def canon_type(stream: t.Type) -> t.Type:
    """Type of a frozen stream or stream map."""
    match stream:
        case t.Stream(element):
            return t.Canon(element)
        case t.StreamMap(element):
            return t.CanonMap(element)
        case _:
            raise AssertionError(f"{stream} cannot be frozen")


def if_equal(left: ValueModel, right: ValueModel, then: Model, otherwise: Model, *, equal: bool = True) -> Model:
    """`then` when the values are equal (different, when not `equal`), `otherwise` if not or if `then` fails."""
    return xor(Match(left, right, equal, (then,)), otherwise)


def in_scope(names: Iterable[tuple[str, t.Type]], body: Model) -> Model:
    """`body` inside a `new` of each name; the last one is outermost."""
    for name, of in names:
        body = New(name, of, (body,))
    return body


Mode = Lit["par", "seq"]


@dataclass(frozen=True, slots=True)
class Inline:
    """What has to run before a value can be used, and whether its parts depend on each other."""

    trees: tuple[Model, ...] = ()
    mode: Mode = "par"

    def desugar(self) -> Inline:
        """One tree at most; the mode is par again."""
        if len(self.trees) <= 1:
            return self if self.mode == "par" else Inline(self.trees)
        if self.mode == "par":
            return Inline((Par(self.trees),))
        whole = seq(self.trees)
        return NOTHING if whole is EMPTY else Inline((whole,))

    def merge(self, other: Inline, mode: Mode) -> Inline:
        """Both, each as one tree."""
        return Inline(self.desugar().trees + other.desugar().trees, mode)

    def prefix(self) -> Model | None:
        """The tree to put before the user of the value, if any."""
        if not self.trees:
            return None
        trees = (seq(self.trees),) if self.mode == "seq" else self.trees
        return join_prefixes([tree for tree in trees if tree is not EMPTY])

    def then(self, *trees: Model) -> Inline:
        """With more trees at the end, in sequence."""
        return Inline((*self.trees, *trees), "seq")


NOTHING = Inline()


def concat(inlines: Iterable[Inline]) -> Inline:
    """All trees side by side; modes are dropped."""
    return Inline(tuple(tree for inline in inlines for tree in inline.trees))


def join_prefixes(prefixes: Iterable[Model | None]) -> Model | None:
    """Prefixes of several values: they do not depend on each other, so several run in parallel."""
    present = [prefix for prefix in prefixes if prefix is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else Par(tuple(present))


def after(prefix: Model | None, *trees: Model) -> Model:
    """`trees` behind an optional prefix."""
    return seq(trees if prefix is None else (prefix, *trees))
