"""Check an adapter before it runs: every value on its stack has the type its instruction wants.

An adapter that passes, and whose final stack is exactly its declared results, may be translated (`marshal`); any other is left
to the checked interpreter, which fails where and as the reference does. A module with such adapters still loads.
Input: instructions, argument types, wanted results, the signatures of what it calls. Output: True or False.
Source: interface-types:wasmer-it/src/interpreter/instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .interface_types import MNEMONICS, Instruction, Tables
from .itypes import BOOL, BYTES, F32, F64, I32, I64, PRIMS, STRING, ArrayOf, IType, Prim, is_bytes, same_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Signature = tuple[tuple[IType, ...], tuple[IType, ...]]

_BY_NAME: Final = {prim.name: prim for prim in PRIMS}


def _integer_conversions() -> dict[int, tuple[Prim, Prim]]:
    out = {}
    for code, name in MNEMONICS.items():
        target, found, source = name.partition(".from_")
        if found and "bool" not in name:
            out[code] = (_BY_NAME[source], _BY_NAME[target])
    return out


INTEGER_CONVERSIONS: Final = _integer_conversions()
"""Code → source and target type of the instructions that convert integers."""

LETTER_TYPES: Final[dict[str, Prim]] = {"i": I32, "l": I64, "f": F32, "d": F64}

_SIMPLE: Final[dict[int, tuple[tuple[Prim, ...], tuple[Prim, ...]]]] = {
    **{code: ((source,), (target,)) for code, (source, target) in INTEGER_CONVERSIONS.items()},
    0x22: ((I32, I32), (STRING,)),
    0x23: ((I32, STRING), (I32, I32)),
    0x24: ((STRING,), (I32,)),
    0x3E: ((I32,), (BOOL,)),
    0x3F: ((BOOL,), (I32,)),
    0x40: ((), (I32,)),
    0x41: ((), (I64,)),
    0x43: ((I32, I32), (BYTES,)),
}


class _IllTyped(Exception):
    """The adapter may fail with an error of types."""


def is_well_typed(
    body: Sequence[Instruction],
    arguments: Sequence[IType],
    results: Sequence[IType],
    tables: Tables,
    callee: Callable[[int], Signature | None],
) -> bool:
    """Whether the adapter can only fail for what values hold, never for what they are."""
    stack: list[IType] = []
    try:
        for instruction in body:
            _step(instruction, stack, arguments, tables, callee)
    except _IllTyped:
        return False
    return len(stack) == len(results) and all(
        _fits(value, result) for value, result in zip(stack, results, strict=True)
    )


def _fits(value: IType, wanted: IType) -> bool:
    return value is wanted or same_shape(value, wanted)


def _pop(stack: list[IType], wanted: IType) -> None:
    if not stack or not _fits(stack.pop(), wanted):
        raise _IllTyped


def _step(
    instruction: Instruction,
    stack: list[IType],
    arguments: Sequence[IType],
    tables: Tables,
    callee: Callable[[int], Signature | None],
) -> None:
    code, number, kind = instruction
    simple = _SIMPLE.get(code)
    if simple is not None:
        for taken in reversed(simple[0]):
            _pop(stack, taken)
        stack += simple[1]
    elif code == 0x00:
        if number >= len(arguments):
            raise _IllTyped
        stack.append(arguments[number])
    elif code == 0x01:
        signature = callee(number)
        if signature is None:
            raise _IllTyped
        for wanted in reversed(signature[0]):
            _pop(stack, wanted)
        stack += signature[1]
    elif code == 0x34 and stack:
        stack.append(stack[-1])
    elif code == 0x35 and len(stack) >= 2:
        stack[-1], stack[-2] = stack[-2], stack[-1]
    elif code in {0x37, 0x38} and kind is not None and tables.is_complete(kind):
        if code == 0x37:
            _pop(stack, I32)
            _pop(stack, I32)
            stack.append(ArrayOf(kind))
        else:
            _pop(stack, ArrayOf(kind))
            stack += (I32, I32)
    elif (
        code in {0x3A, 0x3B} and tables.is_defined(tables.record(number)) and tables.is_complete(tables.record(number))
    ):
        _pop(stack, I32 if code == 0x3A else tables.record(number))
        stack.append(tables.record(number) if code == 0x3A else I32)
    elif code == 0x45:
        if not stack or not is_bytes(stack.pop()):
            raise _IllTyped
        stack.append(I32)
    else:
        # byte_array.lower_memory among them: it refuses an array of u8, which the static types do not tell from bytes
        raise _IllTyped
