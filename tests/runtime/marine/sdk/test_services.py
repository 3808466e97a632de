"""Modules with each other and with the host: calls, records, errors across modules, call parameters, log levels, programs of the host."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runtime.marine.call_parameters import from_json
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.host import Service
from tests.runtime.marine.sdk import kit

STORE = """
from dataclasses import dataclass
from runtime.marine.sdk import export, log, u8

@dataclass
class Row:
    key: str
    values: list[int]
    data: bytes
    tags: list[list[str]]
    note: str | None

rows: list[Row] = []

@export
def put(row: Row, again: list[Row], n: u8, x: float, on: bool) -> list[Row]:
    log.info(f"put {row.key} {n} {x} {on}")
    rows.append(row)
    return rows + again

@export
def size() -> int:
    return len(rows)

@export
def name(prefix: str, parts: list[str]) -> str:
    return prefix + "/".join(parts)

@export
def nothing(x: u8) -> None:
    log.warning(str(x))

@export
def fail(message: str) -> Row:
    raise ValueError(message)

@export
def maybe(n: int) -> Row | None:
    return rows[n] if n < len(rows) else None
"""

FACADE = """
from dataclasses import dataclass
from runtime.marine.sdk import export, service, u8, log

@dataclass
class Row:
    key: str
    values: list[int]
    data: bytes
    tags: list[list[str]]
    note: str | None

@service("store")
class Store:
    def put(self, row: Row, again: list[Row], n: u8, x: float, on: bool) -> list[Row]: ...
    def size(self) -> int: ...
    def name(self, prefix: str, parts: list[str]) -> str: ...
    def nothing(self, x: u8) -> None: ...
    def fail(self, message: str) -> Row: ...
    def maybe(self, n: int) -> Row | None: ...

store = Store()
seen: list[str] = []

@export
def put(key: str, values: list[int]) -> list[Row]:
    row = Row(key, values, key.encode(), [[key], []], None)
    seen.append(key)
    return store.put(row, [Row("again", [], b"", [], "yes")], 7, 1.5, True)

@export
def sizes() -> list[int]:
    store.nothing(3)
    return [Store().size(), len(seen)]

@export
def name(a: str) -> str:
    return store.name(a + a, [a, "", a]) + store.name("", [])

@export
def fail(message: str) -> str:
    seen.append(message)
    return store.fail(message * 100).key

@export
def maybe(n: int) -> str:
    found = store.maybe(n)
    return "none" if found is None else found.key + str(found.note)

@export
def all_seen() -> list[str]:
    return seen
"""


@pytest.fixture(scope="module")
def modules() -> dict[str, bytes]:
    return {"store": kit.wasm_of(STORE, "store.py"), "facade": kit.wasm_of(FACADE, "facade.py")}


CALLS = [
    ("put", "a", [1, 2]), ("put", "", []), ("put", "wörld", [-5]), ("sizes",), ("name", "é"), ("name", ""), ("maybe", 0), ("maybe", 9),
    ("fail", "broken"), ("sizes",), ("put", "b", [2**63 - 1]), ("all_seen",),
]  # fmt: skip


def row(key: str, values: list[int], note: list[str] | None = None) -> dict:
    return {"key": key, "values": values, "data": list(key.encode()), "tags": [[key], []], "note": note or []}


def test_modules_call_each_other(modules: dict[str, bytes]) -> None:
    running = kit.Ours(modules)
    again = {"key": "again", "values": [], "data": [], "tags": [], "note": ["yes"]}
    assert running.call("put", "a", [1, 2]) == [row("a", [1, 2]), again]
    assert running.logs == [["info", "put a 7 1.5 True"]]
    assert running.call("put", "wörld", []) == [row("a", [1, 2]), row("wörld", []), again]
    assert running.call("sizes") == [2, 2]
    assert running.logs == [["warn", "3"]]
    assert running.call("name", "é") == "ééé//é"
    assert running.call("maybe", 1) == "wörldNone"
    assert running.call("maybe", 2) == "none"


def test_an_error_of_another_module_ends_the_call(modules: dict[str, bytes]) -> None:
    """What the caller had made is given up, its variables stay; also if that happens again and again."""
    running = kit.Ours(modules)
    for n in range(1500):
        made = running.call("fail", f"{n}")
        assert isinstance(made, kit.Failed)
        assert made.kind == "ValueError"
    assert running.pages() < 8
    assert running.call("all_seen") == [str(n) for n in range(1500)]
    assert running.call("name", "a") == "aaa//a"


@pytest.mark.reference
def test_the_same_in_marine_js(modules: dict[str, bytes], theirs: kit.Theirs, tmp_path: Path) -> None:
    running = kit.Ours(modules)
    assert theirs.load(modules, tmp_path) is None
    for call in CALLS * 3:
        got, want = running.call(*call), theirs.call(*call)
        assert running.logs == theirs.logs
        assert (isinstance(got, kit.Failed) and isinstance(want, kit.Failed)) or got == want, call


PARAMETERS = """
from runtime.marine.sdk import CallParameters, Tetraplet, call_parameters, export

last = CallParameters()

@export
def show() -> list[str]:
    p = call_parameters()
    out = [p.particle.id, p.particle.init_peer_id, str(p.particle.timestamp), str(p.particle.ttl), p.particle.script, p.particle.token]
    out += [p.particle.signature.hex(), p.service_id, p.service_creator_peer_id, p.host_id, p.worker_id, str(len(p.tetraplets))]
    for group in p.tetraplets:
        for t in group:
            out.append(t.peer_pk + t.service_id + t.function_name + t.lens)
    return out

