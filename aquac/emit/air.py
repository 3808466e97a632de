"""Print Res as AIR text, byte for byte in the layout other tools expect.

Input:  Res.
Output: text. One instruction per line, one blank per level of nesting, LF, ends with a line break.
Errors: `ScriptTooLarge`.

`seq`, `par` and `xor` are binary in AIR: a group of n prints left-nested, so the text of a straight program is quadratic
in its length and the nesting as deep as the program is long. The printer therefore keeps its own stack.
Source: aqua:backend/air/src/main/scala/aqua/backend/air/{Air,AirGen}.scala
"""

from __future__ import annotations

from typing import Final, assert_never

from aquac.lowering.model import FieldP, FunctorP, IndexP, L, Target, ValueModel
from aquac.records import dataclass
from aquac.semantics import types as t
from aquac.topology import res as r


@dataclass(frozen=True, slots=True)
class Dialect:
    """How frozen streams and maps are marked in names."""

    canon: str
    canon_map: str


AQUA_0_14_6: Final = Dialect(canon="#", canon_map="#%")
AQUA_0_14_11: Final = Dialect(canon="#$", canon_map="#%")
DEFAULT_DIALECT: Final = AQUA_0_14_6

SCRIPT_CHARS_MAX: Final = 100 * 1024 * 1024
"""Longest script: what the frame of a particle can carry. A few thousand straight statements are a few megabytes."""

_GROUP_WORD: Final = {r.Seq: "seq", r.Par: "par", r.Xor: "xor"}


class ScriptTooLarge(Exception):
    """The text would exceed `SCRIPT_CHARS_MAX`."""


def print_air(root: r.Res, dialect: Dialect = DEFAULT_DIALECT, *, chars_max: int = SCRIPT_CHARS_MAX) -> str:
    """AIR text of a function.

    Raises: ScriptTooLarge, before the text takes up much more than `chars_max` characters.
    """
    return _Printer(dialect, chars_max).print(root)


def print_owned(root: r.Res, dialect: Dialect = DEFAULT_DIALECT) -> tuple[list[str], list[r.Res | None]]:
    """The lines of the text, and for each the operation it starts; None for lines that only close or fill one."""
    owners: list[r.Res | None] = []
    text = _Printer(dialect, SCRIPT_CHARS_MAX).print(root, owners)
    return text.split("\n")[:-1], owners


class _Printer:
    """Lines under construction. The stack holds what is still to print: a node, or the text of a whole line."""

    __slots__ = ("_budget", "_dialect", "_lines", "_stack")

    def __init__(self, dialect: Dialect, budget: int) -> None:
        self._dialect = dialect
        self._budget = budget
        self._lines: list[str] = []
        self._stack: list[tuple[int, r.Res | str]] = []

    def print(self, root: r.Res, owners: list[r.Res | None] | None = None) -> str:
        stack, lines = self._stack, self._lines
        stack.append((0, root))
        while stack:
            indent, item = stack.pop()
            if isinstance(item, str):
                self._line(indent, item)
            else:
                self._node(indent, item)
            if owners is not None:
                owner = None if isinstance(item, str) else item
                owners.extend([owner] * (len(lines) - len(owners)))
        lines.append("")
        return "\n".join(lines)

    def _line(self, indent: int, text: str) -> None:
        self._budget -= indent + len(text) + 1
        if self._budget < 0:
            raise ScriptTooLarge
        self._lines.append(" " * indent + text)

    def _node(self, indent: int, node: r.Res) -> None:
        match node:
            case r.Seq(children) | r.Par(children) | r.Xor(children):
                self._group(indent, _GROUP_WORD[type(node)], children)
            case r.Match(left, right, equal, children):
                word = "match" if equal else "mismatch"
                self._block(indent, f"({word} {self._value(left)} {self._value(right)}", children)
            case r.New(name, type_, children):
                self._block(indent, f"(new {self._name(name, type_)}", children)
            case r.Fold(item, iterable, last, children):
                opening = f"(fold {self._value(iterable)} {_plain(item)}"
                self._block(indent, opening, children, last=f"({last})")
            case _:
                self._line(indent, self._leaf(node))

    def _group(self, indent: int, word: str, children: tuple[r.Res, ...]) -> None:
        """`(word (word a b) c)`. One child is completed by `(null)`, none is `(null)`; a sequence of one is its child."""
        items: list[r.Res | str] = list(children)
        if not items or (word == "seq" and len(items) == 1):
            self._stack.append((indent, items[0] if items else "(null)"))
            return
        if len(items) == 1:
            items.append("(null)")
        depth = len(items) - 1
        for level in range(depth):
            self._line(indent + level, f"({word}")
        # The first two children stand inside the innermost group; each further one closes a level.
        for level in range(depth):
            self._stack.append((indent + level, ")"))
            self._stack.append((indent + level + 1, items[depth - level]))
        self._stack.append((indent + depth, items[0]))

    def _block(self, indent: int, opening: str, children: tuple[r.Res, ...], last: str = "") -> None:
        self._line(indent, opening)
        self._stack.append((indent, ")"))
        if last:
            self._stack.append((indent + 1, last))
        self._stack.append((indent + 1, children[0] if len(children) == 1 else r.Seq(children)))

    def _leaf(self, node: r.Next | r.Call | r.Ap | r.ApMap | r.Canon | r.Fail | r.Null) -> str:
        match node:
            case r.Next(item):
                return f"(next {_plain(item)})"
            case r.Call(peer, service, method, args, result):
                text = " ".join(map(self._value, args))
                exported = "" if result is None else f" {self._target(result)}"
                return f'(call {self._value(peer)} ({self._value(service)} "{method}") [{text}]{exported})'
            case r.Ap(value, target):
                return f"(ap {self._value(value)} {self._target(target)})"
            case r.ApMap(key, value, target):
                return f"(ap ({self._value(key)} {self._value(value)}) {self._target(target)})"
            case r.Canon(peer, value, target):
                return f"(canon {self._value(peer)} {self._value(value)}  {self._target(target)})"
            case r.Fail(value):
                return f"(fail {self._value(value)})"
            case r.Null():
                return "(null)"
            case _:
                assert_never(node)

    def _value(self, value: ValueModel) -> str:
        if isinstance(value, L):
            return value.text
        name = self._name(value.name, value.base)
        if not value.props:
            return name
        lens = ""
        root = ".$"
        for prop in value.props:
            match prop:
                case FieldP(field):
                    lens += f".{field}"
                case FunctorP(functor):
                    lens += f".{functor}"
                    root = ""
                case IndexP(index):
                    lens += f".[{index}]"
                case _:
                    assert_never(prop)
        return name + root + lens

    def _target(self, target: Target) -> str:
        return self._name(target.name, target.type)

    def _name(self, name: str, type_: t.Type) -> str:
        match type_:
            case t.Stream():
                return "$" + _plain(name)
            case t.StreamMap():
                return "%" + _plain(name)
            case t.Canon():
                return self._dialect.canon + _plain(name)
            case t.CanonMap():
                return self._dialect.canon_map + _plain(name)
            case _:
                return _plain(name)


def _plain(name: str) -> str:
    """AIR names have no dots: those of members are written with underscores."""
    return name.replace(".", "_")
