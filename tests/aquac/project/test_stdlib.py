"""The library that ships with the compiler checks and compiles."""

from __future__ import annotations

import aquac
from aquac.project.link import load
from aquac.project.stdlib import stdlib_folder
from aquac.syntax import ast

IDS = {
    "op", "peer", "kad", "srv", "dist", "debug", "sig", "stat", "vault", "run-console",
}  # fmt: skip


def test_library_has_no_errors():
    compiled = aquac.compile_path(stdlib_folder())
    assert [d.message for d in compiled.diagnostics] == []


def test_ids_of_the_services():
    (module,), _ = load([f"{stdlib_folder()}/builtin.aqua"])
    services = [d for d in module.file.definitions if isinstance(d, ast.Service)]
    assert {s.id.text.strip('"') for s in services if isinstance(s.id, ast.Literal)} == IDS


def test_calls_of_it_compile():
    text = (
        'aqua M\nimport "@fluencelabs/aqua-lib/builtin.aqua"\nexport f\n\n'
        "func f(p: string) -> u64, []string:\n"
        "  on p:\n    t <- Peer.timestamp_ms()\n    ps <- Kademlia.neighborhood(p, nil, nil)\n  <- t, ps\n"
    )
    compiled = aquac.compile_bundle({"main.aqua": text}, "main.aqua")
    assert compiled.ok
    assert '("peer" "timestamp_ms")' in compiled.functions["f"].script
