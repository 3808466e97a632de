"""Texts of states inside error messages: Rust's debug and display forms of the reference's types.

They are compared by hosts and tests, never parsed. Errors: none.
Source: aquavm:crates/air-lib/interpreter-data/src/executed_state.rs (derive(Debug)), executed_state/impls.rs (Display)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.air.chars import is_escaped

from .states import AP, CANON, CANON_SENT_BY, FAILED, FOLD, PAR, REQUESTED, SCALAR, SENT_BY, STREAM, UNUSED

if TYPE_CHECKING:
    from avm.data.interpreter_data import Tetraplet

    from .states import State

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def quoted(text: str) -> str:
    """A string as Rust's `{:?}` prints it."""
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif " " <= char < "\x7f" or (char > "\x7f" and not is_escaped(char)):
            out.append(char)
        else:
            out.append(f"\\u{{{ord(char):x}}}")
    return '"' + "".join(out) + '"'


def state_debug(state: State) -> str:
    """`{:?}` of a state, with its outermost name: `Call(Failed(CID("b…")))`."""
    kind = state[0]
    if kind == PAR:
        return f"Par({par_debug(state[1], state[2])})"
    if kind == AP:
        return f"Ap({ap_debug(state)})"
    if kind == FOLD:
        return f"Fold({fold_debug(state)})"
    if kind in {CANON, CANON_SENT_BY}:
        return f"Canon({canon_debug(state)})"
    return f"Call({call_debug(state)})"


def par_debug(left: int, right: int) -> str:
    """`ParResult { … }`."""
    return f"ParResult {{ left_size: {left}, right_size: {right} }}"


def ap_debug(state: State) -> str:
    """`ApResult { … }`."""
    return f"ApResult {{ res_generations: {list(state[1])} }}"


def fold_debug(state: State) -> str:
    """`FoldResult { … }`."""
    lore = []
    for entry in state[1]:
        pairs = zip(entry[1::2], entry[2::2], strict=True)
        descs = ", ".join(f"SubTraceDesc {{ begin_pos: {pos}, subtrace_len: {length} }}" for pos, length in pairs)
        lore.append(f"FoldSubTraceLore {{ value_pos: {entry[0]}, subtraces_desc: [{descs}] }}")
    return f"FoldResult {{ lore: [{', '.join(lore)}] }}"


def canon_debug(state: State) -> str:
    """`RequestSentBy("p")` or `Executed(CID("b…"))`."""
    return f"RequestSentBy({quoted(state[1])})" if state[0] == CANON_SENT_BY else f"Executed(CID({quoted(state[1])}))"


def call_debug(state: State) -> str:
    """A call state without its outermost name."""
    kind = state[0]
    if kind == SENT_BY:
        return f"RequestSentBy(PeerId({quoted(state[1])}))"
    if kind == REQUESTED:
        return f"RequestSentBy(PeerIdWithCallId {{ peer_id: {quoted(state[1])}, call_id: {state[2]} }})"
    if kind == FAILED:
        return f"Failed(CID({quoted(state[1])}))"
    return f"Executed({value_debug(state)})"


def value_debug(state: State) -> str:
    """The value reference of an executed call."""
    kind = state[0]
    cid = f"CID({quoted(state[1])})"
    if kind == SCALAR:
        return f"Scalar({cid})"
    if kind == STREAM:
        return f"Stream {{ cid: {cid}, generation: {state[2]} }}"
    return f"Unused({cid})"


def state_display(state: State) -> str:
    """`{}` of a state; the reference has a second, shorter form for a few messages."""
    kind = state[0]
    if kind == PAR:
        return f"par({state[1]}, {state[2]})"
    if kind == SENT_BY:
        return f"request_sent_by({state[1]})"
    if kind == REQUESTED:
        return f"request_sent_by({state[1]}: {state[2]})"
    if kind in {SCALAR, STREAM, UNUSED}:
        return f"executed({value_debug(state)})"
    if kind == FAILED:
        return f"failed(CID({quoted(state[1])}))"
    if kind == AP:
        return f"ap: _ -> {list(state[1])}"
    if kind == FOLD:
        rows = []
        for entry in state[1]:
            # honest entries have two parts; the reference panics on others
            parts = ", ".join(f"[{pos}, {size}]" for pos, size in zip(entry[1::2], entry[2::2], strict=True))
            rows.append(f"          {entry[0]} - {parts}\n")
        return f"fold(\n{''.join(rows)}     )"
    return "canon [<object>]"


def tetraplet_debug(tetraplet: Tetraplet) -> str:
    """`SecurityTetraplet { … }`."""
    fields = zip(tetraplet._fields, tetraplet, strict=True)
    return "SecurityTetraplet { " + ", ".join(f"{name}: {quoted(text)}" for name, text in fields) + " }"
