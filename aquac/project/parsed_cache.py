"""Parsed files on disk: an import that did not change is read back five times faster than it parses.

An entry is found by the text of the file and by everything else the tree depends on: the grammar, the parser's own code, the
way it was asked. Only files without any finding are kept. Entries are pickles, of which nothing but the classes of the
syntax tree can come (`_Reader`), in a folder that only the user can write (`avm.private_cache`).
Errors: none; what cannot be read back is parsed.

`AQUAC_CACHE=off` in the environment turns it off.
"""

from __future__ import annotations

import io
import os
import pickle
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from aquac.records import field_names, is_record
from aquac.source import Span
from aquac.syntax import ast
from aquac.version import VERSION
from avm.private_cache import cache_folder, read_entry, write_entry

if TYPE_CHECKING:
    from aquac.source import SourceFile

ENTRIES_MAX: Final = 2000
_MAGIC: Final = b"aqua-parsed-1\0\0\0"


def enabled() -> bool:
    """Whether entries are read and written."""
    return os.environ.get("AQUAC_CACHE") != "off"


def load(source: SourceFile, *, legacy: bool) -> ast.File | None:
    """The tree of a file parsed before; None if there is none."""
    data = read_entry(_path(source, legacy=legacy), _MAGIC)
    if data is None:
        return None
    try:
        tree = _Reader(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001 - whatever is wrong with an entry, the file can be parsed
        return None
    return tree if isinstance(tree, ast.File) else None


def store(source: SourceFile, tree: ast.File, *, legacy: bool) -> None:
    """Keep the tree of a file that parsed without findings."""
    with suppress(OSError, RecursionError, pickle.PicklingError):
        write_entry(_path(source, legacy=legacy), _MAGIC, pickle.dumps(tree, protocol=5), entries_max=ENTRIES_MAX)


class _Reader(pickle.Unpickler):
    """Makes objects of the syntax tree only."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of the tree. Raises: pickle.UnpicklingError for anything else."""
        found = _classes().get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a syntax tree")
        return found


@cache
def _classes() -> dict[tuple[str, str], type]:
    members = (Span, *vars(ast).values())
    return {(it.__module__, it.__qualname__): it for it in members if isinstance(it, type) and is_record(it)}


def _path(source: SourceFile, *, legacy: bool) -> str:
    digest = blake2b(_made_by() + bytes([legacy]) + source.text.encode("utf-8", "surrogatepass"), digest_size=20)
    return os.path.join(cache_folder(), "parsed", digest.hexdigest() + ".tree")


@cache
def _made_by() -> bytes:
    """What a tree depends on besides the text: this version, the files of the parser, the fields of the classes."""
    folder = os.path.dirname(ast.__file__)
    with os.scandir(folder) as entries:
        files = sorted(
            (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in entries
            if entry.name.endswith((".py", ".lark"))
        )
    fields = sorted((module, name, field_names(of)) for (module, name), of in _classes().items())
    frozen = os.environ.get("AQUAC_FROZEN") == "1"
    return blake2b(repr((VERSION, files, fields, frozen)).encode(), digest_size=20).digest()
