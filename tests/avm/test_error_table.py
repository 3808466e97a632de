"""`docs/vm-errors.md` is what its generator writes, and every case it names reaches its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avm import Avm, errors
from avm.errors import TABLE
from runtime.reference_avm import ReferenceAvm, ReferenceTrapError
from tests.avm.error_table import NAMES, PAGE, START, UNREACHED, cases, read_page, render, search, watched
from tests.avm.provoked_rows import PROVOKED


def check(named: dict[str, str], found: dict[str, Any]) -> None:
    """Run each named case; it must meet its row."""
    with watched() as met:
        for row, name in named.items():
            run, case = found[name]
            met.clear()
            assert run(case) is None
            assert row in met, f"{name} does not reach {row}"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(read_page()), "run python -m tests.avm.error_table"


def test_every_row_has_a_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f": {name} |" in page for name in NAMES.values())
    assert len(page.splitlines()) == 11 + len(START) + len(TABLE) + 1


@pytest.mark.slow
def test_cases_reach_their_rows() -> None:
    named = read_page()
    wanted = set(named.values())
    check(named, {name: (run, case) for name, run, case in cases() if name in wanted})
    assert not named.keys() & UNREACHED.keys()


@pytest.mark.slow
def test_search_finds_the_same() -> None:
    assert search() == read_page()


@pytest.mark.reference
@pytest.mark.parametrize("name", [name for name in PROVOKED if not getattr(errors, name).traps])
def test_provoked_errors_are_those_of_the_reference(name: str, avm_wasm: Path) -> None:
    ours, reference = PROVOKED[name](Avm()), ReferenceAvm(avm_wasm)
    if name == "SLIDER_LEN":
        pytest.skip("only a window behind the end leads here, where the reference panics on its way to the error")
    theirs = PROVOKED[name](reference)
    assert (ours.ret_code, ours.error_message) == (theirs.ret_code, theirs.error_message)
    assert ours.data == theirs.data


@pytest.mark.reference
@pytest.mark.parametrize("name", ["SLIDER_LEN", "FOLD_NEXT_BEHIND", "STREAM_REPLACED"])
def test_provoked_panics_of_the_reference(name: str, avm_wasm: Path) -> None:
    ours = PROVOKED[name](Avm())
    assert (ours.ret_code, ours.next_peer_pks, ours.call_requests) == (getattr(errors, name).number, (), {})
    with pytest.raises(ReferenceTrapError):
        PROVOKED[name](ReferenceAvm(avm_wasm))
