"""A module of target js, used with the official js-client 0.9.0 over one of our peers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from aquac.cli import main
from tests.conformance.areas.js_client import KIT, available, running_peer, websocket

pytestmark = [pytest.mark.p2p, pytest.mark.reference, pytest.mark.slow]

PROGRAM = """aqua Main declares *

import "@fluencelabs/aqua-lib/builtin.aqua"

export visit, each, delete, tell, Shop

data Item:
  name: string
  price: ?u64

-- Has things.
service Shop("shop"):
  find(name: string) -> Item
  class(new: []?string) -> u32

-- Asks the relay, then the shop.
func visit(name: string) -> string, Item, u32:
  on HOST_PEER_ID:
    greeting <- Op.concat_strings("hello, ", name)
  item <- Shop.find(greeting)
  count <- Shop.class([?["a"], nil])
  <- greeting, item, count

func each(xs: []u32, f: u32 -> ?u32) -> [][]u32:
  out: *[]u32
  for x <- xs:
    y <- f(x)
    out <<- y
  <- out

func delete(class: ?string) -> ?string:
  <- class

func tell(cb: string -> ()):
  cb("a`b${c}d")
"""

DRIVER = """
import { createClient } from "@fluencelabs/js-client";
import { visit, each, delete_, tell, registerShop } from "./main.js";

const client = await createClient(process.argv[2], { connectionOptions: { allowUnsafeProtocol: true } });
const seen = [];
registerShop(client, {
    find: (name, context) => { seen.push(typeof context.particleId); return { name, price: 5 }; },
    class: async (texts) => { seen.push(texts); return texts.length; },
});
const heard = await new Promise((resolve) => tell(client, resolve));
const results = {
    visit: await visit(client, "you"),
    each: await each(client, [1, 2], (x) => (x > 1 ? x * 10 : null)),
    given: await delete_(client, "x", { ttl: 9000 }),
    none: await delete_(client, null),
    heard,
    seen,
};
console.log(JSON.stringify(results));
await client.disconnect();
process.exit(0);
"""


def test_functions_services_and_callbacks(tmp_path: Path) -> None:
    missing = available()
    if missing is not None:
        pytest.skip(missing)
    (tmp_path / "main.aqua").write_text(PROGRAM)
    assert main(["-q", "build", str(tmp_path / "main.aqua"), "-o", str(tmp_path), "--target", "js"]) == 0
    (tmp_path / "node_modules").symlink_to(KIT / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "driver.js").write_text(DRIVER)
    with running_peer("--listen", "/ip4/127.0.0.1/tcp/0/ws") as peer:
        command = ["node", "--preserve-symlinks", "driver.js", websocket(peer)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "visit": ["hello, you", {"name": "hello, you", "price": 5}, 2],
        "each": [[], [20]],
        "given": "x",
        "none": None,
        "heard": "a`b${c}d",
        "seen": ["string", ["a", None]],
    }
