"""Wiring of the language server: protocol events in, published diagnostics out."""

from __future__ import annotations

import asyncio
from typing import Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aquac.source import SourceFile
from aquac.version import VERSION

from .convert import to_diagnostic, to_path, to_uri
from .workspace import Workspace

DEBOUNCE_SECONDS: Final = 0.05
"""A burst of edits is checked once, this long after its last one."""


class AquaServer(LanguageServer):
    """One client's server: open buffers, and which files have findings on the client's screen."""

    def __init__(self) -> None:
        """Start without documents."""
        super().__init__("aqua-lsp", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.documents = Workspace()
        self._shown: dict[str, set[str]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def changed(self, uri: str, *, at_once: bool = False) -> None:
        """Take the text of a document and check it, soon or at once."""
        path = to_path(uri)
        if path is None:
            return
        self.documents.buffers[path] = self.workspace.get_text_document(uri).source
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()
        if at_once:
            self.publish(path)
        else:
            self._waiting[path] = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.publish, path)

    def closed(self, uri: str) -> None:
        """Forget a document and take its findings off the screen."""
        path = to_path(uri)
        if path is None:
            return
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()
        self.documents.buffers.pop(path, None)
        for shown in self._shown.pop(path, set()):
            self._show(shown, [])

    def publish(self, path: str) -> None:
        """Check the document and show what was found, in it and in the files it imports."""
        self._waiting.pop(path, None)
        by_file = self.documents.check(path)
        for where, diagnostics in by_file.items():
            source = SourceFile(where, self.documents.buffers.get(where, ""))
            self._show(where, [to_diagnostic(d, d.file or source) for d in diagnostics])
        for where in self._shown.get(path, set()) - by_file.keys():
            self._show(where, [])
        self._shown[path] = {where for where, diagnostics in by_file.items() if diagnostics}

    def _show(self, path: str, diagnostics: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(to_uri(path), diagnostics))


def make_server() -> AquaServer:
    """A server with its handlers."""
    server = AquaServer()

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or ()]
        paths = [path for uri in folders or [params.root_uri or ""] if (path := to_path(uri)) is not None]
        server.documents.roots = tuple(paths)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri, at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.changed(params.text_document.uri, at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    return server
