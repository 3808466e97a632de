"""One-line forms as they stand in error objects, and whole scripts."""

import pytest

from avm.air import ast, parse
from avm.air.numbers import display_float, json_float
from avm.air.printer import INDENT_MAX, instruction_text, operand_text, print_script
from avm.air.walk import preorder, same_shape


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(null)", "null"),
        ("(never)", "never"),
        ("(seq (null) (null))", "seq"),
        ('(call "p" ("s" "f") [])', 'call "p" ("s" "f") [] '),
        ('(call %init_peer_id% ("s" "f") [1 "a" [] %ttl%] x)', 'call %init_peer_id% ("s" "f") [1 "a" [] %ttl%] x'),
        ("(ap 1.0 x)", "ap 1 x"),
        ("(ap %last_error%.$[0]! x)", "ap %last_error%.$.[0] x"),
        ('(ap ("k" :error:.$.message) %m)', 'ap ("k" :error:.$.message) %m'),
        ('(canon "p" $s #c)', 'canon "p" $s #c'),
        ('(canon "p" %m #%c)', 'canon "p" %m #%c'),
        ('(canon "p" %m s)', 'canon "p" %m s'),
        ("(match true 2 (null))", "match true 2"),
        ("(mismatch false %timestamp% (null))", "mismatch false %timestamp%"),
        ("(fold [] i (next i))", "fold [] i"),
        ("(new #%m (null))", "new #%m"),
        ('(fail 3 "m")', 'fail 3 "m"'),
        ("(fail x.$.zz)", "fail x.$.zz"),
        ("(fail %last_error%)", "fail %last_error%"),
        ("(fail :error:)", "fail :error:"),
    ],
)
def test_instruction_text(text: str, printed: str) -> None:
    instruction = parse(text).instruction
    assert instruction is not None
    assert instruction_text(instruction) == printed


def test_next() -> None:
    root = parse("(fold [] i (next i))").instruction
    assert root is not None
    assert [instruction_text(node) for node in preorder(root)] == ["fold [] i", "next i"]


@pytest.mark.parametrize(
    ("value", "display", "json"),
    [
        (1.0, "1", "1.0"),
        (-0.0, "-0", "-0.0"),
        (0.5, "0.5", "0.5"),
        (1e-9, "0.000000001", "1e-9"),
        (1.25e-9, "0.00000000125", "1.25e-9"),
        (0.00001234, "0.00001234", "0.00001234"),
        (0.000001, "0.000001", "1e-6"),
        (9999999999.0, "9999999999", "9999999999.0"),
        (1e15, "1000000000000000", "1000000000000000.0"),
        (1e16, "10000000000000000", "1e16"),
        (1.5e300, "15" + "0" * 299, "1.5e300"),
        (123.456, "123.456", "123.456"),
    ],
)
def test_floats(value: float, display: str, json: str) -> None:
    assert display_float(value) == display
    assert operand_text(ast.Float(value)) == display
    assert json_float(value) == json


@pytest.mark.parametrize(
    "text",
    [
        "(seq (ap 9999999999. a) (seq (ap -999999999. b) (ap -0. c)))",
        "(xor (match 1.0 1 (null)) (ap (1 1.5) %m))",
        '(par (call "p" ("s" "f") [1. []] $o) (fold $o i (par (null) (next i)) (never)))',
        "(new #$c (seq (canon %init_peer_id% $s #$c) (ap #$c.length n)))",
        '(fail -5 "several\nlines")',
    ],
)
def test_script_round_trip(text: str) -> None:
    first = parse(text).instruction
    assert first is not None
    second = parse(print_script(first)).instruction
    assert second is not None
    assert same_shape(first, second)


def test_script_layout() -> None:
    root = parse("(xor (seq (null) (ap 1 x)) (fold [] i (next i) (null)))").instruction
    assert root is not None
    assert print_script(root) == "(xor\n (seq\n  (null)\n  (ap 1 x))\n (fold [] i\n  (next i)\n  (null)))\n"


def test_limit_indent() -> None:
    depth = 10_000
    root = parse("(new x " * depth + "(null)" + ")" * depth).instruction
    assert root is not None
    text = print_script(root)
    assert len(text) < depth * (INDENT_MAX + 10)
    again = parse(text).instruction
    assert again is not None
    assert same_shape(root, again)
