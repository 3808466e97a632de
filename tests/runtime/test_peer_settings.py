"""Settings of `avm peer run`: where they come from, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from aquac.command_line import CommandError
from runtime.commands.peer import _hosting
from runtime.marine.cids import file_cid
from runtime.services.limits import SERVICE_MEMORY_BYTES_MAX
from runtime.settings import load_settings

CID = file_cid(b"module")
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


def test_defaults(tmp_path):
    config = hosting(tmp_path, "")
    assert (config.folder, config.memory_bytes, config.effectors.programs()) == (None, SERVICE_MEMORY_BYTES_MAX, ())
    assert hosting(tmp_path, "", {"AVM_PEER_SERVICE_MEMORY_LIMIT": "1 MiB"}).memory_bytes == 1 << 20
    assert hosting(tmp_path, 'service_memory_limit = "Infinity"').memory_bytes is None


@pytest.mark.parametrize(("text", "environment", "error"), [
    ('service_memory_limit = "much"', {}, "service_memory_limit: expected a size"),
    ("service_memory_limit = 5", {}, "key `service_memory_limit` takes a text"),
    ("effectors = 5", {}, "key `effectors` takes tables, and is set in the configuration file"),
    ("", {"AVM_PEER_EFFECTORS": "x"}, "environment variable AVM_PEER_EFFECTORS takes tables, and is set in the configuration file"),
    ("[effectors]\nx = 5", {}, "key `effectors`: x takes a table with wasm_cid and allowed_binaries"),
    (FILE.replace("wasm_cid", "wasm_id"), {}, "key `effectors`: lists takes a table with wasm_cid and allowed_binaries"),
    (FILE.replace('"/bin/ls"', "5"), {}, "key `effectors`: lists takes a text as wasm_cid and a table of texts"),
    (FILE.replace(CID, "bad"), {}, "effectors.lists.wasm_cid: "),
])  # fmt: skip
def test_mistakes(tmp_path, text, environment, error):
    with pytest.raises(CommandError) as caught:
        hosting(tmp_path, text, environment)
    assert error in str(caught.value)
