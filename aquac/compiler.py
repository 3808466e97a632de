"""The compile façade: from paths or texts to scripts, definitions and diagnostics.

Stages: load and parse (`project.link`), check (`semantics`), lower (`lowering`), place (`topology`), print (`emit`). What could
not be read does not keep the rest from being checked; an error found so far keeps everything from being lowered.

Errors: everything about the program is in `Compiled.diagnostics`; nothing is raised. A feature no stage can translate yet is
AQ0501, never wrong code.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from aquac.records import dataclass, field

from . import codes
from .diagnostics import Diagnostic, has_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .emit.source_map import SourceMap
    from .kept import Kept
    from .lowering import LoweredFunction, LoweringOptions
    from .lowering.model import Model
    from .project.bundle import FileStore
    from .project.config import ProjectConfig
    from .project.link import LoadedModule
    from .semantics.raw import FuncPart, ModuleContext, Site
    from .semantics.types import Arrow
    from .topology.res import Res

    Path = str | os.PathLike[str]
    Imports = Sequence[Path] | Mapping[str, Mapping[str, str | Sequence[str]]]

Json = dict[str, Any]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Options:
    """What may be varied in the code that is made; the defaults are those of the reference.

    Attributes:
        no_relay: functions run on a peer that is reachable directly; `HOST_PEER_ID` is the init peer.
        no_xor: errors inside `on` and `if` are not passed on with their place.
        no_empty_response: a function without results sends no response.
        tracing: every call reports its beginning and end to `tracingSrv`.
        legacy_headers: accept, with warnings, files without header, the header word `module`, and other forms of
            versions before 0.14 (types that hide imported ones, `x: ?T` as a stream, `<-` inside `on`, uneven indentation).
        reference_defects: repeat mistakes of the reference compiler 0.14.6, for its very text: all of them, or those
            named (keys of `aquac.lowering.defects.DEFECTS`).
    """

    no_relay: bool = False
    no_xor: bool = False
    no_empty_response: bool = True
    tracing: bool = False
    legacy_headers: bool = False
    reference_defects: bool | frozenset[str] = False


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFunction:
    """An exported function: its name, AIR text, definition JSON, the file it comes from, and the stages before the text.

    `sites` says where nodes of the model come from, `early_hops` how it was placed (`topology.make_res.resolve`).
    """

    name: str
    script: str
    definition: Json
    path: str
    model: Model
    res: Res
    sites: Mapping[Model, Site] = field(default_factory=dict)
    early_hops: bool = False

    def source_map(self) -> SourceMap:
        """Where each instruction of the script comes from."""
        from .emit.source_map import make_source_map

        return make_source_map(self.model, self.sites, early_hops=self.early_hops)

    def to_json(self) -> Json:
        """`{"script", "funcDef"}`."""
        return {"script": self.script, "funcDef": self.definition}


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Result of a compilation.

    Attributes:
        functions: exported functions by exported name, in the order of the reference.
        services: definition JSON of exported services by name.
        diagnostics: everything found, in the order found.
        call: the compiled call, for `compile_call`.
        files: paths of all files read, imported ones included.
        entries: paths of the files whose exports were compiled, in order; empty after an error in checking.
        contexts: checked modules by path.
    """

    functions: Mapping[str, CompiledFunction] = field(default_factory=dict)
    services: Mapping[str, Json] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    call: CompiledFunction | None = None
    files: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    contexts: Mapping[str, ModuleContext] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there was no error."""
        return not has_errors(self.diagnostics)

    @property
    def empty(self) -> bool:
        """Whether nothing was exported."""
        return not self.functions and not self.services

    def to_json(self) -> Json:
        """`{"functions", "services", "errors", "warnings"}`, for a single call with `"functionCall"`."""
        document: Json = {
            "functions": {name: function.to_json() for name, function in self.functions.items()},
            "services": dict(self.services),
            "errors": [one_line(d) for d in self.diagnostics if d.is_error],
            "warnings": [one_line(d) for d in self.diagnostics if not d.is_error],
        }
        if self.call is not None:
            document["functionCall"] = self.call.to_json()
        return document


DEFAULT = Options()


def compile_path(
    path: Path | Sequence[Path],
    *,
    imports: Imports = (),
    constants: Sequence[str] = (),
    options: Options = DEFAULT,
    store: FileStore | None = None,
    kept: Kept | None = None,
) -> Compiled:
    """Compile a file, every `*.aqua` file below a folder, or several of them.

    Args:
        path: what to compile; only these files produce output, what they import does not.
        imports: folders to look for imports in, or an import map (path prefix → import prefix → locations).
        constants: texts `NAME = literal`, visible in every module.
        options: what to vary in the code.
        store: where files are read; the disk by default.
        kept: results of compilations with the same imports, constants and options, to build on and to add to.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    return _Compilation(imports, constants, options, store, kept).everything([os.fspath(p) for p in paths])


