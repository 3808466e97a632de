"""Lexers for Pygments, found through its entry point: `pygmentize -l aqua`, and ```` ```aqua ```` in documents made with it.

Pygments is not needed by anything else here, and loads this module when it looks for a lexer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pygments.lexer import RegexLexer, bygroups
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from .highlighting import AIR, AQUA

if TYPE_CHECKING:
    from .highlighting import Rule

KINDS: Final = {
    "blank": Whitespace,
    "comment": Comment.Single,
    "string": String.Double,
    "number": Number,
    "keyword": Keyword,
    "operator": Operator,
    "punctuation": Punctuation,
    "constant": Keyword.Constant,
    "upper": Name.Constant,
    "scalar": Keyword.Type,
    "type": Name.Class,
    "function": Name.Function,
    "variable": Name.Variable,
    "stream": Name.Variable,
    "property": Name.Attribute,
}
"""Token types of the kinds of `highlighting`."""


def _rules(rules: tuple[Rule, ...]) -> list[Any]:
    made: list[Any] = [(r'"[^"]*"', String.Double)]
    for rule in rules:
        kinds = [KINDS[kind] for kind in rule.kinds]
        made.append((rule.pattern, kinds[0] if len(kinds) == 1 else bygroups(*kinds)))
    return [*made, (r"[^\S\n]+|\n", Whitespace)]


class AquaLexer(RegexLexer):  # type: ignore[misc]
    """Aqua source."""

    name = "Aqua"
    aliases: ClassVar = ["aqua"]
    filenames: ClassVar = ["*.aqua"]
    mimetypes: ClassVar = ["text/x-aqua"]
    url = "https://fluence.dev/docs/aqua-book/introduction"
    flags = re.MULTILINE
    tokens: ClassVar = {"root": _rules(AQUA)}


class AirLexer(RegexLexer):  # type: ignore[misc]
    """AIR text: what Aqua compiles to."""

    name = "AIR"
    aliases: ClassVar = ["air"]
    filenames: ClassVar = ["*.air"]
    mimetypes: ClassVar = ["text/x-air"]
    url = "https://fluence.dev/docs/aqua-book/introduction"
    flags = re.MULTILINE
    tokens: ClassVar = {"root": _rules(AIR)}
