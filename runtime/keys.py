"""Secret keys as people write and keep them: text of a seed, or a file holding one.

A file is created with mode 600 and never overwritten. Errors: CommandError naming the place and the remedy.
Source: nox:crates/fs-utils, nox:crates/server-config/src/keys.rs; spec peer.md §9
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError
from runtime.store.files import create_file

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES: Final = 32
PAIR_BYTES: Final = 64
"""Seed and public key together, as libp2p and nacl keep them."""

FILE_BYTES_MAX: Final = 4096
FORMS: Final = "base64, base58 or hex of a 32-byte Ed25519 seed"


def parse_secret(text: str) -> bytes | None:
    """The 32-byte seed in a text: hex, base64 or base58 of the seed or of a 64-byte pair, or the JSON of `avm key new`.

    None when it is none of these.
    """
    text = text.strip()
    if text.startswith("{"):
        try:
            value: object = json.loads(text)["secret_key"]
        except (ValueError, KeyError, TypeError):
            return None
        if not isinstance(value, str):
            return None
        text = value
    if len(text) > 2 * PAIR_BYTES:
        return None
    for decode in (bytes.fromhex, _base64, _base58):
        try:
            data = decode(text)
        except ValueError:
            continue
        if len(data) in (SEED_BYTES, PAIR_BYTES):
            return data[:SEED_BYTES]
    return None


def is_path(text: str) -> bool:
    """Whether a text that names a key can only be a path. What may be a key with a slip in it is not repeated where others can read it."""
    return parse_secret(text) is None and (
        len(text) < SEED_BYTES or "/" in text[:2] or "." in text[-8:] or Path(text).is_file()
    )


def load_secret(text: str) -> bytes:
    """The seed that `--key` or `--sk` names: the seed itself, or the path of a file holding it. Raises CommandError."""
    seed = parse_secret(text)
    if seed is not None:
        return seed
    path = Path(text)
    if not path.is_file():
        shown = f"`{text}`" if is_path(text) else "what is given as key"
        raise CommandError(f"{shown} is neither a secret key nor a file", hint=f"a key is {FORMS}")
    return _read(path)


def load_or_create_secret(path: Path, make: Callable[[], bytes] = lambda: os.urandom(SEED_BYTES)) -> bytes:
    """The seed in `path`; a new one is put there when the file is absent. Raises CommandError."""
    if path.is_file():
        return _read(path)
    seed = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never half a key, and two peers started at once on one directory must not each believe in a key of their own.
        create_file(path, base64.b64encode(seed) + b"\n", 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise CommandError(f"cannot create the key file {path}: {error.strerror}") from error
    return seed


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise CommandError(f"cannot read the key file {path}: {error.strerror}") from error
    seed = parse_secret(data.decode("ascii", "replace")) if len(data) <= FILE_BYTES_MAX else None
    if seed is None:
        raise CommandError(f"{path} holds no secret key", hint=f"a key file holds {FORMS}")
    return seed


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _base58(text: str) -> bytes:
    from avm.crypto.base58 import decode

    return decode(text)
