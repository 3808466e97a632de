"""Raw → Model: inlining, naming, streams, error propagation.

`lower_module` lowers everything a module exports, `lower_call` a single call. The files follow `spec aqua-to-air §2`–`§9`.
Names are loaded when first asked for, because semantics uses some of the tools here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lower import LoweredFunction, LoweredModule, LoweredService, lower_call, lower_module
    from .wrapper import LoweringOptions

__all__ = [
    "LoweredFunction",
    "LoweredModule",
    "LoweredService",
    "LoweringOptions",
    "lower_call",
    "lower_module",
]


def __getattr__(name: str) -> Any:
    """Load the module behind an exported name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(".wrapper" if name == "LoweringOptions" else ".lower", __name__), name)
    globals()[name] = found  # not to be looked for again
    return found
