"""Reading sources: the byte order mark, and the place of a byte that is not UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquac.project.bundle import Disk, read_source


def check(folder: Path, data: bytes) -> tuple[str, bool, str]:
    """Text, whether there was a mark, and the message."""
    path = folder / "a.aqua"
    path.write_bytes(data)
    source, found = read_source(Disk(), str(path))
    return source.text, source.bom, "" if found is None else found.message


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_mark_is_no_text(mark: bytes, tmp_path: Path) -> None:
    assert check(tmp_path, mark + b"aqua M") == ("aqua M", bool(mark), "")
    text, _, message = check(tmp_path, mark + b"ab\xff")
    assert text == ""
    assert message.endswith(f"is not UTF-8: byte 0xff at offset {len(mark) + 2}")


def test_a_second_mark_is_text(tmp_path: Path) -> None:
    assert check(tmp_path, 2 * b"\xef\xbb\xbf" + b"x") == ("\ufeffx", True, "")
