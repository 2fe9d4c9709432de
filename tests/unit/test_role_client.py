"""Whose rights the engine takes on, and how much of them."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from groundwork.role_client import SESSION_ACTIONS, RoleError, job_session_name, session_for_role

ROLE = "arn:aws:iam::123456789012:role/photos"


class FakeSts:
    """Hands out credentials, or refuses."""

    def __init__(self, refusal: str | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.refusal = refusal

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.refusal:
            error = {"Code": "AccessDenied", "Message": self.refusal}
            raise ClientError({"Error": error}, "AssumeRole")
        return {
            "Credentials": {
                "AccessKeyId": "id",
                "SecretAccessKey": "key",
                "SessionToken": "token",
                "Expiration": datetime(2999, 1, 1, tzinfo=UTC),
            }
        }


def assumed(monkeypatch: pytest.MonkeyPatch, sts: FakeSts, job: str) -> Any:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: sts)
    return session_for_role(ROLE, job_session_name(job)).get_credentials().get_frozen_credentials()


def test_a_session_has_no_more_of_a_role_than_labeling_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A role of the account's administrators that trusts the engine lends it none of the rest."""
    sts = FakeSts()
    assert assumed(monkeypatch, sts, "narrow").access_key == "id"

    (request,) = sts.requests
    (statement,) = json.loads(request["Policy"])["Statement"]
    assert statement["Effect"] == "Allow"
    assert set(statement["Action"]) == set(SESSION_ACTIONS)
    assert not any("*" in action for action in SESSION_ACTIONS)
    assert {action.partition(":")[0] for action in SESSION_ACTIONS} == {"s3", "kms", "lambda"}


def test_a_session_is_named_after_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's trail tells which job read what, and a role can be kept to some jobs by it."""
    sts = FakeSts()
    assumed(monkeypatch, sts, "named")

    assert sts.requests[0]["RoleSessionName"] == "groundwork-named"
    assert sts.requests[0]["RoleArn"] == ROLE


def test_a_refusal_names_the_role_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = FakeSts("not authorized to perform: sts:AssumeRole")
    with pytest.raises(RoleError) as raised:
        assumed(monkeypatch, sts, "refused")

    for part in (ROLE, "not authorized to perform: sts:AssumeRole", "EngineRoleArns"):
        assert part in str(raised.value)
