"""Every request over fixtures in `corpus/`: one file of cases a request, see `fixture.py` for their form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp.convert import to_uri
from lsp.features.completion import completion
from lsp.features.definition import definition, type_definition
from lsp.features.hover import hover
from lsp.features.references import highlight, references
from lsp.features.rename import RenameRefused, prepare_rename, rename
from lsp.features.signature_help import signature_help
from tests.golden import Case, Golden, corpus
from tests.lsp.fixture import Fixture


def _hover(f: Fixture) -> str:
    found = hover(f.workspace, f.path, f.offset)
    return "nothing" if found is None else found.contents.value.replace("/w/", "")


def _definition(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in definition(f.workspace, f.path, f.offset)) or "nothing"


def _type_definition(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in type_definition(f.workspace, f.path, f.offset)) or "nothing"


def _references(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in references(f.workspace, f.path, f.offset)) or "nothing"


def _highlight(f: Fixture) -> str:
    found = highlight(f.workspace, f.path, f.offset)
    return "\n".join(f"{h.kind.name} {f.place(to_uri(f.path), h.range)}" for h in found) or "nothing"


def _rename(f: Fixture) -> str:
    old = f.text(f.path)[f.offset : f.offset + 2]
    new = "RENAMED" if old.isupper() and len(old.strip()) == 2 else "Renamed" if old[:1].isupper() else "renamed"
    try:
        prepare_rename(f.workspace, f.path, f.offset)
        return f.applied(rename(f.workspace, f.path, f.offset, new))
    except RenameRefused as error:
        return f"refused: {error}"


def _completion(f: Fixture) -> str:
    """Items by rank; of those that import only what is in the workspace."""
    lines = []
    for item in sorted(completion(f.workspace, f.path, f.offset), key=lambda i: i.sort_text or ""):
        if item.detail and "aqua-lib" in item.detail:
            continue
        extra = "".join(f" + {e.new_text!r}" for e in item.additional_text_edits or ())
        insert = f" ⇒ {item.insert_text!r}" if item.insert_text else ""
        doc = f" -- {item.documentation.value}" if item.documentation else ""
        lines.append(f"{item.kind.name} {item.label}{f' : {item.detail}' if item.detail else ''}{insert}{extra}{doc}")
    return "\n".join(lines) or "nothing"


def _signature_help(f: Fixture) -> str:
    found = signature_help(f.workspace, f.path, f.offset)
    if found is None:
        return "nothing"
    (shown,) = found.signatures
    active = shown.parameters[found.active_parameter].label if found.active_parameter < len(shown.parameters) else "none"
    return f"{shown.label}\nactive: {active}" + (f"\n{shown.documentation.value}" if shown.documentation else "")


FEATURES: dict[str, Callable[[Fixture], str]] = {
    "hover": _hover,
    "definition": _definition,
    "type_definition": _type_definition,
    "references": _references,
    "highlight": _highlight,
    "rename": _rename,
    "completion": _completion,
    "signature_help": _signature_help,
}


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_feature(case: Case, golden: Golden) -> None:
    golden.check(case, "expected", FEATURES[case.path.stem](Fixture.of(case.input)))


def test_every_feature_has_cases() -> None:
    files = {path.stem for path in (Path(__file__).parent / "corpus").glob("*.txt")}
    assert files == set(FEATURES)
