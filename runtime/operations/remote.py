"""A peer elsewhere, whose services are called one at a time; each call is a particle of its own.

    run_remote(Target("/ip4/…/tcp/7771/p2p/12D3KooW…", "12D3KooW…"), body)

`body(remote)` does the work. Everything has to be done within `Target.timeout_ms`, dialling included.
Errors: CommandError: exit 5 when the relay cannot be reached or is lost, 4 when the time is over, 3 when the peer refuses, with the
remedy where one is known (`remedy`).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import trio

from aquac.command_line import TIMED_OUT, UNREACHABLE, WORKFLOW_ERROR, CommandError
from runtime.client.connecting import connect
from runtime.client.errors import (
    Abandoned,
    CallRefused,
    ConnectionLost,
    ExtraMissing,
    InterpreterError,
    ParticleExpired,
    RelayUnreachable,
    WorkflowError,
)
from runtime.core.limits import U32_MAX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.client.client import Client
    from runtime.core.particle import Particle

T = TypeVar("T")

_SERVICE_ERROR: Final = re.compile(r"Local service error, ret_code is -?\d+, error message is '(.*)'", re.DOTALL)
"""Text of the interpreter's error 10000; the result of the service is in it as JSON."""

_MANAGEMENT_ONLY: Final = (
    "only available to the host or worker spells", "Forbidden. User id", "only management", "Only management",
    "can be installed by", "can be removed by", "can be removed only by", "can be updated by", "or peer manager",
)  # fmt: skip
_OF_CLIENTS: Final = ("The JS implementation of Peer does not support", "No service found for service call:")
"""How the errors of js-client, and of our clients, begin for services that only hosts have."""

_OWN_SERVICES: Final = ("srv", "dist", "stat", "vault", "spell", "worker", "kad")


@dataclass(frozen=True, slots=True)
class Target:
    """Which peer, through whom, as whom.

    relay: multiaddr to dial. peer: id of the peer that is asked, the relay's own or one it reaches. worker: a worker of that peer
    whose services, aliases and spells are meant; None for those of the host. secret: of the key that signs; None for a new one.
    """

    relay: str
    peer: str
    timeout_ms: int
    worker: str | None = None
    secret: bytes | None = None

    @property
    def relay_id(self) -> str:
        """Peer id of the relay."""
        return self.relay.rpartition("/p2p/")[2]


class Remote:
    """A peer elsewhere, as long as the client that reaches it is there."""

    def __init__(self, client: Client, target: Target) -> None:
        """Use a client that is connected to the relay."""
        self.target = target
        self._client = client

    @property
    def own_id(self) -> str:
        """Peer id in whose name everything is asked."""
        return self._client.peer.peer_id

    @property
    def peer_id(self) -> str:
        """Peer id of the peer."""
        return self.target.peer

    @property
    def scope(self) -> str:
        """Peer id of the scope that is meant: the worker, else the peer itself."""
        return self.target.worker or self.target.peer

    async def call(self, service: str, function: str, *arguments: Any) -> Any:
        """The result of a function of a service in the scope; `""` of one without result. Raises CommandError."""
        return await self._call(self.scope, service, function, arguments)

    async def call_host(self, service: str, function: str, *arguments: Any) -> Any:
        """The same in the scope of the peer itself, whichever worker is meant."""
        return await self._call(self.peer_id, service, function, arguments)

    async def _call(self, at: str, service: str, function: str, arguments: tuple[Any, ...]) -> Any:
        values = {"service": service, "function": function} | {f"a{i}": value for i, value in enumerate(arguments)}
        script = call_script(self.target.relay_id, self.peer_id, at, len(arguments))
        pending = self._client.start(script, ttl_ms=min(self.target.timeout_ms, U32_MAX), arguments=values)

        def lost(peer_id: str, particle: Particle) -> None:
            if particle.signature == pending.particle.signature:
                pending.abandon(f"the connection to the relay {peer_id} is lost")

        listeners = self._client.peer.on_unreachable
        listeners.append(lost)
        try:
            answer = await pending.wait()
        except WorkflowError as error:
            text = refusal_text(error)
            raise CommandError(
                f"{service}.{function}: {text}", WORKFLOW_ERROR, hint=self._remedy(service, text)
            ) from None
        except (InterpreterError, CallRefused) as error:
            raise CommandError(str(error), WORKFLOW_ERROR) from None
        except ParticleExpired:
            raise out_of_time(self.target) from None
        except (Abandoned, ConnectionLost) as error:
            raise CommandError(str(error), UNREACHABLE, hint="is the peer still running?") from None
        finally:
            listeners.remove(lost)
        return answer.values[0] if answer.values else ""

    def _remedy(self, service: str, text: str) -> str:
        return remedy(service, text, own_id=self.own_id, has_key=self.target.secret is not None)


def run_remote(target: Target, body: Callable[[Remote], Awaitable[T]]) -> T:
    """Connect, do the work, leave. Raises CommandError."""
    try:
        result: T = trio.run(_main, target, body)
    except BaseExceptionGroup as group:
        # Interrupts arrive in the group of whichever task was running.
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise
    return result


