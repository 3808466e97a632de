"""pytest plugin: the fixture `aqua_net`, a simulated network for tests of Aqua programs. See docs/testing.md.

Loaded by pytest wherever the package is installed, so it imports nothing of the simulator before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.sim.network import SimNetwork


@pytest.fixture
def aqua_net() -> Iterator[Callable[..., SimNetwork]]:
    """Makes networks: `aqua_net(peers=2, seed=0, faults="none")`.

    Each is let come to rest when the test is over, and what must hold of every simulation is checked; a test that failed is left alone.
    """
    from runtime.sim.network import SimNetwork

    made: list[SimNetwork] = []

    def make(**settings: Any) -> SimNetwork:
        network = SimNetwork(**settings)
        made.append(network)
        return network

    yield make
    for network in made:
        if not any(report.failure for report in network.reports):
            network.rest()
