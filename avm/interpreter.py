"""The interpreter as one object: prepare, execute, farewell, with caches that live between runs.

Errors: ValueError for an unknown engine; a run itself never raises, whatever bytes it is given
(texts must be encodable: a lone surrogate is a mistake of the caller and raises UnicodeEncodeError).
Source: aquavm:air/src/runner.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm import farewell
from avm.caches import Caches
from avm.call_data import encode_call_results
from avm.crypto import signatures
from avm.crypto.keys import KeyFormatError, key_pair, public_key_peer_id
from avm.data import cid_store
from avm.exec import run
from avm.exec.context import DEFAULT_OPTIONS
from avm.exec.values import canonical_text_lookups
from avm.limits import DECLINED_MAX, RUN_WORK_BYTES
from avm.prepare import Flags, PreparationError, check_sizes, prepare
from avm.stats import CacheStats, NativeStats, VmStats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.caches import Native
    from avm.exec.context import VmOptions
    from avm.jit.run import NativeRuns
    from avm.outcome import CallResult, Outcome, RunParameters

_NATIVE: Final[dict[str, Native]] = {"auto": "auto", "interp": "auto", "jit": "on", "python": "off"}
ENGINES: Final = tuple(_NATIVE)


class Avm:
    """An interpreter. Keeps programs and its last outputs; not thread-safe, several may live side by side.

    engine: `jit` runs in native code (`avm.jit`) from the first run, `auto` where it pays, `interp` never: there native code reads
    large scripts and nothing else. `python` has none at all. All give the same outcomes.
    options: switches of known defects, see VmOptions.
    """

    def __init__(self, engine: str = "auto", *, options: VmOptions = DEFAULT_OPTIONS) -> None:
        """Raises ValueError for an engine that is not there."""
        if engine not in ENGINES:
            raise ValueError(f"no engine `{engine}`; there are {', '.join(ENGINES)}")
        self._caches = Caches(_NATIVE[engine])
        self._runs_natively = engine in ("auto", "jit")
        self._options = options
        self._runs = 0
        self._native_runs: NativeRuns | None = None

    def invoke(
        self,
        air: str,
        prev_data: bytes,
        data: bytes,
        params: RunParameters,
        call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult],
    ) -> Outcome:
        """Run the script once: a pure function of its arguments.

        prev_data: what this peer kept of the particle (trusted); data: what arrived (verified); both may be empty.
        call_results: the binary form, or results by request id.
        """
        self._runs += 1
        flags = Flags()
        native = self._native_outcome(air, prev_data, data, params, call_results)
        if native is not None:
            return native
        try:
            prepared = prepare(air, prev_data, data, params, call_results, flags, self._caches, self._options)
        except PreparationError as error:
            return farewell.refused(error, prev_data, flags)
        result = run(prepared.program, prepared.context)
        return farewell.finished(prepared, result, prev_data, params, flags, self._caches)

    def _native_outcome(
        self,
        air: str,
        prev_data: bytes,
        data: bytes,
        params: RunParameters,
        call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult],
    ) -> Outcome | None:
        """The outcome by native code, None where the interpreter has to do the run."""
        if not self._runs_natively or self._options != DEFAULT_OPTIONS:
            return None
        library = self._caches.native(RUN_WORK_BYTES + len(prev_data) + len(data))
        if library is None:
            return None
        flags = Flags()
        try:
            check_sizes(air, data, params, flags)
            reader = self._caches.native_reader(air, library)
            if reader is None or 2 * reader.declined > DECLINED_MAX + reader.runs:
                return None
            results = call_results if isinstance(call_results, bytes) else encode_call_results(call_results)
            key = key_pair(params.key_format, params.secret_key_bytes)
        except (PreparationError, KeyFormatError, ValueError, OverflowError):
            return None
        if self._native_runs is None:
            from avm.jit.run import NativeRuns

            self._native_runs = NativeRuns(library)
        outcome = self._native_runs.run(reader.skeleton, prev_data, data, params, flags, results, key)
        reader.runs += 1
        reader.declined += outcome is None
        return outcome

    def stats(self) -> VmStats:
        """What this interpreter's caches did so far, and those of the process."""
        programs, data = self._caches.stats()
        return VmStats(
            runs=self._runs,
            programs=programs,
            data=data,
            cids=cid_store.stats(),
            signatures=signatures.stats(),
            canonical_texts=CacheStats.of_function(canonical_text_lookups()),
            keys=CacheStats.of_function(public_key_peer_id.cache_info()),
            native=NativeStats() if self._native_runs is None else self._native_runs.stats(),
        )


_shared: dict[str, Avm] = {}


def invoke(
    air: str,
    prev_data: bytes,
    data: bytes,
    params: RunParameters,
    call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult],
) -> Outcome:
    """One run of an interpreter that all callers share, see `Avm.invoke`. For one thread at a time."""
    avm = _shared.get("auto")
    if avm is None:
        avm = _shared.setdefault("auto", Avm())
    return avm.invoke(air, prev_data, data, params, call_results)
