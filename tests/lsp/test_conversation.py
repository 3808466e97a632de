"""A conversation over stdio with the real server process: what is typed is checked, buffers win over the disk."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from lsp.convert import to_path, to_uri

pytestmark = pytest.mark.slow

GOOD = "aqua Main\n\nexport f\n\nfunc f() -> u8:\n  <- 1\n"
BAD = 'aqua Main\n\nexport f\n\nfunc f() -> string:\n  😀 = "x"\n  <- nme\n'.replace("  😀", "  x")


class Client(LanguageClient):
    """Keeps the newest diagnostics of each file and lets a test wait for them."""

    def __init__(self) -> None:
        super().__init__("test", "1")
        self.found: dict[str, list[types.Diagnostic]] = {}
        self.news = asyncio.Condition()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            async with self.news:
                self.found[params.uri] = list(params.diagnostics)
                self.news.notify_all()

    async def wait(self, uri: str, accept) -> list[types.Diagnostic]:
        async with self.news:
            await self.news.wait_for(lambda: uri in self.found and accept(self.found[uri]))
            return self.found[uri]


def converse(body, folder: Path) -> None:
    async def limited() -> None:
        client = Client()
        await client.start_io(sys.executable, "-m", "lsp")
        params = types.InitializeParams(capabilities=types.ClientCapabilities(), root_uri=to_uri(str(folder)))
        await client.initialize_async(params)
        client.initialized(types.InitializedParams())
        await body(client)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()

    asyncio.run(asyncio.wait_for(limited(), 60))


def document(uri: str, text: str) -> types.DidOpenTextDocumentParams:
    return types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "aqua", 1, text))


def test_diagnostics_follow_the_buffer(tmp_path: Path) -> None:
    uri = to_uri(str(tmp_path / "main.aqua"))

    async def body(client: Client) -> None:
        client.text_document_did_open(document(uri, BAD))
        (found,) = await client.wait(uri, len)
        assert found.code == "AQ0201"
        assert found.source == "aquac"
        assert found.range == types.Range(types.Position(6, 5), types.Position(6, 8))
        change = types.TextDocumentContentChangeWholeDocument(GOOD)
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, uri), [change])
        )
        assert await client.wait(uri, lambda found: not found) == []

    converse(body, tmp_path)


def test_findings_of_an_imported_buffer_show_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "lib.aqua").write_text("aqua Lib declares *\n\nconst ONE = 1\n")
    lib, main = to_uri(str(tmp_path / "lib.aqua")), to_uri(str(tmp_path / "main.aqua"))

    async def body(client: Client) -> None:
        client.text_document_did_open(document(lib, "aqua Lib declares *\n\nalias A: Missing\n"))
        await client.wait(lib, len)
        client.text_document_did_open(document(main, 'aqua Main\n\nimport "lib.aqua"\n\nconst TWO = ONE\n'))
        assert (await client.wait(lib, len))[0].code == "AQ0206"
        client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(main)))
        assert await client.wait(main, lambda found: not found) == []

    converse(body, tmp_path)


def position(text: str, mark: str) -> types.Position:
    before = text[: text.index(mark)]
    return types.Position(before.count("\n"), len(before.rpartition("\n")[2]))


def test_requests_are_answered(tmp_path: Path) -> None:
    uri = to_uri(str(tmp_path / "main.aqua"))
    here = types.TextDocumentIdentifier(uri)
    text = "aqua Main\n\nexport f\n\n-- Adds.\nfunc f(n: u8) -> u8:\n  m = n + 1\n  <- m\n"
    whole = types.Range(types.Position(0, 0), types.Position(8, 0))

    async def body(client: Client) -> None:
        client.text_document_did_open(document(uri, text))
        await client.wait(uri, lambda found: not found)
        use = position(text, "n + 1")
        found = await client.text_document_hover_async(types.HoverParams(here, use))
        assert "n: u8" in found.contents.value
        (place,) = await client.text_document_definition_async(types.DefinitionParams(here, use))
        assert place.range.start == position(text, "n: u8")
        context = types.ReferenceContext(include_declaration=True)
        places = await client.text_document_references_async(types.ReferenceParams(context, here, use))
        assert len(places) == 2
        items = (await client.text_document_completion_async(types.CompletionParams(here, use))).items
        assert "n" in [item.label for item in items]
        edit = await client.text_document_rename_async(types.RenameParams(here, use, "number"))
        assert len(edit.changes[uri]) == 2
        with pytest.raises(JsonRpcException, match="something else"):
            await client.text_document_rename_async(types.RenameParams(here, use, "m"))
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(here))
        assert [symbol.name for symbol in symbols] == ["f"]
        tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(here))
        assert len(tokens.data) % 5 == 0
        hints = await client.text_document_inlay_hint_async(types.InlayHintParams(here, whole))
        assert [hint.label for hint in hints] == [": u8"]
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(here))
        command = types.ExecuteCommandParams("aqua.showAir", arguments=lenses[0].command.arguments)
        assert "(call %init_peer_id%" in await client.workspace_execute_command_async(command)
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(here, types.Range(use, use), types.CodeActionContext([]))
        )
        assert all(action.edit is not None for action in actions)
        options = types.FormattingOptions(4, insert_spaces=True)
        edits = await client.text_document_formatting_async(types.DocumentFormattingParams(here, options))
        assert [edit.new_text for edit in edits] == ["    m = n + 1", "    <- m"]
        line = types.Range(types.Position(6, 0), types.Position(7, 0))
        edits = await client.text_document_range_formatting_async(
            types.DocumentRangeFormattingParams(here, line, options)
        )
        assert list(edits) == []
        report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(here))
        assert list(report.items) == []

    converse(body, tmp_path)


def test_scripts(tmp_path: Path) -> None:
    uri = to_uri(str(tmp_path / "a.air"))
    here = types.TextDocumentIdentifier(uri)

    async def body(client: Client) -> None:
        client.text_document_did_open(document(uri, "(seq (null) (call x))"))
        (found, *_) = await client.wait(uri, len)
        assert found.source == "avm"
        change = types.TextDocumentContentChangeWholeDocument("(seq (null) (null))")
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, uri), [change])
        )
        await client.wait(uri, lambda found: not found)
        options = types.FormattingOptions(2, insert_spaces=True)
        (edit,) = await client.text_document_formatting_async(types.DocumentFormattingParams(here, options))
        assert edit.new_text == "(seq\n (null)\n (null))\n"
        hover = await client.text_document_hover_async(types.HoverParams(here, types.Position(0, 7)))
        assert "null" in hover.contents.value

    converse(body, tmp_path)


def test_an_edit_of_an_import_is_seen_in_the_importing_buffer(tmp_path: Path) -> None:
    lib, main = to_uri(str(tmp_path / "lib.aqua")), to_uri(str(tmp_path / "main.aqua"))

    async def body(client: Client) -> None:
        client.text_document_did_open(document(lib, "aqua Lib declares *\n\nconst ONE = 1\n"))
        client.text_document_did_open(document(main, 'aqua Main declares *\n\nimport "lib.aqua"\n\nconst TWO = ONE\n'))
        await client.wait(main, lambda found: not found)
        change = types.TextDocumentContentChangeWholeDocument("aqua Lib declares *\n\nconst OTHER = 1\n")
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, lib), [change])
        )
        assert [d.code for d in await client.wait(main, len)] == ["AQ0201"]

    converse(body, tmp_path)


@pytest.mark.parametrize("path", ["/a/b c/ü.aqua", "/x/%20/y.aqua"])
def test_uris(path: str) -> None:
    assert to_path(to_uri(path)) == path
    assert to_path("untitled:Untitled-1") is None


def message(body: dict[str, object]) -> bytes:
    data = json.dumps({"jsonrpc": "2.0"} | body).encode()
    return b"Content-Length: %d\r\n\r\n" % len(data) + data


INITIALIZE = {"id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None, "rootUri": None}}


def test_an_orderly_end_is_silent() -> None:
    words = message(INITIALIZE) + message({"id": 2, "method": "shutdown"}) + message({"method": "exit"})
    done = subprocess.run([sys.executable, "-m", "lsp"], input=words, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_ends_it() -> None:
    with subprocess.Popen([sys.executable, "-m", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(message(INITIALIZE))
        server.stdin.flush()
        server.stdout.readline()  # it is up
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130


@pytest.mark.parametrize("uri", ["file://[x", "untitled:1", "", "file:"])
def test_what_is_no_file_has_no_path(uri: str) -> None:
    path = to_path(uri)
    assert path is None or Path(path).is_absolute()
