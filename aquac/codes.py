"""The table of diagnostic codes: one row per code, read by the CLI, JSON, LSP, `aquac explain` and `docs/codes/`.

A code never changes its meaning and is never reused. `kind` is the taxonomy of `aqua-language.md` §11.
The page of a code is `docs/codes/<code>.md`; a test executes the example on each page.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from aquac.records import dataclass, replace


class Severity(Enum):
    """How bad a diagnostic is; the value is its JSON form."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Code:
    """A row: number, kind, summary, severity."""

    id: str
    kind: str
    summary: str
    severity: Severity = Severity.ERROR


def as_warning(code: Code) -> Code:
    """The same finding where it is tolerated, as old forms of the language are with `--legacy-headers`."""
    return replace(code, severity=Severity.WARNING)


# Source files and syntax
SYNTAX = Code("AQ0101", "syntax", "syntax error")
SYNTAX_CONST_VALUE = Code("AQ0102", "syntax.const-value", "a constant must be a literal or another constant")
INDENT_INCONSISTENT = Code("AQ0103", "indent.inconsistent", "inconsistent indentation in a block")
INDENT_UNEXPECTED = Code("AQ0104", "indent.unexpected", "unexpected indentation")
INDENT_EMPTY_BLOCK = Code("AQ0105", "indent.empty-block", "block without a body")
INDENT_RETURN_NESTED = Code("AQ0106", "indent.return-nested", "return inside a nested block")
SYNTAX_EMPTY_COLLECTION = Code("AQ0107", "syntax.empty-collection", "an empty collection cannot be assigned")
SYNTAX_NEGATIVE_INDEX = Code("AQ0108", "syntax.negative-index", "an index cannot be negative")
SYNTAX_TOO_DEEP = Code("AQ0109", "syntax.too-deep", "nesting deeper than the compiler allows")
SOURCE_NOT_FOUND = Code("AQ0110", "source.not-found", "source file not found")
SOURCE_NOT_UTF8 = Code("AQ0111", "source.not-utf8", "source file is not UTF-8")
SOURCE_UNREADABLE = Code("AQ0112", "source.unreadable", "source file cannot be read")
SOURCE_TOO_LARGE = Code("AQ0113", "source.too-large", "source file larger than the compiler allows")

# Modules
IMPORT_UNRESOLVED = Code("AQ0120", "import.unresolved", "import could not be resolved")
IMPORT_FAILED = Code("AQ0121", "import.failed", "an imported file could not be loaded", Severity.INFO)
IMPORT_CYCLE = Code("AQ0122", "import.cycle", "modules import each other")
IMPORT_UNDECLARED = Code("AQ0123", "import.undeclared", "imported name is not declared by the file")
HEADER_MISSING = Code("AQ0124", "header.missing", "module header is missing")
HEADER_NOT_FIRST = Code("AQ0125", "header.not-first", "module header is not the first line")
HEADER_MODULE_KEYWORD = Code("AQ0126", "header.module-keyword", "deprecated header word `module`")
USE_HEADERLESS = Code("AQ0127", "use.headerless", "imported file has no module header")
DECLARES_MISSING = Code("AQ0128", "declares.missing", "declared name does not exist")
EXPORT_MISSING = Code("AQ0129", "export.missing", "exported name does not exist")
EXPORT_ABILITY = Code("AQ0130", "export.ability", "an ability cannot be exported")
EXPORT_RETURNS_ARROW = Code(
    "AQ0131", "export.returns-arrow", "an exported function cannot return a function or ability"
)
EXPORT_ACCEPTS_ABILITY = Code("AQ0132", "export.accepts-ability", "an exported function cannot take an ability")
CONSTANT_INVALID = Code("AQ0133", "constant.invalid", "invalid constant given to the compiler")
CALL_INVALID = Code("AQ0134", "call.invalid", "invalid call expression given to the compiler")

