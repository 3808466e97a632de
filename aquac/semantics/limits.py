"""Named limits of semantics. Each has a test at both sides of its border."""

from typing import Final

TYPE_DEPTH_MAX: Final = 100
"""Deepest type, counted through named types and collections (AQ0109). Comparing and printing types recurse this deep."""

TYPE_SIZE_MAX: Final = 100_000
"""Largest type, counted in nodes with named types written out (AQ0109); sharing makes that exponential in the source."""
