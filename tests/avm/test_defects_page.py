"""`docs/vm-defects.md`: every row's cases exist and show it, with each switch in both positions."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from avm import Avm, Outcome
from avm.air import parse
from avm.exec.context import VmOptions
from runtime.commands.invoke import FIXES, VERSIONS
from tests.conformance.areas import avm as scenarios
from tests.conformance.areas import interpreter_data
from tests.conformance.runner import default_files, read_cases

PAGE = Path(__file__).parents[2] / "docs" / "vm-defects.md"
ROWS = [
    line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
]
DEFECTS = {row[0]: row for row in ROWS if re.fullmatch(r"D\d[ab]?", row[0])}
PANICS = [row for row in ROWS if len(row) == 3 and row[1][0].isdigit()]


def names(cell: str) -> list[str]:
    return re.findall(r"`([a-zA-Z0-9/-]+)`", cell)


@pytest.fixture(scope="module")
def cases() -> dict[str, dict[str, Any]]:
    wanted = {name for row in (*DEFECTS.values(), *PANICS) for name in names(row[-1])}
    found = {}
    for area in ("avm", "interpreter-data", "avm-parse"):
        for path in default_files(area):
            if not path.name.startswith("network-runs"):
                found |= {case["id"]: case for case in read_cases(path) if case.get("id") in wanted}
    return found


def test_the_page_is_complete() -> None:
    assert list(DEFECTS) == ["D1a", "D1b", "D2", "D3", "D4", "D5", "D6", "D7", "D8"]
    switches = {field.name for field in fields(VmOptions)} - {"version"}
    assert {name for row in DEFECTS.values() for name in re.findall(r"`(fix_\w+)`", row[3])} == switches
    assert set(FIXES) == {name for row in DEFECTS.values() for name in re.findall(r"--fix (\w+)", row[3])}
    assert all(f"`{flag}`" in PAGE.read_text(encoding="utf-8") for flag in ("--fix", f"--vm-version {VERSIONS[1]}"))
    assert len(PANICS) == 11


@pytest.mark.parametrize("defect", DEFECTS)
def test_both_positions(defect: str, cases: dict[str, dict[str, Any]]) -> None:
    """By default as recorded from the reference; with the switch, and with it only, something else."""
    *_, switch, cell = DEFECTS[defect]
    assert names(cell)
    for name in names(cell):
        case = cases[name]
        assert defect[:2] in case["tags"]
        assert scenarios.replay(case, Avm()) is None
        for field in fields(VmOptions):
            if field.name != "version":
                difference = scenarios.replay(case, Avm(options=VmOptions(**{field.name: True})))
                assert (difference is not None) == (f"`{field.name}`" in switch), (name, field.name, difference)


@pytest.mark.parametrize("row", PANICS, ids=lambda row: row[1])
def test_panics_have_errors(row: list[str], cases: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The last run of each case answers the code of the page and leaves the data as they were."""
    seen: list[tuple[bytes, Outcome]] = []
    invoke = Avm.invoke

    def watched(self: Avm, air: str, prev_data: bytes, *rest: Any) -> Outcome:
        outcome = invoke(self, air, prev_data, *rest)
        seen.append((prev_data, outcome))
        return outcome

    monkeypatch.setattr(Avm, "invoke", watched)
    for name in names(row[2]):
        case = cases[name]
        if name.startswith("lens-"):
            assert parse(case["air"]).instruction is None
            continue
        seen.clear()
        check = scenarios.check if "steps" in case else interpreter_data.check
        assert check(case) is None
        codes = {outcome.ret_code for _, outcome in seen}
        assert int(row[1]) in codes, name
        for prev_data, outcome in seen:
            if outcome.ret_code == int(row[1]):
                assert outcome.data == prev_data
                assert outcome.next_peer_pks == ()
                assert not outcome.call_requests


def test_versions_name_themselves() -> None:
    from avm import RunParameters
    from avm.data.codec import decode

    parameters = RunParameters("a", "b", 1, 2, "p", bytes(32))
    for version, written in (("0.62", "0.62.0"), ("0.64.1", "0.64.1")):
        options = VmOptions(version=version)  # type: ignore[arg-type]
        data = Avm(options=options).invoke("(null)", b"", b"", parameters, {}).data
        assert decode(data).interpreter_version == written
