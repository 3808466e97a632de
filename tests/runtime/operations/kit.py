"""`avm peer …` commands against a peer in this process: whole commands and a whole peer, only the sockets are missing."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runtime.cli import main
from runtime.client import Client
from runtime.client.errors import RelayUnreachable
from runtime.operations import remote
from runtime.protocol.identity import Identity
from tests.runtime.services.hosting import HOST, MANAGER, open_hosting

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schemas" / "avm-peer-operations.schema.json").read_text(encoding="utf-8")
)
ADDRESS = f"/ip4/127.0.0.1/tcp/7771/p2p/{HOST.peer_id}"


def check(operation: str, document: Any) -> Any:
    """Validate a document."""
    schema = {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{operation}"}
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    assert not errors, errors
    return document


def key_of(identity: Identity) -> str:
    return base64.b64encode(identity.seed).decode()


class RunningPeer:
    """The peer; it is there while a command runs, and keeps its state in a folder in between."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.key: str | None = key_of(MANAGER)
        self.is_there = True

        @asynccontextmanager
        async def connect(relay: str, *, secret: bytes, backoff: None) -> AsyncIterator[Client]:
            assert relay == ADDRESS
            if not self.is_there:
                raise RelayUnreachable([(relay, "nobody answers there")])
            async with open_hosting(folder, author=Identity(secret)) as (client, _, _):
                yield client

        monkeypatch.setattr(remote, "connect", connect)

    def run(self, *words: str | Path) -> tuple[int, str, str]:
        """Exit code, stdout, stderr of a command."""
        key = [] if self.key is None else ["--key", self.key]
        code = main(["peer", *map(str, words), "--peer", ADDRESS, *key])
        out, err = self._capsys.readouterr()
        return code, out, err

    def text(self, *words: str | Path) -> str:
        """What a command that must succeed prints."""
        code, out, err = self.run(*words)
        assert code == 0, err
        return out

    def ask(self, operation: str, *words: str | Path) -> Any:
        """The document of a command that must succeed."""
        return check(operation, json.loads(self.text(*words)))

    def refuse(self, code: int, *words: str | Path) -> str:
        """The message of a command that must fail: nothing on stdout, one line and perhaps a remedy on stderr."""
        found, out, err = self.run(*words)
        assert (found, out) == (code, ""), (found, out, err)
        lines = err.splitlines()
        assert lines[0].startswith("avm: error: ")
        assert len(lines) <= 2, err
        return err
