"""JSON texts as no printer writes them: blanks, odd numbers and escapes, keys that come twice, nesting about the limit, lone surrogates.

Most are valid; the rest has one fault that the format's own reader finds and others overlook.
Used by: the services of `avm_history` and the tests of the readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.limits import JSON_DEPTH_MAX

if TYPE_CHECKING:
    import random

NUMBERS: Final = (
    "-0", "-0.0", "0e5", "0E-0", "1E5", "1e-7", "1e-6", "1.0E+2", "123456789012345680000", "1e16", "1e17", "1e15", "0.1e1",
    "9.999999999999999e15", "5e-324", "4.9e-324", "1e-400", "2.2250738585072014e-308", "1.7976931348623157e308", "1.0e-5", "0.00001",
    "123e-2", str(2**64 - 1), str(2**64), str(2**63), str(-(2**63)), str(-(2**63) - 1), str(2**53 + 1), str(-(10**30)),
)  # fmt: skip
PIECES: Final = (
    "a", "k", "é", "☃", "\U0001f600", "/", "'", "\x7f", "\u0085", "\u00ad", "\u0301", "\u0378", "\u200b", "\u2028", "\ue000", "[{", "}]",
    "\\u0000", "\\u001f", "\\n", "\\t", "\\b", "\\f", "\\/", "\\\\", '\\"', "\\ud83d\\ude00", "\\u007f", "\\u2028", "\\\\ud800",
)  # fmt: skip
WRONG_PIECES: Final = ("\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud83dx", "\\x", "\\'", "\x01")
WRONG_NUMBERS: Final = ("1e400", "-1e400", "01", "1.", "-", "+1", "NaN", "-Infinity")
KEYS: Final = ('"a"', '"b"', '"k"', '"key"', '"value"', '"error_code"', '"message"')
BLANKS: Final = ("", "", "", "", "", " ", "\n", "\t\r", " \n ")
LEVELS_MAX: Final = 5


def json_text(rng: random.Random, level: int = 0) -> str:
    """A text, of up to LEVELS_MAX levels and now and then a tower about as high as is allowed."""
    kind = rng.random()
    if level >= LEVELS_MAX or kind < 0.25:
        return number(rng)
    if kind < 0.5:
        return string(rng)
    if kind < 0.58:
        return rng.choice(("null", "true", "false"))
    if kind < 0.78:
        return f"[{','.join(_spaced(rng, json_text(rng, level + 1)) for _ in range(rng.randrange(4)))}]"
    if kind < 0.785:
        height = JSON_DEPTH_MAX + rng.randint(-level - 2, 2)
        return "[" * height + "]" * height
    pairs = (
        f"{_spaced(rng, rng.choice((*KEYS, string(rng))))}:{_spaced(rng, json_text(rng, level + 1))}"
        for _ in range(rng.randrange(5))
    )
    return f"{{{','.join(pairs)}}}"


def object_text(rng: random.Random) -> str:
    """An object with the fields that random scripts ask for."""
    a, b, c, *rest = (json_text(rng, 1) for _ in range(7))
    names = ("key", "value", "error_code", "message")
    fields = ",".join(f'"{name}":{text}' for name, text in zip(names, rest, strict=True))
    return f'{{"a":[{a},{{"a":{b}}}],"b":[{c},{{"a":1}}],{fields}}}'


def number(rng: random.Random) -> str:
    """A number."""
    match rng.randrange(12):
        case 0 | 1:
            return rng.choice(NUMBERS) if rng.random() < 0.98 else rng.choice(WRONG_NUMBERS)
        case 2:
            return repr(rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30))
        case 3:
            return f"{rng.randint(0, 10 ** rng.randint(1, 25))}.{rng.randint(0, 10 ** rng.randint(1, 25))}"
        case 4:
            return f"{rng.randint(-999, 999)}e{rng.randint(-340, 300)}"
        case 5:
            return f"{rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300):.{rng.randint(0, 20)}e}"
        case _:
            return str(rng.randint(-5, 5))


def string(rng: random.Random) -> str:
    """A string with its quotes."""
    pieces = [
        rng.choice(PIECES) if rng.random() < 0.9 else chr(rng.randrange(0x5D, 0xD800))
        for _ in range(rng.choice((0, 1, 1, 2, 4)))
    ]
    if rng.random() < 0.01:
        pieces.insert(rng.randint(0, len(pieces)), rng.choice(WRONG_PIECES))
    return f'"{"".join(pieces)}"'


def _spaced(rng: random.Random, text: str) -> str:
    return f"{rng.choice(BLANKS)}{text}{rng.choice(BLANKS)}"
