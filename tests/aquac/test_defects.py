"""Programs on which the reference compiler is wrong: compiled by ours and run, each has the meaning its text has.

The corpus (conformance/aqua-air/defects.jsonl) says in words what is wanted; here every record has its services, arguments and
results. The last tests are of defects found since, by comparing random programs (`tests/fuzz/aqua_differential.py`).
"""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from aquac import Options, compile_bundle
from avm import Avm
from runtime.clock import LoopClock
from runtime.local import open_local_network
from runtime.vm import InlineVm
from tests.aquac.defect_runner import HEADER, IDS, USER, called, check
from tests.conformance.runner import CorpusMissing, default_files, read_cases

REFUSED = {"def-negative-index": "AQ0502"}


def defects() -> dict[str, dict[str, Any]]:
    try:
        folder = default_files("aqua-air")[0].parent
    except CorpusMissing:
        return {}
    for name in ("defects.jsonl", "defects.jsonl.gz"):
        if (folder / name).is_file():
            return {case["id"]: case for case in read_cases(folder / name)}
    return {}


CORPUS = defects()


# id → arguments, values of the response, and calls that must have been made, in order.
MEANINGS: dict[str, tuple[dict[str, Any], list[Any], dict[str, list[list[Any]]]]] = {
    "def-expression-call-twice": ({}, ["<ran 2>"], {"w.run": [["1"], ["2"]], "echo-srv.say": [["ran 1"], ["ran 2"]]}),
    "def-nested-rename-streams": ({}, ["is b", "is a"], {}),
    "def-nested-rename-data": ({"id": "x"}, ["<<x>>"], {"echo-srv.say": [["x"], ["<x>"]]}),
    "def-method-parameter-id": ({"peer": "target"}, [True], {"net.connect": [["target", "addr"]]}),
    "def-method-parameter-ret": ({"peer": "target"}, [True], {"net.give": [["target"]]}),
    "def-empty-rec-body": ({"xs": []}, [], {"echo-srv.ping": [[]]}),
    "def-via-before-computed": ({"c": IDS["relay"]}, [], {"echo-srv.say": [["peer"], ["other"]]}),
    "def-closure-parameter-rename": ({}, ["<<taken>>"], {"echo-srv.say": [["taken"], ["<taken>"], ["<<taken>>"]]}),
    "def-service-id-init-peer": ({}, ["own x"], {}),
    "def-import-leaks-exports": ({"x": "x"}, ["<x>"], {}),
    "def-empty-then-branch": ({"c": True}, [], {"log.info": []}),
    "def-capture-in-copy": ({"u": USER, "x": "new"}, [USER | {"name": "new"}], {}),
    "def-call-in-returned-struct": (
        {"n": "caller's"},
        [{"name": "<first>", "age": 1, "tags": []}],
        {"echo-srv.say": [["first"]]},
    ),
    "def-statement-call-after-expression-call": ({}, ["ran 2"], {"w.run": [["1"], ["2"]]}),
}


@pytest.mark.skipif(not CORPUS, reason="the conformance corpus is not here")
def test_every_record_has_its_meaning_here() -> None:
    assert CORPUS.keys() == MEANINGS.keys() | REFUSED.keys()


@pytest.mark.skipif(not CORPUS, reason="the conformance corpus is not here")
@pytest.mark.parametrize("name", MEANINGS)
def test_meaning(name: str) -> None:
    case, (arguments, values, calls) = CORPUS[name], MEANINGS[name]
    options = Options(no_xor=bool(case["options"].get("noXor")))
    # The one via of the corpus must be a peer that exists.
    files = {path: text.replace('?["relay"]', f'?["{IDS["relay"]}"]') for path, text in case["files"].items()}
    assert check(files, arguments, options=options) == values
    for function, made in calls.items():
        assert called(function) == made


def test_the_other_branch_of_an_empty_one() -> None:
    """The counterpart of def-empty-then-branch: the message is logged when the condition does not hold."""
    if "def-empty-then-branch" in CORPUS:
        check(CORPUS["def-empty-then-branch"]["files"], {"c": False})
        assert called("log.info") == [["only when c is false"]]


@pytest.mark.skipif(not CORPUS, reason="the conformance corpus is not here")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    found = compile_bundle(CORPUS[name]["files"], "main.aqua")
    assert [d.code.id for d in found.diagnostics if d.is_error] == [REFUSED[name]]


# ── found by fuzzing ─────────────────────────────────────────────────────────────────────────────────────────────────

