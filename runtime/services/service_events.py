"""What happens to the services and spells of a host, for those who count it. Times are seconds."""

from __future__ import annotations

from typing import NamedTuple


class ServiceCreated(NamedTuple):
    """A program has made one. modules: how many it has, none for a spell."""

    kind: str
    modules: int
    seconds: float


class CreationFailed(NamedTuple):
    """A program wanted one and did not get it."""

    kind: str


class ServiceRemoved(NamedTuple):
    """One has ended for good."""

    kind: str
    seconds: float


class ServiceCalled(NamedTuple):
    """A call has come to its end. waited: before it began, since one call runs at a time."""

    kind: str
    succeeded: bool
    waited: float
    seconds: float


ServiceEvent = ServiceCreated | CreationFailed | ServiceRemoved | ServiceCalled
