"""Area aqua-air: AIR text, definitions and generated bindings, byte for byte and with the order of keys.

A program we refuse with AQ0501 is skipped. Bindings (`expected.bindings`) are compared from the first blank line on, which
leaves out the comment with versions; sources of target ts from the line after the imports, because ours import under other
names (`emit/typescript.py` says why). `summary` says how many records have bindings. The level in a reason says what kind of difference it is: 1 layout, 2 names,
3 order of `new`, 4 other.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aquac import Compiled, Options, compile_bundle, compile_call
from aquac.emit.bindings import bindings
from aquac.emit.javascript import javascript_source
from aquac.emit.typescript import typescript_declarations, typescript_source
from aquac.lowering.defects import ALL_DEFECTS, DEFECTS
from aquac.lowering.errors import InternalError
from tests.conformance.report import Divergence, Skip

FILES: tuple[str, ...] = ("programs.jsonl", "options.jsonl", "generated.jsonl")

_OPTIONS = {"noRelay": "no_relay", "noXor": "no_xor", "noEmptyResponse": "no_empty_response", "tracing": "tracing"}
_TOKEN = re.compile(r'"[^"]*"|[()\[\]]|[^\s()\[\]"]+')
_NAME = re.compile(r"^([#$%]{0,2})([^.]*)(.*)$")
_WORDS = frozenset(
    ("seq", "par", "xor", "call", "ap", "canon", "match", "mismatch", "fold", "next", "new", "fail", "null", "never")
)

_IMPORTS_END = "\n} from '@fluencelabs/js-client';\n"

_levels: Counter[int] = Counter()
_with_bindings: set[str] = set()


def check(case: dict[str, Any]) -> str | None:
    """None when scripts, definitions, services and their order are identical.

    Raises: Divergence when they are identical once we repeat a defect of the reference.
    """
    reason = _difference(case, False, _levels)
    if reason is not None:
        for defects in (*(frozenset({name}) for name in DEFECTS), ALL_DEFECTS):
            with contextlib.suppress(InternalError):
                if _difference(case, defects, Counter()) is None:
                    raise Divergence(", ".join(f"{name}: {DEFECTS[name]}" for name in sorted(defects)))
    return reason


def _difference(case: dict[str, Any], defects: bool | frozenset[str], levels: Counter[int]) -> str | None:
    compiled = compile_case(case, defects)
    unsupported = [d.message for d in compiled.diagnostics if d.code.id == "AQ0501"]
    if unsupported:
        raise Skip(unsupported[0])
    if not compiled.ok:
        first = next(d for d in compiled.diagnostics if d.is_error)
        return f"refused: {first.code.id} {first.message}"
    document, expected = compiled.to_json(), case["expected"]
    if "call" in case:
        return _function("call", expected["functionCall"], document["functionCall"], levels)
    for name, function in expected["functions"].items():
        if name not in document["functions"]:
            return f"no function {name}"
        reason = _function(name, function, document["functions"][name], levels)
        if reason is not None:
            return reason
    if list(expected["functions"]) != list(document["functions"]):
        return f"functions or their order: {list(document['functions'])}"
    if not same(expected["services"], document["services"]):
        return "services"
    return _bindings(case["id"], expected["bindings"], compiled) if "bindings" in expected else None


def _bindings(case_id: str, expected: Mapping[str, Any], compiled: Compiled) -> str | None:
    """Compare the texts of targets js and ts."""
    _with_bindings.add(case_id)
    exported = bindings(compiled)
    texts = (
        ("js sources", expected["js"]["sources"], javascript_source(exported), "\n\n"),
        ("js types", expected["js"]["types"], typescript_declarations(exported), "\n\n"),
        ("ts sources", expected["ts"]["sources"], typescript_source(exported), _IMPORTS_END),
    )
    for what, wanted, got, mark in texts:
        if wanted.partition(mark)[1:] != got.partition(mark)[1:]:
            return f"bindings: {what}"
    return None


def compile_case(case: dict[str, Any], defects: bool | frozenset[str] = False) -> Compiled:
    """Compile one record of the corpus, its files in memory, repeating `defects` of the reference."""
    given = case["options"]
    varied = {ours: given[theirs] for theirs, ours in _OPTIONS.items() if theirs in given}
    options = Options(**varied, reference_defects=defects)
    files, entry = case["files"], case["entry"]
    imports, constants = given.get("imports", ()), given.get("constants", ())
    if "call" in case:
        call = case["call"]
        return compile_call(
            files,
            call["funcCall"],
            data=call.get("data", {}),
            entry=entry,
            imports=imports,
            constants=constants,
            options=options,
        )
    return compile_bundle(files, entry, imports=imports, constants=constants, options=options)


def summary() -> str:
    """Scripts by level of equality, and what was not compared."""
    levels = ", ".join(f"{level}: {count}" for level, count in sorted(_levels.items()))
    return f"scripts by level: {levels}; bindings compared in {len(_with_bindings)} records"


def same(a: object, b: object) -> bool:
    """Equal JSON, order of keys included."""
    return json.dumps(a) == json.dumps(b)


def level(expected: str, actual: str) -> int:
    """How far two scripts are apart: 0 identical, 1 layout, 2 names, 3 order of directly nested `new`, 4 different."""
    if expected == actual:
        return 0
    a, b = _TOKEN.findall(expected), _TOKEN.findall(actual)
    if a == b:
        return 1
    if _renamed(a, b):
        return 2
    return 3 if _sorted_new(a) == _sorted_new(b) else 4


def _function(name: str, expected: Mapping[str, Any], actual: Mapping[str, Any], levels: Counter[int]) -> str | None:
    distance = level(expected["script"], actual["script"])
    levels[distance] += 1
    if distance:
        wanted, got = expected["script"].split("\n"), actual["script"].split("\n")
        at = next((i for i, (x, y) in enumerate(zip(wanted, got, strict=False)) if x != y), min(len(wanted), len(got)))
        return f"{name}: level {distance}, line {at + 1}: wanted {wanted[at : at + 1]}, got {got[at : at + 1]}"
    if not same(expected["funcDef"], actual["funcDef"]):
        return f"{name}: funcDef"
    return None


def _renamed(a: list[str], b: list[str]) -> bool:
    if len(a) != len(b):
        return False
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for x, y in zip(a, b, strict=True):
        if x in "()[]" or x in _WORDS or x[0] == '"':
            if x != y:
                return False
            continue
        left, right = _NAME.match(x), _NAME.match(y)
        assert left is not None
        assert right is not None
        if (left[1], left[3]) != (right[1], right[3]):
            return False
        if there.setdefault(left[2], right[2]) != right[2] or back.setdefault(right[2], left[2]) != left[2]:
            return False
    return True


def _sorted_new(tokens: list[str]) -> list[object]:
    """The tree of a script with runs of directly nested `new` as one node of sorted names."""
    stack: list[list[object]] = [[]]
    for token in tokens:
        if token in ("(", "["):
            stack.append([token])
        elif token in (")", "]"):
            done = stack.pop()
            body = done[-1]
            if done[:2] == ["(", "new"]:
                names, inner = [done[2]], body
                if isinstance(body, list) and body and body[0] == "new":
                    names, inner = sorted([*body[1], done[2]]), body[2]
                done = ["new", names, inner]
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    return stack[0]
