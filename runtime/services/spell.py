"""`spell`: scripts that run by themselves on a host; and what their particles find there.

A spell is installed into the scope of the call and belongs to it. Whenever it is triggered, it writes why into its
storage and starts a particle in the name of its scope. Its particles read arguments with `getDataSrv`, and leave
results and errors in its storage with `callbackSrv` and `errorHandlingSrv`. After a restart spells run on.
Errors: ServiceError in the reference's words.
Source: nox:sorcerer/src/spell_builtins.rs, sorcerer.rs, script_executor.rs; nox:crates/spell-service-api
"""

from __future__ import annotations

import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import trio

from avm.data.canonical_json import JsonError, dumps, parse
from runtime.core.limits import U32_MAX
from runtime.core.particle import new_particle
from runtime.marine.errors import CallError
from runtime.store.spells import SpellStoreError, TriggerConfig

from .arguments import BOOL, STRING, U32, VALUE, Arguments, ArgumentType, TypedServiceError
from .hosted import SPELL, Hosted
from .limits import SPELL_PARTICLES_MAX, SPELL_TTL_MS
from .particle_id import spell_id_of
from .registry import UNIT, ServiceError
from .spell_functions import COUNTER_KEY, TRIGGER_KEY, Caller, trigger_config_json
from .triggers import Triggers, resumed, subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.clock import Clock
    from runtime.core.particle import Particle

    from .hosted import HostedServices
    from .registry import CallContext, Handler, Services
    from .workers import Workers

log = logging.getLogger(__name__)

_PARTS: Final = {
    "clock": (U32, ("start_sec", "end_sec", "period_sec")),
    "connections": (BOOL, ("connect", "disconnect")),
    "blockchain": (U32, ("start_block", "end_block")),
}
_ERROR_FIELDS: Final = ("error_code", "instruction", "message", "peer_id")


def _is_trigger_config(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(part), dict) and all(kind.accepts(value[part].get(name)) for name in names)
        for part, (kind, names) in _PARTS.items()
    )


TRIGGER_CONFIG: Final = ArgumentType("fluence_spell_dtos::trigger_config::TriggerConfig", _is_trigger_config)


def trigger_config(value: Any) -> TriggerConfig:
    """A configuration of its JSON, which has been checked."""
    return TriggerConfig(*(value[part][name] for part, (_, names) in _PARTS.items() for name in names))


