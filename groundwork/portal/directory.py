"""The workforce and its teams, remembered for a moment so that not every request asks for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from groundwork.contract.registry import Workforce, Workteam
from groundwork.portal.errors import NotSetUpError

REMEMBERED_FOR = timedelta(seconds=15)


class Registry(Protocol):
    """What is asked of ``groundwork.contract.registry_store.RegistryStore``."""

    def workforces(self) -> list[Workforce]:
        """Return the workforce, or nothing."""

    def workteams(self) -> list[Workteam]:
        """Return all work teams."""


@dataclass(frozen=True)
class _Snapshot:
    taken_at: datetime
    workforce: Workforce
    teams: tuple[Workteam, ...]


class Directory:
    """Answers which workforce there is, and which teams some groups make up."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock
        self._snapshot: _Snapshot | None = None

    def workforce(self) -> Workforce:
        """Return the account's workforce.

        Raises
        ------
        NotSetUpError
            If there is none yet.
        """
        return self._current().workforce

    def teams_of(self, groups: Iterable[str]) -> list[Workteam]:
        """Return the workforce's teams to which a member of ``groups`` belongs."""
        wanted = frozenset(groups)
        current = self._current()
        return [
            team
            for team in current.teams
            if team.workforce_name == current.workforce.name and wanted.intersection(team.groups)
        ]

    def _current(self) -> _Snapshot:
        now = self._clock()
        if self._snapshot is None or now - self._snapshot.taken_at >= REMEMBERED_FOR:
            workforces = self._registry.workforces()
            if not workforces:
                raise NotSetUpError(
                    "there is no workforce yet; deploy a workshop, or call CreateWorkforce"
                )
            teams = tuple(self._registry.workteams())
            self._snapshot = _Snapshot(taken_at=now, workforce=workforces[0], teams=teams)
        return self._snapshot
