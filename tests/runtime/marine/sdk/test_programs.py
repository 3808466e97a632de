"""Random programs do what Python does: results, errors, and what they leave in variables. A failure names the seed."""

from __future__ import annotations

import random
import sys
import types
from typing import Any

import pytest

from tests.runtime.marine.sdk import kit, programs

SEEDS = 15


def plain(text: str, seed: int) -> dict[str, Any]:
    loaded = types.ModuleType(f"sdk_program_{seed}")
    sys.modules[loaded.__name__] = loaded
    exec(compile(text, f"{seed}.py", "exec"), loaded.__dict__)
    return loaded.__dict__


def outcome(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (ArithmeticError, LookupError, ValueError) as error:
        return type(error).__name__


def compare(seed: int, calls: int = 12) -> None:
    text = programs.program(seed)
    wanted, running = plain(text, seed), kit.Ours({"m": kit.wasm_of(text)})
    pick = random.Random(seed)
    for _ in range(calls):
        numbers = [pick.randrange(-20, 50) for _ in range(pick.randrange(6))]
        words = [pick.choice(["", "a", "banana", "é", "x😀"]) for _ in range(pick.randrange(5))]
        for call in (("f", pick.randrange(-5, 50), "".join(words), numbers), ("g", numbers, words), ("state",)):
            name, *arguments = call
            want = outcome(wanted[name], *[list(a) if isinstance(a, list) else a for a in arguments])
            got = running.call(name, *arguments)
            assert (got.kind if isinstance(got, kit.Failed) else got) == want, f"seed {seed}: {call}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_as_python(seed: int) -> None:
    compare(seed)
