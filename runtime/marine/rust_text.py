"""How Rust prints values in debug form, as far as messages of the reference quote it.

Source: core::fmt (str::escape_debug), serde_json::Value
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from avm.data.json_number import float_text

_ESCAPES: Final = {"\t": "\\t", "\r": "\\r", "\n": "\\n", '"': '\\"', "\\": "\\\\", "\0": "\\0"}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


def debug_string(text: str) -> str:
    """A string in quotes."""
    out = []
    for character in text:
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif character == " " or (character.isascii() and character.isprintable()):
            out.append(character)
        elif unicodedata.category(character) in _HIDDEN or unicodedata.combining(character):
            out.append(f"\\u{{{ord(character):x}}}")
        else:
            out.append(character)
    return f'"{"".join(out)}"'


def debug_json(value: Any) -> str:
    """A JSON value."""
    match value:
        case None:
            return "Null"
        case bool():
            return f"Bool({'true' if value else 'false'})"
        case int():
            return f"Number({value})"
        case float():
            return f"Number({float_text(value)})"
        case str():
            return f"String({debug_string(value)})"
        case list():
            return f"Array [{', '.join(map(debug_json, value))}]"
        case dict():
            return f"Object {{{', '.join(f'{debug_string(k)}: {debug_json(v)}' for k, v in sorted(value.items()))}}}"
        case _:
            return type(value).__name__
