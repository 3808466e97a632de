"""The client library: call Aqua functions on a network and serve calls, from trio or from asyncio.

`connect` is the way in for trio, `runtime.client.aio.connect` for asyncio. Everything is imported on first use: errors, and what
generated modules need, load neither an event loop nor the interpreter.

Parts: `errors` (what is raised) · `invocation` (one call as data) · `places` (instructions → lines of Aqua) · `pending` (a call on its way) ·
`client` (all of them) · `relays` (keeping the connection) · `outbox` (what to send again) · `registration` (services) · `loading` (Aqua files at run time) · `connecting`, `aio`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.client.client import Client
    from runtime.client.connecting import connect
    from runtime.client.errors import (
        Abandoned,
        AquaError,
        ArgumentError,
        CallFailed,
        CallRefused,
        ClientClosed,
        ConnectionLost,
        ExtraMissing,
        InterpreterError,
        ParticleExpired,
        ProgramInvalid,
        RelayUnreachable,
        ResultError,
        ServiceInvalid,
        Unanswered,
        WorkflowError,
        WrongLoop,
    )
    from runtime.client.invocation import Answer, Caller
    from runtime.client.loading import Module, load, load_source
    from runtime.client.pending import PendingCall
    from runtime.client.places import Source
    from runtime.client.registration import Registration
    from runtime.client.relays import Backoff
    from runtime.conversion import ConversionError
    from runtime.python_services import service
    from runtime.services.registry import CallContext, ServiceError

__all__ = [
    "Abandoned",
    "Answer",
    "AquaError",
    "ArgumentError",
    "Backoff",
    "CallContext",
    "CallFailed",
    "CallRefused",
    "Caller",
    "Client",
    "ClientClosed",
    "ConnectionLost",
    "ConversionError",
    "ExtraMissing",
    "InterpreterError",
    "Module",
    "ParticleExpired",
    "PendingCall",
    "ProgramInvalid",
    "Registration",
    "RelayUnreachable",
    "ResultError",
    "ServiceError",
    "ServiceInvalid",
    "Source",
    "Unanswered",
    "WorkflowError",
    "WrongLoop",
    "connect",
    "load",
    "load_source",
    "service",
]

_HOME = {
    **dict.fromkeys(("Answer", "Caller"), "runtime.client.invocation"),
    **dict.fromkeys(("Module", "load", "load_source"), "runtime.client.loading"),
    **dict.fromkeys(("CallContext", "ServiceError"), "runtime.services.registry"),
    "Backoff": "runtime.client.relays",
    "Client": "runtime.client.client",
    "ConversionError": "runtime.conversion",
    "PendingCall": "runtime.client.pending",
    "Registration": "runtime.client.registration",
    "Source": "runtime.client.places",
    "connect": "runtime.client.connecting",
    "service": "runtime.python_services",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOME.get(name, "runtime.client.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
