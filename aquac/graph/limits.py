"""Named limits of pictures."""

from typing import Final

TEXT_MAX: Final = 48
"""Characters of a string literal, and of an argument list, before they are cut."""

OPERATIONS_MAX: Final = 2000
"""Operations of a picture; a function with more is refused, as nobody could look at it."""
