"""One run from bytes to bytes: order of checks, classes of outcomes, limits, caches."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import avm
from avm import Avm, CallResult, Outcome, RunParameters
from avm.caches import Caches
from avm.call_data import NO_REQUESTS, NO_RESULTS, encode_call_results
from avm.crypto.keys import KeyPair
from avm.data.codec import decode, encode
from avm.data.envelope import Versions, read_envelope, write_envelope
from avm.data.interpreter_data import InterpreterData
from avm.exec.context import VmOptions
from avm.limits import DATA_CACHE_ENTRIES, PROGRAM_CACHE_ENTRIES

PAIR = KeyPair(bytes(range(32)))
OTHER = KeyPair(bytes(range(1, 33)))
PARAMS = RunParameters(
    init_peer_id=PAIR.peer_id,
    current_peer_id=PAIR.peer_id,
    timestamp=1,
    ttl=2,
    particle_id="particle",
    secret_key_bytes=bytes(range(32)),
)
CALL = '(call %init_peer_id% ("s" "f") [1 "x"] x)'
INVALID = "(nul"
OTHERS = encode(InterpreterData(interpreter_version="0.63.0"))
NO_ARCHIVE = b"\x82\xa7version\xa60.17.2\xb3interpreter_version\xa60.62.0"
OLD = encode(InterpreterData(interpreter_version="0.60.0"))


def run(air: str = CALL, prev: bytes = b"", data: bytes = b"", results: Any = NO_RESULTS, **params: Any) -> Outcome:
    return Avm().invoke(air, prev, data, dataclasses.replace(PARAMS, **params), results)


def check(outcome: Outcome, code: int, message: str = "") -> None:
    assert (outcome.ret_code, outcome.error_message[: len(message)]) == (code, message), outcome.error_message


def check_refused(outcome: Outcome, code: int, message: str, prev: bytes) -> None:
    """A run that did not happen: the previous data stay, nothing is asked of anyone."""
    check(outcome, code, message)
    assert (outcome.data, outcome.next_peer_pks, outcome.call_requests_bytes) == (prev, (), NO_REQUESTS)


def test_request_then_result() -> None:
    first = run()
    check(first, 0)
    assert first.ok
    assert first.call_requests[1].arguments == [1, "x"]
    second = run(prev=first.data, results={1: CallResult(0, '{"b": 1.50, "a": 2}')})
    check(second, 0)
    assert list(decode(second.data).stores.values.values()) == ['{"a":2,"b":1.5}']
    third = run(data=second.data, current_peer_id=OTHER.peer_id, secret_key_bytes=bytes(range(1, 33)))
    check(third, 0)
    assert decode(third.data).signatures.keys() == {PAIR.public_key, OTHER.public_key}


@pytest.mark.parametrize("engine", avm.interpreter.ENGINES)
@pytest.mark.parametrize("code", [2**31, -(2**31) - 1, 2**64, -(2**70)])
def test_codes_beyond_i32_are_refused_where_results_come_as_a_mapping_too(engine: str, code: int) -> None:
    first = run()
    results = {1: CallResult(code, '"m"')}
    outcome = Avm(engine).invoke(CALL, first.data, b"", PARAMS, results)
    text = f'Format(Syntax("invalid value: integer `{code}`, expected i32"))'
    check_refused(outcome, 5, f"error occurred while deserialize call results: {text}.", first.data)
    if -(2**63) <= code < 2**64:
        assert Avm(engine).invoke(CALL, first.data, b"", PARAMS, encode_call_results(results)) == outcome


def test_long_arguments_are_known_without_being_read() -> None:
    text = "x" * 1000
    script = f'(call "{PARAMS.current_peer_id}" ("s" "f") ["{text}"] x)'
    for engine in ("jit", "interp"):
        (request,) = Avm(engine).invoke(script, b"", b"", PARAMS, NO_RESULTS).call_requests.values()
        assert (request.is_longer_than(990), request.is_longer_than(1010)) == (True, False)
        assert request.arguments == [text]
        assert (request.is_longer_than(990), request.is_longer_than(1010)) == (True, False)


def test_binary_and_mapped_results_are_the_same() -> None:
    prev = run().data
    results = {1: CallResult(0, "1")}
    assert run(prev=prev, results=results) == run(prev=prev, results=encode_call_results(results))
    assert run(prev=prev, results={"1": CallResult(0, "1")}) == run(prev=prev, results=results)


def test_shared_instance() -> None:
    assert avm.invoke(CALL, b"", b"", PARAMS, NO_RESULTS) == run()


def test_same_input_same_bytes() -> None:
    script = '(par (call "peer1" ("s" "f") [] x) (par (call "peer2" ("s" "f") [] y) (ap 1 $s)))'
    assert run(script).data == run(script).data


def test_order_of_checks() -> None:
    broken_archive = write_envelope(b"x" * 60, Versions("0.17.2", "0.62.0"))
    bad: dict[str, Any] = {
        "air": INVALID,
        "prev": b"\xc1",
        "data": OLD,
        "results": b"",
        "key_format": 1,
        "hard_limit_enabled": True,
        "air_size_limit": 0,
    }
    # one defect less each time, and the next check speaks
    check_refused(run(**bad), 10, "air size: 4 bytes is bigger than the limit allowed: 0 bytes", bad["prev"])
    bad["air_size_limit"] = 4
    check_refused(run(**bad | {"particle_size_limit": 1}), 10, "Current_data particle size: ", bad["prev"])
    check_refused(run(**bad), 3, "an error occurred while envelope deserialization: Envelope(", bad["prev"])
    bad["prev"] = broken_archive
    check_refused(run(**bad), 6, "supplied data was produced by `0.60.0` version", bad["prev"])
    bad["data"] = b""
    check_refused(run(**bad), 2, "an error occurred while data deserialization: Data(", bad["prev"])
    bad["prev"] = encode(InterpreterData(signatures={b"\0short": b""}))
    check_refused(run(**bad), 9, 'malformed key: "', bad["prev"])
    bad["prev"] = OLD  # the version of previous data is not looked at
    check_refused(run(**bad), 1, "air can't be parsed:\n", bad["prev"])
    bad |= {"air": CALL, "air_size_limit": 100}
    check_refused(run(**bad), 5, "error occurred while deserialize call results: VarInt(Insufficient).", bad["prev"])
    bad |= {"results": {1: CallResult(0, "1")}, "call_result_size_limit": 0}
    check_refused(run(**bad), 10, "Call result size", bad["prev"])
    bad |= {"results": NO_RESULTS}
    check_refused(run(**bad), 7, "malformed keypair format: invalid key data: Invalid type prefix", bad["prev"])
    bad["key_format"] = 0
    check(run(**bad), 0)


@pytest.mark.parametrize(("version", "own"), [("0.62", "0.62.0"), ("0.64.1", "0.64.1")])
def test_an_interpreter_names_its_own_version(version: Any, own: str) -> None:
    """In the data it writes, also where most bytes of arrived data are copied, and where it refuses data."""
    vm = Avm(options=VmOptions(version=version))
    first = vm.invoke(CALL, b"", b"", PARAMS, NO_RESULTS).data
    for prev, data in ((b"", b""), (first, b""), (b"", first), (b"", OTHERS)):
        outcome = vm.invoke(CALL, prev, data, PARAMS, NO_RESULTS)
        assert read_envelope(outcome.data).versions == ("0.17.2", own)
    for data, code in ((write_envelope(b"", Versions("0.17.2", "0.62.0")), 2), (b"\xc1", 3), (NO_ARCHIVE, 4)):
        for sides in ((data, b""), (b"", data)):
            outcome = vm.invoke(CALL, *sides, PARAMS, NO_RESULTS)
            check(outcome, code)
            assert f"version is {own} and it expects" in outcome.error_message


def test_limits_on_both_sides() -> None:
    prev = run().data
    result = {1: CallResult(0, '"é"')}
    exact = run(prev=prev, results=result, call_result_size_limit=4, air_size_limit=len(CALL), particle_size_limit=0)
    assert not (exact.air_size_limit_exceeded)
    assert not (exact.call_result_size_limit_exceeded)
    soft = run(prev=prev, results=result, call_result_size_limit=3, air_size_limit=len(CALL) - 1)
    check(soft, 0)
    assert soft.air_size_limit_exceeded
    assert soft.call_result_size_limit_exceeded
    hard = run(prev=prev, results=result, call_result_size_limit=3, hard_limit_enabled=True)
    check_refused(hard, 10, "Call result size is bigger than the limit allowed: 3 bytes", prev)
    assert hard.call_result_size_limit_exceeded
    arrived = run(data=prev, particle_size_limit=len(prev) - 1)
    assert arrived.particle_size_limit_exceeded


def test_unused_results() -> None:
    unused = run("(null)", results={7: CallResult(0, "1")})
    check(
        unused,
        30000,
        "after finishing execution of supplied AIR, there are some unprocessed call results: "
        '`{"7": CallServiceResult { ret_code: 0, result: "1" }}`, probably a wrong call_id used',
    )
    assert decode(unused.data).signatures
    prev = run().data
    for stray in ("01", "+1", "", "1 ", "١", "99999999999999999999"):
        check(run(prev=prev, results={stray: CallResult(0, "1")}), 30000)


def test_uncatchable_error_keeps_previous_data() -> None:
    prev = run().data
    outcome = run("(ap 1 $s)", prev=prev)
    check_refused(outcome, 20000, "on instruction 'ap 1 $s' trace handler encountered an error: ", prev)


def test_escaped_error_gives_new_data() -> None:
    outcome = run('(seq (par (call "peer" ("s" "f") []) (null)) (fail 5 "no"))')
    check(outcome, 10006)
    assert outcome.next_peer_pks == ("peer",)
    assert len(decode(outcome.data).trace) == 2


def test_signature_of_a_foreign_key_is_found_out_later() -> None:
    foreign = bytes(range(1, 33))
    prev = run(secret_key_bytes=foreign).data
    outcome = run(prev=prev, results={1: CallResult(0, "1")}, secret_key_bytes=foreign)
    check(outcome, 0)
    check_refused(run(data=outcome.data), 9, "peer_id doens't match any available public key", b"")


def test_unknown_engine() -> None:
    with pytest.raises(ValueError, match="no engine `warp`"):
        Avm("warp")


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=30), st.text(max_size=20))
def test_noise_never_raises(prev: bytes, data: bytes, results: bytes, air: str) -> None:
    assert run(air, prev, data, results).ret_code in range(11)
    assert run("(null)", b"", read_envelope(OLD).inner + data, NO_RESULTS).ret_code in range(1, 11)


def test_reused_data_change_nothing() -> None:
    """The interpreter recognises its own outputs; that must not show."""
    kept, fresh = Avm(), [Avm() for _ in range(3)]
    script = f"(seq (seq {CALL} (canon %init_peer_id% $s #c)) (ap x $s))"
    prev = b""
    for step, vm in enumerate(fresh):
        results = {step: CallResult(0, str(step))} if step else NO_RESULTS
        outcomes = [engine.invoke(script, prev, b"", PARAMS, results) for engine in (kept, kept, vm)]
        assert outcomes[0] == outcomes[1] == outcomes[2]
        prev = outcomes[0].data


def test_caches_are_bounded() -> None:
    caches = Caches()
    for index in range(2 * PROGRAM_CACHE_ENTRIES):
        caches.program(f'(ap "{index}" x)')
    assert len(caches._programs) == PROGRAM_CACHE_ENTRIES
    for index in range(2 * DATA_CACHE_ENTRIES):
        data = InterpreterData(last_call_request_id=index)
        caches.remember(encode(data), data)
    assert len(caches._data) == DATA_CACHE_ENTRIES
    assert caches.decoded(encode(InterpreterData(last_call_request_id=0))) is None
    last = InterpreterData(last_call_request_id=2 * DATA_CACHE_ENTRIES - 1)
    found = caches.decoded(encode(last))
    assert found is not None
    assert found.data == last


def test_importing_the_package_loads_nothing() -> None:
    probe = "import avm, sys; print(sum(name.startswith(('avm.', 'msgpack', 'cryptography', 'blake3')) for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert {"Avm", "invoke", "Outcome"} <= set(dir(avm))
