"""When spells run: configurations, the clock, contacts, restart. Time is simulated."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime.clock import LoopClock
from runtime.services import triggers as triggers_module
from runtime.services.limits import PERIOD_SEC_MAX
from runtime.services.registry import ServiceError
from runtime.services.triggers import CLOCK_CHECK_MS, Subscription, Triggers, resumed, subscription
from runtime.store.spells import TriggerConfig

NOW = 1_700_000_000_500
NOW_S = 1_700_000_000


def config(start=0, end=0, period=0, **more):
    return TriggerConfig(start, end, period, **more)


@pytest.mark.parametrize(("given", "wanted"), [
    (config(), Subscription()),
    (config(0, 1, PERIOD_SEC_MAX + 1), Subscription()),
    (config(1), Subscription(NOW)),
    (config(NOW_S + 9), Subscription(NOW + 8500)),
    (config(1, 0, 5), Subscription(NOW, 5000)),
    (config(1, NOW_S + 9, 5), Subscription(NOW, 5000, NOW + 8500)),
    (config(NOW_S + 9, NOW_S + 9, 0), Subscription(NOW + 8500)),
    (config(1, 0, PERIOD_SEC_MAX), Subscription(NOW, PERIOD_SEC_MAX * 1000)),
    (config(connect=True), Subscription(connect=True)),
    (config(1, 0, 1, disconnect=True), Subscription(NOW, 1000, None, disconnect=True)),
    (config(start_block=1), Subscription()),
])  # fmt: skip
def test_configurations(given, wanted):
    assert subscription(given, NOW) == wanted
    assert wanted.is_empty() == (wanted == Subscription())


@pytest.mark.parametrize(("given", "error"), [
    (config(1, 0, PERIOD_SEC_MAX + 1), "period is too big. Max period is 100 years (or approx 3153600000 seconds)"),
    (config(10, 9, 1), "end_sec is less than start_sec or in the past"),
    (config(1, NOW_S, 1), "end_sec is less than start_sec or in the past"),
    (config(1, NOW_S, 0), "end_sec is less than start_sec or in the past"),
])  # fmt: skip
def test_configurations_that_cannot_be(given, error):
    with pytest.raises(ServiceError) as caught:
        subscription(given, NOW)
    assert caught.value.value.startswith(f"Error: invalid config: {error}\n")


@pytest.mark.parametrize(("given", "wanted"), [
    (config(1), Subscription()),
    (config(1, connect=True), Subscription(connect=True)),
    (config(NOW_S + 1), Subscription(NOW + 500)),
    (config(1, 0, 5), Subscription(NOW, 5000)),
    (config(1, NOW_S + 1, 5), Subscription(NOW, 5000, NOW + 500)),
    (config(1, NOW_S, 5), Subscription()),
    (config(1, NOW_S, 5, disconnect=True), Subscription(disconnect=True)),
])  # fmt: skip
def test_configurations_after_a_restart(given, wanted):
    assert resumed(given, NOW) == wanted


EPOCH = 1_700_000_000_000


def fired(plan, seconds, *, run_at=0.0):
    """What is fired in so many simulated seconds: (second, spell, why). `plan(triggers)` is a task beside it."""
    out = []

    async def main():
        clock = LoopClock(EPOCH)
        triggers = Triggers(clock, lambda spell, why: out.append((trio.current_time(), spell, why)))
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(plan, triggers)
            await trio.sleep(run_at)
            nursery.start_soon(triggers.run)
            await trio.sleep_until(start + seconds)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return out


def timer(second):
    return {"timer": [{"timestamp": EPOCH // 1000 + second}], "peer": []}


def every(spell, start_s, period_s=None, end_s=None, **more):
    async def plan(triggers):
        times = [None if one is None else one * 1000 for one in (period_s, end_s)]
        end_ms = None if times[1] is None else EPOCH + times[1]
        triggers.subscribe(spell, Subscription(EPOCH + start_s * 1000, times[0], end_ms, **more))

    return plan


def test_a_clock_runs_from_its_start_every_period_until_its_end():
    assert fired(every("a", 3, 5, 13), 60) == [(3, "a", timer(3)), (8, "a", timer(8))]
    assert fired(every("a", 3, 5, 14), 60) == [(n, "a", timer(n)) for n in (3, 8, 13)]
    assert [at for at, *_ in fired(every("a", 0, 20), 70)] == [0, 20, 40, 60]


def test_a_clock_without_a_period_runs_once():
    assert fired(every("a", 7), 1000) == [(7, "a", timer(7))]


def test_far_times_are_waited_for_in_pieces():
    far = 3 * CLOCK_CHECK_MS // 1000 + 7
    assert [at for at, *_ in fired(every("a", far), far + 1)] == [far]


def test_times_that_were_missed_are_not_made_up_for():
    assert [at for at, *_ in fired(every("a", 0, 10), 60, run_at=35)] == [35, 45, 55]


def test_changes_count_at_once():
    async def plan(triggers):
        await every("a", 50)(triggers)
        await trio.sleep(10)
        await every("b", 12, 10)(triggers)
        await every("a", 15)(triggers)
        await trio.sleep(15)
        triggers.unsubscribe("b")
        triggers.unsubscribe("none")
        triggers.subscribe("a", Subscription())

    assert [(at, spell) for at, spell, _ in fired(plan, 100)] == [(12, "b"), (15, "a"), (22, "b")]


def test_contacts():
    async def plan(triggers):
        triggers.contact("early", True)
        await trio.sleep(1)
        triggers.subscribe("in", Subscription(connect=True))
        triggers.subscribe("out", Subscription(disconnect=True))
        triggers.subscribe("both", Subscription(EPOCH + 9000, connect=True, disconnect=True))
        triggers.contact("p", True)
        await trio.sleep(2)
        triggers.contact("p", False)
        triggers.unsubscribe("in")
        await trio.sleep(10)
        triggers.contact("q", True)

    def peer(name, connected):
        return {"timer": [], "peer": [{"peer_id": name, "connected": connected}]}

    assert fired(plan, 60) == [
        (1, "in", peer("p", True)), (1, "both", peer("p", True)),
        (3, "out", peer("p", False)), (3, "both", peer("p", False)),
        (9, "both", timer(9)), (13, "both", peer("q", True)),
    ]  # fmt: skip


def test_what_waits_is_bounded_and_forgotten_with_the_spell(monkeypatch, caplog):
    monkeypatch.setattr(triggers_module, "TRIGGERS_QUEUED_MAX", 3)

    async def plan(triggers):
        await trio.sleep(1)
        for spell in "abcd":
            triggers.subscribe(spell, Subscription(connect=True))
        triggers.contact("p", True)
        triggers.unsubscribe("b")
        triggers.subscribe("c", Subscription(connect=True))
        await trio.sleep(1)
        triggers.contact("q", True)

    assert [(at, spell) for at, spell, _ in fired(plan, 5)] == [(1, "a"), (2, "a"), (2, "d"), (2, "c")]
    assert "spell d and others do not run: 3 runs wait" in caplog.text


def test_what_has_run_its_last_time_is_forgotten():
    seen = []

    async def plan(triggers):
        await every("once", 1)(triggers)
        await every("ends", 1, 2, 4)(triggers)
        await every("stays", 1, 2, 4, connect=True)(triggers)
        for _ in range(3):
            seen.append([triggers.is_subscribed(spell) for spell in ("once", "ends", "stays")])
            await trio.sleep(2)

    fired(plan, 10)
    assert seen == [[True, True, True], [False, True, True], [False, False, True]]


def test_nothing_is_fired_before_or_after_it_runs():
    async def plan(triggers):
        triggers.subscribe("a", Subscription(connect=True))
        triggers.contact("p", True)

    assert fired(plan, 10, run_at=5) == []
