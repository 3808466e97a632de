"""Services of a client: what may be registered, how values and errors travel, and who answers when several do."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from avm import Avm
from runtime.client import ServiceError, ServiceInvalid, WorkflowError, load_source, service
from runtime.client.registration import Registrations
from runtime.clock import LoopClock
from runtime.local import open_local_network
from runtime.services.registry import Services
from runtime.vm import InlineVm

MAIN = load_source("""aqua Main

export add, find, twice, nothing, where

data Point:
  x: i32
  label: ?string

data Found:
  one: ?Point
  many: []Point

service Points("points"):
  add(a: Point, b: Point) -> Point
  find(label: ?string) -> Found
  nothing()
  context(context: string) -> string

service Doubler("doubler"):
  double(x: u8) -> u8

service NoId:
  f()

service Op("op"):
  identity(x: string) -> string

func add(a: Point, b: Point) -> Point:
  r <- Points.add(a, b)
  <- r

func find(label: ?string) -> ?Point, []Point:
  found <- Points.find(label)
  <- found.one, found.many

func twice(x: u8) -> u8:
  r <- Doubler.double(x)
  <- r

func nothing() -> bool:
  Points.nothing()
  <- true

func where(x: string) -> string:
  y <- Op.identity(x)
  z <- Points.context(y)
  <- z
