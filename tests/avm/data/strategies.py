"""Hypothesis strategies for interpreter data, honest in form and arbitrary in content."""

from __future__ import annotations

from hypothesis import strategies as st

from avm.data.interpreter_data import (
    LITERAL,
    CanonElement,
    CanonResult,
    InterpreterData,
    Provenance,
    ServiceResult,
    Stores,
    Tetraplet,
)
from avm.trace import states

U32 = st.integers(0, 2**32 - 1)
CIDS = st.sampled_from(["", "b", "é", "bagaaihra2y55tkbgv6i4d7vdoglfuzhbd3ra6e7ennpvfrmzaejwmbntusdq"]) | st.text(
    max_size=70
)
TEXTS = st.text(max_size=12)

STATES = st.one_of(
    st.tuples(st.just(states.PAR), U32, U32),
    st.tuples(st.just(states.SENT_BY), TEXTS),
    st.tuples(st.just(states.REQUESTED), TEXTS, U32),
    st.tuples(st.just(states.SCALAR), CIDS),
    st.tuples(st.just(states.STREAM), CIDS, U32),
    st.tuples(st.just(states.UNUSED), CIDS),
    st.tuples(st.just(states.FAILED), CIDS),
    st.tuples(st.just(states.FOLD), st.lists(st.tuples(U32, U32, U32, U32, U32), max_size=3).map(tuple)),
    st.tuples(st.just(states.AP), st.lists(U32, max_size=3).map(tuple)),
    st.tuples(st.just(states.CANON_SENT_BY), TEXTS),
    st.tuples(st.just(states.CANON), CIDS),
)
PROVENANCES = st.just(LITERAL) | st.builds(Provenance, st.sampled_from(["service_result", "canon"]), CIDS)

STORES = st.builds(
    Stores,
    st.dictionaries(CIDS, TEXTS, max_size=4),
    st.dictionaries(CIDS, st.builds(Tetraplet, TEXTS, TEXTS, TEXTS, TEXTS), max_size=4),
    st.dictionaries(CIDS, st.builds(CanonElement, CIDS, CIDS, PROVENANCES), max_size=4),
    st.dictionaries(CIDS, st.builds(CanonResult, CIDS, st.lists(CIDS, max_size=3).map(tuple)), max_size=4),
    st.dictionaries(CIDS, st.builds(ServiceResult, CIDS, CIDS, CIDS), max_size=4),
)

DATA = st.builds(
    InterpreterData,
    trace=st.lists(STATES, max_size=8),
    last_call_request_id=U32,
    stores=STORES,
    signatures=st.dictionaries(st.binary(max_size=40), st.binary(max_size=70), max_size=3),
    data_version=st.just("0.17.2"),
    interpreter_version=st.sampled_from(["0.62.0", "0.61.0", "1.2.3-rc.1+build"]),
)
