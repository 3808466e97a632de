"""The texts of the editor in front of the disk, and what the compiler makes of them. Knows nothing of the protocol.

Files are parsed once per text and checked once per text and per checked imports, so an edit costs what depends on it. Unlike
the command line the checks go on behind errors, to have facts about the rest of the file; what is shown is chosen so that
one mistake is reported once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aquac.codes import SYNTAX_TOO_DEEP
from aquac.diagnostics import Diagnostic, has_errors
from aquac.project import parsed_cache
from aquac.project.bundle import SUFFIX, Overlay, read_source
from aquac.project.imports import candidates
from aquac.project.link import CACHED_FROM, LoadedModule, load
from aquac.semantics.advise import advise
from aquac.semantics.module import check_module
from aquac.semantics.raw import ModuleContext
from aquac.source import SourceFile
from aquac.syntax import ast
from aquac.syntax.parse import parse

from .folders import folders_below, is_below
from .line_cache import LineCache
from .settings import Settings
from .view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aquac.project.bundle import FileStore
    from aquac.project.config import ProjectConfig
    from aquac.source import Span

FILES_MAX: Final = 5000
"""Files of the workspace that are looked at for references and symbols; more are passed over."""

VIEWS_MAX: Final = 64
"""Files not open in the editor whose facts are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parsed:
    """A parsed file. `stamp` tells whether it is still the same: the text of a buffer, or time and size of a file.

    strict: the tree as the command line has it, if it is another one: without what stands below a line with an error.
    """

    stamp: object
    source: SourceFile
    file: ast.File
    diagnostics: tuple[Diagnostic, ...]
    strict: ast.File | None = None


@dataclass(slots=True, eq=False)
class Checked:
    """A checked file. `sound`: it and all it imports have no errors, so its context can be compiled."""

    module: LoadedModule
    imports: dict[str, ModuleContext]
    context: ModuleContext
    diagnostics: tuple[Diagnostic, ...]
    advice: tuple[Diagnostic, ...] | None = None
    careful: tuple[frozenset[str], tuple[Diagnostic, ...]] | None = None

    def is_of(self, module: LoadedModule, imports: dict[str, ModuleContext]) -> bool:
        """Whether it was made of exactly these."""
        mine = self.module
        if mine.source is not module.source or mine.file is not module.file or self.imports.keys() != imports.keys():
            return False
        return all(self.imports[text] is context for text, context in imports.items())


FILLER: Final = "nothing = 0"
"""The statement that stands for a line being typed."""


