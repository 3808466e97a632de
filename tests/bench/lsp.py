"""Latency of the language server on a file of 500 lines that imports the standard library; 95th percentiles.

Requests go to the functions behind the protocol, and for `stdio …` to a server process beside an empty pygls server, whose
hover answers nothing: what that takes is the protocol's own share.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from aquac.source import Span
from lsp.collecting import calm_collector
from lsp.convert import to_uri
from lsp.features.code_actions import code_actions
from lsp.features.completion import completion
from lsp.features.definition import definition
from lsp.features.formatting import formatting
from lsp.features.hover import hover
from lsp.features.inlay_hints import inlay_hints
from lsp.features.references import references
from lsp.features.semantic_tokens import semantic_tokens
from lsp.workspace import Workspace
from tests.bench.runner import Row

PATH: Final = "/bench/main.aqua"
ROUNDS: Final = 60
FUNCTION: Final = """
-- Does something on a peer.
func f{n}(node: string, count: u32) -> u32, string:
  on node via HOST_PEER_ID:
    x <- Op.identity(?[node])
    found: *string
    for item <- [node, "b"] par:
      found <<- item
    join found[1]
  total = count + {n}
  if total > 3:
    t <- Peer.timestamp_ms()
  else:
    Op.noop()
  <- total, x!
"""
EMPTY: Final = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("empty", "1")
@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params):
    return None
server.start_io()
"""


def text(version: int) -> str:
    """The file; its middle function differs between versions."""
    functions = "".join(FUNCTION.replace("{n}", str(n)) for n in range(33))
    changed = functions.replace("total = count + 16\n", f"total = count + 16{version}\n")
    names = ", ".join(f"f{n}" for n in range(33))
    return f'aqua Bench\n\nimport "@fluencelabs/aqua-lib/builtin.aqua"\n\nexport {names}\n{changed}'


def p95(times: Sequence[float]) -> float:
    """95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def timed(action: Callable[[int], object]) -> tuple[float, None, dict[str, float]]:
    """95th percentile of an action in milliseconds, with the median beside; the first two rounds warm up."""
    times = []
    for number in range(ROUNDS + 2):
        start = time.perf_counter()
        action(number)
        times.append(1000 * (time.perf_counter() - start))
    return p95(times[2:]), None, {"median_ms": round(statistics.median(times[2:]), 3)}


def run(only: Sequence[str]) -> Iterator[Row]:
    """Rows as they are measured."""
    with calm_collector():
        pass
    workspace = Workspace()
    body = text(0)
    workspace.set_text(PATH, body)
    offset = body.index("Op.identity", body.index("func f20")) + 4
    member = body.index("Peer.timestamp_ms", body.index("func f20")) + len("Peer.")

    def edit(number: int) -> object:
        workspace.set_text(PATH, text(number))
        return workspace.check(PATH)

    actions: dict[str, Callable[[int], object]] = {
        "edit to findings": edit,
        "hover": lambda _: hover(workspace, PATH, offset),
        "definition": lambda _: definition(workspace, PATH, offset),
        "completion of a member": lambda _: completion(workspace, PATH, member),
        "completion of a value": lambda _: completion(workspace, PATH, offset - 4),
        "references": lambda _: references(workspace, PATH, offset),
        "semantic tokens": lambda _: semantic_tokens(workspace, PATH),
        "inlay hints": lambda _: inlay_hints(workspace, PATH, Span(0, len(body))),
        "formatting": lambda _: formatting(workspace, PATH),
        "code actions": lambda _: code_actions(workspace, PATH, Span(offset, offset)),
    }
    for name, action in actions.items():
        if not only or name in only:
            yield Row(name, *timed(action))
    for name in ("stdio hover", "stdio edit to findings"):
        if not only or name in only:
            yield asyncio.run(over_stdio(name))


class Client(LanguageClient):
    """Remembers when findings came."""

    def __init__(self) -> None:
        """Listen."""
        super().__init__("bench", "1")
        self.arrived = asyncio.Event()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(_: types.PublishDiagnosticsParams) -> None:
            self.arrived.set()


async def over_stdio(name: str) -> Row:
    """Our server and the empty one; the empty one has no findings."""
    ours = await _session([sys.executable, "-m", "lsp"], _edits if "edit" in name else _hovers)
    theirs = None if "edit" in name else await _session([sys.executable, "-c", EMPTY], _hovers)
    return Row(name, ours, theirs)


async def _session(command: list[str], measure: Callable[[Client, str], Awaitable[list[float]]]) -> float:
    client = Client()
    await client.start_io(*command)
    with tempfile.TemporaryDirectory() as folder:
        uri = to_uri(str(Path(folder) / "main.aqua"))
        await client.initialize_async(types.InitializeParams(types.ClientCapabilities(), root_uri=to_uri(folder)))
        client.initialized(types.InitializedParams())
        client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "aqua", 1, text(0))))
        times = await measure(client, uri)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
    return p95(times[2:])


async def _hovers(client: Client, uri: str) -> list[float]:
    times = []
    for _ in range(ROUNDS + 2):
        start = time.perf_counter()
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(300, 8))
        await client.text_document_hover_async(params)
        times.append(1000 * (time.perf_counter() - start))
    return times


async def _edits(client: Client, uri: str) -> list[float]:
    times = []
    await client.arrived.wait()
    for number in range(ROUNDS + 2):
        client.arrived.clear()
        start = time.perf_counter()
        change = types.TextDocumentContentChangeWholeDocument(text(number))
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(number + 2, uri), [change])
        )
        await client.arrived.wait()
        times.append(1000 * (time.perf_counter() - start))
    return times
