"""AquaVM: the interpreter of AIR scripts as a pure function. No clock, socket, file, randomness or thread.

`Avm` keeps caches between runs, `invoke` is one run of a shared instance. Everything is imported on first use.

Steps of a run: `prepare` (sizes, data, CIDs, signatures, script) → `exec` (the script) → `farewell` (signature, new data).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avm.interpreter import Avm, invoke
    from avm.outcome import CallRequest, CallResult, Outcome, RunParameters

__all__ = ["Avm", "CallRequest", "CallResult", "Outcome", "RunParameters", "invoke"]

_HOME = {
    "Avm": "avm.interpreter",
    "invoke": "avm.interpreter",
    "CallRequest": "avm.outcome",
    "CallResult": "avm.outcome",
    "Outcome": "avm.outcome",
    "RunParameters": "avm.outcome",
}


def __getattr__(name: str) -> object:
    """Import the module a public name lives in."""
    if name in _HOME:
        from importlib import import_module

        value: object = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
