"""Definition JSON of functions and services: what clients need to call and to serve them.

Input:  names and types of the exported environment.
Output: JSON values (dicts keep the order of keys; generated bindings depend on it).
Errors: none.
Source: aqua:backend/definitions/src/main/scala/aqua/definitions/Definitions.scala
"""

from __future__ import annotations

from typing import Any, Final, assert_never

from aquac.lowering.hash_order import set_order
from aquac.semantics import types as t

Json = dict[str, Any]

NAMES: Final = {
    "relay": "-relay-",
    "getDataSrv": "getDataSrv",
    "callbackSrv": "callbackSrv",
    "responseSrv": "callbackSrv",
    "responseFnName": "response",
    "errorHandlingSrv": "errorHandlingSrv",
    "errorFnName": "error",
}


def function_definition(name: str, arrow: t.Arrow) -> Json:
    """Definition of an exported function. Its parameters are labelled even when there are none."""
    definer = _Definer()
    return {
        "functionName": name,
        "arrow": {"domain": definer.labelled(arrow), "codomain": definer.unlabelled(arrow.results), "tag": "arrow"},
        "names": dict(NAMES),
    }


def service_definition(service: t.ServiceType, default_id: str | None) -> Json:
    """Definition of an exported service. `default_id` is the text of its literal id; quotes are removed."""
    head: Json = {} if default_id is None else {"defaultServiceId": default_id.replace('"', "")}
    definer = _Definer()
    return head | {"functions": _product({name: definer.type(type_) for name, type_ in service.fields})}


def type_definition(type_: t.Type) -> Json:
    """Definition of a type."""
    return _Definer().type(type_)


class _Definer:
    """Defines types, each object once: data types share parts, and a chain of them unfolds exponentially.

    Recursion is as deep as types are nested.
    """

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done: dict[int, Json] = {}

    def type(self, type_: t.Type) -> Json:
        known = self._done.get(id(type_))
        if known is None:
            known = self._done[id(type_)] = self._type(type_)
        return known

    def _type(self, type_: t.Type) -> Json:
        match type_:
            case t.Option(element):
                return {"type": self.type(element), "tag": "option"}
            case t.Array(element) | t.Stream(element) | t.StreamMap(element) | t.Canon(element) | t.CanonMap(element):
                return {"type": self.type(element), "tag": "array"}
            case t.Struct(name, fields) | t.AbilityType(name, fields) | t.ServiceType(name, fields):
                types = dict(fields)
                ordered = {field: self.type(types[field]) for field in set_order(list(types))}
                return {"name": name, "fields": ordered, "tag": "struct"}
            case t.Scalar(name) | t.LiteralType(name):
                return {"name": name, "tag": "scalar"}
            case t.Arrow():
                return {"domain": self._domain(type_), "codomain": self.unlabelled(type_.results), "tag": "arrow"}
            case t.Top():
                return {"tag": "topType"}
            case t.Bottom():
                return {"tag": "bottomType"}
            case t.Nothing():
                return {"tag": "nil"}
            case _:
                assert_never(type_)

    def _domain(self, arrow: t.Arrow) -> Json:
        if any(label is not None for label, _ in arrow.args):
            return self.labelled(arrow)
        return self.unlabelled(tuple(type_ for _, type_ in arrow.args))

    def labelled(self, arrow: t.Arrow) -> Json:
        return _product({label or f"arg{at}": self.type(type_) for at, (label, type_) in enumerate(arrow.args)})

    def unlabelled(self, types: tuple[t.Type, ...]) -> Json:
        if not types:
            return {"tag": "nil"}
        return {"items": [self.type(type_) for type_ in types], "tag": "unlabeledProduct"}


def _product(fields: Json) -> Json:
    return {"fields": fields, "tag": "labeledProduct"}
