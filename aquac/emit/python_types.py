"""Types of definitions as Python annotations; data types become classes with names of their own.

Two data types of one name but different fields, from different modules, become two classes: `P` and `P_`. Embedded
definitions name the classes, so that a value finds its class by the name in its definition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aquac.records import dataclass

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
    """A class for a data type; `schema` is the constant that holds its definition."""

    name: str
    schema: str
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
                    name = self._namer.name(kind["name"])
                    self.classes.append(DataClass(name, self._namer.name(f"_{name}"), kind))
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

    def schema(self, data: DataClass) -> str:
        """The definition of a data type, as a literal.

        Inner data types are named: unfolded, definitions grow exponentially, and Python reads no 200 nested brackets.
        """
        return self._literal(data.definition | {"name": data.name}, "", of=data)

    def literal(self, definition: Json, indent: str) -> str:
        """Any other definition, as a literal that begins on an indented line."""
        return self._literal(definition, indent)

    def _literal(self, value: Any, indent: str, of: DataClass | None = None) -> str:
        inner = f"{indent}    "
        if isinstance(value, list):
            parts = [f"{inner}{self._literal(part, inner)},\n" for part in value]
            return f"[\n{''.join(parts)}{indent}]" if parts else "[]"
        if not isinstance(value, dict):
            return python_string(value)
        if of is None and value.get("tag") == "struct" and (known := self._class(value)) is not None:
            return known.schema
        parts = [f"{inner}{python_string(key)}: {self._literal(part, inner)},\n" for key, part in value.items()]
        return f"{{\n{''.join(parts)}{indent}}}" if parts else "{}"


def python_string(text: str) -> str:
    """A string literal on one line, in double quotes."""
    # JSON escapes are Python's; a surrogate pair would not be one character, hence no ASCII escapes.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")
