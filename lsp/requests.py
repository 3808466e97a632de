"""Requests by method: what the client is told about each, and the handler. The answers themselves are in `answers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from .legend import LEGEND

if TYPE_CHECKING:
    from .server import AquaServer

_KINDS: Final = types.CodeActionKind

REQUESTS: Final[dict[str, object]] = {
    types.TEXT_DOCUMENT_HOVER: None,
    types.TEXT_DOCUMENT_DEFINITION: None,
    types.TEXT_DOCUMENT_DECLARATION: None,
    types.TEXT_DOCUMENT_TYPE_DEFINITION: None,
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: None,
    types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(trigger_characters=[".", '"', "/", ":", "("]),
    types.TEXT_DOCUMENT_SIGNATURE_HELP: types.SignatureHelpOptions(
        trigger_characters=["(", ","], retrigger_characters=[")"]
    ),
    types.TEXT_DOCUMENT_PREPARE_RENAME: None,
    types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY: None,
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: None,
    types.TEXT_DOCUMENT_FOLDING_RANGE: None,
    types.TEXT_DOCUMENT_SELECTION_RANGE: None,
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: LEGEND,
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE: LEGEND,
    types.TEXT_DOCUMENT_INLAY_HINT: None,
    types.TEXT_DOCUMENT_CODE_LENS: None,
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions(
        code_action_kinds=[
            _KINDS.QuickFix,
            _KINDS.RefactorExtract,
            _KINDS.RefactorInline,
            _KINDS.RefactorRewrite,
            _KINDS.SourceOrganizeImports,
            _KINDS.SourceFixAll,
            _KINDS.Source,
        ]
    ),
    types.TEXT_DOCUMENT_DIAGNOSTIC: types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=False, identifier="aqua"
    ),
    types.TEXT_DOCUMENT_FORMATTING: None,
    types.TEXT_DOCUMENT_RANGE_FORMATTING: None,
    types.CALL_HIERARCHY_OUTGOING_CALLS: None,
}
"""Requests about one document; answered at once, in the order they come."""

LONG: Final[dict[str, object]] = {
    types.TEXT_DOCUMENT_REFERENCES: types.ReferenceOptions(work_done_progress=True),
    types.TEXT_DOCUMENT_RENAME: types.RenameOptions(prepare_provider=True, work_done_progress=True),
    types.WORKSPACE_SYMBOL: types.WorkspaceSymbolOptions(work_done_progress=True),
    types.CALL_HIERARCHY_INCOMING_CALLS: None,
    types.WORKSPACE_WILL_RENAME_FILES: types.FileOperationRegistrationOptions(
        [
            types.FileOperationFilter(types.FileOperationPattern("**/*.aqua"), scheme="file"),
            types.FileOperationFilter(
                types.FileOperationPattern("**", matches=types.FileOperationPatternKind.Folder), scheme="file"
            ),
        ]
    ),
}
"""Requests that look at every file of the workspace: done in slices, shown as progress, and cancelled on demand."""

SHOW_AIR: Final = "aqua.showAir"
SHOW_GRAPH: Final = "aqua.showGraph"
BEAUTIFY: Final = "aqua.beautifyAir"
COMMANDS: Final = (SHOW_AIR, SHOW_GRAPH, BEAUTIFY)
"""Commands that the server executes; `aqua.run` is the editor's."""


def register_requests(server: AquaServer) -> None:
    """Attach the handlers."""
    for method, options in REQUESTS.items():
        _register(server, method, options)
    for method, options in LONG.items():
        _register_long(server, method, options)
    for command in COMMANDS:
        _register_command(server, command)


def _register(server: AquaServer, method: str, options: object) -> None:
    @server.feature(method, options)
    def handler(params: Any) -> Any:
        from .answers import ANSWERS

        return ANSWERS[method](server, params)


def _register_long(server: AquaServer, method: str, options: object) -> None:
    @server.feature(method, options)
    async def handler(params: Any) -> Any:
        from .answers import answer_long

        return await answer_long(server, method, params)


def _register_command(server: AquaServer, command: str) -> None:
    @server.command(command)
    def handler(*arguments: Any) -> Any:
        from .answers import COMMANDS_OF

        return COMMANDS_OF[command](server, *arguments)
