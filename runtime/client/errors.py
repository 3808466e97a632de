"""What the client library raises. Loads nothing but itself.

    AquaError                     everything below, so one `except` can take all
    ├─ ProgramInvalid             an Aqua file does not compile                               ┐
    ├─ ArgumentError              too many or too few arguments, an address without peer id   │ before
    ├─ ConversionError            an argument has not its type (in `runtime.conversion`)      │ anything
    ├─ ServiceInvalid             an implementation does not fit its declaration              │ is sent
    ├─ ExtraMissing               libp2p is not installed                                     │
    ├─ RelayUnreachable           no relay could be connected to                              ┘
    ├─ ClientClosed               the block of the client has been left
    └─ CallFailed                 a call ended without a result; has a particle id
       ├─ WorkflowError           the program reported an error
       ├─ InterpreterError        the interpreter ended with an error on this peer
       ├─ ParticleExpired         its life ended; says what was still waited for
       ├─ ConnectionLost          the relay is gone, and the call cannot go on without it
       ├─ CallRefused             this client holds as much as it may
       ├─ ResultError             the result has not its type
       └─ Abandoned               somebody gave up on the call

`WrongLoop` is none of them: using a client from another event loop is a bug of the program.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.client.places import Source

NO_ERROR_GIVEN: Final = "the program reported an error without saying which"

_FAIL: Final = re.compile(r"fail with '(.*)' is used without corresponding xor", re.DOTALL)
"""Text of the interpreter's error 10006."""


class WrongLoop(RuntimeError):
    """A client was used outside the event loop it belongs to."""


class AquaError(Exception):
    """Something went wrong with a program, a peer or the network."""


class ProgramInvalid(AquaError):
    """An Aqua file has errors. `diagnostics`: all of them, as `aquac` finds them."""

    def __init__(self, message: str, diagnostics: Sequence[Any]) -> None:
        """Keep both."""
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)


class ArgumentError(AquaError, TypeError):
    """A function got another number of arguments than it has, or the client one that it cannot take."""


class ServiceInvalid(AquaError, TypeError):
    """An implementation of a service does not fit its declaration; the message names the method."""


class ExtraMissing(AquaError, ImportError):
    """The extra `p2p` is not installed, or does not load."""


class RelayUnreachable(AquaError):
    """No relay answers. `attempts`: addresses that were tried, in order, and why each failed."""

    def __init__(self, attempts: Sequence[tuple[str, str]]) -> None:
        """Build the text."""
        tried = "; ".join(f"{address}: {reason}" for address, reason in attempts)
        super().__init__(f"no relay can be reached: {tried}" if len(attempts) > 1 else f"relay {tried}")
        self.attempts = tuple(attempts)


class ClientClosed(AquaError):
    """The client's block has been left, so nothing more can come. `particle_id`: of the call that waited."""

    def __init__(self, particle_id: str | None = None) -> None:
        """Build the text."""
        super().__init__("the client is closed")
        self.particle_id = particle_id


