"""The memories of the VM stay within their limits, and forgetting changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from avm import Avm, RunParameters, caches
from avm.call_data import NO_RESULTS
from avm.crypto import keys, signatures
from avm.crypto.keys import KeyPair
from avm.data import cid_store
from avm.data.cid_store import cid_of, verify_stores
from avm.data.codec import encode
from avm.data.interpreter_data import InterpreterData, Stores
from avm.exec.instructions import call
from avm.limits import (
    AIR_SIZE_LIMIT,
    ARGUMENT_HASH_ENTRIES,
    ARGUMENT_HASH_TEXT_MAX,
    CALL_RESULT_SIZE_LIMIT,
    DECLINED_MAX,
    KEY_CACHE_ENTRIES,
    NATIVE_WORK_BYTES,
    PARTICLE_SIZE_LIMIT,
    REQUEST_ID_MAX,
    RUN_WORK_BYTES,
    VERIFIED_CID_TEXT_MAX,
)
from avm.prepare import Flags, check_sizes

PARAMS = RunParameters("A", "A", 1, 2, "p", bytes(32))
CALL = '(call "A" ("s" "f") [])'


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


def test_default_sizes() -> None:
    assert PARAMS.call_result_size_limit == CALL_RESULT_SIZE_LIMIT
    for more in (0, 1):
        flags = Flags()
        check_sizes("x" * (AIR_SIZE_LIMIT + more), bytes(PARTICLE_SIZE_LIMIT + more), PARAMS, flags)
        assert (flags.air, flags.particle) == (bool(more), bool(more))


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_the_last_request_id(engine: str) -> None:
    prev = encode(InterpreterData(last_call_request_id=REQUEST_ID_MAX - 1))
    last = Avm(engine).invoke(CALL, prev, b"", PARAMS, NO_RESULTS)
    assert list(last.call_requests) == [REQUEST_ID_MAX]
    prev = encode(InterpreterData(last_call_request_id=REQUEST_ID_MAX))
    assert Avm(engine).invoke(CALL, prev, b"", PARAMS, NO_RESULTS).ret_code == 20002


def test_kept_data_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "DATA_CACHE_BYTES", 1000)
    kept = caches.Caches()
    for letter in b"abc":
        kept.remember(bytes([letter]) * 500, InterpreterData())
    kept.remember(b"d" * 1001, InterpreterData())
    assert [kept.decoded(bytes([letter]) * 500) is not None for letter in b"abc"] == [False, True, True]
    assert kept.decoded(b"d" * 1001) is None
    assert kept.stats()[1].bytes == 1000


def test_hashed_arguments_are_bounded() -> None:
    assert call._short_hash.cache_parameters()["maxsize"] == ARGUMENT_HASH_ENTRIES
    for size, kept in ((ARGUMENT_HASH_TEXT_MAX, 1), (ARGUMENT_HASH_TEXT_MAX + 1, 0)):
        before = call._short_hash.cache_info().misses
        params = RunParameters("limit".ljust(size - len('[""]'), "x"), "A", 1, 2, "p", bytes(32))
        Avm("interp").invoke('(call "A" ("s" "f") [%init_peer_id%])', b"", b"", params, NO_RESULTS)
        assert call._short_hash.cache_info().misses - before == kept


def test_kept_keys_are_bounded() -> None:
    for function in (keys._cached_pair, keys.public_key_peer_id, keys.verifier):
        assert function.cache_parameters()["maxsize"] == KEY_CACHE_ENTRIES


def test_native_code_is_loaded_when_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    native = object()
    monkeypatch.setitem(sys.modules, "avm.jit.library", SimpleNamespace(loaded=lambda: None, ready=lambda: native))
    monkeypatch.setattr("avm.jit.library", sys.modules["avm.jit.library"], raising=False)
    kept = caches.Caches()
    assert kept.native(NATIVE_WORK_BYTES - 1) is None
    assert kept.native(1) is None
    assert kept.native(0) is native


def test_what_a_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    monkeypatch.setattr(caches.Caches, "native", lambda _, work: counted.append(work))
    Avm("auto").invoke("(null)", b"", b"", PARAMS, NO_RESULTS)
    assert counted == [RUN_WORK_BYTES, len("(null)")]


def test_native_code_that_declines_is_asked_less() -> None:
    vm = Avm("jit")
    asked: list[None] = []
    vm._native_runs = SimpleNamespace(run=lambda *_: asked.append(None))  # type: ignore[assignment]
    for _ in range(3 * DECLINED_MAX):
        vm.invoke("(never)", b"", b"", PARAMS, NO_RESULTS)
    assert len(asked) == DECLINED_MAX + 1


def test_page_names_every_limit() -> None:
    from avm import limits

    page = (Path(__file__).parents[2] / "docs" / "vm-limits.md").read_text(encoding="utf-8")
    names = [name for name in vars(limits) if name.isupper() and name not in ("MIB", "TYPE_CHECKING")]
    assert len(names) > 10
    assert not [name for name in names if f"`{name}`" not in page]
