"""Short text forms of syntax trees, so that a test's expectation fits on a line."""

from __future__ import annotations

from typing import Any

from aquac.source import SourceFile
from aquac.syntax import ast
from aquac.syntax.parse import parse


def parsed(text: str) -> ast.File:
    """The tree of a text that must parse."""
    file, diagnostics = parse(SourceFile("main.aqua", text))
    assert not diagnostics, [(d.code.id, d.message) for d in diagnostics]
    return file


def body(text: str) -> tuple[ast.Statement, ...]:
    """Statements of a function with this body, given without indentation."""
    lines = "".join(f"  {line}\n" for line in text.split("\n"))
    (func,) = parsed(f"aqua M\n\nfunc main():\n{lines}").definitions
    assert isinstance(func, ast.Func)
    return func.body


def value(text: str) -> ast.Value:
    """A value, as assigned to a name."""
    (statement,) = body(f"v = {text}")
    assert isinstance(statement, ast.Assign)
    return statement.value


def show(node: Any) -> str:
    """A node as text: lisp for values, Aqua-like for the rest."""
    match node:
        case ast.Literal(text):
            return text
        case ast.Variable(name) | ast.BasicType(name) | ast.NamedType(name):
            return name
        case ast.Name(text):
            return text
        case ast.Call(name, abilities, args):
            return f"{name}{braces(abilities)}({listed(args)})"
        case ast.Chain(base, ops):
            inner = show(base)
            return (f"({inner})" if isinstance(base, ast.Chain) else inner) + "".join(show(op) for op in ops)
        case ast.FieldOp(name):
            return f".{name}"
        case ast.MethodOp(name, abilities, args):
            return f".{name}{braces(abilities)}({listed(args)})"
        case ast.CopyOp(args):
            return f".copy<{listed(args)}>"
        case ast.IndexOp(index):
            return "!" if index is None else f"[{show(index)}]"
        case ast.Arg(name, inner):
            return show(inner) if name is None else f"{name.text}={show(inner)}"
        case ast.Collection(kind, items):
            return f"{kind.removesuffix(']').removesuffix('[')}[{listed(items)}]"
        case ast.Record(type_, args):
            return f"{type_.name}<{listed(args)}>"
        case ast.Infix(op, left, right):
            return f"({op} {show(left)} {show(right)})"
        case ast.Not(operand):
            return f"(! {show(operand)})"
        case ast.CollectionType(kind, element):
            return f"{kind}{show(element)}"
        case ast.Param(name, type_):
            return f"{name.text}:{show(type_)}"
        case ast.ArrowType(abilities, args, results):
            return f"{braces(abilities)}({listed(args)})->({listed(results)})"
        case ast.Signature(abilities, params, results):
            return f"{braces(abilities)}({listed(params)})->({listed(results)})"
        case _:
            return statement(node)


def statement(node: Any) -> str:
    """A statement with its block in brackets."""
    match node:
        case ast.Assign(name, inner):
            return f"{name.text} = {show(inner)}"
        case ast.CallStmt(results, inner):
            return f"{listed(results)} <- {show(inner)}" if results else show(inner)
        case ast.Push(target, key, inner):
            return f"{target.text} <<- {'' if key is None else show(key) + ' => '}{show(inner)}"
        case ast.Return(values):
            return f"<- {listed(values)}"
        case ast.Join(values):
            return f"join {listed(values)}"
        case ast.Declare(name, type_):
            return f"{name.text}: {show(type_)}"
        case ast.ServiceId(service, inner):
            return f"id {service.name} {show(inner)}"
        case ast.Closure(name, signature, inner, detached):
            return f"{name.text} = {'func ' if detached else ''}{show(signature)} {block(inner)}"
        case ast.On(peer, via, inner):
            return f"on {show(peer)}{''.join(' via ' + show(v) for v in via)} {block(inner)}"
        case ast.For(item, second, iterable, mode, inner):
            return f"for {item.text}{rest(second)} <- {show(iterable)}{' ' + mode if mode else ''} {block(inner)}"
        case ast.ParSeq(item, second, iterable, peer, via, inner):
            relays = "".join(" via " + show(v) for v in via)
            return f"parseq {item.text}{rest(second)} <- {show(iterable)} on {show(peer)}{relays} {block(inner)}"
        case ast.If(condition, inner):
            return f"if {show(condition)} {block(inner)}"
        case ast.Else(inner):
            return f"else {block(inner)}"
        case ast.Try(inner):
            return f"try {block(inner)}"
        case ast.Catch(name, inner):
            return f"catch {name.text} {block(inner)}"
        case ast.Otherwise(inner):
            return f"otherwise {block(inner)}"
        case ast.Par(inner):
            return f"par {show(inner)}"
        case ast.Co(inner):
            return f"co {show(inner)}"
        case _:
            raise AssertionError(f"no text for {node!r}")


def listed(nodes: Any) -> str:
    return ", ".join(show(node) for node in nodes)


def block(nodes: Any) -> str:
    return "[" + "; ".join(show(node) for node in nodes) + "]"


def braces(nodes: Any) -> str:
    return "{" + listed(nodes) + "}" if nodes else ""


def rest(name: ast.Name | None) -> str:
    return "" if name is None else f", {name.text}"
