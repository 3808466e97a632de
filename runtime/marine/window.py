"""The linear memory of a module as a view that is always current.

A memory only moves or changes its size when code of the module runs, so `refresh` has to be called after every call into
it and the view may be used until the next. Every access of the host goes through slices of this view: Python checks them
once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ErrorClass, Fault

if TYPE_CHECKING:
    from collections.abc import Callable


class Window:
    """Memory 0 of one instance. `size` is in bytes; `view` and `size` belong together."""

    __slots__ = ("_data", "_length", "_make", "size", "view")

    def __init__(
        self, length: Callable[[], int], data: Callable[[], int], make: Callable[[int, int], memoryview]
    ) -> None:
        """Take the functions that read size and address, and the one that maps them."""
        self._length = length
        self._data = data
        self._make = make
        self.size = -1
        self.view = memoryview(b"")

    def refresh(self) -> memoryview:
        """The current view. The address changes only together with the size."""
        size = self._length()
        if size != self.size:
            self.view = self._make(self._data(), size)
            self.size = size
        return self.view


class NoWindow(Window):
    """Stands in for the memory of a module that exports none."""

    __slots__ = ()

    def __init__(self) -> None:
        """Nothing to read."""
        super().__init__(lambda: 0, lambda: 0, lambda _address, _size: memoryview(b""))

    def refresh(self) -> memoryview:
        """Fail as an instruction that touches memory does."""
        raise Fault("memory `0` does not exist", ErrorClass.BOUNDS)
