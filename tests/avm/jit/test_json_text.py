"""The native reader of JSON writes what Python writes, or leaves it to Python; and finds its way in such text."""

from __future__ import annotations

import json
import random
import re
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avm.data import canonical_json
from avm.jit import library
from avm.jit.kernels import json_text
from avm.jit.kernels.json_text import ABSENT, ESCAPE_BYTES_MAX, MEMBERS_MAX, NO_CONTAINER, STACK_LONGS, UNUSUAL
from avm.jit.library import Library
from avm.limits import JSON_DEPTH_MAX
from tests.conformance.runner import CorpusMissing, default_files, read_cases

MARGIN = 0xA5
"""What stands around the ranges a kernel may write to."""


@pytest.fixture(scope="module")
def kernels() -> Library:
    pytest.importorskip("llvmlite")
    found = library.get()
    if found is None:
        pytest.skip("no native code on this platform")
    return found


def python_canonical(text: bytes) -> bytes | None:
    try:
        return canonical_json.dumps(canonical_json.parse(text.decode())).encode()
    except (UnicodeDecodeError, canonical_json.JsonError):
        return None


def write(function: Callable[..., int], text: bytes, room: int, *more: Any) -> bytes | int:
    """What a kernel makes of a text with other bytes around it; that it writes to its range only."""
    before, size = b'"[', len(text)
    buffer = array("B", before + text + b'"]' + bytes([MARGIN]) * (room + 8))
    start, at = len(before), size + 8
    end = function(buffer, start, start + size, at, *more)
    assert buffer[: size + 4].tobytes() == before + text + b'"]'
    assert set(buffer[size + 4 : at]) == {MARGIN}
    assert set(buffer[at + room :]) == {MARGIN}
    if end < 0:
        return end
    assert end <= at + room
    return buffer[at:end].tobytes()


def canonical(function: Callable[..., int], text: bytes) -> bytes | None:
    found = write(function, text, 2 * len(text), array("q", [-1]) * STACK_LONGS)
    if isinstance(found, int):
        assert found == UNUSUAL
        return None
    assert len(found) <= len(text)
    return found


def check(text: bytes, kernels: Library, *, taken: bool | None = None) -> None:
    native = canonical(kernels.canonical, text)
    assert native == canonical(json_text.canonical, text)
    expected = python_canonical(text)
    assert native is None or native == expected, text
    if taken is not None:
        assert (native is not None) == taken, text
    if native is not None:
        # the fast way needs no more than the text
        buffer = array("B", native * 2)
        assert kernels.canonical(buffer, 0, len(native), len(native), array("q", bytes(8 * STACK_LONGS))) == len(buffer)
        assert buffer.tobytes() == native * 2


# ── canonical text ───────────────────────────────────────────────────────────────────────────────────────────────────

