"""Typed values in a linear memory: one reader and one writer per type, made once per module.

A reader is `lift(view, size, pointer, budget) -> value`, an array's also takes the count. A writer is `lower(home, value) ->
pointer`, an array's returns pointer and count; `home` allocates in the module and holds its window. Plain Python values:
bool, int, float, str, bytes (byte arrays and, as `ByteList`, arrays of u8), list, tuple (records).
Everything a module says is checked here: `p + n` must stay *below* the size of the memory where the reference demands it
(its last byte cannot be reached), and what is read is charged to the budget of the call.
Source: interface-types:crates/it-lilo, wasmer-it/src/interpreter/instructions/{arrays,records}
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, pack_into, unpack_from
from typing import TYPE_CHECKING, Any, Final, Protocol

from .errors import ErrorClass, Fault, access_fault, utf8_fault, write_fault
from .itypes import BOOL, BYTES, STRING, U8, ArrayOf, ByteList, IType, Prim, RecordOf, is_bytes, records_below
from .limits import ELEMENT_BYTES, FIELD_BYTES, RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from .interface_types import Tables
    from .window import Window

    Budget = list[int] | memoryview
    Lift = Callable[[memoryview, int, int, Budget], Any]
    LiftArray = Callable[[memoryview, int, int, int, Budget], Any]
    Lower = Callable[["Home", Any], int]
    LowerArray = Callable[["Home", Any], tuple[int, int]]

_U32_MAX: Final = 2**32 - 1
_PROBE_EVERY: Final = 16
"""Writing a value recurses over its type, and calls the module on the way; once in so many levels it looks whether it may go on."""
_HEADROOM: Final = 100
"""Frames that a call from the module must find free: where Python cannot enter a callback, what it would have answered is undefined."""


def probe(frames: int = _HEADROOM) -> None:
    """Raise RecursionError here, unless so many more frames are free."""
    if frames:
        probe(frames - 1)


class Home(Protocol):
    """A module to write values into."""

    window: Window

    def allocate(self, size: int, tag: int) -> int:
        """Reserve memory in the module; the address as an unsigned number."""
        ...


@lru_cache(maxsize=1024)
def _compiled(source: str) -> CodeType:
    return compile(source, "<codec>", "exec")


def over_budget() -> Fault:
    """More was lifted in one call than its budget allows."""
    return Fault("the call copied more out of module memories than its limit allows", ErrorClass.LIMIT)


def charge(budget: Budget, amount: int) -> None:
    """Take from the budget of the call. Raises Fault when it is used up."""
    budget[0] -= amount
    if budget[0] < 0:
        raise over_budget()


def lower_bytes(home: Home, data: bytes) -> int:
    """Copy bytes into a block of their own, which then belongs to the module. An empty block is allocated too."""
    size = len(data)
    pointer = home.allocate(size, 1)
    view = home.window.refresh()
    if pointer + size > home.window.size:
        raise write_fault(pointer, size, home.window.size)
    view[pointer : pointer + size] = data
    return pointer


def lift_text(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> str:
    """Text in a record or array."""
    if pointer + count >= size:
        raise access_fault(pointer, count, size)
    charge(budget, count)
    try:
        return str(view[pointer : pointer + count], "utf-8")
    except UnicodeDecodeError as error:
        raise utf8_fault(error) from None


def lift_block(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> bytes:
    """A byte array in a record."""
    if pointer + count >= size:
        raise access_fault(pointer, count, size)
    charge(budget, count)
    return bytes(view[pointer : pointer + count])


def lift_byte_list(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> ByteList:
    """An array of u8, anywhere; an empty one is not looked at."""
    if not count:
        return ByteList()
    if pointer + count >= size:
        raise access_fault(pointer, count, size)
    charge(budget, count)
    return ByteList(view[pointer : pointer + count])


class Codecs:
    """Readers and writers of the types of one module, made on first use and kept."""

    def __init__(self, tables: Tables) -> None:
        """Start empty."""
        self.tables = tables
        self._lift_records: dict[int, Lift] = {}
        self._lower_records: dict[int, Lower] = {}
        self._lift_arrays: dict[object, LiftArray] = {}
        self._lower_arrays: dict[object, LowerArray] = {}
        self._depths: dict[int, int] = {}

    def _depth(self, kind: IType) -> int:
        """Arrays and records within each other."""
        arrays = 0
        while isinstance(kind, ArrayOf):
            arrays, kind = arrays + 1, kind.element
        if not isinstance(kind, RecordOf):
            return arrays
        for one in records_below(kind) if kind.index not in self._depths else ():
            # those that it is made of come first
            self._depths[one.index] = 1 + max(self._depth(field) for _, field in one.fields)
        return arrays + self._depths[kind.index]

    def record(self, index: int) -> RecordOf:
        """The record type at an index of the module, defined or not."""
        return self.tables.record(index)

    def _checked(self, record: RecordOf) -> None:
        if not self.tables.is_defined(record):
            raise Fault(f"Record with type id '{record.index}' not found", ErrorClass.TYPE)

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def lift_record(self, record: RecordOf) -> Lift:
        """Reader of a record. Raises Fault when the module does not define it."""
        found = self._lift_records.get(record.index)
        if found is None:
            for one in records_below(record):
                if one.index not in self._lift_records:
                    self._checked(one)
                    self._lift_records[one.index] = self._make_lift_record(one)
            found = self._lift_records[record.index]
        return found

    def _make_lift_record(self, record: RecordOf) -> Lift:
        """The reader written out: one unpacking, then field by field, as the order of complaints demands."""
        size = record.image_size
        names: dict[str, Any] = {
            "image": Struct("<" + "".join(_slots(kind) for _, kind in record.fields)).unpack_from,
            "access": access_fault,
            "over": over_budget,
        }
        slots: list[str] = []
        values: list[str] = []
        steps: list[str] = []
        for number, (_, kind) in enumerate(record.fields):
            at, count, value = f"s{number}", f"n{number}", f"v{number}"
            slots.append(at)
            if isinstance(kind, RecordOf):
                names[f"read{number}"] = self.lift_record(kind)
                steps.append(f"    {value} = read{number}(view, size, {at}, budget)")
            elif isinstance(kind, ArrayOf):
                slots.append(count)
                names[f"read{number}"] = self.lift_array(kind.element)
                steps.append(f"    {value} = read{number}(view, size, {at}, {count}, budget)")
            elif kind is STRING or kind is BYTES:
                slots.append(count)
                part = f"view[{at}:{at} + {count}]"
                steps += [
                    f"    if {at} + {count} >= size: raise access({at}, {count}, size)",
                    f"    budget[0] -= {count}",
                    "    if budget[0] < 0: raise over()",
                    f"    {value} = str({part}, 'utf-8')" if kind is STRING else f"    {value} = bytes({part})",
                ]
            else:
                value = at
            values.append(value)
        source = [
            "def lift(view, size, pointer, budget):",
            f"    if pointer + {size} >= size: raise access(pointer, {size}, size)",
            f"    budget[0] -= {size + RECORD_BYTES + FIELD_BYTES * len(record.fields)}",
            "    if budget[0] < 0: raise over()",
            f"    {', '.join(slots)}, = image(view, pointer)",
            *steps,
            f"    return ({', '.join(values)},)",
        ]
        exec(_compiled("\n".join(source)), names)  # the source is made of numbers only
        lift: Lift = names["lift"]
        return lift

    def lower_record(self, record: RecordOf) -> Lower:
        """Writer of a record. Raises Fault when the module does not define it."""
        found = self._lower_records.get(record.index)
        if found is None:
            for one in records_below(record):
                if one.index not in self._lower_records:
                    self._checked(one)
                    self._lower_records[one.index] = self._make_lower_record(one)
            found = self._lower_records[record.index]
        return found

    def _make_lower_record(self, record: RecordOf) -> Lower:
        """The writer written out: children first, field by field, then the image in a block of its own."""
        names: dict[str, Any] = {
            "image": Struct("<" + "".join(_slots(kind) for _, kind in record.fields)).pack,
            "lower_bytes": lower_bytes,
            "probe": probe,
        }
        count = len(record.fields)
        head = [] if self._depth(record) % _PROBE_EVERY else ["    probe()"]
        source = ["def lower(home, value):", *head, "    " + "".join(f"a{n}, " for n in range(count)) + "= value"]
        slots = []
        for number, (_, kind) in enumerate(record.fields):
            pair, write = self._field_writer(kind)
            if write is None:
                slots.append(f"a{number}")
                continue
            if kind is STRING:
                source.append(f"    b = a{number}.encode(); n{number} = len(b); p{number} = lower_bytes(home, b)")
            else:
                names[f"write{number}"] = write
                target = f"p{number}, n{number}" if pair else f"p{number}"
                source.append(f"    {target} = write{number}(home, a{number})")
            slots += [f"p{number}", f"n{number}"] if pair else [f"p{number}"]
        source.append(f"    return lower_bytes(home, image({', '.join(slots)}))")
        exec(_compiled("\n".join(source)), names)  # the source is made of numbers only
        lower: Lower = names["lower"]
        return lower

    def _field_writer(self, kind: IType) -> tuple[bool, Callable[..., Any] | None]:
        if isinstance(kind, RecordOf):
            return False, self.lower_record(kind)
        if is_bytes(kind):
            return True, lower_byte_array
        if isinstance(kind, ArrayOf):
            return True, self.lower_array(kind.element)
        return (True, lower_text) if kind is STRING else (False, None)

    # ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def lift_array(self, element: IType) -> LiftArray:
        """Reader of an array with these elements. Raises Fault when a record in it is not defined."""
        key = _key(element)
        found = self._lift_arrays.get(key)
        if found is None:
            found = self._lift_arrays[key] = self._make_lift_array(element)
        return found

    def _make_lift_array(self, element: IType) -> LiftArray:
        if element is U8:
            return lift_byte_list
        width = element.size
        # arrays of arrays are checked with the size of the inner element, as the reference does; the true end counts below
        checked = width
        if isinstance(element, ArrayOf):
            checked = element.element.size
        elif element is BYTES:
            checked = 1
        read_all = self._elements_reader(element)

        def lift(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> Any:
            if not count:
                return []
            if count * width > _U32_MAX or pointer + count * checked >= size or pointer + count * width > size:
                raise access_fault(pointer, count * checked, size)
            charge(budget, count * (width + ELEMENT_BYTES))
            return read_all(view, size, pointer, count, budget)

        return lift

    def _elements_reader(self, element: IType) -> LiftArray:
        if element is STRING:
            return _lift_texts
        if element is BOOL:
            return lambda view, _size, at, count, _budget: [byte != 0 for byte in view[at : at + count]]
        if isinstance(element, RecordOf):
            record = self.lift_record(element)

            def lift_records(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> Any:
                return [record(view, size, at, budget) for at in unpack_from(f"<{count}I", view, pointer)]

            return lift_records
        if isinstance(element, ArrayOf) or element is BYTES:
            inner = lift_byte_list if is_bytes(element) else self.lift_array(_element(element))

            def lift_arrays(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> Any:
                slots = iter(unpack_from(f"<{2 * count}I", view, pointer))
                return [inner(view, size, at, items, budget) for at, items in zip(slots, slots, strict=True)]

            return lift_arrays
        letter = element.packed if isinstance(element, Prim) else ""
        return lambda view, _size, at, count, _budget: list(unpack_from(f"<{count}{letter}", view, at))

    def lower_array(self, element: IType) -> LowerArray:
        """Writer of an array with these elements. Raises Fault when a record in it is not defined."""
        key = _key(element)
        found = self._lower_arrays.get(key)
        if found is None:
            found = self._lower_arrays[key] = self._make_lower_array(element)
        return found

    def _make_lower_array(self, element: IType) -> LowerArray:
        if element is U8:
            return lower_byte_array
        width, tag = element.size, element.tag
        letter = element.packed if isinstance(element, Prim) else ""
        write = self._field_writer(element) if not letter else (False, None)

        def lower_numbers(home: Home, items: Any) -> tuple[int, int]:
            if not items:
                return 0, 0
            pointer = _reserve(home, len(items), width, tag)
            pack_into(f"<{len(items)}{letter}", home.window.view, pointer, *items)
            return pointer, len(items)

        if letter:
            return lower_numbers
        pair, one = write
        assert one is not None
        probes = (self._depth(element) + 1) % _PROBE_EVERY == 0

        def lower_items(home: Home, items: Any) -> tuple[int, int]:
            if not items:
                return 0, 0
            if probes:
                probe()
            pointer = at = _reserve(home, len(items), width, tag)
            window = home.window
            for item in items:
                if pair:
                    slots = one(home, item)
                    pack_into("<II", window.refresh(), at, *slots)
                else:
                    slot = one(home, item)
                    pack_into("<I", window.refresh(), at, slot)
                at += width
            return pointer, len(items)

        return lower_items


def _reserve(home: Home, count: int, width: int, tag: int) -> int:
    """The block of an array; its window is fresh afterwards. The reference asks for bytes where elements are meant."""
    size = count * width
    pointer = home.allocate(size, tag)
    home.window.refresh()
    if pointer + size > home.window.size:
        raise write_fault(pointer, size, home.window.size)
    return pointer


def lower_byte_array(home: Home, data: bytes) -> tuple[int, int]:
    """A byte array or an array of u8; only an empty one of the latter is not allocated."""
    if not data and type(data) is not bytes:
        return 0, 0
    return lower_bytes(home, data), len(data)


def lower_text(home: Home, text: str) -> tuple[int, int]:
    """Text in a record or array."""
    data = encoded(text)
    return lower_bytes(home, data), len(data)


def encoded(text: str) -> bytes:
    """UTF-8 of a text. Raises Fault for a lone surrogate, which only a caller of the Python API can bring in."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Fault(f"text cannot be encoded: {error.reason}", ErrorClass.UTF8) from None


def _lift_texts(view: memoryview, size: int, pointer: int, count: int, budget: Budget) -> Any:
    slots = iter(unpack_from(f"<{2 * count}I", view, pointer))
    out = []
    total = 0
    for at, length in zip(slots, slots, strict=True):
        end = at + length
        if end >= size:
            raise access_fault(at, length, size)
        total += length
        if total > budget[0]:
            raise over_budget()
        try:
            out.append(str(view[at:end], "utf-8"))
        except UnicodeDecodeError as error:
            raise utf8_fault(error) from None
    charge(budget, total)
    return out


def _slots(kind: IType) -> str:
    if isinstance(kind, Prim) and kind.packed:
        return kind.packed
    return "I" if isinstance(kind, RecordOf) else "II"


def _element(kind: IType) -> IType:
    assert isinstance(kind, ArrayOf)
    return kind.element


def _key(kind: IType) -> object:
    """Equal for equal types of one module."""
    depth = 0
    while isinstance(kind, ArrayOf):
        depth, kind = depth + 1, kind.element
    return depth, kind.index if isinstance(kind, RecordOf) else kind
