"""Rules of statements and scopes: one program per rule, expected diagnostics in comments."""

import pytest

from .programs import check

PRELUDE = """aqua Main

service S("id"):
  get(x: u8) -> u8
  go()

service Q:
  get(x: u8) -> u8

ability Ab:
  n: u8

alias QAlias: Q

func two() -> u8, string:
  <- 1, "a"

func make() -> u8 -> u8:
  c = (x: u8) -> u8:
    <- x
  <- c

func t{Ab}(b: bool, n: u8, s: string, xs: []u8, ss: []string, o: ?u8, st: *u8, cb: u8 -> u8):
"""

CASES = {
    "definitions do not shadow": """
  n = 1  -- error: AQ0203 "n"
  cb = cb  -- error: AQ0204 "cb"
  two = 1  -- error: AQ0203 "two"
  nil = 1  -- error: AQ0203 "nil"
  a = 1
  a = 2  -- error: AQ0203 "a"
""",
    "results": """
  a, c <- two()
  d <- two()  -- warning: AQ0901 "two"
  two()  -- warning: AQ0901 "two"
  e, g, h <- two()  -- error: AQ0315 "h"
  st <- S.get(1)
  i, st <- two()  -- error: AQ0301 "st"
  n <- S.get(1)  -- error: AQ0203 "n"
""",
    "a call is needed": """
  a <- n  -- error: AQ0314 "n"
  n + 1  -- error: AQ0314 "+"
  c <- S.get  -- error: AQ0314 "S"
""",
    "streams": """
  a: *u8
  a <<- 1
  a <<- n
  a <<- "s"  -- error: AQ0301 ""s""
  a <<- cb  -- error: AQ0322 "cb"
  zz <<- 1  -- error: AQ0201 "zz"
  xs <<- 1  -- error: AQ0325 "xs"
  c: u8  -- error: AQ0324 "u8"
  d: *Zz  -- error: AQ0206 "Zz"
  d <<- 1
  e: *Ab  -- error: AQ0220 "Ab"
  a <<- st  -- error: AQ0301 "st"
""",
    "frames end with their block": """
  if b:
    a = 1
  else:
    a = 2
  c = a  -- error: AQ0201 "a"
  on s:
    d = 1
  e = d
  for i <- xs:
    g = i
  for i <- xs:
    g = i
  i = 1
""",
    "loops": """
  for x <- n:  -- error: AQ0323 "n"
    y = x
  for n <- xs:  -- error: AQ0203 "n"
    z = 1
  for x <- o:
    y = x
  for x <- st par:
    y = x
  for k, v <- xs:  -- error: AQ0301 "xs"
    y = v
  parseq r <- ss on r via s:
    S.go()
  parseq r <- xs on r:  -- error: AQ0301 "r"
    S.go()
""",
    "on": """
  on s via ss via o:  -- error: AQ0301 "o"
    S.go()
  on n via s:  -- error: AQ0301 "n"
    S.go()
  on zz via yy:  -- error: AQ0201 "zz", error: AQ0201 "yy"
    S.go()
""",
    "conditions": """
  if n:  -- error: AQ0301 "n"
    a = 1
  if n == 1:
    a = 1
""",
    "branches need their statement": """
  else:  -- error: AQ0406 "else"
    a = 1
""",
    "catch needs a try": """
  S.go()
  catch e:  -- error: AQ0407 "e"
    a = e.message
""",
    "otherwise needs a statement": """
  if b:
    otherwise:  -- error: AQ0408 "otherwise"
      a = 1
""",
    "par needs a statement": """
  par S.go()  -- error: AQ0409 "par"
""",
    "an if after a par group": """
  S.go()
  par S.go()
  otherwise:
    S.go()
  else:  -- error: AQ0406 "else"
    S.go()
""",
    "repeated branches": """
  if b:
    S.go()
  else:
    S.go()
  else:  -- warning: AQ0906 "else"
    S.go()
  try:
    S.go()
  catch e:
    S.go()
  catch e:  -- warning: AQ0906 "e"
    S.go()
  otherwise:
    S.go()
  otherwise:  -- warning: AQ0906 "otherwise"
    S.go()
""",
    "a failed statement takes any branch": """
  if zz:  -- error: AQ0201 "zz"
    S.go()
  else:
    S.go()
  a = yy  -- error: AQ0201 "yy"
  else:
    S.go()
""",
    "service ids": """
  x <- Q.get(1)  -- error: AQ0230 "Q"
  Q "dyn"
  y <- Q.get(1)
  Q n  -- error: AQ0301 "n"
  Zz "a"  -- error: AQ0206 "Zz"
  Ab "a"  -- error: AQ0226 "Ab"
  QAlias "a"  -- error: AQ0228 "QAlias"
""",
    "service ids end with on": """
  on s:
    Q "dyn"
    x <- Q.get(1)
  y <- Q.get(1)  -- error: AQ0230 "Q"
""",
    "an `on` with nothing in it": """
  on s + zz:  -- error: AQ0201 "zz"
    par on s:  -- error: AQ0409 "par"
      zz = 1
""",
    "functions handed out are names": """
  f <- make()
  n <- make()  -- error: AQ0203 "n"
  b = f  -- error: AQ0204 "b"
""",
    "closures": """
  c = (x: u8) -> u8:
    <- x + n
  d <- c(1)
  c = (x: u8) -> u8:  -- error: AQ0204 "c"
    <- x
  e = (n: u8) -> u8:  -- error: AQ0203 "n"
    <- n
  g = () -> u8:  -- error: AQ0401 "u8"
    h = 1
  i = (z: u8) -> u8:
    <- i(z)  -- error: AQ0202 "i"
""",
    "join": """
  join n, xs[1], o!, st[2]
  join zz, n.x, xs, s.y  -- error: AQ0201 "zz", error: AQ0307 "x", error: AQ0307 "y"
""",
    "both sides of a push": """
  n <<- cb  -- error: AQ0325 "n", error: AQ0322 "cb"
""",
    "a name defined twice with one type means it": """
  a: *u8
  a: *u8  -- error: AQ0203 "a"
  a <<- "s"  -- error: AQ0301 ""s""
  a, c <- two()
  a, d <- two()
""",
    "a name defined twice with two types means nothing": """
  a: *u8
  a: *string  -- error: AQ0203 "a"
  a <<- b
  a, c <- two()
  a, d <- two()
""",
    "a service with a wrong id": """
  Q n  -- error: AQ0301 "n"
  x <- Q.get("s")
  Q.get(1)
  S n  -- error: AQ0301 "n"
  S.get(1)  -- warning: AQ0901 "S"
""",
    "a branch beside a statement that failed": """
  on s:
    par S.go()
    c = zz  -- error: AQ0201 "zz"
  if b:
    otherwise:
      S.go()
    else:  -- error: AQ0406 "else"
      S.go()
  if b:
    par S.go()
    otherwise:
      S.go()
""",
    "two branches without a statement": """
  else:  -- error: AQ0406 "else"
    S.go()
  catch e:  -- error: AQ0407 "e"
    S.go()
  S.go()
""",
    "a block with nothing but a misplaced branch": """
  c = () -> u8:
    on s:
      par S.go()  -- error: AQ0409 "par"
    <- 1
  if b:
    else:  -- error: AQ0406 "else"
      S.go()
  else:
    S.go()
""",
}


