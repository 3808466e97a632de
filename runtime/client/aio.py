"""The client for asyncio.

    async with connect("/ip4/127.0.0.1/tcp/9991/ws/p2p/12D3KooW…") as client:
        print(await greet(client, "you"))

The peer runs on trio, in a thread of its own that lives as long as the block; no thread ever has two event loops. Everything of
the program's own runs on its asyncio loop: callbacks and services are called there, plain functions too, each in the
`contextvars` context of the call or the registration it belongs to. To cancel a task that waits for a call forgets the call.
Errors: as `runtime.client.connect`; `WrongLoop` outside asyncio, and for a client of another loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from runtime.client.connecting import DEFAULT_BACKOFF, DIAL_TIMEOUT_S, PROBE_S
from runtime.client.connecting import connect as connect_on_trio
from runtime.client.errors import ClientClosed, WrongLoop
from runtime.client.invocation import DEFAULT_TTL_MS, Answer, Invocation
from runtime.client.registration import Registration, Serves

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from runtime.client.client import Client as TrioClient
    from runtime.client.relays import Backoff
    from runtime.services.registry import CallContext, Handler

Value = TypeVar("Value")


class Client(Serves):
    """A client of one asyncio loop. Implements `runtime.client.invocation.Caller`."""

    def __init__(self, bridge: _Bridge, client: TrioClient) -> None:
        """`client`: lives on the other side of the bridge."""
        self.on_connection: list[Callable[[bool], None]] = []
        self._bridge = bridge
        self._client = client
        bridge.soon(lambda: client.on_connection.append(lambda state: bridge.tell(self._connection_changed, state)))

    def _connection_changed(self, is_connected: bool) -> None:
        for listener in self.on_connection:
            listener(is_connected)

    @property
    def peer_id(self) -> str:
        """Base58 text of this client's peer id."""
        return self._client.peer_id

    @property
    def relay(self) -> str | None:
        """Peer id of the relay of now."""
        return self._client.relay

    @property
    def is_connected(self) -> bool:
        """Whether the relay is connected, as far as is known."""
        return self._client.is_connected

    async def wait_connected(self) -> None:
        """Return when the relay is connected. Raises ClientClosed, and RelayUnreachable when nobody tries any more."""
        await self._bridge.call(self._client.wait_connected)

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
        context = contextvars.copy_context()
        callbacks = {name: self._bridge.callback(callback, context) for name, callback in call.callbacks.items()}
        crossed = Invocation(
            call.script, call.arguments, callbacks, call.ttl_ms, answers=call.answers, name=call.name, find=call.find
        )
        return await self._bridge.call(lambda: self._client.perform(crossed))

    def provide(self, service_id: str, handlers: Mapping[str, Handler], /) -> Registration:
        """Answer calls to functions of a service on this client's peer. The last registration of a function counts.

        Takes effect before anything that is sent later.
        """
        self._bridge.check()
        context = contextvars.copy_context()
        crossed = {name: self._bridge.handler(handler, context) for name, handler in handlers.items()}
        made: list[Registration] = []

        def begin() -> None:
            with suppress(ClientClosed):  # the other side is at its end
                made.append(self._client.provide(service_id, crossed))

        self._bridge.soon(begin)

        def end(_: Registration) -> None:
            with suppress(ClientClosed):  # it has ended with its client
                self._bridge.soon(lambda: made[0].unregister() if made else None)

        return Registration(service_id, tuple(handlers), end)


class Connecting:
    """A client as a context manager, see `connect`."""

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[TrioClient]]) -> None:
        """`make` gives the client that is to live in the thread, as a context manager for trio."""
        self._make = make
        self._bridge: _Bridge | None = None

    async def __aenter__(self) -> Client:
        """Start the thread and connect. Cancelled meanwhile, the thread ends before the cancellation goes on."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongLoop("aio.connect() needs asyncio; from trio use runtime.client.connect") from None
        if self._bridge is not None:
            raise RuntimeError("connect() gives a client once; call it again for another one")
        self._bridge = _Bridge(loop, self._make)
        return Client(self._bridge, await self._bridge.open())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client and end the thread."""
        assert self._bridge is not None
        await self._bridge.close()


def connect(
    *relays: str,
    secret: bytes | None = None,
    ttl_ms: int = DEFAULT_TTL_MS,
    backoff: Backoff | None = DEFAULT_BACKOFF,
    engine: str = "auto",
    console: Callable[[str], None] | None = None,
    dial_timeout_s: float = DIAL_TIMEOUT_S,
    probe_s: float = PROBE_S,
) -> Connecting:
    """Run a client of the first of `relays` that answers, for the length of the block; parameters as for trio.

    console: called on the thread of the peer.
    """
    return over(
        lambda: connect_on_trio(
            *relays, secret=secret, ttl_ms=ttl_ms, backoff=backoff, engine=engine, console=console,
            dial_timeout_s=dial_timeout_s, probe_s=probe_s,
        )
    )  # fmt: skip


def over(make: Callable[[], AbstractAsyncContextManager[TrioClient]]) -> Connecting:
    """The client that a context manager for trio gives, used from asyncio. `make` is called on the thread of the peer."""
    return Connecting(make)


