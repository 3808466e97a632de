"""The services of a simulated peer: the built-in ones that need no I/O, under virtual time, and stubs for random scripts.

Every stub answers by its peer, its name and its arguments alone, so a call made again gives the same value.
Errors: as `runtime.services.registry`; a service that would wait for something outside answers with an error.
"""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from avm.outcome import CallResult
from runtime.services import array, cmp, debug, math, op
from runtime.services import json as json_service
from runtime.services.client import ClientServices
from runtime.services.kad import KadService
from runtime.services.kad import merge as kad_merge
from runtime.services.peer import AIR_VERSION, SPELL_VERSION, timeout_of
from runtime.services.protected import Rights
from runtime.services.registry import CallContext, ServiceError, Services, failure, success
from runtime.services.run_console import functions as console_functions
from runtime.services.sig import SigService

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from avm.outcome import CallRequest
    from runtime.core.kademlia import RoutingTable
    from runtime.network import Contact
    from runtime.protocol.identity import Identity

NODE_VERSION: Final = "sim"
PROBE: Final = "probe"
"""Service of `marks` scripts."""

WILD_SERVICE: Final = "s"
"""Service of `wild` scripts."""

INJECTED: Final = CallResult(1, '"the service failed, as the simulation wants it"')


class NodeClock(Protocol):
    """The clock of one peer."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as this peer believes."""
        ...

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Not possible in a simulation: raises RuntimeError."""
        ...


class Neighbours:
    """What `kad` asks of routing: a table of all hosts."""

    def __init__(self, table: RoutingTable) -> None:
        """Keep the table."""
        self._table = table

    def neighborhood(self, key: bytes, count: int) -> list[Contact]:
        """Entries nearest to a key."""
        from runtime.core.kademlia import hash_key

        return self._table.closest(hash_key(key), count)


def host_services(
    identity: Identity, clock: NodeClock, neighbours: Neighbours, knows: Callable[[str], bool]
) -> Services:
    """Built-in services of a simulated host."""
    services = Services()
    rights = Rights(identity.peer_id)
    for name, functions in (
        ("op", op.FUNCTIONS),
        ("math", math.FUNCTIONS),
        ("cmp", cmp.FUNCTIONS),
        ("array", array.FUNCTIONS),
        ("json", json_service.FUNCTIONS),
        ("debug", debug.FUNCTIONS),
        ("sig", SigService({identity.peer_id: identity}.get, rights).functions()),
        ("run-console", console_functions(rights)),
    ):
        services.add(name, functions)
    kad = KadService(neighbours, None)  # type: ignore[arg-type]  # both only as far as `neighborhood` goes
    services.add("kad", {"neighborhood": kad.neighborhood, "merge": kad_merge})
    services.add(
        "peer",
        {
            "identify": lambda _, __: {
                "external_addresses": [],
                "node_version": NODE_VERSION,
                "air_version": AIR_VERSION,
                "spell_version": SPELL_VERSION,
                "allowed_binaries": [],
                "vm_info": None,
            },
            "timestamp_ms": lambda _, __: clock.now_ms(),
            "timestamp_sec": lambda _, __: clock.now_ms() // 1000,
            "is_connected": lambda values, _: bool(values) and knows(values[0]),
            "get_contact": lambda values, _: (
                {"peer_id": values[0], "addresses": []} if values and knows(values[0]) else ""
            ),
        },
    )
    return services


def client_services(identity: Identity, clock: NodeClock, console: Callable[[str], None]) -> ClientServices:
    """Services of a simulated client."""
    return ClientServices(identity, clock, console)


def answer(
    services: Services, request: CallRequest, context: CallContext, peers: Sequence[str]
) -> tuple[CallResult, int]:
    """The result of a call, and how long it takes by itself, milliseconds. Never raises for what a service does.

    peers: peer ids that the stub of random scripts may name.
    """
    service_id, name = request.service_id, request.function_name
    if service_id == PROBE:
        return CallResult(0, json.dumps(f"r{json.dumps(request.arguments)}")), 0
    if service_id == WILD_SERVICE and services.find(context) is None:
        return wild_answer(context.scope_id, request, peers), 0
    if service_id == "peer" and name == "timeout":
        try:
            delay_ms, value = timeout_of(request.arguments)
            return success(services.unit() if not isinstance(value, str) else value), int(delay_ms)
        except ServiceError as error:
            return failure(error.value), 0
    pending = services.call(request, context)
    try:
        pending.send(None)
    except StopIteration as ended:
        result: CallResult = ended.value
        return result, 0
    pending.close()
    return failure(services.broken(request, RuntimeError("it waits, which a simulation does not allow"))), 0


# ── stubs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def wild_answer(peer: str, request: CallRequest, peers: Sequence[str]) -> CallResult:
    """What the stub of random scripts answers: mostly values of a shape its name tells, now and then an error."""
    arguments, function = request.arguments, request.function_name
    rng = random.Random(sha256(json.dumps([peer, function, arguments]).encode()).digest())
    if function == "fail" and rng.random() < 0.7:
        return CallResult(rng.choice((1, 2, 3, -1)), rng.choice(('"oops"', "plain text", '{"a":1}', "", "é")))
    if function == "tet":
        return CallResult(0, json.dumps([[item._asdict() for item in group] for group in request.tetraplets]))
    if function == "step":
        return CallResult(0, json.dumps(arguments[0] + 1 if arguments and type(arguments[0]) is int else 3))
    return CallResult(0, json.dumps(_value(peers, function, arguments, rng)))


def _value(peers: Sequence[str], function: str, arguments: Sequence[Any], rng: random.Random) -> Any:
    match function:
        case "obj":
            return {
                "a": [rng.randint(0, 3), {"a": 1}],
                "b": [1, [2], {"a": "v"}],
                "key": "k",
                "value": rng.choice(peers),
            }
        case "arr":
            return [{"a": i, "b": [i, rng.choice(peers)], "éa": 1} for i in range(rng.randint(0, 3))]
        case "id":
            return arguments
        case "echo":
            return arguments[0] if arguments else {}
        case "num":
            return rng.choice((0, 1, 2, 1.5, -7, 0.1 + 0.2, 2**63, -(2**63), 1.0))
        case "peer":
            return rng.choice(peers)
        case "peers":
            return [rng.choice(peers) for _ in range(rng.randint(1, 3))]
        case "text":
            return rng.choice(("a", "k", "v", 'é\n"', ""))
        case "map":
            return {"k": [1, 2], "1": [{"a": 3}], "l": [], "length": 2}
        case "null":
            return rng.choice((None, True, [], {}))
        case _:
            return {"error_code": rng.randint(1, 5), "message": "made", "more": 1}
