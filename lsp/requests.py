"""Requests: each is answered by its file in `features/`; here parameters are converted and `.air` files set apart.

A handler first gives way to the loop, so that a request that was cancelled meanwhile is never computed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from aquac.formatting.document import FormattingChangedProgram
from aquac.source import Span

from .air import SUFFIX as AIR
from .convert import to_offset, to_path
from .features import call_hierarchy, code_lens
from .features.code_actions import code_actions
from .features.completion import completion
from .features.definition import definition, type_definition
from .features.folding import folding_ranges
from .features.formatting import formatting
from .features.hover import hover
from .features.inlay_hints import inlay_hints
from .features.references import highlight, references
from .features.rename import RenameRefused, prepare_rename, rename
from .features.selection import selection_range
from .features.semantic_tokens import LEGEND, semantic_tokens
from .features.signature_help import signature_help
from .features.symbols import document_symbols, workspace_symbols

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import AquaServer
    from .workspace import Workspace

REQUEST_FAILED = -32803
BEAUTIFY = "aqua.beautifyAir"


class _Requests:
    """Turns documents and positions of the protocol into paths and offsets."""

    def __init__(self, server: AquaServer) -> None:
        self.server = server
        self.workspace: Workspace = server.documents

    def offset(self, path: str, position: types.Position) -> int:
        return to_offset(self.workspace.text(path), position)

    def span(self, path: str, r: types.Range) -> Span:
        return Span(self.offset(path, r.start), self.offset(path, r.end))

    def at(
        self, method: str, answer: Callable[[Workspace, str, int], Any], options: object = None, *, empty: Any = None
    ) -> None:
        """Register a request about a position."""

        @self.server.feature(method, options)
        async def handler(params: Any) -> Any:
            await asyncio.sleep(0)
            path = to_path(params.text_document.uri)
            if path is None or path.endswith(AIR):
                return empty
            try:
                return answer(self.workspace, path, self.offset(path, params.position))
            except RenameRefused as error:
                raise JsonRpcException(str(error), REQUEST_FAILED) from error

    def of(self, method: str, answer: Callable[[str, Any], Any], options: object = None, *, air: Any = None) -> None:
        """Register a request about a document; `air` is the answer for scripts."""

        @self.server.feature(method, options)
        async def handler(params: Any) -> Any:
            await asyncio.sleep(0)
            path = to_path(params.text_document.uri)
            if path is None:
                return None
            if path.endswith(AIR):
                return air(path) if callable(air) else air
            return answer(path, params)


def register_requests(server: AquaServer) -> None:
    """Attach the handlers."""
    ask = _Requests(server)
    _positions(ask)
    _documents(ask)
    _others(ask)


def _positions(ask: _Requests) -> None:
    ask.at(types.TEXT_DOCUMENT_DEFINITION, definition)
    ask.at(types.TEXT_DOCUMENT_DECLARATION, definition)
    ask.at(types.TEXT_DOCUMENT_TYPE_DEFINITION, type_definition)
    ask.at(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlight)
    ask.at(types.TEXT_DOCUMENT_COMPLETION, completion, types.CompletionOptions(trigger_characters=[".", '"', ":", "("]))
    help_options = types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=[")"])
    ask.at(types.TEXT_DOCUMENT_SIGNATURE_HELP, signature_help, help_options)
    ask.at(types.TEXT_DOCUMENT_PREPARE_RENAME, prepare_rename)
    ask.at(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY, call_hierarchy.prepare_call_hierarchy)
    workspace = ask.workspace

    @ask.server.feature(types.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: types.HoverParams) -> types.Hover | None:
        await asyncio.sleep(0)
        path = to_path(params.text_document.uri)
        if path is None:
            return None
        offset = ask.offset(path, params.position)
        return ask.server.air(path).hover(offset) if path.endswith(AIR) else hover(workspace, path, offset)

    ask.of(
        types.TEXT_DOCUMENT_REFERENCES,
        lambda path, p: references(
            workspace, path, ask.offset(path, p.position), declaration=p.context.include_declaration
        ),
    )

    def renamed(path: str, params: types.RenameParams) -> types.WorkspaceEdit:
        try:
            return rename(workspace, path, ask.offset(path, params.position), params.new_name)
        except RenameRefused as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error

    ask.of(types.TEXT_DOCUMENT_RENAME, renamed, types.RenameOptions(prepare_provider=True))


def _documents(ask: _Requests) -> None:
    workspace, server = ask.workspace, ask.server
    ask.of(
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        lambda path, _: document_symbols(workspace, path),
        air=lambda path: server.air(path).symbols(),
    )
    ask.of(types.TEXT_DOCUMENT_FOLDING_RANGE, lambda path, _: folding_ranges(workspace, path))
    ask.of(
        types.TEXT_DOCUMENT_SELECTION_RANGE,
        lambda path, p: [selection_range(workspace, path, ask.offset(path, x)) for x in p.positions],
    )
    ask.of(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lambda path, _: semantic_tokens(workspace, path), LEGEND)
    ask.of(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE,
        lambda path, p: semantic_tokens(workspace, path, ask.span(path, p.range)),
        LEGEND,
    )
    ask.of(types.TEXT_DOCUMENT_INLAY_HINT, lambda path, p: inlay_hints(workspace, path, ask.span(path, p.range)))
    ask.of(types.TEXT_DOCUMENT_CODE_LENS, lambda path, _: code_lens.code_lenses(workspace, path))
    kinds = types.CodeActionKind
    offered = [kinds.QuickFix, kinds.Refactor, kinds.SourceOrganizeImports, kinds.SourceFixAll, kinds.Source]
    ask.of(
        types.TEXT_DOCUMENT_CODE_ACTION,
        lambda path, p: code_actions(workspace, path, ask.span(path, p.range), p.context.only or ()),
        types.CodeActionOptions(code_action_kinds=offered),
    )

    def pulled(path: str) -> types.RelatedFullDocumentDiagnosticReport:
        return types.RelatedFullDocumentDiagnosticReport(items=server.pulled(path))

    ask.of(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        lambda path, _: pulled(path),
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="aqua"),
        air=pulled,
    )

    def formatted(path: str, r: types.Range | None = None) -> list[types.TextEdit]:
        try:
            return formatting(workspace, path, r)
        except FormattingChangedProgram as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error

    ask.of(
        types.TEXT_DOCUMENT_FORMATTING,
        lambda path, _: formatted(path),
        air=lambda path: server.air(path).formatting_edits(),
    )
    ask.of(types.TEXT_DOCUMENT_RANGE_FORMATTING, lambda path, p: formatted(path, p.range))


def _others(ask: _Requests) -> None:
    workspace, server = ask.workspace, ask.server

    @server.feature(types.WORKSPACE_SYMBOL)
    async def symbols(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        await asyncio.sleep(0)
        return workspace_symbols(workspace, params.query)

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming(params: types.CallHierarchyIncomingCallsParams) -> list[types.CallHierarchyIncomingCall]:
        await asyncio.sleep(0)
        return call_hierarchy.incoming_calls(workspace, params.item)

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing(params: types.CallHierarchyOutgoingCallsParams) -> list[types.CallHierarchyOutgoingCall]:
        await asyncio.sleep(0)
        return call_hierarchy.outgoing_calls(workspace, params.item)

    @server.command(code_lens.SHOW_AIR)
    def show_air(uri: str, function: str) -> str | None:
        path = to_path(uri)
        return None if path is None else code_lens.show_air(workspace, path, function)

    @server.command(BEAUTIFY)
    def beautify_air(uri: str) -> str | None:
        path = to_path(uri)
        return None if path is None else server.air(path).beautified()
