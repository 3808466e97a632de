"""The answer of a conformance run, in the shape of `tasks.py conformance --json`."""

from __future__ import annotations

from dataclasses import dataclass, field


class Skip(Exception):
    """A case we refuse knowingly: the message names the missing feature."""


class Divergence(Exception):
    """A case in which we differ on purpose: the message names the defect of the reference that was shown to be the cause."""


@dataclass
class Report:
    """Outcome of one area. `details` maps the id of a case that did not pass to the reason."""

    area: str
    cases: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    known_divergences: list[str] = field(default_factory=list)
    stale_divergences: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The document of contracts: counts and ids."""
        return {
            "area": self.area,
            "cases": self.cases,
            "passed": self.passed,
            "failed": self.failed,
            "skipped": self.skipped,
            "known_divergences": self.known_divergences,
            "stale_divergences": self.stale_divergences,
        }

    @property
    def ok(self) -> bool:
        """Nothing failed, and no divergence is listed that no longer diverges."""
        return not self.failed and not self.stale_divergences
