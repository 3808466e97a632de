"""Rename, then build: the AIR and the definitions are the same up to the name, whichever mention it was renamed at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aquac.compiler import Compiled, compile_bundle
from lsp.convert import to_path
from lsp.features.references import references
from lsp.features.rename import RenameRefused, rename
from lsp.features.rename_files import rename_files
from lsp.settings import read_settings
from lsp.workspace import Workspace
from tests.lsp.fixture import apply

MAIN = """aqua Mainfile declares *

import "lib.aqua"
import helperfn as helperalias from "lib.aqua"
import Holder as HolderAlias from "lib.aqua"
use "mod.aqua" as Modalias
use "named.aqua"

export entryfn, secondfn as publicname, Srvone

const LIMITCONST = 7
const TEXTCONST ?= "text"

alias Namesalias: []string
alias Callbacktype: string -> string

data Inner:
  deepfield: u32
  otherfield: string

data Outer:
  innerfield: Inner
  listfield: []Inner

service Srvone("srvone"):
  fetchfn(key: string) -> Outer
  noopfn()
  textfn(t: string) -> string

service Srvtwo:
  echofn(t: string) -> string

ability Abil:
  abilvalue: string
  abilfn(a: u32) -> string

func withability{Abil}(abilarg: u32) -> string:
  abilresult <- Abil.abilfn(abilarg)
  joined <- Srvone.textfn(Abil.abilvalue)
  <- abilresult

func aliasarg(callbackarg: Callbacktype, namesarg: Namesalias) -> string:
  called <- callbackarg(namesarg!)
  <- called

func closuretext(t: string) -> string:
  <- t

func entryfn(peerarg: string, relayarg: string, plainarg: u32) -> string, u32:
  closurename = (closurearg: u32) -> string:
    closurelocal <- Srvone.textfn("in closure")
    <- closurelocal
  streamname: *u32
  streamname <<- plainarg
  mapname: %string
  mapname <<- "key", peerarg
  on peerarg via relayarg:
    outervar <- Srvone.fetchfn("id")
    sharedvar <- sharedfn(LIMITCONST, plainarg)
    streamname <<- sharedvar
  for loopitem <- outervar.listfield par:
    on loopitem.otherfield:
      Srvone.noopfn()
      streamname <<- loopitem.deepfield
  parseq peeritem <- outervar.listfield on peeritem.otherfield via relayarg:
    Srvone.noopfn()
  if outervar.innerfield.deepfield > LIMITCONST:
    Srvone.noopfn()
  else:
    Srvtwo "srvtwoid"
    echoed <- Srvtwo.echofn(TEXTCONST)
  try:
    Srvone.noopfn()
  catch caughterror:
    message <- Srvone.textfn(caughterror.message)
  abilinstance = Abil(abilvalue = "s", abilfn = closurename)
  abilout <- withability{abilinstance}(4)
  shorthand = "x"
  deepfield = 3
  madeinner = Inner(deepfield, otherfield = shorthand)
  copied = madeinner.copy(otherfield = "changed")
  opt <- Modalias.modfn(copied.deepfield)
  thing = Modalias.Thing(sizefield = opt)
  holder = HolderAlias(held = thing.sizefield)
  namedresult <- Named.namedfn(holder.held)
  helped <- helperalias(namedresult)
  join streamname[1]
  first, second <- pairfn(helped)
  keys = mapname.keys()
  aliased <- aliasarg(closuretext, keys)
  <- abilout, second

func secondfn() -> u32:
  result = SHAREDCONST
  <- result
"""
LIB = """aqua Libfile declares *

-- How many.
const SHAREDCONST = 10

data Holder:
  held: u32

func sharedfn(left: u32, right: u32) -> u32:
  sum = left + right
  <- sum

func helperfn(n: u32) -> u32:
  <- n

func pairfn(n: u32) -> u32, u32:
  <- n, SHAREDCONST
"""
MOD = """aqua Modfile declares modfn, Thing

data Thing:
  sizefield: u32

func modfn(n: u32) -> u32:
  thingvar = Thing(sizefield = n)
  <- thingvar.sizefield
"""
NAMED = """aqua Named declares namedfn

func namedfn(number: u32) -> u32:
  <- number
