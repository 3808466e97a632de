"""Latency of the language server over standard input and output: 95th percentiles in milliseconds.

The file has 500 lines and imports the standard library. Each round asks ours, an empty pygls server that answers the same request
with nothing (what the protocol costs in Python), and typescript-language-server about a TypeScript file of the same shape, one
after the other. The last is used if it is in `.reference/node_modules` or where `$LSP_TYPESCRIPT` says:

    npm install --prefix .reference typescript-language-server typescript

Times end when the last byte of the answer is there; the client decodes it afterwards. `bar_ms` is what issue 8 allows,
`cpu_ms` the processor time of ours for one round, which other work on the machine does not touch.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lsp.convert import to_uri
from lsp.framing import Frames
from tests.bench.runner import Row

TOP: Final = Path(__file__).resolve().parents[2]
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "100"))
WARM_UP: Final = 5
STARTS: Final = 10
FILES: Final = 1000

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
TYPESCRIPT: Final = """
/** Does something. */
export async function f{n}(node: string, count: number): Promise<[number, string]> {
  const found: string[] = [];
  const known = new Map<string, number>([[node, count]]);
  for (const item of [node, "b"]) {
    found.push(item.toUpperCase());
    known.set(item, item.length);
  }
  const total = count + {n};
  if (total > 3) {
    await Promise.resolve(Date.now());
  }
  return [total, found.join(String(known.size))];
}
"""
EMPTY: Final = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("empty", "1")
def nothing(params):
    return None
for method in ("hover", "definition", "references", "completion", "formatting", "semanticTokens/full", "codeAction", "inlayHint"):
    server.feature("textDocument/" + method, types.SemanticTokensLegend([], []) if "Tokens" in method else None)(nothing)
@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(params):
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))
server.start_io()
"""
BARS: Final = {
    "edit to findings": 50,
    "completion of a member": 20,
    "completion of a value": 20,
    "hover": 10,
    "definition": 10,
    "references": 30,
    "formatting": 30,
    "semantic tokens": None,
    "inlay hints": None,
    "code actions": None,
}
READY_BAR: Final = 600
FIRST_BAR: Final = 300
RSS_BAR: Final = 300


FINDINGS: Final = b'"textDocument/publishDiagnostics"'
WRONG: Final = "coun + 16;"
PATIENCE_SECONDS: Final = 60


def aqua_text(version: int) -> str:
    """The file; its middle function differs between versions."""
    functions = "".join(FUNCTION.replace("{n}", str(n)) for n in range(33))
    changed = functions.replace("total = count + 16\n", f"total = count + 16{version}\n")
    names = ", ".join(f"f{n}" for n in range(33))
    return f'aqua Bench\n\nimport "@fluencelabs/aqua-lib/builtin.aqua"\n\nexport {names}\n{changed}'


def typescript_text(version: int) -> str:
    """The same in TypeScript; every other version has a mistake, as findings that stay the same are not sent again."""
    functions = "".join(TYPESCRIPT.replace("{n}", str(n)) for n in range(33))
    return functions.replace("count + 16;", WRONG if version % 2 else "count + 16;")


# ── a client that does not decode before the time is taken ───────────────────────────────────────────────────────────


