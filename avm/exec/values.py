"""Run-time values: lazily parsed JSON, records with their origin, canon streams and canon maps.

Data holds values as JSON text, most of which is only passed on. `Json` therefore keeps the text until somebody looks
inside, once it is known to be JSON. Numbers of stored text are parsed again in each run (printing a float and reading it
back is not idempotent), so a canonical text is always printed from the parsed value, never assumed.
Errors: VmError 20010 when a stored text is not JSON, 20014 for pairs that are none, 20009 for too much text.
Source: aquavm:air/src/execution_step/value_types/{scalar/values,canon_stream,canon_stream_map}.rs
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from avm.data import canonical_json
from avm.data.interpreter_data import LITERAL, Tetraplet
from avm.errors import MAP_PAIR_KEY, MAP_PAIR_VALUE, VALUE_NOT_JSON

from .budget import charge, joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from functools import _CacheInfo

    from avm.data.interpreter_data import Provenance

CANONICAL_TEXT_ENTRIES: Final = 1 << 13
"""Stored texts whose canonical form is kept between runs."""

CANONICAL_TEXT_MAX: Final = 2048
"""Longer texts are parsed and printed each time, to bound the memory of those kept."""

KNOWN_JSON_ENTRIES: Final = 1 << 14
"""Texts known to be JSON; they are emptied when full."""

_known_json: dict[str, int] = {}
"""Text, or CID of a long text → its length."""

_UNPARSED: Final = object()
_CAN_BE_LONG: Final = frozenset({str, list, dict})

SERVICE_RESULT: Final = "service_result"
CANON: Final = "canon"


@lru_cache(maxsize=CANONICAL_TEXT_ENTRIES)
def _canonical_text(stored: str) -> str:
    """Canonical text of a stored text. Every run of a particle asks for the same ones."""
    return canonical_json.dumps(canonical_json.parse(stored))


def canonical_text_lookups() -> _CacheInfo:
    """Counts of the canonical texts kept."""
    return _canonical_text.cache_info()


class Json:
    """A JSON value, its canonical text, or both; each is made from the other when first needed."""

    __slots__ = ("_cid", "_parts", "_stored", "_text", "_value")

    def __init__(self, value: Any, text: str | None = None) -> None:
        """A value of this run; `text` is its canonical text if it is known."""
        self._value = value
        self._text = text
        self._stored: str | None = None
        self._cid = ""
        self._parts: dict[int, Json] | None = None

    @classmethod
    def from_store(cls, text: str, cid: str) -> Json:
        """A value of the data; `cid` names it in errors. Raises VmError 20010 if the text is not JSON.

        A text that was read before is not parsed until somebody looks inside.
        """
        json = cls(_UNPARSED)
        json._stored = text
        json._cid = cid
        # the CID stands for long texts; it was verified unless a peer tampers with its own memory
        key = text if len(text) <= CANONICAL_TEXT_MAX else cid
        if _known_json.get(key) != len(text):
            json.value  # noqa: B018 - parses
            if len(_known_json) >= KNOWN_JSON_ENTRIES:
                _known_json.clear()
            _known_json[key] = len(text)
        return json

    @property
    def value(self) -> Any:
        """The parsed value. Never modify it."""
        if self._value is _UNPARSED:
            assert self._stored is not None
            try:
                self._value = canonical_json.parse(self._stored)
            except canonical_json.JsonError as error:
                raise VALUE_NOT_JSON.error(cid=self._cid, error=error) from None
        return self._value

    @property
    def text(self) -> str:
        """Canonical text."""
        if self._text is None:
            stored = self._stored
            if self._value is _UNPARSED and stored is not None and len(stored) <= CANONICAL_TEXT_MAX:
                try:
                    self._text = _canonical_text(stored)
                except canonical_json.JsonError as error:
                    raise VALUE_NOT_JSON.error(cid=self._cid, error=error) from None
            else:
                self._text = canonical_json.dumps(self.value)
                charge(len(self._text))
        return self._text

    def part(self, value: Any) -> Json:
        """The JSON of a part of this value. A part that can be long is kept, so that its text is made, and charged, once a run."""
        if type(value) not in _CAN_BE_LONG:
            return Json(value)
        if self._parts is None:
            self._parts = {}
        # the parts of the value live as long as it does, so an id means one of them
        return self._parts.setdefault(id(value), Json(value))


class Record:
    """A value and where it comes from. pos: position of its state in the result trace."""

    __slots__ = ("json", "pos", "provenance", "tetraplet")

    def __init__(self, json: Json, tetraplet: Tetraplet, pos: int, provenance: Provenance) -> None:
        """As given; see `record` for the narrowing that most constructions need."""
        self.json = json
        self.tetraplet = tetraplet
        self.pos = pos
        self.provenance = provenance


def record(json: Json, tetraplet: Tetraplet, pos: int, provenance: Provenance) -> Record:
    """A new record: its tetraplet is narrowed to what its provenance can vouch for."""
    kind = provenance.kind
    if kind == CANON:
        if tetraplet.service_id or tetraplet.function_name:
            tetraplet = Tetraplet(tetraplet.peer_pk, "", "", tetraplet.lens)
    elif kind != SERVICE_RESULT and (tetraplet.service_id or tetraplet.function_name or tetraplet.lens):
        tetraplet = Tetraplet(tetraplet.peer_pk, "", "", "")
    return Record(json, tetraplet, pos, provenance)


def literal(json: Json, peer: str, pos: int) -> Record:
    """A record of a value that needs no proof."""
    return Record(json, Tetraplet(peer, "", "", ""), pos, LITERAL)


def array_of(records: Sequence[Record]) -> Json:
    """The array of some records' values."""
    text = joined([item.json.text for item in records])
    charge(len(text))
    return Json([item.json.value for item in records], text)


