"""Workforce and work team operations through an unmodified SageMaker client."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.labeling_service import ACCOUNT, REGION, LabelingService

POOL = "us-east-1_AbC123456"
CLIENT = "client1234"
COGNITO = {"UserPool": POOL, "ClientId": CLIENT}
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def members(*groups: str, pool: str = POOL, client: str = CLIENT) -> list[dict[str, Any]]:
    return [
        {"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": group, "ClientId": client}}
        for group in groups
    ]


def create_team(labeling: Any, name: str, **parameters: Any) -> str:
    request = {"Description": "who labels", "MemberDefinitions": members("labelers"), **parameters}
    arn: str = labeling.create_workteam(WorkteamName=name, **request)["WorkteamArn"]
    return arn


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def test_a_workforce_is_active_at_once_and_names_the_portals_host(labeling: Any) -> None:
    arn = labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)["WorkforceArn"]

    workforce = labeling.describe_workforce(WorkforceName="people")["Workforce"]

    assert arn == f"{ARN}:workforce/people"
    assert workforce["WorkforceArn"] == arn
    assert workforce["Status"] == "Active"
    assert workforce["SubDomain"] == "portal.example.test"
    assert workforce["CognitoConfig"] == COGNITO
    assert abs((datetime.now(UTC) - workforce["CreateDate"]).total_seconds()) < 60


def test_an_account_has_one_workforce_only(labeling: Any) -> None:
    labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)

    with pytest.raises(ClientError) as error:
        labeling.create_workforce(WorkforceName="others", CognitoConfig=COGNITO)

    code, message = refusal(error)
    assert code == "ValidationException"
    assert "cannot create more than one workforce" in message
    assert "UpdateWorkforce" in message
    assert [entry["WorkforceName"] for entry in labeling.list_workforces()["Workforces"]] == [
        "people"
    ]


def test_of_many_workforces_created_at_once_one_comes_to_be(service: LabelingService) -> None:
    clients = [service.labeling() for _ in range(6)]

    def create(number: int) -> bool:
        try:
            clients[number].create_workforce(WorkforceName=f"w{number}", CognitoConfig=COGNITO)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"
            return False
        return True

    with ThreadPoolExecutor(len(clients)) as threads:
        outcomes = list(threads.map(create, range(len(clients))))

    assert outcomes.count(True) == 1
    assert len(clients[0].list_workforces()["Workforces"]) == 1


@pytest.mark.parametrize(
    "operation", ["describe_workforce", "update_workforce", "delete_workforce"]
)
def test_a_missing_workforce_is_a_validation_exception(labeling: Any, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(labeling, operation)(WorkforceName="nobody")

    code, message = refusal(error)
    assert code == "ValidationException"
    assert "No workforce" in message
    assert "'nobody'" in message


def test_a_workforce_needs_a_user_pool(labeling: Any) -> None:
    with pytest.raises(ClientError, match="CognitoConfig is missing"):
        labeling.create_workforce(WorkforceName="people")


def test_what_the_portal_would_not_enforce_is_refused_all_at_once(labeling: Any) -> None:
    with pytest.raises(ClientError) as error:
        labeling.create_workforce(
            WorkforceName="people",
            CognitoConfig=COGNITO,
            SourceIpConfig={"Cidrs": ["10.0.0.0/8"]},
            WorkforceVpcConfig={"VpcId": "vpc-1"},
            IpAddressType="dualstack",
        )

    _, message = refusal(error)
    assert message.startswith("3 validation errors detected: ")
    for member in ("SourceIpConfig", "WorkforceVpcConfig", "IpAddressType"):
        assert member in message


def test_a_workforce_with_work_teams_cannot_be_deleted(labeling: Any) -> None:
    labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)
    create_team(labeling, "team-a", WorkforceName="people")

    with pytest.raises(ClientError) as error:
        labeling.delete_workforce(WorkforceName="people")
    assert refusal(error)[0] == "ResourceInUse"
    assert "team-a" in refusal(error)[1]

    assert labeling.delete_workteam(WorkteamName="team-a")["Success"] is True
    labeling.delete_workforce(WorkforceName="people")
    assert labeling.list_workforces()["Workforces"] == []


def test_updating_a_workforce_gives_it_a_new_date(labeling: Any) -> None:
    labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)
    before = labeling.describe_workforce(WorkforceName="people")["Workforce"]

    after = labeling.update_workforce(WorkforceName="people")["Workforce"]

    assert after["LastUpdatedDate"] > before["LastUpdatedDate"]
    assert after["CreateDate"] == before["CreateDate"]


def test_workforces_are_listed_by_a_part_of_their_name(labeling: Any) -> None:
    labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)

    assert len(labeling.list_workforces(NameContains="eop", SortBy="Name")["Workforces"]) == 1
    assert labeling.list_workforces(NameContains="x")["Workforces"] == []


def test_the_first_work_team_makes_the_default_workforce(labeling: Any) -> None:
    arn = create_team(labeling, "team-a")

    team = labeling.describe_workteam(WorkteamName="team-a")["Workteam"]
    workforce = labeling.describe_workforce(WorkforceName="default")["Workforce"]

    assert arn == team["WorkteamArn"] == f"{ARN}:workteam/private-crowd/team-a"
    assert team["WorkforceArn"] == workforce["WorkforceArn"]
    assert team["SubDomain"] == workforce["SubDomain"]
    assert team["MemberDefinitions"] == members("labelers")
    assert workforce["CognitoConfig"] == COGNITO


def test_a_work_team_of_a_missing_workforce_is_refused(labeling: Any) -> None:
    with pytest.raises(ClientError, match="No workforce"):
        create_team(labeling, "team-a", WorkforceName="people")

    assert labeling.list_workteams()["Workteams"] == []


def test_members_have_to_be_of_the_workforces_pool_and_client(labeling: Any) -> None:
    labeling.create_workforce(WorkforceName="people", CognitoConfig=COGNITO)
    foreign = members("a", pool="us-east-1_Other") + members("b", client="other")

    with pytest.raises(ClientError) as error:
        create_team(labeling, "team-a", MemberDefinitions=foreign)

    code, message = refusal(error)
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: ")
    assert "UserPool us-east-1_Other is not that of workforce 'people'" in message
    assert "ClientId other is not that of workforce 'people'" in message
    assert "2 user pools and clients" in message


def test_oidc_members_are_refused_where_workers_sign_in_with_cognito(labeling: Any) -> None:
    with pytest.raises(ClientError, match="give CognitoMemberDefinition"):
        create_team(
            labeling, "team-a", MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["g"]}}]
        )
    assert labeling.list_workforces()["Workforces"] == []


def test_a_work_teams_name_is_taken_whatever_its_case(labeling: Any) -> None:
    create_team(labeling, "Team-A")

    with pytest.raises(labeling.exceptions.ResourceInUse, match="already exists"):
        create_team(labeling, "team-a")


def test_an_account_has_25_work_teams_at_most(labeling: Any) -> None:
    for number in range(25):
        create_team(labeling, f"team-{number}")

    with pytest.raises(labeling.exceptions.ResourceLimitExceeded, match="25 work teams"):
        create_team(labeling, "one-more")

    labeling.delete_workteam(WorkteamName="team-3")
    create_team(labeling, "one-more")


def test_updating_a_work_team_replaces_its_members(labeling: Any) -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:jobs"
    create_team(
        labeling,
        "team-a",
        MemberDefinitions=members("a", "b"),
        NotificationConfiguration={"NotificationTopicArn": topic},
    )

    team = labeling.update_workteam(WorkteamName="team-a", MemberDefinitions=members("c"))[
        "Workteam"
    ]

    assert team["MemberDefinitions"] == members("c")
    assert team["Description"] == "who labels"
    assert team["NotificationConfiguration"] == {"NotificationTopicArn": topic}
    assert labeling.describe_workteam(WorkteamName="team-a")["Workteam"] == team

    team = labeling.update_workteam(
        WorkteamName="team-a", Description="new", NotificationConfiguration={}
    )["Workteam"]
    assert team["MemberDefinitions"] == members("c")
    assert team["Description"] == "new"
    assert "NotificationConfiguration" not in team


def test_updating_a_work_team_checks_its_members(labeling: Any) -> None:
    create_team(labeling, "team-a")

    with pytest.raises(ClientError, match="ClientId other is not that of workforce 'default'"):
        labeling.update_workteam(
            WorkteamName="team-a", MemberDefinitions=members("a", client="other")
        )


@pytest.mark.parametrize("operation", ["describe_workteam", "update_workteam", "delete_workteam"])
def test_a_missing_work_team_is_a_validation_exception(labeling: Any, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(labeling, operation)(WorkteamName="nobody")

    code, message = refusal(error)
    assert code == "ValidationException"
    assert message.startswith("The work team")


def test_work_teams_come_in_pages_and_in_order(labeling: Any) -> None:
    names = ["delta", "Alpha", "charlie", "bravo", "echo"]
    for name in names:
        create_team(labeling, name)

    def listed(**parameters: Any) -> list[list[str]]:
        pages = labeling.get_paginator("list_workteams").paginate(
            PaginationConfig={"PageSize": 2}, **parameters
        )
        return [[team["WorkteamName"] for team in page["Workteams"]] for page in pages]

    assert listed() == [["delta", "Alpha"], ["charlie", "bravo"], ["echo"]]
    assert listed(SortBy="Name") == [["Alpha", "bravo"], ["charlie", "delta"], ["echo"]]
    assert listed(SortBy="Name", SortOrder="Descending") == [
        ["echo", "delta"],
        ["charlie", "bravo"],
        ["Alpha"],
    ]
    assert listed(NameContains="HA") == [["Alpha", "charlie"]]


def test_a_page_token_survives_changes_between_two_pages(labeling: Any) -> None:
    for name in ("a", "b", "d"):
        create_team(labeling, name)
    first = labeling.list_workteams(SortBy="Name", MaxResults=2)

    labeling.delete_workteam(WorkteamName="a")
    create_team(labeling, "c")
    second = labeling.list_workteams(SortBy="Name", MaxResults=2, NextToken=first["NextToken"])

    assert [team["WorkteamName"] for team in second["Workteams"]] == ["c", "d"]


def test_a_page_token_of_another_listing_is_refused(labeling: Any) -> None:
    for name in ("a", "b", "c"):
        create_team(labeling, name)
    token = labeling.list_workteams(SortBy="Name", MaxResults=2)["NextToken"]

    with pytest.raises(ClientError, match="other filters or another order"):
        labeling.list_workteams(SortBy="CreateDate", MaxResults=2, NextToken=token)
    with pytest.raises(ClientError, match="not one that this listing gave out"):
        labeling.list_workteams(NextToken="made-up")


def test_there_are_no_vendors_teams(labeling: Any) -> None:
    assert labeling.list_subscribed_workteams()["SubscribedWorkteams"] == []
