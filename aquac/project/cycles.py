"""Find import cycles: for every module on a cycle the shortest one through it, each set of members once.

All elementary cycles can be exponentially many; these name every module that is involved.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CYCLES_MAX = 50
"""Cycles reported for one compilation."""


def find_cycles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Cycles of `graph`, each from its first member in the graph's order; at most CYCLES_MAX."""
    found: dict[frozenset[str], list[str]] = {}
    for start in graph:
        cycle = _shortest_cycle(graph, start)
        if cycle:
            found.setdefault(frozenset(cycle), cycle)
        if len(found) >= CYCLES_MAX:
            break
    return list(found.values())


def _shortest_cycle(graph: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """Shortest path from `start` back to it; empty if there is none."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in graph[node]:
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target not in came_from:
                came_from[target] = node
                queue.append(target)
    return []
