"""Services and spells of a host: made of stored modules, called by particles, there again after a restart.

A service belongs to a scope (the host or one of its workers) and is found there by its id, then by an alias. One call at a time runs in
it, with the identity of the caller and the origin of every argument in its call parameters. The end of the particle stops its call.
What is started here by strangers is bounded: see `limits`. A spell is a service as well, without modules: see `spell_functions`.
Services and aliases are in the store of the peer; a service and its aliases, or an alias and whom it is taken from, change together. Files:

    workdir/<id>/                   /storage of its modules, kept over restarts and removal;
                                    of a spell what it keeps, until it is removed
    services/<id>_service.toml      a service as earlier versions and the reference keep it; taken into the store at the start

Errors: ServiceError for programs; nothing else escapes once `open` is done.
Source: nox:particle-services/src/app_services.rs, persistence.rs, error.rs
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
import tomllib
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import trio

from runtime.clock import SystemClock
from runtime.marine.blueprint import Blueprint
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.rust_text import debug_string
from runtime.protocol.identity import is_peer_id
from runtime.store.data_dir import DataDir
from runtime.store.modules import Effectors, ModuleStore, StoreError
from runtime.store.settled import settled
from runtime.store.spells import SpellStore, SpellStoreError
from runtime.store.state import ALIASES, SERVICES, MemoryStore, Namespace, StateError, Store
from runtime.store.vault import GUEST, Vault, VaultError, remove

from .arguments import TypedServiceError
from .limits import (
    ALIASES_MAX,
    NAME_BYTES_MAX,
    SERVICE_MEMORY_BYTES_MAX,
    SERVICE_START_MS_MAX,
    SERVICES_MAX,
    STATS_FUNCTIONS_MAX,
    WAITING_CALLS_MAX,
)
from .particle_id import spell_id_of
from .service_events import CreationFailed, ServiceCalled, ServiceCreated, ServiceRemoved
from .service_stats import Stats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from runtime.core.actions import Forget
    from runtime.marine.call_parameters import CallParameters
    from runtime.marine.host import LogRecord, Service
    from runtime.protocol.identity import Identity
    from runtime.store.state import Change

    from .protected import Rights
    from .registry import CallContext, Handler
    from .service_events import ServiceEvent
    from .spell_functions import Caller, SpellFunctions

log = logging.getLogger(__name__)

SERVICE, SPELL = "service", "spell"
WORKER_SPELL: Final = "worker-spell"
_SPELL_ALIASES: Final = frozenset({"spell", "self"})
IPFS: Final = "aqua-ipfs"
"""A service of this name reaches what the host reaches; in the host's scope only administrators call it,
unless every module may run programs of the host."""

SPELL_BLUEPRINT: Final = Blueprint("spell", ())
"""What spells are made of: nothing that would be stored."""

_FILE: Final = "_service.toml"
_HOST: Final = "Host"
"""The scope of the host in the store: its peer id may become another."""

_LEVELS: Final = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO}


@dataclass(slots=True, eq=False)
class Hosted:
    """One service. scope: peer id of the host or worker it lives on.

    service: None for a spell. turn: held by the call that runs. memory_bytes: of its modules when that was last seen.
    """

    id: str
    blueprint_id: str
    kind: str
    owner_id: str
    scope: str
    aliases: list[str]
    service: Service | None
    turn: trio.Lock = field(default_factory=trio.Lock)
    waiting: int = 0
    memory_bytes: int = 0
    total: Stats = field(default_factory=Stats)
    functions: dict[str, Stats] = field(default_factory=dict)

    def close(self) -> None:
        """End its modules."""
        if self.service is not None:
            self.service.close()

    def to_json(self) -> dict[str, Any]:
        """As `srv.list` and `srv.info` have it."""
        return {
            "id": self.id,
            "blueprint_id": self.blueprint_id,
            "service_type": self.kind,
            "owner_id": self.owner_id,
            "aliases": list(self.aliases),
            "worker_id": self.scope,
        }


@dataclass(frozen=True, slots=True)
class HostingConfig:
    """What a host allows its services.

    folder: kept over restarts; None for one that ends with the host. memory_bytes: of one service. envs: variables of every module.
    state: the store of the peer; without one the folder has its own.
    """

    folder: Path | None = None
    effectors: Effectors = field(default_factory=Effectors)
    memory_bytes: int | None = SERVICE_MEMORY_BYTES_MAX
    envs: Mapping[str, str] = field(default_factory=dict)
    start_ms: float = SERVICE_START_MS_MAX
    state: Store | None = None


class HostedServices:
    """All Wasm services of one host. `async with` restores what was there and ends everything in the end."""

    def __init__(
        self,
        identity: Identity,
        rights: Rights,
        config: HostingConfig | None = None,
        *,
        creator_of: Callable[[str], str | None] = lambda _: None,
        has_scope: Callable[[str], bool] = lambda _: True,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        """Nothing is read before `async with`.

        creator_of: who made a worker. has_scope: whether the host or a worker has this peer id. now_ms: the time of
        day, for what spells note, the system's by default.
        """
        self.config = config or HostingConfig()
        self.rights = rights
        self.restored = True
        self.on_event: list[Callable[[ServiceEvent], None]] = []
        rights.is_worker_spell = self._is_worker_spell
        self._now_ms = now_ms or SystemClock().now_ms
        self._identity = identity
        self._creator_of = creator_of
        self._has_scope = has_scope
        self._services: dict[str, dict[str, Hosted]] = {}
        self._aliases: dict[str, dict[str, str]] = {}
        self._callers: dict[str, CallContext] = {}
        self._creating = 0
        self._ephemeral: tempfile.TemporaryDirectory[str] | None = None
        self._folder = Path()
        self._changing = trio.Lock()
        self._own: DataDir | None = None
        self._state: Store = self.config.state or MemoryStore()
        self._store: ModuleStore | None = None
        self._vault: Vault | None = None
        self._spells: SpellFunctions | None = None

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> HostedServices:
        """Restore what was there; a service that cannot be made is logged and left as it is. Raises OSError, StateError."""
        self._ephemeral = tempfile.TemporaryDirectory(prefix="avm-services-", ignore_cleanup_errors=True)
        self._folder = Path(self._ephemeral.name) / "kept" if self.config.folder is None else self.config.folder
        try:
            for name in ("services", "workdir"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            self._store = await trio.to_thread.run_sync(ModuleStore, self._folder, self.config.effectors)
            self._vault = Vault(Path(self._ephemeral.name) / "vault", self._identity.sign)
            self._spells = _spell_functions(SpellStore(self._folder / "workdir"), self._now_ms)
            if self.config.state is None and self.config.folder is not None:
                self._own = DataDir(self.config.folder, now_ms=0)
                self._state = self._own.store
            for path in sorted((self._folder / "services").glob(f"*{_FILE}")):
                await self._take_in(path)
            for key, value in self._services_kept.items():
                await self._restore(key, value)
            self._restore_aliases()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End every service and delete what was not to be kept."""
        await self._close()

    async def _close(self) -> None:
        with trio.CancelScope(shield=True):  # a call that does not end at once is waited for, a moment at most
            await trio.to_thread.run_sync(self._end)

    def _end(self) -> None:
        for services in self._services.values():
            for hosted in services.values():
                hosted.close()
        self._services.clear()
        self._aliases.clear()
        if self._spells is not None:
            self._spells.store.close()
        if self._vault is not None:
            self._vault.close()
        if self._own is not None:
            self._own.close()
        if self._ephemeral is not None:
            self._ephemeral.cleanup()

    @property
    def store(self) -> ModuleStore:
        """Modules and blueprints."""
        assert self._store is not None, "the services are not open"
        return self._store

    @property
    def spells(self) -> SpellFunctions:
        """What spells keep, and the functions they answer."""
        assert self._spells is not None, "the services are not open"
        return self._spells

    @property
    def vault(self) -> Vault:
        """Files of particles."""
        assert self._vault is not None, "the services are not open"
        return self._vault

    @property
    def _services_kept(self) -> Namespace:
        return Namespace(self._state, SERVICES)

    @property
    def _aliases_kept(self) -> Namespace:
        return Namespace(self._state, ALIASES)

    async def _take_in(self, path: Path) -> None:
        """Move a service of a file into the store; a file that was moved before is only deleted."""
        try:
            record = await trio.to_thread.run_sync(_read_file, path, self.rights.host_id)
            if self._services_kept.get(record.id) is None:
                changes = [self._setting(record)]
                for alias in record.aliases:
                    key = self._alias_key(record.scope, alias)
                    if self._aliases_kept.get(key) is None:
                        changes.append(self._aliases_kept.setting(key, record.id.encode()))
                await settled(self._state.commit(changes))
            await trio.to_thread.run_sync(path.unlink)
        except (OSError, ValueError, LookupError, TypeError, StateError) as error:
            log.warning("the service of %s is not restored: %s", path.name, error)
            self.restored = False

    async def _restore(self, key: str, value: bytes) -> None:
        try:
            record = _read_record(json.loads(value) | {"service_id": key}, self.rights.host_id)
            if not self._has_scope(record.scope):
                raise ValueError("its worker is gone")
            if record.kind == SPELL:
                self.spells.store.check(record.id)
                hosted = Hosted(record.id, record.blueprint_id, SPELL, record.owner_id, record.scope, [], None)
            else:
                hosted = await self._make(record.id, record.blueprint_id, record.owner_id, record.scope)
        except (ValueError, LookupError, TypeError, TypedServiceError, SpellStoreError) as error:
            log.warning("the service %s is not restored: %s", key, error)
            self.restored = False
            return
        self._services.setdefault(hosted.scope, {})[hosted.id] = hosted

    def _restore_aliases(self) -> None:
        """Those of services that are there; the others wait in the store until their services can be made."""
        for key, value in self._aliases_kept.items():
            scope, _, alias = key.partition("/")
            scope = self.rights.host_id if scope == _HOST else scope
            hosted = self._services.get(scope, {}).get(value.decode())
            if hosted is not None:
                hosted.aliases.append(alias)
                self._aliases.setdefault(scope, {})[alias] = hosted.id

    def _setting(self, record: Hosted | _Record) -> Change:
        value = {
            "service_type": record.kind,
            "blueprint_id": record.blueprint_id,
            "owner_id": record.owner_id,
            "scope": self._kept_scope(record.scope),
        }
        return self._services_kept.setting(record.id, json.dumps(value).encode())

    def _alias_key(self, scope: str, alias: str) -> str:
        return f"{self._kept_scope(scope)}/{alias}"

    def _kept_scope(self, scope: str) -> str:
        return _HOST if scope == self.rights.host_id else scope

    async def _keep(self, changes: list[Change]) -> None:
        """Return once the changes are on disk. Raises ServiceError when they are not made."""
        try:
            await settled(self._state.commit(changes))
        except StateError as error:
            raise TypedServiceError(f"Error saving persisted service: {error}") from None

    # ── creation and removal ─────────────────────────────────────────────────────────────────────────────────────────

    async def create(self, scope: str, blueprint_id: str, owner: str) -> str:
        """Make a service of a blueprint; its id. Raises ServiceError."""
        with self._creation(SERVICE) as made:
            try:
                hosted = await self._make(str(uuid.uuid4()), blueprint_id, owner, scope)
            except TypedServiceError:
                self._require_scope(scope)
                raise
            try:
                await self._admit(hosted)
            except BaseException:
                hosted.close()
                raise
            made(hosted)
        return hosted.id

    @contextmanager
    def _creation(self, kind: str) -> Iterator[Callable[[Hosted], None]]:
        """Room for a service until it is there, and what to call then. Raises ServiceError."""
        start = trio.current_time()

        def made(hosted: Hosted) -> None:
            modules = 0 if hosted.service is None else len(hosted.service.instances)
            self._tell(ServiceCreated(kind, modules, trio.current_time() - start))

        self._creating += 1
        try:
            self._require_room()
            yield made
        except TypedServiceError:
            self._tell(CreationFailed(kind))
            raise
        finally:
            self._creating -= 1

    def _tell(self, event: ServiceEvent) -> None:
        for listener in self.on_event:
            listener(event)

    async def _admit(self, hosted: Hosted) -> None:
        """Keep a new service, then let it be found. Raises ServiceError, also when its worker is gone."""
        async with self._changing:  # so that who removes a worker, then what it has, leaves nothing behind
            self._require_scope(hosted.scope)
            await self._keep([self._setting(hosted)])
            self._services.setdefault(hosted.scope, {})[hosted.id] = hosted

    def _require_room(self) -> None:
        if sum(map(len, self._services.values())) + self._creating > SERVICES_MAX:
            raise TypedServiceError(f"the host has at most {SERVICES_MAX} services")

    def _require_scope(self, scope: str) -> None:
        """Raise ServiceError when a worker has been removed meanwhile."""
        if not self._has_scope(scope):
            raise TypedServiceError(f"Worker {scope} not found")

    async def _make(self, service_id: str, blueprint_id: str, owner: str, scope: str) -> Hosted:
        """A running service that nobody finds yet. Its modules start in a thread; a cancelled wait ends when they have."""
        service = await trio.to_thread.run_sync(self._start, service_id, blueprint_id, scope)
        return Hosted(service_id, blueprint_id, SERVICE, owner, scope, [], service)

    async def create_spell(self, scope: str) -> Hosted:
        """Make an empty spell, which belongs to its scope. Raises ServiceError."""
        spell_id = str(uuid.uuid4())
        hosted = Hosted(spell_id, SPELL_BLUEPRINT.id, SPELL, scope, scope, [], None)
        with self._creation(SPELL) as made:
            try:
                self.spells.store.create(spell_id)
                await self._admit(hosted)
            except BaseException as error:
                self.spells.store.remove(spell_id)
                if isinstance(error, (SpellStoreError, TypedServiceError)):
                    raise TypedServiceError(f"a spell cannot be created: {error}") from None
                raise
            made(hosted)
        return hosted

    def _start(self, service_id: str, blueprint_id: str, scope: str) -> Service:
        from runtime.marine.errors import LoadError
        from runtime.marine.host import Service

        assert self._ephemeral is not None
        kept = self._folder / "workdir" / service_id
        gone = Path(self._ephemeral.name) / "workdir" / service_id
        try:
            found = self.store.modules_of(blueprint_id)
            names = [module.name for module, _ in found]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                text = f"module with name '{twice}' already loaded into Marine, please specify another name"
                raise StoreError(f"engine error: {text}")
            vault = self.vault.scope_folder(scope)
            modules = []
            for module, _ in found:
                dirs = {
                    GUEST: vault,
                    "/storage": kept, "/storage/module": kept / module.name,
                    "/tmp": gone, "/tmp/module": gone / module.name,  # what modules see
                }  # fmt: skip
                for place in dirs.values():
                    place.mkdir(parents=True, exist_ok=True)
                modules.append(self._allowed(module, service_id, dirs))
        except StoreError as error:
            raise TypedServiceError(str(error)) from None
        except OSError as error:
            raise TypedServiceError(f"Failed to create directory: {error.strerror}") from None
        config = ServiceConfig(
            tuple(modules), memory_limit=self.config.memory_bytes, start_timeout_ms=self.config.start_ms
        )
        try:
            return Service(config, {module.name: wasm for module, wasm in found}, log=partial(self._log, service_id))
        except LoadError as error:
            raise TypedServiceError(str(error)) from None

    def _allowed(self, module: ModuleConfig, service_id: str, dirs: Mapping[str, Path]) -> ModuleConfig:
        return ModuleConfig(
            module.name,
            envs={"service_id": service_id, **self.config.envs},
            mapped_dirs=dirs,
            mounted_binaries=module.mounted_binaries,
            logger_enabled=module.logger_enabled,
        )

    async def remove(self, scope: str, particle_id: str, name: str, author: str) -> None:
        """End a service; its `/storage` stays. Raises ServiceError."""
        hosted = self.get(scope, particle_id, name)
        if hosted.kind == SPELL:
            raise _forbidden(author, "remove_service", "cannot remove a spell")
        if author not in (scope, hosted.owner_id) and author not in self.rights.management:
            raise _forbidden(author, "remove_service", "only creator can remove service")
        start = trio.current_time()
        async with self._changing:
            if not self._is_there(hosted):
                raise self._not_found(scope, name)
            await self._drop([hosted])
        await trio.to_thread.run_sync(hosted.close)
        self._tell_removed([hosted], start)

    def _tell_removed(self, found: list[Hosted], start: float) -> None:
        for hosted in found:
            self._tell(ServiceRemoved(hosted.kind, trio.current_time() - start))

    async def remove_spell(self, hosted: Hosted, author: str) -> None:
        """End a spell with all it keeps; nothing happens when that was done meanwhile. Raises ServiceError."""
        if hosted.kind != SPELL:
            raise _forbidden(author, "remove_spell", "the service isn't a spell")
        start = trio.current_time()
        async with self._changing:
            if self._is_there(hosted):
                await self._drop([hosted])
                self.spells.store.remove(hosted.id)
                self._tell_removed([hosted], start)

    async def remove_all_of(self, scope: str) -> None:
        """End all services and spells of a worker, before its removal. Raises ServiceError."""
        start = trio.current_time()
        async with self._changing:
            found = self.all_of(scope)
            await self._drop(found)
            for hosted in found:
                if hosted.kind == SPELL:
                    self.spells.store.remove(hosted.id)

        def end() -> None:
            for hosted in found:
                hosted.close()

        await trio.to_thread.run_sync(end)
        self._tell_removed(found, start)

    async def remove_vaults(self, scope: str) -> None:
        """Delete the files of particles on a worker, after its removal."""
        self._services.pop(scope, None)
        self._aliases.pop(scope, None)
        await trio.to_thread.run_sync(self.vault.remove_scope, scope)

    def _is_there(self, hosted: Hosted) -> bool:
        return self._services.get(hosted.scope, {}).get(hosted.id) is hosted

    async def _drop(self, found: list[Hosted]) -> None:
        """Forget services with their aliases, all or none. `_changing` is held. Raises ServiceError."""
        changes = [self._services_kept.removal(hosted.id) for hosted in found]
        for hosted in found:
            changes += [self._aliases_kept.removal(self._alias_key(hosted.scope, alias)) for alias in hosted.aliases]
        await self._keep(changes)
        for hosted in found:
            del self._services[hosted.scope][hosted.id]
            for alias in hosted.aliases:
                self._aliases[hosted.scope].pop(alias, None)

    # ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def all_of(self, scope: str) -> list[Hosted]:
        """The services of a scope, oldest first."""
        return [*self._services.get(scope, {}).values()]

    def find(self, scope: str, particle_id: str, name: str) -> Hosted | None:
        """A service by id or alias; None when there is none."""
        services = self._services.get(scope, {})
        found = services.get(name)
        if found is None:
            found = services.get(self._resolve(scope, particle_id, name) or "")
        return found

    def get(self, scope: str, particle_id: str, name: str) -> Hosted:
        """The same. Raises ServiceError."""
        found = self.find(scope, particle_id, name)
        if found is None:
            raise self._not_found(scope, name)
        return found

    def _not_found(self, scope: str, name: str) -> TypedServiceError:
        return TypedServiceError(f"Service with id '{name}' not found on {self.scope_text(scope)}")

    def scope_text(self, scope: str) -> str:
        """A scope as the reference prints it."""
        return "Host" if scope == self.rights.host_id else f'WorkerId(WorkerId(PeerId("{scope}")))'

    def _resolve(self, scope: str, particle_id: str, alias: str) -> str | None:
        if alias in _SPELL_ALIASES:
            spell_id = spell_id_of(particle_id)
            if spell_id is not None:
                return spell_id
        return self._aliases.get(scope, {}).get(alias)

    def spells_of(self, scope: str) -> list[Hosted]:
        """The spells of a scope, oldest first."""
        return [hosted for hosted in self.all_of(scope) if hosted.kind == SPELL]

    def all_spells(self) -> list[Hosted]:
        """The spells of all scopes."""
        return [hosted for scope in self._services for hosted in self.spells_of(scope)]

    def find_spell(self, spell_id: str) -> Hosted | None:
        """A spell of any scope by its id; None when there is none."""
        found = (services.get(spell_id) for services in self._services.values())
        return next((hosted for hosted in found if hosted is not None and hosted.kind == SPELL), None)

    def _is_worker_spell(self, author: str, particle_id: str) -> bool:
        """See `Rights`. Only scopes that live here have services."""
        services = self._services.get(author, {})
        hosted = services.get(self._aliases.get(author, {}).get(WORKER_SPELL, ""))
        return hosted is not None and hosted.kind == SPELL and hosted.id == spell_id_of(particle_id)

    def resolve_alias(self, scope: str, particle_id: str, alias: str) -> str | None:
        """Id of the service with this alias; None when there is none."""
        return self._resolve(scope, particle_id, alias)

    async def add_alias(self, scope: str, alias: str, service_id: str, author: str) -> None:
        """Give a service a further name, taken from the service that has it. Raises ServiceError."""
        is_management = author in self.rights.management
        if not is_management:
            if scope == self.rights.host_id:
                if author != scope:
                    reason = "only management peer id can add top-level aliases"
                    raise _forbidden(author, "add_alias", reason, f'ForbiddenAliasRoot(PeerId("{author}"))')
            elif author not in (scope, self._creator_of(scope)):
                reason = "only worker, worker creator and management peer id can add worker-level aliases"
                raise _forbidden(author, "add_alias", reason, f'ForbiddenAliasWorker(PeerId("{author}"))')
        async with self._changing:
            await self._add_alias(scope, alias, service_id, may_reserved=is_management or author == self.rights.host_id)

    async def _add_alias(self, scope: str, alias: str, service_id: str, *, may_reserved: bool) -> None:
        services = self._services.get(scope, {})
        if alias in services:
            text = f"Cannot add alias '{alias}' because there is a service with that id"
            raise TypedServiceError(text, f"AliasAsServiceId({debug_string(alias)})")
        if alias in _SPELL_ALIASES or (alias == WORKER_SPELL and not may_reserved):
            text = f"Cannot add alias '{alias}' because it is reserved"
            raise TypedServiceError(text, f"ForbiddenAlias({debug_string(alias)})")
        hosted = services.get(service_id)
        if hosted is None:
            raise self._not_found(scope, service_id)
        if not 0 < _size(alias) <= NAME_BYTES_MAX or len(hosted.aliases) >= ALIASES_MAX:
            raise TypedServiceError(f"a service has at most {ALIASES_MAX} aliases of {NAME_BYTES_MAX} bytes")
        await self._keep([self._aliases_kept.setting(self._alias_key(scope, alias), hosted.id.encode())])
        aliases = self._aliases.setdefault(scope, {})
        before = services.get(aliases.get(alias, ""))
        if before is not None:
            before.aliases.remove(alias)
        hosted.aliases.append(alias)
        aliases[alias] = hosted.id

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def resolver(self, context: CallContext) -> Handler | None:
        """The handler of a call of a service or spell; None when there is no such one. Raises ServiceError."""
        is_open = self.config.effectors.open is not None
        if context.service_id == IPFS and context.scope_id == self.rights.host_id and not is_open:
            self.rights.require(context)
        hosted = self.find(context.scope_id, context.particle.id, context.service_id)
        if hosted is None:
            return None
        return partial(self._call_spell if hosted.service is None else self._call, hosted)

    def _call_spell(self, hosted: Hosted, values: list[Any], context: CallContext) -> Any:
        from runtime.marine.errors import CallError, ErrorClass

        name, timestamp = context.function_name, context.particle.timestamp
        start = time.perf_counter()
        try:
            value = self.spells.call(self.caller(hosted, context), name, values)
        except CallError as error:
            hosted.total.failure(timestamp)
            if error.error_class is not ErrorClass.NO_FUNCTION:
                self._stats_of(hosted, name).failure(timestamp)
            self._tell(ServiceCalled(SPELL, False, 0.0, time.perf_counter() - start))
            raise TypedServiceError(str(error)) from None
        seconds = time.perf_counter() - start
        self._tell(ServiceCalled(SPELL, True, 0.0, seconds))
        hosted.total.success(0, seconds, timestamp)
        self._stats_of(hosted, name).success(0, seconds, timestamp)
        return value

    def caller(self, hosted: Hosted, context: CallContext) -> Caller:
        """Who calls a spell."""
        from .spell_functions import Caller

        return Caller(
            hosted.id, hosted.owner_id, context.host_id, context.scope_id, context.init_peer_id, context.particle.id
        )

    async def _call(self, hosted: Hosted, values: list[Any], context: CallContext) -> Any:
        from runtime.marine.errors import CallError, ErrorClass
        from runtime.marine.provided import finished

        service = hosted.service
        assert service is not None, "spells have no modules"
        if hosted.waiting >= WAITING_CALLS_MAX and not self.rights.is_administrator(context.init_peer_id):
            raise TypedServiceError(f"{WAITING_CALLS_MAX} calls of the service are waiting")
        particle = context.particle
        if self.vault.name(particle.id, particle.signature) is not None:
            try:
                self.vault.create(context.scope_id, particle.id, particle.signature)
            except VaultError as error:
                raise TypedServiceError(str(error)) from None
        parameters = self._parameters(hosted, context)
        name = context.function_name
        hosted.waiting += 1
        arrived = trio.current_time()
        try:
            await hosted.turn.acquire()
        finally:
            hosted.waiting -= 1
        try:
            self._callers[hosted.id] = context
            before, start = service.memory_bytes(), trio.current_time()
            try:
                value = await finished(service.submit(name, values, parameters))
            except CallError as error:
                hosted.total.failure(particle.timestamp)
                known = error.error_class is not ErrorClass.NO_FUNCTION
                if known:
                    self._stats_of(hosted, name).failure(particle.timestamp)
                self._tell(ServiceCalled(SERVICE, False, start - arrived, trio.current_time() - start))
                raise TypedServiceError(str(error)) from None
            after, seconds = service.memory_bytes(), trio.current_time() - start
            self._tell(ServiceCalled(SERVICE, True, start - arrived, seconds))
            grown = 0 if before is None or after is None else after - before
            hosted.total.success(grown, seconds, particle.timestamp)
            self._stats_of(hosted, name).success(grown, seconds, particle.timestamp)
        finally:
            del self._callers[hosted.id]
            hosted.turn.release()
        return value

    def _stats_of(self, hosted: Hosted, function: str) -> Stats:
        if function not in hosted.functions and len(hosted.functions) >= STATS_FUNCTIONS_MAX:
            return Stats()
        return hosted.functions.setdefault(function, Stats())

    def _parameters(self, hosted: Hosted, context: CallContext) -> CallParameters:
        from dataclasses import replace

        from runtime.marine.provided import call_parameters

        given = call_parameters(context, hosted.owner_id)
        token = self.vault.token(context.particle.signature)
        return replace(given, service_id=hosted.id, particle=replace(given.particle, token=token))

    async def memory(self, hosted: Hosted) -> list[dict[str, Any]]:
        """Bytes of the memory of every module, once no call runs; a spell has none."""
        if hosted.service is None:
            return []
        async with hosted.turn:
            return await trio.to_thread.run_sync(hosted.service.memory_stats)

    def memory_bytes(self) -> int:
        """Bytes of the memory of all services; a service at work counts as when it was last seen. Never waits."""
        total = 0
        for services in self._services.values():
            for hosted in services.values():
                seen = None if hosted.service is None else hosted.service.memory_bytes()
                if seen is not None:
                    hosted.memory_bytes = seen
                total += hosted.memory_bytes
        return total

    def _log(self, service_id: str, record: LogRecord) -> None:
        """Log what a module says, on the thread it runs on; it names the particle whose call is in work."""
        context = self._callers.get(service_id)
        fields = {"service_id": service_id, "module_name": record.module} | (
            {} if context is None else context.log_fields()
        )
        level = _LEVELS.get(record.level, logging.DEBUG)
        logging.getLogger("runtime.marine").log(
            level, "%s %s: %s", service_id, record.module, record.message, extra=fields
        )

    # ── the end of particles ─────────────────────────────────────────────────────────────────────────────────────────

    def forgotten(self, action: Forget) -> None:
        """A particle is over on a scope: delete its files. For `Peer.on_forget`."""
        place = self.vault.forget(action.key.scope, action.particle_id, action.key.signature)
        if place is not None:
            trio.lowlevel.spawn_system_task(partial(trio.to_thread.run_sync, remove, place))


