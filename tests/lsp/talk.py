"""Conversations with the server process, held by the client of pytest-lsp: it checks what it is told against what the client can do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from lsp.convert import to_uri

pytest_lsp = pytest.importorskip("pytest_lsp")
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features  # noqa: E402 - where it is installed

SERVER = (sys.executable, "-m", "lsp")
SECONDS_MAX = 60


class Client(pytest_lsp.LanguageClient):
    """Keeps the findings of each file with the version they are of, and lets a test wait for what it is told."""

    def __init__(self, configuration: dict[str, Any] | None = None) -> None:
        super().__init__(configuration=configuration)
        self.versions: dict[str, list[int | None]] = {}
        self.registered: list[types.Registration] = []
        self.refreshed: list[str] = []
        self._news = asyncio.Condition()
        own = (types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, types.PROGRESS)
        register_lsp_features(self, {k: f for k, f in DEFAULT_CLIENT_FEATURES.items() if k not in own})

        @self.feature(types.PROGRESS)
        async def progress(params: types.ProgressParams) -> None:
            DEFAULT_CLIENT_FEATURES[types.PROGRESS](self, params)
            await self.notice()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            self.diagnostics[params.uri] = list(params.diagnostics)
            self.versions.setdefault(params.uri, []).append(params.version)
            await self.notice()

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)
        async def registers(params: types.RegistrationParams) -> None:
            self.registered += params.registrations
            await self.notice()

        for method in (
            types.WORKSPACE_SEMANTIC_TOKENS_REFRESH,
            types.WORKSPACE_INLAY_HINT_REFRESH,
            types.WORKSPACE_CODE_LENS_REFRESH,
        ):
            self._refresh(method)

    def _refresh(self, method: str) -> None:
        @self.feature(method)
        async def refresh(*_: object) -> None:
            self.refreshed.append(method)
            await self.notice()

    async def notice(self) -> None:
        """Wake who waits."""
        async with self._news:
            self._news.notify_all()

    async def until(self, holds: Callable[[], Any]) -> Any:
        """What `holds` gives once it is true; it is asked again whenever something was told."""
        async with self._news:
            while not (found := holds()):
                await self._news.wait()
            return found

    async def findings(self, uri: str, holds: Callable[[list[types.Diagnostic]], Any] = bool) -> list[types.Diagnostic]:
        """Findings of a file once they are as wanted."""
        await self.until(lambda: uri in self.diagnostics and holds(self.diagnostics[uri]))
        return self.diagnostics[uri]

    def open(self, uri: str, text: str, language: str = "aqua") -> types.TextDocumentIdentifier:
        """Open a document."""
        self.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, language, 1, text)))
        return types.TextDocumentIdentifier(uri)

    def change(self, uri: str, text: str, version: int = 2) -> None:
        """Give a document another text."""
        document = types.VersionedTextDocumentIdentifier(version, uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    def insert(self, uri: str, line: int, column: int, text: str, version: int = 2) -> None:
        """Type into a document."""
        document = types.VersionedTextDocumentIdentifier(version, uri)
        at = types.Position(line, column)
        part = types.TextDocumentContentChangePartial(range=types.Range(at, at), text=text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [part]))


def converse(
    body: Callable[[Client], Awaitable[None]],
    *roots: Path,
    capabilities: types.ClientCapabilities | None = None,
    options: object = None,
    configuration: dict[str, Any] | None = None,
    tcp: bool = False,
) -> Client:
    """Hold a conversation over standard input and output, or over TCP."""

    async def held() -> Client:
        client = Client(configuration)
        process = None
        if tcp:
            process, port = await _listening()
            await client.start_tcp("127.0.0.1", port)
        else:
            await client.start_io(*SERVER)
        folders = [types.WorkspaceFolder(to_uri(str(root)), root.name) for root in roots]
        await client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities or types.ClientCapabilities(),
                root_uri=folders[0].uri if folders else None,
                workspace_folders=folders,
                initialization_options=options,
            )
        )
        await body(client)
        await client.shutdown_session()
        if process is not None:
            assert await process.wait() == 0
        await client.stop()
        return client

    return asyncio.run(asyncio.wait_for(held(), SECONDS_MAX))


async def _listening() -> tuple[asyncio.subprocess.Process, int]:
    """A server that listens at a free port."""
    command = (*SERVER, "--tcp", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    assert "listening at 127.0.0.1:" in line
    return process, int(line.rpartition(":")[2])


def position(text: str, mark: str, skipped: int = 0) -> types.Position:
    """Where a text begins, in UTF-16 columns."""
    at = -1
    for _ in range(skipped + 1):
        at = text.index(mark, at + 1)
    before = text[:at].rpartition("\n")[2]
    return types.Position(text.count("\n", 0, at), len(before.encode("utf-16-le")) // 2)


def whole(text: str) -> types.Range:
    """The range of a text."""
    return types.Range(types.Position(0, 0), types.Position(text.count("\n") + 1, 0))


def labels(found: types.CompletionList | Sequence[types.CompletionItem] | None) -> list[str]:
    """What a completion offers."""
    assert isinstance(found, types.CompletionList)
    return [item.label for item in found.items]
