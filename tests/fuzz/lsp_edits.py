"""Random edits of real programs in the language server: no crash, and after the last edit the answers of a fresh server.

    python -m tests.fuzz.lsp_edits --edits 10000 --seed 0 [--server]

Programs are those of the conformance corpora of `examples` and of the library. An edit goes the way of the protocol, as a range of lines and
UTF-16 columns; the text the server makes of it is compared with ours. While typing goes on, requests are asked at random
places, and none may fail. A session ends after `EDITS_OF_SESSION` edits: every answer must then be that of a workspace that
never saw another text, and hover must answer wherever that one does. With `--server` the same sessions are held with the real
process over standard input and output, and a second process is the fresh one.

A session is told by its seed alone: `--seed N --edits 1` repeats the first.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from aquac.source import Span
from lsp.convert import EditorLines, changed_text, to_uri
from lsp.features.call_hierarchy import incoming_calls, outgoing_calls, prepare_call_hierarchy
from lsp.features.code_actions import code_actions
from lsp.features.code_lens import code_lenses
from lsp.features.completion import completion
from lsp.features.definition import definition, type_definition
from lsp.features.folding import folding_ranges
from lsp.features.formatting import formatting
from lsp.features.hover import hover
from lsp.features.inlay_hints import inlay_hints
from lsp.features.references import highlight, references
from lsp.features.rename import RenameRefused, prepare_rename, rename
from lsp.features.selection import selection_range
from lsp.features.semantic_tokens import semantic_tokens
from lsp.features.signature_help import signature_help
from lsp.features.symbols import document_symbols, workspace_symbols
from lsp.words import WORDS, word_at
from lsp.workspace import Workspace
from tests.fuzz.aqua_mutation import corpus

ROOT: Final = "/fuzz"
EDITS_OF_SESSION: Final = 50
ASKED_EVERY: Final = 5
TOP: Final = Path(__file__).resolve().parents[2]
PIECES: Final = (
    "\n", "\r\n", "  ", " ", ".", ",", "(", ")", "[", "]", "{", "}", ":", "=", " <- ", " <<- ", '"', "--", "-- note\n", "x", "Srv",
    "u32", "on node:\n    ", "for i <- xs:\n    ", "if true:\n    ", "try:\n    ", "catch e:\n    ", "par ", "co ", "join ",
    "\nfunc g(a: u8) -> u8:\n  <- a\n", "\ndata D:\n  f: u32\n", "😀", "é", "\t", "import ", 'import "builtin.aqua"\n', "\u2028", "\x0c",
    "use ", "export ", "declares *", "-> ", "[]", "?", "*", "%", "nil", "$", "copy", "!", "&&", "\r",
)  # fmt: skip


@cache
def programs() -> tuple[tuple[tuple[str, str], ...], ...]:
    """Files of each program."""
    found = [tuple(sorted(files.items())) for files in corpus()]
    for folder in (TOP / "examples", TOP / "stdlib"):
        found += [(("main.aqua", path.read_text("utf-8")),) for path in sorted(folder.rglob("*.aqua"))]
    return tuple(found)


@dataclass
class Change:
    """Text between two offsets replaced."""

    path: str
    start: int
    end: int
    text: str


@dataclass
class Session:
    """Edits drawn from a seed, and the texts they should lead to."""

    seed: int
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        several = [files for files in programs() if len(files) > 1]
        for name, text in self.random.choice(several if several and self.random.random() < 0.5 else programs()):
            self.texts[f"{ROOT}/{name}"] = text

    def edits(self, number: int) -> Iterator[Change]:
        """Draw edits; each is applied to `texts` when it is given."""
        paths = sorted(self.texts)
        for _ in range(number):
            path = self.random.choice([*paths, *[p for p in paths if p.endswith("main.aqua")] * 2])
            change = self._drawn(path)
            text = self.texts[path]
            self.texts[path] = text[: change.start] + change.text + text[change.end :]
            yield change

    def _drawn(self, path: str) -> Change:
        r, text = self.random, self.texts[path]
        at = r.randrange(len(text) + 1)
        match r.randrange(9):
            case 0 | 1:
                change = Change(path, at, at, r.choice(PIECES))
            case 2:
                change = Change(path, at, min(len(text), at + r.randrange(1, 12)), "")
            case 3:
                change = Change(path, at, min(len(text), at + r.randrange(1, 6)), r.choice(PIECES))
            case 4:  # a line twice, or not at all
                start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at) + 1 or len(text)
                change = Change(path, start, end, text[start:end] * r.choice((0, 2)))
            case 5 | 6 | 7:  # a word for another, which often is a program again
                words = [m.span() for m in re.finditer(r"[A-Za-z_]\w*", text)] or [(at, at)]
                others = re.findall(r"[A-Za-z_]\w*", self.texts[r.choice(sorted(self.texts))]) or ["x"]
                change = Change(path, *r.choice(words), r.choice(others))
            case _:  # what stands elsewhere
                start = r.randrange(len(text) + 1)
                change = Change(path, at, at, text[start : start + r.randrange(1, 40)])
        return _on_whole_line_ends(text, change)


def _on_whole_line_ends(text: str, change: Change) -> Change:
    """The protocol has no position between CR and LF."""
    start, end = (at - (text[at - 1 : at + 1] == "\r\n") for at in (change.start, change.end))
    return Change(change.path, start, max(start, end), change.text)


def to_event(text: str, change: Change) -> types.TextDocumentContentChangePartial:
    """The change as a client sends it."""
    lines = EditorLines(text)
    start, end = (types.Position(*lines.place(at)) for at in (change.start, change.end))
    return types.TextDocumentContentChangePartial(range=types.Range(start, end), text=change.text)


# ── in one process ───────────────────────────────────────────────────────────────────────────────────────────────────


def ask(workspace: Workspace, path: str, offset: int) -> None:
    """Every request once; raises what it raises."""
    text = workspace.text(path).text
    for at_position in (hover, definition, type_definition, references, highlight, completion, signature_help):
        at_position(workspace, path, offset)
    for of_file in (document_symbols, semantic_tokens, folding_ranges, code_lenses):
        of_file(workspace, path)
    inlay_hints(workspace, path, Span(0, len(text)))
    selection_range(workspace, path, offset)
    code_actions(workspace, path, Span(offset, min(len(text), offset + 20)))
    workspace_symbols(workspace, "r")
    formatting(workspace, path)
    for item in prepare_call_hierarchy(workspace, path, offset):
        incoming_calls(workspace, item)
        outgoing_calls(workspace, item)
    try:
        prepare_rename(workspace, path, offset)
        rename(workspace, path, offset, "other")
    except RenameRefused:
        pass


def answers(workspace: Workspace, path: str, offsets: list[int]) -> list[Any]:
    """What a workspace says of a file, to be compared."""
    found = workspace.check(path)
    text = workspace.text(path).text
    findings = [(file, d.code.id, d.span, d.message) for file, ds in sorted(found.items()) for d in ds]
    whole = Span(0, len(text))
    return [
        findings,
        document_symbols(workspace, path),
        semantic_tokens(workspace, path),
        folding_ranges(workspace, path),
        inlay_hints(workspace, path, whole),
        [references(workspace, path, offset) for offset in offsets],
        [sorted(item.label for item in completion(workspace, path, offset).items) for offset in offsets],
    ]


def from_last_good(workspace: Workspace, path: str, offsets: list[int]) -> list[Any]:
    """Answers that may come from the last text without syntax errors while the present one has some.

    Where nothing else is known, hover explains the words of the language; that is left out.
    """
    found: list[Any] = []
    text = workspace.text(path).text
    for offset in offsets:
        shown = hover(workspace, path, offset)
        word = word_at(text, offset)
        if word is not None and shown is not None and str(shown.contents).endswith(repr(WORDS[word[0]])[1:] + ")"):
            shown = None
        found += [shown, definition(workspace, path, offset)]
    return found


def session(seed: int, number: int) -> None:
    """One session in this process. Raises AssertionError, or what a request raises."""
    drawn = Session(seed)
    workspace = Workspace()
    for path, text in drawn.texts.items():
        workspace.set_text(path, text)
    for count, change in enumerate(drawn.edits(number)):
        before = workspace.buffers[change.path]
        workspace.set_text(change.path, changed_text(before, [to_event(before, change)]))
        assert workspace.buffers[change.path] == drawn.texts[change.path], "the texts of client and server differ"
        workspace.check(change.path)
        if count % ASKED_EVERY == 0:
            ask(workspace, change.path, drawn.random.randrange(len(drawn.texts[change.path]) + 1))
    fresh = Workspace()
    for path, text in drawn.texts.items():
        fresh.set_text(path, text)
    for path, text in drawn.texts.items():
        offsets = [drawn.random.randrange(len(text) + 1) for _ in range(8)]
        for ours, theirs in zip(answers(workspace, path, offsets), answers(fresh, path, offsets), strict=True):
            assert ours == theirs, "a stale answer"
        pairs = zip(from_last_good(workspace, path, offsets), from_last_good(fresh, path, offsets), strict=True)
        for ours, theirs in pairs:
            assert not theirs or ours == theirs, "a stale hover or definition"


# ── with the server process ──────────────────────────────────────────────────────────────────────────────────────────


async def started() -> LanguageClient:
    """A server process that has been told who we are."""
    client = LanguageClient("fuzz", "1")
    await client.start_io(sys.executable, "-m", "lsp")
    pull = types.TextDocumentClientCapabilities(diagnostic=types.DiagnosticClientCapabilities())
    await client.initialize_async(types.InitializeParams(types.ClientCapabilities(text_document=pull)))
    client.initialized(types.InitializedParams())
    return client


async def ended(client: LanguageClient) -> None:
    """Let the process go."""
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


def opened(client: LanguageClient, texts: dict[str, str]) -> None:
    """Open every file."""
    for path, text in texts.items():
        item = types.TextDocumentItem(to_uri(path), "aqua", 0, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))


async def said(client: LanguageClient, path: str, text: str, offsets: list[int]) -> list[Any]:
    """What a process says of a file."""
    here = types.TextDocumentIdentifier(to_uri(path))
    lines = EditorLines(text)
    found: list[Any] = [
        (await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(here))).items,
        await client.text_document_document_symbol_async(types.DocumentSymbolParams(here)),
        await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(here)),
    ]
    for offset in offsets:
        place = types.Position(*lines.place(offset))
        found.append((await client.text_document_completion_async(types.CompletionParams(here, place))).items)
    return found


async def server_session(client: LanguageClient, seed: int, number: int) -> None:
    """One session with a server; another process is the fresh one. Raises AssertionError."""
    drawn = Session(seed)
    opened(client, drawn.texts)
    texts = dict(drawn.texts)
    for version, change in enumerate(drawn.edits(number), 1):
        event = to_event(texts[change.path], change)
        texts[change.path] = drawn.texts[change.path]
        document = types.VersionedTextDocumentIdentifier(version, to_uri(change.path))
        client.text_document_did_change(types.DidChangeTextDocumentParams(document, [event]))
        if version % ASKED_EVERY == 0:
            text = texts[change.path]
            here = types.TextDocumentIdentifier(to_uri(change.path))
            place = types.Position(*EditorLines(text).place(drawn.random.randrange(len(text) + 1)))
            await client.text_document_hover_async(types.HoverParams(here, place))
    fresh = await started()
    opened(fresh, drawn.texts)
    for path, text in drawn.texts.items():
        offsets = [drawn.random.randrange(len(text) + 1) for _ in range(4)]
        ours, theirs = await said(client, path, text, offsets), await said(fresh, path, text, offsets)
        assert ours == theirs, f"a stale answer about {path}"
    for path in drawn.texts:
        here = types.TextDocumentIdentifier(to_uri(path))
        client.text_document_did_close(types.DidCloseTextDocumentParams(here))
    await ended(fresh)


async def serve(seeds: range, number: int) -> None:
    """All sessions with one server."""
    client = await started()
    for seed in seeds:
        try:
            await asyncio.wait_for(server_session(client, seed, number), 120)
        except BaseException:
            print(f"seed {seed}", file=sys.stderr)
            raise
    await ended(client)


def main(argv: list[str] | None = None) -> int:
    """Command line; 1 if a session fails."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.lsp_edits", description="random edits in the language server")
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--server", action="store_true", help="with the real process")
    args = parser.parse_args(argv)
    number = min(args.edits, EDITS_OF_SESSION)
    seeds = range(args.seed, args.seed + -(-args.edits // EDITS_OF_SESSION))
    if args.server:
        asyncio.run(serve(seeds, number))
    else:
        for seed in seeds:
            try:
                session(seed, number)
            except BaseException:
                print(f"seed {seed}", file=sys.stderr)
                raise
    print(
        f"{len(seeds) * number} edits in {len(seeds)} sessions, seeds {seeds.start} to {seeds.stop - 1}: no difference"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
