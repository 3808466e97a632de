"""The native form of the kernels: compiled once for each version of their text, LLVM and processor, kept in the user's cache folder.

`get` loads it and compiles if need be; `ready` answers at once: it loads a kept object, which takes a few milliseconds, and has a missing
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

    from .build import Signatures

TRAPPED: Final = -(2**63)
OBJECTS_MAX: Final = 64
LOOK_EVERY: Final = 64
"""`ready` looks for an object that is being compiled once in so many calls."""

_MAGIC: Final = b"avm native code 2\n"
_PACKAGE: Final = os.path.dirname(__file__)
_PROGRAM: Final = (
    "import sys; sys.path[:0] = sys.argv[1:]; from avm.jit.library import compile_and_keep; compile_and_keep()"
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


class _State:
    """What the process has: nothing yet, a library, or the knowledge that there will be none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.library: Library | None = None
        self.failed = os.environ.get("AVM_JIT") == "off"
        self.calls = 0
        self.compiler: Popen[bytes] | None = None


_state: Final = _State()


def get() -> Library | None:
    """The library; compiles it if need be."""
    return _state.library or _load(compiling=True)


def loaded() -> Library | None:
    """The library if it is there."""
    return _state.library


def ready() -> Library | None:
    """The library if it is there or kept. Else it is compiled meanwhile."""
    state = _state
    if state.library is not None or state.failed:
        return state.library
    state.calls += 1
    if state.calls % LOOK_EVERY != 1:
        return None
    library = _load(compiling=False)
    if library is None and not state.failed and os.environ.get("AVM_JIT_CACHE") != "off":
        _start_compiler(state)
    return library


def _load(*, compiling: bool) -> Library | None:
    state = _state
    with state.lock:
        if state.library is None and not state.failed:
            try:
                state.library = _make(compiling=compiling)
            except Exception as error:  # noqa: BLE001 whatever it is, Python can do the work
                state.failed = True
                _log.warning("no native code: %s", error)
    return state.library


def _make(*, compiling: bool) -> Library | None:
    path = _path()
    kept = read_entry(path, _MAGIC) if os.environ.get("AVM_JIT_CACHE") != "off" else None
    if kept is not None:
        head, _, code = kept.partition(b"\0")
        signatures: Signatures = json.loads(head)
    elif compiling:
        code, signatures = _compile(path)
    else:
        return None
    owner, addresses = _placed(code, list(signatures))
    return Library(owner, addresses, signatures, compiled=kept is None)


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


# ── compiling ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _compile(path: str) -> tuple[bytes, Signatures]:
    from .build import compile_all

    code, signatures = compile_all()
    if os.environ.get("AVM_JIT_CACHE") != "off":
        try:
            write_entry(path, _MAGIC, json.dumps(signatures).encode() + b"\0" + code, entries_max=OBJECTS_MAX)
        except OSError as error:
            _log.info("native code is not kept: %s", error)
    return code, signatures


def compile_and_keep() -> None:
    """What the compiling process does, and `python -m avm.jit.library`, which sets a machine up."""
    if os.environ.get("AVM_JIT") == "off":
        return
    path = _path()
    with suppress(OSError, AttributeError):
        os.nice(10)
    try:
        if read_entry(path, _MAGIC) is None:
            _compile(path)
    except ImportError as error:
        _log.warning("no native code: %s", error)
    finally:
        with suppress(OSError):
            os.unlink(path + ".compiling")


def _start_compiler(state: _State) -> None:
    """Start the process unless one is at work already; give up if it has failed."""
    if state.compiler is not None:
        if state.compiler.poll() not in (None, 0):
            state.failed = True
            _log.warning("no native code: the compiling process failed")
        return
    from subprocess import DEVNULL, Popen

    mark = _path() + ".compiling"
    try:
        os.makedirs(os.path.dirname(mark), mode=0o700, exist_ok=True)
        _drop_mark_of_the_dead(mark)
        with open(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            root = os.path.dirname(os.path.dirname(_PACKAGE))
            command = [sys.executable, "-c", _PROGRAM, root, *filter(None, sys.path)]
            state.compiler = Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
            file.write(str(state.compiler.pid))
    except FileExistsError:
        return
    except OSError as error:
        state.failed = True
        _log.warning("no native code: %s", error)


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


# ── which object fits ────────────────────────────────────────────────────────────────────────────────────────────────


def _path() -> str:
    digest = blake2b(digest_size=20)
    for text in (*_versions(), _processor()):
        digest.update(text.encode() + b"\0")
    for folder in (_PACKAGE, os.path.join(_PACKAGE, "kernels")):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(file.read())
    # numbers that kernels take from elsewhere
    for module in ("limits", "ir/opcodes", "air/tokens", "air/legal", "trace/states", "exec/budget", "air/limits"):
        with open(os.path.join(os.path.dirname(_PACKAGE), f"{module}.py"), "rb") as file:
            digest.update(file.read())
    return os.path.join(cache_folder(), "native", digest.hexdigest() + ".o")


def _versions() -> tuple[str, ...]:
    try:
        from llvmlite import __version__ as llvmlite
    except ImportError:
        llvmlite = "none"
    return (sys.version, llvmlite, os.uname().machine if hasattr(os, "uname") else "", sys.platform)


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
    compile_and_keep()
