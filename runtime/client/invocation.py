"""One call of a program as data, and what a client must offer to generated modules. Loads no event loop.

Errors: none here; see `runtime.client.errors`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.client.places import Source
    from runtime.client.registration import Registration
    from runtime.services.registry import Handler

DEFAULT_TTL_MS: Final = 15_000
"""Life of the particle of a call, as `avm run` gives it."""


def nowhere(_: str) -> tuple[Source, ...]:
    """The sources of a script that nobody has compiled."""
    return ()


@dataclass(frozen=True, slots=True)
class Invocation:
    """What to send, and what to tell of it.

    arguments: values by the names under which the program asks for them. callbacks: take the list of arguments and return
    a value or an awaitable of one. ttl_ms: None for the client's own. answers: whether the script reports its end. name: of the
    function, for errors. find: the lines of Aqua that an instruction may come from.
    """

    script: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Mapping[str, Callable[[list[Any]], Any]] = field(default_factory=dict)
    ttl_ms: int | None = None
    answers: bool = True
    name: str = ""
    find: Callable[[str], tuple[Source, ...]] = nowhere


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program passed to its response: one value per declared result."""

    particle_id: str
    values: list[Any]


class Caller(Protocol):
    """A client of either event loop, as far as generated modules use it."""

    async def perform(self, call: Invocation, /) -> Answer:
        """Send a program and wait for its answer.

        One that does not answer is waited for until it has left for the relay, or has nothing more to do here. When the
        task that waits is cancelled the call is forgotten. Raises CallFailed, ClientClosed.
        """
        ...

    def provide(self, service_id: str, handlers: Mapping[str, Handler], /) -> Registration:
        """Answer calls to functions of a service on this client's peer."""
        ...
