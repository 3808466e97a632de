"""Load the files of a compilation and everything they import, and put them into link order.

Input:  entry paths (files, or folders: every `*.aqua` below), the project's configuration, a store.
Output: `LoadedModule`s, each behind the modules it imports.
Errors: source.*, syntax*, indent.*, import.unresolved, import.failed, import.cycle. Never raises.
Source: spec aqua-language §1 (stages 1–4), §4.2, §4.3.

Without `keep_going` stages stop as in the reference: entries with syntax errors are not linked; a file whose imports do not
all resolve is not followed. What could be loaded is returned beside the errors; compile only if there is no error.
"""

from __future__ import annotations

from posixpath import basename
from typing import TYPE_CHECKING, Final

from aquac.codes import IMPORT_CYCLE, IMPORT_FAILED, IMPORT_UNRESOLVED, SOURCE_NOT_FOUND, UNSUPPORTED
from aquac.diagnostics import Diagnostic, Note, has_errors
from aquac.records import dataclass, field
from aquac.syntax import ast
from aquac.syntax.limits import MODULES_MAX
from aquac.syntax.parse import parse

from .bundle import SUFFIX, Disk, FileStore, Overlay, read_source
from .config import ProjectConfig
from .cycles import find_cycles
from .imports import candidates, package_paths, unquoted
from .stdlib import is_stdlib

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aquac.source import SourceFile

    ParsedFile = tuple[SourceFile, ast.File, list[Diagnostic]]
    Read = Callable[[FileStore, str, ProjectConfig], ParsedFile]

CACHED_FROM: Final = 4096
"""Characters from which the tree of a file on disk is kept in the user's cache folder."""

