"""The language server's state: open documents, settings, and which findings are on the client's screen.

Findings are published soon after an edit, for the document, for what it imports and for open documents that import it. A
client that asks for the findings of documents itself (pull) is told only about files it has not opened.

What an answer needs is imported after the client was told what the server can do: it waits for that first.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aquac.diagnostics import Diagnostic
from aquac.version import VERSION

from .convert import changed_text, to_diagnostic, to_path, to_uri
from .protocol import AquaProtocol
from .work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .air import AirFile
    from .workspace import Workspace

DEBOUNCE_SECONDS: Final = 0.005
"""A burst of edits is checked once, this long after its last one."""

AIR: Final = ".air"

CYCLE: Final = "import.cycle"
"""The kind of finding that is shown at an import, though the compiler gives it no place."""


UNTOLD: Final = (
    "Cancel notification for unknown",
    "Unable to deserialize",
    "Failed to handle request",
    "Ignoring notif",
)
"""Beginnings of log messages of pygls about what is no failure of the server."""


class AquaServer(LanguageServer):
    """One client's server."""

    def __init__(self) -> None:
        """Start without documents."""
        kind = types.TextDocumentSyncKind.Incremental
        super().__init__("aqua-lsp", VERSION, text_document_sync_kind=kind, protocol_cls=AquaProtocol)
        self.pulls = False
        self.work = Work(self)
        self._roots: list[str] = []
        self._value: object = None
        self._values: dict[str, object] = {}
        self._uris: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._found: dict[str, dict[str, list[Diagnostic]]] = {}
        self._on_screen: dict[str, tuple[int | None, list[types.Diagnostic]]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    @property
    def conversation(self) -> AquaProtocol:
        """The protocol with the habits of this server."""
        assert isinstance(self.protocol, AquaProtocol)
        return self.protocol

    @cached_property
    def documents(self) -> Workspace:
        """Texts and what the compiler makes of them."""
        from .workspace import Workspace

        return Workspace()

    # ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, params: types.InitializeParams) -> None:
        """Remember what the client says of itself; nothing is read or checked yet."""
        folders = [folder.uri for folder in params.workspace_folders or ()]
        self._roots = [path for uri in folders or [params.root_uri or ""] if (path := to_path(uri)) is not None]
        document = params.capabilities.text_document
        self.pulls = document is not None and document.diagnostic is not None
        self._value = params.initialization_options

    def configure(self, value: object = None, by_folder: Mapping[str, object] | None = None) -> None:
        """Take settings (None: as before), check everything open again, and name what is wrong with the settings."""
        from .settings import read_settings, section_of

        self._value = section_of(self._value if value is None else value)
        self._values = self._values if by_folder is None else dict(by_folder)
        settings = read_settings(self._value, self._roots)
        own = {
            root: read_settings(found, [root, *(other for other in self._roots if other != root)])
            for root, found in self._values.items()
            if root in self._roots and found is not None and found != self._value
        }
        self.documents.configure(settings, own)
        for problem in dict.fromkeys(problem for each in (settings, *own.values()) for problem in each.problems):
            text = f"aqua-lsp: settings: {problem}"
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
        self.changed_outside()

    def add_and_remove_roots(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """The workspace has other folders."""
        gone = set(removed)
        self._roots = list(dict.fromkeys([*(root for root in self._roots if root not in gone), *added]))
        self.configure()

    @property
    def roots(self) -> tuple[str, ...]:
        """The workspace folders."""
        return tuple(self._roots)

    def changed_outside(self) -> None:
        """What is open is checked again, and the client asks again for what it shows, because of no edit of its own."""
        self.check_again()
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        for able, refresh in (
            (workspace.diagnostics if self.pulls else None, self.workspace_diagnostic_refresh),
            (workspace.semantic_tokens, self.workspace_semantic_tokens_refresh),
            (workspace.inlay_hint, self.workspace_inlay_hint_refresh),
            (workspace.code_lens, self.workspace_code_lens_refresh),
        ):
            if able is not None and able.refresh_support and self._found:
                refresh(None)

    # ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def opened(self, document: types.TextDocumentItem) -> None:
        """A document is the editor's now."""
        path = to_path(document.uri)
        if path is not None:
            self._uris[path] = document.uri
            self._versions[path] = document.version
            self.documents.set_text(path, document.text)
            self.publish(path)

    def changed(
        self, document: types.VersionedTextDocumentIdentifier, changes: Sequence[types.TextDocumentContentChangeEvent]
    ) -> None:
        """Take the text of a document and check it soon."""
        path = to_path(document.uri)
        if path is None or path not in self.documents.buffers:
            return
        self._versions[path] = document.version
        self.documents.set_text(path, changed_text(self.documents.buffers[path], changes))
        self._cancel(path)
        self._waiting[path] = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.publish, path)

    def saved(self, uri: str) -> None:
        """Check at once."""
        path = to_path(uri)
        if path is not None and path in self.documents.buffers:
            self.publish(path)

    def closed(self, uri: str) -> None:
        """Forget a document and take its findings off the screen."""
        path = to_path(uri)
        if path is None or path not in self.documents.buffers:
            return
        self._cancel(path)
        self.documents.close(path)
        gone = self._found.pop(path, {})
        self.check_again()
        self._show({path, *gone})
        self._uris.pop(path, None)
        self._versions.pop(path, None)

    def is_open(self, path: str) -> bool:
        """Whether the document is the editor's."""
        return path in self._uris

    def version_of(self, path: str) -> int | None:
        """The editor's number for the text of a document."""
        return self._versions.get(path)

    def check_again(self) -> None:
        """Check every open document."""
        for path in list(self._found):
            self.publish(path)

    def publish(self, path: str) -> None:
        """Check a document and what imports it, and show what was found."""
        self._cancel(path)
        if path.endswith(AIR):
            self._found[path] = {}
            self._send(path, self.diagnostics_of(path))
            return
        affected = [p for p, found in self._found.items() if p != path and path in found]
        touched: set[str] = set()
        for each in [path, *affected]:
            before = self._found.get(each, {})
            self._found[each] = self.documents.check(each)
            touched |= {each, *before, *self._found[each]}
        self._show(touched)

    def air(self, path: str) -> AirFile:
        """The script in an open document or a file."""
        from .air import air_file

        return air_file(self.documents.text(path))

    def diagnostics_of(self, path: str) -> list[types.Diagnostic]:
        """Findings of one file: its own if it is open, else what the open documents say of it."""
        if path.endswith(AIR):
            return self.air(path).diagnostics()
        own = self._found.get(path)
        reports = [own] if own is not None else list(self._found.values())
        found: dict[tuple[Any, ...], types.Diagnostic] = {}
        for report in reports:
            for d in report.get(path, ()):
                found.setdefault((d.code.id, d.span, d.message), self._to_diagnostic(d, path))
        return list(found.values())

    def _to_diagnostic(self, d: Diagnostic, path: str) -> types.Diagnostic:
        source = d.file or self.documents.text(path)
        if d.span is None and d.code.kind == CYCLE:
            d = Diagnostic(d.code, d.message, source, self.documents.place_of_cycle(path), d.notes, d.fixes)
        return to_diagnostic(d, source)

    def pulled(self, path: str) -> list[types.Diagnostic]:
        """Findings of a document the client asks about, of its present text."""
        if not path.endswith(AIR):
            self._found[path] = self.documents.check(path)
            self._show({*self._found[path]} - {path})
            if path not in self.documents.buffers:
                own = self._found.pop(path)
                return [self._to_diagnostic(d, path) for d in own.get(path, ())]
        return self.diagnostics_of(path)

    def _show(self, paths: Iterable[str]) -> None:
        for path in paths:
            if not (self.pulls and path in self._found):
                self._send(path, self.diagnostics_of(path))

    def _send(self, path: str, found: list[types.Diagnostic]) -> None:
        if self.pulls and path in self._found:
            return
        shown = self._on_screen.get(path)
        version = self._versions.get(path)
        if shown == (version, found):
            return
        if found or shown is not None or path in self.documents.buffers:
            self._on_screen[path] = version, found
            if not found and path not in self.documents.buffers:
                del self._on_screen[path]
            uri = self._uris.get(path) or to_uri(path)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def _cancel(self, path: str) -> None:
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()


def make_server() -> AquaServer:
    """A server with its handlers."""
    from .documents import register_documents
    from .requests import register_requests

    # The client is told of what it did wrong; a cancellation that comes too late is nothing wrong.
    log = logging.getLogger("pygls.protocol.json_rpc")
    log.addFilter(lambda record: not str(record.msg).startswith(UNTOLD))
    server = AquaServer()
    register_documents(server)
    register_requests(server)
    return server
