"""First step of a run: turn untrusted bytes into a program and a context, or into one of the codes 1–10.

The order of the checks is part of the interface: sizes, envelopes, version, archives, CIDs, keys, signatures, script,
call results, signing key. Errors: PreparationError, nothing else.
Source: aquavm:air/src/runner.rs, air/src/preparation_step/{preparation,sizes_limits_check,errors}.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from avm.call_data import CallDataError, decode_call_results, results_by_text
from avm.crypto.keys import KeyFormatError, KeyPair, key_pair
from avm.data.archive_reader import ArchiveError
from avm.data.cid_store import CidStoreError, verify_stores
from avm.data.codec import open_archive, open_reusable
from avm.data.envelope import Envelope, EnvelopeError, read_envelope
from avm.data.human import unsupported_version
from avm.data.interpreter_data import InterpreterData, Stores
from avm.data.signature_store import SignatureStoreError, Signers, merge
from avm.data.versions import DATA_VERSION, OWN_VERSIONS, is_supported
from avm.exec.context import DEFAULT_OPTIONS, RunContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.caches import Caches
    from avm.exec.context import VmOptions
    from avm.ir.program import Program
    from avm.outcome import CallResult, RunParameters

AIR_PARSE: Final = 1
DATA_DECODING: Final = 2
ENVELOPE_DECODING: Final = 3
ENVELOPE_DECODING_WITH_VERSIONS: Final = 4
CALL_RESULTS_DECODING: Final = 5
UNSUPPORTED_VERSION: Final = 6
MALFORMED_KEY: Final = 7
CID_STORE: Final = 8
SIGNATURES: Final = 9
SIZE_LIMIT: Final = 10


class PreparationError(Exception):
    """The run cannot start. `code` and the text are those of the outcome."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code."""
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Flags:
    """Soft limits that were exceeded."""

    air: bool = False
    particle: bool = False
    call_result: bool = False


@dataclass(slots=True)
class Prepared:
    """What execution and farewell need.

    stray_results: call results whose id is no request id in decimal, by their id text.
    signatures: merged signature store, without the entry of this run. current: what arrived.
    """

    program: Program
    context: RunContext
    signatures: dict[bytes, bytes]
    key: KeyPair
    stray_results: dict[str, CallResult]
    current: Decoded


@dataclass(slots=True)
class Decoded:
    """Decoded data with the grouping of its CIDs, which is made on first use.

    archive: what the data were read from, if parts of it can be copied.
    """

    data: InterpreterData
    archive: bytes | None = None
    signers: Signers | None = None

    def grouped(self) -> Signers:
        """CIDs by peer. Raises SignatureStoreError."""
        if self.signers is None:
            self.signers = Signers(self.data)
        return self.signers


def check_sizes(air: str, data: bytes, params: RunParameters, flags: Flags) -> None:
    """Check script and current data against their limits. Raises PreparationError in hard mode."""
    air_size = len(air) if air.isascii() else len(air.encode("utf-8", "surrogatepass"))
    if air_size > params.air_size_limit:
        if params.hard_limit_enabled:
            raise _too_big("air size", air_size, params.air_size_limit)
        flags.air = True
    if len(data) > params.particle_size_limit:
        if params.hard_limit_enabled:
            # flags are reported by neither of the two hard errors
            flags.air = False
            raise _too_big("Current_data particle size", len(data), params.particle_size_limit)
        flags.particle = True


def _too_big(what: str, size: int, limit: int) -> PreparationError:
    return PreparationError(SIZE_LIMIT, f"{what}: {size} bytes is bigger than the limit allowed: {limit} bytes")


def prepare(
    air: str,
    prev_data: bytes,
    data: bytes,
    params: RunParameters,
    call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult],
    flags: Flags,
    caches: Caches,
    options: VmOptions = DEFAULT_OPTIONS,
) -> Prepared:
    """Everything before execution. Raises PreparationError; sets `flags` as it goes."""
    check_sizes(air, data, params, flags)
    prev, current = _decode(prev_data, data, caches, OWN_VERSIONS[options.version])
    signatures = _verify(prev, current, params.particle_id)
    program = caches.program(air)
    results, stray = _results(call_results, params, flags)
    try:
        key = key_pair(params.key_format, params.secret_key_bytes)
    except KeyFormatError as error:
        raise PreparationError(MALFORMED_KEY, f"malformed keypair format: {error}") from None
    context = RunContext(
        init_peer_id=params.init_peer_id,
        current_peer_id=params.current_peer_id,
        timestamp=params.timestamp,
        ttl=params.ttl,
        prev_trace=prev.data.trace,
        current_trace=current.data.trace,
        stores=_union(prev.data.stores, current.data.stores),
        last_call_request_id=prev.data.last_call_request_id,
        call_results=results,
        options=options,
    )
    return Prepared(program, context, signatures, key, stray, current)


