"""Run any adapter with every check of the reference, one instruction after the other.

Values carry their type: `Tagged(kind, value)`. Used for adapters that `verify` does not accept, and by tests as the other
engine. Input: instructions and tagged arguments. Output: the whole final stack. Errors: AdapterFault with the instruction.
Source: interface-types:wasmer-it/src/interpreter/instructions, src/interpreter/stack.rs
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from avm.data.json_number import float_text

from .codec import charge, encoded, lower_byte_array
from .errors import ErrorClass, Fault, bounds_fault, cast_fault, utf8_fault
from .interface_types import Instruction, mnemonic
from .itypes import BOOL, BYTES, F32, F64, I32, I64, STRING, U8, ArrayOf, ByteList, IType, Prim, RecordOf, same_shape
from .json_values import to_f32
from .limits import DEBUG_CHARACTERS_MAX, ELEMENT_BYTES
from .locate import at_instruction
from .rust_text import debug_string
from .verify import INTEGER_CONVERSIONS, LETTER_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .interface_types import Tables

_U32: Final = 0xFFFFFFFF


class Tagged(NamedTuple):
    """A value with the type it was made as."""

    kind: IType
    value: Any


def debug_value(tagged: Tagged) -> str:
    """A value as the reference prints it in errors, cut where it is long."""
    return _shown(tagged.kind, tagged.value, [DEBUG_CHARACTERS_MAX])


def _shown(kind: IType, value: Any, left: list[int]) -> str:
    """left: characters that may still be shown, about."""
    if isinstance(kind, RecordOf):
        return f"Record([{_listed(zip((k for _, k in kind.fields), value, strict=False), left)}])"
    if isinstance(kind, ArrayOf):
        return f"Array([{_listed(zip(repeat(kind.element), value), left)}])"
    if isinstance(value, ByteList):
        return f"Array([{_listed(zip(repeat(U8), value), left)}])"
    if kind is BYTES:
        numbers = ", ".join(map(str, value[: max(left[0], 0)]))
        text = f"ByteArray([{numbers}{', …' if len(value) > left[0] else ''}])"
    elif kind is STRING:
        shown = value[: max(left[0], 0)]
        text = f"String({debug_string(shown)}{'…' if len(value) > len(shown) else ''})"
    elif kind is BOOL:
        text = f"Boolean({'true' if value else 'false'})"
    else:
        text = f"{kind.debug}({shortest(value) if kind is F32 else float_text(value) if kind is F64 else value})"
    left[0] -= len(text)
    return text


def shortest(value: float) -> str:
    """The fewest digits that tell a number of 32 bits."""
    texts = (f"{value:.{digits}g}" for digits in range(1, 9))
    return float_text(next((float(text) for text in texts if to_f32(float(text)) == value), float(f"{value:.9g}")))


def _listed(items: Iterable[tuple[IType, Any]], left: list[int]) -> str:
    out = []
    for kind, value in items:
        if left[0] <= 0:
            out.append("…")
            break
        out.append(_shown(kind, value, left))
    return ", ".join(out)


def check_compatible(
    found: Tagged, wanted: IType, tables: Tables, budget: list[int], known: dict[tuple[int, int], bool]
) -> None:
    """Whether a value can be taken as one of this type; an empty array is one of any element type.

    What has to be looked at is charged to the budget of the call. known: whether two types have the same shape, by their ids.
    Raises Fault that names the innermost value that does not fit.
    """
    kind, value = found
    key = id(kind), id(wanted)
    same = known.get(key)
    if same is None:
        same = known[key] = same_shape(kind, wanted) and tables.is_complete(wanted)
    if same:
        return
    charge(budget, ELEMENT_BYTES)
    element = U8 if wanted is BYTES else wanted.element if isinstance(wanted, ArrayOf) else None
    if element is not None and (isinstance(kind, ArrayOf) or isinstance(value, ByteList)):
        inner = kind.element if isinstance(kind, ArrayOf) else U8
        for item in value:
            check_compatible(Tagged(inner, item), element, tables, budget, known)
        return
    if isinstance(kind, RecordOf) and isinstance(wanted, RecordOf):
        if not tables.is_defined(wanted):
            raise Fault(f"type with `{wanted.index}` is missing in a Wasm binary", ErrorClass.TYPE)
        if len(kind.fields) == len(wanted.fields):
            for (_, inner), item, (_, field) in zip(kind.fields, value, wanted.fields, strict=True):
                check_compatible(Tagged(inner, item), field, tables, budget, known)
            return
    raise wrong_value(wanted, found)


def as_declared(found: Tagged, wanted: IType) -> Any:
    """A result as a value of its declared type: an empty array may have been made as one of another type.

    Raises ValueError with what the reference says of a value that is none of the type.
    """
    return _as_declared(found, wanted, {})


def _as_declared(found: Tagged, wanted: IType, known: dict[tuple[int, int], bool]) -> Any:
    kind, value = found
    key = id(kind), id(wanted)
    same = known.get(key)
    if same is None:
        same = known[key] = same_shape(kind, wanted)
    if same:
        return value
    if isinstance(wanted, ArrayOf | Prim) and (isinstance(wanted, ArrayOf) or wanted is BYTES):
        element = wanted.element if isinstance(wanted, ArrayOf) else U8
        inner = kind.element if isinstance(kind, ArrayOf) else U8 if kind is BYTES else None
        if inner is not None:
            items = [_as_declared(Tagged(inner, item), element, known) for item in value]
            return ByteList(items) if element is U8 else items
    if isinstance(kind, RecordOf) and isinstance(wanted, RecordOf):
        if len(kind.fields) != len(wanted.fields):
            fields = ", ".join(f"RecordFieldType {{ name: {debug_string(n)}, ty: {k!r} }}" for n, k in wanted.fields)
            shown = debug_value(found).removeprefix("Record(").removesuffix(")")
            raise ValueError(f"output record {shown} isn't compatible to output record fields [{fields}]")
        triples = zip(kind.fields, value, wanted.fields, strict=True)
        return tuple([_as_declared(Tagged(k, v), w, known) for (_, k), v, (_, w) in triples])
    raise ValueError(f"value {debug_value(found)} is incompatible to type {wanted!r}")


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

    def take(self, count: int, told: int | None = None) -> list[Tagged]:
        """The top values, bottom first. told: how many the reference says it needs."""
        if len(self.stack) < count:
            needed = count if told is None else told
            text = f"needed to read `{needed}` value(s) from the stack, but it doesn't contain enough data"
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

    def native(self, found: Tagged, kind: Prim) -> Any:
        """The same for instructions that say it in other words."""
        if found.kind is not kind or (kind is BYTES and isinstance(found.value, ByteList)):
            cast = f"WasmValueNativeCastError {{ from: {debug_value(found)}, to: {kind!r} }}"
            raise Fault(f"failed to cast the WIT value `{cast}` to its native type", ErrorClass.TYPE)
        return found.value

    def address(self, found: Tagged) -> int:
        """An address or a length."""
        value: int = self.native(found, I32)
        return value & _U32

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
                self.write(self.address(place), encoded(self.native(text, STRING)))
            case 0x24:
                self.push_address(len(encoded(self.pop(STRING))))
            case 0x34:
                value = self.take(1)[0]
                self.stack += (value, value)
            case 0x35:
                first, second = self.take(2, told=1)
                self.stack += (second, first)
            case 0x37:
                assert kind is not None
                at, count = map(self.address, self.take(2, told=1))
                self.window_size()
                lift = self.home.codecs.lift_array(kind)
                window = self.home.window
                items = lift(window.refresh(), window.size, at, count, self.home.budget)
                self.stack.append(Tagged(ArrayOf(kind), items))
            case 0x38:
                assert kind is not None
                self.lower_array(kind)
            case 0x3A:
                at = self.address(self.take(1)[0])
                record = self.defined(number)
                self.window_size()
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
                self.write(self.address(place), self.native(data, BYTES))
            case _:
                found = self.take(1)[0]
                if not (found.kind is BYTES or isinstance(found.value, ByteList)):
                    raise wrong_value(BYTES, found)
                self.push_address(len(found.value))

    def defined(self, number: int) -> RecordOf:
        """The record at an index of the module."""
        record: RecordOf = self.home.codecs.record(number)
        if not self.home.codecs.tables.is_defined(record):
            raise Fault(f"type with `{number}` is missing in a Wasm binary", ErrorClass.TYPE)
        return record

    def window_size(self) -> int:
        """Size of the memory after a look at it."""
        self.home.window.refresh()
        size: int = self.home.window.size
        return size

    def lift_block(self, *, text: bool) -> None:
        block = self.take(2)
        size = self.window_size()
        at, count = map(self.address, block)
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
        known: dict[tuple[int, int], bool] = {}
        for item in found.value if not same_shape(found.kind.element, element) else ():
            one = Tagged(found.kind.element, item)
            check_compatible(one, element, self.home.codecs.tables, self.home.budget, known)
        value = ByteList() if element is U8 and not found.value else found.value
        self.push_address(*self.home.codecs.lower_array(element)(self.home, value))

    def lower_record(self, number: int) -> None:
        found = self.take(1)[0]
        record = self.home.codecs.record(number)
        if not isinstance(found.kind, RecordOf):
            raise wrong_value(record, found)
        self.defined(number)
        check_compatible(found, record, self.home.codecs.tables, self.home.budget, {})
        self.window_size()
        self.push_address(self.home.codecs.lower_record(record)(self.home, found.value))

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
            check_compatible(value, kind, self.home.codecs.tables, self.home.budget, {})
        self.stack += target.call_tagged(taken)


def wrong_value(wanted: IType, found: Tagged) -> Fault:
    """A value of another type than the instruction takes."""
    text = f"read a value `{wanted!r}` from the stack, that can't be converted to `{debug_value(found)}`"
    return Fault(text, ErrorClass.TYPE)
