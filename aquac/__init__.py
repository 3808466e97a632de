"""Aqua compiler: Aqua source to AIR, definitions and diagnostics.

`compile_path` and `compile_source` are the façade; they never raise on a bad program, what is wrong is in
`Compiled.diagnostics`. Stages are sub-packages in pipeline order: `syntax`, `project`, `semantics`, `lowering`, `topology`,
`emit`. Importing this package loads none of them: each name below is fetched on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .compiler import (
        Compiled,
        CompiledFunction,
        Options,
        compile_bundle,
        compile_call,
        compile_path,
        compile_source,
    )
    from .diagnostics import Diagnostic

__all__ = [
    "Compiled",
    "CompiledFunction",
    "Diagnostic",
    "Options",
    "compile_bundle",
    "compile_call",
    "compile_path",
    "compile_source",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(".diagnostics" if name == "Diagnostic" else ".compiler", __name__)
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
