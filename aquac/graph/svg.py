"""Pictures as SVG, drawn here: no tool and no font but a monospaced one is needed.

Text is measured by counting, as all characters of the font are equally wide. Coordinates are whole pixels, so the same picture
is the same text everywhere.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Final, assert_never
from xml.sax.saxutils import escape

from .dot import heading
from .layered import GAP, Box, arrange
from .picture import Block, Call, Graph, Hop, Local, Sequence, all_steps

if TYPE_CHECKING:
    from .picture import Edge, Step

CHAR: Final = 7.25
"""Width of a character of the font, in pixels."""

HOP: Final = 22
"""Room for the circle of a hop."""

_MARGIN: Final = 16
_ROW: Final = 34
_HEADER: Final = 26
_INSET: Final = 8
_STYLE: Final = """\
  <style>
    text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; }
    .title { font-weight: bold; } .soft { fill: #59636e; } .mid { text-anchor: middle; }
    rect, polygon, circle { fill: #ffffff; stroke: #59636e; } .page { stroke: none; }
    .lane { fill: #f6f8fa; stroke: #d1d9e0; } .frame { fill: none; stroke: #818b98; } .note { fill: #fff8c5; stroke: #d4a72c; }
    .main { stroke-width: 2.5; } .life { stroke: #d1d9e0; }
    path, line { fill: none; stroke: #59636e; } .dashed { stroke-dasharray: 5 4; }
  </style>
  <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">\
<path d="M0 0 8 4 0 8z" style="fill: #59636e"/></marker></defs>
"""


def width(text: str) -> int:
    """Width of a text in pixels; characters of East Asia count twice."""
    return round(CHAR * sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text))


# ── sequences ────────────────────────────────────────────────────────────────────────────────────────────────────────


def sequence(picture: Sequence) -> str:
    """A function in time, from top to bottom."""
    drawing = _SequenceDrawing(picture)
    drawing.steps(picture.steps)
    return drawing.text()


class _SequenceDrawing:
    """Rows so far; `_y` is where the next one goes."""

    def __init__(self, picture: Sequence) -> None:
        self._picture = picture
        self._lane = {peer: number for number, peer in enumerate(picture.peers)}
        self._depth_max = _depth(picture.steps)
        self._x = self._columns()
        self._right = max(
            self._x[-1] + width(picture.peers[-1]) // 2 + 12 + self._depth_max * _INSET,
            _MARGIN + width(picture.title),
            *(self._reach(step, self._depth_max) for step in _flat(picture.steps)),
        )
        self._parts: list[str] = []
        self._y = 3 * _MARGIN + 36

    def _columns(self) -> list[int]:
        """Where the lifelines stand: no text runs into the next one."""
        names = [width(peer) + 24 for peer in self._picture.peers]
        gaps = [max(60, (a + b) // 2 + GAP) for a, b in pairwise(names)]
        left = names[0] // 2
        wanted: list[tuple[int, int, int]] = []
        for step in _flat(self._picture.steps):
            match step:
                case Call(source, peer, text, result):
                    one, other = sorted((self._lane[source], self._lane[peer]))
                    wanted.append(
                        (one, max(other, one + 1), width(_shown(text, result)) + (40 if one == other else 24))
                    )
                case Local(peer, text):
                    half = width(text) // 2 + 20
                    at = self._lane[peer]
                    wanted += [(at, at + 1, half), (at - 1, at, half)]
                    left = max(left, half) if at == 0 else left
                case _:
                    pass
        for one, other, size in sorted(wanted, key=lambda want: (want[1] - want[0], want)):
            if one >= 0 and other <= len(gaps):
                gaps[other - 1] += max(0, size - sum(gaps[one:other]))
        columns = [_MARGIN + self._depth_max * _INSET + left]
        for gap in gaps:
            columns.append(columns[-1] + gap)
        return columns

    def _reach(self, step: Step, depth: int) -> int:
        """How far to the right a row goes, with the frames around it."""
        reach = 0
        match step:
            case Call(source, peer, text, result) if source == peer:
                reach = self._x[self._lane[peer]] + 36 + width(_shown(text, result))
            case Local(peer, text):
                reach = self._x[self._lane[peer]] + width(text) // 2 + 12
            case Block(kind, branches):
                reach = _MARGIN + 20 + max(width(heading(kind, branch.label, n)) for n, branch in enumerate(branches))
            case _:
                pass
        return reach + depth * _INSET

    def steps(self, steps: tuple[Step, ...], depth: int = 0) -> None:
        """Draw steps. Blocks nest as deep as those of the program."""
        for step in steps:
            match step:
                case Call(source, peer, text, result):
                    self._arrow(self._lane[source], self._lane[peer], _shown(text, result), "")
                case Hop(source, peer):
                    self._arrow(self._lane[source], self._lane[peer], "", "dashed")
                case Local(peer, text):
                    x, half = self._x[self._lane[peer]], width(text) // 2 + 8
                    self._parts += [
                        f'<rect class="note" x="{x - half}" y="{self._y}" width="{2 * half}" height="22" rx="3"/>',
                        _text(x, self._y + 15, text, "mid"),
                    ]
                    self._y += _ROW
                case Block():
                    self._block(step, depth)
                case _:
                    assert_never(step)

    def _arrow(self, source: int, target: int, text: str, look: str) -> None:
        x, to = self._x[source], self._x[target]
        if source == target:
            path = f"M{x} {self._y + 4}h24v14h-23"
            self._parts += [_path(path, look), _text(x + 32, self._y + 15, text)]
        else:
            line = self._y + (18 if text else 6)
            self._parts.append(_path(f"M{x} {line}H{to - 1 if to > x else to + 1}", look))
            if text:
                self._parts.append(_text((x + to) // 2, self._y + 12, text, "mid"))
        self._y += _ROW if text else 22

    def _block(self, block: Block, depth: int) -> None:
        left = _MARGIN + depth * _INSET
        right = self._right - depth * _INSET
        top = self._y
        lines = []
        for number, branch in enumerate(block.branches):
            if number:
                self._y += 2
                lines.append(f'<line class="frame dashed" x1="{left}" y1="{self._y}" x2="{right}" y2="{self._y}"/>')
            lines.append(_text(left + 8, self._y + 16, heading(block.kind, branch.label, number), "title soft"))
            self._y += _HEADER
            self.steps(branch.steps, depth + 1)
        frame = f'<rect class="frame" x="{left}" y="{top}" width="{right - left}" height="{self._y - top}" rx="3"/>'
        self._parts += [frame, *lines]
        self._y += 12

    def text(self) -> str:
        """The document."""
        top, bottom = 2 * _MARGIN, self._y + 8
        head = [_text(_MARGIN, _MARGIN + 6, self._picture.title, "title")]
        for peer, x in zip(self._picture.peers, self._x, strict=True):
            half = width(peer) // 2 + 12
            head += [
                f'<line class="life" x1="{x}" y1="{top + 28}" x2="{x}" y2="{bottom}"/>',
                f'<rect x="{x - half}" y="{top}" width="{2 * half}" height="28" rx="4"/>',
                _text(x, top + 18, peer, "mid"),
            ]
        return _document(self._right + _MARGIN, bottom + _MARGIN, [*head, *self._parts])


def _flat(steps: tuple[Step, ...]) -> list[Step]:
    return list(all_steps(steps))


def _depth(steps: tuple[Step, ...]) -> int:
    inner = [1 + _depth(branch.steps) for step in steps if isinstance(step, Block) for branch in step.branches]
    return max(inner, default=0)


def _shown(text: str, result: str) -> str:
    return f"{text} → {result}" if result else text


# ── graphs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def flow(graph: Graph) -> str:
    """A graph, layer below layer; its lanes are columns."""
    sizes = {node.id: (HOP if node.kind == "hop" else width(node.text) + 28) for node in graph.nodes}
    layout = arrange(graph, sizes, {lane: width(lane) + 24 for lane in graph.lanes})
    top = 2 * _MARGIN + (36 if graph.lanes else 0)
    parts = [_text(_MARGIN, _MARGIN + 6, graph.title, "title")]
    for lane, (left, size) in layout.lanes.items():
        parts += [
            f'<rect class="lane" x="{left}" y="{2 * _MARGIN}" width="{size}" height="{layout.height + 44}" rx="4"/>',
            _text(left + size // 2, 2 * _MARGIN + 18, lane, "mid title soft"),
        ]
    boxes = {node.id: layout.boxes[node.id]._replace(y=layout.boxes[node.id].y + top) for node in graph.nodes}
    right = max(layout.width, _MARGIN + width(graph.title))
    for number, edge in enumerate(graph.edges):
        drawn, reach = _edge(edge, boxes, [(x, y + top) for x, y in layout.bends.get(number, ())])
        parts += drawn
        right = max(right, reach)
    parts += [line for node in graph.nodes for line in _node(node.text, node.kind, boxes[node.id])]
    return _document(right + _MARGIN, top + layout.height + _MARGIN + (8 if graph.lanes else 0), parts)


def _node(text: str, kind: str, box: Box) -> list[str]:
    x, y, half = box.x, box.y, box.width // 2
    label = _text(x, y + 18, text, "mid")
    match kind:
        case "hop":
            return [f'<circle cx="{x}" cy="{y + 14}" r="5"/>']
        case "choice":
            return [f'<polygon points="{x - half},{y + 14} {x - half + 12},{y} {x + half - 12},{y} {x + half},{y + 14} '
                    f'{x + half - 12},{y + 28} {x - half + 12},{y + 28}"/>', label]  # fmt: skip
        case _:
            looks = {"local": "note", "start": "main", "entry": "main", "loop": "frame lane"}
            look = f' class="{looks[kind]}"' if kind in looks else ""
            corner = 14 if kind in ("start", "library", "loop") else 4
            return [f'<rect{look} x="{x - half}" y="{y}" width="{2 * half}" height="28" rx="{corner}"/>', label]


def _edge(edge: Edge, boxes: dict[str, Box], bends: list[tuple[int, int]]) -> tuple[list[str], int]:
    """An edge, and how far to the right it goes: down through the layers, back and past other nodes at the side."""
    a, b = boxes[edge.source], boxes[edge.target]
    look = "dashed" if edge.dashed else ""
    if edge.back or (not bends and a.x == b.x and b.y - a.y > 2 * GAP + 28):
        side = max(a.x + a.width // 2, b.x + b.width // 2) + 14
        path = f"M{a.x + a.width // 2} {a.y + 14}C{side + 10} {a.y + 14} {side + 10} {b.y + 14} {b.x + b.width // 2 + 1} {b.y + 14}"
        place = side - 4, (a.y + b.y) // 2 + 16
        reach = side + 10 + width(edge.label)
    else:
        start, end = (a.y + (19 if a.width == HOP else 28)), b.y + (8 if b.width == HOP else -1)
        path = f"M{a.x} {start}"
        x, y = a.x, start
        for to, down in (*bends, (b.x, end)):
            middle = (y + down) // 2
            path += f"C{x} {middle} {to} {middle} {to} {down}"
            x, y = to, down + 28
            path += f"V{y}" if down != end else ""
        to, down = bends[0] if bends else (b.x, end)
        middle = (start + down) // 2
        place = (a.x + 3 * to) // 4 + 6, middle + 12
        reach = place[0] + width(edge.label)
    drawn = [_path(path, look)]
    if edge.label:
        drawn.append(_text(place[0], place[1], edge.label, "soft"))
    return drawn, reach


# ── elements ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _path(path: str, look: str) -> str:
    return f'<path{f" class={chr(34)}{look}{chr(34)}" if look else ""} d="{path}" marker-end="url(#tip)"/>'


def _text(x: int, y: int, text: str, look: str = "") -> str:
    return f'<text{f" class={chr(34)}{look}{chr(34)}" if look else ""} x="{x}" y="{y}">{escape(text)}</text>'


def _document(right: int, bottom: int, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{right}" height="{bottom}" viewBox="0 0 {right} {bottom}">\n'
    )
    page = f'  <rect class="page" width="{right}" height="{bottom}"/>\n'
    return head + _STYLE + page + "".join(f"  {part}\n" for part in parts) + "</svg>\n"
