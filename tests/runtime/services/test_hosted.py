"""Wasm services of a host: deployment, aliases, calls, permissions, restart, and the bounds of all of it."""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from pathlib import Path

import pytest
import trio
import trio.testing

from avm.data.interpreter_data import Tetraplet
from runtime.clock import LoopClock
from runtime.marine.cids import file_cid
from runtime.services import hosted as hosted_module
from runtime.services import limits
from runtime.store import modules as modules_module
from runtime.store.data_dir import LOCK_FILE, STATE_FILE, DataDir
from runtime.store.modules import Effectors
from runtime.store.sqlite_state import read_state
from runtime.store.state import SERVICES, Namespace, StateError
from runtime.store.toml_text import toml_text
from tests.runtime.marine.kit import CORPUS, function, module, own
from tests.runtime.services.hosting import HOST, LONG_S, MANAGER, STRANGER, Host, on_host, open_host, open_network, run

RECORDS = json.loads((CORPUS / "src" / "testkit.json").read_text())["records"]
PARAMETERS = '(import "__marine_host_api_v3" "get_call_parameters" (func $whose))'
WHOSE = module(
    '(func (export "whose") (param i32 i32) (call $whose))',
    {"records": RECORDS, "functions": [function("whose", "value: string", "CallParameters")]},
    imports=PARAMETERS,
)
COUNTER = module(
    """(global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "fail") unreachable)
    (func (export "nothing"))
    (func (export "forever") (loop $again (br $again)))""",
    {"functions": [
        function("next", "", "u32"), function("grow", "", "u32"), function("fail"), function("nothing"), function("forever"),
    ]},
)  # fmt: skip
LOGS = module("", imports='(import "host" "log_utf8_string" (func (param i32 i32 i32 i32)))')
EFFECTOR = module("", imports='(import "host" "ls" (func (param i32 i32))) (import "host" "ps" (func (param i32 i32)))')


def encoded(wasm: bytes) -> str:
    return base64.b64encode(wasm).decode()


# ── dist ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_modules(tmp_path):
    async def body(host: Host):
        config = await host.ok("dist", "default_module_config", "kit")
        assert config == {"name": "kit", "load_from": None, "file_name": None}
        cid = await host.ok(
            "dist",
            "add_module",
            encoded(own("testkit")),
            config | {"mem_pages_count": 7, "mounted_binaries": {"a": "b"}},
        )
        assert cid == "bafkreig7vrpkkh7xj2w62tnew6pg3l2w27q7mj6w5igzngzkhog3t343ou"
        await host.ok("dist", "add_module", encoded(COUNTER), {"name": "counter"})
        assert await host.ok("dist", "list_modules") == [
            {"name": "kit", "hash": cid, "config": {"logger_enabled": True}},
            {"name": "counter", "hash": file_cid(COUNTER), "config": {"logger_enabled": False}},
        ]
        await host.ok("dist", "add_module", list(COUNTER), {"name": "again"})
        assert [one["name"] for one in await host.ok("dist", "list_modules")] == ["kit", "again"]
        interface = await host.ok("dist", "get_module_interface", file_cid(COUNTER), author=STRANGER)
        assert interface["function_signatures"][0] == {"name": "next", "arguments": [], "output_types": ["u32"]}
        records = (await host.ok("dist", "get_module_interface", cid))["record_types"]
        assert {"name", "id", "fields"} == records[0].keys()
        assert all(len(field) == 2 for record in records for field in record["fields"])

    on_host(body, tmp_path)
    assert sorted(path.name for path in (tmp_path / "modules").iterdir()) == sorted(
        f"{file_cid(wasm)}{tail}" for wasm in (own("testkit"), COUNTER) for tail in (".wasm", "_config.toml")
    )


def test_modules_that_come_at_the_same_time(tmp_path):
    async def body(host: Host):
        async with trio.open_nursery() as nursery:
            for number in range(12):
                wasm = module(f'(func (export "f{number % 6}"))')
                nursery.start_soon(host.ok, "dist", "add_module", encoded(wasm), {"name": f"m{number % 6}"})
        assert sorted(one["name"] for one in await host.ok("dist", "list_modules")) == [f"m{n}" for n in range(6)]

    on_host(body, tmp_path)
    assert len(list((tmp_path / "modules").iterdir())) == 12


PAIRS = [["A", "1"], ["B", "2"]]


@pytest.mark.parametrize(("args", "more"), [
    (["m"], {"wasi": {"envs": None, "mapped_dirs": None}}),
    (["m", 100, "1 MiB", True, ["/x"], PAIRS, [], [], 7],
     {"logger_enabled": True, "logging_mask": 7, "wasi": {"envs": {"A": "1", "B": "2"}, "mapped_dirs": None}}),
    (["m", [], [], [False], [], [PAIRS], [["/a", "b"]], [["ls", "/bin/ls"]], None],
     {"logger_enabled": False, "wasi": {"envs": {"A": "1", "B": "2"}, "mapped_dirs": {"/a": "b"}}, "mounted_binaries": {"ls": "/bin/ls"}}),
])  # fmt: skip
def test_configurations(args, more):
    async def body(host: Host):
        wanted = {"name": "m", "load_from": None, "file_name": None} | more
        assert await host.ok("dist", "make_module_config", *args, author=STRANGER) == wanted

    on_host(body)


