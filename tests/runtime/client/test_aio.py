"""The client on asyncio: the peer in its thread, the program's own code on its loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from random import Random
from typing import Any

import pytest
import trio

from runtime.client import (
    ArgumentError,
    Caller,
    ClientClosed,
    ConversionError,
    Module,
    ParticleExpired,
    RelayUnreachable,
    ServiceError,
    WorkflowError,
    WrongLoop,
    aio,
    load_source,
)

PROGRAM = """aqua Main

export greet, ask, tell, late, sum

data Person:
  name: string
  age: ?u8

service Names("names"):
  full(p: Person) -> string
  tags(p: Person) -> []string

service Op("op"):
  concat_strings(a: string, b: string) -> string

service Peer("peer"):
  timeout(ms: u32, text: string) -> string

func greet(p: Person) -> string, Person:
  full <- Names.full(p)
  on HOST_PEER_ID:
    text <- Op.concat_strings("hello, ", full)
  <- text, p

func ask(question: string, answer: string -> string) -> string:
  said <- answer(question)
  <- said

func tell(hear: string -> ()):
  hear("psst")

func late(ms: u32) -> string:
  on HOST_PEER_ID:
    text <- Peer.timeout(ms, "late")
  <- text

func sum(xs: []u8, add: u8 -> ?u8) -> []u8:
  out: *u8
  for x <- xs:
    y <- add(x)
    for z <- y:
      out <<- z
  <- out
"""

MAIN = load_source(PROGRAM)


def check(play: Any, *relays: str, **options: Any) -> Any:
    """What `await play(main, client)` gives, on a network in this process."""

    async def main() -> Any:
        async with aio.connect(*(relays or ("local",)), **options) as client:
            return await play(MAIN, client)

    try:
        return asyncio.run(main(), debug=True)
    finally:
        assert "aqua client" not in [thread.name for thread in threading.enumerate()]


class Names:
    """Notes where it is called."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def full(self, person: Any, context: Any) -> str:
        self.seen.append((threading.current_thread(), asyncio.get_running_loop(), context.init_peer_id))
        await asyncio.sleep(0)
        return f"{person['name']} ({person['age']})"

    def tags(self, person: Any) -> list[str]:
        self.seen.append((threading.current_thread(), asyncio.get_running_loop(), None))
        return [person["name"]]


def test_calls_and_services() -> None:
    async def play(main: Module, client: Caller) -> None:
        names = Names()
        client.register(names, declaration=main.services["Names"])
        ann = {"name": "Ann", "age": 7}
        assert await main.greet(client, ann) == ("hello, Ann (7)", ann)
        bob = {"name": "Bob", "age": None}
        assert await main.greet(client, bob) == ("hello, Bob (None)", bob)
        assert names.seen == [(threading.main_thread(), asyncio.get_running_loop(), client.peer_id)] * 2

    check(play)


def test_callbacks_run_on_the_loop_in_the_context_of_the_call() -> None:
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who")

    async def play(main: Module, client: Caller) -> None:
        async def answer(question: str) -> str:
            assert threading.current_thread() is threading.main_thread()
            await asyncio.sleep(0)
            return f"{who.get()}: {question}!"

        async def one(name: str) -> str:
            who.set(name)
            return await main.ask(client, "well", answer)

        assert await asyncio.gather(*(one(str(number)) for number in range(20))) == [f"{at}: well!" for at in range(20)]
        assert await main.ask(client, "well", str.upper) == "WELL"
        assert await main.sum(client, [1, 2, 3], lambda x: None if x == 2 else x * 2) == [2, 6]

    check(play)


def test_a_call_without_results() -> None:
    heard: list[str] = []

    async def play(main: Module, client: Caller) -> None:
        assert await main.tell(client, heard.append) is None

    check(play)
    assert heard == ["psst"]


