"""`worker`: the workers of a host, one for each deal; and `vm`, the virtual machines they do not have here.

Source: nox:sorcerer/src/worker_builins.rs, nox:particle-builtins/src/builtins.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.crypto import base58
from runtime.protocol.identity import is_peer_id
from runtime.store.spells import TriggerConfig
from runtime.store.workers import CU_ID_BYTES

from .arguments import STRING, VEC_U8, Arguments, ArgumentType, TypedServiceError
from .hosted import WORKER_SPELL
from .limits import CU_IDS_MAX, WORKER_PERIOD_SEC
from .op import base58_error
from .registry import UNIT, ServiceError

if TYPE_CHECKING:
    from runtime.store.workers import Worker

    from .hosted import HostedServices
    from .registry import CallContext, Handler
    from .spell import Spells
    from .workers import Workers


def _is_cu_ids(value: Any) -> bool:
    return isinstance(value, list) and all(VEC_U8.accepts(one) and len(one) == CU_ID_BYTES for one in value)


CU_IDS: Final = ArgumentType("Vec<ccp_shared::types::cuid::CUID>", _is_cu_ids)
DISABLED: Final = "This feature is disabled"


class WorkerService:
    """The functions, bound to the workers of a host. period_sec: how often an activated worker runs its spell."""

    def __init__(
        self, workers: Workers, hosted: HostedServices, spells: Spells, period_sec: int = WORKER_PERIOD_SEC
    ) -> None:
        """Keep the parts."""
        self._workers = workers
        self._hosted = hosted
        self._spells = spells
        self._period_sec = period_sec

    def functions(self) -> dict[str, Handler]:
        """The table of `worker`."""
        return {
            "create": self.create,
            "get_worker_id": self.get_worker_id,
            "remove": self.remove,
            "list": lambda _, __: self._workers.ids(),
            "activate": self.activate,
            "deactivate": self.deactivate,
            "is_active": self.is_active,
        }

    def vm_functions(self) -> dict[str, Handler]:
        """The table of `vm`."""
        return {"create": self.create_vm, "status": self.vm_status} | dict.fromkeys(
            ("start", "stop", "reboot", "reset"), self.change_vm
        )

    def create(self, values: list[Any], context: CallContext) -> Any:
        """Make the worker of a deal; its peer id. Administrators only."""
        arguments = Arguments(values)
        deal_id = arguments.next("deal_id", STRING)
        cu_ids = arguments.next("cu_ids", CU_IDS)
        self._require_administrator(context, "Only management or host peer can create worker")
        if len(cu_ids) > CU_IDS_MAX:
            raise TypedServiceError(f"a worker has at most {CU_IDS_MAX} compute units")
        return self._workers.create(deal_id, context.init_peer_id, tuple(map(bytes, cu_ids))).id

    def get_worker_id(self, values: list[Any], _: CallContext) -> Any:
        """The worker of a deal, as an option."""
        worker = self._workers.find_by_deal(Arguments(values).next("deal_id", STRING))
        return [] if worker is None else [worker.id]

    async def remove(self, values: list[Any], context: CallContext) -> Any:
        """End a worker with its spells and services; for its creator and administrators."""
        worker_id = Arguments(values).next("worker_id", STRING)
        if not is_peer_id(worker_id):
            try:
                base58.decode(worker_id[:128])
            except ValueError:
                raise TypedServiceError(f"base-58 decode error: {base58_error(worker_id)}") from None
            raise TypedServiceError("unable to decode multihash")
        if worker_id == context.host_id:
            raise ServiceError(f"Worker {worker_id} can be removed")  # the reference forgets a word
        worker = self._workers.find(worker_id)
        if worker is None:
            raise ServiceError(f"Worker {worker_id} not found")
        author = context.init_peer_id
        if author != worker.creator and not self._hosted.rights.is_administrator(author):
            raise ServiceError(
                f"Worker {worker_id} can be removed only by worker creator {worker.creator}, host or a host manager"
            )
        await self._empty(worker_id)
        if self._workers.find(worker_id) is not worker:
            raise ServiceError(f"Worker {worker_id} not found")
        self._workers.remove(worker)
        await self._empty(worker_id)  # what came meanwhile
        await self._hosted.remove_vaults(worker_id)
        return UNIT

    async def _empty(self, worker_id: str) -> None:
        for hosted in self._hosted.spells_of(worker_id):
            await self._spells.end(hosted)
        await self._hosted.remove_all_of(worker_id)

    def is_active(self, values: list[Any], _: CallContext) -> Any:
        """Whether particles of others enter the scope of the worker of a deal."""
        return self._workers.get_by_deal(Arguments(values).next("deal_id", STRING)).active

    def activate(self, values: list[Any], context: CallContext) -> Any:
        """Start the spell `worker-spell` of the worker of a deal, and let particles in. Administrators only."""
        worker = self._worker_of(values, context, "Only management or host peer can activate deal")
        if worker.active:
            raise ServiceError("Deal has already been activated")
        spell_id = self._hosted.resolve_alias(worker.id, context.particle.id, WORKER_SPELL)
        if spell_id is None:
            scope = self._hosted.scope_text(worker.id)
            raise TypedServiceError(f"Service with alias '{WORKER_SPELL}' is not found on worker '{scope}'")
        spell = self._hosted.get(worker.id, context.particle.id, spell_id)
        self._spells.configure(spell, TriggerConfig(start_sec=1, period_sec=self._period_sec))
        self._workers.set_active(worker, True)
        return UNIT

    def deactivate(self, values: list[Any], context: CallContext) -> Any:
        """Stop all spells of the worker of a deal, and keep particles of others out. Administrators only."""
        worker = self._worker_of(values, context, "Only management or host peer can deactivate deal")
        if not worker.active:
            raise ServiceError("Deal has already been deactivated")
        for hosted in self._hosted.spells_of(worker.id):
            try:
                self._spells.configure(hosted, TriggerConfig())
            except TypedServiceError as error:
                raise ServiceError(
                    f"Deal deactivation failed due to failure to stop spell {hosted.id} : {error.message}"
                ) from None
        self._workers.set_active(worker, False)
        return UNIT

    def _worker_of(self, values: list[Any], context: CallContext, refusal: str) -> Worker:
        deal_id = Arguments(values).next("deal_id", STRING)
        self._require_administrator(context, refusal)
        return self._workers.get_by_deal(deal_id)

    def _require_administrator(self, context: CallContext, refusal: str) -> None:
        if not self._hosted.rights.is_administrator(context.init_peer_id):
            raise ServiceError(refusal)

    # ── virtual machines ─────────────────────────────────────────────────────────────────────────────────────────────

    def create_vm(self, values: list[Any], context: CallContext) -> Any:
        """Refused: there are none."""
        self._require_worker(context)
        Arguments(values).next("image", STRING)
        raise ServiceError(f"Failed to create vm: {DISABLED}")

    def change_vm(self, _: list[Any], context: CallContext) -> Any:
        """Refused: there are none."""
        self._require_worker(context)
        raise ServiceError(DISABLED)

    def vm_status(self, _: list[Any], context: CallContext) -> Any:
        """Refused: there are none."""
        if context.scope_id == context.host_id:
            raise ServiceError("This function is only available on workers")
        raise ServiceError(DISABLED)

    def _require_worker(self, context: CallContext) -> None:
        scope, author = context.scope_id, context.init_peer_id
        if scope == context.host_id:
            raise ServiceError("This function is only available for workers")
        creator = self._workers.get(scope).creator
        if author not in (scope, creator):
            raise ServiceError(
                f'Failed to create VM on WorkerId(PeerId("{scope}")), can be installed by worker creator {creator} '
                f"or worker itself {scope}"
            )
