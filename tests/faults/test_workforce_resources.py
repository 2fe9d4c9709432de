"""Faults while CloudFormation makes, changes and deletes workforce, work team and workers."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from groundwork.contract.arns import workteam_arn
from groundwork.contract.dispatch import dispatch
from groundwork.contract.engine import Engine
from groundwork.contract.registry_store import RegistryStore
from groundwork.custom_resources.worker_access import WorkerAccess
from groundwork.custom_resources.workforce import (
    STACK_TAG,
    WorkforceResource,
    WorkteamResource,
)
from groundwork.service import ServiceRefusedError
from tests.support.contract_fakes import fake_engine
from tests.support.fake_services import (
    STACK,
    FakeClock,
    FakeCognito,
    FakeNotices,
    resource_event,
)
from tests.support.fault_rows import Survived
from tests.support.faults import WHENS, FaultShop, Points, crash
from tests.support.faulty_framework import (
    FaultyFramework,
    lives_with_crashes,
    lives_with_throttling,
)
from tests.support.job_fakes import CrashError
from tests.support.labeling_service import ACCOUNT, REGION

WORKFORCE = {
    "WorkforceName": "workshop",
    "CognitoConfig": {"ClientId": "client1", "UserPool": f"{REGION}_Pool"},
}


def team(name: str = "annotators", **others: Any) -> dict[str, Any]:
    """A work team's properties."""
    members = {
        "CognitoUserPool": f"{REGION}_Pool",
        "CognitoUserGroup": "annotators",
        "CognitoClientId": "client1",
    }
    return {
        "WorkteamName": name,
        "WorkforceName": "workshop",
        "Description": "Labels photos",
        "MemberDefinitions": [{"CognitoMemberDefinition": members}],
        "Tags": [{"Key": "stage", "Value": "test"}],
        **others,
    }


class LabelingApi:
    """The labeling API, called as an SDK does: again when its function died."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        name = "".join(word.capitalize() for word in operation.split("_"))
        body = json.dumps(parameters).encode()
        for _ in range(3):
            try:
                answer = dispatch(self._engine, f"SageMaker.{name}", body, request_id="request")
            except CrashError:
                continue
            told: dict[str, Any] = json.loads(answer.body)
            if answer.status >= 400:
                raise ServiceRefusedError(operation, told["__type"], told["message"])
            return told
        raise AssertionError("the labeling API never answered")


class TeamDeployment(FaultyFramework):
    """Custom::Workforce and Custom::Workteam under a stack's events, over the open engine."""

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(clock)
        self.shop = FaultShop()
        self.registry = RegistryStore(self.shop.table)
        api = LabelingApi(
            fake_engine(registry=self.registry, jobs=self.shop.store, clock=self.shop.clock)
        )
        self.watch(api)
        self._workforce = WorkforceResource(api, clock, REGION, ACCOUNT)
        self._team = WorkteamResource(api, clock, REGION, ACCOUNT)

    def life(self) -> None:
        """Create the stack, change the team, replace it by another, and destroy the stack."""
        kind = "Custom::Workteam"
        made, changed = team(), team(Description="Labels all", Tags=[{"Key": "a", "Value": "b"}])
        other = team("others")
        workforce = self.run(
            self._workforce, resource_event("Create", "Custom::Workforce", WORKFORCE)
        )
        first = self.run(self._team, resource_event("Create", kind, made))
        self.assert_teams(made)
        self.run(self._team, resource_event("Update", kind, changed, old=made, physical_id=first))
        self.assert_teams(changed)
        second = self.run(
            self._team, resource_event("Update", kind, other, old=changed, physical_id=first)
        )
        assert second != first
        self.assert_teams(changed, other)
        self.run(self._team, resource_event("Delete", kind, changed, physical_id=first))
        self.assert_teams(other)
        self.run(self._team, resource_event("Delete", kind, other, physical_id=second))
        self.assert_teams()
        self.run(
            self._workforce,
            resource_event("Delete", "Custom::Workforce", WORKFORCE, physical_id=workforce),
        )
        assert list(self.shop.table.items) == [("REGISTRY", "GUARD")]

    def assert_teams(self, *wanted: Mapping[str, Any]) -> None:
        """There are these teams, with exactly their tags and the stack's."""
        found = {each.name: each.description for each in self.registry.workteams()}
        assert found == {each["WorkteamName"]: each["Description"] for each in wanted}
        for each in wanted:
            arn = workteam_arn(REGION, ACCOUNT, each["WorkteamName"])
            tags = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            assert self.registry.tags(arn) == {**tags, STACK_TAG: STACK}


