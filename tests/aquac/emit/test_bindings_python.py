"""Target py: names and texts, strict types, and calls over a network in this process."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio
import trio.testing

from aquac.emit.python import _shown, docstring, python_source, script_text
from aquac.emit.python_types import python_string
from aquac.project.stdlib import stdlib_folder
from avm import Avm
from runtime.client import Client, WorkflowError
from runtime.clock import LoopClock
from runtime.conversion import ConversionError
from runtime.local import open_local_network
from runtime.vm import InlineVm

from .binding_program import PROGRAM, bound

ROOT = Path(__file__).resolve().parents[3]


def module(text: str = PROGRAM) -> ModuleType:
    """The generated module of a program, imported."""
    made = ModuleType("generated")
    sys.modules["generated"] = made
    exec(compile(python_source(bound(text)), "generated.py", "exec"), made.__dict__)
    return made


def check(use: Any, text: str = PROGRAM) -> Any:
    """What `use(module, client)` returns on a network with simulated time."""
    made = module(text)

    async def main() -> Any:
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=0, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            return await use(made, network.client)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Shop:
    """Serves the program's `Shop`; the names of parameters are its own."""

    def __init__(self, made: Any) -> None:
        self.made = made
        self.pings = 0

    async def price(self, order: Any) -> int:
        assert isinstance(order, self.made.Order)
        return order.id * len(order.items)

    def list_(self, start: Any, text: str) -> list[Any]:
        return [start] if start else []

    def ping(self) -> None:
        self.pings += 1

    def echo(self, text: str) -> str:
        return text + "!"


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_data_travel_both_ways() -> None:
    async def use(made: Any, client: Client) -> Any:
        made.register_shop(client, Shop(made))
        items = [made.Point(x=1, y=-2), made.Point(x=3, y=4, class_="z")]
        price, back = await made.order(client, made.Order(id=3, items=items, str_=1.5), 1, "peer")
        assert back == items
        return price

    assert check(use) == 6


def test_options_callbacks_and_texts() -> None:
    async def use(made: Any, client: Client) -> None:
        point = made.Point(x=1, y=2)

        async def turned(p: Any) -> Any:
            return made.Point(x=p.y, y=p.x)

        assert await made.maybe(client, None) is None
        assert await made.maybe(client, 4) == 4
        assert await made.both(client, "a", 3) == ("a", point)
        assert await made.each(client, [point, point], turned) == [made.Point(x=2, y=1)] * 2
        assert await made.each(client, [point], lambda p: p) == [point]
        assert await made.greet(client, "you") == ("you", "a`b${c}\\\\d")
        assert await made.delete(client, True) is True
        assert await made.list_(client, ["a"]) == ["a"]

    check(use)


def test_two_data_types_of_one_name() -> None:
    async def use(made: Any, client: Client) -> None:
        corner = made.Point_(name="c")
        assert await made.shape(client, corner) == (corner, made.Point(x=0, y=0))

    check(use)


def test_a_call_without_results_returns_when_nothing_more_happens_here() -> None:
    told: list[Any] = []

    async def use(made: Any, client: Client) -> Any:
        async def hear(*values: Any) -> None:
            await trio.sleep(1)
            told.append(values)

        assert await made.tell(client, "hi", hear) is None
        return made.Point(x=1, y=-2)

    point = check(use)
    assert told == [("hi", point)]


def test_errors() -> None:
    async def use(made: Any, client: Client) -> None:
        with pytest.raises(ConversionError, match="maybe, argument `x`: expected u8, got the number 400"):
            await made.maybe(client, 400)
        with pytest.raises(WorkflowError, match="No service found") as caught:
            await made.order(client, made.Order(id=3, items=[], str_=1.5), 1, "peer")
        (line,) = [at for at, text in enumerate(PROGRAM.splitlines(), 1) if "Shop.price(o)" in text]
        assert caught.value.source == ("main.aqua", line)
        assert caught.value.function == "order"

        class Wrong(Shop):
            async def price(self, order: Any) -> Any:
                return "much"

        made.register_shop(client, Wrong(made))
        with pytest.raises(WorkflowError, match=r"Shop\.price, result: expected u64, got the string 'much'"):
            await made.order(client, made.Order(id=3, items=[], str_=1.5), 1, "peer")
        with pytest.raises(TypeError, match=r"object has no method `echo`; service Shop declares `echo: "):
            made.register_shop(client, object())

    check(use)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/x/app/main.aqua", "main.aqua"),
        ("/home/x/app/parts/one.aqua", "parts/one.aqua"),
        ("/home/x/lib/one.aqua", "../lib/one.aqua"),
        (f"{stdlib_folder()}/builtin.aqua", "@fluencelabs/aqua-lib/builtin.aqua"),
        (f"{stdlib_folder()}/spell/api.aqua", "@fluencelabs/spell/api.aqua"),
    ],
)
def test_names_of_sources_name_no_machine(path: str, shown: str) -> None:
    assert _shown("/home/x/app", path) == shown


def test_a_method_may_ask_for_the_context() -> None:
    class Asks(Shop):
        def echo(self, text: str, context: Any = None) -> str:
            return f"{text} {context.service_id}.{context.function_name}"

    async def use(made: Any, client: Client) -> Any:
        made.register_shop(client, Asks(made))
        return await made.visit(client, ttl_ms=5000)

    assert check(use) == ("x shop-1.echo", 7)


