"""Services of a client: results and error texts, as js-client has them."""

from __future__ import annotations

import json

import pytest
import trio
import trio.testing

from avm.data.interpreter_data import Tetraplet
from avm.outcome import CallRequest
from runtime.clock import LoopClock
from runtime.core.particle import new_particle
from runtime.protocol.identity import named_identity
from runtime.services import js_json
from runtime.services.client import ClientServices
from runtime.services.registry import CallContext, ServiceError

ME = named_identity("client")
OTHER = named_identity("other")


def call(service, function, *args, author=ME, tetraplets=None, prepare=None, console=None):
    """One call on a client. Returns (ret_code, value)."""

    async def main():
        services = ClientServices(ME, LoopClock(), (console if console is not None else []).append)
        particle = new_particle(author, particle_id="p", timestamp=1, ttl=1, script="(null)")
        if prepare:
            prepare(services, particle)
        context = CallContext(particle, ME.peer_id, ME.peer_id, service, function, tetraplets or [])
        return await services.call(CallRequest(service, function, list(args), []), context)

    result = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return result.ret_code, json.loads(result.result)


RESULTS = [
    ("op", "noop", [], {}),
    ("op", "identity", [], {}),
    ("op", "identity", [None], None),
    ("op", "array", [1, "x"], [1, "x"]),
    ("op", "concat", [[1], ["x"]], [1, "x"]),
    ("op", "concat_strings", ["a", "b"], "ab"),
    ("op", "array_length", [[1]], 1),
    ("op", "string_to_b58", ["hello"], "Cn8eVZg"),
    ("op", "string_from_b58", ["Cn8eVZg"], "hello"),
    ("op", "string_from_b58", ["5Q"], "\ufffd"),
    ("op", "bytes_to_b58", [[256, 0, -255, 255]], "119p"),
    ("op", "bytes_from_b58", ["119p"], [0, 0, 1, 255]),
    ("op", "sha256_string", ["hello"], "QmRN6wdp1S2A5EtjW9A3M1vKSBuQQGcgvuhoMUoEz4iiT5"),
    ("debug", "stringify", [], '"<empty argument list>"'),
    ("debug", "stringify", [{"a": [1]}], '{\n    "a": [\n        1\n    ]\n}'),
    ("math", "add", [0.5, 0.5], 1),
    ("math", "add", [2**53, 1], 2**53),
    ("math", "sub", [1, 2.5], -1.5),
    ("math", "fmul", [-1.5, 1], -2),
    ("math", "div", [-7, 2], -4),
    ("math", "div", [1, 0], None),
    ("math", "rem", [-7, 3], -1),
    ("math", "rem", [1, 0], None),
    ("math", "pow", [2, 0.5], 2**0.5),
    ("math", "pow", [10, 400], None),
    ("math", "pow", [10, 21], 1e21),
    ("math", "log", [2, 8], 3),
    ("math", "log", [10, 0], None),
    ("cmp", "gt", [2.5, 1], True),
    ("cmp", "cmp", [1, 1.0], 0),
    ("array", "sum", [[0.1, 0.2]], 0.1 + 0.2),
    ("array", "dedup", [[1, 1.0, "1", True, None, None, {}, {}]], [1, "1", True, None, {}, {}]),
    ("array", "intersect", [[1, 2, 2, [3]], [2, [3]]], [2, 2]),
    ("array", "diff", [[1, 2, [3]], [2, [3]]], [1, [3]]),
    ("array", "sdiff", [[1, 2], [2, 3]], [1, 3]),
    ("json", "obj", ["a", 1], {"a": 1}),
    ("json", "put", [{"a": 1}, "b", None], {"a": 1, "b": None}),
    ("json", "puts", [{"a": 1}, "b", 2], {"a": 1, "b": 2}),
    ("json", "parse", ["[1]"], [1]),
    ("json", "stringify", [{"a": [1, "é"]}], '{"a":[1,"é"]}'),
    ("peer", "timestamp_ms", [], 1_700_000_000_000),
    ("peer", "timeout", [3_600_000, "done"], "done"),
    ("peer", "identify", [], {"external_addresses": [], "node_version": "js-0.23.0", "air_version": "js-0.24.2"}),
    ("sig", "get_peer_id", [], ME.peer_id),
    (ME.peer_id, "get_peer_id", [], ME.peer_id),
    ("sig", "verify", [list(ME.sign(b"a")), [97]], True),
]

UNSUPPORTED = 'The JS implementation of Peer does not support "{0}.{1}"'

