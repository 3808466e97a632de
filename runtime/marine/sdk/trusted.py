"""What `intrinsics` declares, as forms of the tree. Only the library gets here; every mistake is a bug."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from . import tree
from .calls import Calls
from .emit import HOST_API
from .scope import library
from .types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    S32,
    STR,
    U8,
    U32,
    BoolType,
    DictType,
    FloatType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    Type,
    box,
    image_size,
    is_object,
    offsets,
    size,
    substitute,
    unify,
)
from .values import const

if TYPE_CHECKING:
    from collections.abc import Callable

_LOADS: Final = {"load8": U8, "load32": U32, "load64": INT}
_STORES: Final = {"store8": U8, "store32": U32, "store64": INT}
_PLAIN: Final[dict[str, tuple[str, Type]]] = {
    "move": ("move", NONE), "fill": ("fill", NONE), "heap_base": ("heap_base", INT), "pages": ("pages", INT), "grow": ("grow", INT),
    "line": ("line", INT), "trap": ("trap", NONE), "set_result": ("set_result", NONE), "bits": ("bits", INT),
    "from_bits": ("from_bits", FLOAT), "truncated": ("fptosi", INT), "leading_zeros": ("leading_zeros", INT), "div": ("sdiv", INT),
    "rem": ("srem", INT), "udiv": ("udiv", INT), "urem": ("urem", INT), "lshr": ("lshr", INT), "ult": ("ult", BOOL),
    "floor": ("floor", FLOAT), "sqrt": ("sqrt", FLOAT),
}  # fmt: skip
WASI: Final = "wasi_snapshot_preview1"


class Trusted(Calls):
    """Calls in the library."""

    def trusted_call(self, node: ast.Call, want: Type | None) -> tree.Expr:
        """An intrinsic, or a function of the library."""
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in _LOADS:
            kind = _LOADS[name]
            return tree.Op(INT, "retype", (tree.Op(kind, "load", (self.expr(node.args[0]),)),))
        if name in _STORES:
            place, value = (self.expr(arg) for arg in node.args)
            return tree.Op(NONE, "store", (place, tree.Op(_STORES[name], "retype", (value,))))
        if name in _PLAIN:
            op, result = _PLAIN[name]
            return tree.Op(result, op, tuple(self.expr(arg) for arg in node.args))
        method: Callable[[ast.Call, Type | None], tree.Expr] | None = getattr(self, f"_intrinsic_{name}", None)
        if method is not None:
            return method(node, want)
        if name in library():
            return self._library_call(name, node, want)
        return super()._named(node, name, want)

    def _library_call(self, name: str, node: ast.Call, want: Type | None) -> tree.Expr:
        kinds, result = self.context.signature(name)
        bound: dict[str, Type] = {}
        values: list[tree.Expr] = []
        for kind, arg in zip(kinds, node.args, strict=True):
            values.append(self.expr(arg))
            unify(kind, values[-1].type, bound)
        if want is not None:
            unify(result, want, bound)
        for key, kind in self.declared.bound.items():
            bound.setdefault(key, kind)
        made = self.library(name, *values, bound=bound)
        made.type = substitute(result, bound)
        return made

    # ── objects ──

    def _intrinsic_address(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return tree.Op(INT, "address", (self.expr(node.args[0]),))

    def _intrinsic_like(self, node: ast.Call, _: Type | None) -> tree.Expr:
        sample, place = (self.expr(arg) for arg in node.args)
        return tree.Op(sample.type, "object", (place,))

    def _intrinsic_at(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert want is not None
        return tree.Op(want, "object", (self.expr(node.args[0]),))

    def _intrinsic_number(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert want is not None
        return tree.Op(want, "retype", (self.expr(node.args[0]),))

    def _intrinsic_item(self, node: ast.Call, _: Type | None) -> tree.Expr:
        values, index = (self.expr(arg) for arg in node.args)
        return self.unchecked(values, index)

    def _intrinsic_set_item(self, node: ast.Call, _: Type | None) -> tree.Expr:
        values, index, value = (self.expr(arg) for arg in node.args)
        assert isinstance(values.type, ListType)
        kind = values.type.element
        if isinstance(kind, IntType) and value.type != kind:
            value = tree.Op(kind, "retype", (value,))
        assert value.type == kind
        return tree.Op(NONE, "store", (self.element_place(values, index), value))

    def _type_of(self, node: ast.Call) -> Type:
        return self.expr(node.args[0]).type

    def _element(self, node: ast.Call) -> Type:
        kind = self._type_of(node)
        assert isinstance(kind, ListType)
        return kind.element

    def _intrinsic_element_size(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return const(size(self._element(node)))

    def _intrinsic_element_image(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return const(image_size(self._element(node)))

    def _intrinsic_holds_objects(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return tree.Const(BOOL, is_object(self._element(node)))

    def _intrinsic_holds_scalars(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return tree.Const(BOOL, isinstance(self._element(node), IntType | FloatType | BoolType))

    def _intrinsic_is_text(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return tree.Const(BOOL, self._type_of(node) is STR)

    def _intrinsic_is_boxed(self, node: ast.Call, _: Type | None) -> tree.Expr:
        kind = self._type_of(node)
        assert isinstance(kind, OptionalType)
        return tree.Const(BOOL, not is_object(kind.inner))

    def _intrinsic_unwrapped(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.unwrap(self.expr(node.args[0]))

    def _intrinsic_record_size(self, node: ast.Call, _: Type | None) -> tree.Expr:
        kind = self._type_of(node)
        if isinstance(kind, OptionalType):
            kind = box(kind.inner)
        assert isinstance(kind, RecordType)
        return const(offsets(kind)[1])

    def _intrinsic_record_image(self, node: ast.Call, _: Type | None) -> tree.Expr:
        kind = self._type_of(node)
        assert isinstance(kind, RecordType)
        return const(sum(image_size(field.type) for field in kind.fields))

    def _intrinsic_new_table(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert isinstance(want, DictType)
        return self.empty(want)

    # ── by type ──

    def _intrinsic_equal(self, node: ast.Call, _: Type | None) -> tree.Expr:
        a, b = (self.expr(arg) for arg in node.args)
        return self.equal(a, b, node)

    def _intrinsic_less(self, node: ast.Call, _: Type | None) -> tree.Expr:
        a, b = (self.expr(arg) for arg in node.args)
        return self.less(a, b, node)

    def _intrinsic_hashed(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.hashed(self.expr(node.args[0]))

    def _intrinsic_collect(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.library(self.context.collector())

    def _intrinsic_trace(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.trace(self.expr(node.args[0]))

    def _intrinsic_trace_fields(self, node: ast.Call, _: Type | None) -> tree.Expr:
        value, place = (self.expr(arg) for arg in node.args)
        record = value.type
        assert isinstance(record, RecordType)
        body: list[tree.Statement] = []
        for index, field in enumerate(record.fields):
            if is_object(field.type):
                moved = self.trace(tree.GetField(field.type, value, index))
                at = tree.Op(INT, "wadd", (place, const(offsets(record)[0][index])))
                body.append(tree.Run(tree.Op(NONE, "store", (at, moved))))
        return tree.Do(NONE, body, tree.NOTHING)

    def _intrinsic_trace_state(self, node: ast.Call, _: Type | None) -> tree.Expr:
        body: list[tree.Statement] = []
        for slot in self.context.program.slots:
            if is_object(slot.type):
                state = tree.State(slot.type, slot)
                body.append(
                    tree.If(
                        self.negated(tree.Op(BOOL, "is_null", (state,))), [tree.SetState(slot, self.trace(state))], []
                    )
                )
        return tree.Do(NONE, body, tree.NOTHING)

    # ── the border ──

    def _take_at(self, kind: Type, place: tree.Expr) -> tree.Expr:
        if not is_object(kind):
            return tree.Op(kind, "load", (place,))
        words = [place] if isinstance(kind, RecordType) else [place, tree.Op(INT, "wadd", (place, const(4)))]
        return self.take(kind, *(tree.Op(INT, "retype", (tree.Op(U32, "load", (word,)),)) for word in words))

    def _intrinsic_take_at(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert want is not None
        before: list[tree.Statement] = []
        place = self.once(self.expr(node.args[0]), before)
        return tree.Do(want, before, self._take_at(want, place))

    def _intrinsic_take_fields(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert isinstance(want, RecordType)
        place = self.expr(node.args[0])
        values, at = [], 0
        for field in want.fields:
            values.append(self._take_at(field.type, tree.Op(INT, "wadd", (place, const(at)))))
            at += image_size(field.type)
        return tree.New(want, values)

    def _put_at(self, place: tree.Expr, value: tree.Expr) -> list[tree.Statement]:
        kind = value.type

        def word(offset: int, number: tree.Expr) -> tree.Statement:
            at = tree.Op(INT, "wadd", (place, const(offset)))
            return tree.Run(tree.Op(NONE, "store", (at, tree.Op(U32, "retype", (number,)))))

        if not is_object(kind):
            return [tree.Run(tree.Op(NONE, "store", (place, value)))]
        before: list[tree.Statement] = []
        value = self.once(value, before)
        if isinstance(kind, RecordType):
            return [*before, word(0, self.library("put_record", value))]
        if isinstance(kind, ListType):
            return [*before, word(0, self.library("put_list", value)), word(4, self.length(value))]
        if isinstance(kind, OptionalType):
            there = tree.Choose(INT, tree.Op(BOOL, "is_null", (value,)), const(0), const(1))
            return [*before, word(0, self.library("put_optional", value, bound={"T": kind.inner})), word(4, there)]
        return [*before, word(0, self.load(value, 4)), word(4, self.load(value, 8))]

    def _intrinsic_put_at(self, node: ast.Call, _: Type | None) -> tree.Expr:
        before: list[tree.Statement] = []
        place = self.once(self.expr(node.args[0]), before)
        return tree.Do(NONE, [*before, *self._put_at(place, self.expr(node.args[1]))], tree.NOTHING)

    def _intrinsic_put_fields(self, node: ast.Call, _: Type | None) -> tree.Expr:
        place, value = (self.expr(arg) for arg in node.args)
        record = value.type
        assert isinstance(record, RecordType)
        body: list[tree.Statement] = []
        at = 0
        for index, field in enumerate(record.fields):
            body += self._put_at(tree.Op(INT, "wadd", (place, const(at))), tree.GetField(field.type, value, index))
            at += image_size(field.type)
        return tree.Do(NONE, body, tree.NOTHING)

    # ── the host ──

    def _intrinsic_file_name(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return tree.Text(STR, self.context.program.file.encode(errors="replace"))

    def _intrinsic_host_log(self, node: ast.Call, _: Type | None) -> tree.Expr:
        if not self.context.logging:
            return tree.NOTHING
        item = self.context.host_import(HOST_API, "log_utf8_string", [S32, S32, S32, S32], NONE)
        return tree.CallImport(NONE, item, [tree.Op(S32, "retype", (self.expr(arg),)) for arg in node.args])

    def _wasi(self, name: str, node: ast.Call) -> tree.Expr:
        item = self.context.host_import(WASI, name, [S32, S32], S32)
        return tree.CallImport(S32, item, [tree.Op(S32, "retype", (self.expr(arg),)) for arg in node.args])

    def _intrinsic_environ_sizes(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self._wasi("environ_sizes_get", node)

    def _intrinsic_environ(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self._wasi("environ_get", node)
