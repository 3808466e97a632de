"""Our client and the official js-client 0.9.0 call each other's services through one of our relays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

from aquac.cli import main
from runtime.client import WorkflowError, connect
from tests.conformance.areas.js_client import KIT, available, running_peer, tcp, websocket

pytestmark = [pytest.mark.p2p, pytest.mark.reference, pytest.mark.slow]

PROGRAM = """aqua Main declares *

export visit, Shop

data Item:
  name: string
  price: ?u64

-- Has things.
service Shop("shop"):
  find(name: string) -> Item

-- Asks the shop of another client of the same relay.
func visit(peer: string, name: string) -> Item:
  on peer via HOST_PEER_ID:
    item <- Shop.find(name)
  <- item
"""

DRIVER = """
import { createInterface } from "node:readline";
import { createClient } from "@fluencelabs/js-client";
import { visit, registerShop } from "./main.js";

const client = await createClient(process.argv[2], { connectionOptions: { allowUnsafeProtocol: true } });
registerShop(client, { find: (name) => {
    if (name === "nothing") throw new Error("sold out");
    return { name: name + " of js", price: name === "gift" ? null : 5 };
} });
console.log(JSON.stringify(client.getPeerId()));
for await (const peer of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await visit(client, peer, "apple")));
}
await client.disconnect();
process.exit(0);
"""


@contextmanager
def js_client(folder: Path, relay: str) -> Iterator[Any]:
    """A js-client in a process of its own; `ask(line)` gives the JSON it answers, its peer id first."""
    assert main(["-q", "build", str(folder / "main.aqua"), "-o", str(folder), "--target", "js,py"]) == 0
    (folder / "driver.mjs").write_text(DRIVER)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(KIT / "node_modules")
    command = ["node", "driver.mjs", relay]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(line: str) -> Any:
            if line:
                process.stdin.write(line + "\n")
                process.stdin.flush()
            return json.loads(process.stdout.readline())

        try:
            yield ask
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_each_calls_the_other(tmp_path: Path) -> None:
    missing = available()
    if missing is not None:
        pytest.skip(missing)
    (tmp_path / "main.aqua").write_text(PROGRAM)

    async def play(relay: str, ask: Any) -> None:
        made: Any = ModuleType("made_for_js")
        sys.modules["made_for_js"] = made
        exec(compile((tmp_path / "main.py").read_text(), "main.py", "exec"), made.__dict__)
        peer = await trio.to_thread.run_sync(ask, "")

        class Shop:
            def find(self, name: str, context: Any) -> Any:
                return made.Item(name=f"{name} for {context.init_peer_id == peer}")

        async with connect(relay) as client:
            made.register_shop(client, Shop())
            assert await made.visit(client, peer, "pear") == made.Item(name="pear of js", price=5)
            assert await made.visit(client, peer, "gift") == made.Item(name="gift of js", price=None)
            assert await trio.to_thread.run_sync(ask, client.peer_id) == {"name": "apple for True", "price": None}
            with pytest.raises(WorkflowError, match="sold out") as caught:
                await made.visit(client, peer, "nothing")
            assert caught.value.peer_id == peer
            assert caught.value.source == ("main.aqua", 16)

    listen = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
    with running_peer(*listen) as ready, js_client(tmp_path, websocket(ready)) as ask:
        trio.run(play, tcp(ready), ask)