_DISK = Disk()


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A parsed file. `imports` maps the text of each path literal, quotes included, to the path of the module it means.

    `entry` is true for files given to the compiler: only they produce output.
    """

    path: str
    source: SourceFile
    file: ast.File
    imports: dict[str, str]
    entry: bool


@dataclass(slots=True)
class _Module:
    """A module while its imports are being found; `level` is its distance from the entries."""

    source: SourceFile
    file: ast.File
    entry: bool
    broken: bool
    level: int = 0
    imports: dict[str, str] = field(default_factory=dict)
    literals: list[tuple[ast.Literal, str]] = field(default_factory=list)


def read_and_parse(store: FileStore, path: str, config: ProjectConfig) -> ParsedFile:
    """Read and parse the file at a normal path; it is empty with a diagnostic when it cannot be read."""
    return parse_source(store, *read_source(store, path), config)


def parse_source(store: FileStore, source: SourceFile, problem: Diagnostic | None, config: ProjectConfig) -> ParsedFile:
    """Parse what was read from a store, unless there was a problem with it."""
    if problem is not None:
        return source, ast.File((), (), (), is_open=True), [problem]
    legacy = config.legacy_headers
    # Texts in memory belong to somebody who may not want a trace of them; small files parse faster than they are found.
    if not isinstance(store, Disk) or isinstance(store, Overlay) or len(source.text) < CACHED_FROM:
        return source, *parse(source, legacy=legacy)
    from . import parsed_cache

    if not parsed_cache.enabled():
        return source, *parse(source, legacy=legacy)
    tree = parsed_cache.load(source, legacy=legacy)
    if tree is not None:
        return source, tree, []
    tree, diagnostics = parse(source, legacy=legacy)
    if not diagnostics:
        parsed_cache.store(source, tree, legacy=legacy)
    return source, tree, diagnostics


def load(
    entries: Sequence[str],
    config: ProjectConfig | None = None,
    store: FileStore | None = None,
    *,
    read: Read = read_and_parse,
    keep_going: bool = False,
) -> tuple[list[LoadedModule], list[Diagnostic]]:
    """Load `entries` and their imports; modules in link order, and the diagnostics in reading order.

    read: how a file is read and parsed; editors keep what they have parsed.
    keep_going: no error is a reason to stop: imports that can be found are followed.
    """
    return _Loader(config or ProjectConfig(), store or _DISK, read, keep_going=keep_going).run(entries)


class _Loader:
    """One compilation's modules by path."""

    def __init__(self, config: ProjectConfig, store: FileStore, read: Read, *, keep_going: bool) -> None:
        self._config = config
        self._store = store
        self._read_file = read
        self._keep_going = keep_going
        self._modules: dict[str, _Module] = {}
        self._diagnostics: list[Diagnostic] = []

    def run(self, entries: Sequence[str]) -> tuple[list[LoadedModule], list[Diagnostic]]:
        self._read_entries(entries)
        if self._keep_going or not has_errors(self._diagnostics):
            self._follow_imports()
            self._blame_importers()
        order = self._link_order()
        loaded = [
            LoadedModule(path, module.source, module.file, module.imports, module.entry)
            for path, module in ((path, self._modules[path]) for path in order)
        ]
        return loaded, self._diagnostics

    def _read_entries(self, entries: Sequence[str]) -> None:
        for entry in entries:
            path = self._store.normal(entry)
            if self._store.is_folder(path) and not self._store.is_file(path):
                paths = [self._store.normal(found) for found in self._store.sources_below(path)]
            elif not self._store.is_file(path):
                self._diagnostics.append(Diagnostic(SOURCE_NOT_FOUND, f"no file or folder {path}"))
                continue
            else:
                paths = [path] if path.endswith(SUFFIX) else []
            for source in paths:
                if source not in self._modules:
                    self._read(source, entry=True)

    def _read(self, path: str, *, entry: bool) -> _Module:
        store: FileStore = _DISK if is_stdlib(path) and not self._store.is_file(path) else self._store
        source, file, diagnostics = self._read_file(store, path, self._config)
        self._diagnostics += diagnostics
        module = _Module(source, file, entry, broken=has_errors(diagnostics))
        self._modules[path] = module
        return module

    def _follow_imports(self) -> None:
        """Breadth first; the imports of a file are all resolved before any of them is read."""
        level = [module for module in self._modules.values() if self._keep_going or not module.broken]
        while level:
            following: list[_Module] = []
            for module in level:
                if not self._resolve(module) and not self._keep_going:
                    continue
                for target in module.imports.values():
                    if target in self._modules:
                        continue
                    if len(self._modules) >= MODULES_MAX:
                        message = f"a compilation of more than {MODULES_MAX} modules"
                        self._diagnostics.append(Diagnostic(UNSUPPORTED, message))
                        return
                    read = self._read(target, entry=False)
                    read.level = module.level + 1
                    if self._keep_going or not read.broken:
                        following.append(read)
            level = following

    def _resolve(self, module: _Module) -> bool:
        """Find the files a module imports; False, with its imports dropped, if one is missing."""
        complete = True
        for line in module.file.header:
            if not isinstance(line, ast.Import | ast.Use):
                continue
            wanted = unquoted(line.path.text)
            tried = candidates(self._store, self._config, module.source.path, wanted)
            found = next((path for path in tried if self._exists(path)), None)
            if found is None:
                complete = False
                notes = tuple(Note(f"tried {path}") for path in tried)
                if self._config.packages and package_paths(self._store, module.source.path, wanted):
                    notes = (*notes, Note("and no `node_modules` folder at or above this file has it"))
                message = f"no file found for import {line.path.text}"
                self._diagnostics.append(Diagnostic(IMPORT_UNRESOLVED, message, module.source, line.path.span, notes))
            else:
                module.imports[line.path.text] = found
                module.literals.append((line.path, found))
        if not complete:
            if not self._keep_going:
                module.imports.clear()
                module.literals.clear()
            module.broken = True
        return complete

    def _exists(self, path: str) -> bool:
        return self._store.is_file(path) or (is_stdlib(path) and _DISK.is_file(path))

    def _blame_importers(self) -> None:
        """Report import.failed on the imports of broken modules; for editors, on every import that leads to one.

        An importer names a file once. One that was read no earlier than the file itself is not what led to it.
        """
        if self._keep_going:
            self._blame_all_importers()
            return
        for module in self._modules.values():
            last = {target: literal for literal, target in module.literals}
            for target, literal in last.items():
                imported = self._modules.get(target)
                if imported is not None and imported.broken and module.level < imported.level:
                    self._report_failed(module, literal, target)

    def _report_failed(self, module: _Module, literal: ast.Literal, target: str) -> None:
        message = f"the imported file has errors: {target}"
        self._diagnostics.append(Diagnostic(IMPORT_FAILED, message, module.source, literal.span))

    def _blame_all_importers(self) -> None:
        importers: dict[str, list[str]] = {path: [] for path in self._modules}
        for path, module in self._modules.items():
            for target in dict.fromkeys(module.imports.values()):
                if target in importers:
                    importers[target].append(path)
        failed = [path for path, module in self._modules.items() if module.broken]
        bad = set(failed)
        while failed:
            for path in importers[failed.pop()]:
                if path not in bad:
                    bad.add(path)
                    failed.append(path)
        for module in self._modules.values():
            for literal, target in module.literals:
                if target in bad:
                    self._report_failed(module, literal, target)

    def _link_order(self) -> list[str]:
        """Paths so that imports come first; reports cycles, whose modules and importers come last, if all else is right.

        In rounds: whatever has all its imports behind it is next, in the order of reading. The first module with errors is
        the first in this order, so it is part of what a program is told.
        """
        graph = {
            path: [target for target in dict.fromkeys(module.imports.values()) if target in self._modules]
            for path, module in self._modules.items()
        }
        place = {path: at for at, path in enumerate(graph)}
        importers: dict[str, list[str]] = {path: [] for path in graph}
        for path, targets in graph.items():
            for target in targets:
                importers[target].append(path)
        missing = {path: len(targets) for path, targets in graph.items()}
        order: list[str] = []
        ready = [path for path in graph if not missing[path]]
        while ready:
            order += ready
            following: list[str] = []
            for path in ready:
                for importer in importers[path]:
                    missing[importer] -= 1
                    if not missing[importer]:
                        following.append(importer)
            ready = sorted(following, key=place.__getitem__)
        if len(order) < len(graph):
            if self._keep_going or not has_errors(self._diagnostics):
                self._diagnostics += [self._cycle(cycle) for cycle in find_cycles(graph)]
            linked = set(order)
            order += [path for path in graph if path not in linked]
        return order

    def _cycle(self, cycle: list[str]) -> Diagnostic:
        pairs = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        names = ", ".join(f"{_base(a)} imports {_base(b)}" for a, b in pairs)
        notes = tuple(
            Note(f"{_base(a)} imports {_base(b)} here", self._modules[a].source, literal.span)
            for a, b in pairs
            for literal, target in self._modules[a].literals
            if target == b
        )
        return Diagnostic(IMPORT_CYCLE, f"modules import each other: {names}", notes=notes)


def _base(path: str) -> str:
    return basename(path.replace("\\", "/"))
