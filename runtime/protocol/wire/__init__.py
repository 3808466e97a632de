"""The layers of a libp2p connection without I/O: bytes in, bytes and streams out.

    websocket   RFC 6455, server and client
    multistream lines that agree on a protocol
    noise       Noise XX: who the other side is, and secrecy
    yamux       many streams over one connection
    session     all of them, stacked

An editor must keep: nothing here reads a clock, a socket or randomness beyond keys; nothing is allocated from a length
that was announced; every method that takes bytes is linear in their number. A layer raises `WireError` for bytes that are
not its protocol, and the connection is then worth nothing.
"""

from __future__ import annotations


class WireError(Exception):
    """Bytes that are not the protocol, or that ask for more than may be; the connection has to be closed."""
