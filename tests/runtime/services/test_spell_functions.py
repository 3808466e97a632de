"""What every spell answers: keys, lists, script, triggers, log, mailbox and errors; who may write what; its bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquac.project.stdlib import stdlib_folder
from runtime.marine.cids import RAW, cid_bytes, cid_text
from runtime.marine.interface import aqua_text
from runtime.services import limits, spell_functions
from runtime.services.spell_functions import Caller, script_cid
from runtime.store import spells as store_module
from tests.runtime.services.hosting import HOST, STRANGER, Host, on_host
from tests.runtime.services.test_worker import IDLE

OK = {"success": True, "error": ""}


def failed(text: str) -> dict:
    return {"success": False, "error": text}


def on_spell(body):
    """Run `body(host, spell, me)` with a spell on a worker; me: how the spell itself calls."""

    async def main(host: Host):
        worker = await host.ok("worker", "create", "d", [])
        spell = await host.ok("spell", "install", "(null)", {"given": [1, "a"]}, IDLE, scope=worker)
        identity = host.workers.identity_of(worker)
        await body(host, spell, {"scope": worker, "author": identity, "particle_id": f"spell_{spell}_3"})

    on_host(main)


def test_texts_and_numbers():
    async def body(host: Host, spell: str, me: dict):
        async def ask(name, *args):
            return await host.ok(spell, name, *args, scope=me["scope"], author=STRANGER)

        async def do(name, *args):
            return await host.ok(spell, name, *args, **me)

        assert await ask("get_string", "given") == {"value": '[1,"a"]', **OK, "absent": False}
        assert await ask("get_string", "none") == {"value": "", **OK, "absent": True}
        assert await ask("get_u32", "none") == {"value": 0, **OK, "absent": True}
        assert await ask("exists", "none") == {"value": False, **OK}
        for value in ("text", "", "ä\U0001f600", "a" * 100_000):
            assert await do("set_string", "key", value) == OK
            assert await ask("get_string", "key") == {"value": value, **OK, "absent": False}
            assert (await ask("get_u32", "key"))["absent"] is True, "a text is no number"
        for value in (0, 1, 2**32 - 1):
            assert await do("set_u32", "key", value) == OK
            assert await ask("get_u32", "key") == {"value": value, **OK, "absent": False}
            assert (await ask("get_string", "key"))["absent"] is True, "a number is no text"
        assert await ask("exists", "key") == {"value": True, **OK}
        assert await do("remove_key", "key") == OK
        assert await do("remove_key", "key") == OK
        assert await ask("exists", "key") == {"value": False, **OK}

    on_spell(body)


def test_lists():
    async def body(host: Host, spell: str, me: dict):
        async def do(name, *args):
            return await host.ok(spell, name, *args, **me)

        assert await do("list_get_strings", "l") == {"value": [], **OK}
        assert await do("list_pop_string", "l") == {"value": "", **OK, "absent": True}
        for text in ("a", "", "b", "a"):
            assert await do("list_push_string", "l", text) == OK
        assert await do("list_get_strings", "l") == {"value": ["a", "", "b", "a"], **OK}
        assert await do("list_remove_string", "l", "a") == OK
        assert await do("list_remove_string", "l", "none") == OK
        assert await do("list_get_strings", "l") == {"value": ["", "b"], **OK}
        await do("list_push_string", "l", "c")
        assert await do("list_pop_string", "l") == {"value": "c", **OK, "absent": False}
        assert await do("list_get_strings", "l") == {"value": ["", "b"], **OK}
        await do("set_string", "l", "b")
        await do("list_remove_string", "l", "b")
        assert await do("get_string", "l") == {"value": "b", **OK, "absent": False}, "beside the list"
        assert await do("list_get_strings", "l") == {"value": [""], **OK}
        await do("remove_key", "l")
        assert await do("list_get_strings", "l") == {"value": [], **OK}

    on_spell(body)


def test_fields_of_objects():
    async def body(host: Host, spell: str, me: dict):
        assert await host.ok(spell, "set_json_fields", '{"a": {"y": 1, "x": [null]}, "b": "t", "c": 1.50}', **me) == OK
        for key, text in (("a", '{"x":[null],"y":1}'), ("b", '"t"'), ("c", "1.5")):
            assert (await host.ok(spell, "get_string", key, **me))["value"] == text
        for text in ("[]", "1", "x", "", '{"n": NaN}', '{"n": -Infinity}', f'{{"n": {"[" * 200}{"]" * 200}}}'):
            assert await host.ok(spell, "set_json_fields", text, **me) == failed(
                "passed string must represent a JSON object"
            )

    on_spell(body)


def test_script_and_triggers():
    async def body(host: Host, spell: str, me: dict):
        scope = me["scope"]
        assert await host.ok(spell, "get_script", scope=scope, author=STRANGER) == {"value": "(null)", **OK}
        cid = cid_text(cid_bytes(RAW, b"(null)"))
        assert await host.ok(spell, "script_cid", scope=scope, author=STRANGER) == {"value": cid, **OK}
        assert await host.ok(spell, "set_script", "(never)", **me) == OK
        assert await host.ok(spell, "get_script", scope=scope) == {"value": "(never)", **OK}
        assert await host.ok(spell, "set_script", "x", scope=scope) == failed(
            "Only owner of the service can set the script"
        )
        assert await host.ok(spell, "get_trigger_config", scope=scope) == {"config": IDLE, **OK}
        config = {
            "clock": {"start_sec": 1, "end_sec": 2, "period_sec": 3},
            "connections": {"connect": True, "disconnect": True},
            "blockchain": {"start_block": 4, "end_block": 5},
        }
        assert await host.ok(spell, "set_trigger_config", config, **me) == OK
        assert await host.ok(spell, "get_trigger_config", scope=scope) == {"config": config, **OK}
        assert not host.spells.triggers.is_subscribed(spell), "only `spell.update_trigger_config` starts it"
        assert await host.ok(spell, "set_trigger_config", config, scope=scope) == failed("SetTriggerConfigForbidden")

    on_spell(body)


def test_an_empty_storage_has_neither_script_nor_triggers():
    async def body(host: Host):
        spell = (await host.hosted.create_spell(HOST.peer_id)).id
        missing = "No such file or directory (os error 44)"
        assert await host.ok(spell, "get_script") == {"value": "", **failed(missing)}
        assert await host.ok(spell, "script_cid") == {"value": "", **failed(f"error loading script: {missing}")}
        assert await host.ok(spell, "get_trigger_config") == {
            "config": IDLE, **failed("Trigger Config is not set. Use set_trigger_config to set it."),
        }  # fmt: skip

    on_host(body)


def test_ids_of_long_scripts_are_those_of_their_bytes():
    assert script_cid("a" * 300_000) == cid_text(cid_bytes(RAW, b"a" * 300_000))


def test_log_and_mailbox(monkeypatch):
    monkeypatch.setattr(store_module, "LOGS_KEPT", 3)
    monkeypatch.setattr(store_module, "MESSAGES_KEPT", 3)

    async def body(host: Host, spell: str, me: dict):
        scope = me["scope"]
        assert await host.ok(spell, "get_logs", scope=scope) == {"logs": [], **OK}
        for number in range(5):
            assert await host.ok(spell, "store_log", str(number), **me) == OK
        logs = await host.ok(spell, "get_logs", scope=scope, author=STRANGER)
        assert [entry["message"] for entry in logs["logs"]] == ["2", "3", "4"]
        assert {key: logs[key] for key in OK} == OK
        assert all(entry["timestamp"] > 1_600_000_000 for entry in logs["logs"])

        assert await host.ok(spell, "pop_mailbox", **me) == {"message": [], **OK, "absent": True}
        for number in range(5):
            assert await host.ok(spell, "push_mailbox", str(number), scope=scope, author=STRANGER) == OK
        box = await host.ok(spell, "get_mailbox", scope=scope, author=STRANGER)
        assert [(m["message"], m["init_peer_id"]) for m in box["messages"]] == [(n, STRANGER.peer_id) for n in "432"]
        popped = await host.ok(spell, "pop_mailbox", **me)
        assert popped == {"message": [box["messages"][0]], **OK, "absent": False}
        for number in range(3):  # what was taken out leaves room
            await host.ok(spell, "push_mailbox", f"n{number}", scope=scope)
        box = await host.ok(spell, "get_mailbox", scope=scope)
        assert [m["message"] for m in box["messages"]] == ["n2", "n1", "n0"]
        refused = "pop_mailbox can be called only by the associated spell script"
        assert await host.ok(spell, "pop_mailbox", scope=scope) == {"message": [], **failed(refused), "absent": False}
        text = "store_log can be called only by the associated spell script"
        assert await host.ok(spell, "store_log", "x", scope=scope) == failed(text)

    on_spell(body)


ERROR = {"error_code": 1, "instruction": "(null)", "message": "oh", "peer_id": "p"}


def test_errors_of_particles(monkeypatch):
    monkeypatch.setattr(store_module, "ERRORS_KEPT", 2)
    monkeypatch.setattr(store_module, "PARTICLE_ERRORS_MAX", 3)

    async def body(host: Host, spell: str, me: dict):
        scope = me["scope"]
        assert await host.ok(spell, "get_all_errors", scope=scope) == {"particle_errors": [], **OK}
        for number in range(3):
            of = me | {"particle_id": f"spell_{spell}_{number}"}
            for index in range(2):
                assert await host.ok(spell, "store_error", ERROR, index, 100 + number, **of) == OK
        entries = [{"last_error": ERROR, "error_idx": index} for index in range(2)]
        assert await host.ok(spell, "get_errors", f"spell_{spell}_2", scope=scope, author=STRANGER) == entries
        assert await host.ok(spell, "get_errors", f"spell_{spell}_0", scope=scope) == [], "the oldest is forgotten"
        assert await host.ok(spell, "get_all_errors", scope=scope) == {
            "particle_errors": [{"particle_id": f"spell_{spell}_{n}", "errors": entries} for n in (1, 2)], **OK,
        }  # fmt: skip
        refused = failed("store_error can be called only by the associated spell script")
        for other in ({"scope": scope}, me | {"particle_id": "spell_other_1"}, me | {"particle_id": "p"}):
            assert await host.ok(spell, "store_error", ERROR, 1, 1, **other) == refused
        assert await host.ok(spell, "store_error", ERROR, 2, 102, **of) == OK
        assert await host.ok(spell, "store_error", ERROR, 3, 102, **of) == failed("a particle has at most 3 errors")

    on_spell(body)


SPELL, OTHER, WORKER, HOST_ID = "spell-id", "other-id", "worker", "host"
FORBIDDEN = "writing to the `{}` is forbidden for "


@pytest.mark.parametrize(("author", "particle_id", "scope", "role", "allowed"), [
    (HOST_ID, "p", HOST_ID, "Host", {"h_k", "hw_k"}),
    (HOST_ID, f"spell_{SPELL}_0", HOST_ID, None, {"h_k", "hw_k", "w_k", "k", "wh_k"}),
    (HOST_ID, "p", WORKER, "Host", {"h_k", "hw_k"}),
    (HOST_ID, f"spell_{SPELL}_0", WORKER, "Host", {"h_k", "hw_k"}),
    (WORKER, f"spell_{SPELL}_0", WORKER, None, {"h_k", "hw_k", "w_k", "k", "wh_k"}),
    (WORKER, f"spell_{OTHER}_0", WORKER, "Worker", {"w_k", "hw_k"}),
    (WORKER, "p", WORKER, "Worker", {"w_k", "hw_k"}),
    ("stranger", f"spell_{SPELL}_0", WORKER, "", set()),
    ("stranger", "p", WORKER, "", set()),
])  # fmt: skip
def test_who_may_write_a_key(author, particle_id, scope, role, allowed, tmp_path):
    store = store_module.SpellStore(tmp_path)
    store.create(SPELL)
    functions = spell_functions.SpellFunctions(store, lambda: 0)
    caller = Caller(SPELL, scope, HOST_ID, scope, author, particle_id)
    for key in ("h_k", "w_k", "hw_k", "wh_k", "k", "hw"):
        may = key in allowed or (key == "hw" and role is None)
        text = FORBIDDEN.format(key) + (f"the callers with the role {role}" if role else "any outside caller")
        expected = OK if may else failed(text)
        for name, *values in (
            ("set_string", "t"), ("set_u32", 1), ("list_push_string", "t"), ("list_remove_string", "t"), ("remove_key",),
        ):  # fmt: skip
            assert functions.call(caller, name, [key, *values]) == expected, (name, key)
        assert functions.call(caller, "set_json_fields", [f'{{"{key}": 1}}']) == expected
        popped = functions.call(caller, "list_pop_string", [key])
        assert {field: popped[field] for field in OK} == expected
        assert functions.call(caller, "get_string", [key])["success"], "everybody reads"
    store.close()


@pytest.mark.parametrize(("function_name", "args", "error"), [
    ("get_string", [], "function requires 1 arguments, 0 provided"),
    ("set_u32", ["k", -1], None),
    ("set_u32", ["k", 2**32], None),
    ("set_string", ["k", 1], None),
    ("store_error", [{}, 0, 0], "missing argument with name error_code"),
])  # fmt: skip
def test_calls_that_do_not_fit(function_name, args, error):
    async def body(host: Host, spell: str, me: dict):
        text = await host.error(spell, function_name, *args, **me)
        place = f'in module "spell", function "{function_name}"'
        assert text.startswith(f"Error: arguments from json deserialization error {place}: {error or ''}")
        assert await host.error(spell, "other", **me) == "Error: function with name `other` is missing"

    on_spell(body)


def test_the_interface_is_that_of_the_library():
    async def body(host: Host, spell: str, me: dict):
        interface = await host.ok("srv", "get_interface", spell, scope=me["scope"], author=STRANGER)
        names = [one["name"] for one in interface["function_signatures"]]
        assert len(names) == len(set(names)) == 24
        info = await host.ok("srv", "info", spell, scope=me["scope"])
        assert (info["service_type"], info["owner_id"], info["worker_id"]) == ("spell", me["scope"], me["scope"])
        assert await host.ok("stat", "service_memory", spell, scope=me["scope"]) == []
        stats = await host.ok("stat", "service_stat", spell, scope=me["scope"])
        assert stats["error"] == f"No stats were collected for the `{spell}` service"
        await host.ok(spell, "exists", "k", scope=me["scope"])
        (result,) = (await host.ok("stat", "service_stat", spell, scope=me["scope"]))["result"]
        assert result["functions_stats"][0]["name"] == "exists"

    on_spell(body)
    library = (Path(stdlib_folder()) / "spell" / "spell_service.aqua").read_text()
    ours = aqua_text(spell_functions._interface(), "spell")
    wanted, told = (
        [line.strip() for line in text.splitlines() if ": " in line and "--" not in line] for text in (library, ours)
    )
    assert sorted(told) == sorted(wanted), "fields of records and functions"


def test_storage_is_bounded(monkeypatch):
    monkeypatch.setattr(store_module, "SPELL_STORAGE_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(store_module, "SPELLS_OPEN_MAX", 1)
    monkeypatch.setattr(spell_functions, "MESSAGE_BYTES_MAX", 10)

    async def body(host: Host, spell: str, me: dict):
        other = await host.ok("spell", "install", "(null)", {}, IDLE, scope=me["scope"])
        assert await host.ok(spell, "set_string", "k", "small", **me) == OK
        assert await host.ok(spell, "set_string", "k", "x" * (1 << 20), **me) == failed("database or disk is full")
        assert (await host.ok(spell, "get_string", "k", **me))["value"] == "small"
        assert await host.ok(other, "set_string", "hw_k", "x" * (1 << 19), **me) == OK, "others have room of their own"
        assert await host.ok(spell, "push_mailbox", "x" * 10, **me) == OK
        text = "Error storing mailbox message: it has more than 10 bytes"
        assert await host.ok(spell, "push_mailbox", "x" * 11, **me) == failed(text)
        big = await host.error("spell", "install", "x" * (2 << 20), {}, IDLE, scope=me["scope"])
        assert big.endswith("set_script executed with the error: database or disk is full")
        assert await host.ok("spell", "list", scope=me["scope"]) == [spell, other], (
            "what cannot be installed leaves nothing"
        )

    on_spell(body)


def test_the_bounds_are_those_of_the_reference():
    assert (limits.ERRORS_KEPT, limits.LOGS_KEPT, limits.MESSAGES_KEPT) == (50, 500, 50)
    assert (limits.PERIOD_SEC_MAX, limits.SPELL_TTL_MS, limits.WORKER_PERIOD_SEC) == (3_153_600_000, 120_000, 900)
