"""The door to libp2p: loads the adapter where a socket to a peer is opened, and says what to do where the extra is missing."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from aquac.command_line import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .identity import Identity
    from .libp2p_host import Libp2pNetwork


def p2p_installed() -> bool:
    """Whether the extra `p2p` is there, without loading it."""
    return importlib.util.find_spec("libp2p") is not None


def open_p2p(
    what: str, identity: Identity, *, allow_local_addresses: bool, external_addresses: Sequence[str] = ()
) -> Libp2pNetwork:
    """A network adapter over libp2p for the command `what`.

    Raises: CommandError (exit 2) naming the extra when libp2p is not installed or does not load.
    """
    hint = "pip install 'aquac[p2p]'  (libp2p builds parts from source: install a C compiler and the GMP headers first)"
    if not p2p_installed():
        raise CommandError(f"{what} needs the extra `p2p`, which is not installed", hint=hint)
    try:
        from .libp2p_host import Libp2pNetwork
    except ImportError as error:
        raise CommandError(f"{what} needs the extra `p2p`, which does not load: {error}", hint=hint) from error
    return Libp2pNetwork(
        identity, allow_local_addresses=allow_local_addresses, external_addresses=tuple(external_addresses)
    )
