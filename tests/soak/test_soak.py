"""The runner counts, ends and complains as it must, and a few steps of the Wasm services hold."""

from __future__ import annotations

import threading

import pytest

from tests.soak import marine
from tests.soak.runner import LOOKS, soak


def counting(total, lock):
    while True:
        with lock:
            total[0] += 1
        yield


@pytest.mark.parametrize("threads", [1, 3])
def test_so_many_operations_are_done_and_no_more(threads):
    total = [0]
    lock = threading.Lock()
    found = soak([counting(total, lock) for _ in range(threads)], 3 * LOOKS)
    assert (total[0], found["operations"], found["threads"]) == (3 * LOOKS, 3 * LOOKS, threads)
    assert len(found["resident_mb"]) == 10


def failing(after):
    for _ in range(after):
        yield
    raise ValueError("a mistake")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_mistake_ends_all_threads(threads):
    lanes = [failing(50), *(counting([0], threading.Lock()) for _ in range(threads - 1))]
    with pytest.raises(ValueError, match="a mistake"):
        soak(lanes, 10**9)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane-")]


def test_a_lane_that_ends_is_a_mistake():
    with pytest.raises(StopIteration):
        soak([iter([None] * 5)], LOOKS)


def test_services_hold_for_a_while():
    soak(marine.lanes(7), 2 * LOOKS)


def test_a_service_that_loses_a_call_is_found(monkeypatch):
    calls = [0]
    honest = marine.Service.call

    def loses(service, name, arguments, **options):
        calls[0] += 1
        if name == "next" and calls[0] > 100:
            return honest(service, "peek", arguments, **options)
        return honest(service, name, arguments, **options)

    monkeypatch.setattr(marine.Service, "call", loses)
    with pytest.raises(marine.Wrong):
        soak(marine.lanes(7), 20 * LOOKS)