A, B = file_cid(b"a"), file_cid(b"b")
BLUEPRINT = f'{{"dependencies":[{{"/":"{A}"}},{{"/":"{B}"}}],"name":"two"}}'


def test_blueprints(tmp_path):
    async def body(host: Host):
        assert await host.ok("dist", "make_blueprint", "two", [A, B], author=STRANGER) == BLUEPRINT
        spaced = json.dumps({"name": "two", "dependencies": [{"/": A}, {"/": B}]}, indent=1)
        blueprint_id = await host.ok("dist", "add_blueprint", spaced)
        assert blueprint_id == file_cid(BLUEPRINT.encode())
        wanted = {"name": "two", "id": blueprint_id, "dependencies": [A, B]}
        assert await host.ok("dist", "get_blueprint", blueprint_id, author=STRANGER) == wanted
        assert await host.ok("dist", "list_blueprints", author=STRANGER) == [wanted]
        return wanted

    kept = on_host(body, tmp_path)

    async def again(host: Host):
        assert await host.ok("dist", "list_blueprints") == [kept]

    on_host(again, tmp_path)


CONFIG_TYPE = "marine::config::raw_marine_config::TomlMarineNamedModuleConfig"


@pytest.mark.parametrize(("call", "error"), [
    (["add_module"], "Error: Field 'module_bytes' is missing from args to call_service"),
    (["add_module", 1, {"name": "m"}], "Error: Error deserializing field 'module_bytes': expected String, got 1"),
    (["add_module", "AAAA", {}], f"Error: Error deserializing field 'config': expected {CONFIG_TYPE}, got {{}}"),
    (["add_module", "AAAA", {"name": "m", "logger_enabled": 1}],
     f'Error: Error deserializing field \'config\': expected {CONFIG_TYPE}, got {{"logger_enabled":1,"name":"m"}}'),
    (["add_module", "A*AA", {"name": "m"}], "Error: Error while decoding module bytes from base64: Invalid symbol 42, offset 1."),
    (["add_module", "AAA", {"name": "m"}], "Error: Error while decoding module bytes from base64: Invalid padding"),
    (["add_module", "AAAA", {"name": "m"}], "Error: provided Wasm file is corrupted: bad magic number"),
    (["add_module", encoded(COUNTER[:-9]), {"name": "m"}], "Error: provided Wasm file is corrupted: "),
    (["add_module", encoded(COUNTER), {"name": "../up"}], 'Error: module name "../up" cannot be the name of a folder'),
    (["add_module", encoded(COUNTER), {"name": ".."}], 'Error: module name ".." cannot be'),
    (["add_module", encoded(COUNTER), {"name": ""}], 'Error: module name "" cannot be'),
    (["add_module", encoded(COUNTER), {"name": "a\u0000"}], "Error: module name "),
    (["add_module", encoded(COUNTER), {"name": "n" * (limits.NAME_BYTES_MAX + 1)}], "Error: module name "),
    (["add_module", encoded(EFFECTOR), {"name": "eff"}],
     f"Error: Config error: requested module effector eff with CID {file_cid(EFFECTOR)} is forbidden on this host"),
    (["make_blueprint", "b", [A, "bad"]],
     f'Error: Error deserializing field \'dependencies\': expected Vec<cid_utils::hash::Hash>, got ["{A}","bad"]'),
    (["add_blueprint", '{"dependencies":[],"name":"none"}'], "Error: Blueprint 'none' has empty list of dependencies"),
    (["add_blueprint", "{}"], "Error deserializing blueprint from IPLD: name field is missing"),
    (["add_blueprint", '{"name":"x"}'], "Error deserializing blueprint from IPLD: dependencies field is missing"),
    (["add_blueprint", '{"name":1,"dependencies":[]}'], "Error deserializing blueprint from IPLD: name field is not a string"),
    (["add_blueprint", '{"name":"x","dependencies":{}}'], "Error deserializing blueprint from IPLD: dependencies field is not a list"),
    (["add_blueprint", f'{{"name":"x","dependencies":["{A}"]}}'], "Error deserializing blueprint from IPLD: dependency is not a link"),
    (["add_blueprint", '{"name":"x","dependencies":[{"/":"../x"}]}'], "Error deserializing blueprint from IPLD: "),
    (["add_blueprint", "nonsense"], "Error deserializing blueprint from IPLD: "),
    (["add_blueprint", "[" * 60_000], "Error deserializing blueprint from IPLD: "),
    (["add_blueprint", json.dumps({"name": "n" * limits.BLUEPRINT_BYTES_MAX, "dependencies": [{"/": A}]})], "Error deserializing blueprint"),
    (["add_blueprint", '{"name":"\\ud800","dependencies":[]}'], "Error deserializing blueprint from IPLD: name field is not a string"),
    (["get_blueprint", A], f"Error: Blueprint '{A}' wasn't found"),
    (["get_module_interface", A], f'Module wasn\'t found on path "{A}.wasm"'), (["get_module_interface", "../../x"], ""),
    (["add_module_from_vault", "f", {"name": "m"}], "Error: Incorrect vault  path `f`: doesn't exist"),
    (["add_module_bytes_from_vault", "m", "f"], "Error: Incorrect vault  path `f`: doesn't exist"),
    (["load_module_config", "f"], "Error: Incorrect vault  path `f`: doesn't exist"), (["load_blueprint", "f"], "Error: Incorrect vault  path"),
])  # fmt: skip
def test_errors_of_dist(call, error, tmp_path):
    async def body(host: Host):
        assert (await host.error("dist", *call)).startswith(error)

    on_host(body, tmp_path)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {LOCK_FILE, STATE_FILE}, "what is refused leaves nothing behind"
    assert not read_state(tmp_path / STATE_FILE).entries


