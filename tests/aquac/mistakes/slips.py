"""Slips of the pen: each function changes a sound program in one place and says where.

A slip takes the lines of a program and yields `Mutant`s. The place is computed from the change alone, never from what the
compiler says about it. Column None: only the line is certain, because what follows the change reads differently to different
people (a bracket that is never closed, say).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Final


@dataclass(frozen=True)
class Mutant:
    """A changed program: its lines, and the line and column, from 1, where the error belongs."""

    lines: tuple[str, ...]
    line: int
    column: int | None = None

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(self.lines) + "\n"


Lines = list[str]
Slip = Callable[[Lines], Iterator[Mutant]]

HEADS: Final = re.compile(r"^\s*(func|data|service|ability|if|else|for|on|try|catch|otherwise|parseq|\w+ = \()")
FUNCTION: Final = re.compile(r"^func ")
HEADER: Final = re.compile(r"^(aqua|import|use|export)\b")


def _put(lines: Lines, at: int, new: str, column: int | None = None, *, line: int | None = None) -> Mutant:
    """Line `at` (from 0) replaced."""
    changed = (*lines[:at], new, *lines[at + 1 :])
    return Mutant(changed, (at if line is None else line) + 1, column)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _each(lines: Lines, pattern: str) -> Iterator[tuple[int, str, re.Match[str]]]:
    compiled = re.compile(pattern)
    for at, line in enumerate(lines):
        for found in compiled.finditer(line):
            yield at, line, found


def _replaced(
    lines: Lines, pattern: str, new: str, *, group: int = 0, column: bool = True, offset: int = 0
) -> Iterator[Mutant]:
    """Every match's group replaced by `new`; the error belongs to the start of it, moved by `offset`."""
    for at, line, found in _each(lines, pattern):
        text = line[: found.start(group)] + new + line[found.end(group) :]
        yield _put(lines, at, text, found.start(group) + 1 + offset if column else None)


def _value_column(line: str) -> int | None:
    """Where the first value of a return is marked: an operation at its sign, which is left to the compiler."""
    return None if re.search(r" [-+*] ", line) else line.index("<- ") + 4


def _misspelt(word: str) -> str:
    """Two neighbouring letters swapped; never the first one, which decides between names and types."""
    for at in range(1, len(word) - 1):
        if word[at] != word[at + 1]:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word + "x"


# ── layout ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def missing_colon(lines: Lines) -> Iterator[Mutant]:
    """`func f()` without `:`."""
    for at, line in enumerate(lines):
        if HEADS.match(line) and line.endswith(":"):
            yield _put(lines, at, line[:-1], len(line))


def member_without_colon(lines: Lines) -> Iterator[Mutant]:
    """`x i64` in a data type."""
    for at, line, found in _each(lines, r"^  (\w+):(?= [?\[A-Za-z])"):
        yield _put(lines, at, line[: found.end(1)] + line[found.end(1) + 1 :], found.end(1) + 2)


def indented_deeper(lines: Lines) -> Iterator[Mutant]:
    """A line of a block, not its first, indented further."""
    for at in range(1, len(lines)):
        line = lines[at]
        if _indent(line) and _indent(line) == _indent(lines[at - 1]):
            yield _put(lines, at, " " + line, 1)


def indented_less(lines: Lines) -> Iterator[Mutant]:
    """A line of an inner block, not its first, indented less, but not as little as the block around."""
    for at in range(1, len(lines)):
        line = lines[at]
        if _indent(line) >= 4 and _indent(line) == _indent(lines[at - 1]):
            yield _put(lines, at, line[1:], 1)


