"""The kernels of native adapters as the Python they are, in the place of their compiled form: they call wasmtime, and it calls them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runtime.marine.native.kernels import entries
from runtime.marine.native.library import MARINE

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 4)


class PlainLibrary:
    """As `avm.jit.library.Library`."""

    call_text = staticmethod(entries.call_text)
    call_values = staticmethod(entries.call_values)

    def __init__(self) -> None:
        """Make callbacks; they are called as long as this lives."""
        self.callbacks = {name: _CALLBACK(getattr(entries, name)) for name in entries.CALLBACKS}
        self.addresses = {name: ctypes.cast(one, ctypes.c_void_p).value for name, one in self.callbacks.items()}


_PLAIN: Any = PlainLibrary()


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Services that are made within run on them, and must not be called later."""
    before = MARINE.library, MARINE.failed
    MARINE.library, MARINE.failed = _PLAIN, False
    try:
        yield
    finally:
        MARINE.library, MARINE.failed = before