# Names
NAME_UNKNOWN = Code("AQ0201", "name.unknown", "name is not defined in this scope")
ARROW_UNKNOWN = Code("AQ0202", "arrow.unknown", "function is not defined in this scope")
NAME_REDEFINED = Code("AQ0203", "name.redefined", "name is already defined in this scope")
ARROW_REDEFINED = Code("AQ0204", "arrow.redefined", "function is already defined in this scope")
MODULE_UNKNOWN_ARROW = Code("AQ0205", "module.unknown-arrow", "module has no such function")
TYPE_UNKNOWN = Code("AQ0206", "type.unknown", "type is not defined")
TYPE_REDEFINED = Code("AQ0207", "type.redefined", "type is already defined")
ALIAS_REDEFINED = Code("AQ0208", "alias.redefined", "alias is already defined")
MEMBER_REDEFINED = Code("AQ0209", "member.redefined", "member is already defined")

# Declarations
TYPE_BAD_ELEMENT = Code("AQ0220", "type.bad-element", "this type cannot be an element of a collection")
STRUCT_BAD_FIELD = Code("AQ0221", "struct.bad-field", "this type cannot be a field of a data type")
STRUCT_EMPTY = Code("AQ0222", "struct.empty", "data type without fields")
ABILITY_EMPTY = Code("AQ0223", "ability.empty", "ability without members")
SERVICE_NO_ARROWS = Code("AQ0224", "service.no-arrows", "service without functions")
SERVICE_MULTI_RESULT = Code("AQ0225", "service.multi-result", "service function with more than one result")
SERVICE_NOT_A_SERVICE = Code("AQ0226", "service.not-a-service", "not a service")
SERVICE_UNREGISTERED = Code("AQ0228", "service.unregistered", "service cannot be given an id")
SERVICE_UNDEFINED = Code("AQ0229", "service.undefined", "service is not defined")
SERVICE_NO_ID = Code("AQ0230", "service.no-id", "service has no id here")
LITERAL_NOT_DATA_OR_ABILITY = Code(
    "AQ0231", "literal.not-data-or-ability", "only data and abilities can be constructed"
)

# Types
TYPE_MISMATCH = Code("AQ0301", "type.mismatch", "types do not match")
TYPE_MISMATCH_ONE_OF = Code("AQ0302", "type.mismatch-one-of", "type is not one of those possible here")
TYPE_FIELD_COUNT = Code("AQ0303", "type.field-count", "number of fields differs")
TYPE_WRONG_VALUE = Code("AQ0304", "type.wrong-value", "value of the wrong type")
TYPE_INCOMPARABLE = Code("AQ0305", "type.incomparable", "values cannot be compared")
PROP_UNKNOWN_FIELD = Code("AQ0306", "prop.unknown-field", "no such field")
PROP_UNKNOWN_PROPERTY = Code("AQ0307", "prop.unknown-property", "no such property")
PROP_UNKNOWN_ARROW = Code("AQ0308", "prop.unknown-arrow", "no such function")
PROP_NOT_AN_ARROW = Code("AQ0309", "prop.not-an-arrow", "member is not a function")
CALL_FEW_ARGS = Code("AQ0311", "call.few-args", "too few arguments")
CALL_MANY_ARGS = Code("AQ0312", "call.many-args", "too many arguments")
CALL_ARITY = Code("AQ0313", "call.arity", "wrong number of arguments")
CALL_NOT_A_CALL = Code("AQ0314", "call.not-a-call", "a call is expected here")
CALL_NO_RESULT = Code("AQ0315", "call.no-result", "no result left for this name")
ARGS_MISSING = Code("AQ0316", "args.missing", "missing argument")
ARGS_DUPLICATE = Code("AQ0317", "args.duplicate", "duplicate argument")
COPY_UNKNOWN_FIELD = Code("AQ0318", "copy.unknown-field", "no such field to copy over")
COPY_NOT_DATA = Code("AQ0319", "copy.not-data", "only data values can be copied")
INDEX_OPTION = Code("AQ0320", "index.option", "an option cannot be indexed by a number")
INDEX_NOT_COLLECTION = Code("AQ0321", "index.not-collection", "only collections can be indexed")
COLLECTION_ELEMENT = Code("AQ0322", "collection.element", "value cannot be in a collection")
FOR_NOT_ITERABLE = Code("AQ0323", "for.not-iterable", "value cannot be iterated")
STREAM_DECL_NOT_STREAM = Code("AQ0324", "stream.decl-not-stream", "only streams and stream maps are declared this way")
NUMBER_RANGE = Code("AQ0326", "literal.range", "number that AIR cannot hold", Severity.WARNING)
STREAM_PUSH_TARGET = Code("AQ0325", "stream.push-target", "not a stream to push to")

