"""Types of definitions as Python annotations; data types become classes with names of their own.

Two data types of one name but different fields, from different modules, become two classes: `P` and `P_`. Embedded
definitions name the classes, so that a value finds its class by the name in its definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .bindings import product_types

if TYPE_CHECKING:
    from .names import Namer

Json = dict[str, Any]

BUILTIN_TYPES: Final = frozenset(("bool", "dict", "float", "int", "list", "str", "tuple", "type"))
"""Names that annotations of a generated module use."""

_SCALARS: Final = {
    "string": "str",
    "bool": "bool",
    **dict.fromkeys(("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "unsigned", "signed"), "int"),
    **dict.fromkeys(("f32", "f64", "float", "number"), "float"),
}


@dataclass(frozen=True, slots=True)
class DataClass:
    """A class for a data type."""

    name: str
    definition: Json


class TypeTexts:
    """Annotations of one module, and the classes and imports they need."""

    def __init__(self, namer: Namer) -> None:
        """`namer`: of the module."""
        self.classes: list[DataClass] = []
        self.used: set[str] = set()
        self._namer = namer

    def add_arrow(self, arrow: Json) -> None:
        """Make classes for the data types in an arrow, the inner ones first."""
        for kind in (*product_types(arrow["domain"]), *product_types(arrow["codomain"])):
            self._add(kind)

    def _add(self, kind: Json) -> None:
        match kind["tag"]:
            case "option" | "array":
                self._add(kind["type"])
            case "arrow":
                self.add_arrow(kind)
            case "struct":
                if self._class(kind) is None:
                    for member in kind["fields"].values():
                        self._add(member)
                    self.classes.append(DataClass(self._namer.name(kind["name"]), kind))
            case _:
                pass

    def _class(self, kind: Json) -> DataClass | None:
        return next((known for known in self.classes if known.definition == kind), None)

    def text(self, kind: Json) -> str:
        """Annotation for a type."""
        match kind["tag"]:
            case "scalar":
                return _SCALARS.get(kind["name"]) or self._use("Any")
            case "option":
                return self._option(kind["type"])
            case "array":
                return f"list[{self.text(kind['type'])}]"
            case "struct":
                known = self._class(kind)
                return self._use("Any") if known is None else known.name
            case "arrow":
                parameters = ", ".join(map(self.text, product_types(kind["domain"])))
                return f"{self._use('Callable')}[[{parameters}], {self.answer(kind)}]"
            case "topType":
                return self._use("Any")
            case "bottomType":
                return self._use("Never")
            case _:
                return "None"

    def _option(self, kind: Json) -> str:
        if kind["tag"] == "bottomType":
            return "None"
        text = self.text(kind)
        return text if kind["tag"] == "option" else f"{text} | None"

    def answer(self, arrow: Json) -> str:
        """What a method or callback may return: its result, or an awaitable of it."""
        results = [self.text(kind) for kind in product_types(arrow["codomain"])]
        awaitable = self._use("Awaitable")
        if not results:
            return f"{awaitable}[None] | None"
        result = results[0] if len(results) == 1 else f"tuple[{', '.join(results)}]"
        return f"{result} | {awaitable}[{result}]"

    def _use(self, name: str) -> str:
        self.used.add(name)
        return name

    def renamed(self, definition: Any) -> Any:
        """A definition with data types called as their classes."""
        if isinstance(definition, list):
            return [self.renamed(part) for part in definition]
        if not isinstance(definition, dict):
            return definition
        result = {key: self.renamed(value) for key, value in definition.items()}
        if definition.get("tag") == "struct" and (known := self._class(definition)) is not None:
            result["name"] = known.name
        return result
