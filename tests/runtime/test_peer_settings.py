"""Settings of `avm peer run`: where they come from, and what is said about wrong ones."""

from __future__ import annotations

import base64
import json
import logging
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from aquac.command_line import CommandError
from runtime import tracing
from runtime.cli import main
from runtime.commands.peer import _hosting
from runtime.core.limits import AvmLimits, CoreLimits
from runtime.keys import load_secret
from runtime.marine.cids import file_cid
from runtime.services.limits import SERVICE_MEMORY_BYTES_MAX
from runtime.settings import LIMIT_DEFAULTS, LIMIT_MAX, PeerSettings, load_settings
from runtime.settings_text import ABOUT, LIMITS_ABOUT, config_text, resolved_text

CID = file_cid(b"module")
PEER_ID = "12D3KooWAbr8gnEMcMLHWWsbmpBMwRLVdR8XnyUTv3UNRuFM7qfH"
FILE = f"""
data_dir = "data"
service_memory_limit = "64 MiB"
[effectors.lists]
wasm_cid = "{CID}"
allowed_binaries = {{ ls = "/bin/ls" }}
"""


def hosting(tmp_path, text, environment=None):
    (tmp_path / "peer.toml").write_text(text)
    return _hosting(load_settings(str(tmp_path / "peer.toml"), environment or {}, {}))


def test_what_services_may(tmp_path):
    config = hosting(tmp_path, FILE)
    assert config.folder == tmp_path / "data" / "services"
    assert config.memory_bytes == 64 << 20
    assert config.effectors.allowed == {CID: {"ls": "/bin/ls"}}
    assert config.effectors.open is None


def test_every_module_may_run_what_the_development_mode_names(tmp_path):
    text = '[dev_mode]\nenable = true\nbinaries = { ls = "/bin/ls" }\n'
    assert hosting(tmp_path, text).effectors.open == {"ls": "/bin/ls"}
    assert hosting(tmp_path, text.replace("true", "false")).effectors.open is None
    assert hosting(tmp_path, "[dev_mode]\nenable = true").effectors.open == {}


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    assert hosting(tmp_path, "\ufeff" + FILE).memory_bytes == 64 << 20


def test_defaults(tmp_path):
    config = hosting(tmp_path, "")
    assert (config.folder, config.memory_bytes, config.effectors.programs()) == (None, SERVICE_MEMORY_BYTES_MAX, ())
    assert hosting(tmp_path, "", {"AVM_PEER_SERVICE_MEMORY_LIMIT": "1 MiB"}).memory_bytes == 1 << 20
    assert hosting(tmp_path, 'service_memory_limit = "Infinity"').memory_bytes is None