TAKEN = [
    *["0", "1", "-1", " 10 ", "9223372036854775807", "9223372036854775808", "18446744073709551615"],
    *["-9223372036854775808", "999999999999999999", "-999999999999999999", "1000000000000000000"],
    *["0.0", "-0.0", "0.00", "-0.000000000000000000000000000000", "1.0", "1.50", "1.10000", "-2.500", "100.0", "10.00"],
    *["0.1", "0.00001", "0.000010", "-0.0000123456789012345", "12345678901234.5", "0.5"],
    *["99999999999999.9", "0.0000999999999999999", "0.000099999999999999", "1.00000000000000", "3.14159265358979"],
    *["true", "false", "null", " null\n", "\r\n\ttrue", '""', '"a"', '"é€😀"', '"\x7f"', '"\u2028\\/"'],
    *['"\\u0041\\u00e9\\u20ac\\ud83d\\ude00"', '"\\b\\f\\n\\r\\t\\"\\\\\\/"', '"\\u0008\\u000C\\u000a\\u000D\\u0009"'],
    *[
        '"\\u0000\\u001f\\u001F\\u000b\\u0010\\u007f"',
        '"\\u0022\\u005c\\u002f"',
        '"\\uD7FF\\uE000\\uFFFF\\uDBFF\\uDFFF"',
    ],
    *["[]", "{}", "[ ]", "{ }", "[[],{}]", '[1, "a" ,null , true,false]', ' { "a" : 1 , "b" : [ { } ] } '],
    *['{"b":1,"a":2}', '{"a":1,"a":2}', '{"b":1,"a":2,"b":3}', '{"a":{"d":1,"c":2},"B":[{"z":1,"y":2}]}', '{"":1}'],
    *['{"a":1,"":2}', '{"aa":1,"a":2}', '{"a":1,"aa":2}', '{"é":1,"z":2}', '{"😀":1,"\uffff":2}'],
    *[
        '{"\\n":1,"\\t":2,"!":3}',
        '{"\\\\":1,"[":2,"]":3}',
        '{"#":0,"\\"":1,"!":3}',
        '{"\\u001f":1,"\\u0001":2,"\\u0000":3}',
    ],
    *[
        '{"\\u0061":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '{"b":1,"\\u0061":2,"c":3,"\\u0063":4.50}',
        '{"\\/":1,"/":2,"-":3}',
    ],
    *['{"a":1,"b":2,"d":3,"c":4,"e":5}', '{"a":1,"b":2,"b":3,"b":4}', '{"a\\u0000":1,"a":2}', '{"a":[1, 2],"a":[ ]}'],
]

LEFT = [
    *[
        "",
        " ",
        "-",
        "-0",
        "[-0]",
        "01",
        "-01",
        "00",
        "+1",
        ".5",
        "1.",
        "-.5",
        "1.e5",
        "1e5",
        "1E5",
        "1.5e3",
        "0e0",
        "1e",
    ],
    *["18446744073709551616", "-9223372036854775809", "20000000000000000000", "100000000000000000000", "9" * 40],
    *[
        "0.000001",
        "0.00000999",
        "0.1234567890123456",
        "1234567890123456.5",
        "1.000000000000000",
        "123456789012345.0",
        "47.96049919743814",
    ],
    *["tru", "trux", "truee", "nul", "falsy", "None", "NaN", "Infinity", "-Infinity", "x", "1 2", "1,", "\ufeff1"],
    *[
        '"',
        '"a',
        '"\\',
        '"\\"',
        '"\\x"',
        '"\\u"',
        '"\\u12"',
        '"\\u123g"',
        '"\\u00 1"',
        '"\\U0041"',
        '"a\nb"',
        '"\x00"',
        '"\x1f"',
    ],
    *[
        '"\\ud800"',
        '"\\udc00"',
        '"\\ud83d\\u0041"',
        '"\\ud83dx"',
        '"\\ud83d\\n"',
        '"\\ude00\\ud83d"',
        '"\\ud83d\\ud83d"',
    ],
    *[
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "]",
        "{",
        '{"a"',
        '{"a":',
        '{"a":1',
        '{"a":1,',
        '{"a":1,}',
        '{"a":1]',
    ],
    *["{,}", "{1:2}", "{a:1}", '{"a" 1}', '{"a",1}', '{"a":1 "b":2}', "[]]", "[] []", "[1,2]x", "\v1", "\f1", "1\x00"],
]

