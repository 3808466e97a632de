"""Errors out of nurseries."""

from __future__ import annotations

from runtime.lone import lone


class Wanted(Exception):
    pass


def raised(error: BaseException, *kinds: type[Exception]) -> BaseException:
    try:
        with lone(*kinds):
            raise error
    except BaseException as caught:  # noqa: BLE001 - whatever it is
        return caught


def test_the_first_of_a_group_of_groups_comes_alone() -> None:
    first, second = Wanted("first"), KeyError("second")
    inner = ExceptionGroup("", [first])
    assert raised(ExceptionGroup("", [inner, second]), Wanted, KeyError) is first
    assert raised(ExceptionGroup("", [second, inner]), Wanted, KeyError) is second


def test_everything_else_stays_as_it_is() -> None:
    mixed = BaseExceptionGroup("", [Wanted(), KeyboardInterrupt()])
    for error in (Wanted(), KeyError(), KeyboardInterrupt(), mixed, ExceptionGroup("", [KeyError()])):
        assert raised(error, Wanted) is error
    with lone(Wanted):
        pass
