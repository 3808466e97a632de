"""Diagnostic codes of the module language: rows as those of `aquac.codes`, with numbers of their own.

A code never changes its meaning and is never reused. `docs/module-sdk.md` explains each; a test compiles its example.
"""

from __future__ import annotations

from typing import Final

from aquac.codes import Code

SYNTAX = Code("MS0101", "syntax", "not Python")
UNSUPPORTED = Code("MS0102", "unsupported", "Python that the module language does not have")
TOP_LEVEL = Code("MS0103", "top-level", "statement that cannot stand outside of a function")
IMPORT = Code("MS0104", "import", "import of something a module cannot have")
TOO_DEEP = Code("MS0105", "too-deep", "nesting deeper than the compiler allows")

NAME_UNKNOWN = Code("MS0201", "name.unknown", "name is not defined")
NAME_TAKEN = Code("MS0202", "name.taken", "name is already defined, or not allowed")
UNSET = Code("MS0203", "name.unset", "variable may have no value here")
STATE = Code("MS0204", "name.state", "variable of the module is assigned without `global`")

ANNOTATION = Code("MS0301", "type.annotation", "annotation is missing, or no type of the language")
MISMATCH = Code("MS0302", "type.mismatch", "value of another type than wanted")
OPERANDS = Code("MS0303", "type.operands", "operation does not exist for these types")
RANGE = Code("MS0304", "type.range", "number does not fit its type")
ATTRIBUTE = Code("MS0305", "type.attribute", "no such field, method or function")
ARGUMENTS = Code("MS0306", "type.arguments", "wrong arguments")
OPTIONAL = Code("MS0307", "type.optional", "value may be None here")
MIXED = Code("MS0308", "type.mixed", "u64 and signed integers in one operation")
UNCLEAR = Code("MS0309", "type.unclear", "type cannot be told")
RECURSIVE = Code("MS0310", "type.recursive", "record contains itself")

RETURN = Code("MS0401", "return", "function may end without the result it declares")
LOOP = Code("MS0402", "loop", "`break` or `continue` outside of a loop")

INTERFACE = Code("MS0501", "interface", "function cannot be exported or imported like this")
DECORATOR = Code("MS0502", "interface.decorator", "decorator is not one of the language")
HOST_FUNCTION = Code("MS0503", "interface.host", "program of the host has one form")
NOTHING_EXPORTED = Code("MS0504", "interface.empty", "module exports nothing")

TABLE: Final[dict[str, Code]] = {c.id: c for c in list(globals().values()) if isinstance(c, Code)}
