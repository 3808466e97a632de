"""What the server does with notifications, without a client: bursts of edits, what is sent again and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from lsprotocol import types

from lsp.framing import HEADER_BYTES_MAX, Frames, StreamBroken
from lsp.server import AquaServer, make_server

MAIN, LIB = "file:///w/main.aqua", "file:///w/lib.aqua"
TEXT = "aqua Main declares *\n\nconst ONE = 1\n"


class Screen:
    """What a server publishes."""

    def __init__(self) -> None:
        self.server = make_server()
        self.shown: list[tuple[str, int | None, list[str | int | None]]] = []

        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.shown.append((params.uri, params.version, [d.code for d in params.diagnostics]))

        self.server.text_document_publish_diagnostics = publish  # type: ignore[method-assign]

    def open(self, uri: str, text: str) -> None:
        self.server.opened(types.TextDocumentItem(uri, "aqua", 1, text))

    def change(self, uri: str, text: str, version: int) -> None:
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.server.changed(types.VersionedTextDocumentIdentifier(version, uri), [whole])


def run(body: Callable[[Screen], Coroutine[object, object, None]]) -> Screen:
    screen = Screen()
    asyncio.run(body(screen))
    return screen


def timers(server: AquaServer) -> list[asyncio.TimerHandle]:
    return list(server._waiting.values())


def test_a_burst_of_edits_is_checked_once() -> None:
    async def body(screen: Screen) -> None:
        screen.open(MAIN, TEXT)
        checked = screen.server.documents.counts.checked
        for version in range(2, 30):
            screen.change(MAIN, TEXT + "\n" * version, version)
            assert len([timer for timer in timers(screen.server) if not timer.cancelled()]) == 1
        assert screen.server.documents.counts.checked == checked
        (timer,) = timers(screen.server)
        timer._run()  # type: ignore[attr-defined]
        assert screen.server.documents.counts.checked == checked + 1

    assert run(body).shown == [(MAIN, 1, []), (MAIN, 29, [])]


def test_saving_does_not_wait() -> None:
    async def body(screen: Screen) -> None:
        screen.open(MAIN, TEXT)
        screen.change(MAIN, TEXT + "alias A: Missing\n", 2)
        screen.server.saved(MAIN)
        assert timers(screen.server) == []

    assert run(body).shown[-1] == (MAIN, 2, ["AQ0206"])


def test_a_request_sees_the_text_before_it_is_checked() -> None:
    from lsp.answers import ANSWERS

    async def body(screen: Screen) -> None:
        screen.server.protocol.client_capabilities = types.ClientCapabilities()
        screen.open(MAIN, TEXT)
        screen.change(MAIN, TEXT.replace("ONE", "OTHER"), 2)
        params = types.HoverParams(types.TextDocumentIdentifier(MAIN), types.Position(2, 7))
        hover = ANSWERS[types.TEXT_DOCUMENT_HOVER](screen.server, params)
        assert "const OTHER = 1" in hover.contents.value

    run(body)


def test_findings_of_a_file_that_is_not_open_are_sent_once_and_taken_back() -> None:
    async def body(screen: Screen) -> None:
        screen.open(LIB, "aqua Lib declares *\n\nalias A: Missing\n")
        screen.open(MAIN, 'aqua Main declares *\n\nimport "lib.aqua"\n\nconst ONE = 1\n')
        screen.server.closed(LIB)  # it is not on disk
        screen.server.publish("/w/main.aqua")
        screen.server.publish("/w/main.aqua")

    shown = run(body).shown
    assert [codes for uri, _, codes in shown if uri == LIB] == [["AQ0206"], []]
    assert [codes for uri, _, codes in shown if uri == MAIN][-1] == ["AQ0120"]


def test_a_cycle_is_shown_at_the_import_that_leads_into_it() -> None:
    async def body(screen: Screen) -> None:
        screen.open(LIB, 'aqua Lib declares *\n\nimport "main.aqua"\n')
        screen.open(MAIN, 'aqua Main declares *\n\nimport "builtin.aqua"\nimport "lib.aqua"\n')
        (found,) = [d for d in screen.server.diagnostics_of("/w/main.aqua") if "each other" in d.message]
        assert found.range == types.Range(types.Position(3, 7), types.Position(3, 17))

    run(body)


def test_changes_of_documents_nobody_opened_are_passed_over() -> None:
    async def body(screen: Screen) -> None:
        screen.change(MAIN, TEXT, 2)
        screen.server.saved(MAIN)
        screen.server.closed(MAIN)

    assert run(body).shown == []


def message(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def test_messages_come_in_any_pieces() -> None:
    stream = message(b"{}") + b"content-type: x\r\nCONTENT-LENGTH:3\r\n\r\nabc" + message(b"")
    for size in range(1, len(stream) + 1):
        frames = Frames()
        found = []
        for start in range(0, len(stream), size):
            found += frames.feed(stream[start : start + size])
        assert found == [b"{}", b"abc", b""]


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 999999999999\r\n\r\n",
        b"x" * HEADER_BYTES_MAX,
    ],
)
def test_what_is_no_message_ends_the_stream(stream: bytes) -> None:
    with pytest.raises(StreamBroken):
        Frames().feed(stream)


def test_a_header_may_be_long_but_not_without_end() -> None:
    padding = b"X-Note: " + b"x" * (HEADER_BYTES_MAX - 60) + b"\r\n"
    assert Frames().feed(padding + message(b"{}")) == [b"{}"]
    with pytest.raises(StreamBroken):
        Frames().feed(b"x" * HEADER_BYTES_MAX)
