"""The shell of a peer: performs what `PeerCore` asks for, on trio.

`async with Peer(config, network, vm=…, services=…) as peer:` is the peer's whole life. One nursery owns every task; none
outlives it. Events are fed to the core synchronously, so the core never sees two at once.
Errors: inside the block none escapes for anything a stranger, a service or a broken connection did; entering raises
`DialFailed` when an address cannot be listened at.
Source: nox:nox/src/node.rs, effectors.rs, connectivity.rs
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

import trio

from runtime.clock import Clock, SystemClock
from runtime.config import BOOTSTRAP_RETRY_MAX_S, BOOTSTRAP_RETRY_STEP_S, PeerConfig
from runtime.core.actions import Action, Call, Drop, Failed, Forget, Run, Send, SetTimer
from runtime.core.events import Arrived, Called, Event, Ran, RunFailed, Tick
from runtime.core.limits import SENDS_MAX, SENDS_PER_AUTHOR_MAX, SENDS_PER_TARGET_MAX
from runtime.core.particle import Particle
from runtime.core.peer_core import HostPolicy, PeerCore, Policy
from runtime.logs import about, particle_fields
from runtime.network import Contact, DialFailed, Network, NetworkError
from runtime.protocol import codec
from runtime.protocol.held import HeldBytes, TooMuchHeld
from runtime.services.registry import CallContext, Services
from runtime.store.limits import UNWRITTEN_BYTES_MAX
from runtime.store.particle_data import MemoryParticleData, ParticleDataStore
from runtime.vm import Vm, VmFailure
from runtime.waiting import WaitingRoom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from avm.outcome import Outcome
    from runtime.core.events import ActorKey

DECODE_INLINE_MAX: Final = 256 * 1024
"""Longer messages are decoded in a thread: an array of integers, as js-client sends, takes 20 ms a megabyte."""

DECODERS_MAX: Final = 2
"""Threads that do so."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What a peer has done so far. refused_sends: those of `failed_sends` that were not tried, too many being in flight."""

    received: int = 0
    malformed: int = 0
    dropped: int = 0
    runs: int = 0
    failed_runs: int = 0
    calls: int = 0
    sent: int = 0
    failed_sends: int = 0
    refused_sends: int = 0


