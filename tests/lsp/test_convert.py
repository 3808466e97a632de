"""What editors are told about findings."""

from __future__ import annotations

from lsprotocol.types import DiagnosticTag

from aquac.codes import TABLE, WARN_UNUSED_RESULT
from aquac.diagnostics import Diagnostic
from aquac.source import SourceFile, Span
from lsp import convert


def test_what_is_unused_is_faded() -> None:
    """But not a call whose result nobody takes: the call itself is needed."""
    source = SourceFile("/p/main.aqua", "aqua M\n")
    faded = set()
    for code in TABLE.values():
        made = convert.to_diagnostic(Diagnostic(code, "text", source, Span(0, 4)), source)
        if made.tags == [DiagnosticTag.Unnecessary]:
            faded.add(code.kind)
    unused = {code.kind for code in TABLE.values() if code.kind.startswith("warn.unused-")}
    assert faded - {"warn.unreachable"} == unused - {WARN_UNUSED_RESULT.kind}
