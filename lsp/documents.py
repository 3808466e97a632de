"""Notifications: what the editor tells about documents, files, folders and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from .convert import to_path
from .server import SECTION

if TYPE_CHECKING:
    from .server import AquaServer

WATCHED = "**/*.aqua"


def register_documents(server: AquaServer) -> None:
    """Attach the handlers."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or ()]
        roots = [path for uri in folders or [params.root_uri or ""] if (path := to_path(uri)) is not None]
        document = params.capabilities.text_document
        server.pulls = document is not None and document.diagnostic is not None
        server.configure(params.initialization_options, roots)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        client = server.client_capabilities.workspace
        if client is None:
            return
        if client.did_change_watched_files is not None and client.did_change_watched_files.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(WATCHED)])
            watch = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([watch]))
        if client.configuration:
            await _ask_for_settings(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        client = server.client_capabilities.workspace
        given = params.settings
        if isinstance(given, dict) and SECTION in given:
            server.configure(given[SECTION])
        elif client is not None and client.configuration:
            await _ask_for_settings(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        added, removed = (
            [path for folder in folders if (path := to_path(folder.uri)) is not None]
            for folders in (params.event.added, params.event.removed)
        )
        server.add_and_remove_roots(added, removed)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(_: types.DidChangeWatchedFilesParams) -> None:
        server.documents.files_changed()
        server.check_again()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri, at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.changed(params.text_document.uri, at_once=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)


async def _ask_for_settings(server: AquaServer) -> None:
    item = types.ConfigurationItem(section=SECTION)
    answer = await server.workspace_configuration_async(types.ConfigurationParams([item]))
    if answer and answer[0] is not None:
        server.configure(answer[0])