class Spells:
    """The spells of one host: who may do what with them, and their running.

    submit: takes in the particles they start; set before `run`.
    """

    def __init__(self, hosted: HostedServices, workers: Workers, clock: Clock, *, ttl_ms: int = SPELL_TTL_MS) -> None:
        """Keep the parts. ttl_ms: life of the particles of spells."""
        self.submit: Callable[[Particle], None] | None = None
        self.triggers = Triggers(clock, self.fire)
        self._hosted = hosted
        self._workers = workers
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._deadlines: dict[str, deque[int]] = {}
        self._installing: set[str] = set()
        self._scope = trio.CancelScope()

    def add_to(self, services: Services) -> None:
        """Add the functions of this file."""
        services.add(
            "spell",
            {
                "install": self.install,
                "remove": self.remove,
                "list": self.list_all,
                "update_trigger_config": self.update_trigger_config,
            },
        )
        services.add("getDataSrv", {"spell_id": spell_id, "-relay-": lambda _, context: context.host_id})
        services.add("callbackSrv", {"response": self.store_response})
        services.add("errorHandlingSrv", {"error": self.store_error})
        services.add_resolver(self._resolve)

    def _resolve(self, context: CallContext) -> Handler | None:
        return self.argument if context.service_id == "getDataSrv" else None

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Start what was kept, then run spells until `stop` or cancelled."""
        with self._scope:
            self._resume()
            await self.triggers.run()

    def stop(self) -> None:
        """Run nothing more; particles that are there go on."""
        self._scope.cancel()

    def _resume(self) -> None:
        for hosted in self._hosted.all_spells():
            if self.triggers.is_subscribed(hosted.id) or hosted.id in self._installing:
                continue  # installed since, or nearly
            try:
                config = self._hosted.spells.store.triggers(hosted.id)
                if config is not None:
                    self.triggers.subscribe(hosted.id, resumed(config, self._clock.now_ms()))
            except (ServiceError, SpellStoreError) as error:
                reason = str(error).partition("\n")[0]
                log.warning("spell %s is not started again: %s", hosted.id, reason, extra={"spell_id": hosted.id})

    def fire(self, spell_id: str, why: dict[str, Any]) -> None:
        """Start the script of a spell; what keeps it from starting is logged."""
        fields = {"spell_id": spell_id}
        hosted = self._hosted.find_spell(spell_id)
        identity = None if hosted is None else self._workers.identity_of(hosted.scope)
        if hosted is None or identity is None or self.submit is None:
            log.warning("spell %s cannot run: its scope is gone", spell_id, extra=fields)
            return
        now_ms = self._clock.now_ms()
        deadlines = self._deadlines.setdefault(spell_id, deque())
        while deadlines and deadlines[0] < now_ms:
            deadlines.popleft()
        if len(deadlines) >= SPELL_PARTICLES_MAX:
            log.warning("spell %s does not run: %d of its particles live", spell_id, SPELL_PARTICLES_MAX, extra=fields)
            return
        store = self._hosted.spells.store
        try:
            number = store.number(spell_id, COUNTER_KEY) or 0
            store.set(spell_id, COUNTER_KEY, (number + 1) & U32_MAX)
            script = store.script(spell_id)
            store.set(spell_id, TRIGGER_KEY, json.dumps(why, separators=(",", ":")))
        except SpellStoreError as error:
            log.warning("spell %s cannot run: %s", spell_id, error, extra=fields)
            return
        if script is None:
            log.warning("spell %s cannot run: it has no script", spell_id, extra=fields)
            return
        deadlines.append(now_ms + self._ttl_ms)
        particle_id = f"spell_{spell_id}_{number}"
        self.submit(new_particle(identity, particle_id=particle_id, timestamp=now_ms, ttl=self._ttl_ms, script=script))

    # ── management ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def install(self, values: list[Any], context: CallContext) -> Any:
        """Install a spell; its id. In the host's scope for management, in a worker's for it and its creator as well."""
        arguments = Arguments(values)
        script = arguments.next("script", STRING)
        data = arguments.next("data", VALUE)
        config = trigger_config(arguments.next("trigger_config", TRIGGER_CONFIG))
        alias = arguments.optional("alias", STRING)
        author, scope = context.init_peer_id, context.scope_id
        if author not in self._hosted.rights.management:
            if scope == context.host_id:
                raise ServiceError(
                    "Failed to install spell in the root scope, only management peer id can install top-level spells"
                )
            creator = self._workers.get(scope).creator
            if author not in (scope, creator):
                raise ServiceError(
                    f'Failed to install spell on WorkerId(PeerId("{scope}")), spell can be installed by worker creator '
                    f"{creator}, worker itself {scope} or peer manager; init_peer_id={author}"
                )
        wanted = subscription(config, self._clock.now_ms())
        hosted = await self._hosted.create_spell(scope)
        self._installing.add(hosted.id)
        try:
            caller = Caller(hosted.id, scope, context.host_id, scope, scope, f"spell_{hosted.id}_0")
            self._call(caller, "set_script", [script])
            self._call(caller, "set_json_fields", [dumps(data)])
            self._set_triggers(caller, config)
            if alias is not None:
                await self._add_alias(hosted, alias, author)
        except BaseException:
            with trio.CancelScope(shield=True):
                await self.end(hosted)
            raise
        finally:
            self._installing.discard(hosted.id)
        self.triggers.subscribe(hosted.id, wanted)
        return hosted.id

    async def _add_alias(self, hosted: Hosted, alias: str, author: str) -> None:
        try:
            await self._hosted.add_alias(hosted.scope, alias, hosted.id, author)
        except TypedServiceError as error:
            raise ServiceError(f"Failed to add alias {alias} for spell {hosted.id}: {error.debug}") from None

    async def remove(self, values: list[Any], context: CallContext) -> Any:
        """Remove a spell, given by id or alias, with all it keeps."""
        name = Arguments(values).next("spell_id", STRING)
        if not self._may_manage(context):
            if context.scope_id == context.host_id:
                raise ServiceError(f"Failed to remove spell {name}, worker itself {context.host_id} or peer manager")
            raise ServiceError(
                f"Failed to remove spell {name}, spell can be removed by {self._managers(context.scope_id)}"
            )
        hosted = self._hosted.get(context.scope_id, context.particle.id, name)
        await self.end(hosted)
        return UNIT

    async def end(self, hosted: Hosted) -> None:
        """Remove a spell. Raises ServiceError for another service."""
        await self._hosted.remove_spell(hosted, hosted.scope)
        self.triggers.unsubscribe(hosted.id)
        self._deadlines.pop(hosted.id, None)

    def list_all(self, _: list[Any], context: CallContext) -> Any:
        """Ids of the spells of the scope."""
        return [hosted.id for hosted in self._hosted.spells_of(context.scope_id)]

    def update_trigger_config(self, values: list[Any], context: CallContext) -> Any:
        """Change when a spell, given by id or alias, runs."""
        arguments = Arguments(values)
        name = arguments.next("spell_id", STRING)
        if not self._may_manage(context):
            managers = (
                f"worker itself {context.host_id} or peer manager"
                if context.scope_id == context.host_id
                else self._managers(context.scope_id)
            )
            raise ServiceError(
                f"Failed to update spell config {name}, spell config can be updated by {managers}; "
                f"init_peer_id={context.init_peer_id}"
            )
        hosted = self._hosted.get(context.scope_id, context.particle.id, name)
        self.configure(hosted, trigger_config(arguments.next("config", TRIGGER_CONFIG)))
        return UNIT

    def configure(self, hosted: Hosted, config: TriggerConfig) -> None:
        """Change when a spell runs. Raises ServiceError."""
        wanted = subscription(config, self._clock.now_ms())
        if hosted.kind != SPELL:
            reason = "function with name `set_trigger_config` is missing"
            raise TypedServiceError(f"Error while calling {hosted.id}.set_trigger_config: {reason}")
        scope = hosted.scope
        self._set_triggers(Caller(hosted.id, hosted.owner_id, "", scope, hosted.owner_id, ""), config)
        self.triggers.subscribe(hosted.id, wanted)

    def _set_triggers(self, caller: Caller, config: TriggerConfig) -> None:
        self._call(caller, "set_trigger_config", [trigger_config_json(config)])

    def _may_manage(self, context: CallContext) -> bool:
        author, scope = context.init_peer_id, context.scope_id
        if scope == context.host_id:
            return self._hosted.rights.is_administrator(author)
        creator = self._workers.get(scope).creator
        return author in (creator, scope) or author in self._hosted.rights.management

    def _managers(self, worker_id: str) -> str:
        creator = self._workers.get(worker_id).creator
        return f"worker creator {creator}, worker itself {worker_id} or peer manager"

    # ── particles of spells ──────────────────────────────────────────────────────────────────────────────────────────

    def argument(self, _: list[Any], context: CallContext) -> Any:
        """The JSON value under a key of the spell, named by the function."""
        spell, key = _require_spell(context), context.function_name
        try:
            found = self._call(self._caller(spell, context, "get_string"), "get_string", [key])
        except ServiceError as error:
            raise ServiceError(f"Failed to get argument {key} for spell {spell}: {_message(error)}") from None
        if found["absent"]:
            raise ServiceError("value not found")
        text = found["value"]
        try:
            return parse(text)
        except JsonError as error:
            raise ServiceError(f"Failed to parse argument `{key} -> {text}` for spell {spell}: {error}") from None

    def store_response(self, values: list[Any], context: CallContext) -> Any:
        """Keep the fields of an object in the spell."""
        spell = _require_spell(context)
        response = Arguments(values).optional("response", VALUE)
        if response is not None:
            text = dumps(response)
            try:
                self._call(self._caller(spell, context, "set_json_fields"), "set_json_fields", [text])
            except ServiceError as error:
                raise ServiceError(f"Failed to store response {text} for spell {spell}: {_message(error)}") from None
        return UNIT

    def store_error(self, values: list[Any], context: CallContext) -> Any:
        """Keep an error in the spell.

        Errors have more or fewer fields than the record of a spell has, depending on where they come from.
        """
        spell = _require_spell(context)
        kept = [*values, context.particle.timestamp]
        if values and isinstance(values[0], dict) and {"error_code", "message"} <= values[0].keys():
            error = {"instruction": "", "peer_id": ""} | {k: v for k, v in values[0].items() if v is not None}
            kept[0] = {name: error[name] for name in _ERROR_FIELDS}
        try:
            self._call(self._caller(spell, context, "store_error"), "store_error", kept)
        except ServiceError as failure:
            raise ServiceError(f"Failed to store error {dumps(kept)} for spell {spell}: {_message(failure)}") from None
        return UNIT

    def _caller(self, spell: str, context: CallContext, function: str) -> Caller:
        hosted = self._hosted.find(context.scope_id, context.particle.id, spell)
        if hosted is None or hosted.kind != SPELL:
            raise TypedServiceError(f"Spell {spell} not found (function {function})")
        return self._hosted.caller(hosted, context)

    def _call(self, caller: Caller, function: str, values: list[Any]) -> Any:
        """The result of a function of a spell. Raises ServiceError for one that tells of an error."""
        place = f"{caller.spell_id}.{function}"
        try:
            result = self._hosted.spells.call(caller, function, values)
        except CallError as error:
            raise TypedServiceError(f"Error while calling {place}: Error: {error}") from None
        if not result["success"]:
            raise TypedServiceError(f"Call {place} executed with the error: {result['error']}")
        return result


def spell_id(_: list[Any], context: CallContext) -> Any:
    """The id of the spell whose particle this is."""
    return _require_spell(context)


def _require_spell(context: CallContext) -> str:
    found = spell_id_of(context.particle.id)
    if found is None:
        raise ServiceError(f"Invalid particle id: expected 'spell_{{SPELL_ID}}_{{COUNTER}}', got {context.particle.id}")
    return found


def _message(error: ServiceError) -> str:
    return error.message if isinstance(error, TypedServiceError) else str(error.value)
