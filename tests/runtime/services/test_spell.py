"""Spells of a host: installing, removing, changing, who may; what their particles find; running; restart."""

from __future__ import annotations

import logging
import sqlite3

import pytest
import trio
import trio.testing

from runtime.clock import LoopClock
from runtime.core.particle import Particle
from runtime.services import spell as spell_module
from runtime.services.hosted import SPELL_BLUEPRINT
from runtime.services.limits import SPELL_TTL_MS
from runtime.store.data_dir import STATE_FILE
from runtime.store.state import MemoryStore
from runtime.store.toml_text import toml_text
from tests.runtime.marine.kit import function, module
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, Host, kept_services, on_host, open_host
from tests.runtime.services.test_worker import IDLE

MISSING = "Error: Field '{}' is missing from args to call_service"
TRIGGER_TYPE = "fluence_spell_dtos::trigger_config::TriggerConfig"
COUNTER = module('(func (export "next") (result i32) (i32.const 1))', {"functions": [function("next", "", "u32")]})


def clock(start=1, end=0, period=10):
    return IDLE | {"clock": {"start_sec": start, "end_sec": end, "period_sec": period}}


def contacts(connect=False, disconnect=False):
    return IDLE | {"connections": {"connect": connect, "disconnect": disconnect}}


def test_installing_and_removing_in_the_scope_of_the_host(tmp_path):
    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {"a": 1}, clock(), "named")
        assert await host.ok("spell", "list", author=STRANGER) == [spell]
        info = await host.ok("srv", "info", "named")
        assert (info["id"], info["service_type"], info["owner_id"]) == (spell, "spell", HOST.peer_id)
        assert await host.ok("srv", "list") == [info]
        assert host.spells.triggers.is_subscribed(spell)
        assert (await host.ok("named", "get_trigger_config"))["config"] == clock()
        idle = await host.ok("spell", "install", "(null)", {}, IDLE)
        assert not host.spells.triggers.is_subscribed(idle)
        assert await host.ok("spell", "remove", "named", author=HOST) == ""
        assert await host.ok("spell", "remove", idle) == ""
        assert await host.ok("spell", "list") == await host.ok("srv", "list") == []
        assert not host.spells.triggers.is_subscribed(spell)
        assert await host.error("spell", "remove", spell) == f"Error: Service with id '{spell}' not found on Host"

    on_host(body, tmp_path)
    assert list((tmp_path / "workdir").iterdir()) == list((tmp_path / "services").iterdir()) == []


@pytest.mark.parametrize(("name", "args", "error"), [
    ("install", (), MISSING.format("script")),
    ("install", ("s",), MISSING.format("data")),
    ("install", ("s", {}), MISSING.format("trigger_config")),
    ("install", ("s", {}, 1), f"Error: Error deserializing field 'trigger_config': expected {TRIGGER_TYPE}, got 1"),
    ("install", ("s", {}, {"clock": {}}), f"Error: Error deserializing field 'trigger_config': expected {TRIGGER_TYPE}, got {{\"clock\":{{}}}}"),
    ("install", ("s", {}, IDLE, 1), "Error: Error deserializing field 'alias': expected Option<String>, got 1"),
    ("install", ("s", {}, clock(period=3_153_600_001)),
     "Error: invalid config: period is too big. Max period is 100 years (or approx 3153600000 seconds)"),
    ("install", ("s", {}, clock(10, 9)), "Error: invalid config: end_sec is less than start_sec or in the past"),
    ("install", ("s", {}, clock(1, 2)), "Error: invalid config: end_sec is less than start_sec or in the past"),
    ("remove", (), MISSING.format("spell_id")),
    ("remove", ("x",), "Error: Service with id 'x' not found on Host"),
    ("update_trigger_config", (), MISSING.format("spell_id")),
    ("update_trigger_config", ("x",), "Error: Service with id 'x' not found on Host"),
    ("other", (), "Service with id 'spell' not found (function other)"),
])  # fmt: skip
def test_errors(name, args, error):
    async def body(host: Host):
        assert await host.error("spell", name, *args) == error
        assert await host.ok("spell", "list") == []

    on_host(body)