@pytest.mark.parametrize(("text", "environment", "error"), [
    ('\nservice_memory_limit = "much"', {}, "peer.toml:2: key `service_memory_limit`: expected a size"),
    ("", {"AVM_PEER_SERVICE_MEMORY_LIMIT": "1 XB"}, "environment variable AVM_PEER_SERVICE_MEMORY_LIMIT: expected a size"),
    ('service_memory_limit = "much"', {}, "peer.toml:1: key `service_memory_limit`: expected a size"),
    ("", {"AVM_PEER_SERVICE_MEMORY_LIMIT": "much"}, "environment variable AVM_PEER_SERVICE_MEMORY_LIMIT: expected a size"),
    ('\ndata_dir = ""', {}, "peer.toml:2: key `data_dir` takes the path of a folder"),
    ("", {"AVM_PEER_DATA_DIR": ""}, "environment variable AVM_PEER_DATA_DIR takes the path of a folder"),
    ("service_memory_limit = 5", {}, "key `service_memory_limit` takes a text"),
    ("effectors = 5", {}, "key `effectors` takes tables, and is set in the configuration file"),
    ("", {"AVM_PEER_EFFECTORS": "x"}, "environment variable AVM_PEER_EFFECTORS takes tables, and is set in the configuration file"),
    ("[effectors]\nx = 5", {}, "key `effectors`: x takes a table with wasm_cid and allowed_binaries"),
    (FILE.replace("wasm_cid", "wasm_id"), {}, "key `effectors`: lists takes a table with wasm_cid and allowed_binaries"),
    (FILE.replace('"/bin/ls"', "5"), {}, "key `effectors`: lists takes a text as wasm_cid and a table of texts"),
    (FILE.replace(CID, "bad"), {}, "peer.toml:4: key `effectors`: lists: wasm_cid `bad` is no content id such as bafkrei…: "),
    ("", {"AVM_PEER_LIMITS": "x"}, "environment variable AVM_PEER_LIMITS takes tables"),
    ("[limits]\nactors_max = 0", {}, "peer.toml:2: key `actors_max` takes a whole number from 1 to "),
    (f"[limits]\ncalls_max = {LIMIT_MAX + 1}", {}, "peer.toml:2: key `calls_max` takes a whole number from 1 to "),
    ("[limits]\ncalls_max = true", {}, "key `calls_max` takes a whole number"),
    ('[limits]\ncalls_max = "1 MiB"', {}, "key `calls_max` takes a whole number"),
    ('[limits]\nstored_bytes_max = "Infinity"', {}, "or a size such as"),
    ('[limits]\nstored_bytes_max = "much"', {}, "key `stored_bytes_max`: expected a size"),
    ("[limits]\nhard_limit_enabled = 1", {}, "key `hard_limit_enabled` takes true or false"),
    ("limits = 5", {}, "key `limits` takes tables"),
    ('\nlisten = ["127.0.0.1:1"]', {}, "peer.toml:2: key `listen`: `127.0.0.1:1` is not a multiaddress"),
    ('external_addresses = ["x"]', {}, "peer.toml:1: key `external_addresses`: `x` is not a multiaddress"),
    ('bootstrap = ["/ip4/127.0.0.1/tcp/1"]', {}, "key `bootstrap`: `/ip4/127.0.0.1/tcp/1` is not a multiaddress that ends in /p2p/"),
    ('\nexternal_addresses = ["/ip4/1.2.3.4"]', {}, "peer.toml:2: key `external_addresses`: `/ip4/1.2.3.4` is not a multiaddress"),
    (f'bootstrap = ["/ip4/1.2.3.4/udp/1/p2p/{PEER_ID}"]', {}, "peer.toml:1: key `bootstrap`: `/ip4/1.2.3.4/udp/1/p2p/"),
    ('management_peer_ids = ["me"]', {}, "key `management_peer_ids`: `me` is not a peer id"),
    ('http = "8080"', {}, "peer.toml:1: key `http`: `8080` is not an address HOST:PORT"),
    ('network = "moon"', {}, "peer.toml:1: key `network`: `moon` is no network"),
    ('log_format = "xml"', {}, "peer.toml:1: key `log_format` takes text or json, not `xml`"),
    ("", {"AVM_PEER_LOG_LEVEL": "loud"}, "environment variable AVM_PEER_LOG_LEVEL takes debug or info or warning or error"),
    ("\n[dev_mode]\nenabled = true", {}, "peer.toml:3: key `enabled` is not a key of [dev_mode] of a peer"),
    ("[dev_mode]\nenable = 1", {}, "peer.toml:2: key `enable` takes true or false"),
    ("[dev_mode]\nbinaries = { curl = 5 }", {}, "peer.toml:2: key `binaries` takes a table of texts"),
    ("", {"AVM_PEER_DEV_MODE": "x"}, "environment variable AVM_PEER_DEV_MODE takes tables, and is set in the configuration file"),
    ("opentelemetry = 1", {}, "key `opentelemetry` takes true or false"),
    ("", {"AVM_PEER_OPENTELEMETRY": "maybe"}, "environment variable AVM_PEER_OPENTELEMETRY takes true or false"),
])  # fmt: skip
def test_mistakes(tmp_path, text, environment, error):
    with pytest.raises(CommandError) as caught:
        hosting(tmp_path, text, environment)
    assert error in str(caught.value)


