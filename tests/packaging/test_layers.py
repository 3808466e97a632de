"""The arrows between packages, and what a start-up may load. Walks the sources; imports nothing of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("aquac", "avm", "lsp", "runtime")

MAY_IMPORT = {
    "avm": {"avm"},
    "aquac": {"aquac", "avm.air", "avm.private_cache"},
    "lsp": {"lsp", "aquac", "avm.air"},
    "runtime": {"runtime", "aquac", "avm"},
}
# `python -m avm` is the `avm` command, which lives in runtime; nothing imports `avm.__main__`.
ENTRY_POINTS = {"avm/__main__.py"}

ONLY_IMPORTERS = {
    "llvmlite": ("avm/jit/", "runtime/marine/"),
    "libp2p": ("runtime/protocol/libp2p",),
    "multiaddr": ("runtime/protocol/libp2p",),
    "pygls": ("lsp/",),
    "lsprotocol": ("lsp/",),
    "lark": ("aquac/syntax/",),
    "wasmtime": ("runtime/marine/", "runtime/reference_avm.py"),
    "trio": ("runtime/",),
    "asyncio": ("lsp/", "runtime/client"),
    "opentelemetry": ("runtime/tracing.py", "runtime/particle_spans.py"),
}
IMPURE_IN_AVM = {
    "time",
    "socket",
    "random",
    "secrets",
    "threading",
    "asyncio",
    "trio",
    "subprocess",
    "os",
    "pathlib",
    "io",
    "mmap",
    "ctypes",
}
# Native code is compiled in a thread and kept in files; no outcome depends on it.
IMPURE_FILES_OF_AVM = {"avm/private_cache.py", "avm/jit/library.py", "avm/jit/elf.py", "avm/jit/kernel_types.py"}
HEAVY = (
    "libp2p",
    "trio",
    "llvmlite",
    "wasmtime",
    "pygls",
    "lsprotocol",
    "rich",
    "lark",
    "cryptography",
    "msgpack",
    "asyncio",
    "opentelemetry",
)


def sources() -> list[Path]:
    return sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Absolute names of everything a file imports, lazily or not."""
    package = path.relative_to(ROOT).with_suffix("").parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level]
                prefix = ".".join(base)
            else:
                prefix = node.module or ""
            if node.level and node.module:
                prefix = f"{prefix}.{node.module}"
            found |= {f"{prefix}.{alias.name}" for alias in node.names} | {prefix}
    return found


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    package = relative.split("/")[0]
    for name in imports(path):
        top = name.split(".")[0]
        if top in PACKAGES and relative not in ENTRY_POINTS:
            allowed = MAY_IMPORT[package]
            assert any(within(name, a) or a.startswith(name + ".") for a in allowed), f"{relative} imports {name}"
        importers = ONLY_IMPORTERS.get(top)
        if importers is not None:
            assert relative.startswith(importers), f"{relative} imports {name}; only {', '.join(importers)} may"
        if package == "avm" and relative not in ENTRY_POINTS | IMPURE_FILES_OF_AVM:
            assert top not in IMPURE_IN_AVM, (
                f"{relative} imports {name}: avm has no clock, socket, file, randomness or thread"
            )
        assert top not in ("tests", "examples"), f"{relative} imports {name}"


@pytest.mark.parametrize(
    "statement",
    [
        "from aquac.cli import main; main(['-V'])",
        "from runtime.cli import main; main(['-V'])",
        "import aquac",
        "import avm",
        "import runtime",
        "import lsp",
    ],
)
def test_start_up_loads_nothing_heavy(statement: str) -> None:
    probe = (
        "import sys\ntry:\n    exec(sys.argv[1])\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, statement], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1].split()[1:]
    assert not set(loaded) & set(HEAVY)


def test_every_package_is_marked_typed() -> None:
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