def test_what_fails_half_way_leaves_nothing(tmp_path):
    async def body(host: Host):
        service = await host.deploy(("counter", COUNTER))
        for alias, debug in (("self", 'ForbiddenAlias("self")'), (service, f'AliasAsServiceId("{service}")')):
            text = await host.error("spell", "install", "(null)", {}, clock(), alias)
            assert text.startswith(f"Failed to add alias {alias} for spell ")
            assert text.endswith(f": {debug}")
        text = await host.error("spell", "install", "(null)", [1], clock())
        assert text.endswith(".set_json_fields executed with the error: passed string must represent a JSON object")
        assert text.startswith("Error: Call ")
        assert await host.ok("spell", "list") == []
        return service

    service = on_host(body, tmp_path)
    assert kept_services(tmp_path) == {one.name for one in (tmp_path / "workdir").iterdir()} == {service}


def test_what_cannot_be_saved_is_not_done(tmp_path, monkeypatch):
    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {}, clock(), "named")

        def full(jobs):
            raise sqlite3.OperationalError("disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(host.hosted._state, "_write", full)
            text = "Error saving persisted service: the state of the peer cannot be written: disk is full"
            assert await host.error("spell", "install", "(null)", {}, clock()) == (
                f"Error: a spell cannot be created: Error: {text}"
            )
            assert await host.error("spell", "remove", "named") == f"Error: {text}"
        assert await host.ok("spell", "list") == [spell]
        assert host.spells.triggers.is_subscribed(spell)
        assert (await host.ok("named", "get_script"))["value"] == "(null)"
        return spell

    spell = on_host(body, tmp_path)
    assert kept_services(tmp_path) == {one.name for one in (tmp_path / "workdir").iterdir()} == {spell}


def test_a_spell_that_is_half_installed_does_not_run(monkeypatch):
    """Spells may start to run meanwhile."""

    async def body(host: Host):
        add_alias, seen = host.hosted.add_alias, []

        async def later(scope, alias, spell, author):
            host.spells._resume()
            seen.append(host.spells.triggers.is_subscribed(spell))
            await add_alias(scope, alias, spell, author)

        monkeypatch.setattr(host.hosted, "add_alias", later)
        spell = await host.ok("spell", "install", "(null)", {}, clock(), "named")
        assert seen == [False]
        assert host.spells.triggers.is_subscribed(spell)

    on_host(body)


def test_changing_when_a_spell_runs():
    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {}, clock(), "named")
        assert await host.ok("spell", "update_trigger_config", "named", contacts(connect=True), author=HOST) == ""
        assert (await host.ok(spell, "get_trigger_config"))["config"] == contacts(connect=True)
        assert await host.error("spell", "update_trigger_config", spell, clock(10, 9)) == (
            "Error: invalid config: end_sec is less than start_sec or in the past"
        )
        assert (await host.ok(spell, "get_trigger_config"))["config"] == contacts(connect=True), "left as it was"
        assert await host.error("spell", "update_trigger_config", spell) == MISSING.format("config")
        assert await host.ok("spell", "update_trigger_config", spell, IDLE) == ""
        assert not host.spells.triggers.is_subscribed(spell)
        inside = f"spell_{spell}_1"
        assert await host.ok("spell", "update_trigger_config", "self", clock(), particle_id=inside) == "", "its own"
        assert host.spells.triggers.is_subscribed(spell)

    on_host(body)


