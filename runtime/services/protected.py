"""Who may call the functions that change a host.

Source: nox:particle-builtins/src/builtins.rs (`guard_protected`), nox:crates/workers/src/scope.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .registry import ServiceError

if TYPE_CHECKING:
    from .registry import CallContext

PROTECTED: Final = "This function is only available to the host or worker spells"


@dataclass(frozen=True, slots=True)
class Rights:
    """Administrators of one host: itself and the management peer ids."""

    host_id: str
    management: frozenset[str] = frozenset()

    def is_administrator(self, peer_id: str) -> bool:
        """Whether this author may change the host."""
        return peer_id == self.host_id or peer_id in self.management

    def require(self, context: CallContext) -> None:
        """Raise ServiceError unless the particle's author is an administrator."""
        if not self.is_administrator(context.init_peer_id):
            raise ServiceError(PROTECTED)
