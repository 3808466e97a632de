"""Other shapes of what makes the reference compiler go wrong (spec aqua-to-air §16): each program runs and does what it says."""

from __future__ import annotations

from typing import Any

import pytest

from aquac import Options, compile_bundle
from avm.air import parse
from tests.aquac.defect_runner import HEADER, IDS, USER, called, check

# name → body, arguments, values of the response; names begin with the number of the defect.
FUNCTIONS = """func hi(s: string) -> string:
  r <- Echo.say(s)
  <- r

func both(s: string) -> []string:
  r <- Echo.twice(s)
  <- r

"""
VARIANTS: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    # ── D1: a method is called after it was an expression ──────────────────────────────────────────────────────────
    "D1-ability-passed-on": (
        """func use(a: Sink) -> string:
  r <- a.emit("2")
  <- r

func f() -> string, string:
  s: *string
  e = Echo.say
  a = Sink(out = s, size = 1, emit = e)
  x <- Echo.say(a.emit("1"))
  y <- use(a)
  <- x, y
""",
        {},
        ["<<1>>", "<2>"],
    ),
    "D1-in-a-loop": (
        """func f(xs: []string) -> []string:
  Worker "w"
  out: *string
  for x <- xs:
    out <- Echo.say(Worker.run(x))
  last <- Worker.run("z")
  out <<- last
  <- out
""",
        {"xs": ["1", "2"]},
        [["<ran 1>", "<ran 2>", "ran z"]],
    ),
    "D1-alias-of-the-method": (
        """func f() -> string, string:
  x <- Echo.say(Echo.say("1"))
  v = Echo.say
  y <- v("2")
  <- x, y
""",
        {},
        ["<<1>>", "<2>"],
    ),
    "D1-inside-its-own-argument": (
        'func f() -> string:\n  Worker "w"\n  x <- Worker.run(Worker.run(Worker.run("1")))\n  <- x\n',
        {},
        ["ran ran ran 1"],
    ),
    "D1-in-a-condition": (
        """func f() -> string:
  Worker "w"
  r: *string
  if Worker.status():
    r <- Worker.run("1")
  if Worker.status() == true:
    r <- Worker.run("2")
  <- Echo.say(r[1])
""",
        {},
        ["<ran 2>"],
    ),
    "D1-in-a-closure": (
        """func f() -> string, string:
  Worker "w"
  c = (x: string) -> string:
    r <- Echo.say(Worker.run(x))
    <- r
  a <- c("1")
  b <- c(Worker.run("2"))
  <- a, b
""",
        {},
        ["<ran 1>", "<ran ran 2>"],
    ),
    "D1-service-handed-over": (
        """func use(w: Worker) -> string:
  <- w.run("2")

func f() -> string, string:
  Worker "w"
  a <- Echo.say(Worker.run("1"))
  b <- use(Worker)
  <- a, b
""",
        {},
        ["<ran 1>", "ran 2"],
    ),
    # ── D2: names are exchanged ────────────────────────────────────────────────────────────────────────────────────
    "D2-array-and-index": (
        "func g(a: []string, b: u32) -> string:\n  <- Echo.say(a[b])\n\n"
        "func f(b: []string, a: u32) -> string:\n  r <- g(b, a)\n  <- r\n",
        {"b": ["p", "q"], "a": 1},
        ["<q>"],
    ),
    "D2-three-in-a-ring": (
        "func g(x: string, y: string, z: string) -> []string:\n  r = [Echo.say(x), Echo.say(Echo.say(y)), z]\n  <- r\n\n"
        "func f(x: string, y: string, z: string) -> []string:\n  r <- g(z, x, y)\n  <- r\n",
        {"x": "1", "y": "2", "z": "3"},
        [["<3>", "<<1>>", "2"]],
    ),
    "D2-abilities": (
        """func g(a: Sink, b: Sink) -> string, u32:
  r <- Echo.say(a.emit(b.emit("x")))
  <- r, a.size - b.size

func f() -> string, u32:
  s: *string
  t: *string
  Worker "w"
  d = Echo.say
  e = Worker.run
  a = Sink(out = s, size = 1, emit = d)
  b = Sink(out = t, size = 5, emit = e)
  r, n <- g(b, a)
  <- r, n
""",
        {},
        ["<ran <x>>", 4],
    ),
    "D2-streams-again": (
        """func h(a: *string, b: *string) -> string:
  <- a[0]

func g(b: *string, a: *string) -> string, string:
  x <- h(a, b)
  y <- h(b, a)
  <- x, y

func f() -> string, string:
  a: *string
  b: *string
  a <<- "a"
  b <<- "b"
  x, y <- g(a, b)
  <- x, y
""",
        {},
        ["b", "a"],
    ),
    "D2-three-streams": (
        """func g(a: *string, b: *string, c: *u32) -> u32, []string:
  c <<- a.length
  u = User(name = b[c.length - 1], age = a.length, tags = [a[0], b[1]])
  for x <- u.tags:
    a <<- x
  <- u.age, [u.name, u.tags[0], a[1]]

func f() -> u32, []string, []string:
  a: *string
  b: *string
  c: *u32
  a <<- "a0"
  a <<- "a1"
  b <<- "b0"
  n, r <- g(b, a, c)
  <- n, r, b
""",
        {},
        [1, ["a0", "b0", "b0"], ["b0", "b0", "a1"]],
    ),
    "D2-comparison": (
        """func g(a: *string, b: *string) -> bool, bool:
  x = a[0] == "b"
  if b[0] == "b":
    a <<- "wrong"
  <- x, (a.length == 1) && !(b[0] == "b")

func f() -> bool, bool:
  a: *string
  b: *string
  a <<- "a"
  b <<- "b"
  x, y <- g(b, a)
  <- x, y
""",
        {},
        [True, True],
    ),
    "D2-number-in-a-nested-index": (
        """func g(i: u32, xs: []u32, ys: []string) -> string:
  <- ys[xs[i]]

func f(ys: []u32, xs: []string, i: u32) -> string, string:
  x <- g(i, ys, xs)
  y <- g(0, ys, xs)
  <- x, y
""",
        {"ys": [1, 0], "xs": ["p", "q"], "i": 1},
        ["p", "q"],
    ),
    # ── D3: parameters called as in the wrapper ────────────────────────────────────────────────────────────────────
    "D3-both": ('func f() -> []string:\n  r <- Reg.both("1", "2")\n  <- r\n', {}, [["1", "2"]]),
    "D3-ret-is-not-the-first": (
        'func f() -> string:\n  ret = "mine"\n  r <- Reg.last("x", ret)\n  <- r\n',
        {},
        ["mine"],
    ),
    "D3-data": ("func f(id: User) -> string:\n  r <- Reg.user(id)\n  <- r\n", {"id": USER}, ["ann"]),
    "D3-explicit-id": (
        'func f(id: string) -> string, string:\n  Box id\n  a <- Box.mark(id)\n  b <- Box.mark("x")\n  <- a, b\n',
        {"id": "box"},
        ["[box]", "[x]"],
    ),
    "D3-as-expressions": (
        'func f() -> []string:\n  Box "box"\n  <- Reg.both(Box.mark("1"), Reg.last("x", Reg.last("y", "2")))\n',
        {},
        [["[1]", "2"]],
    ),
    "D3-through-variables": (
        """func use(b: Box, m: string, string -> string) -> string:
  x <- b.mark("1")
  y <- m("p", x)
  <- y

func f() -> string:
  Box "box"
  m = Reg.last
  r <- use(Box, m)
  <- r
""",
        {},
        ["[1]"],
    ),
    # ── D6: a closure's own names ──────────────────────────────────────────────────────────────────────────────────
    "D6-local-of-a-closure": (
        """func g(p: string) -> string:
  c = (x: string) -> string:
    name <- Echo.say(x)
    <- name
  name = Echo.say(p)
  r <- c(name)
  <- r

func f() -> string, string:
  a <- g("1")
  b <- g("2")
  <- a, b
""",
        {},
        ["<<1>>", "<<2>>"],
    ),
    "D6-loop-in-a-closure": (
        """func g(p: string) -> []string:
  out: *string
  c = (xs: []string) -> []string:
    in: *string
    for n <- xs:
      in <- Echo.say(n)
    <- in
  for n <- [p, p]:
    out <<- n
  r <- c(out)
  <- r

func f() -> []string, []string:
  a <- g("1")
  b <- g("2")
  <- a, b
""",
        {},
        [["<1>", "<1>"], ["<2>", "<2>"]],
    ),
    "D6-closure-in-a-closure": (
        """func g(x: string) -> string:
  c = (y: string) -> string:
    d = (z: string) -> string:
      q <- Echo.say(z)
      <- q
    p <- d(Echo.say(y))
    <- p
  y = x
  z = y
  p <- c(z)
  q = p
  <- q

func f() -> string, string:
  a <- g("1")
  b <- g("2")
  <- a, b
""",
        {},
        ["<<1>>", "<<2>>"],
    ),
    "D6-callback": (
        """func each(xs: []string, name: string -> string) -> []string:
  out: *string
  for x <- xs:
    out <- name(x)
  <- out

func g(xs: []string) -> []string:
  c = (name: string) -> string:
    r <- Echo.say(name)
    <- r
  name = "outer"
  r <- each(xs, c)
  <- r

func f() -> []string, []string:
  a <- g(["1"])
  b <- g(["2"])
  <- a, b
""",
        {},
        [["<1>"], ["<2>"]],
    ),
    # ── D8: the initial peer as a service ──────────────────────────────────────────────────────────────────────────
    "D8-through-a-function": (
        'func run(id: string) -> string:\n  Worker id\n  r <- Worker.run("x")\n  <- r\n\n'
        "func f() -> string:\n  r <- run(INIT_PEER_ID)\n  <- r\n",
        {},
        ["own x"],
    ),
    "D8-in-a-variable": (
        'func f() -> string:\n  me = %init_peer_id%\n  Worker me\n  a <- Worker.run("x")\n  <- Echo.say(a)\n',
        {},
        ["<own x>"],
    ),
    "D8-in-a-closure": (
        "func f() -> string:\n  Worker INIT_PEER_ID\n  c = (x: string) -> string:\n    <- Worker.run(x)\n"
        '  a <- c("1")\n  b <- c(a)\n  <- b\n',
        {},
        ["own own 1"],
    ),
    # ── D10: a first branch that makes nothing ─────────────────────────────────────────────────────────────────────
    "D10-unequal": (
        'func f(a: string) -> []string:\n  out: *string\n  if a != "x":\n    b = a\n  else:\n    out <<- "else"\n'
        "  out <<- a\n  <- out\n",
        {"a": "y"},
        [["y"]],
    ),
    "D10-the-other-branch": (
        'func f(a: string) -> []string:\n  out: *string\n  if a != "x":\n    b = a\n  else:\n    out <<- "else"\n'
        "  out <<- a\n  <- out\n",
        {"a": "x"},
        [["else", "x"]],
    ),
    "D10-empty-function": (
        "func nothing():\n  x = 1\n\nfunc f(c: bool) -> []string:\n  out: *string\n  if c:\n    nothing()\n  else:\n"
        '    out <<- "else"\n  out <<- "end"\n  <- out\n',
        {"c": True},
        [["end"]],
    ),
    "D10-in-a-loop": (
        "func f(xs: []bool) -> []string:\n  out: *string\n  for x <- xs:\n    if x:\n      y = x\n    else:\n"
        '      out <<- "no"\n  out <<- "end"\n  <- out\n',
        {"xs": [True, False, True]},
        [["no", "end"]],
    ),
    "D10-in-an-else": (
        "func f(a: bool, b: bool) -> []string:\n  out: *string\n  if a:\n    x = 1\n  else:\n    if b:\n      y = 1\n    else:\n"
        '      out <<- "neither"\n  out <<- "end"\n  <- out\n',
        {"a": False, "b": True},
        [["end"]],
    ),
    # ── D11: used in `copy` only ───────────────────────────────────────────────────────────────────────────────────
    "D11-nested": (
        """func make(x: string, n: u32) -> string -> User:
  u = User(name = "n", age = 1, tags = [])
  c = (y: string) -> User:
    <- u.copy(name = Echo.say(x), tags = [y], age = n + 1)
  <- c

func f() -> User:
  c <- make("x", 4)
  r <- c("y")
  <- r
""",
        {},
        [{"name": "<x>", "age": 5, "tags": ["y"]}],
    ),
    "D11-a-stream": (
        """func make(u: User) -> -> User:
  s: *string
  s <<- "s"
  c = () -> User:
    <- u.copy(tags = s)
  <- c

func f(u: User) -> User:
  c <- make(u)
  r <- c()
  <- r
""",
        {"u": USER},
        [USER | {"tags": ["s"]}],
    ),
    "D11-in-an-ability": (
        """ability Maker:
  made(y: string) -> User

func maker(u: User, x: string) -> Maker:
  c = (y: string) -> User:
    <- u.copy(name = x).copy(tags = [x, y])
  <- Maker(made = c)

func f(u: User) -> User:
  m <- maker(u, "x")
  r <- m.made("y")
  <- r
""",
        {"u": USER},
        [USER | {"name": "x", "tags": ["x", "y"]}],
    ),
    # ── D12: calls in a returned literal ───────────────────────────────────────────────────────────────────────────
    "D12-deep": (
        """func g(n: string, k: u32) -> User:
  <- User(name = hi(hi(n)), age = k + 1, tags = [n, hi(n)])

func f(n: string, k: u32) -> User, User:
  a <- g("1", 5)
  b <- g(n, k)
  <- a, b
""",
        {"n": "2", "k": 7},
        [{"name": "<<1>>", "age": 6, "tags": ["1", "<1>"]}, {"name": "<<2>>", "age": 8, "tags": ["2", "<2>"]}],
    ),
    "D12-copy": (
        """func g(u: User, n: string) -> []User:
  <- [u.copy(name = n), u.copy(name = hi(n))]

func f(n: string, u: User) -> []User:
  r <- g(u.copy(age = 1), "g")
  <- r
""",
        {"n": "f", "u": USER},
        [[USER | {"name": "g", "age": 1}, USER | {"name": "<g>", "age": 1}]],
    ),
    "D12-ability": (
        """func g(s: *string, n: string) -> Sink:
  e = Echo.say
  <- Sink(out = s, size = 1, emit = e)

func h(n: string) -> User:
  t: *string
  a <- g(t, "other")
  <- User(name = a.emit(n), age = a.size, tags = t)

func f(n: string) -> User:
  r <- h("h")
  <- r
""",
        {"n": "f"},
        [{"name": "<h>", "age": 1, "tags": []}],
    ),
    "D12-parameters-of-a-closure": (
        """func f(x: string) -> User, User:
  c = (n: string) -> User:
    <- User(name = hi(n), age = 1, tags = both(n))
  n = x
  a <- c("1")
  b <- c(n)
  <- a, b
""",
        {"x": "2"},
        [{"name": "<1>", "age": 1, "tags": ["1", "1"]}, {"name": "<2>", "age": 1, "tags": ["2", "2"]}],
    ),
    # ── D13: a frozen stream among the results ─────────────────────────────────────────────────────────────────────
    "D13-in-data": (
        """func g(xs: []string) -> User, u32:
  <- User(name = xs[0], age = 1, tags = xs), xs.length

func f() -> User, u32:
  s: *string
  s <<- "1"
  s <<- "2"
  u, n <- g(s)
  <- u, n
""",
        {},
        [{"name": "1", "age": 1, "tags": ["1", "2"]}, 2],
    ),
    "D13-option": (
        'func g(x: ?string) -> string:\n  <- x!\n\nfunc f() -> string:\n  s: *string\n  s <<- "1"\n  r <- g(s)\n'
        "  q <- Echo.say(r)\n  <- q\n",
        {},
        ["<1>"],
    ),
    # ── D14: closures push into what is theirs ─────────────────────────────────────────────────────────────────────
    "D14-twice": (
        """func g(n: string) -> []string:
  s: *string
  c = (x: string):
    s <<- x
    s <- Echo.say(x)
  c(n)
  c("again")
  <- s

func f() -> []string, []string:
  a <- g("1")
  b <- g("2")
  <- a, b
""",
        {},
        [["1", "<1>", "again", "<again>"], ["2", "<2>", "again", "<again>"]],
    ),
    "D14-handed-over": (
        """func each(xs: []string, c: string -> ()):
  for x <- xs:
    c(x)

func f(xs: []string) -> []string, []string:
  s: *string
  t: *string
  c = (x: string):
    s <<- x
  d = (x: string):
    t <- Echo.say(x)
  each(xs, c)
  each(xs, d)
  <- s, t
""",
        {"xs": ["1", "2"]},
        [["1", "2"], ["<1>", "<2>"]],
    ),
    # ── D15: parts of streams and errors ───────────────────────────────────────────────────────────────────────────
    "D15-in-a-condition": (
        """func f() -> string:
  s: *string
  s <<- "x"
  e = Echo.say
  a = Sink(out = s, size = 1, emit = e)
  r: *string
  if a.out[0] != "y":
    r <- a.emit(a.out!)
  <- r[0]
""",
        {},
        ["<x>"],
    ),
    "D15-error-as-a-whole": (
        "func f() -> bool:\n  e = LAST_ERROR\n  a = e.error_code == 0\n  b = LAST_ERROR.error_code == 0\n  <- a && b\n",
        {},
        [True],
    ),
    "D15-field-of-a-caught-error": (
        """func f() -> bool:
  ok: *bool
  try:
    Worker "nobody"
    Worker.stop()
  catch e:
    m = e.message
    ok <<- m == e.message
  <- ok[0]
""",
        {},
        [True],
    ),
    # ── D16: stream literals are made anew ─────────────────────────────────────────────────────────────────────────
    "D16-in-a-loop": (
        """func g(n: string) -> *string:
  <- *[n, "more"]

func f(xs: []string) -> []u32:
  out: *u32
  for x <- xs:
    r <- g(x)
    s <- g(x)
    t = [r.length + s.length]
    out <<- t[0]
  <- out
""",
        {"xs": ["1", "2"]},
        [[4, 4]],
    ),
    "D16-handed-over": (
        """func count(s: *string) -> u32:
  s <<- "count"
  <- s.length

func g(n: string) -> u32:
  r <- count(*[n])
  <- r

func f() -> u32, u32:
  a <- g("1")
  b <- g("2")
  <- a, b
""",
        {},
        [2, 2],
    ),
    # ── D17: a closure of a block that is over ─────────────────────────────────────────────────────────────────────
    "D17-variable": (
        """func f(c: bool) -> string:
  if c:
    Echo.ping()
    d = (x: string) -> string:
      <- "closure"
    Echo.say(d("1"))
  d = Echo.say
  r <- d("2")
  <- r
""",
        {"c": True},
        ["<2>"],
    ),
    "D17-result": (
        """func make() -> string -> string:
  c = (x: string) -> string:
    r <- Echo.say(x)
    <- r
  <- c

func f(xs: []string) -> string:
  for x <- xs:
    d = (y: string) -> string:
      <- "closure"
    Echo.say(d(x))
  d <- make()
  r <- d("2")
  <- r
""",
        {"xs": ["1"]},
        ["<2>"],
    ),
    "D17-in-an-ability": (
        """func f(c: bool) -> string:
  if c:
    Echo.ping()
    d = (x: string) -> string:
      <- "closure"
    Echo.say(d("1"))
  d = Echo.say
  s: *string
  a = Sink(out = s, size = 1, emit = d)
  r <- a.emit("2")
  <- r
""",
        {"c": False},
        ["<2>"],
    ),
    "D17-closure-after-variable": (
        """func f(xs: []string) -> string:
  for x <- xs:
    d = Echo.say
    Echo.say(d(x))
  d = (y: string) -> string:
    r <- Echo.say("closure")
    <- r
  s: *string
  a = Sink(out = s, size = 1, emit = d)
  r <- a.emit("2")
  <- r
""",
        {"xs": ["1"]},
        ["<closure>"],
    ),
    # ── D19: results for a stream that was passed to the program ───────────────────────────────────────────────────
    "D19-stream": (
        """func g(n: string) -> *string:
  s: *string
  s <<- n
  <- s

func f(out: *[]string) -> *[]string:
  out <- g("2")
  out <- g("3")
  <- out
""",
        {"out": [["1"]]},
        [[["1"], ["2"], ["3"]]],
    ),
    "D19-element": (
        """func f(out: *string) -> *string, u32:
  c = () -> string:
    e = Echo.say
    a = Sink(out = out, size = 1, emit = e)
    <- a.out[0]
  out <- c()
  out <- c()
  <- out, out.length
""",
        {"out": ["1"]},
        [["1", "1", "1"], 3],
    ),
    "D19-in-a-loop": (
        """func twice(s: string) -> *string:
  t = *[s, s]
  <- t

func f(out: *[]string, xs: []string) -> *[]string:
  for x <- xs:
    out <- twice(x)
  <- out
""",
        {"out": [], "xs": ["1", "2"]},
        [[["1", "1"], ["2", "2"]]],
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variant(name: str) -> None:
    body, arguments, values = VARIANTS[name]
    assert check({"main.aqua": HEADER + FUNCTIONS + body}, arguments) == values


# ── D4: loops over streams that do nothing ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "loop",
    [
        "  for x <- s rec:\n    y = [x, x]\n",
        '  on HOST_PEER_ID:\n    for x <- s rec:\n      y = "a"\n',
        "  par for x <- s rec:\n    nothing(x)\n",
        "  for x <- s rec:\n    z = x\n    c = () -> string:\n      <- z\n",
        "  for x <- s rec:\n    for y <- nil:\n      Echo.ping()\n",
        "  for x <- s rec:\n    try:\n      y = x\n    catch e:\n      Echo.ping()\n",
    ],
)
def test_loop_without_end_and_content(loop: str) -> None:
    body = 'func nothing(x: string):\n  y = x\n\nfunc f() -> string:\n  s: *string\n  s <<- "1"\n'
    before = "  Echo.ping()\n" if loop.startswith("  par") else ""
    assert check({"main.aqua": f"{HEADER}{body}{before}{loop}  r <- Echo.say(s[0])\n  <- r\n"}, {}) == ["<1>"]


