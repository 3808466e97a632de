"""Random scripts, mostly damaged ones, give the same tree or the same report as the reference interpreter."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import chain, permutations, product
from math import factorial, prod
from pathlib import Path

import pytest

from avm.air import Label, parse
from avm.air.ast_json import ast_json
from avm.air.report import render

pytestmark = [pytest.mark.reference, pytest.mark.slow]

SCRIPTS = [
    '(seq (call %init_peer_id% ("op" "identity") [1 "a" x.$.[0].b!] $s) (fold $s i (par (call i ("a" "b") [] y) (next i))))',
    "(xor (match x.$.a #cc.length (ap (x :error:.$.message) %m)) (fail %last_error%))",
    "(new $-hop- (new #-hopc- (canon -relay- $-hop- #-hopc-)))",
    '(par (canon "p" %m #%m) (fold #%m.$.key kv (seq (mismatch kv 1.5 (null)) (next kv)) (never)))',
    '(seq (canon "p" %m é) (xor (fail 1 "m\n2") (fail é.$.code)))',
    "(seq\n (nul)\n (fold [] i\n  (next i)\n  (next j)))",
]
TOKEN = re.compile(r'[()\[\]]|"[^"]*"|[^\s()\[\]"]+|\s+')
WORDS = """
    ( ) [ ] "x" 1 1.5 x $s %m #c #%m x.$.a #cc.$.[0] $ss.length %last_error% :error:.$.b true %ttl% %init_peer_id%
    null seq par xor call ap canon match mismatch fold next new fail never i é ;c x.$.[v] x.$.a.[ . ! a%b " (null) 0 -
    ٣ 日 x.$.0 .. $ # &
"""
PIECES = [*WORDS.split(), "\n", "\t", "\xa0", "(next i)", "(ap 1 x)", "(fold $s i (next i))"]
VARIABLES = ["x", "y", "i", "j", "$s", "%m", "#cc", "#%m"]


def _damaged(rnd: random.Random) -> str:
    text = rnd.choice(SCRIPTS)
    for _ in range(rnd.choice((1, 1, 2, 4))):
        parts = TOKEN.findall(text) or [""]
        at = rnd.randrange(len(parts))
        match rnd.randrange(5):
            case 0:
                del parts[at]
            case 1:
                parts[at] = rnd.choice(PIECES)
            case 2:
                parts.insert(at, f" {rnd.choice(PIECES)} ")
            case 3:
                parts.insert(at, rnd.choice(PIECES))
            case _:
                parts[at:at] = parts[at : at + rnd.randrange(9)]
        text = "".join(parts)
    return text


def _well_formed(rnd: random.Random, depth: int = 4) -> str:
    """A script whose names are seldom in order."""
    blank = rnd.choice([" "] * 6 + ["\n", "\n  ", "\t", " ; é\n"])
    name = rnd.choice(["x", "y", "i", "j"])
    if depth == 0 or rnd.random() < 0.4:
        return rnd.choice(
            [
                f"(ap {rnd.choice(VARIABLES[:4])}{blank}{rnd.choice(['x', 'y', '$s'])})",
                f'(call "p" ("s" "f"){blank}[{rnd.choice(VARIABLES[:4])}.$.[{name}] #cc] {name})',
                f"(next {name})",
                f"(ap ({name} 1) %m)",
                '(canon "p" %m #%m)',
                '(canon "p" $s #cc)',
                '(fail 0 "a")',
                "(null)",
            ]
        )
    inside = [_well_formed(rnd, depth - 1) for _ in range(2)]
    return rnd.choice(
        [
            f"({rnd.choice(['seq', 'par', 'xor'])}{blank}{inside[0]}{blank}{inside[1]})",
            f"(match {name} #%m{blank}{inside[0]})",
            f"(new {rnd.choice(VARIABLES)}{blank}{inside[0]})",
            f"(fold {rnd.choice(VARIABLES)} {name}{blank}{inside[0]})",
            f"(fold {rnd.choice(['$s', '%m', '[]'])} {name} {inside[0]}{blank}{inside[1]})",
        ]
    )


UNORDERED = ("variable '", "iterable '", "multiple next", "multiple iterable")


DRAWINGS_MAX = 2_000


def _same_report(text: str, labels: tuple[Label, ...], theirs: str) -> bool:
    """Whether `theirs` shows these labels, in any order it may choose: it walks hash maps keyed by names of variables."""
    blocks: list[tuple[str, dict[str, list[Label]]]] = []
    for label in labels:
        kind = next((kind for kind in UNORDERED if label.message.startswith(kind)), "")
        if not blocks or blocks[-1][0] != kind or not kind:
            blocks.append((kind, {}))
        blocks[-1][1].setdefault(label.message, []).append(label)
    if prod(factorial(len(names)) for _, names in blocks) > DRAWINGS_MAX:
        drawn = render(text, labels)
        return all(drawn.count(label.message) == theirs.count(label.message) for label in labels)
    orders = product(*(permutations(names.values()) for _, names in blocks))
    return any(render(text, list(chain(*chain(*order)))) == theirs for order in orders)


@pytest.mark.parametrize("script", [_damaged, _well_formed], ids=["damaged", "well-formed"])
def test_same_answer(script: Callable[[random.Random], str], avm_wasm: Path) -> None:
    from runtime.reference_avm import ReferenceAvm, ReferenceTrapError

    reference = ReferenceAvm(avm_wasm, random_byte=7)
    rnd = random.Random(20240)
    accepted = 0
    for _ in range(400):
        text = script(rnd)
        result = parse(text)
        try:
            theirs = reference.ast(text)
        except ReferenceTrapError:
            assert result.instruction is None, text
            continue
        if result.instruction is not None:
            accepted += 1
            assert ast_json(result.instruction) == theirs, text
        elif result.report != theirs:
            assert _same_report(text, result.labels, theirs), text
    assert 10 < accepted < 390
