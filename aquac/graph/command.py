"""`aquac graph`: draw a function or the files of a program.

Input:  a path, the view, the format.
Output: the picture as text, or the diagnostics of a program with errors.
Errors: CommandError when the function is not there or too large to be drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.command_line import CommandError
from aquac.compiler import Options, compile_path
from aquac.diagnostics import has_errors

from . import dot, mermaid, svg
from .files import files_of
from .flow import flow_of
from .steps import sequence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.compiler import Compiled, CompiledFunction
    from aquac.diagnostics import Diagnostic
    from aquac.project.config import ImportMap

_WRITERS: Final = {"mermaid": mermaid, "dot": dot, "svg": svg}


def draw(
    path: str,
    *,
    function: str | None = None,
    view: str = "sequence",
    form: str = "mermaid",
    imports: ImportMap,
    constants: Sequence[str] = (),
    options: Options,
) -> tuple[str, tuple[Diagnostic, ...], int]:
    """A picture of the file at `path`, what was found in it, and how many files were read; with errors the picture is empty."""
    writer = _WRITERS[form]
    if view == "imports":
        from aquac.project.config import ProjectConfig
        from aquac.project.link import load

        modules, found = load([path], ProjectConfig(imports, legacy_headers=options.legacy_headers))
        return "" if has_errors(found) else writer.flow(files_of(modules)), tuple(found), len(modules)
    compiled = compile_path(path, imports=imports, constants=constants, options=options)
    if not compiled.ok:
        return "", compiled.diagnostics, len(compiled.files)
    chosen = _chosen(compiled, path, function)
    labels = (chosen.definition["arrow"]["domain"].get("fields") or {}).keys()
    try:
        sequence = sequence_of(f"{chosen.name}({', '.join(labels)})", chosen.res)
        text = writer.sequence(sequence) if view == "sequence" else writer.flow(flow_of(sequence))
    except RecursionError as error:
        raise CommandError(f"`{chosen.name}` nests too deep for a picture") from error
    return text, compiled.diagnostics, len(compiled.files)


def _chosen(compiled: Compiled, path: str, name: str | None) -> CompiledFunction:
    """The exported function of that name, or the only one."""
    if name is not None and name in compiled.functions:
        return compiled.functions[name]
    listed = ", ".join(compiled.functions) or "no function"
    if name is not None:
        raise CommandError(f"{path} exports no function `{name}`", hint=f"it exports {listed}")
    if len(compiled.functions) != 1:
        raise CommandError(f"{path} exports {listed}: which one is to be drawn?", hint="name it with `-f NAME`")
    return next(iter(compiled.functions.values()))
