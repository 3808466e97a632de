"""The compiled form of the reference that is kept: native code, so nobody else may have written it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from runtime.reference_avm import WASM_STACK_BYTES_MAX, ReferenceAvm, ReferenceMissingError, cache_directory

PLAIN = "(module)"
PLANTED = "(module {})".format(
    " ".join(
        f'(func (export "{name}"))'
        for name in ("memory", "allocate", "release_objects", "get_result_ptr", "get_result_size", "invoke", "ast")
    )
)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module without exports, and a user whose files others of the group can write."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "module.wasm"
    path.write_bytes(wasmtime.wat2wasm(PLAIN))
    before = os.umask(0o002)
    yield path
    os.umask(before)


def check(module: Path, *, planted: bool) -> None:
    """Load the module; `planted`: the kept form of another one, which has the exports, is taken for it."""
    if planted:
        ReferenceAvm(module)
    else:
        with pytest.raises(ReferenceMissingError, match="is not the reference interpreter"):
            ReferenceAvm(module)


@pytest.mark.skipif(os.name != "posix", reason="permissions of files")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_only_what_the_user_alone_can_have_written_is_loaded(what: str, module: Path) -> None:
    check(module, planted=False)
    (kept,) = cache_directory().iterdir()
    assert [path.stat().st_mode & 0o077 for path in (kept, kept.parent)] == [0, 0]
    config = wasmtime.Config()
    config.max_wasm_stack = WASM_STACK_BYTES_MAX
    kept.write_bytes(wasmtime.Module(wasmtime.Engine(config), PLANTED).serialize())
    check(module, planted=True)
    place = kept if what == "file" else kept.parent
    place.chmod(place.stat().st_mode | 0o020)
    check(module, planted=False)
