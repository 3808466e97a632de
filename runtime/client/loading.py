"""Aqua files at run time: compile one, and call what it exports without a generated module.

    hello = load("hello.aqua")
    print(await hello.greet(client, "you"))

Data types are dicts here; `aquac build --target py` makes data classes, and annotations for type checkers.
Errors: `ProgramInvalid` with every diagnostic.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from runtime.binding import Function, Service
from runtime.client.errors import ArgumentError, ProgramInvalid
from runtime.client.places import sources_of
from runtime.conversion import arguments_of, type_text
from runtime.program import declarations_of, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aquac.compiler import Compiled, CompiledFunction
    from runtime.client.invocation import Caller
    from runtime.client.places import Source
    from runtime.conversion import Type


class LoadedFunction:
    """An exported function."""

    def __init__(self, name: str, function: Function[Any], domain: Type) -> None:
        """`domain`: of its arrow."""
        self.__name__ = name
        self._function = function
        self._domain = domain

    async def __call__(self, client: Caller, *arguments: Any, ttl_ms: int | None = None) -> Any:
        """Call it and wait for its result. Raises ArgumentError, ConversionError, CallFailed."""
        declared = len(arguments_of(self._domain))
        if len(arguments) != declared:
            raise ArgumentError(
                f"`{self.__name__}({type_text(self._domain) if declared else ''})` takes "
                f"{declared} argument{'s' * (declared != 1)}, {len(arguments)} given"
            )
        return await self._function.call(client, arguments, ttl_ms)


class Module:
    """What an Aqua file exports: functions as attributes too; and every service that it or its imports declare."""

    def __init__(self, functions: Mapping[str, LoadedFunction], services: Mapping[str, Service]) -> None:
        """Keep both, by name."""
        self.functions = dict(functions)
        self.services = dict(services)

    def __getattr__(self, name: str) -> LoadedFunction:
        """A function by its name."""
        try:
            return self.functions[name]
        except KeyError:
            exported = ", ".join(self.functions) or "none"
            raise AttributeError(f"no function `{name}` is exported (exported: {exported})") from None

    def __dir__(self) -> list[str]:
        """Functions too."""
        return [*super().__dir__(), *self.functions]


def load(
    path: str | os.PathLike[str], *, imports: Sequence[str | os.PathLike[str]] = (), constants: Sequence[str] = ()
) -> Module:
    """Compile a file. imports: folders to look for imports in. constants: texts `NAME = literal`. Raises ProgramInvalid."""
    import aquac

    if not os.path.isfile(path):
        raise ProgramInvalid(f"no such file: {os.fspath(path)}", ())
    options = aquac.Options(no_empty_response=False)
    return _module(aquac.compile_path(path, imports=list(imports), constants=constants, options=options))


def load_source(
    text: str,
    *,
    path: str | os.PathLike[str] = "source.aqua",
    imports: Sequence[str | os.PathLike[str]] = (),
    constants: Sequence[str] = (),
) -> Module:
    """The same for a text, as if it stood in the file `path`. Raises ProgramInvalid."""
    import aquac

    options = aquac.Options(no_empty_response=False)
    return _module(aquac.compile_source(text, path=path, imports=list(imports), constants=constants, options=options))


def _module(compiled: Compiled) -> Module:
    if not compiled.ok:
        from aquac.render import render_text

        errors = [item for item in compiled.diagnostics if item.is_error]
        raise ProgramInvalid(render_text(errors, color=False, base=os.getcwd()).rstrip(), compiled.diagnostics)
    functions = {}
    for name, function in compiled.functions.items():
        made: Function[Any] = Function(
            script=function.script, definition=function.definition, data={}, find=_finder(function)
        )
        functions[name] = LoadedFunction(name, made, function.definition["arrow"]["domain"])
    services = {
        item.name: Service(
            name=item.name,
            methods={label: label for label in item.functions},
            definition={
                "functions": {"tag": "labeledProduct", "fields": dict(item.functions)}
                if item.functions
                else {"tag": "nil"},
                **({} if item.default_id is None else {"defaultServiceId": item.default_id}),
            },
            data={},
        )
        for item in declarations_of(compiled)
    }
    return Module(functions, services)


def _finder(function: CompiledFunction) -> Callable[[str], tuple[Source, ...]]:
    return lambda instruction: sources_of(instruction, places_of(function))
