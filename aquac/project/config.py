"""What a compilation is told about its project: where imports are looked for, and which dialect of headers holds.

Source: spec aqua-language §4.2; contracts §2.1 (`-I`, `--imports`, `--legacy-headers`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aquac.records import dataclass, field

ImportMap = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Path prefix of the importing file → prefix of the import → locations, in order."""


class ImportsInvalid(ValueError):
    """An import map of the wrong shape; the text says where."""


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """How imports resolve.

    `imports` is the reference's import map. `packages` lets what it does not find be looked for in `node_modules` folders.
    `stdlib` lets imports nobody else resolves find the standard library that ships with the compiler. `legacy_headers` accepts
    files without header and other forms of versions before 0.14.
    """

    imports: ImportMap = field(default_factory=dict)
    packages: bool = True
    stdlib: bool = True
    legacy_headers: bool = False


def import_map(value: object) -> ImportMap:
    """Bring the accepted shapes into one.

    A list of folders is `{"/": {"": folders}}`; a text instead of a list of locations is a list of one.

    Raises: ImportsInvalid.
    """
    if isinstance(value, list | tuple):
        return {"/": {"": _locations(value, "the list")}}
    if not isinstance(value, Mapping):
        raise ImportsInvalid("imports are a list of folders, or an object: path prefix → import prefix → locations")
    result: dict[str, dict[str, tuple[str, ...]]] = {}
    for prefix, entries in value.items():
        where = f"`{prefix}`"
        if not isinstance(prefix, str) or not isinstance(entries, Mapping):
            raise ImportsInvalid(f"{where} must hold an object: import prefix → locations")
        result[prefix] = {}
        for name, locations in entries.items():
            if not isinstance(name, str):
                raise ImportsInvalid(f"an import prefix of {where} is no text")
            if isinstance(locations, str):
                result[prefix][name] = (locations,)
            else:
                result[prefix][name] = _locations(locations, f"{where} → `{name}`")
    return result


def with_roots(imports: ImportMap, roots: Sequence[str]) -> ImportMap:
    """The map with folders (`-I`) that are searched after whatever it says.

    A map knows no fallback from one entry to another, so every entry gets the folders, spelled so that they mean themselves.
    """
    if not roots:
        return imports
    result: dict[str, dict[str, tuple[str, ...]]] = {"/": {"": ()}}
    for prefix, entries in imports.items():
        result[prefix] = {"": (), **entries}
    return {
        prefix: {
            name: (*locations, *(f"{root.rstrip('/')}/{name}" if name else root for root in roots))
            for name, locations in entries.items()
        }
        for prefix, entries in result.items()
    }


def parse_import_map(text: str) -> ImportMap:
    """The import map of a JSON text. Raises ImportsInvalid."""
    try:
        return import_map(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ImportsInvalid(f"not JSON: {error}") from error


def _locations(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ImportsInvalid(f"{where} must hold a text or a list of texts")
    return tuple(value)
