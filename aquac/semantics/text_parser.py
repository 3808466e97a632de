"""Raw from its text form; the inverse of `text.py`. Declared types are kept as text, types of values are left open (`⊤`).

Errors: `TextFormError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from typing import Literal as Lit

from aquac.lowering.trampoline import nested, run
from aquac.records import dataclass
from aquac.text_form import build_tree, is_literal, read_lines

from . import raw as r
from .types import TOP, AbilityType, Array, Arrow, Option, Scalar, ServiceType, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.text_form import Line

_NO_ARROW: Final = Arrow((), ())


@dataclass(frozen=True, slots=True)
class _Argument:
    label: str | None
    type: Type


@dataclass(frozen=True, slots=True)
class _Result:
    type: Type


@dataclass(frozen=True, slots=True)
class _Returned:
    values: tuple[r.RawValue, ...]


_Item = r.Tree | _Argument | _Result | _Returned | r.FuncPart


def parse(text: str) -> r.FuncPart:
    """The function a text stands for."""
    lines = read_lines(text)
    root = build_tree(lines, _item)
    if not isinstance(root, r.FuncPart):
        raise lines[0].error("`func` expected")
    return root


def _item(line: Line, children: list[_Item]) -> _Item:
    word = line.take()
    match word:
        case "func":
            return r.FuncPart(line.name(), _arrow(line, children))
        case "closure":
            name = line.name()
            return r.ClosureTag(name, _arrow(line, children), line.accept("detached"))
        case "argument":
            label = None if line.accept("-:") or line.accept("-") else _labelled(line)
            return _Argument(label, _type(line))
        case "result":
            return _Result(_type(line))
        case "return":
            return _Returned(_values(line))
        case _:
            below = [child for child in children if not isinstance(child, _Argument | _Result | _Returned | r.FuncPart)]
            if len(below) < len(children):
                raise line.error(f"`{word}` has no arguments and results")
            return _tag(line, word, tuple(below))


def _labelled(line: Line) -> str:
    """A name before `:`, which may be one word with it."""
    word = line.peek()
    if word.endswith(":") and not word.startswith("`"):
        line.words[line.at] = word[:-1]
        return line.name()
    name = line.name()
    line.expect(":")
    return name


def _type(line: Line) -> Type:
    """The rest of the line, kept as it is written."""
    _, _, text = line.text.partition(": " if ": " in line.text else " ")
    line.at = len(line.words)
    return Scalar(text)


def _arrow(line: Line, children: Sequence[_Item]) -> r.FuncArrow:
    args = tuple((c.label, c.type) for c in children if isinstance(c, _Argument))
    results = tuple(c.type for c in children if isinstance(c, _Result))
    returned = tuple(value for c in children if isinstance(c, _Returned) for value in c.values)
    trees = [c for c in children if not isinstance(c, _Argument | _Result | _Returned | r.FuncPart)]
    if len(trees) != 1:
        raise line.error("one body expected")
    return r.FuncArrow(Arrow(args, results), returned, trees[0])


def _tag(line: Line, word: str, below: tuple[r.Tree, ...]) -> r.Tree:
    match word:
        case "seq":
            return r.SeqTag(below)
        case "par":
            return r.ParTag(below)
        case "try":
            return r.TryTag(below)
        case "detach":
            return r.DetachTag(_only(line, below))
        case "on":
            peer = _value(line)
            via: list[r.RawValue] = []
            while line.accept("via"):
                via.append(_value(line))
            relay = line.accept("to")
            if relay:
                line.expect("relay")
            return r.OnTag(peer, tuple(via), "relay" if relay else "", _only(line, below))
        case "if":
            return r.IfTag(_value(line), below)
        case "for":
            item = line.name()
            second = line.name() if line.accept(",") else None
            line.expect("in")
            return r.ForTag(item, second, _value(line), _mode(line), _only(line, below))
        case _ if below:
            raise line.error(f"`{word}` has nothing below it")
        case _:
            return _simple(line, word)


def _mode(line: Line) -> Lit["seq", "try", "par", "rec"]:
    word = line.take()
    match word:
        case "seq" | "try" | "par" | "rec":
            return word
        case _:
            raise line.error(f"no mode `{word}`")


def _only(line: Line, below: tuple[r.Tree, ...]) -> r.Tree:
    if len(below) != 1:
        raise line.error("one statement expected below")
    return below[0]


def _simple(line: Line, word: str) -> r.Tree:
    match word:
        case "empty":
            return r.EMPTY
        case "next":
            return r.NextTag(line.name())
        case "let":
            name = line.name()
            line.expect("=")
            return r.AssignTag(_value(line), name)
        case "call":
            exports = _exports(line)
            return r.CallTag(exports, _value(line))
        case "declare":
            name = _labelled(line)
            return r.DeclareTag(name, _type(line))
        case "push":
            value = _value(line)
            key = _value(line) if line.accept("under") else None
            line.expect("into")
            return r.PushTag(value, key, line.name(), TOP)
        case "returned":
            return r.ReturnTag(_values(line))
        case "join":
            return r.JoinTag(_values(line))
        case "service":
            name = line.name()
            line.expect("=")
            service_id = _value(line)
            line.expect("of")
            line.at = len(line.words)
            return r.ServiceIdTag(service_id, ServiceType(line.text.rpartition(" of ")[2], ()), name)
        case "freeze" | "copy":
            value = _value(line)
            line.expect("to")
            return r.CanonTag(value, line.name(), TOP) if word == "freeze" else r.FlattenTag(value, line.name())
        case _:
            raise line.error(f"no statement `{word}`")


def _exports(line: Line) -> tuple[r.CallExport, ...]:
    """Names before `=`; a call may have none."""
    if "=" not in _before_brackets(line):
        return ()
    exports: list[r.CallExport] = []
    while not line.accept("="):
        if exports:
            line.expect(",")
        existing = line.peek() == "existing" and line.peek(1) not in (",", "=")
        if existing:
            line.take()
        exports.append(r.CallExport(line.name(), TOP, existing))
    return tuple(exports)


def _before_brackets(line: Line) -> list[str]:
    words = line.words[line.at :]
    stop = next((at for at, word in enumerate(words) if word in "([{@!."), len(words))
    return words[:stop]


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _value(line: Line) -> r.RawValue:
    return run(_parse(line))


def _values(line: Line) -> tuple[r.RawValue, ...]:
    found = [_value(line)]
    while line.accept(","):
        found.append(_value(line))
    return tuple(found)


async def _parse(line: Line) -> r.RawValue:
    """A value with its properties. Chains are a loop, nesting is not the host's."""
    value = await nested(_primary(line))
    while True:
        prop: r.RawProp
        if line.accept("["):
            prop = r.IndexProp(await nested(_parse(line)), TOP)
            line.expect("]")
        elif line.accept("."):
            word = line.peek()
            if word.endswith("#") and not word.startswith("`"):
                prop = r.FunctorProp(line.take()[:-1], TOP)
            elif word == "copy" and line.peek(1) == "{":
                line.take()
                prop = r.CopyProp(await _fields(line), Struct("", ()))
            else:
                name = line.name()
                args = await _list(line, "(", ")") if line.peek() == "(" else None
                prop = r.FieldProp(name, TOP) if args is None else r.ArrowProp(name, _NO_ARROW, args, TOP)
        else:
            return value
        value = r.Prop(value, prop)


