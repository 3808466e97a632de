"""What errors say, and where they say it happened."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.client import errors
from runtime.client.errors import AquaError, InterpreterError, ParticleExpired, Unanswered, WorkflowError, read_failure
from runtime.client.places import Source, bare, sources_of, unfolded

ERROR = {"error_code": 10000, "message": "no", "instruction": 'call p ("s" "f") []', "peer_id": "P"}
HERE = Source("main.aqua", 7)


def passed_on(value: object) -> dict[str, object]:
    """The error object of a `fail` with another one."""
    text = f"fail with '{json.dumps(value)}' is used without corresponding xor"
    return {"error_code": 10006, "message": text, "instruction": "fail :error:", "peer_id": "Q"}


def test_every_error_is_an_aqua_error_but_the_misuse_of_loops() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 14
    assert [kind.__name__ for kind in kinds if not issubclass(kind, AquaError)] == ["WrongLoop"]
    assert errors.__doc__ is not None
    for kind in kinds:
        assert kind.__name__ in errors.__doc__


def test_the_error_that_began_it() -> None:
    error = WorkflowError(passed_on(passed_on(ERROR)), "id")
    assert error.code == 10000
    assert error.peer_id == "P"
    assert error.failure.code == 10006
    error.locate("f", {ERROR["instruction"]: (HERE,)}.__getitem__)
    assert error.source == HERE
    assert error.__notes__ == [
        "because of: no", "in f", "at main.aqua:7", 'instruction call p ("s" "f") []', "on peer P", "particle id"
    ]  # fmt: skip


def test_an_instruction_that_stands_in_several_places() -> None:
    error = WorkflowError(ERROR, "id")
    error.locate("", lambda _: (HERE, Source("main.aqua", 9)))
    assert error.source is None
    assert error.sources == (HERE, Source("main.aqua", 9))
    assert "at main.aqua:7 or main.aqua:9" in error.__notes__


def test_an_error_of_the_interpreter_knows_its_cause() -> None:
    error = InterpreterError(str(passed_on(ERROR)["message"]), "id", 10006, "me")
    assert (error.instruction, error.peer_id) == (ERROR["instruction"], "P")
    assert InterpreterError("x", "id", 1, "me").peer_id == "me"


def test_an_expired_call_says_what_was_waited_for() -> None:
    first, second = Unanswered("call p ()", "P", (HERE,)), Unanswered("canon q $s #s", "Q")
    one = ParticleExpired("id", 5, waiting=[first])
    one.locate("f", lambda _: (HERE,))
    assert (one.peer_id, one.source) == ("P", HERE)
    assert one.__notes__ == ["waiting for call p () at main.aqua:7 on peer P", "in f", "particle id"]
    two = ParticleExpired("id", 5, waiting=[first, second], losses=2)
    two.locate("f", lambda _: ())
    assert two.peer_id is None
    assert two.__notes__[1:3] == [
        "waiting for canon q $s #s on peer Q", "the connection to the relay was lost 2 times meanwhile"
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["error_code", "message", "instruction", "peer_id", "x"]), inner
    ),
)  # fmt: skip


@given(JSON, st.integers(0, 3))
def test_programs_may_pass_anything_as_an_error(value: object, depth: int) -> None:
    for _ in range(depth):
        value = passed_on(value)
    error = WorkflowError(value, "id")
    error.locate("f", lambda _: ())
    assert str(error)
    assert read_failure(value) == error.failure
    assert error.code is None or isinstance(error.code, int)


@pytest.mark.parametrize("value", [None, {}, {"message": None}])
def test_an_error_without_a_message(value: object) -> None:
    assert str(WorkflowError(value, "id")) == errors.NO_ERROR_GIVEN


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT = '(seq\n (call p ("s" "f") [])\n (par\n  (null)\n  (call p ("s" "f") [])\n )\n)'


def test_places_of_generated_modules() -> None:
    places = unfolded(SCRIPT, ("a.aqua", "b.aqua"), ((1, 0, 3), (2, 1, 8), (3, 0, 4), (5, 1, 8)))
    assert [(bare(text), file, line) for text, file, line in places] == [
        ("seq", "a.aqua", 3),
        ('call p ("s" "f") []', "b.aqua", 8),
        ("par", "a.aqua", 4),
        ("null", "a.aqua", 4),
        ('call p ("s" "f") []', "b.aqua", 8),
    ]
    assert sources_of('call p ("s" "f") [] ', places) == (Source("b.aqua", 8),)
    assert sources_of("call q", places) == ()
    assert unfolded(SCRIPT, (), ()) == []