def test_errors_cross_over() -> None:
    class Broken:
        async def full(self, person: Any) -> str:
            raise KeyError("who")

        def tags(self, person: Any) -> list[str]:
            raise ServiceError({"mine": 1})

    async def play(main: Module, client: Caller) -> None:
        ann = {"name": "Ann", "age": None}
        with pytest.raises(WorkflowError, match="No service found") as missing:
            await main.greet(client, ann)
        assert str(missing.value.source).endswith("source.aqua:20")
        with client.register(Broken(), declaration=main.services["Names"]):
            with pytest.raises(WorkflowError, match=r"Service call failed\. fnName=.*full.* error: 'who'") as caught:
                await main.greet(client, ann)
            assert caught.value.function == "greet"
            assert caught.value.code == 10000
            assert caught.value.peer_id == client.peer_id
        with pytest.raises(WorkflowError, match="No service found"):
            await main.greet(client, ann)
        with pytest.raises(ConversionError, match=r"greet, argument `p`\.age: expected u8, got the number 300"):
            await main.greet(client, {"name": "Ann", "age": 300})
        with pytest.raises(ArgumentError, match=r"`greet\(p: Person\)` takes 1 argument, 0 given"):
            await main.greet(client)
        with pytest.raises(ParticleExpired) as expired:
            await main.late(client, 60_000, ttl_ms=1)
        assert expired.value.function == "late"

    check(play)


def test_a_cancelled_task_forgets_its_call() -> None:
    async def play(main: Module, client: Any) -> None:
        task = asyncio.create_task(main.late(client, 60_000, ttl_ms=70_000))
        asking = asyncio.Event()
        stopped: list[str] = []

        async def never(question: str) -> str:
            asking.set()
            try:
                return await asyncio.Event().wait()  # type: ignore[return-value]
            finally:
                stopped.append(question)

        asked = asyncio.create_task(main.ask(client, "q", never))
        await asking.wait()
        for one in (task, asked):
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        await main.ask(client, "again", str.upper)  # so that the cancellation has come over
        assert stopped == ["q"]
        core = client._client.peer.core
        assert client._client.call_count == core.actor_count == 1
        assert len(core._given_up) == 2
        assert not client._bridge._outcomes
        assert not client._bridge._tasks

    check(play)


