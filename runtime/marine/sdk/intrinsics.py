"""What the library can do that programs cannot: memory, and questions about types that are answered while compiling.

The library is written in the module language and compiled into modules, never run by Python: these are its declarations for people and type
checkers. In the library numbers wrap around instead of ending the call, and lists are not checked.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Table(Generic[K, V]):
    """How a `dict` is kept: entries in the order of insertion, and a hash table of their numbers, -1 where there is none.

    alive: whether an entry still counts. live: how many do.
    """

    keys: list[K]
    values: list[V]
    alive: list[bool]
    table: list[int]
    live: int


def load8(address: int) -> int:
    """A byte."""
    raise NotImplementedError


def load32(address: int) -> int:
    """Four bytes, not negative."""
    raise NotImplementedError


def load64(address: int) -> int:
    """Eight bytes."""
    raise NotImplementedError


def store8(address: int, value: int) -> None:
    """A byte."""


def store32(address: int, value: int) -> None:
    """Four bytes."""


def store64(address: int, value: int) -> None:
    """Eight bytes."""


def move(target: int, source: int, count: int) -> None:
    """Copy bytes; the places may overlap."""


def fill(target: int, value: int, count: int) -> None:
    """Set bytes."""


def heap_base() -> int:
    """Where static data ends."""
    raise NotImplementedError


def pages() -> int:
    """Size of memory, in 64 KiB."""
    raise NotImplementedError


def grow(count: int) -> int:
    """More memory; -1 if there is none."""
    raise NotImplementedError


def line() -> int:
    """Line of the program that called the library."""
    raise NotImplementedError


def file_name() -> str:
    """Name of the program's file."""
    raise NotImplementedError


def trap() -> None:
    """End the call."""


def host_log(level: int, target: int, address: int, count: int) -> None:
    """The logging function of the host; nothing in a module without logging."""


def environ_sizes(count: int, size: int) -> int:
    """WASI `environ_sizes_get`; takes addresses."""
    raise NotImplementedError


def environ(places: int, data: int) -> int:
    """WASI `environ_get`; takes addresses."""
    raise NotImplementedError


def set_result(address: int, count: int) -> None:
    """What `get_result_ptr` and `get_result_size` return."""


def address(value: object) -> int:
    """Of an object."""
    raise NotImplementedError


def like(sample: T, place: int) -> T:
    """The object at an address, of the type of another."""
    raise NotImplementedError


def at(place: int) -> Any:
    """The object at an address, of the type that is wanted."""


def number(value: int) -> Any:
    """An integer as one of the type that is wanted; it fits."""


def item(values: list[T], index: int) -> T:
    """An element, unchecked."""
    raise NotImplementedError


def set_item(values: list[T], index: int, value: T) -> None:
    """Set an element, unchecked."""


def element_size(values: list[T]) -> int:
    """Bytes of an element in memory."""
    raise NotImplementedError


def element_image(values: list[T]) -> int:
    """Bytes of an element in an image of the border."""
    raise NotImplementedError


def holds_objects(values: list[T]) -> bool:
    """Whether elements are addresses."""
    raise NotImplementedError


def holds_scalars(values: list[T]) -> bool:
    """Whether elements lie in memory as they do in images of the border."""
    raise NotImplementedError


def is_text(value: object) -> bool:
    """Whether it is a `str` rather than `bytes`."""
    raise NotImplementedError


def is_boxed(value: object) -> bool:
    """Whether an optional value is kept in a box, because it is no object itself."""
    raise NotImplementedError


def unwrapped(value: T | None) -> T:
    """An optional value that is not None."""
    raise NotImplementedError


def record_size(value: object) -> int:
    """Bytes of a record in memory."""
    raise NotImplementedError


def record_image(value: object) -> int:
    """Bytes of a record in an image of the border."""
    raise NotImplementedError


def collect() -> None:
    """After a call: `collect_all`, or `collect_some` in a module whose variables refer to objects."""


def trace(value: T) -> T:
    """Move a live object; see `memory`."""
    raise NotImplementedError


def trace_fields(value: object, place: int) -> None:
    """Move what a record refers to; its copy is at `place`."""


def trace_state() -> None:
    """Move what variables of the module refer to."""


def take_at(place: int) -> Any:
    """The value in an image, of the type that is wanted."""


def take_fields(place: int) -> Any:
    """The record of an image, of the type that is wanted."""


def put_at(place: int, value: object) -> None:
    """Write a value into an image."""


def put_fields(place: int, value: object) -> None:
    """Write the fields of a record into an image."""


def equal(a: T, b: T) -> bool:
    """Whether they are equal, by type."""
    raise NotImplementedError


def less(a: T, b: T) -> bool:
    """Whether one comes first, by type."""
    raise NotImplementedError


def hashed(value: object) -> int:
    """A number that is equal for equal values."""
    raise NotImplementedError


def new_table() -> Any:
    """An empty dict, of the type that is wanted."""


def bits(value: float) -> int:
    """Of a float."""
    raise NotImplementedError


def from_bits(value: int) -> float:
    """A float of its bits."""
    raise NotImplementedError


def floor(value: float) -> float:
    """The whole number at it or below."""
    raise NotImplementedError


def sqrt(value: float) -> float:
    """The square root; nan for a number that has none."""
    raise NotImplementedError


def truncated(value: float) -> int:
    """Without its fraction; the nearest number there is."""
    raise NotImplementedError


def leading_zeros(value: int) -> int:
    """Of 64 bits."""
    raise NotImplementedError


def div(a: int, b: int) -> int:
    """Towards zero; `b` is not 0."""
    raise NotImplementedError


def rem(a: int, b: int) -> int:
    """What `div` leaves."""
    raise NotImplementedError


def udiv(a: int, b: int) -> int:
    """Of numbers that are not negative but may have all 64 bits."""
    raise NotImplementedError


def urem(a: int, b: int) -> int:
    """What `udiv` leaves."""
    raise NotImplementedError


def lshr(a: int, b: int) -> int:
    """Shift right; zeros come in."""
    raise NotImplementedError


def ult(a: int, b: int) -> bool:
    """Less, of numbers that are not negative but may have all 64 bits."""
    raise NotImplementedError


class UnicodeDecodeError(ValueError):
    """As Python's, with a message only."""


def rare(function: T) -> T:
    """A function that is not compiled into its callers."""
    return function
