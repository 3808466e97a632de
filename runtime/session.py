"""One call from beginning to end: open a network, send the program, wait, close.

Input:  `Session`. Output: `Ended`: values, or an error that knows its exit code.
Errors: none raised for anything the program, a peer or the network did; `CommandError` where the `p2p` extra is missing.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import trio

from aquac.command_line import TIMED_OUT, UNREACHABLE, USAGE, WORKFLOW_ERROR, CommandError
from runtime.client.client import Client
from runtime.client.errors import Abandoned, CallRefused, InterpreterError, ParticleExpired, WorkflowError
from runtime.clock import SystemClock
from runtime.config import PeerConfig
from runtime.core.actions import DropReason
from runtime.core.peer_core import ClientPolicy
from runtime.local import open_local_network
from runtime.network import DialFailed
from runtime.peer import Peer
from runtime.protocol.identity import Identity
from runtime.services.client import ClientServices
from runtime.vm import InlineVm, ThreadVm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.client.errors import Failure
    from runtime.client.pending import PendingCall
    from runtime.core.actions import Drop, Failed
    from runtime.local import LocalNetwork
    from runtime.provided import ProvidedService
    from runtime.vm import Interpreter

DIAL_TIMEOUT_S: Final = 20.0
"""Connecting to the relay, all upgrades included."""


@dataclass(frozen=True, slots=True)
class Session:
    """What to run, with what, and where. See the flags of `avm run`."""

    script: str
    answers: bool
    arguments: Mapping[str, Any]
    callbacks: Mapping[str, Callable[[list[Any]], Any]]
    services: tuple[ProvidedService, ...]
    relay: str
    extra_peers: int | None
    secret: bytes | None
    ttl_ms: int
    timeout_ms: int | None
    engine: str = "auto"
    wasm: str | None = None


@dataclass(frozen=True, slots=True)
class SessionError:
    """Why there is no result. `code` is the interpreter's number, or a word for what happened around it.

    `cause`: the error that began it, if the program passed another one on in the meantime.
    """

    code: int | str
    message: str
    exit_code: int
    peer_id: str | None = None
    instruction: str | None = None
    source: dict[str, Any] | None = None
    cause: SessionError | None = None

    @property
    def failed(self) -> str | None:
        """The instruction that failed first."""
        return self.instruction if self.cause is None else self.cause.instruction

    def at(self, source: dict[str, Any] | None) -> SessionError:
        """The same with a place in the source."""
        return replace(self, source=source)

    def to_json(self) -> dict[str, Any]:
        """The `error` of the document."""
        return {
            "code": self.code,
            "message": self.message,
            "peer_id": self.peer_id,
            "instruction": self.instruction,
            "source": self.source,
        }

    def details(self) -> str:
        """Lines for a person: place, instruction, peer."""
        lines = []
        if self.source is not None:
            lines.append(f"at {self.source['file']}:{self.source['line']}")
        if self.instruction:
            lines.append(f"in {self.instruction}")
        if self.peer_id:
            lines.append(f"on peer {self.peer_id}")
        if self.cause is not None:
            lines += [f"because of: {self.cause.message}", *self.cause.details().split("\n  ")]
        return "\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended."""

    particle_id: str | None
    elapsed_ms: int
    values: list[Any] = field(default_factory=list)
    error: SessionError | None = None

    def with_error(self, message: str) -> Ended:
        """The same, its result refused."""
        return replace(self, error=SessionError("result", message, WORKFLOW_ERROR))


def run_session(session: Session) -> Ended:
    """Run the program to its end."""
    try:
        return trio.run(_main, session)
    except BaseExceptionGroup as group:
        # Interrupts arrive in the group of whichever task was running.
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise


async def _main(session: Session) -> Ended:
    started = time.perf_counter()
    timeout_s = float("inf") if session.timeout_ms is None else session.timeout_ms / 1000
    particle_id = str(uuid.uuid4())
    ended = Ended(None, 0)
    with trio.move_on_after(timeout_s) as scope:
        if session.extra_peers is None:
            ended = await _run_remote(session, particle_id)
        else:
            ended = await _run_local(session, session.extra_peers, particle_id)
    if scope.cancelled_caught:
        message = f"no result within {session.timeout_ms} ms"
        ended = Ended(particle_id, 0, error=SessionError("timeout", message, TIMED_OUT))
    return replace(ended, elapsed_ms=round((time.perf_counter() - started) * 1000))


def _console(line: str) -> None:
    import sys

    print(line, file=sys.stderr)  # noqa: T201 - stdout carries the result only


def make_interpreter(session: Session) -> Interpreter:
    """The interpreter that the flags ask for. Raises CommandError when the reference is not there."""
    if session.engine != "reference":
        from avm import Avm

        return Avm(session.engine)
    from runtime.reference_avm import ReferenceAvm, ReferenceMissingError

    try:
        return ReferenceAvm(session.wasm)
    except ReferenceMissingError as error:
        raise CommandError(str(error)) from error


def _identity(session: Session) -> Identity | None:
    return None if session.secret is None else Identity(session.secret)


