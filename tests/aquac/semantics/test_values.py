"""Rules of values: one program per rule, expected diagnostics in comments."""

import pytest

from .programs import check

PRELUDE = """aqua Main

const LIMIT = 5

data P:
  x: i32
  y: string

data Q:
  x: i32
  y: string
  z: u8

ability Ab:
  n: u8
  f(x: u8) -> u8

service S("id"):
  get(x: u8) -> u8
  pair(x: u8, y: string) -> u8
  go()

service NoId:
  go()

alias SAlias: S
alias Cb: u8 -> u8

func one(x: u8) -> u8:
  <- x

func quiet():
  x = 1

func two() -> u8, string:
  <- 1, "a"

func none():
  S.go()

func takesP(p: P):
  S.go()

func t{Ab}(b: bool, n: u8, big: u64, s: string, f: f32, xs: []u8, o: ?u8, st: *u8, p: P, q: Q, cb: u8 -> u8):
"""

CASES = {
    "numbers that AIR cannot hold": """
  a = 9223372036854775807
  c = 9223372036854775808  -- warning: AQ0326 "9223372036854775808"
  d = -9223372036854775809  -- warning: AQ0326 "-9223372036854775809"
  e = 1.234567890123  -- warning: AQ0326 "1.234567890123"
""",
    "words for what literals are": """
  on 5:  -- error: AQ0301 "5"
    S.go()
""",
    "literals": """
  a = 1
  c = -1
  d = 1.5
  e = "s"
  g = true && b
""",
    "names": """
  a = zz  -- error: AQ0201 "zz"
  b2 = LIMIT
  c = LIMITS  -- error: AQ0201 "LIMITS"
  d = P  -- error: AQ0201 "P"
  e = S
  g = NoId  -- error: AQ0230 "NoId"
  h = SAlias  -- error: AQ0229 "SAlias"
  i = one
""",
    "calls": """
  a <- one(1)
  c <- one()  -- error: AQ0313 "one"
  d <- one(1, 2)  -- error: AQ0313 "one"
  e <- one("a")  -- error: AQ0301 ""a""
  g <- zz(1)  -- error: AQ0202 "zz"
  h <- n(1)  -- error: AQ0202 "n"
  i <- cb(1)
  k <- one(yy)  -- error: AQ0201 "yy"
""",
    "arguments stop at the first wrong one": """
  a <- S.pair("x", 1)  -- error: AQ0301 ""x""
  c <- S.pair(zz, yy)  -- error: AQ0201 "zz"
""",
    "methods": """
  a <- S.get(1)
  c <- S.get()  -- error: AQ0311 "get"
  d <- S.get(1, 2)  -- error: AQ0312 "2"
  e <- S.zip(1)  -- error: AQ0308 "zip"
  g <- Ab.f(1)
  h <- Ab.n(1)  -- error: AQ0309 "n"
  i <- p.x(1)  -- error: AQ0308 "x"
  NoId.go()  -- error: AQ0230 "NoId"
""",
    "a wrong count hides a wrong type where one argument explains both": """
  a <- S.pair("x")  -- error: AQ0311 "pair"
  b <- S.pair()  -- error: AQ0311 "pair"
  c <- S.pair(1, "y", "x")  -- error: AQ0312 ""x""
""",
    "a wrong count does not hide a wrong type otherwise": """
  a <- S.pair(true)  -- error: AQ0311 "pair", error: AQ0301 "true"
""",
    "one mistake in several calls is one error": """
  a <- S.pair(1)  -- error: AQ0311 "pair"
  b <- S.pair(2)
""",
    "fields": """
  a = p.x
  c = p.w  -- error: AQ0306 "w"
  d = Ab.n
  e = s.length  -- error: AQ0307 "length"
  g = xs.length + 1
  h = xs.size  -- error: AQ0307 "size"
  i = st.length
""",
    "indexes": """
  a = xs[0] + xs! + xs!1
  c = xs["a"]  -- error: AQ0302 ""a""
  d = o!
  e = o[0]  -- error: AQ0320 "0"
  g = n[0]  -- error: AQ0321 "[0]"
  h = xs[n + 1]
  i = xs[1.5] + "a"  -- error: AQ0302 "1.5", error: AQ0302 ""a"", warning: AQ0903 "+"
""",
    "copy": """
  a = p.copy(x = 1)
  c = p.copy(w = 1)  -- error: AQ0318 "w"
  d = n.copy(x = 1)  -- error: AQ0319 "copy"
  e = p.copy(x = "s")  -- error: AQ0301 ""s""
  y = "short"
  g = p.copy(y)
  h = p.copy(x = 1, x = 2)  -- error: AQ0317 "x"
  hh = p.copy(w = 1, w = 2)  -- error: AQ0317 "w", error: AQ0317 "w", error: AQ0318 "w"
""",
    "records": """
  a = P(x = 1, y = "s")
  c = P(x = 1)  -- error: AQ0316 "P"
  d = P(x = "s", y = 1)  -- error: AQ0301 ""s""
  e = P(x = 1, y = "s", w = 2)  -- warning: AQ0902 "w"
  g = Zz(x = 1)  -- error: AQ0206 "Zz"
  h = S(x = 1)  -- error: AQ0231 "S"
  i = P(x = 1, x = 2, y = "s")  -- error: AQ0317 "x"
  k = Ab(n = 1, f = one)
  l = Ab(n = 1, f = S.get)
  x = 1
  m = P(x, y = "s")
""",
    "a call without result as a value": """
  a = S.go()
  c = S.go() == S.go()
  d <- a()  -- error: AQ0202 "a"
  n = S.go()  -- error: AQ0203 "n"
  e = quiet()
  g = quiet() == quiet()  -- error: AQ0305 "=="
  p = quiet()  -- error: AQ0204 "p"
  h = [S.go()]  -- error: AQ0322 "S"
  i = one(S.go())  -- error: AQ0301 "S"
  j = S.go().x  -- error: AQ0307 "x"
""",
    "names of arguments": """
  a = one(x = 1)  -- error: AQ0101 "x"
  c = zz(x = 1, n)  -- error: AQ0201 "zz"
  d = Ab.f(x = 1)  -- error: AQ0101 "x"
  e = n.f(x = 1)  -- error: AQ0307 "f"
  g = Ab.zz(x = 1)  -- error: AQ0306 "zz"
  h = yy.Zz(x = 1)  -- error: AQ0201 "yy"
""",
    "a path that is no type is read word by word": """
  a = Zz.Yy(x = 1)  -- error: AQ0201 "Zz"
  c = S.Yy(x = 1)  -- error: AQ0306 "Yy"
""",
    "collections": """
  a = [1, n]
  c = ?[n]
  d = *[n, 1]
  e = [1, "s"]
  g = [cb]  -- error: AQ0322 "cb"
  h = [Ab, zz]  -- error: AQ0201 "zz"
  i = [S]  -- error: AQ0322 "S"
  k = one([])  -- error: AQ0301 "["
""",
    "operators": """
  a = n + big
  c = n + -1  -- warning: AQ0903 "+"
  d = n + s  -- error: AQ0302 "s", warning: AQ0903 "+"
  e = f * f
  g = f + f  -- error: AQ0302 "f", error: AQ0302 "f"
  h = n ** -1  -- error: AQ0302 "-1", warning: AQ0903 "**"
  i = n > "a"  -- error: AQ0302 ""a""
  k = n == s  -- error: AQ0305 "=="
  l = b && n  -- error: AQ0301 "n"
  m = !n  -- error: AQ0301 "n"
  r = p == q
  u = cb != cb  -- error: AQ0305 "!="
""",
    "mismatch is shown at the field": """
  takesP(q)
  takesP(P(x = 1, y = "s"))
  takesP(S)  -- error: AQ0303 "S"
  takesP(Q(x = 1, y = "s", z = 1))
""",
}


