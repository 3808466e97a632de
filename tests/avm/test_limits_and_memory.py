"""Depth, length and size: what the VM takes, in how much memory, and that announced counts cost nothing.

Large runs have a process of their own, with Python's recursion limit at 120, and report its peak of resident memory.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from avm.call_data import CallDataError, decode_call_results
from avm.crypto.cid import json_cid
from avm.data.archive_reader import ROOT_SIZE, ArchiveError, read_archive
from avm.data.archive_writer import write_archive
from avm.data.envelope import EnvelopeError, read_envelope
from avm.data.interpreter_data import CanonResult, InterpreterData, Stores, Tetraplet
from avm.trace.states import AP, FOLD

ROOT = Path(__file__).parents[2]
MIB = 1 << 20

MILLION_STATES_MIB = 700
"""A run whose previous data hold a million states, half of them open `par`s at once: 24 MiB of data."""

MEGABYTE_PARTICLE_MIB = 100
"""A run that receives a particle of one megabyte and 2000 states."""

PRELUDE = """
import json, resource, sys
from avm import Avm, CallResult, RunParameters
from avm.crypto.keys import KeyPair
KEY = KeyPair(bytes(32))
PARAMS = RunParameters(KEY.peer_id, KEY.peer_id, 1, 2, "p", bytes(32))
sys.setrecursionlimit(120)
def invoke(air, prev_data=b"", results={}):
    return Avm().invoke(air, prev_data, b"", PARAMS, results)
def report(*facts):
    # what getrusage says on Linux includes the parent's memory at the time of the fork
    try:
        peak = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([peak >> 20, *facts]))
"""

NESTED = (
    PRELUDE
    + """
before, after, around, count = *sys.argv[1:4], int(sys.argv[4])
heads = "".join([before.replace("@", str(number)) for number in range(count)])
air = around.replace("@", heads + "(null)" + after * count)
outcome = invoke(air)
again = invoke(air, outcome.data)
report(outcome.ret_code, outcome.error_message, again.ret_code, again.data == outcome.data)
"""
)

FOLD_100_000 = (
    PRELUDE
    + """
AIR = '(seq (call %init_peer_id% ("s" "f") [] l) (fold l i (seq (ap i x) (next i))))'
asked = invoke(AIR)
result = invoke(AIR, asked.data, {1: CallResult(0, json.dumps(list(range(100_000))))})
report(result.ret_code, result.error_message)
"""
)

MAKE_MILLION = (
    PRELUDE
    + """
from avm.data.cid_store import cid_of, service_result_json, tetraplet_json
from avm.data.codec import encode
from avm.data.interpreter_data import InterpreterData, ServiceResult, Stores, Tetraplet
from avm.trace.states import PAR, SCALAR, UNUSED
count = 500_000
items = "[" + ",".join(["1"] * count) + "]"
tetraplet = Tetraplet(KEY.peer_id, "s", "f", "")
result = ServiceResult(cid_of(items), cid_of("[]"), cid_of(tetraplet_json(tetraplet)))
cid = cid_of(service_result_json(result))
trace = [(SCALAR, cid)]
for index in range(count):
    trace += ((PAR, 1, 2 * (count - 1 - index)), (UNUSED, cid_of("1")))
stores = Stores({result.value_cid: items}, {result.tetraplet_cid: tetraplet}, {}, {}, {cid: result})
open(sys.argv[1], "wb").write(encode(InterpreterData(trace, 0, stores, {KEY.public_key: bytes(65)})))
"""
)

RUN_MILLION = (
    PRELUDE
    + """
from avm.data.codec import decode
AIR = '''(seq (call %init_peer_id% ("s" "f") [] l)
              (fold l i (par (call %init_peer_id% ("s" "g") [1]) (next i))))'''
data = open(sys.argv[1], "rb").read()
outcome = invoke(AIR, data)
report(outcome.ret_code, outcome.error_message, decode(outcome.data).trace == decode(data).trace)
"""
)

RUN_MEGABYTE = (
    PRELUDE
    + """
