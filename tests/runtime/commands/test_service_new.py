"""`avm service new`: what is written; and where a compiler is there, that the project builds and does the same everywhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.commands.service_new import LANGUAGES, NAME_LENGTH_MAX, project_files
from runtime.marine.call_parameters import from_json
from runtime.marine.config import read_toml
from runtime.marine.files import service_config
from runtime.marine.host import Service
from tests.runtime.marine.reference import TOOLS, reference_answers

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_files(language, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["service", "new", "two_words", "--language", language]) == 0
    captured = capsys.readouterr()
    written = sorted(
        str(path.relative_to(tmp_path)) for path in Path("two_words").absolute().rglob("*") if path.is_file()
    )
    assert sorted(captured.out.splitlines()) == written
    assert captured.err == "next: cd two_words and read README.md\n"
    assert {"two_words/README.md", "two_words/build.py", "two_words/service.toml"} <= set(written)
    for path in written:
        text = Path(path).read_text()
        assert "@name@" not in text + path
        assert "@Title@" not in text
    compile(Path("two_words/build.py").read_text(), "build.py", "exec")
    assert "TwoWords" in Path("two_words/README.md").read_text()


@pytest.mark.parametrize(("args", "err"), [
    (("Upper", "--language", "c"), "Upper: expected a name of small letters"),
    (("a-b", "--language", "c"), "a-b: expected a name"),
    (("../a", "--language", "c"), "../a: expected a name"),
    (("", "--language", "c"), ": expected a name"),
    (("a" * (NAME_LENGTH_MAX + 1), "--language", "c"), "64 at most"),
    (("marine", "--language", "zig"), "marine is taken"), (("stats", "--language", "c"), "stats is taken"),
    (("json", "--language", "python"), "json is taken"),
    (("a", "--language", "cobol"), "invalid choice: 'cobol'"),
    (("a",), "--language"),
    (("full", "--language", "c"), "full exists and is not an empty folder"),
    (("a", "--language", "c", "--directory", "file"), "file exists and is not an empty folder"),
    (("a", "--language", "c", "--directory", "file/below"), "cannot write file/below: Not a directory"),
])  # fmt: skip
def test_mistakes(args, err, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full", "kept").write_text("mine")
    Path("file").write_text("mine")
    assert main(["service", "new", *args]) == 2
    assert err in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["file", "full"]
    assert Path("full", "kept").read_text() == "mine"


def test_an_empty_folder_and_the_longest_name_will_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("place").mkdir()
    assert main(["service", "new", "a" * NAME_LENGTH_MAX, "--language", "c", "--directory", "place", "-q"]) == 0
    assert capsys.readouterr().err == ""


# ── builds ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TETRAPLET = {"peer_pk": "p", "service_id": "s", "function_name": "f", "lens": ".$"}
CALLER = {
    "particle": {
        "id": "id", "init_peer_id": "the ähthor", "timestamp": 2**40, "ttl": 7, "script": "(null)", "signature": [1, 2, 255],
        "token": "t",
    },
    "service_id": "service", "service_creator_peer_id": "creator", "host_id": "host", "worker_id": "worker",
    "tetraplets": [[TETRAPLET, TETRAPLET], [], [TETRAPLET]],
}  # fmt: skip
CALLS = [
    ("greet", ["you"], {}),
    ("greet", [""], {}),
    ("greet", ["日本 \u0000 end"], {}),
    ("greet", ["x" * 200_000], {}),
    ("words", [""], {}),
    ("words", ["   "], {}),
    ("words", ["  one two   ähm "], {}),
    ("words", ["a " * 3000], {}),
    ("stats", [[]], {}),
    ("stats", [[1.5, -2, 3e300]], {}),
    ("stats", [[0.1] * 5000], {}),
    ("visits", [], {}),
    ("visits", [], {}),
    ("caller", [], {}),
    ("caller", [], CALLER),
    ("greet", [1], {}),
    ("nothing", [], {}),
]


def rustc_with_wasm() -> bool:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        rustc = Path(folder, "rustc")
        if rustc.is_file():
            command = [str(rustc), "--print", "target-libdir", "--target", "wasm32-unknown-unknown"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0 and Path(done.stdout.strip()).is_dir():
                return True
    return False


def needed(language: str, folder: Path, path: str) -> str:
    """The PATH to build with. Skips where the compiler is missing."""
    if language in ("zig", "c with zig") and not (TOOLS / "python" / "ziglang").is_dir():
        pytest.skip("Zig is not here (pip install --target .reference/tools/python ziglang)")
    if language == "c" and not (shutil.which("clang") and shutil.which("wasm-ld")):
        pytest.skip("clang or wasm-ld is not here (Debian: apt install clang lld)")
    if language == "python" and importlib.util.find_spec("runtime.commands.service_build") is None:
        pytest.skip("this version has no `avm service build`")
    if language == "rust" and not rustc_with_wasm():
        pytest.skip(
            "no rustc with the target wasm32-unknown-unknown (Debian: apt install rustc libstd-rust-dev-wasm32 lld)"
        )
    if language == "assemblyscript":
        if shutil.which("node") is None or not (TOOLS / "node_modules" / "assemblyscript").is_dir():
            pytest.skip("AssemblyScript is not here (npm install --prefix .reference/tools assemblyscript)")
        (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    return "" if language == "c with zig" else path


def build(language: str, folder: Path) -> Path:
    """Make the project and run its build; its module."""
    assert main(["service", "new", "demo", "--language", language.split()[0], "--directory", str(folder), "-q"]) == 0
    path = needed(language, folder, os.environ.get("PATH", ""))
    env = os.environ | {"PATH": path, "PYTHONPATH": os.pathsep.join((str(ROOT), str(TOOLS / "python")))}
    done = subprocess.run(
        [sys.executable, "build.py"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [
        line for line in done.stderr.splitlines() if not re.fullmatch(r"demo\.wasm: \d+ bytes, functions .*", line)
    ]
    assert lines == ["all modules fit"], "no warning of the compiler"
    return folder / "demo.wasm"


BUILDS = ("c", "c with zig", "zig", "assemblyscript", "rust", "python")


@pytest.mark.slow
@pytest.mark.parametrize("language", BUILDS)
def test_builds_and_does_the_same_in_marine_js(language, tmp_path):
    folder = tmp_path / "demo"
    module = build(language, folder)
    ours = []
    with Service(read_toml(folder / "service.toml")) as service:
        for function, arguments, parameters in CALLS:
            try:
                answer = service.call(function, arguments, from_json(parameters))
                ours.append({"result": answer})
            except Exception as error:  # noqa: BLE001 - the texts are compared
                ours.append({"error": str(error)})
    assert ours[0] == {"result": "Hello, you"}
    assert ours[6] == {"result": ["one", "two", "ähm"]}
    assert ours[9] == {"result": {"count": 3, "mean": 1e300}}
    assert ours[12] == {"result": 2}
    assert ours[14] == {"result": "the ähthor"}
    assert reference_answers([("demo", module)], CALLS) == ours


@pytest.mark.slow
@pytest.mark.parametrize("language", BUILDS)
def test_memory_is_freed(language, tmp_path):
    """Calls by the thousand do not make the memory grow: arguments, results and call parameters are freed."""
    folder = tmp_path / "demo"
    build(language, folder)
    with Service(read_toml(folder / "service.toml")) as service:

        def some(times: int) -> int:
            for _ in range(times):
                service.call("greet", ["x" * 10_000])
                service.call("words", ["one two " * 50])
                service.call("stats", [[1.0] * 500])
                service.call("caller", [], from_json(CALLER))
            return service.memory_stats()[0]["memory_size_bytes"]

        assert some(300) == some(50)


STORE = """#include "marine.h"
static u8 kept[16]; static u32 kept_size;
EXPORT(put) u32 put(u8 *text, u32 size) { kept_size = size < 16 ? size : 16; memcpy(kept, text, kept_size); marine_free(text); return size; }
EXPORT(get) void get(u32 times) {
  u8 *text = marine_alloc(kept_size * times);
  for (u32 i = 0; i < times; i++) memcpy(text + i * kept_size, kept, kept_size);
  marine_return(text, kept_size * times);
}
"""
USER = """#include "marine.h"
IMPORT("store", "put") u32 store_put(const u8 *text, u32 size);
IMPORT("store", "get") void store_get(u32 times);
EXPORT(twice) void twice(u8 *text, u32 size) {
  u32 length = store_put(text, size);
  marine_free(text);
  if (length != size) __builtin_trap();
  store_get(2);
  marine_return((void *)marine_pointer, marine_size);
}
"""
STORE_AQUA = 'aqua Store declares *\nservice Store("store"):\n  put(text: string) -> u32\n  get(times: u32) -> string\n'
USER_AQUA = 'aqua User\nimport "store.aqua"\nservice User("user"):\n  twice(text: string) -> string\n'


@pytest.mark.slow
def test_c_modules_that_call_each_other(tmp_path):
    """`IMPORT` of `marine.h`, with an interface that imports that of the other module."""
    needed("c", tmp_path, "")
    (tmp_path / "marine.h").write_text(project_files("demo", "c")["marine.h"])
    for name, source, aqua in (("store", STORE, STORE_AQUA), ("user", USER, USER_AQUA)):
        (tmp_path / f"{name}.c").write_text(source)
        (tmp_path / f"{name}.aqua").write_text(aqua)
        flags = ["--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-o", f"{name}.core.wasm", f"{name}.c"]
        subprocess.run(["clang", *flags], cwd=tmp_path, check=True)
        paths = [str(tmp_path / f"{name}.{tail}") for tail in ("core.wasm", "aqua", "wasm")]
        assert main(["service", "embed", *paths[:2], "-o", paths[2]]) == 0
    modules = [(name, tmp_path / f"{name}.wasm") for name in ("store", "user")]
    calls = [("twice", ["abc"], {}), ("twice", [""], {}), ("twice", ["é" * 8], {})]
    with Service(service_config([f"{name}={path}" for name, path in modules])) as service:
        ours = [{"result": service.call(fn, args)} for fn, args, _ in calls]
        assert [one["result"] for one in ours] == ["abcabc", "", "é" * 16]
        assert reference_answers(modules, calls) == ours
        sizes = []
        for _ in range(3):
            for _ in range(2000):
                service.call("twice", ["abcdefgh"])
            sizes.append(service.memory_stats())
        assert sizes[0] == sizes[2], "what one module gives the other is freed"


def test_every_language_declares_the_same_interface():
    interfaces = {language: project_files("demo", language)["demo.aqua"] for language in LANGUAGES}
    assert len(set(interfaces.values())) == 1
    assert json.dumps(sorted(interfaces)) == json.dumps(sorted(LANGUAGES))
