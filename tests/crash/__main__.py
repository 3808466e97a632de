"""Kill a peer at random moments and see that it has lost nothing it had acknowledged, and done nothing twice.

    python3 -m tests.crash --kills 200 --seed N

A real `avm peer run --data-dir` is under load of a client in this process, over sockets: services are made, given aliases, removed,
aliases move, particles carry ballast. It gets SIGKILL after a random number of answers; the directory is looked into, the peer is
started again, and the particles of its last life come once more. `model.py` says what must be true then. `--plant` damages what is kept
between two lives, which has to be found: the check of the check.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from avm import Avm
from runtime.client import CallFailed, Client
from runtime.clock import SystemClock
from runtime.commands.peer_state import state_report
from runtime.config import PeerConfig
from runtime.core.peer_core import ClientPolicy
from runtime.lone import lone
from runtime.marine.blueprint import Blueprint
from runtime.marine.cids import file_cid
from runtime.network import NetworkError
from runtime.peer import Peer
from runtime.protocol import codec
from runtime.protocol.identity import named_identity
from runtime.protocol.p2p import open_p2p
from runtime.services.client import ClientServices
from runtime.vm import ThreadVm
from tests.crash.model import Model
from tests.runtime.marine.kit import CORPUS

ROOT = Path(__file__).resolve().parents[2]
MANAGER = named_identity("crash manager")
WORKERS = 4
TTL_MS = 600_000
ANSWERS_MAX = 40
"""Answers before a kill, at most."""

PAUSE_S_MAX = 0.06
STANDING_MAX = 20
"""Services that are kept; then some are removed."""

LOAD_S_MAX = 60
READY_S = 120
BALLAST = 20_000


def script(*calls: str, result: str, arguments: tuple[str, ...] = ()) -> str:
    """A program that takes arguments, makes calls of the relay in turn and answers `result`."""
    text = f'(call %init_peer_id% ("callbackSrv" "response") [{result}])'
    for call in reversed(calls):
        text = f"(seq (call relay {call}) {text})"
    for name in ("-relay-", *arguments):
        text = f'(seq (call %init_peer_id% ("getDataSrv" "{name}") [] {name.strip("-")}) {text})'
    return f'(xor {text} (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0]))'


class Violation(Exception):
    """The peer has lost something or done it twice."""


@dataclass
class Crash:
    """One search. sent: the first message of every particle of this life; old: particles of earlier ones, which come once more and never again."""

    folder: Path
    rng: random.Random
    plant: str = ""
    model: Model = field(default_factory=Model)
    names: dict[str, str] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)
    old: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    enough: int = 0
    answered: trio.Event = field(default_factory=trio.Event)
    cid: str = ""
    next_name: int = 0
    busy: set[str] = field(default_factory=set)

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [
            sys.executable, "-m", "avm", "peer", "run", "--allow-local-addresses", "--listen", "/ip4/127.0.0.1/tcp/0",
            "--data-dir", str(self.folder / "data"), "--management", MANAGER.peer_id,
        ]  # fmt: skip
        log = (self.folder / "peer.log").open("a")
        with log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait(READY_S)
            text = (self.folder / "peer.log").read_text()[-3000:]
            raise Violation(f"the peer did not start again (exit {process.returncode}): {text}")
        return process, json.loads(line)

    def life(self, ready: dict[str, Any], body: Callable[[Client], Awaitable[None]]) -> None:
        async def main() -> None:
            async with self.client(ready) as client:
                await body(client)

        trio.run(main)

    @asynccontextmanager
    async def client(self, ready: dict[str, Any]) -> AsyncIterator[Client]:
        identity, clock = MANAGER, SystemClock()
        network = open_p2p("a client", identity, allow_local_addresses=True)
        services = ClientServices(identity, clock, lambda line: None)
        peer = Peer(
            PeerConfig(identity), network, vm=ThreadVm(lambda: Avm("interp")), services=services,
            policy=ClientPolicy(ready["peer_id"]), clock=clock,
        )  # fmt: skip
        send = network.send

        async def recording(target: str, message: bytes) -> None:
            particle = codec.decode(message)
            assert not isinstance(particle, codec.Upgrade)
            if particle.id not in self.old:
                self.sent.setdefault(particle.id, message)
            await send(target, message)

        network.send = recording  # type: ignore[method-assign]
        async with peer:
            with trio.fail_after(READY_S):
                await network.dial(ready["listen"][0])
            yield Client(peer, services, ready["peer_id"])

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, client: Client, program: str, **arguments: Any) -> Any:
        answer = await client.call(program, ttl_ms=TTL_MS, arguments=arguments)
        self.answers += 1
        if self.answers >= self.enough:
            self.answered.set()
        return answer.values[0]

    async def deploy(self, client: Client) -> None:
        wasm = (CORPUS / "modules" / "demo.wat.wasm").read_bytes()
        self.cid = file_cid(wasm)
        call = '("dist" "add_module") [wasm config] cid'
        got = await self.ask(
            client,
            script(call, result="cid", arguments=("wasm", "config")),
            wasm=[*wasm], config={"name": "demo"},
        )  # fmt: skip
        if got != self.cid:
            raise Violation(f"the module has id {got}")

    async def create(self, client: Client) -> None:
        name = f"s{self.next_name}"
        self.next_name += 1
        self.names[Blueprint(name, (self.cid,)).id] = name
        self.model.create(name)
        service_id = await self.ask(
            client,
            script(
                f'("dist" "make_blueprint") ["{name}" cids] blueprint', '("dist" "add_blueprint") [blueprint] blueprint_id',
                '("srv" "create") [blueprint_id] id', f'("srv" "add_alias") ["{name}" id]', result="id", arguments=("cids",),
            ),
            cids=[self.cid],
        )  # fmt: skip
        self.model.created(name, service_id)
        self.count("services made")

    async def move(self, client: Client) -> None:
        free = [alias for alias in self.model.free_aliases() if alias not in self.busy]
        standing = [pair for pair in self.model.standing() if pair[0] not in self.busy]
        if not standing:
            return
        alias = self.rng.choice(free) if len(free) > 2 else f"m{self.next_name}"
        self.next_name += 1
        name, service_id = self.rng.choice(standing)
        self.busy |= {alias, name}
        self.model.move(alias, service_id)
        await self.ask(client, script(f'("srv" "add_alias") ["{alias}" "{service_id}"]', result=f'"{alias}"'))
        self.model.moved(alias, service_id)
        self.busy -= {alias, name}
        self.count("aliases moved")

    async def remove(self, client: Client) -> None:
        removable = [pair for pair in self.model.removable() if pair[0] not in self.busy]
        if len(self.model.standing()) < STANDING_MAX or not removable:
            return
        name, service_id = self.rng.choice(removable)
        self.busy.add(name)
        self.model.remove(name)
        await self.ask(client, script(f'("srv" "remove") ["{service_id}"]', result=f'"{name}"'))
        self.model.removed(name)
        self.busy.discard(name)
        self.count("services removed")

    async def carry(self, client: Client) -> None:
        calls = [f'("op" "identity") [text] t{number}' for number in range(4)]
        text = "x" * self.rng.randrange(BALLAST)
        got = await self.ask(client, script(*calls, result="t3", arguments=("text",)), text=text)
        if got != text:
            raise Violation("ballast came back as something else")
        self.count("particles with ballast")

    async def work(self, client: Client, rng: random.Random) -> None:
        while True:
            (operation,) = rng.choices((self.create, self.move, self.remove, self.carry), (4, 5, 3, 2))
            try:
                await operation(client)
            except CallFailed as error:
                raise Violation(f"{operation.__name__}: {error}") from error
            await trio.lowlevel.checkpoint()

    # ── lives ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def verify(self, client: Client) -> None:
        services = await self.ask(client, script('("srv" "list") [] list', result="list"))
        blueprints = await self.ask(client, script('("dist" "list_blueprints") [] list', result="list"))
        wrong = self.model.check(services, self.names, [blueprint["id"] for blueprint in blueprints])
        if wrong:
            raise Violation("; ".join(wrong))

    def look_in(self) -> None:
        """The directory of a dead peer shows every service that is certainly there."""
        report = state_report(self.folder / "data")
        if report["in_use"]:
            raise Violation("the directory of a dead peer is in use")
        known = {service["id"] for service in report["services"]}
        lost = [name for name, service_id in self.model.standing() if service_id not in known]
        if lost:
            raise Violation(f"not in the store: {', '.join(lost)}")
        self.counts["particles kept"] = self.counts.get("particles kept", 0) + len(report["particles"])

    async def load(self, client: Client, process: subprocess.Popen[str], resend: list[bytes]) -> None:
        await self.verify(client)
        self.enough, self.answered = self.answers + self.rng.randrange(1, ANSWERS_MAX), trio.Event()
        pause_s = self.rng.uniform(0, PAUSE_S_MAX)
        with trio.move_on_after(LOAD_S_MAX) as limit:
            async with trio.open_nursery() as nursery:
                for message in resend:
                    nursery.start_soon(self.send_again, client, message)
                for _ in range(WORKERS):
                    nursery.start_soon(self.work, client, random.Random(self.rng.random()))
                await self.answered.wait()
                await trio.sleep(pause_s)
                process.send_signal(signal.SIGKILL)
                nursery.cancel_scope.cancel()
        if limit.cancelled_caught:
            raise Violation(f"fewer than {self.enough - self.answers} more answers in {LOAD_S_MAX} s")

    async def send_again(self, client: Client, message: bytes) -> None:
        try:
            await client.peer.network.send(client.peer.core.policy.relay, message)  # type: ignore[union-attr, arg-type]
        except NetworkError:
            return
        self.count("particles sent again")

    def damage(self) -> None:
        """Forget what `--plant` names."""
        with sqlite3.connect(self.folder / "data" / "state.db") as connection:
            connection.execute("DELETE FROM entries WHERE namespace = ?", (self.plant,))
        connection.close()

    def run(self, kills: int, say: Callable[[str], None]) -> None:
        resend: list[bytes] = []
        for number in range(kills + 2):
            self.model.life = number
            self.busy.clear()
            process, ready = self.start()
            try:
                if number == 0:
                    self.life(ready, self.deploy)
                self.old |= self.sent.keys()
                self.sent = {}
                if number < kills:
                    self.life(ready, partial(self.load, process=process, resend=resend))
                    process.wait(READY_S)
                    self.look_in()
                else:  # twice more: what was unknown is known in the end, and an orderly end keeps everything as well
                    self.life(ready, self.verify)
                    process.terminate()
                    if process.wait(READY_S) != 0:
                        raise Violation(f"the peer ended with {process.returncode}")
            finally:
                process.kill()
                process.communicate()
            resend = list(self.sent.values())
            if self.plant and number < kills:
                self.damage()
            say(
                f"life {number}: {self.answers} answers, {len(self.model.standing())} services, {len(resend)} particles"
            )


def search(kills: int, seed: int, *, plant: str = "", say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Run one search; what was done. Raises Violation."""
    with tempfile.TemporaryDirectory(prefix="avm-crash-") as folder:
        crash = Crash(Path(folder), random.Random(seed), plant)
        start = time.monotonic()
        try:
            with lone(Violation):
                crash.run(kills, say)
        except Violation as error:
            raise Violation(f"seed {seed}, life {crash.model.life}: {error}") from None
        return {
            "kills": kills,
            "seed": seed,
            "answers": crash.answers,
            **crash.counts,
            "seconds": round(time.monotonic() - start),
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.crash", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--plant", choices=("particles", "services", "aliases"), default="")
    args = parser.parse_args()
    try:
        print(
            json.dumps(
                search(
                    args.kills, args.seed, plant=args.plant, say=lambda line: print(line, file=sys.stderr, flush=True)
                )
            )
        )
    except Violation as error:
        print(f"LOST OR DOUBLED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
