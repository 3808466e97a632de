"""Text of a flat program: one line per operation, jump targets as `@position`, variables by name.

    0 par           right=@2 end=@4 left_may_complete=true right_may_complete=true

Input: Program. Errors: none. The form follows the instruction table, so a new operation needs nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps

from .opcodes import NO_LAST, OPS, OUTPUT_NONE, OUTPUT_SCALAR, OUTPUT_STREAM, VALUES, Op, Val

if TYPE_CHECKING:
    from .program import Program

_OUTPUTS: Final = {OUTPUT_NONE: "none", OUTPUT_SCALAR: "scalar", OUTPUT_STREAM: "stream"}
_STREAM_SLOTS: Final = frozenset({Op.AP_STREAM, Op.AP_MAP, Op.NEW_STREAM})
"""Operations whose operand `slot` is that of a stream."""

_VALUE_NAMES: Final = {
    Val.INIT_PEER: "%init_peer_id%",
    Val.TIMESTAMP: "%timestamp%",
    Val.TTL: "%ttl%",
    Val.LAST_ERROR: "%last_error%",
    Val.ERROR: ":error:",
}


def disassemble(program: Program) -> str:
    """The whole program, with a final line feed."""
    width = len(str(len(program)))
    lines = []
    for pc, code in enumerate(program.code):
        op = Op(code)
        info = OPS[op]
        operands = program.operands[pc]
        fields = zip(info.operands, operands, strict=True)
        texts = " ".join(f"{name}={_operand(program, op, name, content, operands)}" for name, content in fields)
        lines.append(f"{pc:>{width}} {info.name:<12} {texts}".rstrip())
    return "\n".join(lines) + "\n"


def _operand(program: Program, op: Op, name: str, content: Any, operands: tuple[Any, ...]) -> str:
    if name in OPS[op].jumps:
        return "-" if content == NO_LAST else f"@{content}"
    if name == "arguments":
        return "[" + " ".join(_value(program, argument) for argument in content) + "]"
    if type(content) is tuple:
        return _value(program, content)
    if name == "output":
        return _OUTPUTS[content]
    if name in {"slot", "iterator", "stream"}:
        in_stream = name == "stream" or op in _STREAM_SLOTS or (op == Op.CALL and operands[4] == OUTPUT_STREAM)
        return "-" if content < 0 else (program.stream_names if in_stream else program.names)[content]
    if name == "position" and content < 0:
        return "-"
    return dumps(content)


def _value(program: Program, value: tuple[Any, ...]) -> str:
    """A compiled value."""
    kind = Val(value[0])
    fields = dict(zip(VALUES[kind], value[1:], strict=True))
    if kind == Val.CONST:
        text: str = fields["text"]
        return text
    name = _VALUE_NAMES[kind] if kind in _VALUE_NAMES else program.names[fields["slot"]]
    lens = fields.get("lens")
    return name if lens is None else name + lens[1]
