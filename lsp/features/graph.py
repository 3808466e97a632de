"""The command `aqua.showGraph`: a picture of an exported function, or of imports, from the texts as they are in the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import CommandError
from aquac.graph import dot, mermaid, svg
from aquac.graph.files import files_of
from aquac.graph.flow import flow_of
from aquac.graph.steps import sequence_of
from aquac.project.bundle import Overlay
from aquac.project.link import load

from .code_lens import compiled

if TYPE_CHECKING:
    from lsp.workspace import Workspace

WRITERS: Final = {"mermaid": mermaid, "dot": dot, "svg": svg}
VIEWS: Final = ("sequence", "topology", "imports")


def show_graph(workspace: Workspace, path: str, function: str | None, view: str, form: str) -> str | None:
    """The picture as text; None if the file has errors, does not export the function, or the picture would be too large.

    Raises: ValueError for a view or form that does not exist.
    """
    if view not in VIEWS or form not in WRITERS:
        raise ValueError(f"a graph is one of {', '.join(VIEWS)} in one of {', '.join(WRITERS)}")
    writer: Any = WRITERS[form]
    if view == "imports":
        config = workspace.settings_of(path).project()
        modules, found = load([path], config, Overlay(workspace.buffers))
        return None if any(d.is_error for d in found) else str(writer.flow(files_of(modules)))
    functions = compiled(workspace, path).functions
    chosen = functions.get(function) if function is not None else next(iter(functions.values()), None)
    if chosen is None:
        return None
    labels = (chosen.definition["arrow"]["domain"].get("fields") or {}).keys()
    try:
        sequence = sequence_of(f"{chosen.name}({', '.join(labels)})", chosen.res)
        return str(writer.sequence(sequence) if view == "sequence" else writer.flow(flow_of(sequence)))
    except (CommandError, RecursionError):
        return None