@dataclass(slots=True)
class Counts:
    """How often a file was parsed and checked, for those who ask what an edit costs."""

    parsed: int = 0
    checked: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A file with everything it imports, in link order, and the findings of loading.

    sound: files without errors that import none with errors. acyclic: those that neither are part of a cycle nor import one.
    """

    root: str
    modules: dict[str, Checked]
    found: tuple[Diagnostic, ...]
    sound: frozenset[str]
    acyclic: frozenset[str]


@dataclass(eq=False)
class Workspace:
    """Buffers by absolute path, in front of the disk. Change them through the methods."""

    settings: Settings = field(default_factory=Settings)
    buffers: dict[str, str] = field(default_factory=dict)
    by_folder: dict[str, Settings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with empty caches."""
        self.counts = Counts()
        self._version = 0
        self._listing = 0
        self._sources: dict[str, tuple[object, SourceFile, Diagnostic | None]] = {}
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
            self._list_again()
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
        self._list_again()
        self._version += 1
        for path in [path for path in self._sources if self._stamp(path) is None]:
            for kept in (self._sources, self._parsed, self._checked, self._projects, self._views):
                kept.pop(path, None)

    def _list_again(self) -> None:
        self._files = None
        self._listing += 1

    def configure(self, settings: Settings, by_folder: Mapping[str, Settings] | None = None) -> None:
        """Other settings, and those of workspace folders that have their own: nothing that was checked holds any more."""
        self.settings = settings
        self.by_folder = dict(by_folder or {})
        self._parsed.clear()
        self._checked.clear()
        self._projects.clear()
        self._views.clear()
        self.files_changed()

    def settings_of(self, path: str) -> Settings:
        """The settings of the innermost workspace folder that has its own, else the general ones."""
        around = [folder for folder in self.by_folder if is_below(path, folder)]
        return self.by_folder[max(around, key=len)] if around else self.settings

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
        modules, found = load([path], self.settings_of(path).project(), store, read=self._read, keep_going=True)
        wrong = {d.file.path for d in found if d.is_error and d.file is not None}
        contexts: dict[str, ModuleContext] = {}
        checked: dict[str, Checked] = {}
        sound: set[str] = set()
        acyclic: set[str] = set()
        for module in modules:
            if acyclic.issuperset(module.imports.values()):
                acyclic.add(module.path)
            imports = {text: contexts[target] for text, target in module.imports.items() if target in contexts}
            result = self._check(module, imports)
            contexts[module.path] = result.context
            checked[module.path] = result
            good = module.path not in wrong and not has_errors(result.diagnostics)
            if good and all(target in sound for target in module.imports.values()):
                sound.add(module.path)
        project = Project(path, checked, tuple(found), frozenset(sound), frozenset(acyclic))
        self._projects[path] = (self._version, project)
        return project

    def place_of_cycle(self, path: str) -> Span | None:
        """The import of a file that leads back to it, or to a cycle; a cycle itself is no place of a file."""
        project = self.project(path)
        checked = project.modules.get(path)
        for line in () if checked is None else checked.module.file.header:
            if isinstance(line, ast.Import | ast.Use):
                target = checked.module.imports.get(line.path.text) if checked is not None else None
                if target is not None and target not in project.acyclic:
                    return line.path.span
        return None

    def view(self, path: str) -> View | None:
        """Facts about a file; None if it cannot be read."""
        project = self.project(path)
        checked = project.modules.get(path)
        if checked is None:
            return None
        view = self._views.pop(path, None)
        if view is None or view.checked is not checked:
            view = View(checked, project)
            if path in self.buffers and not has_errors(self._parsed[path].diagnostics):
                self._good[path] = view
        self._views[path] = view  # the last in line to be forgotten
        self._forget()
        return view

    def _forget(self) -> None:
        """Drop the facts of files looked at long ago; their trees and contexts stay."""
        while len(self._views) > VIEWS_MAX + len(self.buffers):
            oldest = next(path for path in self._views if path not in self.buffers)
            del self._views[oldest]
            self._projects.pop(oldest, None)

    def mended(self, path: str, offset: int) -> View | None:
        """Facts about a file as if its line at `offset` were a statement without any names; offsets before the line hold.

        What is typed rarely parses, and what it may have meant casts doubt on the names above. Costs a check of the file.
        """
        view = self.view(path)
        if view is None:
            return None
        line = view.line_span(offset)
        filler = " " * view.indentation(offset) + FILLER
        source = SourceFile(path, view.text[: line.start] + filler + view.text[line.end :])
        legacy = self.settings_of(path).legacy_headers
        file, _ = parse(source, legacy=legacy, parser=self._lines.get(path), keep_going=True)
        module = LoadedModule(path, source, file, view.checked.module.imports, entry=True)
        context, _ = self._checked_module(module, view.checked.imports)
        checked = Checked(module, view.checked.imports, context, ())
        modules = {**view.project.modules, path: checked}
        return View(checked, Project(path, modules, (), frozenset(), frozenset()))

    def last_good(self, path: str) -> View | None:
        """Facts about the last version of a document without syntax errors, for answers while it has some."""
        return self._good.get(path)

    def files(self) -> tuple[str, ...]:
        """Every Aqua file of the workspace folders and every open document, sorted."""
        if self._files is None:
            for _ in self.find_files():
                pass
        assert self._files is not None
        return self._files

    def find_files(self) -> Iterator[None]:
        """Make `files` step by step; the last step has them."""
        found = {path for path in self.buffers if path.endswith(SUFFIX)}
        listing = self._listing
        for root in self.settings.roots:
            for folder in folders_below(root):
                found.update(entry for entry in folder if entry.endswith(SUFFIX))
                yield
        if listing == self._listing:
            self._files = tuple(sorted(found)[:FILES_MAX])
        elif self._files is None:  # files came or went meanwhile
            yield from self.find_files()

    def index(self) -> Iterator[int]:
        """Parse every file of the workspace; each step is one more, and tells how many there are."""
        for _ in self.find_files() if self._files is None else ():
            yield 0
        files = self.files()
        for path in files:
            self.parsed(path)
            yield len(files)

    def paths_with(self, words: Iterable[str]) -> list[str]:
        """Files of the workspace whose text has one of `words`."""
        wanted = tuple(words)
        return [path for path in self.files() if any(word in self.text(path).text for word in wanted)]

    def is_known(self, path: str) -> bool:
        """Whether the tree of a file is at hand, or quickly made because it is open."""
        if path in self.buffers:
            return True
        known = self._parsed.get(path)
        return known is not None and known.stamp == self._stamp(path)

    def parsed(self, path: str) -> tuple[SourceFile, ast.File]:
        """Text and tree of a file alone; empty if it cannot be read."""
        source, file, _ = self._read(Overlay(self.buffers), path, self.settings_of(path).project())
        return source, file

    def text(self, path: str) -> SourceFile:
        """The text of any document or file, Aqua or not; empty if it cannot be read."""
        return self._source(path)[1]

    def resolve(self, path: str, wanted: str) -> str | None:
        """The file an import of `wanted` in the file at `path` means."""
        store = Overlay(self.buffers)
        tried = candidates(store, self.settings_of(path).project(), path, wanted)
        return next((found for found in tried if store.is_file(found)), None)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, project: Project, checked: Checked) -> Sequence[Diagnostic]:
        """Findings of a check; the same as on the command line.

        Behind an import or a line with errors they are those of another check, which does not wonder about what may be there.
        """
        module = checked.module
        if module.path not in project.acyclic:
            return ()
        sound = {text: c for text, c in checked.imports.items() if module.imports[text] in project.sound}
        parsed = self._parsed.get(module.path)
        strict = None if parsed is None or parsed.file is not module.file else parsed.strict
        if len(sound) == len(module.imports) and strict is None:
            return checked.diagnostics
        if checked.careful is None or checked.careful[0] != sound.keys():
            module = (
                module
                if strict is None
                else LoadedModule(module.path, module.source, strict, module.imports, entry=module.entry)
            )
            checked.careful = frozenset(sound), tuple(self._checked_module(module, sound)[1])
        return checked.careful[1]

    def _source(self, path: str) -> tuple[object, SourceFile, Diagnostic | None]:
        """Stamp and text of a file; the same text is the same object."""
        stamp = self._stamp(path)
        known = self._sources.get(path)
        if known is not None and known[0] == stamp:
            return known
        source, problem = read_source(Overlay(self.buffers), path)
        if (
            known is not None
            and problem is known[2] is None
            and (known[1].text, known[1].bom) == (source.text, source.bom)
        ):
            source = known[1]
        self._sources[path] = found = (stamp, source, problem)
        return found

    def _read(self, _: FileStore, path: str, config: ProjectConfig) -> tuple[SourceFile, ast.File, list[Diagnostic]]:
        stamp, source, problem = self._source(path)
        known = self._parsed.get(path)
        if known is None or known.source is not source:
            if problem is not None:
                known = _Parsed(stamp, source, ast.File((), (), ()), (problem,))
            else:
                known = self._parse(stamp, source, legacy=config.legacy_headers)
            self._parsed[path] = known
        elif known.stamp != stamp:
            known = self._parsed[path] = replace(known, stamp=stamp)
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
        if source.path not in self.buffers and len(source.text) >= CACHED_FROM and parsed_cache.enabled():
            kept = parsed_cache.load(source, legacy=legacy)
            if kept is not None:
                return _Parsed(stamp, source, kept, ())
        self.counts.parsed += 1
        lines = None
        if source.path in self.buffers:
            lines = self._lines.setdefault(source.path, LineCache())
            lines.next_version()
        file, found = parse(source, legacy=legacy, parser=lines, keep_going=True)
        if lines is None and not found and len(source.text) >= CACHED_FROM and parsed_cache.enabled():
            parsed_cache.store(source, file, legacy=legacy)
        strict = None
        if has_errors(found):
            strict, _ = parse(source, legacy=legacy, parser=lines)
        return _Parsed(stamp, source, file, tuple(found), None if strict == file else strict)

    def _check(self, module: LoadedModule, imports: dict[str, ModuleContext]) -> Checked:
        known = self._checked.get(module.path)
        if known is not None and known.is_of(module, imports):
            known.module = module
            return known
        self.counts.checked += 1
        context, found = self._checked_module(module, imports)
        checked = Checked(module, imports, context, tuple(found))
        self._checked[module.path] = checked
        return checked

    def _checked_module(
        self, module: LoadedModule, imports: dict[str, ModuleContext]
    ) -> tuple[ModuleContext, list[Diagnostic]]:
        settings = self.settings_of(module.path)
        try:
            return check_module(
                module.file,
                module.source,
                imports,
                settings.constants,
                legacy_headers=settings.legacy_headers,
            )
        except RecursionError:
            message = "the program nests deeper than the compiler can follow"
            return ModuleContext(), [Diagnostic(SYNTAX_TOO_DEEP, message)]
