"""Versions in the envelope: what we write, what we accept, and semver as the reference reads it.

Errors: VersionError with the text of crate semver. Source: semver 1.0 (parse.rs, error.rs); aquavm:air/src/preparation_step/interpreter_versions.rs
"""

from __future__ import annotations

from typing import Final

from avm.air.chars import is_escaped

DATA_VERSION: Final = "0.17.2"
"""Version of the data format, written into every envelope and never compared by anyone."""

INTERPRETER_VERSION: Final = "0.62.0"
"""The reference whose behaviour this interpreter has."""

OWN_VERSIONS: Final = {"0.62": INTERPRETER_VERSION, "0.64.1": "0.64.1"}
"""By `VmOptions.version`: what the interpreter calls itself in data and in messages."""

MIN_INTERPRETER_VERSION: Final = "0.61.0"
"""Current data of an older interpreter is refused with code 6; also what empty data counts as."""

_MIN_KEY: Final = (0, 61, 0)
_U64_MAX: Final = 2**64 - 1
_NUMBERS: Final = ("major version number", "minor version number", "patch version number")
_PRE: Final = "pre-release identifier"
_BUILD: Final = "build metadata"


class VersionError(ValueError):
    """The text is no semver version."""


def parse_version(text: str) -> tuple[tuple[int, int, int], str]:
    """The three numbers and the pre-release text. Raises VersionError."""
    if not text:
        raise VersionError("empty string, expected a semver version")
    numbers: list[int] = []
    rest = text
    for index, name in enumerate(_NUMBERS):
        value, rest = _number(rest, name)
        numbers.append(value)
        if index < 2:
            if not rest:
                raise VersionError(f"unexpected end of input while parsing {name}")
            if rest[0] != ".":
                raise VersionError(f"unexpected character {_quoted(rest[0])} after {name}")
            rest = rest[1:]
    place = _NUMBERS[2]
    pre = ""
    if rest.startswith("-"):
        place = _PRE
        pre, rest = _identifiers(rest[1:], _PRE)
    if rest.startswith("+"):
        place = _BUILD
        _, rest = _identifiers(rest[1:], _BUILD)
    if rest:
        raise VersionError(f"unexpected character {_quoted(rest[0])} after {place}")
    return (numbers[0], numbers[1], numbers[2]), pre


def is_supported(interpreter_version: str) -> bool:
    """Whether current data of that (valid) version is accepted: at least 0.61.0, where 0.61.0-rc.1 is less."""
    if interpreter_version == INTERPRETER_VERSION:
        return True
    numbers, pre = parse_version(interpreter_version)
    return numbers > _MIN_KEY or (numbers == _MIN_KEY and not pre)


def _number(text: str, name: str) -> tuple[int, str]:
    value = size = 0
    for char in text:
        if not "0" <= char <= "9":
            break
        if value == 0 and size > 0:
            raise VersionError(f"invalid leading zero in {name}")
        value = value * 10 + ord(char) - 48
        if value > _U64_MAX:
            raise VersionError(f"value of {name} exceeds u64::MAX")
        size += 1
    if size:
        return value, text[size:]
    if text:
        raise VersionError(f"unexpected character {_quoted(text[0])} while parsing {name}")
    raise VersionError(f"unexpected end of input while parsing {name}")


def _identifiers(text: str, name: str) -> tuple[str, str]:
    """Dot-separated identifiers at the start of `text`, and what follows them."""
    end = 0
    while end < len(text) and (text[end] in ".-" or (text[end].isascii() and text[end].isalnum())):
        end += 1
    found = text[:end]
    for segment in found.split("."):
        if not segment:
            raise VersionError(f"empty identifier segment in {name}")
        if name is _PRE and len(segment) > 1 and segment[0] == "0" and segment.isdigit():
            raise VersionError(f"invalid leading zero in {name}")
    return found, text[end:]


def _quoted(char: str) -> str:
    """A character as Rust's `{:?}` prints it."""
    special = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", "'": "\\'", "\\": "\\\\"}
    if char in special:
        return f"'{special[char]}'"
    shown = " " <= char < "\x7f" or (char > "\x7f" and not is_escaped(char))
    return f"'{char}'" if shown else f"'\\u{{{ord(char):x}}}'"
