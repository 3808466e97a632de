"""A client: a peer that sends programs to the network and waits for their results.

It differs from a host in three ways: everything it sends goes to its relay, an error of the interpreter ends the call,
and the services of one call (arguments, callbacks, response) exist for that particle only.
Errors: `WorkflowError` when the program reported an error, `InterpreterError` when the interpreter did here,
`ParticleExpired` when its life ended first.
Source: js-client:packages/core/js-client/src/compilerSupport/callFunction.ts, jsPeer/FluencePeer.ts
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import trio

from runtime.core.particle import Particle, new_particle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.core.actions import Failed, Forget
    from runtime.peer import Peer
    from runtime.services.client import ClientServices
    from runtime.services.registry import CallContext, Handler

NO_ERROR_GIVEN: Final = "the program reported an error without saying which"


class CallFailed(Exception):
    """A call ended without a result. `particle_id` names it."""

    def __init__(self, message: str, particle_id: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.particle_id = particle_id


class WorkflowError(CallFailed):
    """The program passed an error to its author.

    `value` is what it passed: usually an object with `error_code`, `message`, `instruction`, `peer_id`.
    """

    def __init__(self, value: Any, particle_id: str) -> None:
        """Take the message out of the value."""
        message = value.get("message") if isinstance(value, dict) else value
        super().__init__(str(NO_ERROR_GIVEN if message is None else message), particle_id)
        self.value = value


class InterpreterError(CallFailed):
    """The interpreter ended with an error on this peer. `ret_code` is its code, -1 when it could not be run."""

    def __init__(self, message: str, particle_id: str, ret_code: int) -> None:
        """Build js-client's text."""
        super().__init__(f"Script interpretation failed: {message}  (particle id: {particle_id})", particle_id)
        self.ret_code = ret_code
        self.reason = message


class ParticleExpired(CallFailed):
    """The particle's life ended before a result came."""

    def __init__(self, particle_id: str, ttl_ms: int) -> None:
        """Build js-client's text."""
        super().__init__(f"Particle expired after ttl of {ttl_ms}ms (particle id: {particle_id})", particle_id)


class Abandoned(CallFailed):
    """Somebody gave up on the call, see `PendingCall.abandon`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program passed to its response: one value per declared result."""

    particle_id: str
    values: list[Any]


class PendingCall:
    """A call on its way."""

    def __init__(self, particle: Particle) -> None:
        """Start without an outcome."""
        self.particle = particle
        self._done = trio.Event()
        self._answer: Answer | None = None
        self._error: CallFailed | None = None

    @property
    def is_done(self) -> bool:
        """Whether the outcome is known."""
        return self._done.is_set()

    def resolve(self, values: list[Any]) -> None:
        """End with a result; only the first outcome counts."""
        if not self.is_done:
            self._answer = Answer(self.particle.id, values)
            self._done.set()

    def reject(self, error: CallFailed) -> None:
        """End with an error; only the first outcome counts."""
        if not self.is_done:
            self._error = error
            self._done.set()

    def abandon(self, reason: str) -> None:
        """End because nothing more can come."""
        self.reject(Abandoned(reason, self.particle.id))

    async def wait(self) -> Answer:
        """The answer. Raises CallFailed."""
        await self._done.wait()
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer


class Client:
    """Calls programs from one peer. The peer's services must be `ClientServices` and its policy a client's."""

    def __init__(self, peer: Peer, services: ClientServices, relay: str | None) -> None:
        """`relay`: what programs get for `-relay-`; None for a client without one."""
        self.peer = peer
        self._services = services
        self._relay = relay
        self._pending: dict[bytes, PendingCall] = {}
        peer.on_failed.append(self._failed)
        peer.on_forget.append(self._forgotten)

    def start(
        self,
        script: str,
        *,
        ttl_ms: int,
        arguments: Mapping[str, Any] | None = None,
        callbacks: Mapping[str, Callable[[list[Any]], Any]] | None = None,
        particle_id: str | None = None,
    ) -> PendingCall:
        """Send a program on its way.

        arguments: values by the names under which the program asks for them. callbacks: take the list of arguments and
        return a value or an awaitable of one.
        """
        particle = new_particle(
            self.peer.config.identity,
            particle_id=particle_id or str(uuid.uuid4()),
            timestamp=self.peer.clock.now_ms(),
            ttl=ttl_ms,
            script=script,
        )
        pending = PendingCall(particle)
        self._pending[particle.signature] = pending
        self._services.set_particle_handlers(
            particle.signature, self._handlers(pending, arguments or {}, callbacks or {})
        )
        self.peer.submit(particle)
        return pending

    async def call(
        self,
        script: str,
        *,
        ttl_ms: int,
        arguments: Mapping[str, Any] | None = None,
        callbacks: Mapping[str, Callable[[list[Any]], Any]] | None = None,
    ) -> Answer:
        """Send a program and wait for its answer. Raises CallFailed."""
        return await self.start(script, ttl_ms=ttl_ms, arguments=arguments, callbacks=callbacks).wait()

    def _handlers(
        self, pending: PendingCall, arguments: Mapping[str, Any], callbacks: Mapping[str, Callable[[list[Any]], Any]]
    ) -> dict[tuple[str, str], Handler]:
        def respond(values: list[Any], _: CallContext) -> Any:
            pending.resolve(values)
            return {}

        def report(values: list[Any], _: CallContext) -> Any:
            pending.reject(WorkflowError(values[0] if values else None, pending.particle.id))
            return {}

        handlers: dict[tuple[str, str], Handler] = {}
        for name, value in arguments.items():
            handlers["getDataSrv", name] = _constant(value)
        for name, callback in callbacks.items():
            handlers["callbackSrv", name] = _callback(callback)
        if self._relay is not None:
            handlers["getDataSrv", "-relay-"] = _constant(self._relay)
        handlers["callbackSrv", "response"] = respond
        handlers["errorHandlingSrv", "error"] = report
        return handlers

    def _failed(self, failed: Failed) -> None:
        pending = self._pending.get(failed.key.signature)
        if pending is not None:
            pending.reject(InterpreterError(failed.message, failed.particle.id, failed.ret_code))

    def _forgotten(self, forget: Forget) -> None:
        """The particle's life is over: its handlers go, and who still waits is told."""
        self._services.remove_particle_handlers(forget.key.signature)
        pending = self._pending.pop(forget.key.signature, None)
        if pending is not None:
            pending.reject(ParticleExpired(pending.particle.id, pending.particle.ttl))


def _constant(value: Any) -> Handler:
    return lambda _, __: value


def _callback(callback: Callable[[list[Any]], Any]) -> Handler:
    return lambda values, _: callback(values)