def test_timeouts_of_asyncio() -> None:
    async def play(main: Module, client: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await main.late(client, 60_000, ttl_ms=70_000)
        await main.ask(client, "again", str.upper)
        assert client._client.call_count == 1

    check(play)


def test_what_the_block_raises_leaves_it_as_it_is() -> None:
    async def play(main: Module, client: Caller) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check(play)


def test_the_end_of_the_block_ends_calls() -> None:
    kept: list[Any] = []

    async def main() -> None:
        async with aio.connect("local") as client:
            waiting = asyncio.create_task(MAIN.late(client, 60_000, ttl_ms=70_000))
            asked = asyncio.create_task(MAIN.ask(client, "q", lambda _: asyncio.Event().wait()))
            registration = client.register({"f": len}, "mine")
            await MAIN.ask(client, "x", str.upper)
            kept.append(client)
        for task in (waiting, asked):
            with pytest.raises(ClientClosed):
                await task
        with pytest.raises(ClientClosed):
            await MAIN.ask(client, "x", str.upper)
        with pytest.raises(ClientClosed):
            client.register({"f": len}, "mine")
        registration.unregister()
        assert not registration.is_active

    asyncio.run(main())

    async def later() -> None:
        with pytest.raises(WrongLoop, match="another asyncio loop"):
            await MAIN.ask(kept[0], "x", str.upper)

    asyncio.run(later())


def test_several_clients_in_one_loop() -> None:
    async def main() -> None:
        async with aio.connect("local", secret=bytes(32)) as one, aio.connect("local", secret=bytes([1] * 32)) as two:
            assert one.peer_id != two.peer_id
            assert await asyncio.gather(*(MAIN.ask(c, "x", lambda _, c=c: c.peer_id) for c in (one, two))) == [
                one.peer_id,
                two.peer_id,
            ]

    asyncio.run(main())


def test_connect_belongs_to_asyncio() -> None:
    async def main() -> None:
        with pytest.raises(WrongLoop, match=r"from trio use runtime\.client\.connect"):
            await aio.connect("local").__aenter__()

    trio.run(main)


def test_a_client_is_given_once() -> None:
    async def main() -> None:
        connecting = aio.connect("local")
        async with connecting:
            pass
        with pytest.raises(RuntimeError, match="once"):
            await connecting.__aenter__()

    asyncio.run(main())


def test_failures_to_connect() -> None:
    async def play(main: Module, client: Caller) -> None:
        raise AssertionError

    with pytest.raises(ArgumentError, match="sim:N"):
        check(play, "sim:many")
    with pytest.raises(ArgumentError, match="32 bytes"):
        check(play, "local", secret=b"short")


@pytest.mark.p2p
def test_nobody_there() -> None:
    async def play(main: Module, client: Caller) -> None:
        raise AssertionError

    pytest.importorskip("libp2p")
    with pytest.raises(RelayUnreachable):
        check(play, "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWPt1SKAjmmvQ78dzjQhqgY6PK6KnffK1CS223kfyXiy5w")


def test_cancelled_while_connecting() -> None:
    """The thread ends before the cancellation goes on."""
    started = threading.Event()

    class Hangs:
        async def __aenter__(self) -> Any:
            started.set()
            await trio.sleep_forever()

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError

    async def main() -> None:
        task = asyncio.create_task(aio.over(Hangs).__aenter__())
        await asyncio.to_thread(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [thread.name for thread in threading.enumerate() if thread.name == "aqua client"] == []


def test_a_peer_that_breaks_ends_the_calls_that_wait() -> None:
    class Breaks:
        """A client whose peer ends with an error."""

        peer_id, relay, is_connected = "p", None, True

        def __init__(self) -> None:
            self.on_connection: list[Any] = []

        async def __aenter__(self) -> Any:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def perform(self, call: Any) -> Any:
            raise SystemError("as bad as can be")

        async def wait_connected(self) -> None:
            await trio.sleep_forever()

        def provide(self, service_id: str, handlers: Any) -> Any:
            raise KeyboardInterrupt

        def close(self) -> None:
            pass

    async def main() -> None:
        async with aio.over(Breaks) as client:
            with pytest.raises(SystemError, match="as bad"):
                await MAIN.ask(client, "x", str.upper)
            waiting = asyncio.create_task(client.wait_connected())
            await asyncio.sleep(0)
            client.provide("x", {"f": lambda values, context: 1})
            with pytest.raises(ClientClosed):
                await waiting
            with pytest.raises(ClientClosed):
                await client.wait_connected()

    asyncio.run(main())


def test_connections_are_told_on_the_loop() -> None:
    told: list[Any] = []

    async def main() -> None:
        async with aio.connect("local") as client:
            client.on_connection.append(lambda state: told.append((state, threading.current_thread())))
            client._bridge.soon(client._client.relay_lost)
            client._bridge.soon(lambda: client._client.relay_back(client.relay))
            await client.wait_connected()
            await MAIN.ask(client, "x", str.upper)
            assert client.is_connected

    asyncio.run(main())
    assert told == [(False, threading.main_thread()), (True, threading.main_thread())]


def test_many_calls_cancelled_at_any_moment_leave_nothing() -> None:
    async def play(main: Module, client: Any) -> None:
        random = Random(7)

        async def answer(question: str) -> str:
            for _ in range(random.randrange(3)):
                await asyncio.sleep(0)
            return question

        async def one(number: int) -> str:
            return await main.ask(client, str(number), answer)

        tasks = [asyncio.create_task(one(number)) for number in range(300)]
        for task in random.sample(tasks, 150):
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
        for number, outcome in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
            assert outcome == str(number) or isinstance(outcome, asyncio.CancelledError)
        await main.ask(client, "last", answer)
        core = client._client.peer.core
        assert client._client.call_count == core.actor_count
        assert core.actor_count + len(core._given_up) <= 301
        assert not client._bridge._outcomes
        assert not client._bridge._tasks

    check(play)
