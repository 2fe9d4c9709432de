"""The workforce, the work teams and the tags in DynamoDB."""

import os
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError

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

_CONFIG = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 5}
)
_WORKFORCE = "WORKFORCE"
_WORKTEAM = "WORKTEAM"
# The one-workforce rule and the team limit hold under concurrent requests because both are
# conditions on this item, which every change of the registry touches in its transaction.
_GUARD = {"PK": "REGISTRY", "SK": "GUARD"}
_CONFLICT_ATTEMPTS = 5
_CONFLICT_PAUSE_SECONDS = 0.05


class RegistryStore:
    """Workforce, work teams and tags of one engine.

    Parameters
    ----------
    table
        A boto3 DynamoDB table resource with the keys ``PK`` and ``SK``.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    @classmethod
    def from_environment(cls) -> "RegistryStore":
        """Use the table that the function's environment names."""
        resource = boto3.resource("dynamodb", config=_CONFIG)
        return cls(resource.Table(os.environ["TABLE_NAME"]))

    def create_workforce(self, workforce: Workforce) -> None:
        """Add the workforce; WorkforceExistsError if there is one."""
        key = workforce.name.lower()
        guard = _guard_update(
            "SET workforce_key = :key, team_count = :none",
            "attribute_not_exists(workforce_key)",
            {":key": key, ":none": 0},
        )
        self._transact([guard, _put(_workforce_item(workforce))], [WorkforceExistsError, None])

    def workforces(self) -> list[Workforce]:
        """Return the workforce, or nothing."""
        return [_workforce(item) for item in self._query(_WORKFORCE)]

    def workforce(self, name: str) -> Workforce:
        """Return the workforce of this name; WorkforceNotFoundError if there is none."""
        item = self._get(_WORKFORCE, name.lower())
        if item is None:
            raise WorkforceNotFoundError(name)
        return _workforce(item)

    def update_workforce(self, workforce: Workforce) -> None:
        """Write a workforce anew; WorkforceNotFoundError if it is gone."""
        self._replace(_workforce_item(workforce), WorkforceNotFoundError(workforce.name))

    def delete_workforce(self, name: str) -> None:
        """Remove the workforce; WorkteamsRemainError while it has teams."""
        self.workforce(name)
        key = name.lower()
        guard = _guard_update(
            "REMOVE workforce_key, team_count",
            "workforce_key = :key AND team_count = :none",
            {":key": key, ":none": 0},
        )
        delete = {"Delete": {"Key": {"PK": _WORKFORCE, "SK": key}}}
        self._transact([guard, delete], [WorkteamsRemainError, None])

    def create_workteam(self, team: Workteam) -> None:
        """Add a work team to the workforce that it names.

        Raises
        ------
        WorkteamExistsError, WorkteamLimitError, WorkforceNotFoundError
            If the name is taken, if there are as many teams as may be, or if the workforce is gone.
        """
        guard = _guard_update(
            "ADD team_count :one",
            "workforce_key = :key AND team_count < :limit",
            {":key": team.workforce_name.lower(), ":one": 1, ":limit": MAXIMUM_WORKTEAMS},
        )
        try:
            self._transact(
                [guard, _put(_workteam_item(team))], [WorkteamLimitError, WorkteamExistsError]
            )
        except WorkteamLimitError:
            self.workforce(team.workforce_name)
            raise

    def workteams(self) -> list[Workteam]:
        """Return all work teams, by name."""
        return [_workteam(item) for item in self._query(_WORKTEAM)]

    def workteam(self, name: str) -> Workteam:
        """Return the work team of this name; WorkteamNotFoundError if there is none."""
        item = self._get(_WORKTEAM, name.lower())
        if item is None:
            raise WorkteamNotFoundError(name)
        return _workteam(item)

    def update_workteam(self, team: Workteam) -> None:
        """Write a work team anew; WorkteamNotFoundError if it is gone."""
        self._replace(_workteam_item(team), WorkteamNotFoundError(team.name))

    def delete_workteam(self, name: str) -> None:
        """Remove a work team; WorkteamNotFoundError if there is none of this name."""
        guard = _guard_update(
            "ADD team_count :less", "team_count > :none", {":less": -1, ":none": 0}
        )
        delete = {
            "Delete": {
                "Key": {"PK": _WORKTEAM, "SK": name.lower()},
                "ConditionExpression": "attribute_exists(PK)",
            }
        }
        self._transact([guard, delete], [WorkteamNotFoundError, WorkteamNotFoundError])

    def tags(self, arn: str) -> dict[str, str]:
        """Return a resource's tags, in order of their keys."""
        return {item["SK"]: item["value"] for item in self._query(f"TAGS#{arn}")}

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of a resource; those with other keys stay."""
        with self._table.batch_writer() as batch:
            for key, value in tags.items():
                batch.put_item(Item={"PK": f"TAGS#{arn}", "SK": key, "value": value})

    def remove_tags(self, arn: str, keys: list[str]) -> None:
        """Remove tags of a resource; keys that it does not have are no error."""
        with self._table.batch_writer() as batch:
            for key in dict.fromkeys(keys):
                batch.delete_item(Key={"PK": f"TAGS#{arn}", "SK": key})

    def _get(self, partition: str, sort: str) -> dict[str, Any] | None:
        answer = self._table.get_item(Key={"PK": partition, "SK": sort}, ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _query(self, partition: str) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "KeyConditionExpression": Key("PK").eq(partition),
            "ConsistentRead": True,
        }
        while True:
            answer = self._table.query(**arguments)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _replace(self, item: dict[str, Any], missing: Exception) -> None:
        try:
            self._table.put_item(Item=item, ConditionExpression="attribute_exists(PK)")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise missing from error
            raise

    def _transact(
        self, writes: list[dict[str, Any]], refusals: list[type[Exception] | None]
    ) -> None:
        """Carry out writes together; a failed condition raises the refusal of its place."""
        for write in writes:
            for arguments in write.values():
                arguments["TableName"] = self._table.name
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                self._table.meta.client.transact_write_items(TransactItems=writes)
                return
            except ClientError as error:
                reasons = [
                    reason.get("Code") for reason in error.response.get("CancellationReasons", [])
                ]
                for reason, refusal in zip(reasons, refusals, strict=False):
                    if reason == "ConditionalCheckFailed" and refusal is not None:
                        raise refusal from error
                # The SDK leaves it to its caller to try again after two transactions met:
                # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
                if "TransactionConflict" not in reasons or attempt == _CONFLICT_ATTEMPTS - 1:
                    raise
                time.sleep(_CONFLICT_PAUSE_SECONDS * (attempt + 1))


def _put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(PK)"}}


def _guard_update(update: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Update": {
            "Key": _GUARD,
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": dict(values),
        }
    }


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