def test_services_are_no_spells():
    async def body(host: Host):
        service = await host.deploy(("counter", COUNTER))
        spell = await host.ok("spell", "install", "(null)", {}, IDLE)
        forbidden = "Error: Forbidden. User id '{}' cannot call function '{}': {}"
        assert await host.error("spell", "remove", service) == forbidden.format(
            HOST.peer_id, "remove_spell", "the service isn't a spell"
        )
        assert await host.error("srv", "remove", spell) == forbidden.format(
            MANAGER.peer_id, "remove_service", "cannot remove a spell"
        )
        text = await host.error("spell", "update_trigger_config", service, IDLE)
        assert (
            text
            == f"Error: Error while calling {service}.set_trigger_config: function with name `set_trigger_config` is missing"
        )
        assert len(await host.ok("srv", "list")) == 2

    on_host(body)


def test_who_may_manage_spells_of_the_host():
    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {}, IDLE)
        root = "Failed to install spell in the root scope, only management peer id can install top-level spells"
        for author in (STRANGER, HOST):
            assert await host.error("spell", "install", "(null)", {}, IDLE, author=author) == root
        assert await host.error("spell", "remove", spell, author=STRANGER) == (
            f"Failed to remove spell {spell}, worker itself {HOST.peer_id} or peer manager"
        )
        assert await host.error("spell", "update_trigger_config", spell, IDLE, author=STRANGER) == (
            f"Failed to update spell config {spell}, spell config can be updated by worker itself {HOST.peer_id} or peer "
            f"manager; init_peer_id={STRANGER.peer_id}"
        )

    on_host(body)


def test_who_may_manage_spells_of_a_worker():
    async def body(host: Host):
        worker = host.workers.create("d", STRANGER.peer_id, ())
        scope, other = worker.id, await host.ok("worker", "create", "e", [])
        stranger = host.workers.identity_of(other)
        managers = f"worker creator {STRANGER.peer_id}, worker itself {scope} or peer manager"
        for author in (MANAGER, STRANGER, worker.identity):
            spell = await host.ok("spell", "install", "(null)", {}, IDLE, scope=scope, author=author)
            assert (await host.ok("srv", "info", spell, scope=scope))["owner_id"] == scope
            assert await host.ok("spell", "update_trigger_config", spell, IDLE, scope=scope, author=author) == ""
            assert await host.ok("spell", "list") == await host.ok("spell", "list", scope=other) == [], (
                "each scope its own"
            )
            assert await host.ok("spell", "remove", spell, scope=scope, author=author) == ""
        spell = await host.ok("spell", "install", "(null)", {}, IDLE, scope=scope)
        for author in (HOST, stranger):
            assert await host.error("spell", "install", "(null)", {}, IDLE, scope=scope, author=author) == (
                f'Failed to install spell on WorkerId(PeerId("{scope}")), spell can be installed by {managers}; '
                f"init_peer_id={author.peer_id}"
            )
            assert await host.error("spell", "remove", spell, scope=scope, author=author) == (
                f"Failed to remove spell {spell}, spell can be removed by {managers}"
            )
            assert await host.error("spell", "update_trigger_config", spell, IDLE, scope=scope, author=author) == (
                f"Failed to update spell config {spell}, spell config can be updated by {managers}; init_peer_id={author.peer_id}"
            )

    on_host(body)


# ── particles of spells ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("service", "name"), [
    ("getDataSrv", "spell_id"), ("getDataSrv", "key"), ("callbackSrv", "response"), ("errorHandlingSrv", "error"),
])  # fmt: skip
def test_particles_of_others(service, name):
    async def body(host: Host):
        expected = "Invalid particle id: expected 'spell_{SPELL_ID}_{COUNTER}', got "
        for particle_id in ("p", "spell", "other_x_1"):
            assert await host.error(service, name, particle_id=particle_id) == expected + particle_id
        assert await host.ok("getDataSrv", "-relay-") == HOST.peer_id

    on_host(body)