async def _main(target: Target, body: Callable[[Remote], Awaitable[T]]) -> T:
    secret = target.secret if target.secret is not None else os.urandom(32)
    failure: CommandError | None = None
    results: list[T] = []
    with trio.move_on_after(target.timeout_ms / 1000) as scope:
        try:
            async with connect(target.relay, secret=secret, backoff=None) as client:
                try:
                    results.append(await body(Remote(client, target)))
                except CommandError as error:
                    failure = error  # in here, so that it does not arrive in the group of the client's tasks
                except (LookupError, TypeError, AttributeError) as error:
                    # The work looks at what the peer has answered, which may be anything.
                    if os.environ.get("AQUA_TRACEBACK"):
                        raise
                    failure = CommandError(
                        f"{target.peer} answers in a form that is not understood: {error!r}",
                        WORKFLOW_ERROR,
                        hint="is it a peer of another kind or version? set AQUA_TRACEBACK=1 to see where",
                    )
        except ExtraMissing as error:
            failure = CommandError(str(error))
        except RelayUnreachable as error:
            reason = error.attempts[-1][1] if error.attempts else str(error)
            failure = CommandError(
                f"{target.relay} cannot be reached: {_first_line(reason)}",
                UNREACHABLE,
                hint="is the peer running, and does it listen at this very address?",
            )
    if failure is not None:
        raise failure
    if scope.cancelled_caught and not results:
        raise out_of_time(target)
    return results[0]


def out_of_time(target: Target) -> CommandError:
    """The error for a peer that has not answered in time."""
    through = "" if target.peer == target.relay_id else f" through the relay {target.relay_id}"
    return CommandError(
        f"{target.peer} has not answered within {target.timeout_ms} ms{through}",
        TIMED_OUT,
        hint="give it longer with --timeout; the clocks of both machines must agree to within that time",
    )


def refusal_text(error: WorkflowError) -> str:
    """What the service said, in one line: the first line of its error, without the frame that the interpreter puts around it."""
    found = _SERVICE_ERROR.fullmatch(str(error))
    if found is None:
        return _first_line(str(error))
    try:
        value: Any = json.loads(found[1])
    except (ValueError, RecursionError):
        value = found[1]
    return _first_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).removeprefix(
        "Error: "
    )


def remedy(service: str, text: str, *, own_id: str, has_key: bool) -> str:
    """What to do about a refusal; empty when nothing is known to help."""
    if any(part in text for part in _MANAGEMENT_ONLY):
        if not has_key:
            return "only for management of the peer: give the key of a management peer id with --key"
        return f"{own_id} is not management there: start the peer with --management {own_id}, or give another --key"
    if text.startswith(_OF_CLIENTS):
        return "the peer is a client, not a host: ask the peer that it is connected to"
    if text.startswith(f"Service with id '{service}' not found (function") and service in _OWN_SERVICES:
        return f"the peer does not offer `{service}`: it hosts nothing of that kind"
    if text.startswith("Service with alias 'worker-spell'"):
        return "the worker has none to start: avm peer spells install … --worker PEER_ID --alias worker-spell"
    if text.startswith(("Service with id", "Service with alias")):
        return "`avm peer services list` has ids and aliases; those of a worker need --worker"
    if text.startswith("Blueprint '") and text.endswith("wasn't found"):
        return "`avm peer blueprints list` has the ids"
    if "is forbidden on this host" in text or "isn't in the configured list of binaries" in text:
        return "allow it in [effectors] of the configuration of the peer (docs/peer.md)"
    if text.startswith("Module wasn't found"):
        return "`avm peer modules list` has the ids"
    return ""


def call_script(relay: str, peer: str, at: str, count: int) -> str:
    """AIR that calls one function with `count` arguments and comes back.

    at: where, the peer or one of its workers; it is reached through the relay, and a worker through its peer. All three are peer ids.
    Names and arguments are asked for as `service`, `function`, `a0` …
    """
    inputs = ["service", "function", *(f"a{number}" for number in range(count))]
    asked = [f'(call %init_peer_id% ("getDataSrv" "{name}") [] {name})' for name in inputs]
    there = [f'(call "{hop}" ("op" "noop") [])' for hop in dict.fromkeys((relay, peer)) if hop != at]
    back = there[::-1]
    call = f'(call "{at}" (service function) [{" ".join(inputs[2:])}] result)'
    trip = f"(xor {_seq([*there, call, *back])} {_seq([*back, '(fail :error:)'])})"
    answer = '(call %init_peer_id% ("callbackSrv" "response") [result])'
    return f'(xor {_seq([*asked, trip, answer])} (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0]))'


def _seq(parts: list[str]) -> str:
    """One after the other; nested evenly, so that long lists do not nest deeply."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"(seq {_seq(parts[:middle])} {_seq(parts[middle:])})"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