@dataclass
class Session:
    """One server process with one open document."""

    command: list[str]
    suffix: str
    language: str
    folder: Path
    frames: Frames = field(default_factory=Frames)
    number: int = 0
    version: int = 1
    text: str = ""

    async def start(self) -> float:
        """Milliseconds until the server has said what it can do."""
        begin = time.perf_counter()
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        root = to_uri(str(self.folder))
        able = {"textDocument": {"publishDiagnostics": {}, "completion": {"completionItem": {"snippetSupport": True}}}}
        params = {"capabilities": able, "processId": None, "rootUri": root}
        await self.ask("initialize", params | {"workspaceFolders": [{"uri": root, "name": "bench"}]})
        self.ready = 1000 * (time.perf_counter() - begin)
        self.tell("initialized", {})
        return self.ready

    @property
    def uri(self) -> str:
        return to_uri(str(self.folder / f"main{self.suffix}"))

    def write(self, body: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0"} | body).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    def tell(self, method: str, params: Any) -> None:
        self.write({"method": method, "params": params})

    async def until(self, is_it: Callable[[bytes], bool]) -> bytes:
        """The first message that is the one. Raises TimeoutError."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                data = await self.process.stdout.read(1 << 20)
                assert data, f"{self.command[0]} ended"
                found = b""
                for body in self.frames.feed(data):
                    if not found and is_it(body):
                        found = body
                    elif b'"method"' in body and b'"id"' in body:  # what the server asks is answered with nothing
                        message = json.loads(body)
                        if "method" in message and "id" in message:
                            self.write({"id": message["id"], "result": None})
                if found:
                    return found

    async def ask(self, method: str, params: Any) -> float:
        """Milliseconds until the answer is there; an error is one of the benchmark."""
        self.number += 1
        msg_id = f"ask-{self.number}"
        begin = time.perf_counter()
        self.write({"id": msg_id, "method": method, "params": params})
        body = await self.until(lambda body: b'"%s"' % msg_id.encode() in body)
        taken = 1000 * (time.perf_counter() - begin)
        assert b'"error"' not in body[:200], body[:300]
        self.answer = body
        return taken

    async def open(self, text: str) -> float:
        """Milliseconds until the first findings."""
        self.text = text
        document = {"uri": self.uri, "languageId": self.language, "version": 1, "text": text}
        begin = time.perf_counter()
        self.tell("textDocument/didOpen", {"textDocument": document})
        await self.until(lambda body: FINDINGS in body)
        return 1000 * (time.perf_counter() - begin)

    async def edit(self, text: str) -> float:
        """Milliseconds from an edit of one line to the findings."""
        at = next(n for n, (a, b) in enumerate(zip(self.text, text, strict=False)) if a != b)
        end = self.text.index("\n", at)
        line = self.text.count("\n", 0, at)
        column = at - self.text.rfind("\n", 0, at) - 1
        inserted = text[at : text.index("\n", at)]
        span = {"start": {"line": line, "character": column}, "end": {"line": line, "character": column + end - at}}
        self.version += 1
        self.text = text
        document = {"uri": self.uri, "version": self.version}
        begin = time.perf_counter()
        changes = [{"range": span, "text": inserted}]
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        await self.until(self._is_of_this_version)
        return 1000 * (time.perf_counter() - begin)

    def _is_of_this_version(self, body: bytes) -> bool:
        if FINDINGS not in body:
            return False
        if self.language == "typescript":
            return (b"Cannot find name" in body) == (WRONG in self.text)
        return b'"version"' not in body or b'"version": %d' % self.version in body

    def place(self, mark: str, behind: int = 0) -> dict[str, Any]:
        """Position of a text in the function `f20`."""
        at = self.text.index(mark, self.text.index("function f20" if self.language == "typescript" else "func f20"))
        at += behind
        line = self.text.count("\n", 0, at)
        return {"line": line, "character": at - self.text.rfind("\n", 0, at) - 1}

    def place_of(self, mark: str) -> dict[str, Any]:
        """Position of the first mention of a text."""
        at = self.text.index(mark)
        return {"line": self.text.count("\n", 0, at), "character": at - self.text.rfind("\n", 0, at) - 1}

    async def measured(self, workload: str, number: int) -> float:
        """One round of a workload."""
        ts = self.language == "typescript"
        here = {"textDocument": {"uri": self.uri}}
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": self.text.count("\n"), "character": 0}}
        match workload:
            case "edit to findings":
                return await self.edit((typescript_text if ts else aqua_text)(number % 10 + 10 * (number // 10 % 10)))
            case "completion of a member":
                place = self.place("known.set" if ts else "Peer.timestamp_ms", 6 if ts else 5)
                return await self.ask("textDocument/completion", here | {"position": place})
            case "completion of a value":
                place = self.place("total > 3" if ts else "Op.identity", 2 if ts else 0)
                return await self.ask("textDocument/completion", here | {"position": place})
            case "hover" | "definition":
                place = self.place("known.set" if ts else "Op.identity", 7 if ts else 4)
                return await self.ask(f"textDocument/{workload}", here | {"position": place})
            case "references":
                place = self.place("push(item" if ts else "identity")
                params = here | {"position": place, "context": {"includeDeclaration": True}}
                return await self.ask("textDocument/references", params)
            case "formatting":
                options = {"tabSize": 2, "insertSpaces": True}
                return await self.ask("textDocument/formatting", here | {"options": options})
            case "semantic tokens":
                return await self.ask("textDocument/semanticTokens/full", here)
            case "inlay hints":
                return await self.ask("textDocument/inlayHint", here | {"range": whole})
            case _:
                place = self.place("total")
                params = here | {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}
                return await self.ask("textDocument/codeAction", params)

    def cpu_ms(self) -> float | None:
        """Processor time of the server so far, where the system tells."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, float]:
        """Resident megabytes now and at most, where the system tells."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return {}
        found = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.split()}
        return {name: round(int(found[key]) / 1024, 1) for name, key in (("rss_mb", "VmRSS"), ("peak_mb", "VmHWM"))}

    async def stop(self) -> None:
        """Let the process go."""
        await self.ask("shutdown", None)
        self.tell("exit", None)
        await self.process.wait()


def typescript() -> list[str] | None:
    """Command of the other language's server, if it is there."""
    given = os.environ.get("LSP_TYPESCRIPT")
    installed = TOP / ".reference/node_modules/.bin/typescript-language-server"
    path = given or (str(installed) if installed.exists() else None)
    return [path, "--stdio"] if path is not None and shutil.which(path) else None


def sessions(folder: Path) -> list[Session]:
    """Ours, the empty one, and the other language's where it can be had."""
    found = [
        Session([sys.executable, "-m", "lsp"], ".aqua", "aqua", folder),
        Session([sys.executable, "-c", EMPTY], ".aqua", "aqua", folder),
    ]
    other = typescript()
    return [*found, Session(other, ".ts", "typescript", folder)] if other else found


def row(workload: str, times: Sequence[Sequence[float]], bar: float | None) -> Row:
    """95th percentiles of ours and the empty server; medians and the other server beside."""
    p95 = [statistics.quantiles(each, n=20)[-1] for each in times]
    extra: dict[str, Any] = {"bar_ms": bar, "median_ms": round(statistics.median(times[0]), 3)}
    if len(times) > 2:
        extra |= {"typescript_ms": round(p95[2], 3), "typescript_median_ms": round(statistics.median(times[2]), 3)}
    return Row(workload, p95[0], p95[1], extra)


async def starts() -> list[Row]:
    """From the start of the process to ready, and from opening the file to its findings, with a warm cache."""
    ready: list[list[float]] = []
    first: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = sessions(Path(folder))
        ready, first = [[] for _ in servers], [[] for _ in servers]
        for number in range(STARTS + 1):
            for n, server in enumerate(sessions(Path(folder))):
                taken = await server.start()
                text = typescript_text(0) if server.language == "typescript" else aqua_text(0)
                opened = await server.open(text)
                await server.stop()
                if number:  # the first fills caches
                    ready[n].append(taken)
                    first[n].append(opened)
    return [row("start to ready", ready, READY_BAR), row("open to first findings", first, FIRST_BAR)]


async def requests(workloads: Sequence[str]) -> list[Row]:
    """Requests and edits, in turns."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        servers = sessions(Path(folder))
        for server in servers:
            await server.start()
            await server.open(typescript_text(0) if server.language == "typescript" else aqua_text(0))
        for workload in workloads:
            able = servers if workload not in ("inlay hints", "semantic tokens", "code actions") else servers[:2]
            times: list[list[float]] = [[] for _ in able]
            cpu_before = servers[0].cpu_ms()
            for number in range(ROUNDS + WARM_UP):
                for n, server in enumerate(able):
                    taken = await server.measured(workload, number + 1)
                    if number >= WARM_UP:
                        times[n].append(taken)
            found.append(row(workload, times, BARS[workload]))
            if cpu_before is not None:
                spent = (servers[0].cpu_ms() or 0) - cpu_before
                found[-1].extra["cpu_ms"] = round(spent / (ROUNDS + WARM_UP), 2)
        for server in servers:
            await server.stop()
    return found


def write_files(folder: Path) -> None:
    """A workspace of `FILES` files of a hundred lines: each imports the library and one or two others."""
    part = FUNCTION.split("\n  total")[0].replace("    found: *string\n", "").partition("    for")[0]
    for i in range(FILES):
        imports = dict.fromkeys(f'import "m{j}.aqua"\n' for j in ((i - 1) // 3, i // 5) if 0 <= j < i)
        body = "".join(
            part.replace("f{n}", f"f{i}x{n}").replace("u32, string", "u32") + f"  total = count + {n}\n  <- total\n"
            for n in range(14)
        )
        head = f'aqua M{i} declares *\n\nimport "@fluencelabs/aqua-lib/builtin.aqua"\n{"".join(imports)}'
        call = f"\nfunc g{i}(node: string) -> u32:\n  x <- f{(i - 1) // 3}x0(node, 1)\n  <- x\n" if i else ""
        (folder / f"m{i}.aqua").write_text(head + body + call)


async def many_files() -> Row:
    """A workspace of a thousand files, read, searched for a name used everywhere, and edited at a leaf."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        server = Session([sys.executable, "-m", "lsp"], ".aqua", "aqua", folder)
        await server.start()
        leaf = (folder / f"m{FILES - 1}.aqua").read_text()
        first = await server.open(leaf)
        read = await server.ask("workspace/symbol", {"query": "f3x0"})
        after_reading = server.memory()
        place = {"textDocument": {"uri": server.uri}, "position": server.place_of(f"f{(FILES - 2) // 3}x0")}
        context = {"context": {"includeDeclaration": True}}
        searched = await server.ask("textDocument/references", place | context)
        place["position"] = server.place_of("identity")
        everywhere = await server.ask("textDocument/references", place | context)
        edits = [await server.edit(leaf.replace("count + 7\n", f"count + 7{n}\n")) for n in range(1, 30)]
        extra = {
            "bar_mb": RSS_BAR,
            **{f"read_{name}": value for name, value in after_reading.items()},
            **server.memory(),
            "first_findings_ms": round(first, 1),
            "read_workspace_ms": round(read, 1),
            "references_ms": round(searched, 1),
            "references_everywhere_ms": round(everywhere, 1),
        }
        await server.stop()
    return Row("edit in a workspace of 1000 files", statistics.quantiles(edits, n=20)[-1], None, extra)


def run(only: Sequence[str]) -> Iterator[Row]:
    """Rows as they are measured."""
    wanted = [name for name in BARS if not only or name in only]
    if not only or {"start to ready", "open to first findings"} & set(only):
        yield from asyncio.run(starts())
    if wanted:
        yield from asyncio.run(requests(wanted))
    if not only or "edit in a workspace of 1000 files" in only:
        yield asyncio.run(many_files())
