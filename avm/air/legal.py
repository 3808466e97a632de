"""Sets of tokens that are legal where an operand may stand.

Source: aquavm:crates/air-lib/air-parser/src/parser/air.lalrpop
"""

from __future__ import annotations

from typing import Final

from . import tokens as t

_SPECIAL: Final = t.INIT_PEER_ID | t.TIMESTAMP | t.TTL
_ERRORS: Final = t.LAST_ERROR | t.LAST_ERROR_LENS | t.ERROR | t.ERROR_LENS
_LENSES: Final = t.SCALAR_LENS | t.CANON_STREAM_LENS | t.CANON_STREAM_MAP_LENS

AP_VALUE: Final = (
    _SPECIAL | _ERRORS | _LENSES | (t.LITERAL | t.I64 | t.F64 | t.BOOLEAN | t.OPEN_SQUARE | t.SCALAR | t.CANON_STREAM)
)
"""First tokens of an argument of `ap`."""

VALUE: Final = AP_VALUE | t.CANON_STREAM_MAP
"""First tokens of an argument of `call`, `match`, `mismatch`."""

STRING: Final = t.LITERAL | t.SCALAR | _LENSES
"""Service and function of a call."""

PEER: Final = STRING | t.INIT_PEER_ID
"""Peer of `call` and `canon`."""

MAP_KEY: Final = t.LITERAL | t.I64 | t.SCALAR | t.SCALAR_LENS | t.CANON_STREAM_LENS
"""Key of `ap` into a map."""

SCALAR_ITERABLE: Final = (
    t.OPEN_SQUARE | t.SCALAR | t.SCALAR_LENS | t.CANON_STREAM | t.CANON_STREAM_MAP | t.CANON_STREAM_MAP_LENS
)
"""What `fold` goes over, streams apart."""

FAIL_VALUE: Final = t.I64 | t.SCALAR | t.SCALAR_LENS | t.CANON_STREAM_LENS | t.LAST_ERROR | t.ERROR
"""First tokens of the body of `fail`."""

VARIABLE: Final = t.SCALAR | t.STREAM | t.STREAM_MAP | t.CANON_STREAM | t.CANON_STREAM_MAP
"""What `new` introduces."""

OUTPUT: Final = t.SCALAR | t.STREAM
"""What `ap` and `call` write."""
