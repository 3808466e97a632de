"""A failure in a file: the plan, how it failed, and the history it must have again.

Errors: ReproducerError for a file that is none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .plan import VERSION, PlanError, plan_from_json

if TYPE_CHECKING:
    from pathlib import Path

    from .plan import Plan
    from .world import Report

BYTES_MAX: Final = 256 << 20


class ReproducerError(ValueError):
    """The file is no reproducer, or one of another version. `other_version`: whether that is so."""

    def __init__(self, message: str, *, other_version: bool = False) -> None:
        """Keep both."""
        super().__init__(message)
        self.other_version = other_version


@dataclass(frozen=True, slots=True)
class Reproducer:
    """What a file holds. failure: object as `Failure.to_json` makes it, None for a simulation that passed."""

    plan: Plan
    history: str
    failure: dict[str, Any] | None


def document(plan: Plan, report: Report) -> dict[str, Any]:
    """The document, see `docs/schemas/avm-sim-reproducer.schema.json`."""
    return {
        "version": VERSION,
        "history": report.history,
        "failure": None if report.failure is None else report.failure.to_json(),
        "last_events": list(report.last),
        "plan": plan.to_json(),
    }


def write(path: Path, plan: Plan, report: Report) -> None:
    """Write a reproducer. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(plan, report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Reproducer:
    """The reproducer in a file. Raises ReproducerError, OSError."""
    if path.stat().st_size > BYTES_MAX:
        raise ReproducerError(f"a reproducer has at most {BYTES_MAX} bytes")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ReproducerError(f"not JSON: {error}") from error
    if not isinstance(value, dict) or "version" not in value:
        raise ReproducerError("it has no version")
    if value["version"] != VERSION:
        raise ReproducerError(f"it has version {value['version']!r}, this is version {VERSION}", other_version=True)
    try:
        return Reproducer(plan_from_json(value["plan"]), str(value["history"]), value["failure"])
    except PlanError as error:
        raise ReproducerError(str(error)) from error
    except KeyError as error:
        raise ReproducerError(f"no field {error}") from error
