"""Records behave as the standard dataclasses do, and nothing in the compiler assigns to a frozen one."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aquac import records

ROOT = Path(__file__).resolve().parents[2]


def make(module, **options):
    """The same class by one of the two decorators."""

    @module.dataclass(**options)
    class Made:
        a: "int"
        b: "str" = "given"
        c: "list[int]" = module.field(default_factory=list)
        d: "int" = module.field(default=7, compare=False)
        e: "int" = module.field(default=9, init=False, repr=False)

        def total(self) -> int:
            return self.a + self.d

    return Made


@pytest.mark.parametrize(
    "options",
    [
        {"frozen": True, "slots": True},
        {"frozen": True, "slots": True, "eq": False},
        {"slots": True},
        {"frozen": True},
        {},
        {"frozen": True, "slots": True, "order": True},
    ],
)
def test_as_the_standard_ones(options) -> None:
    ours, standard = make(records, **options), make(dataclasses, **options)
    seen = []
    for of, module in ((ours, records), (standard, dataclasses)):
        one, two, other = of(1), of(1, d=8), of(2, "x", [3])
        assert of(1).c is not of(1).c
        seen.append(
            (
                repr(one).rpartition(".")[2],
                one == two,
                one == other,
                one == 1,
                one != two,
                (one.a, one.b, one.c, one.d, one.e, one.total()),
                of.__match_args__,
                (module.replace(one, b="y", c=[1]).b, module.replace(one, b="y").a),
                of.__hash__ is None,
                hasattr(one, "__dict__"),
                (one < other, one <= one, other > one, other >= one) if options.get("order") else None,
            )
        )
    assert seen[0] == seen[1]


def test_hash_follows_equality() -> None:
    @records.dataclass(frozen=True, slots=True)
    class Point:
        x: "int"
        y: "int" = records.field(default=0, compare=False)

    assert len({Point(1), Point(1, 5), Point(2)}) == 2


def test_wrong_arguments_are_refused() -> None:
    of = make(records, frozen=True, slots=True)
    for bad in (of, lambda: of(1, "b", [], 2, 3), lambda: of(1, z=2), lambda: records.replace(of(1), z=1)):
        with pytest.raises(TypeError):
            bad()


def test_post_init_and_names() -> None:
    @records.dataclass
    class Twice:
        a: "int"

        def __post_init__(self) -> None:
            self.a *= 2

    assert Twice(4).a == 8
    assert records.field_names(Twice(1)) == records.field_names(Twice) == ("a",)
    assert records.field_names("text") == ()


@pytest.mark.slow
def test_the_compiler_assigns_to_nothing_frozen() -> None:
    """Every stage over the examples, with classes that are frozen at run time."""
    code = (
        "import pathlib, aquac, dataclasses\n"
        "from aquac.source import Span\n"
        "assert dataclasses.is_dataclass(Span)\n"
        "for file in sorted(pathlib.Path('examples').glob('*/*.aqua')):\n"
        "    compiled = aquac.compile_path(file)\n"
        "    assert compiled.ok, compiled.diagnostics\n"
    )
    env = {**os.environ, "AQUAC_FROZEN": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True)
