"""The protocol of pygls with the habits of this server.

* Columns are UTF-16 whatever else the client knows, as in `convert`.
* Texts of documents are kept by the server (`AquaServer.changed`), which knows the line ends of the protocol.
* Messages that arrived together are taken together, so a request whose cancellation lies behind it is never computed.
* A refusal is an answer, not a failure: nothing is logged.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcRequestCancelled,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from concurrent.futures import Future

    MessageId = int | str

REQUEST_FAILED: Final = -32803
CONTENT_MODIFIED: Final = -32801

_log = logging.getLogger(__name__)


class Refused(JsonRpcException):
    """A request that cannot be granted; the text is for the person."""

    def __init__(self, message: str) -> None:
        """Give the reason."""
        super().__init__(message, REQUEST_FAILED)


class ContentModified(JsonRpcException):
    """The document changed while the answer was being made; a client asks again."""

    def __init__(self) -> None:
        """The protocol has a number for it."""
        super().__init__("the document changed", CONTENT_MODIFIED)


class AquaProtocol(LanguageServerProtocol):
    """One client's conversation."""

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Answer with what the server can do."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = [types.PositionEncodingKind.Utf16]
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to the server."""
        yield from self._to_server(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to the server."""
        yield from self._to_server(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to the server."""
        yield from self._to_server(types.TEXT_DOCUMENT_DID_CLOSE, params)

    def _to_server(self, method: str, params: Any) -> Generator[Any, Any, None]:
        yield self.fm.features[method], (params,), None

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def handle_bodies(self, bodies: Sequence[bytes]) -> None:
        """Take messages that arrived together, in order; what is no message is answered with an error."""
        read = [self._read(body) for body in bodies]
        asked = {data["id"] for data in read if isinstance(data, dict) and "method" in data and _has_id(data)}
        cancelled = {_cancelled(data) for data in read} & asked
        for data in read:
            if not isinstance(data, dict):
                self._fail(None, data)
            elif _cancelled(data) in cancelled:
                continue
            elif "method" in data and _has_id(data) and data["id"] in cancelled:
                self._fail(data["id"], JsonRpcRequestCancelled(f"request {data['id']} was cancelled"))
            else:
                message = self._message(data)
                if message is not None and self._is_in_time(message):
                    self.handle_message(message)

    def _read(self, body: bytes) -> dict[str, Any] | JsonRpcException:
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            return JsonRpcParseError(f"not JSON: {error}")
        if isinstance(data, dict) and data.get("jsonrpc") == self.VERSION:
            return data
        return JsonRpcInvalidRequest("not a JSON-RPC 2.0 message")

    def _is_in_time(self, message: Any) -> bool:
        """Whether a message may come now; a request that may not is answered."""
        method, msg_id = getattr(message, "method", None), getattr(message, "id", None)
        if method is None or method in (types.INITIALIZE, types.EXIT):
            return True
        if self._workspace is None:
            if msg_id is not None:
                self._fail(msg_id, JsonRpcServerNotInitialized(f"{method} came before initialize"))
            return False
        if self._shutdown:
            if msg_id is not None:
                self._fail(msg_id, JsonRpcInvalidRequest(f"{method} came after shutdown"))
            return False
        return True

    def _message(self, data: dict[str, Any]) -> Any:
        try:
            return self.structure_message(data)
        except JsonRpcException as error:
            why = error.__cause__ or error
            if "method" in data and "id" in data:
                self._fail(data["id"], JsonRpcInvalidParams(f"{data['method']}: {why}"))
            else:
                _log.error("unreadable message %s: %s", data.get("method", ""), why)
            return None

    def _fail(self, msg_id: MessageId | None, error: JsonRpcException) -> None:
        if msg_id is None:
            self._send_data({"jsonrpc": self.VERSION, "id": None, "error": {"code": error.code, "message": str(error)}})
        else:
            self._result_types.pop(msg_id, None)
            self._send_response(msg_id, error=error.to_response_error())

    def _send_handler_result(self, future: Future[Any], *, msg_id: MessageId) -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, Refused | ContentModified):
            self._request_futures.pop(msg_id, None)
            self._fail(msg_id, error)
        else:
            super()._send_handler_result(future, msg_id=msg_id)


def _has_id(data: dict[str, Any]) -> bool:
    return isinstance(data.get("id"), int | str)


def _cancelled(data: object) -> int | str | None:
    """The request that a message cancels."""
    params = data.get("params") if isinstance(data, dict) and data.get("method") == types.CANCEL_REQUEST else None
    found = params.get("id") if isinstance(params, dict) else None
    return found if isinstance(found, int | str) else None
