"""A slice of `lsp_edits`: random edits in the language server."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from aquac.source import SourceFile
from lsp import line_cache
from lsp.air import AirFile
from lsp.protocol import Refused
from lsp.workspace import Checked, Workspace
from tests.fuzz.lsp_edits import EDITS_OF_SESSION, Session, programs, serve, session


@pytest.mark.parametrize("seed", range(20_000, 20_012))
def test_edits_end_in_the_state_of_a_fresh_workspace(seed: int) -> None:
    session(seed, EDITS_OF_SESSION)


@pytest.mark.slow
def test_edits_in_the_server_process() -> None:
    asyncio.run(serve(range(20_000, 20_003), EDITS_OF_SESSION))


def test_sessions_are_told_by_their_seed() -> None:
    assert len(programs()) > 5
    first, second = Session(5), Session(5)
    assert list(first.edits(20)) == list(second.edits(20))
    assert first.texts == second.texts
    assert Session(6).texts != first.texts or list(Session(6).edits(20)) != list(Session(5).edits(20))


SCRIPT = """; note
(xor
 (seq
  (call %init_peer_id% ("get" "relay") [] relay)
  (new $found
   (par
    (fold items i
     (par (seq (call i.$.peer ("srv" "é😀") [items.length "x ("] $found) (next i)) (null)))
    (seq (canon relay $found #found) (ap #found.$.[0] out)))))
 (call %init_peer_id% ("err" "report") [:error: 0]))
"""
PIECES = (
    "(",
    ")",
    "[",
    "]",
    '"',
    ";",
    " ",
    "\n",
    "$",
    "#",
    "%",
    ".$.",
    ".[i]",
    "x",
    "é",
    "😀",
    "(seq ",
    "(new $x ",
    "(fold x i ",
    "call",
)


@pytest.mark.parametrize("seed", range(8))
def test_edits_of_scripts_are_answered(seed: int) -> None:
    random_ = random.Random(seed)
    text = SCRIPT
    for _ in range(60):
        at = random_.randrange(len(text) + 1)
        text = text[:at] + random_.choice((*PIECES, "")) + text[at + random_.randrange(4) :]
        air = AirFile(SourceFile("/w/a.air", text))
        offset = random_.randrange(len(text) + 1)
        for ask in (
            air.hover,
            air.definition,
            air.references,
            air.highlight,
            air.completion,
            air.signature_help,
            air.selection,
        ):
            ask(offset)
        for ask in (
            air.diagnostics,
            air.symbols,
            air.folding,
            air.semantic_tokens,
            air.formatting_edits,
            air.beautified,
        ):
            ask()
        with contextlib.suppress(Refused):
            air.rename(offset, "$renamed" if random_.random() < 0.5 else "renamed")


def _sessions(number: int) -> None:
    for seed in range(number):
        session(seed, EDITS_OF_SESSION)


@pytest.mark.slow
@pytest.mark.parametrize("bug", ["imports", "spans", "views"])
def test_planted_bugs_are_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if bug == "imports":  # a file is not checked again when what it imports changes
        monkeypatch.setattr(Checked, "is_of", lambda self, module, imports: self.module.source is module.source)
    elif bug == "spans":  # lines that moved keep their old places
        monkeypatch.setattr(line_cache, "moved", lambda node, by: node)
    else:  # a text of the same length counts as the same text
        view = Workspace.view

        def stale(self: Workspace, path: str) -> object:
            known = self._views.get(path)
            same = known is not None and len(known.text) == len(self.buffers.get(path, ""))
            return known if same else view(self, path)

        monkeypatch.setattr(Workspace, "view", stale)
    with pytest.raises(AssertionError, match="stale"):
        _sessions(60)
