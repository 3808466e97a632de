"""Corners of the language where values are unusual: what Python gives, each form on its own."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from tests.runtime.marine.sdk import kit

TINY = [5e-324, -5e-324, 4.9e-322, 1e-310, 2.2250738585072014e-308, 0.1, 1.5, -1.5, 1e16, 1e308]
HUGE = ["1e308", "1.8e308", "1e310", "-1e350", "1e400", "1e401", "1" + "0" * 500, "9" * 308, "0.00001e314", "1e-400"]
WHOLE = [0, 5, -5, 999, -1000, 1234567, 2**63 - 1, -(2**63)]
BROKEN = [0.0, -0.0, 1.5, -1234.5, 1234567.891, 0.05, 999999.5]
BOTH = [True, False]
FILLS = [(text, width, fill) for text in ("", "é") for width in (0, 4) for fill in ("", "x", "𝄞", "xy")]

ZEROS = ("08,", "08_", "#012_x", "012_b", "01,", "+010,", "0=10,", "<010,", "<05", "^05", " 07,", "010,", "#020_o")
"""Formats of integers with zeros in front: groups go on through them, and behind an alignment they are what fills."""

POINTS = ("012,.1f", "+012,.1f", "#.0f", "#.0%", "#,.0f", "012,.0%", "<08.1f", "^010.1f", "09,.0f", "010_.0f", "15,.2f")
TRUTHS = ("5", "<7", "^7", "05", "+", "08,", "x", "#b", "d", ",", ".1f", "%")


def as_python(body: str, signature: str, arguments: list[Any], head: str = "") -> None:
    """A function gives the same compiled and as Python, error or value, for each of the arguments."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    text = f"from dataclasses import dataclass\nfrom runtime.marine.sdk import export\n{head}\n\n@export\ndef f{signature}:\n{lines}\n"
    plain = types.ModuleType("corner")
    sys.modules["corner"] = plain  # dataclasses look there for the module of a class
    exec(compile(text, "corner.py", "exec", dont_inherit=True), plain.__dict__)
    ours = kit.Ours({"corner": kit.wasm_of(text)})
    for one in arguments:
        given = list(one) if isinstance(one, tuple) else [one]
        want = kit.expected(plain.f, given)
        got = ours.call("f", *given)
        if isinstance(got, kit.Failed):
            assert got.kind == want, (body, given)
        else:
            assert repr(got) == repr(want), (body, given)


def test_remainders_of_the_smallest_floats() -> None:
    pairs = [(a, b) for a in TINY for b in TINY]
    as_python("return a % b", "(a: float, b: float) -> float", pairs)
    as_python("return a // b", "(a: float, b: float) -> float", pairs)


def test_texts_of_floats_beyond_all_others() -> None:
    as_python("return float(a)", "(a: str) -> float", HUGE)


@pytest.mark.parametrize("spec", ZEROS)
def test_integers_with_zeros(spec: str) -> None:
    as_python(f"return f'{{a:{spec}}}'", "(a: int) -> str", WHOLE)


@pytest.mark.parametrize("spec", POINTS)
def test_floats_with_zeros_and_points(spec: str) -> None:
    as_python(f"return f'{{a:{spec}}}'", "(a: float) -> str", BROKEN)
    as_python(f"return f'{{float(a):{spec}}}'", "(a: str) -> str", ["inf", "-inf", "nan"])


@pytest.mark.parametrize("spec", TRUTHS)
def test_a_truth_with_a_format_is_a_number(spec: str) -> None:
    as_python(f"return f'{{a}}{{a!s:>6}}{{a:{spec}}}'", "(a: bool) -> str", BOTH)


def test_a_truth_has_no_precision() -> None:
    made = kit.built("from runtime.marine.sdk import export\n@export\ndef f(a: bool) -> str:\n    return f'{a:.2}'\n")
    assert [item.code.id for item in made.diagnostics] == ["MS0102"]


@pytest.mark.parametrize("method", ["ljust", "rjust", "center"])
def test_what_fills_is_one_character(method: str) -> None:
    as_python(f"return a.{method}(n, b)", "(a: str, n: int, b: str) -> str", FILLS)
    as_python(f"return a.{method}(5, 'é')", "(a: str) -> str", ["q"])
    made = kit.built(
        f"from runtime.marine.sdk import export\n@export\ndef f(a: str) -> str:\n    return a.{method}(5, 'xy')\n"
    )
    assert [item.code.id for item in made.diagnostics] == ["MS0306"]


def test_a_list_multiplied_in_place_stays_the_same_list() -> None:
    times = [([1, 2], n) for n in (-1, 0, 1, 2)]
    signature = "(xs: list[int], n: int) -> list[int]"
    as_python("ys = xs\nxs *= n\nys.append(3)\nreturn xs", signature, times)
    as_python("d = {1: xs}\nd[1] *= n\nreturn xs", signature, times)
    as_python("zs = [xs]\nzs[0] *= n\nreturn xs", signature, times)
    record = "@dataclass\nclass P:\n    xs: list[int]\n"
    as_python("p = P(xs)\np.xs *= n\nreturn xs", signature, times, record)


