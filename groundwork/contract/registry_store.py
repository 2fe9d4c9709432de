"""The workforce, the work teams and the tags in DynamoDB."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from groundwork.contract.registry import (
    MAXIMUM_WORKTEAMS,
    Workforce,
    WorkforceExistsError,
    WorkforceNotFoundError,
    Workteam,
    WorkteamExistsError,
    WorkteamLimitError,
    WorkteamNotFoundError,
    WorkteamsRemainError,
)
from groundwork.table_client import ConflictError, Delete, Put, Table, Write

_WORKFORCE = "WORKFORCE"
_WORKTEAM = "WORKTEAM"
_ATTEMPTS = 8
_PAUSE_SECONDS = 0.05


class RegistryStore:
    """Workforce, work teams and tags of one engine.

    Every change reads what it depends on, decides, and writes under the condition that no other
    change came between, so that the limits hold under concurrent requests, too.

    Parameters
    ----------
    table
        The engine's table, or a stand-in.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def from_environment(cls) -> "RegistryStore":
        """Use the table that the function was deployed with."""
        return cls(Table.from_environment())

    def create_workforce(self, workforce: Workforce, tags: Mapping[str, str]) -> None:
        """Add the workforce with its tags; WorkforceExistsError if there is one, of any name."""

        def decide() -> list[Write]:
            for existing in self.workforces():
                raise WorkforceExistsError(existing.name)
            return [Put(_workforce_item(workforce)), *self.only_these(workforce.arn, tags)]

        self._change(decide)

    def workforces(self) -> list[Workforce]:
        """Return the workforce, or nothing."""
        return [_workforce(item) for item in self._table.query(_WORKFORCE)]

    def workforce(self, name: str) -> Workforce:
        """Return the workforce of this name; WorkforceNotFoundError if there is none."""
        item = self._table.get(_WORKFORCE, name.lower())
        if item is None:
            raise WorkforceNotFoundError(name)
        return _workforce(item)

    def touch_workforce(self, name: str, now: datetime) -> Workforce:
        """Return the workforce with a new time of its last update."""

        def decide() -> list[Write]:
            return [Put(_workforce_item(replace(self.workforce(name), updated_at=now)))]

        self._change(decide)
        return self.workforce(name)

    def delete_workforce(self, name: str) -> None:
        """Remove the workforce and its tags; WorkteamsRemainError while it has teams."""

        def decide() -> list[Write]:
            workforce = self.workforce(name)
            teams = self.workteams()
            if teams:
                raise WorkteamsRemainError(", ".join(team.name for team in teams))
            return [Delete(_WORKFORCE, name.lower()), *self.only_these(workforce.arn, {})]

        self._change(decide)

    def create_workteam(self, team: Workteam, tags: Mapping[str, str]) -> None:
        """Add a work team with its tags to the workforce that it names.

        Raises
        ------
        WorkteamExistsError, WorkteamLimitError, WorkforceNotFoundError
            If the name is taken, if there are as many teams as may be, or if the workforce is gone.
        """

        def decide() -> list[Write]:
            self.workforce(team.workforce_name)
            teams = self.workteams()
            for existing in teams:
                if existing.name.lower() == team.name.lower():
                    raise WorkteamExistsError(existing.name)
            if len(teams) >= MAXIMUM_WORKTEAMS:
                raise WorkteamLimitError(str(len(teams)))
            return [Put(_workteam_item(team)), *self.only_these(team.arn, tags)]

        self._change(decide)

    def workteams(self) -> list[Workteam]:
        """Return all work teams, by name."""
        return [_workteam(item) for item in self._table.query(_WORKTEAM)]

    def workteam(self, name: str) -> Workteam:
        """Return the work team of this name; WorkteamNotFoundError if there is none."""
        item = self._table.get(_WORKTEAM, name.lower())
        if item is None:
            raise WorkteamNotFoundError(name)
        return _workteam(item)

    def update_workteam(self, name: str, now: datetime, changes: Mapping[str, Any]) -> Workteam:
        """Change a work team and return it; WorkteamNotFoundError if there is none of this name.

        Parameters
        ----------
        changes
            New values of ``Workteam``'s fields.
        """

        def decide() -> list[Write]:
            team = replace(self.workteam(name), updated_at=now, **changes)
            return [Put(_workteam_item(team))]

        self._change(decide)
        return self.workteam(name)

    def delete_workteam(self, name: str) -> None:
        """Remove a work team and its tags; WorkteamNotFoundError if there is none of this name."""

        def decide() -> list[Write]:
            team = self.workteam(name)
            return [Delete(_WORKTEAM, name.lower()), *self.only_these(team.arn, {})]

        self._change(decide)

    def tags(self, arn: str) -> dict[str, str]:
        """Return a resource's tags, in order of their keys."""
        return {item["SK"]: item["value"] for item in self._table.query(f"TAGS#{arn}")}

    def only_these(self, arn: str, tags: Mapping[str, str]) -> list[Write]:
        """Return the writes after which a resource has these tags and no others."""
        gone = [Delete(f"TAGS#{arn}", key) for key in self.tags(arn) if key not in tags]
        return [*gone, *(_tag(arn, key, value) for key, value in tags.items())]

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of a resource; those with other keys stay."""
        if tags:
            self._table.transact([_tag(arn, key, tags[key]) for key in tags])

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        """Remove tags of a resource; keys that it does not have are no error."""
        if keys:
            self._table.transact([Delete(f"TAGS#{arn}", key) for key in dict.fromkeys(keys)])

    def _change(self, decide: Callable[[], list[Write]]) -> None:
        """Write what ``decide`` returns, deciding anew when another change came between."""
        for attempt in range(_ATTEMPTS):
            guard = self._table.get("REGISTRY", "GUARD")
            version = int(guard["version"]) if guard else 0
            item = {"PK": "REGISTRY", "SK": "GUARD", "version": version + 1}
            condition = Put(item, expected_version=version) if guard else Put(item, only_new=True)
            try:
                self._table.transact([condition, *decide()])
                return
            except ConflictError:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE_SECONDS * (attempt + 1))


def _tag(arn: str, key: str, value: str) -> Put:
    return Put({"PK": f"TAGS#{arn}", "SK": key, "value": value})


def _workforce_item(workforce: Workforce) -> dict[str, Any]:
    return {
        "PK": _WORKFORCE,
        "SK": workforce.name.lower(),
        "name": workforce.name,
        "arn": workforce.arn,
        "user_pool": workforce.user_pool,
        "client_id": workforce.client_id,
        "created_at": workforce.created_at.isoformat(),
        "updated_at": workforce.updated_at.isoformat(),
    }


def _workforce(item: Mapping[str, Any]) -> Workforce:
    return Workforce(
        name=item["name"],
        arn=item["arn"],
        user_pool=item["user_pool"],
        client_id=item["client_id"],
        created_at=datetime.fromisoformat(item["created_at"]),
        updated_at=datetime.fromisoformat(item["updated_at"]),
    )


def _workteam_item(team: Workteam) -> dict[str, Any]:
    item = {
        "PK": _WORKTEAM,
        "SK": team.name.lower(),
        "name": team.name,
        "arn": team.arn,
        "description": team.description,
        "groups": list(team.groups),
        "workforce_name": team.workforce_name,
        "created_at": team.created_at.isoformat(),
        "updated_at": team.updated_at.isoformat(),
    }
    if team.notification_topic_arn:
        item["notification_topic_arn"] = team.notification_topic_arn
    return item


def _workteam(item: Mapping[str, Any]) -> Workteam:
    return Workteam(
        name=item["name"],
        arn=item["arn"],
        description=item["description"],
        groups=tuple(item["groups"]),
        workforce_name=item["workforce_name"],
        created_at=datetime.fromisoformat(item["created_at"]),
        updated_at=datetime.fromisoformat(item["updated_at"]),
        notification_topic_arn=item.get("notification_topic_arn"),
    )
