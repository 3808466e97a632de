"""Conversations with the real server process: what is typed is checked, buffers win over the disk, clients differ."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcRequestCancelled

from lsp.convert import to_path, to_uri
from lsp.work import SHOWN_FROM
from tests.lsp.fixture import apply
from tests.lsp.talk import Client, converse, labels, position, pytest_lsp, whole

pytestmark = pytest.mark.slow

GOOD = "aqua Main\n\nexport f\n\nfunc f() -> u8:\n  <- 1\n"
BAD = 'aqua Main\n\nexport f\n\nfunc f() -> string:\n  x = "x"\n  <- nme\n'
TEXT = "aqua Main\n\nexport f\n\n-- Adds.\nfunc f(n: u8) -> u8:\n  m = n + 1\n  <- m\n"
LIB = "aqua Lib declares *\n\nconst ONE = 1\n"
USES_LIB = 'aqua Main declares *\n\nimport "lib.aqua"\n\nconst TWO = ONE\n'


def uri_of(path: Path) -> str:
    return to_uri(str(path))


# ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_findings_follow_the_buffer(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        client.open(uri, BAD)
        (found,) = await client.findings(uri)
        assert found.code == "AQ0201"
        assert found.source == "aquac"
        assert found.range == types.Range(types.Position(6, 5), types.Position(6, 8))
        client.change(uri, GOOD)
        await client.findings(uri, lambda found: not found)
        assert client.versions[uri][-1] == 2

    converse(body, tmp_path)


def test_several_mistakes_are_told_at_once_and_code_behind_them_is_checked(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "main.aqua")
    text = "aqua Main declares *\n\nfunc f() -> u8:\n  x = = 1\n  <- 1\n\nfunc g() -> u8:\n  <- one\n\nfunc h() -> u8:\n  <- two\n"

    async def body(client: Client) -> None:
        client.open(uri, text)
        found = await client.findings(uri, lambda found: len(found) == 3)
        assert [d.range.start.line for d in found] == [3, 7, 10]

    converse(body, tmp_path)


def test_findings_of_an_imported_buffer_show_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "lib.aqua").write_text(LIB)
    lib, main = uri_of(tmp_path / "lib.aqua"), uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        client.open(lib, "aqua Lib declares *\n\nalias A: Missing\n")
        await client.findings(lib)
        client.open(main, USES_LIB)
        assert (await client.findings(lib))[0].code == "AQ0206"
        client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(main)))
        await client.findings(main, lambda found: not found)

    converse(body, tmp_path)


def test_an_edit_of_an_import_is_seen_in_the_importing_buffer(tmp_path: Path) -> None:
    lib, main = uri_of(tmp_path / "lib.aqua"), uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        client.open(lib, LIB)
        client.open(main, USES_LIB)
        await client.findings(main, lambda found: not found)
        client.change(lib, LIB.replace("ONE", "OTHER"))
        assert [d.code for d in await client.findings(main)] == ["AQ0201"]

    converse(body, tmp_path)


def test_a_client_that_pulls_is_not_told_and_an_unchanged_answer_is_short(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "main.aqua")
    workspace = types.WorkspaceClientCapabilities(diagnostics=types.DiagnosticWorkspaceClientCapabilities(True))
    document = types.TextDocumentClientCapabilities(diagnostic=types.DiagnosticClientCapabilities())

    async def body(client: Client) -> None:
        here = client.open(uri, BAD)
        first = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(here))
        assert [d.code for d in first.items] == ["AQ0201"]
        assert uri not in client.diagnostics
        again = types.DocumentDiagnosticParams(here, previous_result_id=first.result_id)
        assert (await client.text_document_diagnostic_async(again)).kind == "unchanged"
        client.change(uri, GOOD)
        assert list((await client.text_document_diagnostic_async(again)).items) == []
        # What changes outside of the editor makes the client ask again.
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        await client.text_document_diagnostic_async(again)
        assert client.diagnostic_refresh_count > 0

    converse(body, tmp_path, capabilities=types.ClientCapabilities(workspace, document))


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_are_utf_16_whatever_the_client_prefers(tmp_path: Path, end: str) -> None:
    """Neovim and Helix name UTF-8 first."""
    uri = uri_of(tmp_path / "main.aqua")
    prefers = [types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf16]
    general = types.GeneralClientCapabilities(position_encodings=prefers)
    text = 'aqua Main declares *\n\n-- 😀\nfunc f(n: u8) -> u8, string:\n  <- n, "é😀"\n'.replace("\n", end)

    async def body(client: Client) -> None:
        here = client.open(uri, text)
        client.insert(uri, 4, 13, ' -- 😀 " \u2028 \x0c')
        client.insert(uri, 4, 13, " + one", 3)
        (found,) = await client.findings(uri)
        assert found.code == "AQ0201"
        assert found.range == types.Range(types.Position(4, 16), types.Position(4, 19))
        client.insert(uri, 4, 5, "n + ", 4)
        hover = await client.text_document_hover_async(types.HoverParams(here, types.Position(4, 5)))
        assert "n: u8" in hover.contents.value

    converse(body, tmp_path, capabilities=types.ClientCapabilities(general=general))


def test_the_server_says_utf_16(tmp_path: Path) -> None:
    able = {"general": {"positionEncodings": ["utf-8", "utf-16"]}}
    answer = exchange({**INITIALIZE, "params": {**INITIALIZE["params"], "capabilities": able}})[0]
    assert answer["result"]["capabilities"]["positionEncoding"] == "utf-16"


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def everything(tmp_path: Path, capabilities: types.ClientCapabilities | None, *, tcp: bool = False) -> None:
    """Every request once; the client checks what it is told."""
    uri = uri_of(tmp_path / "main.aqua")
    use, call = position(TEXT, "n + 1"), position(TEXT, "f(n")

    async def body(client: Client) -> None:
        here = client.open(uri, TEXT)
        found = await client.text_document_hover_async(types.HoverParams(here, use))
        assert "n: u8" in found.contents.value
        (place,) = await client.text_document_definition_async(types.DefinitionParams(here, use))
        assert place.range.start == position(TEXT, "n: u8")
        context = types.ReferenceContext(include_declaration=True)
        places = await client.text_document_references_async(types.ReferenceParams(context, here, use))
        assert len(places) == 2
        marks = await client.text_document_document_highlight_async(types.DocumentHighlightParams(here, use))
        assert len(marks) == 2
        assert "n" in labels(await client.text_document_completion_async(types.CompletionParams(here, use)))
        edit = await client.text_document_rename_async(types.RenameParams(here, use, "number"))
        if edit.document_changes:
            (change,) = edit.document_changes
            assert change.text_document.version == 1
            assert len(change.edits) == 2
        else:
            assert len(edit.changes[uri]) == 2
        with pytest.raises(JsonRpcException, match="something else") as refused:
            await client.text_document_rename_async(types.RenameParams(here, use, "m"))
        assert refused.value.code == -32803
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(here))
        assert [symbol.name for symbol in symbols] == ["f"]
        tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(here))
        assert tokens.data
        assert len(tokens.data) % 5 == 0
        hints = await client.text_document_inlay_hint_async(types.InlayHintParams(here, whole(TEXT)))
        assert [hint.label for hint in hints] == [": u8"]
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(here))
        assert [lens.command.title for lens in lenses] == ["show AIR", "show graph", "run"]
        for lens, start in zip(lenses, ["(xor", "sequenceDiagram"], strict=False):
            command = types.ExecuteCommandParams(lens.command.command, arguments=lens.command.arguments)
            assert (await client.workspace_execute_command_async(command)).startswith(start)
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(here, types.Range(call, call), types.CodeActionContext([]))
        )
        assert [action.title for action in actions] == ["declare `f` for importers"]
        assert all(action.edit is not None for action in actions)
        options = types.FormattingOptions(4, insert_spaces=True)
        edits = await client.text_document_formatting_async(types.DocumentFormattingParams(here, options))
        assert [edit.new_text for edit in edits] == ["    m = n + 1", "    <- m"]
        line = types.Range(types.Position(6, 0), types.Position(7, 0))
        edits = await client.text_document_range_formatting_async(
            types.DocumentRangeFormattingParams(here, line, options)
        )
        assert list(edits) == []
        ranges = await client.text_document_folding_range_async(types.FoldingRangeParams(here))
        assert [(r.start_line, r.end_line) for r in ranges] == [(5, 7)]
        (selection,) = await client.text_document_selection_range_async(types.SelectionRangeParams(here, [use]))
        assert selection.range == types.Range(use, types.Position(use.line, use.character + 1))
        (item,) = await client.text_document_prepare_call_hierarchy_async(types.CallHierarchyPrepareParams(here, call))
        assert (
            list(await client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(item))) == []
        )
        found = await client.workspace_symbol_async(types.WorkspaceSymbolParams("f"))
        assert "f" in [symbol.name for symbol in found]

    converse(body, tmp_path, capabilities=capabilities, tcp=tcp)


@pytest.mark.parametrize("name", ["visual_studio_code", "neovim@v0.6", "neovim@v0.11", "emacs"])
def test_requests_of_real_clients_are_answered(tmp_path: Path, name: str) -> None:
    everything(tmp_path, pytest_lsp.client_capabilities(name))


def test_requests_are_answered_over_tcp(tmp_path: Path) -> None:
    everything(tmp_path, None, tcp=True)


def test_a_client_without_snippets_and_nesting_gets_plain_answers(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "main.aqua")
    text = "aqua Main declares *\n\ndata D:\n  size: u8\n\nfunc f(n: u8):\n  \n"
    able = types.TextDocumentClientCapabilities(document_symbol=types.DocumentSymbolClientCapabilities())

    async def body(client: Client) -> None:
        here = client.open(uri, text)
        found = await client.text_document_completion_async(types.CompletionParams(here, types.Position(6, 2)))
        inserted = [item.insert_text or item.label for item in found.items]
        assert not any("$" in text or "…" in text for text in inserted)
        assert {"on ", "for ", "n"} <= set(inserted)
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(here))
        assert [(s.name, s.container_name) for s in symbols] == [("D", None), ("size", "D"), ("f", None)]

    converse(body, tmp_path, capabilities=types.ClientCapabilities(text_document=able))


def test_scripts(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "a.air")
    text = '; note\n(seq\n (call %init_peer_id% ("a" "b") [] x)\n (call x ("c" "d") [x] y))'

    async def body(client: Client) -> None:
        here = client.open(uri, "(seq (null) (call x))", "air")
        (found, *_) = await client.findings(uri)
        assert found.source == "avm"
        client.change(uri, "(seq (null) (null))")
        await client.findings(uri, lambda found: not found)
        options = types.FormattingOptions(2, insert_spaces=True)
        (edit,) = await client.text_document_formatting_async(types.DocumentFormattingParams(here, options))
        assert edit.new_text == "(seq\n (null)\n (null))\n"
        hover = await client.text_document_hover_async(types.HoverParams(here, types.Position(0, 7)))
        assert "null" in hover.contents.value
        client.change(uri, text, 3)
        x = position(text, "x (")
        (place,) = await client.text_document_definition_async(types.DefinitionParams(here, x))
        assert place.range.start == position(text, "x)")
        context = types.ReferenceContext(include_declaration=True)
        assert len(await client.text_document_references_async(types.ReferenceParams(context, here, x))) == 3
        edit = await client.text_document_rename_async(types.RenameParams(here, x, "peer"))
        assert apply(text, list(edit.changes[uri])).count("peer") == 4  # with that of %init_peer_id%
        for params in (types.Position(1, 1), types.Position(3, 2)):
            found = await client.text_document_completion_async(types.CompletionParams(here, params))
            assert "seq" in labels(found)
        ranges = await client.text_document_folding_range_async(types.FoldingRangeParams(here))
        assert [(r.start_line, r.end_line) for r in ranges] == [(1, 3)]
        (selection,) = await client.text_document_selection_range_async(types.SelectionRangeParams(here, [x]))
        assert selection.parent is not None
        help_ = await client.text_document_signature_help_async(types.SignatureHelpParams(here, x))
        assert help_.signatures[0].label.startswith("(call peer")
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(here))
        assert len(symbols) == 2
        marks = await client.text_document_document_highlight_async(types.DocumentHighlightParams(here, x))
        assert [mark.kind.name for mark in marks] == ["Write", "Read", "Read"]
        tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(here))
        assert len(tokens.data) == 4 * 5
        shown = await client.workspace_execute_command_async(types.ExecuteCommandParams("aqua.beautifyAir", [uri]))
        assert "x <- call" in shown
        with pytest.raises(JsonRpcException, match="no variable"):
            await client.text_document_prepare_rename_async(types.PrepareRenameParams(here, types.Position(0, 0)))

    converse(body, tmp_path)


def test_graphs_and_wrong_arguments_of_commands(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "main.aqua")

    async def show(client: Client, *arguments: object) -> Any:
        command = types.ExecuteCommandParams("aqua.showGraph", arguments=list(arguments))
        return await client.workspace_execute_command_async(command)

    async def body(client: Client) -> None:
        client.open(uri, TEXT)
        assert (await show(client, uri, "f", "topology")).startswith("flowchart")
        assert (await show(client, uri, "f", "sequence", "svg")).startswith("<svg")
        assert "main.aqua" in await show(client, uri, None, "imports", "dot")
        assert await show(client, uri, "missing") is None
        for arguments in ((uri, "f", "circle"), ("untitled:1", "f"), (uri, 5), ()):
            with pytest.raises(JsonRpcInvalidParams):
                await show(client, *arguments)
        client.change(uri, BAD)
        assert await show(client, uri, "f") is None

    converse(body, tmp_path)


# ── files, folders, settings ─────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_watched(tmp_path: Path) -> None:
    lib, main = tmp_path / "lib.aqua", uri_of(tmp_path / "main.aqua")
    lib.write_text(LIB)
    watch = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    lens = types.CodeLensWorkspaceClientCapabilities(refresh_support=True)
    able = types.WorkspaceClientCapabilities(did_change_watched_files=watch, code_lens=lens)

    async def body(client: Client) -> None:
        await client.until(lambda: client.registered)
        (registration,) = client.registered
        assert registration.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        client.open(main, USES_LIB)
        await client.findings(main, lambda found: not found)
        lib.write_text(LIB.replace("ONE", "OTHER"))
        event = types.FileEvent(uri_of(lib), types.FileChangeType.Changed)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await client.findings(main)
        await client.until(lambda: client.refreshed)
        lib.unlink()
        event = types.FileEvent(uri_of(lib), types.FileChangeType.Deleted)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await client.findings(main, lambda found: [d.code for d in found] == ["AQ0120"])
        lib.write_text(LIB)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await client.findings(main, lambda found: not found)

    converse(body, tmp_path, capabilities=types.ClientCapabilities(able))


def test_settings_change(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "lib.aqua").write_text(LIB)
    main = uri_of(tmp_path / "main.aqua")
    able = types.ClientCapabilities(types.WorkspaceClientCapabilities(configuration=True))

    async def body(client: Client) -> None:
        client.open(main, USES_LIB)
        await client.findings(main, lambda found: not found)  # the client was asked
        client.set_configuration({"importFolders": []}, section="aqua")
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        assert [d.code for d in await client.findings(main)] == ["AQ0120"]
        client.set_configuration(None, section="aqua")  # and there is no answer to the question
        given = {"importFolders": ["vendor"], "codeLens": 5}
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(given))
        await client.findings(main, lambda found: not found)
        assert [m.message for m in client.messages] == ["aqua-lsp: settings: codeLens is true or false"]

    settings = {"": {"aqua": {"importFolders": ["vendor"]}}}
    converse(body, tmp_path, capabilities=able, configuration=settings)


def test_settings_are_sent_to_a_server_that_cannot_ask(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "lib.aqua").write_text(LIB)
    main = uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        client.open(main, USES_LIB)
        await client.findings(main)
        given = {"aqua": {"importFolders": ["vendor"]}, "other": {"importFolders": []}}
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(given))
        await client.findings(main, lambda found: not found)

    converse(body, tmp_path)


def test_settings_of_the_start(tmp_path: Path) -> None:
    main = uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        client.open(main, "func f() -> u8:\n  <- LIMIT\n")
        await client.findings(main, lambda found: not any(d.severity == 1 for d in found))

    converse(body, tmp_path, options={"legacyHeaders": True, "constants": ["LIMIT = 5"]})


def test_folders_have_settings_of_their_own_and_come_and_go(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "vendor").mkdir(parents=True)
        (folder / "vendor" / "lib.aqua").write_text(LIB.replace("ONE", "ONE" if folder is one else "OTHER"))
    first, second = uri_of(one / "main.aqua"), uri_of(two / "main.aqua")
    able = types.ClientCapabilities(types.WorkspaceClientCapabilities(configuration=True, workspace_folders=True))
    settings = {
        "": {"aqua": {}},
        uri_of(one): {"aqua": {"importFolders": ["vendor"]}},
        uri_of(two): {"aqua": {"imports": {"/": {"": str(two / "vendor")}}}},
    }

    async def body(client: Client) -> None:
        client.open(first, USES_LIB)
        client.open(second, USES_LIB.replace("ONE", "OTHER"))
        await client.findings(first, lambda found: not found)
        await client.findings(second, lambda found: not found)
        gone = types.WorkspaceFolder(uri_of(two), "two")
        event = types.WorkspaceFoldersChangeEvent(added=[], removed=[gone])
        client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
        assert [d.code for d in await client.findings(second)] == ["AQ0120"]
        event = types.WorkspaceFoldersChangeEvent(added=[gone], removed=[])
        client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
        await client.findings(second, lambda found: not found)
        found = await client.workspace_symbol_async(types.WorkspaceSymbolParams("o"))
        assert {"ONE", "OTHER"} <= {symbol.name for symbol in found}

    converse(body, one, two, capabilities=able, configuration=settings)


def test_imports_follow_a_renamed_file(tmp_path: Path) -> None:
    (tmp_path / "lib.aqua").write_text(LIB)
    (tmp_path / "main.aqua").write_text(USES_LIB)

    async def body(client: Client) -> None:
        file = types.FileRename(uri_of(tmp_path / "lib.aqua"), uri_of(tmp_path / "new.aqua"))
        edit = await client.workspace_will_rename_files_async(types.RenameFilesParams([file]))
        ((uri, edits),) = edit.changes.items()
        assert uri == uri_of(tmp_path / "main.aqua")
        assert apply(USES_LIB, list(edits)) == USES_LIB.replace("lib.aqua", "new.aqua")

    converse(body, tmp_path)


# ── long work ────────────────────────────────────────────────────────────────────────────────────────────────────────


def many_files(folder: Path, number: int) -> None:
    (folder / "base.aqua").write_text("aqua Base declares *\n\nfunc base(n: u8) -> u8:\n  <- n\n")
    for n in range(number):
        text = f'aqua M{n} declares *\n\nimport "base.aqua"\n\nfunc f{n}() -> u8:\n  x <- base({n % 200})\n  <- x\n'
        (folder / f"m{n}.aqua").write_text(text)


SHOWS_PROGRESS = types.ClientCapabilities(window=types.WindowClientCapabilities(work_done_progress=True))


def kinds(client: Client, token: str | int) -> list[str]:
    return [report.kind for report in client.progress_reports.get(token, [])]


def test_reading_many_files_is_shown_and_their_names_can_be_imported(tmp_path: Path) -> None:
    many_files(tmp_path, SHOWN_FROM + 20)
    main = uri_of(tmp_path / "main.aqua")

    async def body(client: Client) -> None:
        here = client.open(main, "aqua Main declares *\n\nfunc g():\n  f11\n")
        params = types.CompletionParams(here, types.Position(3, 5))
        found = await client.text_document_completion_async(params)
        while "f11" not in labels(found):  # files are read in the background, and the client is told to ask again
            assert found.is_incomplete
            found = await client.text_document_completion_async(params)
        (item,) = [item for item in found.items if item.label == "f11"]
        assert item.additional_text_edits[0].new_text == '\n\nimport f11 from "m11.aqua"'
        (token,) = client.progress_reports
        while kinds(client, token)[-1] != "end":
            await client.text_document_completion_async(params)
        assert kinds(client, token)[0] == "begin"
        assert set(kinds(client, token)[1:-1]) == {"report"}

    converse(body, tmp_path, capabilities=SHOWS_PROGRESS)


def test_a_search_shows_its_progress_under_the_token_of_the_client(tmp_path: Path) -> None:
    many_files(tmp_path, 30)
    base = tmp_path / "base.aqua"

    async def body(client: Client) -> None:
        here = client.open(uri_of(base), base.read_text())
        context = types.ReferenceContext(include_declaration=False)
        client.progress_reports["mine"] = []
        params = types.ReferenceParams(context, here, position(base.read_text(), "base("), work_done_token="mine")
        assert len(await client.text_document_references_async(params)) == 30
        assert kinds(client, "mine")[0] == "begin"
        assert kinds(client, "mine")[-1] == "end"

    converse(body, tmp_path)


def test_a_search_is_cancelled(tmp_path: Path) -> None:
    """By the request's own cancellation, and by that of its progress."""
    many_files(tmp_path, 400)
    base = tmp_path / "base.aqua"
    context = types.ReferenceContext(include_declaration=False)

    async def body(client: Client) -> None:
        here = client.open(uri_of(base), base.read_text())
        at = position(base.read_text(), "base(")
        for number in range(2):
            token, msg_id = f"mine-{number}", f"search-{number}"
            client.progress_reports[token] = []
            params = types.ReferenceParams(context, here, at, work_done_token=token)
            method = types.TEXT_DOCUMENT_REFERENCES
            asked = asyncio.ensure_future(client.protocol.send_request_async(method, params, msg_id))
            await client.until(lambda token=token: client.progress_reports[token])
            if number == 0:
                client.cancel_request(types.CancelParams(msg_id))
            else:
                client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
            with pytest.raises(JsonRpcRequestCancelled):
                await asked
            # The server goes on, and the search can be asked for again.
            client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        params = types.ReferenceParams(context, here, at)
        assert len(await client.text_document_references_async(params)) == 400

    converse(body, tmp_path)