# ── D5: computed operands of one `on`, without error propagation ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "operands",
    [
        'Echo.say("peer") via Echo.say("relay")',
        'Echo.say("peer") via ?[Echo.say("relay")]',
        'peers[0] via [Echo.say("relay")] via Echo.say("relay")',
        'Echo.say("peer") via relays via Echo.say("relay")',
    ],
)
def test_computed_peer_and_via(operands: str) -> None:
    body = f"""func f() -> string:
  peers: *string
  peers <- Echo.say("peer")
  relays = ?[Echo.say("relay")]
  on {operands}:
    r <- Echo.say("other")
  q <- Echo.say(r)
  <- q
"""
    assert check({"main.aqua": HEADER + body}, {}, options=Options(no_xor=True)) == ["<<other>>"]
    assert check({"main.aqua": HEADER + body}, {}) == ["<<other>>"]


def test_a_branch_does_not_leave_over_what_another_computes() -> None:
    """The same with a `par` of the program: the reference leaves the first branch over relays that the second one makes."""
    body = """func f() -> string, string:
  gt <- Echo.say("peer")
  a <- Echo.say("a")
  par on gt:
    relays = [Echo.say("relay")]
  on gt via relays:
    b <- Echo.say("b")
  r <- Echo.say(a)
  <- r, b
"""
    for options in (Options(no_xor=True), Options(no_xor=True, no_relay=True), Options(no_relay=True), Options()):
        found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua", options=options)
        assert parse(found.functions["f"].script).ok
    assert check({"main.aqua": HEADER + body}, {}, options=Options(no_xor=True)) == ["<<a>>", "<b>"]