BAD_BYTES = [
    *[
        b'"\x80"',
        b'"\xbf"',
        b'"\xc0\x80"',
        b'"\xc1\xbf"',
        b'"\xc2"',
        b'"\xc2',
        b'"\xc2a"',
        b'"\xe0\x9f\xbf"',
        b'"\xe1\x80"',
    ],
    *[b'"\xe1\x80a"', b'"\xe1a\x80"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf0\x8f\xbf\xbf"', b'"\xf0\x90\x80"'],
    *[
        b'"\xf0\x90a\x80"',
        b'"\xf0\x90\x80a"',
        b'"\xf4\x90\x80\x80"',
        b'"\xf5\x80\x80\x80"',
        b'"\xff"',
        b"\xa0",
        b"\xc3\xa9",
    ],
]
GOOD_BYTES = [
    b'"\xc2\x80"',
    b'"\xdf\xbf"',
    b'"\xe0\xa0\x80"',
    b'"\xed\x9f\xbf"',
    b'"\xee\x80\x80"',
    b'"\xf0\x90\x80\x80"',
    b'"\xf4\x8f\xbf\xbf"',
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken(text: str, kernels: Library) -> None:
    check(text.encode(), kernels, taken=True)
    check(f"[{text}]".encode(), kernels, taken=True)
    check(f'{{"b":{text},"a" : {text}}}'.encode(), kernels, taken=True)


@pytest.mark.parametrize("text", LEFT)
def test_what_is_left_to_python(text: str, kernels: Library) -> None:
    check(text.encode(), kernels, taken=False)
    check(f'{{"b":[{text} '.encode(), kernels, taken=False)


@pytest.mark.parametrize("text", BAD_BYTES)
def test_bytes_that_are_not_utf8(text: bytes, kernels: Library) -> None:
    check(text, kernels, taken=False)
    check(b"[" + text + b",1]", kernels, taken=False)


@pytest.mark.parametrize("text", GOOD_BYTES)
def test_edges_of_utf8(text: bytes, kernels: Library) -> None:
    check(text, kernels, taken=True)
    check(text[:-1], kernels, taken=False)


def test_every_pair_of_bytes_and_every_escape(kernels: Library) -> None:
    stack = array("q", bytes(8 * STACK_LONGS))
    texts = [b'"' + bytes([a, b]) + b'"' for a in range(256) for b in range(256)]
    texts += [b'"\\u%s"' % spelling.encode() for c in range(0x10000) for spelling in {f"{c:04x}", f"{c:04X}"}]
    taken = 0
    for text in texts:
        size = len(text)
        buffer = array("B", text + bytes(2 * size))
        end = kernels.canonical(buffer, 0, size, size, stack)
        expected = python_canonical(text)
        assert (None if end < 0 else buffer[size:end].tobytes()) == expected
        taken += expected is not None
    assert taken > 60_000


def test_depth(kernels: Library) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('{"b":0,"a":', "}")):
        for depth in (JSON_DEPTH_MAX - 1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1):
            text = (opening * depth + "1" + closing * depth).encode()
            check(text, kernels, taken=depth <= JSON_DEPTH_MAX)
            if depth > JSON_DEPTH_MAX:
                assert python_canonical(text) is None
    check(b"[" * 10_000, kernels, taken=False)
    check(b"[" * (JSON_DEPTH_MAX - 1) + b"[]" + b"]" * (JSON_DEPTH_MAX - 1), kernels, taken=True)


@pytest.mark.parametrize("size", [2, MEMBERS_MAX - 1, MEMBERS_MAX, MEMBERS_MAX + 1, 3 * MEMBERS_MAX])
def test_members_that_can_be_put_in_order(size: int, kernels: Library) -> None:
    keys = sorted(f"k{i * 7919 % 1000}" for i in range(size))
    for order in (keys, keys[::-1], keys[1:] + keys[:1], [*keys[:-1], keys[0]]):
        text = ",".join(f'"{key}" : {{"v":"{i}", "u":[]}}' for i, key in enumerate(order))
        check(f"{{{text}}}".encode(), kernels, taken=order is keys or size <= MEMBERS_MAX)


def test_every_level_out_of_order(kernels: Library) -> None:
    text = ('{"b":1,"a":' * JSON_DEPTH_MAX + '"' + "x" * 2000 + '"' + "}" * JSON_DEPTH_MAX).encode()
    check(text, kernels, taken=True)


