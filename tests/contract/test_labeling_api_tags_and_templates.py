"""Tags and RenderUiTemplate through an unmodified SageMaker client."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.labeling_service import ACCOUNT, BUCKET, REGION, ROLE_ARN, LabelingService

PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


@pytest.fixture
def team_arn(labeling: Any) -> str:
    cognito = {"UserPool": "us-east-1_Pool", "UserGroup": "labelers", "ClientId": "client"}
    arn: str = labeling.create_workteam(
        WorkteamName="team-a",
        Description="who labels",
        MemberDefinitions=[{"CognitoMemberDefinition": cognito}],
        Tags=[{"Key": "owner", "Value": "zoë"}],
    )["WorkteamArn"]
    return arn


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_tags_are_added_changed_and_removed(labeling: Any, team_arn: str) -> None:
    added = labeling.add_tags(ResourceArn=team_arn, Tags=tags(stage="test", owner="max"))["Tags"]
    labeling.delete_tags(ResourceArn=team_arn, TagKeys=["stage", "never-there"])
    left = labeling.list_tags(ResourceArn=team_arn)["Tags"]

    assert added == tags(owner="max", stage="test")
    assert left == tags(owner="max")


def test_tags_of_a_deleted_work_team_do_not_come_back(labeling: Any, team_arn: str) -> None:
    labeling.delete_workteam(WorkteamName="team-a")
    with pytest.raises(ClientError) as error:
        labeling.list_tags(ResourceArn=team_arn)
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"

    cognito = {"UserPool": "us-east-1_Pool", "UserGroup": "labelers", "ClientId": "client"}
    labeling.create_workteam(
        WorkteamName="team-a",
        Description="again",
        MemberDefinitions=[{"CognitoMemberDefinition": cognito}],
    )
    assert labeling.list_tags(ResourceArn=team_arn)["Tags"] == []


def test_a_page_of_tags_has_50_at_least(service: LabelingService, team_arn: str) -> None:
    # Whose own validation would be faster.
    unchecked = service.labeling(parameter_validation=False)

    with pytest.raises(ClientError, match="greater than or equal to 50"):
        unchecked.list_tags(ResourceArn=team_arn, MaxResults=49)


def test_a_resource_has_50_tags_at_most(labeling: Any, team_arn: str) -> None:
    labeling.add_tags(ResourceArn=team_arn, Tags=tags(**{f"k{n:02}": "v" for n in range(49)}))

    with pytest.raises(ClientError, match="would have 51 tags"):
        labeling.add_tags(ResourceArn=team_arn, Tags=tags(more="v"))
    assert len(labeling.list_tags(ResourceArn=team_arn, MaxResults=50)["Tags"]) == 50


def test_reserved_and_repeated_tag_keys_are_refused(labeling: Any, team_arn: str) -> None:
    with pytest.raises(ClientError) as error:
        labeling.add_tags(
            ResourceArn=team_arn, Tags=[*tags(**{"aws:x": "1"}), *tags(a="1"), *tags(a="2")]
        )
    message = error.value.response["Error"]["Message"]
    assert "'aws:x' begins with aws:" in message
    assert "'a' is given 2 times" in message


def test_workforces_have_no_tags_to_list(labeling: Any) -> None:
    with pytest.raises(ClientError) as error:
        labeling.list_tags(ResourceArn=f"{PREFIX}:workforce/default")
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert "Invalid resource type workforce" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "arn",
    [
        f"{PREFIX}:labeling-job/none",
        f"arn:aws:sagemaker:{REGION}:111111111111:workteam/private-crowd/team-a",
    ],
)
def test_tags_of_what_does_not_exist_here_are_not_found(labeling: Any, arn: str) -> None:
    with pytest.raises(ClientError) as error:
        labeling.add_tags(ResourceArn=arn, Tags=tags(a="1"))
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def render(labeling: Any, content: str, task_input: Any) -> tuple[str, list[dict[str, str]]]:
    answer = labeling.render_ui_template(
        UiTemplate={"Content": content}, Task={"Input": json.dumps(task_input)}, RoleArn=ROLE_ARN
    )
    return answer["RenderedContent"], answer["Errors"]


def test_a_template_is_rendered_with_its_input(labeling: Any) -> None:
    content, errors = render(
        labeling, "<p>{{ task.input.text }}</p>", {"text": "<b>cats & dogs</b>"}
    )

    assert content == "<p>&lt;b&gt;cats &amp; dogs&lt;/b&gt;</p>"
    assert errors == []


def test_grant_read_access_gives_an_address_signed_with_the_role(labeling: Any) -> None:
    content, errors = render(
        labeling,
        "{{ task.input.image | grant_read_access | skip_autoescape }}",
        {"image": f"s3://{BUCKET}/images/1.jpg"},
    )

    assert errors == []
    assert "/images/1.jpg?" in content
    assert "X-Amz-Signature=" in content
    assert "X-Amz-Security-Token=" in content


def test_a_broken_template_answers_with_errors(labeling: Any) -> None:
    content, errors = render(labeling, "{{ task.input.a | no_such_filter }}", {"a": 1})

    assert content == ""
    assert [error["Code"] for error in errors] == ["TemplateError"]
    assert "no_such_filter" in errors[0]["Message"]


def test_a_template_or_a_page_is_needed_and_its_input_is_json(labeling: Any) -> None:
    with pytest.raises(ClientError, match="give one of UiTemplate and HumanTaskUiArn"):
        labeling.render_ui_template(Task={"Input": "{}"}, RoleArn=ROLE_ARN)
    with pytest.raises(ClientError, match=r"Task\.Input is not JSON"):
        labeling.render_ui_template(
            UiTemplate={"Content": "a"}, Task={"Input": "{nope"}, RoleArn=ROLE_ARN
        )
    with pytest.raises(labeling.exceptions.ResourceNotFound, match="no worker pages"):
        labeling.render_ui_template(
            HumanTaskUiArn=f"arn:aws:sagemaker:{REGION}:394669845002:human-task-ui/A",
            Task={"Input": "{}"},
            RoleArn=ROLE_ARN,
        )
