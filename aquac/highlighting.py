r"""Rules that colour Aqua and AIR: one table, from which the Pygments lexers and the TextMate grammars are made.

    python -m aquac.highlighting lsp/editors      # writes the grammars again

A rule is a pattern that both Python and Oniguruma read, of which every part stands in a group, and the kind of each group. There
are no states: Aqua has no reserved words, and what makes a word a keyword is beside it on its line (a word that follows another
word, as `as` does in `a as b`, can be nothing else). Only where a head goes over several lines a keyword may be missed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

from aquac.records import dataclass

SCOPES: Final = {
    "blank": "",
    "comment": "comment.line.{comment}",
    "string": "string.quoted.double",
    "number": "constant.numeric",
    "keyword": "keyword.control",
    "operator": "keyword.operator",
    "punctuation": "punctuation",
    "constant": "constant.language",
    "upper": "constant.other",
    "scalar": "storage.type",
    "type": "entity.name.type",
    "function": "entity.name.function",
    "variable": "variable.other",
    "stream": "variable.other.readwrite",
    "property": "variable.other.property",
}
"""TextMate scopes of the kinds; the language's name is put behind."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and the kinds of its groups."""

    pattern: str
    kinds: tuple[str, ...]


def _word(*words: str) -> str:
    return f"(?:{'|'.join(words)})(?![A-Za-z0-9_])"


# Blanks between two words: a lookbehind has one length, so some lengths are listed.
_AFTER_OPERAND: Final = (
    "(?:" + "|".join(rf'(?<=[\w"\])!}}*%]{blanks})' for blanks in (" ", "  ", "   ", r"\t", "    ")) + ")"
)
_LINE_END: Final = r"[ \t]*:[ \t]*(?:--.*)?$"
_NO_NAME: Final = r"[ \t]+(?!=[^=]|<-|<<-|,)"
_SIGNATURE: Final = r"[ \t]*(?:\{[^}]*\}[ \t]*)?\([ \t]*(?:[a-z]\w*[ \t]*:|\)[ \t]*(?:->|:)|--|$)"

AQUA: Final = (
    Rule(r"(--.*)", ("comment",)),
    Rule(r"(%init_peer_id%)", ("constant",)),
    # Header and definitions.
    Rule(r"^([ \t]*)(aqua|module)([ \t]+)([A-Za-z]\w*)", ("blank", "keyword", "blank", "type")),
    Rule(r'^([ \t]*)(import|use)(?=[ \t]*"|[ \t]+[A-Za-z])', ("blank", "keyword")),
    Rule(r"^([ \t]*)(export)(?=[ \t]+[A-Za-z])", ("blank", "keyword")),
    Rule(r"^(func)([ \t]+)([A-Za-z]\w*)", ("keyword", "blank", "function")),
    Rule(r"^(data|service|ability|alias)([ \t]+)([A-Za-z]\w*)", ("keyword", "blank", "type")),
    Rule(r"^(const)([ \t]+)([A-Za-z]\w*)", ("keyword", "blank", "upper")),
    Rule(rf"{_AFTER_OPERAND}(declares)(?=[ \t]+(?:\*|[A-Za-z]))", ("keyword",)),
    Rule(rf"{_AFTER_OPERAND}(as)(?=[ \t]+[A-Za-z])(?![ \t]+(?:par|try|rec)[ \t]*:)", ("keyword",)),
    Rule(rf'{_AFTER_OPERAND}(from)(?=[ \t]*")', ("keyword",)),
    # Statements.
    Rule(rf"^([ \t]+)(par|co)([ \t]+)(on)(?={_NO_NAME})", ("blank", "keyword", "blank", "keyword")),
    Rule(
        r"^([ \t]+)(par|co)([ \t]+)(for)(?=[ \t]+[A-Za-z]\w*[ \t]*(?:,|<-))", ("blank", "keyword", "blank", "keyword")
    ),
    Rule(rf"^([ \t]+)(par|co)([ \t]+)(join)(?={_NO_NAME})", ("blank", "keyword", "blank", "keyword")),
    Rule(r"^([ \t]+)(par|co)(?=[ \t]+(?!=[^=]|<-|<<-|:|,))", ("blank", "keyword")),
    Rule(rf"^([ \t]+)(on|if)(?={_NO_NAME}.*(?::|[|&,(\[{{=<>+*/-])[ \t]*(?:--.*)?$)", ("blank", "keyword")),
    Rule(rf"^([ \t]+)(join)(?={_NO_NAME})", ("blank", "keyword")),
    Rule(r"^([ \t]+)(for|parseq)(?=[ \t]+[A-Za-z]\w*[ \t]*(?:,|<-))", ("blank", "keyword")),
    Rule(rf"^([ \t]+)(else|try|otherwise)(?={_LINE_END})", ("blank", "keyword")),
    Rule(r"^([ \t]+)(catch)(?=[ \t]+[A-Za-z]\w*[ \t]*:)", ("blank", "keyword")),
    Rule(rf"{_AFTER_OPERAND}(?<!\bon )(via|on)(?=[ \t])(?![ \t]*(?:<-|=(?!=)|:))", ("keyword",)),
    Rule(rf"{_AFTER_OPERAND}(par|try|rec)(?={_LINE_END})", ("keyword",)),
    Rule(rf"(=)([ \t]*)(func)(?={_SIGNATURE})", ("operator", "blank", "keyword")),
    # Values and types.
    Rule(rf"({_word('true', 'false', 'nil')})", ("constant",)),
    Rule(
        rf"({_word('u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64', 'bool', 'string')})", ("scalar",)
    ),
    Rule(r"([⊤⊥])", ("scalar",)),
    Rule(r"([a-z][A-Za-z0-9_]*)(?=[ \t]*[({])", ("function",)),
    Rule(r"(\.)([ \t]*)([a-z][A-Za-z0-9_]*)(?![A-Za-z0-9_]|[ \t]*[({])", ("punctuation", "blank", "property")),
    Rule(r"([a-z][A-Za-z0-9_]*)", ("variable",)),
    Rule(r"([A-Z][A-Z0-9_]+)(?![A-Za-z0-9_])", ("upper",)),
    Rule(r"([A-Z][A-Za-z0-9_]*)", ("type",)),
    Rule(r"((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)", ("number",)),
    Rule(r"(<<-|<-|->|\?=|==|!=|>=|<=|\*\*|&&|\|\||[=<>+*/%!?-])", ("operator",)),
    Rule(r"([.,:()\[\]{}])", ("punctuation",)),
)
"""Rules of Aqua, tried in this order; strings are apart."""

