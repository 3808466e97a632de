"""Messages to the log of the host. The environment variable `WASM_LOG` says which levels are wanted, as modules made with Rust do."""

from __future__ import annotations

from runtime.marine.sdk.intrinsics import environ, environ_sizes, fill, host_log, load8, load32

from .memory import alloc
from .texts import data_of, size_of

_wanted = -1


def log_at(level: int, message: str, target: int) -> None:
    """Pass on a message; levels are 1 for errors to 5 for traces."""
    global _wanted
    if _wanted < 0:
        _wanted = read_level()
    if level <= _wanted:
        host_log(level, target, data_of(message), size_of(message))


def read_level() -> int:
    """The highest level that is wanted; 3 if nothing says so."""
    sizes = alloc(8)
    fill(sizes, 0, 8)
    if environ_sizes(sizes, sizes + 4) != 0:
        return 3
    count = load32(sizes)
    size = load32(sizes + 4)
    places = alloc(count * 4 + size + 1)
    fill(places, 0, count * 4 + size + 1)
    if environ(places, places + count * 4) != 0:
        return 3
    for i in range(count):
        level = named(load32(places + i * 4))
        if level >= 0:
            return level
    return 3


def named(place: int) -> int:
    """The level an entry of the environment asks for; -1 if it is about something else."""
    if not begins(place, "WASM_LOG="):
        return -1
    place += 9
    if is_word(place, "off"):
        return 0
    if is_word(place, "error"):
        return 1
    if is_word(place, "warn"):
        return 2
    if is_word(place, "debug"):
        return 4
    if is_word(place, "trace"):
        return 5
    return 3


def is_word(place: int, word: str) -> bool:
    """Whether bytes that end in 0 are a word, in letters of any size."""
    for i in range(size_of(word)):
        byte = load8(place + i)
        if (byte + 32 if byte >= 65 and byte <= 90 else byte) != load8(data_of(word) + i):
            return False
    return load8(place + size_of(word)) == 0


def begins(place: int, text: str) -> bool:
    """Whether bytes that end in 0 begin with a text."""
    for i in range(size_of(text)):
        if load8(place + i) != load8(data_of(text) + i):
            return False
    return True
