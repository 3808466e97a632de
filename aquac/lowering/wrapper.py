"""The function around an exported one: fetch relay and arguments, call, respond, report errors (`spec aqua-to-air §7`).

Source: aqua:model/transform/src/main/scala/aqua/model/transform/pre
"""

from __future__ import annotations

from typing import Final

from aquac.records import dataclass
from aquac.semantics import raw as r
from aquac.semantics import types as t

from .defects import NO_DEFECTS
from .function import NOTHING, Fn, labels
from .model import L, On, V

RELAY: Final = "-relay-"
INIT_PEER: Final = "%init_peer_id%"
WRAPPER: Final = "funcAround"
CALLBACK_PREFIX: Final = "init_peer_callable_"

GET_DATA: Final = "getDataSrv"
CALLBACK: Final = "callbackSrv"
RESPONSE: Final = "response"
ERROR_HANDLER: Final = "errorHandlingSrv"
ERROR_METHOD: Final = "error"


@dataclass(frozen=True, slots=True)
class LoweringOptions:
    """What changes the output.

    Attributes:
        no_relay: the initial peer talks to the network itself.
        no_xor: leave error propagation out; the outermost error handler stays.
        no_empty_response: no response call when nothing is returned.
        tracing: report entering and leaving of every call.
        defects: mistakes of version 0.14.6 to repeat.
    """

    no_relay: bool = False
    no_xor: bool = False
    no_empty_response: bool = True
    tracing: bool = False
    defects: frozenset[str] = NO_DEFECTS


def home(options: LoweringOptions) -> On:
    """The initial peer, behind its relay: where a function starts and ends."""
    via = () if options.no_relay else (V(RELAY, t.STRING),)
    return On(L(INIT_PEER, t.STRING), via, "", ())


def wrap(fn: Fn, options: LoweringOptions) -> Fn:
    """A function of one argument, to be inlined with `fn` itself as that argument."""
    arguments = [(label, f"-{label}-arg-", of) for label, (_, of) in zip(fn.labels, fn.type.args, strict=True)]
    steps: list[r.Tree] = []
    if not options.no_relay:
        steps.append(_get(RELAY, RELAY, t.STRING))
    steps += [_getter(label, name, of) for label, name, of in arguments if not isinstance(of, t.Arrow)]
    results = [r.CallExport(f"-return-{at}", _sent(value.type), False) for at, value in enumerate(fn.ret)]
    args = tuple(r.Var(name, of) for _, name, of in arguments)
    steps.append(r.CallTag(tuple(results), r.Call(fn.name, args, fn.type, r.arrow_type(fn.type))))
    if results or not options.no_empty_response:
        steps.append(_service(CALLBACK, RESPONSE, tuple(r.Var(result.name, result.type) for result in results)))
    failed = _service(ERROR_HANDLER, ERROR_METHOD, (r.Var(":error:", t.ERROR), r.Literal("0", t.UNSIGNED)))
    body = r.TryTag((r.SeqTag(tuple(steps)), failed))
    callbacks = {name: _callback(label, of, options) for label, name, of in arguments if isinstance(of, t.Arrow)}
    return Fn(WRAPPER, t.Arrow(((fn.name, fn.type),), ()), (fn.name,), body, (), callbacks, NOTHING)


def _service(
    service: str, method: str, args: tuple[r.RawValue, ...], results: tuple[r.CallExport, ...] = ()
) -> r.CallTag:
    arrow = t.Arrow(tuple((None, arg.type) for arg in args), tuple(result.type for result in results))
    service_id = r.Literal(f'"{service}"', t.STRING_LITERAL)
    return r.CallTag(results, r.ServiceCall(service_id, method, arrow, args, r.arrow_type(arrow)))


def _get(method: str, name: str, of: t.Type) -> r.Tree:
    return _service(GET_DATA, method, (), (r.CallExport(name, of, False),))


def _getter(label: str, name: str, of: t.Type) -> r.Tree:
    """Read an argument. A stream arrives as an array and is filled element by element."""
    if not isinstance(of, t.Stream):
        return _get(label, name, of)
    array, item = t.Array(of.element), f"{label}-item"
    push = r.PushTag(r.Var(item, of.element), None, name, of)
    loop = r.ForTag(item, None, r.Var(f"{label}-iter", array), "seq", r.SeqTag((push, r.NextTag(item))))
    return r.SeqTag((_get(label, f"{label}-iter", array), loop))


def _sent(of: t.Type) -> t.Type:
    """A stream is sent as an array."""
    return t.Array(of.element) if isinstance(of, t.Stream) else of


def _callback(label: str, arrow: t.Arrow, options: LoweringOptions) -> Fn:
    """A function argument: a call back to the initial peer."""
    params = labels(arrow)
    args = tuple(r.Var(param, of) for param, (_, of) in zip(params, arrow.args, strict=True))
    results = tuple(r.CallExport(f"init_call_res{at}", of, False) for at, of in enumerate(arrow.results))
    several = len(results) > 1 and "D18" not in options.defects
    if several:
        # A call has one result: the callback answers an array of all of them (D18).
        results = (r.CallExport("init_call_res0", t.Array(t.TOP), False),)
    call = _service(CALLBACK, label, args, results)
    via = () if options.no_relay else (r.Var(RELAY, t.STRING),)
    body = r.OnTag(r.Literal(INIT_PEER, t.STRING), via, "", call)
    ret: tuple[r.RawValue, ...] = tuple(r.Var(result.name, result.type) for result in results)
    if several:
        every = r.Var(results[0].name, results[0].type)
        ret = tuple(
            r.Prop(every, r.IndexProp(r.Literal(str(at), t.UNSIGNED), of)) for at, of in enumerate(arrow.results)
        )
    return Fn(CALLBACK_PREFIX + label, arrow, params, body, ret, {}, NOTHING)
