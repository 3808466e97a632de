"""The cache of compiled modules: used when it may be, never trusted when it may not."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.marine import module_cache
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


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    check(tmp_path / "file" / "cache", cached=False)


def test_many_at_once(tmp_path):
    folder = tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: module_cache.load_or_compile(engine(), WASM, DIGEST, folder), range(12)))
    assert len(list(folder.iterdir())) == 1
    check(folder, cached=True)
