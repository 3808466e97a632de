"""Headers, imports, used modules, declarations and exports."""

import pytest

from aquac.semantics.raw import FuncPart

from .programs import MAIN, accepted, check, checked, const

LIB = """aqua Lib declares *

const K = 1

data R:
  x: u8

ability A:
  x: u8

service V("v"):
  go() -> u8

service NoId:
  go() -> u8

func g(x: u8) -> u8:
  <- x

func r() -> R:
  <- R(x = 1)
"""

CASES = {
    "import": """aqua Main
import "lib.aqua"

func f(value: R) -> u8:
  x <- V.go()
  <- g(x + K + value.x)
""",
    "import from": """aqua Main
import g, R as T, K as L from "lib.aqua"

func f(t: T) -> u8:
  x = K  -- error: AQ0201 "K"
  y <- h(1)  -- error: AQ0202 "h"
  <- g(t.x + L)
""",
    "import from of nothing": """aqua Main
import zz, g as gg from "lib.aqua"  -- error: AQ0123 "zz"
""",
    "use": """aqua Main
use "lib.aqua"

func f(r: Lib.R) -> u8:
  x <- Lib.V.go()
  Lib.NoId "dyn"
  y <- Lib.NoId.go()
  z = Lib.R(x = 1)
  <- Lib.g(Lib.K + x + y + z.x + r.x)
""",
    "use as": """aqua Main
use "lib.aqua" as L

func f{L.A}() -> u8:
  x = L.A.x
  <- L.g(x)
""",
    "use from": """aqua Main
use g as h, R from "lib.aqua" as L

func f(r: L.R) -> u8:
  <- L.h(r.x)
""",
    "members that do not exist": """aqua Main
use "lib.aqua" as L

func f():
  a = L.zz  -- error: AQ0201 "L"
  b <- L.yy(1)  -- error: AQ0205 "yy"
  c: *L.Zz  -- error: AQ0206 "L.Zz"
  d: *Zz.R  -- error: AQ0206 "Zz.R"
  e = L  -- error: AQ0201 "L"
  g = L.NoId  -- error: AQ0230 "L"
  h = L.Yy(x = 1)  -- error: AQ0201 "L.Yy"
  L.R "id"  -- error: AQ0226 "L.R"
""",
    "a call of a member ends its value": """aqua Main
use "lib.aqua" as L

func f() -> u8:
  r <- L.r()
  y = L.r().x  -- error: AQ0201 "L"
  <- r.x
""",
    "a module hides a variable": """aqua Main
use "lib.aqua" as L

func f(r: L.R):
  L = r
  a = L.x  -- error: AQ0201 "L"
  b <- L.g(1)
  c = L
""",
    "an imported name cannot be defined again": """aqua Main
import "lib.aqua"

data R:  -- error: AQ0207 "R"
  x: u8

func g(x: u8) -> u8:  -- error: AQ0204 "g"
  <- x
""",
    "declares of nothing": """aqua Main declares f, zz  -- error: AQ0128 "zz"

func f():
  x = 1
""",
    "exports": """aqua Main
export zz, A, arrow, ability, service, K  -- error: AQ0129 "zz", error: AQ0130 "A", error: AQ0131 "arrow", error: AQ0132 "ability", error: AQ0132 "service"
import "lib.aqua"

func arrow() -> u8 -> u8:
  <- g

func ability{A}():
  x = 1

func service(v: V):
  x = 1
""",
}


@pytest.mark.parametrize("name", CASES)
def test_rule(name: str) -> None:
    check(CASES[name], {"lib.aqua": LIB})


def test_last_import_wins() -> None:
    context = accepted(
        'aqua Main\nimport "a.aqua"\nimport "b.aqua"\n',
        {"a.aqua": "aqua A declares *\n\nconst X = 1\n", "b.aqua": "aqua B declares *\n\nconst X = 2\n"},
    )
    value = const(context, "X").value
    assert getattr(value, "text", None) == "2"


def test_plain_import_passes_declarations_on_but_not_exports() -> None:
    files = {"lib.aqua": "aqua Lib declares g\nexport g\n\nfunc g():\n  x = 1\n\nfunc hidden():\n  x = 1\n"}
    context = accepted('aqua Main\nimport "lib.aqua"\n', files)
    assert context.declares == ("g",)
    assert context.exports == {}
    assert [p.name for _, p in context.parts if isinstance(p, FuncPart)] == ["g"]


def test_used_modules_can_be_declared() -> None:
    files = {
        "a.aqua": 'aqua A declares B, C.g\nuse "b.aqua" as B\nuse "b.aqua" as C\n',
        "b.aqua": "aqua B declares *\n\nfunc g() -> u8:\n  <- 1\n\nfunc h() -> u8:\n  <- 1\n",
    }
    check(
        """aqua Main
use "a.aqua"

func f():
  a <- A.B.g()
  b <- A.C.g()
  c <- A.C.h()  -- error: AQ0205 "h"
""",
        files,
    )


