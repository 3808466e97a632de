"""TypeScript bindings for `@fluencelabs/js-client` 0.9.0: sources for target `ts`, declarations for target `js`.

Input:  `Bindings`.
Output: module text in the layout of `@fluencelabs/aqua-to-js` 0.3.13. Doc comments become JSDoc, only where the program has
        some. Two things differ on purpose: names that ECMAScript reserves get an underscore, and the header of the sources
        gives the client's functions types loose enough for `tsc --strict`; the reference switches checking off instead.
Errors: none.
Source: js-client:packages/core/aqua-to-js/src (spec aqua-to-air §18.1)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aquac.records import dataclass
from aquac.version import VERSION

from .bindings import product_fields, product_types
from .names import ECMASCRIPT_RESERVED, Namer, capitalized

if TYPE_CHECKING:
    from .bindings import Bindings, BoundFunction, BoundService

Json = dict[str, Any]

COMMENT: Final = f"""\
/* eslint-disable */
/**
 *
 * This file is generated using:
 * aquac version: {VERSION}
 * It is made again from the Aqua source: do not edit it.
 *
 */
"""

TYPE_IMPORT: Final = (
    "import type { IFluenceClient as IFluenceClient$$, ParticleContext as ParticleContext$$ } "
    "from '@fluencelabs/js-client';\n"
)

# The client checks arguments when it is called; its own types fit no tuple with an optional `config`.
_LOOSE_TYPES: Final = """\
const callFunction$$ = v5_callFunction$$ as (args: unknown[], def: unknown, script: string) => Promise<any>;
const registerService$$ = v5_registerService$$ as (args: unknown[], def: unknown) => void;
"""

IMPORT: Final = """\

// Making aliases to reduce chance of accidental name collision
import {
    v5_callFunction as callFunction$$,
    v5_registerService as registerService$$
} from '@fluencelabs/js-client';"""

_STRICT_IMPORT: Final = IMPORT.replace(" as callFunction$$", " as v5_callFunction$$").replace(
    " as registerService$$", " as v5_registerService$$"
)

_CONFIG: Final = "config?: {ttl?: number}"
_PEER: Final = "peer: IFluenceClient$$"
_NUMBERS: Final = frozenset(("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"))


@dataclass(frozen=True, slots=True)
class FunctionNames:
    """Identifiers made for a function: itself, its script, and the stem of its types."""

    name: str
    stem: str

    @property
    def script(self) -> str:
        """Constant that holds the script."""
        return f"{self.name}_script"


@dataclass(frozen=True, slots=True)
class ModuleNames:
    """Identifiers of the functions of a module, by their names in the program. Those of services need no change."""

    functions: dict[str, FunctionNames]


def module_names(bindings: Bindings) -> ModuleNames:
    """Choose identifiers: those of the program, with underscores where ECMAScript or another name is in the way."""
    values = Namer(ECMASCRIPT_RESERVED)
    types = Namer(())
    for service in bindings.services:
        values.name(f"register{service.name}")
        types.name(f"{service.name}Def")
    functions = {}
    for function in bindings.functions:
        name = values.name_with(function.name, ("", "_script"))
        arguments = [f"Arg{capitalized(label)}" for label, _ in function.arguments]
        stem = types.name_with(capitalized(function.name), ("Params", "Result", "ResultType", *arguments))
        functions[function.name] = FunctionNames(name, stem)
    return ModuleNames(functions)


def typescript_source(bindings: Bindings) -> str:
    """Module of target `ts`."""
    names = module_names(bindings)
    services = [f"{service_types(service)}\n{register_function(service, typed=True)}" for service in bindings.services]
    functions = []
    for function in bindings.functions:
        known_as = names.functions[function.name]
        signature = f"(...args: {known_as.stem}Params): {known_as.stem}Result"
        functions.append(
            f"{script_constant(function, known_as)}\n{function_types(function, known_as.stem)}\n"
            f"{jsdoc(function.doc)}{call_function(function, known_as, signature)}"
        )
    header = COMMENT + TYPE_IMPORT + _LOOSE_TYPES + _STRICT_IMPORT
    return module(header, "\n\n".join(services) + "\n" if services else "", "\n\n".join(functions))


def typescript_declarations(bindings: Bindings) -> str:
    """Declarations beside the module of target `js`."""
    names = module_names(bindings)
    services = [service_types(service) for service in bindings.services]
    functions = [
        jsdoc(function.doc) + function_types(function, names.functions[function.name].stem)
        for function in bindings.functions
    ]
    return module(COMMENT + TYPE_IMPORT + IMPORT, "\n".join(services), "\n".join(functions))


# ── parts shared with target js ──────────────────────────────────────────────────────────────────────────────────────


def module(header: str, services: str, functions: str) -> str:
    """A whole module; a section that is empty leaves its line breaks."""
    first = f"// Services\n{services}\n" if services else ""
    second = f"// Functions\n{functions}\n" if functions else ""
    return f"{header}\n\n{first}\n{second}"


def script_constant(function: BoundFunction, names: FunctionNames) -> str:
    """The constant with the script of a function."""
    return f"export const {names.script} = `\n{template_text(function.script)}`;\n"


def call_function(function: BoundFunction, names: FunctionNames, signature: str) -> str:
    """The function that calls the program."""
    return f"""\
