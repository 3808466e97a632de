"""Finding and calling the services of a peer.

A table of functions by service id and name, then resolvers in the order in which they were added (Wasm services,
aliases, handlers of one particle). Function by function: a name missing from a built-in service is looked for further.
Errors: a handler raises `ServiceError`; the program sees its value as a catchable error 10000.
Source: nox:particle-builtins/src/builtins.rs, nox:aquamarine/src/particle_functions.rs
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from avm.outcome import CallResult
from runtime.core.limits import RESULT_BYTES_MAX

from .limits import LONG_CALLS_MAX, SHORT_VALUE_SIZE

if TYPE_CHECKING:
    import trio

    from avm.data.interpreter_data import Tetraplet
    from avm.outcome import CallRequest
    from runtime.core.particle import Particle

log = logging.getLogger(__name__)

SUCCESS: Final = 0
FAILURE: Final = 1
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CallContext:
    """Where a call comes from.

    particle: its signed fields, the verified author among them. host_id: this peer. scope_id: the host or one of its
    workers. tetraplets: one list per argument.
    """

    particle: Particle
    host_id: str
    scope_id: str
    service_id: str
    function_name: str
    tetraplets: list[list[Tetraplet]]

    @property
    def init_peer_id(self) -> str:
        """The author of the particle."""
        return self.particle.init_peer_id

    def log_fields(self) -> dict[str, str]:
        """What a record about this call is to have, see `runtime.logs`."""
        return {
            "particle_id": self.particle.id,
            "init_peer_id": self.init_peer_id,
            "scope": self.scope_id,
            "service": self.service_id,
            "function": self.function_name,
        }


Handler = Callable[[list[Any], CallContext], Any]
"""Takes the arguments and the context; returns a JSON value, or an awaitable of one. `UNIT` stands for no value."""

Resolver = Callable[[CallContext], Handler | None]
"""Finds the handler of a call that the table does not know. Raises ServiceError for calls that are forbidden."""


class _Unit:
    """The value of a function without result; a host answers `""` for it."""


UNIT: Final = _Unit()


class ServiceError(Exception):
    """A call failed. `value` is the JSON value that the program is told, usually text."""

    def __init__(self, value: Any) -> None:
        """Keep the value."""
        super().__init__(value)
        self.value = value


class Services:
    """The services of one peer, with the answers of a host for calls that nobody handles or that break."""

    def __init__(self) -> None:
        """Start without any service."""
        self._table: dict[tuple[str, str], Handler] = {}
        self._resolvers: list[Resolver] = []
        self._pure: set[Handler] = set()
        self._threads: trio.CapacityLimiter | None = None

    def add(self, service_id: str, functions: Mapping[str, Handler], *, pure: bool = False) -> None:
        """Add functions to a service; a later one of the same name replaces the earlier.

        pure: they depend on nothing but their arguments and may run in any thread.
        """
        for name, handler in functions.items():
            self._table[service_id, name] = handler
            if pure:
                self._pure.add(handler)

    def use_threads(self) -> None:
        """From now on arguments and results that are long are read and written in threads, and pure functions of them called there."""
        import trio  # a simulation has services, too, and no event loop

        self._threads = trio.CapacityLimiter(LONG_CALLS_MAX)

    def handler(self, service_id: str, name: str) -> Handler | None:
        """The function in the table; None when there is none."""
        return self._table.get((service_id, name))

    def discard(self, service_id: str, name: str) -> None:
        """Remove one function from the table; nothing happens when there is none."""
        self._table.pop((service_id, name), None)

    def remove(self, service_id: str) -> None:
        """Remove every function of a service from the table; nothing happens when there is none."""
        for key in [key for key in self._table if key[0] == service_id]:
            del self._table[key]

    def add_resolver(self, resolver: Resolver) -> None:
        """Ask `resolver` about calls that neither the table nor an earlier resolver knows."""
        self._resolvers.append(resolver)

    def has_service(self, service_id: str) -> bool:
        """Whether the table has any function of this service."""
        return any(key[0] == service_id for key in self._table)

    def find(self, context: CallContext) -> Handler | None:
        """The handler of a call; None when nobody handles it."""
        handler = self._table.get((context.service_id, context.function_name))
        if handler is not None:
            return handler
        for resolver in self._resolvers:
            handler = resolver(context)
            if handler is not None:
                return handler
        return None

    async def call(self, request: CallRequest, context: CallContext) -> CallResult:
        """Call a service. Never raises for what the service did: every failure is a result."""
        try:
            handler = self.find(context)
            if handler is None:
                return failure(self.not_found(request))
            if self._threads is not None and request.is_longer_than(SHORT_VALUE_SIZE):
                if handler in self._pure:
                    return await self._in_thread(lambda: self._success(handler(request.arguments, context)))
                await self._in_thread(lambda: request.arguments)
            value = handler(request.arguments, context)
            if inspect.isawaitable(value):
                value = await _awaited(value)
            if self._threads is not None and isinstance(value, (str, list, dict)) and len(value) > SHORT_VALUE_SIZE:
                return await self._in_thread(lambda: self._success(value))
            return self._success(value)
        except ServiceError as error:
            return failure(error.value)
        except (Exception, SystemExit) as error:
            # A service is somebody else's code: its bug must cost its caller one catchable error, not the peer.
            trace = log.isEnabledFor(logging.DEBUG)
            log.warning(
                "service %s.%s failed: %r",
                request.service_id,
                request.function_name,
                error,
                exc_info=trace,
                extra=context.log_fields(),
            )
            return failure(self.broken(request, error))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        import trio

        # A thread cannot be stopped. Who is cancelled does not wait for it, so that a peer ends when it is told to.
        return await trio.to_thread.run_sync(work, limiter=self._threads, abandon_on_cancel=True)

    def _success(self, value: Any) -> CallResult:
        return success(self.unit() if value is UNIT else value)

    def unit(self) -> Any:
        """What a function without result answers."""
        return ""

    def not_found(self, request: CallRequest) -> str:
        """The error for a call that nobody handles."""
        return f"Service with id '{request.service_id}' not found (function {request.function_name})"

    def broken(self, request: CallRequest, error: BaseException) -> str:
        """The error for a handler that raised something other than ServiceError."""
        return f"Service '{request.service_id}' failed in '{request.function_name}': {error!s}"


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def success(value: Any) -> CallResult:
    """The result for a value. Raises ServiceError when it is not JSON."""
    return CallResult(SUCCESS, json_text(value))


def failure(value: Any) -> CallResult:
    """The result for an error value; never raises: what is not JSON is described."""
    try:
        return CallResult(FAILURE, json_text(value))
    except ServiceError:
        return CallResult(FAILURE, json.dumps(repr(value)))


def json_text(value: Any) -> str:
    """Compact JSON of a value, object keys in the given order.

    Raises ServiceError when it is not a JSON value, or longer than RESULT_BYTES_MAX.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if not text.isascii():
            text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ServiceError(f"result is not JSON: {error}") from error
    if len(text) > RESULT_BYTES_MAX:
        raise ServiceError(f"result takes {len(text)} characters of JSON, at most {RESULT_BYTES_MAX} are passed on")
    return text
