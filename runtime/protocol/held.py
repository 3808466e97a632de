"""How many bytes of unfinished and undelivered messages a peer holds for others.

One message may have 100 MiB, one connection a thousand streams: without a common account a few strangers could fill the
memory with frames that never end, or by never reading what they are sent. Small messages are never refused, so that
honest traffic flows while somebody tries.
Used by: `libp2p_host` for what comes in (the stream is reset), `peer` for what goes out (the message is not sent).
Errors: `TooMuchHeld`, a `CodecError`.
"""

from __future__ import annotations

from collections import Counter

from runtime.core.limits import HELD_BYTES_FREE, HELD_BYTES_MAX, HELD_BYTES_PER_PEER_MAX

from .codec import CodecError


class TooMuchHeld(CodecError):
    """More would be held for one peer, or for all peers together, than may be."""


class HeldBytes:
    """Bytes held, by the peer at the other end. Entries of peers for which nothing is held are gone."""

    __slots__ = ("_by_peer", "total")

    def __init__(self) -> None:
        """Start empty."""
        self._by_peer: Counter[str] = Counter()
        self.total = 0

    def change(self, peer: str, before: int, after: int) -> int:
        """Note that one holder for `peer` has `after` bytes instead of `before`; the result is `after`.

        Raises TooMuchHeld and changes nothing when a holder of more than HELD_BYTES_FREE would grow beyond a bound.
        """
        more = after - before
        if more > 0 and after > HELD_BYTES_FREE:
            if self._by_peer[peer] + more > HELD_BYTES_PER_PEER_MAX:
                raise TooMuchHeld(f"more than {HELD_BYTES_PER_PEER_MAX} bytes are held for {peer}")
            if self.total + more > HELD_BYTES_MAX:
                raise TooMuchHeld(f"more than {HELD_BYTES_MAX} bytes are held for all peers")
        self.total += more
        self._by_peer[peer] += more
        if not self._by_peer[peer]:
            del self._by_peer[peer]
        return after
