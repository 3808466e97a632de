"""Built-in services of a host: results and error texts, as the reference peer has them."""

from __future__ import annotations

import json

import pytest
import trio
import trio.testing

from avm.data.interpreter_data import Tetraplet
from avm.outcome import CallRequest
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.core.particle import new_particle
from runtime.inprocess import Fabric, address_of
from runtime.protocol.identity import named_identity
from runtime.services.host import host_services
from runtime.services.registry import CallContext

HOST = named_identity("host")
MANAGER = named_identity("manager")
STRANGER = named_identity("stranger")
HOST_ADDRESS = address_of(HOST.peer_id)


def call(service, function, *args, author=STRANGER, tetraplets=None):
    """One call on a host with a manager. Returns (ret_code, value)."""

    async def main():
        config = PeerConfig(HOST, management=frozenset([MANAGER.peer_id]))
        services = host_services(config, Fabric().endpoint(HOST.peer_id), LoopClock())
        particle = new_particle(author, particle_id="p", timestamp=1, ttl=1, script="(null)")
        context = CallContext(particle, HOST.peer_id, HOST.peer_id, service, function, tetraplets or [])
        return await services.call(CallRequest(service, function, list(args), []), context)

    result = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return result.ret_code, json.loads(result.result)


RESULTS = [
    ("op", "noop", [1, 2], ""),
    ("op", "array", ["a", 1, None, {"x": []}], ["a", 1, None, {"x": []}]),
    ("op", "array", [], []),
    ("op", "array_length", [[1, 2, 3]], 3),
    ("op", "concat", [["a", "b"], [], ["c"]], ["a", "b", "c"]),
    ("op", "concat", [], []),
    ("op", "concat_strings", ["a", "б", "🌍", ""], "aб🌍"),
    ("op", "concat_strings", [], ""),
    ("op", "identity", ["s"], "s"),
    ("op", "identity", [None], None),
    ("op", "identity", [], ""),
    ("op", "string_to_b58", ["hello", "surplus"], "Cn8eVZg"),
    ("op", "string_from_b58", ["Cn8eVZg"], "hello"),
    ("op", "bytes_to_b58", [[0, 0, 1, 255]], "119p"),
    ("op", "bytes_from_b58", ["119p"], [0, 0, 1, 255]),
    ("op", "sha256_string", ["hello"], "QmRN6wdp1S2A5EtjW9A3M1vKSBuQQGcgvuhoMUoEz4iiT5"),
    ("op", "sha256_string", ["hello", [False], None], "QmRN6wdp1S2A5EtjW9A3M1vKSBuQQGcgvuhoMUoEz4iiT5"),
    ("op", "sha256_string", ["hello", True], "42TEXg1vFAbcJ65y7qdYG9iCPvYfy3NDdVLd75akX2P5"),
    ("op", "sha256_string", ["", [], True], [18, 32, *bytes.fromhex(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]),
    ("debug", "stringify", [], '"<empty argument list>"'),
    ("debug", "stringify", ["x"], '"x"'),
    ("debug", "stringify", [{"b": [1, "q"], "a": None}], '{"a":null,"b":[1,"q"]}'),
    ("debug", "stringify", [1, "b"], '[1,"b"]'),
    ("math", "add", [2, 3], 5),
    ("math", "add", [2**63 - 1, 0], 2**63 - 1),
    ("math", "sub", [2, 3], -1),
    ("math", "mul", [-4, 3], -12),
    ("math", "fmul", [10, 0.66], 6),
    ("math", "fmul", [-1.5, 1], -2),
    ("math", "fmul", [1e300, 10], 2**63 - 1),
    ("math", "fmul", [1e300, -1e300], -(2**63)),
    ("math", "div", [7, 2], 3),
    ("math", "div", [-7, 2], -3),
    ("math", "div", [7, -2], -3),
    ("math", "div", [-7, -2], 3),
    ("math", "rem", [7, 3], 1),
    ("math", "rem", [-7, 3], -1),
    ("math", "rem", [7, -3], 1),
    ("math", "pow", [2, 10], 1024),
    ("math", "pow", [-2, 63], -(2**63)),
    ("math", "pow", [0, 0], 1),
    ("math", "pow", [-1, 4294967295], -1),
    ("math", "pow", [1, 4294967295], 1),
    ("math", "log", [2, 1024], 10),
    ("math", "log", [10, 999], 2),
    ("math", "log", [10, 1000], 3),
    ("math", "log", [7, 1], 0),
    ("cmp", "gt", [2, 1], True),
    ("cmp", "gt", [1, 1], False),
    ("cmp", "gte", [1, 1], True),
    ("cmp", "lt", [1, 2], True),
    ("cmp", "lte", [2, 1], False),
    ("cmp", "cmp", [1, 2], -1),
    ("cmp", "cmp", [2, 2], 0),
    ("cmp", "cmp", [3, 2], 1),
    ("array", "sum", [[1, 2, -5]], -2),
    ("array", "sum", [[]], 0),
    ("array", "dedup", [["b", "a", "b"]], ["b", "a"]),
    ("array", "intersect", [["a", "b", "c", "b"], ["c", "b", "d"]], ["b", "c"]),
    ("array", "diff", [["a", "b", "c", "a"], ["b"]], ["a", "c"]),
    ("array", "sdiff", [["a", "b"], ["b", "c", "c"]], ["a", "c"]),
    ("array", "slice", [[1, 2, 3, 4], 1, 3], [2, 3]),
    ("array", "slice", [[1], 1, 1], []),
    ("array", "slice", [[], 4, 2], []),
    ("array", "slice", [[], "x", None], []),
    ("array", "length", [["x"]], 1),
    ("json", "obj", ["a", 1, "b", [2]], {"a": 1, "b": [2]}),
    ("json", "obj", [], {}),
    ("json", "put", [{"a": 1}, "b", 2], {"a": 1, "b": 2}),
    ("json", "puts", [{"a": 1}, "a", 3, "c", None], {"a": 3, "c": None}),
    ("json", "puts", [{"a": 1}], {"a": 1}),
    ("json", "parse", ['{"a":[1,2.5,"x",null]}'], {"a": [1, 2.5, "x", None]}),
    ("json", "stringify", [{"a": [1, "x"]}], '{"a":[1,"x"]}'),
    ("json", "stringify", ["x"], '"x"'),
    ("json", "stringify", [None], "null"),
    ("json", "obj_pairs", [[["a", 1], ["b", "x"]]], {"a": 1, "b": "x"}),
    ("json", "puts_pairs", [{"a": 0}, [["a", 1]]], {"a": 1}),
    ("peer", "timestamp_ms", [], 1_700_000_000_000),
    ("peer", "timestamp_sec", [], 1_700_000_000),
    ("peer", "timeout", [3_600_000, "done"], "done"),
    ("peer", "timeout", [["10"], ["done"]], "done"),
    ("peer", "timeout", ["10"], ""),
    ("peer", "timeout", ["+" + "0" * 5000], ""),
    ("peer", "timeout", ["0" * 5000 + "7"], ""),
    ("peer", "is_connected", [STRANGER.peer_id], False),
    ("peer", "get_contact", [STRANGER.peer_id], ""),
    ("sig", "get_peer_id", [], HOST.peer_id),
    ("sig", "verify", [list(HOST.sign(b"ab")), [97, 98]], True),
    ("sig", "verify", [list(HOST.sign(b"ab")), [97]], False),
]  # fmt: skip

PROTECTED = "This function is only available to the host or worker spells"


def typed(text):
    """A typed error: the message in two lines."""
    return f"Error: {text}\n{text}"


ERRORS = [
    ("op", "identity", [1, 2], "identity accepts up to 1 arguments, received 2 arguments"),
    ("op", "array_length", [1], "op array_length's argument must be an array"),
    ("op", "array_length", [[], []], "op array_length accepts exactly 1 argument: 2 found"),
    ("op", "array_length", [], "op array_length accepts exactly 1 argument: 0 found"),
    ("op", "concat", [[1], 2], "all arguments of 'concat' must be arrays: argument #1 is not"),
    ("op", "concat_strings", ["a", 2], "all arguments of 'concat_strings' must be strings: argument #1 is not"),
    ("op", "string_to_b58", [], typed("Field 'string' is missing from args to call_service")),
    ("op", "string_to_b58", [1], typed("Error deserializing field 'string': expected String, got 1")),
    ("op", "string_from_b58", ["0OIl"], typed(
        "decode base58 failed: provided string contained invalid character '0' at byte 0")),
    ("op", "string_from_b58", ["aé"], typed(
        "decode base58 failed: provided string contained non-ascii character starting at byte 1")),
    ("op", "string_from_b58", ["5Q"], typed(
        "decode from bytes to UTF8 failed: invalid utf-8 sequence of 1 bytes from index 0")),
    ("op", "bytes_to_b58", [[256]], typed("Error deserializing field 'bytes': expected Vec<u8>, got [256]")),
    ("op", "bytes_to_b58", [[True]], typed("Error deserializing field 'bytes': expected Vec<u8>, got [true]")),
    ("op", "sha256_string", ["x", 1], typed("Error deserializing field 'digest_only': expected Option<bool>, got 1")),
    ("op", "sha256_string", ["x", [True, True]], typed(
        "Option's array must contain at most 1 element, 'digest_only' was of 2 elements")),
    ("op", "string_to_b58", ["x" * 16_385], "base58 functions accept up to 16384 bytes, got 16385"),
    ("math", "add", [1], "expected 2 arguments, got 1"),
    ("math", "add", [1, "2"], typed("Error deserializing field 'y': expected i64, got \"2\"")),
    ("math", "add", [1, 2.5], typed("Error deserializing field 'y': expected i64, got 2.5")),
    ("math", "add", [1.0, 2], typed("Error deserializing field 'x': expected i64, got 1.0")),
    ("math", "add", [True, 2], typed("Error deserializing field 'x': expected i64, got true")),
    ("math", "add", [2**63, 0], typed("Error deserializing field 'x': expected i64, got 9223372036854775808")),
    ("math", "add", [2**63 - 1, 1], "i64 add overflow"),
    ("math", "sub", [0, -(2**63)], "i64 neg overflow"),
    ("math", "sub", [-2, 2**63 - 1], "i64 add overflow"),
    ("math", "mul", [2**62, 2], "i64 mul overflow"),
    ("math", "fmul", ["1", 2], typed("Error deserializing field 'x': expected f64, got \"1\"")),
    ("math", "div", [1, 0], "i64 div overflow"),
    ("math", "div", [-(2**63), -1], "i64 div overflow"),
    ("math", "rem", [1, 0], "i64 rem overflow"),
    ("math", "rem", [-(2**63), -1], "i64 rem overflow"),
    ("math", "pow", [10, 19], "i64 pow overflow"),
    ("math", "pow", [2, 63], "i64 pow overflow"),
    ("math", "pow", [2, 4294967295], "i64 pow overflow"),
    ("math", "pow", [2, -1], typed("Error deserializing field 'y': expected u32, got -1")),
    ("math", "log", [1, 10], "i64 log overflow"),
    ("math", "log", [2, 0], "i64 log overflow"),
    ("cmp", "gt", [1, 2, 3], "expected 2 arguments, got 3"),
    ("array", "sum", [[1, "x"]], typed("Error deserializing field 'x': expected Vec<i64>, got [1,\"x\"]")),
    ("array", "sum", [[2**63 - 1, 1]], "i64 add overflow"),
    ("array", "sum", [], "expected 1 arguments, got 0"),
    ("array", "dedup", [[1]], typed("Error deserializing field 'x': expected Vec<String>, got [1]")),
    ("array", "diff", [[], [1]], typed(
        "Error deserializing field 'y': expected std::collections::hash::set::HashSet<String>, got [1]")),
    ("array", "length", [1], "op array_length's argument must be an array"),
    ("array", "slice", [[1, 2, 3, 4], 2, 0],
        "slice indexes out of bounds. start index: 2, end index: 0, array length: 4"),
    ("array", "slice", [[1], 0, 2], "slice indexes out of bounds. start index: 0, end index: 2, array length: 1"),
    ("array", "slice", [1, 0, 1], "first argument must be an array, was 1"),
    ("array", "slice", [{}, 0, 1], "first argument must be an array, was {}"),
    ("array", "slice", [[1], -1, 1], "second argument (start index) must be an unsigned integer, was -1"),
    ("array", "slice", [[1], 0, -1], "third argument (end index) must be an unsigned integer, was -1"),
    ("array", "slice", [[1], 0, 1.5], "third argument (end index) must be an unsigned integer, was 1.5"),
    ("array", "slice", [[1], 0], "invalid number of parameters. need array, start index and end index"),
    ("json", "obj", ["a"], "Expected odd number of arguments, got even. No value for key '\"a\"'"),
    ("json", "obj", [1, 2],
        "All keys must be of type string. Key of the following pair is of invalid type: (1, 2)"),
    ("json", "put", [[], "a", 1], typed(
        "Error deserializing field 'object': expected serde_json::map::Map<String, serde_json::value::Value>, got []")),
    ("json", "put", [{}, "a"], typed("Field 'value' is missing from args to call_service")),
    ("json", "puts", [], typed("Field 'object' is missing from args to call_service")),
    ("json", "puts_pairs", [[], []], "expected json object, got []"),
    ("json", "obj_pairs", [[["a"]]], typed(
        "Error deserializing field 'x': expected Vec<(String, serde_json::value::Value)>, got [[\"a\"]]")),
    ("json", "parse", ["{oops"], typed("error parsing json {oops")),
    ("peer", "timeout", [], typed("Field 'duration_ms' is missing from args to call_service")),
    ("peer", "timeout", [None], typed("Field 'duration_ms' is missing from args to call_service")),
    ("peer", "timeout", ["soon"], typed("Error while deserializing field duration_ms")),
    ("peer", "timeout", ["0" + str(2**64)], typed("Error while deserializing field duration_ms")),
    ("peer", "timeout", ["9" * 5000], typed("Error while deserializing field duration_ms")),
    ("peer", "timeout", [-1], typed(
        "Error deserializing field 'duration_ms': expected "
        "Option<particle_builtins::builtins::parse_from_str::Either<u64>>, got -1")),
    ("peer", "is_connected", [], typed("Field 'peer_id' is missing from args to call_service")),
    ("peer", "is_connected", ["0"], typed(
        "base-58 decode error: provided string contained invalid character '0' at byte 0")),
    ("peer", "is_connected", ["xyz"], typed("unable to decode multihash")),
    ("peer", "connect", [STRANGER.peer_id, []], PROTECTED),
    ("run-console", "print", ["x"], PROTECTED),
    ("sig", "sign", [[1, 2, 3]],
        f"peer '{STRANGER.peer_id}' is not allowed to sign data on '{HOST.peer_id}'"),
    ("nobody", "f", [], "Service with id 'nobody' not found (function f)"),
    ("op", "nothing", [], "Service with id 'op' not found (function nothing)"),
    ("kad", "neighborhood", ["x"], "Service with id 'kad' not found (function neighborhood)"),
    ("getDataSrv", "x", [], "Service with id 'getDataSrv' not found (function x)"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "function", "args", "expected"), RESULTS)
def test_results(service, function, args, expected):
    code, value = call(service, function, *args)
    assert (code, value, type(value)) == (0, expected, type(expected))


@pytest.mark.parametrize(("service", "function", "args", "expected"), ERRORS)
def test_errors(service, function, args, expected):
    assert call(service, function, *args) == (1, expected)


def test_identify():
    code, value = call("peer", "identify")
    assert code == 0
    assert list(value) == [
        "external_addresses",
        "node_version",
        "air_version",
        "spell_version",
        "allowed_binaries",
        "vm_info",
    ]
    assert value["external_addresses"] == []
    assert value["vm_info"] is None


def test_administrators_may_use_protected_functions():
    for author in (HOST, MANAGER):
        assert call("run-console", "print", "x", author=author) == (0, "")
        assert call("peer", "connect", STRANGER.peer_id, [], author=author) == (0, False)


def made_by(peer=HOST.peer_id, service="registry", function="get_record_bytes", lens=""):
    return [[Tetraplet(peer, service, function, lens)]]


def test_a_host_signs_registry_records():
    for author in (HOST, MANAGER):
        code, value = call("sig", "sign", [1, 2], author=author, tetraplets=made_by())
        assert code == 0
        assert value == {"success": True, "error": [], "signature": [list(HOST.sign(b"\x01\x02"))]}


@pytest.mark.parametrize(
    ("tetraplets", "complaint"),
    [
        (made_by(STRANGER.peer_id), f"on peer '{HOST.peer_id}', was from peer '{STRANGER.peer_id}'"),
        (made_by(service="op"), "was from 'op.get_record_bytes'"),
        (made_by(function="put"), "was from 'registry.put'"),
        (made_by(lens=".$.x"), "lens for data tetraplet is expected to be empty"),
        ([[]], "expected tetraplet for a scalar argument, got tetraplet for an array: Some([]), tetraplets"),
        ([], "expected tetraplet for a scalar argument, got tetraplet for an array: None, tetraplets"),
        (
            [made_by("p", "s", "f", 'l"')[0] * 2],
            "got tetraplet for an array: Some(["
            + ", ".join(['SecurityTetraplet { peer_pk: "p", service_id: "s", function_name: "f", lens: "l\\"" }'] * 2)
            + "]), tetraplets",
        ),
    ],
)
def test_a_host_signs_nothing_else(tetraplets, complaint):
    code, value = call("sig", "sign", [1, 2], author=HOST, tetraplets=tetraplets)
    assert code == 1
    assert complaint in value


def test_signing_what_is_no_bytes():
    code, value = call("sig", "sign", "text", author=HOST, tetraplets=made_by(service="op"))
    assert code == 0
    assert value["success"] is False
    assert 'expected Vec<u8>, got "text"' in value["error"][0]
