"""Validation against the SDK's service model."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from groundwork.contract.errors import validation_error
from groundwork.contract.operations import OPERATIONS
from groundwork.contract.service_model import (
    matches_pattern,
    output_problems,
    parse_request,
    validate,
)
from tests.support.labeling_requests import labeling_job_request, with_human_task


def test_a_right_request_has_no_problems() -> None:
    assert validate("CreateLabelingJob", labeling_job_request()) == []


def test_missing_members_are_told_at_every_depth() -> None:
    request = labeling_job_request(InputConfig={}, RoleArn=None)
    request = with_human_task(request, TaskTitle=None)

    assert validate("CreateLabelingJob", request) == [
        "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        "Value null at 'inputConfig.dataSource' failed to satisfy constraint: Member must not be "
        "null",
        "Value null at 'humanTaskConfig.taskTitle' failed to satisfy constraint: Member must not "
        "be null",
    ]


@pytest.mark.parametrize(
    ("changes", "place", "constraint"),
    [
        ({"TaskTitle": "x" * 129}, "taskTitle", "length less than or equal to 128"),
        ({"TaskKeywords": []}, "taskKeywords", "length greater than or equal to 1"),
        ({"TaskKeywords": ["a"] * 6}, "taskKeywords", "length less than or equal to 5"),
        ({"TaskKeywords": ["ok", "a  b"]}, "taskKeywords.2.member", "regular expression pattern"),
        ({"TaskDescription": "a\nb"}, "taskDescription", "regular expression pattern: .+"),
        ({"TaskTimeLimitInSeconds": 29}, "taskTimeLimitInSeconds", "value greater than or equal"),
        ({"MaxConcurrentTaskCount": 5001}, "maxConcurrentTaskCount", "value less than or equal"),
        ({"MaxConcurrentTaskCount": True}, "maxConcurrentTaskCount", "must be of type Integer"),
        ({"MaxConcurrentTaskCount": 1.5}, "maxConcurrentTaskCount", "must be of type Integer"),
        ({"UiConfig": "x"}, "uiConfig", "must be of type Structure"),
        ({"TaskTitel": "x"}, "taskTitel", "Member is not known; known: [WorkteamArn, "),
    ],
)
def test_each_kind_of_constraint_is_checked(
    changes: dict[str, object], place: str, constraint: str
) -> None:
    request = with_human_task(labeling_job_request(), **changes)

    (problem,) = validate("CreateLabelingJob", request)

    assert f"at 'humanTaskConfig.{place}' failed to satisfy constraint: " in problem
    assert constraint in problem


def test_enums_are_told_with_their_values() -> None:
    assert validate("ListLabelingJobs", {"SortBy": "Size"}) == [
        "Value 'Size' at 'sortBy' failed to satisfy constraint: Member must satisfy enum value "
        "set: [Name, CreationTime, Status]"
    ]


def test_secrets_are_not_repeated() -> None:
    oidc = {"ClientSecret": "hunter2\n", "ClientSecretTypo": "hunter3"}

    message = " ".join(validate("CreateWorkforce", {"WorkforceName": "a", "OidcConfig": oidc}))

    assert "Value '***' at 'oidcConfig.clientSecret'" in message
    assert "Value '***' at 'oidcConfig.clientSecretTypo'" in message
    assert "hunter" not in message


def test_long_values_are_cut() -> None:
    (problem, *_) = validate("DescribeWorkteam", {"WorkteamName": "x" * 100_000})

    assert len(problem) < 400


def test_the_message_counts_its_problems() -> None:
    assert validation_error(["a"]).message == "1 validation error detected: a"
    assert validation_error(["a", "b"]).message == "2 validation errors detected: a; b"


def test_timestamps_are_numbers_within_the_calendar() -> None:
    assert validate("ListLabelingJobs", {"CreationTimeAfter": 1_700_000_000.5}) == []
    assert validate("ListLabelingJobs", {"CreationTimeAfter": datetime.now(UTC)}) == []
    for wrong in ("2026-01-01", 1e300, float("nan"), True):
        assert len(validate("ListLabelingJobs", {"CreationTimeAfter": wrong})) == 1


def test_a_parsed_request_has_aware_times_and_no_empty_members() -> None:
    parsed = parse_request(
        "ListLabelingJobs", {"CreationTimeAfter": 0, "NameContains": None, "MaxResults": 3}
    )

    assert parsed == {"CreationTimeAfter": datetime(1970, 1, 1, tzinfo=UTC), "MaxResults": 3}


def test_answers_are_checked_too() -> None:
    assert output_problems("DeleteWorkteam", {"Success": True}) == []
    assert output_problems("StopLabelingJob", {}) == []
    assert len(output_problems("StopLabelingJob", {"a": 1})) == 1
    assert len(output_problems("DeleteWorkteam", {"Sucess": True})) == 2


@pytest.mark.parametrize("category", "LMNPSZ")
def test_categories_of_unicode_match_as_in_java(category: str) -> None:
    pattern = rf"[\p{{{category}}}]"

    for code in (*range(0x3000), 0xE000, 0xFF21, 0x1F600, 0x20000):
        char = chr(code)
        assert matches_pattern(pattern, char) == (unicodedata.category(char)[0] == category), code


def test_tag_values_take_letters_of_any_script() -> None:
    (pattern,) = set(re.findall(r"\(\[\\p\{L\}.*", str(_shape("TagValue").metadata["pattern"])))

    assert matches_pattern(pattern, "zoë 犬 a_.:/=+-@1")
    assert not matches_pattern(pattern, "a#b")
    assert matches_pattern(pattern, "")


def test_every_pattern_of_our_operations_compiles() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    patterns = {
        shape.metadata["pattern"]
        for operation in OPERATIONS
        for shape in _shapes(model.operation_model(operation).input_shape, set())
        if "pattern" in shape.metadata
    }

    assert len(patterns) > 20
    for pattern in patterns:
        matches_pattern(pattern, "probe")


def _shape(name: str) -> Any:
    return botocore.session.get_session().get_service_model("sagemaker").shape_for(name)


def _shapes(shape: Any, seen: set[str]) -> Iterator[Any]:
    if shape.name in seen:
        return
    seen.add(shape.name)
    yield shape
    inner: list[Any] = []
    if shape.type_name == "structure":
        inner = list(shape.members.values())
    elif shape.type_name == "list":
        inner = [shape.member]
    elif shape.type_name == "map":
        inner = [shape.key, shape.value]
    for member in inner:
        yield from _shapes(member, seen)
