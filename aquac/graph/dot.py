"""Pictures in the language of Graphviz.

It has no sequence diagrams: the lifelines are columns of points, each step a row; blocks are rows of text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from .picture import Block, Call, Graph, Hop, Local, Node, Sequence

if TYPE_CHECKING:
    from .picture import Step

_SHAPES: Final = {
    "start": 'shape=box, style="rounded,bold"',
    "call": "shape=box",
    "hop": "shape=circle",
    "local": "shape=box, style=rounded",
    "loop": "shape=hexagon",
    "choice": "shape=diamond",
    "entry": "shape=box, style=bold",
    "file": "shape=box",
    "library": "shape=box, style=rounded",
}


def sequence(picture: Sequence) -> str:
    """A function in time, from top to bottom."""
    rows = [*_rows(picture.steps), ("", "", "", "")]
    columns = range(len(picture.peers))
    ids = {peer: number for number, peer in enumerate(picture.peers)}
    lines = [
        "digraph {",
        f"    label={_quoted(picture.title)}; labelloc=t;",
        "    node [shape=point, width=0.05]; edge [arrowhead=none, style=dotted]; nodesep=1.2; ranksep=0.3;",
    ]
    for peer, number in ids.items():
        lines.append(f"    p{number}_0 [shape=box, width=1, label={_quoted(peer)}];")
    for row in range(1, len(rows) + 1):
        text, source, target, _ = rows[row - 1]
        if source and source == target:
            lines.append(f"    p{ids[source]}_{row} [shape=box, style=rounded, label={_quoted(text)}];")
        elif text and not source:
            lines.append(f'    t_{row} [shape=plaintext, fontname="Helvetica-Bold", label={_quoted(text)}];')
    for row in range(len(rows) + 1):
        text, source, _, _ = rows[row - 1] if row else ("", "", "", "")
        titled = f"t_{row}; " if row and text and not source else ""
        lines.append(f"    {{ rank=same; {titled}{' '.join(f'p{column}_{row};' for column in columns)} }}")
        if titled:
            lines.append(f"    t_{row} -> p0_{row} [style=invis];")
        if len(picture.peers) > 1:
            lines.append(f"    {' -> '.join(f'p{column}_{row}' for column in columns)} [style=invis];")
    for column in columns:
        path = " -> ".join(f"p{column}_{row}" for row in range(len(rows) + 1))
        lines.append(f"    {path} [weight=100];")
    for row, (text, source, target, style) in enumerate(rows, 1):
        if source != target:
            look = f"arrowhead=normal, style={style}, constraint=false, label={_quoted(text)}"
            lines.append(f"    p{ids[source]}_{row} -> p{ids[target]}_{row} [{look}];")
    return "\n".join([*lines, "}"]) + "\n"


def _rows(steps: tuple[Step, ...]) -> list[tuple[str, str, str, str]]:
    """Text, source, target and style of each row; source and target are empty for words of blocks."""
    rows: list[tuple[str, str, str, str]] = []
    waiting: list[Step | str] = list(reversed(steps))
    while waiting:
        step = waiting.pop()
        match step:
            case str():
                rows.append((step, "", "", ""))
            case Call(source, peer, text, result):
                rows.append((f"{text} → {result}" if result else text, source, peer, "solid"))
            case Hop(source, peer):
                rows.append(("hop", source, peer, "dashed"))
            case Local(peer, text):
                rows.append((text, peer, peer, ""))
            case Block(kind, branches):
                inner: list[Step | str] = []
                for number, branch in enumerate(branches):
                    inner += (heading(kind, branch.label, number), *branch.steps)
                waiting += reversed([*inner, "end"])
            case _:
                assert_never(step)
    return rows


def heading(kind: str, label: str, number: int) -> str:
    """The words above a branch: what it is for, else what the block is."""
    words = {
        "par": "and" if number else "par",
        "loop": "",
        "if": "if" if not number else "",
        "try": "try" if not number else "",
    }
    return f"{words[kind]} {label}".strip()


def flow(graph: Graph) -> str:
    """A graph, its lanes as clusters."""
    lines = [
        "digraph {",
        f"    label={_quoted(graph.title)}; labelloc=t;",
        "    node [fontsize=11]; edge [fontsize=10];",
    ]
    for number, lane in enumerate(graph.lanes):
        nodes = [node for node in graph.nodes if node.lane == lane]
        if nodes:
            lines += [f"    subgraph cluster_{number} {{", f"        label={_quoted(lane)};"]
            lines += [*(f"        {_node(node)}" for node in nodes), "    }"]
    lines += [f"    {_node(node)}" for node in graph.nodes if not node.lane]
    for edge in graph.edges:
        look = [f"label={_quoted(edge.label)}"] if edge.label else []
        look += ["style=dashed"] if edge.dashed else []
        look += ["constraint=false"] if edge.back else []
        looks = f" [{', '.join(look)}]" if look else ""
        lines.append(f"    {edge.source} -> {edge.target}{looks};")
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: Node) -> str:
    return f"{node.id} [label={_quoted(node.text)}, {_SHAPES[node.kind]}];"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