@pytest.mark.parametrize(("text", "environment", "error", "hint"), [
    ('\nnetwork = "dar"\nlisen = []', {}, "peer.toml:3: key `lisen` is not a setting of a peer", "did you mean `listen`?"),
    ('"data-dir" = "x"', {}, "peer.toml:1: key `data-dir` is not a setting", "did you mean `data_dir`?"),
    ("[limit]\n", {}, "peer.toml:1: key `limit` is not a setting", "did you mean `limits`?"),
    ("[limits]\n\n  actor_max = 1", {}, "peer.toml:3: key `actor_max` is not a limit", "did you mean `actors_max`?"),
    ("zzz = 1", {}, "peer.toml:1: key `zzz` is not a setting", "there are listen, bootstrap"),
    ("", {"AVM_PEER_LISTN": "x"}, "environment variable AVM_PEER_LISTN is not a setting", "did you mean `listen`?"),
])  # fmt: skip
def test_unknown_keys_are_named_with_their_place_and_the_nearest(tmp_path, text, environment, error, hint):
    with pytest.raises(CommandError) as caught:
        hosting(tmp_path, text, environment)
    assert error in str(caught.value)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(("flags", "error"), [
    ({"management_peer_ids": ["me"]}, "flag --management: `me` is not a peer id"),
    ({"external_addresses": ["x"]}, "flag --external-address: `x` is not a multiaddress"),
    ({"bootstrap": ["/ip4/127.0.0.1/tcp/1"]}, "flag --bootstrap: "),
    ({"http": "x"}, "flag --http: `x` is not an address HOST:PORT"),
    ({"network": "x"}, "flag --network: `x` is no network"),
])  # fmt: skip
def test_wrong_flags_are_named(flags, error):
    with pytest.raises(CommandError) as caught:
        load_settings(None, {}, flags)
    assert error in str(caught.value)


def test_later_sources_win_for_a_whole_setting(tmp_path):
    (tmp_path / "peer.toml").write_text(
        'listen = ["/memory/1", "/memory/2"]\nnetwork = "stage"\nhttp = "a:1"\nallow_local_addresses = true\nlog_level = "info"\n'
    )
    environment = {
        "AVM_PEER_LISTEN": "/memory/3, /memory/4,",
        "AVM_PEER_HTTP": "b:2",
        "AVM_PEER_ALLOW_LOCAL_ADDRESSES": "1",
        "PATH": "x",
    }
    flags = {
        "listen": ["/memory/5"],
        "http": None,
        "allow_local_addresses": False,
        "bootstrap": [],
        "log_level": "debug",
    }

    def loaded(environment, flags):
        found = load_settings(str(tmp_path / "peer.toml"), environment, flags)
        return found.listen, found.network, found.http, found.allow_local_addresses, found.log_level

    assert loaded({}, {}) == (("/memory/1", "/memory/2"), "stage", "a:1", True, "info")
    assert loaded(environment, {}) == (("/memory/3", "/memory/4"), "stage", "b:2", True, "info")
    assert loaded(environment, flags) == (("/memory/5",), "stage", "b:2", False, "debug")
    assert load_settings(None, {}, {}) == PeerSettings()


def test_limits(tmp_path):
    (tmp_path / "peer.toml").write_text(
        '[limits]\nactors_max = 7\nstored_bytes_max = "3 MiB"\nlife_ms_max = 0\nair_size_limit = "2 KiB"\nhard_limit_enabled = true\n'
    )
    settings = load_settings(str(tmp_path / "peer.toml"), {}, {})
    assert settings.core_limits() == CoreLimits(actors_max=7, stored_bytes_max=3 << 20, life_ms_max=None)
    assert settings.avm_limits() == AvmLimits(air_size_limit=2048, hard_limit_enabled=True)
    assert (PeerSettings().core_limits(), PeerSettings().avm_limits()) == (CoreLimits(), AvmLimits())


