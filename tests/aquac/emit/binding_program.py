"""A program with one of everything that bindings have to cope with: names, types, doc comments, texts."""

from __future__ import annotations

from aquac import compile_bundle
from aquac.emit.bindings import Bindings, bindings

PROGRAM = r"""aqua Main declares *

use "shapes.aqua" as Shapes

export greet, order, tell, both, each, delete, list, visit, maybe, shape, Shop, NoId

-- A place in the plane.
data Point:
  -- to the right
  x: i32
  y: i32
  class: ?string

data Order:
  id: u64
  items: []Point
  note: ?string
  str: f64

-- A shop "with docs" */ \
-- and two lines.
service Shop("shop-1"):
  -- Price of an order.
  price(o: Order) -> u64
  list(from: ?Point, self: string) -> []Point
  ping()
  echo(context: string) -> string

service NoId:
  one(x: ?u8) -> ?u8

service Op("op"):
  identity(s: string) -> string

-- Greets "somebody"
-- with `ticks`, ${dollar} and \ backslash.
func greet(name: string) -> string, string:
  <- name, "a`b${c}\\d"

func order(o: Order, config: u8, peer: string) -> u64, []Point:
  p <- Shop.price(o)
  <- p, o.items

func tell(s: string, cb: string, Point -> ()):
  cb(s, Point(x = 1, y = -2, class = nil))

func both(class: string, client: u8) -> string, ?Point:
  p = ?[Point(x = 1, y = 2, class = nil)]
  <- class, p

func each(xs: []Point, f: Point -> Point) -> []Point:
  out: *Point
  for x <- xs:
    out <- f(x)
  <- out

func delete(default: bool) -> bool:
  <- default

func list(ttl_ms: []string) -> []string:
  <- ttl_ms

func visit() -> string, u8:
  on HOST_PEER_ID:
    x <- Op.identity("x")
  a <- Shop.echo(x)
  <- a, 7

func maybe(x: ?u8) -> ?u8:
  <- x

func shape(s: Shapes.Point) -> Shapes.Point, Point:
  <- s, Point(x = 0, y = 0, class = nil)
"""

SHAPES = """aqua Shapes declares *

-- A corner.
data Point:
  -- its name
  name: string
"""

FILES = {"main.aqua": PROGRAM, "shapes.aqua": SHAPES}


def bound(text: str) -> Bindings:
    """Bindings of a program of one file, or of the program above."""
    compiled = compile_bundle({**FILES, "main.aqua": text}, "main.aqua")
    assert compiled.ok, [d.message for d in compiled.diagnostics]
    return bindings(compiled)
