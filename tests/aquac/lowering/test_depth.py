"""Long and deep programs cost no host stack."""

import sys

import pytest

from aquac.lowering.text import children_of

from .programs import compiled


def depth_and_size(body: str) -> tuple[int, int]:
    model = compiled(body).functions["f"].model
    deepest = size = 0
    stack = [(model, 1)]
    while stack:
        node, depth = stack.pop()
        size += 1
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in children_of(node))
    return deepest, size


def test_long_body() -> None:
    count = 150
    body = "func f(x: string) -> string:\n" + "".join(f"  y{at} <- Echo.say(x)\n" for at in range(count)) + "  <- y0\n"
    _, size = depth_and_size(body)
    assert size >= count


@pytest.mark.slow
def test_chain_of_functions() -> None:
    count = 300
    functions = ["func f0(x: string) -> string:\n  try:\n    y <- Echo.say(x)\n  <- x\n"]
    functions += [
        f"func f{at}(x: string) -> string:\n  try:\n    y <- f{at - 1}(x)\n  <- x\n" for at in range(1, count)
    ]
    functions.append(f"func f(x: string) -> string:\n  y <- f{count - 1}(x)\n  <- y\n")
    before = sys.getrecursionlimit()
    deepest, _ = depth_and_size("\n".join(functions))
    assert deepest > count
    assert sys.getrecursionlimit() == before
