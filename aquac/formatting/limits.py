"""Named limits of the formatter."""

from typing import Final

WIDTH: Final = 100
"""Columns a line may have, in code points, before its brackets are opened. A comment behind it does not count."""

INDENT: Final = "    "
"""One level of a block, and of what stands in opened brackets."""
