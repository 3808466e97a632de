"""Content-addressed facts into the stores and out of them. As `avm.exec.tracking`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.archive import (
    E_COUNT,
    E_FIRST,
    E_TETRAPLET,
    L_KIND,
    L_SOURCE,
    L_TETRAPLET,
    L_VALUE,
    V_ARGUMENTS,
    V_ORIGIN,
    V_VALUE,
    WHY_ARCHIVE,
    is_utf8_value,
)
from avm.jit.kernels.heap import (
    J_CANONICAL,
    J_LEN,
    J_POS,
    R_CURRENT_PEER,
    R_STACK,
    R_TEXT,
    R_TOP,
    S_ELEMENT,
    S_RESULT,
    S_SERVICE,
    S_TETRAPLET,
    S_VALUE,
    V_ELEMENTS,
    V_RESULTS,
    V_SERVICES,
    V_SIGNED,
    V_TETRAPLETS,
    V_VALUES,
    alloc,
    cid_of_top,
    decline,
    json,
    json_cid,
    push,
    put_canon_result,
    put_element,
    put_service_result,
    room,
    tetraplet_cid,
)
from avm.jit.kernels.json_text import STACK_LONGS, canonical, scan
from avm.jit.kernels.layout import N_CID, N_KIND, N_TETRAPLET, N_VALUE, WHY_JSON, WHY_STORE

EXPORTS: Final[tuple[str, ...]] = ()


def stored_value(a: Octets, w: Longs, cid: int) -> int:
    """A stored value in its canonical form."""
    value = w[cid + S_VALUE]
    if value == 0:
        decline(w, WHY_STORE)
    return canonical_form(a, w, value)


def canonical_form(a: Octets, w: Longs, value: int) -> int:
    """The canonical form of a value, made once."""
    if w[value + J_CANONICAL] == 0:
        start = w[value + J_POS]
        end = start + w[value + J_LEN]
        at = room(a, w, 2 * (end - start) + 16)
        stack = w[w[R_STACK] : w[R_STACK] + STACK_LONGS]
        same = scan(a, start, end, at, stack)
        if same < 0:
            decline(w, WHY_JSON)
        w[R_TEXT] += end - start
        if same:
            w[value + J_CANONICAL] = value
        else:
            after = canonical(a, start, end, at, stack)
            w[R_TOP] = after
            w[value + J_CANONICAL] = json(w, at, after)
    return w[value + J_CANONICAL]


def stored_tetraplet(w: Longs, cid: int) -> int:
    """A stored tetraplet."""
    node = w[cid + S_TETRAPLET]
    if node == 0:
        decline(w, WHY_STORE)
    return node


def track_value(a: Octets, w: Longs, value: int) -> int:
    """Store a value; its CID."""
    cid = json_cid(a, w, value)
    stored = w[cid + S_VALUE]
    if stored == 0:
        push(w, V_VALUES, cid)
    elif w[stored + J_CANONICAL] == 0 and not is_utf8_value(a, w, stored):
        # nobody will read the previous data's entry
        decline(w, WHY_ARCHIVE)
    w[cid + S_VALUE] = value
    return cid


def track_tetraplet(a: Octets, w: Longs, node: int) -> int:
    """Store a tetraplet; its CID."""
    cid = tetraplet_cid(a, w, node)
    if w[cid + S_TETRAPLET] == 0:
        push(w, V_TETRAPLETS, cid)
    w[cid + S_TETRAPLET] = node
    return cid


def track_service_result(a: Octets, w: Longs, value: int, origin: int, arguments: int) -> int:
    """Store a service's answer; its CID."""
    entry = alloc(w, 3)
    w[entry + V_VALUE] = track_value(a, w, value)
    w[entry + V_ARGUMENTS] = arguments
    w[entry + V_ORIGIN] = track_tetraplet(a, w, origin)
    start = w[R_TOP]
    put_service_result(a, w, w[entry + V_VALUE], arguments, w[entry + V_ORIGIN])
    cid = cid_of_top(a, w, start)
    if w[cid + S_SERVICE] == 0:
        push(w, V_SERVICES, cid)
    w[cid + S_SERVICE] = entry
    return cid


def track_canon_result(a: Octets, w: Longs, records: int, number: int, origin: int) -> int:
    """Store what a canon froze; its CID."""
    first = alloc(w, number)
    for index in range(number):
        w[first + index] = track_element(a, w, w[records + index])
    entry = alloc(w, 3)
    w[entry + E_TETRAPLET] = track_tetraplet(a, w, origin)
    w[entry + E_FIRST] = first
    w[entry + E_COUNT] = number
    start = w[R_TOP]
    put_canon_result(a, w, w[entry + E_TETRAPLET], first, number)
    cid = cid_of_top(a, w, start)
    if w[cid + S_RESULT] == 0:
        push(w, V_RESULTS, cid)
    w[cid + S_RESULT] = entry
    return cid


def track_element(a: Octets, w: Longs, record: int) -> int:
    """Store an element of a canon result; its CID."""
    entry = alloc(w, 4)
    w[entry + L_VALUE] = track_value(a, w, w[record + N_VALUE])
    w[entry + L_TETRAPLET] = track_tetraplet(a, w, w[record + N_TETRAPLET])
    w[entry + L_KIND] = w[record + N_KIND]
    w[entry + L_SOURCE] = w[record + N_CID]
    start = w[R_TOP]
    put_element(a, w, w[entry + L_VALUE], w[entry + L_TETRAPLET], w[entry + L_KIND], w[entry + L_SOURCE])
    cid = cid_of_top(a, w, start)
    if w[cid + S_ELEMENT] == 0:
        push(w, V_ELEMENTS, cid)
    w[cid + S_ELEMENT] = entry
    return cid


def sign(w: Longs, peer: int, cid: int) -> None:
    """Register a fact for the current peer's signature, if it is one of that peer."""
    if peer == w[R_CURRENT_PEER]:
        push(w, V_SIGNED, cid)
