"""The parts of a host that lives on: workers, services and spells, with the files they are kept in, bound to its peer.

`Hosting` is made before the peer, whose services it is part of; `attach` binds them. Its block is entered before the
peer's and left after it. Errors: as the parts have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from .hosted import HostedServices, HostingConfig
from .protected import Rights
from .spell import Spells
from .workers import Workers

if TYPE_CHECKING:
    from types import TracebackType

    from runtime.clock import Clock
    from runtime.config import PeerConfig
    from runtime.peer import Peer


class Hosting:
    """Workers, services and spells of one host, there within `async with`; spells run while `spells.run` does."""

    def __init__(self, config: PeerConfig, clock: Clock, hosting: HostingConfig | None = None) -> None:
        """Put the parts together; nothing is read."""
        identity = config.identity
        hosting = hosting or HostingConfig()
        self.workers = Workers(identity, hosting.folder)
        self.hosted = HostedServices(
            identity,
            Rights(identity.peer_id, config.management),
            hosting,
            creator_of=self.workers.creator_of,
            has_scope=lambda scope: self.workers.identity_of(scope) is not None,
            now_ms=clock.now_ms,
        )
        self.spells = Spells(self.hosted, self.workers, clock)

    def services(self) -> list[dict[str, Any]]:
        """All services and spells, as `srv.list` has them: those of the host, then those of each worker."""
        scopes = (self.hosted.rights.host_id, *self.workers.ids())
        return [one.to_json() for scope in scopes for one in self.hosted.all_of(scope)]

    @property
    def restored(self) -> bool:
        """Whether everything that was kept is there again."""
        return self.workers.restored and self.hosted.restored

    def attach(self, peer: Peer) -> None:
        """Bind to the peer, before it runs: its particles enter the scopes of workers, its contacts trigger spells."""
        peer.on_forget.append(self.hosted.forgotten)
        peer.on_contact.append(self.spells.triggers.contact)
        self.workers.on_change.append(peer.apply)
        self.spells.submit = peer.submit

    async def __aenter__(self) -> Hosting:
        """Restore what was kept. Raises OSError."""
        await trio.to_thread.run_sync(self.workers.load)
        self.workers.announce()
        await self.hosted.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End every service."""
        await self.hosted.__aexit__(kind, error, traceback)
