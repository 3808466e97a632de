"""Pictures: golden texts, and real parsers of Mermaid and DOT where their npm packages are installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import xml.etree.ElementTree as xml
from itertools import pairwise
from pathlib import Path

import pytest

from aquac import Options, compile_bundle
from aquac.cli import main
from aquac.graph import dot, mermaid, svg
from aquac.graph.flow import flow_of
from aquac.graph.layered import arrange
from aquac.graph.picture import Block, Call, Edge, Graph, Hop, Node, Sequence, all_steps
from aquac.graph.steps import sequence_of
from tests.conftest import ROOT, node_modules
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_mutation import corpus as programs
from tests.golden import Case, Golden, corpus

GENERATED = 25
SVG = "{http://www.w3.org/2000/svg}"


def pictures(files: dict[str, str]) -> list[Sequence]:
    """Every exported function of a program without errors."""
    compiled = compile_bundle(files, "main.aqua", options=Options(no_xor=True))
    return [sequence_of(name, f.res) for name, f in compiled.functions.items()] if compiled.ok else []


def several() -> list[Sequence]:
    """Functions of the corpus and of generated programs."""
    found = [picture for files in programs()[::25] for picture in pictures(files)]
    return found + [picture for seed in range(GENERATED) for picture in pictures(generate(seed).files)]


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_picture(case: Case, golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sections of a case are what is printed for `VIEW FORMAT`; other files of a program begin with `//- name`."""
    name = "main.aqua"
    for line in case.input.splitlines(keepends=True):
        if line.startswith("//- "):
            name = line[4:].strip()
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a") as file:
            file.write("" if line.startswith("//- ") else line)
    for section in [s for s in case.sections if s != "input"] or ["sequence mermaid", "topology mermaid"]:
        view, form = section.split(" ")
        assert main(["graph", str(tmp_path / "main.aqua"), "--view", view, "--format", form]) == 0
        golden.check(case, section, capsys.readouterr().out)


@pytest.mark.slow
def test_every_call_is_drawn_once() -> None:
    """What the script calls is in both views, and every peer of a call is a lane."""
    for picture in several():
        calls = [step for step in all_steps(picture.steps) if isinstance(step, Call)]
        graph = flow_of(picture)
        assert len([node for node in graph.nodes if node.kind == "call"]) == len(calls)
        assert {call.peer for call in calls} <= set(picture.peers)
        assert len(re.findall(r"->>", mermaid.sequence(picture))) == sum(
            isinstance(step, Call | Hop) for step in all_steps(picture.steps)
        )


@pytest.mark.slow
def test_graphs_lead_forwards() -> None:
    for picture in several():
        graph = flow_of(picture)
        order = {node.id: number for number, node in enumerate(graph.nodes)}
        rows = {node.id: node.row for node in graph.nodes}
        reached = {graph.nodes[0].id}
        for edge in graph.edges:
            assert (order[edge.target] <= order[edge.source]) == edge.back
            assert edge.back or rows[edge.source] < rows[edge.target]
            reached.add(edge.target)
        assert reached == set(order)
        drawn = [node.id for node in graph.nodes if f"{node.id} [label=" in dot.flow(graph)]
        assert drawn == list(order)


