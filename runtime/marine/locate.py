"""Which instruction failed: faults and traps become errors that name it.

Used by both engines for adapters. Anything that is no failure of a module comes back unchanged, to be raised as it is.
Source: interface-types:wasmer-it/src/errors.rs
"""

from __future__ import annotations

from .errors import AdapterFault, ErrorClass, Fault, TrapFault, utf8_text

_KEPT = frozenset({ErrorClass.LIMIT, ErrorClass.DEADLINE, ErrorClass.STOPPED})


def failed_call(text: str, callee: str, error_class: ErrorClass) -> Fault:
    """A called function failed; a limit, deadline or stop stays what it is on the way out."""
    kept = error_class if error_class in _KEPT else ErrorClass.CALL_FAILED
    return Fault(f"failed while calling the local or import function `{callee}`: {text}", kept)


def failed_allocation(fault: TrapFault) -> Fault:
    """The allocator trapped under an array or record instruction."""
    kept = fault.error_class if fault.error_class in _KEPT else ErrorClass.CALL_FAILED
    return Fault(f"call to allocate function was failed: {fault.text}", kept)


def at_instruction(error: Exception, mnemonic: str, callee: str) -> Exception:
    """The error of an adapter whose instruction raised `error`."""
    match error:
        case Fault():
            fault = error
        case TrapFault() | AdapterFault():
            fault = failed_call(error.text, callee, error.error_class)
        case UnicodeDecodeError():
            fault = Fault(utf8_text(error), ErrorClass.UTF8)
        case UnicodeEncodeError():
            fault = Fault(f"text cannot be encoded: {error.reason}", ErrorClass.UTF8)
        case RecursionError():
            fault = Fault("a value is nested too deeply", ErrorClass.LIMIT)
        case MemoryError():
            fault = Fault("the host has no memory left for a value", ErrorClass.LIMIT)
        case _:
            return error
    return AdapterFault(f"`{mnemonic}` {fault.text}", fault.error_class)


def at_line(error: Exception, lines: tuple[tuple[str, str], ...]) -> Exception:
    """The same for a translated adapter: the line of its source tells the instruction."""
    trace = error.__traceback__
    line = trace.tb_lineno if trace is not None else 0
    mnemonic, callee = lines[line] if 0 <= line < len(lines) else ("", "")
    return at_instruction(error, mnemonic, callee)
