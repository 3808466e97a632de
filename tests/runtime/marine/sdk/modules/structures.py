"""Lists, dicts, records and control flow: every function is pure, so Python says what is right."""

from dataclasses import dataclass, field

from runtime.marine.sdk import export, f32, i32, u8, u16, u32

LIMIT = 10
NAMES = ["zero", "one", "two"]


@dataclass
class Point:
    x: int
    y: i32 = 7

    def moved(self, dx: int, dy: int = 1) -> "Point":
        return Point(self.x + dx, self.y + dy)


@dataclass
class Shape:
    name: str
    points: list[Point]
    tags: list[list[str]]
    data: bytes
    size: f32
    kind: u8
    on: bool
    origin: Point


@dataclass
class Bag:
    items: list[int] = field(default_factory=list)
    title: str = "bag"

    def add(self, item: int) -> None:
        self.items.append(item)

    def total(self) -> int:
        return sum(self.items)


@export
def echo(shape: Shape) -> Shape:
    return shape


@export
def echoes(shapes: list[Shape]) -> list[Shape]:
    out: list[Shape] = []
    for shape in shapes:
        out.append(shape)
    return out


@export
def edited(shape: Shape, n: i32) -> Shape:
    shape.name += "!"
    shape.points.append(Point(n))
    shape.points[0].x = n
    shape.origin = shape.points[-1].moved(1)
    shape.kind ^= 1
    shape.tags[0] += ["new"]
    return shape


@export
def same(a: Shape, b: Shape) -> bool:
    return a == b


@export
def lists(a: list[int], b: list[int]) -> list[list[int]]:
    c = a + b
    d = c[1:-1]
    e = a.copy()
    e.extend(b)
    e.reverse()
    f = sorted(c)
    g = sorted(c, reverse=True)
    h = a * 2
    h.insert(1, 99)
    h.insert(-1, 98)
    return [a, b, c, d, e, f, g, h, c[::2], c[::-1], [x * 2 for x in a if x > 0], list(reversed(a)), a[-3:]]


@export
def list_tests(a: list[int], b: list[int], x: int) -> list[bool]:
    return [a == b, a != b, x in a, x not in b, bool(a), any(y > 0 for y in a), all(y > 0 for y in a)]


@export
def list_numbers(a: list[int], x: int) -> list[int]:
    return [len(a), a.count(x), sum(a), sum(a, 5), sum(y * 2 for y in a if y < 100)]


@export
def list_at(a: list[int], i: int) -> int:
    return a[i]


@export
def list_set(a: list[int], i: int, x: int) -> list[int]:
    a[i] = x
    a[i] += 1
    return a


@export
def list_pop(a: list[str], i: int) -> list[str]:
    x = a.pop(i)
    y = a.pop()
    return [x, y] + a


@export
def list_delete(a: list[u16], i: int) -> list[u16]:
    del a[i]
    return a


@export
def list_index(a: list[str], x: str) -> int:
    return a.index(x)


@export
def list_remove(a: list[str], x: str) -> list[str]:
    a.remove(x)
    return a


@export
def largest(a: list[int]) -> int:
    return max(a) - min(a)


@export
def texts_sorted(a: list[str]) -> list[str]:
    a.sort()
    return a + [min(a), max(a)]


@export
def floats_sorted(a: list[float]) -> list[float]:
    return sorted(a)


@export
def bytes_list(a: list[u8], x: int) -> list[bool]:
    return [x in a, a == [1, 2, 3], a.count(3) > 0]


@export
def widths(a: list[u8], b: list[i32], c: list[f32], d: list[bool], e: list[u32]) -> list[float]:
    return [sum(a), sum(b), sum(c), sum(1 for x in d if x), sum(e)]


@export
def transposed(a: list[list[int]]) -> list[list[int]]:
    width = min([len(row) for row in a])
    return [[row[i] for row in a] for i in range(width)]


@export
def pairs(a: list[int], b: list[str]) -> list[str]:
    out = [f"{x}={y}" for x, y in zip(a, b)]
    for i, x in enumerate(a):
        if x < 0:
            continue
        if i > 3:
            break
        out.append(f"{i}:{x}")
    else:
        out.append("all")
    return out


@export
def searched(a: list[int], x: int) -> int:
    i = 0
    while i < len(a):
        if a[i] == x:
            break
        i += 1
    else:
        return -1
    return i


@export
def nested(n: u8) -> list[int]:
    out: list[int] = []
    for i in range(n):
        for j in range(i):
            if (i + j) % 3 == 0:
                continue
            if j > 5:
                break
            out.append(i * 100 + j)
    return out


@export
def chosen(a: int, s: str, items: list[int]) -> list[str]:
    return [s or "empty", s and "full", str(a or 7), "yes" if items else "no", NAMES[a % 3], str(LIMIT + a // 1000)]


@export
def counted(words: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    out = [f"{word}:{n}" for word, n in counts.items()]
    for word in counts:
        out.append(word)
    counts.pop("a", None)
    counts.pop("c", None)
    found = counts.pop("d", None)
    if found is not None:
        out.append(f"d{found}")
    out.append(str(len(counts)))
    for n in counts.values():
        out.append(str(n))
    counts["z"] = 3
    counts["b"] = counts.pop("b", 1) + 1
    return out + [k + str(counts[k]) for k in sorted(counts)]


@export
def grouped(numbers: list[int]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for n in numbers:
        groups.setdefault(n % 5, []).append(n)
    copy = groups.copy()
    for key in list(groups.keys()):
        if key % 2 == 1:
            groups.pop(key)
    squares = {n: [n * n] for n in numbers if abs(n) < 1000}
    copy.update(squares)
    return [values for values in groups.values()] + [[len(copy), len(squares)], list(squares)]


@export
def looked_up(keys: list[str], key: str) -> int:
    d = {k: len(k) for k in keys}
    return d[key]


@export
def bags(numbers: list[int]) -> list[int]:
    a = Bag()
    b = Bag([1], title="b")
    alias = a
    for n in numbers:
        a.add(n)
    alias.items.append(5)
    return [a.total(), b.total(), len(a.items), int(a == b), int(a == alias), len(b.title)]


@export
def first_positive(numbers: list[int]) -> int | None:
    for n in numbers:
        if n > 0:
            return n
    return None


@export
def maybe(a: int | None, s: str | None, p: Point | None) -> list[str]:
    out = [f"{a}"]
    if a is not None and a > 3:
        out.append(str(a + 1))
    if s is None:
        return out
    out.append(s)
    if p:
        out.append(str(p.x))
    b = first_positive([a or 0, -1])
    if b is None:
        b = 12
    out.append(str(b + 1))
    q = p or Point(5)
    out.append(str(q.x + q.y))
    return out


@export
def maybe_record(n: int) -> Point | None:
    return Point(n) if n > 0 else None


@export
def primes(limit: u16) -> list[int]:
    sieve = [True] * limit
    out: list[int] = []
    for n in range(2, limit):
        if sieve[n]:
            out.append(n)
            for m in range(n * n, limit, n):
                sieve[m] = False
    return out


@export
def checked(n: int) -> int:
    assert n != 3, "three"
    if n == 4:
        raise ValueError(f"four {n}")
    if n == 5:
        raise RuntimeError
    assert n < 100
    return n
