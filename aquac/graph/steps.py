"""What happens in a function, peer by peer: the steps of a sequence diagram.

Input:  the Res of an exported function, compiled without the handling of errors that no `try` asked for.
Output: `Sequence`.
Errors: CommandError when it has more than `OPERATIONS_MAX` operations.

Res says where everything runs and which peers are visited on the way; here its idioms become what they were in the source.
The getters of arguments are left out; a fold that waits for a stream is a `join`; a hop is a step; a comparison that sets a
boolean is a value; copies of values are names for the same thing. Names are those of the script without the marks of the
compiler, so of several `x` in one function one is `x`, the others `x-1`, ….
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, Literal, NamedTuple, assert_never

from aquac.command_line import CommandError
from aquac.lowering import model as m
from aquac.lowering.text import mark
from aquac.lowering.wrapper import CALLBACK, ERROR_HANDLER, GET_DATA, INIT_PEER, RELAY, RESPONSE
from aquac.topology import res as r
from aquac.topology.text import hop_peer

from .limits import OPERATIONS_MAX, TEXT_MAX
from .picture import Block, Branch, Call, Hop, Local, Sequence, Step

HOME: Final = "init peer"

_ARGUMENT: Final = re.compile(r"-(.+)-arg-(?:-\d+)?")
_NUMBERED: Final = re.compile(r"(.+)-\d+")
_KEYS: Final = re.compile(r"-.+_(keys)_result(?:-\d+)?")
_COMPARISONS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class _Made(NamedTuple):
    """Steps of a node, and the peers on which the particle may be afterwards, the likeliest first."""

    steps: tuple[Step, ...]
    ends: tuple[str, ...]


def sequence_of(title: str, root: r.Res) -> Sequence:
    """The steps of a function."""
    teller = _Teller(_assignments(root))
    made = teller.tell(_unwrapped(root), (HOME,))
    return Sequence(title, tuple(dict.fromkeys((HOME, *teller.peers))), made.steps)


def _unwrapped(root: r.Res) -> r.Res:
    """Without the report of errors around everything."""
    match root:
        case r.Xor((body, r.Call(_, m.L(service), _))) if service == f'"{ERROR_HANDLER}"':
            return body
        case _:
            return root


class _Teller:
    """Names and peers seen so far. Values nest no deeper than the parser allows, and so do blocks."""

    def __init__(self, assigned: Counter[str]) -> None:
        self.peers: list[str] = []
        self._assigned = assigned
        # What other names stand for; names as shown; and whose name is shown so.
        self._aliases: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._conditions: dict[str, str] = {}
        self._count = 0

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, node: r.Res, here: tuple[str, ...]) -> _Made:
        """Steps of a node that starts on one of the peers `here`."""
        visited = hop_peer(node)
        if visited is not None:
            return self._hop(self.peer(visited), here)
        match node:
            case r.Seq(children):
                return self._all(children, here)
            case r.Par(children):
                return self._par(children, here)
            case r.Xor(children):
                return self._xor(children, here)
            case r.Match(left, right, equal, children):
                return self._blocks("if", [(self._condition(left, right, equal), children)], here)
            case r.Fold():
                return self._fold(node, here)
            case r.New():
                return self._new(node, here)
            case r.Call():
                return self._call(node, here)
            case r.Ap(value, target):
                return self._ap(value, target, here)
            case r.ApMap(key, value, target):
                text = f"{mark(target.type)}{self.name(target.name)} <<- {self.value(key)}, {self.value(value)}"
                return self._local(text, here)
            case r.Canon(peer, value, target):
                self._aliases[target.name] = self.value(value).lstrip("*%")
                return self._local_at(peer, f"freeze {self.value(value)}", here)
            case r.Fail(value):
                return self._local(f"fail {self.value(value)}", here)
            case r.Next() | r.Null():
                return _Made((), here)
            case _:
                assert_never(node)

    def _all(self, nodes: tuple[r.Res, ...], here: tuple[str, ...]) -> _Made:
        steps: list[Step] = []
        for node in nodes:
            made = self.tell(node, here)
            if len(made.steps) == 1 and steps and (joined := _joined(steps[-1], made.steps[0])) is not None:
                steps[-1] = joined
            else:
                steps += made.steps
            here = made.ends
        return _Made(tuple(steps), here)

    def _par(self, nodes: tuple[r.Res, ...], here: tuple[str, ...]) -> _Made:
        if len(nodes) == 1:
            # `co`: nobody waits for it, so what follows starts where it started.
            made = self.tell(nodes[0], here)
            return _Made((Block("par", (Branch("co", made.steps),)),), here) if made.steps else _Made((), here)
        return self._blocks("par", [("", (node,)) for node in nodes], here)

    def _xor(self, nodes: tuple[r.Res, ...], here: tuple[str, ...]) -> _Made:
        if len(nodes) == 2 and (chosen := self._choice(nodes[0], nodes[1], here)) is not None:
            return chosen
        first, *others = nodes
        leading = first.children[0] if isinstance(first, r.Seq) and first.children else first
        if isinstance(leading, r.Match):
            rest = first.children[1:] if isinstance(first, r.Seq) else ()
            label = self._condition(leading.left, leading.right, leading.equal)
            return self._blocks("if", [(label, (*leading.children, *rest)), *(("else", (o,)) for o in others)], here)
        return self._blocks("try", [("", (first,)), *(("on error", (o,)) for o in others)], here)

    def _choice(self, one: r.Res, other: r.Res, here: tuple[str, ...]) -> _Made | None:
        """A boolean computed by `xor`: `==`, `!`, `&&`, `||`. Only what the right operand needs is a step, and hops behind."""
        first, hops = _without_hops(one)
        second, same_hops = _without_hops(other)
        peers = [self.value(peer) for peer in hops]
        if len(first) != 1 or not second or peers != [self.value(peer) for peer in same_hops]:
            return None
        match first[0], second[-1]:
            case r.Match(left, right, equal, (r.Ap(value, target),)), r.Ap(otherwise, same) if same == target:
                condition = self._condition(left, right, equal)
            case _:
                return None
        steps, ends = self._all(second[:-1], here)
        if isinstance(value, m.L) and isinstance(otherwise, m.L) and len(second) == 1:
            holds = value.text == "true"
            shown = condition if holds else self._condition(left, right, not equal)
        elif value == left and isinstance(right, m.L) and right.text in ("true", "false"):
            # The left operand decides: `a || b` if it is true, `a && b` if it is false.
            condition = self._condition(left, right, not equal)
            sign = "||" if right.text == "true" else "&&"
            shown = f"{self.value(left)} {sign} {self.value(otherwise)}"
        else:
            return None
        self._conditions[target.name] = shown
        self._aliases[target.name] = f"({shown})" if " " in shown else shown
        if steps:
            steps = (Block("if", (Branch(condition, steps),)),)
            ends = tuple(dict.fromkeys((*ends, *here)))
        for hop in hops:
            made = self._hop(self.peer(hop), ends)
            steps, ends = (*steps, *made.steps), made.ends
        return _Made(steps, ends)

    def _blocks(
        self,
        kind: Literal["par", "loop", "if", "try"],
        ways: list[tuple[str, tuple[r.Res, ...]]],
        here: tuple[str, ...],
    ) -> _Made:
        """A block of the ways that do something; a single branch of a `par` needs none."""
        made = [(label, self._all(nodes, here)) for label, nodes in ways]
        ends = tuple(dict.fromkeys(end for _, way in made for end in way.ends))
        branches = tuple(Branch(label, way.steps) for label, way in made if way.steps)
        if not branches:
            return _Made((), here)
        if kind == "par" and len(branches) == 1:
            return _Made(branches[0].steps, ends)
        if kind == "if" and len(ways) == 1:
            ends = tuple(dict.fromkeys((*ends, *here)))
        return _Made((Block(kind, branches),), ends)

    def _fold(self, fold: r.Fold, here: tuple[str, ...]) -> _Made:
        items = self.value(fold.iterable)
        if fold.item.startswith("-via-"):
            return self._hop(self._seen(f"each of {items}"), here)
        body = fold.children[0] if len(fold.children) == 1 else r.Seq(fold.children)
        mode = ""
        match body:
            case r.Par((inner, last)) if _goes_on(last, fold.item):
                mode, body = " par", inner
            case r.Xor((inner, last)) if _goes_on(last, fold.item):
                mode, body = " try", inner
            case _:
                pass
        if fold.last == "never" and mode == " par" and items.startswith("*"):
            mode = " rec"
        if fold.item.startswith("-"):
            # Keys or values of a map, one after the other as they come.
            return self._local(f"follow {items}", here)
        item = self.name(fold.item)
        made = self._all((body,), here)
        # Another loop may use the name.
        if self._shown.get(item) == fold.item:
            del self._shown[item]
        if not made.steps:
            return _Made((), here)
        label = f"for {item} <- {items}{mode}"
        # There may be nothing to go through.
        return _Made((Block("loop", (Branch(label, made.steps),)),), tuple(dict.fromkeys((*made.ends, *here))))

    def _new(self, new: r.New, here: tuple[str, ...]) -> _Made:
        match new.children:
            case (r.Seq((r.Fold() as fold, r.Canon() as canon, r.Ap(_, gate))),) | (
                r.Fold() as fold,
                r.Canon() as canon,
                r.Ap(_, gate),
            ) if new.name.rpartition("_test")[1]:
                stream = self.value(fold.iterable)
                self._aliases[gate.name] = stream.lstrip("*")
                return self._local_at(canon.peer, f"join {stream}: {self._awaited(fold)}", here)
            case (r.Seq((r.Canon(peer, of), *_, r.Canon(_, _, to))),) | (r.Canon(peer, of), *_, r.Canon(_, _, to)) if (
                keys := _KEYS.fullmatch(to.name)
            ):
                text = f"{self.value(of).lstrip('%')}.{keys[1]}()"
                self._aliases[to.name] = text
                return self._local_at(peer, f"freeze {text}", here)
            case (r.Seq(steps),) | steps if new.name.rpartition("_obj_map")[1] and _is_object(steps):
                fields = [
                    f"{node.key.text.strip(chr(34))} = {self.value(node.value)}"
                    for node in steps
                    if isinstance(node, r.ApMap) and isinstance(node.key, m.L)
                ]
                last = steps[-1]
                assert isinstance(last, r.Canon)
                kind = new.name.rpartition("_obj_map")[0]
                self._aliases[last.target.name] = _cut(f"{kind}({', '.join(fields)})")
                return _Made((), here)
            case _:
                return self._all(new.children, here)

    def _awaited(self, fold: r.Fold) -> str:
        """How many values a fold over a stream waits for."""
        waiting = list(fold.children)
        while waiting:
            node = waiting.pop()
            if isinstance(node, r.Match):
                count = self.value(node.right)
                return "1 value" if count == "1" else f"{count} values"
            waiting += getattr(node, "children", ())
        return "all values"

    def _call(self, call: r.Call, here: tuple[str, ...]) -> _Made:
        service = call.service_id.text.strip('"') if isinstance(call.service_id, m.L) else ""
        if service == GET_DATA:
            return _Made((), here)
        self._count += 1
        if self._count > OPERATIONS_MAX:
            raise CommandError(f"the function has more than {OPERATIONS_MAX} operations, too many for a picture")
        at = self.peer(call.peer)
        args = [self._argument(arg) for arg in call.args]
        source = at if at in here else here[0]
        if service == CALLBACK and call.method == RESPONSE:
            return _Made((Call(source, at, _cut(f"return {', '.join(args)}".rstrip()), ""),), (at,))
        owner = "callback " if service == CALLBACK else f"{service or f'({self.value(call.service_id)})'}."
        if service == "cmp" and call.method in _COMPARISONS and call.result is not None and len(args) == 2:
            self._conditions[call.result.name] = f"{args[0]} {_COMPARISONS[call.method]} {args[1]}"
        result = "" if call.result is None else mark(call.result.type) + self.name(call.result.name)
        return _Made((Call(source, at, f"{owner}{call.method}({_cut(', '.join(args))})", result),), (at,))

    def _ap(self, value: m.ValueModel, target: m.Target, here: tuple[str, ...]) -> _Made:
        sign = mark(target.type)
        if sign in ("*", "%"):
            return self._local(f"{sign}{self.name(target.name)} <<- {self.value(value)}", here)
        if self._assigned[target.name] > 1:
            # In several branches: which value it has depends on the way.
            return self._local(f"{self.name(target.name)} = {self.value(value)}", here)
        self._aliases[target.name] = self.value(value)
        return _Made((), here)

    def _hop(self, peer: str, here: tuple[str, ...]) -> _Made:
        if here[0] == peer:
            return _Made((), here)
        return _Made((Hop(here[0], peer),), (peer,))

    def _local_at(self, peer: m.ValueModel, text: str, here: tuple[str, ...]) -> _Made:
        """Something done on a certain peer; the particle goes there first."""
        at = self.peer(peer)
        hops = () if at in here else (Hop(here[0], at),)
        return _Made((*hops, Local(at, _cut(text))), (at,))

    def _local(self, text: str, here: tuple[str, ...]) -> _Made:
        return _Made((Local(here[0], _cut(text)),), here)

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def peer(self, value: m.ValueModel) -> str:
        """A peer as it is called in the picture."""
        if isinstance(value, m.L):
            return self._seen(HOME if value.text == INIT_PEER else _cut(value.text))
        return self._seen("relay" if value.name == RELAY and not value.props else self.value(value))

    def _seen(self, peer: str) -> str:
        self.peers.append(peer)
        return peer

    def _condition(self, left: m.ValueModel, right: m.ValueModel, equal: bool) -> str:
        """A comparison; of a boolean with a literal the boolean."""
        if isinstance(right, m.L) and right.text in ("true", "false"):
            known = self._conditions.get(left.name) if isinstance(left, m.V) and not left.props else None
            shown = known or self.value(left)
            holds = equal == (right.text == "true")
            return shown if holds else f"!({shown})" if " " in shown else f"!{shown}"
        return f"{self.value(left)} {'==' if equal else '!='} {self.value(right)}"

    def value(self, of: m.ValueModel) -> str:
        """A value with its properties."""
        if isinstance(of, m.L):
            return "error" if of.text == ":error:" else _literal(of.text)
        base = "error" if of.name == ":error:" else self.name(of.name)
        text = ("" if of.name in self._aliases else mark(of.base).strip("#")) + base
        for prop in of.props:
            match prop:
                case m.FieldP(name) | m.FunctorP(name):
                    text += f".{name}"
                case m.IndexP(index):
                    text += f"[{index if index.lstrip('-').isdigit() else self.name(index)}]"
                case _:
                    assert_never(prop)
        return text

    def _argument(self, of: m.ValueModel) -> str:
        """A value between commas, where no parentheses are needed."""
        known = self._conditions.get(of.name) if isinstance(of, m.V) and not of.props else None
        return known if known is not None and isinstance(of, m.V) and of.name in self._aliases else self.value(of)

    def name(self, name: str) -> str:
        """A name without what the compiler added, unless another one looks like that."""
        known = self._aliases.get(name) or self._names.get(name)
        if known is not None:
            return known
        argument = _ARGUMENT.fullmatch(name)
        plain = argument[1] if argument else name
        numbered = _NUMBERED.fullmatch(plain)
        if numbered is not None and self._shown.get(numbered[1], name) == name:
            plain = numbered[1]
        self._shown.setdefault(plain, name)
        self._names[name] = plain
        return plain


def _assignments(root: r.Res) -> Counter[str]:
    """How many instructions give a scalar its value, by name."""
    found: Counter[str] = Counter()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, r.Ap):
            found[node.target.name] += 1
        waiting += getattr(node, "children", ())
    return found


def _without_hops(node: r.Res) -> tuple[tuple[r.Res, ...], list[m.ValueModel]]:
    """The instructions of a node, and the peers visited behind them."""
    nodes = list(node.children) if isinstance(node, r.Seq) else [node]
    hops: list[m.ValueModel] = []
    while nodes and (peer := hop_peer(nodes[-1])) is not None:
        hops.insert(0, peer)
        nodes.pop()
    return tuple(nodes), hops


def _joined(step: Step, following: Step) -> Step | None:
    """A call whose result is pushed next, as one step."""
    match step, following:
        case Call(source, peer, text, result), Local(_, pushed) if result and pushed.endswith(f" <<- {result}"):
            return Call(source, peer, text, pushed.removesuffix(f" <<- {result}"))
        case _:
            return None


def _goes_on(node: r.Res, item: str) -> bool:
    """Whether a node is the next round of a loop, with hops around it at most."""
    nodes = node.children if isinstance(node, r.Seq) else (node,)
    return any(isinstance(n, r.Next) and n.item == item for n in nodes) and all(
        isinstance(n, r.Next) or hop_peer(n) is not None for n in nodes
    )


def _is_object(steps: tuple[r.Res, ...]) -> bool:
    """Whether a record is built by these steps alone."""
    return bool(steps) and isinstance(steps[-1], r.Canon) and all(isinstance(step, r.ApMap) for step in steps[:-1])


def _literal(text: str) -> str:
    return _cut(text) if text.startswith('"') else text.strip("%")


def _cut(text: str) -> str:
    """A text on one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 1] + "…"
