"""Keys and records of the workers of a host, as files that the reference lays out alike.

    keypairs/<worker id>_keypair.toml      private_key_bytes, key_format; for the owner of the process only
    workers/<worker id>/info.toml          worker_id, creator, deal_id, active, cu_ids, vm_flag

A worker whose key or record cannot be read is left as it is and logged. Errors: OSError from what writes.
Source: nox:crates/workers/src/persistence.rs, key_storage.rs
"""

from __future__ import annotations

import logging
import os
import shutil
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime.protocol.identity import Identity, is_peer_id

from .toml_text import toml_text

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

CU_ID_BYTES: Final = 32
"""Length of the id of a compute unit."""

_KEY, _INFO, _FORMAT = "_keypair.toml", "info.toml", "ed25519"
_DRAFT = f".{_INFO}.new"
_SEED_BYTES, _PAIR_BYTES = 32, 64


@dataclass(slots=True, eq=False)
class Worker:
    """One worker.

    deal_id: lower-case, without `0x`. creator: who had it made. cu_ids: its compute units, 32 bytes each.
    """

    identity: Identity
    deal_id: str
    creator: str
    cu_ids: tuple[bytes, ...] = ()
    active: bool = True

    @property
    def id(self) -> str:
        """Its peer id."""
        return self.identity.peer_id


class WorkerStore:
    """The workers in a folder; without one nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        """Nothing is read or made before `load`."""
        self._folder = folder

    def load(self) -> tuple[list[Worker], bool]:
        """The workers that can be read, by id, and whether those are all. Raises OSError."""
        if self._folder is None:
            return [], True
        for name in ("workers", "keypairs"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        workers, complete = [], True
        for path in sorted((self._folder / "workers").iterdir()):
            if _is_unfinished(path):
                shutil.rmtree(path, ignore_errors=True)
                continue
            try:
                workers.append(self._read(path))
            except (OSError, ValueError, LookupError, TypeError) as error:
                log.warning("the worker of %s is not restored: %s", path.name, error)
                complete = False
        return workers, complete

    def _read(self, path: Path) -> Worker:
        assert self._folder is not None
        deal_id, creator, active, cu_ids = read_record(path)
        keys = tomllib.loads((self._folder / "keypairs" / f"{path.name}{_KEY}").read_text(encoding="utf-8"))
        secret = bytes(keys["private_key_bytes"])
        if len(secret) not in (_SEED_BYTES, _PAIR_BYTES) or keys["key_format"] != _FORMAT:
            raise ValueError("its key is no Ed25519 key")
        identity = Identity(secret[:_SEED_BYTES])
        if identity.peer_id != path.name:
            raise ValueError("its id is not that of its key")
        return Worker(identity, deal_id, creator, cu_ids, active)

    def add(self, worker: Worker) -> None:
        """Keep a new worker, its key first. Raises OSError."""
        if self._folder is None:
            return
        text = toml_text({"private_key_bytes": list(worker.identity.seed), "key_format": _FORMAT})
        place = self._folder / "keypairs" / f"{worker.id}{_KEY}"
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        try:
            (self._folder / "workers" / worker.id).mkdir()
            self.save(worker)
        except OSError:
            shutil.rmtree(self._folder / "workers" / worker.id, ignore_errors=True)
            place.unlink(missing_ok=True)
            raise

    def save(self, worker: Worker) -> None:
        """Keep what has changed of a worker. Raises OSError."""
        if self._folder is None:
            return
        place = self._folder / "workers" / worker.id / _INFO
        table = {
            "worker_id": worker.id,
            "creator": worker.creator,
            "deal_id": worker.deal_id,
            "active": worker.active,
            "cu_ids": [list(cu_id) for cu_id in worker.cu_ids],
            "vm_flag": False,
        }
        draft = place.with_name(_DRAFT)
        try:
            draft.write_text(toml_text(table), encoding="utf-8")
            os.replace(draft, place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def remove(self, worker: Worker) -> None:
        """Forget a worker, its key last. Raises OSError."""
        if self._folder is None:
            return
        shutil.rmtree(self._folder / "workers" / worker.id)
        (self._folder / "keypairs" / f"{worker.id}{_KEY}").unlink()


def _is_unfinished(place: Path) -> bool:
    """Whether a folder has no record, as when the host ended while it made or removed the worker: nobody was told of either."""
    return place.is_dir() and {path.name for path in place.iterdir()} <= {_DRAFT}


def read_record(place: Path) -> tuple[str, str, bool, tuple[bytes, ...]]:
    """Deal, creator, whether it is active, and compute units of the worker whose folder this is.

    Raises OSError, ValueError, LookupError, TypeError for what is no record.
    """
    table = tomllib.loads((place / _INFO).read_text(encoding="utf-8"))
    if table["worker_id"] != place.name:
        raise ValueError("its id is not that of its folder")
    deal_id, creator, active = table["deal_id"], table["creator"], table.get("active", True)
    if not isinstance(deal_id, str) or not isinstance(active, bool) or not is_peer_id(creator):
        raise ValueError("its fields are not those of a worker")
    cu_ids = tuple(map(bytes, table.get("cu_ids", ())))
    if any(len(cu_id) != CU_ID_BYTES for cu_id in cu_ids):
        raise ValueError(f"an id of a compute unit has not {CU_ID_BYTES} bytes")
    return deal_id, creator, active, cu_ids
