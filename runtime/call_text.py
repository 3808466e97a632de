"""The text of a call, `func(args)`: a function's name and arguments that are data.

Arguments are JSON, Aqua's `nil`, options `?[…]`, and variables with an optional path (`user.names[0]`), in any mixture.
Errors: `CallTextError`, with the place.
Source: aqua:aqua-run/src/main/scala/aqua/run; richer than the reference, which takes literals and variables only.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH_MAX: Final = 1 << 20
"""Longest call, characters. Larger values come from a data file."""

DEPTH_MAX: Final = 64
"""Nesting of arrays and objects in a call."""

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>[()\[\]{},:.?])
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = {"true": True, "false": False, "null": None, "nil": None}


class CallTextError(ValueError):
    """The text is not a call, or names something that is not there."""


@dataclass(frozen=True, slots=True)
class CallText:
    """A call: the name, and the values of its arguments; None when only the name is given."""

    name: str
    arguments: list[Any] | None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_call(text: str, variables: Mapping[str, Any]) -> CallText:
    """The call in a text; a bare name has no arguments. Raises CallTextError."""
    if len(text) > LENGTH_MAX:
        raise CallTextError(f"the call is longer than {LENGTH_MAX} characters")
    return _Parser(text, variables).call()


class _Parser:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._text = text
        self._variables = variables
        self._tokens = self._split()
        self._next = 0

    def _split(self) -> list[_Token]:
        tokens = []
        at = 0
        end = len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                start = at + len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._error(f"unexpected {self._text[start]!r}", start)
            tokens.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, _Token("end", "", end)]

    def _error(self, message: str, at: int) -> CallTextError:
        return CallTextError(f"in the call `{self._text}`, character {at + 1}: {message}")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        if token.kind != "end":
            self._next += 1
        return token

    def _is(self, mark: str) -> bool:
        if self._token.kind == "mark" and self._token.text == mark:
            self._next += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._is(mark):
            raise self._unexpected(f"`{mark}`")

    def _unexpected(self, wanted: str) -> CallTextError:
        found = f"`{self._token.text}`" if self._token.kind != "end" else "the end"
        return self._error(f"expected {wanted}, found {found}", self._token.at)

    def call(self) -> CallText:
        token = self._take()
        if token.kind != "name" or token.text in _WORDS:
            self._next = 0
            raise self._unexpected("the name of a function")
        arguments = None
        if self._is("("):
            arguments = self._items(")", 0)
        if self._token.kind != "end":
            raise self._unexpected("the end")
        return CallText(token.text, arguments)

    def _items(self, close: str, depth: int) -> list[Any]:
        items: list[Any] = []
        if self._is(close):
            return items
        while True:
            items.append(self._value(depth + 1))
            if self._is(close):
                return items
            if not self._is(","):
                raise self._unexpected(f"`,` or `{close}`")

    def _value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise self._error(f"values nest deeper than {DEPTH_MAX}", self._token.at)
        token = self._take()
        match token.kind, token.text:
            case "string", text:
                try:
                    return json.loads(text)
                except ValueError as error:
                    raise self._error(f"bad string: {error}", token.at) from error
            case "number", text:
                return json.loads(text) if not re.match(r"-?0\d", text) else self._leading_zero(token)
            case "name", name:
                return _WORDS[name] if name in _WORDS else self._variable(token)
            case "mark", "[":
                return self._items("]", depth)
            case "mark", "?":
                self._expect("[")
                items = self._items("]", depth)
                if len(items) > 1:
                    raise self._error("an option holds at most one value", token.at)
                return items[0] if items else None
            case "mark", "{":
                return self._object(depth)
            case _:
                self._next -= token.kind != "end"
                raise self._unexpected("a value")

    def _leading_zero(self, token: _Token) -> Any:
        raise self._error("a number has no leading zero", token.at)

    def _object(self, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self._is("}"):
            return out
        while True:
            token = self._take()
            if token.kind not in ("string", "name"):
                self._next -= token.kind != "end"
                raise self._unexpected("a key")
            self._expect(":")
            out[json.loads(token.text) if token.kind == "string" else token.text] = self._value(depth + 1)
            if self._is("}"):
                return out
            if not self._is(","):
                raise self._unexpected("`,` or `}`")

    def _variable(self, token: _Token) -> Any:
        if token.text not in self._variables:
            known = ", ".join(sorted(self._variables)) or "none"
            raise self._error(f"variable `{token.text}` has no value (given: {known}); use --arg or --data", token.at)
        value = self._variables[token.text]
        path = token.text
        while True:
            if self._is("."):
                field = self._take()
                if field.kind != "name":
                    raise self._error("expected a field name after `.`", field.at)
                if not isinstance(value, dict) or field.text not in value:
                    raise self._error(f"`{path}` has no field `{field.text}`", field.at)
                value, path = value[field.text], f"{path}.{field.text}"
            elif self._is("["):
                index = self._take()
                if index.kind != "number" or not index.text.isdigit():
                    raise self._error("expected an index", index.at)
                self._expect("]")
                if not isinstance(value, list) or int(index.text[:12]) >= len(value):
                    raise self._error(f"`{path}` has no element {index.text}", index.at)
                value, path = value[int(index.text)], f"{path}[{index.text}]"
            else:
                return value
