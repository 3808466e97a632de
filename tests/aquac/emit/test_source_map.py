"""Where instructions come from."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from aquac import cli, compile_bundle, compile_path
from aquac.compiler import CompiledFunction
from aquac.emit.source_map import Located
from tests.aquac.corpus import FILES, corpus
from tests.conformance.areas.aqua_air import compile_case

PROGRAMS = Path(__file__).parents[1] / "mistakes" / "programs"
SCHEMA = json.loads(files("aquac").joinpath("schemas/source-map.schema.json").read_text())


def check(function: CompiledFunction) -> None:
    """Every instruction has a place, and offsets, lines and columns agree."""
    lines = function.script.split("\n")
    mappings = function.source_map().mappings
    assert [m.line for m in mappings] == [n for n, line in enumerate(lines, 1) if line.lstrip().startswith("(")]
    for found in mappings:
        assert lines[found.line - 1][found.column - 1 :] == found.text
        assert function.script.encode()[found.offset :].startswith(found.text.encode())
        assert found.site.file.text[found.site.span.start : found.site.span.end].strip()
    document = function.source_map().to_json("f.air")
    jsonschema.validate(document, SCHEMA)
    assert len(document["mappings"]) == len(mappings)


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.aqua")), ids=lambda path: path.stem)
def test_every_instruction_has_a_place(path: Path) -> None:
    compiled = compile_path(path)
    assert compiled.functions or path.stem == "lib"
    for function in compiled.functions.values():
        check(function)


OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "fmul": "*", "div": "/", "rem": "%", "pow": "**",
    "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
}  # fmt: skip
CALL = re.compile(r'\(call \S+ \((?:"([^"]*)"|\S+) "([^"]+)"\)')


def misplaced(found: Located) -> bool:
    """Whether a call comes from a text that does not name what is called."""
    call = CALL.match(found.text)
    if call is None:
        return False
    service, method = call.groups()
    span = found.site.span
    text = found.site.file.text[span.start : span.end]
    if service in ("getDataSrv", "errorHandlingSrv", "tracingSrv", "callbackSrv"):
        return False  # nobody wrote it, or it is called by the name of a parameter
    if '["exit with error: "' in found.text:
        return False  # an event of tracing
    if service in ("math", "cmp") and OPERATORS.get(method, method) in text:
        return False
    if service == "math" and "[" in text and method in ("add", "sub"):
        return False  # an index of a stream is counted from its end, which takes one more or less
    if re.search(rf"\.{re.escape(method)}\b(?!\()", found.site.file.text):
        return False  # the method is passed on as a function, and called by another name
    return not re.search(rf"\b{re.escape(method)}\b", text)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_calls_come_from_where_they_are_named(name: str) -> None:
    calls = 0
    wrong = []
    for case in corpus(name):
        for function in compile_case(case).functions.values():
            check(function)
            mappings = function.source_map().mappings
            calls += sum(m.text.startswith("(call") for m in mappings)
            wrong += [(case["id"], m.text) for m in mappings if misplaced(m)]
    assert wrong == []
    assert calls > 50


def lines_of(source: str, *instructions: str) -> list[int]:
    """Lines the instructions starting like this come from, the first of each."""
    compiled = compile_bundle({"m.aqua": source}, "m.aqua")
    found = []
    for text in instructions:
        site = next(m.site for m in compiled.functions["f"].source_map().mappings if m.text.startswith(text))
        found.append(site.file.lines.position(site.span.start).line)
    return found


def test_places_are_the_innermost_ones() -> None:
    source = """aqua M

export f

service S("s"):
  get(x: string) -> []string
  put(x: string)

func inner(p: string) -> []string:
  on p:
    all <- S.get(p)
  <- all

func f(p: string) -> string:
  all <- inner(p)
  for one <- all:
    if one == "x":
      S.put(
        one)
  t = all[0]
  <- t
"""
    called = ('(call -p-arg- ("s" "get")', "(fold", '(match one-0 "x"', '(call %init_peer_id% ("s" "put")')
    assert lines_of(source, *called) == [11, 16, 17, 18]
    assert lines_of(source, '(call %init_peer_id% ("getDataSrv"', "(new $-hop-") == [14, 10]


def test_values_have_places_of_their_own() -> None:
    source = """aqua M

export f

service S("s"):
  get(x: i64) -> i64
  add(x: i64, y: i64) -> i64

func f() -> i64:
  x <- S.add(
    S.get(1),
    S.get(2))
  <- x
"""
    called = ('(call %init_peer_id% ("s" "get") [1]', '(call %init_peer_id% ("s" "get") [2]')
    assert lines_of(source, *called, '(call %init_peer_id% ("s" "add")') == [11, 12, 10]


def test_errors_found_after_inlining_have_a_place() -> None:
    source = (
        "aqua M\n\nexport f\n\nconst BACK = -1\n\nfunc f(xs: []u8) -> u8:\n  a = xs[0]\n  b = xs[BACK]\n  <- a + b\n"
    )
    (error,) = compile_bundle({"m.aqua": source}, "m.aqua").diagnostics
    assert error.code.id == "AQ0502"
    assert error.file is not None
    assert error.span is not None
    assert error.file.lines.position(error.span.start).line == 9


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["build", str(PROGRAMS / "greet.aqua"), "-o", str(out), "--source-map", "-q"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["greet.greet.air", "greet.greet.air.map"]
    document = json.loads((out / "greet.greet.air.map").read_text())
    jsonschema.validate(document, SCHEMA)
    assert document["script"] == "greet.greet.air"
    assert [(out / name).resolve() for name in document["sources"]] == [(PROGRAMS / "greet.aqua").resolve()]
    capsys.readouterr()
    assert cli.main(["build", str(PROGRAMS / "greet.aqua"), "--source-map"]) == 2
    assert "-o DIR" in capsys.readouterr().err
