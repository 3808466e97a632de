"""`vault`: text files of one particle, shared with the Wasm services of its scope.

Source: nox:particle-builtins/src/builtins.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.store.vault import VaultError

from .arguments import STRING, Arguments, TypedServiceError
from .registry import ServiceError

if TYPE_CHECKING:
    from .hosted import HostedServices
    from .registry import CallContext, Handler


def functions(hosted: HostedServices) -> dict[str, Handler]:
    """The table."""

    def put(values: list[Any], context: CallContext) -> Any:
        data = Arguments(values).next("data", STRING)
        particle = context.particle
        try:
            return hosted.vault.put(context.scope_id, particle.id, particle.signature, data)
        except VaultError as error:
            raise TypedServiceError(str(error)) from None

    def cat(values: list[Any], context: CallContext) -> Any:
        path = Arguments(values).next("path", STRING)
        particle = context.particle
        try:
            return hosted.vault.read(context.scope_id, particle.id, particle.signature, path).decode()
        except (VaultError, UnicodeDecodeError):
            raise ServiceError(f"Error reading vault file `{path}`") from None

    return {"put": put, "cat": cat}
