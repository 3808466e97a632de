"""`sig`: signatures by the keys of this host and its workers.

Signing is offered for registry records only: the argument's tetraplet must show that a registry service of this host made
the bytes, or a stranger could have anything signed.
Source: nox:particle-builtins/src/builtins.rs (`sign`, `verify`, `get_peer_id`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.marine.rust_text import debug_string
from runtime.protocol.identity import Identity, verify

from .arguments import VEC_U8, Arguments
from .registry import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.data.interpreter_data import Tetraplet

    from .protected import Rights
    from .registry import CallContext, Handler

_SIGNABLE = ("registry", ("get_record_bytes", "get_record_metadata_bytes"))


def _debug(tetraplet: Tetraplet) -> str:
    peer, service, function, lens = map(debug_string, tetraplet)
    return f"SecurityTetraplet {{ peer_pk: {peer}, service_id: {service}, function_name: {function}, lens: {lens} }}"


class SigService:
    """The functions, bound to the keys of the scopes."""

    def __init__(self, identity_of: Callable[[str], Identity | None], rights: Rights) -> None:
        """`identity_of`: keys of a scope that lives here, else None."""
        self._identity_of = identity_of
        self._rights = rights

    def functions(self) -> dict[str, Handler]:
        """The table."""
        return {"get_peer_id": lambda _, context: context.scope_id, "sign": self.sign, "verify": self.verify}

    def sign(self, values: list[Any], context: CallContext) -> Any:
        """Sign bytes with the key of the scope."""
        self._require_signer(context)
        try:
            data = Arguments(values).next("data", VEC_U8)
        except ServiceError as error:
            return {"success": False, "error": [error.value], "signature": []}
        self._require_provenance(context)
        signature = self._identity(context).sign(bytes(data))
        return {"success": True, "error": [], "signature": [list(signature)]}

    def verify(self, values: list[Any], context: CallContext) -> Any:
        """Whether a signature of bytes is by the key of the scope."""
        arguments = Arguments(values)
        signature = bytes(arguments.next("signature", VEC_U8))
        data = bytes(arguments.next("data", VEC_U8))
        return verify(self._identity(context).public_key, signature, data)

    def _identity(self, context: CallContext) -> Identity:
        identity = self._identity_of(context.scope_id)
        if identity is None:
            raise ServiceError(f"Not found key pair for scope {context.scope_id}")
        return identity

    def _require_signer(self, context: CallContext) -> None:
        """A scope signs for its own particles; management may use the host's key."""
        author = context.init_peer_id
        allowed = author == context.scope_id or (
            self._identity_of(author) is None
            and author in self._rights.management
            and context.scope_id == context.host_id
        )
        if not allowed:
            raise ServiceError(f"peer '{author}' is not allowed to sign data on '{context.scope_id}'")

    def _require_provenance(self, context: CallContext) -> None:
        tetraplets = context.tetraplets[0] if context.tetraplets else []
        if len(tetraplets) != 1:
            shown = f"Some([{', '.join(map(_debug, tetraplets))}])" if context.tetraplets else "None"
            raise ServiceError(
                f"expected tetraplet for a scalar argument, got tetraplet for an array: {shown}, tetraplets"
            )
        (tetraplet,) = tetraplets
        if self._identity_of(tetraplet.peer_pk) is None:
            raise ServiceError(
                f"data is expected to be produced by service 'registry' on peer '{context.host_id}', "
                f"was from peer '{tetraplet.peer_pk}'"
            )
        service, functions = _SIGNABLE
        if tetraplet.service_id != service or tetraplet.function_name not in functions:
            raise ServiceError(
                "data is expected to result from a call to 'registry.get_record_bytes' or "
                f"'registry.get_record_metadata_bytes', was from '{tetraplet.service_id}.{tetraplet.function_name}'"
            )
        if tetraplet.lens:
            raise ServiceError("lens for data tetraplet is expected to be empty")
