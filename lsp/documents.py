"""Notifications: what the editor tells about documents, files, folders and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from .convert import to_path, to_uri

if TYPE_CHECKING:
    from .server import AquaServer

WATCHED: Final = "**/*.aqua"


def register_documents(server: AquaServer) -> None:
    """Attach the handlers."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        from . import answers  # noqa: F401 - everything an answer needs, while the client opens its first document

        server.configure()
        client = server.client_capabilities.workspace
        if client is not None:
            if client.did_change_watched_files is not None and client.did_change_watched_files.dynamic_registration:
                options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(WATCHED)])
                watch = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
                await server.client_register_capability_async(types.RegistrationParams([watch]))
            if client.configuration:
                await _ask_for_settings(server)
        server.work.index()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        client = server.client_capabilities.workspace
        given = params.settings if isinstance(params.settings, dict) and params.settings else None
        if client is not None and client.configuration:
            await _ask_for_settings(server, given)
        elif given is not None:
            server.configure(given, {})
        server.work.index()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        added, removed = (
            [path for folder in folders if (path := to_path(folder.uri)) is not None]
            for folders in (params.event.added, params.event.removed)
        )
        server.add_and_remove_roots(added, removed)
        client = server.client_capabilities.workspace
        if client is not None and client.configuration:
            await _ask_for_settings(server)
        server.work.index()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(_: types.DidChangeWatchedFilesParams) -> None:
        server.documents.files_changed()
        server.changed_outside()
        server.work.index()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.opened(params.text_document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)


async def _ask_for_settings(server: AquaServer, given: object = None) -> None:
    """Ask for the general settings and for those of each workspace folder; `given` is what a client sent that has no answer."""
    from .settings import SECTION

    roots = server.roots
    items = [types.ConfigurationItem(section=SECTION)]
    items += [types.ConfigurationItem(to_uri(root), SECTION) for root in roots]
    answer: Any = await server.workspace_configuration_async(types.ConfigurationParams(items))
    if answer:
        server.configure(given if answer[0] is None else answer[0], dict(zip(roots, answer[1:], strict=False)))
