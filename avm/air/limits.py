"""Limits of AIR's text form. There are no others: depth and size are bounded by the host's `air_size_limit` alone.

Source: aquavm:crates/air-lib/air-parser/src/parser/lexer/call_variable_parser.rs
"""

from __future__ import annotations

from typing import Final

FLOAT_BYTES_MAX: Final = 11
"""Longest text of a float, sign and dot included."""

INT_MIN: Final = -(2**63)
"""Smallest integer literal (i64)."""

INT_MAX: Final = 2**63 - 1
"""Largest integer literal (i64)."""

INDEX_MAX: Final = 2**32 - 1
"""Largest array index in a lens (u32)."""

REPORT_LABELS_MAX: Final = 1_000
"""Labels drawn in an error report; later ones are left out. The drawing grows with the square of their number."""

REPORT_CHARS_MAX: Final = 4 * 1024 * 1024
"""Length at which the drawing of an error report stops, at the end of a row."""