def test_arguments_and_results():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        spell = await host.ok("spell", "install", "(null)", {"text": "t", "list": [1, {"a": None}]}, IDLE, scope=made)
        me = {"scope": made, "author": host.workers.identity_of(made), "particle_id": f"spell_{spell}_4"}
        assert await host.ok("getDataSrv", "spell_id", **me) == spell
        assert await host.ok("getDataSrv", "-relay-", **me) == HOST.peer_id
        assert await host.ok("getDataSrv", "text", **me) == "t"
        assert await host.ok("getDataSrv", "list", **me) == [1, {"a": None}]
        assert await host.error("getDataSrv", "none", **me) == "value not found"
        for odd, why in (
            ("{", "EOF while parsing an object at line 1 column 1"),
            ("NaN", "expected value at line 1 column 1"),
            ("1e999", "number out of range at line 1 column 5"),
        ):
            await host.ok(spell, "set_string", "odd", odd, **me)
            assert await host.error("getDataSrv", "odd", **me) == (
                f"Failed to parse argument `odd -> {odd}` for spell {spell}: {why}"
            )
        lost = me | {"particle_id": "spell_lost_1"}
        assert await host.error("getDataSrv", "k", **lost) == (
            "Failed to get argument k for spell lost: Spell lost not found (function get_string)"
        )
        for response in ({"text": "new"}, [{"text": "new"}]):
            assert await host.ok("callbackSrv", "response", response, **me) == ""
            assert await host.ok("getDataSrv", "text", **me) == "new"
        for nothing in ((), (None,), ([],)):
            assert await host.ok("callbackSrv", "response", *nothing, **me) == ""
        assert await host.error("callbackSrv", "response", 7, **me) == (
            f"Failed to store response 7 for spell {spell}: Call {spell}.set_json_fields executed with the error: "
            "passed string must represent a JSON object"
        )
        assert await host.error("callbackSrv", "response", {"k": 1}, **(me | {"author": STRANGER})) == (
            f'Failed to store response {{"k":1}} for spell {spell}: Call {spell}.set_json_fields executed with the error: '
            "writing to the `k` is forbidden for any outside caller"
        )
        assert (await host.error("callbackSrv", "response", {}, **lost)).endswith(
            "Spell lost not found (function set_json_fields)"
        )

    on_host(body)


def test_errors_of_scripts():
    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {}, IDLE)
        me = {"author": HOST, "particle_id": f"spell_{spell}_4"}
        full = {"error_code": 7, "instruction": "i", "message": "m", "peer_id": "p"}
        assert await host.ok("errorHandlingSrv", "error", full | {"tetraplet": {}}, 1, **me) == ""
        assert (
            await host.ok("errorHandlingSrv", "error", {"error_code": 8, "message": "n", "peer_id": None}, 2, **me)
            == ""
        )
        entries = [
            {"last_error": full, "error_idx": 1},
            {"last_error": {"error_code": 8, "instruction": "", "message": "n", "peer_id": ""}, "error_idx": 2},
        ]
        assert await host.ok(spell, "get_errors", f"spell_{spell}_4") == entries
        place = 'in module "spell", function "store_error"'
        text = await host.error("errorHandlingSrv", "error", full, **me)
        assert text.startswith("Failed to store error [{")
        assert text.endswith(
            f"for spell {spell}: Error while calling {spell}.store_error: Error: arguments from json deserialization error "
            f"{place}: function requires 3 arguments, 2 provided"
        )
        text = await host.error("errorHandlingSrv", "error", full, 1, **(me | {"author": STRANGER}))
        assert text.endswith("executed with the error: store_error can be called only by the associated spell script")

    on_host(body)