class CallFailed(AquaError):
    """A call ended without a result.

    particle_id: names the call on every peer. function: what was called, if it has a name. peer_id: where it went wrong, as far as that is
    known. instruction: the AIR that went wrong; sources: lines of Aqua it may come from. What is known is also a note, which
    tracebacks show.
    """

    def __init__(self, message: str, particle_id: str, *, peer_id: str | None = None) -> None:
        """Keep them; `locate` tells the rest."""
        super().__init__(message)
        self.particle_id = particle_id
        self.peer_id = peer_id
        self.function = ""
        self.instruction: str | None = None
        self.sources: tuple[Source, ...] = ()

    @property
    def source(self) -> Source | None:
        """The line of Aqua that went wrong; None when that is unknown, or one of several."""
        return self.sources[0] if len(self.sources) == 1 else None

    def locate(self, function: str, find: Callable[[str], tuple[Source, ...]]) -> None:
        """Learn what was called, and where its instructions come from. Once."""
        self.function = function
        if self.instruction is not None:
            self.sources = find(self.instruction)
        for line in self.details():
            self.add_note(line)

    def details(self) -> list[str]:
        """Lines for a person: function, place, instruction, peer, particle."""
        lines = [f"in {self.function}"] if self.function else []
        if self.sources:
            lines.append(f"at {' or '.join(map(str, self.sources))}")
        if self.instruction is not None:
            lines.append(f"instruction {self.instruction}")
        if self.peer_id is not None:
            lines.append(f"on peer {self.peer_id}")
        return [*lines, f"particle {self.particle_id}"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error object of a program, as far as it has the usual shape. cause: the one that began it, if this one passed it on."""

    code: int | None
    message: str
    instruction: str | None
    peer_id: str | None
    cause: Failure | None = None

    @property
    def first(self) -> Failure:
        """The one that began it."""
        return self if self.cause is None else self.cause


class WorkflowError(CallFailed):
    """The program passed an error to its author.

    value: what it passed, usually an object with `error_code`, `message`, `instruction`, `peer_id`. failure: that, taken apart. code: the
    interpreter's number. instruction, peer_id and sources are those of the error that began it.
    """

    def __init__(self, value: Any, particle_id: str) -> None:
        """Take the value apart."""
        self.value = value
        self.failure = read_failure(value)
        super().__init__(self.failure.message, particle_id, peer_id=self.failure.first.peer_id)
        self.instruction = self.failure.first.instruction

    @property
    def code(self) -> int | None:
        """Number of the error that began it; None when the program passed something else."""
        return self.failure.first.code

    def details(self) -> list[str]:
        """The same; first the error that began it, when another one was passed on."""
        cause = self.failure.cause
        return ([] if cause is None else [f"because of: {cause.message}"]) + super().details()


class InterpreterError(CallFailed):
    """The interpreter ended with an error on this peer. `ret_code` is its code, -1 when it could not be run."""

    def __init__(self, message: str, particle_id: str, ret_code: int, peer_id: str | None = None) -> None:
        """Build js-client's text."""
        super().__init__(
            f"Script interpretation failed: {message}  (particle id: {particle_id})", particle_id, peer_id=peer_id
        )
        self.ret_code = ret_code
        self.reason = message
        cause = read_failure({"message": message}).cause
        if cause is not None:
            self.instruction, self.peer_id = cause.instruction, cause.peer_id


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An instruction that was still waited for when a call ended. peer_id: who was to execute it. sources: where it comes from."""

    instruction: str
    peer_id: str
    sources: tuple[Source, ...] = ()

    def __str__(self) -> str:
        """One line."""
        place = f" at {' or '.join(map(str, self.sources))}" if self.sources else ""
        return f"{self.instruction}{place} on peer {self.peer_id}"


class ParticleExpired(CallFailed):
    """The particle's life ended before a result came.

    waiting: what had been asked for and not answered, as this client knows it: of a call that left for another peer, the
    instruction with which it left. losses: how often the relay was lost meanwhile; an answer that arrived there then is lost.
    """

    def __init__(self, particle_id: str, ttl_ms: int, *, waiting: Sequence[Unanswered] = (), losses: int = 0) -> None:
        """Build js-client's text."""
        super().__init__(f"Particle expired after ttl of {ttl_ms}ms (particle id: {particle_id})", particle_id)
        self.ttl_ms = ttl_ms
        self.waiting = tuple(waiting)
        self.losses = losses
        self.peer_id = waiting[0].peer_id if len(waiting) == 1 else None
        self.instruction = waiting[0].instruction if len(waiting) == 1 else None

    def details(self) -> list[str]:
        """What was waited for as well."""
        lines = [f"waiting for {item}" for item in self.waiting]
        if self.losses:
            lines.append(f"the connection to the relay was lost {_times(self.losses)} meanwhile")
        if self.instruction is None:
            return lines + super().details()
        head = [f"in {self.function}"] if self.function else []
        return [*lines, *head, f"particle {self.particle_id}"]


class ConnectionLost(CallFailed):
    """The relay is gone and the call cannot go on without it. `peer_id` is the relay."""


class CallRefused(CallFailed):
    """This client holds as many calls, or as much of their data, as it may; earlier ones have to end first."""


class ResultError(CallFailed):
    """What the program returned has not the type that it declares. `values`: what it returned."""

    def __init__(self, message: str, particle_id: str, values: Sequence[Any]) -> None:
        """Keep the values."""
        super().__init__(message, particle_id)
        self.values = list(values)


class Abandoned(CallFailed):
    """Somebody gave up on the call, see `PendingCall.abandon`."""


def read_failure(value: Any) -> Failure:
    """An error that a program passed on, and the one that began it. Never raises."""
    outer = value if isinstance(value, dict) else {}
    first = outer
    while (inner := _passed_on(first)) is not None:
        first = inner
    message = outer.get("message") if isinstance(value, dict) else value
    cause = None if first is outer else _failure(first, str(first.get("message", "")), None)
    return _failure(outer, str(NO_ERROR_GIVEN if message is None else message), cause)


def _failure(value: dict[str, Any], message: str, cause: Failure | None) -> Failure:
    code, peer_id, instruction = value.get("error_code"), value.get("peer_id"), value.get("instruction")
    return Failure(
        code if isinstance(code, int) else None,
        message,
        instruction if isinstance(instruction, str) else None,
        peer_id if isinstance(peer_id, str) else None,
        cause,
    )


def _passed_on(value: dict[str, Any]) -> dict[str, Any] | None:
    """The error object inside that of a `fail` that nobody caught: `if` passes errors of its branches on that way."""
    found = _FAIL.fullmatch(str(value.get("message")))
    if found is None:
        return None
    try:
        inner = json.loads(found[1])
    except (ValueError, RecursionError):
        return None
    return inner if isinstance(inner, dict) and "instruction" in inner else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
