"""Scripts as indented pseudo-code, byte for byte as `air beautify` and `air-beautify-wasm` print them.

With `patterns`, the compiler's way of forcing a hop, `(new $s (new #c (canon peer $s #c)))`, is shown as `hopon peer`.

Source: aquavm:crates/beautifier/src/beautifier.rs, virtual.rs
"""

from __future__ import annotations

from typing import Final

from . import ast
from .printer import instruction_text, operand_text

INDENT: Final = 4
"""Blanks per level."""


def beautify(root: ast.Instruction, *, patterns: bool = False, indent: int = INDENT) -> str:
    """One line per instruction; `seq` shows as its two parts. The text grows with the product of size and depth."""
    out: list[str] = []
    stack: list[tuple[ast.Instruction | str, int]] = [(root, 0)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, str):
            out.append(f"{' ' * depth}{item}\n")
        elif isinstance(item, ast.Seq):
            stack += [(item.right, depth), (item.left, depth)]
        else:
            lines = _parts(item, patterns=patterns)
            stack.extend((part, depth if isinstance(part, str) else depth + indent) for part in reversed(lines))
    return "".join(out)


def _parts(node: ast.Instruction, *, patterns: bool) -> list[str | ast.Instruction]:
    """Lines at the level of `node`, and its inner instructions one level deeper."""
    match node:
        case ast.Call():
            return [_call(node)]
        case ast.Par():
            return ["par:", node.left, "|", node.right]
        case ast.Xor():
            return ["try:", node.left, "catch:", node.right]
        case ast.New() if patterns and (peer := _hop(node)) is not None:
            return [f"hopon {operand_text(peer)}"]
        case ast.Match() | ast.MisMatch() | ast.New():
            return [f"{instruction_text(node)}:", node.instruction]
        case ast.FoldScalar() | ast.FoldStream() | ast.FoldStreamMap():
            last = [] if node.last_instruction is None else ["last:", node.last_instruction]
            return [f"{instruction_text(node)}:", node.instruction, *last]
        case _:
            return [instruction_text(node)]


def _call(node: ast.Call) -> str:
    output = "" if node.output is None else f"{node.output.name} <- "
    args = ", ".join(operand_text(arg) for arg in node.args)
    target = f"({operand_text(node.service_id)}, {operand_text(node.function_name)})"
    return f"{output}call {operand_text(node.peer_id)} {target} [{args}]"


def _hop(outer: ast.New) -> ast.Operand | None:
    """The peer hopped to, if `outer` is the idiom. A peer taken from the inner canon's own name is not: it is shadowed."""
    inner = outer.instruction
    if not isinstance(outer.argument, ast.Stream) or not isinstance(inner, ast.New):
        return None
    canon = inner.instruction
    if not isinstance(inner.argument, ast.CanonStream) or not isinstance(canon, ast.Canon):
        return None
    if canon.stream.name != outer.argument.name or canon.canon_stream.name != inner.argument.name:
        return None
    if isinstance(canon.peer_id, ast.CanonStream) and canon.peer_id.name == inner.argument.name:
        return None
    return canon.peer_id
