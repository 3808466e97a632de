"""Verification of the stores, and of who signed what."""

from __future__ import annotations

import pytest

from avm.crypto.keys import KeyPair
from avm.crypto.signatures import sign
from avm.data.cid_store import (
    CidStoreError,
    canon_element_json,
    canon_result_json,
    cid_of,
    service_result_json,
    tetraplet_json,
    verify_stores,
)
from avm.data.interpreter_data import (
    CanonElement,
    CanonResult,
    InterpreterData,
    Provenance,
    ServiceResult,
    Stores,
    Tetraplet,
)
from avm.data.signature_store import CID_CODE, SignatureStoreError, Signers, merge
from avm.trace.states import CANON, SCALAR, UNUSED

PAIR = KeyPair(bytes(32))
OTHER = KeyPair(bytes(31) + b"\1")


def build(values: tuple[str, ...] = ("1",), pair: KeyPair = PAIR) -> InterpreterData:
    """Data of a peer that returned these values and froze the first one, rightly hashed and signed."""
    stores = Stores()
    tetraplet = Tetraplet(pair.peer_id, 'ser"vice', "f", "")
    tetraplet_cid = cid_of(tetraplet_json(tetraplet))
    stores.tetraplets[tetraplet_cid] = tetraplet
    trace: list[tuple[object, ...]] = [(UNUSED, "no such value")]
    for value in values:
        stores.values[cid_of(value)] = value
        result = ServiceResult(cid_of(value), cid_of("[]"), tetraplet_cid)
        cid = cid_of(service_result_json(result))
        stores.service_results[cid] = result
        trace.append((SCALAR, cid))
    element = CanonElement(cid_of(values[0]), tetraplet_cid, Provenance("service_result", str(trace[1][1])))
    element_cid = cid_of(canon_element_json(element))
    stores.canon_elements[element_cid] = element
    canon = CanonResult(tetraplet_cid, (element_cid,))
    canon_cid = cid_of(canon_result_json(canon))
    stores.canon_results[canon_cid] = canon
    trace.append((CANON, canon_cid))
    cids = sorted(str(state[1]) for state in trace[1:])
    return InterpreterData(trace=trace, stores=stores, signatures={pair.public_key: sign(pair, cids, "salt")})


def check_refused(stores: Stores, message: str) -> None:
    with pytest.raises(CidStoreError) as caught:
        verify_stores(stores)
    assert message in str(caught.value)


def test_honest_data_pass() -> None:
    data = build()
    verify_stores(data.stores)
    Signers(data).verify("salt")


def test_every_store_is_hashed() -> None:
    for name in ("values", "tetraplets", "canon_elements", "canon_results", "service_results"):
        stores = build().stores
        verify_stores(stores)  # a second verification must not be answered by the first one's memory
        store = getattr(stores, name)
        (cid, entry), *_ = store.items()
        store[cid] = entry + " " if isinstance(entry, str) else entry._replace(**{entry._fields[0]: "x"})
        check_refused(stores, "Value mismatch")


def test_every_reference_is_followed() -> None:
    for name in ("values", "tetraplets", "canon_elements", "service_results"):
        stores = build().stores
        getattr(stores, name).clear()
        check_refused(stores, "was not found")
    stores = build().stores
    element = CanonElement(cid_of("1"), next(iter(stores.tetraplets)), Provenance("canon", "absent"))
    stores.canon_elements[cid_of(canon_element_json(element))] = element
    check_refused(stores, 'Reference CID "absent"')


def test_signature_of_another_particle() -> None:
    with pytest.raises(SignatureStoreError, match="signature mismatch"):
        Signers(build()).verify("another salt")


def test_signer_must_be_known() -> None:
    data = build()
    data.signatures.clear()
    with pytest.raises(SignatureStoreError, match="doens't match any available public key"):
        Signers(data)


def test_states_without_entries_are_an_error_not_a_crash() -> None:
    for name in ("service_results", "canon_results", "tetraplets"):
        data = build()
        getattr(data.stores, name).clear()
        with pytest.raises(SignatureStoreError) as caught:
            Signers(data)
        assert caught.value.code == CID_CODE


def test_merge_takes_the_side_that_knows_more() -> None:
    less, more = build(("1",)), build(("1", "2"))
    other = build(("3",), OTHER)
    assert merge(Signers(less), Signers(more)) == more.signatures
    assert merge(Signers(more), Signers(less)) == more.signatures
    assert merge(Signers(less), Signers(other)) == less.signatures | other.signatures


def test_merge_prefers_previous_data_among_equals() -> None:
    prev, current = build(), build()
    prev.signatures[PAIR.public_key] = b"\0trusted"
    assert merge(Signers(prev), Signers(current)) == prev.signatures


def test_merge_refuses_a_fork() -> None:
    with pytest.raises(SignatureStoreError, match="inconsistent CID multisets"):
        merge(Signers(build(("1", "2"))), Signers(build(("3",))))
