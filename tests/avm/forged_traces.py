"""Random edits of a trace: what only a broken or hostile peer would send, or a damaged disk would hold."""

from __future__ import annotations

import random

from avm.trace.states import AP, FAILED, FOLD, PAR, SCALAR, STREAM, State, Trace


def forge(trace: Trace, rng: random.Random) -> Trace:
    """A copy with one or two states changed, removed, repeated or moved."""
    forged = list(trace)
    for _ in range(rng.randint(1, 2)):
        if not forged:
            break
        at = rng.randrange(len(forged))
        fate = rng.random()
        if fate < 0.6:
            forged[at] = _changed(forged[at], forged, rng)
        elif fate < 0.75:
            del forged[at]
        elif fate < 0.9:
            forged.insert(at, rng.choice(forged))
        else:
            forged[at] = rng.choice(forged)
    return forged


def _changed(state: State, trace: Trace, rng: random.Random) -> State:
    def size() -> int:
        return rng.choice([0, 0, 1, 2, 3, 7, len(trace), len(trace) + 3])

    kind = state[0]
    if kind == PAR:
        return (PAR, size(), size())
    if kind == AP:
        return (AP, rng.choice([(), (size(),), (size(),), (1, 2)]))
    if kind == STREAM and rng.random() < 0.6:
        return (STREAM, state[1], size())
    if kind in {SCALAR, STREAM}:
        return (FAILED, state[1])
    if kind == FAILED:
        return (SCALAR, state[1])
    if kind == FOLD:
        lore = [list(entry) for entry in state[1]] or [[size() for _ in range(5)]]
        fate, entry = rng.random(), rng.choice(lore)
        if fate < 0.7:
            entry[rng.randrange(5)] = size()
        elif fate < 0.85:
            lore.append(list(entry)[: rng.choice([5, 3])])
        else:
            lore.remove(entry)
        return (FOLD, tuple(tuple(item) for item in lore))
    return rng.choice(trace)