def test_used_modules_are_not_part_of_declares_all() -> None:
    files = {"a.aqua": 'aqua A declares *\nuse "b.aqua"\n', "b.aqua": "aqua B declares *\n\nconst K = 1\n"}
    check('aqua Main\nuse "a.aqua"\n\nfunc f():\n  a = A.B.K  -- error: AQ0201 "A"\n', files)


def test_export_of_a_member_needs_a_name() -> None:
    files = {"a.aqua": "aqua A declares *\n\nfunc g() -> u8:\n  <- 1\n"}
    context = accepted('aqua Main\nuse "a.aqua"\nexport A.g as g\n', files)
    assert context.exports == {"A.g": "g"}
    check('aqua Main\nuse "a.aqua"\nexport A.g  -- error: AQ0129 "A.g"\n', files)


def test_imported_part_keeps_the_context_of_its_module() -> None:
    files = {"a.aqua": "aqua A declares g\n\nconst K = 1\n\nfunc g() -> u8:\n  <- K\n"}
    context = accepted('aqua Main\nimport "a.aqua"\n', files)
    before = next(before for before, part in context.parts if part.name == "g")
    assert "K" in [p.name for _, p in before.parts]
    assert context.part("K", is_type=False) is None


def test_a_part_sees_only_what_precedes_it() -> None:
    context = accepted("aqua Main\n\nconst A = 1\n\nconst B = A\n\nconst C = B\n")
    own = [(before, part) for before, part in context.parts if part.name in "ABC"]
    assert [[p.name for _, p in before.parts if p.name in "ABC"] for before, _ in own] == [[], ["A"], ["A", "B"]]
    assert own[2][0].parts[-1][1].name == "B"
    assert [p.name for _, p in own[2][0].parts[-2:]] == ["A", "B"]


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("const A = 1\n", ["AQ0124"]),
        ('import "a.aqua"\naqua Main\n', ["AQ0124", "AQ0125"]),
        ("aqua Main\naqua Other\n", ["AQ0125"]),
        ("module Main\n", ["AQ0126"]),
    ],
)
def test_module_line(source: str, codes: list[str]) -> None:
    _, found = checked(source, {"a.aqua": "aqua A\n"})
    assert [d.code.id for d in found] == codes
    assert all(d.is_error for d in found)


def test_legacy_headers() -> None:
    files = {"old.aqua": "func g() -> u8:\n  <- 1\n", "mod.aqua": "module Mod declares *\n\nfunc h() -> u8:\n  <- 1\n"}
    source = 'aqua Main\nimport "old.aqua"\nimport "mod.aqua"\n\nfunc f():\n  a <- g()\n  b <- h()\n'
    contexts, found = checked(source, files, legacy=True)
    assert [(d.code.id, d.is_error) for d in found] == [("AQ0124", False), ("AQ0126", False)]
    assert MAIN in contexts
    _, found = checked('aqua Main\nuse "old.aqua"\n', files, legacy=True)
    assert [d.code.id for d in found] == ["AQ0124", "AQ0127"]


def test_importers_of_a_wrong_module_are_checked_but_for_names_it_may_have() -> None:
    files = {"a.aqua": "aqua A\n\nfunc g():\n  x = zz\n", "b.aqua": "aqua B\n\nfunc g():\n  x = yy\n"}
    contexts, found = checked('aqua Main\nimport "a.aqua"\nimport "b.aqua"\n\nfunc f():\n  x = xx\n', files)
    assert contexts == {}
    assert [d.message.split("`")[1] for d in found] == ["zz", "yy"]
    _, found = checked('aqua Main\nimport "a.aqua"\n\nfunc f() -> u8:\n  x = xx\n  <- "s"\n', files)
    assert [d.code.id for d in found] == ["AQ0201", "AQ0304"]


def test_export_errors_do_not_wait_for_the_body() -> None:
    check("""aqua Main declares f, yy  -- error: AQ0128 "yy"
export zz, f  -- error: AQ0129 "zz"

func f():
  x = yy  -- error: AQ0201 "yy"
""")


def test_missing_functions_are_reported_before_missing_types() -> None:
    text = "aqua Main declares Gg, f, Hh, g\n"
    _, found = checked(text)
    assert [text[d.span.start : d.span.end] for d in found if d.span] == ["f", "g", "Gg", "Hh"]


def test_an_import_of_some_names_declares_what_the_file_declares() -> None:
    files = {
        "a.aqua": 'aqua A declares own\nimport f from "b"\n\nfunc own():\n  x = 1\n\nfunc g():\n  x = 1\n',
        "b.aqua": "aqua B declares f, g\n\nfunc f():\n  x = 1\n\nfunc g():\n  x = 1\n",
    }
    check('aqua Main\nimport own, f, g from "a"\n', files)


def test_header_lines_are_reported_in_order() -> None:
    text = 'aqua Main\nimport zz from "lib"\naqua Second\nimport yy from "lib"\n'
    _, found = checked(text, {"lib.aqua": "aqua Lib\n"})
    assert [text[d.span.start : d.span.end] for d in found if d.span] == ["zz", "Second", "yy"]
