"""Properties over arbitrary and over broken texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aquac.source import SourceFile
from aquac.syntax.layout import lay_out
from aquac.syntax.parse import parse

PIECES = (
    "aqua M", "func f(", "func", "):", ") -> u8:", "data D:", "service S(", "x: u8", "x = ", "1", "-1", "2.5", '"', '"s"',
    "<- ", "<<-", "->", "(", ")", "[", "]", "{", "}", "?[", "*[", "!", "!1", ".", ",", ":", "=", "==", "!=", "**", "%", "&&",
    "on ", "if ", "else:", "for x <- xs", "par ", "try:", "catch e:", "via ", "join ", "import ", "export ", "const A",
    "--", "\n", "\n  ", "\n    ", "\n\t", "\r\n", "\n\r", "\r", " ", "⊤", "€", "😀", "\ufeff", "\x00", "copy(", "T(", "()",
)  # fmt: skip
broken = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
texts = st.one_of(st.text(max_size=200), broken, broken.map(lambda text: "aqua M\n\nfunc f():\n  " + text))


@given(texts)
def test_parse_never_raises_and_spans_lie_in_the_text(text):
    source = SourceFile("main.aqua", text)
    _, diagnostics = parse(source)
    for d in diagnostics:
        assert d.file is source
        assert d.message
        assert d.span is not None
        assert 0 <= d.span.start <= d.span.end <= len(text)
        source.lines.position(d.span.end)


@given(texts)
def test_lines_are_in_order_and_apart(text):
    at = 0
    for line in lay_out(text).lines:
        assert at <= line.start - len(line.indent)
        assert line.start < line.end <= len(text)
        at = line.end


@given(texts)
def test_parsing_is_a_function_of_the_text(text):
    first = parse(SourceFile("main.aqua", text))
    second = parse(SourceFile("main.aqua", text))
    assert first[0] == second[0]
    assert [(d.code, d.span, d.message) for d in first[1]] == [(d.code, d.span, d.message) for d in second[1]]