def test_spells_named_worker_spell_may_change_the_host():
    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        identity = host.workers.identity_of(made)
        spell = await host.ok("spell", "install", "(null)", {}, IDLE, "worker-spell", scope=made)
        other = await host.ok("spell", "install", "(null)", {}, IDLE, scope=made)
        refused = "This function is only available to the host or worker spells"
        me = {"author": identity, "particle_id": f"spell_{spell}_1"}
        assert await host.ok("run-console", "print", "x", **me) == ""
        assert await host.ok("run-console", "print", "x", scope=made, **me) == ""
        assert await host.error("srv", "remove", "none", **me) == "Error: Service with id 'none' not found on Host"
        assert await host.error("peer", "connect", **me) == MISSING.format("peer_id")
        for others in (
            me | {"author": STRANGER}, me | {"particle_id": f"spell_{other}_1"}, me | {"particle_id": "p"},
            me | {"particle_id": f"spell_{made}_1"},
        ):  # fmt: skip
            assert await host.error("run-console", "print", "x", **others) == refused
        reserved = "Error: Cannot add alias 'worker-spell' because it is reserved"
        assert await host.error("srv", "add_alias", "worker-spell", other, scope=made, **me) == reserved
        await host.ok("srv", "add_alias", "worker-spell", other, scope=made)
        assert await host.error("run-console", "print", "x", **me) == refused, "it is that no more"

    on_host(body)


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Running:
    """Spells of a host that run, and the particles they start."""

    def __init__(self, folder=None, at_s=0.0, state=None):
        """state: in memory, as the clock of tests does not wait for a disk."""
        self.folder, self.at_s, self.state = folder, at_s, state or MemoryStore()
        self.particles: list[tuple[float, Particle]] = []

    def __call__(self, body):
        async def main():
            clock_ = LoopClock(EPOCH - 1000 * int(trio.current_time()) + int(1000 * self.at_s))
            async with open_host(self.folder, clock=clock_, state=self.state) as host, trio.open_nursery() as nursery:
                started = trio.current_time()
                host.spells.submit = lambda one: self.particles.append((trio.current_time() - started, one))
                nursery.start_soon(host.spells.run)
                result = await body(host)
                nursery.cancel_scope.cancel()
            return result

        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


EPOCH = 1_700_000_000_000
START = EPOCH // 1000


