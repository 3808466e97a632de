"""A slice of the crash test, and that it would find what it looks for."""

from __future__ import annotations

import pytest

from tests.crash.__main__ import Violation, search
from tests.crash.model import Model

SEED = 7
NAMES = {"blueprint one": "one", "blueprint two": "two"}


@pytest.mark.p2p
@pytest.mark.slow
def test_three_kills() -> None:
    done = search(3, SEED)
    assert done["services made"] > 0
    assert done["particles kept"] > 0
    assert done["particles sent again"] > 0


@pytest.mark.p2p
@pytest.mark.slow
@pytest.mark.parametrize(("plant", "found"), [("particles", "was made 2 times"), ("services", "is lost")])
def test_what_is_forgotten_is_found(plant: str, found: str) -> None:
    with pytest.raises(Violation, match=found):
        search(8, SEED, plant=plant)


# ── the model ────────────────────────────────────────────────────────────────────────────────────────────────────────


def service(number: str, service_id: str, *aliases: str) -> dict[str, object]:
    return {"id": service_id, "blueprint_id": f"blueprint {number}", "aliases": list(aliases)}


def check(model: Model, *services: dict[str, object], blueprints: tuple[str, ...] = tuple(NAMES)) -> list[str]:
    return model.check(list(services), NAMES, blueprints)


def made(*names: str) -> Model:
    model = Model()
    for name in names:
        model.create(name)
        model.created(name, f"id {name}")
    return model


def test_what_was_acknowledged_must_be_there_once() -> None:
    one = service("one", "id one", "one")
    assert check(made("one"), one) == []
    assert check(made("one")) == ["service one is lost"]
    assert check(made("one"), one, blueprints=()) == ["the blueprint of one is lost"]
    assert check(made("one"), service("one", "id one")) == ["alias one is lost"]
    assert check(made("one"), one, service("one", "another")) == ["one was made 2 times"]
    assert check(made("one"), one, service("two", "id")) == ["service id was never asked for"]
    model = made("one")
    assert check(model, one) == []
    assert check(model, service("one", "another", "one")) == ["one was made 2 times"], "also one after the other"


def test_what_was_not_acknowledged_may_be_there_until_it_is_decided() -> None:
    model = Model()
    model.create("one")
    assert check(model) == check(model, service("one", "x")) == []
    model.life = 2
    assert check(model, service("one", "x", "one")) == []
    assert check(model) == ["service one is lost"]
    model = Model()
    model.create("one")
    model.life = 2
    assert check(model) == []
    assert check(model, service("one", "x")) == ["one was removed and is there again"]


def test_removed_services_stay_away() -> None:
    model = made("one")
    model.remove("one")
    assert check(model) == check(model, service("one", "id one", "one")) == []
    model.removed("one")
    assert check(model) == []
    assert check(model, service("one", "id one", "one")) == ["one was removed and is there again"]


def test_moving_aliases_are_never_nowhere_and_never_put_back() -> None:
    model = made("one", "two")
    at_one = service("one", "id one", "one", "m"), service("two", "id two", "two")
    at_two = service("one", "id one", "one"), service("two", "id two", "two", "m")
    nowhere = service("one", "id one", "one"), service("two", "id two", "two")
    model.move("m", "id one")
    assert check(model, *nowhere) == check(model, *at_one) == []
    assert check(model, *at_two) == ["alias m is where it was not put, or was put back"]
    model.moved("m", "id one")
    assert check(model, *nowhere) == ["alias m is lost"]
    model.move("m", "id two")
    assert check(model, *at_one) == check(model, *at_two) == []
    assert check(model, *nowhere) == ["alias m is lost"]
    assert model.free_aliases() == []
    model.life = 2
    assert check(model, *at_two) == []
    assert model.free_aliases() == ["m"]
    assert check(model, *at_one) == ["alias m is where it was not put, or was put back"]
    both = service("one", "id one", "one", "m"), service("two", "id two", "two", "m")
    assert "alias m is on 2 services" in check(model, *both)
