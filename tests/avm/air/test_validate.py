"""The seven checks, one accepted and one refused script each at least, and the oddities that must stay."""

import pytest

from avm.air import parse
from avm.air.validate import validate


def check(text: str, *messages: str) -> None:
    result = parse(text)
    assert [label.message for label in result.labels] == list(messages)
    if result.instruction is not None:
        assert validate(result.instruction) == ()


def undefined(name: str) -> str:
    return f"variable '{name}' wasn't defined"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(seq (ap 1 x) (ap x y))", []),
        ("(seq (ap x y) (ap 1 x))", ["x"]),
        ("(ap x x)", ["x"]),
        ("(call p (s f) [a b.$.[c]])", ["p", "s", "f", "a", "b", "c"]),
        ("(match a #c (null))", ["a", "#c"]),
        ("(mismatch 1 #%c.length (null))", ["#%c"]),
        ("(ap (k v) %m)", ["k"]),  # the value is not looked at
        ("(canon p $s #c)", []),
        ("(fail x)", []),
        ("(ap :error:.$.[x] y)", []),
        ("(fold $s i (null))", ["$s"]),
        ("(fold %m i (null))", ["%m"]),
        ("(new $s (fold $s i (null)))", []),
        ("(seq (fold [] i (null)) (ap i x))", []),  # iterators live on
        ("(par (ap 1 x) (ap x y))", []),
        ("(par (ap x y) (ap 1 x))", ["x"]),
    ],
)
def test_undefined_variables(text: str, names: list[str]) -> None:
    check(text, *map(undefined, names))


def test_only_the_first_unresolved_use_of_a_name_counts() -> None:
    # The use inside the fold is resolved in the end; that of the match, met later, starts before any definition.
    check('(match x 1 (fold [] x (call "p" ("" "") [x])))')
    check("(match x 1 (fold [] x (null)))", undefined("x"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(fold [] i (next i))", []),
        ("(next i)", ["i"]),
        ("(fold [] i (next j))", ["j"]),
        ("(seq (next i) (fold [] i (next i)))", ["i"]),
        ("(seq (fold [] i (next i)) (next i))", []),  # only the first `next` of a name is looked at
    ],
)
def test_undefined_iterables(text: str, names: list[str]) -> None:
    check(text, *(f"iterable '{name}' wasn't defined" for name in names))


MULTIPLE = "multiple next instructions for iterator 'i' found for one fold, that is prohibited"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(fold [] i (xor (next i) (next i)))", 1),
        ("(fold [] i (seq (next i) (seq (next i) (next i))))", 2),
        ("(seq (fold [] i (next i)) (fold [] i (next i)))", 0),
        ("(fold [] i (fold [] j (seq (next i) (next j))))", 0),
    ],
)
def test_multiple_next(text: str, count: int) -> None:
    check(text, *[MULTIPLE] * count)


def test_new_on_an_iterator() -> None:
    check("(fold [] i (new i (null)))", "new can't be applied to a 'i' because it's an iterator")
    check("(seq (fold [] i (null)) (new i (null)))")


def test_reused_iterator() -> None:
    message = "multiple iterable values found for iterator name 'i'"
    check("(fold [] i (fold [] i (null)))", message)
    check("(fold [] i (seq (fold [] i (null)) (fold [] i (fold [] i (null)))))", message, message, message)
    check("(seq (fold [] i (null)) (fold [] i (null)))")


def test_fail_with_code_zero() -> None:
    check('(fail 0 "m")', "error code 0 with fail is unsupported")
    check('(fail -1 "m")')


AFTER = "fold can not have instructions after next"


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("(seq (null) (next i))", False),
        ("(seq (next i) (null))", True),
        ("(par (next i) (null))", True),
        ("(seq (null) (match 1 1 (next i)))", False),
        ("(seq (new x (next i)) (null))", True),
        ("(xor (next i) (null))", False),
        ("(seq (xor (next i) (null)) (null))", True),
        ("(seq (xor (null) (next i)) (null))", True),
        ("(fold [] j (seq (next j) (next i)))", False),
        ("(fold $s j (seq (null) (seq (next j) (next i))))", True),
    ],
)
def test_after_next(body: str, refused: bool) -> None:
    check(f"(seq (ap 1 $s) (fold $s i {body}))", *[AFTER] * refused)
    check(
        f"(seq (ap 1 %m) (fold %m i {body}))".replace("(ap 1 %m)", "(ap (1 1) %m)").replace("$s", "%m"),
        *[AFTER] * refused,
    )


def test_a_scalar_fold_leaves_a_suspicion_behind() -> None:
    script = "(new v (new $s (seq (fold v i (seq (next i) (null))) (fold $s {0} (seq (null) (next {0}))))))"
    check(script.format("i"), AFTER)
    check(script.format("k"))


def test_two_nexts_in_an_xor_switch_the_machine_off() -> None:
    script = "(new $s (seq (fold $s i (xor (next i) (next i))) (fold $s j (seq (next j) (null)))))"
    check(script, MULTIPLE)


def test_order_of_checks() -> None:
    check(
        '(seq (fail 0 "") (seq (next k) (ap x y)))',
        undefined("x"),
        "iterable 'k' wasn't defined",
        "error code 0 with fail is unsupported",
    )


def test_deep_use_of_one_iterator_is_fast() -> None:
    # One chain of enclosing folds per name; a scan over all folds of the name would be quadratic.
    text = "(seq (fold [] i (next i)) " * 5_000 + "(null)" + ")" * 5_000
    check(text)
