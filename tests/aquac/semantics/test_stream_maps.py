"""Stream maps, which are newer than the recorded reference (spec aqua-language §13.2)."""

from aquac.semantics import raw
from aquac.semantics.types import BOOL, STRING, U8, Array, Stream, StreamMap, Struct

from .programs import accepted, check, func

PRELUDE = """aqua Main

service S("s"):
  pair() -> u8
  go(x: []u8)

func entry() -> string, u8:
  <- "key", 1

func swapped() -> u8, string:
  <- 1, "key"

"""


def test_rules() -> None:
    check(
        PRELUDE
        + """func f(k: string, n: u8, s: *u8, m2: %string):
  m: %u8
  m <<- k, n
  m <<- n, n  -- error: AQ0301 "n"
  m <<- k, k  -- error: AQ0301 "k"
  m <<- n  -- error: AQ0325 "m"
  s <<- k, n  -- error: AQ0325 "s"
  m <- entry()
  m <- swapped()  -- error: AQ0301 "m"
  m <- S.pair()  -- error: AQ0301 "m"
  a = m.get(k)
  b = m.getStream("x")
  c = m.keys()
  d = m.keysStream()
  e = m.contains(k)
  g = m.get(n)  -- error: AQ0301 "n"
  h = m.get()  -- error: AQ0311 "get"
  i = m.zip()  -- error: AQ0308 "zip"
  l = m.keys  -- error: AQ0307 "keys"
  o <- m.get(k)  -- error: AQ0314 "m"
  p = [m]  -- error: AQ0322 "m"
  q = m[0]  -- error: AQ0321 "[0]"
  r = a[0] + b[0] + n
  if e && m.contains(c[0]):
    t = 1
  for kv <- m:
    u = kv.key
    v = kv.value + 1
  for kk, vv <- m par:
    w = kk
    x = vv + 1
  for kk, vv <- s:  -- error: AQ0301 "s"
    y = kk
  parseq kk, vv <- m on kk:
    z = vv
  aa: %Zz  -- error: AQ0206 "Zz"
  bb: %*u8  -- error: AQ0220 "*"
"""
    )


def test_maps_stay_inside() -> None:
    check("""aqua Main
export f, g  -- error: AQ0132 "f", error: AQ0131 "g"

ability Store:
  m: %u8

func f(m: %u8):
  x = m.keys()

func g() -> %u8:
  m: %u8
  <- m
""")


def test_raw() -> None:
    context = accepted(
        PRELUDE
        + """func f() -> []u8:
  m: %u8
  m <<- "k", 1
  m <- entry()
  for k, v <- m:
    m <<- k, v
  <- m.get("k")
"""
    )
    body = func(context).body
    assert isinstance(body, raw.SeqTag)
    m = StreamMap(U8)
    declare, push, call, loop, _, fix = _flat(body)
    assert declare == raw.DeclareTag("m", m)
    assert isinstance(push, raw.PushTag)
    assert (push.name, push.type) == ("m", m)
    assert push.key is not None
    assert isinstance(call, raw.CallTag)
    assert call.exports == (raw.CallExport("m", m, existing=True),)
    assert isinstance(loop, raw.ForTag)
    assert (loop.item, loop.value_item, loop.iterable) == ("k", "v", raw.Var("m", m))
    assert isinstance(fix, raw.AssignTag)
    assert isinstance(fix.value, raw.Prop)
    assert fix.value.value == raw.Var("m", m)
    assert isinstance(fix.value.prop, raw.ArrowProp)
    assert fix.value.prop.type == Array(U8)


def _flat(tree: raw.Tree) -> list[raw.Tree]:
    if isinstance(tree, raw.SeqTag):
        return [x for child in tree.children for x in _flat(child)]
    return [tree]


def test_types_of_loops_and_methods() -> None:
    context = accepted(
        PRELUDE
        + """func f(m: %u8) -> u8:
  b = m.contains("x")
  s = m.keysStream()
  for e <- m:
    S.go(?[e.value])
  <- 1
"""
    )
    types = {o.name: o.type for o in context.occurrences if o.kind == "variable"}
    assert types["b"] == BOOL
    assert types["s"] == Stream(STRING)
    entry = types["e"]
    assert isinstance(entry, Struct)
    assert dict(entry.fields) == {"key": STRING, "value": U8}
