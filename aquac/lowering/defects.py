"""Mistakes of version 0.14.6 that `Options.reference_defects` repeats, for those who need its very text.

By default a program gets its meaning. Defects of which that compiler dies, or which are none of lowering, are not repeated.
"""

from __future__ import annotations

from typing import Final

RENAMING: Final = "renaming"

DEFECTS: Final = {
    "D3": "a method's parameter called `id` becomes the service id, one called `ret` an unknown name",
    RENAMING: "names are replaced twice in nested values (D2), not at all in calls in returned literals (D12), wrongly in "
    "closures (D6, D14), and without the mark of a frozen stream in results (D13)",
    "D4": "the body of `for … rec` may be empty, which AIR does not allow",
    "D5": "with `--no-xor`, a branch is left over a list of relays that a later branch computes",
    "D7": "an index below zero is printed",
    "D8": "`INIT_PEER_ID` is printed as a service id",
    "D10": "an `if` whose first branch is empty runs its `else` when the condition holds",
    "D11": "a closure does not take along what it uses in `copy` only",
    "D15": "an element of a stream, or a field of the error, is printed where AIR takes none",
    "D16": "`*[…]` in a function called twice continues the first stream",
    "D17": "a variable called like a closure of a block that is over stands for that closure, and the other way round",
    "D18": "of a callback's several results only the first is received",
    "D19": "a result for a stream that was passed to the program takes the place of the stream",
}
"""Every one by name: `renaming` for those with one cause, else as in the specification (aqua-to-air §16)."""

NO_DEFECTS: Final[frozenset[str]] = frozenset()
ALL_DEFECTS: Final = frozenset(DEFECTS)


def chosen(defects: bool | frozenset[str]) -> frozenset[str]:
    """All of them for True, none for False."""
    if isinstance(defects, bool):
        return ALL_DEFECTS if defects else NO_DEFECTS
    return defects
