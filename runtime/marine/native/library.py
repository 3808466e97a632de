"""The kernels of native adapters, compiled together; see `avm/jit/library.py`.

`python -m runtime.marine.native.library` has them compiled, for who sets a machine up.
"""

from __future__ import annotations

from typing import Final

from avm.jit.library import Bundle, Library

_KERNELS: Final = ("layout", "memory", "values", "adapters", "slots", "arguments", "results", "entries")

MARINE: Final = Bundle(
    "runtime.marine.native.library:MARINE",
    tuple(f"runtime.marine.native.kernels.{name}" for name in _KERNELS),
    shared=("avm.jit.kernels.json_text",),
    depends=("runtime.marine.limits", "avm.limits"),
)

__all__ = ["MARINE", "Library"]

if __name__ == "__main__":
    MARINE.compile_and_keep()
