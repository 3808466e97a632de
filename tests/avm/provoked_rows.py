"""Runs that meet the errors no conformance case meets: damaged previous data, exhausted ids, work and text.

Previous data are a peer's own and not verified, so a damaged disk can hold any trace. Named in `docs/vm-errors.md`, and run by
the test of that page.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from avm import Avm, Outcome, RunParameters
from avm.crypto.keys import KeyPair
from avm.crypto.signatures import sign
from avm.data.cid_store import canon_result_json, cid_of, tetraplet_json
from avm.data.codec import encode
from avm.data.interpreter_data import CanonResult, InterpreterData, Stores, Tetraplet
from avm.trace.states import AP, CANON, FOLD, PAR, Trace
from runtime.reference_avm import ReferenceAvm

PAIRS = [KeyPair(bytes([number]) * 32) for number in (1, 2)]
SIZE_MAX = 2**32 - 1
PAR_AIR = "(par (null) (null))"
INNER_NEXT_AIR = "(seq (seq (ap 1 $s) (seq (ap 2 $t) (ap 3 $t))) (fold $s i (fold $t j (next i))))"
REPLACED_AIR = """(seq
    (seq (seq (ap 1 $t) (ap 2 $t)) (canon %init_peer_id% $t #t))
    (fold #t i (new $s (next i)) (ap 3 $s)))"""
FOLD_AIR = "(seq (ap 1 $s) (fold $s i (par (null) (next i))))"


Run = Callable[[Avm | ReferenceAvm], Outcome]


def run(vm: Avm | ReferenceAvm, air: str, prev: InterpreterData, current: bytes = b"") -> Outcome:
    parameters = RunParameters(PAIRS[0].peer_id, PAIRS[0].peer_id, 1, 2, "p", b"\1" * 32)
    return vm.invoke(air, encode(prev), current, parameters, {})


def trace(air: str, states: Trace) -> Run:
    """A run on this trace."""
    return lambda vm: run(vm, air, InterpreterData(trace=states))


def lore(*entries: tuple[int, ...], behind: Trace | None = None) -> Run:
    """A run of a fold over one value, on this lore."""
    return trace(FOLD_AIR, [(AP, (0,)), (FOLD, entries), *(behind or [])])


def two_canons(vm: Avm | ReferenceAvm) -> Outcome:
    """The same canon by two peers."""
    found = []
    for pair in PAIRS:
        tetraplet = Tetraplet(pair.peer_id, "", "", "")
        result = CanonResult(cid_of(tetraplet_json(tetraplet)), ())
        cid = cid_of(canon_result_json(result))
        stores = Stores(tetraplets={result.tetraplet: tetraplet}, canon_results={cid: result})
        signature = sign(pair, [cid], "p")
        found.append(InterpreterData([(CANON, cid)], stores=stores, signatures={pair.public_key: signature}))
    return run(vm, "(canon %init_peer_id% $s #c)", found[0], encode(found[1]))


def no_ids_left(vm: Avm | ReferenceAvm) -> Outcome:
    return run(vm, '(call %init_peer_id% ("s" "f") [])', InterpreterData(last_call_request_id=SIZE_MAX))


def no_steps_left(vm: Avm | ReferenceAvm) -> Outcome:
    with patch("avm.exec.machine.RUN_STEPS_MAX", 5):
        return run(vm, FOLD_AIR, InterpreterData())


def no_text_left(vm: Avm | ReferenceAvm) -> Outcome:
    with patch("avm.exec.budget.RUN_TEXT_MAX", 1500):
        return run(vm, f'(call %init_peer_id% ("s" "f") ["{"x" * 2000}"])', InterpreterData())


PROVOKED: dict[str, Run] = {
    "MERGE_AP": trace("(ap 1 $s)", [(AP, (1, 2))]),
    "MERGE_CANON": two_canons,
    "SLIDER_LEN": lore((0, 99, 0, 0, 0)),
    "SLIDER_POSITION": lore((0, 99, 1, 0, 0), behind=[(AP, (0,))]),
    "SLIDER_NO_STATE": lore((9, 0, 0, 0, 0)),
    "SLIDER_NO_GENERATION": lore((1, 0, 0, 0, 0)),
    "PAR_UNDERFLOW": trace(PAR_AIR, [(PAR, 3, 0)]),
    "PAR_SIZE_OVERFLOW": trace(PAR_AIR, [(PAR, SIZE_MAX - 1, 2)]),
    "PAR_POSITION_OVERFLOW": trace(PAR_AIR, [(PAR, SIZE_MAX, 0)]),
    "FOLD_DESCRIPTORS": lore((0, 1, 2)),
    "FOLD_REPEATED": lore((0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    "FOLD_SIZE_OVERFLOW": lore((0, 0, SIZE_MAX, 0, 1)),
    "FOLD_POSITION_OVERFLOW": lore((0, 0, SIZE_MAX, 0, 0)),
    "FOLD_UNDERFLOW": lore((0, 0, 3, 0, 0)),
    "STREAM_REPLACED": lambda vm: run(vm, REPLACED_AIR, InterpreterData()),
    "FOLD_NEXT_BEHIND": trace(INNER_NEXT_AIR, [(AP, (0,)), (AP, (0,)), (AP, (1,))]),
    "GENERATION_IMPOSSIBLE": trace("(ap 1 $s)", [(AP, (178_956_970,))]),
    "REQUEST_IDS_EXHAUSTED": no_ids_left,
    "STEPS_EXHAUSTED": no_steps_left,
    "TEXT_EXHAUSTED": no_text_left,
}
"""Constant of `avm.errors` → a run that ends with its error."""
