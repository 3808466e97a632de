"""Relations between types: which value fits where, and what two types have in common.

`compare` is the structural order everything else is built from; `accepts` is what argument passing asks, `meet` types the
elements of collection literals, `join` the results of arithmetic. Pure functions over `types.py`; no errors, `None` means
"unrelated".

Type expressions are graphs with sharing (`data B` with two fields of type `A`, `data C` with two of `B`, …), so a naive walk
is exponential in the length of such a chain; comparison of named types is therefore memoised per call.

Source: aqua:types/src/main/scala/aqua/types/{CompareTypes,IntersectTypes,UniteTypes,ScalarsCombine}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from .types import (
    BOTTOM,
    FLOAT,
    FLOAT_SCALARS,
    I64,
    INTEGER_SCALARS,
    SCALARS,
    SIGNED,
    SIGNED_SCALARS,
    TOP,
    AbilityType,
    Array,
    Arrow,
    Bottom,
    Canon,
    CanonMap,
    Fields,
    LiteralType,
    Option,
    Scalar,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Top,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Memo = dict[tuple[int, int], int | None]
Named = Struct | AbilityType | ServiceType
Collection = Array | Option | Stream | Canon

_WIDER: Final[dict[str, frozenset[str]]] = {
    "u8": frozenset({"u16", "u32", "u64", "i16", "i32", "i64", "f32", "f64"}),
    "u16": frozenset({"u32", "u64", "i32", "i64", "f32", "f64"}),
    "u32": frozenset({"u64", "i64", "f64"}),
    "u64": frozenset(),
    "i8": frozenset({"i16", "i32", "i64", "f32", "f64"}),
    "i16": frozenset({"i32", "i64", "f32", "f64"}),
    "i32": frozenset({"i64", "f64"}),
    "i64": frozenset(),
    "f32": frozenset({"f64"}),
    "f64": frozenset(),
    "bool": frozenset(),
    "string": frozenset(),
}
"""Scalar → the scalars strictly wider than it."""

_TIE_ORDER: Final = ("u32", "i32", "i16", "i64", "i8", "u16", "u8", "u64", "f32", "f64")
"""Which of several equally good common scalars is taken; part of observable behaviour."""


def compare(left: Type, right: Type) -> int | None:
    """0 equal, 1 `left` is wider, -1 `left` is narrower, None unrelated."""
    return _compare(left, right, {})


def accepts(expected: Type, given: Type) -> bool:
    """Whether a value of type `given` may stand where `expected` is wanted."""
    order = _compare(expected, given, {})
    return order is not None and order >= 0


def accepts_any(expected: Iterable[Type], given: Type) -> bool:
    """Whether some member of `expected` accepts `given`."""
    return any(accepts(t, given) for t in expected)


def _compare(left: Type, right: Type, memo: Memo) -> int | None:
    if left is right:
        return 0
    if isinstance(left, Struct | AbilityType | ServiceType) and isinstance(right, Struct | AbilityType | ServiceType):
        if isinstance(left, Struct) is not isinstance(right, Struct):
            return None
        key = (id(left), id(right))
        if key not in memo:
            memo[key] = _compare_fields(left.fields, right.fields, memo)
        return memo[key]
    match left, right:
        case (Top(), Top()) | (Bottom(), Bottom()):
            return 0
        case (Top(), _) | (_, Bottom()):
            return 1
        case (Bottom(), _) | (_, Top()):
            return -1
        case (
            ((Array(le) | Option(le)), (Array(re) | Option(re) | Stream(re) | Canon(re)))
            | (Stream(le), Stream(re))
            | (StreamMap(le), StreamMap(re))
            | (Canon(le), Canon(re))
            | (CanonMap(le), CanonMap(re))
        ):
            return _compare(le, re, memo)
        case (Scalar(l), Scalar(r)):
            return 0 if l == r else 1 if l in _WIDER[r] else -1 if r in _WIDER[l] else None
        case (LiteralType(), Scalar(name)):
            return _literal_vs_scalar(left, name, -1)
        case (Scalar(name), LiteralType()):
            return _literal_vs_scalar(right, name, 1)
        case (LiteralType(scalars=l), LiteralType(scalars=r)):
            # The direction looks inverted and is: the literal fitting more scalars counts as the narrower type.
            return 0 if l == r else 1 if l < r else -1 if r < l else None
        case (Arrow(), Arrow()):
            return _compare_arrows(left, right, memo)
        case _:
            return None


def _literal_vs_scalar(literal: LiteralType, name: str, if_fits: int) -> int | None:
    if literal.scalars == {name}:
        return 0
    return if_fits if name in literal.scalars or any(name in _WIDER[s] for s in literal.scalars) else None


def _compare_fields(left: Fields, right: Fields, memo: Memo) -> int | None:
    """Width and depth: a type with more fields is narrower; names of the types themselves do not count."""
    if left == right:
        return 0
    lefts, rights = dict(left), dict(right)
    common = [_compare(t, rights[name], memo) for name, t in left if name in rights]
    order = _pointwise(common)
    # As the reference has it, of two types with the same fields the left one is wider or they are unrelated.
    if len(common) == len(lefts):
        return 1 if order is not None and order >= 0 else None
    if len(common) == len(rights):
        return -1 if order is not None and order <= 0 else None
    return None


def _pointwise(orders: Sequence[int | None]) -> int | None:
    result = 0
    for order in orders:
        if order is None or (result and order and result != order):
            return None
        result = result or order
    return result


def _product(lefts: Sequence[Type], rights: Sequence[Type], memo: Memo) -> int | None:
    """Order of two lists of types, where the longer one is narrower."""
    tail = 0 if len(lefts) == len(rights) else -1 if len(lefts) > len(rights) else 1
    orders = [_compare(a, b, memo) for a, b in zip(lefts, rights, strict=False)]
    return _pointwise([*orders, tail])


def _compare_arrows(left: Arrow, right: Arrow, memo: Memo) -> int | None:
    domain = _product([t for _, t in left.args], [t for _, t in right.args], memo)
    codomain = _product(left.results, right.results, memo)
    if domain is None or codomain is None:
        return None
    if domain == 0 and codomain == 0:
        return 0
    if domain <= 0 and codomain >= 0:
        return 1
    if domain >= 0 and codomain <= 0:
        return -1
    return None


# ── meet and join ────────────────────────────────────────────────────────────────────────────────────────────────────


def meet(left: Type, right: Type) -> Type:
    """Widest type below both that the language can name; `⊥` when there is none."""
    order = compare(left, right)
    if order == 0:
        return left
    match left, right:
        case Struct(), Struct():
            rights = dict(right.fields)
            shared = tuple((n, meet(t, rights[n])) for n, t in left.fields if n in rights)
            return Struct(f"{left.name}_x_{right.name}", shared) if shared else TOP
        case Stream(l), Stream(r):
            return Stream(meet(l, r))
        case (Option(l), (Array(r) | Option(r) | Stream(r))) | ((Array(l) | Stream(l)), Option(r)):
            return Option(meet(l, r))
        case (Array(l), (Array(r) | Stream(r))) | (Stream(l), Array(r)):
            return Array(meet(l, r))
        case Scalar(l), Scalar(r) if order is None:
            return _nearest(l, r, below=True)
        case _:
            return BOTTOM if order is None else left if order < 0 else right


def join(left: Type, right: Type) -> Type:
    """Narrowest type above both that the language can name; `⊤` when there is none."""
    order = compare(left, right)
    if order == 0:
        return left
    match left, right:
        case Struct(), Struct():
            fields = dict(left.fields)
            for name, t in right.fields:
                fields[name] = join(fields[name], t) if name in fields else t
            return Struct(f"{left.name}_U_{right.name}", tuple(sorted(fields.items())))
        case Option(l), Option(r):
            return Option(join(l, r))
        case Stream(l), Stream(r):
            return Stream(join(l, r))
        case ((Array(l) | Option(l)), (Array(r) | Option(r))):
            return Array(join(l, r))
        case Scalar(l), Scalar(r) if order is None:
            return _nearest(l, r, below=False)
        case _:
            return TOP if order is None else left if order > 0 else right


def _nearest(left: str, right: str, *, below: bool) -> Type:
    """Closest common scalar of two unrelated ones; a kind neither of them has (float, sign) is not introduced."""
    both = {left, right}

    def reaches(candidate: str, of: str) -> bool:
        return candidate == of or (of in _WIDER[candidate] if below else candidate in _WIDER[of])

    common = [
        c
        for c in _TIE_ORDER
        if reaches(c, left)
        and reaches(c, right)
        and (c not in FLOAT_SCALARS or both & FLOAT_SCALARS)
        and (c not in SIGNED_SCALARS or both & SIGNED_SCALARS)
    ]
    for c in common:
        beyond = (o for o in common if (o in _WIDER[c] if below else c in _WIDER[o]))
        if not any(beyond):
            return SCALARS[c]
    return BOTTOM if below else TOP


def element_type(items: Sequence[Type]) -> Type:
    """Element type of a collection literal holding `items`; `⊥` for none, `⊤` when they have nothing in common."""
    if not items:
        return BOTTOM
    result: Type | None = None
    for item in items:
        plain = Array(item.element) if isinstance(item, Stream) else item
        result = plain if result is None else meet(result, plain)
    return TOP if result is None or isinstance(result, Bottom) else result


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────────────

INTEGERS: Final = tuple(SCALARS[n] for n in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"))
UNSIGNED_INTEGERS: Final = tuple(SCALARS[n] for n in ("u8", "u16", "u32", "u64"))
FLOATS: Final = (SCALARS["f32"], SCALARS["f64"])

_NUMERIC: Final = INTEGER_SCALARS | FLOAT_SCALARS


def math_type(left: Type, right: Type) -> tuple[Type, bool]:
    """Result type of arithmetic, and whether it is exact; otherwise `i64` is assumed, which deserves a warning."""
    result = join(left, right)
    if isinstance(result, Scalar | LiteralType):
        return result, True
    return I64, False


def takes_float(of: Type) -> bool:
    """Whether a float literal may stand where `of` is wanted: this makes `*` a float multiplication."""
    return accepts(of, FLOAT)


def comparable(left: Type, right: Type) -> bool:
    """Whether `==` and `!=` make sense between values of these types."""
    while True:
        match left, right:
            case Scalar(l), Scalar(r) if l in _NUMERIC and r in _NUMERIC:
                return True
            case (Scalar(name), LiteralType() as literal) | (LiteralType() as literal, Scalar(name)) if (
                literal == SIGNED and name in _NUMERIC
            ):
                return True
            case ((Array() | Option() | Stream() | Canon()), (Array() | Option() | Stream() | Canon())):
                left, right = left.element, right.element
            case (AbilityType(), AbilityType()) | (Arrow(), Arrow()):
                return False
            case LiteralType(scalars=l), LiteralType(scalars=r):
                return bool(l & r)
            case _:
                return not isinstance(join(left, right), Top)


# ── kinds of types ───────────────────────────────────────────────────────────────────────────────────────────────────


def is_data(t: Type) -> bool:
    """Whether values of the type may sit in a collection or a data field."""
    return isinstance(t, Scalar | LiteralType | Top | Bottom | Array | Option | Struct)


def is_collection(t: Type) -> TypeGuard[Collection]:
    """Array, option or stream: has elements, a length and indexes."""
    return isinstance(t, Array | Option | Stream | Canon)