def tabs(lines: Lines) -> Iterator[Mutant]:
    """A tab instead of blanks."""
    for at in range(1, len(lines)):
        line = lines[at]
        if _indent(line) and _indent(line) == _indent(lines[at - 1]):
            yield _put(lines, at, "\t" * (_indent(line) // 2) + line.lstrip(), 1)


def empty_block(lines: Lines) -> Iterator[Mutant]:
    """The only line of a block removed."""
    for at in range(1, len(lines)):
        deeper = _indent(lines[at]) > _indent(lines[at - 1])
        alone = at + 1 == len(lines) or _indent(lines[at + 1]) < _indent(lines[at])
        if (
            _indent(lines[at]) >= 4
            and deeper
            and alone
            and re.match(r"\s+(if|else|on|try|catch|otherwise)\b", lines[at - 1])
        ):
            yield Mutant((*lines[:at], *lines[at + 1 :]), at)


# ── punctuation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def unclosed_parenthesis(lines: Lines) -> Iterator[Mutant]:
    """`f(x`."""
    yield from _replaced(lines, r"(?<=[\w\"])\)", "", column=False)


def unclosed_bracket(lines: Lines) -> Iterator[Mutant]:
    """`xs[0`."""
    yield from _replaced(lines, r"(?<=\d)\]", "", column=False)


def extra_parenthesis(lines: Lines) -> Iterator[Mutant]:
    """`f(x))`."""
    yield from _replaced(lines, r"(?<=\))$", ")")


def unopened_parenthesis(lines: Lines) -> Iterator[Mutant]:
    """`f x)`."""
    yield from _replaced(lines, r"(?<=\w)\((?=\w)", " ", column=False)


def unclosed_string(lines: Lines) -> Iterator[Mutant]:
    """`"text`."""
    for at, line, found in _each(lines, r'"[^"]+(")'):
        yield _put(lines, at, line[: found.start(1)] + line[found.end(1) :], found.start() + 1)


def single_quotes(lines: Lines) -> Iterator[Mutant]:
    """`'text'`."""
    for at, line, found in _each(lines, r'"([^"]+)"'):
        yield _put(lines, at, f"{line[: found.start()]}'{found[1]}'{line[found.end() :]}", found.start() + 1)


def trailing_comma(lines: Lines) -> Iterator[Mutant]:
    """`f(x,)`; the bracket is what does not fit."""
    yield from _replaced(lines, r"(?<=\w)(?=\))", ", ", offset=2)


def double_comma(lines: Lines) -> Iterator[Mutant]:
    """`f(x,, y)`."""
    yield from _replaced(lines, r"(?<=,) (?=\w)", ", ")


def missing_comma(lines: Lines) -> Iterator[Mutant]:
    """`f(x y)`."""
    for at, line, found in _each(lines, r",(?= \w)"):
        yield _put(lines, at, line[: found.start()] + line[found.end() :], found.start() + 2)


def comma_at_the_end(lines: Lines) -> Iterator[Mutant]:
    """`x: i64,` as in other languages; the next line then seems to belong to it."""
    for at, line in enumerate(lines):
        if re.match(r"^  \w+: [\w?\[\]]+$", line) and at + 1 < len(lines):
            yield _put(lines, at, line + ",")


def semicolon(lines: Lines) -> Iterator[Mutant]:
    """`statement;`."""
    for at, line in enumerate(lines):
        if _indent(line) and line[-1] in ")]" and not line.endswith(":"):
            yield _put(lines, at, line + ";", len(line) + 1)


def dot_without_name(lines: Lines) -> Iterator[Mutant]:
    """`a.b.` and nothing."""
    for at, line, found in _each(lines, r"(?<=[a-z])\.[a-z]\w*$"):
        yield _put(lines, at, line[: found.start() + 1], found.start() + 2)


def foreign_comment(lines: Lines) -> Iterator[Mutant]:
    """`// comment`; where a `/` could divide only the second one is wrong."""
    for at, line in enumerate(lines):
        if _indent(line) and re.search(r"[\w)\"]$", line):
            yield _put(lines, at, line + " // done")


def hash_comment(lines: Lines) -> Iterator[Mutant]:
    """`# comment`."""
    for at, line in enumerate(lines):
        if _indent(line) and re.search(r"[\w)\"]$", line):
            yield _put(lines, at, line + " # done", len(line) + 2)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def misspelt_definition(lines: Lines) -> Iterator[Mutant]:
    """`fnuc f()`."""
    for at, line, found in _each(lines, r"^(import|use|export|const|data|service|ability|func|alias)\b"):
        yield _put(lines, at, _misspelt(found[1]) + line[found.end() :], 1)


def misspelt_statement(lines: Lines) -> Iterator[Mutant]:
    """`fro x <- xs:`."""
    for at, line, found in _each(lines, r"^\s+(if|for|on|else|try|catch|otherwise|parseq|join|par|co)\b"):
        word = {"if": "fi", "on": "no", "co": "cc"}.get(found[1], _misspelt(found[1]))
        yield _put(lines, at, line[: found.start(1)] + word + line[found.end() :])


def misspelt_via(lines: Lines) -> Iterator[Mutant]:
    """`on p vai r:`."""
    yield from _replaced(lines, r"\bvia\b", "vai")


def misspelt_from(lines: Lines) -> Iterator[Mutant]:
    """`import a form "x"`."""
    yield from _replaced(lines, r"^(?:import|use) .*\b(from)\b", "form", group=1)


def misspelt_mode(lines: Lines) -> Iterator[Mutant]:
    """`for x <- xs praa:`."""
    yield from _replaced(lines, r"\b(par|try)(?=:$)(?<!^    try)", "prallel")


def foreign_words(lines: Lines) -> Iterator[Mutant]:
    """`def`, `return`, `let`, `elif`, `while`, `for x in xs`."""
    yield from _replaced(lines, r"^func(?= )", "def")
    yield from _replaced(lines, r"^data(?= )", "struct")
    yield from _replaced(lines, r"^  <-", "  return", column=False)
    yield from _replaced(lines, r"^\s+(else):", "elif x", group=1, column=False)
    for at, line, found in _each(lines, r"^(\s+)(?=\w+ = [^(])"):
        yield _put(lines, at, f"{found[1]}let {line[found.end() :]}")
    yield from _replaced(lines, r"(?<=for \w{2}) <-|(?<=for \w{3}) <-|(?<=for \w{5}) <-", " in", offset=1)
    yield from _replaced(lines, r"&&", "and")
    yield from _replaced(lines, r"\|\|", "or")


def else_if(lines: Lines) -> Iterator[Mutant]:
    """`else if x:`."""
    for at, _, found in _each(lines, r"^(\s+)else:$"):
        yield _put(lines, at, f"{found[1]}else if answer:", found.end(1) + 6)


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────────────


def arrow_for_equals(lines: Lines) -> Iterator[Mutant]:
    """`x <- a + b` where nothing is called; the value is what is wrong: of an operation its sign."""
    for at, line, found in _each(lines, r"^\s+\w+( = )([\w.]+(?:\[\d\])?(?: ([-+*]) .*)?)$"):
        text = line[: found.start(1)] + " <- " + line[found.end(1) :]
        operators = [m.start() for m in re.finditer(r" [-+] | \* ", text)]
        column = operators[-1] + 2 if operators else found.start(2) + 2
        yield _put(lines, at, text, column)


def double_equals(lines: Lines) -> Iterator[Mutant]:
    """`x == v` as a statement."""
    for at, line, found in _each(lines, r"^\s+(\w+) = (?=[\w.]+( [-+*]|$))"):
        yield _put(lines, at, line[: found.end(1)] + " == " + line[found.end() :])


def single_equals(lines: Lines) -> Iterator[Mutant]:
    """`if a = b:`."""
    yield from _replaced(lines, r"==", "=")


def push_for_arrow(lines: Lines) -> Iterator[Mutant]:
    """`x <<- f()` where `x` is new."""
    for at, line, found in _each(lines, r"^\s+(one|two|size|reply|answer|good|zero|time|weights) (<-)"):
        yield _put(lines, at, line[: found.start(2)] + "<<-" + line[found.end(2) :], found.start(1) + 1)


def arrow_for_push(lines: Lines) -> Iterator[Mutant]:
    """`s <- value` into a stream."""
    for at, line, found in _each(lines, r"^\s+\w+ (<<-) (\w+)$"):
        yield _put(lines, at, line[: found.start(1)] + "<-" + line[found.end(1) :], found.start(2))


def missing_arrow(lines: Lines) -> Iterator[Mutant]:
    """`func f() u8:`."""
    for at, line, found in _each(lines, r"-> (?=[\w\[])"):
        if FUNCTION.match(line):
            yield _put(lines, at, line[: found.start()] + line[found.end() :], found.start() + 1)


def fat_arrow(lines: Lines) -> Iterator[Mutant]:
    """`func f() => u8:`."""
    for at, line, found in _each(lines, r"->"):
        if not HEADER.match(line):
            yield _put(lines, at, line[: found.start()] + "=>" + line[found.end() :], found.start() + 1)


def missing_operand(lines: Lines) -> Iterator[Mutant]:
    """`a +` and nothing."""
    for at, line, found in _each(lines, r"(?<= [-+*]) \w+$"):
        yield _put(lines, at, line[: found.start()])


def assigning_twice(lines: Lines) -> Iterator[Mutant]:
    """`x = 1` again."""
    for at, line, found in _each(lines, r"^(\s+)\w+ = [^(]"):
        yield Mutant((*lines[: at + 1], line, *lines[at + 1 :]), at + 2, found.end(1) + 1)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def misspelt_name(lines: Lines) -> Iterator[Mutant]:
    """A variable that does not exist: the value of a return, an argument, what is iterated."""
    for at, line, found in _each(
        lines, r"(?<=<- )([a-z]{3,})$|(?<=\()([a-z]{3,})(?=[,)])|(?<=<- )([a-z]{3,})(?=( par| try)?:$)"
    ):
        word = found[0]
        if _indent(line):
            yield _put(lines, at, line[: found.start()] + _misspelt(word) + line[found.end() :], found.start() + 1)


def misspelt_function(lines: Lines) -> Iterator[Mutant]:
    """A function that does not exist."""
    for at, line, found in _each(lines, r"(?<=<- )([a-z]{3,})(?=[({])"):
        yield _put(lines, at, line[: found.start()] + _misspelt(found[0]) + line[found.end() :], found.start() + 1)


def misspelt_service(lines: Lines) -> Iterator[Mutant]:
    """A service that does not exist."""
    for at, line, found in _each(lines, r"\b([A-Z][a-z]{2,})(?=\.[a-z])"):
        if _indent(line):
            yield _put(lines, at, line[: found.start()] + _misspelt(found[0]) + line[found.end() :], found.start() + 1)


def misspelt_method(lines: Lines) -> Iterator[Mutant]:
    """A method that does not exist."""
    for at, line, found in _each(lines, r"(?<=[a-zA-Z]\.)(?!copy)([a-z]{3,})(?=\()"):
        yield _put(lines, at, line[: found.start()] + _misspelt(found[0]) + line[found.end() :], found.start() + 1)


def misspelt_field(lines: Lines) -> Iterator[Mutant]:
    """A field that does not exist."""
    for at, line, found in _each(lines, r"(?<=[a-z]\.)([a-z]{3,}(?:_code)?)(?=[ .,)]|$)"):
        if _indent(line) and '"' not in line[: found.start()]:
            yield _put(lines, at, line[: found.start()] + _misspelt(found[0]) + line[found.end() :], found.start() + 1)


def misspelt_type(lines: Lines) -> Iterator[Mutant]:
    """A type that does not exist, in a signature, a member or a declaration."""
    for at, line, found in _each(
        lines, r"(?<=: )(string|bool|i64|u64|u32|u8|[A-Z]\w+)\b|(?<=-> )(string|bool|i64|[A-Z]\w+)"
    ):
        word = {"string": "String", "bool": "boolean", "i64": "int", "u64": "uint", "u32": "u33", "u8": "U8"}.get(
            found[0]
        )
        text = line[: found.start()] + (word or _misspelt(found[0])) + line[found.end() :]
        yield _put(lines, at, text, found.start() + 1)


def misspelt_export(lines: Lines) -> Iterator[Mutant]:
    """An export of nothing."""
    for at, line, found in _each(lines, r"^export (\w+)"):
        yield _put(lines, at, line[: found.start(1)] + _misspelt(found[1]) + line[found.end(1) :], found.start(1) + 1)


def exported_type(lines: Lines) -> Iterator[Mutant]:
    """An export of an ability, which cannot leave the program."""
    if any(line.startswith("ability Shape") for line in lines):
        for at, line, _ in _each(lines, r"^export "):
            yield _put(lines, at, line + ", Shape", len(line) + 3)


def missing_import(lines: Lines) -> Iterator[Mutant]:
    """A name taken from an import line."""
    for at, line, found in _each(lines, r"(?<=import )Point, (?=origin)"):
        first = next(n for n, other in enumerate(lines) if ": Point" in other)
        text = line[: found.start()] + line[found.end() :]
        yield _put(lines, at, text, lines[first].index("Point") + 1, line=first)
    for at, line, found in _each(lines, r"(?<=import Point), origin"):
        first = next(n for n, other in enumerate(lines) if "origin(" in other)
        text = line[: found.start()] + line[found.end() :]
        yield _put(lines, at, text, lines[first].index("origin(") + 1, line=first)


def wrong_path(lines: Lines) -> Iterator[Mutant]:
    """An import of a file that is not there."""
    for at, line, found in _each(lines, r'"lib\.aqua"'):
        yield _put(lines, at, line[: found.start()] + '"libs.aqua"' + line[found.end() :], found.start() + 1)


def unknown_item(lines: Lines) -> Iterator[Mutant]:
    """An import of a name the file does not declare."""
    for at, line, found in _each(lines, r"^import (\w+), (\w+)"):
        yield _put(lines, at, line[: found.end()] + ", centre" + line[found.end() :], found.end() + 3)


def missing_header(lines: Lines) -> Iterator[Mutant]:
    """No `aqua Name`."""
    yield Mutant(tuple(lines[2:]), 1, 1)


def duplicate_function(lines: Lines) -> Iterator[Mutant]:
    """A function under a name that is taken."""
    heads = [at for at, line in enumerate(lines) if FUNCTION.match(line)]
    for at in heads:
        name = re.match(r"func (\w+)", lines[at])
        if name is None:
            continue
        added = ("", f"func {name[1]}():", "  nothing = 1")
        yield Mutant((*lines, *added), len(lines) + 2, 6)


def duplicate_member(lines: Lines) -> Iterator[Mutant]:
    """A field or method twice."""
    for at in range(1, len(lines)):
        line = lines[at]
        if re.match(r"^  \w+(: |\().*[^:]$", line) and re.match(r"^(data|service|ability)", lines[at - 1]):
            yield Mutant((*lines[: at + 1], line, *lines[at + 1 :]), at + 2, 3)


def duplicate_type(lines: Lines) -> Iterator[Mutant]:
    """A type under a name that is taken."""
    for line in lines:
        found = re.match(r"(data|ability|service) (\w+)", line)
        if found:
            yield Mutant((*lines, "", f"data {found[2]}:", "  x: u8"), len(lines) + 2, 6)


# ── types and numbers ────────────────────────────────────────────────────────────────────────────────────────────────


def missing_argument(lines: Lines) -> Iterator[Mutant]:
    """A call with one argument less; calls of methods and of functions are marked at their name."""
    for at, line, found in _each(lines, r"(?<![A-Z])\b(\w+)(?:\{\w+\})?\((\w+, )?([\w\"]+)\)"):
        if _indent(line) and not line.endswith(":") and "->" not in line:
            start, end = (found.end(2) - 2, found.end(3)) if found[2] else (found.start(3), found.end(3))
            yield _put(lines, at, line[:start] + line[end:], found.start(1) + 1)


def extra_argument(lines: Lines) -> Iterator[Mutant]:
    """A call with one argument more: of a method that argument is marked, of a function its name."""
    for at, line, found in _each(lines, r"(\.)?\b([a-z]\w+)(?:\{\w+\})?\(([^()=]*)\)$"):
        if _indent(line) and "->" not in line and ": " not in line:
            comma = ", " if found[3] else ""
            text = line[: found.end() - 1] + comma + "7" + line[found.end() - 1 :]
            method = found[1] and not line[: found.start()].endswith("Other")
            yield _put(lines, at, text, found.end() + len(comma) if method else found.start(2) + 1)


def wrong_argument_type(lines: Lines) -> Iterator[Mutant]:
    """A number or a collection where a text is wanted, and the other way round."""
    for at, line, found in _each(lines, r'(?<=[(])"\w+\??"(?=[,)])'):
        if _indent(line):
            yield _put(lines, at, line[: found.start()] + "42" + line[found.end() :], found.start() + 1)
    for at, line, found in _each(lines, r"(?<=[( ])\d+(?=\)$)"):
        if _indent(line):
            yield _put(lines, at, line[: found.start()] + '"five"' + line[found.end() :], found.start() + 1)


def wrong_field_type(lines: Lines) -> Iterator[Mutant]:
    """A field of the wrong type in a literal."""
    for at, line, found in _each(lines, r'(?<=label = )"shifted"'):
        yield _put(lines, at, line[: found.start()] + "7" + line[found.end() :], found.start() + 1)


def missing_field(lines: Lines) -> Iterator[Mutant]:
    """A literal without one of its fields."""
    for at, line, found in _each(lines, r"\b([A-Z]\w+)\(\w+ = [^()]*?(, \w+ = [^,()]*)\)$"):
        yield _put(lines, at, line[: found.start(2)] + line[found.end(2) :], found.start(1) + 1)


def wrong_operand(lines: Lines) -> Iterator[Mutant]:
    """A text in a sum or product."""
    for at, line, found in _each(lines, r"(?<= [-+*] )([a-z][\w.]*|\d[\d.]*)$"):
        yield _put(lines, at, line[: found.start()] + '"one"' + line[found.end() :], found.start() + 1)


def wrong_condition(lines: Lines) -> Iterator[Mutant]:
    """A condition that is no truth value."""
    for at, line, found in _each(lines, r"(?<= if )(\w+)(?=:)"):
        yield _put(lines, at, line[: found.start()] + "5" + line[found.end() :], found.start() + 1)


def not_iterable(lines: Lines) -> Iterator[Mutant]:
    """A loop over a number."""
    for at, line, found in _each(lines, r"(?<=<- )(\w+)(?=( par| try)?:$)"):
        yield _put(lines, at, line[: found.start()] + "12" + line[found.end() :], found.start() + 1)


def wrong_return_type(lines: Lines) -> Iterator[Mutant]:
    """A result of another type than declared."""
    for at, line, found in _each(lines, r"^  <- (\w+)$"):
        function = next(lines[n] for n in range(at, -1, -1) if FUNCTION.match(lines[n]))
        value = "7" if function.endswith("-> string:") else '"7"'
        yield _put(lines, at, line[: found.start(1)] + value, found.start(1) + 1)


def missing_return(lines: Lines) -> Iterator[Mutant]:
    """A function without its last line; its first result is marked."""
    for at, line in enumerate(lines):
        if re.match(r"^  <- ", line):
            head = next(n for n in range(at, -1, -1) if FUNCTION.match(lines[n]))
            changed = (*lines[:at], *lines[at + 1 :])
            column = lines[head].index("->") + 4
            yield Mutant(changed, head + 1, column)


def extra_return(lines: Lines) -> Iterator[Mutant]:
    """A second return."""
    for at, line in enumerate(lines):
        if re.match(r"^  <- ", line):
            yield Mutant((*lines[: at + 1], line, *lines[at + 1 :]), at + 2, _value_column(line))


def undeclared_return(lines: Lines) -> Iterator[Mutant]:
    """A value returned by a function that declares none."""
    for at, line, found in _each(lines, r"^func \w+.*?( -> .*):$"):
        name = re.match(r"func (\w+)", line)
        if name is None:
            continue
        if sum(f"{name[1]}{opening}" in other for other in lines for opening in "({") > 1:
            continue  # its callers would have nothing to name
        end = next(n for n in range(at + 1, len(lines)) if re.match(r"^  <- ", lines[n]))
        yield _put(lines, at, line[: found.start(1)] + ":", _value_column(lines[end]), line=end)


def too_many_returned(lines: Lines) -> Iterator[Mutant]:
    """More values than declared."""
    for at, line in enumerate(lines):
        if re.match(r"^  <- \w+$", line):
            yield _put(lines, at, line + ", 1", len(line) + 3)


def nested_return(lines: Lines) -> Iterator[Mutant]:
    """A return inside a block."""
    for at in range(1, len(lines)):
        line = lines[at]
        if _indent(line) >= 4 and re.match(r"\s+(if|on|for|else)\b", lines[at - 1]) and not HEADS.match(line):
            inside = " " * _indent(line) + "<- 1"
            yield Mutant((*lines[:at], inside, *lines[at:]), at + 1, 1)


def lonely_branch(lines: Lines) -> Iterator[Mutant]:
    """`else` and `catch` without what they belong to."""
    for at, _, found in _each(lines, r"^(\s+)(else:|catch (\w+):)$"):
        added = f"{found[1]}unrelated = 1"
        column = found.start(3) + 1 if found[3] else found.start(2) + 1
        yield Mutant((*lines[:at], added, *lines[at:]), at + 2, column)


def too_many_names(lines: Lines) -> Iterator[Mutant]:
    """More names than results."""
    for at, line, found in _each(lines, r"^\s+(one|answer|size|reply|time|good|old)(?= <- )"):
        yield _put(lines, at, line[: found.end()] + ", rest" + line[found.end() :], found.end() + 3)


def value_as_statement(lines: Lines) -> Iterator[Mutant]:
    """A function named, not called."""
    for at, line, found in _each(lines, r"^\s+\w+ <- ([a-z]\w+)\((\w*)\)$"):
        yield _put(lines, at, line[: found.end(1)], found.start(1) + 1)


SLIPS: Final[dict[str, Slip]] = {
    name.replace("_", " "): slip
    for name, slip in list(globals().items())
    if isinstance(slip, FunctionType)
    and slip.__module__ == __name__
    and not name.startswith("_")
    and name != "dataclass"
}