def test_a_service_without_id_needs_one() -> None:
    text = (
        "aqua M\nexport f, S\nservice S:\n  m(x: u8) -> u8\nfunc f(id: string) -> u8:\n  S id\n  r <- S.m(1)\n  <- r\n"
    )

    class Serves:
        def m(self, x: int) -> int:
            return x + 1

    async def use(made: Any, client: Client) -> Any:
        with pytest.raises(TypeError, match="service_id"):
            made.register_s(client, Serves())
        made.register_s(client, Serves(), service_id="mine")
        return await made.f(client, "mine")

    assert check(use, text) == 2


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_comments_become_docstrings() -> None:
    made = module()
    assert inspect.getdoc(made.greet) == 'Greets "somebody"\nwith `ticks`, ${dollar} and \\ backslash.'
    assert made.Point.__doc__ == "A place in the plane."
    assert made.Point_.__doc__ == "A corner."
    assert made.Shop.price.__doc__ == "Price of an order."
    assert 'x: int\n    """to the right"""\n' in python_source(bound(PROGRAM))


@pytest.mark.parametrize("text", ["a", 'a"', '"""', "a\\", "\\", '"', "a\r\nb", "q\0", 'x"\n"', "", "é\u2028x"])
def test_texts_survive(text: str) -> None:
    assert ast.literal_eval(python_string(text)) == text
    assert ast.literal_eval(script_text(text)) == text
    (function,) = ast.parse(f"def f():\n{docstring(text, '    ')}\n").body
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").split() == text.split()


def test_importing_loads_neither_network_nor_interpreter(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(python_source(bound(PROGRAM)))
    program = "import sys, made; print([m for m in ('trio', 'avm', 'libp2p', 'aquac', 'msgpack') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


NAMES = """aqua M

export f as int, g as Caller, h as register_s, S, k as type, unused as Any

data Final:
  int: u8
  list: []u8
  none: ?u8

data Inner:
  self: ?u8

service S("s"):
  int(self: u8, str: string) -> []string
  str() -> []u8

func f(str: u8, client: Final, ttl_ms: []u8, from: ?u8) -> Final:
  <- client

func g() -> []u8:
  <- [1]

func h(x: u8 -> Inner) -> Inner:
  r <- x(1)
  <- r

func k(int: u8, list: []u8) -> []u8:
  <- list

func unused(u: u8):
  x = 1
"""


def strict(folder: Path, *files: str) -> str:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed: pip install 'aquac[dev]'")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--explicit-package-bases",
         "--cache-dir", str(folder / ".cache"), *files],
        cwd=folder, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


TYPED_USE = """\
from __future__ import annotations

import made
from runtime.client import Caller, Client, aio


class Impl:
    async def price(self, order: made.Order) -> int:
        return order.id

    def list_(self, start: made.Point | None, text: str) -> list[made.Point]:
        return []

    def ping(self) -> None: ...

    def echo(self, text: str, context: object = None) -> str:
        return text


class Wrong(Impl):
    def ping(self, more: int) -> None: ...  # type: ignore[override]


async def use(client: Caller) -> None:
    with made.register_shop(client, Impl()) as registration:
        print(registration.service_id.upper())
    made.register_shop(client, Wrong())  # type: ignore[arg-type]
    price, points = await made.order(client, made.Order(id=1, items=[], str_=1), 1, "peer")
    price + points[0].x
    found: int | None = await made.maybe(client, None)
    await made.each(client, points, lambda p: p)
    await made.maybe(client, "x")  # type: ignore[arg-type]
    made.register_no_id(client, Impl())  # type: ignore[arg-type, call-arg]
    print(found)


async def of_both_loops(one: Client, other: aio.Client) -> None:
    await use(one)
    await use(other)
"""


@pytest.mark.slow
def test_mypy_strict(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(python_source(bound(PROGRAM)))
    (tmp_path / "named.py").write_text(python_source(bound(NAMES)))
    (tmp_path / "use.py").write_text(TYPED_USE)
    assert strict(tmp_path, "made.py", "named.py", "use.py") == ""


def test_names_of_the_module_keep_their_meaning() -> None:
    made = module(NAMES)
    assert made.Caller_ is not made.int_
    assert [name for name in vars(made) if name.startswith("register_s")] == ["register_s", "register_s_"]
    assert list(made.Final_.__dataclass_fields__) == ["int_", "list_", "none"]


@pytest.mark.parametrize(("depth", "width"), [(98, 1), (10, 2)])
def test_deep_and_wide_types(depth: int, width: int) -> None:
    """Python reads at most 200 nested brackets; unfolded, the second type has 2000 parts."""
    data = "".join(
        f"data D{at}:\n" + "".join(f"  f{i}: D{at - 1}\n" for i in range(width)) for at in range(1, depth + 1)
    )
    text = f"aqua M\nexport f\ndata D0:\n  a: u8\n{data}func f(x: D{depth}) -> D{depth}:\n  <- x\n"
    assert len(python_source(bound(text))) < 30_000
    assert len(module(text)._DATA) == depth + 1
