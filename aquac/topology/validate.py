"""What every Res tree satisfies; run between topology and emission in tests.

Errors: `problems` returns texts, empty when the tree is sound.
"""

from __future__ import annotations

from . import res as r

_GROUPS = (r.Seq, r.Par, r.Xor, r.Match, r.Fold, r.New)


def problems(root: r.Res) -> list[str]:
    """Violations found in `root`: unmerged sequences, rounds of no loop, branches without a place."""
    found: list[str] = []
    stack: list[tuple[r.Res, frozenset[str]]] = [(root, frozenset())]
    while stack:
        node, items = stack.pop()
        if isinstance(node, r.Seq):
            if len(node.children) == 1:
                found.append("a sequence of one")
            if any(isinstance(child, r.Seq) for child in node.children):
                found.append("a sequence directly inside a sequence")
        if isinstance(node, r.Next) and node.item not in items:
            found.append(f"next {node.item} outside its loop")
        if isinstance(node, r.Fold):
            items |= {node.item}
        if isinstance(node, _GROUPS):
            stack.extend((child, items) for child in node.children)
    return found
