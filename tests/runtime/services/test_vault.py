"""Files of particles: what a program may read and write, and what nobody gets out of a vault."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from runtime.services import limits
from runtime.store import vault as vault_module
from runtime.store.vault import GUEST, Vault, VaultError, remove
from tests.runtime.marine.kit import own
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, Host, open_host, particle, run

SCOPE = HOST.peer_id


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path, HOST.sign)


def refused(vault: Vault, path: str, message: str) -> None:
    with pytest.raises(VaultError) as caught:
        vault.read(SCOPE, "p", b"sig", path)
    assert str(caught.value).startswith(message)


def test_put_and_read(vault, tmp_path):
    path = vault.put(SCOPE, "p", b"sig", "tëxt")
    assert path.startswith(f"{GUEST}/p-{vault.token(b'sig')}/")
    assert vault.read(SCOPE, "p", b"sig", path).decode() == "tëxt"
    assert vault.read(SCOPE, "p", b"sig", Path(path).name).decode() == "tëxt", "also by its name within the vault"
    with pytest.raises(VaultError):
        vault.read(SCOPE, "p", b"other", path)
    with pytest.raises(VaultError):
        vault.read(MANAGER.peer_id, "p", b"sig", path)


def test_paths_stay_inside(vault, tmp_path):
    folder = vault.create(SCOPE, "p", b"sig")
    (tmp_path / "secret").write_text("secret")
    (folder / "to_secret").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to("../..")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    (folder / "folder" / "file").write_text("fine")
    (folder / "inside").symlink_to("folder/file")
    assert vault.read(SCOPE, "p", b"sig", "folder/../inside") == b"fine"
    outside = "Incorrect vault path `{}`: doesn't belong to vault (`"
    for path in (
        "../../secret",
        "to_secret",
        "up/secret",
        "/etc/passwd",
        f"{GUEST}/p-wrong/file",
        f"{folder}/folder/file",
    ):
        refused(vault, path, outside.format(path))
    for path in ("none", "folder/none", "loop", "a\0b", "x" * 5000):
        refused(vault, path, f"Incorrect vault  path `{path}`: doesn't exist")
    refused(vault, "folder", "Read vault failed for `folder`: ")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        refused(vault, "pipe", "Read vault failed for `pipe`: not a file")


def test_what_is_refused_holds_no_descriptor(vault, monkeypatch):
    folder = vault.create(SCOPE, "p", b"sig")
    (folder / "file").write_text("fine")
    (folder / "folder").mkdir()
    opened: list[int] = []

    def opening(path, flags):
        opened.append(descriptor := really(path, flags))
        return descriptor

    really = os.open
    monkeypatch.setattr(os, "open", opening)
    assert vault.read(SCOPE, "p", b"sig", "file") == b"fine"
    for path in ("folder", ".", f"{GUEST}/{folder.name}"):
        refused(vault, path, f"Read vault failed for `{path}`: ")
    assert len(opened) == 4
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@pytest.mark.parametrize(
    "particle_id", ["", "../p", "a/b", "a b", "ä", "x" * (limits.PARTICLE_ID_LENGTH_MAX + 1), "a\0"]
)
def test_ids_that_cannot_be_folders(vault, particle_id):
    assert vault.name(particle_id, b"sig") is None
    for attempt in (lambda: vault.create(SCOPE, particle_id, b"sig"), lambda: vault.put(SCOPE, particle_id, b"sig", "x"),
                    lambda: vault.read(SCOPE, particle_id, b"sig", "x")):  # fmt: skip
        with pytest.raises(VaultError):
            attempt()
    assert vault.forget(SCOPE, particle_id, b"sig") is None


def test_tokens_are_kept_for_a_while(tmp_path, monkeypatch):
    signed = []
    vault = Vault(tmp_path, lambda data: signed.append(data) or HOST.sign(data))
    monkeypatch.setattr(vault_module, "TOKENS_KEPT", 2)
    first = vault.token(b"1")
    assert [vault.token(key) for key in (b"1", b"2", b"3", b"1")][-1] == first
    assert signed == [b"1", b"2", b"3", b"1"]


def test_the_longest_id_can(vault):
    vault.create(SCOPE, "x" * limits.PARTICLE_ID_LENGTH_MAX, b"sig")


def test_limits(vault, monkeypatch):
    monkeypatch.setattr(vault_module, "VAULT_FILE_BYTES_MAX", 10)
    monkeypatch.setattr(vault_module, "VAULT_BYTES_MAX", 100)
    monkeypatch.setattr(vault_module, "VAULT_FILES_MAX", 3)
    full = "Write vault failed for filename `.*`: the vault is full"
    with pytest.raises(VaultError, match=full):
        vault.put(SCOPE, "p", b"sig", "x" * 11)
    vault.put(SCOPE, "p", b"sig", "x" * 10)
    vault.put(SCOPE, "p", b"sig", "x" * 10)
    with pytest.raises(VaultError, match=full):
        vault.put(SCOPE, "p", b"sig", "x" * 10)
    vault.put(SCOPE, "p", b"sig", "x" * 5)
    with pytest.raises(VaultError, match=full):
        vault.put(SCOPE, "p", b"sig", "")
    for number in range(7):
        vault.put(SCOPE, f"p{number}", b"sig", "x" * 10)
    with pytest.raises(VaultError, match=full):
        vault.put(SCOPE, "q", b"sig", "x" * 10)
    place = vault.forget(SCOPE, "p0", b"sig")
    assert place is not None
    remove(place)
    assert not place.exists()
    vault.put(SCOPE, "q", b"sig", "x" * 10)
    large = vault.create(SCOPE, "q", b"sig") / "large"
    large.write_bytes(bytes(11))
    with pytest.raises(VaultError, match="Read vault failed for `large`: more than 10 bytes"):
        vault.read(SCOPE, "q", b"sig", "large")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_folders_of_scopes_are_not_listed(vault):
    place = vault.scope_folder(SCOPE)
    assert not stat.S_IMODE(place.stat().st_mode) & (stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    vault.close()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_functions_of_programs():
    async def main():
        async with open_host() as host:
            path = await host.ok("vault", "put", "text", author=STRANGER)
            assert await host.ok("vault", "cat", path, author=STRANGER) == "text"
            assert await host.error("vault", "cat", path, author=MANAGER) == f"Error reading vault file `{path}`", (
                "another particle"
            )
            assert await host.error("vault", "cat", "../x") == "Error reading vault file `../x`"
            assert await host.error("vault", "put") == "Error: Field 'data' is missing from args to call_service"
            assert (
                await host.error("vault", "put", 1) == "Error: Error deserializing field 'data': expected String, got 1"
            )
            assert await host.error("vault", "put", "x", particle_id="a/b") == "Error: Error creating particle vault"

    run(main)


def folder_of(host: Host, author, particle_id="p") -> Path:
    made = particle(author, particle_id)
    return host.hosted.vault.create(SCOPE, particle_id, made.signature)


def test_modules_and_blueprints_from_a_vault():
    async def main():
        async with open_host() as host:
            folder = folder_of(host, MANAGER)
            (folder / "m.wasm").write_bytes(own("testkit"))
            (folder / "config").write_text(
                json.dumps({"name": "kit", "logging_mask": 3, "max_heap_size": "1 MiB", "file_name": None})
            )
            config = await host.ok("dist", "load_module_config", "config")
            assert config == {"name": "kit", "load_from": None, "file_name": None, "logging_mask": 3}
            cid = await host.ok("dist", "add_module_from_vault", "m.wasm", config)
            assert await host.ok("dist", "add_module_bytes_from_vault", "other", "m.wasm") == cid
            assert await host.ok("dist", "add_module", base64.b64encode(own("testkit")).decode(), config) == cid
            text = await host.ok("dist", "make_blueprint", "b", [cid])
            (folder / "blueprint").write_text(json.dumps(json.loads(text), indent=2))
            assert await host.ok("dist", "load_blueprint", "blueprint") == text
            for name, content in (("bad", "{"), ("list", "[]"), ("type", '{"name": 1}')):
                (folder / name).write_text(content)
                assert (await host.error("dist", "load_module_config", name)).startswith(
                    f'Error: Error parsing module config from vault "{name}": '
                )
                assert (await host.error("dist", "load_blueprint", name)).startswith(
                    f'Error parsing blueprint from vault "{name}": '
                )

    run(main)