def compile_source(
    text: str,
    *,
    path: Path = "source.aqua",
    imports: Imports = (),
    constants: Sequence[str] = (),
    options: Options = DEFAULT,
) -> Compiled:
    """Compile a text as if it stood in the file `path`, which need not exist; imports are read from disk."""
    from .project.bundle import Overlay

    place = os.path.abspath(os.fspath(path))
    return compile_path(place, imports=imports, constants=constants, options=options, store=Overlay({place: text}))


def compile_bundle(
    files: Mapping[str, str],
    entry: str | Sequence[str],
    *,
    imports: Imports = (),
    constants: Sequence[str] = (),
    options: Options = DEFAULT,
) -> Compiled:
    """Compile files held in memory, path → text; nothing but the standard library is read from disk."""
    from .project.bundle import Bundle

    return compile_path(entry, imports=imports, constants=constants, options=options, store=Bundle(files))


def compile_call(
    source: Path | Mapping[str, str],
    call: str,
    *,
    data: Mapping[str, Any] | None = None,
    entry: str | None = None,
    imports: Imports = (),
    constants: Sequence[str] = (),
    options: Options = DEFAULT,
) -> Compiled:
    """Compile one call of an exported function, such as `f(x, 5)`; the result is in `Compiled.call`.

    Args:
        source: path of the file, or files in memory with `entry`.
        call: the call; variables in it are read through `getDataSrv` when it runs, as arguments of any function are.
        data: values of the variables, for their types.
        entry: the file of the bundle that exports the function.
        imports: as for `compile_path`.
        constants: as for `compile_path`.
        options: as for `compile_path`.
    """
    from .project.bundle import Bundle

    if isinstance(source, str | os.PathLike):
        path, store = os.fspath(source), None
    else:
        path, store = entry or next(iter(source), ""), Bundle(source)
    return _Compilation(imports, constants, options, store).call([path], call, data)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's cycle collector from running meanwhile.

    A compilation builds trees, which hold no cycles and mostly live until its end; looking through them again and again
    took a third of the time of large programs. What becomes garbage is freed at once all the same, by its count.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True, eq=False)
class _Exports:
    """What one module exports, and what was found while compiling it."""

    functions: dict[str, CompiledFunction]
    services: dict[str, Json]
    diagnostics: tuple[Diagnostic, ...]


