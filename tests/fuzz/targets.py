"""What the byte-level fuzzers throw bytes at: readers of everything a stranger can send. Each checks its whole contract.

A target takes bytes and raises nothing for any of them; what it finds wrong is an AssertionError or any other exception.
Used by: `run_atheris` (coverage-guided) and `test_smoke` (random mutations of the seeds).
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from typing import Final, TypeVar

from avm import Avm, RunParameters
from avm.air import parse
from avm.air.printer import print_script
from avm.air.validate import validate
from avm.air.walk import same_shape
from avm.call_data import NO_RESULTS, CallDataError, decode_call_results, encode_call_results
from avm.data import canonical_json
from avm.data.archive_reader import ArchiveError, read_archive
from avm.data.archive_writer import write_archive
from avm.data.envelope import EnvelopeError, read_envelope
from avm.data.human import HumanViewError, to_human_readable_data
from avm.ir.lower import lower
from avm.ir.unread import unread_program
from avm.jit import library
from avm.jit.kernels import json_text
from avm.outcome import CallResult, Outcome
from runtime.sim.air_scripts import valid_script
from tests.fuzz.avm_history import IDS, SEEDS, Invocation, play

Value = TypeVar("Value")
DEEPEST_PRINTED: Final = 200
SCRIPT: Final = (
    f'(seq (call "{IDS["A"]}" ("s" "obj") [1] x) (par (call "{IDS["B"]}" ("s" "id") [x.$.a] $s) '
    f'(seq (canon "{IDS["A"]}" $s #c) (fold $s i (seq (ap i $t) (next i))))))'
)
PARAMETERS: Final = RunParameters(IDS["A"], IDS["A"], 1_700_000_000_000, 7000, "fuzz-0", SEEDS["A"])
_avm: Final = Avm("jit")


def air(data: bytes) -> None:
    """Any text has a tree or a report; a tree is valid and survives printing."""
    text = data.decode("utf-8", "replace")
    result = parse(text)
    assert (result.instruction is None) == bool(result.labels)
    assert bool(result.report) == bool(result.labels)
    kernels = library.get()
    native = None if kernels is None else unread_program(text, kernels, {})
    if result.instruction is None:
        assert native is None
        return
    if native is not None:
        assert native.reader is not None
        assert list(native.reader.ops) == lower(result.instruction).code
    assert validate(result.instruction) == ()
    if text.count("(") < DEEPEST_PRINTED:
        again = parse(print_script(result.instruction)).instruction
        assert again is not None
        assert same_shape(again, result.instruction)


def envelope(data: bytes) -> None:
    """An envelope or EnvelopeError; the view for people likewise."""
    found = attempt(read_envelope, data, EnvelopeError)
    assert found is None or len(found.inner) <= len(data)
    attempt(to_human_readable_data, data, HumanViewError)


def archive(data: bytes) -> None:
    """Data or ArchiveError; data survive writing."""
    decoded = attempt(read_archive, data, ArchiveError)
    if decoded is None:
        return
    texts = [*decoded.stores.values.values(), *decoded.stores.values]
    if any("\ufffd" in text for text in texts):
        return  # two pointers into one text, of which one ends inside a character
    again = read_archive(write_archive(decoded))
    assert again.trace == decoded.trace
    assert again.stores == decoded.stores
    assert again.signatures == decoded.signatures


def call_results(data: bytes) -> None:
    """Results or CallDataError; results survive encoding."""
    found = attempt(decode_call_results, data, CallDataError)
    if found is not None:
        assert decode_call_results(encode_call_results(found)) == found


def json(data: bytes) -> None:
    """A value or JsonError; the canonical text of a value is read back, though its floats may change once more.

    The kernel writes that very text, or none.
    """
    text = data.decode("utf-8", "replace")
    native = canonical_natively(text.encode())
    try:
        value = canonical_json.parse(text)
    except canonical_json.JsonError:
        assert native is None
        return
    canonical = canonical_json.dumps(value)
    assert native is None or native == canonical.encode()
    canonical_json.parse(canonical)


def canonical_natively(text: bytes) -> bytes | None:
    """The canonical text the kernel writes, None if it leaves that to Python or there is none."""
    kernels = library.get()
    if kernels is None:
        return None
    size = len(text)
    buffer = array("B", text + bytes(2 * size))
    end = kernels.canonical(buffer, 0, size, size, array("q", bytes(8 * json_text.STACK_LONGS)))
    return None if end < 0 else buffer[size:end].tobytes()


def attempt(read: Callable[[bytes], Value], data: bytes, refusal: type[Exception]) -> Value | None:
    """What a reader makes of the bytes, None when it refuses them; a refusal says why."""
    try:
        return read(data)
    except refusal as error:
        complaint = str(error)
    assert complaint
    return None


def current_data(data: bytes) -> None:
    """A whole run on received data."""
    check_outcome(_avm.invoke(SCRIPT, b"", data, PARAMETERS, NO_RESULTS), b"")


def prev_data(data: bytes) -> None:
    """A whole run on stored data, which is trusted and so gets further."""
    check_outcome(_avm.invoke(SCRIPT, data, b"", PARAMETERS, NO_RESULTS), data)


def results(data: bytes) -> None:
    """A whole run on call results."""
    check_outcome(_avm.invoke(SCRIPT, b"", b"", PARAMETERS, data), b"")


def script(data: bytes) -> None:
    """A whole run of any text."""
    check_outcome(_avm.invoke(data.decode("utf-8", "replace"), b"", b"", PARAMETERS, NO_RESULTS), b"")


def check_outcome(outcome: Outcome, prev: bytes) -> None:
    """The classes of outcomes: what each may contain."""
    code = outcome.ret_code
    assert code == 0 or 1 <= code <= 10 or 10000 <= code <= 10012 or 20000 <= code <= 20021 or code == 30000, code
    assert bool(outcome.error_message) == (code != 0)
    assert len(set(outcome.next_peer_pks)) == len(outcome.next_peer_pks)
    if 1 <= code <= 10 or (code >= 20000 and code != 30000):
        assert outcome.data == prev or (code == 20001 and not outcome.data)
        assert not outcome.next_peer_pks
        assert not outcome.call_requests
    else:
        assert outcome.data


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (air, envelope, archive, call_results, json, current_data, prev_data, results, script)
}


# ── seeds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def seeds(name: str) -> list[bytes]:
    """Inputs to mutate for a target: honest ones."""
    if name in {"air", "script"}:
        return [valid_script(random.Random(seed), list(IDS.values()), 12).encode() for seed in range(12)]
    if name in {"call_results", "results"}:
        return [NO_RESULTS, encode_call_results({"1": CallResult(0, '{"a":[1]}'), "2": CallResult(-1, "é" * 40)})]
    if name == "json":
        return [
            b'{"a":[1,-2.5e3,"\\u00e9\\ud83d\\ude00",null,true],"b":{}}',
            b"123456789012345678901234567890.5e-7",
            b'"\x7f"',
        ]
    found: list[bytes] = []

    def invoke(step: Invocation) -> Outcome:
        outcome = _avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)
        if outcome.data:
            found.append(outcome.data)
        return outcome

    play(SCRIPT, 0, 12, invoke)
    chosen = sorted(set(found), key=len)[-4:]
    return [read_envelope(data).inner for data in chosen] if name == "archive" else chosen
