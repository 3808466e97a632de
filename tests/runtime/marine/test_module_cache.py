"""The cache of compiled modules: used when it may be, never trusted when it may not."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
import wasmtime

from runtime.marine import artifact, module_cache
from runtime.marine.engine import engine
from tests.runtime.marine.kit import own

WASM = own("demo.wat")
DIGEST = hashlib.sha256(WASM).hexdigest()


def check(folder, *, cached):
    module, came = module_cache.load_or_compile(engine(), WASM, DIGEST, folder)
    assert came is cached
    assert [export.name for export in module.exports][:1]


def test_second_time_from_the_cache(tmp_path):
    folder = tmp_path / "cache"
    check(folder, cached=False)
    check(folder, cached=True)
    (file,) = folder.iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], lambda _: b""]
)
def test_damaged_files_are_not_executed(tmp_path, damage):
    folder = tmp_path / "cache"
    check(folder, cached=False)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    check(folder, cached=False)
    check(folder, cached=True)


@pytest.mark.skipif(os.name != "posix", reason="permissions of posix")
def test_what_others_can_write_is_not_executed(tmp_path):
    folder = tmp_path / "cache"
    check(folder, cached=False)
    (file,) = folder.iterdir()
    file.chmod(0o666)
    check(folder, cached=False)
    check(folder, cached=True)
    folder.chmod(0o777)
    check(folder, cached=False)
    folder.chmod(0o700)
    target = tmp_path / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    check(folder, cached=False)


def test_a_module_in_use_may_lose_its_file(tmp_path):
    folder = tmp_path / "cache"
    check(folder, cached=False)
    module, came = module_cache.load_or_compile(engine(), WASM, DIGEST, folder)
    assert came
    (file,) = folder.iterdir()
    file.unlink()
    check(folder, cached=False)
    store = wasmtime.Store(engine())
    assert list(wasmtime.Instance(store, module, []).exports(store))


def test_modules_are_found_by_all_their_bytes(monkeypatch):
    monkeypatch.setattr(artifact, "CODE_CACHE_ARTIFACTS", 2)
    monkeypatch.setattr(artifact, "CODE_CACHE_BYTES", 100)
    kept = artifact.KeptArtifacts()
    end = bytes(artifact._END_BYTES)
    one, other = b"1" + end, b"2" + end
    kept.keep(one, "one")
    assert kept.find(one) == "one"  # however large, the latest stays
    assert kept.find(b"1" + end) == "one"
    assert kept.find(other) is None
    kept.keep(other, "other")
    assert (kept.find(one), kept.find(other)) == (None, "other")
    for text in (b"a" * 30, b"b" * 40, b"c" * 50):
        kept.keep(text, text)
        kept.find(b"a" * 30)
    assert kept.find(b"a" * 30) == b"a" * 30
    assert kept.find(b"b" * 40) is None
    assert kept.find(b"c" * 50) == b"c" * 50
    kept.keep(b"d" * 60, "d")
    assert kept.find(b"c" * 50) is None
    assert kept.find(b"d" * 60) == "d"
    kept.keep(b"d" * 60, "again")
    kept.keep(b"e" * 30, "e")
    assert (kept.find(b"d" * 60), kept.find(b"e" * 30)) == ("again", "e")


def test_a_buffer_that_changes_is_another_module():
    kept = artifact.KeptArtifacts()
    buffer = bytearray(b"module")
    kept.keep(buffer, "first")
    buffer[0] = 0
    assert kept.find(buffer) is None
    assert kept.find(b"module") == "first"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    check(tmp_path / "file" / "cache", cached=False)


def test_many_at_once(tmp_path):
    folder = tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: module_cache.load_or_compile(engine(), WASM, DIGEST, folder), range(12)))
    assert len(list(folder.iterdir())) == 1
    check(folder, cached=True)
