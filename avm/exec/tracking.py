"""Content-addressed bookkeeping of a run: facts go into the stores under their CIDs, and come back by them.

Entries are only ever added. Errors: VmError 20010 when data refers to a CID it does not hold.
Source: aquavm:air/src/execution_step/execution_context/cid_state.rs; hashed bytes: conformance/interpreter-data/cids.jsonl
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.crypto.cid import json_cid
from avm.data.canonical_json import string_text
from avm.data.interpreter_data import CanonElement, CanonResult, ServiceResult
from avm.errors import CID_NOT_FOUND
from avm.trace.debug import quoted

from .values import CANON, Json, Record, record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from avm.data.interpreter_data import Provenance, Stores, Tetraplet


def text_cid(text: str) -> str:
    """CID of a JSON text. Lone surrogates cannot come from parsed JSON, but must not crash if a script smuggles them in."""
    return json_cid(text.encode("utf-8", "surrogatepass"))


class Tracker:
    """The stores of a run, and the CIDs this run has computed already."""

    __slots__ = ("_tetraplet_cids", "_values", "stores")

    def __init__(self, stores: Stores) -> None:
        """`stores` are extended in place. What is tracked replaces what stands under its CID: previous data is not verified."""
        self.stores = stores
        self._tetraplet_cids: dict[Tetraplet, str] = {}
        self._values: dict[str, Json] = {}

    # ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, json: Json) -> str:
        """Store a value."""
        text = json.text
        cid = text_cid(text)
        self.stores.values[cid] = text
        self._values.pop(cid, None)
        return cid

    def tetraplet(self, tetraplet: Tetraplet) -> str:
        """Store a tetraplet."""
        cid = self._tetraplet_cids.get(tetraplet)
        if cid is None:
            cid = text_cid(_tetraplet_text(tetraplet))
            self._tetraplet_cids[tetraplet] = cid
            self.stores.tetraplets[cid] = tetraplet
        return cid

    def service_result(self, json: Json, tetraplet: Tetraplet, argument_hash: str) -> str:
        """Store a service's answer, successful or not."""
        result = ServiceResult(self.value(json), argument_hash, self.tetraplet(tetraplet))
        # CIDs of this run need no escapes
        text = f'{{"value_cid":"{result[0]}","argument_hash":"{argument_hash}","tetraplet_cid":"{result[2]}"}}'
        cid = json_cid(text.encode())
        self.stores.service_results[cid] = result
        return cid

    def canon_result(self, values: Iterable[Record], tetraplet: Tetraplet) -> str:
        """Store what a canon froze."""
        elements = tuple(self._canon_element(item) for item in values)
        result = CanonResult(self.tetraplet(tetraplet), elements)
        cids = ",".join(map(string_text, elements))
        cid = text_cid(f'{{"tetraplet":{string_text(result.tetraplet)},"values":[{cids}]}}')
        self.stores.canon_results[cid] = result
        return cid

    def _canon_element(self, item: Record) -> str:
        element = CanonElement(self.value(item.json), self.tetraplet(item.tetraplet), item.provenance)
        provenance = _provenance_text(item.provenance)
        text = f'{{"value":"{element.value}","tetraplet":"{element.tetraplet}","provenance":{provenance}}}'
        cid = text_cid(text)
        self.stores.canon_elements[cid] = element
        return cid

    # ── looking up ───────────────────────────────────────────────────────────────────────────────────────────────────

    def find_value(self, cid: str) -> Json:
        """A stored value, parsed when somebody looks inside; once, however many states refer to it."""
        json = self._values.get(cid)
        if json is None:
            text = self.stores.values.get(cid)
            if text is None:
                raise CID_NOT_FOUND.error(store="value", cid=quoted(cid))
            json = self._values[cid] = Json.from_store(text, cid)
        return json

    def find_tetraplet(self, cid: str) -> Tetraplet:
        """A stored tetraplet."""
        tetraplet = self.stores.tetraplets.get(cid)
        if tetraplet is None:
            raise CID_NOT_FOUND.error(store="tetraplet", cid=quoted(cid))
        return tetraplet

    def find_service_result(self, cid: str) -> ServiceResult:
        """A stored service result; its parts are looked up one by one."""
        result = self.stores.service_results.get(cid)
        if result is None:
            raise CID_NOT_FOUND.error(store="service result aggregate", cid=quoted(cid))
        return result

    def find_canon_result(self, cid: str) -> CanonResult:
        """A stored canon result."""
        result = self.stores.canon_results.get(cid)
        if result is None:
            raise CID_NOT_FOUND.error(store="canon result aggregate", cid=quoted(cid))
        return result

    def find_canon_element(self, cid: str) -> Record:
        """A stored element of a canon result, as a record."""
        element = self.stores.canon_elements.get(cid)
        if element is None:
            raise CID_NOT_FOUND.error(store="canon aggregate", cid=quoted(cid))
        json = self.find_value(element.value)
        return record(json, self.find_tetraplet(element.tetraplet), 0, element.provenance)


def _tetraplet_text(tetraplet: Tetraplet) -> str:
    peer, service, function, lens = map(string_text, tetraplet)
    return f'{{"peer_pk":{peer},"service_id":{service},"function_name":{function},"lens":{lens}}}'


def _provenance_text(provenance: Provenance) -> str:
    if provenance.cid is None:
        return '{"type":"literal"}'
    kind = "canon" if provenance.kind == CANON else "service_result"
    return f'{{"type":"{kind}","cid":{string_text(provenance.cid)}}}'
