"""The workers of a host: identities that live in it, each with services, aliases, vaults and spells of its own.

A worker belongs to a deal and has a key. Who changes workers here tells the core of the peer, so that particles for a
worker run in its scope. Errors: ServiceError in the reference's words.
Source: nox:crates/workers/src/workers.rs, error.rs; crates/types/src/deal_id.rs
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runtime.core.events import ScopeRemoved, ScopeSet
from runtime.protocol.identity import Identity
from runtime.store.workers import Worker, WorkerStore

from .arguments import TypedServiceError
from .limits import NAME_BYTES_MAX, WORKERS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runtime.core.events import Event


def normal_deal_id(text: str) -> str:
    """A deal id as ids are compared: lower-case, without `0x`."""
    while text.startswith("0x"):
        text = text[2:]
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


class Workers:
    """All workers of one host. on_change: told what the core of the peer has to know."""

    def __init__(self, host: Identity, folder: Path | None = None) -> None:
        """Nothing is read before `load`. folder: kept over restarts; None for workers that end with the host."""
        self.on_change: list[Callable[[Event], None]] = []
        self.restored = True
        self._host = host
        self._store = WorkerStore(folder)
        self._workers: dict[str, Worker] = {}
        self._by_deal: dict[str, Worker] = {}

    def load(self) -> None:
        """Read what was kept. Raises OSError."""
        workers, self.restored = self._store.load()
        for worker in workers:
            self._insert(worker)

    def announce(self) -> None:
        """Tell of every worker, as of a new one."""
        for worker in self._workers.values():
            self._tell(ScopeSet(worker.identity, worker.active))

    def _insert(self, worker: Worker) -> None:
        self._workers[worker.id] = self._by_deal[worker.deal_id] = worker

    def _tell(self, event: Event) -> None:
        for listener in self.on_change:
            listener(event)

    # ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def ids(self) -> list[str]:
        """Peer ids of all workers, oldest first; after a restart by id."""
        return list(self._workers)

    def find(self, worker_id: str) -> Worker | None:
        """A worker by its peer id; None when there is none."""
        return self._workers.get(worker_id)

    def get(self, worker_id: str) -> Worker:
        """The same. Raises ServiceError."""
        worker = self._workers.get(worker_id)
        if worker is None:
            raise TypedServiceError(f"Worker {worker_id} not found")
        return worker

    def find_by_deal(self, deal_id: str) -> Worker | None:
        """The worker of a deal; None when there is none."""
        return self._by_deal.get(normal_deal_id(deal_id))

    def get_by_deal(self, deal_id: str) -> Worker:
        """The same. Raises ServiceError."""
        worker = self.find_by_deal(deal_id)
        if worker is None:
            raise TypedServiceError(f"Worker for deal_id {normal_deal_id(deal_id)} not found")
        return worker

    def creator_of(self, worker_id: str) -> str | None:
        """Who had a worker made; None when there is no such worker."""
        worker = self._workers.get(worker_id)
        return None if worker is None else worker.creator

    def identity_of(self, scope: str) -> Identity | None:
        """Keys of the host or of a worker; None for any other peer id."""
        if scope == self._host.peer_id:
            return self._host
        worker = self._workers.get(scope)
        return None if worker is None else worker.identity

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, deal_id: str, creator: str, cu_ids: tuple[bytes, ...]) -> Worker:
        """Make the worker of a deal, with a new key. Raises ServiceError."""
        deal_id = normal_deal_id(deal_id)
        if deal_id in self._by_deal:
            raise TypedServiceError(f"Worker for {deal_id} already exists")
        if len(deal_id.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX:
            raise TypedServiceError(f"a deal id has at most {NAME_BYTES_MAX} bytes")
        if len(self._workers) >= WORKERS_MAX:
            raise TypedServiceError(f"the host has at most {WORKERS_MAX} workers")
        worker = Worker(Identity(os.urandom(32)), deal_id, creator, cu_ids)
        try:
            self._store.add(worker)
        except (OSError, UnicodeEncodeError) as error:
            raise TypedServiceError(f"Error creation of a persisted worker {worker.id}: {error}") from None
        self._insert(worker)
        self._tell(ScopeSet(worker.identity))
        return worker

    def set_active(self, worker: Worker, active: bool) -> None:
        """Let particles of others into the scope of a worker, or keep them out. Raises ServiceError."""
        before, worker.active = worker.active, active
        try:
            self._store.save(worker)
        except OSError as error:
            worker.active = before
            raise TypedServiceError(f"Error writing persisted worker {worker.id}: {error.strerror}") from None
        self._tell(ScopeSet(worker.identity, active))

    def remove(self, worker: Worker) -> None:
        """End a worker; its services and spells have been removed. Raises ServiceError."""
        try:
            self._store.remove(worker)
        except OSError as error:
            raise TypedServiceError(f"Error removing persisted worker {worker.id}: {error.strerror}") from None
        del self._workers[worker.id], self._by_deal[worker.deal_id]
        self._tell(ScopeRemoved(worker.id))