LATER_RELAYS = {
    "the answer of a service": """func inner(s: *string, out: *string) -> bool:
  b <- Echo.twice("x")
  par on s! via Echo.twice(HOST_PEER_ID):
    out <<- s[b.length]
  <- INIT_PEER_ID == Echo.say("zz")

func f() -> bool:
  s: *string
  r <- inner(s, s)
  <- r
""",
    "a place in a list": """func f(u: User, users: []User) -> bool:
  on INIT_PEER_ID via users[u.tags.length].tags:
    s: *string
    s <<- "a"
  <- u.tags.length == 1
""",
}
"""The relays are an array here, which AIR takes in a loop only behind what makes it, or behind what says its place."""


@pytest.mark.parametrize("body", LATER_RELAYS.values(), ids=LATER_RELAYS)
def test_nor_over_an_array_that_another_makes(body: str) -> None:
    for options in (Options(no_xor=True), Options(no_xor=True, no_relay=True), Options(no_relay=True), Options()):
        found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua", options=options)
        assert parse(found.functions["f"].script).ok, found.functions["f"].script


# ── D7: indexes that are always negative ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        "func f(xs: []string) -> string:\n  i = 2 - 3\n  <- xs[i]\n",
        "func f(xs: []string) -> string:\n  i = -1\n  <- xs[i + 0]\n",
        "func f() -> string:\n  s: *string\n  i = 0 - 2\n  <- s[i]\n",
        "func at(xs: []string, i: i8) -> string:\n  <- xs[i - 1]\n\nfunc f(xs: []string) -> string:\n  r <- at(xs, 0)\n  <- r\n",
        "func f(u: User) -> string:\n  i = 1 - 2\n  if u.tags[i] == u.name:\n    Echo.ping()\n  <- u.name\n",
    ],
)
def test_negative_index(body: str) -> None:
    found = compile_bundle({"main.aqua": HEADER + body}, "main.aqua")
    assert [d.code.id for d in found.diagnostics if d.is_error] == ["AQ0502"]