# Statements
RETURN_MISSING = Code("AQ0401", "return.missing", "function declares a result but returns nothing")
RETURN_UNDECLARED = Code("AQ0402", "return.undeclared", "function returns a value but declares no result")
RETURN_FEW = Code("AQ0403", "return.few", "fewer values returned than declared")
RETURN_MANY = Code("AQ0404", "return.many", "more values returned than declared")
RETURN_TWICE = Code("AQ0405", "return.twice", "function returns twice")
ORDER_ELSE = Code("AQ0406", "order.else", "`else` without `if`")
ORDER_CATCH = Code("AQ0407", "order.catch", "`catch` without `try`")
ORDER_OTHERWISE = Code("AQ0408", "order.otherwise", "`otherwise` without a statement before it")
ORDER_PAR = Code("AQ0409", "order.par", "`par` without a statement before it")

# Lowering
UNSUPPORTED = Code("AQ0501", "unsupported", "not supported yet")
INDEX_NEGATIVE = Code("AQ0502", "index.negative", "index is a negative constant")
SERVICE_BAD_ID = Code("AQ0503", "service.bad-id", "this value cannot be a service id")
PROGRAM_TOO_LARGE = Code("AQ0504", "program.too-large", "function becomes too large")

# Warnings
WARN_UNUSED_RESULT = Code("AQ0901", "warn.unused-result", "result is not used", Severity.WARNING)
WARN_UNEXPECTED_ARG = Code("AQ0902", "warn.unexpected-arg", "argument is not a field of the type", Severity.WARNING)
WARN_MATH_TYPE = Code("AQ0903", "warn.math-type", "operands have no common type, i64 assumed", Severity.WARNING)
WARN_UNREACHABLE = Code("AQ0904", "warn.unreachable", "statement after the return", Severity.WARNING)
WARN_DUPLICATE_CONSTANT = Code(
    "AQ0905", "warn.duplicate-constant", "constant is already defined, this one is ignored", Severity.WARNING
)
WARN_DUPLICATE_BRANCH = Code("AQ0906", "warn.duplicate-branch", "branch repeated", Severity.WARNING)
WARN_UNUSED_VARIABLE = Code("AQ0907", "warn.unused-variable", "variable is never used", Severity.WARNING)
WARN_UNUSED_ARGUMENT = Code("AQ0908", "warn.unused-argument", "argument is never used", Severity.INFO)
WARN_UNUSED_IMPORT = Code("AQ0909", "warn.unused-import", "import is never used", Severity.WARNING)
WARN_UNUSED_FUNCTION = Code("AQ0910", "warn.unused-function", "function is never used", Severity.WARNING)
WARN_UNREAD_STREAM = Code("AQ0911", "warn.unread-stream", "stream is written and never read", Severity.WARNING)
WARN_NOTHING_EXPORTED = Code("AQ0912", "warn.nothing-exported", "file exports and declares nothing", Severity.WARNING)
WARN_HIDDEN_NAME = Code("AQ0913", "warn.hidden-name", "name is hidden by a module of the same name", Severity.WARNING)
WARN_IMPORT_CONFLICT = Code(
    "AQ0914", "warn.import-conflict", "two imports bring different things of one name", Severity.WARNING
)
WARN_UNUSED_DEFINITION = Code("AQ0915", "warn.unused-definition", "definition is never used", Severity.INFO)

TABLE: Final[dict[str, Code]] = {c.id: c for c in list(globals().values()) if isinstance(c, Code)}
