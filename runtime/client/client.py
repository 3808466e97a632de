"""A client: a peer that sends programs to the network and waits for their results. For trio; `aio` is built on it.

It differs from a host in three ways: everything it sends goes to its relay, an error of the interpreter ends the call,
and the services of one call (arguments, callbacks, response) exist for that particle only.

When the relay is lost (`relays` tells it), calls wait: what was on its way is sent again after reconnecting, which is harmless,
because a peer continues where it was when the same particle comes twice. Calls that have left fail when another relay takes
over, because answers go to the one that a program was started with.
Errors: those of `runtime.client.errors`.
Source: js-client:packages/core/js-client/src/compilerSupport/callFunction.ts, jsPeer/FluencePeer.ts
"""

from __future__ import annotations

import logging
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import trio

from runtime.client.errors import (
    ArgumentError,
    CallRefused,
    ClientClosed,
    ConnectionLost,
    InterpreterError,
    ParticleExpired,
    RelayUnreachable,
    WorkflowError,
    WrongLoop,
)
from runtime.client.invocation import DEFAULT_TTL_MS, Answer, Invocation
from runtime.client.outbox import Outbox
from runtime.client.pending import PendingCall
from runtime.client.registration import Registration, Registrations, Serves
from runtime.core.actions import DropReason
from runtime.core.events import ActorKey, GivenUp
from runtime.core.limits import TTL_MAX_MS
from runtime.core.particle import Particle, new_particle
from runtime.core.peer_core import ClientPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avm.outcome import Outcome
    from runtime.core.actions import Drop, Failed, Forget
    from runtime.peer import Peer
    from runtime.services.client import ClientServices
    from runtime.services.registry import CallContext, Handler

log = logging.getLogger(__name__)

RESEND_PAUSE_S: Final = 0.5
"""A particle that could not be sent although the relay is connected is tried again after this."""