# ── D9: exports of other files ───────────────────────────────────────────────────────────────────────────────────────

LIB = """aqua Lib declares *

export lib as some, Echo

service Echo("echo-srv"):
  say(s: string) -> string

func lib(x: string) -> string:
  r <- Echo.say(x)
  <- r
"""


@pytest.mark.parametrize(
    ("header", "call"),
    [
        ('import "lib.aqua"', "lib"),
        ('import lib as other from "lib.aqua"', "other"),
        ('use "lib.aqua"', "Lib.lib"),
        ('use lib from "lib.aqua" as L', "L.lib"),
        ('import "middle.aqua"', "lib"),
    ],
)
def test_exports_of_imported_files_stay_theirs(header: str, call: str) -> None:
    main = f"aqua Main\n\n{header}\n\nexport f\n\nfunc f(x: string) -> string:\n  r <- {call}(x)\n  <- r\n"
    middle = 'aqua Middle declares *\n\nimport "lib.aqua"\n\nexport lib as f\n'
    files = {"main.aqua": main, "lib.aqua": LIB, "middle.aqua": middle}
    assert check(files, {"x": "1"}) == ["<1>"]
    assert compile_bundle(files, "main.aqua").services == {}


# ── services of used modules ─────────────────────────────────────────────────────────────────────────────────────────