PROTECTED = [
    ("dist", "add_module", encoded(COUNTER), {"name": "m"}), ("dist", "add_module_from_vault", "f", {"name": "m"}),
    ("dist", "add_module_bytes_from_vault", "m", "f"), ("dist", "add_blueprint", BLUEPRINT), ("srv", "create", A),
    ("srv", "remove", "x"), ("srv", "add_alias", "a", "x"),
]  # fmt: skip


@pytest.mark.parametrize("call", PROTECTED)
def test_strangers_change_nothing(call):
    async def body(host: Host):
        assert (
            await host.error(*call, author=STRANGER) == "This function is only available to the host or worker spells"
        )

    on_host(body)


def test_effectors():
    allowed = {file_cid(EFFECTOR): {"ls": "/bin/ls", "ps": "/bin/ps"}}

    async def body(host: Host):
        cid = await host.ok(
            "dist", "add_module", encoded(EFFECTOR), {"name": "eff", "mounted_binaries": {"ls": "/bin/sh"}}
        )
        (listed,) = await host.ok("dist", "list_modules")
        assert listed["config"]["mounted_binaries"] == {"ls": "/bin/ls", "ps": "/bin/ps"}, (
            "the host says which, not the caller"
        )
        blueprint = await host.ok("dist", "add_blueprint", await host.ok("dist", "make_blueprint", "e", [cid]))
        await host.ok("srv", "create", blueprint)
        assert (await host.ok("peer", "identify"))["allowed_binaries"] == ["/bin/ls", "/bin/ps"]

    on_host(body, effectors=Effectors(allowed))

    async def lacking(host: Host):
        assert await host.error("dist", "add_module", encoded(EFFECTOR), {"name": "eff"}) == (
            f"Error: Module eff with CID {file_cid(EFFECTOR)} requested a binary `ps` which isn't in the configured list of binaries"
        )

    on_host(lacking, effectors=Effectors({file_cid(EFFECTOR): {"ls": "/bin/ls"}}))
    on_host(lacking, effectors=Effectors(open={"ls": "/bin/ls"}))


# ── srv ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_services():
    async def body(host: Host):
        service_id = await host.deploy(("testkit", own("testkit")), ("facade", own("facade")))
        assert await host.ok(service_id, "via_string", "x", author=STRANGER) == "x"
        info = await host.ok("srv", "info", service_id, author=STRANGER)
        assert info == {
            "id": service_id,
            "blueprint_id": info["blueprint_id"],
            "service_type": "service",
            "owner_id": MANAGER.peer_id,
            "aliases": [],
            "worker_id": HOST.peer_id,
        }
        assert await host.ok("srv", "list", author=STRANGER) == [info]
        interface = await host.ok("srv", "get_interface", service_id, author=STRANGER)
        assert interface == await host.ok("dist", "get_module_interface", file_cid(own("facade")))
        assert await host.ok("srv", "remove", service_id) == ""
        assert await host.ok("srv", "list") == []
        assert (
            await host.error(service_id, "via_string", "x")
            == f"Service with id '{service_id}' not found (function via_string)"
        )

    on_host(body)


def test_aliases():
    async def body(host: Host):
        first, second = await host.deploy(("counter", COUNTER)), await host.deploy(("counter", COUNTER))
        assert await host.ok("srv", "add_alias", "counter", first) == ""
        await host.ok("srv", "add_alias", "other", first)
        assert await host.ok("counter", "next", author=STRANGER) == 1
        assert await host.ok("srv", "resolve_alias", "counter", author=STRANGER) == first
        assert await host.ok("srv", "resolve_alias_opt", "counter", author=STRANGER) == [first]
        assert await host.ok("srv", "resolve_alias_opt", "none", author=STRANGER) == []
        assert (await host.ok("srv", "info", "counter"))["aliases"] == ["counter", "other"]
        await host.ok("srv", "add_alias", "counter", second)
        assert [one["aliases"] for one in await host.ok("srv", "list")] == [["other"], ["counter"]]
        assert await host.ok("counter", "next") == 1, "another service, another state"
        await host.ok("srv", "remove", "counter")
        assert (
            await host.error("srv", "resolve_alias", "counter")
            == "Error: Service with alias 'counter' is not found on worker 'Host'"
        )
        assert await host.ok("other", "next") == 2

    on_host(body)


