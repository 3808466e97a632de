"""Configurations in all their forms; unknown keys are refused with their place."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from runtime.marine.config import (
    ConfigError,
    ModuleConfig,
    ServiceConfig,
    from_marine_js,
    from_module_json,
    from_toml,
    parse_size,
    read_toml,
)
from runtime.marine.errors import LoadError
from runtime.marine.files import service_config
from runtime.marine.host import Service
from tests.runtime.marine.kit import function, module, own

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
        (('name = "facade"', 'name = "facade"\nwasi = false'), r"module\[1\]\.wasi: expected a table"),
        (('load_from = "elsewhere"', "load_from = 0"), r"module\[1\]\.load_from: expected a string"),
        (('file_name = "other.wasm"', "file_name = []"), r"module\[1\]\.file_name: expected a string"),
        (('{ A = "1" }', "[]"), r"module\[0\]\.wasi\.envs: expected a table"),
        (("logging_mask = 7", "show_host_path = true"), r"module\[1\]\.show_host_path: unknown key; did you mean"),
        (("logging_mask = 7", "inherit_environment = 1"), r"module\[1\]\.inherit_environment: expected true or false"),
        (("[[module]]", "[default]\nnam = 1\n[[module]]"), r"default\.nam: unknown key; did you mean `name`"),
        (
            ("[[module]]", "[default.wasi]\nenv = 1\n[[module]]"),
            r"default\.wasi\.env: unknown key; did you mean `envs`",
        ),
    ],
)
def test_mistakes(tmp_path, change, complaint):
    assert change[0] in FULL
    with pytest.raises(ConfigError, match=complaint):
        check(FULL.replace(*change, 1), folders(tmp_path))


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


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 XiB", -1, 1.5, None, True, "1 2", "9" * 5000, "9" * 400 + ".5"])
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
    (tmp_path / "Config.toml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "Config.toml").read_bytes())
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


JS = {
    "modules_config": [
        {
            "import_name": "a",
            "config": {"wasi": {"envs": {"A": "1"}, "mapped_dirs": {"/d": "data"}}, "inherit_environment": True},
        },
        {
            "import_name": "b",
            "config": {"logger_enabled": False, "mounted_binaries": {"ls": "/bin/ls"}, "show_host_paths": False},
        },
    ]
}


def test_json_of_a_file(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(JS))
    config = service_config([str(tmp_path / "c.json")])
    first, second = config.modules
    assert [module.path for module in config.modules] == [tmp_path / "a.wasm", tmp_path / "b.wasm"]
    assert first.mapped_dirs == {"/d": tmp_path / "data"}, "paths start at the file, not where the command runs"
    assert (first.envs, second.envs) == ({"A": "1"}, {}), "permissions are of one module each"
    assert (first.mounted_binaries, second.mounted_binaries) == ({}, {"ls": "/bin/ls"})
    assert (first.inherit_environment, second.inherit_environment) == (True, False)
    assert (first.show_host_paths, second.show_host_paths) == (True, False)


@pytest.mark.parametrize(("change", "complaint"), [
    (('"envs"', '"env"'), "modules_config[0].config.wasi.env: unknown key; did you mean `envs`?"),
    (('"wasi"', '"wassi"'), "modules_config[0].config.wassi: unknown key; did you mean `wasi`?"),
    (('"import_name": "b"', '"name": "b"'), "modules_config[1].name: unknown key"),
    (('"modules_config"', '"module_config"'), "module_config: unknown key; did you mean `modules_config`?"),
    (('"/bin/ls"', '"ls"'), "modules_config[1].config.mounted_binaries.ls: IOError: Failed to canonicalize path"),
    (('"A": "1"', '"A": "1", "A": "2"'), "A: the key is there twice"),
    (('{"A": "1"}', "false"), "modules_config[0].config.wasi.envs: expected a table"),
    (('{"/d": "data"}', '"/d"'), "modules_config[0].config.wasi.mapped_dirs: expected a table"),
    (('{"modules_config"', '"modules_config"'), "not JSON: Extra data"),
])  # fmt: skip
def test_mistakes_in_json(tmp_path, change, complaint):
    text = json.dumps(JS)
    assert change[0] in text
    (tmp_path / "c.json").write_text(text.replace(*change, 1))
    with pytest.raises(ConfigError) as caught:
        service_config([str(tmp_path / "c.json")])
    assert str(caught.value).startswith(f"{tmp_path / 'c.json'}: {complaint}")


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "c.json").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"c\.json: not UTF-8 \(byte 0\)"):
        service_config([str(tmp_path / "c.json")])
    (tmp_path / "c.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"c\.toml: not UTF-8 \(byte 0\)"):
        service_config([str(tmp_path / "c.toml")])
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match=r"deep\.toml: not TOML: nested too deeply"):
        service_config([str(tmp_path / "deep.toml")])
    (tmp_path / "long.toml").write_text("total_memory_limit = " + "9" * 5000)
    with pytest.raises(ConfigError, match=r"long\.toml: not TOML: Exceeds the limit"):
        service_config([str(tmp_path / "long.toml")])
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ConfigError, match=r"deep\.json: not JSON: nested too deeply"):
        service_config([str(tmp_path / "deep.json")])


def test_names_no_file_can_have(tmp_path):
    head = 'total_memory_limit = "Infinity"\n[[module]]\nname = "m"\n'
    (tmp_path / "c.toml").write_text('modules_dir = "a\\u0000"\n' + head)
    with pytest.raises(ConfigError, match=r"modules_dir: IOError: Failed to canonicalize path .* embedded null byte"):
        service_config([str(tmp_path / "c.toml")])
    (tmp_path / "c.toml").write_text(head + 'load_from = "/a\\u0000"\n')
    with pytest.raises(LoadError, match=r"cannot read .*: embedded null byte"):
        Service(service_config([str(tmp_path / "c.toml")]))


def test_a_memory_limit_beyond_all_numbers_is_none():
    wasm = module('(func (export "f"))', {"functions": [function("f")]})
    for limit in (2**63, 2**64, 2**80):
        with Service(ServiceConfig((ModuleConfig("m"),), memory_limit=limit), {"m": wasm}) as service:
            assert service.call("f", []) is None


LOGS_ITS_NAME = """(data (i32.const 0) "{0}")
  (func (export "_start") (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)))"""


def test_modules_load_in_the_order_of_the_configuration(tmp_path):
    imports = '(import "host" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
    for name in "cab":
        (tmp_path / f"{name}.wasm").write_bytes(module(LOGS_ITS_NAME.format(name), imports=imports))
    entries = "".join(f'[[module]]\nname = "{name}"\n' for name in "cab")
    (tmp_path / "c.toml").write_text(f'total_memory_limit = "Infinity"\nmodules_dir = "."\n{entries}')
    said = []
    config = service_config([str(tmp_path / "c.toml")])
    with Service(config, log=lambda record: said.append(record.message)) as service:
        assert said == ["c", "a", "b"]
        assert service.facade == "b"
