"""The texts of the editor in front of the disk, and what the compiler makes of them. Knows nothing of the protocol.

Files are parsed once per text and checked once per text and per checked imports, so an edit costs what depends on it. Unlike
the command line the checks go on behind errors, to have facts about the rest of the file; what is shown is chosen so that
one mistake is reported once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aquac.codes import SYNTAX_TOO_DEEP
from aquac.diagnostics import Diagnostic, has_errors
from aquac.project.bundle import SUFFIX, Overlay, read_source
from aquac.project.imports import candidates
from aquac.project.link import load
from aquac.semantics.advise import advise
from aquac.semantics.module import check_module
from aquac.semantics.raw import ModuleContext
from aquac.syntax import ast
from aquac.syntax.parse import parse

from .line_cache import LineCache
from .settings import Settings
from .view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquac.project.bundle import FileStore
    from aquac.project.config import ProjectConfig
    from aquac.project.link import LoadedModule
    from aquac.source import SourceFile

FILES_MAX: Final = 5000
"""Files of the workspace that are looked at for references and symbols; more are passed over."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parsed:
    """A parsed file. `stamp` tells whether it is still the same: the text of a buffer, or time and size of a file."""

    stamp: object
    source: SourceFile
    file: ast.File
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True, eq=False)
class Checked:
    """A checked file. `sound`: it and all it imports have no errors, so its context can be compiled."""

    module: LoadedModule
    imports: dict[str, ModuleContext]
    context: ModuleContext
    diagnostics: tuple[Diagnostic, ...]
    advice: tuple[Diagnostic, ...] | None = None

    def is_of(self, module: LoadedModule, imports: dict[str, ModuleContext]) -> bool:
        """Whether it was made of exactly these."""
        mine = self.module
        if mine.source is not module.source or mine.file is not module.file or self.imports.keys() != imports.keys():
            return False
        return all(self.imports[text] is context for text, context in imports.items())


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A file with everything it imports, in link order, the findings of loading, and which files are sound."""

    root: str
    modules: dict[str, Checked]
    found: tuple[Diagnostic, ...]
    sound: frozenset[str]


@dataclass(eq=False)
class Workspace:
    """Buffers by absolute path, in front of the disk. Change them through the methods."""

    settings: Settings = field(default_factory=Settings)
    buffers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with empty caches."""
        self._version = 0
        self._parsed: dict[str, _Parsed] = {}
        self._lines: dict[str, LineCache] = {}
        self._checked: dict[str, Checked] = {}
        self._projects: dict[str, tuple[int, Project]] = {}
        self._views: dict[str, View] = {}
        self._good: dict[str, View] = {}
        self._files: tuple[str, ...] | None = None

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_text(self, path: str, text: str) -> None:
        """Open a document, or take its new text."""
        if path not in self.buffers:
            self._files = None
        self.buffers[path] = text
        self._version += 1

    def close(self, path: str) -> None:
        """The file on disk counts again."""
        self.buffers.pop(path, None)
        self._lines.pop(path, None)
        self._good.pop(path, None)
        self._projects.pop(path, None)
        self._views.pop(path, None)
        self.files_changed()

    def files_changed(self) -> None:
        """Files on disk came, went or changed."""
        self._files = None
        self._version += 1

    def configure(self, settings: Settings) -> None:
        """Other settings: nothing that was checked holds any more."""
        self.settings = settings
        self._parsed.clear()
        self._checked.clear()
        self._views.clear()
        self.files_changed()

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, path: str) -> dict[str, list[Diagnostic]]:
        """Findings by file for the document at `path` and everything it imports.

        Every file that was read has an entry, so that old findings are cleared; findings without a place belong to `path`.
        """
        project = self.project(path)
        diagnostics = list(project.found)
        for checked in project.modules.values():
            diagnostics += self._shown(project, checked)
        root = project.modules.get(path)
        if root is not None and path in project.sound and not has_errors(diagnostics):
            if root.advice is None:
                root.advice = tuple(advise(root.module.file, root.module.source, root.context, root.imports))
            diagnostics += root.advice
        by_file: dict[str, list[Diagnostic]] = {path: []}
        for module_path in project.modules:
            by_file.setdefault(module_path, [])
        for diagnostic in diagnostics:
            where = path if diagnostic.file is None else diagnostic.file.path
            by_file.setdefault(where, []).append(diagnostic)
        return by_file

    def project(self, path: str) -> Project:
        """The file at `path` with its imports, loaded and checked as far as they go."""
        cached = self._projects.get(path)
        if cached is not None and cached[0] == self._version:
            return cached[1]
        store = Overlay(self.buffers)
        modules, found = load([path], self.settings.project(), store, read=self._read, keep_going=True)
        wrong = {d.file.path for d in found if d.is_error and d.file is not None}
        contexts: dict[str, ModuleContext] = {}
        checked: dict[str, Checked] = {}
        sound: set[str] = set()
        for module in modules:
            imports = {text: contexts[target] for text, target in module.imports.items() if target in contexts}
            result = self._check(module, imports)
            contexts[module.path] = result.context
            checked[module.path] = result
            good = module.path not in wrong and not has_errors(result.diagnostics)
            if good and all(target in sound for target in module.imports.values()):
                sound.add(module.path)
        project = Project(path, checked, tuple(found), frozenset(sound))
        self._projects[path] = (self._version, project)
        return project

    def view(self, path: str) -> View | None:
        """Facts about a file; None if it cannot be read."""
        checked = self.project(path).modules.get(path)
        if checked is None:
            return None
        view = self._views.get(path)
        if view is None or view.checked is not checked:
            view = View(checked, self.project(path))
            self._views[path] = view
            if path in self.buffers and not has_errors(self._parsed[path].diagnostics):
                self._good[path] = view
        return view

    def last_good(self, path: str) -> View | None:
        """Facts about the last version of a document without syntax errors, for answers while it has some."""
        return self._good.get(path)

    def files(self) -> tuple[str, ...]:
        """Every Aqua file of the workspace folders and every open document, sorted."""
        if self._files is None:
            found = {path for path in self.buffers if path.endswith(SUFFIX)}
            for root in self.settings.roots:
                found.update(Overlay(self.buffers).sources_below(root))
            self._files = tuple(sorted(found)[:FILES_MAX])
        return self._files

    def views_with(self, word: str) -> Iterator[View]:
        """Facts about every file of the workspace whose text has `word`."""
        store, config = Overlay(self.buffers), self.settings.project()
        for path in self.files():
            if word in self._read(store, path, config)[0].text:
                view = self.view(path)
                if view is not None:
                    yield view

    def parsed(self, path: str) -> tuple[SourceFile, ast.File]:
        """Text and tree of a file alone; empty if it cannot be read."""
        source, file, _ = self._read(Overlay(self.buffers), path, self.settings.project())
        return source, file

    def text(self, path: str) -> SourceFile:
        """The text of any document or file, Aqua or not; empty if it cannot be read."""
        known = self._parsed.get(path)
        if known is not None and known.stamp == self._stamp(path):
            return known.source
        return read_source(Overlay(self.buffers), path)[0]

    def resolve(self, path: str, wanted: str) -> str | None:
        """The file an import of `wanted` in the file at `path` means."""
        store = Overlay(self.buffers)
        tried = candidates(store, self.settings.project(), path, wanted)
        return next((found for found in tried if store.is_file(found)), None)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, project: Project, checked: Checked) -> Sequence[Diagnostic]:
        """Findings of a check, unless they may follow from an error of the text or of an import."""
        path = checked.module.path
        if path in project.sound:
            return checked.diagnostics
        targets = checked.module.imports.values()
        blamed = any(d.is_error and d.file is checked.module.source for d in project.found)
        return () if blamed or not all(target in project.sound for target in targets) else checked.diagnostics

    def _read(
        self, store: FileStore, path: str, config: ProjectConfig
    ) -> tuple[SourceFile, ast.File, list[Diagnostic]]:
        stamp = self._stamp(path)
        known = self._parsed.get(path)
        if known is None or known.stamp != stamp:
            source, problem = read_source(store, path)
            if problem is not None:
                known = _Parsed(stamp, source, ast.File((), (), ()), (problem,))
            elif known is not None and known.source.text == source.text and known.source.bom == source.bom:
                known = _Parsed(stamp, known.source, known.file, known.diagnostics)
            else:
                known = self._parse(stamp, source, legacy=config.legacy_headers)
            self._parsed[path] = known
        return known.source, known.file, list(known.diagnostics)

    def _stamp(self, path: str) -> object:
        if path in self.buffers:
            return self.buffers[path]
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            return None
        return stat.st_mtime_ns, stat.st_size

    def _parse(self, stamp: object, source: SourceFile, *, legacy: bool) -> _Parsed:
        lines = None
        if source.path in self.buffers:
            lines = self._lines.setdefault(source.path, LineCache())
            lines.next_version()
        file, found = parse(source, legacy=legacy, parser=lines, keep_going=True)
        return _Parsed(stamp, source, file, tuple(found))

    def _check(self, module: LoadedModule, imports: dict[str, ModuleContext]) -> Checked:
        known = self._checked.get(module.path)
        if known is not None and known.is_of(module, imports):
            known.module = module
            return known
        settings = self.settings
        try:
            context, found = check_module(
                module.file,
                module.source,
                imports,
                settings.constants,
                legacy_headers=settings.legacy_headers,
            )
        except RecursionError:
            context = ModuleContext()
            found = [Diagnostic(SYNTAX_TOO_DEEP, "the program nests deeper than the compiler can follow")]
        checked = Checked(module, imports, context, tuple(found))
        self._checked[module.path] = checked
        return checked
