"""What the person who runs a program provides for it: services and callbacks, from files.

Errors: `CommandError` (exit 2) naming the flag and the place in the file.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from aquac.command_line import CommandError
from runtime.conversion import result_to_aqua
from runtime.json_services import load_json_service
from runtime.python_services import (
    Declaration,
    ServiceFileError,
    bind,
    callback,
    check_method,
    load_module,
    python_service,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.conversion import Type
    from runtime.services.registry import Handler

CLIENT = "client"


class ProvidedService(NamedTuple):
    """A service to register: on which peer (by name), under which id, with which handlers."""

    peer: str
    service_id: str
    handlers: dict[str, Handler]


def split_assignment(flag: str, text: str, *, form: str) -> tuple[str, str]:
    """`NAME=rest` of a flag. Raises CommandError."""
    name, found, rest = text.partition("=")
    name = name.strip()
    if not found or not name or not rest:
        raise CommandError(f"{flag} {text}: expected {form}")
    return name, rest


def load_service(text: str, declarations: Sequence[Declaration], *, timeout_ms: float | None = None) -> ProvidedService:
    """The service of one `--service NAME[@PEER]=FILE`. NAME is a service of the program or a service id.

    timeout_ms: for one call of a Wasm module.
    """
    target, path = split_assignment("--service", text, form="NAME=file.py, NAME=file.json or NAME=module.wasm")
    name, found, peer = target.partition("@")
    if found and not peer:
        raise CommandError(f"--service {text}: no peer after `@`")
    declaration = next((item for item in declarations if name in (item.name, item.default_id)), None)
    try:
        if path.endswith(".py"):
            names = (name,) if declaration is None else (declaration.name, declaration.default_id or name)
            own_id, methods = python_service(path, names)
            handlers = bind(declaration, methods, path)
        elif path.endswith(".json"):
            own_id = None
            handlers = load_json_service(path, declaration)
        elif path.endswith((".wasm", ".toml", ".tar", ".zip")):
            from runtime.marine.provided import load_wasm_service

            own_id = None
            handlers = load_wasm_service(path, declaration, timeout_ms=timeout_ms)
        else:
            raise CommandError(f"--service {text}: expected a .py, .json, .wasm, .toml, .tar or .zip file")
    except ServiceFileError as error:
        raise CommandError(f"--service {name}: {error}") from error
    return ProvidedService(peer or CLIENT, _service_id(name, own_id, declaration, path), handlers)


def _service_id(name: str, own_id: str | None, declaration: Declaration | None, path: str) -> str:
    """The id under which the program will ask: the declared default, else what the file says, else NAME itself."""
    default_id = declaration.default_id if declaration is not None else None
    if default_id is None:
        return own_id or name
    if own_id not in (None, default_id):
        raise CommandError(f"{path}: the service is marked {own_id!r}, but the program declares the id {default_id!r}")
    return default_id


def load_callback(text: str, declared: dict[str, Type]) -> tuple[str, Callable[[list[Any]], Any]]:
    """The function of one `--callback NAME=print|FILE.py[:FUNCTION]`, checked against the arrow declared for NAME."""
    name, source = split_assignment("--callback", text, form="NAME=print or NAME=file.py[:function]")
    arrow = declared.get(name)
    if source == "print":
        return name, _printer(name, arrow)
    path, _, function = source.partition(":")
    if not path.endswith(".py"):
        raise CommandError(f"--callback {text}: expected `print` or a .py file")
    try:
        method = getattr(load_module(path), function or name, None)
        if not callable(method):
            raise CommandError(f"--callback {name}: {path} has no function `{function or name}`")
        if arrow is not None:
            check_method(path, function or name, arrow, method)
    except ServiceFileError as error:
        raise CommandError(f"--callback {name}: {error}") from error
    return name, callback(method, name, arrow)


def _printer(name: str, arrow: Type | None) -> Callable[[list[Any]], Any]:
    """Prints its arguments to stderr and answers nothing."""

    def run(values: list[Any]) -> Any:
        shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
        print(f"{name}({shown})", file=sys.stderr)  # noqa: T201 - stdout carries the result only
        return {} if arrow is None else result_to_aqua(None, arrow["codomain"], name)

    return run