class CanonStream:
    """A frozen stream. tetraplet: of the canon itself; provenance: its result."""

    __slots__ = ("_json", "provenance", "tetraplet", "values")

    def __init__(self, values: list[Record], tetraplet: Tetraplet, provenance: Provenance) -> None:
        """`values` in order of canonicalisation."""
        self.values = values
        self.tetraplet = tetraplet
        self.provenance = provenance
        self._json: Json | None = None

    @property
    def json(self) -> Json:
        """The array of all values."""
        if self._json is None:
            self._json = array_of(self.values)
        return self._json

    def tetraplets(self) -> list[Tetraplet]:
        """One per value."""
        return [item.tetraplet for item in self.values]


MapKey = str | int
"""Key of a stream map; an int and its decimal text are different keys."""


class CanonMap:
    """A frozen stream map: its pairs in order of insertion, and for each key the values in that order."""

    __slots__ = ("_arrays", "_json", "by_key", "pairs", "provenance", "tetraplet")

    def __init__(self, pairs: list[Record], tetraplet: Tetraplet, provenance: Provenance) -> None:
        """Raises VmError 20014 unless every pair is `{"key": string or integer, "value": …}`."""
        self.pairs = pairs
        self.tetraplet = tetraplet
        self.provenance = provenance
        self.by_key: dict[MapKey, list[Record]] = {}
        self._arrays: dict[MapKey, Json] = {}
        self._json: Json | None = None
        for pair in pairs:
            content = pair.json.value
            key = pair_key(content)
            if key is None:
                raise MAP_PAIR_KEY.error()
            if "value" not in content:
                raise MAP_PAIR_VALUE.error()
            value = record(Json(content["value"]), pair.tetraplet, pair.pos, pair.provenance)
            self.by_key.setdefault(key, []).append(value)

    @property
    def json(self) -> Json:
        """Object of key text → array of values. Of keys `1` and `"1"` the later one wins (random in the reference)."""
        if self._json is None:
            self._json = Json({str(key): array_of(values).value for key, values in self.by_key.items()})
        return self._json

    def tetraplets(self) -> list[Tetraplet]:
        """One per pair."""
        return [pair.tetraplet for pair in self.pairs]

    def array(self, key: MapKey) -> Json:
        """The array of a key's values, empty if there are none."""
        found = self._arrays.get(key)
        if found is None:
            found = self._arrays[key] = Json([item.json.value for item in self.by_key.get(key, ())])
        return found

    def latest_pairs(self) -> list[Record]:
        """The last pair of each key, in order of insertion."""
        latest = {pair_key(pair.json.value): index for index, pair in enumerate(self.pairs)}
        return [self.pairs[index] for index in sorted(latest.values())]


def map_key(value: Any) -> MapKey | None:
    """The value as key of a map, None if it cannot be one. Integers beyond 64 bits do not occur."""
    return value if type(value) is str or type(value) is int else None


def pair_key(pair: Any) -> MapKey | None:
    """Key of a pair object, None if it is none."""
    return map_key(pair.get("key")) if type(pair) is dict else None