""")
POINTS, DOUBLER = MAIN.services["Points"], MAIN.services["Doubler"]


class Points:
    """Serves `Points`."""

    def __init__(self) -> None:
        self.contexts: list[Any] = []

    async def add(self, a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep(1)
        return {"x": a["x"] + b["x"], "label": a["label"] or b["label"]}

    def find(self, label: str | None) -> dict[str, Any]:
        point = {"x": 1, "label": label}
        return {"one": None, "many": []} if label is None else {"one": point, "many": [point]}

    def nothing(self, context: Any) -> None:
        self.contexts.append(context)

    def context(self, context: str) -> str:
        return context + "!"


def check(play: Any) -> Any:
    """What `await play(client)` gives on a network in this process, in simulated time."""

    async def main() -> Any:
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=0, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            return await play(network.client)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_values_are_converted_both_ways() -> None:
    async def play(client: Any) -> None:
        client.register(Points(), declaration=POINTS)
        one, two = {"x": 1, "label": None}, {"x": 2, "label": "two"}
        assert await MAIN.add(client, one, two) == {"x": 3, "label": "two"}
        assert await MAIN.add(client, one, one) == {"x": 2, "label": None}
        assert await MAIN.find(client, None) == (None, [])
        assert await MAIN.find(client, "a") == ({"x": 1, "label": "a"}, [{"x": 1, "label": "a"}])
        assert await MAIN.nothing(client) is True
        assert await MAIN.where(client, "x") == "x!"

    check(play)


def test_the_context_tells_of_the_call() -> None:
    async def play(client: Any) -> None:
        points = Points()
        client.register(points, declaration=POINTS)

        class Where(Points):
            def context(self, text: str, context: Any) -> str:
                (tetraplets,) = context.tetraplets
                return f"{text} of {tetraplets[0].service_id}.{tetraplets[0].function_name}"

        await MAIN.nothing(client, ttl_ms=1234)
        (context,) = points.contexts
        assert (context.service_id, context.function_name) == ("points", "nothing")
        assert (context.init_peer_id, context.host_id) == (client.peer_id, client.peer_id)
        assert context.particle.ttl == 1234
        assert "points" in context.particle.script
        client.register(Where(), declaration=POINTS)
        assert await MAIN.where(client, "x") == "x of op.identity"

    check(play)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceError("as I say"), "error message is '\"as I say\"'"),
        (ServiceError({"code": 7}), "error message is '{\"code\":7}'"),
        (ValueError("oops"), r"Service call failed. fnName=\"double\" serviceId=\"doubler\" error: oops"),
        (SystemExit(3), r"serviceId=\"doubler\" error: 3"),
    ],
)
def test_what_a_handler_raises_is_an_error_of_the_program(error: BaseException, text: str) -> None:
    async def play(client: Any) -> None:
        def double(x: int) -> int:
            raise error

        client.register({"double": double}, declaration=DOUBLER)
        with pytest.raises(WorkflowError) as caught:
            await MAIN.twice(client, 1)
        assert text in str(caught.value)
        assert caught.value.code == 10000
        assert caught.value.peer_id == client.peer_id
        assert caught.value.instruction.startswith('call %init_peer_id% ("doubler" "double")')
        assert caught.value.source.line == 37

    check(play)


@pytest.mark.parametrize("wrong", ["two", None, 256, -1, 1.5, [1]])
def test_a_result_of_another_type_is_an_error_of_the_program(wrong: Any) -> None:
    async def play(client: Any) -> None:
        client.register({"double": lambda x: wrong}, declaration=DOUBLER)
        with pytest.raises(WorkflowError, match=r"Doubler\.double, result: expected u8, got "):
            await MAIN.twice(client, 1)

    check(play)


def test_forms_of_implementations() -> None:
    def double(x: int) -> int:
        return 2 * x

    class Doubler:
        @staticmethod
        def double(x: int) -> int:
            return 3 * x

    @service("doubler")
    class Marked:
        def double(self, x: int) -> int:
            return 4 * x

    async def play(client: Any) -> list[int]:
        results = []
        for implementation, options in (
            (double, {"declaration": DOUBLER}),
            ({"double": double}, {"declaration": DOUBLER}),
            ({"double": double}, {"service_id": "doubler"}),
            (double, {"service_id": "doubler"}),
            (Doubler(), {"service_id": "doubler"}),
            (Marked(), {}),
            (Marked(), {"declaration": DOUBLER}),
        ):
            with client.register(implementation, **options) as registration:
                assert (registration.service_id, registration.functions) == ("doubler", ("double",))
                results.append(await MAIN.twice(client, 5))
            with pytest.raises(WorkflowError):
                await MAIN.twice(client, 5)
        return results

    assert check(play) == [10, 10, 10, 10, 15, 20, 20]


def test_decorators() -> None:
    async def play(client: Any) -> None:
        @client.service("doubler")
        def double(x: int) -> int:
            return 2 * x

        @client.service(declaration=POINTS)
        class Mine(Points):
            pass

        assert double(3) == 6
        assert Mine().find(None) == {"one": None, "many": []}
        assert await MAIN.twice(client, 4) == 8
        assert await MAIN.find(client, None) == (None, [])

    check(play)


@pytest.mark.parametrize(
    ("implementation", "given", "message"),
    [
        (object(), {}, "a object object has no service id: pass one, or mark the class with @service"),
        (object(), {"service_id": "x"}, "a object object has no public method"),
        ({"f": 1}, {"service_id": "x"}, "the mapping has no public method"),
        (
            object(),
            {"declaration": POINTS},
            "object has no method `add`; service Points declares `add: a: Point, b: Point ->",
        ),
        ({"f": len}, {"declaration": MAIN.services["NoId"]}, "the mapping has no service id"),
        (
            {"double": lambda: 1},
            {"declaration": DOUBLER},
            r"test_registration\.py:\d+: Doubler\.double takes 0 arguments, ",
        ),
        ({"double": lambda x, y: 1}, {"declaration": DOUBLER}, "takes 2 arguments, the declaration .* has 1"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(implementation: Any, given: Any, message: str) -> None:
    async def play(client: Any) -> None:
        with pytest.raises(ServiceInvalid, match=message):
            client.register(implementation, **given)

    check(play)


def test_annotations_that_contradict_the_declaration() -> None:
    def double(x: str) -> int:
        return 0

    async def play(client: Any) -> None:
        with pytest.raises(
            ServiceInvalid, match=r"parameter `x` of Doubler\.double is annotated str, but declared as u8"
        ):
            client.register(double, declaration=DOUBLER)

    check(play)


# ── who answers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_client_offers_itself_comes_back() -> None:
    async def play(client: Any) -> None:
        client.register({"context": str.upper}, "points")
        with client.register({"identity": lambda x: "mine"}, "op"):
            assert await MAIN.where(client, "x") == "MINE"
        assert await MAIN.where(client, "x") == "X"

    check(play)


FUNCTIONS = ("a", "b", "c")


@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from(FUNCTIONS), min_size=1), st.integers(0, 20)), max_size=30)
)
def test_the_last_registration_that_has_not_ended_counts(steps: Any) -> None:
    """Against a model: a list of what is registered, searched from its end; the table's own function is at its beginning."""
    services = Services()
    own = object()
    services.add("s", {"a": own})  # type: ignore[dict-item]
    registrations = Registrations(services)
    model: list[tuple[Any, dict[str, Any]]] = []
    ended: list[Any] = []
    for begins, names, which in steps:
        if begins or not model:
            handlers = {name: object() for name in sorted(names)}
            model.append((registrations.add("s", handlers), handlers))  # type: ignore[arg-type]
        else:
            registration, _ = model.pop(which % len(model))
            registration.unregister()
            ended.append(registration)
        for registration in ended:
            registration.unregister()
        for name in FUNCTIONS:
            wanted = next((handlers[name] for _, handlers in reversed(model) if name in handlers), None)
            assert services.handler("s", name) is (wanted or (own if name == "a" else None))
    for registration, _ in model:
        registration.unregister()
    assert not registrations._layers
    assert not registrations._given
