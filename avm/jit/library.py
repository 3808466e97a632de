"""The native form of kernels, a *bundle* of them in one object: compiled once for each version of their text, LLVM and processor, kept in the user's cache folder.

A process loads the bundles it uses. `get` loads one and compiles if need be; `ready` answers at once: it loads a kept object, which takes a few milliseconds, and has a missing
one compiled by a process of its own, so that neither this process nor its end waits for that. Where there is no llvmlite, where the
platform forbids memory that is written and then run, or where anything else goes wrong, there is none: one line is logged, and Python does
the work. `AVM_JIT=off` turns it off; `AVM_JIT_CACHE=off` keeps nothing, and compiles only for `get`. Errors: none.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
import threading
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from avm.private_cache import cache_folder, read_entry, write_entry

from . import elf

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import Popen


Signatures = dict[str, list[str]]
"""Exported kernel → types of its parameters."""

TRAPPED: Final = -(2**63)
OBJECTS_MAX: Final = 64
LOOK_EVERY: Final = 64
"""`ready` looks for an object that is being compiled once in so many calls."""

MAGIC: Final = b"avm native code 2\n"
_PACKAGE: Final = os.path.dirname(__file__)
_ROOT: Final = os.path.dirname(os.path.dirname(_PACKAGE))
_PROGRAM: Final = (
    "import sys; sys.path[:0] = sys.argv[3:]; from importlib import import_module; "
    "getattr(import_module(sys.argv[1]), sys.argv[2]).compile_and_keep()"
)
_log: Final = logging.getLogger("avm.jit")


class Library:
    """The exported kernels by name; each takes numbers, `bytes` and arrays, and returns a number. Raises IndexError where Python does."""

    def __init__(self, owner: Any, addresses: dict[str, int], signatures: Signatures, *, compiled: bool) -> None:
        """`owner` keeps the code in memory."""
        self._owner = owner
        self.addresses = addresses
        self.functions = {name: function(addresses[name], kinds) for name, kinds in signatures.items()}
        self.compiled = compiled
        """Whether it had to be compiled, rather than read from the cache."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        """The kernel of that name."""
        try:
            return self.functions[name]
        except KeyError:
            raise AttributeError(name) from None


class Bundle:
    """Kernels that are compiled together, and what this process has of them: nothing yet, a library, or the knowledge that there is none."""

    def __init__(
        self, place: str, modules: tuple[str, ...], *, shared: tuple[str, ...] = (), depends: tuple[str, ...] = ()
    ) -> None:
        """Describe it.

        place: where it is, as `module:name`. modules: in the order in which they may call each other, a module calls those before it.
        shared: modules of other bundles, before them, whose functions are for them only. depends: modules that kernels take numbers from.
        """
        self.place = place
        self.modules = modules
        self.shared = shared
        self.depends = depends
        self.lock = threading.Lock()
        self.library: Library | None = None
        self.failed = os.environ.get("AVM_JIT") == "off"
        self.calls = 0
        self.compiler: Popen[bytes] | None = None

    def get(self) -> Library | None:
        """The library; compiles it if need be."""
        return self.library or self._load(compiling=True)

    def loaded(self) -> Library | None:
        """The library if it is there."""
        return self.library

    def ready(self) -> Library | None:
        """The library if it is there or kept. Else it is compiled meanwhile."""
        if self.library is not None or self.failed:
            return self.library
        self.calls += 1
        if self.calls % LOOK_EVERY != 1:
            return None
        library = self._load(compiling=False)
        if library is None and not self.failed and os.environ.get("AVM_JIT_CACHE") != "off":
            self._start_compiler()
        return library

    def _load(self, *, compiling: bool) -> Library | None:
        with self.lock:
            if self.library is None and not self.failed:
                try:
                    self.library = self.make(compiling=compiling)
                except Exception as error:  # noqa: BLE001 whatever it is, Python can do the work
                    self.failed = True
                    _log.warning("no native code: %s", error)
        return self.library

    def make(self, *, compiling: bool) -> Library | None:
        """A library of this bundle, beside the one of the process; None if there is no object and it must not be compiled."""
        path = self.path()
        kept = read_entry(path, MAGIC) if os.environ.get("AVM_JIT_CACHE") != "off" else None
        if kept is not None:
            head, _, code = kept.partition(b"\0")
            signatures: Signatures = json.loads(head)
        elif compiling:
            code, signatures = self._compile(path)
        else:
            return None
        owner, addresses = _placed(code, list(signatures))
        return Library(owner, addresses, signatures, compiled=kept is None)

    # ── compiling ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _compile(self, path: str) -> tuple[bytes, Signatures]:
        from .build import compile_all

        code, signatures = compile_all(self)
        if os.environ.get("AVM_JIT_CACHE") != "off":
            try:
                write_entry(path, MAGIC, json.dumps(signatures).encode() + b"\0" + code, entries_max=OBJECTS_MAX)
            except OSError as error:
                _log.info("native code is not kept: %s", error)
        return code, signatures

    def compile_and_keep(self) -> None:
        """What the compiling process does, and who sets a machine up."""
        if os.environ.get("AVM_JIT") == "off":
            return
        path = self.path()
        with suppress(OSError, AttributeError):
            os.nice(10)
        try:
            if read_entry(path, MAGIC) is None:
                self._compile(path)
        except ImportError as error:
            _log.warning("no native code: %s", error)
        finally:
            with suppress(OSError):
                os.unlink(path + ".compiling")

    def _start_compiler(self) -> None:
        """Start the process unless one is at work already; give up if it has failed."""
        if self.compiler is not None:
            if self.compiler.poll() not in (None, 0):
                self.failed = True
                _log.warning("no native code: the compiling process failed")
            return
        from subprocess import DEVNULL, Popen

        mark = self.path() + ".compiling"
        try:
            os.makedirs(os.path.dirname(mark), mode=0o700, exist_ok=True)
            _drop_mark_of_the_dead(mark)
            with open(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                command = [sys.executable, "-c", _PROGRAM, *self.place.split(":"), _ROOT, *filter(None, sys.path)]
                self.compiler = Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
                file.write(str(self.compiler.pid))
        except FileExistsError:
            return
        except OSError as error:
            self.failed = True
            _log.warning("no native code: %s", error)

    # ── which object fits ────────────────────────────────────────────────────────────────────────────────────────────

    def path(self) -> str:
        """File of the object that fits: of these texts, for this LLVM and processor."""
        digest = blake2b(digest_size=20)
        for text in (self.place, *_versions(), _processor()):
            digest.update(text.encode() + b"\0")
        own = [os.path.join(_PACKAGE, name) for name in sorted(os.listdir(_PACKAGE)) if name.endswith(".py")]
        modules = (*self.shared, *self.modules, *self.depends)
        for file_name in (*own, *(os.path.join(_ROOT, *name.split(".")) + ".py" for name in modules)):
            with open(file_name, "rb") as file:
                digest.update(file.read())
        return os.path.join(cache_folder(), "native", digest.hexdigest() + ".o")


_KERNELS: Final = (
    "hashing", "json_text", "air_text", "heap", "archive", "layout", "sliders", "fold_lores", "variables", "streams", "stores",
    "lenses", "canon_maps", "operands", "call_results", "calls", "instructions", "folds", "machine",
)  # fmt: skip
_NUMBERS: Final = ("limits", "ir.opcodes", "air.tokens", "air.legal", "trace.states", "exec.budget", "air.limits")
VM: Final = Bundle(
    "avm.jit.library:VM",
    tuple(f"avm.jit.kernels.{name}" for name in _KERNELS),
    depends=tuple(f"avm.{name}" for name in _NUMBERS),
)
"""The kernels of the virtual machine."""

get: Final = VM.get
loaded: Final = VM.loaded
ready: Final = VM.ready


def _placed(code: bytes, names: list[str]) -> tuple[Any, dict[str, int]]:
    if elf.supported():
        try:
            placed = elf.Placed(code)
        except (elf.ObjectError, OSError) as error:
            _log.info("LLVM places the native code: %s", error)
        else:
            return placed, placed.addresses
    from .build import placed as placed_by_llvm

    return placed_by_llvm(code, names)


def _drop_mark_of_the_dead(mark: str) -> None:
    """Remove the mark of a compiling process that is not there any more."""
    try:
        with open(mark) as file:
            number = int(file.read())
        if os.name == "posix":
            os.kill(number, 0)
    except (FileNotFoundError, ValueError, PermissionError):
        return
    except ProcessLookupError:
        with suppress(OSError):
            os.unlink(mark)


def _versions() -> tuple[str, ...]:
    try:
        from llvmlite import __version__ as llvmlite
    except ImportError:
        llvmlite = "none"
    who_places = "elf" if elf.supported() else "llvm"
    return (sys.version, llvmlite, os.uname().machine if hasattr(os, "uname") else "", sys.platform, who_places)


def _processor() -> str:
    """What tells processors with different instructions apart."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        lines = []
        for line in file:
            if line == "\n":
                break  # the others are alike
            if line.startswith(("model", "vendor_id", "cpu family", "stepping", "flags", "Features", "CPU ")):
                lines.append(line)
        return "".join(lines)
    from .build import host

    llvm, _ = host()
    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def function(address: int, kinds: list[str]) -> Callable[..., int]:
    """A kernel as a function of Python. kinds: types of its parameters."""
    types: list[Any] = []
    for kind in kinds:
        if kind == "Bytes":
            types += [ctypes.c_char_p, ctypes.c_int64]
        elif kind in ("Octets", "Words", "Longs"):
            types += [ctypes.c_int64, ctypes.c_int64]
        else:
            types.append(ctypes.c_int64)
    native = ctypes.CFUNCTYPE(ctypes.c_int64, *types)(address)
    names = [f"a{i}" for i in range(len(kinds))]
    arguments = ", ".join(
        f"{name}, len({name})"
        if kind == "Bytes"
        else f"*{name}.buffer_info()"
        if kind in ("Octets", "Words", "Longs")
        else name
        for name, kind in zip(names, kinds, strict=True)
    )

    def check(value: int) -> int:
        if value == TRAPPED:
            raise IndexError("an access outside of a buffer")
        return value

    # one expression for each kernel: a loop over the arguments would cost more than most calls
    source = f"lambda {', '.join(names)}: check(native({arguments}))"
    made: Callable[..., int] = eval(source, {"native": native, "check": check})
    return made


if __name__ == "__main__":
    VM.compile_and_keep()