export function {names.name}{signature} {{
    return callFunction$$(
        args,
        {json_text(function.definition)},
        {names.script}
    );
}}"""


def register_function(service: BoundService, *, typed: bool) -> str:
    """The function that registers an implementation of a service."""
    return f"""\
export function register{service.name}(...args{": any[]" if typed else ""}) {{
    registerService$$(
        args,
        {json_text(service.definition)}
    );
}}"""


def jsdoc(text: str, indent: str = "") -> str:
    """A doc comment with its line break, nothing for no text."""
    if not text.strip():
        return ""
    lines = [f"{indent} * {line}".rstrip() for line in text.replace("*/", "*\\/").splitlines()]
    return "\n".join([f"{indent}/**", *lines, f"{indent} */", ""])


def template_text(text: str) -> str:
    """Text as the inside of a template literal."""
    escaped = text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    # The language reads any line break in a template as a line feed.
    return escaped.replace("\r", "\\r")


def json_text(value: Json) -> str:
    """As `JSON.stringify(value, null, 4)`."""
    return json.dumps(value, indent=4, ensure_ascii=False)


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def function_types(function: BoundFunction, stem: str) -> str:
    """Types of a function: structs among its arguments, its result, its parameters."""
    named, parameters = [], []
    labels = Namer(ECMASCRIPT_RESERVED)
    for label, kind in function.arguments:
        declaration, text = named_type(kind, f"{stem}Arg{capitalized(label)}")
        named += declaration
        parameters.append(f"{labels.name(label)}: {text}")
    parameters.append(_CONFIG)
    overloads = " | ".join(f"[{', '.join(items)}]" for items in (parameters, [_PEER, *parameters]))
    result_declaration, result = named_type(function.codomain, f"{stem}ResultType")
    blocks = ["\n".join(named)] if named else []
    blocks += result_declaration
    blocks += [f"export type {stem}Params = {overloads};", f"export type {stem}Result = Promise<{result}>;\n"]
    return "\n\n".join(blocks)


def service_types(service: BoundService) -> str:
    """Interface of a service and the overloads of its registration."""
    members = [
        f"{jsdoc(service.doc.members.get(name, ''), '    ')}    {name}: {type_text(arrow)};"
        for name, arrow in service.methods
    ]
    overloads = [["serviceId: string"], [_PEER, "serviceId: string"]]
    if service.default_id is not None:
        overloads = [[], ["serviceId: string"], [_PEER], [_PEER, "serviceId: string"]]
    registrations = [
        f"export function register{service.name}({', '.join([*overload, f'service: {service.name}Def'])}): void;"
        for overload in overloads
    ]
    head = f"{jsdoc(service.doc.text)}export interface {service.name}Def {{"
    return "\n".join([head, "\n".join(members), "}", *registrations])


def named_type(kind: Json, name: str) -> tuple[list[str], str]:
    """A type as the text to use, and its declaration where it deserves a name: data, and several values."""
    match kind["tag"]:
        case "nil":
            return [], "void"
        case "struct":
            return [f"export type {name} = {type_text(kind)}"], name
        case "labeledProduct" | "unlabeledProduct":
            parts = product_types(kind)
            if len(parts) == 1:
                return named_type(parts[0], name)
            return [f"export type {name} = {type_text(kind)}"], name
        case _:
            return [], type_text(kind)


def type_text(kind: Json) -> str:
    """A type as an expression.

    An array of options reads `T | null[]`, without brackets, as the reference has it: bindings are compared as text.
    """
    match kind["tag"]:
        case "scalar":
            return _scalar(kind["name"])
        case "option":
            return f"{type_text(kind['type'])} | null"
        case "array":
            return f"{type_text(kind['type'])}[]"
        case "struct" | "labeledProduct":
            members = " ".join(f"{name}: {type_text(member)};" for name, member in kind["fields"].items())
            return f"{{ {members} }}"
        case "unlabeledProduct":
            return f"[{', '.join(map(type_text, kind['items']))}]"
        case "arrow":
            return _arrow(kind)
        case "topType":
            return "unknown"
        case "bottomType":
            return "never"
        case _:
            return "null"


def _scalar(name: str) -> str:
    if name in _NUMBERS:
        return "number"
    # Other scalars are the types of literals.
    return {"bool": "boolean", "string": "string"}.get(name, "any")


def _arrow(kind: Json) -> str:
    namer = Namer(ECMASCRIPT_RESERVED | {"callParams"})
    parameters = [f"{namer.name(label)}: {type_text(part)}" for label, part in product_fields(kind["domain"])]
    parameters.append("callParams: ParticleContext$$")
    results = product_types(kind["codomain"])
    result = "void" if not results else type_text(results[0] if len(results) == 1 else kind["codomain"])
    return f"({', '.join(parameters)}) => {result} | Promise<{result}>"
