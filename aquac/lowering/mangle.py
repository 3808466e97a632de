"""The mangler of lowering: the same as that of semantics, a fresh one for every exported function (`spec §2.3`, `§4.1`)."""

from aquac.semantics.mangler import Mangler

__all__ = ["Mangler"]
