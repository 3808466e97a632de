"""Services with canned results, from a JSON file: method name → what it answers.

    {"hello": {"result": "hi"},
     "next": {"results": [1, 2, 3]},
     "find": {"cases": [{"args": ["a"], "result": 1}, {"result": 0}]},
     "fail": {"error": "out of order"}}

`results` are answered one after another, the last for ever; of `cases` the first whose `args` are equal, or that has none.
Errors: `ServiceFileError` for the file; a call that no case fits is a catchable error of the program.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import dumps, equal
from runtime.conversion import ConversionError, arguments_of, result_to_aqua, to_aqua, type_text
from runtime.python_services import ServiceFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.conversion import Type
    from runtime.python_services import Declaration
    from runtime.services.registry import CallContext, Handler

_KINDS: Final = ("result", "results", "cases", "error")


def load_json_service(path: str, declaration: Declaration | None) -> dict[str, Handler]:
    """Handlers of a JSON service file, checked against the declaration if there is one. Raises ServiceFileError."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            document = json.load(file)
    except OSError as error:
        raise ServiceFileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ServiceFileError(f"{path}: not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise ServiceFileError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ServiceFileError(f"{path}: expected an object of methods")
    if declaration is not None:
        for name, declared in declaration.functions.items():
            if name not in document:
                raise ServiceFileError(
                    f"{path}: service {declaration.name} declares `{name}: {type_text(declared)}`, but the file has no `{name}`"
                )
    handlers = {}
    for name, entry in document.items():
        arrow: Type | None = declaration.functions.get(name) if declaration is not None else None
        if declaration is not None and arrow is None:
            raise ServiceFileError(f"{path}: service {declaration.name} declares no method `{name}`")
        handlers[name] = _method(f"{path}: {name}", entry, arrow)
    return handlers


def _method(where: str, entry: Any, arrow: Type | None) -> Handler:
    if not isinstance(entry, dict) or len(entry) != 1 or next(iter(entry)) not in _KINDS:
        raise ServiceFileError(f"{where}: expected an object with one of {', '.join(_KINDS)}")
    ((kind, content),) = entry.items()
    match kind:
        case "result":
            value = _converted(where, content, arrow)
            return lambda _, __: value
        case "error":
            return _failing(content)
        case "results":
            return _sequence(where, content, arrow)
        case _:
            return _cases(where, content, arrow)


def _converted(where: str, value: Any, arrow: Type | None) -> Any:
    if arrow is None:
        return value
    try:
        return result_to_aqua(value, arrow["codomain"], where)
    except ConversionError as error:
        raise ServiceFileError(str(error)) from error


def _failing(message: Any) -> Handler:
    def handler(_: list[Any], __: CallContext) -> Any:
        raise RuntimeError(message if isinstance(message, str) else dumps(message))

    return handler


def _sequence(where: str, content: Any, arrow: Type | None) -> Handler:
    if not isinstance(content, list) or not content:
        raise ServiceFileError(f"{where}: `results` must be an array of at least one")
    values = [_converted(where, value, arrow) for value in content]
    calls = iter(range(len(values) - 1))

    def handler(_: list[Any], __: CallContext) -> Any:
        return values[next(calls, len(values) - 1)]

    return handler


def _cases(where: str, content: Any, arrow: Type | None) -> Handler:
    if not isinstance(content, list) or not all(isinstance(case, dict) for case in content):
        raise ServiceFileError(f"{where}: `cases` must be an array of objects")
    cases: list[tuple[list[Any] | None, Callable[[], Any]]] = []
    for at, case in enumerate(content):
        place = f"{where}, case {at}"
        if not case.keys() <= {"args", "result", "error"} or ("result" in case) == ("error" in case):
            raise ServiceFileError(f"{place}: expected `result` or `error`, and optionally `args`")
        args = case.get("args")
        if args is not None and not isinstance(args, list):
            raise ServiceFileError(f"{place}: `args` must be an array")
        if arrow is not None and args is not None:
            args = _arguments(place, args, arrow)
        if "error" in case:
            cases.append((args, _raising(case["error"])))
        else:
            cases.append((args, _returning(_converted(place, case["result"], arrow))))

    def handler(values: list[Any], _: CallContext) -> Any:
        for args, answer in cases:
            if args is None or equal(args, values):
                return answer()
        raise RuntimeError(f"no case for the arguments {dumps(values)}")

    return handler


def _arguments(place: str, args: list[Any], arrow: Type) -> list[Any]:
    """Arguments as the program passes them. Raises ServiceFileError."""
    declared = arguments_of(arrow["domain"])
    if len(args) != len(declared):
        raise ServiceFileError(f"{place}: {len(args)} arguments, the method has {len(declared)}")
    try:
        return [to_aqua(value, kind, f"{place}, {name}") for value, (name, kind) in zip(args, declared, strict=True)]
    except ConversionError as error:
        raise ServiceFileError(str(error)) from error


def _returning(value: Any) -> Callable[[], Any]:
    return lambda: value


def _raising(message: Any) -> Callable[[], Any]:
    def answer() -> Any:
        raise RuntimeError(message if isinstance(message, str) else dumps(message))

    return answer
