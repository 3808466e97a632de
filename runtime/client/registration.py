"""Services of a client: who answers a function, for how long.

The last registration of a function counts. When it ends, the one before counts again, and below all of them what the client
offers by itself.
Errors: `ServiceInvalid` for an implementation that does not fit.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from runtime.client.errors import ServiceInvalid
from runtime.python_services import ServiceFileError, bind, id_of, methods_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from runtime.binding import Service
    from runtime.services.registry import Handler, Services

Marked = TypeVar("Marked", bound="Callable[..., Any]")

_Key = tuple[str, str]


class Registration:
    """A service as long as it is served. Ends with `unregister`, or with a `with` block, or with its client."""

    def __init__(self, service_id: str, functions: tuple[str, ...], end: Callable[[Registration], None]) -> None:
        """`end` is called once."""
        self.service_id = service_id
        self.functions = functions
        self._end: Callable[[Registration], None] | None = end

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self._end is not None

    def unregister(self) -> None:
        """Answer no further calls; those that run go on. A second time does nothing."""
        end, self._end = self._end, None
        if end is not None:
            end(self)

    def __enter__(self) -> Registration:
        """Serve for the length of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        self.unregister()


class Registrations:
    """The registrations of one client, in the table of its services."""

    def __init__(self, services: Services) -> None:
        """Start with what the table has."""
        self._services = services
        self._given: dict[_Key, Handler | None] = {}
        self._layers: dict[_Key, dict[Registration, Handler]] = {}

    def add(self, service_id: str, handlers: Mapping[str, Handler]) -> Registration:
        """Serve these functions before all registered earlier."""
        registration = Registration(service_id, tuple(handlers), self._remove)
        for name, handler in handlers.items():
            key = service_id, name
            if key not in self._layers:
                self._given[key] = self._services.handler(service_id, name)
                self._layers[key] = {}
            self._layers[key][registration] = handler
            self._services.add(service_id, {name: handler})
        return registration

    def _remove(self, registration: Registration) -> None:
        for name in registration.functions:
            key = registration.service_id, name
            layers = self._layers[key]
            del layers[registration]
            handler = next(reversed(layers.values())) if layers else self._given[key]
            if not layers:
                del self._layers[key], self._given[key]
            if handler is None:
                self._services.discard(registration.service_id, name)
            else:
                self._services.add(registration.service_id, {name: handler})


class Serves:
    """What both clients offer for services written by hand; `provide` is theirs."""

    def provide(self, service_id: str, handlers: Mapping[str, Handler], /) -> Registration:
        """Answer calls to functions of a service."""
        raise NotImplementedError

    def register(
        self, implementation: object, service_id: str | None = None, *, declaration: Service | None = None
    ) -> Registration:
        """Serve an object's public methods, a mapping of functions, or one function, on this client's peer.

        service_id: by default the one of `@service(…)`, or the one that the declaration has. declaration: from `load`; with it
        the methods are checked against what Aqua declares, and values are converted both ways. A method whose last parameter is
        named `context` gets the `CallContext`; it may be `async`; what it raises becomes an error of the program. Raises ServiceInvalid.
        """
        if service_id is None:
            service_id = id_of(implementation) or (None if declaration is None else declaration.default_id)
        if service_id is None:
            raise ServiceInvalid(
                f"{describe(implementation)} has no service id: pass one, or mark the class with @service(…)"
            )
        if declaration is not None:
            return self.provide(service_id, declaration.handlers(implementation))
        methods = methods_of(implementation)
        if not methods:
            raise ServiceInvalid(f"{describe(implementation)} has no public method")
        try:
            return self.provide(service_id, bind(None, methods, describe(implementation)))
        except ServiceFileError as error:
            raise ServiceInvalid(str(error)) from error

    def service(
        self, service_id: str | None = None, *, declaration: Service | None = None
    ) -> Callable[[Marked], Marked]:
        """Decorate a class or a function with it, to have it registered: a class is called without arguments first."""

        def serve(marked: Marked) -> Marked:
            made = marked() if inspect.isclass(marked) else marked
            self.register(made, service_id, declaration=declaration)
            return marked

        return serve


def describe(implementation: object) -> str:
    """What an implementation is, for a message."""
    if inspect.isfunction(implementation):
        return f"function {implementation.__name__}"
    return "the mapping" if isinstance(implementation, dict) else f"a {type(implementation).__name__} object"
