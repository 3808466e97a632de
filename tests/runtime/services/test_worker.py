"""Workers of a host: deals, keys, rights, scopes, what is kept."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import tomllib
from pathlib import Path

import pytest
import trio

from avm.data.interpreter_data import Tetraplet
from runtime.protocol.identity import Identity, named_identity
from runtime.services import limits, worker
from runtime.services import workers as workers_module
from runtime.services.workers import normal_deal_id
from runtime.store.workers import WorkerStore
from tests.runtime.marine.kit import function, module
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, Host, kept_services, on_host

CU = [7] * 32
MISSING = "Error: Field '{}' is missing from args to call_service"
NOWHERE = named_identity("nowhere").peer_id
COUNTER = module('(func (export "next") (result i32) (i32.const 1))', {"functions": [function("next", "", "u32")]})
IDLE = {
    "clock": {"start_sec": 0, "end_sec": 0, "period_sec": 0},
    "connections": {"connect": False, "disconnect": False},
    "blockchain": {"start_block": 0, "end_block": 0},
}


@pytest.mark.parametrize(("given", "normal"), [
    ("0x1234aBcD", "1234abcd"), ("1234ABCD", "1234abcd"), ("0x0xA", "a"), ("0XA", "0xa"), ("deal ÄB", "deal Äb"), ("", ""),
])  # fmt: skip
def test_deal_ids(given, normal):
    assert normal_deal_id(given) == normal


def test_creation_and_finding():
    async def body(host: Host):
        assert await host.ok("worker", "list", author=STRANGER) == []
        assert await host.ok("worker", "get_worker_id", "0xDEAL", author=STRANGER) == []
        first = await host.ok("worker", "create", "0xDEAL", [CU, CU])
        second = await host.ok("worker", "create", "other", [], author=HOST)
        assert await host.ok("worker", "list", author=STRANGER) == [first, second]
        for deal_id in ("0xDEAL", "deal", "dEaL"):
            assert await host.ok("worker", "get_worker_id", deal_id, author=STRANGER) == [first]
            assert await host.ok("worker", "is_active", deal_id, author=STRANGER) is True
        assert await host.error("worker", "create", "0xDeal", [CU]) == "Error: Worker for deal already exists"
        assert await host.error("worker", "is_active", "0xNone") == "Error: Worker for deal_id none not found"

    on_host(body)


@pytest.mark.parametrize(("function_name", "args", "error"), [
    ("create", (), MISSING.format("deal_id")),
    ("create", ("d",), MISSING.format("cu_ids")),
    ("create", (1, []), "Error: Error deserializing field 'deal_id': expected String, got 1"),
    ("create", ("d", [[1]]), "Error: Error deserializing field 'cu_ids': expected Vec<ccp_shared::types::cuid::CUID>, got [[1]]"),
    ("create", ("d", "x"), 'Error: Error deserializing field \'cu_ids\': expected Vec<ccp_shared::types::cuid::CUID>, got "x"'),
    ("get_worker_id", (), MISSING.format("deal_id")),
    ("is_active", (), MISSING.format("deal_id")),
    ("activate", (), MISSING.format("deal_id")),
    ("deactivate", (), MISSING.format("deal_id")),
    ("activate", ("d",), "Error: Worker for deal_id d not found"),
    ("deactivate", ("d",), "Error: Worker for deal_id d not found"),
    ("remove", (), MISSING.format("worker_id")),
    ("remove", ("0",), "Error: base-58 decode error: provided string contained invalid character '0' at byte 0"),
    ("remove", ("abc",), "Error: unable to decode multihash"),
    ("remove", (NOWHERE,), f"Worker {NOWHERE} not found"),
    ("remove", (HOST.peer_id,), f"Worker {HOST.peer_id} can be removed"),
    ("other", (), "Service with id 'worker' not found (function other)"),
])  # fmt: skip
def test_errors(function_name, args, error):
    on_host(lambda host: _expect(host, function_name, args, error))


async def _expect(host: Host, function_name: str, args: tuple, error: str):
    assert await host.error("worker", function_name, *args) == error
    assert await host.ok("worker", "list") == []


def test_strangers_change_no_workers():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        for function_name, args, error in (
            ("create", ("e", []), "Only management or host peer can create worker"),
            ("activate", ("d",), "Only management or host peer can activate deal"),
            ("deactivate", ("d",), "Only management or host peer can deactivate deal"),
            ("remove", (made,), f"Worker {made} can be removed only by worker creator {MANAGER.peer_id}, host or a host manager"),
        ):  # fmt: skip
            assert await host.error("worker", function_name, *args, author=STRANGER) == error
        assert await host.ok("worker", "list") == [made]

    on_host(body)


def test_activation_and_deactivation():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        assert await host.error("worker", "activate", "d") == "Deal has already been activated"
        config = IDLE | {"clock": {"start_sec": 5, "end_sec": 0, "period_sec": 60}}
        spells = [
            await host.ok("spell", "install", "(null)", {}, config, name, scope=made)
            for name in ("worker-spell", "other")
        ]
        assert await host.ok("worker", "deactivate", "0xD", author=HOST) == ""
        assert await host.ok("worker", "is_active", "d") is False
        assert not any(map(host.spells.triggers.is_subscribed, spells))
        for spell in spells:
            assert (await host.ok(spell, "get_trigger_config", scope=made))["config"] == IDLE
        assert await host.error("worker", "deactivate", "d") == "Deal has already been deactivated"
        assert await host.ok("worker", "activate", "d") == ""
        assert await host.ok("worker", "is_active", "d") is True
        assert list(map(host.spells.triggers.is_subscribed, spells)) == [True, False]
        resumed = (await host.ok("worker-spell", "get_trigger_config", scope=made))["config"]
        assert resumed == IDLE | {"clock": {"start_sec": 1, "end_sec": 0, "period_sec": limits.WORKER_PERIOD_SEC}}

    on_host(body)


def test_a_worker_without_a_worker_spell_is_not_activated():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        await host.ok("worker", "deactivate", "d")
        assert await host.error("worker", "activate", "d") == (
            f"Error: Service with alias 'worker-spell' is not found on worker 'WorkerId(WorkerId(PeerId(\"{made}\")))'"
        )
        assert await host.ok("worker", "is_active", "d") is False

    on_host(body)


def test_removal_ends_all_that_lives_on_a_worker(tmp_path):
    async def body(host: Host):
        kept = await host.ok("worker", "create", "kept", [])
        made = await host.ok("worker", "create", "d", [])
        config = IDLE | {"connections": {"connect": True, "disconnect": False}}
        stays = await host.ok("spell", "install", "(null)", {}, config, scope=kept)
        spell = await host.ok("spell", "install", "(null)", {}, config, "alias", scope=made)
        service = await host.deploy(("counter", COUNTER), scope=made)
        await host.ok("vault", "put", "text", scope=made)
        assert await host.ok("worker", "remove", made) == ""
        assert await host.ok("worker", "list") == [kept]
        assert await host.ok("worker", "get_worker_id", "d") == []
        assert not host.spells.triggers.is_subscribed(spell)
        assert host.spells.triggers.is_subscribed(stays)
        for name in (spell, service, "alias"):
            expected = f"Service with id '{name}' not found (function next)"
            assert await host.error(name, "next", scope=made) == expected
        assert not (tmp_path / "workdir" / spell).exists()
        assert not host.hosted.vault._folder.joinpath(made).exists()
        assert await host.error("worker", "remove", made) == f"Worker {made} not found"
        again = await host.ok("worker", "create", "d", [])
        assert again != made
        return stays

    stays = on_host(body, tmp_path)
    assert len(list((tmp_path / "keypairs").iterdir())) == len(list((tmp_path / "workers").iterdir())) == 2
    assert kept_services(tmp_path) == {stays}


def test_what_is_made_while_a_worker_is_removed_ends_with_it(tmp_path):
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        service = await host.deploy(("counter", COUNTER), scope=made)
        blueprint = (await host.ok("srv", "info", service, scope=made))["blueprint_id"]
        answers = []

        async def create():
            answers.append(await host.call("srv", "create", blueprint, scope=made))

        async def remove():
            answers.append(await host.call("worker", "remove", made))

        async with trio.open_nursery() as nursery:
            for work in (create, remove, create, remove):
                nursery.start_soon(work)
        assert len(answers) == 4
        assert (0, "") in answers
        texts = [value.partition("\n")[0] for code, value in answers if code == 1]
        assert set(texts) <= {f"Worker {made} not found", f"Error: Worker {made} not found"}
        assert texts.count(f"Worker {made} not found") == 1, "one of two removals"
        assert host.hosted.all_of(made) == []

    on_host(body, tmp_path)
    assert kept_services(tmp_path) == set()
    for folder in ("workers", "keypairs"):
        assert list((tmp_path / folder).iterdir()) == []


def test_a_worker_whose_services_cannot_be_forgotten_stays(tmp_path, monkeypatch):
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        service = await host.deploy(("counter", COUNTER), scope=made)

        def full(jobs):
            raise sqlite3.OperationalError("disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(host.hosted._state, "_write", full)
            text = await host.error("worker", "remove", made)
            assert text.startswith("Error: Error saving persisted service: ")
            assert text.endswith("disk is full")
        assert await host.ok("worker", "list") == [made]
        assert await host.ok(service, "next", scope=made) == 1
        assert await host.ok("worker", "remove", made) == ""

    on_host(body, tmp_path)
    assert kept_services(tmp_path) == set()


def test_who_made_a_worker_may_remove_it_and_name_its_services():
    """Workers are made by administrators; one that has been an administrator still is a creator."""

    async def body(host: Host):
        made = host.workers.create("d", STRANGER.peer_id, ()).id
        service = await host.deploy(("counter", COUNTER), scope=made)
        assert await host.ok("srv", "add_alias", "mine", service, scope=made) == ""
        await host.hosted.add_alias(made, "creators", service, STRANGER.peer_id)
        spell = await host.ok("spell", "install", "(null)", {}, IDLE, scope=made, author=STRANGER)
        assert await host.ok("spell", "list", scope=made) == [spell]
        assert await host.ok("spell", "remove", spell, scope=made, author=STRANGER) == ""
        assert await host.ok("worker", "remove", made, author=STRANGER) == ""

    on_host(body)


def test_a_worker_signs_for_itself_with_its_own_key():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        identity = host.workers.identity_of(made)
        assert identity is not None
        record = Tetraplet(made, "registry", "get_record_bytes", "")
        assert await host.ok("sig", "get_peer_id", scope=made) == made
        signed = await host.ok("sig", "sign", [1, 2], scope=made, author=identity, tetraplets=[[record]])
        assert signed["success"] is True
        assert await host.ok("sig", "verify", signed["signature"][0], [1, 2], scope=made) is True
        assert await host.ok("sig", "verify", signed["signature"][0], [1, 2]) is False, "the host has another key"
        for author in (HOST, MANAGER, STRANGER):
            text = await host.error("sig", "sign", [1, 2], scope=made, author=author, tetraplets=[[record]])
            assert text == f"peer '{author.peer_id}' is not allowed to sign data on '{made}'"

    on_host(body)


def test_vaults_of_scopes_are_apart():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        path = await host.ok("vault", "put", "of the host")
        assert await host.ok("vault", "cat", path) == "of the host"
        assert await host.error("vault", "cat", path, scope=made) == f"Error reading vault file `{path}`"

    on_host(body)


def test_virtual_machines_are_disabled():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        for name in ("create", "start", "stop", "reboot", "reset"):
            assert await host.error("vm", name, "x") == "This function is only available for workers"
            assert await host.error("vm", name, "x", scope=made, author=STRANGER) == (
                f'Failed to create VM on WorkerId(PeerId("{made}")), can be installed by worker creator {MANAGER.peer_id} '
                f"or worker itself {made}"
            )
            expected = (
                "Failed to create vm: This feature is disabled" if name == "create" else "This feature is disabled"
            )
            assert await host.error("vm", name, "x", scope=made) == expected
        assert await host.error("vm", "create", scope=made) == MISSING.format("image")
        assert await host.error("vm", "status") == "This function is only available on workers"
        assert await host.error("vm", "status", scope=made, author=STRANGER) == "This feature is disabled"

    on_host(body)


@pytest.mark.parametrize(("service", "function_name"), [("connector", "get_deals"), ("subnet", "resolve")])
def test_there_is_no_chain(service, function_name):
    async def body(host: Host):
        text = await host.error(service, function_name, "d")
        assert text == f"Service with id '{service}' not found (function {function_name})"

    on_host(body)


# ── limits, files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits(monkeypatch):
    monkeypatch.setattr(workers_module, "WORKERS_MAX", 1)
    monkeypatch.setattr(worker, "CU_IDS_MAX", 1)

    async def body(host: Host):
        assert await host.error("worker", "create", "d", [CU, CU]) == "Error: a worker has at most 1 compute units"
        long = "d" * limits.NAME_BYTES_MAX
        assert await host.error("worker", "create", long + "d", []) == "Error: a deal id has at most 200 bytes"
        await host.ok("worker", "create", long, [CU])
        assert await host.error("worker", "create", "e", []) == "Error: the host has at most 1 workers"

    on_host(body)


def test_restart(tmp_path):
    async def before(host: Host):
        first = await host.ok("worker", "create", "0xA", [CU])
        second = await host.ok("worker", "create", 'odd "\\\u007fä', [])
        await host.ok("worker", "deactivate", "a")
        return first, second, host.workers.identity_of(first)

    first, second, identity = on_host(before, tmp_path)
    key = tmp_path / "keypairs" / f"{first}_keypair.toml"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    table = tomllib.loads((tmp_path / "workers" / first / "info.toml").read_text())
    assert table == {
        "worker_id": first, "creator": MANAGER.peer_id, "deal_id": "a", "active": False, "cu_ids": [CU], "vm_flag": False,
    }  # fmt: skip

    async def after(host: Host):
        assert host.workers.restored
        assert sorted(await host.ok("worker", "list")) == sorted([first, second])
        assert await host.ok("worker", "is_active", "A") is False
        assert await host.ok("worker", "get_worker_id", 'odd "\\\u007fä') == [second]
        assert host.workers.get(first).cu_ids == (bytes(CU),)
        assert host.workers.identity_of(first).seed == identity.seed

    on_host(after, tmp_path)


@pytest.mark.parametrize("left", [(), (".info.toml.new",)])
def test_what_an_interrupted_change_left_is_no_worker(tmp_path, caplog, left):
    """The host ended while a worker was made or removed: its folder has no record, and `/health` would tell so for ever."""

    async def before(host: Host):
        return [await host.ok("worker", "create", deal, []) for deal in ("a", "b")]

    gone, kept = on_host(before, tmp_path)
    (tmp_path / "workers" / gone / "info.toml").unlink()
    for name in left:
        (tmp_path / "workers" / gone / name).write_text("worker_id = ")

    async def after(host: Host):
        assert host.workers.restored
        assert await host.ok("worker", "list") == [kept]
        assert await host.ok("worker", "create", "a", []) not in (gone, kept)

    on_host(after, tmp_path)
    assert "is not restored" not in caplog.text
    assert not (tmp_path / "workers" / gone).exists()
    assert (tmp_path / "keypairs" / f"{gone}_keypair.toml").exists(), "a key is never deleted on suspicion"


def test_what_cannot_be_restored_is_told_and_left(tmp_path, caplog):
    async def before(host: Host):
        made = [await host.ok("worker", "create", deal, []) for deal in ("a", "b", "c", "d")]
        await host.ok("spell", "install", "(null)", {}, IDLE, scope=made[1])
        return made

    made = on_host(before, tmp_path)
    info = tmp_path / "workers" / made[0] / "info.toml"
    info.write_text(info.read_text().replace('"a"', "1"))
    (tmp_path / "keypairs" / f"{made[1]}_keypair.toml").unlink()
    (tmp_path / "keypairs" / f"{made[2]}_keypair.toml").write_text(
        (tmp_path / "keypairs" / f"{made[3]}_keypair.toml").read_text()
    )

    async def after(host: Host):
        assert await host.ok("worker", "list") == [made[3]]
        assert not host.workers.restored
        assert not host.hosted.restored, "nor is the spell of a worker that is not there"

    with caplog.at_level(logging.WARNING):
        on_host(after, tmp_path)
    assert all(f"the worker of {lost} is not restored" in caplog.text for lost in made[:3])
    assert "its worker is gone" in caplog.text
    assert len(list((tmp_path / "workers").iterdir())) == 4


def test_a_pair_of_keys_is_read_as_well(tmp_path: Path):
    identity = Identity(bytes(range(32)))
    pair = list(identity.seed + identity.public_key)
    (tmp_path / "keypairs").mkdir()
    (tmp_path / "keypairs" / f"{identity.peer_id}_keypair.toml").write_text(
        f'private_key_bytes = {pair}\nkey_format = "ed25519"\n'
    )
    (tmp_path / "workers" / identity.peer_id).mkdir(parents=True)
    (tmp_path / "workers" / identity.peer_id / "info.toml").write_text(
        f'worker_id = "{identity.peer_id}"\ncreator = "{HOST.peer_id}"\ndeal_id = "d"\ncu_ids = []\nvm_flag = false\n'
    )
    (worker_,), complete = WorkerStore(tmp_path).load()
    assert (complete, worker_.id, worker_.active, worker_.identity.seed) == (
        True,
        identity.peer_id,
        True,
        identity.seed,
    )


def test_a_folder_that_cannot_be_written(tmp_path):
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        (tmp_path / "workers" / made / "info.toml").unlink()
        (tmp_path / "workers" / made / "info.toml").mkdir()
        assert (await host.error("worker", "deactivate", "d")).startswith("Error: Error writing persisted worker")
        assert await host.ok("worker", "is_active", "d") is True
        (tmp_path / "workers" / made / "info.toml").rmdir()
        (tmp_path / "workers" / made).rmdir()
        assert (await host.error("worker", "remove", made)).startswith("Error: Error removing persisted worker")
        (tmp_path / "keypairs").rename(tmp_path / "away")
        assert (await host.error("worker", "create", "e", [])).startswith("Error: Error creation of a persisted worker")
        (tmp_path / "away").rename(tmp_path / "keypairs")
        (tmp_path / "workers").rmdir()
        assert (await host.error("worker", "create", "e", [])).startswith("Error: Error creation of a persisted worker")
        assert [path.name for path in (tmp_path / "keypairs").iterdir()] == [f"{made}_keypair.toml"]
        assert await host.ok("worker", "list") == [made]

    on_host(body, tmp_path)
