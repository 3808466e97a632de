"""Walks over instruction trees without recursion: nesting is bounded by the size of the script alone.

The nodes' own `==`, `hash` and `repr` recurse and must not be used on trees from outside.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from . import ast

if TYPE_CHECKING:
    from collections.abc import Iterator


def children(node: ast.Instruction) -> tuple[ast.Instruction, ...]:
    """Instructions directly inside an instruction, in order of text."""
    match node:
        case ast.Seq() | ast.Par() | ast.Xor():
            return (node.left, node.right)
        case ast.Match() | ast.MisMatch() | ast.New():
            return (node.instruction,)
        case ast.FoldScalar() | ast.FoldStream() | ast.FoldStreamMap():
            return (node.instruction,) if node.last_instruction is None else (node.instruction, node.last_instruction)
        case _:
            return ()


def preorder(root: ast.Instruction) -> Iterator[ast.Instruction]:
    """Parents before children, left to right."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def postorder(root: ast.Instruction) -> Iterator[ast.Instruction]:
    """Children before parents, left to right."""
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        inside = () if done else children(node)
        if inside:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(inside))
        else:
            yield node


def same_shape(a: ast.Instruction, b: ast.Instruction) -> bool:
    """Whether two trees are equal apart from spans and positions."""
    stack: list[tuple[object, object]] = [(a, b)]
    while stack:
        left, right = stack.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                return False
            stack.extend(zip(left, right, strict=True))
        elif dataclasses.is_dataclass(left):
            stack.extend(
                (getattr(left, field.name), getattr(right, field.name))
                for field in dataclasses.fields(left)
                if field.name not in ("span", "position")
            )
        elif repr(left) != repr(right):  # tells -0.0 from 0.0
            return False
    return True