def test_closure_calls_a_service_of_a_used_module() -> None:
    """The reference aborts: the method is not taken along."""
    main = """aqua Main

use "lib.aqua" as Zed

export f

func each(xs: []string, c: string -> string) -> []string:
  out: *string
  for x <- xs:
    out <- c(x)
  <- out

func g(xs: []string) -> []string:
  c = (x: string) -> string:
    d = (y: string) -> string:
      <- Zed.Echo.say(y)
    r <- Zed.Echo.say(d(x))
    <- r
  r <- each(xs, c)
  <- r

func f() -> []string, []string:
  a <- g(["1"])
  b <- g(["2"])
  <- a, b
"""
    assert check({"main.aqua": main, "lib.aqua": LIB}, {}) == [["<<1>>"], ["<<2>>"]]
    assert called("echo-srv.say") == [["1"], ["<1>"], ["2"], ["<2>"]]


@pytest.mark.parametrize("peer", ["peer", "relay"])
def test_names_of_peers_answer(peer: str) -> None:
    """What the tests above rely on: two texts stand for peers."""
    assert check({"main.aqua": f'{HEADER}func f() -> string:\n  r <- Echo.say("{peer}")\n  <- r\n'}, {}) == [
        IDS[{"peer": "peer1"}.get(peer, peer)]
    ]