class Peer:
    """One running peer. Implements `runtime.network.Receiver`."""

    def __init__(
        self,
        config: PeerConfig,
        network: Network,
        *,
        vm: Vm,
        services: Services,
        policy: Policy | None = None,
        clock: Clock | None = None,
        store: ParticleDataStore | None = None,
    ) -> None:
        """Put the parts together; nothing runs before `async with`.

        policy: how outcomes are treated, a host's way by default. clock: the system's by default. store: data of particles, in memory
        by default; what follows from data is not sent and not called before the store says that they are written.
        """
        if network.peer_id != config.identity.peer_id:
            raise ValueError(f"network belongs to {network.peer_id}, not to {config.identity.peer_id}")
        self.config = config
        self.network = network
        self.services = services
        self.clock: Clock = clock or SystemClock()
        self.counters = Counters()
        self._store: ParticleDataStore = store if store is not None else MemoryParticleData()
        self._early: list[Event] = []
        self._held: deque[tuple[int, Call | Send, trio.CancelScope | None]] = deque()
        self.core = PeerCore(
            config.identity,
            policy or HostPolicy(config.management),
            limits=config.limits,
            avm_limits=config.avm_limits,
            store=self._store,
        )
        self.on_step: list[Callable[[Event, list[Action]], None]] = []
        self.on_failed: list[Callable[[Failed], None]] = []
        self.on_dropped: list[Callable[[Drop], None]] = []
        self.on_forget: list[Callable[[Forget], None]] = []
        self.on_change: list[Callable[[], None]] = []
        self.on_unreachable: list[Callable[[str, Particle], None]] = []
        self.on_sent: list[Callable[[str, Particle], None]] = []
        self.on_ran: list[Callable[[ActorKey, Outcome], None]] = []
        self.on_contact: list[Callable[[str, bool], None]] = []
        self._vm = vm
        self._calls: dict[ActorKey, set[trio.CancelScope]] = {}
        self._sending = 0
        self._sending_to: Counter[str] = Counter()
        self._sending_of: Counter[str] = Counter()
        self._outgoing = HeldBytes()
        self._idlers = trio.lowlevel.ParkingLot()
        self._waiting = WaitingRoom(self._takes)
        self._decoders = trio.CapacityLimiter(DECODERS_MAX)
        self._draining = False
        self._timer: trio.CancelScope | None = None
        self._lost: dict[str, trio.Event] = {}
        self._manager: AbstractAsyncContextManager[trio.Nursery] | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def peer_id(self) -> str:
        """Base58 text of this peer's id."""
        return self.core.peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses at which others reach this peer."""
        return self.network.addresses

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, waits, is called or is being sent."""
        return self.core.is_idle and not self._sending and not self._held

    @property
    def waiting(self) -> int:
        """Messages that wait until there is room for them."""
        return len(self._waiting)

    # Life

    async def __aenter__(self) -> Peer:
        """Listen, then connect to the bootstrap addresses in the background."""
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        for event in self._early:
            self._feed(event)
        self._early.clear()
        try:
            await self._nursery.start(self.network.serve, self, self.config.listen)
        except BaseException:
            await self._end()
            raise
        token = trio.lowlevel.current_trio_token()

        def written() -> None:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(self._release, idempotent=True)

        self._store.watch(written)
        self._feed(Tick())  # what an earlier process left is to be forgotten in time
        for address in self.config.bootstrap:
            self._nursery.start_soon(self._keep_connected, address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End every task of this peer. What the block raised goes on as it is, not wrapped in a group."""
        await self._end()

    async def _end(self) -> None:
        assert self._nursery is not None
        assert self._manager is not None
        self._nursery.cancel_scope.cancel()
        await self._manager.__aexit__(None, None, None)

    async def drain(self, timeout_s: float) -> bool:
        """Take nothing new and wait until everything begun is done; False when the time ran out first."""
        self._draining = True
        with trio.move_on_after(timeout_s) as scope:
            await self.wait_idle()
        return not scope.cancelled_caught

    async def wait_idle(self) -> None:
        """Return when there is nothing to do; at once when that is so now."""
        while not self.is_idle:
            await self._idlers.park()

    def submit(self, particle: Particle) -> None:
        """Take in a particle that was made here. Local particles skip the queue's bound, not the checks."""
        self._feed(Arrived(particle))

    def forward(self, target: str, particle: Particle) -> None:
        """Send a particle as it is once more, such as one that was on its way when the connection broke."""
        assert self._nursery is not None, "the peer is not running"
        self._send(Send((target,), particle), self._nursery)

    def run_beside(self, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task for as long as the peer lives; it must not raise."""
        assert self._nursery is not None, "the peer is not running"
        self._nursery.start_soon(task)

    # Receiver

    def offer(self, sender: str, message: bytes) -> bool:
        """Take one message from the network at once; False when it has to wait, or is better decoded elsewhere."""
        if len(message) > DECODE_INLINE_MAX:
            return False
        found = _decoded(message)
        if isinstance(found, Particle) and not self._takes(found.init_peer_id):
            return False
        particle = self._noted(sender, found)
        if particle is not None:
            self._take_in(particle)
        return True

    async def on_message(self, sender: str, message: bytes) -> None:
        """Take one message from the network; waits while the peer has too much to do, or too much of this author."""
        if len(message) > DECODE_INLINE_MAX:
            found = await trio.to_thread.run_sync(_decoded, message, limiter=self._decoders, abandon_on_cancel=True)
        else:
            found = _decoded(message)
        particle = self._noted(sender, found)
        if particle is not None:
            await self._waiting.enter(particle.init_peer_id)
            self._take_in(particle)

    def _noted(self, sender: str, found: Particle | codec.Upgrade | codec.CodecError) -> Particle | None:
        """Count a message; its particle, if it is one."""
        self.counters.received += 1
        if isinstance(found, codec.CodecError):
            self.counters.malformed += 1
            log.info("malformed message from %s: %s", sender, found, extra={"connection": sender})
        return found if isinstance(found, Particle) else None

    def _takes(self, author: str) -> bool:
        return (
            self._sending + len(self._held) < SENDS_MAX
            and self._store.unwritten_bytes <= UNWRITTEN_BYTES_MAX
            and self.core.has_room(author)
        )

    def _take_in(self, particle: Particle) -> None:
        if not self._draining:
            self._feed(Arrived(particle))

    def on_connected(self, contact: Contact) -> None:
        """Tell of a new peer."""
        log.debug("connected: %s", contact.peer_id, extra={"connection": contact.peer_id})
        for listener in self.on_contact:
            listener(contact.peer_id, True)

    def on_disconnected(self, peer_id: str) -> None:
        """Wake whoever keeps the connection to this peer, and tell of its loss."""
        log.debug("disconnected: %s", peer_id, extra={"connection": peer_id})
        event = self._lost.pop(peer_id, None)
        if event is not None:
            event.set()
        for listener in self.on_contact:
            listener(peer_id, False)

    # Core

    def apply(self, event: Event) -> None:
        """Feed an event of the host itself, such as a created worker. Before the peer runs it waits until it does."""
        if self._nursery is None:
            self._early.append(event)
        else:
            self._feed(event)

    def _feed(self, event: Event) -> None:
        actions = self.core.receive(event, now_ms=self.clock.now_ms())
        for step_listener in self.on_step:
            step_listener(event, actions)
        for action in actions:
            self._perform(action)
        self._note_change()

    def _note_change(self) -> None:
        self._waiting.wake()
        if self._idlers:
            self._idlers.unpark_all()
        for listener in self.on_change:
            listener()

    def _perform(self, action: Action) -> None:
        nursery = self._nursery
        assert nursery is not None, "the peer is not running"
        match action:
            case Run():
                self.counters.runs += 1
                nursery.start_soon(self._run, action)
            case Call():
                scope = trio.CancelScope()
                self._calls.setdefault(action.key, set()).add(scope)
                if not self._hold(action, scope):
                    self._start_call(action, scope, nursery)
            case Send():
                if not self._hold(action, None):
                    self._send(action, nursery)
            case SetTimer():
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = trio.CancelScope()
                nursery.start_soon(self._tick, action.at_ms, self._timer)
            case Forget():
                for scope in self._calls.pop(action.key, ()):
                    scope.cancel()
                for forget_listener in self.on_forget:
                    forget_listener(action)
            case Drop():
                self.counters.dropped += 1
                fields = {"particle_id": action.particle_id, "reason": action.reason.value}
                log.info(
                    "particle %s dropped: %s %s", action.particle_id, action.reason.value, action.detail, extra=fields
                )
                for dropped_listener in self.on_dropped:
                    dropped_listener(action)
            case Failed():
                self.counters.failed_runs += 1
                log.info(
                    "particle %s: interpreter code %d: %.500s; script %.200s",
                    action.particle.id,
                    action.ret_code,
                    action.message,
                    action.particle.script,
                    extra={**particle_fields(action.particle, action.key.scope), "ret_code": action.ret_code},
                )
                for failed_listener in self.on_failed:
                    failed_listener(action)
            case _:
                assert_never(action)

    def _hold(self, action: Call | Send, scope: trio.CancelScope | None) -> bool:
        """Keep an action for later when an end of the process would undo what it follows from; False when it may be done now.

        Otherwise the peer would do it again when the particle comes back, or contradict what it has signed and sent.
        """
        number = self._store.unwritten
        if number:
            self._held.append((number, action, scope))
        return bool(number)

    def _release(self) -> None:
        """Do what waited for data that are written by now, in order."""
        nursery = self._nursery
        if nursery is None or nursery.cancel_scope.cancel_called:
            return
        written = self._store.written
        while self._held and self._held[0][0] <= written:
            _, action, scope = self._held.popleft()
            if isinstance(action, Send):
                self._send(action, nursery)
            elif scope is not None and not scope.cancel_called:  # its particle may be over
                self._start_call(action, scope, nursery)
        self._note_change()

    def _start_call(self, action: Call, scope: trio.CancelScope, nursery: trio.Nursery) -> None:
        self.counters.calls += 1
        nursery.start_soon(self._call, action, scope)

    async def _run(self, run: Run) -> None:
        try:
            with about(run.params.particle_id, run.params.init_peer_id, run.key.scope):
                outcome = await self._vm.run(run)
        except VmFailure as error:
            self._feed(RunFailed(run.key, str(error)))
        else:
            for listener in self.on_ran:
                listener(run.key, outcome)
            self._feed(Ran(run.key, outcome))

    async def _call(self, call: Call, scope: trio.CancelScope) -> None:
        context = CallContext(
            particle=call.particle,
            host_id=self.peer_id,
            scope_id=call.key.scope,
            service_id=call.request.service_id,
            function_name=call.request.function_name,
            tetraplets=call.request.tetraplets,
        )
        with scope:
            with about(call.particle.id, call.particle.init_peer_id, call.key.scope):
                result = await self.services.call(call.request, context)
            scopes = self._calls.get(call.key)
            if scopes is not None:
                scopes.discard(scope)
                if not scopes:
                    del self._calls[call.key]
            self._feed(Called(call.key, call.call_id, result))

    async def _tick(self, at_ms: int, scope: trio.CancelScope) -> None:
        with scope:
            await self.clock.sleep_until_ms(at_ms)
            self._timer = None
            self._feed(Tick())

    # Network

    def _send(self, send: Send, nursery: trio.Nursery) -> None:
        """Encode once, send to each target on its own: an unreachable one must not delay the others."""
        try:
            message = codec.encode(send.particle)
        except codec.CodecError as error:
            self.counters.failed_sends += len(send.targets)
            log.warning("particle %s not sent: %s", send.particle.id, error, extra=particle_fields(send.particle))
            return
        author = send.particle.init_peer_id
        for target in send.targets:
            refusal = self._send_refusal(author, target)
            if refusal is not None:
                self.counters.refused_sends += 1
                self._not_sent(target, send.particle, refusal)
                continue
            try:
                self._outgoing.change(target, 0, len(message))
            except TooMuchHeld as error:
                self._not_sent(target, send.particle, str(error))
                continue
            self._sending += 1
            self._sending_to[target] += 1
            self._sending_of[author] += 1
            nursery.start_soon(self._send_one, target, send.particle, message)

    def _send_refusal(self, author: str, target: str) -> str | None:
        """Why one more message may not be under way; None when it may. Nobody may stop the intake for everybody."""
        if self.core.is_trusted(author):
            return None
        if self._sending_to[target] >= SENDS_PER_TARGET_MAX:
            return f"{SENDS_PER_TARGET_MAX} messages are on their way to it"
        if self._sending_of[author] >= SENDS_PER_AUTHOR_MAX:
            return f"{SENDS_PER_AUTHOR_MAX} messages of the same author are on their way"
        return None

    async def _send_one(self, target: str, particle: Particle, message: bytes) -> None:
        try:
            with trio.fail_after(self.config.send_timeout_s), about(particle.id, particle.init_peer_id):
                await self.network.send(target, message)
            self.counters.sent += 1
            for listener in self.on_sent:
                listener(target, particle)
        except (NetworkError, trio.TooSlowError) as error:
            self._not_sent(target, particle, str(error) or type(error).__name__)
        finally:
            self._outgoing.change(target, len(message), 0)
            self._sending -= 1
            for counter, name in ((self._sending_to, target), (self._sending_of, particle.init_peer_id)):
                counter[name] -= 1
                if not counter[name]:
                    del counter[name]
            self._note_change()

    def _not_sent(self, target: str, particle: Particle, reason: str) -> None:
        self.counters.failed_sends += 1
        fields = {**particle_fields(particle), "target": target, "reason": reason}
        log.info("particle %s not sent to %s: %s", particle.id, target, reason, extra=fields)
        for listener in self.on_unreachable:
            listener(target, particle)

    async def _keep_connected(self, address: str) -> None:
        """Stay connected to one bootstrap address for ever."""
        wait_s = 0.0
        while True:
            try:
                peer_id = await self.network.dial(address)
            except DialFailed as error:
                wait_s = min(wait_s + BOOTSTRAP_RETRY_STEP_S, BOOTSTRAP_RETRY_MAX_S)
                reason = str(error).removeprefix(f"cannot connect to {address}: ")
                text = "cannot connect to %s: %s; next attempt in %.0f s"
                log.warning(text, address, reason, wait_s, extra={"address": address})
                await trio.sleep(wait_s)
                continue
            wait_s = 0.0
            event = self._lost.setdefault(peer_id, trio.Event())
            if peer_id in self.network.peers():
                await event.wait()
            else:
                await trio.sleep(BOOTSTRAP_RETRY_STEP_S)


def _decoded(message: bytes) -> Particle | codec.Upgrade | codec.CodecError:
    try:
        return codec.decode(message)
    except codec.CodecError as error:
        return error
