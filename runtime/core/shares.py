"""What each author holds of a peer, and whose turn is next.

The author is the one thing about a particle that nobody can forge, so it is what shares are counted by: whoever sends many
particles, heavy ones or ones that never end delays their own particles, not those of others.
Used by: `peer_core`. Errors: none.
Source: spec peer.md §4.8, §8.1
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runtime.core.actor import Actor
    from runtime.core.events import ActorKey
    from runtime.core.limits import CoreLimits


@dataclass(slots=True)
class Holding:
    """What the living particles of one author, or of all of them together, take up.

    backlog, queued_bytes: copies waiting in mailboxes. pending_calls: waiting and running ones; running_calls: the latter.
    """

    actors: int = 0
    backlog: int = 0
    queued_bytes: int = 0
    stored_bytes: int = 0
    script_bytes: int = 0
    pending_calls: int = 0
    running_calls: int = 0


class Turns:
    """Actors that wait for the same thing. Authors take turns; the actors of one author stay in the order they came in.

    Every operation takes constant time, however many wait.
    """

    __slots__ = ("_authors",)

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._authors: OrderedDict[str, OrderedDict[ActorKey, Actor]] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._authors)

    def add(self, actor: Actor) -> None:
        """Let an actor wait; one that waits already keeps its place."""
        self._authors.setdefault(actor.particle.init_peer_id, OrderedDict()).setdefault(actor.key, actor)

    def discard(self, actor: Actor) -> None:
        """Let an actor wait no longer; nothing happens when it does not."""
        author = actor.particle.init_peer_id
        waiting = self._authors.get(author)
        if waiting is not None and waiting.pop(actor.key, None) is not None and not waiting:
            del self._authors[author]

    def take(self, may: Callable[[str], bool] = lambda _: True) -> Actor | None:
        """Take out the actor whose turn it is, among the authors that `may`; None when there is none.

        Its author's next turn comes after those of all other authors waiting now.
        """
        author = next(filter(may, self._authors), None)
        if author is None:
            return None
        waiting = self._authors.pop(author)
        _, actor = waiting.popitem(last=False)
        if waiting:
            self._authors[author] = waiting
        return actor


def audit(
    actors: Iterable[Actor], total: Holding, authors: Mapping[str, Holding], running: int, limits: CoreLimits
) -> list[str]:
    """What does not add up, in words: counts against what the actors hold, and both against the limits."""
    found: list[str] = []
    counted: dict[str, Holding] = {}
    everything = Holding()
    runs = 0
    for actor in actors:
        runs += actor.running
        for held in (everything, counted.setdefault(actor.particle.init_peer_id, Holding())):
            held.actors += 1
            held.backlog += len(actor.mailbox)
            held.queued_bytes += sum(map(len, actor.mailbox))
            held.stored_bytes += actor.stored_bytes
            held.script_bytes += actor.script_bytes
            held.pending_calls += len(actor.calling) + actor.requests
            held.running_calls += len(actor.calling)
        for what, size, bound in (
            ("copies wait", len(actor.mailbox), limits.mailbox_max),
            ("calls run", len(actor.calling), limits.actor_calls_max),
        ):
            if size > bound:
                found.append(f"{size} {what} of particle {actor.particle.id}, at most {bound} may")
    if total != everything:
        found.append(f"counted {_difference(total, everything)}")
    if authors != counted:
        for author in sorted(authors.keys() | counted.keys()):
            one, other = authors.get(author, Holding()), counted.get(author, Holding())
            if one != other:
                found.append(f"of author {author}: counted {_difference(one, other)}")
    # A particle that ended during its run has no actor any more.
    for what, size, bound in (
        ("runs", max(running, runs), limits.runs_max),
        ("particles", total.actors, limits.actors_max),
        ("calls running", total.running_calls, limits.calls_max),
        ("calls pending", total.pending_calls, limits.pending_calls_max),
        ("bytes stored", total.stored_bytes, limits.stored_bytes_max),
        ("bytes of scripts", total.script_bytes, limits.script_bytes_max),
    ):
        if size > bound:
            found.append(f"{size} {what}, at most {bound} may be")
    if running < runs:
        found.append(f"{runs} actors run, counted {running}")
    return found


def _difference(counted: Holding, held: Holding) -> str:
    pairs = zip(asdict(counted).items(), asdict(held).values(), strict=True)
    return ", ".join(f"{name} {one}, there are {other}" for (name, one), other in pairs if one != other)
