"""The standard library that ships with the compiler, found without configuration.

`@fluencelabs/aqua-lib/x`, `aqua-lib/x` and `stdlib/x` mean our `x.aqua` if nothing else resolves the import, so the common
`import "@fluencelabs/aqua-lib/builtin.aqua"` needs no package; `@fluencelabs/spell/x` means `spell/x.aqua`. A package that is
there wins.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files

from .bundle import SUFFIX

PREFIXES = {
    "@fluencelabs/aqua-lib/": "",
    "aqua-lib/": "",
    "stdlib/": "",
    "@fluencelabs/spell/": "spell/",
}
"""Beginnings of imports, and the folders of the library they mean."""


@cache
def stdlib_folder() -> str:
    """Absolute path of the library: beside the package in a wheel, at the top of a checkout otherwise."""
    package = str(files("aquac"))
    shipped = os.path.join(package, "_stdlib")
    return os.path.abspath(shipped if os.path.isdir(shipped) else os.path.join(package, os.pardir, "stdlib"))


def stdlib_path(wanted: str) -> str | None:
    """Path of the library file that an import (with `.aqua`) means, or None. It need not exist."""
    for prefix, below in PREFIXES.items():
        if wanted.startswith(prefix):
            folder = stdlib_folder()
            path = os.path.normpath(os.path.join(folder, *(below + wanted[len(prefix) :]).split("/")))
            return path if path.startswith(folder + os.sep) else None
    return None


def is_stdlib(path: str) -> bool:
    """Whether a file belongs to the library."""
    return path.startswith(stdlib_folder() + os.sep) and path.endswith(SUFFIX)
