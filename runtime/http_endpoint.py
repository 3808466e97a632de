"""The HTTP endpoint of a peer: who it is, what it runs, whether it is well.

    GET /peer_id   {"peer_id": "12D3KooW…"}
    GET /versions  {"node", "avm", "spell", "aqua_ipfs", "trust_graph", "registry", "decider"}
    GET /services  [{"id", "blueprint_id", "service_type", "owner_id", "aliases", "worker_id"}, …], those of workers included
    GET /config    the settings in TOML, without the key
    GET /metrics   see `runtime.metrics`
    GET /health    [{"<check>": "Ok" | "Fail"}, …]; 200 all well, 429 some fail, 503 all fail

Anything else is 404 `No such endpoint`. One request a connection; a client has `REQUEST_SECONDS` to ask.
Source: nox:nox/src/http.rs, health.rs
"""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
import trio

from aquac.version import VERSION
from avm.data.versions import INTERPRETER_VERSION
from runtime.network import DialFailed
from runtime.services.peer import SPELL_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trio import TaskStatus

    from runtime.metrics import PeerMetrics

REQUEST_SECONDS: Final = 10.0
"""How long a client may take to send its request and to take the answer."""

READ_BYTES: Final = 4096
CONNECTIONS_MAX: Final = 64
"""Requests in work; more wait to be accepted."""

JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"

log = logging.getLogger("runtime.http")


def host_port(host: str, port: int) -> str:
    """`HOST:PORT`, an address of IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpEndpoint:
    """Answers for one peer. `health` gives the checks by name; True is well. What is None is not answered."""

    def __init__(
        self,
        peer_id: str,
        health: Callable[[], Mapping[str, bool]],
        metrics: PeerMetrics | None = None,
        *,
        services: Callable[[], list[dict[str, Any]]] | None = None,
        config: str | None = None,
    ) -> None:
        """Hold what is to be told."""
        self._services = services
        self._config = config
        self._metrics = metrics
        self._peer_id = peer_id
        self._health = health
        self._limit = trio.CapacityLimiter(CONNECTIONS_MAX)

    async def serve(
        self, host: str, port: int, *, task_status: TaskStatus[tuple[str, int]] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen until cancelled; reports the address. Raises DialFailed, which names the address, when it cannot listen."""
        try:
            listeners = await trio.open_tcp_listeners(port, host=host)
        except OSError as error:
            raise DialFailed(f"cannot answer HTTP at {host_port(host, port)}: {error.strerror or error}") from error
        address = listeners[0].socket.getsockname()
        task_status.started((address[0], address[1]))
        await trio.serve_listeners(self._converse, listeners)

    async def _converse(self, stream: trio.SocketStream) -> None:
        async with self._limit, stream:
            with trio.move_on_after(REQUEST_SECONDS):
                try:
                    await self._exchange(stream)
                except (h11.ProtocolError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
                    log.debug("http client failed: %s", error)
                except Exception as error:  # noqa: BLE001 - whatever one request provokes stays with its connection
                    log.warning("http request failed: %r", error)

    async def _exchange(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                break
            if event is not h11.NEED_DATA:
                return
            connection.receive_data(await stream.receive_some(READ_BYTES))
        status, kind, body = self.answer(event.method.decode("ascii"), event.target.decode("ascii", "replace"))
        data = body.encode()
        headers = [("content-type", kind), ("content-length", str(len(data))), ("connection", "close")]
        parts: list[h11.Event] = [
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode())
        ]
        if event.method != b"HEAD":
            parts.append(h11.Data(data=data))
        for part in (*parts, h11.EndOfMessage()):
            chunk = connection.send(part)
            if chunk:
                await stream.send_all(chunk)

    def answer(self, method: str, target: str) -> tuple[int, str, str]:
        """Status, content type and body of a request."""
        path = target.split("?")[0]
        if method in ("GET", "HEAD"):
            if path == "/peer_id":
                return 200, JSON_TYPE, json.dumps({"peer_id": self._peer_id})
            if path == "/versions":
                versions = {"node": VERSION, "avm": INTERPRETER_VERSION, "spell": SPELL_VERSION}
                absent = dict.fromkeys(("aqua_ipfs", "trust_graph", "registry", "decider"), "")
                return 200, JSON_TYPE, json.dumps({**versions, **absent})
            if path == "/services" and self._services is not None:
                return 200, JSON_TYPE, json.dumps(self._services())
            if path == "/config" and self._config is not None:
                return 200, TEXT_TYPE, self._config
            if path == "/metrics" and self._metrics is not None:
                return 200, self._metrics.content_type, self._metrics.text()
            if path == "/health":
                checks = self._health()
                wrong = [name for name, well in checks.items() if not well]
                status = 200 if not wrong else 503 if len(wrong) == len(checks) else 429
                return status, JSON_TYPE, json.dumps([{n: "Ok" if well else "Fail"} for n, well in checks.items()])
        return 404, TEXT_TYPE, "No such endpoint"
