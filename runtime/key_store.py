"""Named secret keys of a person: one file per key in one directory.

The directory is `--key-dir`, `$AVM_KEY_DIR`, or `aquac/keys` in the user's data directory. It is created only by the
commands that save a key.
Errors: CommandError.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError
from runtime.keys import load_secret, parse_secret

if TYPE_CHECKING:
    from runtime.protocol.identity import Identity

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


def key_directory(chosen: str | None = None) -> Path:
    """Where named keys are."""
    if chosen or os.environ.get("AVM_KEY_DIR"):
        return Path(chosen or os.environ["AVM_KEY_DIR"])
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "aquac" / "keys"


def document(identity: Identity, *, secret: bool = True) -> dict[str, str]:
    """The JSON form of a key."""
    out = {"peer_id": identity.peer_id}
    if secret:
        out["secret_key"] = base64.b64encode(identity.seed).decode()
    return out | {"public_key": base64.b64encode(identity.public_key).decode()}


def path_of(directory: Path, name: str) -> Path:
    """File of a named key. Raises CommandError for a name that is no plain file name."""
    if not _NAME.match(name):
        raise CommandError(f"`{name[:80]}` is no name for a key: use up to 64 letters, digits, `_`, `.` and `-`")
    return directory / f"{name}.json"


def save(directory: Path, name: str, identity: Identity) -> Path:
    """Write a new named key, readable by its owner only. Raises CommandError when the name is taken."""
    path = path_of(directory, name)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CommandError(f"cannot create the key directory {directory}: {error.strerror}") from error
    write_secret(path, json.dumps(document(identity)) + "\n")
    return path


def write_secret(path: Path, text: str) -> None:
    """Create a file with mode 600. Raises CommandError when it exists or cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError as error:
        raise CommandError(f"{path} exists and is not overwritten") from error
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


def load_named_secret(text: str, directory: Path | None = None) -> bytes:
    """The seed that a flag names: a key, a file holding one, or the name of a saved key. Raises CommandError."""
    seed = parse_secret(text)
    if seed is None and _NAME.match(text) and not os.path.exists(text):
        path = path_of(directory or key_directory(), text)
        if os.path.isfile(path):  # unlike `Path.is_file`, also where the directory may not be looked into
            return load_secret(str(path))
    return seed if seed is not None else load_secret(text)
