"""`textDocument/completion`: what can stand at the cursor.

The place is told by the text of the line before the cursor, because such a line rarely parses: a path of an import, a list
in the header, a member behind `.`, a type behind `:` or `->`, a field in the brackets of a data type, else a value or the
beginning of a statement. Names of other files are offered with the edit that imports them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.semantics.printing import brief
from aquac.semantics.properties import MAP_METHODS, map_method
from aquac.semantics.raw import ConstPart, FuncPart, ModuleContext, Part, ServicePart, TypePart
from aquac.semantics.subtyping import is_collection
from aquac.semantics.types import (
    SCALARS,
    U32,
    AbilityType,
    Arrow,
    ServiceType,
    StreamMap,
    Struct,
    Type,
)
from aquac.source import Span
from aquac.syntax import ast
from lsp.convert import to_text_edit
from lsp.expressions import before, type_of
from lsp.imports import import_edit, importable, offers
from lsp.places import Place, place_at
from lsp.texts import member, short_part

from .call_context import call_at
from .symbols import match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lsp.view import View
    from lsp.workspace import Workspace

OFFERS_MAX: Final = 300
"""Names of other files offered at most."""

HEADER_WORDS: Final = {
    "import": 'import "${1:file.aqua}"',
    "use": 'use "${1:file.aqua}" as ${2:Name}',
    "export": "export ${1:name}",
}
TOP_WORDS: Final = {
    "const": "const ${1:NAME} = ${2:value}",
    "alias": "alias ${1:Name}: ${2:type}",
    "data": "data ${1:Name}:\n  ${2:field}: ${3:string}",
    "service": 'service ${1:Name}("${2:id}"):\n  ${3:method}() -> ${4:string}',
    "ability": "ability ${1:Name}:\n  ${2:method}() -> ${3:string}",
    "func": "func ${1:name}($2):\n  $0",
}
STATEMENT_WORDS: Final = {
    "on": "on ${1:peer}:\n  $0",
    "on … via": "on ${1:peer} via ${2:relay}:\n  $0",
    "for": "for ${1:item} <- ${2:items}:\n  $0",
    "parseq": "parseq ${1:item} <- ${2:items} on ${3:peer}:\n  $0",
    "if": "if ${1:condition}:\n  $0",
    "try": "try:\n  $0",
    "join": "join ",
}
BRANCH_WORDS: Final = {
    "else": "else:\n  $0",
    "catch": "catch ${1:e}:\n  $0",
    "otherwise": "otherwise:\n  $0",
}
BESIDE_WORDS: Final = {"par": "par ", "co": "co "}
VALUE_WORDS: Final = ("true", "false")
Kind = types.CompletionItemKind
_WORD: Final = re.compile(r"[A-Za-z0-9_]*\Z")
_PATH: Final = re.compile(r'[ \t]*(?:import|use)\b[^"]*"([^"]*)\Z')
_ITEMS: Final = re.compile(r'(import|use)\b[^"]*\Z')
_FROM: Final = re.compile(r'\bfrom[ \t]+"([^"]*)"')
_TYPE: Final = re.compile(
    r"(?:->[^:=]*|:[ \t]*|\balias[ \t]+\w+[ \t]*:[^=]*|[(,][ \t]*\w+[ \t]*:[ \t]*)(?:\[\]|[?*%])*\Z"
)
_MODE: Final = re.compile(r"[ \t]*(?:par[ \t]+|co[ \t]+)?for[ \t]+.*<-.*[\w)\]][ \t]+\Z")
_PEER: Final = re.compile(r"[ \t]*(?:par[ \t]+|co[ \t]+)?parseq[ \t]+(?!.*\bon\b).*<-.*[\w)\]!][ \t]+\Z")
_PARSEQ: Final = re.compile(r"[ \t]*(?:par[ \t]+|co[ \t]+)?parseq[ \t]+(\w+)[ \t]*<-[ \t]*(.*?)[ \t]+on\b")
_BESIDE: Final = re.compile(r"[ \t]*(?:par|co)[ \t]+\Z")
_ABILITIES: Final = re.compile(r"func[ \t]+\w+[ \t]*\{[^}]*\Z")
_ON: Final = re.compile(r"(?!.*\bvia\b)[ \t]*(?:par[ \t]+|co[ \t]+)?(?:on|parseq\b.*\bon)[ \t]+.*[\w)\"\]][ \t]+\Z")


def completion(workspace: Workspace, path: str, offset: int) -> types.CompletionList:
    """Items for the cursor; filtering by what is typed already is left to the editor.

    Of other files only names that match it are offered; the list is incomplete if there are more than `OFFERS_MAX` of them.
    """
    items = _items(workspace, path, offset)
    imports = sum(item.additional_text_edits is not None for item in items)
    return types.CompletionList(is_incomplete=imports >= OFFERS_MAX, items=items)


def without_snippets(found: types.CompletionList) -> types.CompletionList:
    """The list for clients that insert texts as they are: functions by name, statements up to what is to be filled in."""
    items = []
    for item in found.items:
        if item.insert_text_format is types.InsertTextFormat.Snippet and item.insert_text is not None:
            text = item.label
            if item.kind in (Kind.Keyword, Kind.Field):
                text = item.insert_text.partition("$")[0].partition("\n")[0]
            if " …" in item.label:
                continue
            item.insert_text, item.insert_text_format = text, None
        items.append(item)
    return types.CompletionList(found.is_incomplete, items)


def _items(workspace: Workspace, path: str, offset: int) -> list[types.CompletionItem]:
    view = workspace.view(path)
    if view is None:
        return []
    line_start = view.line_span(offset).start
    typed = view.text[line_start:offset]
    found = _PATH.match(typed)
    if found:
        return list(_paths(workspace, view, Span(offset - len(found[1]), offset)))
    if _inside_text(typed):
        return []
    word = _WORD.search(typed)
    head = typed[: word.start()] if word else typed
    if head.rstrip().endswith(".") and not head.rstrip().endswith(".."):
        return list(_members(workspace, view, offset, line_start + len(head.rstrip()) - 1))
    if not head.strip():
        if not head:
            return list(_top(view, offset))
        return [*_statements(view, offset), *_values(workspace, view, offset)]
    if head[0] not in " \t":
        return list(_header_or_signature(workspace, view, offset, head))
    return list(_in_body(workspace, view, offset, head))


def _inside_text(typed: str) -> bool:
    """Whether the cursor stands in a string or a comment."""
    code = re.sub(r'"[^"]*"', "", typed)
    return '"' in code or "--" in code


def _paths(workspace: Workspace, view: View, typed: Span) -> Iterator[types.CompletionItem]:
    """Paths of an import; each replaces what is typed of the path, which editors see as several words."""
    for text in importable(workspace, view):
        item = _item(text, Kind.File, "")
        item.filter_text, item.text_edit = text, to_text_edit(view.source, typed, text)
        yield item


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _top(view: View, offset: int) -> Iterator[types.CompletionItem]:
    first = min((d.name.span.start for d in view.file.definitions), default=offset)
    for word, snippet in {**(HEADER_WORDS if offset <= first else {}), **TOP_WORDS}.items():
        yield _item(word, Kind.Keyword, "", snippet=snippet)
    if not view.file.header:
        yield _item("aqua", Kind.Keyword, "", snippet="aqua ${1:Main} declares *")


def _header_or_signature(workspace: Workspace, view: View, offset: int, head: str) -> Iterator[types.CompletionItem]:
    """On lines at the first column."""
    word = head.split(None, 1)[0]
    if word in ("aqua", "module") and len(head.split()) > 1:
        if "declares" not in head.split():
            yield _item("declares", Kind.Keyword, "")
        else:
            yield from (_plain(part) for _, part in view.context.parts if _is_own(view, part))
    elif word == "export":
        yield from (_plain(part) for _, part in view.context.parts if isinstance(part, FuncPart | ServicePart))
    elif word in ("import", "use") and _ITEMS.match(head):
        path = _FROM.search(view.text, offset, view.line_span(offset).end)
        if path is None:
            yield _item("from", Kind.Keyword, "")
            return
        file = workspace.resolve(view.path, path[1])
        target = None if file is None else workspace.view(file)
        if target is not None:
            for name in target.context.declares:
                parts = [target.context.part(name, is_type=is_type) for is_type in (False, True)]
                yield from (_plain(part) for part in parts if part is not None)
    elif word in ("import", "use"):
        yield from (_item(w, Kind.Keyword, "") for w in (("as",) if word == "use" else ()))
    elif word == "const":
        for _, part in view.context.parts:
            if isinstance(part, ConstPart):
                yield _part_item(part)
    elif _ABILITIES.match(head):
        for part in _visible(view, place_at(view, offset)):
            if isinstance(part, ServicePart) or (isinstance(part, TypePart) and isinstance(part.type, AbilityType)):
                yield _part_item(part)
    elif word in ("func", "alias", "service") and (_TYPE.search(head) or word == "alias"):
        yield from _types(workspace, view, offset)


def _is_own(view: View, part: Part) -> bool:
    return part.site is not None and part.site.file is view.source


def _plain(part: Part) -> types.CompletionItem:
    """A part where only its name is wanted."""
    item = _part_item(part)
    item.insert_text = item.insert_text_format = None
    return item


def _in_body(workspace: Workspace, view: View, offset: int, head: str) -> Iterator[types.CompletionItem]:
    place = place_at(view, offset)
    if not isinstance(place.definition, ast.Func) or _TYPE.search(head):
        yield from _types(workspace, view, offset)
        return
    if _MODE.match(head):
        for mode in ("par", "try", "rec"):
            yield _item(mode, Kind.Keyword, "")
        return
    if _PEER.match(head):
        yield _item("on", Kind.Keyword, "")
        return
    if _ON.match(head):
        yield _item("via", Kind.Keyword, "")
        return
    if _BESIDE.match(head):
        for keyword, snippet in STATEMENT_WORDS.items():
            if keyword not in ("join", "if"):
                yield _item(keyword, Kind.Keyword, "", snippet=snippet)
    yield from _fields_to_give(view, place, offset)
    yield from _values(workspace, view, offset)


def _fields_to_give(view: View, place: Place, offset: int) -> Iterator[types.CompletionItem]:
    """Fields of the data or ability type whose brackets are open, without those given already."""
    call = call_at(view.text, offset)
    if call is None:
        return
    t: object = None
    if call.callee.endswith(".copy"):
        t = type_of(view, place, call.callee.removesuffix(".copy"))
    elif call.callee[:1].isupper():
        part = view.context.part(call.callee, is_type=True) or view.context.member(call.callee, is_type=True)
        t = part.type if isinstance(part, TypePart) else None
    if isinstance(t, Struct | AbilityType):
        given = {arg.partition("=")[0].strip() for arg in call.args}
        for name, of in view.fields_of(t):
            if name not in given:
                yield _item(name, Kind.Field, brief(of), snippet=f"{name} = $0", first=True)


def _statements(view: View, offset: int) -> Iterator[types.CompletionItem]:
    """Words that begin a statement; branches only below what they belong to."""
    if not isinstance(place_at(view, offset).definition, ast.Func):
        return
    above = _above(view, offset)
    branches: dict[str | None, tuple[str, ...]] = {
        None: (),
        "if": ("else", "otherwise"),
        "try": ("catch", "otherwise"),
        "catch": ("catch", "otherwise"),
        "otherwise": (),
    }
    allowed = branches.get(above, ("otherwise",))
    for word, snippet in STATEMENT_WORDS.items():
        yield _item(word, Kind.Keyword, "", snippet=snippet)
    for word, snippet in BRANCH_WORDS.items():
        if word in allowed:
            yield _item(word, Kind.Keyword, "", snippet=snippet)
    for word, snippet in BESIDE_WORDS.items() if above is not None else ():
        yield _item(word, Kind.Keyword, "", snippet=snippet)


def _above(view: View, offset: int) -> str | None:
    """First word of the statement above in the same block; None if there is none."""
    indent = view.indentation(offset)
    start = view.line_span(offset).start
    while start:
        line = view.line_span(start - 1)
        text = view.text[line.start : line.end]
        start = line.start
        if not text.strip() or text.lstrip().startswith("--"):
            continue
        depth = len(text) - len(text.lstrip())
        if depth < indent:
            return None
        if depth == indent:
            return re.split(r"\W", text.lstrip(), maxsplit=1)[0]
    return None


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(workspace: Workspace, view: View, offset: int) -> Iterator[types.CompletionItem]:
    """Names that are values, or begin one."""
    place = place_at(view, offset)
    if not isinstance(place.definition, ast.Func):
        return
    for name, binding in place.names.items():
        fact = view.fact_at(binding.span.start)
        t = None if fact is None or fact.span != binding.span else fact.type
        yield _named(name, Kind.Variable, t, first=True)
    for part in _visible(view, place):
        if not (isinstance(part, TypePart) and not isinstance(part.type, Struct | AbilityType)):
            yield _part_item(part)
    for alias in view.context.used:
        yield _item(alias, Kind.Module, "")
    for word in VALUE_WORDS:
        yield _item(word, Kind.Keyword, "")
    yield from _imports(workspace, view, offset, types_only=False)


def _types(workspace: Workspace, view: View, offset: int) -> Iterator[types.CompletionItem]:
    """Names of types."""
    for name in SCALARS:
        yield _item(name, Kind.Keyword, "")
    place = place_at(view, offset)
    for part in _visible(view, place):
        if isinstance(part, TypePart | ServicePart):
            yield _part_item(part)
    for alias in view.context.used:
        yield _item(alias, Kind.Module, "")
    yield from _imports(workspace, view, offset, types_only=True)


def _visible(view: View, place: Place) -> Iterator[Part]:
    """Parts defined before the definition of a place."""
    start = len(view.text) if place.definition is None else place.definition.name.span.start
    for _, part in view.context.parts:
        if part.site is None or part.site.file is not view.source or part.site.span.start < start:
            yield part


def _imports(workspace: Workspace, view: View, offset: int, *, types_only: bool) -> Iterator[types.CompletionItem]:
    number = 0
    typed = _WORD.search(view.text, view.line_span(offset).start, offset)
    for offer in offers(workspace, view):
        if types_only and isinstance(offer.definition, ast.Func | ast.Const):
            continue
        if typed and match(typed[0], offer.name) is None:
            continue
        number += 1
        if number > OFFERS_MAX:
            return
        edit = import_edit(view, offer.name, offer.path, offer.text)
        yield types.CompletionItem(
            offer.name,
            kind=_definition_kind(offer.definition),
            detail=f'import from "{offer.text}"',
            documentation=_documentation(offer.definition.doc),
            sort_text=f"9{offer.name}",
            additional_text_edits=[to_text_edit(view.source, edit.span, edit.text)],
        )


def _members(workspace: Workspace, view: View, offset: int, dot: int) -> Iterator[types.CompletionItem]:
    """What may stand behind the `.` at `dot`."""
    text = before(view.text, dot)
    if not text:
        return
    head = view.text[view.line_span(dot).start : dot]
    t = type_of(view, place_at(view, offset), text)
    if t is None:
        mended = workspace.mended(view.path, offset)
        if mended is None:
            return
        view = mended
        t = type_of(view, place_at(view, offset), text, _items_of_head(view, offset, head))
    if isinstance(t, ModuleContext):
        wants_type = _TYPE.search(head.removesuffix(text)) is not None
        for _, part in t.parts:
            if part.site is not None and (not wants_type or isinstance(part, TypePart | ServicePart)):
                yield _part_item(part)
    elif t is not None:
        for name, of, doc in members_of(view, t):
            kind = Kind.Method if isinstance(of, Arrow) else Kind.Field
            yield _named(name, kind, of, doc=doc)
        if isinstance(t, Struct):
            yield _item("copy", Kind.Method, f"{t.name} with other fields", snippet="copy($0)")


def _items_of_head(view: View, offset: int, head: str) -> dict[str, Type]:
    """The item of a `parseq` that is being typed: the peer behind `on` is one of its fields."""
    found = _PARSEQ.match(head)
    t = None if found is None else type_of(view, place_at(view, offset), found[2])
    element = getattr(t, "element", None)
    return {} if found is None or element is None else {found[1]: element}


def members_of(view: View, t: Type) -> Iterable[tuple[str, Type, str]]:
    """Members of a type with their comments."""
    if isinstance(t, Struct | AbilityType | ServiceType):
        site = view.type_site(t)
        owner = None if site is None else view.view_of(site)
        part = owner.parts.get(site.span.start) if owner is not None and site is not None else None
        docs = part.member_docs if isinstance(part, TypePart | ServicePart) else {}
        return [(name, of, docs.get(name, "")) for name, of in view.fields_of(t)]
    if isinstance(t, StreamMap):
        return [(name, of, "") for name in MAP_METHODS if (of := map_method(t, name)) is not None]
    return [("length", U32, "")] if is_collection(t) else []


# ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _part_item(part: Part) -> types.CompletionItem:
    match part:
        case FuncPart():
            return _named(part.name, Kind.Function, part.arrow.type, doc=part.doc)
        case ConstPart():
            return _item(part.name, Kind.Constant, short_part(part), doc=part.doc)
        case ServicePart():
            return _item(part.name, Kind.Interface, short_part(part), doc=part.doc)
        case TypePart():
            kind = Kind.Struct if isinstance(part.type, Struct) else Kind.Class
            return _item(part.name, kind, short_part(part), doc=part.doc)


def _named(
    name: str, kind: types.CompletionItemKind, t: Type | None, *, doc: str = "", first: bool = False
) -> types.CompletionItem:
    detail = "" if t is None else member(name, t)
    if not isinstance(t, Arrow):
        return _item(name, kind, detail, doc=doc, first=first)
    args = ", ".join(f"${{{n}:{label or 'arg'}}}" for n, (label, _) in enumerate(t.args, 1))
    return _item(name, kind, detail, doc=doc, snippet=f"{name}({args})", first=first)


def _item(
    label: str,
    kind: types.CompletionItemKind,
    detail: str,
    *,
    doc: str = "",
    snippet: str = "",
    first: bool = False,
) -> types.CompletionItem:
    return types.CompletionItem(
        label,
        kind=kind,
        detail=detail or None,
        documentation=_documentation(doc),
        insert_text=snippet or None,
        insert_text_format=types.InsertTextFormat.Snippet if snippet else None,
        sort_text=f"{'0' if first else '5'}{label}",
    )


def _documentation(doc: str) -> types.MarkupContent | None:
    return types.MarkupContent(types.MarkupKind.Markdown, doc) if doc else None


def _definition_kind(d: ast.Definition) -> types.CompletionItemKind:
    match d:
        case ast.Func():
            return Kind.Function
        case ast.Const():
            return Kind.Constant
        case ast.Service():
            return Kind.Interface
        case ast.Data():
            return Kind.Struct
        case ast.Alias() | ast.Ability():
            return Kind.Class