@pytest.mark.parametrize("name", ["peer.key", "a-name-so-long-that-it-could-be-a-key-with-a-slip"])
def test_a_key_file_is_looked_for_beside_the_configuration_only(tmp_path, monkeypatch, name):
    """The key of another peer in the working directory would start this one as the other."""
    (tmp_path / "other").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "other" / name).write_bytes(base64.b64encode(bytes(32)))
    (tmp_path / "own" / "peer.toml").write_text(f'key = "{name}"\n')
    monkeypatch.chdir(tmp_path / "other")
    settings = load_settings("../own/peer.toml", {}, {})
    assert settings.key == f"../own/{name}"
    with pytest.raises(CommandError, match="neither a secret key nor a file"):
        load_secret(settings.key)
    secret = base64.b64encode(bytes(32)).decode()
    (tmp_path / "own" / "peer.toml").write_text(f'key = "{secret}"\n')
    assert load_secret(load_settings("../own/peer.toml", {}, {}).key) == bytes(32)


def test_a_configuration_is_written_once_and_read_back(tmp_path, capsys):
    folder = tmp_path / "new" / "peer"
    assert main(["peer", "init", str(folder)]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["config"] == str(folder / "peer.toml")
    assert (folder / "peer.key").stat().st_mode & 0o777 == 0o600
    settings = load_settings(line["config"], {}, {})
    assert settings == PeerSettings(key=str(folder / "peer.key"), data_dir=str(folder / "data"))
    before = (folder / "peer.toml").read_bytes()
    assert main(["peer", "init", str(folder)]) == 2
    assert "exists and is not replaced" in capsys.readouterr().err
    (folder / "peer.toml").unlink()
    assert main(["peer", "init", str(folder)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["peer_id"], again["new_key"], line["new_key"]) == (line["peer_id"], False, True)
    assert (folder / "peer.toml").read_bytes() == before


def test_the_resolved_configuration_reads_back_and_has_no_key(tmp_path):
    secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    text = f"""key = "{secret}"\nhttp = "127.0.0.1:1"\nallow_local_addresses = true\n{FILE}[limits]\nactors_max = 7\n[dev_mode]\nenable = true\nbinaries = {{ ls = "/bin/ls" }}\n"""
    (tmp_path / "peer.toml").write_text(text.replace("[effectors.lists]", '[effectors."é.\\"x"]'))
    settings = load_settings(str(tmp_path / "peer.toml"), {}, {"bootstrap": [f"/ip4/127.0.0.1/tcp/1/p2p/{PEER_ID}"]})
    resolved = resolved_text(settings)
    assert secret not in resolved
    (tmp_path / "again.toml").write_text(resolved)
    again = load_settings(str(tmp_path / "again.toml"), {}, {})
    assert again == replace(settings, key=None, limits=LIMIT_DEFAULTS | {"actors_max": 7})


def test_every_comment_of_the_configuration_can_be_uncommented(tmp_path):
    text = config_text(key="k", data_dir="d")
    lines = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in text.splitlines()[1:]
    ]
    (tmp_path / "peer.toml").write_text("\n".join(lines).replace("bafkrei…", CID).replace("12D3KooW…", PEER_ID))
    table = tomllib.loads((tmp_path / "peer.toml").read_text())
    assert table.keys() == ABOUT.keys()
    assert table["limits"] == LIMIT_DEFAULTS
    settings = load_settings(str(tmp_path / "peer.toml"), {}, {})
    assert (settings.core_limits(), settings.avm_limits()) == (CoreLimits(), AvmLimits())


def test_the_page_names_every_setting_with_its_default():
    page = (Path(__file__).parents[2] / "docs" / "peer.md").read_text()
    for name in ABOUT:
        assert f"| `{name}` |" in page
    for name in LIMITS_ABOUT:
        default = LIMIT_DEFAULTS[name]
        shown = f"{default >> 20} MiB" if "bytes" in name or "size" in name else str(default).lower()
        assert f"| `{name}` | {shown} |" in page, (name, shown)
    assert {f.name for f in fields(PeerSettings)} == ABOUT.keys()


def test_opentelemetry_without_its_extra(monkeypatch, capsys):
    monkeypatch.setattr(tracing, "otel_installed", lambda: False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert main(["peer", "run", "--opentelemetry", "--listen", "/ip4/127.0.0.1/tcp/0"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    needs = "OpenTelemetry is asked for, which needs the extra `otel`; it is not installed"
    assert err == f"avm: error: {needs}\n  pip install 'aquac[otel]'\n"
