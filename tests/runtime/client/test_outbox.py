"""What a client keeps to send it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.client import outbox
from runtime.client.outbox import Outbox
from runtime.core.particle import Particle

ME = "me"


def particle(number: int, *, author: str = ME, data: bytes = b"", ttl: int = 1000) -> Particle:
    return Particle(f"p{number}", author, 0, ttl, "(null)", bytes([number]), data)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["failed", "left", "awaited", "answered", "remove"]), st.integers(0, 4), st.binary(max_size=20)
    ),
    max_size=40,
)


@given(STEPS)
def test_against_a_model(steps):
    """Per particle: nothing, unsent, or sent and awaited. Odd numbers are particles of others."""
    box, model = Outbox(ME), {}
    for step, number, data in steps:
        made = particle(number, author=ME if number % 2 == 0 else "you", data=data)
        match step:
            case "failed":
                box.failed(made, 0)
                model[number] = ("unsent", made)
            case "left" | "awaited":
                box.left(made, is_awaited=step == "awaited")
                model.pop(number, None)
                if step == "awaited":
                    model[number] = ("sent", made)
            case "answered":
                box.answered(made.signature)
                if model.get(number, ("",))[0] == "sent":
                    del model[number]
            case _:
                box.remove(made.signature)
                model.pop(number, None)
        assert len(box) == len(model)
        assert {id(kept) for kept in box.again(0)} == {id(kept) for _, kept in model.values()}
        foreign = [kept for state, kept in model.values() if state == "unsent" and kept.init_peer_id != ME]
        assert box._foreign == len(foreign)
        assert box._foreign_bytes == sum(len(kept.data) + len(kept.script) for kept in foreign)
    box.clear()
    assert (len(box), box._foreign, box._foreign_bytes) == (0, 0, 0)


def test_what_others_cause_is_bounded_and_what_is_over_makes_room(monkeypatch):
    monkeypatch.setattr(outbox, "FOREIGN_MAX", 2)
    box = Outbox(ME)
    for number in range(3):
        box.failed(particle(number, author="you", ttl=10 + number), 0)
    assert [kept.id for kept in box.again(0)] == ["p0", "p1"]
    for number in range(3, 9):
        box.failed(particle(number), 0)
    assert len(box) == 8
    box.failed(particle(9, author="you"), 11)
    assert [kept.id for kept in box.again(11)][:1] == ["p1"]
    assert len(box.again(11)) == 8


@pytest.mark.parametrize("more", [0, 1])
def test_their_bytes_are_bounded(monkeypatch, more):
    monkeypatch.setattr(outbox, "FOREIGN_BYTES_MAX", 20)
    box = Outbox(ME)
    box.failed(particle(1, author="you", data=bytes(14 + more)), 0)
    assert len(box) == 1 - more
