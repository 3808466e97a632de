"""JSON of the tree, byte for byte. The conformance area `avm-parse` compares trees; here the text itself is pinned."""

import json

import pytest

from avm.air import parse
from avm.air.ast_json import ast_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(null)", '{"Null":null}'),
        (
            '(call %init_peer_id% ("s" "f") [%last_error% :error:.length [] 1.0])',
            '{"Call":{"triplet":{"peer_id":"InitPeerId","service_id":{"Literal":"s"},"function_name":{"Literal":"f"}},'
            '"args":[{"LastError":null},{"Error":{"lens":{"Functor":"Length"}}},"EmptyArray",{"Number":{"Float":1.0}}],'
            '"output":"None"}}',
        ),
        (
            "(fold [] i (next i))",
            '{"FoldScalar":{"iterable":"EmptyArray","iterator":{"name":"i","position":9},"instruction":{"Next":'
            '{"iterator":{"name":"i","position":17}}},"last_instruction":null,"span":{"left":0,"right":20}}}',
        ),
        (
            '(ap ("é\n" 1) %m)',
            '{"ApMap":{"key":{"Literal":"é\\n"},"value":{"Number":{"Int":1}},"map":{"name":"%m","position":14}}}',
        ),
        (
            "(fail x.$.a.[0].[y])",
            '{"Fail":{"ScalarWithLambda":{"name":"x","lambda":{"ValuePath":[{"FieldAccessByName":{"field_name":"a"}},'
            '{"ArrayAccess":{"idx":0}},{"FieldAccessByScalar":{"scalar_name":"y"}}]},"position":6}}}',
        ),
        ("(fail :error:)", '{"Fail":"Error"}'),
    ],
)
def test_text(text: str, expected: str) -> None:
    root = parse(text).instruction
    assert root is not None
    assert ast_json(root) == expected
    json.loads(expected)


def test_depth() -> None:
    depth = 10_000
    root = parse("(xor " * depth + "(null)" + " (null))" * depth).instruction
    assert root is not None
    assert ast_json(root).count("Xor") == depth
