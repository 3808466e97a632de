"""The peer of `kit` as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.operations.kit import RunningPeer


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunningPeer:
    return RunningPeer(tmp_path / "data", monkeypatch, capsys)
