"""Named limits of lowering. Each has a test at both sides of its border."""

from typing import Final

INLINED_STATEMENTS_MAX: Final = 200_000
"""Statements and blocks of one output function after inlining (AQ0504). Calls are inlined, so forty functions that each call
the one before twice would have a million million. A script of this many would not fit into a particle: as `seq` nests, a
straight line of 10,000 calls has more than 100 MB of text."""

INDEX_MAX: Final = 2**32 - 1
"""Largest constant index, that of AIR's lenses (AQ0501)."""
