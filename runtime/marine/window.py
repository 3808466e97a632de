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
    """Memory 0 of one instance. `size` is in bytes; `view` and `size` belong together, after `refresh`."""

    __slots__ = ("refresh", "size", "view")

    def __init__(
        self, length: Callable[[], int], data: Callable[[], int], make: Callable[[int, int], memoryview]
    ) -> None:
        """Take the functions that read size and address, and the one that maps them."""
        self.size = -1
        self.view = memoryview(b"")

        def refresh() -> memoryview:
            size = length()
            if size != self.size:
                # the address changes only together with the size
                self.view = make(data(), size)
                self.size = size
            return self.view

        self.refresh: Callable[[], memoryview] = refresh


def no_window() -> Window:
    """Stands in for the memory of a module that exports none: any instruction that touches memory fails."""

    def fail() -> int:
        raise Fault("memory `0` does not exist", ErrorClass.BOUNDS)

    return Window(fail, fail, lambda _address, _size: memoryview(b""))
