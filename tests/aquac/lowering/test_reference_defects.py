"""`Options.reference_defects`: each mistake of version 0.14.6 on its own, and what it does to the text.

Texts marked as the reference's were made by it; the fuzzer (`tests/fuzz/aqua_differential.py`) compares whole programs.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aquac import Options, compile_bundle
from aquac.lowering.defects import ALL_DEFECTS, DEFECTS, NO_DEFECTS, chosen

from .programs import HEADER

ROOT = Path(__file__).parents[3]
SINK = """ability Sink:
  out: *string

"""
# Defect → program, a line that only the defect makes, options.
PROGRAMS: dict[str, tuple[str, str, Options]] = {
    "D3": (
        'service Net("net"):\n  find(id: string) -> string\n\nfunc f(p: string) -> string:\n  r <- Net.find(p)\n  <- r\n',
        '(call %init_peer_id% ("net" "find") ["net"] ret)',
        Options(),
    ),
    "renaming": (
        "func say(s: string) -> string:\n  r <- Echo.say(s)\n  <- r\n\n"
        "func g(n: string) -> User:\n  <- User(name = say(n), tags = nil)\n\n"
        'func f(n: string) -> User:\n  u <- g("first")\n  <- u\n',
        '(call %init_peer_id% ("echo" "say") [-n-arg-] ret)',
        Options(),
    ),
    "D4": (
        'func f():\n  s: *string\n  s <<- "a"\n  for x <- s rec:\n    y = x\n',
        "(par (next x-0) (null) )",
        Options(),
    ),
    "D5": (
        'func f():\n  on Echo.say("p") via ?[Echo.say("v")]:\n    Echo.log("x")\n',
        "(canon -relay- $-hop- #-hopc-) ) ) ) (fold #option-inline-0 -via-peer- (seq (next -via-peer-)",
        Options(no_xor=True),
    ),
    "D7": ("func f(xs: []string) -> string:\n  i = 1 - 2\n  <- xs[i]\n", "-xs-arg-.$.[-1]", Options()),
    "D8": (
        'func f() -> string:\n  Worker INIT_PEER_ID\n  r <- Worker.run("x")\n  <- r\n',
        '(call %init_peer_id% (%init_peer_id% "run") ["x"] ret)',
        Options(),
    ),
    "D10": (
        'func f(c: bool):\n  if c:\n    x = 1\n  else:\n    Echo.log("no")\n',
        '(match -c-arg- true (call %init_peer_id% ("echo" "log") ["no"])',
        Options(),
    ),
    "D11": (
        "func make(x: string, u: User) -> string -> User:\n  c = (y: string) -> User:\n    <- u.copy(name = x)\n  <- c\n\n"
        "func f(x: string, u: User) -> User:\n  c <- make(x, u)\n  r <- c(x)\n  <- r\n",
        '(ap ("name" x-0) %User_obj_copy_map)',
        Options(),
    ),
    "D15": (
        SINK + 'func f() -> bool:\n  s: *string\n  s <<- "x"\n  a = Sink(out = s)\n  b = a.out[0]\n  <- b == "x"\n',
        "(canon %init_peer_id% $s.$.[0] s_canon)",
        Options(),
    ),
    "D16": (
        'func g(n: string) -> *string:\n  <- *[n]\n\nfunc f() -> []string:\n  a <- g("1")\n  b <- g("2")\n  <- b\n',
        '(ap "2" $stream-anon-0)',
        Options(),
    ),
    "D17": (
        'func f(c: bool) -> string:\n  if c:\n    d = (x: string) -> string:\n      <- "closure"\n    Echo.log(d("1"))\n'
        '  d = Echo.say\n  r <- d("2")\n  <- r\n',
        '("callbackSrv" "response") ["closure"]',
        Options(),
    ),
    "D19": (
        "func g() -> *string:\n  s: *string\n  <- s\n\nfunc f(out: *[]string) -> *[]string:\n  out <- g()\n  <- out\n",
        '("callbackSrv" "response") [#s_canon]',
        Options(),
    ),
    "D18": (
        'func f(c: string -> string, string) -> string:\n  a, b <- c("x")\n  <- b\n',
        '("callbackSrv" "response") [init_call_res1]',
        Options(),
    ),
}


def check(name: str, defects: frozenset[str]) -> str:
    """Script of the program for a defect, made with some defects, its blanks reduced; empty when it is refused."""
    body, _, options = PROGRAMS[name]
    varied = Options(no_xor=options.no_xor, reference_defects=defects)
    found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua", options=varied)
    return re.sub(r"\s+", " ", found.functions["f"].script) if found.ok else ""


def test_every_defect_has_a_program() -> None:
    assert PROGRAMS.keys() == DEFECTS.keys()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_defect_is_repeated_on_demand_only(name: str) -> None:
    line = PROGRAMS[name][1]
    assert line in check(name, frozenset({name}))
    assert line in check(name, ALL_DEFECTS)
    plain = check(name, NO_DEFECTS)
    assert line not in plain
    others = {"renaming"} if name == "D3" else set()  # replacing names twice makes the mistake, too
    assert check(name, ALL_DEFECTS - {name} - others) == plain


def test_choice() -> None:
    assert chosen(True) == ALL_DEFECTS
    assert chosen(False) == NO_DEFECTS
    assert chosen(frozenset({"D3"})) == {"D3"}


def test_the_commands_page_names_every_defect() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = page.partition("## The defects of the reference compiler")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (D\d+|renaming) \|", section, re.MULTILINE)
    assert sorted(rows) == sorted(DEFECTS)


def test_swapped_arguments_are_replaced_twice() -> None:
    """D2, as the reference does it: the inner variable becomes `b`, then `a` again."""
    body = "func g(a: *string, b: *string) -> string:\n  <- a[0]\n\nfunc f() -> string:\n  a: *string\n  b: *string\n"
    body += '  b <<- "b"\n  r <- g(b, a)\n  <- r\n'
    found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua", options=Options(reference_defects=True))
    assert "(fold $a a_fold_var" in found.functions["f"].script


def test_other_programs_do_not_change() -> None:
    body = """func g(n: string, us: []User) -> []string:
  out: *string
  c = (x: string) -> string:
    r <- Echo.say(x)
    <- r
  for u <- us par:
    on u.name via HOST_PEER_ID:
      out <- c(n)
  join out[us.length - 1]
  <- out

func f(us: []User) -> []string:
  a <- g("1", us)
  b <- g(a[0], [us[0].copy(name = "x")])
  <- b
"""
    files = {"main.aqua": HEADER + body}
    plain = compile_bundle(files, "main.aqua")
    assert plain.ok
    same = compile_bundle(files, "main.aqua", options=Options(reference_defects=True))
    assert same.functions["f"].script == plain.functions["f"].script
