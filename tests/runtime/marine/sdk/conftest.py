"""One marine-js for all tests of the SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtime.marine.sdk import kit


@pytest.fixture(scope="session")
def theirs() -> Iterator[kit.Theirs]:
    """Skips where node or marine-js is absent."""
    made = kit.Theirs()
    yield made
    made.close()
