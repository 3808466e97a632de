"""Trees to text: one line per instruction for error objects, and whole scripts.

`instruction_text`, `operand_text`, `lens_text` are the reference's display forms and part of what peers exchange (error
objects, tetraplets). `print_script` is ours: `parse(print_script(x))` has the shape of x for every x that came from a parse.

Source: aquavm:crates/air-lib/air-parser/src/ast/instructions/traits.rs, crates/air-lib/lambda/ast/src/ast/traits.rs
"""

from __future__ import annotations

from typing import Final, assert_never

from . import ast
from .limits import FLOAT_BYTES_MAX
from .numbers import display_float

INDENT: Final = 1
"""Blanks per level of a printed script, at most `INDENT_MAX` in all."""

INDENT_MAX: Final = 80
"""Deeper levels are not indented further, or the text of a deep script would be quadratic in its size."""


def lens_text(lens: ast.Lens) -> str:
    """`.length` or `.$.a.[0].[i]`."""
    match lens:
        case ast.Length():
            return ".length"
        case ast.ValuePath():
            return ".$." + ".".join(_accessor_text(accessor) for accessor in lens.accessors)
        case _:
            assert_never(lens)


def _accessor_text(accessor: ast.Accessor) -> str:
    match accessor:
        case ast.FieldByName():
            return accessor.name
        case ast.ArrayAccess():
            return f"[{accessor.idx}]"
        case ast.FieldByScalar():
            return f"[{accessor.name}]"
        case _:
            assert_never(accessor)


def operand_text(operand: ast.Value | ast.Variable) -> str:
    """An operand with its lens. A literal is put between quotes as it is: there are no escapes."""
    match operand:
        case ast.InitPeerId():
            return "%init_peer_id%"
        case ast.Timestamp():
            return "%timestamp%"
        case ast.Ttl():
            return "%ttl%"
        case ast.EmptyArray():
            return "[]"
        case ast.Literal():
            return f'"{operand.text}"'
        case ast.Int():
            return str(operand.value)
        case ast.Float():
            return display_float(operand.value)
        case ast.Bool():
            return "true" if operand.value else "false"
        case ast.LastError():
            return "%last_error%" if operand.lens is None else f"%last_error%{lens_text(operand.lens)}"
        case ast.Error():
            return ":error:" if operand.lens is None else f":error:{lens_text(operand.lens)}"
        case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
            return operand.name if operand.lens is None else f"{operand.name}{lens_text(operand.lens)}"
        case ast.Stream() | ast.StreamMap():
            return operand.name
        case _:
            assert_never(operand)


def instruction_text(instruction: ast.Instruction) -> str:
    """The instruction without what is inside it. A call without output ends in a blank."""
    match instruction:
        case ast.Call():
            args = " ".join(operand_text(arg) for arg in instruction.args)
            output = "" if instruction.output is None else operand_text(instruction.output)
            peer, service, function = (
                operand_text(part) for part in (instruction.peer_id, instruction.service_id, instruction.function_name)
            )
            return f"call {peer} ({service} {function}) [{args}] {output}"
        case ast.Ap():
            return f"ap {operand_text(instruction.argument)} {operand_text(instruction.result)}"
        case ast.ApMap():
            key, value = operand_text(instruction.key), operand_text(instruction.value)
            return f"ap ({key} {value}) {instruction.map.name}"
        case ast.Canon():
            peer = operand_text(instruction.peer_id)
            return f"canon {peer} {instruction.stream.name} {operand_text(instruction.canon_stream)}"
        case ast.CanonMap():
            peer = operand_text(instruction.peer_id)
            return f"canon {peer} {instruction.stream_map.name} {operand_text(instruction.canon_stream_map)}"
        case ast.CanonStreamMapScalar():
            peer = operand_text(instruction.peer_id)
            return f"canon {peer} {instruction.stream_map.name} {operand_text(instruction.scalar)}"
        case ast.Match() | ast.MisMatch():
            left, right = operand_text(instruction.left_value), operand_text(instruction.right_value)
            return f"{'match' if isinstance(instruction, ast.Match) else 'mismatch'} {left} {right}"
        case ast.FoldScalar() | ast.FoldStream() | ast.FoldStreamMap():
            return f"fold {operand_text(instruction.iterable)} {operand_text(instruction.iterator)}"
        case ast.Next():
            return f"next {operand_text(instruction.iterator)}"
        case ast.New():
            return f"new {operand_text(instruction.argument)}"
        case ast.FailLiteral():
            return f'fail {instruction.ret_code} "{instruction.error_message}"'
        case ast.Fail():
            return f"fail {operand_text(instruction.value)}"
        case ast.Seq() | ast.Par() | ast.Xor() | ast.Null() | ast.Never():
            return type(instruction).__name__.lower()
        case _:
            assert_never(instruction)


def print_script(root: ast.Instruction) -> str:
    """A script, one instruction a line, ended by a line feed. Floats are written so that they are read back as floats."""
    out: list[str] = []
    stack: list[tuple[ast.Instruction, int] | str] = [(root, 0)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        node, depth = item
        if out:
            out.append("\n")
        out.append(" " * min(depth * INDENT, INDENT_MAX))
        out.append(f"({_source_text(node)}")
        stack.append(")")
        match node:
            case ast.Seq() | ast.Par() | ast.Xor():
                stack.append((node.right, depth + 1))
                stack.append((node.left, depth + 1))
            case ast.Match() | ast.MisMatch() | ast.New():
                stack.append((node.instruction, depth + 1))
            case ast.FoldScalar() | ast.FoldStream() | ast.FoldStreamMap():
                if node.last_instruction is not None:
                    stack.append((node.last_instruction, depth + 1))
                stack.append((node.instruction, depth + 1))
            case _:
                pass
    out.append("\n")
    return "".join(out)


def _source_text(node: ast.Instruction) -> str:
    match node:
        case ast.Call():
            args = " ".join(_source_operand(arg) for arg in node.args)
            peer, service, function = (
                operand_text(part) for part in (node.peer_id, node.service_id, node.function_name)
            )
            output = "" if node.output is None else f" {node.output.name}"
            return f"call {peer} ({service} {function}) [{args}]{output}"
        case ast.Ap():
            return f"ap {_source_operand(node.argument)} {node.result.name}"
        case ast.ApMap():
            return f"ap ({_source_operand(node.key)} {_source_operand(node.value)}) {node.map.name}"
        case ast.Match() | ast.MisMatch():
            keyword = "match" if isinstance(node, ast.Match) else "mismatch"
            return f"{keyword} {_source_operand(node.left_value)} {_source_operand(node.right_value)}"
        case _:
            return instruction_text(node)


def _source_operand(operand: ast.Value) -> str:
    text = operand_text(operand)
    if not isinstance(operand, ast.Float) or "." in text:
        return text
    # The longest floats have no room for a digit behind the point.
    return f"{text}." if len(text) + 2 > FLOAT_BYTES_MAX else f"{text}.0"