def test_where_there_is_no_room(kernels: Library) -> None:
    stack = array("q", bytes(8 * STACK_LONGS))
    for text in (b"[1,2]", b"[1, 2]", b'["\\u0041"]', b'{"b":1,"a":2}'):
        size = len(text)
        for function in (kernels.canonical, json_text.canonical):
            with pytest.raises(IndexError):
                function(array("B", text + bytes(2)), 0, size, size, stack)
    with pytest.raises(IndexError):
        kernels.canonical(array("B", b'{"a":1}' * 3), 0, 7, 7, array("q", bytes(8 * 4)))


@pytest.mark.parametrize(
    ("start", "end", "at"), [(0, 5, 4), (5, 10, 4), (-1, 5, 10), (0, 99, 99), (5, 4, 10), (0, 5, -1)]
)
def test_ranges_that_cannot_be_meant(start: int, end: int, at: int, kernels: Library) -> None:
    buffer = array("B", b"[1,2][1,2]" + bytes(20))
    stack = array("q", bytes(8 * STACK_LONGS))
    for function in (kernels.canonical, json_text.canonical):
        assert function(buffer, start, end, at, stack) == UNUSUAL
    assert buffer.tobytes() == b"[1,2][1,2]" + bytes(20)


def test_output_before_the_input(kernels: Library) -> None:
    text = b' {"b":1, "a":2}'
    buffer = array("B", bytes(2 * len(text)) + text)
    start = 2 * len(text)
    end = kernels.canonical(buffer, start, start + len(text), 0, array("q", bytes(8 * STACK_LONGS)))
    assert buffer[:end].tobytes() == b'{"a":2,"b":1}'
    assert buffer[start:].tobytes() == text


def test_corpus(kernels: Library) -> None:
    try:
        files = [path for path in default_files("interpreter-data") if path.name.startswith("canonical-json")]
    except CorpusMissing as missing:
        pytest.skip(str(missing))
    if not files:
        pytest.skip("no canonical-json.jsonl among the conformance files")
    taken = 0
    for path in files:
        for case in read_cases(path):
            text = case["result_text"].encode()
            check(text, kernels)
            native = canonical(kernels.canonical, text)
            if native is not None:
                taken += 1
                assert (case["ret_code"], case["stored"].encode()) == (0, native)
    assert taken > 60


# ── random values ────────────────────────────────────────────────────────────────────────────────────────────────────

CHARACTERS = st.one_of(
    st.sampled_from('"\\/\b\f\n\r\t\0\x01\x1f\x20\x7f\x80aZ0.é€\ud7ff\ue000\uffff😀\U0010ffff'),
    st.characters(exclude_categories=("Cs",)),
)
STRINGS = st.text(CHARACTERS, max_size=24)
KEYS = st.one_of(STRINGS, st.sampled_from(["a", "b", "aa", "ab", "", "\n", "\t", "é"]))
DECIMALS = st.builds(lambda n, k: n / 10**k, st.integers(-(10**15), 10**15), st.integers(1, 14))
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.integers(-99, 99), DECIMALS, st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, STRINGS),
    lambda inner: st.lists(inner, max_size=5) | st.lists(st.tuples(KEYS, inner), max_size=6).map(dict),
    max_leaves=24,
)