ERRORS = [
    ("math", "add", [1], '("math" "add") Expected 2 argument(s). Got 1'),
    ("math", "add", [1, 2, 3], '("math" "add") Expected 2 argument(s). Got 3'),
    ("math", "add", [1, "x"], '("math" "add") Argument 1 expected to be of type number, Got string'),
    ("math", "add", [None, True], '("math" "add") Argument 0 expected to be of type number, Got null'),
    ("array", "sum", [{}], '("array" "sum") Argument 0 expected to be of type array, Got object'),
    ("array", "sum", [["x"]], '("array" "sum") Expected number, received string'),
    ("op", "identity", [1, 2], '("op" "identity") Expected 1 argument(s). Got 2'),
    ("op", "concat", [[], 1], '("op" "concat") Argument 1 expected to be of type array, Got number'),
    ("op", "concat_strings", [True], '("op" "concat_strings") Argument 0 expected to be of type string, Got boolean'),
    ("json", "obj", ["a"], '("json" "obj") Expected even number of argument(s). Got 1'),
    ("json", "obj", [1, 2], '("json" "obj") Expected string, received number'),
    ("json", "puts", [{}], '("json" "puts") Expected more than 3 argument(s). Got 1'),
    ("json", "puts", [{}, 1, 2, 3], '("json" "puts") Argument count must be odd.'),
    ("json", "puts", [[], "a", 2], '("json" "puts") Argument 0 expected to be of type object, Got array'),
    ("json", "stringify", ["x"], '("json" "stringify") Argument 0 expected to be of type object, Got string'),
    ("peer", "timeout", [1], '("peer" "timeout") Expected 2 argument(s). Got 1'),
    ("peer", "connect", [], '("peer" "connect") ' + UNSUPPORTED.format("peer", "connect")),
    ("kad", "neighborhood", ["x"], '("kad" "neighborhood") ' + UNSUPPORTED.format("kad", "neighborhood")),
    ("srv", "list", [], '("srv" "list") ' + UNSUPPORTED.format("srv", "list")),
    ("dist", "add_blueprint", [], '("dist" "add_blueprint") ' + UNSUPPORTED.format("dist", "add_blueprint")),
    ("script", "add", [], '("script" "add") ' + UNSUPPORTED.format("script", "add")),
    ("op", "string_from_b58", ["0"],
        'Service call failed. fnName="string_from_b58" serviceId="op" error: Non-base58 character'),
    ("json", "obj_pairs", [[]],
        "No service found for service call: serviceId='json', fnName='obj_pairs' args='[\n    []\n]'"),
    ("no", "where", [], "No service found for service call: serviceId='no', fnName='where' args='[]'"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "function", "args", "expected"), RESULTS)
def test_results(service, function, args, expected):
    code, value = call(service, function, *args)
    assert (code, value, type(value)) == (0, expected, type(expected))


@pytest.mark.parametrize(("service", "function", "args", "expected"), ERRORS)
def test_errors(service, function, args, expected):
    assert call(service, function, *args) == (1, expected)


def test_integral_doubles_are_integers():
    assert call("math", "add", 0.5, 0.5)[1].__class__ is int
    assert call("math", "mul", -0.0, 1)[1] == 0


def test_the_console():
    lines = []
    assert call("run-console", "print", "a b", {"x": 1}, console=lines) == (0, {})
    assert call("tracingSrv", "tracingEvent", "foo", "enter", console=lines) == (0, {})
    assert lines == ['a b {"x":1}', "[p] (foo) enter"]


def test_a_broken_service():
    def prepare(services, _):
        services.add("mine", {"boom": boom, "soon": soon})

    def boom(values, context):
        raise ValueError("kaboom")

    async def soon(values, context):
        raise ServiceError("exactly this")

    expected = 'Service call failed. fnName="boom" serviceId="mine" error: kaboom'
    assert call("mine", "boom", prepare=prepare) == (1, expected)
    assert call("mine", "soon", prepare=prepare) == (1, "exactly this")


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object(), "\ud800", {"a": b""}])
def test_results_that_are_no_json(value):
    code, text = call("mine", "f", prepare=lambda services, _: services.add("mine", {"f": lambda *_: value}))
    assert code == 1
    assert "result is not JSON" in text


def test_handlers_of_one_particle_come_first():
    def prepare(services, particle):
        services.set_particle_handlers(particle.signature, {("op", "identity"): lambda *_: "mine"})

    assert call("op", "identity", 1, prepare=prepare) == (0, "mine")
    assert call("op", "noop", prepare=prepare) == (0, {})


def made_by(service, function):
    return [[Tetraplet(ME.peer_id, service, function, "")]]


REFUSED = {"success": False, "error": ["Security guard validation failed"], "signature": []}


def test_a_client_signs_what_trusted_services_made_for_itself():
    trusted = made_by("registry", "get_key_bytes")
    expected = {"success": True, "error": [], "signature": [list(ME.sign(b"\x01"))]}
    assert call("sig", "sign", [1], tetraplets=trusted) == (0, expected)
    assert call("sig", "sign", [1], tetraplets=trusted, author=OTHER) == (0, REFUSED)
    assert call("sig", "sign", [1], tetraplets=made_by("op", "identity")) == (0, REFUSED)
    assert call("sig", "sign", [1], tetraplets=[[]]) == (0, REFUSED)
    assert call("sig", "sign", [1]) == (0, REFUSED)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (-0.0, "0"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e300, "-1.25e+300"),
        (92233720368547758070.0, "92233720368547760000"),
        (0.1, "0.1"),
        (123.456, "123.456"),
        (2**63 - 1, "9223372036854775807"),
        ([], "[]"),
        ({}, "{}"),
        ({"a": [1, True, None, "\u2028é\n"]}, '{"a":[1,true,null,"\u2028é\\n"]}'),
        (
            {"b": 1, "10": 2, "9": 3, "01": 4, "4294967294": 5, "4294967295": 6, "-1": 7, "²": {"2": 1, "0": 2}},
            '{"9":3,"10":2,"4294967294":5,"b":1,"01":4,"4294967295":6,"-1":7,"²":{"0":2,"2":1}}',
        ),
    ],
)
def test_json_texts_of_javascript(value, text):
    assert js_json.text(value) == text
