"""Configurations in all their forms; unknown keys are refused with their place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from runtime.marine.config import ConfigError, from_marine_js, from_module_json, from_toml, parse_size, read_toml
from runtime.marine.files import service_config
from runtime.marine.host import Service
from tests.runtime.marine.kit import own

FULL = """
modules_dir = "modules"
total_memory_limit = "10 MiB"
service_working_dir = "work"

[[module]]
name = "first"
mem_pages_count = 100
logger_enabled = false
[module.wasi]
envs = { A = "1" }
mapped_dirs = { "/data" = "data", "/abs" = "/somewhere" }
preopened_files = ["/x"]
[module.mounted_binaries]
curl = "/usr/bin/curl"

[[module]]
name = "facade"
file_name = "other.wasm"
load_from = "elsewhere"
logging_mask = 7
"""


def check(text, folder):
    return from_toml(tomllib.loads(text), folder)


def folders(tmp_path):
    for name in ("modules", "elsewhere"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_all_keys(tmp_path):
    config = check(FULL, folders(tmp_path))
    first, facade = config.modules
    assert config.memory_limit == 10 << 20
    assert config.facade is facade
    assert first.path == tmp_path / "modules" / "first.wasm"
    assert facade.path == tmp_path / "elsewhere" / "other.wasm"
    assert (first.logger_enabled, facade.logger_enabled, facade.logging_mask) == (False, True, 7)
    assert first.envs == {"A": "1"}
    assert first.mapped_dirs == {"/data": tmp_path / "work" / "data", "/abs": Path("/somewhere")}
    assert first.mounted_binaries == {"curl": "/usr/bin/curl"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('name = "first"', 'nam = "first"'), r"module\[0\]\.nam: unknown key; did you mean `name`\?"),
        (('envs = { A = "1" }', 'evns = { A = "1" }'), r"module\[0\]\.wasi\.evns: unknown key; did you mean `envs`"),
        (("total_memory_limit", "total_memory"), "total_memory: unknown key"),
        (('total_memory_limit = "10 MiB"', ""), "total_memory_limit: missing"),
        (('"10 MiB"', '"10 XB"'), "total_memory_limit: expected a size"),
        (('modules_dir = "modules"', ""), '"modules_dir" field is not defined'),
        (('modules_dir = "modules"', 'modules_dir = "nowhere"'), "modules_dir: IOError: Failed to canonicalize path"),
        (("logger_enabled = false", "logger_enabled = 1"), r"module\[0\]\.logger_enabled: expected true or false"),
        (("logging_mask = 7", "logging_mask = 4294967296"), r"module\[1\]\.logging_mask: expected an integer"),
        (('{ A = "1" }', "{ A = 1 }"), r"module\[0\]\.wasi\.envs\.A: expected a string"),
        (('"/usr/bin/curl"', '"bin/curl"'), r"module\[0\]\.mounted_binaries\.curl: IOError"),
        (('name = "facade"', ""), r"module\[1\]\.name: missing"),
    ],
)
def test_mistakes(tmp_path, change, complaint):
    assert change[0] in FULL
    with pytest.raises(ConfigError, match=complaint):
        check(FULL.replace(*change), folders(tmp_path))


def test_no_module():
    with pytest.raises(ConfigError, match="at least one module"):
        check('total_memory_limit = "Infinity"', Path())


@pytest.mark.parametrize(
    ("text", "size"),
    [("10 MiB", 10 << 20), ("10 MB", 10**7), ("7", 7), ("1.5 KiB", 1536), ("2k", 2000), (12, 12), ("1 GiB", 1 << 30),
     ("Infinity", None), ("infinity", None)],
)  # fmt: skip
def test_sizes(text, size):
    assert parse_size(text, "x") == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 XiB", -1, 1.5, None, True, "1 2"])
def test_no_sizes(text):
    with pytest.raises(ConfigError, match="x: expected a size"):
        parse_size(text, "x")


def test_marine_js_form():
    wasi = {"envs": {"A": "1"}, "mapped_dirs": None}
    config = from_marine_js(
        {"modules_config": [{"import_name": "a", "config": None},
                            {"import_name": "b", "config": {"logger_enabled": True, "logging_mask": 3, "wasi": wasi}}]}
    )  # fmt: skip
    assert [module.name for module in config.modules] == ["a", "b"]
    assert (config.modules[0].logger_enabled, config.modules[0].logging_mask) == (False, 0)
    assert (config.modules[1].logging_mask, config.modules[1].envs) == (3, {"A": "1"})
    for broken in (
        5,
        {},
        {"modules_config": []},
        {"modules_config": [{"import_name": 1}]},
        {"modules_config": [{"name": "a"}]},
    ):
        with pytest.raises(ConfigError):
            from_marine_js(broken)


def test_flat_form_of_a_peer():
    config = from_module_json(
        {"name": "a", "load_from": None, "file_name": None, "wasi": {"envs": {"A": "1"}}, "max_heap_size": None}
    )
    assert (config.name, config.envs) == ("a", {"A": "1"})
    with pytest.raises(ConfigError, match="name: missing"):
        from_module_json({})


def test_service_of_a_file(tmp_path):
    (tmp_path / "demo.wasm").write_bytes(own("demo.wat"))
    text = 'total_memory_limit = "Infinity"\nmodules_dir = "."\n[[module]]\nname = "demo"\n'
    (tmp_path / "Config.toml").write_text(text)
    assert Service(read_toml(tmp_path / "Config.toml")).call("add", [1, 2]) == 3
    assert Service(service_config([str(tmp_path / "demo.wasm")])).call("add", [1, 2]) == 3
    for paths in (
        [],
        ["x.txt"],
        [str(tmp_path)],
        ["a.wasm", "b.toml"],
        [str(tmp_path / "none.toml")],
        [str(tmp_path / "none.json")],
    ):
        with pytest.raises(ConfigError):
            service_config(paths)