FOUND: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    # The reference aborts: the method goes by another name in the closure than the variable that stands for it.
    "closure-takes-service-and-its-method": (
        'func f() -> string:\n  v = Echo.say\n  c = func () -> string:\n    Echo.ping()\n    r <- v("x")\n    <- r\n'
        "  r <- c()\n  <- r\n",
        {},
        ["<x>"],
    ),
    # The reference aborts: as above, for a variable that stands for the whole service.
    "closure-takes-service-twice": (
        "func f() -> string:\n  v = Echo\n  c = func () -> string:\n    Echo.ping()\n"
        '    r <- v.say("x")\n    <- r\n  r <- c()\n  <- r\n',
        {},
        ["<x>"],
    ),
    # The reference aborts: fields of an ability that a function returned are not taken along.
    "closure-takes-returned-ability": (
        'func make(n: u32) -> Sink:\n  s: *string\n  s <<- "in"\n  e = Echo.say\n  a = Sink(out = s, size = n, emit = e)\n'
        '  <- a\n\nfunc f(n: u32) -> u32, string:\n  a <- make(n)\n  c = func () -> u32, string:\n    r <- a.emit("x")\n'
        "    <- a.size, r\n  x, y <- c()\n  <- x, y\n",
        {"n": 5},
        [5, "<x>"],
    ),
    # The reference aborts or takes the item: an item of a finished loop and a closure have the same name.
    "closure-named-like-an-item": (
        "func f(xs: []string) -> string:\n  for c <- xs:\n    Echo.ping()\n  c = func (s: string) -> string:\n"
        "    r <- Echo.say(s)\n    <- r\n  s: *string\n  e = c\n  a = Sink(out = s, size = 1, emit = e)\n"
        '  r <- a.emit("x")\n  <- r\n',
        {"xs": ["1"]},
        ["<x>"],
    ),
    # The reference pushes into a stream of another name.
    "closure-pushes-into-an-argument": (
        'func f(s: *string) -> *string:\n  c = func ():\n    s <<- "more"\n  c()\n  <- s\n',
        {"s": ["one"]},
        [["one", "more"]],
    ),
    # The reference reads a variable that is not there: the frozen copy of the stream lacks its mark.
    "stream-for-a-returned-array": (
        'func g(xs: []string) -> []string:\n  <- xs\n\nfunc f() -> string:\n  s: *string\n  s <<- "x"\n  r <- g(s)\n'
        "  t: *string\n  for x <- r:\n    t <- Echo.say(x)\n  <- t[0]\n",
        {},
        ["<x>"],
    ),
    # The reference prints an index of a stream, which AIR does not have.
    "element-of-a-stream-of-an-ability": (
        'func f() -> bool:\n  s: *string\n  s <<- "x"\n  e = Echo.say\n  a = Sink(out = s, size = 1, emit = e)\n'
        '  <- a.out[0] == "x"\n',
        {},
        [True],
    ),
    # The reference iterates over a part of a frozen stream, which AIR cannot.
    "loop-over-a-part-of-a-literal": (
        "func f(u: User) -> string:\n  us = [u]\n  t: *string\n  for x <- us[0].tags:\n    t <- Echo.say(x)\n  <- t[0]\n",
        {"u": USER},
        ["<a>"],
    ),
    # The reference prints `:error:_flat`, and `:error:` as the name of a peer.
    "parts-of-the-last-error": (
        'func f() -> string:\n  r = LAST_ERROR.message\n  if r == "never":\n    on LAST_ERROR.message:\n      Echo.ping()\n'
        "  <- r\n",
        {},
        [""],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found_by_fuzzing(name: str) -> None:
    body, arguments, values = FOUND[name]
    assert check({"main.aqua": HEADER + body}, arguments) == values


def test_callback_with_several_results() -> None:
    """The callback answers an array of its results; the reference leaves the second one undefined."""
    body = 'func f(c: string -> string, u32) -> u32, string:\n  a, b <- c("x")\n  <- b, a\n'
    compiled = compile_bundle({"main.aqua": HEADER + body}, "main.aqua")

    async def main() -> list[Any]:
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=0, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            script = compiled.functions["f"].script
            callbacks = {"c": lambda values: [f"got {values[0]}", 3]}
            answer = await network.client.call(script, ttl_ms=5000, callbacks=callbacks)
            return list(answer.values)

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == [3, "got x"]


def test_index_beyond_air() -> None:
    body = "func f(xs: []string) -> string:\n  <- xs[4294967296]\n"
    found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua")
    assert [d.code.id for d in found.diagnostics if d.is_error] == ["AQ0501"]
    assert compile_bundle({"main.aqua": HEADER + body.replace("6]", "5]")}, "main.aqua").ok
