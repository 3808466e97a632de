"""Translate a well-typed adapter into one Python function.

The instruction list is run over expressions instead of values: what remains is a straight line of calls, checks and slices.
`plan` does it once per module and adapter; `bind` joins it with an instance. The source never contains a name or text of the
module, only numbers.
Input: an adapter that `verify` accepted. Output: `Plan`; `run(*values)` of a bound one returns None, a value or a tuple and
raises AdapterFault. An i32 on the stack is signed except where it is marked: addresses and lengths made here are not.
Source: interface-types:wasmer-it/src/interpreter/instructions
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import bounds_fault, cast_fault
from .interface_types import Instruction, mnemonic
from .locate import at_line
from .verify import INTEGER_CONVERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from .itypes import IType

_CAST_TESTS: Final = INTEGER_CONVERSIONS


class Need(NamedTuple):
    """A name the source uses: what it stands for and of what."""

    name: str
    what: str
    number: int = 0
    letters: str = ""
    kind: IType | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A translated adapter. `lines[n]` is the instruction and the callee of line n."""

    code: CodeType
    needs: tuple[Need, ...]
    lines: tuple[tuple[str, str], ...]


class _Value(NamedTuple):
    """An expression on the stack. `unsigned`: an i32 in 0 … 2^32-1."""

    text: str
    unsigned: bool = False


@dataclass(slots=True)
class _Writer:
    """State of one translation."""

    lines: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    needs: dict[str, Need] = field(default_factory=dict)
    stack: list[_Value] = field(default_factory=list)
    encodings: dict[str, str] = field(default_factory=dict)
    count: int = 0
    where: tuple[str, str] = ("", "")

    def line(self, text: str) -> None:
        """Add a line of the body."""
        self.lines.append(f"        {text}")
        self.marks.append(self.where)

    def fresh(self) -> str:
        """A new variable."""
        self.count += 1
        return f"v{self.count}"

    def need(self, need: Need) -> str:
        """Use a name from outside."""
        self.needs[need.name] = need
        return need.name

    def signed(self, value: _Value) -> str:
        """The expression as a signed number."""
        if not value.unsigned:
            return value.text
        name = self.fresh()
        self.line(f"{name} = {value.text} if {value.text} < 2147483648 else {value.text} - 4294967296")
        return name

    def address(self, value: _Value) -> str:
        """The expression as an unsigned number."""
        if value.unsigned:
            return value.text
        name = self.fresh()
        self.line(f"{name} = {value.text} & 4294967295")
        return name


def plan(
    body: Sequence[Instruction],
    arguments: int,
    core: Callable[[int], tuple[str, str, str] | None],
    called: Callable[[int], tuple[str, int, int]],
) -> Plan:
    """Translate an adapter.

    core(index): name, parameter letters and result letters of a core export; None beyond them. called(index): name and
    counts of an imported function.
    """
    writer = _Writer()
    for instruction in body:
        writer.where = (mnemonic(instruction), "")
        _translate(writer, instruction, core, called)
    writer.where = ("", "")
    results = [writer.signed(value) for value in writer.stack]
    if len(results) == 1:
        writer.line(f"return {results[0]}")
    else:
        writer.line(f"return ({', '.join(results)})" if results else "return None")
    head = [f"def run({', '.join(f'a{n}' for n in range(arguments))}):", "    try:"]
    tail = ["    except Exception as error:", "        raise at_line(error, LINES) from None"]
    source = "\n".join([*head, *writer.lines, *tail]) + "\n"
    marks = (("", ""), ("", ""), ("", ""), *writer.marks)
    return Plan(compile(source, "<adapter>", "exec"), tuple(writer.needs.values()), marks)


def bind(plan: Plan, home: Any) -> Callable[..., Any]:
    """The function for an instance; see `Instance` for what it offers."""
    names: dict[str, Any] = {
        "at_line": at_line,
        "LINES": plan.lines,
        "BUDGET": home.budget,
        "WINDOW": home.window,
        "HOME": home,
        "cast": cast_fault,
        "bounds": bounds_fault,
        "over": _over,
    }
    for need in plan.needs:
        names[need.name] = _resolve(need, home)
    exec(plan.code, names)  # the source is made of numbers only
    run: Callable[..., Any] = names["run"]
    return run


def _over() -> Exception:
    from .codec import over_budget

    return over_budget()


def _resolve(need: Need, home: Any) -> Any:
    codecs = home.codecs
    match need.what:
        case "core":
            return home.core_function(need.number).variant(need.letters)
        case "called":
            return home.called_function(need.number).run
        case "lift_array":
            return codecs.lift_array(need.kind)
        case "lower_array":
            return codecs.lower_array(need.kind)
        case "lift_record":
            return codecs.lift_record(codecs.record(need.number))
        case _:
            return codecs.lower_record(codecs.record(need.number))


