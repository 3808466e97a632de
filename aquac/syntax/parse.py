"""Parse one Aqua file.

Input:  a SourceFile.
Output: `ast.File` with everything that parsed, and the diagnostics, in file order.
Errors: syntax*, indent.*; never raises. Lines are parsed one by one, so a file with several independent errors reports each.
        A definition with an error stays without the lines that have one; `File.gaps` says what is missing.
Source: spec aqua-language §3, §5.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from lark import UnexpectedInput

from aquac.codes import (
    INDENT_EMPTY_BLOCK,
    INDENT_INCONSISTENT,
    INDENT_RETURN_NESTED,
    INDENT_UNEXPECTED,
    SOURCE_TOO_LARGE,
    SYNTAX,
    SYNTAX_TOO_DEEP,
)
from aquac.diagnostics import Diagnostic, Edit, Fix, Note
from aquac.records import dataclass, field, replace
from aquac.source import Span

from . import ast
from .explain import TOP_WORDS, explain, explain_top, meant_at_top
from .grammar import LineParser, Start, line_parser
from .heads import BlockHead, CompoundHead, MemberLine
from .indenter import Failed, Indenter
from .layout import LogicalLine, is_apart, lay_out
from .limits import NESTING_MAX, SOURCE_BYTES_MAX, SYNTAX_ERRORS_MAX
from .reject import NotThisForm, Reject

if TYPE_CHECKING:
    from aquac.source import SourceFile

    from .layout import Layout

_HEADER = (ast.ModuleHeader, ast.Import, ast.Use, ast.Export)
# As names they would be values that do nothing.
_BARE_HEADS = frozenset({"try", "else", "otherwise"})
_KIND_WORDS = {"data": "data type", "service": "service", "ability": "ability", "func": "function"}
_A_KIND: Final = {"data": "a data type", "service": "a service", "ability": "an ability"}
_SHAPE: Final = frozenset({INDENT_UNEXPECTED, INDENT_EMPTY_BLOCK})
_LOST: Final = _SHAPE | {INDENT_INCONSISTENT, INDENT_RETURN_NESTED}
_NAME: Final = re.compile(r"[A-Za-z]\w*")
# Up to here a line may bind names.
_BOUND_UP_TO: Final = re.compile(r"<|=|:|\(|\[|\{|\"|$")
_BINDS_NOTHING: Final = frozenset({"if", "on", "join", "else", "try", "otherwise"})
_SIGNATURE: Final = re.compile(r"\w+[ \t]*(\{[^}]*\})?[ \t]*\(.*:\Z", re.DOTALL)


def parse(
    source: SourceFile,
    *,
    legacy: bool = False,
    parser: LineParser | None = None,
    keep_going: bool = False,
    layout: Layout | None = None,
) -> tuple[ast.File, list[Diagnostic]]:
    """Parse a file. The text must come without BOM; costs about 0.1 ms a line.

    legacy: uneven indentation and a `<-` inside `on` are warnings, as versions before 0.10.6 accepted them.
    parser: who parses single lines; editors keep the nodes of unchanged lines.
    keep_going: for editors, what stands below a line with an error is kept where that line was.
    layout: that of the text, if it is known already.
    """
    if len(source.text) > SOURCE_BYTES_MAX:
        message = f"the file is larger than {SOURCE_BYTES_MAX // (1024 * 1024)} MiB"
        return ast.File((), (), (), is_open=True), [Diagnostic(SOURCE_TOO_LARGE, message, source, Span(0, 0))]
    parser = parser or line_parser()
    with parser.lock:
        return _FileParser(source, parser, legacy=legacy, keep_going=keep_going).run(layout or lay_out(source.text))


def parse_value(text: str) -> ast.Value | None:
    """A value that stands alone on one line; None if `text` is none."""
    lines = lay_out(" " + text).lines
    if len(lines) != 1 or lines[0].problem is not None or lines[0].depth > NESTING_MAX:
        return None
    parser = line_parser()
    try:
        with parser.lock:
            node = parser.parse(" " + text, lines[0], "plain")
    except (UnexpectedInput, Reject):
        return None
    return node.value if isinstance(node, ast.CallStmt) and not node.results else None


@dataclass(frozen=True, slots=True)
class _Hole:
    """A gap whose owner is not known yet."""

    span: Span
    names: tuple[str, ...]
    loose: tuple[str, ...]


@dataclass(slots=True)
class _Open:
    """The definition whose block is being read. `head` is None if its first line failed; then only errors are wanted."""

    kind: str
    line: LogicalLine
    head: BlockHead | None
    indenter: Indenter
    errors_before: int
    gaps: list[_Hole] = field(default_factory=list)
    # Lines are skipped: all that follow, or up to the end of a signature that goes on.
    skips: bool = False
    skips_signature: bool = False


class _FileParser:
    """Goes through the lines of one file."""

    def __init__(self, source: SourceFile, parser: LineParser, *, legacy: bool, keep_going: bool) -> None:
        self._source = source
        self._legacy = legacy
        self._keep_going = keep_going
        self._text = source.text
        self._parser = parser
        self._header: list[ast.HeaderLine] = []
        self._definitions: list[ast.Definition] = []
        self._diagnostics: list[Diagnostic] = []
        self._gaps: list[ast.Gap] = []
        self._is_open = False
        self._blank = " "
        # Indentation of the line behind the current one.
        self._following = ""
        self._open: _Open | None = None
        self._stray = False
        self._skip_body = False
        self._seen_definition = False

    def run(self, layout: Layout) -> tuple[ast.File, list[Diagnostic]]:
        indents = Counter(line.indent[0] for line in layout.lines if line.indent)
        self._blank = max(indents, key=lambda blank: indents[blank], default=" ")
        for number, line in enumerate(layout.lines):
            self._following = layout.lines[number + 1].indent if number + 1 < len(layout.lines) else ""
            if len(self._diagnostics) > SYNTAX_ERRORS_MAX:
                self._report("too many errors, the rest of the file is not read", line.span)
                self._open = None
                break
            very_first = number == 0 and line.start == len(line.indent)
            if not line.indent or (very_first and self._is_header(line)):
                if self._open is not None and self._strayed(self._open, line):
                    continue
                self._finish()
                self._top_line(line)
            else:
                self._block_line(line)
        self._finish()
        self._diagnostics.sort(key=_order)
        file = ast.File(
            tuple(self._header), tuple(self._definitions), layout.comments, tuple(self._gaps), self._is_open
        )
        return file, self._diagnostics

    # ── lines at column 1 ────────────────────────────────────────────────────────────────────────────────────────────

    def _is_header(self, line: LogicalLine) -> bool:
        return TOP_WORDS.get(self._word(line)) == "header"

    def _word(self, line: LogicalLine) -> str:
        """First word of a line."""
        at = line.start
        while at < line.end and (self._text[at].isalnum() or self._text[at] == "_"):
            at += 1
        return self._text[line.start : at]

    def _top_line(self, line: LogicalLine) -> None:
        self._stray = False
        self._skip_body = False
        word = self._word(line)
        kind = TOP_WORDS.get(word)
        if kind is None:
            message, span, hint = explain_top(self._text, line, word)
            self._report(message, span, hint)
            meant = meant_at_top(word)
            node = Failed() if meant is None else self._as_meant(line, word, meant)
            if meant is None or isinstance(node, Failed):
                self._gap(self._hole(line))
                # With a path in it the line may have been an import.
                text = self._text[line.start : line.end]
                self._is_open = self._is_open or ('"' in text and text[-1] != ":")
                self._skip_body = True
                return
            kind = TOP_WORDS[meant]
        else:
            node = self._parse(line, "top")
        if kind == "header":
            if self._seen_definition:
                self._report(
                    f"`{word}` belongs to the header and must stand before all definitions",
                    Span(line.start, line.start + len(word)),
                )
            elif isinstance(node, _HEADER):
                self._header.append(node)
            self._skip_body = isinstance(node, Failed)
            if self._skip_body:
                self._gap(self._hole(line))
            # Whatever a line that cannot be read imports is not missing.
            self._is_open = self._is_open or (isinstance(node, Failed) and word in ("import", "use"))
        elif isinstance(node, ast.Const | ast.Alias):
            self._definitions.append(replace(node, doc=line.doc))
        elif kind in ("const", "alias"):
            self._gap(self._hole(line))
        elif kind in _KIND_WORDS:
            head = node if isinstance(node, BlockHead) else None
            indenter = Indenter(
                self._source,
                self._diagnostics,
                allows_return=kind == "func",
                legacy=self._legacy,
                keep_going=self._keep_going,
                blank=self._blank,
            )
            self._open = _Open(kind, line, head, indenter, len(self._diagnostics))
            if head is None:
                self._gap(self._hole(line))
                self._open.skips_signature = isinstance(node, Failed) and node.cut
        self._seen_definition = self._seen_definition or kind != "header"

    def _as_meant(self, line: LogicalLine, word: str, meant: str) -> Any:
        """The node of a line that was reported, with the first word that is meant; Failed if that does not help."""
        mended = meant + self._text[line.start + len(word) : line.end]
        node = self._mended(line, mended, line.start + len(word) - len(meant), "top")
        # The first word has another length than it should; and about this one everything is said.
        written = Span(line.start, line.start + len(word))
        if isinstance(node, ast.ModuleHeader):
            return replace(node, keyword=ast.Name("aqua", written))
        return replace(node, span=written) if isinstance(node, ast.Export) else node

    def _mended(self, line: LogicalLine, mended: str, base: int, start: Start) -> Any:
        """The node of a line that was reported, if it can be read as `mended`; else Failed."""
        if line.problem is None and line.depth <= NESTING_MAX:
            try:
                return self._parser.parse_mended(self._text, mended, base, start)
            except (UnexpectedInput, Reject):
                pass
        return Failed()

    def _with_colon(self, line: LogicalLine, start: Start) -> Any:
        """The node of a line that was reported, if it lacks nothing but the `:` before the block below it; else Failed."""
        goes_on = self._following.startswith(line.indent) and len(self._following) > len(line.indent)
        if not goes_on or start == "member" or self._text[line.end - 1] == ":":
            return Failed()
        node = self._mended(line, self._text[line.start : line.end] + ":", line.start, start)
        return node if isinstance(node, BlockHead | CompoundHead) else Failed()

    # ── indented lines ───────────────────────────────────────────────────────────────────────────────────────────────

    def _block_line(self, line: LogicalLine) -> None:
        current = self._open
        if current is None:
            if not self._stray and not self._skip_body:
                self._stray = True
                self._is_open = True  # the head of a definition is missing, and with it a name
                self._report(
                    "unexpected indentation: header lines and definitions start at the first column",
                    line.indent_span,
                    "or the first line of a definition is missing above this one, such as `func name():`",
                )
            return
        if current.skips or current.skips_signature:
            current.skips_signature = current.skips_signature and self._text[line.end - 1] != ":"
            return
        current.indenter.place(line)
        self._put(current, line)

    def _put(self, current: _Open, line: LogicalLine) -> None:
        """Parse a line whose block was found and add it there."""
        indenter = current.indenter
        if indenter.continues_failed or (indenter.below_failed and current.kind != "func"):
            return
        if indenter.below_failed:
            current.gaps.append(_Hole(line.span, (), self._hole(line).names))
        errors = len(self._diagnostics)
        node = self._parse(line, "statement" if current.kind == "func" else "member")
        if isinstance(node, MemberLine):
            node = self._member(current.kind, node, line)
        if isinstance(node, Failed) and self._is_foreign(current, line):
            del self._diagnostics[errors:]
            self._report(
                f"this is no member of {_A_KIND[current.kind]}: the `func` line above it may be missing"
                if not _SIGNATURE.match(self._text, line.start, line.end)
                else "a function definition starts at the first column with `func`",
                line.span if "\n" not in self._text[line.start : line.end] else Span(line.start, line.start + 1),
            )
            current.skips = True
            self._is_open = True
        if isinstance(node, Failed):
            current.gaps.append(self._hole(line))
            # The head of a function without its `func` takes a name with it.
            self._is_open = self._is_open or _SIGNATURE.match(self._text, line.start, line.end) is not None
        if not indenter.add(line, node, self._following):
            current.gaps.append(self._hole(line))

    def _is_foreign(self, current: _Open, line: LogicalLine) -> bool:
        """Whether a line among members is a function's: its head without `func`, or behind a blank line a statement."""
        text = self._text
        apart = is_apart(text, line.start - len(line.indent))
        if _SIGNATURE.match(text, line.start, line.end):
            return apart or current.kind != "func"
        if not apart or current.kind == "func":
            return False
        try:
            self._parser.parse(text, line, "statement")
        except (UnexpectedInput, Reject):
            return False
        return line.problem is None and line.depth <= NESTING_MAX

    def _strayed(self, current: _Open, line: LogicalLine) -> bool:
        """Whether a line at column 1 belongs to the definition above it; then it is reported and taken for a part of it."""
        word = self._word(line)
        if word in TOP_WORDS or meant_at_top(word) or current.skips or current.skips_signature:
            return False
        if line.problem is not None or line.depth > NESTING_MAX or current.indenter.below_failed:
            return False
        try:
            node = self._parser.parse(self._text, line, "statement" if current.kind == "func" else "member")
        except (UnexpectedInput, Reject):
            return False
        indent = current.indenter.indent_for(self._following, opens=isinstance(node, CompoundHead))
        kind = _KIND_WORDS[current.kind]
        name = f" `{current.head.name.text}`" if current.head is not None else ""
        message = f"this line is not indented, and seems to belong to the {kind}{name} above it"
        at = Span(line.start, line.start + max(1, len(word)))
        fix = Fix("indent it", (Edit(self._source, Span(line.start, line.start), indent),))
        note = Note("definitions start at the first column, what belongs to them is indented")
        self._diagnostics.append(Diagnostic(SYNTAX, message, self._source, at, (note,), (fix,)))
        moved = replace(line, indent=indent)
        current.indenter.place(moved)
        # Which of the blocks around it is meant is not certain enough to check what it says.
        current.gaps.append(self._hole(line))
        current.indenter.add(moved, Failed(), self._following)
        return True

    def _member(self, kind: str, node: MemberLine, line: LogicalLine) -> ast.Member | Failed:
        is_arrow = isinstance(node.type, ast.ArrowType)
        if kind == "data" and is_arrow:
            self._report(
                "a field of a data type cannot be a function", node.type_span, "functions are members of an ability"
            )
            return Failed()
        if kind == "service" and not is_arrow:
            self._report(
                f"`{node.name.text}` is not a function, and services have functions only",
                node.type_span,
                f"`{node.name.text}() -> T`, or `{node.name.text}: -> T`",
            )
            return Failed()
        return ast.Member(node.name, node.type, line.doc)

    def _finish(self) -> None:
        """Close the open definition and keep it if it is sound."""
        current, self._open = self._open, None
        if current is None:
            return
        children = current.indenter.finish()
        head = current.head
        if head is None:
            return
        if not current.indenter.inhabited:
            self._report(
                f"this {_KIND_WORDS[current.kind]} has no body: the lines below are not indented",
                head.name.span,
                "the lines of a definition start with at least one blank",
            )
            if not self._keep_going:
                # Its name may be that of the next definition, so it counts as one that could not be read.
                self._gap(_Hole(head.name.span, (head.name.text,), ()))
                return
        for hole in current.gaps:
            self._gap(hole, owner=head.name.span.start)
        found = {d.code for d in self._diagnostics[current.errors_before :]}
        if found & _LOST:
            self._gap(_Hole(head.name.span, (), ()), owner=head.name.span.start)
        if found & _SHAPE and current.kind == "func" and not self._keep_going:
            children = ()  # what belongs where is not known, so nothing is said about the body
        self._definitions.append(_definition(head, children, current.line.doc))

    # ── what could not be read ───────────────────────────────────────────────────────────────────────────────────────

    def _hole(self, line: LogicalLine) -> _Hole:
        """A line that failed, with the names it may have bound."""
        text = self._text[line.start : line.end]
        words = _NAME.findall(text)
        end = _BOUND_UP_TO.search(text)
        bound = [] if self._word(line) in _BINDS_NOTHING else _NAME.findall(text[: end.start() if end else None])
        return _Hole(line.span, tuple(dict.fromkeys(bound)), tuple(dict.fromkeys(words)))

    def _gap(self, hole: _Hole, owner: int = -1) -> None:
        self._gaps.append(ast.Gap(hole.span, hole.names, hole.loose, owner))

    # ── one line ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _parse(self, line: LogicalLine, start: Start) -> Any:
        """The node of a line, or Failed after reporting why."""
        text = self._text
        if line.problem is not None:
            if line.problem.kind == "string":
                self._report('the string is never closed: there is no second `"`', line.problem.span)
            else:
                bracket = text[line.problem.span.start]
                self._report(f"`{bracket}` is never closed", line.problem.span)
            return Failed(cut=text[line.end - 1] != ":")
        if line.depth > NESTING_MAX:
            message = f"brackets nested deeper than {NESTING_MAX} levels"
            self._diagnostics.append(
                Diagnostic(SYNTAX_TOO_DEEP, message, self._source, Span(line.start, line.start + 1))
            )
            return Failed()
        if start == "statement" and text[line.start : line.end] in _BARE_HEADS:
            word = text[line.start : line.end]
            hint = "a block starts with `:` at the end of its first line"
            self._report(f"expected `:` behind `{word}`, found the end of the line", Span(line.end, line.end), hint)
            return self._with_colon(line, start)
        try:
            return self._parser.parse(text, line, start)
        except (UnexpectedInput, Reject) as error:
            if start == "statement" and (isinstance(error, UnexpectedInput | NotThisForm)):
                # The language has no reserved words: `on (x)` may be a call.
                try:
                    return self._parser.parse(text, line, "plain")
                except Reject as second:
                    error = second
                except UnexpectedInput as second:
                    error = second if isinstance(error, NotThisForm) else error
            self._refuse(line, start, error)
            return self._with_colon(line, start)

    def _refuse(self, line: LogicalLine, start: Start, error: UnexpectedInput | Reject) -> None:
        if isinstance(error, Reject):
            notes = (Note(error.hint),) if error.hint else ()
            self._diagnostics.append(Diagnostic(error.code, error.message, self._source, error.span, notes))
        else:
            message, span, hint = explain(self._text, line, start, error)
            self._report(message, span, hint)

    def _report(self, message: str, span: Span, hint: str = "") -> None:
        notes = (Note(hint),) if hint else ()
        self._diagnostics.append(Diagnostic(SYNTAX, message, self._source, span, notes))


def _definition(head: BlockHead, children: tuple[Any, ...], doc: str) -> ast.Definition:
    span = head.name.span
    match head.kind:
        case "data":
            return ast.Data(head.name, children, doc, span)
        case "service":
            return ast.Service(head.name, head.id, children, doc, span)
        case "ability":
            return ast.Ability(head.name, children, doc, span)
        case "func":
            assert head.signature is not None
            return ast.Func(head.name, head.signature, children, doc, span)


def _order(d: Diagnostic) -> tuple[int, bool]:
    """In file order; what is said of the indentation of a line comes before what is said of the line."""
    return d.span.start if d.span else 0, d.code.id != INDENT_INCONSISTENT.id
