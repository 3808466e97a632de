"""A program to run: one function of an Aqua file, or a compiled AIR script.

Errors: `CommandError`, with exit code 1 and the rendered diagnostics when the Aqua file has errors.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import DIAGNOSTICS, CommandError, read_text, use_color
from runtime.client.places import sources_of
from runtime.conversion import ConversionError, arguments_of, result_from_aqua, to_aqua, type_text
from runtime.python_services import Declaration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aquac.compiler import Compiled, CompiledFunction
    from runtime.call_text import CallText
    from runtime.client.places import Place
    from runtime.conversion import Type

_RESPONSE: Final = re.compile(r'"callbackSrv"\s+"response"')


@dataclass(frozen=True, slots=True)
class CallbackName:
    """Stands in a call for a function that the person who calls provides."""

    name: str


@dataclass(frozen=True, slots=True)
class Program:
    """What to send.

    definition: arrow of the function in definition JSON, None for an AIR script. answers: whether the script sends a
    response. declarations: services that the source declares. places: where the instructions come from, asked for when
    one of them has failed. name: of the function, empty for an AIR script.
    """

    script: str
    definition: Type | None
    answers: bool
    declarations: tuple[Declaration, ...] = ()
    places: Callable[[], Sequence[Place]] = tuple
    name: str = ""

    def bind(
        self, call: CallText | None, variables: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, tuple[Type, CallbackName]]]:
        """Values by parameter name; and for parameters that are functions, the arrow and the name of the callback.

        Raises CommandError for a wrong number of arguments or a wrong type.
        """
        if self.definition is None:
            return {name: value for name, value in variables.items() if not isinstance(value, CallbackName)}, {}
        parameters = arguments_of(self.definition["domain"])
        given = self._given(call, parameters, variables)
        values: dict[str, Any] = {}
        callbacks: dict[str, tuple[Type, CallbackName]] = {}
        for name, kind in parameters:
            value = given[name]
            if kind["tag"] != "arrow" and isinstance(value, CallbackName):
                raise CommandError(f"argument `{name}`: expected {type_text(kind)}, got the function `{value.name}`")
            if kind["tag"] != "arrow":
                try:
                    values[name] = to_aqua(value, kind, f"argument `{name}`")
                except ConversionError as error:
                    raise CommandError(str(error)) from error
            elif isinstance(value, CallbackName):
                callbacks[name] = (kind, value)
            else:
                raise CommandError(
                    f"argument `{name}` is a function: {type_text(kind)}",
                    hint=f"name it in the call and say what it does: --callback {name}=print",
                )
        return values, callbacks

    def _given(
        self, call: CallText | None, parameters: Sequence[tuple[str, Type]], variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Values by parameter name: those of the call in order or, for a bare name, the variables of the same names."""
        if call is None or call.arguments is None:
            missing = [name for name, kind in parameters if kind["tag"] != "option" and name not in variables]
            if missing:
                raise CommandError(
                    f"no value for {', '.join(f'`{name}`' for name in missing)}",
                    hint=f"call it as -f '{self.name}({', '.join(name for name, _ in parameters)})', "
                    "or use --arg NAME=JSON",
                )
            return {name: variables.get(name) for name, _ in parameters}
        if len(call.arguments) != len(parameters):
            signature = ", ".join(f"{name}: {type_text(kind)}" for name, kind in parameters)
            raise CommandError(
                f"`{call.name}({signature})` takes {len(parameters)} argument{'s' * (len(parameters) != 1)}, "
                f"{len(call.arguments)} given"
            )
        return dict(zip([name for name, _ in parameters], call.arguments, strict=True))

    def result(self, values: list[Any]) -> Any:
        """The result for the person who called. Raises ConversionError."""
        if self.definition is None:
            return None if not values else values[0] if len(values) == 1 else values
        return result_from_aqua(values, self.definition["codomain"], "result")

    def source_of(self, instruction: str) -> dict[str, Any] | None:
        """File and line a failed instruction comes from; None when it is unknown, or several places have its like."""
        sources = sources_of(instruction, self.places())
        return {"file": sources[0].file, "line": sources[0].line} if len(sources) == 1 else None


@dataclass(frozen=True, slots=True)
class CompileSettings:
    """What `avm run` passes on to the compiler."""

    roots: tuple[str, ...] = ()
    import_map: str | None = None
    constants: tuple[str, ...] = ()
    color: str = "auto"
    tracing: bool = False
    quiet: bool = False


