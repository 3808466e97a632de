"""The recorded calls of our own modules, set by set, in every engine, and with native kernels in Python; sections and content ids."""

from __future__ import annotations

import json
from contextlib import nullcontext
from itertools import groupby

import pytest

from tests.conformance.areas import marine
from tests.conformance.report import Skip
from tests.runtime.marine.kit import CORPUS
from tests.runtime.marine.plain_kernels import plain_kernels


def rows(name):
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) | {"_file": str(CORPUS / name)} for line in lines]


SETS = {name: list(group) for name, group in groupby(rows("calls_own.jsonl"), lambda row: row["set"])}


def check(case):
    try:
        assert marine.check(case) is None
    except Skip as skip:
        pytest.skip(str(skip))


@pytest.mark.parametrize("engine", ["native", "translated", "interpreted", "plain"])
@pytest.mark.parametrize("name", SETS)
def test_calls(name, engine, monkeypatch):
    monkeypatch.setattr(marine, "ENGINE", "native" if engine == "plain" else engine)
    with plain_kernels() if engine == "plain" else nullcontext():
        for row in SETS[name]:
            check(row)


@pytest.mark.parametrize("case", [row for row in rows("load.jsonl") if all("file" in m["wasm"] for m in row["modules"])],
                         ids=lambda row: row["set"])  # fmt: skip
def test_loading(case):
    check(case)


@pytest.mark.parametrize("case", rows("it_sections.jsonl"), ids=lambda row: f"{row['name']} {row['it_version']}")
def test_sections(case):
    check(case)


@pytest.mark.parametrize("case", rows("cids.jsonl"), ids=lambda row: row["cid"][-8:])
def test_content_ids(case):
    check(case)


def test_a_wrong_answer_is_noticed():
    row = dict(SETS["own_scalars"][0])
    row["result_json"] = "false"
    assert "expected false" in marine.check(row)
