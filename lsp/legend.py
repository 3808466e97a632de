"""The words of semantic tokens, which a client is told before anything is computed."""

from __future__ import annotations

from typing import Final

from lsprotocol import types

TYPES: Final = (
    "namespace",
    "type",
    "class",
    "interface",
    "struct",
    "parameter",
    "variable",
    "property",
    "function",
    "method",
)
MODIFIERS: Final = ("declaration", "readonly", "remote", "stream", "defaultLibrary")
LEGEND: Final = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))
