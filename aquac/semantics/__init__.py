"""Checked programs: names resolved, types compared, statements folded into Raw trees.

`check_project` checks linked modules; `module.check_module` checks one. Both return data and never raise on bad programs.
Importing this package loads nothing; the functions import what they need.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aquac.diagnostics import Diagnostic
    from aquac.kept import Kept
    from aquac.source import SourceFile
    from aquac.syntax import ast

    from .raw import ConstPart, ModuleContext


class Linked(Protocol):
    """What is asked of a loaded module."""

    @property
    def path(self) -> str:
        """Identity of the module."""

    @property
    def source(self) -> SourceFile:
        """Its text."""

    @property
    def file(self) -> ast.File:
        """Its syntax."""

    @property
    def imports(self) -> Mapping[str, str]:
        """Text of an import's path literal → path of the module it denotes."""


def check_project(
    modules: Sequence[Linked],
    constants: Sequence[ConstPart] = (),
    *,
    no_relay: bool = False,
    legacy_headers: bool = False,
    follow_ups: bool = False,
    kept: Kept | None = None,
) -> tuple[dict[str, ModuleContext], list[Diagnostic]]:
    """Check modules given in link order (imported before importing); those that `kept` knows are not checked again.

    A module with errors has no context in the result, and neither have the modules that import it. Those are checked too, but
    names that may come from the import are not wondered about, so that one mistake is reported once. Modules of a cycle and
    their importers are not. For `follow_ups` see `check_module`; then importers of a module with errors are not checked.
    """
    from aquac.diagnostics import has_errors

    from .module import check_module

    contexts: dict[str, ModuleContext] = {}
    diagnostics: list[Diagnostic] = []
    behind: set[str] = set()
    for module in modules:
        if not behind.issuperset(module.imports.values()):
            continue  # it is part of a cycle, or imports one
        behind.add(module.path)
        imported = {text: contexts[path] for text, path in module.imports.items() if path in contexts}
        if follow_ups and len(imported) < len(module.imports):
            continue
        complete = len(imported) == len(module.imports) and not module.file.gaps and not module.file.is_open
        check = partial(
            check_module,
            module.file,
            module.source,
            imported,
            constants,
            no_relay=no_relay,
            legacy_headers=legacy_headers,
            follow_ups=follow_ups,
        )
        context, found = check() if kept is None else kept.check(module, imported, check)
        diagnostics += found
        if complete and not has_errors(found):
            contexts[module.path] = context
    return contexts, diagnostics
