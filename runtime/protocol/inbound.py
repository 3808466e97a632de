"""How many bytes of unfinished and undelivered messages a peer holds for others.

One message may have 100 MiB, one connection a thousand streams: without a common account a few strangers could fill the
memory with frames that never end. Small messages are never refused, so that honest traffic flows while somebody tries.
Errors: `TooMuchHeld`, a `CodecError`: the stream it is raised for is to be reset.
"""

from __future__ import annotations

from collections import Counter

from runtime.core.limits import HELD_BYTES_FREE, HELD_BYTES_MAX, HELD_BYTES_PER_PEER_MAX

from .codec import CodecError


class TooMuchHeld(CodecError):
    """A stream wants to hold more than its peer, or all peers together, may."""


class InboundAccount:
    """Bytes held, by sending peer. Entries of peers that hold nothing are gone."""

    __slots__ = ("_by_peer", "total")

    def __init__(self) -> None:
        """Start empty."""
        self._by_peer: Counter[str] = Counter()
        self.total = 0

    def change(self, sender: str, before: int, after: int) -> int:
        """Note that one stream of `sender` holds `after` bytes instead of `before`; the result is `after`.

        Raises TooMuchHeld and changes nothing when a stream that holds more than HELD_BYTES_FREE would grow beyond a bound.
        """
        more = after - before
        if more > 0 and after > HELD_BYTES_FREE:
            if self._by_peer[sender] + more > HELD_BYTES_PER_PEER_MAX:
                raise TooMuchHeld(f"more than {HELD_BYTES_PER_PEER_MAX} bytes are held for {sender}")
            if self.total + more > HELD_BYTES_MAX:
                raise TooMuchHeld(f"more than {HELD_BYTES_MAX} bytes are held for all peers")
        self.total += more
        self._by_peer[sender] += more
        if not self._by_peer[sender]:
            del self._by_peer[sender]
        return after