@pytest.mark.slow
def test_svg_is_sound() -> None:
    """Well-formed, everything inside the page, boxes of a graph apart from each other."""
    for picture in several():
        graph = flow_of(picture)
        for text in (svg.sequence(picture), svg.flow(graph)):
            root = xml.fromstring(text)
            right, bottom = int(root.attrib["width"]), int(root.attrib["height"])
            for item in root.iter(f"{SVG}rect"):
                x, y = int(item.get("x", "0")), int(item.get("y", "0"))
                assert 0 <= x <= x + int(item.attrib["width"]) <= right
                assert 0 <= y <= y + int(item.attrib["height"]) <= bottom
            for item in root.iter(f"{SVG}text"):
                size = svg.width(item.text or "")
                x = int(item.attrib["x"]) - (size // 2 if "mid" in item.get("class", "") else 0)
                assert 0 <= x <= x + size <= right + 2, item.text
        sizes = {node.id: svg.width(node.text) + 28 for node in graph.nodes}
        layout = arrange(graph, sizes, dict.fromkeys(graph.lanes, 10))
        rows: dict[int, list[tuple[int, int]]] = {}
        for box in layout.boxes.values():
            rows.setdefault(box.y, []).append((box.x - box.width // 2, box.x + box.width // 2))
        for spans in rows.values():
            spans.sort()
            assert all(one[1] < other[0] for one, other in pairwise(spans))


def tools() -> Path:
    """Folder with npm packages mermaid, jsdom and @viz-js/viz: $AQUA_DRAWING, or that of the reference; skips without them."""
    for place in (os.environ.get("AQUA_DRAWING"), node_modules()):
        if place and all((Path(place) / name).is_dir() for name in ("mermaid", "jsdom", "@viz-js/viz")):
            return Path(place)
    pytest.skip("npm packages mermaid, jsdom and @viz-js/viz are not installed: run `python3 tasks.py reference`")


@pytest.mark.slow
def test_real_parsers_accept_them(node: str) -> None:
    folder = tools()
    odd = 'a"b\\n #1; <b>&amp; end {x} [y] `z` %% -- --> :: ; é😀 \\'
    strange = Sequence(odd, ("init peer", odd, "end"), (Call("init peer", odd, odd, odd), Hop(odd, "end")))
    found = [*several(), strange]
    graphs = [
        *map(flow_of, found),
        Graph(odd, (), (Node("n0", odd, "entry"), Node("n1", "end", "library")), (Edge("n0", "n1", odd),)),
    ]
    asked = {
        "mermaid": [*map(mermaid.sequence, found), *map(mermaid.flow, graphs)],
        "dot": [*map(dot.sequence, found), *map(dot.flow, graphs)],
    }
    script = Path(__file__).parent / "drawing_tools.mjs"
    done = subprocess.run(
        [node, str(script), str(folder)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    for form, said in json.loads(done.stdout).items():
        assert len(said) == len(asked[form])
        assert [(text, error) for text, error in zip(asked[form], said, strict=True) if error] == []


def test_which_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = str(ROOT / "examples" / "two_peers" / "main.aqua")
    assert main(["graph", example]) == 2
    assert "which one is to be drawn" in capsys.readouterr().err
    assert main(["graph", example, "-f", "nobody"]) == 2
    assert "it exports" in capsys.readouterr().err
    assert main(["graph", example, "-f", "whereAmI", "-o", str(tmp_path / "a.svg"), "--format", "svg"]) == 0
    xml.parse(tmp_path / "a.svg")
    assert capsys.readouterr() == ("", "")
    assert main(["graph", example, "-f", "whereAmI", "--no-relay"]) == 0
    assert "p0->>p2" not in capsys.readouterr().out


def test_programs_with_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "a.aqua"
    place.write_text('aqua A\n\nimport "b.aqua"\n\nexport f\n\nfunc f():\n    x = y\n')
    for view in ("sequence", "topology", "imports"):
        assert main(["graph", str(place), "--view", view]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "b.aqua" in err
    assert main(["graph", str(tmp_path)]) == 1
    (tmp_path / "c.aqua").write_text("aqua C\n")
    assert main(["graph", str(tmp_path)]) == 2


def test_too_large_for_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aquac.graph import steps

    place = tmp_path / "a.aqua"
    head = 'aqua A\n\nexport f\n\nservice S("s"):\n    go()\n\nfunc f():\n'
    monkeypatch.setattr(steps, "OPERATIONS_MAX", 3)
    place.write_text(head + "    S.go()\n" * 3)
    assert main(["graph", str(place)]) == 0
    place.write_text(head + "    S.go()\n" * 4)
    assert main(["graph", str(place)]) == 2
    assert "more than 3 operations" in capsys.readouterr().err


def test_deep_nesting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "a.aqua"
    body = "".join(f"{' ' * (4 + n)}if b:\n" for n in range(250)) + " " * 254 + "S.go()\n"
    place.write_text(f'aqua A\n\nexport f\n\nservice S("s"):\n    go()\n\nfunc f(b: bool):\n{body}')
    assert main(["graph", str(place)]) in (0, 2)
    out, err = capsys.readouterr()
    assert out.startswith("sequenceDiagram") or "nests too deep" in err


def test_blocks_of_one_kind_only() -> None:
    """Every kind of block occurs in what the tests draw."""
    kinds = {step.kind for picture in several() for step in all_steps(picture.steps) if isinstance(step, Block)}
    assert kinds == {"par", "loop", "if", "try"}
