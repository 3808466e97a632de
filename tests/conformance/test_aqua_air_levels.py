"""The levels of difference that the aqua-air area names in its reasons."""

from __future__ import annotations

from tests.conformance.areas.aqua_air import level

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