class Client(Serves):
    """Calls programs from one peer. The peer's services must be `ClientServices` and its policy a client's."""

    def __init__(
        self, peer: Peer, services: ClientServices, relay: str | None, *, ttl_ms: int = DEFAULT_TTL_MS
    ) -> None:
        """relay: what programs get for `-relay-`; None for a client without one. ttl_ms: life of calls that do not say.

        Functions in `on_connection` are told when the relay is lost (False) and when one is connected again (True).
        Raises ArgumentError for a life that no particle can have.
        """
        self.peer = peer
        self.ttl_ms = _checked(ttl_ms)
        self.on_connection: list[Callable[[bool], None]] = []
        self.connections = 0
        self._services = services
        self._registrations = Registrations(services)
        self._relay = relay
        self._pending: dict[bytes, PendingCall] = {}
        self._handing_over: dict[bytes, PendingCall] = {}
        self._just_ran: list[bytes] = []
        self._answered: dict[bytes, None] = {}
        self._starting: PendingCall | None = None
        self._refusals: list[Drop] = []
        self._outbox = Outbox(peer.peer_id)
        self._token: trio.lowlevel.TrioToken | None = None
        self._connected = trio.Event()
        self._connected.set()
        self._gone: str | None = None
        self._is_closed = False
        peer.on_failed.append(self._failed)
        peer.on_forget.append(self._forgotten)
        peer.on_dropped.append(self._dropped)
        peer.on_ran.append(self._ran)
        peer.on_sent.append(self._was_sent)
        peer.on_unreachable.append(self._was_not_sent)
        peer.on_change.append(self._changed)

    # ── the peer ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def peer_id(self) -> str:
        """Base58 text of this client's peer id."""
        return self.peer.peer_id

    @property
    def relay(self) -> str | None:
        """Peer id of the relay of now."""
        return self._relay

    @property
    def is_connected(self) -> bool:
        """Whether the relay is connected, as far as is known."""
        return self._connected.is_set() and self._gone is None and not self._is_closed

    @property
    def call_count(self) -> int:
        """Particles of this client that are alive, the answered ones too: a program may go on behind its answer."""
        return len(self._pending)

    async def wait_connected(self) -> None:
        """Return when the relay is connected. Raises ClientClosed, and RelayUnreachable when nobody tries any more."""
        self._check_loop()
        await self._connected.wait()
        if self._is_closed:
            raise ClientClosed
        if self._gone is not None:
            raise RelayUnreachable([(self._relay or "", self._gone)])

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(
        self,
        script: str,
        *,
        ttl_ms: int | None = None,
        arguments: Mapping[str, Any] | None = None,
        callbacks: Mapping[str, Callable[[list[Any]], Any]] | None = None,
        particle_id: str | None = None,
    ) -> PendingCall:
        """Send a program on its way.

        arguments: values by the names under which the program asks for them. callbacks: take the list of arguments and
        return a value or an awaitable of one. Raises ArgumentError, ClientClosed.
        """
        return self.begin(Invocation(script, arguments or {}, callbacks or {}, ttl_ms), particle_id)

    def begin(self, call: Invocation, particle_id: str | None = None) -> PendingCall:
        """The same for a call as data."""
        self._check_loop()
        if self._is_closed:
            raise ClientClosed
        particle = new_particle(
            self.peer.config.identity,
            particle_id=particle_id or str(uuid.uuid4()),
            timestamp=self.peer.clock.now_ms(),
            ttl=self.ttl_ms if call.ttl_ms is None else _checked(call.ttl_ms),
            script=call.script,
        )
        pending = PendingCall(self, particle, call)
        if self._gone is not None:
            pending.reject(ConnectionLost(self._gone, particle.id, peer_id=self._relay))
            return pending
        self._pending[particle.signature] = pending
        if not call.answers:
            self._handing_over[particle.signature] = pending
        self._services.set_particle_handlers(particle.signature, self._handlers(pending, call))
        self._submit(pending)
        return pending

    def _submit(self, pending: PendingCall) -> None:
        """Hand the particle to the peer. When that is full, calls that have been answered make room, the oldest first."""
        while True:
            self._refusals.clear()
            self._starting = pending
            try:
                self.peer.submit(pending.particle)
            finally:
                self._starting = None
            if not self._refusals:
                return
            if self._refusals[0].reason is DropReason.EXPIRED or not self._make_room():
                self._refuse(pending, self._refusals[0])
                return

    def _make_room(self) -> bool:
        """Give up a particle whose call has been answered and that has nothing to do here; False when there is none."""
        for signature in self._answered:
            pending = self._pending[signature]
            if self.peer.core.is_resting(pending.key):
                self.give_up(pending)
                return True
        return False

    async def call(
        self,
        script: str,
        *,
        ttl_ms: int | None = None,
        arguments: Mapping[str, Any] | None = None,
        callbacks: Mapping[str, Callable[[list[Any]], Any]] | None = None,
    ) -> Answer:
        """Send a program and wait for its answer; to be cancelled forgets it. Raises CallFailed, ClientClosed."""
        return await self.perform(Invocation(script, arguments or {}, callbacks or {}, ttl_ms))

    async def perform(self, call: Invocation, /) -> Answer:
        """Send a program and wait for its answer; see `Caller`."""
        pending = self.begin(call)
        try:
            return await (pending.wait() if call.answers else pending.wait_handed_over())
        except BaseException:
            if not pending.is_done:  # cancelled; after an error of its own a program may still go on elsewhere
                pending.cancel()
            raise

    def give_up(self, pending: PendingCall) -> None:
        """Forget a particle of this client before its time."""
        if self._pending.get(pending.particle.signature) is pending and not self._is_closed:
            self.peer.apply(GivenUp(pending.key))

    def ended(self, pending: PendingCall) -> None:
        """Note that the outcome of a call is known."""
        signature = pending.particle.signature
        self._outbox.answered(signature)
        if signature in self._pending:
            self._answered[signature] = None

    def _check_loop(self) -> None:
        try:
            token = trio.lowlevel.current_trio_token()
        except RuntimeError:
            token = None
        if self._token is None:
            self._token = token
        if token is None or token is not self._token:
            raise WrongLoop(
                "this client belongs to a trio loop and was used outside of it; "
                "from asyncio use runtime.client.aio.connect, from another thread trio.from_thread.run"
            )

    def _handlers(self, pending: PendingCall, call: Invocation) -> dict[tuple[str, str], Handler]:
        def respond(values: list[Any], _: CallContext) -> Any:
            pending.resolve(values)
            return {}

        def report(values: list[Any], _: CallContext) -> Any:
            pending.reject(WorkflowError(values[0] if values else None, pending.particle.id))
            return {}

        def tell_relay(_: list[Any], __: CallContext) -> Any:
            pending.is_bound = True
            return pending.relay

        handlers: dict[tuple[str, str], Handler] = {}
        for name, value in call.arguments.items():
            handlers["getDataSrv", name] = _constant(value)
        for name, callback in call.callbacks.items():
            handlers["callbackSrv", name] = _callback(callback)
        if pending.relay is not None:
            handlers["getDataSrv", "-relay-"] = tell_relay
        handlers["callbackSrv", "response"] = respond
        handlers["errorHandlingSrv", "error"] = report
        return handlers

    # ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def provide(self, service_id: str, handlers: Mapping[str, Handler], /) -> Registration:
        """Answer calls to functions of a service on this client's peer. The last registration of a function counts."""
        self._check_loop()
        if self._is_closed:
            raise ClientClosed
        return self._registrations.add(service_id, handlers)

    # ── what the peer tells ──────────────────────────────────────────────────────────────────────────────────────────

    def _failed(self, failed: Failed) -> None:
        pending = self._pending.get(failed.key.signature)
        if pending is not None:
            pending.reject(InterpreterError(failed.message, failed.particle.id, failed.ret_code, self.peer_id))

    def _forgotten(self, forget: Forget) -> None:
        """The particle's life is over: its handlers go, and who still waits is told."""
        self._services.remove_particle_handlers(forget.key.signature)
        self._outbox.remove(forget.key.signature)
        self._handing_over.pop(forget.key.signature, None)
        self._answered.pop(forget.key.signature, None)
        pending = self._pending.pop(forget.key.signature, None)
        if pending is not None and not pending.is_done:
            particle, losses = pending.particle, pending.losses
            unanswered = () if pending.is_handed_over else pending.unanswered()
            pending.reject(ParticleExpired(particle.id, particle.ttl, waiting=unanswered, losses=losses))

    def _dropped(self, drop: Drop) -> None:
        """A particle that was refused at the start is told of here alone; one that has no relay to go to is stuck."""
        if drop.reason is DropReason.NO_RELAY:
            for pending in [item for item in self._pending.values() if item.particle.id == drop.particle_id]:
                pending.reject(self._refused(drop))
        elif self._starting is not None and self._starting.particle.id == drop.particle_id:
            self._refusals.append(drop)

    def _refuse(self, pending: PendingCall, drop: Drop) -> None:
        signature = pending.particle.signature
        del self._pending[signature]
        self._handing_over.pop(signature, None)
        self._services.remove_particle_handlers(signature)
        if drop.reason is DropReason.EXPIRED:  # before it was there, as one of a millisecond may
            pending.reject(ParticleExpired(drop.particle_id, pending.particle.ttl))
        else:
            pending.reject(self._refused(drop))

    def _refused(self, drop: Drop) -> CallRefused:
        detail = f": {drop.detail}" if drop.detail else ""
        return CallRefused(f"{drop.reason.value}{detail}", drop.particle_id, peer_id=self.peer_id)

    def _ran(self, key: ActorKey, outcome: Outcome) -> None:
        pending = self._pending.get(key.signature)
        if pending is not None and not pending.is_done and outcome.ret_code == 0:
            pending.data = outcome.data  # for what it waits for, should its life end
            if outcome.next_peer_pks:
                pending.is_leaving = True
                pending.connections = self.connections
            if key.signature in self._handing_over:
                self._just_ran.append(key.signature)

    def _was_sent(self, target: str, particle: Particle) -> None:
        pending = self._pending.get(particle.signature)
        self._outbox.left(particle, is_awaited=pending is not None and not pending.is_done)
        if pending is None:
            return
        pending.has_left = True
        if pending.connections != self.connections and self.is_connected:
            # Begun on a connection that has broken since: nobody knows which one it took.
            pending.connections = self.connections
            self.peer.forward(target, particle)
        self._handing_over.pop(particle.signature, None)
        pending.hand_over()

    def _was_not_sent(self, target: str, particle: Particle) -> None:
        """Keep it for the relay to come back."""
        now_ms = self.peer.clock.now_ms()
        is_given_up = particle.init_peer_id == self.peer_id and particle.signature not in self._pending
        if target != self._relay or is_given_up or particle.is_expired(now_ms):
            return
        self._outbox.failed(particle, now_ms)
        if self.is_connected:
            self.peer.run_beside(partial(self._send_again, particle))

    async def _send_again(self, particle: Particle) -> None:
        await trio.sleep(RESEND_PAUSE_S)
        alive = not particle.is_expired(self.peer.clock.now_ms())
        if alive and self._outbox.has_unsent(particle) and self.is_connected and self._relay is not None:
            self._forward(self._relay, particle)

    def _forward(self, relay: str, particle: Particle) -> None:
        pending = self._pending.get(particle.signature)
        if pending is not None:
            pending.connections = self.connections
        self.peer.forward(relay, particle)

    def _changed(self) -> None:
        """See which calls that do not answer, and have just run, have nothing more to do here."""
        while self._just_ran:
            signature = self._just_ran.pop()
            pending = self._handing_over.get(signature)
            if pending is not None and not pending.is_leaving and self.peer.core.is_resting(pending.key):
                del self._handing_over[signature]
                pending.hand_over()

    # ── what happens to the relay ────────────────────────────────────────────────────────────────────────────────────

    def relay_lost(self) -> None:
        """The connection to the relay broke; calls wait for it to come back."""
        self._connected = trio.Event()
        for pending in self._pending.values():
            pending.losses += not pending.is_done
        self._tell(is_connected=False)

    def relay_back(self, relay: str) -> None:
        """A relay is connected: send again what was on its way. Calls that need another relay than this one fail."""
        self.connections += 1
        if relay != self._relay:
            former, self._relay = self._relay, relay
            self.peer.core.policy = ClientPolicy(relay)
            self._outbox.clear()
            for pending in list(self._pending.values()):
                if pending.is_bound or pending.has_left:
                    text = f"relay {former} is gone, and the client has moved to {relay}"
                    pending.reject(ConnectionLost(text, pending.particle.id, peer_id=former))
                    self.give_up(pending)
                else:
                    pending.relay = relay
        self._connected.set()
        for particle in self._outbox.again(self.peer.clock.now_ms()):
            self._forward(relay, particle)
        self._tell(is_connected=True)

    def relay_gone(self, reason: str) -> None:
        """No relay will be connected any more: whatever waits for one fails, and so does every further call."""
        self._gone = reason
        self._connected.set()
        for pending in list(self._pending.values()):
            pending.reject(ConnectionLost(reason, pending.particle.id, peer_id=self._relay))
            self.give_up(pending)

    def close(self) -> None:
        """Fail every call that waits, and refuse further ones. The peer is ended by whoever made it."""
        self._is_closed = True
        self._services.close()
        self._connected.set()
        for pending in list(self._pending.values()):
            pending.reject(ClientClosed(pending.particle.id))
        self._pending.clear()
        self._answered.clear()
        self._outbox.clear()

    def _tell(self, *, is_connected: bool) -> None:
        for listener in self.on_connection:
            try:
                listener(is_connected)
            except Exception:  # it is somebody else's code, and must not cost the connection
                log.exception("a listener of connections failed")


def _checked(ttl_ms: int) -> int:
    if type(ttl_ms) is not int or not 0 < ttl_ms <= TTL_MAX_MS:
        raise ArgumentError(f"ttl_ms: expected milliseconds from 1 to {TTL_MAX_MS}, got {ttl_ms!r}")
    return ttl_ms


def _constant(value: Any) -> Handler:
    return lambda _, __: value


def _callback(callback: Callable[[list[Any]], Any]) -> Handler:
    return lambda values, _: callback(values)
