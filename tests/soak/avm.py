"""One virtual machine that runs steps of many histories, honest and hostile, in any order.

A share of the scripts is new to it, so that programs are dropped from its cache all the time; now and then a megabyte arrives, so that
buffers grow and are fitted again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from avm.interpreter import Avm
from avm.outcome import Outcome
from tests.bench.avm_workloads import arrives_1_mb, one_value_1_mb
from tests.fuzz.avm_history import Invocation, play, random_history

HISTORIES: Final = 400
STEPS: Final = 25
NEW_SCRIPTS: Final = 0.3
LARGE_EVERY: Final = 2_000


def operations(seed: int) -> Iterator[None]:
    """Runs without end."""
    rng = random.Random(seed)
    maker = Avm()
    steps: list[Invocation] = []

    def remember(step: Invocation) -> Outcome:
        steps.append(step)
        return maker.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)

    for number in range(HISTORIES):
        air, manners = random_history(seed * HISTORIES + number)
        play(air, seed * HISTORIES + number, STEPS, remember, manners)
    large = [make(maker, number) for number in range(3) for make in (arrives_1_mb, one_value_1_mb)]
    vm = Avm("jit")
    number = 0
    while True:
        number += 1
        step = rng.choice(steps)
        air = f"{step.air} ; {number}\n" if rng.random() < NEW_SCRIPTS else step.air
        vm.invoke(air, step.prev_data, step.data, step.parameters, step.call_results)
        if number % LARGE_EVERY == 0:
            rng.choice(large).on(vm)
        yield
