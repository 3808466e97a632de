"""What `aquac build` makes of compiled programs: names and texts of files, and how they are written.

Errors: CommandError for paths that are missing, files that would overwrite each other, folders that cannot be written.
Files appear complete or not at all: each is written beside its place and moved there, after all were made.
"""

from __future__ import annotations

import os
import tempfile
from importlib.resources import files
from typing import TYPE_CHECKING

from aquac.records import dataclass

from .command_line import CommandError
from .project.bundle import SUFFIX, Disk
from .render_json import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .codes import Code
    from .compiler import Compiled


@dataclass(frozen=True, slots=True)
class Unit:
    """A file to compile, and its path below the folder that was given, without suffix: the stem of what it makes."""

    path: str
    stem: str


def expand_paths(paths: Sequence[str]) -> list[Unit]:
    """The files that `paths` mean, folders expanded, without repeats. Raises CommandError for a path that is missing."""
    disk = Disk()
    units: dict[str, Unit] = {}
    for given in paths:
        path = disk.normal(given)
        if disk.is_folder(path):
            for found in disk.sources_below(path):
                stem = os.path.relpath(found, path).removesuffix(SUFFIX)
                units.setdefault(found, Unit(found, stem.replace(os.sep, "/")))
        elif not os.path.lexists(path):
            raise CommandError(f"no file or folder {given}")
        elif not disk.is_file(path):
            raise CommandError(f"{given} is not a regular file")
        elif path.endswith(SUFFIX):
            units.setdefault(path, Unit(path, os.path.basename(path).removesuffix(SUFFIX)))
    return list(units.values())


def make_outputs(results: Sequence[tuple[Unit, Compiled]], targets: Sequence[str]) -> dict[str, str]:
    """Texts by path below the output folder. Raises CommandError when two sources would make the same file."""
    made: dict[str, str] = {}
    for unit, result in results:
        texts: dict[str, str] = {}
        if "air" in targets:
            texts |= {f"{unit.stem}.{name}.air": f.script for name, f in result.functions.items()}
        if "json" in targets:
            texts[f"{unit.stem}.json"] = dumps(result.to_json())
        texts |= _client_code(unit.stem, result, targets)
        for name, text in texts.items():
            if name in made:
                raise CommandError(
                    f"two of the given files would make {name}", hint="build them into different folders"
                )
            made[name] = text
    return made


def source_maps(results: Sequence[tuple[Unit, Compiled]], folder: str) -> dict[str, str]:
    """Source maps by path below the output folder; the sources are named relative to the map."""
    made = {}
    for unit, result in results:
        for name, function in result.functions.items():
            script = f"{unit.stem}.{name}.air"
            place = os.path.dirname(os.path.join(os.path.abspath(folder), script))

            def shown(path: str, start: str = place) -> str:
                return os.path.relpath(path, start).replace(os.sep, "/")

            document = function.source_map().to_json(os.path.basename(script), shown)
            made[f"{script}.map"] = dumps(document, indent=None)
    return made


def _client_code(stem: str, result: Compiled, targets: Sequence[str]) -> dict[str, str]:
    """Modules for targets ts, js and py; none when nothing is exported. Python gets a name that can be imported."""
    if result.empty or not {"ts", "js", "py"}.intersection(targets):
        return {}
    from .emit.bindings import bindings
    from .emit.javascript import javascript_source
    from .emit.names import module_path
    from .emit.python import python_source
    from .emit.typescript import typescript_declarations, typescript_source

    exported = bindings(result)
    texts = {}
    if "ts" in targets:
        texts[f"{stem}.ts"] = typescript_source(exported)
    if "js" in targets:
        texts |= {f"{stem}.js": javascript_source(exported), f"{stem}.d.ts": typescript_declarations(exported)}
    if "py" in targets:
        texts[f"{module_path(stem)}.py"] = python_source(exported)
    return texts


def print_outputs(result: Compiled, targets: Sequence[str]) -> str:
    """The text for stdout. Several scripts follow each other, each behind a comment with its name.

    Target js prints the module alone, without its declarations.
    """
    if "json" in targets:
        return dumps(result.to_json())
    for target in ("ts", "js", "py"):
        if target in targets:
            return next(iter(_client_code("", result, [target]).values()), "")
    scripts = [(name, f.script.rstrip("\n") + "\n") for name, f in result.functions.items()]
    if len(scripts) == 1:
        return scripts[0][1]
    return "\n".join(f"; {name}\n{script}" for name, script in scripts)


def stage_text(result: Compiled, stage: str) -> str:
    """Every function as the text form of a stage."""
    from .compiler import exported_function
    from .lowering import text as model_text
    from .semantics import text as raw_text
    from .topology import text as res_text

    parts = []
    for name, function in result.functions.items():
        match stage:
            case "raw":
                part = exported_function(result.contexts[function.path], name)
                text = "" if part is None else raw_text.render(part)
            case "model":
                text = model_text.render(function.model)
            case "res":
                text = res_text.render(function.res)
            case _:
                text = function.script
        parts.append(f"; {name}\n{text.rstrip()}\n")
    return "\n".join(parts)


def write_files(folder: str, texts: Mapping[str, str]) -> None:
    """Write the texts below `folder`, which is made if it is missing. Raises CommandError."""
    waiting: list[tuple[str, str]] = []
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in texts.items():
            place = os.path.join(folder, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".aquac-")
            waiting.append((draft, place))
            # Only the name of a source can have what is not UTF-8; the escape is right in JSON and in Python.
            with open(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        while waiting:
            draft, place = waiting[0]
            os.chmod(draft, 0o666 & ~umask)
            os.replace(draft, place)
            waiting.pop(0)
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror or error}") from error
    finally:
        for draft, _ in waiting:
            os.unlink(draft)


def code_page(code: Code) -> str:
    """The page of a code; where none is written, what the table says."""
    package = files("aquac")
    for place in (package / "_codes", package / ".." / "docs" / "codes"):
        page = place / f"{code.id}.md"
        if page.is_file():
            return page.read_text(encoding="utf-8").rstrip("\n") + "\n"
    return f"# {code.id}: {code.summary}\n\nKind `{code.kind}`, severity {code.severity.value}.\n"
