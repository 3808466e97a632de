"""Named limits of the front end. Each has a test at both sides of its border."""

from typing import Final

SOURCE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest source file, in UTF-8 bytes (AQ0113)."""

NESTING_MAX: Final = 256
"""Deepest nesting of brackets, of operators in a value, of types, and of blocks (AQ0109). Later passes recurse this deep."""

RESCAN_FACTOR: Final = 8
"""How many times the length of a file is read again after brackets that never close; then no line continues another."""

SYNTAX_ERRORS_MAX: Final = 200
"""Syntax errors reported for one file; the rest would be noise of a file that is not Aqua."""

MODULES_MAX: Final = 10_000
"""Modules of one compilation, imported ones included."""
