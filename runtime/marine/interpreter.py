"""Run any adapter with every check of the reference, one instruction after the other.

Values carry their type: `Tagged(kind, value)`. Used for adapters that `verify` does not accept, and by tests as the other
engine. Input: instructions and tagged arguments. Output: the whole final stack. Errors: AdapterFault with the instruction.
Source: interface-types:wasmer-it/src/interpreter/instructions, src/interpreter/stack.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from avm.data.json_number import float_text

from .codec import charge, encoded, lower_byte_array
from .errors import ErrorClass, Fault, bounds_fault, cast_fault, utf8_fault
from .interface_types import Instruction, mnemonic
from .itypes import BOOL, BYTES, F32, F64, I32, I64, STRING, U8, ArrayOf, ByteList, IType, Prim, RecordOf, same_shape
from .locate import at_instruction
from .rust_text import debug_string
from .verify import INTEGER_CONVERSIONS, LETTER_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

_U32: Final = 0xFFFFFFFF


class Tagged(NamedTuple):
    """A value with the type it was made as."""

    kind: IType
    value: Any


def debug_value(tagged: Tagged) -> str:
    """A value as the reference prints it in errors."""
    kind, value = tagged
    if isinstance(kind, RecordOf):
        fields = (debug_value(Tagged(k, v)) for (_, k), v in zip(kind.fields, value, strict=False))
        return f"Record(NEVec([{', '.join(fields)}]))"
    if isinstance(kind, ArrayOf):
        return f"Array([{', '.join(debug_value(Tagged(kind.element, item)) for item in value)}])"
    if kind is BYTES:
        return f"ByteArray([{', '.join(map(str, value))}])"
    if kind is STRING:
        return f"String({debug_string(value)})"
    if kind is BOOL:
        return f"Boolean({'true' if value else 'false'})"
    return f"{kind.debug}({float_text(value) if kind in (F32, F64) else value})"


def is_compatible(tagged: Tagged, wanted: IType) -> bool:
    """Whether a value can be taken as one of this type; an empty array is one of any element type."""
    kind, value = tagged
    if same_shape(kind, wanted):
        return True
    if isinstance(value, bytes) and isinstance(wanted, ArrayOf):
        return not value and kind is not BYTES
    if wanted is BYTES and isinstance(kind, ArrayOf):
        return not value
    if isinstance(kind, ArrayOf) and isinstance(wanted, ArrayOf):
        return all(is_compatible(Tagged(kind.element, item), wanted.element) for item in value)
    if isinstance(kind, RecordOf) and isinstance(wanted, RecordOf) and len(kind.fields) == len(wanted.fields):
        pairs = zip(kind.fields, value, wanted.fields, strict=True)
        return all(is_compatible(Tagged(k, v), w) for (_, k), v, (_, w) in pairs)
    return False


def interpret(body: Sequence[Instruction], home: Any, arguments: Sequence[Tagged]) -> list[Tagged]:
    """Run an adapter in the module `home`. Raises AdapterFault."""
    run = _Run(home, arguments)
    for instruction in body:
        run.callee = ""
        try:
            run.step(instruction)
        except Exception as error:  # noqa: BLE001 - what is no failure of a module comes back unchanged
            raise at_instruction(error, mnemonic(instruction), run.callee) from None
    return run.stack


class _Run:
    """One execution: arguments, stack, and the name of what is being called."""

    __slots__ = ("arguments", "callee", "home", "stack")

    def __init__(self, home: Any, arguments: Sequence[Tagged]) -> None:
        self.home = home
        self.arguments = arguments
        self.stack: list[Tagged] = []
        self.callee = ""

    # ── the stack ────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, count: int) -> list[Tagged]:
        """The top values, bottom first."""
        if len(self.stack) < count:
            text = f"needed to read `{count}` value(s) from the stack, but it doesn't contain enough data"
            raise Fault(text, ErrorClass.TYPE)
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def pop(self, kind: Prim) -> Any:
        """The top value, which must be of this type."""
        found = self.take(1)[0]
        return self.of(found, kind)

    def of(self, found: Tagged, kind: Prim) -> Any:
        """The value of a tagged one that must have this type."""
        if found.kind is not kind:
            raise wrong_value(kind, found)
        return found.value

    def pop_block(self) -> tuple[int, int]:
        """An address and a length."""
        first, second = self.take(2)
        at = self.of(first, I32) & _U32
        return at, self.of(second, I32) & _U32

    def push_address(self, *numbers: int) -> None:
        """Unsigned numbers as i32."""
        self.stack += [Tagged(I32, number - (1 << 32) if number >> 31 else number) for number in numbers]

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, instruction: Instruction) -> None:
        """Execute one instruction."""
        code, number, kind = instruction
        conversion = INTEGER_CONVERSIONS.get(code)
        if conversion is not None:
            source, target = conversion
            value = self.pop(source)
            if not target.low <= value <= target.high:
                raise cast_fault(source.debug, target.debug)
            self.stack.append(Tagged(target, value))
            return
        match code:
            case 0x00:
                if number >= len(self.arguments):
                    raise Fault(f"cannot access invocation inputs #{number} because it doesn't exist", ErrorClass.TYPE)
                self.stack.append(self.arguments[number])
            case 0x01:
                self.call(number)
            case 0x22:
                self.lift_block(text=True)
            case 0x23:
                place, text = self.take(2)
                self.write(self.of(place, I32) & _U32, encoded(self.of(text, STRING)))
            case 0x24:
                self.push_address(len(encoded(self.pop(STRING))))
            case 0x34:
                value = self.take(1)[0]
                self.stack += (value, value)
            case 0x35:
                first, second = self.take(2)
                self.stack += (second, first)
            case 0x37:
                assert kind is not None
                at, count = self.pop_block()
                self.window_size()
                lift = self.home.codecs.lift_array(kind)
                window = self.home.window
                items = lift(window.refresh(), window.size, at, count, self.home.budget)
                self.stack.append(Tagged(ArrayOf(kind), items))
            case 0x38:
                assert kind is not None
                self.lower_array(kind)
            case 0x3A:
                at = self.pop(I32) & _U32
                record = self.home.codecs.record(number)
                lift = self.home.codecs.lift_record(record)
                window = self.home.window
                self.stack.append(Tagged(record, lift(window.refresh(), window.size, at, self.home.budget)))
            case 0x3B:
                self.lower_record(number)
            case 0x3E:
                self.stack.append(Tagged(BOOL, self.pop(I32) != 0))
            case 0x3F:
                self.stack.append(Tagged(I32, 1 if self.pop(BOOL) else 0))
            case 0x40:
                self.stack.append(Tagged(I32, (number + 2**31) % 2**32 - 2**31))
            case 0x41:
                self.stack.append(Tagged(I64, (number + 2**63) % 2**64 - 2**63))
            case 0x43:
                self.lift_block(text=False)
            case 0x44:
                place, data = self.take(2)
                self.write(self.of(place, I32) & _U32, self.of(data, BYTES))
            case _:
                found = self.take(1)[0]
                if not (found.kind is BYTES or isinstance(found.value, ByteList)):
                    raise wrong_value(BYTES, found)
                self.push_address(len(found.value))

    def window_size(self) -> int:
        """Size of the memory after a look at it."""
        self.home.window.refresh()
        size: int = self.home.window.size
        return size

    def lift_block(self, *, text: bool) -> None:
        at, count = self.pop_block()
        size = self.window_size()
        if count and at + count >= size:
            raise bounds_fault(at + count, size)
        charge(self.home.budget, count)
        data = bytes(self.home.window.view[at : at + count]) if count else b""
        if not text:
            self.stack.append(Tagged(BYTES, data))
            return
        try:
            self.stack.append(Tagged(STRING, data.decode()))
        except UnicodeDecodeError as error:
            raise utf8_fault(error) from None

    def write(self, at: int, data: bytes) -> None:
        size = self.window_size()
        if at + len(data) >= size:
            raise bounds_fault(at + len(data), size)
        self.home.window.view[at : at + len(data)] = data
        self.push_address(at, len(data))

    def lower_array(self, element: IType) -> None:
        found = self.take(1)[0]
        if found.kind is BYTES:
            self.push_address(*lower_byte_array(self.home, found.value))
            return
        if not isinstance(found.kind, ArrayOf):
            raise wrong_value(ArrayOf(element), found)
        for item in found.value if not same_shape(found.kind.element, element) else ():
            one = Tagged(found.kind.element, item)
            if not is_compatible(one, element):
                raise wrong_value(element, one)
        value = ByteList() if element is U8 and not found.value else found.value
        self.push_address(*self.home.codecs.lower_array(element)(self.home, value))

    def lower_record(self, number: int) -> None:
        found = self.take(1)[0]
        record = self.home.codecs.record(number)
        if not isinstance(found.kind, RecordOf):
            raise wrong_value(record, found)
        lower = self.home.codecs.lower_record(record)
        if not is_compatible(found, record):
            raise wrong_value(record, found)
        self.push_address(lower(self.home, found.value))

    def call(self, number: int) -> None:
        """`call-core`."""
        core = self.home.core_function(number)
        if core is not None:
            taken = self.take(len(core.kind.parameters))
            self.callee = core.name
            values = [
                self.of(value, LETTER_TYPES[letter]) for value, letter in zip(taken, core.kind.parameters, strict=True)
            ]
            answer = core.plain(*values)
            letters = core.kind.results
            answers = () if not letters else (answer,) if len(letters) == 1 else answer
            self.stack += [Tagged(LETTER_TYPES[c], value) for c, value in zip(letters, answers, strict=True)]
            return
        target = self.home.called_function(number)
        declared = self.home.declared(number)
        if target is None or declared is None:
            raise Fault(f"the local or import function `{number}` doesn't exist", ErrorClass.TYPE)
        taken = self.take(len(declared.arguments))
        self.callee = target.name
        for value, (_, kind) in zip(taken, declared.arguments, strict=True):
            if not is_compatible(value, kind):
                raise wrong_value(kind, value)
        self.stack += target.call_tagged(taken)


def wrong_value(wanted: IType, found: Tagged) -> Fault:
    """A value of another type than the instruction takes."""
    text = f"read a value `{wanted!r}` from the stack, that can't be converted to `{debug_value(found)}`"
    return Fault(text, ErrorClass.TYPE)