class _Bridge:
    """Two event loops, each in its thread, and the ways between them.

    An editor must keep: what is shared is changed on one side only and crosses as an argument of `run_sync_soon` or
    `call_soon_threadsafe`, in order; whoever waits on one side is woken when the other side ends.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, make: Callable[[], AbstractAsyncContextManager[TrioClient]]
    ) -> None:
        """Belong to the asyncio loop that runs."""
        self._loop = loop
        self._make = make
        self._ready: asyncio.Future[TrioClient] = loop.create_future()
        self._ended = asyncio.Event()
        # A daemon, so that a loop that is thrown away without leaving the block does not keep the process.
        self._thread = threading.Thread(target=self._run, name="aqua client", daemon=True)
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._leave = trio.Event()
        self._nursery: trio.Nursery | None = None
        self._is_closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._outcomes: set[asyncio.Future[Any]] = set()
        self._ready.add_done_callback(_note)

    # ── life, seen from asyncio ──────────────────────────────────────────────────────────────────────────────────────

    async def open(self) -> TrioClient:
        """Start the thread; the client, when it is connected."""
        self._thread.start()
        try:
            return await asyncio.shield(self._ready)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the thread; whatever waits here is told. Cancelled meanwhile, it ends all the same."""
        self._is_closing = True
        self._to_trio(self._scope.cancel if self._nursery is None else self._leave.set)
        while not self._ended.is_set():
            try:
                await self._ended.wait()
            except asyncio.CancelledError:
                self._to_trio(self._scope.cancel)
                await self._ended.wait()
                raise
        self._thread.join()  # it has told so with its last step

    def check(self) -> None:
        """Raise WrongLoop outside the loop of the client, ClientClosed after its end."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is not self._loop:
            raise WrongLoop("this client belongs to another asyncio loop, or to another thread")
        if self._is_closing:
            raise ClientClosed

    def soon(self, act: Callable[[], object]) -> None:
        """Do something on the trio side, in order with everything else. Raises ClientClosed."""
        if self._is_closing:
            raise ClientClosed
        self._to_trio(act)

    async def call(self, begin: Callable[[], Awaitable[Value]]) -> Value:
        """What `begin` gives on the trio side. Cancelled, it is cancelled there and has ended before this goes on."""
        self.check()
        scope = trio.CancelScope()
        outcome: asyncio.Future[Value] = self._loop.create_future()
        outcome.add_done_callback(_note)
        self._outcomes.add(outcome)

        async def run() -> None:
            try:
                with scope:
                    self.tell(_settle, outcome, await begin(), None)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                self.tell(_settle, outcome, None, error)
            finally:
                self.tell(_settle, outcome, None, ClientClosed())  # unless it is settled

        def start() -> None:
            assert self._nursery is not None
            try:
                self._nursery.start_soon(run)
            except RuntimeError:  # the other side is at its end
                self.tell(_settle, outcome, None, ClientClosed())

        try:
            self._to_trio(start)
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            self._to_trio(scope.cancel)
            with suppress(Exception):
                await outcome  # at once, unless it is cancelled again
            raise
        finally:
            self._outcomes.discard(outcome)

    def _to_trio(self, act: Callable[[], object]) -> None:
        if self._token is not None:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(act)

    # ── life, seen from trio ─────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: BLE001 - it is raised on the other side
            self.tell(self._fail, error)
        finally:
            self.tell(self._finish)

    def _fail(self, error: BaseException) -> None:
        """Tell who waits for the client; once there is one, nobody does, and calls end in `_finish`."""
        _settle(self._ready, None, error)

    def _finish(self) -> None:
        """The thread is about to end: nothing more comes from there."""
        self._is_closing = True
        for outcome in list(self._outcomes):
            _settle(outcome, None, ClientClosed())
        _settle(self._ready, None, ClientClosed())
        for task in list(self._tasks):
            task.cancel()
        self._ended.set()

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            if self._is_closing:  # before there was a token
                return
            async with self._make() as client, trio.open_nursery() as nursery:
                self._nursery = nursery
                self.tell(_settle, self._ready, client, None)
                await self._leave.wait()
                client.close()  # so that whoever waits is told why
                nursery.cancel_scope.cancel()

    # ── services, called from trio ───────────────────────────────────────────────────────────────────────────────────

    def callback(
        self, callback: Callable[[list[Any]], Any], context: contextvars.Context
    ) -> Callable[[list[Any]], Awaitable[Any]]:
        """A callback that runs on the asyncio side."""

        async def crossed(values: list[Any]) -> Any:
            return await self._on_asyncio(lambda: callback(values), context)

        return crossed

    def handler(self, handler: Handler, context: contextvars.Context) -> Handler:
        """A function of a service that runs on the asyncio side."""

        async def crossed(values: list[Any], call: CallContext) -> Any:
            return await self._on_asyncio(lambda: handler(values, call), context)

        return crossed

    async def _on_asyncio(self, act: Callable[[], Any], context: contextvars.Context) -> Any:
        """What `act` gives on the asyncio side. Cancelled, its task there is cancelled and not waited for."""
        token = trio.lowlevel.current_trio_token()
        done = trio.Event()
        tasks: list[asyncio.Task[Any]] = []

        async def run() -> Any:
            value = act()
            return await value if inspect.isawaitable(value) else value

        def finish(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(done.set)

        def start() -> None:
            task = self._loop.create_task(run(), context=context.copy())
            tasks.append(task)
            self._tasks.add(task)
            task.add_done_callback(finish)

        self._loop.call_soon_threadsafe(start)
        try:
            await done.wait()
        except trio.Cancelled:
            self.tell(lambda: tasks[0].cancel() if tasks else None)
            raise
        (task,) = tasks
        if task.cancelled():
            raise RuntimeError("the task that answered was cancelled")
        return task.result()

    def tell(self, act: Callable[..., object], *arguments: object) -> None:
        """Do something on the asyncio side, in order with everything else."""
        with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(act, *arguments)


def _note(future: asyncio.Future[Any]) -> None:
    """Keep asyncio from complaining of an error that nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
