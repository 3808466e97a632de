"""Folders of particles: where the services of a scope leave files for one particle, and nobody else finds them.

    <folder>/<scope>/<particle id>-<token>/        seen by modules as /tmp/vault/<particle id>-<token>/

The token is a signature of this host over the particle's, so that only who is told it finds the folder. Particle ids are chosen by
strangers: one that could not be the name of a folder has no vault. Paths from programs must stay inside after links are followed.
Errors: VaultError, whose text is what a program is told.
Source: nox:particle-execution/src/particle_vault.rs
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import uuid
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from avm.crypto import base58
from runtime.services.limits import (
    PARTICLE_ID_LENGTH_MAX,
    TOKENS_KEPT,
    VAULT_BYTES_MAX,
    VAULT_FILE_BYTES_MAX,
    VAULT_FILES_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GUEST: Final = "/tmp/vault"
_SHARE: Final = 4
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]+")
_WRITE_ONLY: Final = 0o700 if sys.platform == "darwin" else 0o300


class VaultError(Exception):
    """A file of a vault cannot be written or read."""


class Vault:
    """The vaults of one host. `sign` is by the key of the host."""

    def __init__(self, folder: Path, sign: Callable[[bytes], bytes]) -> None:
        """Keep everything below `folder`, which is emptied when the host ends."""
        self._folder = folder
        self._sign = sign
        self._files: dict[str, tuple[int, int]] = {}
        self._bytes = 0
        self._scopes: set[Path] = set()
        self._tokens: dict[bytes, str] = {}

    def token(self, signature: bytes) -> str:
        """What makes the name of a particle's folder unguessable. Kept for a while: every call of a service asks."""
        found = self._tokens.get(signature)
        if found is None:
            found = self._tokens[signature] = base58.encode(self._sign(signature))
            if len(self._tokens) > TOKENS_KEPT:
                del self._tokens[next(iter(self._tokens))]
        return found

    def scope_folder(self, scope: str) -> Path:
        """The folder of a scope, made when it is not there. Raises OSError.

        Modules enter it but cannot list it: the host's user may not. That does not bind a host that runs as root.
        """
        place = self._folder / scope
        if place not in self._scopes:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(_WRITE_ONLY)
            self._scopes.add(place)
        return place

    def remove_scope(self, scope: str) -> None:
        """Delete the folder of a scope with all in it. What cannot be deleted stays until the host ends."""
        place = self._folder / scope
        self._scopes.discard(place)
        with suppress(OSError):
            place.chmod(0o700)
        remove(place)

    def close(self) -> None:
        """Make the folders such that they can be deleted."""
        for place in self._scopes:
            with suppress(OSError):
                place.chmod(0o700)

    def name(self, particle_id: str, signature: bytes) -> str | None:
        """Name of a particle's folder; None when it cannot have one."""
        if len(particle_id) > PARTICLE_ID_LENGTH_MAX or _ID.fullmatch(particle_id) is None:
            return None
        return f"{particle_id}-{self.token(signature)}"

    def create(self, scope: str, particle_id: str, signature: bytes) -> Path:
        """The folder of a particle, made when it is not there. Raises VaultError."""
        name = self.name(particle_id, signature)
        if name is None:
            raise VaultError("Error creating particle vault")
        try:
            place = self.scope_folder(scope) / name
            place.mkdir(exist_ok=True)
        except OSError:
            raise VaultError("Error creating particle vault") from None
        return place

    def put(self, scope: str, particle_id: str, signature: bytes, text: str) -> str:
        """Write a new file; its path as modules see it. Raises VaultError."""
        data = text.encode("utf-8", "surrogatepass")
        place = self.create(scope, particle_id, signature)
        name = str(uuid.uuid4())
        files, used = self._files.get(place.name, (0, 0))
        if (
            len(data) > VAULT_FILE_BYTES_MAX
            or files >= VAULT_FILES_MAX
            or used + len(data) > VAULT_BYTES_MAX // _SHARE
            or self._bytes + len(data) > VAULT_BYTES_MAX
        ):
            raise VaultError(f"Write vault failed for filename `{name}`: the vault is full")
        try:
            (place / name).write_bytes(data)
        except OSError as error:
            raise VaultError(f"Write vault failed for filename `{name}`: {error.strerror}") from None
        self._files[place.name] = files + 1, used + len(data)
        self._bytes += len(data)
        return f"{GUEST}/{place.name}/{name}"

    def read(self, scope: str, particle_id: str, signature: bytes, path: str) -> bytes:
        """A file of the particle, by its path as modules see it or within the vault. Raises VaultError."""
        name = self.name(particle_id, signature)
        if name is None or "\0" in path:
            raise VaultError(f"Incorrect vault  path `{path}`: doesn't exist")
        rest = PurePosixPath(path)
        if rest.is_absolute():
            try:
                rest = rest.relative_to(f"{GUEST}/{name}")
            except ValueError:
                raise _outside(path, name) from None
        folder = self._folder / scope / name
        try:
            real = (folder / rest).resolve(strict=True)
            inside = real.is_relative_to(folder.resolve(strict=True))
        except (OSError, RuntimeError, ValueError):
            raise VaultError(f"Incorrect vault  path `{path}`: doesn't exist") from None
        if not inside:
            raise _outside(path, name)
        try:
            # neither a link that was put in its place since, nor a pipe that nobody writes to
            descriptor = os.open(real, os.O_RDONLY | _NO_LINKS)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise VaultError(f"Read vault failed for `{path}`: not a file")
                with open(
                    descriptor, "rb", closefd=False
                ) as file:  # of a folder it would neither make a file nor close it
                    data = file.read(VAULT_FILE_BYTES_MAX + 1)
            finally:
                os.close(descriptor)
            if len(data) > VAULT_FILE_BYTES_MAX:
                raise VaultError(f"Read vault failed for `{path}`: more than {VAULT_FILE_BYTES_MAX} bytes")
            return data
        except OSError as error:
            raise VaultError(f"Read vault failed for `{path}`: {error.strerror}") from None

    def forget(self, scope: str, particle_id: str, signature: bytes) -> Path | None:
        """Stop counting what the particle has put; its folder, to be given to `remove`, when it has one."""
        name = self.name(particle_id, signature)
        if name is None:
            return None
        _, used = self._files.pop(name, (0, 0))
        self._bytes -= used
        place = self._folder / scope / name
        return place if place.is_dir() else None


def remove(place: Path) -> None:
    """Delete the folder of a particle. What cannot be deleted stays until the host ends."""
    shutil.rmtree(place, ignore_errors=True)


def _outside(path: str, name: str) -> VaultError:
    return VaultError(f"Incorrect vault path `{path}`: doesn't belong to vault (`{GUEST}/{name}`)")
