"""Services written in Python, checked against their declaration in Aqua before anything runs.

    from runtime.python_services import service

    @service("greeter")
    class Greeter:
        def hello(self, name: str) -> str:
            return f"hello, {name}"

Methods may be `async`. A method whose last parameter is named `context` gets the `CallContext` as well. Without a decorated
class the public functions of the file are the service. Options arrive and leave as None or the value.
Errors: `ServiceFileError` with file and line, for the file, a missing method, a wrong number of parameters or an
annotation that contradicts the declaration. What a method raises becomes a catchable error of the program.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from runtime.conversion import ConversionError, arguments_of, from_aqua, result_to_aqua, results_of, type_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from runtime.conversion import Type
    from runtime.services.registry import CallContext, Handler

Class = TypeVar("Class", bound=type)

_SERVICE_ID: Final = "__aqua_service_id__"

_PYTHON_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "string": ("str",),
    "bool": ("bool",),
    **dict.fromkeys(("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"), ("int",)),
    "f32": ("float", "int"),
    "f64": ("float", "int"),
}
_SIMPLE: Final = frozenset({"str", "bool", "int", "float", "bytes", "list", "dict", "tuple", "set", "None"})


class ServiceFileError(Exception):
    """A service file cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A service as Aqua declares it: method name → arrow, both in definition JSON."""

    name: str
    default_id: str | None
    functions: Mapping[str, Type]


def service(service_id: str) -> Callable[[Class], Class]:
    """Mark a class as the implementation of a service with this id."""
    if not isinstance(service_id, str) or not service_id:
        raise TypeError('service() takes the id of the service: @service("my-id")')

    def mark(cls: Class) -> Class:
        setattr(cls, _SERVICE_ID, service_id)
        return cls

    return mark


def load_module(path: str) -> ModuleType:
    """Run a Python file as a module of its own. Raises ServiceFileError."""
    file = Path(path)
    if not file.is_file():
        raise ServiceFileError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(f"aqua_service_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ServiceFileError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ServiceFileError(f"{path}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise ServiceFileError(f"{path}:{_line_in(error, file)}: {type(error).__name__}: {error}") from error
    return module


def _line_in(error: BaseException, file: Path) -> int:
    """Line of `file` at which an exception passed last."""
    line = 1
    file = file.absolute()  # as the import system names it
    traceback = error.__traceback__
    while traceback is not None:
        if Path(traceback.tb_frame.f_code.co_filename) == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def python_service(path: str, names: tuple[str, ...]) -> tuple[str | None, dict[str, Callable[..., Any]]]:
    """Service id (None when the file does not say) and methods of the service that a file offers.

    names: what the service may be called; needed when a file has several classes. Raises ServiceFileError.
    """
    module = load_module(path)
    classes = [value for value in vars(module).values() if inspect.isclass(value) and _SERVICE_ID in vars(value)]
    if not classes:
        functions: dict[str, Callable[..., Any]] = {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
        }
        if not functions:
            raise ServiceFileError(f"{path}: no class marked with @service and no public function")
        return None, functions
    if len(classes) > 1:
        wanted = [cls for cls in classes if getattr(cls, _SERVICE_ID) in names or cls.__name__ in names]
        if len(wanted) != 1:
            found = ", ".join(f"{cls.__name__} ({getattr(cls, _SERVICE_ID)!r})" for cls in classes)
            raise ServiceFileError(f"{path}: several services ({found}); none of them alone is {' or '.join(names)}")
        classes = wanted
    (cls,) = classes
    try:
        instance = cls()
    except (Exception, SystemExit) as error:
        raise ServiceFileError(f"{place_of(cls)}: {cls.__name__}() failed: {type(error).__name__}: {error}") from error
    return getattr(cls, _SERVICE_ID), methods_of(instance)


def id_of(implementation: object) -> str | None:
    """The id that `@service` has given to the class of an implementation."""
    found = getattr(type(implementation), _SERVICE_ID, None)
    return found if isinstance(found, str) else None


def methods_of(implementation: object) -> dict[str, Callable[..., Any]]:
    """What can be called of an implementation: entries of a mapping, a function under its own name, or public methods."""
    if isinstance(implementation, Mapping):
        return {name: value for name, value in implementation.items() if callable(value)}
    if inspect.isroutine(implementation):
        return {implementation.__name__: implementation}
    names = [name for name in dir(type(implementation)) if not name.startswith("_")]
    methods = {name: getattr(implementation, name) for name in names}
    return {name: value for name, value in methods.items() if callable(value)}


def place_of(thing: Any) -> str:
    """`file:line` of a class or function."""
    try:
        line = inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        line = 1
    return f"{inspect.getsourcefile(thing) or '?'}:{line}"


def bind(declaration: Declaration | None, methods: Mapping[str, Callable[..., Any]], path: str) -> dict[str, Handler]:
    """Handlers for the methods of a service, checked against its declaration if there is one.

    Raises ServiceFileError for the first method that does not fit.
    """
    if declaration is None:
        return {name: _handler(method, name, None) for name, method in methods.items()}
    handlers = {}
    for name, arrow in declaration.functions.items():
        method = methods.get(name)
        if method is None:
            raise ServiceFileError(
                f"{path}: service {declaration.name} declares `{name}: {type_text(arrow)}`, but there is no such method"
            )
        check_method(declaration.name, name, arrow, method)
        handlers[name] = _handler(method, name, arrow)
    return handlers


def check_method(
    owner: str, name: str, arrow: Type, method: Callable[..., Any], *, with_context: bool | None = None
) -> None:
    """Compare a method with its arrow. Raises ServiceFileError.

    Checked: the number of positional parameters; annotations that are plain built-in types. with_context: whether the last
    parameter takes the context; by default one that is named so does.
    """
    declared = arguments_of(arrow["domain"])
    where = place_of(method)
    signature = inspect.signature(method)
    positional = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if _takes_context(method) if with_context is None else with_context:
        positional = [parameter for parameter in positional if parameter.name != "context"]
    required = [parameter for parameter in positional if parameter.default is parameter.empty]
    takes_any = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in signature.parameters.values())
    if len(required) > len(declared) or (len(positional) < len(declared) and not takes_any):
        raise ServiceFileError(
            f"{where}: {owner}.{name} takes {len(positional)} arguments, "
            f"the declaration `{type_text(arrow)}` has {len(declared)}"
        )
    for parameter, (_, kind) in zip(positional, declared, strict=False):
        _check_annotation(where, f"parameter `{parameter.name}` of {owner}.{name}", parameter.annotation, kind)
    results = results_of(arrow["codomain"])
    if len(results) == 1:
        _check_annotation(where, f"the result of {owner}.{name}", signature.return_annotation, results[0])


def _check_annotation(where: str, what: str, annotation: Any, kind: Type) -> None:
    """Complain about an annotation that is a plain type and not the one declared; anything else may be an alias."""
    if annotation is inspect.Parameter.empty:
        return
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    text = text.split("[")[0].strip()
    if text not in _SIMPLE:
        return
    match kind["tag"]:
        case "scalar":
            expected = _PYTHON_TYPES.get(kind["name"], ())
        case "array":
            expected = ("list", "tuple")
        case "struct":
            expected = ("dict",)
        case _:
            return
    if text not in expected:
        raise ServiceFileError(f"{where}: {what} is annotated {text}, but declared as {type_text(kind)}")


def _takes_context(method: Callable[..., Any]) -> bool:
    parameters = list(inspect.signature(method).parameters)
    return bool(parameters) and parameters[-1] == "context"


def _handler(method: Callable[..., Any], name: str, arrow: Type | None) -> Handler:
    """Convert arguments, call, convert the result."""
    takes_context = _takes_context(method)

    async def handler(values: list[Any], context: CallContext) -> Any:
        arguments = list(values)
        if arrow is not None:
            declared = arguments_of(arrow["domain"])
            if len(declared) != len(values):
                raise ConversionError(name, f"{len(declared)} arguments", values)
            arguments = [
                from_aqua(value, kind, f"{name}, argument `{label}`")
                for value, (label, kind) in zip(values, declared, strict=True)
            ]
        result = method(*arguments, context=context) if takes_context else method(*arguments)
        if inspect.isawaitable(result):
            result = await result
        return result if arrow is None else result_to_aqua(result, arrow["codomain"], f"{name}, result")

    return handler


def callback(method: Callable[..., Any], name: str, arrow: Type | None) -> Callable[[list[Any]], Any]:
    """A function of Python values as the callback of a call; like a method without context."""
    handler = _handler(method, name, arrow)

    def run(values: list[Any]) -> Any:
        return handler(values, None)  # type: ignore[arg-type]  # only a `context` parameter would look at it

    return run
