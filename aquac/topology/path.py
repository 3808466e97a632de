"""Frames, paths of frames, and the hops between two of them.

A frame is one `on`: a peer and how to reach it. A path is the stack of frames a node stands in, innermost first; the empty
path is the init peer seen without a relay. Frames are interned, so equal frames are one object and paths compare fast.
Errors: none.
Source: aqua:model/transform/src/main/scala/aqua/model/transform/topology/{PathFinder,TopologyPath}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.lowering.model import L
from aquac.records import dataclass

if TYPE_CHECKING:
    from aquac.lowering.model import ValueModel


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One `on`. Make it with `Frames.make`: identity stands for equality of the parts."""

    peer: ValueModel
    via: tuple[ValueModel, ...]
    strategy: str


Path = tuple[Frame, ...]


class Frames:
    """The interned frames of one tree."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Start with none."""
        # Keyed by text alone: hashing a value would hash its type, which costs time exponential in a chain of data types.
        self._known: dict[tuple[str, ...], list[Frame]] = {}

    def make(self, peer: ValueModel, via: tuple[ValueModel, ...], strategy: str = "") -> Frame:
        """The frame with these parts."""
        same_text = self._known.setdefault((strategy, *(_text(value) for value in (peer, *via))), [])
        for frame in same_text:
            if frame.peer == peer and frame.via == via:
                return frame
        same_text.append(Frame(peer, via, strategy))
        return same_text[-1]

    def to_relay(self, path: Path) -> Path:
        """The last relay before the innermost frame that has one; empty when no frame has."""
        for at, frame in enumerate(path):
            if frame.via:
                return (self.make(frame.via[-1], frame.via[:-1], frame.strategy), *path[at + 1 :])
        return ()


def peer_of(path: Path) -> ValueModel | None:
    """Peer of the innermost frame."""
    return path[0].peer if path else None


def common_outer(a: Path, b: Path) -> Path:
    """Longest run of outermost frames that both share."""
    if a == b:
        return a
    shared = 0
    for x, y in zip(reversed(a), reversed(b), strict=False):
        if x is not y:
            break
        shared += 1
    return a[len(a) - shared :]


def find_path(start: Path, end: Path) -> list[ValueModel]:
    """Peers to hop over from `start` to `end`, both ends left out.

    Leaving a frame goes back through its relays, entering one goes through its relays in order; frames that both share are
    neither left nor entered. When only one side has frames of its own, the innermost frame of the other still contributes
    its relays, unless the peer is the same.
    """
    if start == end:
        return []
    start_peer, end_peer = peer_of(start), peer_of(end)
    shared = len(common_outer(start, end))
    leave, enter = start[: len(start) - shared], end[: len(end) - shared]
    if start_peer != end_peer:
        leave, enter = leave or start[:1], enter or end[:1]
    stops: list[ValueModel] = [] if start_peer is None else [start_peer]
    for frame in leave:
        stops.extend(reversed(frame.via))
    for frame in reversed(enter):
        stops.extend(frame.via)
    if end_peer is not None:
        stops.append(end_peer)
    hops = _without_loops(stops)
    if hops and hops[0] == start_peer:
        del hops[0]
    if hops and hops[-1] == end_peer:
        del hops[-1]
    return hops


def find_path_enforced(start: Path, end: Path) -> list[ValueModel]:
    """`find_path`, ending with the peer of `end` itself."""
    hops = find_path(start, end)
    peer = peer_of(end)
    if peer is not None and (not hops or hops[-1] != peer):
        hops.append(peer)
    return hops


def relay_to_visit(before: Path, begin: Path) -> list[ValueModel]:
    """The peer of `begin` when it is the last relay of the frame around it and `before` is not there already.

    `find_path` leaves the target out because the first call happens there; when nothing is called there, the relay would be
    missed.
    """
    if len(begin) < 2 or not begin[1].via:
        return []
    peer = begin[0].peer
    if begin[1].via[-1] != peer or (before and before[0].peer == peer):
        return []
    return [peer]


def _without_loops(stops: list[ValueModel]) -> list[ValueModel]:
    kept: list[ValueModel] = []
    for stop in stops:
        if stop in kept:
            del kept[kept.index(stop) + 1 :]
        else:
            kept.append(stop)
    return kept


def _text(value: ValueModel) -> str:
    return value.text if isinstance(value, L) else value.name