import base64
case = json.load(sys.stdin)
params = RunParameters(secret_key_bytes=bytes.fromhex(case["key_seed"]), **case["params"])
data = base64.b64decode(case["current_data"])
outcome = Avm().invoke(case["air"], b"", data, params, {})
report(outcome.ret_code, outcome.error_message, len(data))
"""
)


def check(program: str, *args: str, text: str = "") -> list[object]:
    """Run a program of its own; what it reports: the peak in MiB, then facts."""
    done = subprocess.run(
        [sys.executable, "-c", program, *args], cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    facts: list[object] = json.loads(done.stdout) if done.stdout else []
    return facts


# ── depth and length ─────────────────────────────────────────────────────────────────────────────────────────────────


CANON = "(seq (ap 1 $s) (seq (canon %init_peer_id% $s #l) @))"
STREAM = "(seq (ap 1 $s) @)"
MAP = '(seq (ap ("k" 1) %m) @)'
NESTS = {
    "seq right": ("(seq (null) ", ")", "@"),
    "seq left": ("(seq ", " (null))", "@"),
    "par right": ("(par (null) ", ")", "@"),
    "par left": ("(par ", " (null))", "@"),
    "xor left": ("(xor ", " (null))", "@"),
    "xor right": ('(xor (fail 1 "e") ', ")", "@"),
    "new stream": ("(new $s ", ")", "@"),
    "new map": ("(new %m ", ")", "@"),
    "new scalar": ("(new x ", ")", "@"),
    "new canon": ("(new #c ", ")", "@"),
    "match": ("(match 1 1 ", ")", "@"),
    "mismatch": ("(mismatch 1 2 ", ")", "@"),
    "fold over a canon stream": ("(fold #l i@ ", ")", CANON),
    "fold, last instruction": ("(fold #l i@ (next i@) ", ")", CANON),
    "fold over a stream": ("(fold $s i@ ", ")", STREAM),
    "fold over a stream, last instruction": ("(fold $s i@ (next i@) ", ")", STREAM),
    "fold over a map": ("(fold %m i@ ", ")", MAP),
}
"""What stands before and after the next inner instruction, and around all."""


def nested(kind: str, count: int) -> int:
    """Run `count` of them inside each other, twice; the peak in MiB."""
    peak, code, message, again, same = check(NESTED, *NESTS[kind], str(count))
    assert (code, message, again, same) == (0, "", 0, True)
    assert isinstance(peak, int)
    return peak


@pytest.mark.parametrize("kind", ["par left", "xor right", "fold over a stream", "new scalar"])
def test_a_thousand_nested_instructions(kind: str) -> None:
    """Many more than the recursion limit of that process."""
    assert nested(kind, 1000) < MEGABYTE_PARTICLE_MIB


@pytest.mark.slow
@pytest.mark.parametrize("kind", NESTS)
def test_ten_thousand_nested_instructions(kind: str) -> None:
    assert nested(kind, 10_000) < MEGABYTE_PARTICLE_MIB


@pytest.mark.slow
def test_hundred_thousand_iterations() -> None:
    peak, code, message = check(FOLD_100_000)
    assert (code, message) == (0, "")
    assert isinstance(peak, int)
    assert peak < 2 * MEGABYTE_PARTICLE_MIB


@pytest.mark.slow
def test_million_states(tmp_path: Path) -> None:
    check(MAKE_MILLION, str(tmp_path / "data"))
    peak, code, message, same = check(RUN_MILLION, str(tmp_path / "data"))
    assert (code, message, same) == (0, "", True)
    assert isinstance(peak, int)
    assert peak < MILLION_STATES_MIB


@pytest.mark.slow
def test_megabyte_particle() -> None:
    from tests.conformance.runner import default_files, read_cases

    (path,) = [path for path in default_files("interpreter-data") if path.name.startswith("large.")]
    (case,) = [case for case in read_cases(path) if case["id"] == "large/many-1000/cur-B"]
    peak, code, message, size = check(RUN_MEGABYTE, text=json.dumps(case))
    assert (code, message) == (0, "")
    assert isinstance(size, int)
    assert isinstance(peak, int)
    assert size > 1_000_000
    assert peak < MEGABYTE_PARTICLE_MIB


# ── announced counts ─────────────────────────────────────────────────────────────────────────────────────────────────

HUGE = 2**32 - 1
ALLOCATED_MAX = MIB // 4
"""What reading hostile bytes may allocate beside the bytes themselves."""


def refused(
    read: Callable[[bytes], object], data: bytes, error: type[Exception], allocated_max: int = ALLOCATED_MAX
) -> None:
    """The bytes are refused at the cost of next to nothing."""
    read_archive(write_archive(InterpreterData()))  # imports and caches are not counted
    tracemalloc.start()
    try:
        with pytest.raises(error):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < allocated_max + len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", [1, 3, 1 << 20, 2**31, HUGE])
@pytest.mark.parametrize("field", [4, 16, 24, 32, 40, 48, 56])
def test_counts_of_the_root(field: int, count: int) -> None:
    """Trace, five stores, signatures: more entries than there are bytes."""
    archive = bytearray(write_archive(InterpreterData()))
    struct.pack_into(">I", archive, len(archive) - ROOT_SIZE + field, count)
    refused(read_archive, bytes(archive), ArchiveError)


def test_counts_inside() -> None:
    """Generations of an ap, iterations of a fold, their descriptors, values of a canon."""
    data = InterpreterData(
        trace=[(AP, (0x11111111,)), (FOLD, ((0x22222222, 1, 2, 3, 4),))],
        stores=Stores(canon_results={"k": CanonResult("t", ("v",))}),
    )
    archive = write_archive(data)
    assert read_archive(archive) == data
    one = struct.pack(">I", 1)
    two = struct.pack(">I", 2)
    edits = 0
    for word in (one, two):
        at = archive.find(word)
        while at >= 0:
            if at % 4 == 0:
                for count in (1 << 20, HUGE):
                    edited = archive[:at] + struct.pack(">I", count) + archive[at + 4 :]
                    edits += _refused_or_number(edited)
            at = archive.find(word, at + 1)
    assert edits >= 8


def _refused_or_number(archive: bytes) -> bool:
    """Whether an edited archive is refused; an edit may also hit a plain number, which is then read as it stands."""
    try:
        read_archive(archive)
    except ArchiveError:
        refused(read_archive, archive, ArchiveError)
        return True
    return False


@pytest.mark.parametrize("size", ["ffffffff", "7fffffff", "00ffffff"])
@pytest.mark.parametrize("marker", ["c6", "db", "dd"])
def test_sizes_of_the_envelope(marker: str, size: str) -> None:
    """The archive as bin, str or array that says it is huge."""
    head = b"\x81\xaainner_data"
    refused(read_envelope, head + bytes.fromhex(marker + size), EnvelopeError)


@pytest.mark.parametrize(
    "body", ["dfffffffff", "dfffffffffa131", "81a131ddffffffff", "81a13192dbffffffff", "81dbffffffff"]
)
def test_sizes_of_call_results(body: str) -> None:
    refused(decode_call_results, b"\x81\x04" + bytes.fromhex(body), CallDataError)


# ── shared text ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_overlapping_strings_are_not_multiplied() -> None:
    """A canon result whose values all point at one text, each with another length: 0.4 GB if each were copied."""
    size, count = 32_000, 16_000
    text = b"a" * size
    base = len(text)
    values = b"".join(struct.pack(">iI", -base - 8 * index, size - index) for index in range(count))
    at = base + len(values)
    struct_bytes = struct.pack(">iIiI", -at, size, base - at - 8, count)
    entry_at = at + len(struct_bytes)
    entry = struct.pack(">iIi", -entry_at, size, at - entry_at - 8)
    root_at = entry_at + len(entry)
    words = [0] * 15
    for index in range(5):
        words[3 + 2 * index] = entry_at - (root_at + 12 + 8 * index)
    words[9] = entry_at - (root_at + 36)
    words[10] = 1
    words[0] = -root_at
    words[3], words[5], words[7] = -root_at - 12, -root_at - 20, -root_at - 28
    words[11], words[13] = root_at - (root_at + 44), root_at - (root_at + 52)
    archive = text + values + struct_bytes + entry + struct.pack(">iIIiIiIiIiIiIiI", *words)
    refused(read_archive, archive, ArchiveError, 2 * len(archive))


def test_empty_text_before_another() -> None:
    """The reference gives an empty text no bytes: it stands where the next text begins. Both are read as written."""
    value = "[]"
    tetraplet = Tetraplet("p", "", "", "")
    data = InterpreterData(stores=Stores(values={json_cid(value.encode()): value}, tetraplets={"": tetraplet}))
    assert read_archive(write_archive(data)) == data
