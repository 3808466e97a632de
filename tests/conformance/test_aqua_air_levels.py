"""The levels of difference that the aqua-air area names in its reasons."""

from __future__ import annotations

import pytest

from aquac import Options, compile_bundle
from tests.conformance.areas.aqua_air import check as check_case
from tests.conformance.areas.aqua_air import level
from tests.conformance.report import Divergence

SCRIPT = '(new $a\n (new $b\n  (seq\n   (call p ("s" "m") [x.$.f] y)\n   (ap y $a)\n  )\n )\n)\n'


def check(actual, expected):
    assert level(SCRIPT, actual) == expected


def test_levels():
    check(SCRIPT, 0)
    check(SCRIPT.replace("\n", " "), 1)
    check(SCRIPT.replace("y", "z"), 2)
    check(SCRIPT.replace("$a\n (new $b", "$b\n (new $a"), 3)
    check(SCRIPT.replace("(ap y $a)", "(ap y $b)"), 4)
    check(SCRIPT.replace(".f]", ".g]"), 4)
    check(SCRIPT.replace('"m"', '"n"'), 4)
    check(SCRIPT.replace("[x.$.f]", "[y.$.f]"), 4)


METHOD = """aqua Main

export f

service Net("net"):
  find(id: string) -> string

func f(peer: string) -> string:
  r <- Net.find(peer)
  <- r
"""


def case(**expected):
    return {
        "id": "method",
        "files": {"main.aqua": METHOD},
        "entry": "main.aqua",
        "options": {},
        "expected": {"functions": {"f": expected}, "services": {}},
    }


def test_difference_by_a_defect_of_the_reference():
    wrong = compile_bundle({"main.aqua": METHOD}, "main.aqua", options=Options(reference_defects=True))
    right = compile_bundle({"main.aqua": METHOD}, "main.aqua")
    assert check_case(case(**right.to_json()["functions"]["f"])) is None
    recorded = wrong.to_json()["functions"]["f"]
    with pytest.raises(Divergence, match="D3: "):
        check_case(case(**recorded))
    assert "level 4" in check_case(case(**recorded | {"script": recorded["script"].replace("find", "lost")}))