def stranger_text(rng: random.Random, value: Any) -> str:
    """A JSON text of a value: any blanks, escapes, order and repetition of keys, zeros behind a fraction."""

    def blank() -> str:
        return "".join(rng.choice(" \n\t\r") for _ in range(rng.choice((0, 0, 0, 1, 3))))

    def text(item: Any) -> str:
        if isinstance(item, str):
            return '"' + "".join(map(character, item)) + '"'
        if isinstance(item, list):
            return "[" + ",".join(blank() + text(one) + blank() for one in item) + (blank() if not item else "") + "]"
        if isinstance(item, dict):
            members = list(item.items())
            if members and rng.random() < 0.3:
                members.insert(0, (rng.choice(members)[0], rng.choice([1, [], {"z": 1, "y": 2}])))
            if rng.random() < 0.5:
                # one of equal keys stays the last
                last = dict(members)
                members = [pair for pair in members if last[pair[0]] is not pair[1]] + rng.sample(
                    list(last.items()), len(last)
                )
            parts = [blank() + text(key) + blank() + ":" + blank() + text(one) + blank() for key, one in members]
            return "{" + ",".join(parts) + "}"
        found = canonical_json.dumps(item)
        return found + "0" * rng.choice((0, 0, 1, 3)) if "." in found and "e" not in found else found

    def character(c: str) -> str:
        way = rng.random()
        code = ord(c)
        if c == "/" and way < 0.3:
            return "\\/"
        if way < 0.15 or code < 0x20 or c in '"\\':
            short = canonical_json.string_text(c)[1:-1]
            if short != c and way < 0.6:
                return short
            units = c.encode("utf-16-be")
            form = rng.choice(("{:04x}", "{:04X}"))
            return "".join("\\u" + form.format(units[k] << 8 | units[k + 1]) for k in range(0, len(units), 2))
        return c

    return blank() + text(value) + blank()


@given(value=VALUES, seed=st.integers(0, 2**32))
def test_random_values(kernels: Library, value: Any, seed: int) -> None:
    text = stranger_text(random.Random(seed), value)
    check(text.encode(), kernels)
    for ascii_only in (False, True):
        check(json.dumps(value, ensure_ascii=ascii_only, indent=seed % 3 or None).encode(), kernels)
    check(canonical_json.dumps(value).encode(), kernels)


@given(value=st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), STRINGS),
    lambda inner: st.lists(inner, max_size=5) | st.lists(st.tuples(KEYS, inner), max_size=6).map(dict),
    max_leaves=24,
), seed=st.integers(0, 2**32))  # fmt: skip
def test_values_without_doubles_are_all_taken(kernels: Library, value: Any, seed: int) -> None:
    check(stranger_text(random.Random(seed), value).encode(), kernels, taken=True)
    check(canonical_json.dumps(value).encode(), kernels, taken=True)


@given(
    digits=st.integers(0, 10**15 - 1),
    places=st.integers(1, 25),
    zeros=st.integers(0, 6),
    negative=st.booleans(),
)
@example(digits=1, places=5, zeros=0, negative=False)
@example(digits=1, places=6, zeros=0, negative=False)
def test_decimal_numbers(kernels: Library, digits: int, places: int, zeros: int, negative: bool) -> None:
    text = str(digits).rjust(places + 1, "0")
    text = "-" * negative + text[:-places] + "." + text[-places:] + "0" * zeros
    value = float(text)
    sure = value == 0 or (abs(value) >= 1e-5 and len(text.lstrip("-0.").replace(".", "")) <= 15)
    check(text.encode(), kernels, taken=sure)


PIECES = [
    b'"',
    b"\\",
    b"\\u",
    b"\\ud83d",
    b",",
    b":",
    b"[",
    b"]",
    b"{",
    b"}",
    b"0",
    b".",
    b"-",
    b"e",
    b" ",
    b"\x00",
    b"\xff",
    b"\xc3",
]
PIECES += [b"true", b"nul", b'"a":', b'{"a":1,"a":2}', b"00", b"\x80", b"\xed\xa0\x80", b"1e5", b'"k"']


@given(
    value=VALUES,
    seed=st.integers(0, 2**32),
    edits=st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(PIECES), st.integers(0, 3)), min_size=1, max_size=4
    ),
)
def test_damaged_texts(kernels: Library, value: Any, seed: int, edits: list[tuple[int, bytes, int]]) -> None:
    text = stranger_text(random.Random(seed), value).encode()
    for place, piece, gone in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + gone :]
    check(text, kernels)


@given(text=st.binary(max_size=40))
def test_any_bytes(kernels: Library, text: bytes) -> None:
    check(text, kernels)
    check(b'{"b":[' + text + b'],"a":"' + text + b'"}', kernels)


