"""Requests answered: parameters of the protocol become paths and offsets, `features/` does the rest; `.air` files are set apart.

What an answer looks like depends on what the client can show: snippets, nested symbols, edits with versions.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcRequestCancelled

from aquac.formatting.document import FormattingChangedProgram
from aquac.source import Span

from .convert import to_offset, to_path
from .features import call_hierarchy, code_lens, graph
from .features.code_actions import code_actions
from .features.completion import completion, without_snippets
from .features.definition import definition, type_definition
from .features.folding import folding_ranges
from .features.formatting import formatting
from .features.hover import hover
from .features.inlay_hints import inlay_hints
from .features.references import highlight, references
from .features.rename import RenameRefused, prepare_rename, rename
from .features.rename_files import rename_files
from .features.selection import selection_range
from .features.semantic_tokens import semantic_tokens
from .features.signature_help import signature_help
from .features.symbols import document_symbols, workspace_symbols
from .mentions import gather
from .protocol import ContentModified, Refused
from .requests import BEAUTIFY, SHOW_AIR, SHOW_GRAPH
from .server import AIR
from .work import WorkStopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from .air import AirFile
    from .facts import Fact
    from .mentions import Mention
    from .server import AquaServer
    from .view import View
    from .workspace import Workspace

    Answer = Callable[[AquaServer, Any], Any]


def _offset(workspace: Workspace, path: str, position: types.Position) -> int:
    return to_offset(workspace.text(path), position)


def _span(workspace: Workspace, path: str, r: types.Range) -> Span:
    return Span(_offset(workspace, path, r.start), _offset(workspace, path, r.end))


def _at(
    answer: Callable[[Workspace, str, int], Any],
    air: Callable[[AirFile, int], Any] | None = None,
    *,
    empty: Any = None,
) -> Answer:
    """A request about a position; `air` answers it for scripts."""

    def answered(server: AquaServer, params: Any) -> Any:
        path = to_path(params.text_document.uri)
        if path is None:
            return empty
        offset = _offset(server.documents, path, params.position)
        if path.endswith(AIR):
            return empty if air is None else air(server.air(path), offset)
        try:
            return answer(server.documents, path, offset)
        except RenameRefused as error:
            raise Refused(str(error)) from error

    return answered


def _of(answer: Callable[[AquaServer, str, Any], Any], air: Callable[[AirFile, Any], Any] | None = None) -> Answer:
    """A request about a document; `air` answers it for scripts."""

    def answered(server: AquaServer, params: Any) -> Any:
        path = to_path(params.text_document.uri)
        if path is None:
            return None
        if path.endswith(AIR):
            return None if air is None else air(server.air(path), params)
        return answer(server, path, params)

    return answered


# ── single requests ──────────────────────────────────────────────────────────────────────────────────────────────────


def _completion(server: AquaServer, params: types.CompletionParams) -> types.CompletionList | None:
    path = to_path(params.text_document.uri)
    if path is None:
        return None
    offset = _offset(server.documents, path, params.position)
    found = server.air(path).completion(offset) if path.endswith(AIR) else completion(server.documents, path, offset)
    if not server.work.is_indexed:
        found.is_incomplete = True
    document = server.client_capabilities.text_document
    item = None if document is None or document.completion is None else document.completion.completion_item
    if item is None or types.MarkupKind.Markdown not in (item.documentation_format or ()):
        for each in found.items:
            if isinstance(each.documentation, types.MarkupContent):
                each.documentation = each.documentation.value
    return found if item is not None and item.snippet_support else without_snippets(found)


def _hover(server: AquaServer, params: types.HoverParams) -> types.Hover | None:
    found: types.Hover | None = _HOVER(server, params)
    document = server.client_capabilities.text_document
    able = None if document is None or document.hover is None else document.hover.content_format
    if found is None or not able or types.MarkupKind.Markdown in able:
        return found
    assert isinstance(found.contents, types.MarkupContent)
    text = "\n".join(line for line in found.contents.value.split("\n") if not line.startswith("```"))
    return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, text), found.range)


def _signature_help(server: AquaServer, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    found: types.SignatureHelp | None = _SIGNATURE_HELP(server, params)
    document = server.client_capabilities.text_document
    able = None if document is None or document.signature_help is None else document.signature_help
    information = None if able is None else able.signature_information
    if information is None or types.MarkupKind.Markdown not in (information.documentation_format or ()):
        for each in () if found is None else found.signatures:
            if isinstance(each.documentation, types.MarkupContent):
                each.documentation = each.documentation.value
    return found


def _symbols(server: AquaServer, path: str, params: Any) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    return _nested_or_flat(server, params.text_document.uri, document_symbols(server.documents, path))


def _nested_or_flat(
    server: AquaServer, uri: str, symbols: list[types.DocumentSymbol]
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    document = server.client_capabilities.text_document
    able = None if document is None else document.document_symbol
    if able is None or able.hierarchical_document_symbol_support:
        return symbols
    flat = []
    waiting: list[tuple[types.DocumentSymbol, str | None]] = [(symbol, None) for symbol in reversed(symbols)]
    while waiting:
        symbol, container = waiting.pop()
        where = types.Location(uri, symbol.range)
        flat.append(types.SymbolInformation(where, symbol.name, symbol.kind, container_name=container))
        waiting += [(child, symbol.name) for child in reversed(symbol.children or ())]
    return flat


def _air_symbols(server: AquaServer, params: Any) -> Any:
    path = to_path(params.text_document.uri)
    if path is not None and path.endswith(AIR):
        return _nested_or_flat(server, params.text_document.uri, server.air(path).symbols())
    return None if path is None else _symbols(server, path, params)


def _selection(server: AquaServer, path: str, params: types.SelectionRangeParams) -> list[types.SelectionRange]:
    workspace = server.documents
    return [selection_range(workspace, path, _offset(workspace, path, p)) for p in params.positions]


def _tokens(server: AquaServer, path: str, params: Any) -> types.SemanticTokens:
    workspace = server.documents
    part = getattr(params, "range", None)
    return semantic_tokens(workspace, path, None if part is None else _span(workspace, path, part))


def _actions(server: AquaServer, path: str, params: types.CodeActionParams) -> list[types.CodeAction]:
    workspace = server.documents
    found = code_actions(workspace, path, _span(workspace, path, params.range), params.context.only or ())
    for action in found:
        if action.edit is not None:
            action.edit = _edit(server, action.edit)
    return found


def _edit(server: AquaServer, edit: types.WorkspaceEdit) -> types.WorkspaceEdit:
    """The edit with the versions of the texts it is for, if the client can check them."""
    workspace = server.client_capabilities.workspace
    able = None if workspace is None else workspace.workspace_edit
    if able is None or not able.document_changes:
        return edit
    changes: list[types.TextDocumentEdit] = []
    for uri, edits in (edit.changes or {}).items():
        path = to_path(uri)
        version = None if path is None else server.version_of(path)
        document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        changes.append(types.TextDocumentEdit(document, list(edits)))
    return types.WorkspaceEdit(document_changes=list(changes))


def _diagnostic(server: AquaServer, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport | None:
    path = to_path(params.text_document.uri)
    items = [] if path is None else server.pulled(path)
    digest = blake2b(repr(items).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    if params.previous_result_id == digest:
        return types.RelatedUnchangedDocumentDiagnosticReport(digest)
    return types.RelatedFullDocumentDiagnosticReport(items, result_id=digest)


def _formatting(server: AquaServer, path: str, params: Any) -> list[types.TextEdit]:
    try:
        return formatting(server.documents, path, getattr(params, "range", None))
    except FormattingChangedProgram as error:
        raise Refused(str(error)) from error


_HOVER: Final = _at(hover, lambda air, offset: air.hover(offset))
_SIGNATURE_HELP: Final = _at(signature_help, lambda air, offset: air.signature_help(offset))

ANSWERS: Final[dict[str, Answer]] = {
    types.TEXT_DOCUMENT_HOVER: _hover,
    types.TEXT_DOCUMENT_DEFINITION: _at(definition, lambda air, offset: air.definition(offset)),
    types.TEXT_DOCUMENT_DECLARATION: _at(definition, lambda air, offset: air.definition(offset)),
    types.TEXT_DOCUMENT_TYPE_DEFINITION: _at(type_definition),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: _at(highlight, lambda air, offset: air.highlight(offset)),
    types.TEXT_DOCUMENT_COMPLETION: _completion,
    types.TEXT_DOCUMENT_SIGNATURE_HELP: _signature_help,
    types.TEXT_DOCUMENT_PREPARE_RENAME: _at(prepare_rename, lambda air, offset: air.prepare_rename(offset)),
    types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY: _at(call_hierarchy.prepare_call_hierarchy),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: _air_symbols,
    types.TEXT_DOCUMENT_FOLDING_RANGE: _of(
        lambda server, path, _: folding_ranges(server.documents, path), lambda air, _: air.folding()
    ),
    types.TEXT_DOCUMENT_SELECTION_RANGE: _of(
        _selection, lambda air, params: [air.selection(to_offset(air.source, p)) for p in params.positions]
    ),
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: _of(_tokens, lambda air, _: air.semantic_tokens()),
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE: _of(_tokens, lambda air, _: air.semantic_tokens()),
    types.TEXT_DOCUMENT_INLAY_HINT: _of(
        lambda server, path, p: inlay_hints(server.documents, path, _span(server.documents, path, p.range))
    ),
    types.TEXT_DOCUMENT_CODE_LENS: _of(lambda server, path, _: code_lens.code_lenses(server.documents, path)),
    types.TEXT_DOCUMENT_CODE_ACTION: _of(_actions),
    types.TEXT_DOCUMENT_DIAGNOSTIC: _diagnostic,
    types.TEXT_DOCUMENT_FORMATTING: _of(_formatting, lambda air, _: air.formatting_edits()),
    types.TEXT_DOCUMENT_RANGE_FORMATTING: _of(_formatting),
    types.CALL_HIERARCHY_OUTGOING_CALLS: lambda server, params: call_hierarchy.outgoing_calls(
        server.documents, params.item
    ),
}


# ── requests over the whole workspace ────────────────────────────────────────────────────────────────────────────────


async def answer_long(server: AquaServer, method: str, params: Any) -> Any:
    """Answer a request of `requests.LONG`. Raises JsonRpcRequestCancelled, ContentModified, Refused."""
    try:
        if method == types.WORKSPACE_SYMBOL:
            await server.work.gradually(server.documents.index(), "Reading Aqua files", params.work_done_token)
            return workspace_symbols(server.documents, params.query)
        if method == types.WORKSPACE_WILL_RENAME_FILES:
            return await _renamed_files(server, params)
        if method == types.CALL_HIERARCHY_INCOMING_CALLS:
            return await _incoming(server, params)
        return await _mentions(server, method, params)
    except WorkStopped as error:
        raise JsonRpcRequestCancelled("cancelled") from error


async def _mentions(server: AquaServer, method: str, params: Any) -> Any:
    path = to_path(params.text_document.uri)
    if path is None:
        return None
    workspace = server.documents
    offset = _offset(workspace, path, params.position)
    if path.endswith(AIR):
        air = server.air(path)
        if method == types.TEXT_DOCUMENT_RENAME:
            return _edit(server, air.rename(offset, params.new_name))
        return air.references(offset, declaration=params.context.include_declaration)
    view = workspace.view(path)
    fact = None if view is None else view.fact_at(offset)
    found = await _gathered(server, path, view, fact, params.work_done_token)
    if method == types.TEXT_DOCUMENT_REFERENCES:
        return references(workspace, path, offset, declaration=params.context.include_declaration, mentions=found)
    try:
        return _edit(server, rename(workspace, path, offset, params.new_name, mentions=found))
    except RenameRefused as error:
        raise Refused(str(error)) from error


async def _renamed_files(server: AquaServer, params: types.RenameFilesParams) -> types.WorkspaceEdit | None:
    await server.work.gradually(server.documents.index(), "Reading Aqua files")
    paths = {to_path(file.old_uri): to_path(file.new_uri) for file in params.files}
    renames = {old: new for old, new in paths.items() if old is not None and new is not None}
    found = rename_files(server.documents, renames)
    return None if found is None else _edit(server, found)


async def _incoming(server: AquaServer, params: types.CallHierarchyIncomingCallsParams) -> Any:
    target = call_hierarchy.target(server.documents, params.item)
    if target is None:
        return None
    found = await _gathered(server, target[0].path, *target, params.work_done_token)
    return call_hierarchy.incoming_calls(server.documents, params.item, mentions=found)


async def _gathered(
    server: AquaServer, path: str, view: View | None, fact: Fact | None, token: int | str | None
) -> list[Mention]:
    """Mentions in the workspace. Raises ContentModified if the document has another text afterwards."""
    found: list[Mention] = []
    if view is None or fact is None:
        return found
    text = server.documents.text(path)
    await asyncio.sleep(0)
    await server.work.gradually(gather(server.documents, view, fact, found), "Searching Aqua files", token)
    if server.documents.text(path) is not text:
        raise ContentModified
    return found


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_air(server: AquaServer, uri: object = None, function: object = None) -> str | None:
    return code_lens.show_air(server.documents, _path_of(uri), _name_of(function))


def _show_graph(
    server: AquaServer, uri: object = None, function: object = None, view: object = "sequence", form: object = "mermaid"
) -> str | None:
    try:
        name = None if function is None else _name_of(function)
        return graph.show_graph(server.documents, _path_of(uri), name, _name_of(view), _name_of(form))
    except ValueError as error:
        raise JsonRpcInvalidParams(str(error)) from error


def _beautify(server: AquaServer, uri: object = None) -> str | None:
    return server.air(_path_of(uri)).beautified()


def _path_of(uri: object) -> str:
    path = to_path(uri) if isinstance(uri, str) else None
    if path is None:
        raise JsonRpcInvalidParams("the first argument is the URI of a file")
    return path


def _name_of(argument: object) -> str:
    if not isinstance(argument, str):
        raise JsonRpcInvalidParams(f"`{argument}` is no name")
    return argument


COMMANDS_OF: Final[dict[str, Callable[..., Any]]] = {
    SHOW_AIR: _show_air,
    SHOW_GRAPH: _show_graph,
    BEAUTIFY: _beautify,
}
