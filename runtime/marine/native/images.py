"""Values of Python in the form that values have in the arena, and back: a memory without a module, for the writers of `codec`.

Input:  typed values as `json_values` makes them. Output: words of a call. Errors: ImageFullError; what the writers of `codec` raise.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from runtime.marine.codec import lower_byte_array, lower_text
from runtime.marine.itypes import STRING, ArrayOf, IType, Prim, RecordOf, is_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.marine.codec import Codecs

    Lower = Callable[["Image", int, Any], None]
    Lift = Callable[[memoryview, int], Any]

_PAIR: Final = Struct("<II")
_PLACE: Final = Struct("<I")
_NO_LIMIT: Final = 1 << 62


class ImageFullError(Exception):
    """There is no room for the value."""


class Image:
    """Memory to write values into: stands for a module and for its window."""

    def __init__(self, view: memoryview) -> None:
        """Write from `top` on."""
        self.view = view
        self.size = len(view)
        self.top = 0
        self.window: Any = self

    def refresh(self) -> memoryview:
        """It never moves."""
        return self.view

    def allocate(self, size: int, _tag: int) -> int:
        """Reserve bytes. Raises ImageFullError."""
        at = self.top
        if at + size > self.size:
            raise ImageFullError
        self.top = at + size
        return at


def lowers(kind: IType, codecs: Codecs) -> Lower:
    """Who writes a value of this type, as a field would be, to 8 bytes at a place; what belongs to it goes to the top."""
    if isinstance(kind, RecordOf):
        lower_record = codecs.lower_record(kind)
        return lambda image, place, value: _PLACE.pack_into(image.view, place, lower_record(image, value))
    if isinstance(kind, Prim) and kind.packed:
        pack = Struct("<" + kind.packed).pack_into
        return lambda image, place, value: pack(image.view, place, value)
    lower_pair: Callable[[Any, Any], tuple[int, int]]
    if is_bytes(kind):
        lower_pair = lower_byte_array
    elif isinstance(kind, ArrayOf):
        lower_pair = codecs.lower_array(kind.element)
    else:
        lower_pair = lower_text
    return lambda image, place, value: _PAIR.pack_into(image.view, place, *lower_pair(image, value))


def lifts(kind: IType, codecs: Codecs) -> Lift:
    """Who reads such a value."""
    if isinstance(kind, RecordOf):
        lift_record = codecs.lift_record(kind)
        return lambda view, place: lift_record(view, len(view), _PLACE.unpack_from(view, place)[0], [_NO_LIMIT])
    if isinstance(kind, Prim) and kind.packed:
        unpack = Struct("<" + kind.packed).unpack_from
        return lambda view, place: unpack(view, place)[0]
    if isinstance(kind, ArrayOf) and not is_bytes(kind):
        lift_array = codecs.lift_array(kind.element)

        def lift_items(view: memoryview, place: int) -> Any:
            at, count = _PAIR.unpack_from(view, place)
            return lift_array(view, len(view), at, count, [_NO_LIMIT])

        return lift_items
    is_text = kind is STRING

    def lift(view: memoryview, place: int) -> Any:
        at, size = _PAIR.unpack_from(view, place)
        part = view[at : at + size]
        return str(part, "utf-8") if is_text else bytes(part)

    return lift
