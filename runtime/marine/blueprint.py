"""Blueprints: the recipe of a service, by the content ids of its modules.

Source: nox:crates/service-modules/src/modules/blueprint.rs
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .cids import file_cid


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`dependencies`: ids of modules in load order, the facade last."""

    name: str
    dependencies: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its canonical DAG-JSON."""
        document = {"dependencies": [{"/": cid} for cid in self.dependencies], "name": self.name}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @property
    def id(self) -> str:
        """The content id of the canonical text."""
        return file_cid(self.text.encode())

    def to_json(self) -> dict[str, Any]:
        """The form of `<id>_blueprint.toml` and of `dist.list_blueprints`."""
        return {"name": self.name, "id": self.id, "dependencies": list(self.dependencies)}
