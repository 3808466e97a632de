"""Scopes of scalars, canon streams and canon maps; iterators; records. As `avm.exec.scopes`, `iterators` and `values`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.heap import (
    CANON,
    LITERAL,
    R_DEPTH,
    R_EMPTY,
    R_STAMP,
    R_TOP,
    S_ITERATOR,
    S_MARK,
    S_SCOPE,
    T_FUNCTION,
    T_LENS,
    T_PEER,
    T_SERVICE,
    V_TOUCHED,
    V_VISIBLE,
    alloc,
    decline,
    intern_top,
    json,
    push,
    put,
    put_number,
    put_text,
    tetraplet,
)
from avm.jit.kernels.layout import (
    CELL,
    CLEARED,
    HIDDEN,
    I_AT,
    I_CID,
    I_ELEMENTS,
    I_INDEX,
    I_ITEM,
    I_KIND,
    I_POS,
    I_RECORDS,
    I_TETRAPLET,
    N_CID,
    N_KIND,
    N_POS,
    N_TAG,
    N_TETRAPLET,
    N_VALUE,
    RECORD,
    TAG_RECORD,
    UNDEFINED,
    WHY_ERROR,
    X_BELOW,
    X_CONTENT,
    X_DEPTH,
)

EXPORTS: Final[tuple[str, ...]] = ()


def find(w: Longs, name: int) -> int:
    """Content of a variable, HIDDEN after `new`, 0 if there is none or it is not visible."""
    cell = w[name + S_SCOPE]
    if cell and w[w[V_VISIBLE] + w[cell + X_DEPTH]]:
        return w[cell + X_CONTENT]
    return 0


def variable(w: Longs, name: int) -> int:
    """Content of a variable, or an error."""
    content = find(w, name)
    if content == 0:
        return UNDEFINED
    return CLEARED if content == HIDDEN else content


def push_cell(w: Longs, name: int, content: int) -> None:
    """A new top cell."""
    cell = alloc(w, CELL)
    depth = w[R_DEPTH]
    w[cell + X_DEPTH] = depth
    w[cell + X_CONTENT] = content
    w[cell + X_BELOW] = w[name + S_SCOPE]
    w[name + S_SCOPE] = cell
    if depth:
        while w[V_TOUCHED + 2] < depth:
            push(w, V_TOUCHED, 0)
        touch(w, depth - 1, name)


def touch(w: Longs, index: int, name: int) -> None:
    """Note that a name got a cell."""
    link = alloc(w, 2)
    w[link] = name
    w[link + 1] = w[w[V_TOUCHED] + index]
    w[w[V_TOUCHED] + index] = link


def assign(w: Longs, name: int, content: int) -> None:
    """Write a variable."""
    cell = w[name + S_SCOPE]
    depth = w[R_DEPTH]
    if cell == 0:
        push_cell(w, name, content)
    elif depth == 0 and w[cell + X_CONTENT] != HIDDEN:
        decline(w, WHY_ERROR)
    elif w[cell + X_DEPTH] == depth:
        w[cell + X_CONTENT] = content
    else:
        push_cell(w, name, content)


def show(w: Longs, depth: int, visible: int) -> None:
    """Make a depth visible or not."""
    while w[V_VISIBLE + 2] <= depth:
        push(w, V_VISIBLE, 0)
    w[w[V_VISIBLE] + depth] = visible


def scopes_fold_start(w: Longs) -> None:
    """Enter the first iteration; the surrounding one stays visible."""
    w[R_DEPTH] += 1
    show(w, w[R_DEPTH], 1)


def scopes_fold_end(w: Longs) -> None:
    """Leave the fold and drop what its iterations set."""
    show(w, w[R_DEPTH], 0)
    w[R_DEPTH] -= 1
    cleanup(w)


def before_next(w: Longs) -> None:
    """Enter the next iteration; the running one becomes invisible."""
    show(w, w[R_DEPTH], 0)
    w[R_DEPTH] += 1
    show(w, w[R_DEPTH], 1)


def after_next(w: Longs) -> None:
    """Back in the iteration that executed `next`."""
    show(w, w[R_DEPTH], 0)
    w[R_DEPTH] -= 1
    show(w, w[R_DEPTH], 1)
    cleanup(w)


def cleanup(w: Longs) -> None:
    """Pop one cell of each name whose top lies deeper than the current depth."""
    depth = w[R_DEPTH]
    length = w[V_TOUCHED + 2]
    if length <= depth:
        return
    w[R_STAMP] += 1
    rest = 0
    for index in range(depth, length):
        link = w[w[V_TOUCHED] + index]
        while link:
            name = w[link]
            after = w[link + 1]
            if w[name + S_MARK] != w[R_STAMP]:
                w[name + S_MARK] = w[R_STAMP]
                cell = w[name + S_SCOPE]
                if cell and w[cell + X_DEPTH] > depth:
                    cell = w[cell + X_BELOW]
                    w[name + S_SCOPE] = cell
                    if cell and w[cell + X_DEPTH] > depth:
                        w[link + 1] = rest
                        rest = link
            link = after
    w[V_TOUCHED + 2] = depth
    if rest:
        push(w, V_TOUCHED, rest)


def scalar(a: Octets, w: Longs, name: int) -> int:
    """The record a scalar or iterator stands for, or an error."""
    loop = w[name + S_ITERATOR]
    if loop == 0:
        return variable(w, name)
    if find(w, name):
        decline(w, WHY_ERROR)
    return current_item(a, w, loop)


def make_record(w: Longs, value: int, origin: int, pos: int, kind: int, cid: int) -> int:
    """A record whose tetraplet is narrowed to what its provenance can vouch for."""
    empty = w[R_EMPTY]
    if kind == CANON:
        if w[origin + T_SERVICE] != empty or w[origin + T_FUNCTION] != empty:
            origin = tetraplet(w, w[origin + T_PEER], empty, empty, w[origin + T_LENS])
    elif kind == LITERAL and (
        w[origin + T_SERVICE] != empty or w[origin + T_FUNCTION] != empty or w[origin + T_LENS] != empty
    ):
        origin = tetraplet(w, w[origin + T_PEER], empty, empty, empty)
    return raw_record(w, value, origin, pos, kind, cid)


def raw_record(w: Longs, value: int, origin: int, pos: int, kind: int, cid: int) -> int:
    """A record as it is."""
    node = alloc(w, RECORD)
    w[node + N_TAG] = TAG_RECORD
    w[node + N_VALUE] = value
    w[node + N_TETRAPLET] = origin
    w[node + N_POS] = pos
    w[node + N_KIND] = kind
    w[node + N_CID] = cid
    return node


def current_item(a: Octets, w: Longs, loop: int) -> int:
    """The item an iterator stands for."""
    index = w[loop + I_INDEX]
    if w[loop + I_ELEMENTS] == 0:
        return w[w[loop + I_RECORDS] + index]
    if w[loop + I_ITEM] == 0 or w[loop + I_AT] != index:
        base = w[loop + I_TETRAPLET]
        start = w[R_TOP]
        put_text(a, w, w[base + T_LENS])
        put(a, w, b".$.[")
        put_number(a, w, index)
        put(a, w, b"]")
        lens = intern_top(a, w, start)
        origin = tetraplet(w, w[base + T_PEER], w[base + T_SERVICE], w[base + T_FUNCTION], lens)
        ends = w[loop + I_ELEMENTS] + 2 * index
        w[loop + I_ITEM] = raw_record(
            w, json(w, w[ends], w[ends + 1]), origin, w[loop + I_POS], w[loop + I_KIND], w[loop + I_CID]
        )
        w[loop + I_AT] = index
    return w[loop + I_ITEM]
