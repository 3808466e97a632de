"""Bindings of hostile programs: compilers and loaders of every target language accept them, and names stay distinct."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aquac.emit.javascript import javascript_source
from aquac.emit.python import python_source
from aquac.emit.typescript import typescript_declarations, typescript_source
from avm import Avm
from runtime.clock import LoopClock
from runtime.local import open_local_network
from runtime.vm import InlineVm
from tests.aquac.emit.binding_program import bound
from tests.aquac.emit.hostile_programs import PROGRAMS, TYPES
from tests.aquac.emit.test_bindings_python import strict
from tests.aquac.emit.test_bindings_typescript import tsc_strict


def module(name: str) -> Any:
    """The generated Python module, imported."""
    made = ModuleType(f"hostile_{name}")
    sys.modules[made.__name__] = made
    exec(compile(python_source(bound(PROGRAMS[name])), f"{name}.py", "exec"), made.__dict__)
    return made


@pytest.mark.parametrize("name", PROGRAMS)
def test_python_modules_load_with_everything_in_them(name: str) -> None:
    made, exported = module(name), bound(PROGRAMS[name])
    text = json.dumps(list(vars(made)))
    for function in exported.functions:
        assert any(f'"{function.name}{"_" * n}"' in text for n in range(4)), function.name
    assert sum(n.startswith("register_") and callable(v) for n, v in vars(made).items()) >= len(exported.services)


@pytest.mark.slow
def test_mypy_strict(tmp_path: Path) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / f"h_{name}.py").write_text(python_source(bound(text)), encoding="utf-8")
    assert strict(tmp_path, *sorted(path.name for path in tmp_path.glob("*.py"))) == ""


@pytest.mark.reference
@pytest.mark.slow
def test_tsc_strict(tmp_path: Path, reference_modules: Path, node: str) -> None:
    for name, text in PROGRAMS.items():
        exported = bound(text)
        (tmp_path / f"{name}.ts").write_text(typescript_source(exported), encoding="utf-8")
        # Declarations are libraries to tsc, which are not looked into: check them as sources.
        declared = typescript_declarations(exported).replace("export function", "export declare function")
        (tmp_path / f"{name}.types.ts").write_text(declared, encoding="utf-8")
    assert tsc_strict(tmp_path, reference_modules, node, *sorted(p.name for p in tmp_path.glob("*.ts"))) == ""


@pytest.mark.slow
def test_node_loads_the_modules(tmp_path: Path, node: str) -> None:
    client = tmp_path / "node_modules" / "@fluencelabs" / "js-client"
    client.mkdir(parents=True)
    (client / "package.json").write_text('{"type": "module", "main": "index.js"}')
    (client / "index.js").write_text("export const v5_callFunction = 1, v5_registerService = 2;\n")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    wanted = {}
    for name, text in PROGRAMS.items():
        exported = bound(text)
        (tmp_path / f"{name}.js").write_text(javascript_source(exported), encoding="utf-8")
        wanted[name] = 2 * len(exported.functions) + len(exported.services)
    driver = "for (const name of process.argv.slice(1)) console.log(Object.keys(await import(`./${name}.js`)).length)"
    command = [node, "--input-type=module", "-e", driver, *wanted]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert dict(zip(wanted, map(int, done.stdout.split()), strict=True)) == wanted


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def values(kind: str, made: Any) -> st.SearchStrategy[Any]:
    """Values of a type, as the module takes them."""
    if kind.startswith("[]"):
        return st.lists(values(kind[2:], made), max_size=3)
    if kind.startswith("?"):
        return st.none() | values(kind[1:], made)
    match kind:
        case "In":
            return st.builds(made.In, a=values("u8", made), b=values("?string", made))
        case "Out":
            fields = {"i": "In", "oi": "?In", "ai": "[]In", "aai": "[][]In", "oai": "?[]In", "aoi": "[]?In"}
            return st.builds(made.Out, **{name: values(of, made) for name, of in fields.items()})
        case "⊤":
            return st.recursive(st.none() | st.booleans() | st.text(max_size=4), st.lists)
        case "bool":
            return st.booleans()
        case "string":
            return st.text(max_size=5)
        case "f64" | "f32":
            # The interpreter reads some numbers a bit off, as the reference does.
            return st.integers(-1000, 1000).map(lambda n: n / 8)
        case _:
            bits = int(kind[1:])
            low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            return st.integers(low, high)


@pytest.mark.slow
@settings(max_examples=4, phases=[Phase.generate])
@given(st.data())
def test_values_of_every_type_travel_unchanged(data: st.DataObject) -> None:
    """To the program and back, and through a callback."""
    plain, calling = module("identities"), module("callbacks")

    async def main() -> None:
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=0, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            for n, kind in enumerate(TYPES):
                value = data.draw(values(kind, plain), kind)
                assert await getattr(plain, f"f{n}")(network.client, value) == value
                value, answer = data.draw(st.tuples(values(kind, calling), values(kind, calling)), kind)
                heard: list[Any] = []

                def hear(given: Any, heard: list[Any] = heard, answer: Any = answer) -> Any:
                    heard.append(given)
                    return answer

                assert await getattr(calling, f"f{n}")(network.client, value, hear) == answer
                assert heard == [value]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
