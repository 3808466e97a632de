"""`avm peer spells`: installation, triggers, what they keep, removal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.operations.kit import RunningPeer
from tests.runtime.services.hosting import HOST, MANAGER

SCRIPT = '(call %init_peer_id% ("op" "noop") [])'
LOGS = """aqua Spelled

import Spell from "@fluencelabs/spell/spell_service.aqua"

export logs

data Result:
  said: string

func logs(name: string) -> Result:
  Spell "spell"
  Spell.store_log(name)
  <- Result(said = name)
"""
NEVER = {
    "clock": {"start_sec": 0, "end_sec": 0, "period_sec": 0},
    "connections": {"connect": False, "disconnect": False},
    "blockchain": {"start_block": 0, "end_block": 0},
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    place = tmp_path / "spell.air"
    place.write_text(SCRIPT)
    return place


def test_installation_and_removal(peer: RunningPeer, script: Path) -> None:
    words = ("--data", '{"name": "Ada"}', "--alias", "mine")
    installed = peer.ask("spell_installed", "spells", "install", script, *words)
    assert (installed["alias"], installed["trigger_config"]) == ("mine", NEVER)
    spell_id = installed["spell_id"]
    (listed,) = peer.ask("services", "spells", "list")
    assert (listed["id"], listed["service_type"], listed["aliases"]) == (spell_id, "spell", ["mine"])
    about = peer.ask("spell", "spells", "info", "mine")
    assert (about["id"], about["counter"], about["last_trigger"], about["trigger_config"]) == (spell_id, 0, None, NEVER)
    assert peer.text("spells", "script", "mine") == SCRIPT + "\n"
    assert peer.ask("spell_value", "spells", "get", "mine", "name") == {"key": "name", "value": '"Ada"', "list": []}
    assert peer.ask("spell_value", "spells", "get", spell_id, "no")["value"] is None
    assert peer.ask("spell_pushed", "spells", "push", "mine", "hello")["spell_id"] == spell_id
    (message,) = peer.ask("spell_mailbox", "spells", "mailbox", "mine")
    assert (message["init_peer_id"], message["message"]) == (MANAGER.peer_id, "hello")
    assert peer.ask("spell_logs", "spells", "logs", "mine") == []
    assert peer.ask("spell_errors", "spells", "errors", "mine") == []
    interface = peer.ask("interface", "services", "interface", "mine")
    assert "get_logs" in [f["name"] for f in interface["function_signatures"]]
    assert "store_error(error: LastError, error_idx: u32, particle_timestamp: u64) -> UnitValue" in peer.text(
        "interface", "mine", "--aqua"
    )
    assert peer.ask("removed", "spells", "remove", "mine")["removed"] == [spell_id]
    assert peer.ask("services", "spells", "list") == []


def test_triggers(peer: RunningPeer, script: Path) -> None:
    flags = ("--every", "2h", "--start", "4000000000", "--end", "4100000000", "--on-connect", "--on-disconnect")
    config = peer.ask("spell_installed", "spells", "install", script, *flags, "--alias", "s")["trigger_config"]
    assert config["clock"] == {"start_sec": 4000000000, "end_sec": 4100000000, "period_sec": 7200}
    assert config["connections"] == {"connect": True, "disconnect": True}
    updated = peer.ask("spell_updated", "spells", "update", "s", "--once", "--start", "4000000000")["trigger_config"]
    assert updated["clock"] == {"start_sec": 4000000000, "end_sec": 0, "period_sec": 0}
    assert peer.ask("spell", "spells", "info", "s")["trigger_config"] == updated
    assert peer.ask("spell_updated", "spells", "update", "s")["trigger_config"] == NEVER


def test_a_spell_of_a_program_runs(peer: RunningPeer, tmp_path: Path) -> None:
    program = tmp_path / "spelled.aqua"
    program.write_text(LOGS)
    data = tmp_path / "data.json"
    data.write_text('{"name": "Ada"}')
    peer.ask("spell_installed", "spells", "install", program, "--data-file", data, "--on-connect", "--alias", "s")
    # every command is a contact of the host, and starts the spell
    for _ in range(20):
        if peer.ask("spell_logs", "spells", "logs", "s"):
            break
    assert {log["message"] for log in peer.ask("spell_logs", "spells", "logs", "s")} == {"Ada"}
    about = peer.ask("spell", "spells", "info", "s")
    assert about["counter"] > 0
    assert about["last_trigger"]["peer"][0]["connected"] is True
    assert peer.ask("spell_value", "spells", "get", "s", "said")["value"] == '"Ada"'
    assert peer.ask("spell_value", "spells", "get", "s", "hw_counter")["value"] > 0


@pytest.mark.parametrize(("flags", "message"), [
    (("--every", "1500ms"), "--every 1500ms: expected whole seconds"),
    (("--every", "0s"), "--every 0s: expected whole seconds"),
    (("--every", "x"), "expected a time such as"),
    (("--every", "1s", "--once"), "--every and --once exclude each other"),
    (("--start", "5"), "--start is for spells that run by the clock"),
    (("--once", "--end", "-1"), "--end -1: expected seconds since 1970"),
    (("--data", "[]"), "--data: expected an object"),
    (("--data", "x"), "--data: not JSON"),
    (("-f", "logs"), "--func is for .aqua files"),
])  # fmt: skip
def test_wrong_flags(peer: RunningPeer, script: Path, flags: tuple[str, ...], message: str) -> None:
    peer.is_there = False  # all of it is said before anybody is dialled
    assert message in peer.refuse(2, "spells", "install", script, *flags)


def test_what_is_no_script(peer: RunningPeer, tmp_path: Path) -> None:
    peer.is_there = False
    (tmp_path / "bad.air").write_text("(null")
    code, out, err = peer.run("spells", "install", tmp_path / "bad.air")
    assert (code, out) == (1, "")
    assert "bad.air is no AIR script:\nerror: " in err
    assert "cannot read script" in peer.refuse(2, "spells", "install", tmp_path / "absent.air")


def test_refusals(peer: RunningPeer, script: Path) -> None:
    assert "end_sec is less than start_sec or in the past" in peer.refuse(
        3, "spells", "install", script, "--once", "--end", "5"
    )
    peer.ask("spell_installed", "spells", "install", script, "--alias", "s")
    assert "Failed to add alias" in peer.refuse(3, "spells", "install", script, "--alias", "self")
    for word in ("info", "script", "logs", "mailbox", "errors", "update", "remove"):
        assert "`avm peer services list`" in peer.refuse(3, "spells", word, "nothing")
    assert "cannot remove a spell" in peer.refuse(3, "remove", "s")
    peer.key = None
    for words in (("install", script), ("update", "s"), ("remove", "s")):
        assert "management" in peer.refuse(3, "spells", *words)
        assert "--key" in peer.refuse(3, "spells", *words)


def test_a_spell_is_replaced_when_that_is_said(peer: RunningPeer, script: Path) -> None:
    first = peer.ask("spell_installed", "spells", "install", script, "--alias", "s", "--replace")
    assert first["replaced"] == []
    message = peer.refuse(3, "spells", "install", script, "--alias", "s")
    assert f"`s` is the alias of the spell {first['spell_id']}" in message
    assert "--replace removes that one, which would go on running" in message
    second = peer.ask("spell_installed", "spells", "install", script, "--alias", "s", "--replace")
    assert second["replaced"] == [first["spell_id"]]
    (left,) = peer.ask("services", "spells", "list")
    assert (left["id"], left["aliases"]) == (second["spell_id"], ["s"])


def test_services_are_no_spells(peer: RunningPeer, tmp_path: Path, script: Path) -> None:
    from tests.runtime.operations.test_services import DEMO

    peer.ask("deploy", "deploy", f"demo={DEMO}")
    for flags in ((), ("--replace",)):
        assert "`demo` is the alias of the service" in peer.refuse(
            3, "spells", "install", script, "--alias", "demo", *flags
        )
    assert "`demo` is a service and no spell" in peer.refuse(3, "spells", "logs", "demo")
    peer.ask("spell_installed", "spells", "install", script, "--alias", "s")
    message = peer.refuse(2, "deploy", f"demo={DEMO}", "--alias", "s")
    assert "`s` is the alias of the spell" in message
    assert peer.ask("service", "services", "info", "s")["service_type"] == "spell"
    assert HOST.peer_id == peer.ask("service", "services", "info", "s")["worker_id"]