# ── ways through canonical text ──────────────────────────────────────────────────────────────────────────────────────


def both(name: str, kernels: Library, data: bytes, *arguments: int) -> int:
    """What a kernel answers, in native form and in Python."""
    native = getattr(kernels, name)(array("B", data), *arguments)
    assert native == getattr(json_text, name)(array("B", data), *arguments)
    assert isinstance(native, int)
    return native


@given(value=VALUES, before=st.binary(max_size=3), behind=st.sampled_from([b"", b",1", b"]", b"}]", b'"']))
def test_ways_through_a_value(kernels: Library, value: Any, before: bytes, behind: bytes) -> None:
    text = canonical_json.dumps(value).encode()
    data = before + text + behind
    start, end = len(before), len(before) + len(text)
    assert both("skip", kernels, data, start, end) == end
    if behind != b'"':
        assert both("skip", kernels, data, start, len(data)) == end
    size = both("count", kernels, data, start, end)
    if not isinstance(value, list):
        assert size == NO_CONTAINER
        assert both("element", kernels, data, start, end, 0) == NO_CONTAINER
    else:
        assert size == len(value)
        for index in (-1, size, size + 1):
            assert both("element", kernels, data, start, end, index) == ABSENT
        for index, item in enumerate(value):
            at = both("element", kernels, data, start, end, index)
            found = data[at : both("skip", kernels, data, at, end)]
            assert found == canonical_json.dumps(item).encode()


@given(value=st.dictionaries(KEYS, VALUES, max_size=8), names=st.lists(KEYS, max_size=4))
def test_fields(kernels: Library, value: dict[str, Any], names: list[str]) -> None:
    text = canonical_json.dumps(value).encode()
    size = len(text)
    for name in [*names, *value, *(key[:-1] for key in value), *(key + "a" for key in value)]:
        data = text + name.encode() + b"x"
        at = both("field", kernels, data, 0, size, size, len(data) - 1)
        if name in value:
            found = data[at : both("skip", kernels, data, at, size)]
            assert found == canonical_json.dumps(value[name]).encode()
        else:
            assert at == ABSENT
    for other in (b"[]", b"1", b'"a"', b"null"):
        assert both("field", kernels, other + b"a", 0, len(other), len(other), len(other) + 1) == NO_CONTAINER


@given(value=VALUES, place=st.integers(0, 10**6), piece=st.sampled_from(PIECES), gone=st.integers(0, 200))
def test_ways_through_damaged_text_end(kernels: Library, value: Any, place: int, piece: bytes, gone: int) -> None:
    """Whatever the answer is, there is one, the same in both forms, and it is in the text."""
    text = canonical_json.dumps(value).encode()
    at = place % (len(text) + 1)
    text = text[:at] + piece + text[at + gone :]
    size = len(text)
    data = text + b"key"
    for name, *more in (("skip",), ("count",), ("element", 1), ("field", size, size + 3)):
        arguments = (0, size, *more)
        answers = []
        for function in (getattr(kernels, name), getattr(json_text, name)):
            try:
                answers.append(function(array("B", data), *arguments))
            except IndexError:
                answers.append(None)
        assert answers[0] == answers[1]
        assert answers[0] is None or NO_CONTAINER - 1 <= answers[0] <= size


@pytest.mark.parametrize(
    "text", ["", '"', '"a', '"a\\"', "[", "[1", "[1,", '["', "{", '{"a"', '{"a":', '{"a":1', "[[]"]
)
def test_text_that_ends_early(text: str, kernels: Library) -> None:
    data = text.encode()
    assert both("skip", kernels, data, 0, len(data)) == UNUSUAL
    for name, more in (("count", ()), ("element", (3,)), ("field", (0, 0))):
        answer = both(name, kernels, data, 0, len(data), *more)
        assert answer in (UNUSUAL, NO_CONTAINER, ABSENT)


