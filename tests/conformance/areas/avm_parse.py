"""AIR text: accept or refuse, tree, and the exact report. Format: `spec/air.md` §8."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from avm.air import parse
from avm.air.ast_json import ast_json

CORPUS = "avm"
FILES: tuple[str, ...] = ("parse.jsonl",)


def _rounded(number: int) -> int:
    """What JavaScript prints after parsing an integer: the shortest digits of the nearest double."""
    return number if abs(number) <= 2**53 else int(Decimal(repr(float(number))))


def check(case: dict[str, Any]) -> str | None:
    """Compare one vector. The order of labels with the same range is random in the reference (`unordered`)."""
    result = parse(case["air"])
    if case.get("trap"):
        # The reference panicked: any refusal will do.
        return None if result.instruction is None else "accepted what the reference panics on"
    if result.instruction is not None:
        if not case["ok"]:
            return "accepted"
        # The corpus was written by JavaScript, which rounds integers to doubles.
        ours = json.loads(ast_json(result.instruction), parse_int=lambda text: _rounded(int(text)))
        return None if ours == case["ast"] else f"tree differs: {ours}"
    if case["ok"]:
        return f"refused: {result.report}"
    messages = [label.message for label in result.labels]
    if sorted(messages) != sorted(case["messages"]):
        return f"labels differ: {messages}"
    if case.get("unordered"):
        same = sorted(result.report.splitlines()) == sorted(case["error"].splitlines())
    else:
        same = result.report == case["error"]
    return None if same else f"report differs:\n{result.report}"
