"""The five content-addressed stores: what each entry is hashed as, and their verification.

Input: stores of current data (previous data is trusted). Errors: CidStoreError, whose text is the message of code 8.
Source: aquavm:crates/air-lib/interpreter-data/src/{cid_info,cid_store}.rs; spec "Hashed bytes"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.crypto.cid import CidError, Hashed, are_json_cids, json_cid, matches
from avm.limits import VERIFIED_CID_ENTRIES, VERIFIED_CID_TEXT_MAX
from avm.stats import CacheStats, Lookups
from avm.trace.debug import quoted

from .canonical_json import string_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .interpreter_data import CanonElement, CanonResult, ServiceResult, Stores, Tetraplet

VALUE: Final = "air_interpreter_data::raw_value::RawValue"
TETRAPLET: Final = "marine_call_parameters::SecurityTetraplet"
CANON_ELEMENT: Final = "air_interpreter_data::executed_state::CanonCidAggregate"
CANON_RESULT: Final = "air_interpreter_data::executed_state::CanonResultCidAggregate"
SERVICE_RESULT: Final = "air_interpreter_data::executed_state::ServiceResultCidAggregate"

# Entries known to match their CID. The kinds cannot be confused: they are strings and tuples of distinct shapes.
_verified: dict[str, Any] = {}
_lookups: Final = Lookups()

_BATCH: Final = 64  # entries hashed together, so many texts exist at a time
_BATCH_MIN: Final = 4  # fewer are compared faster one by one


class CidStoreError(ValueError):
    """An entry does not match its CID, or refers to one that is not there."""


def value_json(text: str) -> str:
    """A value is hashed as it stands."""
    return text


def tetraplet_json(tetraplet: Tetraplet) -> str:
    """Hashed form of a tetraplet."""
    peer, service, function, lens = tetraplet
    return (
        f'{{"peer_pk":{string_text(peer)},"service_id":{string_text(service)},'
        f'"function_name":{string_text(function)},"lens":{string_text(lens)}}}'
    )


def service_result_json(result: ServiceResult) -> str:
    """Hashed form of a service result."""
    value, arguments, tetraplet = result
    return (
        f'{{"value_cid":{string_text(value)},"argument_hash":{string_text(arguments)},'
        f'"tetraplet_cid":{string_text(tetraplet)}}}'
    )


def canon_element_json(element: CanonElement) -> str:
    """Hashed form of a canon element."""
    value, tetraplet, (kind, cid) = element
    source = f'{{"type":"{kind}"}}' if cid is None else f'{{"type":"{kind}","cid":{string_text(cid)}}}'
    return f'{{"value":{string_text(value)},"tetraplet":{string_text(tetraplet)},"provenance":{source}}}'


def canon_result_json(result: CanonResult) -> str:
    """Hashed form of a canon result."""
    return f'{{"tetraplet":{string_text(result.tetraplet)},"values":[{",".join(map(string_text, result.values))}]}}'


def cid_of(text: str) -> str:
    """CID of a JSON text."""
    return json_cid(text.encode())


def verify_stores(stores: Stores) -> None:
    """Check every entry against its CID and every reference. Raises CidStoreError. Linear, about 2 µs an entry."""
    try:
        _verify_entries(stores.values, value_json, VALUE)
        _verify_entries(stores.tetraplets, tetraplet_json, TETRAPLET)
        _verify_entries(stores.canon_elements, canon_element_json, CANON_ELEMENT)
        _verify_entries(stores.canon_results, canon_result_json, CANON_RESULT)
        _verify_canon_references(stores)
        _verify_entries(stores.service_results, service_result_json, SERVICE_RESULT)
    except CidError as error:
        raise CidStoreError(str(error)) from None
    tetraplets, values = stores.tetraplets, stores.values
    for value, _, tetraplet in stores.service_results.values():
        if tetraplet not in tetraplets:
            raise _missing(tetraplet, SERVICE_RESULT, TETRAPLET)
        if value not in values:
            raise _missing(value, SERVICE_RESULT, VALUE)


def stats() -> CacheStats:
    """Counts of the entries that were looked up and hashed in this process."""
    return CacheStats.of(_lookups, len(_verified), VERIFIED_CID_ENTRIES)


def _verify_entries(store: Mapping[str, Any], to_json: Callable[[Any], str], type_name: str) -> None:
    verified = _verified
    unknown = [item for item in store.items() if verified.get(item[0]) != item[1]]
    _lookups.hits += len(store) - len(unknown)
    _lookups.misses += len(unknown)
    if len({id(entry) for _, entry in unknown}) < len(unknown):
        _verify_shared(unknown, to_json, type_name)
        return
    for start in range(0, len(unknown), _BATCH):
        entries = unknown[start : start + _BATCH]
        texts = [to_json(entry).encode() for _, entry in entries]
        if len(entries) < _BATCH_MIN or not are_json_cids([cid for cid, _ in entries], texts):
            for (cid, _), text in zip(entries, texts, strict=True):
                if not matches(cid, text):
                    raise _mismatch(cid, type_name)
        for (cid, entry), text in zip(entries, texts, strict=True):
            if len(text) <= VERIFIED_CID_TEXT_MAX:
                if len(verified) >= VERIFIED_CID_ENTRIES:
                    verified.clear()
                verified[cid] = entry


def _verify_shared(entries: list[tuple[str, Any]], to_json: Callable[[Any], str], type_name: str) -> None:
    """Entries of which some are one object of the archive, under several CIDs: each object is written and hashed once.

    Only dishonest data have such entries, and could otherwise ask for any amount of work: a CID has any number of texts.
    """
    groups: dict[int, list[tuple[str, Any]]] = {}
    for item in entries:
        groups.setdefault(id(item[1]), []).append(item)
    for group in groups.values():
        hashed = Hashed(to_json(group[0][1]).encode())
        for cid, _ in group:
            if not matches(cid, hashed):
                raise _mismatch(cid, type_name)


def _mismatch(cid: str, type_name: str) -> CidStoreError:
    return CidStoreError(f'Value mismatch in the "{type_name}" store for CID {quoted(cid)}')


def _verify_canon_references(stores: Stores) -> None:
    elements, tetraplets, values = stores.canon_elements, stores.tetraplets, stores.values
    for result in stores.canon_results.values():
        for element in result.values:
            if element not in elements:
                raise _missing(element, CANON_RESULT, CANON_ELEMENT)
        if result.tetraplet not in tetraplets:
            raise _missing(result.tetraplet, CANON_RESULT, TETRAPLET)
    for value, tetraplet, (kind, source) in elements.values():
        if tetraplet not in tetraplets:
            raise _missing(tetraplet, CANON_ELEMENT, TETRAPLET)
        if value not in values:
            raise _missing(value, CANON_ELEMENT, VALUE)
        if source is None:
            continue
        if kind == "service_result":
            if source not in stores.service_results:
                raise _missing(source, CANON_ELEMENT, SERVICE_RESULT)
        elif source not in stores.canon_results:
            raise _missing(source, CANON_ELEMENT, CANON_RESULT)


def _missing(cid: str, source: str, target: str) -> CidStoreError:
    return CidStoreError(f'Reference CID {quoted(cid)} from type "{source}" to "{target}" was not found')