_END: Final = r"(?![^\s()\[\]])"
_INSTRUCTIONS: Final = (
    "ap", "call", "canon", "fail", "fold", "match", "mismatch", "never", "new", "next", "null", "par", "seq", "xor",
)  # fmt: skip

AIR: Final = (
    Rule(r"(;.*)", ("comment",)),
    Rule(rf"(\()([ \t]*)({'|'.join(_INSTRUCTIONS)}){_END}", ("punctuation", "blank", "keyword")),
    Rule(r"(%(?:init_peer_id|timestamp|ttl|last_error)%|:error:)", ("constant",)),
    Rule(rf"(true|false|null|never){_END}", ("constant",)),
    Rule(rf"(-?[0-9]+(?:\.[0-9]+)?){_END}", ("number",)),
    Rule(r"(\.\$|\.|!)((?:[A-Za-z_][\w-]*)?)", ("operator", "property")),
    Rule(r"(#%|[$#%])([A-Za-z_-][\w:-]*)", ("operator", "stream")),
    Rule(r"([A-Za-z_-][\w:-]*)", ("variable",)),
    Rule(r"([0-9]+)", ("number",)),
    Rule(r"([()\[\]])", ("punctuation",)),
)
"""Rules of AIR, tried in this order; strings are apart."""

LANGUAGES: Final = {"aqua": (AQUA, "double-dash"), "air": (AIR, "semicolon")}


def grammar(language: str) -> dict[str, Any]:
    """The TextMate grammar of `aqua` or `air`."""
    rules, comment = LANGUAGES[language]

    def scope(kind: str) -> str:
        return f"{SCOPES[kind].format(comment=comment)}.{language}"

    string = {
        "name": scope("string"),
        "begin": '"',
        "end": '"',
        "beginCaptures": {"0": {"name": f"punctuation.definition.string.begin.{language}"}},
        "endCaptures": {"0": {"name": f"punctuation.definition.string.end.{language}"}},
    }
    patterns: list[dict[str, Any]] = [string]
    for rule in rules:
        captures = {str(n): {"name": scope(kind)} for n, kind in enumerate(rule.kinds, 1) if kind != "blank"}
        patterns.append({"match": rule.pattern, "captures": captures})
    return {
        "information_for_contributors": "made by `python -m aquac.highlighting lsp/editors`, change aquac/highlighting.py",
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": {"aqua": "Aqua", "air": "AIR"}[language],
        "scopeName": f"source.{language}",
        "fileTypes": [language],
        "patterns": patterns,
    }


def grammar_text(language: str) -> str:
    """The grammar as it stands in its file."""
    return json.dumps(grammar(language), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the grammars into a folder."""
    (folder,) = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for language in LANGUAGES:
        with open(os.path.join(folder, f"{language}.tmLanguage.json"), "w", encoding="utf-8", newline="\n") as file:
            file.write(grammar_text(language))
    return 0


if __name__ == "__main__":
    sys.exit(main())
