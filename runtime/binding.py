"""What modules made by `aquac build --target py` are built on: calls and services with data classes.

A data type of the program is a data class whose fields stand in the order of its definition; their names may differ from
the program's where Python forbids these. Loads neither trio nor the interpreter.
Errors: those of `runtime.client.errors`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from runtime.client.errors import ResultError, ServiceInvalid
from runtime.client.invocation import Caller, Invocation
from runtime.client.places import sources_of, unfolded
from runtime.conversion import (
    ConversionError,
    arguments_of,
    from_aqua,
    result_from_aqua,
    result_to_aqua,
    results_of,
    scalar_from_aqua,
    to_aqua,
    type_text,
)
from runtime.python_services import ServiceFileError, check_method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.client.places import Source
    from runtime.client.registration import Registration
    from runtime.conversion import Type
    from runtime.services.registry import CallContext, Handler

__all__ = ["Caller", "Function", "Service"]

Result = TypeVar("Result")

_RESPONSE: Final = '("callbackSrv" "response")'


class Function(Generic[Result]):
    """An exported function."""

    def __init__(
        self,
        *,
        script: str,
        definition: Type,
        data: Mapping[str, type],
        sources: Sequence[str] = (),
        places: Sequence[tuple[int, int, int]] = (),
        find: Callable[[str], tuple[Source, ...]] | None = None,
    ) -> None:
        """`definition`: its `funcDef`. `data`: classes by the names its data types have there.

        sources, places: Aqua files and lines that lines of the script come from, see `places.unfolded`; find: the same as a function.
        """
        self._script = script
        self._definition = definition
        self._values = _Values(data)
        self._sources = sources
        self._places = places
        self._find = find or self._sources_of

    def _sources_of(self, instruction: str) -> tuple[Source, ...]:
        return sources_of(instruction, unfolded(self._script, self._sources, self._places))

    async def call(self, client: Caller, arguments: Sequence[Any], ttl_ms: int | None) -> Result:
        """Call it and wait for its result.

        A function without results does not report its end, unless it was compiled with `--empty-response`: the call returns when
        the program has left for the relay, or has nothing more to do here. To be cancelled forgets the call. Raises
        ConversionError, ArgumentError before anything is sent; CallFailed, ClientClosed.
        """
        name, arrow = self._definition["functionName"], self._definition["arrow"]
        values: dict[str, Any] = {}
        callbacks: dict[str, Callable[[list[Any]], Any]] = {}
        for value, (label, kind) in zip(arguments, arguments_of(arrow["domain"]), strict=True):
            place = f"{name}, argument `{label}`"
            if kind["tag"] == "arrow":
                if not callable(value):
                    raise ConversionError(place, f"a function ({type_text(kind)})", value)
                callbacks[label] = self._values.callback(value, kind, place)
            else:
                values[label] = to_aqua(self._values.plain(value, kind), kind, place)
        codomain = arrow["codomain"]
        answers = bool(results_of(codomain)) or _RESPONSE in self._script
        call = Invocation(self._script, values, callbacks, ttl_ms, answers=answers, name=name, find=self._find)
        answer = await client.perform(call)
        try:
            result: Result = self._values.result(answer.values, codomain, f"{name}, result")
        except ConversionError as error:
            failed = ResultError(str(error), answer.particle_id, answer.values)
            failed.locate(name, self._find)
            raise failed from error
        return result


class Service:
    """A service as Aqua declares it."""

    def __init__(self, *, name: str, methods: Mapping[str, str], definition: Type, data: Mapping[str, type]) -> None:
        """`methods`: names of the methods in Python by those in Aqua. `definition`, `data`: as for a function."""
        self.name = name
        self.default_id: str | None = definition.get("defaultServiceId")
        self._methods = methods
        self._arrows: dict[str, Type] = dict(arguments_of(definition["functions"]))
        self._values = _Values(data)

    def register(self, client: Caller, implementation: object, service_id: str) -> Registration:
        """Let `implementation` answer calls to `service_id` on the client's peer, until the registration ends.

        A method that takes one parameter more than declared, called `context`, gets the `CallContext` in it. Raises
        ServiceInvalid.
        """
        handlers = self.handlers(implementation)
        return client.provide(service_id, handlers)

    def handlers(self, implementation: object) -> dict[str, Handler]:
        """Functions of JSON for the methods of an object, or the entries of a mapping.

        Raises ServiceInvalid for the first that is missing, takes another number of arguments than declared, or is annotated
        with another built-in type.
        """
        handlers: dict[str, Handler] = {}
        for name, arrow in self._arrows.items():
            method = self._method(implementation, self._methods[name])
            if not callable(method):
                raise ServiceInvalid(
                    f"{type(implementation).__name__} has no method `{self._methods[name]}`; "
                    f"service {self.name} declares `{name}: {type_text(arrow)}`"
                )
            with_context = _takes_context(method, len(arguments_of(arrow["domain"])))
            try:
                check_method(self.name, name, arrow, method, with_context=with_context)
            except ServiceFileError as error:
                raise ServiceInvalid(str(error)) from error
            handlers[name] = self._handler(method, name, arrow, with_context=with_context)
        return handlers

    def _method(self, implementation: object, name: str) -> Any:
        if isinstance(implementation, Mapping):
            return implementation.get(name)
        if inspect.isroutine(implementation) and len(self._arrows) == 1:
            return implementation
        return getattr(implementation, name, None)

    def _handler(self, method: Callable[..., Any], name: str, arrow: Type, *, with_context: bool) -> Handler:
        run = self._values.callback(method, arrow, f"{self.name}.{name}")
        if not with_context:
            return lambda values, _: run(values)

        def handler(values: list[Any], context: CallContext) -> Any:
            def in_context(*given: Any) -> Any:
                return method(*given, context=context)

            return self._values.callback(in_context, arrow, f"{self.name}.{name}")(values)

        return handler


class _Values:
    """Conversion between JSON and data classes, directed by definitions. As deep as types are nested."""

    def __init__(self, data: Mapping[str, type]) -> None:
        self._data = data

    def plain(self, value: Any, kind: Type) -> Any:
        """The value with objects in place of data classes. What has not its type is left for `to_aqua` to report."""
        match kind["tag"]:
            case "option":
                return None if value is None else self.plain(value, kind["type"])
            case "array" if isinstance(value, list | tuple):
                return [self.plain(element, kind["type"]) for element in value]
            case "unlabeledProduct" if isinstance(value, list | tuple) and len(value) == len(kind["items"]):
                return [self.plain(part, item) for part, item in zip(value, kind["items"], strict=True)]
            case "struct" if type(value) is self._data.get(kind["name"]):
                names = _field_names(type(value))
                return {
                    label: self.plain(getattr(value, name), member)
                    for name, (label, member) in zip(names, kind["fields"].items(), strict=True)
                }
            case _:
                return value

    def rich(self, value: Any, kind: Type, place: str) -> Any:
        """The value, as `from_aqua` gives it, with data classes in place of objects.

        Raises ConversionError for a scalar of another kind: annotations promise which it is.
        """
        match kind["tag"]:
            case "option":
                return None if value is None else self.rich(value, kind["type"], place)
            case "array":
                return [self.rich(element, kind["type"], f"{place}[{at}]") for at, element in enumerate(value)]
            case "unlabeledProduct":
                parts = enumerate(zip(value, kind["items"], strict=True))
                return tuple(self.rich(part, item, f"{place}[{at}]") for at, (part, item) in parts)
            case "struct":
                members = {
                    label: self.rich(value[label], member, f"{place}.{label}")
                    for label, member in kind["fields"].items()
                }
                made = self._data.get(kind["name"])
                if made is None:
                    return members
                return made(**dict(zip(_field_names(made), members.values(), strict=True)))
            case "scalar":
                return scalar_from_aqua(value, kind, place)
            case _:
                return value

    def result(self, values: list[Any], codomain: Type, place: str) -> Any:
        """What a call returns, several results as a tuple. Raises ConversionError."""
        return self.rich(result_from_aqua(values, codomain, place), _alone(codomain), place)

    def callback(self, method: Callable[..., Any], arrow: Type, place: str) -> Callable[[list[Any]], Any]:
        """A function of Python values as one of JSON. Raises ConversionError when called with what does not fit."""
        declared = arguments_of(arrow["domain"])
        codomain = arrow["codomain"]

        async def run(values: list[Any]) -> Any:
            if len(values) != len(declared):
                raise ConversionError(place, f"{len(declared)} arguments", values)
            arguments = [
                self.rich(from_aqua(value, kind, where := f"{place}, argument `{label}`"), kind, where)
                for value, (label, kind) in zip(values, declared, strict=True)
            ]
            result = method(*arguments)
            if inspect.isawaitable(result):
                result = await result
            return result_to_aqua(self.plain(result, _alone(codomain)), codomain, f"{place}, result")

        return run


def _field_names(data: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(data)]


def _alone(codomain: Type) -> Type:
    """The type of what Python sees of a codomain: one result is itself."""
    kinds = results_of(codomain)
    return kinds[0] if len(kinds) == 1 else codomain


def _takes_context(method: Callable[..., Any], arguments: int) -> bool:
    parameters = list(inspect.signature(method).parameters)
    return len(parameters) > arguments and parameters[-1] == "context"