async def _run_local(session: Session, extra: int, particle_id: str) -> Ended:
    """Run on a network of our own. When it comes to rest without an answer, there is no point in waiting longer."""
    vm = InlineVm(make_interpreter(session))
    network_ = open_local_network(extra=extra, vm=vm, clock=SystemClock(), console=_console, client=_identity(session))
    async with network_ as network:
        for service in session.services:
            _peer(network, service.peer).services.add(service.service_id, service.handlers)
        failures: list[Failed] = []
        drops: list[Drop] = []
        for peer in network.hosts.values():
            peer.on_failed.append(failures.append)
            peer.on_dropped.append(drops.append)
        pending = _start(session, network.client, particle_id)
        network.on_quiet.append(lambda: _came_to_rest(session, pending))
        ended = await _wait(pending)
        if ended.error is not None and ended.error.code == "stuck":
            return replace(ended, error=_explain(network, failures, drops))
        return ended


def _came_to_rest(session: Session, pending: PendingCall) -> None:
    if session.answers:
        pending.abandon("stuck")
    else:
        pending.resolve([])


def _explain(network: LocalNetwork, failures: list[Failed], drops: list[Drop]) -> SessionError:
    """Why nothing more happens: an error nobody caught, a peer that is not there, or a value that never comes."""
    if failures:
        failed = failures[-1]
        return SessionError(
            failed.ret_code, f"nobody handled an error: {failed.message}", WORKFLOW_ERROR, peer_id=failed.key.scope
        )
    named = [drop.detail for drop in drops if drop.reason is DropReason.BAD_NEXT_PEER]
    if named:
        return SessionError("unreachable", f"`{named[-1]}` is no peer id, the program cannot go there", UNREACHABLE)
    if network.unreachable:
        missing = ", ".join(network.unreachable)
        return SessionError("unreachable", f"peer {missing} cannot be reached", UNREACHABLE)
    return SessionError(
        "stuck", "the program came to rest without a result: it waits for something that cannot happen", TIMED_OUT
    )


def _peer(network: LocalNetwork, name: str) -> Peer:
    if name == "client":
        return network.client.peer
    if name in network.hosts:
        return network.hosts[name]
    known = ", ".join(("client", *network.hosts))
    raise CommandError(f"--service: there is no peer `{name}` (peers: {known})", USAGE)


async def _run_remote(session: Session, particle_id: str) -> Ended:
    """Run as a client of a relay elsewhere."""
    for service in session.services:
        if service.peer != "client":
            raise CommandError(f"--service: peer `{service.peer}` is not in this process; only the client can serve")
    import os

    from runtime.protocol.p2p import open_p2p

    identity = _identity(session) or Identity(os.urandom(32))
    relay_id = session.relay.rpartition("/p2p/")[2]
    network = open_p2p("avm run --relay", identity, allow_local_addresses=True)
    clock = SystemClock()
    services = ClientServices(identity, clock, _console)
    for service in session.services:
        services.add(service.service_id, service.handlers)
    vm = ThreadVm(lambda: make_interpreter(session))
    peer = Peer(PeerConfig(identity), network, vm=vm, services=services, policy=ClientPolicy(relay_id), clock=clock)
    async with peer:
        try:
            with trio.fail_after(DIAL_TIMEOUT_S):
                await network.dial(session.relay)
        except (DialFailed, trio.TooSlowError) as error:
            message = f"relay {session.relay} cannot be reached: {str(error) or 'no answer'}"
            return Ended(None, 0, error=SessionError("unreachable", message, UNREACHABLE))
        pending = _start(session, Client(peer, services, relay_id), particle_id)
        return await _wait(pending)


def _start(session: Session, client: Client, particle_id: str) -> PendingCall:
    return client.start(
        session.script,
        ttl_ms=session.ttl_ms,
        arguments=session.arguments,
        callbacks=session.callbacks,
        particle_id=particle_id,
    )


async def _wait(pending: PendingCall) -> Ended:
    particle_id = pending.particle.id
    try:
        answer = await pending.wait()
    except WorkflowError as error:
        return Ended(particle_id, 0, error=_workflow_error(error))
    except InterpreterError as error:
        return Ended(
            particle_id,
            0,
            error=SessionError(error.ret_code, error.reason, WORKFLOW_ERROR, peer_id=pending.particle.init_peer_id),
        )
    except ParticleExpired as error:
        waited = SessionError("expired", str(error), TIMED_OUT, peer_id=error.peer_id, instruction=error.instruction)
        return Ended(particle_id, 0, error=waited)
    except Abandoned as error:
        return Ended(particle_id, 0, error=SessionError(str(error), str(error), TIMED_OUT))
    except CallRefused as error:
        return Ended(particle_id, 0, error=SessionError("refused", str(error), WORKFLOW_ERROR))
    return Ended(particle_id, 0, values=answer.values)


def _workflow_error(error: WorkflowError) -> SessionError:
    """The error object that the program passed on, taken apart where it has the usual shape."""
    cause = error.failure.cause
    return replace(_session_error(error.failure), cause=None if cause is None else _session_error(cause))


def _session_error(failure: Failure) -> SessionError:
    code = "error" if failure.code is None else failure.code
    return SessionError(code, failure.message, WORKFLOW_ERROR, peer_id=failure.peer_id, instruction=failure.instruction)
