"""Definitions, type lists, headers, comments."""

from __future__ import annotations

import pytest

from aquac.syntax import ast
from tests.aquac.syntax.show import parsed, show


def alias(text: str) -> str:
    (definition,) = parsed(f"aqua M\n\nalias A: {text}\n").definitions
    assert isinstance(definition, ast.Alias)
    return show(definition.type)


def signature(text: str) -> str:
    (definition,) = parsed(f"aqua M\n\nfunc f{text}:\n  x = 1\n").definitions
    assert isinstance(definition, ast.Func)
    return show(definition.signature)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u8", "u8"),
        ("[][]?u8", "[][]?u8"),
        ("*Name", "*Name"),
        ("%u8", "%u8"),
        ("M.N.T", "M.N.T"),
        ("[]⊤", "[]⊤"),
        ("u8 -> u8", "(u8)->(u8)"),
        ("u8, string -> bool", "(u8, string)->(bool)"),
        ("-> u8", "()->(u8)"),
        ("u8 -> ()", "(u8)->()"),
        ("string -> string, string", "(string)->(string, string)"),
        ("u8 -> u8, u8 -> u8", "(u8)->((u8, u8)->(u8))"),
        ("u8 -> u8 -> bool", "(u8)->((u8)->(bool))"),
        ("u8 ->-> ()", "(u8)->(()->())"),
        ("(u8 -> u8)", "(u8)->(u8)"),
        ("u8 -> (u8 -> u8), bool", "(u8)->((u8)->(u8), bool)"),
        ("{A, M.B} u8 -> u8", "{A, M.B}(u8)->(u8)"),
        ("u8 , u8->u8", "(u8, u8)->(u8)"),
    ],
)
def test_types(text, expected):
    assert alias(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("()", "()->()"),
        (" (a : u8 , b:u8)->u8 ", "(a:u8, b:u8)->(u8)"),
        ("(a: u8, string -> u8, bool, n: u8)", "(a:(u8, string)->(u8, bool), n:u8)->()"),
        ("(f: u8 -> u8, stringy: u8)", "(f:(u8)->(u8), stringy:u8)->()"),
        ("(f: (u8, string -> u8, bool), n: u8)", "(f:(u8, string)->(u8, bool), n:u8)->()"),
        ("(f: -> u8, g: u8 -> ())", "(f:()->(u8), g:(u8)->())->()"),
        ("{A, B}(data: u8, service: string)", "{A, B}(data:u8, service:string)->()"),
        ("() -> u8, string", "()->(u8, string)"),
        ("() -> (u8 -> u8), string", "()->((u8)->(u8), string)"),
        ("() -> u8 -> u8", "()->((u8)->(u8))"),
        ("(\n  a: u8, -- first\n  b: u8\n)", "(a:u8, b:u8)->()"),
    ],
)
def test_signatures(text, expected):
    assert signature(text) == expected


def test_members_and_docs():
    file = parsed(
        "aqua M\n\n-- far away\n\n-- A point.\n--   Indented.\ndata P: -- not this\n  -- the x\n  x: u8\n  y: []P\n"
        "service S(ID):\n  a(x: u8) -> u8\n  b: -> u8\n  -- last\n  c()\nability Ab:\n  n: u8\n  f: u8 -> u8\n"
    )
    data, service, ability = file.definitions
    assert isinstance(data, ast.Data)
    assert isinstance(service, ast.Service)
    assert isinstance(ability, ast.Ability)
    assert data.doc == "A point.\n  Indented."
    assert [(m.name.text, show(m.type), m.doc) for m in data.members] == [("x", "u8", "the x"), ("y", "[]P", "")]
    assert service.id is not None
    assert show(service.id) == "ID"
    assert [(m.name.text, show(m.type), m.doc) for m in service.members] == [
        ("a", "(x:u8)->(u8)", ""),
        ("b", "()->(u8)", ""),
        ("c", "()->()", "last"),
    ]
    assert [show(m.type) for m in ability.members] == ["u8", "(u8)->(u8)"]
    assert [c.text for c in file.comments] == [
        "-- far away", "-- A point.", "--   Indented.", "-- not this", "-- the x", "-- last",
    ]  # fmt: skip


def test_constants():
    file = parsed('aqua M\nconst A = 1\nconst B ?= "x"\nconst C_1 =A\n')
    found = [(d.name.text, d.override, show(d.value)) for d in file.definitions if isinstance(d, ast.Const)]
    assert found == [("A", False, "1"), ("B", True, '"x"'), ("C_1", False, "A")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("aqua M", "aqua M None False"),
        ("module A.b declares *", "module A.b None True"),
        ("aqua M declares f, A.g,\nB", "aqua M ['f', 'A.g', 'B'] False"),
        ("   aqua M", "aqua M None False"),
    ],
)
def test_module_header(line, expected):
    (header,) = parsed(line).header
    assert isinstance(header, ast.ModuleHeader)
    declares = None if header.declares is None else [n.text for n in header.declares]
    assert f"{header.keyword.text} {header.name.text} {declares} {header.declares_all}" == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('import "a.aqua"', ('"a.aqua"', None, None)),
        ('import from, as as as from "a"', ('"a"', [("from", None), ("as", "as")], None)),
        ('use "a"', ('"a"', None, None)),
        ('use "a" as X.y', ('"a"', None, "X.y")),
        ('use f as g, H from "a"', ('"a"', [("f", "g"), ("H", None)], None)),
        ('use f from "a" as N', ('"a"', [("f", None)], "N")),
        ("export f, A.b as c", (None, [("f", None), ("A.b", "c")], None)),
        ("export f,\n  g", (None, [("f", None), ("g", None)], None)),
    ],
)
def test_imports_and_exports(line, expected):
    header = parsed(f"aqua M\n{line}\n").header[1]
    path = None if isinstance(header, ast.Export) else header.path.text
    items = None if header.items is None else [(i.name.text, i.rename.text if i.rename else None) for i in header.items]
    alias_ = header.alias.text if isinstance(header, ast.Use) and header.alias else None
    assert (path, items, alias_) == expected


def test_line_breaks_and_last_line():
    for text in (
        "aqua M\n\nfunc f():\n  x = 1",
        "aqua M\r\n\r\nfunc f():\r\n  x = 1\r\n",
        "aqua M\n\r\n\rfunc f():\n\r  x = 1\n\r",
    ):
        (func,) = parsed(text).definitions
        assert isinstance(func, ast.Func)
        assert [show(s) for s in func.body] == ["x = 1"]
    assert parsed("aqua M\n-- end").comments[0].text == "-- end"
    assert parsed("") == ast.File((), (), ())
