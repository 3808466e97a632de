"""`avm key`: keys printed, saved and found again."""

from __future__ import annotations

import base64
import io
import json
import stat

import pytest

from runtime.cli import main
from runtime.protocol.identity import Identity

SEED = bytes(range(32))
DOCUMENT = {
    "peer_id": "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
    "secret_key": base64.b64encode(SEED).decode(),
    "public_key": base64.b64encode(Identity(SEED).public_key).decode(),
}


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Run `avm key` with a key directory of its own; exit code, standard output as JSON, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVM_KEY_DIR", str(tmp_path / "keys"))

    def run(*args):
        code = main(["key", *args])
        captured = capsys.readouterr()
        return code, json.loads(captured.out) if captured.out else None, captured.err

    return run


def test_a_new_key_is_printed_and_nothing_written(check, tmp_path):
    code, first, _ = check("new")
    assert code == 0
    assert list(first) == ["peer_id", "secret_key", "public_key"]
    identity = Identity(base64.b64decode(first["secret_key"]))
    assert (identity.peer_id, base64.b64encode(identity.public_key).decode()) == (first["peer_id"], first["public_key"])
    assert check("new")[1] != first
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [DOCUMENT["secret_key"], SEED.hex(), json.dumps(DOCUMENT)])
def test_show(check, form):
    assert check("show", form) == (0, DOCUMENT, "")


def test_show_standard_input(check, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(DOCUMENT)))
    assert check("show", "-") == (0, DOCUMENT, "")
    monkeypatch.setattr("sys.stdin", io.StringIO("nonsense"))
    assert check("show", "-")[0] == 2


def test_saved_keys(check, tmp_path):
    assert check("list") == (0, [], "")
    _, made, _ = check("new", "me")
    public = {"name": "me", "peer_id": made["peer_id"], "public_key": made["public_key"]}
    assert check("list") == (0, [public], "")
    assert check("show", "me")[1] == made
    assert stat.S_IMODE((tmp_path / "keys" / "me.json").stat().st_mode) == 0o600
    assert check("import", "other", DOCUMENT["secret_key"])[1] == {
        "name": "other",
        "peer_id": DOCUMENT["peer_id"],
        "public_key": DOCUMENT["public_key"],
    }
    assert [entry["name"] for entry in check("list")[1]] == ["me", "other"]
    assert check("list", "--key-dir", "elsewhere")[1] == []


def test_a_file(check, tmp_path):
    _, made, _ = check("new", "-o", "key.json")
    assert check("show", "key.json")[1] == made
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600


def test_nothing_is_overwritten(check):
    check("new", "me", "-o", "key.json")
    for args in (("new", "-o", "key.json"), ("new", "me"), ("import", "me", DOCUMENT["secret_key"])):
        code, out, err = check(*args)
        assert (code, out) == (2, None)
        assert "is not overwritten" in err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["show", "nobody"], "neither a secret key nor a file"),
        (["show", "AAAA"], "neither a secret key nor a file"),
        (["new", "../x"], "no name for a key"),
        (["new", "x" * 65], "no name for a key"),
        (["import", ".hidden", DOCUMENT["secret_key"]], "no name for a key"),
        (["new", "-o", "missing/key.json"], "cannot write missing/key.json"),
        (["list", "--key-dir", "a-file"], "cannot read the key directory a-file: Not a directory"),
        (["show", "nobody", "--key-dir", "a-file"], "neither a secret key nor a file"),
        (["forge"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_calls(check, args, says, tmp_path):
    (tmp_path / "a-file").write_bytes(b"")
    code, out, err = check(*args)
    assert (code, out) == (2, None)
    assert says in err


def test_a_file_without_a_key(check, tmp_path):
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    code, _, err = check("show", "empty.txt")
    assert code == 2
    assert "holds no secret key" in err