class _Record(NamedTuple):
    """A service as it is kept; see `Hosted`."""

    id: str
    blueprint_id: str
    kind: str
    owner_id: str
    scope: str
    aliases: list[str]


def _read_file(path: Path, host_id: str) -> _Record:
    """The file of a service. Raises OSError, ValueError, LookupError and TypeError."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    scope = table["peer_scope"]
    record = _read_record(table | {"scope": _HOST if scope["scope_type"] == _HOST else scope["scope_value"]}, host_id)
    if path.name != f"{record.id}{_FILE}":
        raise ValueError("its id is not that of the file")
    return record


def _read_record(table: Mapping[str, Any], host_id: str) -> _Record:
    """A service of its table. Raises ValueError, LookupError and TypeError."""
    record = _Record(
        table["service_id"],
        table["blueprint_id"],
        table.get("service_type", SERVICE),
        table["owner_id"],
        host_id if table["scope"] == _HOST else table["scope"],
        list(dict.fromkeys(table.get("aliases", []))),
    )
    if not all(isinstance(text, str) for text in (*record[:5], *record.aliases)):
        raise ValueError("its fields are no texts")
    if record.kind not in (SERVICE, SPELL):
        raise ValueError("its type is unknown")
    if not is_peer_id(record.owner_id) or not is_peer_id(record.scope):
        raise ValueError("its owner or its scope is no peer id")
    return record


def _size(text: str) -> int:
    """UTF-8 bytes; 0 for what is no text."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0


def _forbidden(author: str, function: str, reason: str, debug: str | None = None) -> TypedServiceError:
    return TypedServiceError(f"Forbidden. User id '{author}' cannot call function '{function}': {reason}", debug)


def _spell_functions(store: SpellStore, now_ms: Callable[[], int]) -> SpellFunctions:
    from .spell_functions import SpellFunctions

    return SpellFunctions(store, now_ms)