"""
FILES = {"/w/main.aqua": MAIN, "/w/lib.aqua": LIB, "/w/mod.aqua": MOD, "/w/named.aqua": NAMED}

SYMBOLS = {
    "function": "entryfn withability aliasarg closuretext secondfn",
    "function of an import": "sharedfn pairfn",
    "function of a used module": "modfn namedfn",
    "function imported under another name": "helperfn",
    "argument": "peerarg relayarg plainarg abilarg callbackarg namesarg left",
    "local": "outervar sharedvar echoed abilout madeinner copied helped second thingvar abilresult",
    "constant": "LIMITCONST TEXTCONST",
    "constant of an import": "SHAREDCONST",
    "data": "Inner Outer",
    "data of a used module": "Thing",
    "data imported under another name": "Holder",
    "field": "deepfield otherfield innerfield listfield",
    "field of another file": "sizefield held",
    "service": "Srvone Srvtwo",
    "service function": "fetchfn noopfn textfn echofn",
    "ability": "Abil",
    "ability member": "abilvalue abilfn",
    "closure": "closurename",
    "closure argument and local": "closurelocal",
    "stream": "streamname",
    "stream map": "mapname",
    "loop item": "loopitem peeritem",
    "error": "caughterror",
    "instance of an ability": "abilinstance",
    "shorthand value": "shorthand",
    "alias": "Namesalias Callbacktype",
    "module alias": "Modalias",
    "module": "Named Modfile",
    "import alias": "helperalias HolderAlias",
}
SEVERAL_NAMES = {"secondfn", "helperfn", "Holder", "helperalias", "HolderAlias"}
"""Things that have another name somewhere, which is a mention too."""
CASES = [(kind, name) for kind, names in SYMBOLS.items() for name in names.split()]


def longer(name: str) -> str:
    """Another name of the same form and at the same place in any order of names."""
    return name + ("Z" if name.isupper() else "z")


def compiled(files: dict[str, str]) -> Compiled:
    return compile_bundle(files, list(files))


def output(files: dict[str, str]) -> str:
    """Everything that comes out of a program."""
    made = compiled(files)
    assert made.ok, [(d.code.id, d.message) for d in made.diagnostics]
    shown = {name: (f.script, f.definition) for name, f in sorted(made.functions.items())}
    services = sorted(str(s) for s in made.services.items())
    return json.dumps([shown, services], indent=1, ensure_ascii=False)


def opened(files: dict[str, str]) -> Workspace:
    workspace = Workspace(read_settings({}, ("/w",)))
    for path, text in files.items():
        workspace.set_text(path, text)
    return workspace


def renamed(workspace: Workspace, path: str, offset: int, name: str) -> dict[str, str]:
    texts = dict(FILES)
    for uri, edits in (rename(workspace, path, offset, name).changes or {}).items():
        changed = to_path(uri)
        texts[changed] = apply(texts[changed], edits)
    return texts


def mentions(name: str) -> list[tuple[str, int]]:
    """Every place with the word, in code."""
    word = re.compile(rf"(?<![\w\"]){name}(?![\w\"])")
    return [(path, found.start()) for path, text in FILES.items() for found in word.finditer(text)]


def test_a_name_of_an_import_changes_in_its_file_only() -> None:
    after = renamed(opened(FILES), *mentions("helperalias")[1], "otheralias")
    assert [path for path in FILES if after[path] != FILES[path]] == ["/w/main.aqua"]
    assert "import helperfn as otheralias from" in after["/w/main.aqua"]


def test_files_that_are_not_open_are_renamed_as_well(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / Path(path).name).write_text(text)
    workspace = Workspace(read_settings({}, (str(tmp_path),)))
    for name in ("sharedfn", "sizefield", "Thing", "Abil"):
        path, offset = mentions(name)[0]
        edit = rename(workspace, str(tmp_path / Path(path).name), offset, longer(name))
        texts = dict(FILES)
        for uri, edits in (edit.changes or {}).items():
            at = f"/w/{Path(to_path(uri)).name}"
            texts[at] = apply(texts[at], edits)
        assert texts == renamed(opened(FILES), path, offset, longer(name))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 50
    assert len({name for _, name in CASES}) == len(CASES)


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}-{name}".replace(" ", "_") for kind, name in CASES])
def test_renamed_programs_have_the_same_output_up_to_the_name(kind: str, name: str) -> None:
    new = longer(name)
    workspace = opened(FILES)
    places = mentions(name)
    assert places
    results = {}
    for path, offset in places:
        fact = workspace.view(path).fact_at(offset)
        assert fact is not None, (path, FILES[path][offset - 20 : offset + 20])
        if name == "deepfield" and fact.kind == "variable":
            continue  # a value of that name, which stays
        results[path, offset] = renamed(workspace, path, offset, new)
    (after, *others) = results.values()
    assert all(other == after for other in others)
    assert after != FILES
    word = re.compile(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9])")  # the compiler makes names such as `x_obj` of it
    before = output(FILES)
    assert output(after) == word.sub(new, before)


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[name for _, name in CASES])
def test_every_mention_in_code_is_a_reference(kind: str, name: str) -> None:
    workspace = opened(FILES)
    for path, offset in mentions(name):
        if name == "deepfield" and workspace.view(path).facts_at(offset)[0].kind == "variable":
            continue
        found = {
            (to_path(x.uri), x.range.start.line, x.range.start.character) for x in references(workspace, path, offset)
        }
        expected = set()
        for other, at in mentions(name):
            before = FILES[other][:at]
            expected.add((other, before.count("\n"), at - before.rfind("\n") - 1))
        if name == "deepfield":  # also a value, mentioned where it is given to the field
            assert found < expected
        else:
            assert found >= expected if name in SEVERAL_NAMES else found == expected


@pytest.mark.parametrize(
    ("name", "new", "why"),
    [
        ("outervar", "sharedvar", "is the name of something else in the same function"),
        ("sharedfn", "helperfn", "is defined already"),
        ("LIMITCONST", "limit", "upper-case"),
        ("Inner", "inner", "starts with an upper-case letter"),
        ("deepfield", "otherfield", "has a member `otherfield` already"),
        ("peerarg", "Peerarg", "lower-case"),
        ("peerarg", "peer arg", "cannot be used here"),
        ("message", "reason", "is predefined"),
    ],
)
def test_a_name_that_would_change_the_meaning_is_refused(name: str, new: str, why: str) -> None:
    workspace = opened(FILES)
    path, offset = mentions(name)[-1]
    with pytest.raises(RenameRefused, match=re.escape(why)):
        rename(workspace, path, offset, new)


@pytest.mark.parametrize(
    ("renames", "expected"),
    [
        ({"lib.aqua": "new.aqua"}, {"main.aqua": ['"new.aqua"', '"./new"', '"sub/a.aqua"'], "sub/a.aqua": ['"../new.aqua"']}),
        ({"sub": "other/deep"}, {"main.aqua": ['"lib.aqua"', '"./lib"', '"other/deep/a.aqua"'], "sub/a.aqua": ['"../../lib.aqua"']}),
        ({"main.aqua": "sub/main.aqua"}, {"main.aqua": ['"../lib.aqua"', '"../lib"', '"a.aqua"'], "sub/a.aqua": ['"../lib.aqua"']}),
        ({"sub/a.aqua": "sub/b.aqua", "lib.aqua": "sub/lib.aqua"}, {"main.aqua": ['"sub/lib.aqua"', '"./sub/lib"', '"sub/b.aqua"'], "sub/a.aqua": ['"lib.aqua"']}),
        ({"unused.aqua": "x.aqua"}, None),
    ],
)  # fmt: skip
def test_import_paths_follow_renamed_files(
    renames: dict[str, str], expected: dict[str, list[str]] | None, tmp_path: Path
) -> None:
    files = {
        "main.aqua": 'aqua Main declares *\n\nimport "lib.aqua"\nuse "./lib" as L\nimport "sub/a.aqua"\nimport "builtin.aqua"\n',
        "lib.aqua": "aqua Lib declares *\n\nconst ONE = 1\n",
        "sub/a.aqua": 'aqua A declares *\n\nimport "../lib.aqua"\n\nconst TWO = ONE\n',
        "unused.aqua": "aqua Unused declares *\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    workspace = Workspace(read_settings({}, (str(tmp_path),)))
    edit = rename_files(workspace, {str(tmp_path / old): str(tmp_path / new) for old, new in renames.items()})
    if expected is None:
        assert edit is None
        return
    after = dict(files)
    for uri, edits in edit.changes.items():
        name = str(Path(to_path(uri)).relative_to(tmp_path))
        after[name] = apply(after[name], edits)
    for name, paths in expected.items():
        assert [path for path in re.findall(r'"[^"]*"', after[name]) if "builtin" not in path] == paths
    # And with the files in their new places nothing is missing.
    moved = Workspace()
    for name, text in after.items():
        path = str(tmp_path / name)
        for old, new in renames.items():
            if path == str(tmp_path / old) or path.startswith(str(tmp_path / old) + "/"):
                path = str(tmp_path / new) + path[len(str(tmp_path / old)) :]
        moved.set_text(path, text)
    for name in files:
        (tmp_path / name).unlink()
    for path in list(moved.buffers):
        found = [d.message for ds in moved.check(path).values() for d in ds if d.is_error]
        assert [message for message in found if "builtin" not in message] == []
