"""How native adapters failed, in the words of translated ones: frame by frame, as if each had raised.

Input:  frames, the innermost first. Output: the exception for who called the outermost adapter. Errors: none.
Source: runtime/marine/marshal.py, locate.py, codec.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.marine.codec import over_budget
from runtime.marine.errors import (
    ErrorClass,
    Fault,
    TrapFault,
    access_fault,
    bounds_fault,
    cast_fault,
    depth_fault,
    utf8_fault,
    write_fault,
)
from runtime.marine.interface_types import CODE_OF
from runtime.marine.locate import at_instruction, failed_allocation
from runtime.marine.verify import INTEGER_CONVERSIONS

from .kernels import layout as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runtime.marine.instance import Instance

    from .program import Program


def worded(
    frames: Iterable[Sequence[int]], instances: Sequence[Instance], programs: Mapping[int, Program]
) -> BaseException:
    """The exception of a chain of failed adapters."""
    error: BaseException | None = None
    for _, home, program, pc, code, a, b, c in frames:
        instance = instances[home]
        mnemonic, callee = programs[program].lines[pc] if program >= 0 else ("", "")
        if code in (w.FAULT_CALL, w.FAULT_ALLOCATE):
            if error is not None:
                # it was raised inside of the function that the module had called
                instance.pending = error
            error = instance.failure(a or None, b or None)
            if code == w.FAULT_ALLOCATE and isinstance(error, TrapFault):
                error = failed_allocation(error)
        elif code != w.FAULT_TARGET:
            error = _fault(code, a, b, c, mnemonic, instance)
        if program >= 0 and isinstance(error, Exception):
            error = at_instruction(error, mnemonic, callee)
    return error or _mistake()


def _mistake() -> Exception:
    return RuntimeError("native code went outside of a buffer, which is a mistake of ours")


def _fault(code: int, a: int, b: int, c: int, mnemonic: str, instance: Instance) -> Exception:
    if code == w.FAULT_CAST:
        source, target = INTEGER_CONVERSIONS[CODE_OF[mnemonic]]
        return cast_fault(source.debug, target.debug)
    if code == w.FAULT_BOUNDS:
        return bounds_fault(a, b)
    if code == w.FAULT_ACCESS:
        return access_fault(a, b, c)
    if code == w.FAULT_WRITE:
        return write_fault(a, b, c)
    if code == w.FAULT_UTF8:
        try:
            # no code of the module has run since
            str(instance.window.refresh()[a : a + b], "utf-8")
        except UnicodeDecodeError as error:
            return utf8_fault(error)
    if code == w.FAULT_BUDGET:
        return over_budget()
    if code == w.FAULT_NO_MEMORY:
        return Fault("memory `0` does not exist", ErrorClass.BOUNDS)
    if code == w.FAULT_DEPTH:
        return depth_fault()
    if code == w.FAULT_ARENA:
        return Fault("the host has no memory left for a value", ErrorClass.LIMIT)
    return _mistake()
