"""JSON in and out in the one form whose bytes are hashed.

parse: text → plain Python values (None, bool, int, float, str, list, dict), equal to what the reference holds. dumps: the
canonical text. equal: the equality of `match` and of map keys. Errors: JsonError, with the reference's text.
The C parser and printer of the standard library do the work; wherever they could differ from the format, the strict reader
or the slow printer takes over.
Source: serde_json 1.0.108; conformance/interpreter-data/canonical-json.jsonl
"""

from __future__ import annotations

import json
import json.encoder
import re
from itertools import accumulate
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

from avm.limits import JSON_DEPTH_MAX

from .json_number import float_text, parse_float, parse_integer
from .json_reader import JsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["JsonError", "dumps", "equal", "parse", "string_text"]


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)


def _make_encoder() -> Callable[[Any], str]:
    """The library's encoder; its C part directly where there is one, because building that anew costs 3 µs a call."""
    encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    chunks = make(None, encoder.default, encode_basestring, None, ":", ",", True, False, True)
    return lambda value: "".join(chunks(value, 0))


_decoder: Final = json.JSONDecoder(parse_float=parse_float, parse_int=parse_integer, parse_constant=_refuse_constant)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = getattr(_decoder, "scan_once")  # noqa: B009 - absent from the stubs
# The same with the library's own integers, which are read without calling back into Python.
_plain: Final = json.JSONDecoder(parse_float=parse_float, parse_constant=_refuse_constant)
_scan_plain: Final[Callable[[str, int], tuple[Any, int]]] = getattr(_plain, "scan_once")  # noqa: B009 - as above
_DIGITS_TO_0: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_DIGIT: Final = re.compile("[0-9]").search
_LONG_INTEGER: Final = b"0" * 19
# Of each escape: nothing, or the third digit of a surrogate without its other half.
_LONE_SURROGATE: Final = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD]([89a-fA-F])|.)").findall
_STEPS: Final = bytes({0x5B: 1, 0x7B: 1, 0x5D: 255, 0x7D: 255}.get(byte, 0) for byte in range(256))  # 255 is −1
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if not _STEPS[byte])
_encode: Final = _make_encoder()
_CONTAINERS: Final = frozenset({list, dict})


def _decode(text: str) -> Any:
    """As the decoder's own method, without its search for spaces where there are none."""
    try:
        value, end = (_scan if _has_unusual_integer(text) else _scan_plain)(text, 0)
    except StopIteration:
        end = -1
        value = None
    # spaces around the value, or something else after it
    return value if end == len(text) else _decoder.decode(text)


def _has_unusual_integer(text: str) -> bool:
    """Whether `-0` or 19 digits in a row occur anywhere; other integers have 64 bits and are what they say."""
    if "-" in text and "-0" in text:
        return True
    # as many digits in a row show in every 19th character
    if _DIGIT(text[18::19]) is None:
        return False
    return _LONG_INTEGER in text.encode("utf-8", "surrogatepass").translate(_DIGITS_TO_0)


def parse(text: str) -> Any:
    """Value of a JSON text; of duplicate keys the last one wins. Raises JsonError."""
    try:
        value = _decode(text)
    except (ValueError, RecursionError):
        return read_json(text)
    # What the C parser lets pass is looked for in the text: the value has lost what stood under a key that came again.
    # One character is found much faster than three.
    if "\\" in text and ("\\ud" in text or "\\uD" in text) and any(_LONE_SURROGATE(text)):
        return read_json(text)
    if type(value) in _CONTAINERS and text.count("[") + text.count("{") > JSON_DEPTH_MAX and _too_deep(text):
        return read_json(text)
    return value


def _too_deep(text: str) -> bool:
    """Whether the brackets of a JSON text nest deeper than allowed."""
    if "\\" in text:
        text = text.replace("\\\\", "").replace('\\"', "")  # what is left of a quote begins or ends a string
    steps = "".join(text.split('"')[::2]).encode().translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > JSON_DEPTH_MAX


def dumps(value: Any) -> str:
    """Canonical text: keys sorted, no spaces, shortest floats."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return repr(value)
    try:
        text = _encode(value)
    except RecursionError:
        return _dumps_slowly(value)
    if ("-" in text and "e-" in text) or ("+" in text and "e+" in text):
        # an exponent of Python's float form, or merely such characters in a string; one is found faster than two
        return _dumps_slowly(value)
    return text


def string_text(value: str) -> str:
    """Canonical text of a string: quoted, with the minimal escapes."""
    return encode_basestring(value)


def _dumps_slowly(value: Any) -> str:
    """As dumps, with our own float form and without recursion."""
    out: list[str] = []
    todo: list[tuple[bool, Any]] = [(True, value)]  # (is a value, else a piece of text)
    while todo:
        is_value, item = todo.pop()
        if not is_value:
            out.append(item)
        elif type(item) is float:
            out.append(float_text(item))
        elif type(item) is list:
            todo.append((False, "]"))
            for index in range(len(item) - 1, -1, -1):
                todo.append((True, item[index]))
                if index:
                    todo.append((False, ","))
            out.append("[")
        elif type(item) is dict:
            todo.append((False, "}"))
            for index, key in reversed(list(enumerate(sorted(item)))):
                todo.append((True, item[key]))
                todo.append((False, f"{',' if index else ''}{encode_basestring(key)}:"))
            out.append("{")
        else:
            out.append(_encode(item))
    return "".join(out)


def equal(left: Any, right: Any) -> bool:
    """Structural equality that keeps kinds apart: 1 ≠ 1.0, true ≠ 1; but −0.0 = 0.0."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is not list and kind is not dict:
        return bool(left == right)
    todo = [(left, right)]
    while todo:
        a, b = todo.pop()
        kind = type(a)
        if kind is not type(b):
            return False
        if kind is list:
            if len(a) != len(b):
                return False
            todo.extend(zip(a, b, strict=True))
        elif kind is dict:
            if a.keys() != b.keys():
                return False
            todo.extend((item, b[key]) for key, item in a.items())
        elif a != b:
            return False
    return True