@pytest.mark.parametrize("name", ["int", "str", "bool", "list", "T", "S"])
def test_a_record_may_be_called_as_a_type(name: str) -> None:
    """What the module calls so is its own matter: the library means the types."""
    head = f"@dataclass\nclass {name}:\n    x: float\n"
    as_python(
        f"xs = [f'{{a:.1f}}' + 'b']\nxs.append('c')\nreturn {name}(a + len(xs)).x", "(a: float) -> float", [1.5], head
    )


def test_a_broken_name_of_a_type_is_one_finding() -> None:
    text = (
        "from dataclasses import dataclass, int\nfrom runtime.marine.sdk import export\n"
        "@export\ndef f(a: str) -> str:\n    return a + 'b'\n"
    )
    assert [item.code.id for item in kit.built(text).diagnostics] == ["MS0104"]


def test_texts_of_narrow_floats() -> None:
    head = "from runtime.marine.sdk import f32"
    for text in ("str(x)", "f'{x}'", "','.join(str(y) for y in [x])"):
        as_python(f"x = f32(a)\nreturn {text}", "(a: float) -> str", [0.1, -0.0, 16777217.0], head)
    as_python("x: f32 | None = f32(a)\nreturn str(x)", "(a: float) -> str", [0.1], head)


def test_truths_among_narrow_floats() -> None:
    head = "from runtime.marine.sdk import f32"
    as_python("xs: list[f32] = [f32(0.5), f32(1)]\nreturn a in xs", "(a: bool) -> bool", BOTH, head)
    as_python("xs: list[f32] = []\nxs.append(a)\nreturn xs[0] + 1", "(a: bool) -> float", BOTH, head)


def test_an_optional_integer_or_a_float() -> None:
    as_python(
        "x: int | None = None if a < 1 else a\nreturn 1.0 * (x or b)",
        "(a: int, b: float) -> float",
        [(0, 2.5), (3, 2.5)],
    )


def test_numbers_among_keys_of_another_width() -> None:
    head = "from runtime.marine.sdk import u8, u64"
    numbers = [-7, 3, 200, 256, 2**63 - 1]
    as_python("d: dict[u8, int] = {u8(3): 1, u8(200): 2}\nreturn a in d", "(a: int) -> bool", numbers, head)
    as_python("d: dict[u64, int] = {u64(3): 1, u64(200): 2}\nreturn a not in d", "(a: int) -> bool", numbers, head)
    as_python("d = {3: 1, -7: 2}\nreturn u8(a) in d", "(a: int) -> bool", [3, 249], head)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("return f'{a:5}'", "MS0307"),
        ("for x in zip([a]):\n        pass\n    return ''", "MS0102"),
        ("for x in zip():\n        pass\n    return ''", "MS0102"),
    ],
)
def test_what_would_mean_something_else(line: str, code: str) -> None:
    text = f"from runtime.marine.sdk import export\n@export\ndef f(a: int | None) -> str:\n    {line}\n"
    assert [item.code.id for item in kit.built(text).diagnostics] == [code]


@pytest.mark.parametrize("name", ["range", "zip", "enumerate", "reversed"])
def test_ways_through_lists_are_no_values(name: str) -> None:
    text = f"from runtime.marine.sdk import export\n@export\ndef f(a: list[int]) -> int:\n    return len({name}(a))\n"
    (found,) = kit.built(text).diagnostics
    assert found.message == f"{name} as a value is not part of the module language"


@pytest.mark.parametrize(
    "whole",
    ["2 ** 64 - 1", "2 ** 63 - 1", "-(2 ** 63)", "(1 << 64) // 3", "2 ** 100 % 1000", "-7 // 2 * 3", "~(2 ** 63) >> 1"],
)
def test_numbers_alone_may_be_large_on_their_way(whole: str) -> None:
    """Where they are computed is no matter: in a function, or outside of all."""
    kind = "u64" if eval(whole) > 2**63 - 1 else "int"
    head = f"from runtime.marine.sdk import u64\nLIMIT: {kind} = {whole}\nlimits: list[{kind}] = [{whole}]"
    body = f"x: {kind} = {whole}\nreturn [LIMIT, limits[0], x, {whole}]"
    as_python(body, f"() -> list[{kind}]", [()], head)
    assert kit.wasm_of(
        f"from runtime.marine.sdk import export\n@export\ndef f(a: int) -> bool:\n    return {whole} == a\n"
    )


def test_the_upper_half_of_u64() -> None:
    head = "from runtime.marine.sdk import u64"
    floats = [1e19, 2.0**63, 2.0**63 - 1024, 2.0**64 - 2048, 2.0**64, 1e300, 1.9, -0.5, -1.0, -1e300]
    as_python("return [u64(a)]", "(a: float) -> list[u64]", floats, head)
    most, none = 2**64 - 1, ("inf", "nan")
    as_python("return [u64(float(a))]", "(a: str) -> list[u64]", list(none), head)
    right = [str(most), "18_446_744_073_709_551_61_5", str(2**63), f" +0{most} ", "0", "-0", "7", "1_0"]
    wrong = [str(most + 1), f"{most}0", "9" * 30, "-1", "-05", "", "-", "_5", "1__5", "x5", "5x", "0x10", "+-5", "é5"]
    as_python("return [u64(a)]", "(a: str) -> list[u64]", right + wrong, head)
