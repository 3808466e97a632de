"""Identifiers of generated code: names of a program that the target language reserves, or that meet, get underscores.

Everything here is deterministic: the same names in the same order give the same identifiers.
Errors: none.
"""

from __future__ import annotations

import keyword
import re
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ECMASCRIPT_RESERVED: Final = frozenset((
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete",
    "do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements",
    "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public",
    "return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "var", "void",
    "while", "with", "yield",
))  # fmt: skip
"""What neither a binding nor a parameter of an ECMAScript module (strict code) may be called."""

PYTHON_RESERVED: Final = frozenset(keyword.kwlist)
"""Hard keywords only; `match`, `case`, `type` are names like any other."""

_PYTHON_MODULES: Final = sys.stdlib_module_names | {"aquac", "avm", "lsp", "runtime"}
"""What a generated module or Python itself imports: a `json.py` in the folder of a script would be found instead."""


class Namer:
    """Gives out identifiers of one scope, each once."""

    def __init__(self, reserved: Iterable[str]) -> None:
        """`reserved`: identifiers that are never given."""
        self._taken = set(reserved)

    def name(self, wanted: str) -> str:
        """`wanted`, with as many underscores behind it as it takes to be new."""
        return self.name_with(wanted, ("",))

    def name_with(self, wanted: str, suffixes: tuple[str, ...]) -> str:
        """As `name`, for an identifier from which others are made: with each of the suffixes it must be new."""
        while any(wanted + suffix in self._taken for suffix in suffixes):
            wanted += "_"
        self._taken.update(wanted + suffix for suffix in suffixes)
        return wanted


def capitalized(name: str) -> str:
    """The name with its first letter upper-cased."""
    return name[:1].upper() + name[1:]


def snake_case(name: str) -> str:
    """`someName`, `SomeName`, `HTTPServer2` → `some_name`, `some_name`, `http_server2`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return spaced.lower()


def module_path(stem: str) -> str:
    """Path of a Python module for the path of a source, both without suffix: words that can be imported and hide no module."""
    return "/".join(_module_word(word) for word in stem.split("/"))


def _module_word(word: str) -> str:
    if word in (".", ".."):
        return word
    word = re.sub(r"\W", "_", word)
    if word[:1].isdigit() or not word:
        word = f"_{word}"
    return f"{word}_" if word in PYTHON_RESERVED or word in _PYTHON_MODULES else word
