"""Custom::Workforce, Custom::Workteam and Custom::AdoptedWorkforce."""

from collections.abc import Mapping
from typing import Any

import pytest

from groundwork.custom_resources.failure import ResourceFailureError
from groundwork.custom_resources.workforce import (
    STACK_TAG,
    AdoptedWorkforceResource,
    WorkforceResource,
    WorkteamResource,
)
from tests.support.fake_services import (
    ACCOUNT,
    REGION,
    STACK,
    FakeClock,
    FakeLabeling,
    ProviderFramework,
    resource_event,
)

COGNITO = {"ClientId": "client1", "UserPool": "eu-west-1_Pool"}
WORKFORCE = {"WorkforceName": "workshop", "CognitoConfig": COGNITO}
WORKFORCE_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workforce/workshop"
TEAM_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators"
HOST = "abcdefghij.labeling.eu-west-1.sagemaker.aws"


def team_properties(**others: Any) -> dict[str, Any]:
    return {
        "WorkteamName": "annotators",
        "WorkforceName": "workshop",
        "Description": "Labels photos",
        "MemberDefinitions": [
            {
                "CognitoMemberDefinition": {
                    "CognitoUserPool": "eu-west-1_Pool",
                    "CognitoUserGroup": "annotators",
                    "CognitoClientId": "client1",
                }
            }
        ],
        "NotificationConfiguration": {"NotificationTopicArn": "arn:aws:sns:eu-west-1:1:t"},
        **others,
    }


