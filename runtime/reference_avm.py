"""The reference interpreter (`avm.wasm` of npm `@fluencelabs/avm`) behind the same interface as `avm.Avm`.

Used by: tests that compare, `avm invoke --engine reference`, benchmarks. The module is hosted on wasmtime through its
Marine binary interface; the compiled form is kept in the user cache directory (compiling takes two seconds, loading 5 ms).
Errors: ReferenceMissingError when there is no module; ReferenceTrapError where the reference panics, after which the
next call starts a fresh instance.
Source: aquavm:air-interpreter/src/marine.rs; docs of the interface in spec "AquaVM binary interface", §1.1
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from avm.call_data import decode_call_requests, encode_call_results
from avm.outcome import CallResult, Outcome
from avm.private_cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.outcome import RunParameters

DEFAULT_MODULE: Final = Path("node_modules", "@fluencelabs", "avm", "dist", "avm.wasm")
WASM_STACK_BYTES_MAX: Final = 2 << 20
"""As nox gives it; 512 KiB, the default of wasmtime, is too little for a `fold` of 1000 `par`."""

_TYPE_U8: Final = 1
_OUTCOME: Final = struct.Struct("<q6I2I3B")
_PARAMETERS: Final = struct.Struct("<IIIIQIBIIIIQQQB")
_NEEDED: Final = frozenset({"invoke", "memory"})


class ReferenceMissingError(FileNotFoundError):
    """No `avm.wasm` was found, or what was found is something else."""


class ReferenceTrapError(RuntimeError):
    """The reference panicked. `diagnostics` is what it wrote to its standard error."""

    def __init__(self, message: str, diagnostics: str) -> None:
        """Keep both texts."""
        super().__init__(message)
        self.diagnostics = diagnostics


def find_module(path: str | os.PathLike[str] | None = None) -> Path:
    """Path of the module: the argument, else `$AVM_WASM`, else `./node_modules`. Raises ReferenceMissingError."""
    chosen = Path(path or os.environ.get("AVM_WASM") or DEFAULT_MODULE)
    if not chosen.is_file():
        raise ReferenceMissingError(
            f"no reference interpreter at {chosen}: `npm install @fluencelabs/avm@0.62.0`, or name its avm.wasm in $AVM_WASM"
        )
    return chosen


def cache_directory() -> Path:
    """Where compiled modules are kept."""
    return Path(cache_folder())


class ReferenceAvm:
    """One instance of the reference interpreter. Not thread-safe.

    random_byte: what `random_get` answers (it seeds the hash maps, hence the order of entries); None = real randomness.
    """

    def __init__(self, wasm_path: str | os.PathLike[str] | None = None, *, random_byte: int | None = None) -> None:
        """Compile or load the module. Raises ReferenceMissingError where there is none, or the file is another."""
        import wasmtime

        self._wasmtime = wasmtime
        self._random_byte = random_byte
        self._errors = bytearray()
        config = wasmtime.Config()
        config.max_wasm_stack = WASM_STACK_BYTES_MAX
        self._engine = wasmtime.Engine(config)
        path = find_module(wasm_path)
        self._module = self._load(path)
        if not _NEEDED.issubset(export.name for export in self._module.exports):
            raise ReferenceMissingError(
                f"{path} is not the reference interpreter: it does not export `invoke` and `memory`"
            )
        self._instance: Any = None
        self._store: Any = None
        self._exports: Any = None
        self._memory: Any = None

    def _load(self, path: Path) -> Any:
        """The compiled module, from the cache where possible; a cache that cannot be used is no error."""
        source = path.read_bytes()
        digest = hashlib.sha256(source).hexdigest()[:32]
        cached = cache_directory() / f"avm-{digest}-wasmtime-{version('wasmtime')}-stack2.cwasm"
        try:
            return self._wasmtime.Module.deserialize_file(self._engine, str(cached))
        except (OSError, self._wasmtime.WasmtimeError):
            pass
        try:
            module = self._wasmtime.Module(self._engine, source)
        except self._wasmtime.WasmtimeError as error:
            raise ReferenceMissingError(f"{path} is no WebAssembly module: {str(error).splitlines()[0]}") from error
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            # written beside and renamed: another process must never load half a module
            with tempfile.TemporaryDirectory(dir=cached.parent) as place:
                fresh = Path(place, cached.name)
                fresh.write_bytes(module.serialize())
                fresh.replace(cached)
        except OSError:
            pass
        return module

    def _start(self) -> None:
        wasmtime = self._wasmtime
        store = wasmtime.Store(self._engine)
        linker = wasmtime.Linker(self._engine)
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()

        def define(module: str, name: str, parameters: list[Any], results: list[Any], body: Any) -> None:
            linker.define_func(module, name, wasmtime.FuncType(parameters, results), body)

        wasi = "wasi_snapshot_preview1"
        define("__marine_host_api_v3", "log_utf8_string", [i32] * 4, [], self._log)
        define(wasi, "clock_time_get", [i32, i64, i32], [i32], lambda _id, _precision, at: self._zeros(at, 8))
        define(wasi, "fd_write", [i32] * 4, [i32], self._fd_write)
        define(wasi, "sched_yield", [], [i32], lambda: 0)
        define(wasi, "random_get", [i32, i32], [i32], self._random_get)
        define(wasi, "environ_get", [i32, i32], [i32], lambda _at, _buffer: 0)
        define(
            wasi,
            "environ_sizes_get",
            [i32, i32],
            [i32],
            lambda count, size: self._zeros(count, 4) | self._zeros(size, 4),
        )
        define(wasi, "proc_exit", [i32], [], self._proc_exit)
        self._store = store
        self._instance = linker.instantiate(store, self._module)
        self._exports = self._instance.exports(store)
        self._memory = self._exports["memory"]
        for name in ("_initialize", "_start"):
            self._exports[name](store)

    def _log(self, _level: int, _target: int, pointer: int, size: int) -> None:
        self._errors += self._read(pointer, size) + b"\n"

    def _zeros(self, pointer: int, size: int) -> int:
        self._memory.write(self._store, bytes(size), pointer)
        return 0

    def _fd_write(self, _fd: int, vectors: int, count: int, written_at: int) -> int:
        written = 0
        for index in range(count):
            pointer, size = struct.unpack("<II", self._read(vectors + 8 * index, 8))
            self._errors += self._read(pointer, size)
            written += size
        self._memory.write(self._store, struct.pack("<I", written), written_at)
        return 0

    def _random_get(self, pointer: int, size: int) -> int:
        data = os.urandom(size) if self._random_byte is None else bytes([self._random_byte]) * size
        self._memory.write(self._store, data, pointer)
        return 0

    def _proc_exit(self, code: int) -> None:
        raise RuntimeError(f"proc_exit({code})")

    def _read(self, pointer: int, size: int) -> bytes:
        return bytes(self._memory.read(self._store, pointer, pointer + size))

    def _pass(self, data: bytes) -> tuple[int, int]:
        """Copy `data` into the module's memory; it then belongs to the callee."""
        pointer = self._exports["allocate"](self._store, len(data), _TYPE_U8) & 0xFFFFFFFF
        self._memory.write(self._store, data, pointer)
        return pointer, len(data)

    def _call(self, name: str, *args: int) -> None:
        if len(self._errors) > 1 << 20:
            self._errors.clear()
        try:
            self._exports[name](self._store, *args)
        except (self._wasmtime.Trap, self._wasmtime.WasmtimeError, RuntimeError) as error:
            diagnostics = self._errors.decode("utf-8", "replace")
            self._instance = None
            self._errors.clear()
            raise ReferenceTrapError(f"the reference interpreter trapped: {error}", diagnostics) from error

    def _ready(self) -> None:
        if self._instance is None:
            self._start()

    def _text_call(self, name: str, argument: bytes) -> str:
        self._ready()
        self._call(name, *self._pass(argument))
        pointer = self._exports["get_result_ptr"](self._store) & 0xFFFFFFFF
        size = self._exports["get_result_size"](self._store) & 0xFFFFFFFF
        text = self._read(pointer, size).decode()
        self._exports["release_objects"](self._store)
        return text

    @property
    def memory_bytes(self) -> int:
        """Size of the linear memory, which grows and never shrinks; 0 before the first call and after a trap."""
        return 0 if self._instance is None else self._memory.data_len(self._store)

    def ast(self, air: str) -> str:
        """JSON of the script's AST, or the parser's report."""
        return self._text_call("ast", air.encode())

    def to_human_readable_data(self, data: bytes) -> str:
        """Pretty JSON of interpreter data, or an error text."""
        return self._text_call("to_human_readable_data", data)

    def invoke(
        self,
        air: str,
        prev_data: bytes,
        data: bytes,
        params: RunParameters,
        call_results: bytes | Mapping[int, CallResult] | Mapping[str, CallResult],
    ) -> Outcome:
        """Run the script once. Raises ReferenceTrapError where the reference panics."""
        self._ready()
        results = call_results if isinstance(call_results, bytes) else encode_call_results(call_results)
        record = _PARAMETERS.pack(
            *self._pass(params.init_peer_id.encode()),
            *self._pass(params.current_peer_id.encode()),
            params.timestamp,
            params.ttl,
            params.key_format,
            *self._pass(params.secret_key_bytes),
            *self._pass(params.particle_id.encode()),
            params.air_size_limit,
            params.particle_size_limit,
            params.call_result_size_limit,
            params.hard_limit_enabled,
        )
        self._call(
            "invoke",
            *self._pass(air.encode()),
            *self._pass(prev_data),
            *self._pass(data),
            self._pass(record)[0],
            *self._pass(results),
        )
        outcome = self._outcome(self._exports["get_result_ptr"](self._store) & 0xFFFFFFFF)
        self._exports["release_objects"](self._store)
        return outcome

    def _outcome(self, pointer: int) -> Outcome:
        fields = _OUTCOME.unpack(self._read(pointer, _OUTCOME.size))
        peers = self._read(fields[5], 8 * fields[6])
        requests = self._read(fields[7], fields[8])
        return Outcome(
            ret_code=fields[0],
            error_message=self._read(fields[1], fields[2]).decode(),
            data=self._read(fields[3], fields[4]),
            next_peer_pks=tuple(self._read(*pair).decode() for pair in struct.iter_unpack("<II", peers)),
            call_requests=decode_call_requests(requests),
            air_size_limit_exceeded=bool(fields[9]),
            particle_size_limit_exceeded=bool(fields[10]),
            call_result_size_limit_exceeded=bool(fields[11]),
            raw_call_requests=requests,
        )
