"""`peer`: who this host is, what time it has, whom it knows.

Source: nox:particle-builtins/src/builtins.rs, identify.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.version import VERSION
from avm.crypto import base58
from runtime.network import NetworkError
from runtime.protocol.identity import is_peer_id

from .arguments import NUMBER_OR_TEXT, STRING, VEC_STRING, Arguments, ArgumentType, TypedServiceError
from .op import base58_error
from .registry import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.clock import Clock
    from runtime.network import Network

    from .protected import Rights
    from .registry import CallContext, Handler

AIR_VERSION: Final = "0.62.0"
"""The interpreter whose behaviour ours has."""

SPELL_VERSION: Final = "0.7.6"
"""The spell service whose interface programs may expect."""

_U64_MAX: Final = 2**64 - 1
_U64_DIGITS: Final = len(str(_U64_MAX)) + 1
"""So many digits, without zeros in front, are more than that."""

_ADDRESSES: Final = ArgumentType(
    "Vec<multiaddr::Multiaddr>",
    lambda value: VEC_STRING.accepts(value) and all(address.startswith("/") for address in value),
)


class PeerService:
    """The functions, bound to a network and a clock."""

    def __init__(self, network: Network, clock: Clock, rights: Rights, binaries: Iterable[str] = ()) -> None:
        """Keep the parts. binaries: programs that modules may run."""
        self._binaries = sorted(set(binaries))
        self._network = network
        self._clock = clock
        self._rights = rights

    def functions(self) -> dict[str, Handler]:
        """The table."""
        return {
            "identify": self.identify,
            "timestamp_ms": lambda _, __: self._clock.now_ms(),
            "timestamp_sec": lambda _, __: self._clock.now_ms() // 1000,
            "timeout": timeout,
            "is_connected": self.is_connected,
            "connect": self.connect,
            "get_contact": self.get_contact,
        }

    def identify(self, _: list[Any], __: CallContext) -> Any:
        """Addresses and versions."""
        return {
            "external_addresses": [address.split("/p2p/")[0] for address in self._network.addresses],
            "node_version": VERSION,
            "air_version": AIR_VERSION,
            "spell_version": SPELL_VERSION,
            "allowed_binaries": self._binaries,
            "vm_info": None,
        }

    def is_connected(self, values: list[Any], _: CallContext) -> Any:
        """Whether the peer is a known contact; one being dialled counts."""
        return self._network.contact(_peer_id(Arguments(values))) is not None

    async def connect(self, values: list[Any], context: CallContext) -> Any:
        """Connect to a peer at the given addresses, in turn; administrators only."""
        arguments = Arguments(values)
        peer_id = _peer_id(arguments)
        addresses = arguments.optional("addresses", _ADDRESSES) or []
        self._rights.require(context)
        if self._network.contact(peer_id) is not None:
            return True
        for address in addresses:
            full = address if "/p2p/" in address else f"{address}/p2p/{peer_id}"
            try:
                if await self._network.dial(full) == peer_id:
                    return True
            except NetworkError:
                continue
        return False

    def get_contact(self, values: list[Any], _: CallContext) -> Any:
        """Peer id and addresses of a known contact; nothing for a stranger."""
        contact = self._network.contact(_peer_id(Arguments(values)))
        if contact is None:
            return UNIT
        return {"peer_id": contact.peer_id, "addresses": list(contact.addresses)}


async def timeout(values: list[Any], _: CallContext) -> Any:
    """The message, or nothing, after a delay in milliseconds."""
    import trio  # here, so that networks without it can have the other functions

    delay_ms, value = timeout_of(values)
    await trio.sleep(delay_ms / 1000)
    return value


def timeout_of(values: list[Any]) -> tuple[float, Any]:
    """What `timeout` of these arguments does: the delay in milliseconds, and the answer. Raises TypedServiceError."""
    arguments = Arguments(values)
    duration = arguments.optional("duration_ms", NUMBER_OR_TEXT)
    if duration is None:
        raise TypedServiceError("Field 'duration_ms' is missing from args to call_service")
    if isinstance(duration, str):
        duration = _parse_duration(duration)
    message = arguments.optional("message", STRING)
    return duration, UNIT if message is None else message


def _parse_duration(text: str) -> int:
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        value = int(digits.lstrip("0")[:_U64_DIGITS] or "0")
        if value <= _U64_MAX:
            return value
    raise TypedServiceError("Error while deserializing field duration_ms")


def _peer_id(arguments: Arguments) -> str:
    text: str = arguments.next("peer_id", STRING)
    if is_peer_id(text):
        return text
    try:
        base58.decode(text[:128])
    except ValueError as error:
        raise TypedServiceError(f"base-58 decode error: {base58_error(text)}") from error
    raise TypedServiceError("unable to decode multihash")
