"""Definition JSON: shapes, labels, order of fields."""

from __future__ import annotations

import json

from aquac.emit.definitions import function_definition, service_definition, type_definition
from aquac.semantics import types as t


def check(value, expected):
    assert json.dumps(value) == json.dumps(expected)


STRING = {"name": "string", "tag": "scalar"}


def struct(name, *fields):
    return t.Struct(name, tuple((f, t.STRING) for f in sorted(fields)))


def test_function_without_arguments_has_a_labelled_empty_domain():
    check(
        function_definition("f", t.Arrow((), ())),
        {
            "functionName": "f",
            "arrow": {
                "domain": {"fields": {}, "tag": "labeledProduct"},
                "codomain": {"tag": "nil"},
                "tag": "arrow",
            },
            "names": {
                "relay": "-relay-",
                "getDataSrv": "getDataSrv",
                "callbackSrv": "callbackSrv",
                "responseSrv": "callbackSrv",
                "responseFnName": "response",
                "errorHandlingSrv": "errorHandlingSrv",
                "errorFnName": "error",
            },
        },
    )


def test_function_arguments_keep_their_order_and_results_are_unlabelled():
    arrow = t.Arrow((("z", t.U8), ("a", t.Stream(t.STRING))), (t.STRING, t.Option(t.BOOL)))
    check(
        function_definition("f", arrow)["arrow"],
        {
            "domain": {
                "fields": {"z": {"name": "u8", "tag": "scalar"}, "a": {"type": STRING, "tag": "array"}},
                "tag": "labeledProduct",
            },
            "codomain": {
                "items": [STRING, {"type": {"name": "bool", "tag": "scalar"}, "tag": "option"}],
                "tag": "unlabeledProduct",
            },
            "tag": "arrow",
        },
    )


def test_a_name_given_twice_is_one_field():
    arrow = t.Arrow((("x", t.STRING), ("x", t.STRING)), ())
    assert list(function_definition("f", arrow)["arrow"]["domain"]["fields"]) == ["x"]


def test_callback_without_arguments_has_a_nil_domain():
    check(
        type_definition(t.Arrow((), (t.STRING,))),
        {"domain": {"tag": "nil"}, "codomain": {"items": [STRING], "tag": "unlabeledProduct"}, "tag": "arrow"},
    )


def test_callback_arguments_are_labelled_only_if_the_type_labels_them():
    assert type_definition(t.Arrow(((None, t.STRING),), ()))["domain"] == {"items": [STRING], "tag": "unlabeledProduct"}
    assert type_definition(t.Arrow((("s", t.STRING),), ()))["domain"]["fields"] == {"s": STRING}


def test_small_struct_keeps_name_order():
    assert list(type_definition(struct("P", "d", "c", "b", "a"))["fields"]) == ["a", "b", "c", "d"]


def test_fifth_field_turns_the_order_into_that_of_a_hash_trie():
    fields = type_definition(struct("P", "alpha", "beta", "gamma", "delta", "epsilon", "zeta"))["fields"]
    assert list(fields) == ["alpha", "zeta", "epsilon", "gamma", "delta", "beta"]


def test_special_types():
    check(type_definition(t.TOP), {"tag": "topType"})
    check(type_definition(t.NIL_TYPE), {"type": {"tag": "bottomType"}, "tag": "option"})
    check(type_definition(t.UNSIGNED), {"name": "unsigned", "tag": "scalar"})
    check(type_definition(t.Array(t.Array(t.I32)))["type"], {"type": {"name": "i32", "tag": "scalar"}, "tag": "array"})


def test_service_with_and_without_id():
    service = t.ServiceType("S", (("ping", t.Arrow((), ())),))
    methods = {
        "fields": {"ping": {"domain": {"tag": "nil"}, "codomain": {"tag": "nil"}, "tag": "arrow"}},
        "tag": "labeledProduct",
    }
    check(service_definition(service, None), {"functions": methods})
    check(service_definition(service, '"my-srv"'), {"defaultServiceId": "my-srv", "functions": methods})


def test_types_that_share_parts_cost_time_linear_in_their_definitions():
    type_ = struct("T0", "a")
    for i in range(60):
        type_ = t.Struct(f"T{i + 1}", (("l", type_), ("r", type_)))
    assert type_definition(type_)["name"] == "T60"