class Setting:
    """The labeling API and the three resources."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.labeling = FakeLabeling()
        self.workforce = ProviderFramework(
            WorkforceResource(self.labeling, self.clock, REGION, ACCOUNT), self.clock
        )
        self.team = ProviderFramework(
            WorkteamResource(self.labeling, self.clock, REGION, ACCOUNT), self.clock
        )
        self.adopted = ProviderFramework(
            AdoptedWorkforceResource(self.labeling, self.clock), self.clock
        )

    def create_workforce(self) -> dict[str, Any]:
        return self.workforce.run(resource_event("Create", "Custom::Workforce", WORKFORCE))

    def delete_workforce(
        self, physical_id: str = WORKFORCE_ARN, properties: Mapping[str, Any] = WORKFORCE
    ) -> dict[str, Any]:
        event = resource_event("Delete", "Custom::Workforce", properties, physical_id=physical_id)
        return self.workforce.run(event)

    def create_team(self, **others: Any) -> dict[str, Any]:
        return self.team.run(
            resource_event("Create", "Custom::Workteam", team_properties(**others))
        )

    def update_team(self, after: Mapping[str, Any], **before: Any) -> dict[str, Any]:
        event = resource_event(
            "Update",
            "Custom::Workteam",
            after,
            old=team_properties(**before),
            physical_id=TEAM_ARN,
        )
        return self.team.run(event)

    def delete_team(self, physical_id: str = TEAM_ARN) -> dict[str, Any]:
        event = resource_event(
            "Delete", "Custom::Workteam", team_properties(), physical_id=physical_id
        )
        return self.team.run(event)


@pytest.fixture
def setting() -> Setting:
    return Setting()


# Custom::Workforce


def test_a_workforce_is_made_and_its_host_returned(setting: Setting) -> None:
    assert setting.create_workforce() == {
        "PhysicalResourceId": WORKFORCE_ARN,
        "WorkforceName": "workshop",
        "WorkforceArn": WORKFORCE_ARN,
        "SubDomain": HOST,
    }
    (sent,) = setting.labeling.called("create_workforce")
    assert sent["CognitoConfig"] == COGNITO
    assert sent["Tags"] == [{"Key": STACK_TAG, "Value": STACK}]


def test_a_workforce_that_is_not_active_yet_is_waited_for(setting: Setting) -> None:
    setting.labeling.new_workforce_status = "Initializing"
    event = setting.workforce.start(resource_event("Create", "Custom::Workforce", WORKFORCE))
    assert setting.workforce.poll(event) == {"IsComplete": False}
    assert setting.workforce.poll(event) == {"IsComplete": False}
    setting.labeling.workforces["workshop"]["Status"] = "Active"
    assert setting.workforce.poll(event)["Data"]["SubDomain"] == HOST
    assert len(setting.labeling.called("create_workforce")) == 1


def test_a_workforce_that_never_becomes_active_is_given_up(setting: Setting) -> None:
    setting.labeling.new_workforce_status = "Initializing"
    with pytest.raises(ResourceFailureError, match="is Initializing, not Active, after 0:10:00"):
        setting.create_workforce()


def test_a_failed_workforce_tells_its_reason(setting: Setting) -> None:
    setting.labeling.new_workforce_status = "Failed"
    event = setting.workforce.start(resource_event("Create", "Custom::Workforce", WORKFORCE))
    setting.workforce.poll(event)
    setting.labeling.workforces["workshop"]["FailureReason"] = "The client has no secret."
    with pytest.raises(ResourceFailureError) as caught:
        setting.workforce.poll(event)
    assert "The service said: The client has no secret." in str(caught.value)
    assert "delete-workforce --workforce-name workshop" in str(caught.value)


def test_a_repeated_event_finds_the_workforce_it_made(setting: Setting) -> None:
    assert setting.create_workforce() == setting.create_workforce()
    assert len(setting.labeling.called("create_workforce")) == 1


def test_a_second_workforce_points_to_adopting_the_first(setting: Setting) -> None:
    setting.labeling.create_workforce("default", {"ClientId": "x", "UserPool": "eu-west-1_Other"})
    with pytest.raises(ResourceFailureError) as caught:
        setting.create_workforce()
    text = str(caught.value)
    assert "workforce/default" in text
    assert "ValidationException: You cannot create more than one workforce" in text
    assert "`workforce: adopt`" in text


def test_a_workforce_of_the_same_name_but_another_pool_is_not_taken_over(setting: Setting) -> None:
    setting.labeling.create_workforce("workshop", {"ClientId": "x", "UserPool": "eu-west-1_Other"})
    with pytest.raises(ResourceFailureError, match="`workforce: adopt`"):
        setting.create_workforce()
    # The rollback deletes by the same physical id, and has to leave it alone as well.
    setting.delete_workforce()
    assert "workshop" in setting.labeling.workforces


def test_a_creation_refused_for_other_reasons_is_told_unchanged(setting: Setting) -> None:
    setting.labeling.refuse("create_workforce", "ValidationException", "The pool has no domain.")
    with pytest.raises(ResourceFailureError, match="ValidationException: The pool has no domain"):
        setting.create_workforce()


def test_a_workforce_cannot_change_its_pool(setting: Setting) -> None:
    changed = {**WORKFORCE, "CognitoConfig": {"ClientId": "c", "UserPool": "eu-west-1_New"}}
    event = resource_event(
        "Update", "Custom::Workforce", changed, old=WORKFORCE, physical_id=WORKFORCE_ARN
    )
    with pytest.raises(ResourceFailureError, match="destroy the stack and deploy it again"):
        setting.workforce.run(event)


def test_an_update_that_changes_nothing_of_the_workforce_returns_it(setting: Setting) -> None:
    created = setting.create_workforce()
    event = resource_event(
        "Update", "Custom::Workforce", WORKFORCE, old=WORKFORCE, physical_id=WORKFORCE_ARN
    )
    assert setting.workforce.run(event) == created


def test_a_workforce_is_deleted_once_its_teams_are(setting: Setting) -> None:
    setting.create_workforce()
    setting.create_team()
    event = setting.workforce.start(
        resource_event("Delete", "Custom::Workforce", WORKFORCE, physical_id=WORKFORCE_ARN)
    )
    assert setting.workforce.poll(event) == {"IsComplete": False}
    setting.labeling.workteams.clear()
    assert setting.workforce.poll(event) == {"IsComplete": False}
    assert setting.workforce.poll(event) == {"IsComplete": True}
    assert setting.labeling.workforces == {}


def test_teams_that_keep_a_workforce_are_named(setting: Setting) -> None:
    setting.create_workforce()
    setting.create_team()
    with pytest.raises(ResourceFailureError) as caught:
        setting.delete_workforce()
    assert "ResourceInUse: Work teams still exist." in str(caught.value)
    assert "(annotators)" in str(caught.value)


@pytest.mark.parametrize("physical_id", [WORKFORCE_ARN, "AWSCDK::CREATE_FAILED", "request-1"])
def test_deleting_a_workforce_that_is_not_there_succeeds(
    setting: Setting, physical_id: str
) -> None:
    assert setting.delete_workforce(physical_id)["PhysicalResourceId"] == physical_id


def test_a_workforce_that_cannot_be_deleted_says_why(setting: Setting) -> None:
    setting.create_workforce()
    setting.labeling.refuse("delete_workforce", "AccessDeniedException", "not authorized")
    with pytest.raises(ResourceFailureError, match="AccessDeniedException: not authorized"):
        setting.delete_workforce()


# Custom::Workteam


def test_a_team_is_made_with_the_apis_field_names_and_the_stacks_tag(setting: Setting) -> None:
    setting.create_workforce()
    tags = [{"Key": "course", "Value": "vision"}]
    assert setting.create_team(Tags=tags) == {
        "PhysicalResourceId": TEAM_ARN,
        "WorkteamArn": TEAM_ARN,
        "WorkteamName": "annotators",
    }
    assert setting.labeling.called("create_workteam") == [
        {
            "WorkteamName": "annotators",
            "WorkforceName": "workshop",
            "Description": "Labels photos",
            "MemberDefinitions": [
                {
                    "CognitoMemberDefinition": {
                        "UserPool": "eu-west-1_Pool",
                        "UserGroup": "annotators",
                        "ClientId": "client1",
                    }
                }
            ],
            "NotificationConfiguration": {"NotificationTopicArn": "arn:aws:sns:eu-west-1:1:t"},
            "Tags": [*tags, {"Key": STACK_TAG, "Value": STACK}],
        }
    ]


def test_a_group_that_is_not_known_everywhere_yet_is_waited_for(setting: Setting) -> None:
    setting.labeling.refuse(
        "create_workteam", "ValidationException", "The group was not found.", times=3
    )
    assert setting.create_team()["WorkteamArn"] == TEAM_ARN
    assert len(setting.labeling.called("create_workteam")) == 4


def test_a_refusal_that_stays_is_told_after_two_minutes(setting: Setting) -> None:
    setting.labeling.refuse(
        "create_workteam", "ValidationException", "The group was not found.", times=500
    )
    started = setting.clock()
    with pytest.raises(ResourceFailureError, match="ValidationException: The group was not found"):
        setting.create_team()
    assert 120 <= (setting.clock() - started).total_seconds() <= 130


def test_a_limit_is_told_at_once(setting: Setting) -> None:
    setting.labeling.refuse("create_workteam", "ResourceLimitExceeded", "25 work teams")
    with pytest.raises(ResourceFailureError, match="ResourceLimitExceeded: 25 work teams"):
        setting.create_team()
    assert len(setting.labeling.called("create_workteam")) == 1


def test_a_repeated_event_finds_the_team_it_made(setting: Setting) -> None:
    assert setting.create_team() == setting.create_team()
    assert len(setting.labeling.called("create_workteam")) == 1


def test_a_team_of_another_stack_is_neither_taken_over_nor_deleted(setting: Setting) -> None:
    setting.create_team()
    setting.labeling.tags[TEAM_ARN][STACK_TAG] = "another stack"
    with pytest.raises(ResourceFailureError) as caught:
        setting.create_team()
    assert TEAM_ARN in str(caught.value)
    assert "group annotators of pool eu-west-1_Pool" in str(caught.value)
    assert "choose another name" in str(caught.value)
    setting.delete_team()
    assert "annotators" in setting.labeling.workteams


def test_an_update_sends_the_whole_member_list(setting: Setting) -> None:
    setting.create_team()
    after = team_properties(Description="Labels all photos")
    answer = setting.update_team(after)
    assert answer["PhysicalResourceId"] == TEAM_ARN
    (sent,) = setting.labeling.called("update_workteam")
    assert sent["Description"] == "Labels all photos"
    assert len(sent["MemberDefinitions"]) == 1


def test_an_update_can_end_the_notices(setting: Setting) -> None:
    setting.create_team()
    after = team_properties()
    del after["NotificationConfiguration"]
    setting.update_team(after)
    (sent,) = setting.labeling.called("update_workteam")
    assert sent["NotificationConfiguration"] == {}


def test_an_update_changes_only_the_tags_that_changed(setting: Setting) -> None:
    before = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]
    setting.create_team(Tags=before)
    after = team_properties(Tags=[{"Key": "b", "Value": "2"}])
    setting.update_team(after, Tags=before)
    assert setting.labeling.called("update_workteam") == []
    assert setting.labeling.tags[TEAM_ARN] == {"b": "2", STACK_TAG: STACK}


def test_tags_that_cannot_be_changed_say_which_rights_are_needed(setting: Setting) -> None:
    setting.create_team()
    setting.labeling.refuse("add_tags", "AccessDeniedException", "not authorized")
    with pytest.raises(ResourceFailureError, match="allow sagemaker:AddTags"):
        setting.update_team(team_properties(Tags=[{"Key": "a", "Value": "1"}]))


def test_a_new_name_is_a_new_team(setting: Setting) -> None:
    setting.create_team()
    answer = setting.update_team(team_properties(WorkteamName="others"))
    assert answer["PhysicalResourceId"].endswith("/others")
    setting.delete_team()
    assert set(setting.labeling.workteams) == {"others"}


def test_a_team_cannot_move_to_another_workforce(setting: Setting) -> None:
    setting.create_team()
    with pytest.raises(ResourceFailureError, match="give the team another name"):
        setting.update_team(team_properties(WorkforceName="other"))


@pytest.mark.parametrize("physical_id", [TEAM_ARN, "AWSCDK::CREATE_FAILED", WORKFORCE_ARN])
def test_deleting_a_team_that_is_not_there_succeeds(setting: Setting, physical_id: str) -> None:
    assert setting.delete_team(physical_id)["PhysicalResourceId"] == physical_id


def test_a_team_in_use_is_deleted_as_soon_as_it_is_free(setting: Setting) -> None:
    setting.create_team()
    setting.labeling.refuse("delete_workteam", "ResourceInUse", "A job uses it.", times=2)
    setting.delete_team()
    assert setting.labeling.workteams == {}


def test_a_team_that_stays_in_use_is_told(setting: Setting) -> None:
    setting.create_team()
    setting.labeling.refuse("delete_workteam", "ResourceInUse", "A job uses it.", times=500)
    with pytest.raises(ResourceFailureError, match="ResourceInUse: A job uses it"):
        setting.delete_team()


def test_a_deletion_that_is_not_a_success_is_tried_again(setting: Setting) -> None:
    setting.create_team()
    original = setting.labeling.delete_workteam
    answers = iter([{"Success": False}])
    setting.labeling.delete_workteam = (  # type: ignore[method-assign]
        lambda WorkteamName: next(answers, None) or original(WorkteamName)  # noqa: N803
    )
    setting.delete_team()
    assert setting.labeling.workteams == {}


# Custom::AdoptedWorkforce


def adopt(setting: Setting, request_type: str = "Create", **properties: str) -> dict[str, Any]:
    physical_id = None if request_type == "Create" else "adopted-workforce-Resource"
    event = resource_event(
        request_type, "Custom::AdoptedWorkforce", properties, physical_id=physical_id
    )
    return setting.adopted.run(event)


def test_the_accounts_workforce_is_adopted_with_its_very_pool_and_client(setting: Setting) -> None:
    setting.create_workforce()
    assert adopt(setting) == {
        "PhysicalResourceId": "adopted-workforce-Resource",
        "WorkforceName": "workshop",
        "WorkforceArn": WORKFORCE_ARN,
        "SubDomain": HOST,
        "UserPool": "eu-west-1_Pool",
        "ClientId": "client1",
    }


def test_an_adopted_workforce_that_is_being_changed_is_waited_for(setting: Setting) -> None:
    setting.create_workforce()
    setting.labeling.workforces["workshop"]["Status"] = "Updating"
    event = setting.adopted.start(resource_event("Create", "Custom::AdoptedWorkforce", {}))
    assert setting.adopted.poll(event) == {"IsComplete": False}
    setting.labeling.workforces["workshop"]["Status"] = "Active"
    assert setting.adopted.poll(event)["IsComplete"] is True


def test_without_a_workforce_there_is_nothing_to_adopt(setting: Setting) -> None:
    with pytest.raises(ResourceFailureError, match="leave out `workforce: adopt`"):
        adopt(setting)


def test_a_workforce_with_its_own_identity_provider_cannot_be_adopted(setting: Setting) -> None:
    setting.create_workforce()
    workforce = setting.labeling.workforces["workshop"]
    del workforce["CognitoConfig"]
    workforce["OidcConfig"] = {"Issuer": "https://id.example.com"}
    with pytest.raises(ResourceFailureError, match=r"\(OIDC\); only one with Cognito"):
        adopt(setting)


@pytest.mark.parametrize(("engine", "hinted"), [("ground-truth", True), ("open", False)])
def test_an_account_without_the_service_is_pointed_to_the_open_engine(
    setting: Setting, engine: str, hinted: bool
) -> None:
    setting.labeling.refuse("list_workforces", "AccessDeniedException", "not available to you")
    with pytest.raises(ResourceFailureError) as caught:
        adopt(setting, Engine=engine)
    assert "AccessDeniedException: not available to you" in str(caught.value)
    assert ("engine=open" in str(caught.value)) is hinted


def test_an_adopted_workforce_is_never_deleted(setting: Setting) -> None:
    setting.create_workforce()
    adopt(setting, "Delete")
    assert setting.labeling.called("delete_workforce") == []
    assert "workshop" in setting.labeling.workforces
