"""The tree as JSON, byte for byte what the reference's `ast` export answers.

Source: aquavm:crates/air-lib/air-parser/src/ast/ (serde derives, external tagging)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from . import ast
from .numbers import json_float

if TYPE_CHECKING:
    from .ast import Span


def ast_json(root: ast.Instruction) -> str:
    """Minified JSON, of any depth."""
    out: list[str] = []
    stack: list[str | ast.Instruction] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
        else:
            stack.extend(reversed(_instruction(item)))
    return "".join(out)


def _instruction(node: ast.Instruction) -> list[str | ast.Instruction]:
    """Text with the inner instructions left as nodes."""
    match node:
        case ast.Null():
            return ['{"Null":null}']
        case ast.Never():
            return ['{"Never":null}']
        case ast.Seq() | ast.Par() | ast.Xor():
            return [f'{{"{type(node).__name__}":[', node.left, ",", node.right, "]}"]
        case ast.Match() | ast.MisMatch():
            head = f'"left_value":{_value(node.left_value)},"right_value":{_value(node.right_value)}'
            return [f'{{"{type(node).__name__}":{{{head},"instruction":', node.instruction, "}}"]
        case ast.New():
            return [
                f'{{"New":{{"argument":{_tagged(node.argument)},"instruction":',
                node.instruction,
                f',"span":{_span(node.span)}}}}}',
            ]
        case ast.FoldScalar() | ast.FoldStream() | ast.FoldStreamMap():
            iterable = _tagged(node.iterable) if isinstance(node, ast.FoldScalar) else _named(node.iterable)
            return [
                f'{{"{type(node).__name__}":{{"iterable":{iterable},"iterator":{_named(node.iterator)},"instruction":',
                node.instruction,
                ',"last_instruction":',
                "null" if node.last_instruction is None else node.last_instruction,
                f',"span":{_span(node.span)}}}}}',
            ]
        case ast.Call():
            triplet = (
                f'"peer_id":{_tagged(node.peer_id)},"service_id":{_tagged(node.service_id)},'
                f'"function_name":{_tagged(node.function_name)}'
            )
            args = ",".join(_value(arg) for arg in node.args)
            output = '"None"' if node.output is None else _tagged(node.output)
            return [f'{{"Call":{{"triplet":{{{triplet}}},"args":[{args}],"output":{output}}}}}']
        case ast.Ap():
            return [f'{{"Ap":{{"argument":{_tagged(node.argument)},"result":{_tagged(node.result)}}}}}']
        case ast.ApMap():
            key = f'{{"Int":{node.key.value}}}' if isinstance(node.key, ast.Int) else _tagged(node.key)
            return [f'{{"ApMap":{{"key":{key},"value":{_tagged(node.value)},"map":{_named(node.map)}}}}}']
        case ast.Canon():
            rest = f'"stream":{_named(node.stream)},"canon_stream":{_named(node.canon_stream)}'
            return [f'{{"Canon":{{"peer_id":{_tagged(node.peer_id)},{rest}}}}}']
        case ast.CanonMap():
            rest = f'"stream_map":{_named(node.stream_map)},"canon_stream_map":{_named(node.canon_stream_map)}'
            return [f'{{"CanonMap":{{"peer_id":{_tagged(node.peer_id)},{rest}}}}}']
        case ast.CanonStreamMapScalar():
            rest = f'"stream_map":{_named(node.stream_map)},"scalar":{_named(node.scalar)}'
            return [f'{{"CanonStreamMapScalar":{{"peer_id":{_tagged(node.peer_id)},{rest}}}}}']
        case ast.Next():
            return [f'{{"Next":{{"iterator":{_named(node.iterator)}}}}}']
        case ast.FailLiteral():
            body = f'"ret_code":{node.ret_code},"error_message":{_string(node.error_message)}'
            return [f'{{"Fail":{{"Literal":{{{body}}}}}}}']
        case ast.Fail():
            return [f'{{"Fail":{_fail_value(node.value)}}}']
        case _:
            assert_never(node)


def _fail_value(value: ast.Scalar | ast.CanonStream | ast.LastError | ast.Error) -> str:
    match value:
        case ast.LastError():
            return '"LastError"'
        case ast.Error():
            return '"Error"'
        case _:
            return _tagged(value)


def _value(value: ast.Value) -> str:
    """An operand of `call`, `match`, `mismatch`: variables have one more wrapper there."""
    match value:
        case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
            if value.lens is None:
                return f'{{"Variable":{_tagged(value)}}}'
            return f'{{"VariableWithLambda":{{"{type(value).__name__}":{_named(value)}}}}}'
        case _:
            return _tagged(value)


def _tagged(value: ast.Value | ast.Variable) -> str:
    match value:
        case ast.InitPeerId() | ast.Timestamp() | ast.EmptyArray():
            return f'"{type(value).__name__}"'
        case ast.Ttl():
            return '"TTL"'
        case ast.Literal():
            return f'{{"Literal":{_string(value.text)}}}'
        case ast.Int():
            return f'{{"Number":{{"Int":{value.value}}}}}'
        case ast.Float():
            return f'{{"Number":{{"Float":{json_float(value.value)}}}}}'
        case ast.Bool():
            return f'{{"Boolean":{"true" if value.value else "false"}}}'
        case ast.LastError():
            return f'{{"LastError":{"null" if value.lens is None else _lens(value.lens)}}}'
        case ast.Error():
            return f'{{"Error":{{"lens":{"null" if value.lens is None else _lens(value.lens)}}}}}'
        case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
            suffix = "" if value.lens is None else "WithLambda"
            return f'{{"{type(value).__name__}{suffix}":{_named(value)}}}'
        case ast.Stream() | ast.StreamMap():
            return f'{{"{type(value).__name__}":{_named(value)}}}'
        case _:
            assert_never(value)


def _named(variable: ast.Variable) -> str:
    lens = ""
    if not isinstance(variable, (ast.Stream, ast.StreamMap)) and variable.lens is not None:
        lens = f'"lambda":{_lens(variable.lens)},'
    return f'{{"name":{_string(variable.name)},{lens}"position":{variable.position}}}'


def _lens(lens: ast.Lens) -> str:
    match lens:
        case ast.Length():
            return '{"Functor":"Length"}'
        case ast.ValuePath():
            return f'{{"ValuePath":[{",".join(_accessor(accessor) for accessor in lens.accessors)}]}}'
        case _:
            assert_never(lens)


def _accessor(accessor: ast.Accessor) -> str:
    match accessor:
        case ast.FieldByName():
            return f'{{"FieldAccessByName":{{"field_name":{_string(accessor.name)}}}}}'
        case ast.ArrayAccess():
            return f'{{"ArrayAccess":{{"idx":{accessor.idx}}}}}'
        case ast.FieldByScalar():
            return f'{{"FieldAccessByScalar":{{"scalar_name":{_string(accessor.name)}}}}}'
        case _:
            assert_never(accessor)


def _span(span: Span) -> str:
    return f'{{"left":{span[0]},"right":{span[1]}}}'


def _string(text: str) -> str:
    # DEL apart, the escapes are those of serde_json: \b \f \n \r \t \" \\ and \u00xx.
    return json.dumps(text, ensure_ascii=False)
