"""Facts about the installation, for `aquac doctor` and bug reports. Writes nothing, reaches no network."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from .version import VERSION

PACKAGES = ("aquac", "avm", "lsp", "runtime")
OPTIONAL = ("libp2p",)
PYTHON_MIN = (3, 11)


def examine() -> dict[str, Any]:
    """Everything there is to say; `problems` is empty when all is well."""
    problems: list[str] = []
    if sys.version_info[:2] < PYTHON_MIN:
        problems.append(f"Python {platform.python_version()} is too old, 3.11 is needed")
    places = {name: _place(name) for name in PACKAGES}
    home = os.path.dirname(places["aquac"] or "")
    for name, place in places.items():
        if place is None:
            problems.append(f"package `{name}` is not installed")
        elif os.path.dirname(place) != home:
            problems.append(f"package `{name}` comes from {place}, not from beside `aquac`: another one shadows ours")
    from .project.stdlib import stdlib_folder

    library = os.path.join(stdlib_folder(), "builtin.aqua")
    if not os.path.isfile(library):
        problems.append(f"the standard library is missing: no {library}")
    dependencies = _dependencies()
    problems += [
        f"dependency `{name}` is not installed"
        for name, found in dependencies.items()
        if found is None and name not in OPTIONAL
    ]
    return {
        "version": VERSION,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "packages": places,
        "stdlib": stdlib_folder(),
        "dependencies": dependencies,
        "problems": problems,
    }


def passed(facts: dict[str, Any]) -> bool:
    """Whether there is no problem."""
    return not facts["problems"]


def render(facts: dict[str, Any]) -> str:
    """The facts as text."""
    lines = [
        f"aquac {facts['version']}, Python {facts['python']} ({facts['executable']}), {facts['platform']}",
        "",
        "packages",
        *(f"  {name:12} {place or 'missing'}" for name, place in facts["packages"].items()),
        f"  {'stdlib':12} {facts['stdlib']}",
        "",
        "dependencies",
        *(f"  {name:12} {found or 'not installed'}" for name, found in facts["dependencies"].items()),
        "",
    ]
    lines += [f"problem: {problem}" for problem in facts["problems"]] or ["no problems"]
    return "\n".join(lines) + "\n"


def _place(name: str) -> str | None:
    """Folder a package would be imported from; nothing is imported."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return os.path.abspath(next(iter(spec.submodule_search_locations)))


def _dependencies() -> dict[str, str | None]:
    """Versions of what the distribution requires; of a fixed list in a checkout that is not installed."""
    try:
        wanted = [text for text in requires("aquac") or [] if "extra ==" not in text]
    except PackageNotFoundError:
        wanted = ["lark", "llvmlite", "wasmtime", "pygls", "cbor2", "msgpack", "cryptography", "blake3", "trio"]
    found: dict[str, str | None] = {}
    for text in [*wanted, *OPTIONAL]:
        end = next((at for at, char in enumerate(text) if not (char.isalnum() or char in "-_.")), len(text))
        try:
            found[text[:end]] = version(text[:end])
        except PackageNotFoundError:
            found[text[:end]] = None
    return found
