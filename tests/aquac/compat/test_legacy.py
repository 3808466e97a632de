"""`--legacy-headers`: what versions 0.9.3 – 0.13.4 accepted, with the meaning it had there (each verdict found by running them)."""

from __future__ import annotations

import pytest

import aquac

LIB = 'aqua L declares *\n\nalias Error: string\n\ndata D:\n  a: u8\n\nfunc f() -> Error:\n  <- "a"\n'
SERVICE = 'service T("t"):\n  get() -> u8\n\n'


def check(files: dict[str, str], *, warnings: str = "", errors: str = "", exports: str = "") -> aquac.Compiled:
    """Compile `main.aqua` as an old program; codes are those of tolerated forms and of errors in order, exports are sorted."""
    compiled = aquac.compile_bundle(files, "main.aqua", options=aquac.Options(legacy_headers=True))
    assert [d.code.id for d in compiled.diagnostics if d.is_error] == errors.split()
    tolerated = [d.code.id for d in compiled.diagnostics if not d.is_error and not d.code.id.startswith("AQ09")]
    assert tolerated == warnings.split()
    assert sorted([*compiled.functions, *compiled.services]) == exports.split()
    strict = aquac.compile_bundle(files, "main.aqua")
    assert strict.ok == (not warnings and not errors)
    return compiled


def one(source: str, **expected: str) -> aquac.Compiled:
    return check({"main.aqua": source}, **expected)


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_without_header_exports_its_functions_and_services():
    source = (
        SERVICE
        + "service S:\n  f() -> u8\n\nfunc h() -> u8:\n  <- 1\n\nfunc w(cb: u8 -> u8) -> u8:\n  x <- cb(1)\n  <- x\n"
    )
    one(source, warnings="AQ0124", exports="S T h w")


def test_export_lines_rename_and_add():
    lib = "aqua L declares *\n\nfunc g() -> u8:\n  <- 1\n"
    source = 'import "l.aqua"\nexport h as hh, g\nfunc h() -> u8:\n  <- 1\n\nfunc k() -> u8:\n  <- 1\n'
    check({"main.aqua": source, "l.aqua": lib}, warnings="AQ0124", exports="g hh k")


def test_functions_that_cannot_be_exported_are_left_out():
    source = "ability A:\n  f() -> u8\n\nfunc take{A}() -> u8:\n  x <- A.f()\n  <- x\n\nfunc h() -> u8:\n  <- 1\n"
    one(source, warnings="AQ0124", exports="h")


def test_a_file_with_header_exports_what_it_says():
    one("module M declares *\n\nfunc h() -> u8:\n  <- 1\n", warnings="AQ0126")


def test_imports_of_a_file_without_header_export_nothing():
    files = {
        "l.aqua": "func g() -> u8:\n  <- 1\n",
        "main.aqua": 'aqua M\nimport "l.aqua"\nexport f\n\nfunc f() -> u8:\n  <- g()\n',
    }
    check(files, warnings="AQ0124", exports="f")


def test_a_file_without_header_shows_its_own_definitions_only():
    files = {
        "a.aqua": "func h() -> u8:\n  <- 1\n",
        "b.aqua": 'import "a.aqua"\n\nfunc k() -> u8:\n  <- h()\n',
        "main.aqua": 'aqua M\nimport "b.aqua"\n\nfunc z() -> u8:\n  <- k()\n',
    }
    check(files, warnings="AQ0124 AQ0124")
    files["main.aqua"] = files["main.aqua"].replace("k()", "h()")
    check(files, warnings="AQ0124 AQ0124", errors="AQ0202")


def test_what_it_imports_is_not_passed_on():
    files = {
        "l.aqua": LIB,
        "b.aqua": 'import "l.aqua"\n\nfunc k() -> Error:\n  <- f()\n',
        "main.aqua": 'aqua M\nimport "b.aqua"\n\nfunc z() -> Error:\n  <- k()\n',
    }
    check(files, warnings="AQ0124", errors="AQ0206")


def test_it_is_used_under_a_given_name_only():
    files = {
        "a.aqua": "func h() -> u8:\n  <- 1\n",
        "main.aqua": 'aqua M\nuse "a.aqua" as A\n\nfunc z() -> u8:\n  <- A.h()\n',
    }
    check(files, warnings="AQ0124")
    files["main.aqua"] = files["main.aqua"].replace(" as A", "")
    check(files, warnings="AQ0124", errors="AQ0127")


@pytest.mark.parametrize(
    ("head", "errors"), [("module Q declares k", ""), ("module Q declares *", ""), ("module Q", "AQ0123")]
)
def test_module_declares_as_aqua_does(head, errors):
    files = {"q.aqua": f"{head}\n\nfunc k() -> u8:\n  <- 1\n", "main.aqua": 'aqua M\nimport k from "q.aqua"\n'}
    compiled = aquac.compile_bundle(files, "main.aqua", options=aquac.Options(legacy_headers=True))
    assert [d.code.id for d in compiled.diagnostics if d.is_error] == errors.split()


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ("alias Error: u8", "AQ0208"),
        ("alias D: u8", "AQ0208"),
        ("data D:\n  b: u16", "AQ0207"),
        ('service Error("a"):\n  f() -> u8', "AQ0207"),
    ],
)
def test_own_types_hide_imported_ones(own, code):
    check({"l.aqua": LIB, "main.aqua": f'aqua M declares *\nimport "l.aqua"\n\n{own}\n'}, warnings=code)