def test_what_a_spell_starts():
    run = Running()

    async def body(host: Host):
        made = await host.ok("worker", "create", "d", [])
        spell = await host.ok("spell", "install", "(script)", {}, clock(1, 0, 10), scope=made)
        await trio.sleep(25)
        assert (await host.ok(spell, "get_u32", "hw_counter", scope=made))["value"] == 3
        why = (await host.ok(spell, "get_string", "hw_trigger", scope=made))["value"]
        await host.ok("spell", "remove", spell, scope=made)
        await trio.sleep(25)
        return made, spell, why

    made, spell, why = run(body)
    assert [one.id for _, one in run.particles] == [f"spell_{spell}_{number}" for number in range(3)]
    for number, (at, one) in enumerate(run.particles):
        assert (one.init_peer_id, one.script, one.ttl, one.data) == (made, "(script)", SPELL_TTL_MS, b"")
        assert one.is_signed_by_author()
        assert (round(at), one.timestamp // 1000 - START) == (10 * number, 10 * number)
    assert why == f'{{"timer":[{{"timestamp":{START + 20}}}],"peer":[]}}'


def test_contacts_start_spells_and_tell_who_it_was():
    run = Running()

    async def body(host: Host):
        spell = await host.ok("spell", "install", "(script)", {}, contacts(connect=True))
        await trio.sleep(1)
        host.spells.triggers.contact(STRANGER.peer_id, True)
        host.spells.triggers.contact(STRANGER.peer_id, False)
        await trio.sleep(1)
        why = await host.ok(spell, "get_string", "hw_trigger")
        await host.ok("spell", "update_trigger_config", spell, contacts(disconnect=True))
        host.spells.triggers.contact(STRANGER.peer_id, True)
        host.spells.triggers.contact(STRANGER.peer_id, False)
        await trio.sleep(1)
        return why["value"], (await host.ok(spell, "get_string", "hw_trigger"))["value"]

    texts = run(body)
    assert [one.init_peer_id for _, one in run.particles] == [HOST.peer_id] * 2
    for text, connected in zip(texts, ("true", "false"), strict=True):
        assert text == f'{{"timer":[],"peer":[{{"peer_id":"{STRANGER.peer_id}","connected":{connected}}}]}}'


def test_stopped_spells_run_no_more():
    run = Running()

    async def body(host: Host):
        await host.ok("spell", "install", "(script)", {}, clock(1, 0, 10))
        await trio.sleep(15)
        host.spells.stop()
        await trio.sleep(50)

    run(body)
    assert len(run.particles) == 2


def test_living_particles_of_a_spell_are_bounded(monkeypatch, caplog):
    monkeypatch.setattr(spell_module, "SPELL_PARTICLES_MAX", 3)
    run = Running()

    async def body(host: Host):
        spell, other = [await host.ok("spell", "install", "(script)", {}, contacts(connect=True)) for _ in range(2)]
        await trio.sleep(1)
        await host.ok("spell", "update_trigger_config", other, IDLE)
        for _ in range(5):
            host.spells.triggers.contact("p", True)
        await trio.sleep(1)
        host.spells.fire(other, {})
        assert (await host.ok(spell, "get_u32", "hw_counter"))["value"] == 3
        await trio.sleep(SPELL_TTL_MS / 1000 + 1)
        host.spells.triggers.contact("p", True)
        await trio.sleep(1)
        return spell, other

    spell, other = run(body)
    assert [one.id for _, one in run.particles] == [
        *(f"spell_{spell}_{n}" for n in range(3)),
        f"spell_{other}_0",
        f"spell_{spell}_3",
    ]
    assert f"spell {spell} does not run: 3 of its particles live" in caplog.text


def test_the_counter_turns_over():
    run = Running()

    async def body(host: Host):
        spell = await host.ok("spell", "install", "(script)", {"hw_counter": 5}, IDLE)
        host.hosted.spells.store.set(spell, "hw_counter", 2**32 - 1)
        host.spells.fire(spell, {})
        host.spells.fire(spell, {})
        return spell

    spell = run(body)
    assert [one.id for _, one in run.particles] == [f"spell_{spell}_{2**32 - 1}", f"spell_{spell}_0"]


def test_what_keeps_a_spell_from_running_is_logged(caplog):
    run = Running()

    async def body(host: Host):
        empty = (await host.hosted.create_spell(HOST.peer_id)).id
        lost = (await host.hosted.create_spell(HOST.peer_id)).id
        host.hosted.spells.store.remove(lost)
        for spell in (empty, lost, "none"):
            host.spells.fire(spell, {})
        return empty, lost

    with caplog.at_level(logging.WARNING):
        empty, lost = run(body)
    assert run.particles == []
    assert f"spell {empty} cannot run: it has no script" in caplog.text
    assert f"spell {lost} cannot run: unable to open database file" in caplog.text
    assert "spell none cannot run: its scope is gone" in caplog.text


def test_spells_run_on_after_a_restart(tmp_path, caplog):
    first = Running(tmp_path)

    async def before(host: Host):
        made = await host.ok("worker", "create", "d", [])
        ids = {}
        for name, scope, config in (
            ("periodic", made, clock(1, 0, 100)),
            ("once", made, clock(1, 0, 0)),
            ("later", made, clock(START + 5000, 0, 0)),
            ("ended", made, clock(1, START + 50, 10)),
            ("ends", HOST.peer_id, clock(1, START + 2000, 900)),
            ("contact", HOST.peer_id, contacts(connect=True)),
            ("idle", HOST.peer_id, IDLE),
        ):
            ids[name] = await host.ok("spell", "install", "(script)", {"k": name}, config, name, scope=scope)
        await trio.sleep(60)
        return made, ids

    made, ids = first(before)
    counts = {name: [one.id.split("_")[1] for _, one in first.particles].count(spell) for name, spell in ids.items()}
    assert counts == {"periodic": 1, "once": 1, "later": 0, "ended": 5, "ends": 1, "contact": 0, "idle": 0}

    second = Running(tmp_path, at_s=1000, state=first.state)

    async def after(host: Host):
        assert host.workers.restored
        assert host.hosted.restored
        assert sorted(await host.ok("spell", "list", scope=made)) == sorted(
            ids[n] for n in ("periodic", "once", "later", "ended")
        )
        await trio.sleep(1)
        host.spells.triggers.contact("p", True)
        await trio.sleep(1)
        assert (await host.ok("periodic", "get_u32", "hw_counter", scope=made))["value"] == 2, "counted on"
        assert await host.ok("getDataSrv", "k", particle_id=f"spell_{ids['ends']}_9") == "ends"
        await trio.sleep(3999)

    with caplog.at_level(logging.WARNING):
        second(after)
    names = {spell: name for name, spell in ids.items()}
    starts = [(round(at), names[one.id.split("_")[1]]) for at, one in second.particles]
    assert [at for at, name in starts if name == "periodic"] == list(range(0, 4001, 100))
    assert [at for at, name in starts if name == "ends"] == [0, 900]
    assert [name for _, name in starts if name not in ("periodic", "ends")] == ["contact", "later"]
    assert "is not started again" not in caplog.text, "what has ended is no error"


def test_a_storage_that_is_gone_is_told_and_left(tmp_path, caplog):
    async def before(host: Host):
        return [await host.ok("spell", "install", "(null)", {}, clock()) for _ in range(3)]

    kept, lost, odd = on_host(before, tmp_path)
    (tmp_path / "workdir" / lost / "spell.sqlite").unlink()
    (tmp_path / "workdir" / odd / "spell.sqlite").write_bytes(b"x" * 5000)

    async def after(host: Host):
        assert await host.ok("spell", "list") == [kept]
        assert not host.hosted.restored

    with caplog.at_level(logging.WARNING):
        on_host(after, tmp_path)
    assert f"the service {lost} is not restored: unable to open database file" in caplog.text
    assert f"the service {odd} is not restored: file is not a database" in caplog.text
    assert kept_services(tmp_path) == {kept, lost, odd}


def test_spells_of_files_are_taken_into_the_store(tmp_path):
    async def before(host: Host):
        return await host.ok("spell", "install", "(null)", {}, clock(), "named")

    spell = on_host(before, tmp_path)
    for name in ("", "-wal", "-shm"):
        (tmp_path / f"{STATE_FILE}{name}").unlink(missing_ok=True)
    place = tmp_path / "services" / f"{spell}_service.toml"
    place.write_text(
        toml_text({
            "service_id": spell, "service_type": "spell", "blueprint_id": SPELL_BLUEPRINT.id, "aliases": ["named"],
            "owner_id": HOST.peer_id, "peer_scope": {"scope_type": "Host"},
        })
    )  # fmt: skip

    async def after(host: Host):
        assert host.hosted.restored
        assert await host.ok("spell", "list") == [spell]
        assert (await host.ok("named", "get_script"))["value"] == "(null)"

    on_host(after, tmp_path)
    assert not place.exists()
    on_host(after, tmp_path)


def test_two_peers_on_one_folder_do_not_share_spells(tmp_path, caplog):
    """Where stores are elsewhere, so that nothing else keeps them apart."""
    state = MemoryStore()

    async def body(host: Host):
        spell = await host.ok("spell", "install", "(null)", {}, IDLE)
        async with open_host(tmp_path, state=state) as second:
            assert await second.ok("spell", "list") == []
            assert not second.hosted.restored
        assert f"the service {spell} is not restored: database is locked" in caplog.text
        assert await host.ok(spell, "get_script") == {"value": "(null)", "success": True, "error": ""}

    with caplog.at_level(logging.WARNING):
        on_host(body, tmp_path, state=state)