@pytest.mark.parametrize("body", CASES.values(), ids=CASES.keys())
def test_rule(body: str) -> None:
    check(PRELUDE + body.lstrip("\n"))


def test_narrowing_points_at_the_argument_that_is_wrong() -> None:
    check("""aqua Main

data Inner:
  a: u16

data Outer:
  i: Inner
  n: u8

data WideInner:
  a: u32

data Wide:
  i: WideInner
  n: u8

data Small:
  n: u8

func take(o: Outer):
  x = 1

func small(n: Small):
  x = 1

func f(w: WideInner, ws: []Wide, o: Outer):
  take(Wide(i = w, n = 1))  -- error: AQ0301 "i"
  take(ws[0])  -- error: AQ0301 "[0]"
  small(Wide(i = w, n = 1))
  small(WideInner(a = 1))  -- error: AQ0304 "WideInner"
""")


def test_data_never_stands_for_an_ability() -> None:
    check("""aqua Main

ability Box:
  size: u8

data Rec:
  size: u8

func open{Box}() -> u8:
  <- Box.size

func f(r: Rec):
  x <- open{r}()  -- error: AQ0301 "r"
""")


def test_a_wider_value_with_a_wrong_field_is_a_count_mismatch() -> None:
    check("""aqua Main

data Small:
  n: u8

data Big:
  m: u8
  n: string

func small(n: Small):
  x = 1

func f(b: Big):
  small(b)  -- error: AQ0303 "b"
""")


def test_broken_names_stay_quiet() -> None:
    check("""aqua Main

data Broken:
  a: Zz  -- error: AQ0206 "Zz"
  b: u8

func bad() -> u8:
  <- zz  -- error: AQ0201 "zz"

func worse(x: Yy) -> u8:  -- error: AQ0206 "Yy"
  <- x

func f(d: Broken):
  x = zz  -- error: AQ0201 "zz"
  y = x + 1
  x <- bad()
  z = d.a.b
  v = Broken(a = 1, b = 1)
  u <- worse("anything")
  for i <- zz:
    w = i
""")
