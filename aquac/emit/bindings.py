"""What generators of client code work from: definitions, scripts and doc comments of everything a compilation exports.

Input:  `Compiled` without errors.
Output: `Bindings`; order as in the JSON document.
Errors: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.records import dataclass, field
from aquac.semantics.raw import FuncPart, ServicePart, TypePart
from aquac.semantics.types import Struct

from .definitions import type_definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquac.compiler import Compiled, CompiledFunction
    from aquac.semantics.raw import ModuleContext, Part

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Doc:
    """A doc comment and those of the members; empty text for none."""

    text: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


NO_DOC = Doc()


@dataclass(frozen=True, slots=True)
class BoundFunction:
    """A function to call. `definition` is its `funcDef`, `compiled` what it was made of."""

    name: str
    script: str
    definition: Json
    compiled: CompiledFunction
    doc: str = ""

    @property
    def arguments(self) -> list[tuple[str, Json]]:
        """Names and types of the arguments."""
        return product_fields(self.definition["arrow"]["domain"])

    @property
    def codomain(self) -> Json:
        """What it returns."""
        codomain: Json = self.definition["arrow"]["codomain"]
        return codomain


@dataclass(frozen=True, slots=True)
class BoundService:
    """A service to implement."""

    name: str
    definition: Json
    doc: Doc = NO_DOC

    @property
    def methods(self) -> list[tuple[str, Json]]:
        """Names and arrows of the methods."""
        return product_fields(self.definition["functions"])

    @property
    def default_id(self) -> str | None:
        """The id under which the program expects it, if it says."""
        return self.definition.get("defaultServiceId")


@dataclass(frozen=True, slots=True)
class Bindings:
    """Everything exported. `data_docs`: definition of a data type and its doc comments, by name; only commented ones."""

    functions: tuple[BoundFunction, ...]
    services: tuple[BoundService, ...]
    data_docs: Mapping[str, list[tuple[Json, Doc]]] = field(default_factory=dict)

    def data_doc(self, struct: Json) -> Doc:
        """Doc comments of the data type with this definition."""
        return next((doc for known, doc in self.data_docs.get(struct["name"], ()) if known == struct), NO_DOC)


def bindings(compiled: Compiled) -> Bindings:
    """Collect what `compiled` exports."""
    return Bindings(
        tuple(
            BoundFunction(name, f.script, f.definition, f, _function_doc(compiled.contexts[f.path], name))
            for name, f in compiled.functions.items()
        ),
        tuple(
            BoundService(name, definition, _service_doc(compiled, name))
            for name, definition in compiled.services.items()
        ),
        _data_docs(compiled),
    )


def product_fields(product: Json) -> list[tuple[str, Json]]:
    """Labels and types of a PRODUCT; unlabelled ones are `arg0`, `arg1`, …."""
    match product["tag"]:
        case "labeledProduct":
            return list(product["fields"].items())
        case "unlabeledProduct":
            return [(f"arg{at}", kind) for at, kind in enumerate(product["items"])]
        case _:
            return []


def product_types(product: Json) -> list[Json]:
    """Types of a PRODUCT."""
    return [kind for _, kind in product_fields(product)]


def _function_doc(context: ModuleContext, name: str) -> str:
    part = _exported(context, name, is_type=False)
    return part.doc if isinstance(part, FuncPart) else ""


def _service_doc(compiled: Compiled, name: str) -> Doc:
    """Of several entries that export the name, the last one's service was compiled."""
    for path in reversed(compiled.entries):
        part = _exported(compiled.contexts[path], name, is_type=True)
        if isinstance(part, ServicePart):
            return Doc(part.doc, part.member_docs)
    return NO_DOC


def _exported(context: ModuleContext, name: str, *, is_type: bool) -> Part | None:
    """What a module exports as `name`, of its own, imported or of a used module."""
    for inside, outside in context.exports.items():
        if outside == name:
            part = context.part(inside, is_type=is_type) or context.member(inside, is_type=is_type)
            if part is not None:
                return part
    return None


def _data_docs(compiled: Compiled) -> dict[str, list[tuple[Json, Doc]]]:
    found: dict[int, TypePart] = {}
    for context in compiled.contexts.values():
        for _, part in context.parts:
            # An alias is a part too; the comment on it is not about the data.
            if isinstance(part, TypePart) and isinstance(part.type, Struct) and part.name == part.type.name:
                found[id(part)] = part
    docs: dict[str, list[tuple[Json, Doc]]] = {}
    for part in found.values():
        if part.doc or part.member_docs:
            docs.setdefault(part.name, []).append((type_definition(part.type), Doc(part.doc, part.member_docs)))
    return docs
