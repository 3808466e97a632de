"""`single_module_srv`: Wasm services of one module that programs of a client put into it.

Only particles of the client itself may; the others call what is there. Services end with the client.
Errors: results that tell of them, in js-client's words; a module that cannot be loaded is told with `success` false, where
js-client says true.
Source: js-client:packages/core/js-client/src/services/SingleModuleSrv.ts
"""

from __future__ import annotations

import base64
import binascii
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .limits import CLIENT_SERVICES_MAX, SERVICE_MEMORY_BYTES_MAX, SERVICE_START_MS_MAX
from .registry import ServiceError

if TYPE_CHECKING:
    import trio

    from runtime.marine.host import Service

    from .registry import CallContext, Handler

SERVICE_ID: Final = "single_module_srv"


class SingleModuleServices:
    """The Wasm services of one client. `peer_id` is the client's."""

    def __init__(self, peer_id: str) -> None:
        """Start without any."""
        self._peer_id = peer_id
        self._services: dict[str, tuple[Service, trio.Lock]] = {}
        self._starting = 0
        self._is_closed = False

    def functions(self) -> dict[str, Handler]:
        """The table of `single_module_srv`."""
        return {"create": self.create, "remove": self.remove, "list": lambda _, __: list(self._services)}

    def resolve(self, context: CallContext) -> Handler | None:
        """The handler of a call of one of them; None for another service."""
        found = self._services.get(context.service_id)
        return None if found is None else partial(_call, *found)

    def close(self) -> None:
        """End all of them, and take no more."""
        self._is_closed = True
        while self._services:
            self._services.popitem()[1][0].close()

    async def create(self, values: list[Any], context: CallContext) -> Any:
        """Make a service of a module, given in base64; its id."""
        if context.init_peer_id != self._peer_id:
            return _refused("Marine services could be registered on %init_peer_id% only")
        import trio

        from runtime.marine.errors import LoadError

        if len(self._services) + self._starting >= CLIENT_SERVICES_MAX:
            return _refused(f"a client has at most {CLIENT_SERVICES_MAX} services of its programs")
        try:
            wasm = base64.b64decode(values[0], validate=True)
        except (IndexError, TypeError, ValueError, binascii.Error):
            return _refused("The string to be decoded is not correctly encoded.")
        service_id = str(uuid.uuid4())
        self._starting += 1
        try:
            service = await trio.to_thread.run_sync(_start, service_id, wasm)
        except LoadError as error:
            return _refused(str(error))
        finally:
            self._starting -= 1
        if self._is_closed:
            service.close()
            return _refused("the client is closed")
        self._services[service_id] = service, trio.Lock()
        return {"success": True, "service_id": [service_id], "error": None}

    async def remove(self, values: list[Any], context: CallContext) -> Any:
        """End a service."""
        if context.init_peer_id != self._peer_id:
            return _refused("Marine services could be remove on %init_peer_id% only")
        import trio

        service_id = values[0] if values and isinstance(values[0], str) else ""
        found = self._services.pop(service_id, None)
        if found is None:
            return {"success": False, "error": [f"Service with id {service_id} not found"]}
        await trio.to_thread.run_sync(found[0].close)
        return {"success": True, "error": None}


def _refused(error: str) -> dict[str, Any]:
    return {"success": False, "service_id": None, "error": [error]}


def _start(service_id: str, wasm: bytes) -> Service:
    """Takes as long as compiling does. Raises LoadError."""
    from runtime.marine.config import ModuleConfig, ServiceConfig
    from runtime.marine.host import Service

    config = ServiceConfig(
        (ModuleConfig(service_id),),
        memory_limit=SERVICE_MEMORY_BYTES_MAX,
        start_timeout_ms=SERVICE_START_MS_MAX,
    )
    return Service(config, {service_id: wasm})


async def _call(service: Service, turn: trio.Lock, values: list[Any], context: CallContext) -> Any:
    from runtime.marine.errors import CallError
    from runtime.marine.provided import call_parameters, finished

    name = context.function_name
    async with turn:  # a thread for each call that waits would be what a stranger can ask for without end
        try:
            return await finished(service.submit(name, values, call_parameters(context, context.host_id)))
        except CallError as error:
            text = f'Service call failed. fnName="{name}" serviceId="{context.service_id}" error: {error}'
            raise ServiceError(text) from None
