"""Kinds of AIR tokens. One bit each, so that a set of legal tokens is an int and membership is `&`.

The bits ascend in the order in which error texts list the kinds.

Source: aquavm:crates/air-lib/air-parser/src/parser/lexer/token.rs
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = (
    '"("',
    '")"',
    '"["',
    '"]"',
    "Boolean",
    "CanonStream",
    "CanonStreamMap",
    "CanonStreamMapWithLambda",
    "CanonStreamWithLambda",
    "Error",
    "ErrorWithLambda",
    "F64",
    "I64",
    "InitPeerId",
    "LastError",
    "LastErrorWithLambda",
    "Literal",
    "Scalar",
    "ScalarWithLambda",
    "Stream",
    "StreamMap",
    "TTL",
    "Timestamp",
    "ap",
    "call",
    "canon",
    "fail",
    "fold",
    "match_",
    "mismatch",
    "never",
    "new",
    "next",
    "null",
    "par",
    "seq",
    "xor",
)

(
    OPEN,
    CLOSE,
    OPEN_SQUARE,
    CLOSE_SQUARE,
    BOOLEAN,
    CANON_STREAM,
    CANON_STREAM_MAP,
    CANON_STREAM_MAP_LENS,
    CANON_STREAM_LENS,
    ERROR,
    ERROR_LENS,
    F64,
    I64,
    INIT_PEER_ID,
    LAST_ERROR,
    LAST_ERROR_LENS,
    LITERAL,
    SCALAR,
    SCALAR_LENS,
    STREAM,
    STREAM_MAP,
    TTL,
    TIMESTAMP,
    AP,
    CALL,
    CANON,
    FAIL,
    FOLD,
    MATCH,
    MISMATCH,
    NEVER,
    NEW,
    NEXT,
    NULL,
    PAR,
    SEQ,
    XOR,
) = (1 << n for n in range(len(_NAMES)))

STREAM_LENS: Final = 1 << len(_NAMES)
"""A lens on a stream or stream map: a token that no rule takes."""

END: Final = STREAM_LENS << 1
"""End of input; never listed as expected."""

KEYWORDS: Final[dict[str, int]] = {
    "ap": AP,
    "call": CALL,
    "canon": CANON,
    "fail": FAIL,
    "fold": FOLD,
    "match": MATCH,
    "mismatch": MISMATCH,
    "never": NEVER,
    "new": NEW,
    "next": NEXT,
    "null": NULL,
    "par": PAR,
    "seq": SEQ,
    "xor": XOR,
}
"""Words that name instructions."""

KEYWORD: Final = AP | CALL | CANON | FAIL | FOLD | MATCH | MISMATCH | NEVER | NEW | NEXT | NULL | PAR | SEQ | XOR
"""Any of them."""


def expected_text(mask: int) -> str:
    """The label of a syntax error at a place where the tokens of `mask` were legal."""
    return "expected " + (" or ".join(name for n, name in enumerate(_NAMES) if mask >> n & 1) or "<nothing>")
