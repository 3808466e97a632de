"""Functions ready to be inlined: top-level functions, closures and wrappers of service methods.

`Fn` carries what it captured. The reference rewrites a body with new names before it inlines it; here the body stays as
it is and `Env` says what its names are called now, so every variable is substituted exactly once, lexical scopes hold and
no tree is copied.
"""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aquac.records import dataclass, field
from aquac.semantics import raw as r
from aquac.semantics import types as t

from .captured import CapturePlan
from .defects import NO_DEFECTS
from .model import L, V, ValueModel
from .names import defines

if TYPE_CHECKING:
    from collections.abc import Mapping

ID: Final = "id"
RESULT: Final = "ret"


@dataclass(frozen=True, slots=True)
class Env:
    """Present names of the names in a body.

    Attributes:
        names: raw name → present name; a name without entry keeps its name.
        canons: present names that stand for a frozen stream although the body sees an array.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    canons: frozenset[str] = frozenset()

    def name(self, raw: str) -> str:
        """Present name."""
        return self.names.get(raw, raw)

    def variable(self, raw: r.Var) -> V:
        """Variable of the model, not yet resolved."""
        name = self.names.get(raw.name, raw.name)
        if name in self.canons and isinstance(raw.type, t.Array | t.Option | t.Canon | t.Stream):
            return V(name, t.Canon(raw.type.element))
        return V(name, raw.type)


NO_ENV: Final = Env()
NOTHING: Final[Mapping[str, ValueModel]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Copied:
    """What a closure uses in `copy` only, under names of its own.

    The reference does not take it along, yet finds it while the function around is at work. So the mangler is not asked:
    no other name may change its number (D11).

    Attributes:
        names: raw name → own name.
        values: by own name.
        arrows: by own name.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, ValueModel] = field(default_factory=dict)
    arrows: Mapping[str, Fn] = field(default_factory=dict)


NOTHING_COPIED: Final = Copied()


@dataclass(frozen=True, eq=False)
class Fn:
    """A function with its captures.

    Attributes:
        name: shown by tracing; not necessarily the key it is stored under.
        params: the arguments as the body calls them. Their labels in `type` are what the mangler sees.
        arrows: captured functions by name.
        values: captured values by name.
        topology: name of the closure whose place of definition the body runs at.
        env: names of the body that a surrounding function renamed.
        site: where the function is defined, if it is one of a module.
        copied: captures that the reference forgets.
    """

    name: str
    type: t.Arrow
    params: tuple[str, ...]
    body: r.Tree
    ret: tuple[r.RawValue, ...]
    arrows: Mapping[str, Fn]
    values: Mapping[str, ValueModel]
    topology: str | None = None
    env: Env = NO_ENV
    site: r.Site | None = None
    copied: Copied = NOTHING_COPIED

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of the arguments."""
        return labels(self.type)

    @property
    def is_method(self) -> bool:
        """Whether it only calls a method of a service."""
        return isinstance(self.body, r.CallTag) and isinstance(self.body.call, r.ServiceCall)

    @cached_property
    def seeds(self) -> Mapping[str, str]:
        """Names the body introduces, and the names the mangler is asked for them.

        A stream declared in a closure follows the renaming of the function around it; all other names start afresh.
        """
        return {name: self.env.name(name) if declared else name for name, declared in defines(self.body).items()}

    @cached_property
    def capture(self) -> CapturePlan:
        """How captured names are renamed."""
        return CapturePlan(self.values, self.arrows)


def labels(arrow: t.Arrow, prefix: str = "arg") -> tuple[str, ...]:
    """Labels of an arrow's arguments; unlabelled ones are called by position."""
    return tuple(label if label is not None else f"{prefix}{at}" for at, (label, _) in enumerate(arrow.args))


def from_raw(
    name: str,
    arrow: r.FuncArrow,
    arrows: Mapping[str, Fn],
    values: Mapping[str, ValueModel],
    topology: str | None = None,
    env: Env = NO_ENV,
    copied: Copied = NOTHING_COPIED,
) -> Fn:
    """A function or closure as written."""
    params = labels(arrow.type)
    return Fn(name, arrow.type, params, arrow.body, arrow.ret, arrows, values, topology, env, copied=copied)


def method_wrapper(
    name: str, method: str, arrow: t.Arrow, service_id: r.RawValue | ValueModel, *, defects: frozenset[str] = NO_DEFECTS
) -> Fn:
    """A function that calls one method of a service.

    `id` and `ret` are ordinary names of its body. A parameter of the same name is called otherwise inside, so that it is
    not confused with them (D3); for the mangler it keeps its label.
    """
    raw_id: r.RawValue
    values: Mapping[str, ValueModel]
    if isinstance(service_id, V | L):
        raw_id, values = r.Var(ID, service_id.type), {ID: service_id}
    else:
        raw_id, values = service_id, NOTHING
    hidden = () if "D3" in defects else (ID, RESULT)
    params = tuple(f"-{label}-" if label in hidden else label for label in labels(arrow))
    args = tuple(r.Var(param, of) for param, (_, of) in zip(params, arrow.args, strict=True))
    result = arrow.results[0] if arrow.results else None
    exports: tuple[r.CallExport, ...] = ()
    ret: tuple[r.RawValue, ...] = ()
    if result is not None:
        exports = (r.CallExport(RESULT, result, isinstance(result, t.Stream | t.StreamMap)),)
        ret = (r.Var(RESULT, result),)
    body = r.CallTag(exports, r.ServiceCall(raw_id, method, arrow, args, r.arrow_type(arrow)))
    return Fn(name, arrow, params, body, ret, {}, values)
