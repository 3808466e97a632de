"""The trace of interpreter data as an indented text: who did what, with which result. For people only.

Errors: none; whatever a state refers to and is not there shows as `?`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.crypto.keys import KeyFormatError, public_key_peer_id
from avm.trace.states import AP, CANON, CANON_SENT_BY, FAILED, FOLD, PAR, REQUESTED, SCALAR, SENT_BY, STREAM

if TYPE_CHECKING:
    from avm.trace.states import State

    from .interpreter_data import InterpreterData, Stores, Tetraplet

VALUE_LENGTH_MAX: Final = 100
"""Longer value texts are cut."""

DEPTH_SHOWN_MAX: Final = 40
"""Indentation stops growing there; `par` nests thousands of levels deep."""


def tree_text(data: InterpreterData) -> str:
    """One line per state; the parts of a `par` are indented below it."""
    lines = [
        f"data {data.data_version}, interpreter {data.interpreter_version}, last call request {data.last_call_request_id}",
        "signed by " + (", ".join(_signer(key) for key in data.signatures) or "nobody"),
    ]
    ends: list[int] = []  # where the enclosing `par` end
    for index, state in enumerate(data.trace):
        while ends and ends[-1] <= index:
            ends.pop()
        indent = "  " * min(len(ends), DEPTH_SHOWN_MAX)
        lines.append(f"{index:>5} {indent}{_printable(_state(state, data.stores))}")
        if state[0] == PAR:
            ends.append(index + 1 + state[1] + state[2])
    return "\n".join(lines)


def _printable(text: str) -> str:
    """The text without control characters: names and values are a stranger's, and must not begin a line or colour one."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _signer(key: bytes) -> str:
    try:
        return public_key_peer_id(key)
    except KeyFormatError:
        return f"an unusable key {key.hex()}"


def _state(state: State, stores: Stores) -> str:
    kind = state[0]
    if kind == PAR:
        return f"par {state[1]} | {state[2]}"
    if kind == SENT_BY:
        return f"call sent on by {state[1]}"
    if kind == REQUESTED:
        return f"call {state[2]} requested from the host of {state[1]}"
    if kind in (SCALAR, STREAM, FAILED):
        return _call(state, stores)
    if kind == FOLD:
        parts = " ".join(f"{entry[0]}:[{_parts(entry)}]" for entry in state[1])
        return f"fold {parts}".rstrip()
    if kind == AP:
        return f"ap into generation {', '.join(map(str, state[1]))}"
    if kind == CANON_SENT_BY:
        return f"canon sent on by {state[1]}"
    if kind == CANON:
        return _canon(state[1], stores)
    return f"call executed, result dropped ({state[1]})"


def _parts(entry: tuple[int, ...]) -> str:
    return " ".join(f"{entry[i]}+{entry[i + 1]}" for i in range(1, len(entry), 2))


def _call(state: State, stores: Stores) -> str:
    result = stores.service_results.get(state[1])
    if result is None:
        return f"call executed ({state[1]})"
    where = _place(stores.tetraplets.get(result.tetraplet_cid))
    target = f" in generation {state[2]}" if state[0] == STREAM else ""
    verb = "failed" if state[0] == FAILED else "returned"
    return f"call {where} {verb}{target} {_cut(stores.values.get(result.value_cid))}"


def _canon(cid: str, stores: Stores) -> str:
    result = stores.canon_results.get(cid)
    if result is None:
        return f"canon executed ({cid})"
    tetraplet = stores.tetraplets.get(result.tetraplet)
    values = []
    for element_cid in result.values:
        element = stores.canon_elements.get(element_cid)
        values.append(_cut(stores.values.get(element.value) if element else None))
    return f"canon on {tetraplet.peer_pk if tetraplet else '?'}: [{', '.join(values)}]"


def _place(tetraplet: Tetraplet | None) -> str:
    return f"{tetraplet.peer_pk} {tetraplet.service_id}.{tetraplet.function_name}" if tetraplet else "?"


def _cut(text: str | None) -> str:
    if text is None:
        return "?"
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"