def _translate(
    writer: _Writer,
    instruction: Instruction,
    core: Callable[[int], tuple[str, str, str] | None],
    called: Callable[[int], tuple[str, int, int]],
) -> None:
    code, number, kind = instruction
    stack = writer.stack
    if code in _CAST_TESTS:
        _cast(writer, code)
        return
    match code:
        case 0x00:
            stack.append(_Value(f"a{number}"))
        case 0x01:
            _call(writer, number, core, called)
        case 0x22 | 0x43:
            _lift_block(writer, text=code == 0x22)
        case 0x23:
            _lower_text(writer)
        case 0x24:
            value = stack.pop().text
            data, size = _encoding(writer, value), writer.fresh()
            writer.line(f"{size} = len({data})")
            stack.append(_Value(size, unsigned=True))
        case 0x34:
            stack.append(stack[-1])
        case 0x35:
            stack[-1], stack[-2] = stack[-2], stack[-1]
        case 0x37:
            _lift_array(writer, kind)
        case 0x38:
            assert kind is not None
            lower = writer.need(Need(_kind_name("write", kind), "lower_array", kind=kind))
            at, count = writer.fresh(), writer.fresh()
            writer.line(f"{at}, {count} = {lower}(HOME, {stack.pop().text})")
            stack += (_Value(at, unsigned=True), _Value(count, unsigned=True))
        case 0x3A:
            lift = writer.need(Need(f"read_{number}", "lift_record", number))
            at, out = writer.address(stack.pop()), writer.fresh()
            writer.line(f"{out} = {lift}(WINDOW.refresh(), WINDOW.size, {at}, BUDGET)")
            stack.append(_Value(out))
        case 0x3B:
            lower = writer.need(Need(f"write_{number}", "lower_record", number))
            out = writer.fresh()
            writer.line(f"{out} = {lower}(HOME, {stack.pop().text})")
            stack.append(_Value(out, unsigned=True))
        case 0x3E:
            out = writer.fresh()
            writer.line(f"{out} = {stack.pop().text} != 0")
            stack.append(_Value(out))
        case 0x3F:
            out = writer.fresh()
            writer.line(f"{out} = 1 if {stack.pop().text} else 0")
            stack.append(_Value(out))
        case 0x40:
            stack.append(_Value(str((number + 2**31) % 2**32 - 2**31)))
        case 0x41:
            stack.append(_Value(str((number + 2**63) % 2**64 - 2**63)))
        case _:
            size = writer.fresh()
            writer.line(f"{size} = len({stack.pop().text})")
            stack.append(_Value(size, unsigned=True))


def _kind_name(prefix: str, kind: IType) -> str:
    return prefix + "_" + "".join(c if c.isalnum() else "_" for c in repr(kind))


def _cast(writer: _Writer, code: int) -> None:
    source, target = _CAST_TESTS[code]
    value = writer.signed(writer.stack.pop())
    tests = []
    if target.low > source.low:
        tests.append(f"{value} < {target.low}")
    if target.high < source.high:
        tests.append(f"{value} > {target.high}")
    if tests:
        writer.line(f"if {' or '.join(tests)}: raise cast({source.debug!r}, {target.debug!r})")
    writer.stack.append(_Value(value))


def _call(
    writer: _Writer,
    number: int,
    core: Callable[[int], tuple[str, str, str] | None],
    called: Callable[[int], tuple[str, int, int]],
) -> None:
    found = core(number)
    if found is not None:
        name, parameters, result_letters = found
        taken = [writer.stack.pop() for _ in parameters][::-1]
        letters = "".join("I" if value.unsigned else c for value, c in zip(taken, parameters, strict=True))
        function = writer.need(Need(f"core_{number}_{letters}", "core", number, letters))
        arguments, results = [value.text for value in taken], len(result_letters)
    else:
        name, takes, results = called(number)
        taken = [writer.stack.pop() for _ in range(takes)][::-1]
        arguments = [writer.signed(value) for value in taken]
        function = writer.need(Need(f"called_{number}", "called", number))
    writer.where = (writer.where[0], name)
    outs = [writer.fresh() for _ in range(results)]
    writer.line((f"{', '.join(outs)} = " if outs else "") + f"{function}({', '.join(arguments)})")
    writer.stack += map(_Value, outs)


def _encoding(writer: _Writer, value: str) -> str:
    """The UTF-8 of a text; made once."""
    found = writer.encodings.get(value)
    if found is None:
        found = writer.encodings[value] = writer.fresh()
        writer.line(f"{found} = {value}.encode()")
    return found


def _lower_text(writer: _Writer) -> None:
    value = writer.stack.pop().text
    at = writer.address(writer.stack.pop())
    data, size, end = _encoding(writer, value), writer.fresh(), writer.fresh()
    writer.line(f"view = WINDOW.refresh(); {size} = len({data}); {end} = {at} + {size}")
    writer.line(f"if {end} >= WINDOW.size: raise bounds({end}, WINDOW.size)")
    writer.line(f"view[{at}:{end}] = {data}")
    writer.stack += (_Value(at, unsigned=True), _Value(size, unsigned=True))


def _lift_block(writer: _Writer, *, text: bool) -> None:
    size = writer.address(writer.stack.pop())
    at = writer.address(writer.stack.pop())
    out, end = writer.fresh(), writer.fresh()
    read = f"str(view[{at}:{end}], 'utf-8')" if text else f"bytes(view[{at}:{end}])"
    writer.line(f"view = WINDOW.refresh(); {end} = {at} + {size}; {out} = {'' if text else b''!r}")
    writer.line(f"if {size} and {end} >= WINDOW.size: raise bounds({end}, WINDOW.size)")
    writer.line(f"BUDGET[0] -= {size}")
    writer.line("if BUDGET[0] < 0: raise over()")
    writer.line(f"if {size}: {out} = {read}")
    writer.stack.append(_Value(out))


def _lift_array(writer: _Writer, kind: IType | None) -> None:
    assert kind is not None
    lift = writer.need(Need(_kind_name("read", kind), "lift_array", kind=kind))
    count = writer.address(writer.stack.pop())
    at, out = writer.address(writer.stack.pop()), writer.fresh()
    writer.line(f"{out} = {lift}(WINDOW.refresh(), WINDOW.size, {at}, {count}, BUDGET)")
    writer.stack.append(_Value(out))
