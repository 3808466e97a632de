"""Wording of mistakes that are found in two places: while reading a line, or when it is known what a name means."""

from typing import Final

BY_POSITION: Final = "arguments of a call are given by position, not by name"
BY_POSITION_HINT: Final = "names are for data, abilities and `copy`: `Point(x = 1)`"
