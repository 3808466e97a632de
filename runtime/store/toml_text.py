"""TOML as text, for the little files of a host. Reading is the standard library's `tomllib`.

Tables hold texts, booleans, integers, lists of texts and tables; None leaves a key out. Errors: none for such values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def toml_text(table: Mapping[str, Any]) -> str:
    """The document: plain keys first, then tables, each in the given order."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    out = [f"[{'.'.join(map(_text, path))}]"] if path else []
    inner = []
    for key, value in table.items():
        if isinstance(value, dict):
            inner.append((key, value))
        elif value is not None:
            out.append(f"{_text(key)} = {_value(value)}")
    for key, value in inner:
        out += _lines(value, (*path, key))
    return out


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but DEL must be escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
