"""Constants given to the compiler, and the predefined ones."""

import pytest

from aquac.semantics.constants import parse_constants, predefined
from aquac.semantics.raw import Literal, RawValue
from aquac.semantics.types import BOOL_LITERAL, FLOAT, SIGNED, STRING, STRING_LITERAL, UNSIGNED

from .programs import accepted, check, const


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("A = 1", "A", Literal("1", UNSIGNED)),
        ("A_1 = -1", "A_1", Literal("-1", SIGNED)),
        ("A = 1.05", "A", Literal("1.05", FLOAT)),
        ("A = true", "A", Literal("true", BOOL_LITERAL)),
        ('A ?= "x = y"', "A", Literal('"x = y"', STRING_LITERAL)),
        ('  A   =   ""  ', "A", Literal('""', STRING_LITERAL)),
    ],
)
def test_definition(text: str, name: str, value: RawValue) -> None:
    (part,), invalid = parse_constants([text])
    assert (part.name, part.value, invalid) == (name, value, [])


@pytest.mark.parametrize(
    "text", ["", "A", "a = 1", "A=1", "A = x", "A = [1]", 'A = "', "A = 01", "A = 1 2", "= 1", "A =1"]
)
def test_invalid_definition(text: str) -> None:
    parts, (invalid,) = parse_constants([text])
    assert parts == ()
    assert invalid.code.id == "AQ0133"
    assert invalid.span is None


def test_last_of_equal_names_wins() -> None:
    parts, _ = parse_constants(["A = 1", "B = 2", "A = 3"])
    assert [(p.name, p.value) for p in parts] == [("B", Literal("2", UNSIGNED)), ("A", Literal("3", UNSIGNED))]


def test_given_constant_wins_over_the_file_and_is_checked() -> None:
    context = accepted("aqua Main\n\nconst A = 1\n\nconst B ?= 2\n", constants=("A = 10", "B = 20"))
    assert const(context, "A").value == Literal("10", UNSIGNED)
    assert const(context, "B").value == Literal("20", UNSIGNED)
    check('aqua Main\n\nconst A ?= "s"  -- error: AQ0301 ""s""\n', constants=("A = 1",))


def test_host_without_relay_is_the_initial_peer() -> None:
    host, init = predefined(no_relay=True)[:2]
    assert host.value == init.value == Literal("%init_peer_id%", STRING)
    assert predefined()[0].value != init.value
    assert [p.name for p in predefined()] == [
        "HOST_PEER_ID",
        "INIT_PEER_ID",
        "PARTICLE_TTL",
        "PARTICLE_TIMESTAMP",
        "nil",
        "LAST_ERROR",
    ]
