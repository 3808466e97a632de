"""`srv`: the Wasm services of the caller's scope.

Source: nox:particle-builtins/src/builtins.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from runtime.store.modules import StoreError

from .arguments import STRING, Arguments, TypedServiceError
from .hosted import SPELL
from .registry import UNIT

if TYPE_CHECKING:
    from .hosted import HostedServices
    from .registry import CallContext, Handler


class SrvService:
    """The functions, bound to the services of a host."""

    def __init__(self, hosted: HostedServices) -> None:
        """Keep the services."""
        self._hosted = hosted

    def functions(self) -> dict[str, Handler]:
        """The table."""
        return {
            "create": self.create,
            "remove": self.remove,
            "list": self.list_all,
            "info": self.info,
            "get_interface": self.get_interface,
            "add_alias": self.add_alias,
            "resolve_alias": self.resolve_alias,
            "resolve_alias_opt": self.resolve_alias_opt,
        }

    async def create(self, values: list[Any], context: CallContext) -> Any:
        """Make a service of a blueprint; its id. Administrators only."""
        blueprint_id = Arguments(values).next("blueprint_id", STRING)
        self._hosted.rights.require(context)
        return await self._hosted.create(context.scope_id, blueprint_id, context.init_peer_id)

    async def remove(self, values: list[Any], context: CallContext) -> Any:
        """End a service. Administrators only."""
        name = Arguments(values).next("service_id_or_alias", STRING)
        self._hosted.rights.require(context)
        await self._hosted.remove(context.scope_id, context.particle.id, name, context.init_peer_id)
        return UNIT

    def list_all(self, _: list[Any], context: CallContext) -> Any:
        """All of them."""
        return [hosted.to_json() for hosted in self._hosted.all_of(context.scope_id)]

    def info(self, values: list[Any], context: CallContext) -> Any:
        """One of them, by id or alias."""
        name = Arguments(values).next("service_id_or_alias", STRING)
        return self._hosted.get(context.scope_id, context.particle.id, name).to_json()

    async def get_interface(self, values: list[Any], context: CallContext) -> Any:
        """The interface of the facade module."""
        name = Arguments(values).next("service_id", STRING)
        hosted = self._hosted.get(context.scope_id, context.particle.id, name)
        if hosted.kind == SPELL:
            from .spell_functions import spell_interface

            return spell_interface()
        store = self._hosted.store
        try:
            facade = store.blueprint(hosted.blueprint_id).dependencies[-1]
            return await trio.to_thread.run_sync(store.interface, facade)
        except StoreError as error:
            raise TypedServiceError(str(error)) from None

    async def add_alias(self, values: list[Any], context: CallContext) -> Any:
        """Give a service a further name. Administrators only."""
        arguments = Arguments(values)
        alias = arguments.next("alias", STRING)
        service_id = arguments.next("service_id", STRING)
        self._hosted.rights.require(context)
        await self._hosted.add_alias(context.scope_id, alias, service_id, context.init_peer_id)
        return UNIT

    def resolve_alias(self, values: list[Any], context: CallContext) -> Any:
        """Id of the service with an alias."""
        alias = Arguments(values).next("alias", STRING)
        found = self._hosted.resolve_alias(context.scope_id, context.particle.id, alias)
        if found is None:
            scope = self._hosted.scope_text(context.scope_id)
            raise TypedServiceError(f"Service with alias '{alias}' is not found on worker '{scope}'")
        return found

    def resolve_alias_opt(self, values: list[Any], context: CallContext) -> Any:
        """The same as an option."""
        alias = Arguments(values).next("alias", STRING)
        found = self._hosted.resolve_alias(context.scope_id, context.particle.id, alias)
        return [] if found is None else [found]
