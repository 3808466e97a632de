"""What is drawn: steps of a function in time, and graphs of nodes and edges.

`steps.py`, `flow.py` and `files.py` make these, the writers read them. Texts are for people and not escaped for any format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aquac.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call on `peer`; the particle comes from `source`, which may be the same peer. `result` is what it is stored in."""

    source: str
    peer: str
    text: str
    result: str


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """The particle goes on from `source` to `peer` and does nothing there."""

    source: str
    peer: str


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """Something done on `peer` without a call: a value pushed, a stream frozen or waited for."""

    peer: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One way of a block. The label may be empty."""

    label: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Branches: all at once (`par`), over and over (`loop`), one by a condition (`if`), or each if the one before fails (`try`)."""

    kind: Literal["par", "loop", "if", "try"]
    branches: tuple[Branch, ...]


Step = Call | Hop | Local | Block


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A function: its title, the peers by order of appearance, and what happens. The first peer is where it starts."""

    title: str
    peers: tuple[str, ...]
    steps: tuple[Step, ...]


NodeKind = Literal["start", "call", "hop", "local", "loop", "choice", "entry", "file", "library"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node; `lane` is the peer it runs on, and `row` when: where there are lanes, what may be done at once is in one row."""

    id: str
    text: str
    kind: NodeKind
    lane: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge; `back` leads to a node before its source, as the end of a loop to its head."""

    source: str
    target: str
    label: str = ""
    dashed: bool = False
    back: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes in an order in which every edge but those back leads forwards."""

    title: str
    lanes: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Steps with those of their branches, in order. No host recursion."""
    waiting = [*reversed(steps)]
    while waiting:
        step = waiting.pop()
        yield step
        if isinstance(step, Block):
            waiting += [inner for branch in reversed(step.branches) for inner in reversed(branch.steps)]