@export
def whole(x: str) -> CallParameters:
    global last
    last = call_parameters()
    return last

@export
def before() -> CallParameters:
    return last
"""

GIVEN = {
    "particle": {
        "id": "p", "init_peer_id": "init", "timestamp": 1700000000000, "ttl": 7000, "script": "(null)", "signature": [1, 255], "token": "t"
    },
    "service_id": "s", "service_creator_peer_id": "c", "host_id": "h", "worker_id": "w",
    "tetraplets": [[{"peer_pk": "a", "service_id": "b", "function_name": "c", "lens": ".$.d"}], []],
}  # fmt: skip


def test_call_parameters(tmp_path: Path) -> None:
    modules = {"m": kit.wasm_of(PARAMETERS)}
    running = kit.Ours(modules)
    shown = running.service.call("show", [], from_json(GIVEN))
    assert shown == ["p", "init", "1700000000000", "7000", "(null)", "t", "01ff", "s", "c", "h", "w", "2", "abc.$.d"]
    assert running.service.call("whole", ["x"], from_json(GIVEN)) == GIVEN
    assert running.call("show")[0] == ""
    for _ in range(2000):
        running.call("show")
    assert running.call("before") == GIVEN
    assert running.pages() < 6


@pytest.mark.reference
def test_call_parameters_in_marine_js(theirs: kit.Theirs, tmp_path: Path) -> None:
    assert theirs.load({"m": kit.wasm_of(PARAMETERS)}, tmp_path) is None
    assert theirs.call("show", parameters=GIVEN)[-1] == "abc.$.d"
    assert theirs.call("whole", "x", parameters=GIVEN) == GIVEN
    assert theirs.call("before") == GIVEN


LEVELS = """
from runtime.marine.sdk import export, log

@export
def speak(n: int) -> int:
    log.error("e")
    log.warning("w")
    log.info("i", target=n)
    log.debug(f"d{n}")
    log.trace("t")
    return 10 // n
"""


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (None, "ewi"),
        ("info", "ewi"),
        ("off", ""),
        ("error", "e"),
        ("warn", "ew"),
        ("debug", "ewid1"),
        ("trace", "ewid1t"),
        ("other", "ewi"),
        ("errors", "ewi"),
        ("err", "ewi"),
        ("", "ewi"),
        ("TRACE", "ewid1t"),
        ("Error", "e"),
    ],
)
@pytest.mark.parametrize("where", ["ours", pytest.param("theirs", marks=pytest.mark.reference)])
def test_levels(level: str | None, said: str, where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """As modules made with Rust: WASM_LOG says what is wanted, info by default. The message of an error is always passed on."""
    envs = {"A": "WASM_LOG=trace", "Z": "1"} | ({} if level is None else {"WASM_LOG": level})
    modules = {"m": kit.wasm_of(LEVELS)}
    if where == "ours":
        running = kit.Ours(modules, envs=envs)
    else:
        running = request.getfixturevalue("theirs")
        assert running.load(modules, tmp_path, envs=envs) is None
    assert running.call("speak", 1) == 10
    assert "".join(message for _, message in running.logs) == said
    running.call("speak", 0)
    assert running.logs[-1] == ["error", "module.py:11: ZeroDivisionError: integer division or modulo by zero"]


def test_masks() -> None:
    """A message with a target passes if the mask of the module's configuration has one of its bits."""
    running = kit.Ours({"m": kit.wasm_of(LEVELS)}, settings={"logging_mask": 2})
    running.call("speak", 1)
    assert [message for _, message in running.logs] == ["e", "w"]
    running.call("speak", 6)
    assert [message for _, message in running.logs] == ["e", "w", "i"]


def test_without_the_log() -> None:
    """A module for hosts with logging off says nothing, and imports nothing."""
    wasm = kit.wasm_of(LEVELS, logging=False)
    running = kit.Ours({"m": wasm}, settings={"logger_enabled": False})
    assert running.call("speak", 2) == 5
    assert isinstance(running.call("speak", 0), kit.Failed)
    assert running.logs == []
    assert b"log_utf8_string" not in wasm


EFFECTOR = """
from runtime.marine.sdk import MountedBinaryResult, export, service

@service("host")
class Host:
    def tool(self, args: list[str]) -> MountedBinaryResult: ...

host = Host()

@export
def run(args: list[str]) -> MountedBinaryResult:
    return host.tool(args)

@export
def text(arg: str) -> str:
    result = host.tool(["-n", arg])
    if result.ret_code != 0:
        raise RuntimeError(f"{result.ret_code} {result.error}{result.stderr.decode()}")
    return result.stdout.decode().strip()
"""


def test_programs_of_the_host(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\nprintf "%s," "$@"\nprintf oops >&2\n[ "$2" != bad ] || exit 3\n')
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    logs = []
    config = ServiceConfig((ModuleConfig("m", mounted_binaries={"tool": str(tool)}),))
    service = Service(config, {"m": kit.wasm_of(EFFECTOR)}, log=logs.append)
    assert service.call("run", [["a", "b c"]]) == {
        "ret_code": 0,
        "error": "",
        "stdout": list(b"a,b c,"),
        "stderr": list(b"oops"),
    }
    assert service.call("text", ["hi"]) == "-n,hi,"
    with pytest.raises(Exception, match="unreachable"):
        service.call("text", ["bad"])
    assert logs[-1].message == "module.py:18: RuntimeError: 3 oops"
    service.close()
