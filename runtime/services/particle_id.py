"""Particles of spells are known by their ids, `spell_<spell id>_<number>`.

An id says nothing about who made the particle: whoever is trusted must also be its author.
Source: nox:particle-execution/src/particle_params.rs
"""

from __future__ import annotations


def spell_id_of(particle_id: str) -> str | None:
    """The id of the spell whose particle has this id; None for other particles."""
    if not particle_id.startswith("spell"):
        return None
    parts = particle_id.split("_", 2)
    return parts[1] if len(parts) > 1 else None
