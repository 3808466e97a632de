"""A function that grows without end is refused, at a border that can be named."""

import pytest

from aquac import compile_bundle
from aquac.lowering import lower

LEVELS = 40


def program(levels: int) -> str:
    """Each function calls the one before twice."""
    functions = "".join(f"\nfunc f{at}():\n  f{at - 1}()\n  f{at - 1}()\n" for at in range(1, levels))
    start = 'aqua Main\n\nexport main\n\nservice Echo("echo"):\n  ping()\n\nfunc f0():\n  Echo.ping()\n'
    return f"{start}{functions}\nfunc main():\n  f{levels - 1}()\n"


def check(levels: int, statements_max: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(lower, "INLINED_STATEMENTS_MAX", statements_max)
    found = compile_bundle({"main.aqua": program(levels)}, "main.aqua")
    return [d.code.id for d in found.diagnostics]


def test_both_sides_of_the_border(monkeypatch: pytest.MonkeyPatch) -> None:
    border = next(size for size in range(1, 200) if not check(3, size, monkeypatch))
    assert check(3, border - 1, monkeypatch) == ["AQ0504"]
    assert border > 7


def test_exponential_growth_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(LEVELS, 1000, monkeypatch) == ["AQ0504"]
