"""Deployment, services, modules, blueprints, aliases, calls: what is printed, and what is said when it cannot be done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.marine.cids import file_cid
from runtime.operations import deploy
from tests.runtime.marine.kit import CORPUS
from tests.runtime.operations.kit import RunningPeer, check, key_of
from tests.runtime.services.hosting import HOST, MANAGER

DEMO = CORPUS / "modules" / "demo.wat.wasm"
CID = file_cid(DEMO.read_bytes())
NO_ID = "12D3KooWAbr8gnEMcMLHWWsbmpBMwRLVdR8XnyUTv3UNRuFM7qfH"


@pytest.fixture
def wasm(tmp_path: Path) -> Path:
    return Path(shutil.copy(DEMO, tmp_path / "demo.wasm"))


def another(wasm: Path) -> Path:
    """The same module, in other bytes: a custom section more."""
    place = wasm.with_name("other.wasm")
    place.write_bytes(wasm.read_bytes() + b"\x00\x05\x04note")
    return place


def test_deployment_is_done_once(peer: RunningPeer, wasm: Path) -> None:
    first = peer.ask("deploy", "deploy", wasm)
    assert (first["name"], first["aliases"], first["replaced"], first["ignored"]) == ("demo", ["demo"], [], [])
    assert first["modules"] == [{"name": "demo", "cid": CID, "bytes": DEMO.stat().st_size, "added": True}]
    assert (first["blueprint_added"], first["service_created"], first["changed"]) == (True, True, True)
    assert (first["peer_id"], first["scope"]) == (HOST.peer_id, HOST.peer_id)
    again = peer.ask("deploy", "deploy", wasm)
    assert again == first | {
        "modules": [first["modules"][0] | {"added": False}],
        "blueprint_added": False,
        "service_created": False,
        "changed": False,
    }
    assert json.loads(peer.text("call", "demo", "greet", "--args", '["you"]')) == "Hi, you"


def test_a_new_version_takes_the_alias_and_the_place(peer: RunningPeer, wasm: Path) -> None:
    old = peer.ask("deploy", "deploy", wasm)
    new = peer.ask("deploy", "deploy", f"demo={another(wasm)}", "--alias", "demo")
    assert new["service_id"] != old["service_id"]
    assert new["replaced"] == [{"service_id": old["service_id"], "removed": True}]
    (left,) = peer.ask("services", "services", "list")
    assert (left["id"], left["aliases"]) == (new["service_id"], ["demo"])
    kept = peer.ask("deploy", "deploy", wasm, "--keep-old")
    assert kept["replaced"] == [{"service_id": new["service_id"], "removed": False}]
    assert {one["id"]: one["aliases"] for one in peer.ask("services", "services", "list")} == {
        new["service_id"]: [],
        kept["service_id"]: ["demo"],
    }


def test_a_service_with_another_alias_stays(peer: RunningPeer, wasm: Path) -> None:
    old = peer.ask("deploy", "deploy", wasm, "--alias", "demo", "--alias", "more")
    new = peer.ask("deploy", "deploy", f"demo={another(wasm)}", "--alias", "demo")
    assert new["replaced"] == []
    assert peer.ask("service", "services", "info", "more")["id"] == old["service_id"]


def test_an_interrupted_deployment_is_taken_up(peer: RunningPeer, wasm: Path) -> None:
    nameless = peer.ask("deploy", "deploy", wasm, "--no-alias")
    assert peer.ask("deploy", "deploy", wasm, "--no-alias")["changed"] is False
    done = peer.ask("deploy", "deploy", wasm)
    assert (done["service_id"], done["service_created"], done["changed"]) == (nameless["service_id"], False, True)
    assert len(peer.ask("services", "services", "list")) == 1


def test_a_deployment_that_fails_leaves_no_service(peer: RunningPeer, wasm: Path) -> None:
    message = peer.refuse(3, "deploy", wasm, "--alias", "self")
    assert "srv.add_alias: Cannot add alias 'self' because it is reserved" in message
    assert peer.ask("services", "services", "list") == []


def test_folders_and_configurations(peer: RunningPeer, wasm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    message = peer.refuse(2, "deploy", folder)
    assert "service has no module and none of service.toml, Config.toml, service.json" in message
    shutil.copy(wasm, folder / "greeter.wasm")
    assert peer.ask("deploy", "deploy", folder)["aliases"] == ["greeter"]
    shutil.copy(another(wasm), folder / "b.wasm")
    assert "has 2 modules and none of" in peer.refuse(2, "deploy", folder)
    (folder / "service.toml").write_text(
        'total_memory_limit = "64 MiB"\nmodules_dir = "."\n[[module]]\nname = "b"\n[module.wasi]\nenvs = { LEVEL = "3" }\n'
    )
    code, out, err = peer.run("deploy", folder, "--name", "named")
    assert code == 0, err
    document = check("deploy", json.loads(out))
    assert (code, document["name"], [m["name"] for m in document["modules"]]) == (0, "named", ["b"])
    assert document["ignored"] == ["the memory limit of the service", "envs of module b"]
    assert "has no effect: the memory limit of the service, envs of module b" in err


def test_packed_services(peer: RunningPeer, wasm: Path, tmp_path: Path) -> None:
    packed = tmp_path / "demo.tar"
    assert main(["service", "pack", f"greeter={wasm}", "-o", str(packed)]) == 0
    first = peer.run("deploy", packed)
    assert first[0] == 0, first
    assert peer.ask("deploy", "deploy", f"greeter={wasm}")["changed"] is False


def test_names_that_are_no_text_are_refused(peer: RunningPeer) -> None:
    """What the command line has is not always text."""
    for words in (
        ("call", "op", "identity", "--args", '["\udcff"]'),
        ("alias", "set", "\udcff", "x"),
        ("services", "info", "\udcff"),
    ):
        code, out, err = peer.run(*words)
        assert (code in (2, 3), out) == (True, ""), (words, code, err)
        assert "internal error" not in err


def test_a_module_has_one_name(peer: RunningPeer, wasm: Path) -> None:
    peer.ask("deploy", "deploy", wasm)
    message = peer.refuse(2, "deploy", f"other={wasm}")
    assert f"module {CID} is on the peer as `demo` and is wanted as `other`" in message
    assert "avm peer modules add other=FILE.wasm" in message


def test_modules_are_sent_up_to_a_limit(peer: RunningPeer, wasm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = wasm.stat().st_size
    monkeypatch.setattr(deploy, "MODULE_BYTES_MAX", size - 1)
    assert f"module demo has {size} bytes, at most {size - 1} can be sent" in peer.refuse(2, "deploy", wasm)
    monkeypatch.setattr(deploy, "MODULE_BYTES_MAX", size)
    peer.ask("deploy", "deploy", wasm)


def test_what_cannot_be_deployed(peer: RunningPeer, tmp_path: Path) -> None:
    assert "cannot read" in peer.refuse(2, "deploy", tmp_path / "absent.wasm")
    (tmp_path / "bad.wasm").write_bytes(b"no module")
    assert "dist.add_module: " in peer.refuse(3, "deploy", tmp_path / "bad.wasm")
    (tmp_path / "bad.toml").write_text("[[modul]]")
    assert "bad.toml: " in peer.refuse(2, "deploy", tmp_path / "bad.toml")


def test_services(peer: RunningPeer, wasm: Path) -> None:
    deployed = peer.ask("deploy", "deploy", wasm)
    made = peer.ask("created", "services", "create", deployed["blueprint_id"])["service_id"]
    assert [one["id"] for one in peer.ask("services", "services", "list")] == [deployed["service_id"], made]
    assert peer.ask("alias", "alias", "set", "second", made) == {"alias": "second", "service_id": made}
    assert peer.ask("alias", "alias", "resolve", "second")["service_id"] == made
    interface = peer.ask("interface", "services", "interface", "second")
    assert interface == peer.ask("interface", "interface", "second") == peer.ask("interface", "interface", CID)
    assert interface == peer.ask("interface", "modules", "interface", CID)
    for words, name in (
        (("interface", CID), 'Demo("demo")'),
        (("modules", "interface", CID), 'Demo("demo")'),
        (("interface", "second"), 'Second("second")'),
        (("interface", "second", "--name", "my-id"), 'MyId("my-id")'),
    ):
        declaration = peer.text(*words, "--aqua")
        assert f"service {name}:" in declaration
    assert "greet(name: string) -> string" in declaration
    calls = peer.ask("stats", "stats", "second")
    assert [(one["id"], one["aliases"], one["calls"], [m["name"] for m in one["memory"]]) for one in calls] == [
        (made, ["second"], None, ["demo"])
    ]
    assert len(peer.ask("stats", "stats")) == 2
    assert peer.ask("removed", "remove", "second", made)["removed"] == [made]
    assert peer.ask("removed", "services", "remove", "demo")["removed"] == [deployed["service_id"]]
    assert peer.ask("services", "services", "list") == []


def test_modules_and_blueprints(peer: RunningPeer, wasm: Path) -> None:
    missing = peer.refuse(2, "blueprints", "add", "made", CID)
    assert f"the peer has no module {CID}" in missing
    added = peer.ask("modules_added", "modules", "add", f"one={wasm}")
    assert added == [{"name": "one", "cid": CID, "bytes": DEMO.stat().st_size}]
    assert [(one["name"], one["hash"]) for one in peer.ask("modules", "modules", "list")] == [("one", CID)]
    made = peer.ask("blueprint", "blueprints", "add", "made", CID)
    assert peer.ask("blueprints", "blueprints", "list") == [made]
    assert peer.ask("blueprint", "blueprints", "info", made["id"]) == made
    assert "expected the content id of a module" in peer.refuse(2, "blueprints", "add", "made", "x")
    assert "expected a .wasm file" in peer.refuse(2, "modules", "add", "service.toml")
    assert "Blueprint 'x' wasn't found" in peer.refuse(3, "blueprints", "info", "x")
    assert "`avm peer blueprints list` has the ids" in peer.refuse(3, "services", "create", "x")
    assert "`avm peer modules list` has the ids" in peer.refuse(3, "modules", "interface", file_cid(b"other"))


def test_unknown_services_are_told_with_the_remedy(peer: RunningPeer) -> None:
    for words in (
        ("services", "info", "nothing"),
        ("services", "interface", "nothing"),
        ("interface", "nothing"),
        ("remove", "nothing"),
        ("stats", "nothing"),
        ("alias", "set", "a", "nothing"),
        ("alias", "resolve", "nothing"),
        ("call", "nothing", "greet"),
    ):
        assert "`avm peer services list` has ids and aliases" in peer.refuse(3, *words)


def test_one_wrong_name_removes_nothing(peer: RunningPeer, wasm: Path) -> None:
    peer.ask("deploy", "deploy", wasm)
    peer.refuse(3, "remove", "demo", "nothing")
    assert len(peer.ask("services", "services", "list")) == 1


def test_calls(peer: RunningPeer, wasm: Path) -> None:
    assert json.loads(peer.text("call", "op", "identity", "--args", '[{"a": [null, "é\\""]}]')) == {"a": [None, 'é"']}
    assert json.loads(peer.text("call", "op", "noop")) == ""
    assert "math.div: i64 div overflow" in peer.refuse(3, "call", "math", "div", "--args", "[1, 0]")
    assert "--args: not JSON" in peer.refuse(2, "call", "op", "noop", "--args", "you")
    assert "--args: expected an array" in peer.refuse(2, "call", "op", "noop", "--args", '"you"')
    peer.ask("deploy", "deploy", wasm)
    assert "demo.no" in peer.refuse(3, "call", "demo", "no")


def test_what_is_for_management(peer: RunningPeer, wasm: Path) -> None:
    deployed = peer.ask("deploy", "deploy", wasm)
    words = (
        ("deploy", str(another(wasm))),
        ("modules", "add", str(wasm)),
        ("blueprints", "add", "n", CID),
        ("services", "create", deployed["blueprint_id"]),
        ("remove", "demo"),
        ("alias", "set", "a", "demo"),
        ("connect", NO_ID),
    )
    for key, remedy in (
        (None, "give the key of a management peer id with --key"),
        ("07" * 32, "is not management there: start the peer with --management 12D3KooW"),
    ):
        peer.key = key
        for one in words:
            assert remedy in peer.refuse(3, *one), one
    assert json.loads(peer.text("call", "demo", "greet", "--args", '["all"]')) == "Hi, all"


def test_workers_have_services_of_their_own(peer: RunningPeer, wasm: Path, tmp_path: Path) -> None:
    spell = tmp_path / "spell.air"
    spell.write_text("(null)")
    assert peer.ask("workers", "workers", "list") == []
    assert peer.ask("worker", "workers", "find", "deal") == {"deal_id": "deal", "worker_id": None, "active": False}
    worker = peer.ask("worker", "workers", "create", "deal")["worker_id"]
    assert peer.ask("workers", "workers", "list") == [worker]
    assert "Worker for deal already exists" in peer.refuse(3, "workers", "create", "deal")
    done = peer.ask("deploy", "deploy", wasm, "--worker", worker)
    assert done["scope"] == worker
    assert peer.ask("services", "services", "list") == []
    (one,) = peer.ask("services", "services", "list", "--worker", worker)
    assert (one["id"], one["worker_id"]) == (done["service_id"], worker)
    assert json.loads(peer.text("call", "demo", "greet", "--args", '["w"]', "--worker", worker)) == "Hi, w"
    assert "--worker" in peer.refuse(3, "call", "demo", "greet")
    assert peer.ask("worker", "workers", "deactivate", "deal")["active"] is False
    assert peer.ask("worker", "workers", "find", "deal")["active"] is False
    assert "has already been deactivated" in peer.refuse(3, "workers", "deactivate", "deal")
    assert "--alias worker-spell" in peer.refuse(3, "workers", "activate", "deal")
    peer.ask("spell_installed", "spells", "install", spell, "--worker", worker, "--alias", "worker-spell")
    assert peer.ask("worker", "workers", "activate", "deal")["active"] is True
    peer.key = None
    for words in (("create", "d"), ("activate", "deal"), ("deactivate", "deal"), ("remove", worker)):
        assert "--key" in peer.refuse(3, "workers", *words)
    assert "expected a peer id" in peer.refuse(2, "workers", "remove", "x")
    assert "expected a peer id" in peer.refuse(2, "services", "list", "--worker", "x")
    peer.key = key_of(MANAGER)
    assert peer.ask("removed", "workers", "remove", worker)["removed"] == [worker]
    assert peer.ask("workers", "workers", "list") == []
