"""AIR, the text a particle carries: lexer, parser, checks, printers. The compiler uses it too.

text → `lexer` → `parser` (+ `validate`) → `ast`, for scripts of the usual form `quick`; `printer`, `ast_json`, `beautify` go the other way. `report` draws errors.
"""

from __future__ import annotations

from .parser import ParseResult, parse
from .report import Label

__all__ = ["Label", "ParseResult", "parse"]
