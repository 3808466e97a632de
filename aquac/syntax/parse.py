"""Parse one Aqua file.

Input:  a SourceFile.
Output: `ast.File` with everything that parsed, and the diagnostics, in file order.
Errors: syntax*, indent.*; never raises. Lines are parsed one by one, so a file with several independent errors reports each,
        and a definition with an error is left out while the others stay.
Source: spec aqua-language §3, §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lark import UnexpectedInput

from aquac.codes import SOURCE_TOO_LARGE, SYNTAX, SYNTAX_TOO_DEEP
from aquac.diagnostics import Diagnostic, Note, has_errors
from aquac.records import dataclass, field, replace
from aquac.source import Span

from . import ast
from .explain import TOP_WORDS, explain, explain_top
from .grammar import LineParser, Start, line_parser
from .heads import BlockHead, MemberLine
from .indenter import Failed, Indenter
from .layout import LogicalLine, lay_out
from .limits import NESTING_MAX, SOURCE_BYTES_MAX, SYNTAX_ERRORS_MAX
from .reject import NotThisForm, Reject

if TYPE_CHECKING:
    from aquac.source import SourceFile

_HEADER = (ast.ModuleHeader, ast.Import, ast.Use, ast.Export)
# As names they would be values that do nothing.
_BARE_HEADS = frozenset({"try", "else", "otherwise"})
_KIND_WORDS = {"data": "data type", "service": "service", "ability": "ability", "func": "function"}


def parse(
    source: SourceFile, *, legacy: bool = False, parser: LineParser | None = None, keep_going: bool = False
) -> tuple[ast.File, list[Diagnostic]]:
    """Parse a file. The text must come without BOM; costs about 0.1 ms a line.

    legacy: uneven indentation and a `<-` inside `on` are warnings, as versions before 0.10.6 accepted them.
    parser: who parses single lines; editors keep the nodes of unchanged lines.
    keep_going: for editors, a definition with errors inside is kept without the lines that have them.
    """
    if len(source.text) > SOURCE_BYTES_MAX:
        message = f"the file is larger than {SOURCE_BYTES_MAX // (1024 * 1024)} MiB"
        return ast.File((), (), ()), [Diagnostic(SOURCE_TOO_LARGE, message, source, Span(0, 0))]
    parser = parser or line_parser()
    with parser.lock:
        return _FileParser(source, parser, legacy=legacy, keep_going=keep_going).run()


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


@dataclass(slots=True)
class _Open:
    """The definition whose block is being read. `head` is None if its first line failed; then only errors are wanted."""

    kind: str
    line: LogicalLine
    head: BlockHead | None
    indenter: Indenter
    failed: bool = False
    members: list[ast.Member] = field(default_factory=list)


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
        self._open: _Open | None = None
        self._stray = False
        self._skip_body = False
        self._seen_definition = False

    def run(self) -> tuple[ast.File, list[Diagnostic]]:
        layout = lay_out(self._text)
        for number, line in enumerate(layout.lines):
            if len(self._diagnostics) > SYNTAX_ERRORS_MAX:
                self._report("too many errors, the rest of the file is not read", line.span)
                self._open = None
                break
            very_first = number == 0 and line.start == len(line.indent)
            if not line.indent or (very_first and self._is_header(line)):
                self._finish()
                self._top_line(line)
            else:
                self._block_line(line)
        self._finish()
        self._diagnostics.sort(key=lambda d: d.span.start if d.span else 0)
        file = ast.File(tuple(self._header), tuple(self._definitions), layout.comments)
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
            self._skip_body = True
            return
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
        elif isinstance(node, ast.Const | ast.Alias):
            self._definitions.append(replace(node, doc=line.doc))
        elif kind in _KIND_WORDS:
            head = node if isinstance(node, BlockHead) else None
            indenter = Indenter(
                self._source,
                self._diagnostics,
                allows_return=kind == "func",
                legacy=self._legacy,
                keep_going=self._keep_going,
            )
            self._open = _Open(kind, line, head, indenter, failed=head is None)
        self._seen_definition = self._seen_definition or kind != "header"

    # ── indented lines ───────────────────────────────────────────────────────────────────────────────────────────────

    def _block_line(self, line: LogicalLine) -> None:
        current = self._open
        if current is None:
            if not self._stray and not self._skip_body:
                self._stray = True
                self._report(
                    "unexpected indentation: header lines and definitions start at the first column", line.indent_span
                )
            return
        start: Start = "statement" if current.kind == "func" else "member"
        node = self._parse(line, start)
        if isinstance(node, MemberLine):
            node = self._member(current.kind, node, line)
        if isinstance(node, Failed):
            current.failed = True
        current.indenter.add(line, node)

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
        errors = len(self._diagnostics)
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
        failed = current.failed or not current.indenter.inhabited or has_errors(self._diagnostics[errors:])
        if failed and not self._keep_going:
            return
        self._definitions.append(_definition(head, children, current.line.doc))

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
            return Failed()
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
            return Failed()
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
            return Failed()

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
