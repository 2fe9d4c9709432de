"""Who calls the labeling API, and which roles they may pass."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundwork.contract.caller_client import CallerClient, caller_of

ROLE = "arn:aws:iam::123456789012:role/photos"
USER = "arn:aws:iam::123456789012:user/teams/ana"
SESSION = "arn:aws:sts::123456789012:assumed-role/notebooks/ana@example.com"


class FakeIam:
    """Allows some sources to pass the role to SageMaker."""

    def __init__(self, *may_pass: str) -> None:
        self.may_pass = may_pass
        self.requests: list[dict[str, Any]] = []

    def get_role(self, **request: str) -> dict[str, Any]:
        if request["RoleName"] != "notebooks":
            raise ClientError({"Error": {"Code": "NoSuchEntity"}}, "GetRole")
        return {"Role": {"Arn": "arn:aws:iam::123456789012:role/studio/notebooks"}}

    def simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        allowed = request["PolicySourceArn"] in self.may_pass
        decision = "allowed" if allowed else "implicitDeny"
        return {"EvaluationResults": [{"EvalDecision": decision}]}


@pytest.mark.parametrize(
    ("caller", "source"),
    [(USER, USER), (SESSION, "arn:aws:iam::123456789012:role/studio/notebooks")],
    ids=["user", "session of a role with a path"],
)
def test_iam_is_asked_as_the_managed_service_asks_it(caller: str, source: str) -> None:
    """The very right that existing callers have: the role, passed to SageMaker."""
    iam = FakeIam(source)

    assert CallerClient(iam).may_pass(caller, ROLE)
    assert not CallerClient(FakeIam()).may_pass(caller, ROLE)
    (request,) = iam.requests
    (entry,) = request.pop("ContextEntries")
    assert request == {
        "PolicySourceArn": source,
        "ActionNames": ["iam:PassRole"],
        "ResourceArns": [ROLE],
    }
    assert entry["ContextKeyName"] == "iam:PassedToService"
    assert entry["ContextKeyValues"] == ["sagemaker.amazonaws.com"]


def test_the_accounts_root_may_do_everything() -> None:
    assert CallerClient(FakeIam()).may_pass("arn:aws:iam::123456789012:root", ROLE)


@pytest.mark.parametrize(
    "caller",
    [
        "arn:aws:sts::123456789012:assumed-role/gone/session",
        "arn:aws:sts::123456789012:federated-user/ana",
    ],
)
def test_whose_rights_cannot_be_looked_up_passes_nothing(caller: str) -> None:
    assert not CallerClient(FakeIam(caller)).may_pass(caller, ROLE)


def test_a_refusal_to_tell_is_no_permission() -> None:
    class Closed(FakeIam):
        def simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "SimulatePrincipalPolicy")

    with pytest.raises(ClientError):
        CallerClient(Closed()).may_pass(USER, ROLE)


@pytest.mark.parametrize(
    ("context", "caller"),
    [
        ({"authorizer": {"iam": {"userArn": USER, "accountId": "123456789012"}}}, USER),
        ({"authorizer": None}, None),
        ({}, None),
    ],
    ids=["signed", "open", "direct"],
)
def test_a_function_urls_event_names_the_caller(context: dict[str, Any], caller: str) -> None:
    assert caller_of({"requestContext": context}) == caller


def test_a_direct_invocation_names_nobody() -> None:
    """The progress command sends just this."""
    assert caller_of({"headers": {"x-amz-target": "SageMaker.DescribeLabelingJob"}}) is None
