"""Semantic versions with the errors of the reference's parser.

Source: crate semver 1.0
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering
from itertools import zip_longest

_U64_MAX = 2**64 - 1
_PARTS = ("major version number", "minor version number", "patch version number")


class VersionError(ValueError):
    """The text is no version."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`major.minor.patch-pre+build`. `pre` and `build` are empty when absent; order is the one of the standard."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    def __str__(self) -> str:
        """The text it was parsed from."""
        text = f"{self.major}.{self.minor}.{self.patch}"
        return text + (f"-{self.pre}" if self.pre else "") + (f"+{self.build}" if self.build else "")

    def __lt__(self, other: Version) -> bool:
        """Order of precedence; a pre-release stands before its release."""
        mine, theirs = (self.major, self.minor, self.patch), (other.major, other.minor, other.patch)
        if mine != theirs:
            return mine < theirs
        if self.pre != other.pre:
            return _pre_key_less(self.pre, other.pre)
        return self.build < other.build


def _pre_key_less(mine: str, theirs: str) -> bool:
    if not mine or not theirs:
        return bool(mine)
    for a, b in zip_longest(mine.split("."), theirs.split(".")):
        if a == b:
            continue
        if a is None or b is None:
            return a is None
        if a.isdigit() and b.isdigit():
            return int(a) < int(b)
        if a.isdigit() != b.isdigit():
            return bool(a.isdigit())
        return bool(a < b)
    return False


def parse_version(text: str) -> Version:
    """Parse a version. Raises VersionError with the reference's words."""
    if not text:
        raise VersionError("empty string, expected a semver version")
    numbers, rest = [], text
    for index, part in enumerate(_PARTS):
        number, rest = _number(rest, part)
        numbers.append(number)
        if index < 2:
            if not rest:
                raise VersionError(f"unexpected end of input while parsing {part}")
            if rest[0] != ".":
                raise VersionError(f"unexpected character {_quoted(rest[0])} after {part}")
            rest = rest[1:]
    pre = build = ""
    if rest.startswith("-"):
        pre, rest = _identifier(rest[1:], "pre-release identifier", numeric_rule=True)
        if not pre:
            raise VersionError("empty identifier segment in pre-release identifier")
    last = "pre-release identifier" if pre else _PARTS[2]
    if rest.startswith("+"):
        build, rest = _identifier(rest[1:], "build metadata", numeric_rule=False)
        last = "build metadata"
        if not build:
            raise VersionError("empty identifier segment in build metadata")
    if rest:
        raise VersionError(f"unexpected character {_quoted(rest[0])} after {last}")
    return Version(numbers[0], numbers[1], numbers[2], pre, build)


def _number(text: str, part: str) -> tuple[int, str]:
    size = 0
    while size < len(text) and text[size] in "0123456789":
        size += 1
    digits = text[:size]
    if not digits:
        if not text:
            raise VersionError(f"unexpected end of input while parsing {part}")
        if text[0] in "*xX":
            raise VersionError(f"unexpected wildcard character {_quoted(text[0])} while parsing {part}") from None
        raise VersionError(f"unexpected character {_quoted(text[0])} while parsing {part}")
    if len(digits) > 1 and digits[0] == "0":
        raise VersionError(f"invalid leading zero in {part}")
    if len(digits) > 20 or int(digits) > _U64_MAX:
        raise VersionError(f"value of {part} exceeds u64::MAX")
    return int(digits), text[size:]


def _identifier(text: str, part: str, *, numeric_rule: bool) -> tuple[str, str]:
    size = 0
    while size < len(text) and text[size].isascii() and (text[size].isalnum() or text[size] in "-."):
        size += 1
    value = text[:size]
    if not value:
        return "", text
    for segment in value.split("."):
        if not segment:
            raise VersionError(f"empty identifier segment in {part}")
        if numeric_rule and len(segment) > 1 and segment[0] == "0" and segment.isdigit():
            raise VersionError(f"invalid leading zero in {part}")
    return value, text[size:]


def _quoted(character: str) -> str:
    return "'\\0'" if character == "\0" else f"'{character}'"
