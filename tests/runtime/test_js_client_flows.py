"""js-client with modules of `aquac build --target js` on our peers; networks of both kinds of peers; and data that lie.

js-client runs the reference interpreter. A particle that visits clients and our peers in turn is merged by either of the other's
data, so what it brings home is right only if they agree.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from aquac import cli
from avm import Avm
from avm.call_data import encode_call_results
from avm.data.codec import decode, encode
from avm.data.interpreter_data import InterpreterData
from avm.outcome import CallResult, RunParameters
from runtime.core.particle import Particle
from runtime.network import Contact
from runtime.protocol import codec
from runtime.protocol.identity import named_identity
from tests.bench.relay_load import LoadClient, Relay, hello, running_relay
from tests.conformance.areas.js_client import KIT, available, running_peer, tcp, websocket
from tests.fuzz.avm_tamper import rehash

pytestmark = [pytest.mark.p2p, pytest.mark.reference, pytest.mark.slow]

HERE = Path(__file__).with_name("js_client_flows")
LISTEN = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
SECONDS = 240


@contextmanager
def checks(name: str) -> Iterator[Path]:
    """A checks file beside the packages it imports, and beside our compilation of flows.aqua."""
    missing = available()
    if missing is not None:
        pytest.skip(missing)
    pytest.importorskip("libp2p")
    with tempfile.TemporaryDirectory(dir=KIT) as folder:
        place = Path(folder)
        assert cli.main(["build", str(HERE / "flows.aqua"), "--target", "js", "-o", folder]) == 0
        shutil.copy(HERE / name, place)
        yield place / name


def command(relay: str, file: Path, *more: str) -> list[str]:
    return ["node", "run.mjs", "--relay", relay, "--checks", str(file), *more]


def check(output: str, errors: str, count: int) -> None:
    """Every check passed, and there were so many."""
    rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    found = [row for row in rows if "check" in row]
    assert not [(row["check"], row.get("error", row.get("reason"))) for row in found if row["status"] != "pass"], errors
    assert len(found) == count, errors


def test_flows_of_the_official_client() -> None:
    with (
        checks("flows.mjs") as file,
        running_peer(*LISTEN) as first,
        running_peer(*LISTEN, "--bootstrap", tcp(first)) as second,
    ):
        done = subprocess.run(
            command(websocket(first), file, "--relay2", websocket(second)),
            cwd=KIT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    check(done.stdout, done.stderr, 11)


# ── a relay that lies ────────────────────────────────────────────────────────────────────────────────────────────────

RELAY = named_identity("a relay that lies")
LIES = (
    "another value", "another value, hashed", "another argument, hashed", "another signature", "no signature", "a state more",
)  # fmt: skip


class LyingRelay:
    """Answers particles as a relay does, then changes the data it sends as the program's argument says."""

    def __init__(self) -> None:
        self.send, self.inbox = trio.open_memory_channel[tuple[str, Particle]](100)
        self.vm = Avm()

    def offer(self, sender: str, message: bytes) -> bool:
        particle = codec.decode(message)
        assert isinstance(particle, Particle)
        self.send.send_nowait((sender, particle))
        return True

    async def on_message(self, sender: str, message: bytes) -> None:
        raise AssertionError

    def on_connected(self, contact: Contact) -> None: ...

    def on_disconnected(self, peer_id: str) -> None: ...

    def answer(self, particle: Particle) -> bytes:
        params = RunParameters(
            particle.init_peer_id, RELAY.peer_id, particle.timestamp, particle.ttl, particle.id, RELAY.seed
        )
        outcome = self.vm.invoke(particle.script, b"", particle.data, params, encode_call_results({}))
        (key, request), *_ = outcome.call_requests.items()
        lie = request.arguments[0]
        results = encode_call_results({key: CallResult(0, json.dumps(lie))})
        outcome = self.vm.invoke(particle.script, outcome.data, b"", params, results)
        assert outcome.next_peer_pks == (particle.init_peer_id,)
        data = decode(outcome.data)
        lied(data, lie, RELAY.public_key)
        return codec.encode(particle.with_data(encode(data)))


def lied(data: InterpreterData, lie: str, signer: bytes) -> None:
    """Change data that a peer with that key sends; nothing for `honest`."""
    stores = data.stores
    result_cid = data.trace[-1][1] if data.trace[-1][1] in stores.service_results else data.trace[-2][1]
    result = stores.service_results[result_cid]
    match lie:
        case "another value" | "another value, hashed":
            stores.values[result.value_cid] = '"lie"'
        case "another argument, hashed":
            stores.service_results[result_cid] = result._replace(argument_hash=next(iter(stores.values)))
        case "another signature":
            ours = next(key for key in data.signatures if signer in key)
            signature = bytearray(data.signatures[ours])
            signature[-1] ^= 1
            data.signatures[ours] = bytes(signature)
        case "no signature":
            data.signatures = {key: value for key, value in data.signatures.items() if signer not in key}
        case "a state more":
            data.trace = [*data.trace[:-1], data.trace[-2], *data.trace[-1:]]
    if lie.endswith("hashed"):
        rehash(data)


def test_lies_are_refused_by_js_client() -> None:
    from runtime.protocol.libp2p_host import Libp2pNetwork

    async def main(file: Path) -> Any:
        network, relay = Libp2pNetwork(RELAY, allow_local_addresses=True), LyingRelay()

        async def serve() -> None:
            async for sender, particle in relay.inbox:
                await network.send(sender, relay.answer(particle))

        async with trio.open_nursery() as nursery:
            listen = ["/ip4/127.0.0.1/tcp/0/ws"]
            (address,) = await nursery.start(lambda task_status: network.serve(relay, listen, task_status=task_status))
            nursery.start_soon(serve)
            with trio.fail_after(SECONDS):
                done = await trio.run_process(
                    command(address, file), cwd=KIT, capture_stdout=True, capture_stderr=True, check=False
                )
            nursery.cancel_scope.cancel()
        return done

    with checks("tampered.mjs") as file:
        done = trio.run(main, file)
    check(done.stdout.decode(), done.stderr.decode(), 1 + len(LIES))


def test_lies_are_refused_by_our_peer() -> None:
    """A client's data, changed on the way: the relay sends nothing; what is honest and comes after is answered."""
    client, vm = LoadClient(named_identity("a client that lies")), Avm()

    async def main(relay: Relay) -> None:
        async with trio.open_nursery() as nursery:
            await client.start(nursery, relay.address(websocket=True))
            for number, lie in enumerate((*LIES, "honest")):
                now_ms = time.time_ns() // 1_000_000
                told = hello(vm, client.identity, relay.peer_id, number, now_ms=now_ms)
                particle = codec.decode(told.message)
                assert isinstance(particle, Particle)
                data = decode(particle.data)
                lied(data, lie, client.identity.public_key)
                await client.send(codec.encode(particle.with_data(encode(data))))
            assert await client.wait_for(1, SECONDS) == 1
            assert list(client.answers) == [told.particle_id]
            nursery.cancel_scope.cancel()

    with running_relay(processor=None) as relay:
        trio.run(main, relay)
