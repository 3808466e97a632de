"""The language server's state: open documents, settings, and which findings are on the client's screen.

Findings are published soon after an edit, for the document, for what it imports and for open documents that import it. A
client that asks for the findings of documents itself (pull) is told only about files it has not opened.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aquac.version import VERSION

from .air import SUFFIX as AIR
from .air import AirFile
from .convert import to_diagnostic, to_path, to_uri
from .settings import read_settings
from .workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquac.diagnostics import Diagnostic

DEBOUNCE_SECONDS: Final = 0.01
"""A burst of edits is checked once, this long after its last one."""

COLLECT_AFTER: Final = 100_000
"""New objects before a collection of the youngest."""

SECTION: Final = "aqua"
"""Section of the client's configuration."""


class AquaServer(LanguageServer):
    """One client's server."""

    def __init__(self) -> None:
        """Start without documents."""
        super().__init__("aqua-lsp", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.documents = Workspace()
        self.pulls = False
        self._roots: list[str] = []
        self._value: object = None
        self._found: dict[str, dict[str, list[Diagnostic]]] = {}
        self._on_screen: dict[str, list[types.Diagnostic]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    # ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def configure(self, value: object = None, roots: Iterable[str] | None = None) -> None:
        """Take settings or workspace folders, check everything open again, and name what is wrong with the settings."""
        self._value = self._value if value is None else value
        self._roots = self._roots if roots is None else list(roots)
        settings = read_settings(self._value, self._roots)
        self.documents.configure(settings)
        for problem in settings.problems:
            text = f"aqua-lsp: settings: {problem}"
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
        self.check_again()

    def add_and_remove_roots(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """The workspace has other folders."""
        gone = set(removed)
        self.configure(roots=[*(root for root in self._roots if root not in gone), *added])

    # ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, uri: str, *, at_once: bool = False) -> None:
        """Take the text of a document and check it, soon or at once."""
        path = to_path(uri)
        if path is None:
            return
        self.documents.set_text(path, self.workspace.get_text_document(uri).source)
        self._cancel(path)
        if at_once:
            self.publish(path)
        else:
            self._waiting[path] = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.publish, path)

    def closed(self, uri: str) -> None:
        """Forget a document and take its findings off the screen."""
        path = to_path(uri)
        if path is None:
            return
        self._cancel(path)
        self.documents.close(path)
        gone = self._found.pop(path, {})
        self.check_again()
        self._show({path, *gone})

    def check_again(self) -> None:
        """Check every open document."""
        for path in list(self._found):
            self.publish(path)

    def publish(self, path: str) -> None:
        """Check a document and what imports it, and show what was found."""
        self._cancel(path)
        if path.endswith(AIR):
            self._found[path] = {}
            self._send(path, self.air(path).diagnostics())
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
        return AirFile(self.documents.text(path))

    def diagnostics_of(self, path: str) -> list[types.Diagnostic]:
        """Findings of one file: its own if it is open, else what the open documents say of it."""
        if path.endswith(AIR):
            return self.air(path).diagnostics()
        own = self._found.get(path)
        reports = [own] if own is not None else list(self._found.values())
        found: dict[tuple[Any, ...], types.Diagnostic] = {}
        for report in reports:
            for d in report.get(path, ()):
                source = d.file or self.documents.text(path)
                found.setdefault((d.code.id, d.span, d.message), to_diagnostic(d, source))
        return list(found.values())

    def pulled(self, path: str) -> list[types.Diagnostic]:
        """Findings of a document the client asks about, of its present text."""
        if not path.endswith(AIR):
            self._found[path] = self.documents.check(path)
            self._show({*self._found[path]} - {path})
        return self.diagnostics_of(path)

    def _show(self, paths: Iterable[str]) -> None:
        for path in paths:
            if not (self.pulls and path in self._found):
                self._send(path, self.diagnostics_of(path))

    def _send(self, path: str, found: list[types.Diagnostic]) -> None:
        if self.pulls and path in self._found:
            return
        if found or path in self._on_screen or path in self.documents.buffers:
            self._on_screen[path] = found
            if not found and path not in self.documents.buffers:
                del self._on_screen[path]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(to_uri(path), found))

    def _cancel(self, path: str) -> None:
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()


def calm_collector() -> None:
    """Collect garbage less often: trees live long and die together, and a full collection takes longer than a check."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def make_server() -> AquaServer:
    """A server with its handlers."""
    from .documents import register_documents
    from .requests import register_requests

    server = AquaServer()
    register_documents(server)
    register_requests(server)
    return server
