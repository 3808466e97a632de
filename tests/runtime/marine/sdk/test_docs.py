"""The documents: every code is explained, every example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.marine.sdk import codes
from tests.runtime.marine.sdk import kit

DOCS = Path(__file__).resolve().parents[4] / "docs"
CODES = (DOCS / "module-codes.md").read_text(encoding="utf-8")
PAGE = re.compile(
    r"^## (MS\d{4}): (.*)\n\n`(.*?)`\.(.*?)```python\n(.*?)```\n\n\*\*Remedy\.\*\* (.+)", re.MULTILINE | re.DOTALL
)
PAGES = {match[1]: match for match in (PAGE.search("## " + part) for part in CODES.split("\n## ")[1:]) if match}
HEAD = """from dataclasses import dataclass, field
from runtime.marine.sdk import MountedBinaryResult, export, service, u8, u64

"""


def test_every_code_has_its_page() -> None:
    assert PAGES.keys() == codes.TABLE.keys()


@pytest.mark.parametrize("code", sorted(codes.TABLE))
def test_page(code: str) -> None:
    page, row = PAGES[code], codes.TABLE[code]
    assert (page[2], page[3]) == (row.summary, row.kind)
    example = page[5].replace("DEEP", "a + " * 300 + "a")
    head = HEAD if "import" not in example else ""
    assert code in {d.code.id for d in kit.built(head + example).diagnostics}


def test_the_example_of_the_guide() -> None:
    guide = (DOCS / "module-sdk.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert kit.Ours({"m": kit.wasm_of(example)}).call("greet", "you") == "Hello, you!"
