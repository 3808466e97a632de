"""Pictures as Mermaid: `sequenceDiagram` and `flowchart`.

A solid arrow is a call, a dashed one the particle going on without one. Texts are escaped with Mermaid's own entity codes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from .picture import Block, Call, Graph, Hop, Local, Node, Sequence

if TYPE_CHECKING:
    from .picture import Step

_SPECIAL: Final = re.compile(r"[^\w .,()\[\]=*+/'!|→…@?-]|--")
_SHAPES: Final = {
    "start": ("([", "])"),
    "call": ("[", "]"),
    "hop": ("((", "))"),
    "local": ("(", ")"),
    "loop": ("{{", "}}"),
    "choice": ("{", "}"),
    "entry": ("[", "]"),
    "file": ("[", "]"),
    "library": ("([", "])"),
}
_FIRST: Final = {"par": "par", "loop": "loop", "if": "alt", "try": "critical"}
_OTHER: Final = {"par": "and", "if": "else", "try": "option", "loop": "else"}
_LABELS: Final = {"try": "try"}


def sequence(picture: Sequence) -> str:
    """A function in time."""
    ids = {peer: f"p{number}" for number, peer in enumerate(picture.peers)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {ids[peer]} as {_escaped(peer)}" for peer in picture.peers]
    lines.append(f"    Note over {ids[picture.peers[0]]}: {_escaped(picture.title)}")
    waiting: list[tuple[int, Step | str]] = [(1, step) for step in reversed(picture.steps)]
    while waiting:
        depth, step = waiting.pop()
        pad = "    " * depth
        match step:
            case str():
                lines.append(pad + step)
            case Call(source, peer, text, result):
                shown = f"{text} → {result}" if result else text
                lines.append(f"{pad}{ids[source]}->>{ids[peer]}: {_escaped(shown)}")
            case Hop(source, peer):
                lines.append(f"{pad}{ids[source]}-->>{ids[peer]}: hop")
            case Local(peer, text):
                lines.append(f"{pad}Note over {ids[peer]}: {_escaped(text)}")
            case Block(kind, branches):
                inner: list[tuple[int, Step | str]] = []
                for number, branch in enumerate(branches):
                    word = _OTHER[kind] if number else _FIRST[kind]
                    label = branch.label or ("" if number else _LABELS.get(kind, ""))
                    label = "" if label == word else label
                    inner += [(depth, f"{word} {_escaped(label)}".rstrip()), *((depth + 1, s) for s in branch.steps)]
                waiting += reversed([*inner, (depth, "end")])
            case _:
                assert_never(step)
    return "\n".join(lines) + "\n"


def flow(graph: Graph) -> str:
    """A graph, its lanes as boxes."""
    lines = ["flowchart TD"]
    for number, lane in enumerate(graph.lanes):
        nodes = [node for node in graph.nodes if node.lane == lane]
        if nodes:
            lines += [f'    subgraph l{number}["{_escaped(lane)}"]', *(f"        {_node(n)}" for n in nodes), "    end"]
    lines += [f"    {_node(node)}" for node in graph.nodes if not node.lane]
    for edge in graph.edges:
        arrow = "-.->" if edge.dashed else "-->"
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"    {edge.source} {arrow}{label} {edge.target}")
    entries = [node.id for node in graph.nodes if node.kind == "entry"]
    if entries:
        lines += ["    classDef entry stroke-width:3px", f"    class {','.join(entries)} entry"]
    return "\n".join(lines) + "\n"


def _node(node: Node) -> str:
    opening, closing = _SHAPES[node.kind]
    return f'{node.id}{opening}"{_escaped(node.text)}"{closing}'


def _escaped(text: str) -> str:
    """Everything that could mean something to Mermaid as an entity code."""
    return _SPECIAL.sub(lambda found: "".join(f"#{ord(char)};" for char in found.group()), text)
