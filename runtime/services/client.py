"""The services of a client peer: those of js-client, with its results and error texts.

Handlers of one particle (arguments, callbacks, the response) come before those registered for all particles.
Errors: as `Services`; the texts are js-client's. Numbers behave as in JavaScript: doubles, no overflow.
Source: js-client:packages/core/js-client/src/jsServiceHost, services, compilerSupport/services.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps
from runtime.protocol.identity import Identity, verify

from . import client_builtins, js_json
from .registry import CallContext, Handler, ServiceError, Services
from .single_module import SERVICE_ID, SingleModuleServices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avm.outcome import CallRequest
    from runtime.clock import Clock

NODE_VERSION: Final = "js-0.23.0"
AIR_VERSION: Final = "js-0.24.2"
"""Both as js-client 0.9.0 answers them; programs compare them at most with each other."""

_SIGNABLE: Final = frozenset(
    [
        ("trust-graph", "get_trust_bytes"),
        ("trust-graph", "get_revocation_bytes"),
        ("registry", "get_key_bytes"),
        ("registry", "get_record_bytes"),
        ("registry", "get_record_metadata_bytes"),
        ("registry", "get_tombstone_bytes"),
    ]
)


class ClientServices(Services):
    """The services of one client."""

    def __init__(self, identity: Identity, clock: Clock, console: Callable[[str], None]) -> None:
        """`console` takes the lines that js-client would print."""
        super().__init__()
        self._identity = identity
        self._console = console
        self._of_particle: dict[bytes, Mapping[tuple[str, str], Handler]] = {}
        for service_id, functions in client_builtins.tables(clock).items():
            self.add(service_id, {name: _prefixed(service_id, name, body) for name, body in functions.items()})
        self.add("peer", {"identify": lambda _, __: _identify()})
        self.add("run-console", {"print": self._print})
        self.add("tracingSrv", {"tracingEvent": self._trace})
        signatures: dict[str, Handler] = {
            "get_peer_id": lambda _, __: self._identity.peer_id,
            "sign": self._sign,
            "verify": self._verify,
        }
        self.add("sig", signatures)
        self.add(identity.peer_id, signatures)
        self._modules = SingleModuleServices(identity.peer_id)
        self.add(SERVICE_ID, self._modules.functions())
        self.add_resolver(self._modules.resolve)

    def close(self) -> None:
        """End the Wasm services that programs have put here."""
        self._modules.close()

    def set_particle_handlers(self, signature: bytes, handlers: Mapping[tuple[str, str], Handler]) -> None:
        """Handlers for calls of one particle only, by service id and function name."""
        self._of_particle[signature] = handlers

    def remove_particle_handlers(self, signature: bytes) -> None:
        """Forget the handlers of a particle."""
        self._of_particle.pop(signature, None)

    def find(self, context: CallContext) -> Handler | None:
        """The handler of a call, the particle's own first."""
        own = self._of_particle.get(context.particle.signature, {})
        return own.get((context.service_id, context.function_name)) or super().find(context)

    def unit(self) -> Any:
        """An empty object, as js-client answers."""
        return {}

    def not_found(self, request: CallRequest) -> str:
        """The error for a call that nobody handles."""
        arguments = js_json.text(request.arguments, indent=4)
        return (
            f"No service found for service call: serviceId='{request.service_id}', "
            f"fnName='{request.function_name}' args='{arguments}'"
        )

    def broken(self, request: CallRequest, error: BaseException) -> str:
        """The error for a handler that raised."""
        return (
            f'Service call failed. fnName="{request.function_name}" serviceId="{request.service_id}" error: {error!s}'
        )

    def _print(self, values: list[Any], _: CallContext) -> Any:
        self._console(" ".join(value if isinstance(value, str) else dumps(value) for value in values))
        return {}

    def _trace(self, values: list[Any], context: CallContext) -> Any:
        arrow, event = ([*values, "", ""])[:2]
        self._console(f"[{context.particle.id}] ({arrow}) {event}")
        return {}

    def _sign(self, values: list[Any], context: CallContext) -> Any:
        """Sign bytes, if the particle is ours and a trusted service made them."""
        made_by = [(item.service_id, item.function_name) for items in context.tetraplets[:1] for item in items[:1]]
        if context.init_peer_id != self._identity.peer_id or not _SIGNABLE.issuperset(made_by) or not made_by:
            return {"success": False, "error": ["Security guard validation failed"], "signature": []}
        signature = self._identity.sign(_bytes(values, 0))
        return {"success": True, "error": [], "signature": [list(signature)]}

    def _verify(self, values: list[Any], _: CallContext) -> Any:
        return verify(self._identity.public_key, _bytes(values, 0), _bytes(values, 1))


def _identify() -> Any:
    return {"external_addresses": [], "node_version": NODE_VERSION, "air_version": AIR_VERSION}


def _bytes(values: list[Any], place: int) -> bytes:
    try:
        return bytes(values[place])
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"argument {place} must be an array of bytes") from error


def _prefixed(service_id: str, name: str, body: Handler) -> Handler:
    """A built-in whose explicit errors name it."""

    async def handler(values: list[Any], context: CallContext) -> Any:
        try:
            result = body(values, context)
            return await result if hasattr(result, "__await__") else result
        except ServiceError as error:
            if isinstance(error.value, str):
                raise ServiceError(f'("{service_id}" "{name}") {error.value}') from error
            raise

    return handler
