"""The peers to hop over right before and right after a node.

Input:  Places.
Output: lists of peers, in the order the particle visits them.
Errors: none.
Source: aqua:model/transform/src/main/scala/aqua/model/transform/topology/strategy/{Begins,After,Fail}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cursor import IS_FAIL, IS_PAR_GROUP, IS_XOR, NONE, Cursor
from .path import find_path, find_path_enforced, peer_of, relay_to_visit
from .place import Exit, Places

if TYPE_CHECKING:
    from aquac.lowering.model import ValueModel


class Hops:
    """Hops of the nodes of one tree."""

    __slots__ = ("_cursor", "_places")

    def __init__(self, cursor: Cursor, places: Places) -> None:
        """Take the tree and the places of its nodes."""
        self._cursor = cursor
        self._places = places

    def before(self, number: int) -> list[ValueModel]:
        """From where the particle was to where the node begins."""
        at = self._places
        before, begins, first = at.before[number], at.begins[number], at.first_exec[number]
        hops = find_path(before, begins)
        if first is not None and first != begins:
            hops += relay_to_visit(before, begins)
        if hops and self._cursor.kinds[number] & IS_FAIL:
            # An error must arrive where it is handled, so the last peer is visited although nothing is called there.
            peer = peer_of(begins)
            if peer is not None and hops[-1] != peer:
                hops.append(peer)
        return hops

    def after(self, number: int) -> list[ValueModel]:
        """From where the node ends to where its exit leads; empty when it is not left on purpose."""
        at, holder = self._places, self._cursor.held[number]
        if at.exit[number] is Exit.EMPTY:
            return []
        ends, after = at.ends[number], at.after[number]
        if at.exit[number] is Exit.RELAY:
            return find_path_enforced(ends, at.to_relay(at.on[number]))
        following = at.next_exec[number]
        if following is None or following == after:
            hops = find_path(ends, after)
        else:
            hops = find_path_enforced(ends, at.to_relay(after))
        if holder & IS_PAR_GROUP or (holder & IS_XOR and at.par_exit[number] != NONE):
            hops += self._ping(number)
        return hops

    def _ping(self, number: int) -> list[ValueModel]:
        """The joining peer, visited so that it learns what the branch did."""
        at = self._places
        ends, after = at.ends[number], at.after[number]
        if ends == after:
            return []
        peer = peer_of(after)
        joining = [] if peer is None else [peer]
        if at.last_exec[number] == ends:
            return [] if ends[:1] == after[:1] else joining
        return relay_to_visit(after, ends) + joining