@pytest.mark.parametrize("body", CASES.values(), ids=CASES.keys())
def test_rule(body: str) -> None:
    check(PRELUDE + body.lstrip("\n"))


RETURNS = {
    "missing": """
func f() -> u8:  -- error: AQ0401 "u8"
  x = 1
""",
    "undeclared": """
func f():
  <- 1, 2  -- error: AQ0402 "1"
""",
    "few": """
func f() -> u8, u8, u8:
  <- 1, 2  -- error: AQ0403 "2"
""",
    "many": """
func f() -> u8:
  <- 1, 2, 3  -- error: AQ0404 "2"
""",
    "wrong": """
func f() -> u8, string:
  <- "a", 1  -- error: AQ0304 ""a"", error: AQ0304 "1"
""",
    "twice": """
func f() -> u8:
  <- 1
  <- 2  -- error: AQ0405 "2"
""",
    "followed by a statement": """
func f() -> u8:
  <- 1
  x = 2  -- warning: AQ0904 "x"
""",
    "arguments": """
func f(a: u8, a: string, b: Zz):  -- error: AQ0203 "a", error: AQ0206 "Zz"
  x = b
""",
    "behind an argument of unknown type": """
func f(a: u8, b: Zz, a: string, c: bool) -> u8:  -- error: AQ0206 "Zz"
  d = 1
  <- c

func g():
  x = f(1)
""",
    "of unknown result": """
func g(x: u8):
  y = x

func g(x: u8) -> Zz:  -- error: AQ0204 "g", error: AQ0206 "Zz"
  <- x

func f(c: bool) -> u8, Yy, u8:  -- error: AQ0206 "Yy"
  c = () -> Xx:  -- error: AQ0204 "c", error: AQ0206 "Xx"
    <- 1
  <- "s", 1, "s"  -- error: AQ0304 ""s""
""",
    "functions": """
func f():
  x = 1

func f():  -- error: AQ0204 "f"
  x = 1

func g():
  g()  -- error: AQ0202 "g"

func nil():  -- error: AQ0204 "nil"
  x = 1
""",
}


@pytest.mark.parametrize("text", RETURNS.values(), ids=RETURNS.keys())
def test_arrow(text: str) -> None:
    check("aqua Main\n" + text)


def test_a_function_without_its_first_line_is_one_error() -> None:
    check("""aqua Main

func f() -> u8:
  a = 1
  <- a

  b = n + 1
  <- b  -- error: AQ0405 "b"

func g() -> u8:
  x <- whoever()
  <- 2 + "s"  -- error: AQ0302 ""s"", warning: AQ0903 "+"
""")