class _Compilation:
    """One run of the stages. Diagnostics gather in the order found."""

    def __init__(
        self,
        imports: Imports,
        constants: Sequence[str],
        options: Options,
        store: FileStore | None,
        kept: Kept | None = None,
    ) -> None:
        self._imports = imports
        self._constants = constants
        self._options = options
        self._store = store
        self._kept = kept
        self._diagnostics: list[Diagnostic] = []
        self._modules: list[LoadedModule] = []
        self._contexts: dict[str, ModuleContext] = {}
        self._entries: list[str] = []

    def everything(self, paths: Sequence[str]) -> Compiled:
        """Compile all exports of the files at `paths`; of equal names the last file's wins."""
        functions: dict[str, CompiledFunction] = {}
        services: dict[str, Json] = {}
        try:
            with collector_paused():
                for path in self._check(paths):
                    exports = self._made("exports", path, self._contexts[path], partial(self._exports, path))
                    functions |= exports.functions
                    services |= exports.services
                    self._diagnostics += exports.diagnostics
        except RecursionError:
            self._too_deep()
        return self._result(functions, services)

    def call(self, paths: Sequence[str], text: str, data: Mapping[str, Any] | None) -> Compiled:
        """Compile the call `text` of a function that one of the files at `paths` exports."""
        from .call_expression import CallError

        function = None
        try:
            entries = self._check(paths)
            if not has_errors(self._diagnostics):
                function = self._call(entries, text, data)
        except CallError as error:
            self._diagnostics.append(Diagnostic(codes.CALL_INVALID, str(error)))
        except RecursionError:
            self._too_deep()
        return self._result({}, {}, function)

    # ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _check(self, paths: Sequence[str]) -> list[str]:
        """Load, parse and check; paths of the entries that may be compiled, none after an error."""
        from .project.link import load, read_and_parse
        from .semantics import check_project
        from .semantics.constants import parse_constants

        config = self._config()
        if config is None:
            return []
        constants, found = parse_constants(self._constants)
        wrong_constants = has_errors(found)
        self._diagnostics += found
        read = read_and_parse if self._kept is None else self._kept.read
        self._modules, found = load(paths, config, self._store, read=read, keep_going=True)
        cycles = [d for d in found if d.code is codes.IMPORT_CYCLE]
        self._diagnostics += [d for d in found if d.code is not codes.IMPORT_CYCLE]
        if wrong_constants:
            # Whatever is missing may be one of them.
            self._diagnostics += cycles
            return []
        # What is wrong with the modules comes before the cycles.
        self._contexts, found = check_project(
            self._modules,
            constants,
            no_relay=self._options.no_relay,
            legacy_headers=self._options.legacy_headers,
            kept=self._kept,
        )
        self._diagnostics += [*found, *cycles]
        if not has_errors(self._diagnostics):
            self._advise()
            self._entries = [module.path for module in self._modules if module.entry]
        return self._entries

    def _advise(self) -> None:
        """Warn about what the given files define or import for nothing; imported files are somebody else's."""
        from .semantics.advise import advise

        for module in self._modules:
            if module.entry:
                context = self._contexts[module.path]
                imports = {text: self._contexts[path] for text, path in module.imports.items()}
                make = partial(advise, module.file, module.source, context, imports)
                self._diagnostics += self._made("advice", module.path, context, make)

    def _made(self, what: str, path: str, context: ModuleContext, make: Callable[[], Made]) -> Made:
        """Make something of a checked module, or take what was made of it before."""
        return make() if self._kept is None else self._kept.made(what, path, context, make)

    def _exports(self, path: str) -> _Exports:
        """What the module at `path` exports, compiled."""
        from .emit.definitions import service_definition
        from .lowering import lower_module

        module = lower_module(self._contexts[path], self._lowering_options())
        found = list(module.diagnostics)
        functions = {lowered.name: self._function(path, lowered, found) for lowered in module.functions}
        services = {service.name: service_definition(service.type, service.default_id) for service in module.services}
        return _Exports({name: made for name, made in functions.items() if made is not None}, services, tuple(found))

    def _call(self, paths: Sequence[str], text: str, data: Mapping[str, Any] | None) -> CompiledFunction | None:
        from .call_expression import CallError, check_arguments, declared_arguments, parse_call, with_data
        from .lowering import lower_call

        call = with_data(parse_call(text), data)
        for path in paths:
            callee = exported(self._contexts[path], call.function)
            if callee is not None:
                name, arrow = callee
                check_arguments(call, arrow)
                args = declared_arguments(call, arrow)
                known_as = call.function.rpartition(".")[2]
                module = lower_call(self._contexts[path], name, args, self._lowering_options(), known_as=known_as)
                self._diagnostics += module.diagnostics
                return self._function(path, module.functions[0], self._diagnostics) if module.functions else None
        raise CallError(f"{call.function} is not exported; exported are {_listed(self._contexts[p] for p in paths)}")

    def _function(self, path: str, function: LoweredFunction, found: list[Diagnostic]) -> CompiledFunction | None:
        """Place and print a function; None, and a diagnostic in `found`, when its script is too large."""
        from .emit.air import SCRIPT_CHARS_MAX, ScriptTooLarge, print_air
        from .emit.definitions import function_definition
        from .topology.make_res import resolve

        early_hops = "D5" in self._lowering_options().defects
        res = resolve(function.model, early_hops=early_hops)
        try:
            script = print_air(res)
        except ScriptTooLarge:
            message = f"in function `{function.name}`: its script has more than {SCRIPT_CHARS_MAX} characters"
            found.append(Diagnostic(codes.PROGRAM_TOO_LARGE, message))
            return None
        definition = function_definition(function.name, function.type)
        return CompiledFunction(
            function.name, script, definition, path, function.model, res, function.sites, early_hops
        )

    # ── around them ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _config(self) -> ProjectConfig | None:
        """How imports resolve; None, with a diagnostic, when `imports` has the wrong shape."""
        from .project.config import ImportsInvalid, ProjectConfig, import_map

        imports = self._imports
        value = imports if isinstance(imports, Mapping) else [os.fspath(folder) for folder in imports]
        try:
            resolved = import_map(value)
        except ImportsInvalid as error:
            self._diagnostics.append(Diagnostic(codes.IMPORT_UNRESOLVED, str(error)))
            return None
        return ProjectConfig(imports=resolved, legacy_headers=self._options.legacy_headers)

    def _lowering_options(self) -> LoweringOptions:
        from .lowering import LoweringOptions
        from .lowering.defects import chosen

        options = self._options
        return LoweringOptions(
            no_relay=options.no_relay,
            no_xor=options.no_xor,
            no_empty_response=options.no_empty_response,
            tracing=options.tracing,
            defects=chosen(options.reference_defects),
        )

    def _too_deep(self) -> None:
        self._diagnostics.append(
            Diagnostic(codes.SYNTAX_TOO_DEEP, "the program nests deeper than the compiler can follow")
        )

    def _result(
        self,
        functions: dict[str, CompiledFunction],
        services: dict[str, Json],
        call: CompiledFunction | None = None,
    ) -> Compiled:
        from .lowering.hash_order import set_order

        return Compiled(
            functions={name: functions[name] for name in set_order(functions)},
            services={name: services[name] for name in set_order(services)},
            diagnostics=tuple(self._diagnostics),
            call=call,
            files=tuple(module.path for module in self._modules),
            entries=tuple(self._entries),
            contexts=self._contexts,
        )