def test_the_own_type_counts():
    source = 'aqua M\nimport "l.aqua"\nexport g\n\ndata D:\n  b: u16\n\nfunc g() -> D:\n  <- D(b = 300)\n'
    compiled = check({"l.aqua": LIB, "main.aqua": source}, warnings="AQ0207", exports="g")
    result = compiled.functions["g"].definition["arrow"]["codomain"]["items"][0]
    assert list(result["fields"]) == ["b"]


def test_two_own_types_of_one_name_are_an_error():
    one("aqua M\n\nalias A: u8\nalias A: u16\n", errors="AQ0208")


def test_functions_do_not_hide_imported_ones():
    source = 'aqua M\nimport "l.aqua"\n\nfunc f() -> u8:\n  <- 1\n'
    check({"l.aqua": LIB, "main.aqua": source}, errors="AQ0204")


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────────

OPTION = (
    'aqua M\nexport f, g\n\nservice T("t"):\n  get() -> string\n  opt(x: ?string) -> ?string\n\n'
    'func f(c: bool) -> ?string, ?string:\n  r: ?string\n  e: ?string\n  if c:\n    r <<- "a"\n  else:\n    e <- T.get()\n'
    '  y <- T.opt(r)\n  <- y, e\n\nfunc g() -> string:\n  r: ?string\n  r <<- "b"\n  <- r!\n'
)


def test_an_option_declared_without_value_is_a_stream():
    old = one(OPTION, warnings="AQ0324 AQ0324 AQ0324", exports="f g")
    new = aquac.compile_bundle(
        {"main.aqua": OPTION.replace(": ?string\n  ", ": *string\n  ").replace("-> *", "-> ?")}, "main.aqua"
    )
    assert new.ok
    assert {n: f.script for n, f in old.functions.items()} == {n: f.script for n, f in new.functions.items()}


def test_other_types_are_not():
    one("aqua M\n\nfunc f():\n  r: []u8\n", errors="AQ0324")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('  on "a":\n    <- T.get()\n', '  on "a":\n    returned <- T.get()\n  <- returned\n'),
        ('  on "a":\n    x <- T.get()\n    <- x\n', '  on "a":\n    x <- T.get()\n  <- x\n'),
        (
            '  on "a" via "b":\n    on "c":\n      <- T.get()\n',
            '  on "a" via "b":\n    on "c":\n      returned <- T.get()\n  <- returned\n',
        ),
        (
            '  on "a":\n    x <- T.get()\n    <- x + 1\n',
            '  on "a":\n    x <- T.get()\n    returned = x + 1\n  <- returned\n',
        ),
        (
            '  returned = 1\n  on "a":\n    <- T.get()\n  T.get()\n',
            '  returned = 1\n  on "a":\n    returned2 <- T.get()\n  T.get()\n  <- returned2\n',
        ),
    ],
)
def test_a_return_inside_on_is_computed_there(old, new):
    head = f"aqua M\nexport f\n\n{SERVICE}func f() -> i64:\n".replace("-> u8", "-> i64")
    compiled = one(head + old, warnings="AQ0106", exports="f")
    expected = aquac.compile_bundle({"main.aqua": head + new}, "main.aqua")
    assert compiled.functions["f"].script == expected.functions["f"].script


@pytest.mark.parametrize("block", ['if c == "a":', "for x <- xs:", "try:", "par on c:"])
def test_a_return_inside_other_blocks_is_an_error(block):
    before = "  T.get()\n" if block.startswith("par") else ""
    source = f"aqua M\n\n{SERVICE}func f(c: string, xs: []u8) -> u8:\n{before}  {block}\n    <- T.get()\n"
    compiled = aquac.compile_bundle({"main.aqua": source}, "main.aqua", options=aquac.Options(legacy_headers=True))
    assert [d.code.id for d in compiled.diagnostics if d.is_error][:1] == ["AQ0106"]


def test_a_second_return_is_an_error():
    source = f'aqua M\n\n{SERVICE}func f() -> u8:\n  on "a":\n    <- T.get()\n  on "b":\n    <- T.get()\n'
    one(source, warnings="AQ0106", errors="AQ0106")


def test_uneven_lines_belong_to_their_block():
    source = (
        f"aqua M\nexport f\n\n{SERVICE}func f() -> u8:\n  x <- T.get()\n    y <- T.get()\n   z <- T.get()\n  <- z\n"
    )
    compiled = one(source, warnings="AQ0103 AQ0103", exports="f")
    assert compiled.functions["f"].script.count('("t" "get")') == 3