@pytest.mark.fault(
    what="function crash",
    where="before and after every call that Custom::Workforce and Custom::Workteam make while a "
    "stack is created, changed and destroyed",
    outcome="one workforce and the stack's teams with their tags; nothing is left in the end",
)
def test_the_resources_functions_may_crash(survived: Survived) -> None:
    for _ in lives_with_crashes(TeamDeployment):
        survived.at(1)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of the labeling API while a stack makes, changes and "
    "deletes workforce and team; the SDK then sends the request again",
    outcome="one workforce and the stack's teams with their tags; nothing is left in the end",
)
def test_the_labeling_api_may_crash(survived: Survived) -> None:
    reference = TeamDeployment()
    points = Points(reference.shop)
    reference.life()
    for name in points.names:
        for when in WHENS:
            deployment = TeamDeployment()
            faults = Points(deployment.shop)
            faults.plan(name, when, crash)
            deployment.life()
            survived.at(len(faults.fired))


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call that Custom::Workforce and Custom::Workteam make",
    outcome="the framework looks again; one workforce and the stack's teams, nothing in the end",
)
def test_the_labeling_api_may_be_busy(survived: Survived) -> None:
    for deployment in lives_with_throttling(TeamDeployment):
        survived.at(deployment.throttled)


@pytest.mark.fault(
    what="double delivery, one after the other",
    where="every event of Custom::Workforce and Custom::Workteam",
    outcome="the second delivery changes nothing",
)
def test_the_resources_events_may_come_twice(survived: Survived) -> None:
    deployment = TeamDeployment()
    deployment.twice = True
    deployment.life()
    survived.at(deployment.calls)


def access(*emails: str) -> dict[str, Any]:
    """Custom::WorkerAccess's properties."""
    return {
        "SubDomain": f"abcdefghij.labeling.{REGION}.sagemaker.aws",
        "UserPool": "eu-west-1_Pool",
        "ClientId": "client1",
        "Group": "annotators",
        "WorkerEmails": list(emails),
        "ManageClient": "true",
        "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:notices",
        "InvitationMessage": "{username} {####} {portal}",
    }


class AccessDeployment(FaultyFramework):
    """Custom::WorkerAccess under a stack's events, in a pool that has somebody already."""

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(clock)
        self.cognito = FakeCognito(clock)
        self.cognito.add_user("before@example.com")
        self.notices = FakeNotices()
        for service in (self.cognito, self.notices):
            self.watch(service)
        self._access = WorkerAccess(self.cognito, self.notices, clock)

    def life(self) -> None:
        """Create the stack, exchange a worker, and destroy the stack."""
        kind = "Custom::WorkerAccess"
        first = access("before@example.com", "ana@example.com", "ben@example.com")
        second = access("before@example.com", "ben@example.com", "cho@example.com")
        made = self.run(self._access, resource_event("Create", kind, first))
        self.assert_workers(first)
        self.run(self._access, resource_event("Update", kind, second, old=first, physical_id=made))
        self.assert_workers(second)
        self.run(self._access, resource_event("Delete", kind, second, physical_id=made))
        assert self.cognito.emails == {"before@example.com"}
        assert self.cognito.groups == {"annotators": set()}
        invited = {email for email, _ in self.cognito.mails}
        assert invited == {"ana@example.com", "ben@example.com", "cho@example.com"}

    def assert_workers(self, wanted: Mapping[str, Any]) -> None:
        """These are in the group and nobody else is, and all can get notices."""
        emails = set(wanted["WorkerEmails"])
        assert self.cognito.emails_in("annotators") == emails
        assert self.cognito.emails == emails | {"before@example.com"}
        assert set(self.notices.subscriptions) >= emails
        [callback] = [url for url in self.cognito.client["CallbackURLs"] if "sagemaker" in url]
        assert callback.endswith("/oauth2/idpresponse")


@pytest.mark.fault(
    what="function crash",
    where="before and after every call that Custom::WorkerAccess makes while a stack is created, "
    "changed and destroyed",
    outcome="the workers named are in, each invited by one mail; in the end those who were there "
    "before are left",
)
def test_letting_workers_in_may_break_off(survived: Survived) -> None:
    for deployment in lives_with_crashes(AccessDeployment):
        assert len(deployment.cognito.mails) == 3
        survived.at(1)


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call of Cognito and SNS that Custom::WorkerAccess makes",
    outcome="the framework looks again; the workers named are in, each invited by one mail, or by "
    "a second one with a new password where it could not be recorded who was",
)
def test_cognito_may_be_busy(survived: Survived) -> None:
    for deployment in lives_with_throttling(AccessDeployment):
        assert len(deployment.cognito.mails) <= 4
        survived.at(deployment.throttled)


@pytest.mark.fault(
    what="double delivery, one after the other",
    where="every event of Custom::WorkerAccess",
    outcome="the second delivery changes nothing; nobody is invited twice",
)
def test_workers_events_may_come_twice(survived: Survived) -> None:
    deployment = AccessDeployment()
    deployment.twice = True
    deployment.life()
    assert len(deployment.cognito.mails) == 3
    survived.at(deployment.calls)
