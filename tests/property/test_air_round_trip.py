"""Any tree survives printing and parsing; any text gets an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from avm.air import ast, parse
from avm.air.ast_json import ast_json
from avm.air.beautify import beautify
from avm.air.lexer import TextError, tokenize
from avm.air.printer import print_script
from avm.air.tokens import END
from avm.air.validate import validate
from avm.air.walk import postorder, same_shape

AT = (0, 0)
# Bodies are joined below a `new` of every name, so that the checks of names pass; `next` and folds over streams, which have
# checks of their own, get names nobody else uses.
NAMES = ("x", "y1", "-relay-", "é", "1a")

scalars = st.sampled_from(NAMES)
texts = st.text(st.characters(blacklist_characters='"', blacklist_categories=["Cs"]), max_size=6)
accessors = st.one_of(
    st.builds(ast.FieldByName, st.sampled_from(["a", "error_code", "-b", "éa"])),
    st.builds(ast.ArrayAccess, st.integers(0, 2**32 - 1)),
    st.builds(ast.FieldByScalar, st.sampled_from(["x", "y1", "-relay-"])),
)
lenses = st.one_of(
    st.just(ast.Length()),
    st.builds(ast.ValuePath, st.lists(accessors, min_size=1, max_size=3).map(tuple)),
)
some_lens = st.none() | lenses
floats = st.builds(
    lambda whole, digits, places: ast.Float(float(f"{whole}.{digits:0{places}d}")),
    st.integers(-999, 99_999),
    st.integers(0, 9),
    st.integers(1, 5),
)
specials = st.sampled_from([ast.InitPeerId(), ast.Timestamp(), ast.Ttl(), ast.EmptyArray()])
literals = st.builds(ast.Literal, texts)
scalar_values = st.builds(ast.Scalar, scalars, st.just(0), some_lens)
canon_values = st.builds(ast.CanonStream, st.sampled_from(["#cc", "#$c"]), st.just(0), some_lens)
map_values = st.builds(ast.CanonStreamMap, st.just("#%m"), st.just(0), some_lens)
map_lenses = st.builds(ast.CanonStreamMap, st.just("#%m"), st.just(0), lenses)
canon_lenses = st.builds(ast.CanonStream, st.just("#cc"), st.just(0), lenses)
ap_values = st.one_of(
    specials,
    literals,
    st.builds(ast.Int, st.integers(-(2**63), 2**63 - 1)),
    floats,
    st.builds(ast.Bool, st.booleans()),
    st.builds(ast.LastError, some_lens),
    st.builds(ast.Error, some_lens),
    scalar_values,
    canon_values,
    map_lenses,
)
values = ap_values | map_values
strings = st.one_of(literals, scalar_values, canon_lenses, map_lenses)
peers = st.just(ast.InitPeerId()) | strings
outputs = st.builds(ast.Scalar, scalars, st.just(0)) | st.builds(ast.Stream, st.just("$s"), st.just(0))
stream = st.just(ast.Stream("$s", 0))
stream_map = st.just(ast.StreamMap("%m", 0))

leaves = st.one_of(
    st.just(ast.Null(AT)),
    st.just(ast.Never(AT)),
    st.builds(
        ast.Call, peers, strings, strings, st.lists(values, max_size=3).map(tuple), st.none() | outputs, st.just(AT)
    ),
    st.builds(ast.Ap, ap_values, outputs, st.just(AT)),
    st.builds(
        ast.ApMap,
        st.one_of(literals, st.builds(ast.Int, st.integers(-5, 5)), scalar_values, canon_lenses),
        ap_values,
        stream_map,
        st.just(AT),
    ),
    st.builds(ast.Canon, peers, stream, st.just(ast.CanonStream("#cc", 0)), st.just(AT)),
    st.builds(ast.CanonMap, peers, stream_map, st.just(ast.CanonStreamMap("#%m", 0)), st.just(AT)),
    st.builds(ast.CanonStreamMapScalar, peers, stream_map, st.just(ast.Scalar("x", 0)), st.just(AT)),
    st.builds(ast.FailLiteral, st.integers(1, 9), texts, st.just(AT)),
    st.builds(
        ast.Fail,
        st.one_of(st.just(ast.LastError(None)), st.just(ast.Error(None)), scalar_values, canon_lenses),
        st.just(AT),
    ),
)


def _branches(inside: st.SearchStrategy[ast.Instruction]) -> st.SearchStrategy[ast.Instruction]:
    last = st.none() | inside
    iterables = st.one_of(st.just(ast.EmptyArray()), scalar_values, st.just(ast.CanonStream("#$c", 0)), map_values)
    variables = st.one_of(st.builds(ast.Scalar, scalars, st.just(0)), stream, stream_map)
    iterator = st.just(ast.Scalar("iterator", 0))
    return st.one_of(
        *(st.builds(kind, inside, inside, st.just(AT)) for kind in (ast.Seq, ast.Par, ast.Xor)),
        *(st.builds(kind, values, values, inside, st.just(AT)) for kind in (ast.Match, ast.MisMatch)),
        st.builds(ast.New, variables, inside, st.just(AT)),
        st.builds(ast.FoldScalar, iterables, iterator, inside, last, st.just(AT)),
        st.builds(ast.FoldStream, stream, iterator, inside, last, st.just(AT)),
        st.builds(ast.FoldStreamMap, stream_map, iterator, inside, last, st.just(AT)),
    )


trees = st.recursive(leaves, _branches, max_leaves=12)


def _with_names(body: ast.Instruction) -> ast.Instruction:
    """A script that defines every name used."""
    variables: list[ast.Variable] = [ast.Scalar(name, 0) for name in NAMES]
    variables += [ast.Stream("$s", 0), ast.StreamMap("%m", 0), ast.CanonStreamMap("#%m", 0)]
    variables += [ast.CanonStream("#cc", 0), ast.CanonStream("#$c", 0)]
    for variable in variables:
        body = ast.New(variable, body, AT)
    return body


@given(trees)
def test_round_trip(body: ast.Instruction) -> None:
    root = _with_names(body)
    nested = "multiple iterable values found for iterator name 'iterator'"
    result = parse(print_script(root))
    if result.instruction is None:
        assert {label.message for label in result.labels} == {nested}
        return
    assert same_shape(result.instruction, root)
    assert validate(result.instruction) == ()
    # Printing is a normal form.
    assert print_script(result.instruction) == print_script(root)
    assert ast_json(result.instruction)
    assert beautify(result.instruction, patterns=True)


@given(trees)
def test_spans_nest(body: ast.Instruction) -> None:
    text = print_script(_with_names(body))
    root = parse(text).instruction
    if root is None:
        return
    data = text.encode()
    for node in postorder(root):
        start, end = node.span
        assert data[start : start + 1] == b"("
        assert data[end - 1 : end] == b")"


PIECES = [
    "(",
    ")",
    "[",
    "]",
    '"',
    " ",
    "\n",
    ";",
    ".",
    "$",
    "#",
    "%",
    "!",
    "-",
    "1",
    "x",
    "é",
    "日",
    "\t",
    "seq",
    "ap",
    "call",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=25))
def test_any_text_has_an_answer(text: str) -> None:
    result = parse(text)
    assert (result.instruction is None) == bool(result.labels)
    size = len(text.encode(errors="surrogatepass"))
    for label in result.labels:
        assert 0 <= label.start <= label.end <= size + 1
        assert label.message in result.report


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_tokens_cover_the_text_in_order(text: str) -> None:
    try:
        found = tokenize(text)
    except TextError:
        return
    assert found.kinds[-1] == END
    bounds = [at for pair in zip(found.starts, found.ends, strict=True) for at in pair]
    assert bounds == sorted(bounds)
    assert all(start < end for start, end in zip(found.starts, found.ends, strict=True))