def test_errors_of_srv():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        not_found = "Error: Service with id 'none' not found on Host"
        for function_name in ("info", "get_interface", "remove"):
            assert await host.error("srv", function_name, "none") == not_found
        assert await host.error("srv", "add_alias", "a", "none") == not_found
        assert await host.error("srv", "add_alias", service_id, service_id) == (
            f"Error: Cannot add alias '{service_id}' because there is a service with that id"
        )
        for alias in ("spell", "self"):
            assert (
                await host.error("srv", "add_alias", alias, service_id)
                == f"Error: Cannot add alias '{alias}' because it is reserved"
            )
        assert await host.ok("srv", "add_alias", "worker-spell", service_id) == ""
        assert await host.error("srv", "create", A) == f"Error: Blueprint '{A}' wasn't found"
        blueprint = await host.ok("dist", "add_blueprint", BLUEPRINT)
        missing = f'Error: Module config wasn\'t found at "{A}_config.toml": No such file or directory (os error 2)'
        assert await host.error("srv", "create", blueprint) == missing
        assert await host.error("srv", "create") == "Error: Field 'blueprint_id' is missing from args to call_service"
        code, value = await host.call("srv", "info", "none")
        assert (code, value) == (1, f"{not_found}\n{not_found.removeprefix('Error: ')}")

    on_host(body)


def test_modules_that_do_not_load():
    async def body(host: Host):
        assert (await host.error("srv", "create", await blueprint(host, ("facade", own("facade"))))) == (
            "Error: engine error: module with name 'testkit' isn't loaded into Marine"
        )
        starts = module('(func (export "_start") unreachable)')
        assert "unreachable" in await host.error("srv", "create", await blueprint(host, ("s", starts)))
        endless = module('(func (export "_start") (loop $l (br $l)))')
        assert "ran out of time" in await host.error("srv", "create", await blueprint(host, ("s", endless)))
        twice = await host.error("srv", "create", await blueprint(host, ("a", COUNTER), ("a", LOGS)))
        assert (
            twice == "Error: engine error: module with name 'a' already loaded into Marine, please specify another name"
        )
        assert await host.ok("srv", "list") == []

    on_host(body, start_ms=50)


async def blueprint(host: Host, *modules: tuple[str, bytes]) -> str:
    cids = [host.hosted.store.add_module(name, wasm) for name, wasm in modules]
    return await host.ok("dist", "add_blueprint", await host.ok("dist", "make_blueprint", "b", cids))


def test_who_may_remove():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER), author=HOST)
        forbidden = "Error: Forbidden. User id '{}' cannot call function 'remove_service': {}"
        with pytest.raises(hosted_module.TypedServiceError) as caught:
            await host.hosted.remove(HOST.peer_id, "p", service_id, STRANGER.peer_id)
        assert caught.value.value.startswith(forbidden.format(STRANGER.peer_id, "only creator can remove service"))
        spell = (await host.hosted.create_spell(HOST.peer_id)).id
        assert await host.error("srv", "remove", spell) == forbidden.format(MANAGER.peer_id, "cannot remove a spell")
        for alias in ("spell", "self"):
            found = await host.ok(alias, "exists", "key", particle_id=f"spell_{spell}_7")
            assert found == {"value": False, "success": True, "error": ""}, "the particle's own spell"
        for particle_id in ("spell", "other_x_1", "spell_none_1"):
            text = await host.error("self", "exists", "key", particle_id=particle_id)
            assert text == "Service with id 'self' not found (function exists)"

    on_host(body)


def test_scopes_do_not_see_each_other():
    async def body(host: Host):
        worker = await host.ok("worker", "create", "deal", [])
        service_id = await host.deploy(("counter", COUNTER))
        await host.ok("srv", "add_alias", "c", service_id)
        assert await host.ok("srv", "list", scope=worker) == []
        shown = f'WorkerId(WorkerId(PeerId("{worker}")))'
        assert await host.error("srv", "info", "c", scope=worker) == f"Error: Service with id 'c' not found on {shown}"
        assert (
            await host.error("srv", "resolve_alias", "c", scope=worker)
            == f"Error: Service with alias 'c' is not found on worker '{shown}'"
        )
        own_id = await host.deploy(("counter", COUNTER), scope=worker)
        assert (await host.ok("srv", "info", own_id, scope=worker))["worker_id"] == worker
        assert await host.error("srv", "add_alias", "c", own_id, scope=worker, author=HOST) == (
            f"Error: Forbidden. User id '{HOST.peer_id}' cannot call function 'add_alias': "
            "only worker, worker creator and management peer id can add worker-level aliases"
        )
        await host.ok("srv", "add_alias", "c", own_id, scope=worker)
        assert await host.ok("srv", "resolve_alias", "c", scope=worker) == own_id

    on_host(body)


