"""Deep calls: depth costs no host stack, errors come through, nothing is left pending."""

import sys

import pytest

from aquac.lowering.trampoline import nested, run


async def count(depth: int) -> int:
    return 0 if depth == 0 else 1 + await nested(count(depth - 1))


def test_depth_far_beyond_the_recursion_limit() -> None:
    depth = 20 * sys.getrecursionlimit()
    assert run(count(depth)) == depth


def test_siblings_in_order() -> None:
    seen: list[int] = []

    async def leaf(at: int) -> int:
        seen.append(at)
        return at

    async def parent() -> int:
        return sum([await nested(leaf(at)) for at in range(5)])

    assert run(parent()) == 10
    assert seen == [0, 1, 2, 3, 4]


def test_an_error_ends_every_caller() -> None:
    closed: list[str] = []

    async def failing() -> None:
        raise ValueError("no")

    async def caller() -> None:
        try:
            await nested(failing())
        finally:
            closed.append("caller")

    with pytest.raises(ValueError, match="no"):
        run(caller())
    assert closed == ["caller"]