# ── strings, equality ────────────────────────────────────────────────────────────────────────────────────────────────


@given(value=STRINGS)
def test_strings(kernels: Library, value: str) -> None:
    raw, text = value.encode(), canonical_json.string_text(value).encode()
    for forms in (kernels, json_text):
        assert write(forms.write_string, raw, 2 + ESCAPE_BYTES_MAX * len(raw)) == text
        assert write(forms.read_string, text, len(text) - 2) == raw


@pytest.mark.parametrize(
    "text",
    ["", '"', "a", "1", '"a', 'a"', '"\\"', '"a"b"', '"\\x"', '"\\u0041"', '"\\u00"', '"\\/"', '"\\u00g0"', "[]"],
)
def test_what_is_no_canonical_string(text: str, kernels: Library) -> None:
    for forms in (kernels, json_text):
        assert write(forms.read_string, text.encode(), len(text)) == UNUSUAL


def test_all_bytes_that_need_an_escape(kernels: Library) -> None:
    raw = bytes(range(128)) * 2
    found = write(kernels.write_string, raw, 2 + ESCAPE_BYTES_MAX * len(raw))
    assert found == canonical_json.string_text(raw.decode()).encode()
    worst = b"\x00" * 50
    assert write(kernels.write_string, worst, 2 + ESCAPE_BYTES_MAX * 50) == b'"' + b"\\u0000" * 50 + b'"'


def compare(kernels: Library, left: Any, right: Any) -> int:
    a, b = canonical_json.dumps(left).encode(), canonical_json.dumps(right).encode()
    data = b"," + a + b"," + b + b","
    found = both("equal", kernels, data, 1, 1 + len(a), 2 + len(a), 2 + len(a) + len(b))
    expected = canonical_json.equal(left, right)
    assert found == expected or (found == UNUSUAL and re.search(rb"[0-9][.e]", a) and re.search(rb"[0-9][.e]", b))
    return found


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        (0.0, -0.0, UNUSUAL),
        (1.5, 1.25, UNUSUAL),
        (1e300, 1e301, UNUSUAL),
        (1, 1.0, 0),
        (1, 10, 0),
        (1.5, 15, 0),
        (0, False, 0),
        ("1.5", "1.6", 0),
        ("1.5", 1.5, 0),
        ([1.5, 2], [1.5, 3], 0),
        ([1.5, 2], [1.5], 0),
        ([0.0, 1], [-0.0, 1], UNUSUAL),
        ({"a": 0.0}, {"a": -0.0}, UNUSUAL),
        ({"1.5": 0}, {"1.6": 0}, 0),
        ({"a": 1.5}, {"b": 1.5}, 0),
        ({"a": 1.5}, {"a": 1.5, "b": 1}, 0),
        ([[1.5]], [[1.5], 1], 0),
        ([True], ["e"], 0),
        ([], {}, 0),
        ("e", "ee", 0),
        ([{"a": [None, "x.y", 1.5]}], [{"a": [None, "x.y", 1.5]}], 1),
    ],
)
def test_equality_corners(left: Any, right: Any, found: int, kernels: Library) -> None:
    assert compare(kernels, left, right) == found
    assert compare(kernels, right, left) == found
    assert compare(kernels, left, left) == 1


@given(left=VALUES, right=VALUES)
def test_equality(kernels: Library, left: Any, right: Any) -> None:
    compare(kernels, left, right)
    compare(kernels, [left, right], [left, left])
    assert compare(kernels, left, left) == 1


@given(number=st.floats(allow_nan=False, allow_infinity=False), other=NUMBERS, more=VALUES)
def test_equality_of_values_with_doubles(kernels: Library, number: float, other: float, more: Any) -> None:
    compare(kernels, number, other)
    compare(kernels, [more, number], [more, other])
    compare(kernels, {"a": more, "b": number, "c": 0.0}, {"a": more, "b": number, "c": -0.0})
