"""Say in human terms why a line does not parse, and what was probably meant.

Input:  lark's exception for one logical line.
Output: message, span and hint. Positions of plain syntax errors are ours; the reference's are artefacts of its parser.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lark import UnexpectedCharacters, UnexpectedToken

from aquac.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lark import UnexpectedInput

    from .grammar import Start
    from .layout import LogicalLine

TOP_WORDS: Final = {
    "aqua": "header",
    "module": "header",
    "import": "header",
    "use": "header",
    "export": "header",
    "const": "const",
    "alias": "alias",
    "data": "data",
    "service": "service",
    "ability": "ability",
    "func": "func",
}
_FOREIGN_TOP: Final = {
    "def": "func",
    "fn": "func",
    "function": "func",
    "fun": "func",
    "struct": "data",
    "type": "alias",
    "class": "data",
    "record": "data",
    "interface": "service",
    "let": "const",
    "var": "const",
    "include": "import",
    "require": "import",
}
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_OPERATOR: Final = re.compile(r"<<-|=>|<-|->|==|!=|>=|<=|\*\*|&&|\|\||\?=")

# What can stand at a place, in the order it is named; a group is named if the state accepts all of `needs`.
_GROUPS: Final[tuple[tuple[frozenset[str], frozenset[str], str], ...]] = (
    (frozenset({"STR", "INT", "NAME"}), frozenset({
        "STR", "INT", "FLOAT", "NAME", "CLASS", "INIT_PEER_ID", "BANG", "LPAR", "LSQB", "OPTION_OPEN", "STREAM_OPEN",
    }), "a value"),
    (frozenset({"TOP", "NAME"}), frozenset({
        "TOP", "NAME", "CLASS", "LSQB", "QUESTION", "STAR", "PERCENT", "ARROW", "LPAR", "LBRACE",
    }), "a type"),
    (frozenset({"PLUS", "MINUS"}), frozenset({
        "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "POW", "AND", "OR", "EQEQ", "NEQ", "GE", "LE", "GT", "LT",
    }), "an operator"),
    (frozenset({"NAME", "CLASS"}), frozenset({"NAME", "CLASS"}), "a name"),
)  # fmt: skip
_STATEMENT_WORDS: Final = (
    *("on", "if", "for", "parseq", "join", "par", "co", "else", "try", "catch", "otherwise", "via", "from", "as"),
    *("declares", "func"),
)
_POSTFIX: Final = frozenset({"DOT", "LSQB", "BANG", "BANG_N", "LPAR", "LBRACE"})
_TEXTS: Final = {
    "NAME": "a name starting with a lower-case letter",
    "CLASS": "a name starting with an upper-case letter",
    "STR": 'a string in `"`',
    "MODE": "`par`, `try` or `rec`",
    "BACK": "`<-`",
    "PUSH": "`<<-`",
    "ARROW": "`->`",
    "EQ": "`=`",
    "OVERRIDE": "`?=`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "STAR": "`*`",
    "$END": "the end of the line",
    "CLOSURE": "`func`",
    "INT": "a number",
    "FLOAT": "a number",
    "INIT_PEER_ID": "`%init_peer_id%`",
    "TOP": "`⊤`",
    "BANG": "`!`",
    "BANG_N": "`!`",
    "OPTION_OPEN": "`?[`",
    "STREAM_OPEN": "`*[`",
    "QUESTION": "`?`",
    "PLUS": "`+`",
    "MINUS": "`-`",
    "SLASH": "`/`",
    "PERCENT": "`%`",
    "POW": "`**`",
    "AND": "`&&`",
    "OR": "`||`",
    "EQEQ": "`==`",
    "NEQ": "`!=`",
    "GE": "`>=`",
    "LE": "`<=`",
    "GT": "`>`",
    "LT": "`<`",
}


def meant_at_top(word: str) -> str | None:
    """The first word of a definition or header line that `word` probably stands for."""
    return _FOREIGN_TOP.get(word) or next(iter(get_close_matches(word, TOP_WORDS, 1, 0.7)), _meant(word, TOP_WORDS))


def explain_top(text: str, line: LogicalLine, word: str) -> tuple[str, Span, str]:
    """Why a line at column 1 is neither header nor definition."""
    start = line.start
    if not word:
        return (
            f"a header line or definition starts here, found {_found(text, start, line.end)}",
            _span(text, start, line),
            "",
        )
    meant = meant_at_top(word)
    hint = f"did you mean `{meant}`?" if meant else ""
    if not meant and re.match(r"\w+[ \t]*(\{[^}]*\})?[ \t]*\(.*\)[^()]*:\Z", text[start : line.end], re.DOTALL):
        hint = "the definition of a function starts with `func`, of a service with `service`"
    elif not meant:
        hint = "statements stand inside a `func` and are indented"
    return f"`{word}` starts neither a header line nor a definition", Span(start, start + len(word)), hint


def explain(text: str, line: LogicalLine, start: Start, error: UnexpectedInput) -> tuple[str, Span, str]:
    """Message, place and hint for a line that does not parse."""
    at = line.end
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        if error.token.type != "$END":
            at = line.start + (error.token.start_pos or 0)
        expected = set(error.accepts)
    elif isinstance(error, UnexpectedCharacters):
        at = line.start + (error.pos_in_stream or 0)
        expected = set(error.allowed) - {"SPACE"}
        interactive = getattr(error, "interactive_parser", None)
        if interactive is not None:
            expected = set(interactive.accepts())
    if text.startswith("<-", at) and text[at - 1] == "<":
        at -= 1  # `<<-` where only `<` fits
    span = _span(text, at, line)
    found = _found(text, at, line.end)
    hint = _hint(text, line, start, at) or _likely(text, line, start, at, expected)
    wanted = _wanted(expected)
    message = f"expected {wanted}, found {found}" if wanted else f"unexpected {found}"
    return message, span, hint


def _span(text: str, at: int, line: LogicalLine) -> Span:
    """The word or character at `at`; one column behind the line at its end."""
    if at >= line.end:
        return Span(line.end, line.end)
    word = _WORD.match(text, at, line.end) or _OPERATOR.match(text, at, line.end)
    return Span(at, word.end() if word else at + 1)


def _found(text: str, at: int, end: int) -> str:
    if at >= end:
        return "the end of the line"
    word = _WORD.match(text, at, end)
    if word:
        return f"`{word.group()}`" if len(word.group()) <= 40 else f"`{word.group()[:40]}…`"
    char = text[at]
    operator = _OPERATOR.match(text, at, end)
    if operator:
        return f"`{operator.group()}`"
    if char == '"':
        return "a string"
    if char == "`":
        return "a backquote"
    if char == "\n" or not char.isprintable():
        return f"the character U+{ord(char):04X}"
    return f"`{char}`"


def _wanted(expected: set[str]) -> str:
    """What could have come, in a few words; empty when a list would not help."""
    left = set(expected)
    words: list[str] = []
    for needs, members, text in _GROUPS:
        if needs <= left:
            words.append(text)
            left -= members
    if "a value" in words:
        left -= {"CLOSURE", "LBRACE"}
    if len(left) > 1:
        left.discard("MODE")
    if "an operator" in words:
        # Behind a value nearly anything may follow; what closes the construct is what helps.
        words.remove("an operator")
        left -= _POSTFIX
        if not left - {"$END"}:
            return "the end of the line" if "$END" in left else ""
    words += sorted({_TEXTS.get(name, f"`{name.lower()}`") for name in left})
    if not words or len(words) > 5:
        return ""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# Matched at the place of the error.
_AT: Final = (
    (re.compile(r"//|/\*"), "comments start with `--`"),
    (re.compile(r"[;]"), "statements stand on lines of their own, without `;`"),
    (re.compile(r"'"), 'strings are written with `"`'),
    (re.compile(r"[“”„«»]"), 'strings are written with `"`'),
    (re.compile(r"#"), "comments start with `--`"),
    (re.compile(r"\\"), 'a string has no escapes: it ends at the next `"`'),
    (re.compile(r"\?\s"), "there is no conditional expression; use `if` and `else`"),
    (re.compile("[\u00a0\u2000-\u200b\u3000\ufeff\f]"), "this is not an ordinary blank"),
    (
        re.compile(r":[a-z]+:|%[a-z_]+%"),
        "`LAST_ERROR`, `PARTICLE_TTL` and `PARTICLE_TIMESTAMP` are the constants for this",
    ),
    (re.compile(r"-[ \t]+[0-9]"), "no blank between `-` and the number"),
    (re.compile(r"-[ \t]*[A-Za-z(]"), "only number literals are negated with `-`; subtract from zero: `0 - x`"),
    (re.compile(r"\.[0-9]"), "a number starts with a digit: `0.5`"),
    (re.compile(r"[^\x00-\x7f]"), "names are made of the letters a to z, digits and `_`"),
    (re.compile(r"_"), "names start with a letter"),
    (re.compile(r"par\b|co\b"), "`par` and `co` do not stand before each other"),
)
# Matched one character earlier: the first character of these was taken for something else.
_BEFORE: Final = (
    (re.compile(r"//|/\*"), "comments start with `--`"),
    (re.compile(r"[+\-*/]=|:="), "a variable is assigned once, with `=`"),
    (re.compile(r"[0-9][0-9xXobeE_]"), "numbers are decimal, without leading zeros, exponent or `_`"),
    (re.compile(r"[0-9][A-Za-z]"), "names start with a letter"),
    (re.compile(r"\)\("), "the result of a call is called through a name: `g <- f()`, then `g()`"),
    (re.compile(r"\[[ \t]*[A-Za-z]"), "an array type is written `[]T`"),
)
_LINES: Final = (
    (re.compile(r"\w+[ \t]*:[ \t]*([A-Za-z]\w*[ \t]*[({]|[0-9\"])"), "a name gets a value with `=`"),
    (re.compile(r"else[ \t]+if\b"), "there is no `else if`: put an `if` into the block of `else:`"),
    (re.compile(r"(elif|elsif|elseif)\b"), "put an `if` into the block of `else:`"),
    (re.compile(r"while\b|loop\b|foreach\b"), "the loop of Aqua is `for item <- collection:`"),
    (re.compile(r"for[ \t]+\w+[ \t]+(in|of)\b"), "write `for item <- collection:`"),
    (re.compile(r"for\b.*<-.*\b(seq|parallel|async)\b"), "the modes of `for` are `par`, `try` and `rec`"),
    (re.compile(r"return\b"), "write `<- value`"),
    (re.compile(r"(let|var|const)[ \t]"), "variables are defined as `name = value`"),
    (re.compile(r"parsec\b"), "did you mean `parseq`?"),
    (re.compile(r"parseq\b(?!.*\bon\b)"), "`parseq item <- collection on peer:`"),
    (re.compile(r"catch[ \t]*:"), "name the error: `catch e:`"),
    (re.compile(r"(finally|except|rescue)\b"), "the branches of `try` are `catch e:` and `otherwise:`"),
    (
        re.compile(r"(par|co)[ \t]+(if|try|parseq|otherwise|else)\b"),
        "only calls, `on`, `for` and `join` run in parallel",
    ),
    (re.compile(r"(par|co)[ \t]*:"), "`par` stands before each call, `on`, `for` or `join`"),
    (re.compile(r"(par|co)[ \t]+\w+[ \t]*(=[^=]|<<-)"), "only calls, `on`, `for` and `join` run in parallel"),
    (re.compile(r"on\b.*,"), "relays are given with `via`, one after the other"),
    (re.compile(r"(if|on|for|parseq)\("), "a blank stands behind the keyword"),
    (re.compile(r"[a-z]\w*(-\w+)+[ \t]*(=[^=]|<-)"), "names cannot contain `-`"),
    (re.compile(r"join\b"), "`join` takes names, properties and indices, separated by commas"),
    (
        re.compile(r"(data|service|ability|func|alias)[ \t]+\w+"),
        "definitions start at the first column and do not nest",
    ),
    (re.compile(r"\w+([ \t]*,[ \t]*\w+)+[ \t]*=[^=]"), "one variable is assigned at a time; several results take `<-`"),
    (re.compile(r"\w+(\.\w+)+[ \t]*<<-"), "only a stream with a name of its own can be pushed to"),
    (re.compile(r"\w+(\.\w+|\[[^]]*\])+[ \t]*=[^=]"), "values do not change; `copy` makes a changed one"),
    (
        re.compile(r"(if|on|for|parseq|catch|try|else|otherwise)\b[^:]*\Z"),
        "a block starts with `:` at the end of its first line",
    ),
)


def _hint(text: str, line: LogicalLine, start: Start, at: int) -> str:
    """Advice for slips that are common."""
    if text[line.start : at].rstrip().endswith("."):
        return "digits follow the point: `7.0`" if re.search(r"[0-9]\.[ \t]*\Z", text[line.start : at]) else ""
    for pattern, hint in _AT:
        if pattern.match(text, at, line.end):
            return hint
    for pattern, hint in _BEFORE:
        if at > line.start and pattern.match(text, at - 1, line.end):
            return hint
    if start == "statement":
        for pattern, hint in _LINES:
            if pattern.match(text, line.start, line.end):
                return hint
        if text[line.start : at].rstrip().endswith(("=", "<-")) and at >= line.end:
            return "the value stands on the same line"
        if text[line.end - 1 : line.end] != ":" and ":" in text[line.start : at + 1]:
            return "the body of a block stands on lines of its own"
        if at >= line.end and re.fullmatch(r"\w+[ \t]*:", text[line.start : line.end]) and not _is_meant(text, line):
            return "a stream is declared with its type, `name: *T`; a block is opened by `on`, `if`, `for`, `try`, …"
    elif start == "member":
        if re.match(r"[0-9\"\[]", text[at : at + 1]) and text[line.start : at].rstrip().endswith(("(", ",")):
            return "arguments are declared with a name and a type: `name: T`"
    elif start == "top":
        if text[at : at + 1] in ("?", "*", "[") and text[at - 1 : at].isalnum():
            return f"the sign stands before the type: `{'[]' if text[at] == '[' else text[at]}T`"
        if at >= line.end and text.startswith(("func", "service", "data", "ability"), line.start):
            return "the first line of a definition ends with `:`"
        if text.startswith("export", line.start) and text[at : at + 1] == "*":
            return "list the names to export"
        if text[at - 1 : at] == ":" or text[line.start : at].rstrip().endswith(":"):
            return "the body of a definition stands on lines of its own, indented"
    if text[at : at + 1] in (")", "]") and text[line.start : at].rstrip().endswith(","):
        return "remove the comma before it"
    if text[at : at + 1] in ("<", ">", "=") and any(sign in text[line.start : at] for sign in "<>"):
        return "comparisons do not chain; join them with `&&`"
    return ""


def _likely(text: str, line: LogicalLine, start: Start, at: int, expected: set[str]) -> str:
    """Advice from what could have stood here, where no slip was recognised by its look."""
    word = _WORD.match(text, at, line.end)
    if word and (meant := _meant(word.group(), {name.lower() for name in expected})):
        return f"did you mean `{meant}`?"
    first = _WORD.match(text, line.start, line.end)
    if start == "statement" and first and (meant := _meant(first.group(), _STATEMENT_WORDS)):
        return f"did you mean `{meant}`?"
    if start == "statement" and word and re.match(r"for\b.*<-", text[line.start : at]):
        return "the modes of `for` are `par`, `try` and `rec`"
    if text.startswith("=>", at):
        return "the arrow is written `->`"
    if text.startswith("=", at) and text.startswith("if", line.start):
        return "values are compared with `==`"
    if text.startswith("=", at) and "COLON" in expected and start != "statement":
        return "a type stands behind `:`, as in `name: string`"
    if "ARROW" in expected and "COLON" in expected and text[at : at + 1] not in (")", ""):
        return "results are declared behind `->`"
    rest = text[line.start : line.end]
    if rest.count(")") > rest.count("("):
        return "there is a `)` without `(`"
    if text[line.end - 1] == "," and at >= line.end:
        return "remove the comma: lines of a definition end without"
    if "COMMA" in expected and (word or text.startswith('"', at)):
        return "a comma may be missing before it"
    return ""


def _is_meant(text: str, line: LogicalLine) -> bool:
    """Whether the first word is a slip for a keyword."""
    first = _WORD.match(text, line.start, line.end)
    return first is not None and _meant(first.group(), _STATEMENT_WORDS) is not None


def _meant(word: str, candidates: Iterable[str]) -> str | None:
    """A keyword of which `word` is probably a slip, letters swapped or one letter off."""
    for candidate in candidates:
        if word != candidate and (
            (sorted(word) == sorted(candidate) and len(word) > 1) or get_close_matches(word, (candidate,), 1, 0.75)
        ):
            return candidate
    return None
