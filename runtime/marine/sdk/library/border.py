"""Values between modules: images in memory, packed, texts and lists as address and count, records as address."""

from __future__ import annotations

from typing import TypeVar

from runtime.marine.sdk.intrinsics import (
    address,
    at,
    element_image,
    heap_base,
    holds_scalars,
    item,
    load32,
    put_at,
    put_fields,
    record_image,
    set_item,
    set_result,
    take_at,
    take_fields,
    unwrapped,
)

from .lists import list_at, new_list
from .memory import alloc
from .texts import data_of, points, shared, size_of

T = TypeVar("T")
S = TypeVar("S", str, bytes)


def take_text(data: int, count: int) -> str:
    """A text the host wrote."""
    if count == 0:
        return shared("", heap_base(), 0, 0)
    return shared("", data, count, points(data, count))


def take_bytes(data: int, count: int) -> bytes:
    """Bytes the host wrote."""
    return shared(b"", data if count > 0 else heap_base(), count, count)


def take_list(data: int, count: int) -> list[T]:
    """A list the host wrote; numbers stay where they are."""
    out: list[T] = at(0)
    if holds_scalars(out):
        out = list_at(data if count > 0 else heap_base(), count)
        return out
    out = new_list(count)
    for i in range(count):
        value: T = take_at(data + i * element_image(out))
        set_item(out, i, value)
    return out


def take_record(data: int) -> T:  # type: ignore[type-var]
    """A record the host wrote."""
    out: T = take_fields(data)
    return out


def take_optional(data: int, count: int) -> T | None:
    """An optional value: a list of one, or none."""
    if count == 0:
        nothing: T | None = at(0)
        return nothing
    if count > 1:
        raise ValueError("an optional value is a list of at most one")
    value: T = take_at(data)
    out: T | None = value
    return out


def put_list(values: list[T]) -> int:
    """Address of the elements' images."""
    if holds_scalars(values):
        return load32(address(values) + 12)
    size = element_image(values)
    out = alloc(size * len(values))
    for i in range(len(values)):
        put_at(out + i * size, item(values, i))
    return out


def put_record(value: T) -> int:
    """Address of a record's image."""
    out = alloc(record_image(value))
    put_fields(out, value)
    return out


def put_optional(value: T | None) -> int:
    """Address of the image of what is there."""
    if address(value) == 0:
        return heap_base()
    out = alloc(8)
    put_at(out, unwrapped(value))
    return out


def lower_text(value: S) -> None:
    """Leave a text as a result."""
    set_result(data_of(value), size_of(value))


def lower_list(value: list[T]) -> None:
    """Leave a list as a result."""
    set_result(put_list(value), len(value))


def lower_record(value: T) -> None:
    """Leave a record as a result."""
    set_result(put_record(value), 0)


def lower_optional(value: T | None) -> None:
    """Leave an optional value as a result."""
    set_result(put_optional(value), 0 if address(value) == 0 else 1)
