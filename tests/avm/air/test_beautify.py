"""Pseudo-code: `plain.txt` holds the output of npm `air-beautify-wasm` 0.3.9, `patterns.txt` the `hopon` idiom."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avm.air import parse
from avm.air.beautify import beautify
from tests.conformance.runner import default_files, read_cases
from tests.golden import Case, Golden, corpus


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus" / "beautify"))
def test_beautify(case: Case, golden: Golden) -> None:
    root = parse(case.input).instruction
    assert root is not None
    section = next(name for name in case.sections if name != "input")
    golden.check(case, section, beautify(root, patterns=section == "patterns"))


def test_indent() -> None:
    root = parse("(new a (new b (seq (null) (null))))").instruction
    assert root is not None
    assert beautify(root, indent=2) == "new a:\n  new b:\n    null\n    null\n"


def test_depth() -> None:
    root = parse("(seq (null) " * 10_000 + "(null)" + ")" * 10_000).instruction
    assert root is not None
    assert beautify(root) == "null\n" * 10_001


def scripts(document: Any) -> Iterator[str]:
    """All texts in a case that look like a script."""
    if isinstance(document, dict | list):
        for part in document.values() if isinstance(document, dict) else document:
            yield from scripts(part)
    elif isinstance(document, str) and document.lstrip().startswith(("(", ";")):
        yield document


@pytest.mark.slow
@pytest.mark.reference
def test_every_script_of_the_corpora(reference_modules: Path, node: str) -> None:
    """Byte for byte what npm air-beautify-wasm prints; both refuse the same scripts."""
    texts = sorted(
        {
            text
            for area in ("avm-parse", "avm", "aqua-air", "interpreter-data")
            for path in default_files(area)
            if not path.name.startswith("network-runs")
            for case in read_cases(path)
            for text in scripts(case)
        }
    )
    package = reference_modules / "@fluencelabs" / "air-beautify-wasm" / "air_beautify_wasm.js"
    done = subprocess.run(
        [node, "--stack-size=3900", str(Path(__file__).parent / "beautify_reference.mjs"), str(package)],
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True,
        text=True,
        check=True,
    )
    printed = 0
    for text, line in zip(texts, done.stdout.splitlines(), strict=True):
        theirs = json.loads(line)
        root = parse(text).instruction
        if root is None:
            assert theirs is None or theirs.startswith("error"), text
        else:
            assert beautify(root) == theirs, text
            printed += 1
    assert printed > 1000
