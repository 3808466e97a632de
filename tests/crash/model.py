"""What a peer must still know after it was killed, as far as a client can tell.

An operation is *acknowledged* when its answer has come. One that has no answer when the peer is killed may have happened or not; its particle
is sent once more in the next life and in no later one. So what is unknown in life N is decided by life N + 2, and what is seen then is
what must stay. Every service is made by one particle, from a blueprint of its own: two services of one blueprint are a call made twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SETTLED_AFTER = 2
"""Lives after which an operation without an answer can have no further effect."""


@dataclass
class Made:
    """A service. ids: under which it was seen. removing: life of an unanswered removal."""

    life: int
    ids: set[str] = field(default_factory=set)
    acknowledged: bool = False
    removing: int | None = None
    gone: bool = False


@dataclass
class Moving:
    """An alias that goes from service to service. may_be: ids that may have it. unsure: life of an unanswered move."""

    may_be: set[str] = field(default_factory=set)
    acknowledged: bool = False
    unsure: int | None = None


class Model:
    """All that was asked of the peer so far."""

    def __init__(self) -> None:
        self.life = 0
        self.made: dict[str, Made] = {}
        self.moving: dict[str, Moving] = {}

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, name: str) -> None:
        self.made[name] = Made(self.life)

    def created(self, name: str, service_id: str) -> None:
        self.made[name].ids.add(service_id)
        self.made[name].acknowledged = True

    def move(self, alias: str, service_id: str) -> None:
        moving = self.moving.setdefault(alias, Moving())
        moving.may_be.add(service_id)
        moving.unsure = self.life

    def moved(self, alias: str, service_id: str) -> None:
        self.moving[alias] = Moving({service_id}, acknowledged=True)

    def remove(self, name: str) -> None:
        self.made[name].removing = self.life

    def removed(self, name: str) -> None:
        self.made[name].gone = True

    # ── what may be asked ────────────────────────────────────────────────────────────────────────────────────────────

    def standing(self) -> list[tuple[str, str]]:
        """Names and ids of services that are certainly there."""
        return [
            (name, next(iter(made.ids)))
            for name, made in self.made.items()
            if made.acknowledged and not made.gone and made.removing is None and len(made.ids) == 1
        ]

    def removable(self) -> list[tuple[str, str]]:
        """Those that no moving alias may be on."""
        used = {service_id for moving in self.moving.values() for service_id in moving.may_be}
        return [(name, service_id) for name, service_id in self.standing() if service_id not in used]

    def free_aliases(self) -> list[str]:
        """Moving aliases of which it is known where they are."""
        return [alias for alias, moving in self.moving.items() if moving.unsure is None]

    # ── what must be ─────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, services: list[dict[str, Any]], names: dict[str, str], blueprints: Iterable[str]) -> list[str]:
        """What is wrong with a list of services. names: of blueprint ids; blueprints: the ids the peer knows.

        What can no longer change is known from now on.
        """
        wrong: list[str] = []
        present: dict[str, list[dict[str, Any]]] = {}
        holders: dict[str, list[str]] = {}
        for service in services:
            name = names.get(service["blueprint_id"])
            if name is None or name not in self.made:
                wrong.append(f"service {service['id']} was never asked for")
                continue
            present.setdefault(name, []).append(service)
            self.made[name].ids.add(service["id"])
            for alias in service["aliases"]:
                holders.setdefault(alias, []).append(service["id"])
        known = set(blueprints)
        by_name = {name: blueprint_id for blueprint_id, name in names.items()}
        for name, made in self.made.items():
            wrong += self._check_service(name, made, present.get(name, []))
            if made.acknowledged and by_name[name] not in known:
                wrong.append(f"the blueprint of {name} is lost")
        for alias, ids in holders.items():
            if len(ids) > 1:
                wrong.append(f"alias {alias} is on {len(ids)} services")
        for alias, moving in self.moving.items():
            wrong += self._check_alias(alias, moving, holders.get(alias, []))
        return wrong

    def _check_service(self, name: str, made: Made, there: list[dict[str, Any]]) -> list[str]:
        if len(made.ids) > 1:
            return [f"{name} was made {len(made.ids)} times"]
        if made.gone:
            return [f"{name} was removed and is there again"] if there else []
        if not there:
            if made.acknowledged and made.removing is None:
                return [f"service {name} is lost"]
            if self._settled(made.life if made.removing is None else made.removing):
                made.gone = True
            return []
        if made.acknowledged and name not in there[0]["aliases"]:
            return [f"alias {name} is lost"]
        if not made.acknowledged and self._settled(made.life):
            made.acknowledged = name in there[0]["aliases"]
        if made.removing is not None and self._settled(made.removing):
            made.removing = None
        return []

    def _check_alias(self, alias: str, moving: Moving, holders: list[str]) -> list[str]:
        if not holders:
            if moving.acknowledged:
                return [f"alias {alias} is lost"]
        elif not set(holders) <= moving.may_be:
            return [f"alias {alias} is where it was not put, or was put back"]
        if moving.unsure is not None and self._settled(moving.unsure):
            moving.unsure = None
            moving.may_be = set(holders)
            moving.acknowledged = bool(holders)
        return []

    def _settled(self, life: int) -> bool:
        return self.life >= life + SETTLED_AFTER
