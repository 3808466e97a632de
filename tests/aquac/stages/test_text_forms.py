"""Each stage printed, read again and compared; and the validators between the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aquac import Compiled, compile_bundle, compile_path
from aquac.lowering import text as model_text
from aquac.lowering import text_parser as model_parser
from aquac.lowering.validate import problems as model_problems
from aquac.semantics import text as raw_text
from aquac.semantics import text_parser as raw_parser
from aquac.semantics.raw import FuncPart
from aquac.text_form import TextFormError
from aquac.topology import text as res_text
from aquac.topology import text_parser as res_parser
from aquac.topology.validate import problems as res_problems
from avm.air import parse as parse_air
from tests.aquac.corpus import FILES, corpus
from tests.aquac.emit.hostile_programs import PROGRAMS as HOSTILE
from tests.aquac.stages.shape import shape
from tests.conformance.areas.aqua_air import compile_case

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted((ROOT / "tests/aquac/mistakes/programs").glob("*.aqua"))


def check(compiled: Compiled) -> int:
    """All stages of all functions; the number of functions."""
    assert compiled.ok
    for context in compiled.contexts.values():
        for _, part in context.parts:
            if isinstance(part, FuncPart):
                text = raw_text.render(part)
                again = raw_parser.parse(text)
                assert raw_text.render(again) == text
                assert shape(essence(again), marks=False) == shape(essence(part), marks=False)
    functions = [*compiled.functions.values(), *([compiled.call] if compiled.call else [])]
    for function in functions:
        assert model_problems(function.model) == []
        assert res_problems(function.res) == []
        assert shape(model_parser.parse(model_text.render(function.model))) == shape(function.model)
        assert shape(res_parser.parse(res_text.render(function.res))) == shape(function.res)
        assert parse_air(function.script).ok
    return len(functions)


def essence(part: FuncPart) -> object:
    """What a function does; its type is compared as text."""
    return part.name, part.arrow.ret, part.arrow.body


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs(path: Path) -> None:
    check(compile_path(path))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_programs(text: str) -> None:
    check(compile_bundle({"main.aqua": text}, "main.aqua"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_corpus(name: str) -> None:
    compiled = [compile_case(case) for case in corpus(name)]
    assert sum(check(result) for result in compiled if result.ok) > 10


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (model_parser.parse, "seq\n    null\n", "line 2: indented too far"),
        (model_parser.parse, "seq\n null\n", "line 2: indented by 1 blanks"),
        (model_parser.parse, "null\nnull\n", "one tree expected, found 2"),
        (model_parser.parse, "null\n  null\n", "line 1: `null` has nothing below it"),
        (model_parser.parse, "jump x\n", "line 1: no operation `jump`"),
        (model_parser.parse, "push x *y\n", "line 1: `into` expected, found `*y`"),
        (model_parser.parse, "next\n", "line 1: the line ends too early"),
        (model_parser.parse, "next x y\n", "line 1: unexpected `y`"),
        (res_parser.parse, "last null\n", "line 1: `last` outside a fold"),
        (res_parser.parse, "fold i <- x\n  null\n", "line 1: a fold ends with one line `last`"),
        (raw_parser.parse, "func\n", "line 1: the line ends too early"),
    ],
)
def test_what_cannot_be_read(parse: Any, text: str, says: str) -> None:
    with pytest.raises(TextFormError) as error:
        parse(text)
    assert str(error.value) == says
