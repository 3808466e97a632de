"""Compiled modules of tests go to a folder of the test run, not to the user's cache."""

from __future__ import annotations

import pytest

from runtime.marine import module_cache


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wasm-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_cache, "default_folder", lambda: folder)
        yield
