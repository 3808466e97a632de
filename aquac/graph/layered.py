"""Places for the nodes of a graph: layers from top to bottom, so that edges lead down.

In a graph with lanes each lane is a column and the rows of its nodes are the layers; nodes of one row and lane stand side by side.
Without lanes a node stands one layer below the lowest it depends on, and the nodes of a layer below their predecessors as far as
that goes.
Source: Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures (1981), the steps of layering
and ordering.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from aquac.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .picture import Graph, Node

GAP: Final = 24
"""Pixels between nodes."""
LAYER: Final = 28 + 2 * GAP
"""Pixels from one layer to the next; nodes are 28 high."""
BEND: Final = 12
"""Pixels kept free for an edge that passes a layer."""
SWEEPS: Final = 4
"""How often layers are put in order, downwards and upwards by turns."""


class Box(NamedTuple):
    """A node: the middle of its upper edge, and its width."""

    x: int
    y: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Places of nodes and lanes (left and width), the extent of the whole, and the bends of edges by their number."""

    boxes: dict[str, Box]
    lanes: dict[str, tuple[int, int]]
    width: int
    height: int
    bends: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)


def arrange(graph: Graph, sizes: Mapping[str, int], lanes: Mapping[str, int]) -> Layout:
    """Places for nodes of these widths; `lanes` are the least widths of the lanes that are used."""
    layers = _layers(graph)
    if not graph.lanes:
        return _free(graph, layers, sizes)
    boxes: dict[str, Box] = {}
    placed: dict[str, tuple[int, int]] = {}
    left = GAP
    for lane in graph.lanes:
        rows = [[node.id for node in layer if node.lane == lane] for layer in layers]
        if not any(rows):
            continue
        inner = max(lanes[lane], *(_width(row, sizes) for row in rows)) + 2 * GAP
        for number, row in enumerate(rows):
            x = left + (inner - _width(row, sizes)) // 2
            for name in row:
                boxes[name] = Box(x + sizes[name] // 2, number * LAYER, sizes[name])
                x += sizes[name] + GAP
        placed[lane] = left, inner
        left += inner + GAP
    return Layout(boxes, placed, left, LAYER * len(layers) - 2 * GAP)


def _layers(graph: Graph) -> list[list[Node]]:
    """Nodes by their rows, or where there are no lanes by the longest way to them."""
    if graph.lanes:
        return [[node for node in graph.nodes if node.row == row] for row in range(max(n.row for n in graph.nodes) + 1)]
    level = {node.id: 0 for node in graph.nodes}
    into: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        if not edge.back:
            into[edge.target].append(edge.source)
    for node in graph.nodes:
        level[node.id] = max((level[source] + 1 for source in into[node.id]), default=0)
    layers: list[list[Node]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in graph.nodes:
        layers[level[node.id]].append(node)
    return layers


def _free(graph: Graph, layers: list[list[Node]], sizes: Mapping[str, int]) -> Layout:
    """Places without lanes: each layer in the middle, its nodes in the order of the middles of their neighbours.

    An edge past other layers gets a bend in each of them, which is put in order as a node is.
    """
    level = {node.id: number for number, layer in enumerate(layers) for node in layer}
    rows = [[node.id for node in layer] for layer in layers]
    widths = dict(sizes)
    above: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    below: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    paths: dict[int, list[str]] = {}
    for number, edge in enumerate(graph.edges):
        bends = [f"{number}/{row}" for row in range(level[edge.source] + 1, level[edge.target])]
        paths[number] = bends
        for row, bend in enumerate(bends, level[edge.source] + 1):
            rows[row].append(bend)
            widths[bend] = BEND
            above[bend], below[bend] = [], []
        for one, other in pairwise([edge.source, *bends, edge.target]):
            below[one].append(other)
            above[other].append(one)
    widest = max((_width(row, widths) for row in rows), default=0)
    boxes: dict[str, Box] = {}

    def place(number: int) -> None:
        x = GAP + (widest - _width(rows[number], widths)) // 2
        for name in rows[number]:
            boxes[name] = Box(x + widths[name] // 2, number * LAYER, widths[name])
            x += widths[name] + GAP

    def middle(name: str, neighbours: Mapping[str, list[str]]) -> float:
        found = [boxes[other].x for other in neighbours[name]]
        return sum(found) / len(found) if found else boxes[name].x

    for number in range(len(rows)):
        place(number)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(len(rows)) if down else reversed(range(len(rows))):
            rows[number].sort(key=lambda name: middle(name, above if down else below))
            place(number)
    bends_of = {number: tuple((boxes[bend].x, boxes[bend].y) for bend in path) for number, path in paths.items()}
    return Layout(boxes, {}, widest + 2 * GAP, LAYER * len(rows) - 2 * GAP if rows else 0, bends_of)


def _width(row: list[str], sizes: Mapping[str, int]) -> int:
    return sum(sizes[name] for name in row) + GAP * (len(row) - 1) if row else 0