def test_an_answer_about_a_text_that_changed_meanwhile_is_not_given(tmp_path: Path) -> None:
    many_files(tmp_path, 400)
    base = tmp_path / "base.aqua"

    async def body(client: Client) -> None:
        here = client.open(uri_of(base), base.read_text())
        client.progress_reports["mine"] = []
        context = types.ReferenceContext(include_declaration=False)
        params = types.ReferenceParams(context, here, position(base.read_text(), "base("), work_done_token="mine")
        asked = asyncio.ensure_future(client.text_document_references_async(params))
        await client.until(lambda: client.progress_reports["mine"])
        client.change(uri_of(base), "\n" + base.read_text())
        with pytest.raises(JsonRpcException) as modified:
            await asked
        assert modified.value.code == -32801

    converse(body, tmp_path)


# ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────────────


def message(body: dict[str, object]) -> bytes:
    data = json.dumps({"jsonrpc": "2.0"} | body).encode()
    return b"Content-Length: %d\r\n\r\n" % len(data) + data


def exchange(*bodies: dict[str, Any] | bytes, code: int = 0) -> list[Any]:
    """What the server says to messages that come in one piece, and to an orderly end."""
    raw = [body if isinstance(body, bytes) else message(body) for body in bodies]
    end = [message({"id": "end", "method": "shutdown"}), message({"method": "exit"})]
    done = subprocess.run(
        [sys.executable, "-m", "lsp"], input=b"".join(raw + end), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, b"")
    found = []
    rest = done.stdout
    while rest:
        header, _, rest = rest.partition(b"\r\n\r\n")
        length = int(header.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        found.append(json.loads(rest[:length]))
        rest = rest[length:]
    return [answer for answer in found if answer.get("id") != "end"]


INITIALIZE: dict[str, Any] = {
    "id": 1,
    "method": "initialize",
    "params": {"capabilities": {}, "processId": None, "rootUri": None},
}


def hover_at(line: int, msg_id: int) -> dict[str, Any]:
    params = {"textDocument": {"uri": "file:///w/main.aqua"}, "position": {"line": line, "character": 5}}
    return {"id": msg_id, "method": "textDocument/hover", "params": params}


def test_a_request_whose_cancellation_is_there_already_is_not_computed() -> None:
    document = {"uri": "file:///w/main.aqua", "languageId": "aqua", "version": 1, "text": TEXT}
    told = exchange(
        INITIALIZE,
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        hover_at(5, 2),
        hover_at(5, 3),
        {"method": "$/cancelRequest", "params": {"id": 2}},
        {"method": "$/cancelRequest", "params": {"id": 77}},
    )
    by_id = {answer["id"]: answer for answer in told if "id" in answer}
    assert by_id[2]["error"]["code"] == -32800
    assert "func f" in by_id[3]["result"]["contents"]["value"]


def test_what_is_no_request_is_answered_with_an_error_and_the_server_goes_on() -> None:
    broken = b"Content-Length: 3\r\n\r\n{x}"
    told = exchange(
        hover_at(5, 2),
        INITIALIZE,
        broken,
        {"id": 3, "method": "textDocument/hover", "params": {"position": 5}},
        {"id": 4, "method": "aqua/unknown", "params": {}},
        {"method": "aqua/unknown", "params": {}},
        hover_at(5, 6),
    )
    codes = [(answer.get("id"), answer.get("error", {}).get("code")) for answer in told]
    assert codes == [(2, -32002), (1, None), (None, -32700), (3, -32602), (4, -32601), (6, None)]


def test_a_request_after_shutdown_is_refused() -> None:
    told = exchange(INITIALIZE, {"id": 2, "method": "shutdown"}, hover_at(5, 3))
    assert told[-1]["error"]["code"] == -32600


def test_a_stream_that_is_no_sequence_of_messages_ends_the_server() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lsp"],
        input=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"no sequence of messages: a header without `Content-Length`" in done.stderr
    assert b"Traceback" not in done.stderr


def test_input_from_a_file_is_served(tmp_path: Path) -> None:
    """Not a pipe, so a thread reads it."""
    words = tmp_path / "words"
    words.write_bytes(message(INITIALIZE) + message({"id": 2, "method": "shutdown"}) + message({"method": "exit"}))
    with words.open("rb") as file:
        done = subprocess.run([sys.executable, "-m", "lsp"], stdin=file, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert b'"capabilities"' in done.stdout


def test_an_end_without_shutdown_is_told_by_the_exit_code() -> None:
    words = message(INITIALIZE) + message({"method": "exit"})
    done = subprocess.run([sys.executable, "-m", "lsp"], input=words, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_interrupt_ends_it() -> None:
    with subprocess.Popen([sys.executable, "-m", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(message(INITIALIZE))
        server.stdin.flush()
        server.stdout.readline()  # it is up
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130


# ── URIs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/a/b c/ü.aqua", "/x/%20/y.aqua", os.fsdecode(b"/x/\xfe.aqua")])
def test_uris(path: str) -> None:
    assert to_path(to_uri(path)) == path
    assert to_path("untitled:Untitled-1") is None


@pytest.mark.parametrize("uri", ["file://[x", "untitled:1", "", "file:"])
def test_what_is_no_file_has_no_path(uri: str) -> None:
    path = to_path(uri)
    assert path is None or Path(path).is_absolute()


def test_requests_about_documents_that_are_no_files_are_answered(tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        here = client.open("untitled:Untitled-1", TEXT)
        at = types.Position(5, 5)
        asked: list[Callable[[], Any]] = [
            lambda: client.text_document_hover_async(types.HoverParams(here, at)),
            lambda: client.text_document_completion_async(types.CompletionParams(here, at)),
            lambda: client.text_document_folding_range_async(types.FoldingRangeParams(here)),
        ]
        for ask in asked:
            assert not await ask()
        client.change("untitled:Untitled-1", GOOD)
        client.text_document_did_close(types.DidCloseTextDocumentParams(here))

    converse(body, tmp_path)
