"""The memories of the VM stay within their limits, and forgetting changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm.crypto import signatures
from avm.crypto.keys import KeyPair
from avm.data import cid_store
from avm.data.cid_store import cid_of, verify_stores
from avm.data.interpreter_data import Stores
from avm.limits import VERIFIED_CID_TEXT_MAX


def check(count: int) -> None:
    """Verify `count` values and signatures, twice."""
    pair = KeyPair(bytes(32))
    stores = Stores(values={cid_of(str(number)): str(number) for number in range(count)})
    for _ in range(2):
        verify_stores(stores)
        for number in range(count):
            signatures.verify(pair.public_key, [], str(number), pair.sign(signatures.message([], str(number))))


def test_verified_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cid_store, "VERIFIED_CID_ENTRIES", 5)
    monkeypatch.setattr(cid_store, "_verified", {})
    monkeypatch.setattr(signatures, "VERIFIED_SIGNATURE_ENTRIES", 5)
    monkeypatch.setattr(signatures, "_verified", set())
    check(5)
    assert len(cid_store._verified) == len(signatures._verified) == 5
    check(12)
    assert len(cid_store._verified) <= 5
    assert len(signatures._verified) <= 5


def test_long_values_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cid_store, "_verified", {})
    for size, remembered in ((VERIFIED_CID_TEXT_MAX, 1), (VERIFIED_CID_TEXT_MAX + 1, 1)):
        text = "1" * size
        verify_stores(Stores(values={cid_of(text): text}))
        assert len(cid_store._verified) == remembered


def test_page_names_every_limit() -> None:
    from avm import limits

    page = (Path(__file__).parents[2] / "docs" / "vm-limits.md").read_text(encoding="utf-8")
    names = [name for name in vars(limits) if name.isupper() and name not in ("MIB", "TYPE_CHECKING")]
    assert len(names) > 10
    assert not [name for name in names if f"`{name}`" not in page]
