"""Who may call the functions that change a host.

Source: nox:particle-builtins/src/builtins.rs (`guard_protected`), nox:crates/workers/src/scope.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .registry import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .registry import CallContext

PROTECTED: Final = "This function is only available to the host or worker spells"


@dataclass(slots=True)
class Rights:
    """Administrators of one host: itself and the management peer ids.

    is_worker_spell: whether an author and a particle id are those of the spell `worker-spell` of a scope that lives
    here.
    """

    host_id: str
    management: frozenset[str] = frozenset()
    is_worker_spell: Callable[[str, str], bool] = lambda _author, _particle_id: False

    def is_administrator(self, peer_id: str) -> bool:
        """Whether this author may change the host."""
        return peer_id == self.host_id or peer_id in self.management

    def require(self, context: CallContext) -> None:
        """Raise ServiceError unless the particle is an administrator's or a worker spell's."""
        author = context.init_peer_id
        if not self.is_administrator(author) and not self.is_worker_spell(author, context.particle.id):
            raise ServiceError(PROTECTED)
