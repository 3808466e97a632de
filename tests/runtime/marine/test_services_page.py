"""`docs/services.md`: its examples work, its numbers are those of the code, and the schemas say what is read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema

from aquac import compile_source
from runtime.cli import build_parser
from runtime.commands.service import GROUPS
from runtime.marine import limits as marine_limits
from runtime.marine.archive import read_archive
from runtime.marine.config import ModuleConfig, ServiceConfig, from_toml
from runtime.marine.interface_aqua import checked, read_interface
from runtime.marine.packed import pack
from runtime.services import limits
from tests.runtime.marine.kit import CORPUS, own

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def test_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    config = from_toml(tomllib.loads(block("toml")), tmp_path)
    assert config.memory_limit == 64 << 20
    assert config.facade.mounted_binaries == {"curl": "/usr/bin/curl"}
    from_toml(
        tomllib.loads(block("toml") + "[[module]]\nname = 'x'\nshow_host_paths = false\ninherit_environment = true\n"),
        tmp_path,
    )


def test_the_interface(tmp_path: Path) -> None:
    (tmp_path / "greeting.aqua").write_text(block("aqua"))
    described = read_interface(str(tmp_path / "greeting.aqua"))
    assert described.name == "greeting"
    assert described.description["imports"] == [
        {
            "namespace": "store",
            "functions": [{"name": "put", "args": [["key", "string"], ["value", "[]u8"]], "ret": None}],
        }
    ]
    assert described.description["records"] == [{"name": "Visit", "fields": [["name", "string"], ["times", "u32"]]}]


PRELUDE = """\
aqua Page

import "@fluencelabs/aqua-lib/builtin.aqua"
import "@fluencelabs/aqua-lib/workers.aqua"
import "@fluencelabs/spell/api.aqua"
import "@fluencelabs/spell/spell_service.aqua"

export greet, install, hire

data Greeting:
  text: string

data Arguments:
  name: string

"""


def test_workers_and_spells() -> None:
    hire = "func hire() -> []Service:\n" + "".join(f"  {line}\n" for line in block("aqua", 1).splitlines())
    compiled = compile_source(PRELUDE + hire + "  <- services\n\n" + block("aqua", 2))
    assert [found.message for found in compiled.diagnostics if found.severity.name == "ERROR"] == []
    assert set(compiled.functions) == {"greet", "install", "hire"}
    storage = f"{limits.SPELL_STORAGE_BYTES_MAX >> 20} MiB for what one spell keeps"
    assert f"{limits.WORKERS_MAX} workers, {storage}, {limits.LOGS_KEPT} entries of" in PAGE.replace("\n", " ")
    for text in (
        f"the last {limits.ERRORS_KEPT} particles",
        f"every {limits.WORKER_PERIOD_SEC // 60} minutes",
        f"{limits.SPELL_PARTICLES_MAX} of one spell live at the same time",
        f"{limits.MESSAGES_KEPT} messages of {limits.MESSAGE_BYTES_MAX >> 20} MiB",
        f"the last {limits.MESSAGES_KEPT} messages and {limits.LOGS_KEPT} entries",
    ):
        assert text in PAGE, text
    assert limits.SPELL_TTL_MS == 120_000, "two minutes, the page says"


def test_the_numbers() -> None:
    for text in (
        f"({marine_limits.ARCHIVE_BYTES_MAX >> 20} MiB, {marine_limits.ARCHIVE_ENTRIES_MAX} entries, "
        f"names of {marine_limits.ARCHIVE_NAME_LENGTH_MAX} letters)",
        f"{limits.MODULES_STORED_MAX:,} modules of {limits.MODULES_BYTES_MAX >> 30} GiB in all",
        f"{limits.SERVICES_MAX} services, {limits.ALIASES_MAX} aliases of a service, {limits.WAITING_CALLS_MAX} waiting calls",
        f"(4 GiB) for a service, {limits.VAULT_FILE_BYTES_MAX >> 20} MiB for a file of a vault and {limits.VAULT_BYTES_MAX >> 30} GiB",
    ):
        assert text in PAGE
    assert limits.SERVICE_START_MS_MAX == 60_000
    assert limits.SERVICE_MEMORY_BYTES_MAX == (4 << 30) - 1


def test_every_command_is_there() -> None:
    actions = build_parser(["service"])._subparsers._group_actions[0].choices["service"]._subparsers._group_actions  # type: ignore[union-attr]
    commands = set(actions[0].choices)  # type: ignore[arg-type]
    told = set(re.findall(r"^\| `([a-z]+)", PAGE, re.MULTILINE)) | {"aqua", "check"}
    assert commands <= told
    assert len(GROUPS) == len(set(GROUPS))


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / "docs" / "schemas" / f"avm-service-{name}.schema.json").read_text(encoding="utf-8"))
    )


def test_schemas() -> None:
    interface = validator("interface")
    for line in (CORPUS / "it_sections.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)["interface"]
        interface.validate(document)
        checked(document)
    for wrong in ([], {"functions": [{}]}, {"functions": [{"name": "f", "args": [["a"]]}]}, {"function": []}):
        assert not interface.is_valid(wrong)
    config = ServiceConfig((ModuleConfig("a", envs={"A": "1"}, mapped_dirs={"/d": Path()}),), 5)
    packed = json.loads(read_archive(pack(config, [own("demo.wat")], form="tar"))["service.json"])
    validator("packed").validate(packed)
    assert not validator("packed").is_valid(packed | {"format": 2})
