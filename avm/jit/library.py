"""The native form of the kernels: compiled once for each version of their text, LLVM and processor, kept in the user's cache folder.

`get` loads it and compiles if need be; `ready` answers without waiting and has it made in a thread. Where there is no llvmlite, where
the platform forbids memory that is both written and run, or where anything else goes wrong, there is none: one line is logged, and
Python does the work. `AVM_JIT=off` turns it off. Errors: none.
"""

from __future__ import annotations

import logging
import os
import threading
from array import array
from hashlib import blake2b
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from avm.private_cache import cache_folder, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: Final = ("air_text",)
"""Kernel modules, in the order in which they may call each other: a module calls those before it."""

TRAPPED: Final = -(2**63)
OBJECTS_MAX: Final = 64
_MAGIC: Final = b"avm native code 1\n"
_log: Final = logging.getLogger("avm.jit")


class Library:
    """The exported kernels by name; each takes numbers, `bytes` and arrays, and returns a number. Raises IndexError where Python does."""

    def __init__(self, engine: Any, functions: dict[str, Callable[..., int]], *, compiled: bool) -> None:
        self._engine = engine  # owns the code
        self.functions = functions
        self.compiled = compiled
        """Whether it had to be compiled, rather than read from the cache."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        """The kernel of that name."""
        try:
            return self.functions[name]
        except KeyError:
            raise AttributeError(name) from None


class _State:
    """What the process has: nothing yet, a library, or the knowledge that there will be none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.library: Library | None = None
        self.failed = False
        self.thread: threading.Thread | None = None


_state: Final = _State()


def get() -> Library | None:
    """The library; compiles it if need be."""
    state = _state
    if state.library is None and not state.failed:
        with state.lock:
            if state.library is None and not state.failed:
                try:
                    state.library = _make()
                except Exception as error:  # noqa: BLE001 whatever it is, Python can do the work
                    _log.warning("no native code: %s", error)
                state.failed = state.library is None
    return state.library


def loaded() -> Library | None:
    """The library if it is there."""
    return _state.library


def ready() -> Library | None:
    """The library if it is there. Else it is made meanwhile; a process that ends earlier waits for that, and so has it the next time."""
    state = _state
    if state.library is None and not state.failed and state.thread is None:
        state.thread = threading.Thread(target=get, name="avm-jit")
        state.thread.start()
    return state.library


def _make() -> Library | None:
    if os.environ.get("AVM_JIT") == "off":
        return None
    modules = [import_module(f"avm.jit.kernels.{name}") for name in MODULES]
    import llvmlite
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    processor, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    digest = blake2b(digest_size=20)
    for text in (llvmlite.__version__, processor, features, *map(_source, ["kernel_language", "kernel_types"])):
        digest.update(text.encode() + b"\0")
    for name in MODULES:
        digest.update(_source(f"kernels.{name}").encode() + b"\0")
    path = os.path.join(cache_folder(), "native", digest.hexdigest() + ".o")
    cached = os.environ.get("AVM_JIT_CACHE") != "off"
    code = read_entry(path, _MAGIC) if cached else None
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=processor, features=features, opt=3, reloc="pic", codemodel="jitdefault", jit=True
    )
    compiled = code is None
    if code is None:
        code = _compile(llvm, machine, modules)
        if cached:
            try:
                write_entry(path, _MAGIC, code, entries_max=OBJECTS_MAX)
            except OSError as error:
                _log.info("native code is not kept: %s", error)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    functions = {
        name: function(engine.get_function_address(name), getattr(module, name))
        for module in modules
        for name in module.EXPORTS
    }
    return Library(engine, functions, compiled=compiled)


def _source(name: str) -> str:
    """The text of a module of this package."""
    module = import_module(f"avm.jit.{name}")
    loader = module.__spec__.loader if module.__spec__ else None
    text = loader.get_source(module.__name__) if loader is not None and hasattr(loader, "get_source") else None
    if text is None:
        raise ImportError(f"no source of {module.__name__}")
    return str(text)


def llvm_text() -> str:
    """LLVM assembly of all kernels, before optimisation."""
    from .kernel_language import Kernels

    kernels = Kernels()
    for name in MODULES:
        kernels.add(import_module(f"avm.jit.kernels.{name}"))
    return str(kernels.module)


def _compile(llvm: Any, machine: Any, modules: list[Any]) -> bytes:
    from .kernel_language import Kernels

    kernels = Kernels()
    for module in modules:
        kernels.add(module)
    return optimised(llvm, machine, str(kernels.module))


def optimised(llvm: Any, machine: Any, assembly: str) -> bytes:
    """Object code of LLVM assembly."""
    parsed = llvm.parse_assembly(assembly)
    parsed.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(parsed, builder)
    return bytes(machine.emit_object(parsed))


def function(address: int, kernel: Any) -> Callable[..., int]:
    """A kernel as a function of Python."""
    import ctypes

    annotations = [kind for name, kind in kernel.__annotations__.items() if name != "return"]
    types: list[Any] = []
    pattern: list[str] = []
    for kind in annotations:
        if kind == "Bytes":
            types += [ctypes.c_char_p, ctypes.c_int64]
        elif kind in ("Octets", "Words", "Longs"):
            types += [ctypes.c_int64, ctypes.c_int64]
        else:
            types.append(ctypes.c_int64)
        pattern.append(kind)
    native = ctypes.CFUNCTYPE(ctypes.c_int64, *types)(address)
    names = [f"a{i}" for i in range(len(pattern))]
    arguments = ", ".join(
        f"{name}, len({name})"
        if kind == "Bytes"
        else f"*{name}.buffer_info()"
        if kind in ("Octets", "Words", "Longs")
        else name
        for name, kind in zip(names, pattern, strict=True)
    )
    # one expression per kernel: a loop over the arguments would cost more than most calls
    source = f"lambda {', '.join(names)}: check(native({arguments}))"

    def check(value: int) -> int:
        if value == TRAPPED:
            raise IndexError(kernel.__name__)
        return value

    made: Callable[..., int] = eval(source, {"native": native, "check": check, "array": array})
    return made
