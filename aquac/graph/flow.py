"""Where each operation runs: the steps of a function as a graph, its nodes in the lanes of their peers.

Input:  `Sequence`.
Output: `Graph`. Edges lead from what is done to what may be done next; branches fork and meet without a node of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from .picture import Block, Call, Edge, Graph, Hop, Local, Node, Sequence, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .picture import Branch, NodeKind


class _End(NamedTuple):
    """A node from which something may follow, and what the edge to it says."""

    node: str
    label: str = ""
    dashed: bool = False


def flow_of(sequence: Sequence) -> Graph:
    """The graph of a function."""
    maker = _Maker()
    start = maker.node(sequence.title, "start", sequence.peers[0], [])
    maker.steps(sequence.steps, [_End(start)])
    lanes = tuple(dict.fromkeys([*sequence.peers, *(node.lane for node in maker.nodes)]))
    return Graph(sequence.title, lanes, tuple(maker.nodes), tuple(maker.edges))


class _Maker:
    """Nodes and edges so far, the lanes of the nodes, and the row of the next node."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._lanes: dict[str, str] = {}
        self._row = 0

    def node(self, text: str, kind: NodeKind, lane: str, before: list[_End]) -> str:
        """A new node behind others."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(Node(name, text, kind, lane, self._row))
        self._row += 1
        self.edges += [Edge(end.node, name, end.label, end.dashed) for end in dict.fromkeys(before)]
        self._lanes[name] = lane
        return name

    def steps(self, steps: tuple[Step, ...], before: list[_End]) -> list[_End]:
        """Nodes of steps; what may follow them."""
        for step in steps:
            match step:
                case Call(_, peer, text, result):
                    before = [_End(self.node(f"{text} → {result}" if result else text, "call", peer, before))]
                case Hop(_, peer):
                    before = [_End(self.node("hop", "hop", peer, before))]
                case Local(peer, text):
                    before = [_End(self.node(text, "local", peer, before))]
                case Block():
                    before = self._block(step, before)
                case _:
                    assert_never(step)
        return before

    def _block(self, block: Block, before: list[_End]) -> list[_End]:
        lane = self._lanes[before[0].node]
        ends: list[_End] = []
        match block.kind:
            case "par":
                for branch in self._side_by_side(block):
                    following = self.steps(branch.steps, [end._replace(label=branch.label or "par") for end in before])
                    ends += before if branch.label == "co" else following
            case "loop":
                head = self.node(block.branches[0].label, "loop", lane, before)
                inner = self.steps(block.branches[0].steps, [_End(head, "each")])
                self.edges += [Edge(end.node, head, "next", dashed=True, back=True) for end in inner]
                ends = [_End(head)]
            case "if":
                head = self.node(f"{block.branches[0].label}?", "choice", lane, before)
                for number, branch in enumerate(self._side_by_side(block)):
                    ends += self.steps(branch.steps, [_End(head, "no" if number else "yes")])
                if len(block.branches) == 1:
                    ends.append(_End(head, "no"))
            case "try":
                for branch in self._side_by_side(block):
                    starts = [end._replace(label=branch.label, dashed=True) for end in before]
                    ends += self.steps(branch.steps, starts if branch.label else before)
            case _:
                assert_never(block.kind)
        return ends

    def _side_by_side(self, block: Block) -> Iterator[Branch]:
        """The branches of a block; each begins in the same row, what follows is below them all."""
        first = last = self._row
        for branch in block.branches:
            self._row = first
            yield branch
            last = max(last, self._row)
        self._row = last