def load_program(path: str, name: str | None, settings: CompileSettings) -> Program:
    """The function called `name` of a file; the only exported one when there is no name. Raises CommandError."""
    if path.endswith(".air"):
        script = read_text(path, what="script")
        places = partial(_places_of_map, f"{path}.map", script)
        return Program(script, None, answers=_RESPONSE.search(script) is not None, places=places)
    if Path(path).is_dir():
        raise CommandError(f"{path} is a folder", hint="name the file that exports the function")
    if not Path(path).is_file():
        raise CommandError(f"no such file: {path}")
    compiled = _compile(path, settings)
    function = _choose(compiled, name, path)
    return Program(
        function.script,
        function.definition["arrow"],
        answers=_RESPONSE.search(function.script) is not None,
        declarations=declarations_of(compiled),
        places=partial(places_of, function),
        name=function.name,
    )


def places_of(function: CompiledFunction) -> list[Place]:
    """Places of a function just compiled."""
    return [
        (found.text, found.site.file.path, found.site.file.lines.position(found.site.span.start).line)
        for found in function.source_map().mappings
    ]


def _places_of_map(path: str, script: str) -> list[Place]:
    """Places by the source map beside a script; none when there is no map, or one of another version or script."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["version"] != 1:
            return []
        folder, lines = Path(path).absolute().parent, script.split("\n")
        sources = [os.path.normpath(folder / source) for source in document["sources"]]
        return [(lines[row[0] - 1][row[1] - 1 :], sources[row[3]], row[4]) for row in document["mappings"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _compile(path: str, settings: CompileSettings) -> Compiled:
    import aquac
    from aquac.render import render_text

    options = aquac.Options(no_empty_response=False, tracing=settings.tracing)
    imports = read_imports(settings.import_map, settings.roots)
    compiled = aquac.compile_path(path, imports=imports, constants=list(settings.constants), options=options)
    shown = [item for item in compiled.diagnostics if item.is_error or not settings.quiet]
    if shown:
        sys.stderr.write(render_text(shown, color=use_color(settings.color, sys.stderr), base=os.getcwd()))
    if not compiled.ok:
        raise CommandError(f"{path} does not compile", DIAGNOSTICS)
    return compiled


def read_imports(import_map: str | None, roots: Sequence[str]) -> Any:
    """Where imports are looked up: a JSON import map, and folders for everything. Raises CommandError."""
    from aquac.project.config import ImportsInvalid, parse_import_map, with_roots

    imports: Any = {}
    if import_map is not None:
        try:
            imports = parse_import_map(read_text(import_map, what="import map"))
        except ImportsInvalid as error:
            raise CommandError(f"import map {import_map}: {error}") from error
    for root in roots:
        if not Path(root).is_dir():
            raise CommandError(f"import folder {root} does not exist")
    return with_roots(imports, [str(Path(root).absolute()) for root in roots])


def _choose(compiled: Compiled, name: str | None, path: str) -> CompiledFunction:
    exported = ", ".join(f"`{known}`" for known in compiled.functions) or "nothing"
    if name is None:
        if len(compiled.functions) == 1:
            return next(iter(compiled.functions.values()))
        raise CommandError(f"which function? {path} exports {exported}", hint="name it: -f 'name(arguments)'")
    function = compiled.functions.get(name)
    if function is not None:
        return function
    if _is_declared(compiled, name):
        raise CommandError(
            f"function `{name}` is not exported by {path} (exported: {exported})",
            hint=f"add `export {name}` to the file",
        )
    close = difflib.get_close_matches(name, compiled.functions, n=1)
    hint = f"did you mean `{close[0]}`?" if close else ""
    raise CommandError(f"{path} has no function `{name}` (exported: {exported})", hint=hint)


def _is_declared(compiled: Compiled, name: str) -> bool:
    return any(context.part(name, is_type=False) is not None for context in compiled.contexts.values())


def declarations_of(compiled: Compiled) -> tuple[Declaration, ...]:
    """Every service that a file of the project declares, exported or not; the first of a name counts."""
    from aquac.emit.definitions import service_definition
    from aquac.semantics.raw import Literal, ServicePart

    found: dict[str, Declaration] = {}
    for context in compiled.contexts.values():
        for _, part in context.parts:
            if isinstance(part, ServicePart) and part.name not in found:
                literal = part.id.text if isinstance(part.id, Literal) else None
                definition = service_definition(part.type, literal)
                found[part.name] = Declaration(
                    part.name, definition.get("defaultServiceId"), definition["functions"]["fields"]
                )
    return tuple(found.values())