async def _primary(line: Line) -> r.RawValue:
    word = line.peek()
    if word == "[" and line.peek(1) == "]":
        line.expect("[", "]")
        return r.NIL
    if word in ("[", "?"):
        line.accept("?")
        return r.Coll(await _list(line, "[", "]"), Option(TOP) if word == "?" else Array(TOP))
    if is_literal(word):
        return r.Literal(line.take(), TOP)
    if line.accept("("):
        left, op = await nested(_parse(line)), line.take()
        right = await nested(_parse(line))
        line.expect(")")
        return r.Bin(cast("r.BinOp", op), left, right, TOP)
    if line.accept("!"):
        return r.NotOp(await nested(_parse(line)), TOP)
    if line.accept("@"):
        line.expect("(")
        service_id = await nested(_parse(line))
        line.expect(")")
        return r.ServiceCall(service_id, line.name(), _NO_ARROW, await _list(line, "(", ")"), TOP)
    if word.startswith("*"):
        name = line.take()[1:].strip("`")
        return r.StreamLit(await _list(line, "[", "]"), name, TOP)
    name = line.name()
    if line.peek() == "(":
        return r.Call(name, await _list(line, "(", ")"), _NO_ARROW, TOP)
    if line.peek() == "{":
        return r.StructLit(await _fields(line), Struct(name, ()))
    if line.accept("@"):
        return r.AbilityLit(await _fields(line), AbilityType(name, ()))
    return r.Var(name, TOP)


async def _list(line: Line, opening: str, closing: str) -> tuple[r.RawValue, ...]:
    line.expect(opening)
    found: list[r.RawValue] = []
    while not line.accept(closing):
        if found:
            line.expect(",")
        found.append(await nested(_parse(line)))
    return tuple(found)


async def _fields(line: Line) -> tuple[tuple[str, r.RawValue], ...]:
    line.expect("{")
    found: list[tuple[str, r.RawValue]] = []
    while not line.accept("}"):
        if found:
            line.expect(",")
        name = line.name()
        line.expect("=")
        found.append((name, await nested(_parse(line))))
    return tuple(found)
