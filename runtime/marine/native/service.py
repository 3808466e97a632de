"""The native side of a running service: its words and arena, its instances, calls of its functions.

Output: results of calls. Errors: those of translated adapters, see `failures`; native code only tells numbers.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import weakref
from array import array
from ctypes import c_int64, c_void_p
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wasmtime import _ffi as ffi

from runtime.marine.call_parameters import shape_type
from runtime.marine.limits import NATIVE_ARENA_BYTES_MAX, NATIVE_KEPT_BYTES, NATIVE_STACK_BYTES

from .failures import worded
from .images import Image, lifts, lowers
from .kernels import layout as w

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from avm.jit.library import Library
    from runtime.marine.codec import Codecs
    from runtime.marine.instance import Instance

    from .program import Callee, Program

_NORESERVE: Final = 0x4000 if sys.platform.startswith("linux") else 0
_FUNCTIONS: Final = {
    w.S_CALL: "wasmtime_func_call_unchecked",
    w.S_DATA: "wasmtime_memory_data",
    w.S_SIZE: "wasmtime_memory_data_size",
    w.S_LIMITER: "wasmtime_store_limiter",
    w.S_TRAP: "wasmtime_trap_new",
}
_PREPARE: Final = ctypes.CFUNCTYPE(c_int64, c_int64, c_int64)
_LINK: Final = ctypes.CFUNCTYPE(c_int64, c_int64)
_TEXT_END: Final = b" " * 8
"""Kernels look at so many bytes at once."""


def new_words() -> array[int]:
    """The words of a service; some are used without native code, too."""
    words = array("q", bytes(8 * w.STATE))
    words[w.S_LIMIT] = -1
    return words


@lru_cache(maxsize=w.SHAPES)
def shape_program(shape: int) -> Program:
    """A program with the type of call parameters of a shape as that of its only argument."""
    from .program import encode

    record, tables = shape_type(shape)
    made = encode((), (record,), (), tables, _no_callee, 0)
    assert made is not None
    return made


def _no_callee(_number: int) -> Callee:
    raise AssertionError("it calls nothing")


class Adapter:
    """An adapter in an instance, for calls from outside."""

    __slots__ = ("address", "home", "lift", "lowers", "program")

    def __init__(self, home: int, program: Program, codecs: Codecs) -> None:
        """home: address of the words of the instance. codecs: of its module."""
        self.home = home
        self.program = program
        self.address = program.address
        self.lowers = tuple(lowers(kind, codecs) for kind in program.arguments)
        self.lift = lifts(program.results[0], codecs) if program.results else None


class Unwritten(NamedTuple):
    """A result that native code does not write as text."""

    value: Any


class NativeService:
    """What native adapters of one service work on. One thread at a time is inside of it."""

    def __init__(self, words: array[int], library: Library, lift_bytes_max: int) -> None:
        """Reserve address space. Raises OSError, ValueError where there is none, or where it would be too much."""
        if not hasattr(mmap, "MAP_PRIVATE") or sys.byteorder != "little" or ctypes.sizeof(c_void_p) != 8:
            raise OSError("this platform has no native adapters")
        arena_bytes = -(-2 * lift_bytes_max // mmap.PAGESIZE) * mmap.PAGESIZE + 8 * NATIVE_STACK_BYTES
        if arena_bytes > NATIVE_ARENA_BYTES_MAX:
            raise ValueError(f"a service that copies {lift_bytes_max} bytes in one call")
        self.words = words
        self.state, _ = words.buffer_info()
        self._arena = mmap.mmap(-1, arena_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE)
        self.view = memoryview(self._arena)
        self._image = Image(self.view)
        words[w.S_ARENA], words[w.S_ARENA_SIZE] = ctypes.addressof(ctypes.c_char.from_buffer(self._arena)), arena_bytes
        words[w.S_TOP] = w.ARENA_START
        words[w.S_END] = arena_bytes - w.FRAMES_BYTES
        # what a call lifts, and the stacks of its adapters, must have room behind its arguments
        words[w.S_READ_MAX] = arena_bytes - lift_bytes_max - 2 * NATIVE_STACK_BYTES
        for place, name in _FUNCTIONS.items():
            words[place] = address_of(ffi.dll[name])
        self._call_text = library.call_text
        self._call_values = library.call_values
        self._addresses = library.addresses
        self._homes = array("q")
        self._instances: list[Instance] = []
        self._programs: dict[int, Program] = {}
        self._links: dict[int, Callable[[], bool]] = {}
        self._images: dict[int, tuple[Any, Program]] = {}
        self._kept: list[Any] = []
        self.prepare: Callable[[int], None] | None = None
        """Asked for the image of call parameters, by shape, when there is none: it calls `set_parameters`."""
        here = weakref.ref(self)
        prepare = _PREPARE(lambda _state, shape: _done(lambda: _alive(here).needs_parameters(shape)))
        link = _LINK(lambda env: _done(lambda: _alive(here).link(env)))
        words[w.S_PREPARE], words[w.S_LINK] = address_of(prepare), address_of(link)
        self._kept += (prepare, link)

    # ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_home(self, instance: Instance, handles: dict[int, int], cores: Sequence[int], called: int) -> array[int]:
        """Words of an instance.

        handles: values of `H_*`. cores: addresses of its functions, 0 for none. called: number of typed functions it may call.
        """
        home = array("q", [*[0] * w.H_CORES, *cores, *[0] * (2 * called)])
        for place, value in handles.items():
            home[place] = value
        home[w.H_LENGTH] = len(home)
        home[w.H_NUMBER] = len(self._instances)
        home[w.H_CALLED] = w.H_CORES + len(cores)
        self._instances.append(instance)
        self._kept.append(home)
        self._homes = array("q", [*self._homes, home.buffer_info()[0]])
        self.words[w.S_HOMES], self.words[w.S_HOME_COUNT] = self._homes.buffer_info()
        return home

    def bind(self, home: array[int], program: Program, targets: dict[int, tuple[int, int]]) -> None:
        """Make a program usable in an instance. targets: addresses of home and program of the typed functions it calls."""
        self._programs[program.number] = program
        start = home[w.H_CALLED]
        for place, target in targets.items():
            home[start + 2 * place], home[start + 2 * place + 1] = target

    def callback(
        self, name: str, fallback: Any, words: dict[int, int], link: Callable[[array[int]], bool] | None = None
    ) -> tuple[int, int, array[int]]:
        """An imported function for wasmtime: address of the callback, what it is called with, and the words of that.

        fallback: the function in Python. words: values of `E_*`. link: asked when it is called, until it answers True; it sets E_PROGRAM.
        """
        env = array("q", bytes(8 * w.ENV))
        env[w.E_STATE], env[w.E_FALLBACK] = self.state, address_of(fallback)
        for place, value in words.items():
            env[place] = value
        address, _ = env.buffer_info()
        if link is not None:
            self._links[address] = lambda: link(env)
        self._kept.append((env, fallback))
        return self._addresses[name], address, env

    def link(self, env: int) -> None:
        """An imported function is called that is not linked."""
        link = self._links.get(env)
        if link is not None and link():
            del self._links[env]

    # ── call parameters ──────────────────────────────────────────────────────────────────────────────────────────────

    def needs_parameters(self, shape: int) -> None:
        """A module asks for call parameters that are not there."""
        assert self.prepare is not None
        self.prepare(shape)

    def set_parameters(self, shape: int, image: bytes, root: int, program: Program) -> None:
        """Their image until `forget_parameters`. root: place of the record in it. program: has its type."""
        buffer = array("B", image)
        self._images[shape] = buffer, program
        address, size = buffer.buffer_info()
        at = w.S_PARAMETERS + w.PARAMETERS_WORDS * shape
        self.words[at : at + w.PARAMETERS_WORDS] = array("q", (address, size, root, program.address))

    def forget_parameters(self) -> None:
        """There are others."""
        if self._images:
            for shape in self._images:
                self.words[w.S_PARAMETERS + w.PARAMETERS_WORDS * shape] = 0
            self._images.clear()

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def call_text(self, adapter: Adapter | None, text: bytes) -> str | Unwritten | None:
        """Call with JSON text in UTF-8; text, or the result without its text. Raises as a translated adapter does.

        None: there is no adapter, or it is not for native code to read the text; nothing has happened.
        """
        if adapter is None:
            return None
        size = self._call_text(self.state, adapter.home, adapter.address, text + _TEXT_END)
        if size >= 0:
            at = self.words[w.S_OUT]
            return str(self.view[at : at + size], "utf-8")
        if size == w.NOTHING:
            return "null"
        if size == w.DECLINED:
            return None
        return Unwritten(self._result(adapter, size))

    def call_values(self, adapter: Adapter | None, values: Sequence[Any]) -> Unwritten | None:
        """Call with typed values; as `call_text`."""
        if adapter is None:
            return None
        words, image = self.words, self._image
        place = w.ARENA_START
        image.top = place + 8 * len(values)
        try:
            for lower, value in zip(adapter.lowers, values, strict=True):
                lower(image, place, value)
                place += 8
        except Exception:  # noqa: BLE001 - a translated adapter finds it in its place
            return None
        finally:
            words[w.S_PEAK] = max(words[w.S_PEAK], image.top)
        if image.top > words[w.S_READ_MAX]:
            return None
        words[w.S_TOP] = image.top
        return Unwritten(
            self._result(adapter, self._call_values(self.state, adapter.home, adapter.address, w.ARENA_START))
        )

    def _result(self, adapter: Adapter, status: int) -> Any:
        if status == w.NOTHING:
            return None
        if status != w.VALUE:
            raise self.failure()
        assert adapter.lift is not None
        return adapter.lift(self.view, self.words[w.S_RESULT])

    def begin(self) -> None:
        """Before a call of the service: nothing is left of the one before, which may have failed."""
        self.words[w.S_TOP] = w.ARENA_START

    def end(self) -> None:
        """Give the memory of a large call back."""
        if self.words[w.S_PEAK] <= NATIVE_KEPT_BYTES:
            return
        self.words[w.S_PEAK] = 0
        advice = getattr(mmap, "MADV_DONTNEED", None)
        if advice is not None:
            self._arena.madvise(advice, NATIVE_KEPT_BYTES, len(self.view) - NATIVE_KEPT_BYTES)

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_failed(self) -> bool:
        """Whether native adapters have failed, and nobody knows yet."""
        return self.words[w.S_FRAMES] != 0

    def failure(self) -> BaseException:
        """What has happened, for the one who called the outermost of the native adapters that failed."""
        words = self.words
        frames = []
        at, words[w.S_FRAMES] = words[w.S_FRAMES], 0
        while at:
            frame = self.view[at : at + 8 * w.FRAME].cast("q").tolist()
            frames.append(frame)
            at = frame[w.FRAME_BEFORE]
        return worded(reversed(frames), self._instances, self._programs)


def address_of(function: Any) -> int:
    """Where a C function or a callback is."""
    return ctypes.cast(function, c_void_p).value or 0


def _alive(service: weakref.ref[NativeService]) -> NativeService:
    found = service()
    assert found is not None
    return found


def _done(job: Callable[[], None]) -> int:
    """0 if the job is done; what it raises must not cross the foreign frames. Python does then what native code cannot."""
    try:
        job()
    except BaseException:  # noqa: BLE001 - see above
        return 1
    return 0