def _decode(prev_data: bytes, data: bytes, caches: Caches, own_version: str) -> tuple[Decoded, Decoded]:
    prev = caches.decoded(prev_data) if prev_data else Decoded(InterpreterData())
    prev_envelope = _envelope(prev_data, own_version) if prev is None else None
    envelope = _envelope(data, own_version) if data else None
    if envelope is not None and not is_supported(envelope.versions.interpreter):
        raise PreparationError(UNSUPPORTED_VERSION, unsupported_version(envelope.versions.interpreter))
    try:
        if prev is None:
            assert prev_envelope is not None
            prev = Decoded(open_archive(prev_envelope))
        current = Decoded(*open_reusable(envelope)) if envelope is not None else Decoded(InterpreterData())
    except ArchiveError as error:
        raise PreparationError(
            DATA_DECODING,
            f"an error occurred while data deserialization: Data(Validation({error})){_versions_note(own_version)}",
        ) from None
    return prev, current


def _versions_note(own_version: str) -> str:
    return f".\nAquaVM version is {own_version} and it expects {DATA_VERSION} version."


def _envelope(data: bytes, own_version: str) -> Envelope:
    try:
        return read_envelope(data)
    except EnvelopeError as error:
        if error.versions is None:
            raise PreparationError(
                ENVELOPE_DECODING,
                f"an error occurred while envelope deserialization: Envelope({error}){_versions_note(own_version)}",
            ) from None
        raise PreparationError(
            ENVELOPE_DECODING_WITH_VERSIONS,
            f"an error occurred while data deserialization: Envelope({error}).\n"
            f"AquaVM's version is {own_version} and it expects data of {DATA_VERSION} version.\n"
            f"Supplied data version is {error.versions.data}, it's produced by AquaVM of {error.versions.interpreter} version.",
        ) from None


def _verify(prev: Decoded, current: Decoded, salt: str) -> dict[bytes, bytes]:
    """CIDs and signatures of current data; of previous data, which this peer wrote itself, only the keys."""
    try:
        verify_stores(current.data.stores)
        prev_signers = prev.grouped()
        current_signers = current.grouped()
        current_signers.verify(salt)
        return merge(prev_signers, current_signers)
    except CidStoreError as error:
        raise PreparationError(CID_STORE, str(error)) from None
    except SignatureStoreError as error:
        raise PreparationError(error.code, str(error)) from None


def _results(
    call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult], params: RunParameters, flags: Flags
) -> tuple[dict[int, CallResult], dict[str, CallResult]]:
    """Results by request id, and those whose id text is not the plain decimal form of any id."""
    try:
        if isinstance(call_results, bytes | bytearray | memoryview):
            texts = decode_call_results(bytes(call_results))
        else:
            texts = results_by_text(call_results)
    except CallDataError as error:
        raise PreparationError(
            CALL_RESULTS_DECODING, f"error occurred while deserialize call results: {error}."
        ) from None
    results: dict[int, CallResult] = {}
    stray: dict[str, CallResult] = {}
    limit = params.call_result_size_limit
    for key, result in texts.items():
        text = result.result
        # a character takes 1 to 4 bytes: encode only where that decides
        if len(text) > limit or (4 * len(text) > limit and len(text.encode("utf-8", "surrogatepass")) > limit):
            flags.call_result = True
        if key.isascii() and key.isdigit() and len(key) <= 10 and (key[0] != "0" or key == "0"):
            results[int(key)] = result
        else:
            stray[key] = result
    if flags.call_result and params.hard_limit_enabled:
        raise PreparationError(SIZE_LIMIT, f"Call result size is bigger than the limit allowed: {limit} bytes")
    return results, stray


def _union(prev: Stores, current: Stores) -> Stores:
    """Both sides' entries in fresh stores, previous ones first; execution adds to them."""
    return Stores(
        {**prev.values, **current.values},
        {**prev.tetraplets, **current.tetraplets},
        {**prev.canon_elements, **current.canon_elements},
        {**prev.canon_results, **current.canon_results},
        {**prev.service_results, **current.service_results},
    )
