"""Python bindings, target `py`: a typed module of client functions, data classes and service protocols.

Input:  `Bindings`.
Output: module text that passes `mypy --strict`. Importing it loads neither the network nor the interpreter; what it needs
        at run time is in `runtime.binding`. Names that Python or the module itself needs get an underscore behind them.
Errors: none.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aquac.project.stdlib import is_stdlib, stdlib_folder
from aquac.version import VERSION

from .bindings import product_fields, product_types
from .names import PYTHON_RESERVED, Namer, snake_case
from .python_types import BUILTIN_TYPES, TypeTexts, python_string

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .bindings import Bindings, BoundFunction, BoundService
    from .python_types import DataClass

Json = dict[str, Any]

_HEADER: Final = f'''\
"""Clients and services of an Aqua program.

Made by aquac {VERSION}; made again from the Aqua source: do not edit it. Functions take a client of
`runtime.client.connect` or `runtime.client.aio.connect` and raise `runtime.client.AquaError`: `ConversionError` for values that
do not have their type, before anything is sent, and `CallFailed` when the call fails.
"""

from __future__ import annotations

'''

_IMPORTED: Final = frozenset(
    ("Any", "Awaitable", "Callable", "Caller", "Final", "Function", "Never", "Protocol", "Registration", "Service")
) | {"TYPE_CHECKING", "annotations", "dataclass"}

_RESERVED: Final = PYTHON_RESERVED | BUILTIN_TYPES | _IMPORTED


def python_source(bindings: Bindings) -> str:
    """The module. Data classes come first, then services, then functions, as the names of types are used at run time."""
    return _Module(bindings).text()


class _Module:
    """Text of one module under construction."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._namer = Namer(_RESERVED | {"_DATA"})
        self._types = TypeTexts(self._namer)

    def text(self) -> str:
        for service in self._bindings.services:
            for _, arrow in service.methods:
                self._types.add_arrow(arrow)
        for function in self._bindings.functions:
            self._types.add_arrow(function.definition["arrow"])
        parts = [self._data_class(data) for data in self._types.classes]
        classes = ", ".join(f"{json.dumps(data.name)}: {data.name}" for data in self._types.classes)
        data = f"_DATA: Final[dict[str, type]] = {{{classes}}}"
        parts += [data, *map(self._service, self._bindings.services), *map(self._function, self._bindings.functions)]
        body = "\n\n\n".join(parts)
        return f"{_HEADER}{self._imports(body)}\n\n\n{body}\n"

    def _imports(self, body: str) -> str:
        """Only what the body uses, so that linters have nothing to say."""
        used = self._types.used
        abstract = [name for name in ("Awaitable", "Callable") if name in used]
        lines = [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
        if self._types.classes:
            lines.append("from dataclasses import dataclass")
        typing = ["TYPE_CHECKING"]
        typing += [name for name in ("Any",) if name in used]
        typing.append("Final")
        typing += [name for name in ("Never",) if name in used]
        typing += ["Protocol"] if self._bindings.services else []
        lines += [f"from typing import {', '.join(typing)}", ""]
        kinds = (("Function", self._bindings.functions), ("Service", self._bindings.services))
        lines.append(f"from runtime.binding import {', '.join(name for name, some in kinds if some)}")
        imported = "Caller, Registration" if self._bindings.services else "Caller"
        lines += ["", "if TYPE_CHECKING:", f"    from runtime.client import {imported}"]
        return "\n".join(lines)

    def _data_class(self, data: DataClass) -> str:
        doc = self._bindings.data_doc(data.definition)
        lines = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {data.name}:"]
        lines.append(docstring(doc.text or f"Data `{data.definition['name']}`.", "    "))
        lines.append("")
        # Names of types must keep their meaning inside the class.
        namer = Namer(_RESERVED | {known.name for known in self._types.classes})
        for label, kind in data.definition["fields"].items():
            default = " = None" if kind["tag"] == "option" else ""
            lines.append(f"    {namer.name(label)}: {self._types.text(kind)}{default}")
            if label in doc.members:
                lines.append(docstring(doc.members[label], "    "))
        return "\n".join([*lines, "", "", f"{data.schema}: Final = {self._types.schema(data)}"])

    # ── services ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _service(self, service: BoundService) -> str:
        name = self._namer.name(service.name)
        constant = self._namer.name(f"_{name}")
        namer = Namer(_RESERVED | {name} | {known.name for known in self._types.classes})
        methods = {label: namer.name(label) for label, _ in service.methods}
        protocol = [f"class {name}(Protocol):", docstring(service.doc.text or f"Service `{service.name}`.", "    ")]
        for label, arrow in service.methods:
            signature = f"    def {methods[label]}({self._method_parameters(arrow)}) -> {self._types.answer(arrow)}:"
            comment = service.doc.members.get(label, "")
            protocol += (
                ["", signature, docstring(comment, "        "), "        ..."]
                if comment
                else [
                    "",
                    f"{signature} ...",
                ]
            )
        return "\n".join([*protocol, "", "", self._registration(service, name, constant, methods)])

    def _method_parameters(self, arrow: Json) -> str:
        namer = Namer(PYTHON_RESERVED | {"self"})
        parameters = [
            f"{namer.name(label)}: {self._types.text(kind)}" for label, kind in product_fields(arrow["domain"])
        ]
        # Programs pass arguments by position; an implementation may call its parameters what it likes.
        return ", ".join(["self", *parameters, "/"])

    def _registration(self, service: BoundService, name: str, constant: str, methods: dict[str, str]) -> str:
        function = self._namer.name(f"register_{snake_case(name)}")
        default = "" if service.default_id is None else f" = {python_string(service.default_id)}"
        return f'''\
{constant}: Final = Service(
    name={python_string(service.name)},
    methods={json.dumps(methods)},
    definition={self._types.literal(service.definition, "    ")},
    data=_DATA,
)


def {function}(client: Caller, service: {name}, *, service_id: str{default}) -> Registration:
    """Serve the calls that programs make to `service_id` on the client's peer, until the registration ends."""
    return {constant}.register(client, service, service_id)'''

    # ── functions ────────────────────────────────────────────────────────────────────────────────────────────────

    def _function(self, function: BoundFunction) -> str:
        name = self._namer.name(function.name)
        constant = self._namer.name(f"_{name}")
        results = [self._types.text(kind) for kind in product_types(function.codomain)]
        result = "None" if not results else results[0] if len(results) == 1 else f"tuple[{', '.join(results)}]"
        namer = Namer(PYTHON_RESERVED | {"client", "ttl_ms"})
        arguments = [(namer.name(label), self._types.text(kind)) for label, kind in function.arguments]
        parameters = [
            "client: Caller",
            *(f"{label}: {text}" for label, text in arguments),
            "*",
            "ttl_ms: int | None = None",
        ]
        values = "".join(f"{label}, " for label, _ in arguments)
        values = values.rstrip() if len(arguments) == 1 else values.removesuffix(", ")
        back = "return " if results else ""
        sources, rows = function.compiled.source_map().rows(partial(_shown, os.path.dirname(function.compiled.path)))
        return f"""\
{constant}: Final = Function[{result}](
    script={script_text(function.script)},
    definition={self._types.literal(function.definition, "    ")},
    data=_DATA,
    sources={_tuple(map(python_string, sources))},
    places={_tuple(f"({line}, {source}, {at})" for line, source, at in rows)},
)


async def {name}({", ".join(parameters)}) -> {result}:
{docstring(function.doc or f"Call `{function.name}`.", "    ")}
    {back}await {constant}.call(client, ({values}), ttl_ms)"""


def _shown(folder: str, path: str) -> str:
    """Name of a source: of the library as imports have it, of others relative to the file of the function."""
    if is_stdlib(path):
        name = os.path.relpath(path, stdlib_folder()).replace(os.sep, "/")
        return f"@fluencelabs/{'' if name.startswith('spell/') else 'aqua-lib/'}{name}"
    return os.path.relpath(path, folder or ".").replace(os.sep, "/")


def _tuple(parts: Iterable[str]) -> str:
    """A tuple literal, wrapped."""
    items = list(parts)
    if len(items) < 2:
        return f"({items[0]},)" if items else "()"
    text = textwrap.fill(", ".join(items), 110, break_long_words=False, break_on_hyphens=False)
    lines = text.replace("\n", "\n        ")
    return f"(\n        {lines},\n    )"


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def docstring(text: str, indent: str) -> str:
    """A docstring, its lines indented."""
    first, *rest = _escaped(text.strip()).splitlines() or [""]
    lines = [f'{indent}"""{first}', *(f"{indent}{line}".rstrip() for line in rest)]
    return "\n".join([*lines, f'{indent}"""']) if rest else f'{lines[0]}"""'


def script_text(text: str) -> str:
    """A script as a literal of many lines; its own lines stay as they are."""
    return f'"""\\\n{_escaped(text)}"""'


def _escaped(text: str) -> str:
    """Text as the inside of a triple-quoted literal."""
    # A quote is in the way before two others, and before the three that end the literal.
    text = re.sub(r'"(?=""|"?\Z)', r"\"", text.replace("\\", "\\\\"))
    return text.replace("\r", "\\r").replace("\0", "\\x00")
