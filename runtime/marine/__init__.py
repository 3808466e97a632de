"""Services made of Marine modules: WebAssembly with interface types, hosted on wasmtime.

A service is an ordered list of modules, each instantiated once; the last one, the facade, is callable. Modules share
nothing: a call between two of them copies values out of one memory and into the other.

    sections, interface_types → interface     what a module file says
    verify → marshal | interpreter            how typed values reach core functions and come back
    codec, window                             values in a linear memory
    engine, module_cache, artifact            compiled modules
    instance → host                           running modules; a service
    calls, workers                            calls that may be stopped, on threads that are large enough
    json_values, call_parameters, mounted, wasi, polling, config, blueprint, cids
    core_types, interface_aqua → embed        core module and declarations → module
    archive → packed                          services in one file

Nothing here is imported before a service is wanted: wasmtime is heavy. Errors: `MarineError` and its kinds.
Source: marine, marine-rs-sdk, interface-types, nox (see each file)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import ModuleConfig, ServiceConfig
    from .errors import CallError, LoadError, MarineError
    from .host import Service

__all__ = ["CallError", "LoadError", "MarineError", "ModuleConfig", "Service", "ServiceConfig"]

_PLACES = dict.fromkeys(("CallError", "LoadError", "MarineError"), "errors") | {
    "Service": "host",
    "ModuleConfig": "config",
    "ServiceConfig": "config",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{place}"), name)