def test_a_service_for_ipfs_is_for_administrators():
    """In the host's scope, whether there is one or not; that of a worker is the worker's own matter."""

    async def body(host: Host):
        refused = "This function is only available to the host or worker spells"
        assert await host.error("aqua-ipfs", "next", author=STRANGER) == refused
        assert await host.error("aqua-ipfs", "next") == "Service with id 'aqua-ipfs' not found (function next)"
        for scope in (HOST.peer_id, await host.ok("worker", "create", "deal", [])):
            service_id = await host.deploy(("counter", COUNTER), scope=scope)
            await host.ok("srv", "add_alias", "aqua-ipfs", service_id, scope=scope)
            assert await host.ok("aqua-ipfs", "next", scope=scope) == 1
        assert await host.error("aqua-ipfs", "next", author=STRANGER) == refused
        assert await host.ok("aqua-ipfs", "next", author=STRANGER, scope=scope) == 2
        assert await host.ok(await host.ok("srv", "resolve_alias", "aqua-ipfs"), "next", author=STRANGER) == 2

    async def open_to_all(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        await host.ok("srv", "add_alias", "aqua-ipfs", service_id)
        assert await host.ok("aqua-ipfs", "next", author=STRANGER) == 1

    on_host(open_to_all, effectors=Effectors(open={}))

    on_host(body)


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_module_is_told():
    origins = [[Tetraplet("peer", "service", "function", ".$.lens")]]

    async def body(host: Host):
        service_id = await host.deploy(("whose", WHOSE))
        await host.ok("srv", "add_alias", "who", service_id)
        told = await host.ok("who", "whose", "x", author=STRANGER, tetraplets=origins)
        particle = host.context("who", "whose", author=STRANGER).particle
        assert told == {
            "particle": {
                "id": "p",
                "init_peer_id": STRANGER.peer_id,
                "timestamp": 1000,
                "ttl": 2000,
                "script": "(null)",
                "signature": list(particle.signature),
                "token": host.hosted.vault.token(particle.signature),
            },
            "service_id": service_id,
            "service_creator_peer_id": MANAGER.peer_id,
            "host_id": HOST.peer_id,
            "worker_id": HOST.peer_id,
            "tetraplets": [
                [{"peer_pk": "peer", "service_id": "service", "function_name": "function", "lens": ".$.lens"}]
            ],
        }

    on_host(body)


def test_results_and_errors():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        assert await host.ok(service_id, "nothing") is None
        assert await host.error(service_id, "none") == "Error: function with name `none` is missing"
        assert (await host.error(service_id, "next", 1)).startswith(
            "Error: arguments from json deserialization error in module"
        )
        trapped = "Error: engine error: Execution error: `call-core 8` failed while calling the local or import function `fail`: "
        assert (await host.error(service_id, "fail")).startswith(trapped)
        assert await host.ok(service_id, "next") == 1, "usable after a trap"

    on_host(body)


def test_statistics():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        assert await host.ok("stat", "service_memory", service_id) == [{"name": "counter", "memory_size_bytes": 65536}]
        assert await host.ok("stat", "service_stat", service_id) == {
            "status": False, "error": f"No stats were collected for the `{service_id}` service", "result": []
        }  # fmt: skip
        for _ in range(limits.STATS_KEPT + 2):
            await host.ok(service_id, "next")
        await host.ok(service_id, "grow")
        await host.error(service_id, "fail")
        await host.error(service_id, "unknown")
        answer = await host.ok("stat", "service_stat", service_id, author=STRANGER)
        assert (answer["status"], answer["error"]) == (True, "")
        (result,) = answer["result"]
        total = result["total_stats"]
        assert (total["success_req_count"], total["failed_req_count"]) == (8, 2)
        assert total["memory_deltas_bytes"] == {"series": [0, 0, 0, 0, 65536], "total": 65536, "avg": 8192}
        assert total["timestamps"] == [1000] * limits.STATS_KEPT
        assert len(total["call_time_sec"]["series"]) == limits.STATS_KEPT
        by_name = {one["name"]: one["stats"]["success_req_count"] for one in result["functions_stats"]}
        assert by_name == {"next": 7, "grow": 1, "fail": 0}, "calls of unknown functions are not counted one by one"
        assert await host.error("stat", "service_memory", "none") == "Error: Service with id 'none' not found on Host"

    on_host(body)


def test_one_call_at_a_time_and_services_beside_each_other():
    async def body(host: Host):
        slow, quick = await host.deploy(("counter", COUNTER)), await host.deploy(("counter", COUNTER))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.call, slow, "forever")
            while not host.hosted.get(HOST.peer_id, "p", slow).turn.locked():
                await trio.lowlevel.checkpoint()
            waiting = trio.CancelScope()

            async def wait() -> None:
                with waiting:
                    await host.call(slow, "next")

            nursery.start_soon(wait)
            assert await host.ok(quick, "next") == 1
            waiting.cancel()
            nursery.cancel_scope.cancel()
        assert await host.ok(slow, "next") == 1, "the end of the particle stopped the endless call"

    on_host(body)


def test_waiting_calls_are_bounded(monkeypatch):
    monkeypatch.setattr(hosted_module, "WAITING_CALLS_MAX", 2)

    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        one = host.hosted.get(HOST.peer_id, "p", service_id)
        async with trio.open_nursery() as nursery:
            await one.turn.acquire()
            for _ in range(2):
                nursery.start_soon(host.call, service_id, "next")
            while one.waiting < 2:
                await trio.lowlevel.checkpoint()
            assert await host.error(service_id, "next", author=STRANGER) == "Error: 2 calls of the service are waiting"
            one.turn.release()
        assert await host.ok(service_id, "next", author=STRANGER) == 3

    on_host(body)


def test_memory_is_bounded():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        assert await host.ok(service_id, "grow") == 1
        assert "failed to cast" in await host.error(service_id, "grow")

    on_host(body, memory_bytes=2 * 65536)