def one_line(diagnostic: Diagnostic) -> str:
    """A diagnostic as one line of text, as in the `errors` and `warnings` of the JSON document."""
    place = ""
    if diagnostic.file is not None:
        place = diagnostic.file.path
        if diagnostic.span is not None:
            start = diagnostic.file.lines.position(diagnostic.span.start)
            place += f":{start.line}:{start.column}"
        place += ": "
    return f"{place}{diagnostic.code.severity.value} {diagnostic.code.id}: {diagnostic.message}"


def exported(context: ModuleContext, name: str) -> tuple[str, Arrow] | None:
    """A function exported as `name`, or a method of a service exported as `S` when `name` is `S.method`.

    Returns what the module itself calls it, and its type; None if it exports no such thing.
    """
    from .semantics.raw import FuncPart, ServicePart
    from .semantics.types import Arrow

    owner, dot, method = name.rpartition(".")
    outside = owner if dot else name
    inside = next((inner for inner, outer in context.exports.items() if outer == outside), None)
    if inside is None:
        return None
    for is_type in (False, True):
        part = context.part(inside, is_type=is_type) or context.member(inside, is_type=is_type)
        if isinstance(part, FuncPart) and not dot:
            return inside, part.arrow.type
        if isinstance(part, ServicePart) and part.id is not None and dot:
            arrow = dict(part.type.fields).get(method)
            return (f"{inside}.{method}", arrow) if isinstance(arrow, Arrow) else None
    return None


def exported_function(context: ModuleContext, name: str) -> FuncPart | None:
    """The function exported as `name`, before anything is inlined into it."""
    from .semantics.raw import FuncPart

    inside = next((inner for inner, outer in context.exports.items() if outer == name), name)
    part = context.part(inside, is_type=False) or context.member(inside, is_type=False)
    return part if isinstance(part, FuncPart) else None


def _listed(contexts: Iterable[ModuleContext]) -> str:
    names = [name for context in contexts for name in context.exports.values()]
    return ", ".join(names) if names else "no functions"
