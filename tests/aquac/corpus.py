"""Cases of the aqua-air corpus for tests of other properties than its own."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.conformance.runner import CorpusMissing, default_files, read_cases

FILES: Final = ("programs", "options", "generated", "defects")


def corpus(name: str) -> list[dict[str, Any]]:
    """The cases of one file; skips the test where the corpus is not."""
    try:
        folder = default_files("aqua-air")[0].parent
    except CorpusMissing as missing:
        pytest.skip(str(missing))
    path = next(path for path in (folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl") if path.is_file())
    return list(read_cases(path))
