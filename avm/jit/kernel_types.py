"""Types of kernels' parameters: buffers of unsigned bytes, unsigned 32-bit and signed 64-bit numbers.

In Python they are `bytes` and `array`; a kernel gets them without a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from array import array

Bytes: TypeAlias = bytes | memoryview
"""Read only."""

Octets: TypeAlias = "array[int] | memoryview"
"""Type code `B`."""

Words: TypeAlias = "array[int] | memoryview"
"""Type code `I`."""

Longs: TypeAlias = "array[int] | memoryview"
"""Type code `q`."""

ELEMENT_BITS: Final = {"Bytes": 8, "Octets": 8, "Words": 32, "Longs": 64}
CODES: Final = {"Octets": "B", "Words": "I", "Longs": "q"}