def test_removal_ends_a_running_call():
    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        async with trio.open_nursery() as nursery:
            results = []

            async def call() -> None:
                results.append(await host.call(service_id, "forever"))

            nursery.start_soon(call)
            while not host.hosted.get(HOST.peer_id, "p", service_id).turn.locked():
                await trio.lowlevel.checkpoint()
            await host.ok("srv", "remove", service_id)
        assert results[0][0] == 1

    on_host(body)


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FILES = """
  (data (i32.const 0) "text")
  (func $open (param $fd i32) (param $flags i32) (result i32)
    (drop (call $path_open (local.get $fd) (i32.const 0) (i32.const 0) (i32.const 4) (local.get $flags)
      (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 64)))
    (i32.load (i32.const 64)))
  (func (export "write") (param $fd i32) (result i32)
    (i32.store (i32.const 64) (i32.const -1))
    (drop (call $open (local.get $fd) (i32.const 1)))
    (i32.ne (i32.load (i32.const 64)) (i32.const -1)))
  (func (export "exists") (param $fd i32) (result i32)
    (i32.store (i32.const 64) (i32.const -1))
    (drop (call $open (local.get $fd) (i32.const 0)))
    (i32.ne (i32.load (i32.const 64)) (i32.const -1)))
"""
PATH_OPEN = """(import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"""
FOLDERS = module(
    FILES,
    {"functions": [function("write", "fd: u32", "bool"), function("exists", "fd: u32", "bool")]},
    imports=PATH_OPEN,
)
VAULT, STORAGE, STORAGE_MODULE, TMP, TMP_MODULE = range(3, 8)
"""Descriptors of the folders, in the order in which they are opened."""


def test_folders(tmp_path):
    async def body(host: Host):
        service_id = await host.deploy(("files", FOLDERS))
        for folder in (STORAGE, STORAGE_MODULE, TMP, TMP_MODULE):
            assert await host.ok(service_id, "write", folder) is True
        kept = tmp_path / "workdir" / service_id
        assert sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*")) == ["files", "files/text", "text"]
        return service_id

    service_id = on_host(body, tmp_path)

    async def again(host: Host):
        found = [await host.ok(service_id, "exists", folder) for folder in (STORAGE, STORAGE_MODULE, TMP, TMP_MODULE)]
        assert found == [True, True, False, False], "/storage survives, /tmp does not"
        await host.ok("srv", "remove", service_id)
        assert (tmp_path / "workdir" / service_id / "text").is_file(), "data stay when a service is removed"

    on_host(again, tmp_path)


# ── restart ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_restart(tmp_path):
    async def before(host: Host):
        first = await host.deploy(("counter", COUNTER))
        worker = await host.ok("worker", "create", "deal", [])
        second = await host.deploy(("counter", COUNTER), scope=worker)
        removed = await host.deploy(("counter", COUNTER))
        for alias in ("a", 'odd "\\\u007f\n ä'):
            await host.ok("srv", "add_alias", alias, first)
        await host.ok("srv", "add_alias", "moved", first)
        await host.ok("srv", "add_alias", "moved", removed)
        await host.ok("srv", "remove", removed)
        assert await host.ok("a", "next") == 1
        return [await host.ok("srv", "list", scope=scope) for scope in (HOST.peer_id, worker)], second, worker

    listed, second, worker = on_host(before, tmp_path)

    async def after(host: Host):
        assert host.hosted.restored
        assert [await host.ok("srv", "list", scope=scope) for scope in (HOST.peer_id, worker)] == listed
        assert await host.ok('odd "\\\u007f\n ä', "next") == 1, "a new instance"
        assert await host.ok(second, "next", scope=worker) == 1
        assert await host.ok("srv", "resolve_alias_opt", "moved") == []

    on_host(after, tmp_path)


def test_what_cannot_be_restored_is_told_and_left(tmp_path, caplog):
    async def before(host: Host):
        ids = [await host.deploy(("counter", COUNTER)) for _ in range(2)]
        ids.append(await host.deploy(("logs", LOGS)))
        return ids

    good, bad, lost = on_host(before, tmp_path)
    with DataDir(tmp_path, now_ms=0) as data:
        services = Namespace(data.store, SERVICES)
        services.put(bad, b"broken").result()
        services.put("odd", json.dumps({"service_type": "odd"}).encode()).result()
    (tmp_path / "services" / "stranger_service.toml").write_text(service_file(lost))
    (tmp_path / "modules" / f"{file_cid(LOGS)}.wasm").write_bytes(COUNTER)
    (tmp_path / "modules" / "odd.wasm").write_bytes(b"")
    (tmp_path / "modules" / ".half.wasm.new").write_bytes(b"")
    (tmp_path / "blueprint" / "odd_blueprint.toml").write_text("name = 1")

    async def after(host: Host):
        assert not host.hosted.restored
        assert [one["id"] for one in await host.ok("srv", "list")] == [good]
        listed = await host.ok("dist", "list_modules")
        assert {"invalid_file_name", "error"} in [set(one) for one in listed]
        assert len(await host.ok("dist", "list_blueprints")) == 2

    with caplog.at_level(logging.WARNING):
        on_host(after, tmp_path)
    for name in (bad, "odd", "of stranger_service.toml", lost):
        assert f"the service {name} is not restored" in caplog.text
    assert (tmp_path / "services" / "stranger_service.toml").is_file()
    assert not (tmp_path / "modules" / ".half.wasm.new").exists()
    assert {key for key, _, _ in read_state(tmp_path / STATE_FILE).entries[SERVICES]} == {good, bad, lost, "odd"}
    assert f"the file of module {file_cid(LOGS)} is damaged" in caplog.text


