"""What people do to a peer from elsewhere: calls of its services, deployment, spells. The commands `avm peer …` stand on these."""

from __future__ import annotations


class Text(str):
    """A result that is printed as it is, not as JSON."""
