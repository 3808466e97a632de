"""Results of services in their binary form, as `avm.call_data` reads them; all but the usual form is declined."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Bytes, Longs, Octets
from avm.jit.kernels.heap import R_NEXT_RESULT, V_CALL_RESULTS, decline, map_place, number_map, push
from avm.jit.kernels.layout import WHY_RESULTS, ZERO

EXPORTS: Final[tuple[str, ...]] = ()


def find_result(w: Longs, request_id: int) -> int:
    """The result for a request, 0 if there is none. They are mostly asked for in their order."""
    at = w[V_CALL_RESULTS]
    number = w[V_CALL_RESULTS + 2] // 4
    index = w[R_NEXT_RESULT]
    for _ in range(number):
        if index >= number:
            index = 0
        if w[at + 4 * index] == request_id:
            w[R_NEXT_RESULT] = index + 1
            return at + 4 * index
        index += 1
    return 0


def read_results(a: Octets, w: Longs, start: int, end: int, limit: int) -> None:
    """Call results in their binary form: id, position and size, whether it failed. Declines all but the usual form.

    Results with one id twice: the last one counts, as in a mapping; such are left to Python.
    """
    if end - start < 3 or a[start] != 0x81 or a[start + 1] != 4:
        decline(w, WHY_RESULTS)
    i = start + 3
    number = a[start + 2]
    if number & 0xF0 == 0x80:
        number &= 15
    elif number == 0xDE:
        number = 256 * a[i] + a[i + 1]
        i += 2
    elif number == 0xDF:
        number = ((256 * a[i] + a[i + 1]) * 256 + a[i + 2]) * 256 + a[i + 3]
        i += 4
    else:
        decline(w, WHY_RESULTS)
    if number > end - start:
        decline(w, WHY_RESULTS)
    ids = number_map(w, number)
    for _ in range(number):
        size = a[i] & 31
        if a[i] & 0xE0 != 0xA0 or size == 0 or size > 10:
            decline(w, WHY_RESULTS)
        request_id = 0
        for k in range(size):
            digit = a[i + 1 + k] - ZERO
            if digit < 0 or digit > 9 or (k == 0 and digit == 0 and size > 1):
                decline(w, WHY_RESULTS)
            request_id = 10 * request_id + digit
        i += 1 + size
        place = map_place(w, ids, request_id)
        if w[place]:
            decline(w, WHY_RESULTS)
        w[place] = request_id + 1
        if a[i] != 0x82:
            decline(w, WHY_RESULTS)
        i = expect_bytes(a, w, i + 1, b"\xa8ret_code")
        failed = 1
        if a[i] == 0:
            failed = 0
            i += 1
        elif a[i] < 0x80 or a[i] >= 0xE0:
            i += 1
        elif a[i] == 0xCC or a[i] == 0xD0:
            i += 2
        elif a[i] == 0xCD or a[i] == 0xD1:
            i += 3
        else:
            decline(w, WHY_RESULTS)
        i = expect_bytes(a, w, i, b"\xa6result")
        size = 0
        head = a[i]
        if head & 0xE0 == 0xA0:
            size = head & 31
            i += 1
        elif head == 0xD9:
            size = a[i + 1]
            i += 2
        elif head == 0xDA:
            size = 256 * a[i + 1] + a[i + 2]
            i += 3
        elif head == 0xDB:
            size = ((256 * a[i + 1] + a[i + 2]) * 256 + a[i + 3]) * 256 + a[i + 4]
            i += 5
        else:
            decline(w, WHY_RESULTS)
        if size > limit or i + size > end:
            decline(w, WHY_RESULTS)
        push(w, V_CALL_RESULTS, request_id)
        push(w, V_CALL_RESULTS, i)
        push(w, V_CALL_RESULTS, size)
        push(w, V_CALL_RESULTS, failed)
        i += size
    if i != end:
        decline(w, WHY_RESULTS)


def expect_bytes(a: Octets, w: Longs, at: int, text: Bytes) -> int:
    """Behind bytes that have to stand there."""
    for k in range(len(text)):
        if a[at + k] != text[k]:
            decline(w, WHY_RESULTS)
    return at + len(text)