def service_file(service_id: str, blueprint_id: str = A, aliases: tuple[str, ...] = ()) -> str:
    """As earlier versions and the reference keep a service."""
    return toml_text({
        "service_id": service_id, "service_type": "service", "blueprint_id": blueprint_id, "aliases": list(aliases),
        "owner_id": MANAGER.peer_id, "peer_scope": {"scope_type": "Host"},
    })  # fmt: skip


def test_services_of_files_are_taken_into_the_store_once(tmp_path):
    async def before(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        await host.ok("srv", "add_alias", "taken", service_id)
        return service_id, (await host.ok("srv", "info", service_id))["blueprint_id"]

    known, blueprint_id = on_host(before, tmp_path)
    place = tmp_path / "services" / "other_service.toml"

    async def listed(host: Host):
        assert host.hosted.restored
        return {one["id"]: one["aliases"] for one in await host.ok("srv", "list")}

    async def after(host: Host):
        assert await listed(host) == {known: ["taken"], "other": ["own"]}
        await host.ok("srv", "add_alias", "later", "other")

    place.write_text(service_file("other", blueprint_id, ("own", "taken")))
    on_host(after, tmp_path)
    assert not place.exists()
    # a crash may have left the file: what the store has is newer
    place.write_text(service_file("other", blueprint_id, ("own", "taken")))
    assert on_host(listed, tmp_path) == {known: ["taken"], "other": ["own", "later"]}
    assert not place.exists()


def test_what_cannot_be_saved_is_not_done(tmp_path, monkeypatch):
    async def body(host: Host):
        first, second = [await host.deploy(("counter", COUNTER)) for _ in range(2)]
        await host.ok("srv", "add_alias", "name", first)
        blueprint_id = (await host.ok("srv", "info", first))["blueprint_id"]
        before = await host.ok("srv", "list")

        def full(jobs):
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(host.hosted._state, "_write", full)
            for call in (("create", blueprint_id), ("add_alias", "name", second), ("remove", first)):
                assert await host.error("srv", *call) == (
                    "Error: Error saving persisted service: the state of the peer cannot be written: database or disk is full"
                )
            assert await host.ok("srv", "list") == before
        await host.ok("srv", "add_alias", "name", second)
        return await host.ok("srv", "list")

    async def after(host: Host):
        return await host.ok("srv", "list")

    assert on_host(body, tmp_path) == on_host(after, tmp_path)


def test_one_host_at_a_time(tmp_path):
    async def body(host: Host):
        with pytest.raises(StateError, match="is in use by process"):
            async with open_host(tmp_path):
                pass

    on_host(body, tmp_path)


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits(monkeypatch):
    monkeypatch.setattr(hosted_module, "SERVICES_MAX", 2)
    monkeypatch.setattr(hosted_module, "ALIASES_MAX", 2)
    monkeypatch.setattr(modules_module, "MODULES_STORED_MAX", 2)
    monkeypatch.setattr(modules_module, "BLUEPRINTS_MAX", 2)

    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        await host.deploy(("counter", COUNTER))
        info = await host.ok("srv", "info", service_id)
        assert await host.error("srv", "create", info["blueprint_id"]) == "Error: the host has at most 2 services"
        await host.ok("srv", "add_alias", "a", service_id)
        await host.ok("srv", "add_alias", "b", service_id)
        for alias in ("c", "", "n" * (limits.NAME_BYTES_MAX + 1)):
            assert (
                await host.error("srv", "add_alias", alias, service_id)
                == "Error: a service has at most 2 aliases of 200 bytes"
            )
        await host.ok("dist", "add_module", encoded(LOGS), {"name": "logs"})
        await host.ok("dist", "add_module", encoded(LOGS), {"name": "again"})
        assert (
            await host.error("dist", "add_module", encoded(FOLDERS), {"name": "m"})
            == "Error: the host keeps at most 2 modules"
        )
        await host.ok("dist", "add_blueprint", BLUEPRINT)
        await host.ok("dist", "add_blueprint", BLUEPRINT)
        assert (
            await host.error("dist", "add_blueprint", BLUEPRINT.replace("two", "three"))
            == "Error: the host keeps at most 2 blueprints"
        )
        monkeypatch.setattr(modules_module, "MODULES_BYTES_MAX", len(COUNTER))
        assert "bytes of modules" in await host.error("dist", "add_module", encoded(COUNTER), {"name": "m"})

    on_host(body)


def test_the_longest_names():
    async def body(host: Host):
        name = "ä" * (limits.NAME_BYTES_MAX // 2)
        service_id = await host.deploy((name, COUNTER))
        assert (await host.ok("stat", "service_memory", service_id))[0]["name"] == name
        await host.ok("srv", "add_alias", name, service_id)
        assert await host.ok(name, "next") == 1
        text = json.dumps({"name": "", "dependencies": [{"/": A}]}, separators=(",", ":"))
        room = limits.BLUEPRINT_BYTES_MAX - len(text)
        await host.ok("dist", "add_blueprint", text.replace('""', f'"{"n" * room}"'))
        longer = text.replace('""', f'"{"n" * (room + 1)}"')
        assert "a blueprint takes at most 65536 bytes" in await host.error("dist", "add_blueprint", longer)

    on_host(body)


def test_functions_are_counted_up_to_a_number(monkeypatch):
    monkeypatch.setattr(hosted_module, "STATS_FUNCTIONS_MAX", 1)

    async def body(host: Host):
        service_id = await host.deploy(("counter", COUNTER))
        for name in ("next", "grow", "next"):
            await host.ok(service_id, name)
        (result,) = (await host.ok("stat", "service_stat", service_id))["result"]
        assert result["total_stats"]["success_req_count"] == 3
        assert [(one["name"], one["stats"]["success_req_count"]) for one in result["functions_stats"]] == [("next", 2)]

    on_host(body)


# ── particles ────────────────────────────────────────────────────────────────────────────────────────────────────────

DEPLOY = """
(xor
 (seq (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
 (seq (call %init_peer_id% ("getDataSrv" "wasm") [] wasm)
 (seq (call relay ("dist" "make_module_config") ["whose"] config)
 (seq (call relay ("dist" "add_module") [wasm config] cid)
 (seq (call relay ("op" "array") [cid] cids)
 (seq (call relay ("dist" "make_blueprint") ["whose" cids] blueprint)
 (seq (call relay ("dist" "add_blueprint") [blueprint] blueprint_id)
 (seq (call relay ("srv" "create") [blueprint_id] service_id)
 (seq (call relay ("srv" "add_alias") ["whose" service_id])
      (call %init_peer_id% ("callbackSrv" "response") [service_id blueprint_id])
 )))))))))
 (call %init_peer_id% ("errorHandlingSrv" "error") [:error:]))
"""
ASK = """
(xor
 (seq (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
 (seq (call relay ("op" "array") ["one" "two"] values)
 (seq (call relay ("whose" "whose") [values.$.[1]] told)
      (call %init_peer_id% ("callbackSrv" "response") [told])
 )))
 (call %init_peer_id% ("errorHandlingSrv" "error") [:error:]))
"""


def test_a_particle_deploys_a_service_and_calls_it_with_the_origin_of_its_arguments(tmp_path):
    async def deploy():
        async with open_network(tmp_path) as (client, _, _hosted):
            answer = await client.call(DEPLOY, ttl_ms=LONG_S * 1000, arguments={"wasm": encoded(WHOSE)})
            return answer.values

    service_id, blueprint_id = run(deploy)

    async def ask():
        async with open_network(tmp_path, author=STRANGER) as (client, _, hosted):
            answer = await client.call(ASK, ttl_ms=LONG_S * 1000)
            (info,) = [one.to_json() for one in hosted.all_of(HOST.peer_id)]
            return answer, info

    answer, info = run(ask)
    (told,) = answer.values
    assert info["aliases"] == ["whose"]
    assert (info["id"], info["blueprint_id"], info["owner_id"]) == (service_id, blueprint_id, MANAGER.peer_id)
    assert told["service_id"] == service_id
    assert told["service_creator_peer_id"] == MANAGER.peer_id
    assert told["particle"]["init_peer_id"] == STRANGER.peer_id
    assert told["particle"]["id"] == answer.particle_id
    assert told["tetraplets"] == [
        [{"peer_pk": HOST.peer_id, "service_id": "op", "function_name": "array", "lens": ".$.[1]"}]
    ]


def test_a_particle_of_a_stranger_deploys_nothing(tmp_path):
    from runtime.client import WorkflowError

    async def main():
        async with open_network(tmp_path, author=STRANGER) as (client, _, hosted):
            with pytest.raises(WorkflowError, match="only available to the host or worker spells"):
                await client.call(DEPLOY, ttl_ms=LONG_S * 1000, arguments={"wasm": encoded(WHOSE)})
            assert hosted.store.list_modules() == []

    run(main)


KEEP = """
(xor
 (seq (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
 (seq (call relay ("vault" "put") ["kept"] path)
 (seq (call relay ("vault" "cat") [path] text)
      (call %init_peer_id% ("callbackSrv" "response") [path text])
 )))
 (call %init_peer_id% ("errorHandlingSrv" "error") [:error:]))
"""


def test_files_of_a_particle_end_with_it(tmp_path):
    async def main():
        async with open_network(tmp_path, author=STRANGER, clock=LoopClock()) as (client, host, hosted):
            forgotten = trio.Event()
            host.on_forget.append(lambda _: forgotten.set())
            path, text = (await client.call(KEEP, ttl_ms=60_000)).values
            assert text == "kept"
            folder = hosted.vault.scope_folder(HOST.peer_id) / Path(path).parent.name
            assert folder.is_dir()
            await forgotten.wait()
            while folder.exists():
                await trio.lowlevel.checkpoint()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
