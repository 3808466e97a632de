"""Pure functions give what Python gives, in our host and in marine-js: values, errors by name, and messages."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.marine.sdk import kit

NAMES = ("texts", "numbers", "structures")
# Their intermediate results may leave 64 bits where the last one does not.
WIDE = {"small", "unsigned", "list_numbers", "bags", "int_div", "booleans", "maybe", "edited", "grouped", "list_set"}


def cases() -> list[tuple[str, str]]:
    import ast

    out = []
    for name in NAMES:
        for node in ast.parse((kit.MODULES / f"{name}.py").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                out.append((name, node.name))  # noqa: PERF401
    return out


@pytest.fixture(scope="module")
def ours() -> dict[str, kit.Ours]:
    return {name: kit.Ours({name: kit.module(name)}) for name in NAMES}


@pytest.mark.parametrize(("name", "function"), cases())
def test_as_python(name: str, function: str, ours: dict[str, kit.Ours]) -> None:
    plain = getattr(kit.python(name), function)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kit.arguments(plain))
    def run(arguments: list[object]) -> None:
        want = kit.expected(plain, arguments)
        got = ours[name].call(function, *arguments)
        if isinstance(got, kit.Failed):
            if got.kind == "OverflowError" and function in WIDE:
                return
            assert got.kind == want, got
        else:
            assert got == want
            assert repr(got) == repr(want)  # -0.0, and true instead of 1

    run()


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
def test_as_marine_js(name: str, ours: dict[str, kit.Ours], theirs: kit.Theirs, tmp_path) -> None:
    """The same module, call by call: the reference loads it and answers the same."""
    assert theirs.load({name: kit.module(name)}, tmp_path) is None
    plain = kit.python(name)
    names = [function for module, function in cases() if module == name]

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(names).flatmap(lambda f: st.tuples(st.just(f), kit.arguments(getattr(plain, f), short=True)))
    )
    def run(case: tuple[str, list[object]]) -> None:
        function, arguments = case
        got, want = ours[name].call(function, *arguments), theirs.call(function, *arguments)
        assert ours[name].logs == theirs.logs
        if isinstance(want, kit.Failed):
            assert isinstance(got, kit.Failed)
        else:
            assert got == want

    run()
