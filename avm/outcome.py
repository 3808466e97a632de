"""What goes into one run of the interpreter and what comes out of it.

Made by: hosts (`RunParameters`, `CallResult`) and `avm.farewell` (`Outcome`). Read by: everyone around the VM.
Errors: none; the values are plain data.
Source: aquavm:crates/air-lib/interpreter-interface/src/{run_parameters,call_request_parameters,interpreter_outcome}.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from avm.limits import AIR_SIZE_LIMIT, CALL_RESULT_SIZE_LIMIT, PARTICLE_SIZE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.data.interpreter_data import Tetraplet

KEY_FORMAT_ED25519: Final = 0


@dataclass(frozen=True, slots=True)
class RunParameters:
    """Constants of the particle and of the peer that runs it.

    timestamp and ttl are milliseconds (u64 and u32). secret_key_bytes: the 32-byte Ed25519 seed. Limits are bytes; in
    soft mode exceeding one only sets a flag of the outcome, in hard mode it ends the run with code 10.
    """

    init_peer_id: str
    current_peer_id: str
    timestamp: int
    ttl: int
    particle_id: str
    secret_key_bytes: bytes
    key_format: int = KEY_FORMAT_ED25519
    air_size_limit: int = AIR_SIZE_LIMIT
    particle_size_limit: int = PARTICLE_SIZE_LIMIT
    call_result_size_limit: int = CALL_RESULT_SIZE_LIMIT
    hard_limit_enabled: bool = False


class CallResult(NamedTuple):
    """Answer of a service: `result` is JSON text when `ret_code` is 0, else the error message as raw text."""

    ret_code: int
    result: str


class CallRequest:
    """A service call the host must make; `tetraplets` has one list per argument. Not to be changed."""

    __slots__ = ("arguments", "function_name", "service_id", "tetraplets")

    service_id: str
    function_name: str
    arguments: list[Any]
    tetraplets: list[list[Tetraplet]]

    def __init__(
        self, service_id: str, function_name: str, arguments: list[Any], tetraplets: list[list[Tetraplet]]
    ) -> None:
        """As given; `avm.jit.run` has a form that makes the lists when they are wanted."""
        self.service_id = service_id
        self.function_name = function_name
        self.arguments = arguments
        self.tetraplets = tetraplets

    def is_longer_than(self, size: int) -> bool:
        """Whether the arguments are, by values and characters, or by the bytes of a text not read yet; in time bounded by `size`."""
        waiting: list[Any] = [self.arguments]
        while waiting:
            value = waiting.pop()
            size -= 1
            if isinstance(value, (str, list, dict)):
                size -= len(value)
                if size < 0:
                    return True
                if isinstance(value, dict):
                    waiting += value.keys()
                    waiting += value.values()
                elif isinstance(value, list):
                    waiting += value
        return size < 0

    def __eq__(self, other: object) -> bool:
        """Same call, same arguments, same origins."""
        if not isinstance(other, CallRequest):
            return NotImplemented
        return (self.service_id, self.function_name, self.arguments, self.tetraplets) == (
            other.service_id,
            other.function_name,
            other.arguments,
            other.tetraplets,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """All fields."""
        return (
            f"CallRequest(service_id={self.service_id!r}, function_name={self.function_name!r}, "
            f"arguments={self.arguments!r}, tetraplets={self.tetraplets!r})"
        )


INTERPRETER: Final = "interpreter"
NATIVE: Final = "native"
"""What did a run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one run.

    data: new data, the previous data unchanged (codes 1-10 and 20000-29999), or empty. next_peer_pks has no
    duplicates. raw_call_requests: the bytes of the requests where they do not follow from `call_requests`. tier: what did the
    run; it is not part of the result.
    """

    ret_code: int
    error_message: str
    data: bytes
    next_peer_pks: tuple[str, ...] = ()
    call_requests: Mapping[int, CallRequest] = field(default_factory=dict)
    air_size_limit_exceeded: bool = False
    particle_size_limit_exceeded: bool = False
    call_result_size_limit_exceeded: bool = False
    raw_call_requests: bytes | None = field(default=None, compare=False, repr=False)
    tier: str = field(default=INTERPRETER, compare=False, repr=False)

    @property
    def call_requests_bytes(self) -> bytes:
        """The requests as they cross the binary interface: multicodec prefix `81 04`, then MessagePack."""
        if self.raw_call_requests is not None:
            return self.raw_call_requests
        from avm.call_data import encode_call_requests

        return encode_call_requests(self.call_requests)

    @property
    def ok(self) -> bool:
        """True when the run ended without any error."""
        return self.ret_code == 0
