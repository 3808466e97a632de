"""Every diagnostic code has a page, and the example on the page provokes the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aquac import Options, codes, compile_bundle, compile_call, compile_path
from aquac.project.bundle import Disk

PAGES = Path(__file__).resolve().parents[2] / "docs" / "codes"
BLOCK = re.compile(r"```aqua(?: file=(\S+))?\n(.*?)```", re.DOTALL)

# Codes that a text cannot provoke: what has to be on disk, or what the command is given.
SOURCE_BYTES = {"AQ0111": b"aqua \xff", "AQ0113": b"-" * (16 * 2**20 + 1)}
# Refusals that no accepted program reaches today: the page explains them, there is no example.
UNREACHED = {"AQ0222", "AQ0223", "AQ0224", "AQ0229", "AQ0501"}
# Reaching this limit takes seconds; tests/aquac/lowering/test_limits.py does it with a smaller one.
UNREACHED |= {"AQ0504"}


def test_pages_and_codes_correspond() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == codes.TABLE.keys()


@pytest.mark.parametrize("code", sorted(codes.TABLE))
def test_page(code: str, tmp_path: Path) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    row = codes.TABLE[code]
    assert text.startswith(f"# {code}: {row.summary}\n\n`{row.kind}` · {row.severity.value}\n")
    assert "**Remedy.** " in text
    if code in UNREACHED:
        return
    blocks = BLOCK.findall(text)
    if blocks:
        files = {name or "main.aqua": source for name, source in blocks}
        options = Options(legacy_headers=code == "AQ0127")  # without, the file that lacks a header is reported first
        found = compile_bundle(files, "main.aqua", options=options).diagnostics
    else:
        assert "```console" in text
        found = _provoke(code, tmp_path)
    assert code in {d.code.id for d in found}, found


def _provoke(code: str, folder: Path):
    path = folder / "main.aqua"
    path.write_text("aqua Main\n\nexport f\n\nfunc f() -> u8:\n  <- 1\n")
    if code == "AQ0133":
        return compile_path(path, constants=["limit=x"]).diagnostics
    if code == "AQ0134":
        return compile_call(path, "missing(1)").diagnostics
    if code == "AQ0112":
        return compile_path(path, store=Locked()).diagnostics
    if code in SOURCE_BYTES:
        path.write_bytes(SOURCE_BYTES[code])
    else:
        path.unlink()
    return compile_path(path).diagnostics


class Locked(Disk):
    """A disk whose files may be seen but not read; root reads everything, so permissions cannot be used here."""

    def read(self, path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)
