"""Custom::LabelingJob: one job per deployment, started after a preflight, stopped at the end."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.contract.rules import labeling_job_problems
from groundwork.contract.service_model import validate
from groundwork.custom_resources.failure import ResourceFailureError
from groundwork.custom_resources.labeling_job import DEFINITION_TAG, LabelingJobResource
from groundwork.jobs.automation.settings import (
    SAMPLE_PERCENTAGE_TAG,
    TARGET_TAG,
    Automation,
    automation_of,
    automation_tag_problems,
)
from groundwork.preflight import Finding, Findings
from tests.support.fake_services import (
    ACCOUNT,
    REGION,
    FakeClock,
    FakeLabeling,
    ProviderFramework,
    resource_event,
)

TYPE = "Custom::LabelingJob"
TASK = BUILTIN_TASKS["BoundingBox"]
# CloudFormation's answers may have 4,096 bytes in all.
ANSWER_BYTES = 4096


def properties(**others: Any) -> dict[str, Any]:
    return {
        "NamePrefix": "Workshop",
        "InputManifestUri": "s3://data/input.manifest",
        "OutputPath": "s3://data/output/",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
        "WorkteamArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators",
        "TaskType": "BoundingBox",
        "LabelAttributeName": "label",
        "LabelCategoryConfigUri": "s3://data/labels.json",
        "UiTemplateUri": "s3://data/template.html",
        "TaskTitle": "Draw boxes",
        "TaskDescription": "Draw a box around every logo",
        "TaskKeywords": ["images", "boxes"],
        "WorkersPerObject": "3",
        "BatchSize": "100",
        "TaskTimeLimitSeconds": "300",
        "AutoLabeling": "false",
        "Tags": {"course": "vision"},
        "InputHash": "abc",
        "Engine": "ground-truth",
        "PreLambdaArn": pre_lambda_arn(REGION, TASK),
        "ConsolidationLambdaArn": consolidation_lambda_arn(REGION, TASK),
        "AlgorithmArn": algorithm_arn(REGION, TASK),
        **others,
    }


class Setting:
    """The labeling API, a preflight with findings to order, and the resource under test."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.labeling = FakeLabeling()
        self.findings: list[Findings] = []
        self.preflights: list[tuple[Mapping[str, Any], str]] = []
        resource = LabelingJobResource(
            self.labeling,
            self._preflight,
            clock=self.clock,
            sleep=self.clock.sleep,
            region=REGION,
            account=ACCOUNT,
        )
        self.framework = ProviderFramework(resource, self.clock)

    def _preflight(self, request: Mapping[str, Any], engine: str) -> Findings:
        self.preflights.append((request, engine))
        if len(self.findings) > 1:
            return self.findings.pop(0)
        return self.findings[0] if self.findings else Findings()

    def create(self, request_id: str = "create-1", **others: Any) -> dict[str, Any]:
        event = resource_event("Create", TYPE, properties(**others), request_id=request_id)
        return self.framework.run(event)

    def update(
        self,
        physical_id: str,
        before: dict[str, Any],
        after: dict[str, Any],
        request_id: str = "update-1",
    ) -> dict[str, Any]:
        event = resource_event(
            "Update", TYPE, after, old=before, physical_id=physical_id, request_id=request_id
        )
        return self.framework.run(event)

    def deletion(self, physical_id: str) -> dict[str, Any]:
        return self.framework.start(
            resource_event("Delete", TYPE, properties(), physical_id=physical_id)
        )

    def status(self, name: str, status: str) -> None:
        self.labeling.jobs[name]["LabelingJobStatus"] = status


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_job_is_created_and_its_places_returned(setting: Setting) -> None:
    answer = setting.create()
    name = answer["LabelingJobName"]
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}"
    assert name.startswith("workshop-")
    assert len(name) == len("workshop-") + 8
    assert answer == {
        "PhysicalResourceId": arn,
        "LabelingJobName": name,
        "LabelingJobArn": arn,
        "OutputManifestUri": f"s3://data/output/{name}/manifests/output/output.manifest",
        "ConsoleUrl": f"https://{REGION}.console.aws.amazon.com/sagemaker/groundtruth"
        f"?region={REGION}#/labeling-jobs/details/{name}",
        "Warnings": "",
    }


def test_the_request_says_what_the_properties_say(setting: Setting) -> None:
    name = setting.create()["LabelingJobName"]
    (sent,) = setting.labeling.called("create_labeling_job")
    digest = sent["Tags"][-1]
    assert digest["Key"] == DEFINITION_TAG
    assert sent == {
        "LabelingJobName": name,
        "LabelAttributeName": "label",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://data/input.manifest"}}
        },
        "OutputConfig": {"S3OutputPath": "s3://data/output/"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
        "LabelCategoryConfigS3Uri": "s3://data/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": properties()["WorkteamArn"],
            "UiConfig": {"UiTemplateS3Uri": "s3://data/template.html"},
            "PreHumanTaskLambdaArn": pre_lambda_arn(REGION, TASK),
            "TaskKeywords": ["images", "boxes"],
            "TaskTitle": "Draw boxes",
            "TaskDescription": "Draw a box around every logo",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 300,
            "MaxConcurrentTaskCount": 100,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": consolidation_lambda_arn(REGION, TASK)
            },
        },
        "Tags": [{"Key": "course", "Value": "vision"}, digest],
    }
    assert validate("CreateLabelingJob", sent) == []
    assert labeling_job_problems(sent, region=REGION, account=ACCOUNT) == []


def test_optional_properties_reach_the_request(setting: Setting) -> None:
    setting.create(
        AutoLabeling="true",
        MaxHumanLabeledObjects="500",
        MaxLabeledPercentage="80",
        KmsKeyArn="arn:aws:kms:eu-west-1:111122223333:key/1",
        AvailabilityLifetimeSeconds="86400",
        HumanTaskUiArn="arn:aws:sagemaker:eu-west-1:394669845002:human-task-ui/X",
    )
    (sent,) = setting.labeling.called("create_labeling_job")
    assert sent["LabelingJobAlgorithmsConfig"] == {
        "LabelingJobAlgorithmSpecificationArn": algorithm_arn(REGION, TASK)
    }
    assert sent["StoppingConditions"] == {
        "MaxHumanLabeledObjectCount": 500,
        "MaxPercentageOfInputDatasetLabeled": 80,
    }
    assert sent["OutputConfig"]["KmsKeyId"] == "arn:aws:kms:eu-west-1:111122223333:key/1"
    assert sent["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] == 86400
    assert set(sent["HumanTaskConfig"]["UiConfig"]) == {"HumanTaskUiArn"}
    assert validate("CreateLabelingJob", sent) == []


def test_wishes_about_automated_labels_reach_the_engine_as_tags(setting: Setting) -> None:
    """The API has no field for them."""
    setting.create(
        Engine="open",
        AutoLabeling="true",
        AutoLabelingTarget="0.7",
        AutoLabelingSamplePercentage="5",
    )
    (sent,) = setting.labeling.called("create_labeling_job")
    tags = {tag["Key"]: tag["Value"] for tag in sent["Tags"]}
    assert tags[TARGET_TAG] == "0.7"
    assert tags[SAMPLE_PERCENTAGE_TAG] == "5"
    assert list(automation_tag_problems(tags, automated=True)) == []
    assert automation_of("BoundingBox", tags) == Automation(target=0.7, sampled_share=0.05)


def test_the_open_engines_console_page_shows_the_jobs_files(setting: Setting) -> None:
    answer = setting.create(Engine="open")
    name = answer["LabelingJobName"]
    assert answer["ConsoleUrl"] == (
        f"https://{REGION}.console.aws.amazon.com/s3/buckets/data?region={REGION}"
        f"&prefix=output/{name}/"
    )


def test_a_long_prefix_is_cut_to_a_valid_name(setting: Setting) -> None:
    name = setting.create(NamePrefix=f"{'x' * 53}-{'y' * 20}")["LabelingJobName"]
    assert name.startswith(f"{'x' * 53}-")
    assert "--" not in name
    assert len(name) <= 63


def test_every_deployment_gets_a_name_of_its_own(setting: Setting) -> None:
    assert setting.create("a")["LabelingJobName"] != setting.create("b")["LabelingJobName"]


def test_a_repeated_event_finds_the_job_it_created(setting: Setting) -> None:
    assert setting.create() == setting.create()
    assert len(setting.labeling.called("create_labeling_job")) == 1
    assert len(setting.preflights) == 1


def test_a_request_whose_answer_was_lost_counts_as_done(setting: Setting) -> None:
    original = setting.labeling.create_labeling_job

    def twice(LabelingJobName: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        original(LabelingJobName, **request)
        return original(LabelingJobName, **request)

    setting.labeling.create_labeling_job = twice  # type: ignore[method-assign]
    assert setting.create()["LabelingJobName"] in setting.labeling.jobs


def test_a_job_that_failed_at_once_is_no_success(setting: Setting) -> None:
    name = setting.create()["LabelingJobName"]
    setting.status(name, "Failed")
    setting.labeling.jobs[name]["FailureReason"] = "The role cannot read the manifest."
    with pytest.raises(ResourceFailureError, match="The role cannot read the manifest"):
        setting.create()


def test_all_problems_are_told_and_no_job_is_created(setting: Setting) -> None:
    setting.findings = [
        Findings(
            problems=(
                Finding("bucket b", "has no CORS rules", "a rule", "set it"),
                Finding("label file f", "label 'a' occurs 2 times"),
            )
        )
    ]
    with pytest.raises(ResourceFailureError) as caught:
        setting.create()
    text = str(caught.value)
    assert "2 problem(s) were found first" in text
    assert "1. bucket b: has no CORS rules; accepted: a rule; set it" in text
    assert "2. label file f: label 'a' occurs 2 times" in text
    assert setting.labeling.called("create_labeling_job") == []
    assert setting.clock.slept == []


def test_rights_that_are_not_known_everywhere_yet_are_waited_for(setting: Setting) -> None:
    denied = Findings(problems=(Finding("bucket b", "cannot be read", may_pass=True),))
    setting.findings = [denied, denied, Findings()]
    setting.create()
    assert setting.clock.slept == [5.0, 5.0]


def test_rights_that_stay_missing_are_told_after_two_minutes(setting: Setting) -> None:
    setting.findings = [Findings(problems=(Finding("bucket b", "refused", may_pass=True),))]
    with pytest.raises(ResourceFailureError, match="bucket b: refused"):
        setting.create()
    assert sum(setting.clock.slept) == 120


def test_waiting_is_spared_where_something_else_is_wrong_as_well(setting: Setting) -> None:
    passing, staying = Finding("b", "refused", may_pass=True), Finding("l", "no labels")
    setting.findings = [Findings(problems=(passing, staying))]
    with pytest.raises(ResourceFailureError, match="2 problem"):
        setting.create()
    assert setting.clock.slept == []


def test_warnings_do_not_prevent_the_job_and_are_returned(setting: Setting) -> None:
    setting.findings = [Findings(warnings=(Finding("batch size", "too large"),))]
    assert setting.create()["Warnings"] == "batch size: too large"


def test_the_preflight_sees_the_request_and_the_engine(setting: Setting) -> None:
    setting.create(Engine="open")
    ((request, engine),) = setting.preflights
    assert engine == "open"
    assert request["LabelCategoryConfigS3Uri"] == "s3://data/labels.json"


def test_a_role_made_a_moment_ago_is_waited_for(setting: Setting) -> None:
    setting.labeling.refuse(
        "create_labeling_job", "ValidationException", "Could not assume role.", times=4
    )
    assert setting.create()["LabelingJobName"] in setting.labeling.jobs
    assert setting.clock.slept == [5.0] * 4


def test_a_refusal_that_stays_is_told_unchanged_after_two_minutes(setting: Setting) -> None:
    setting.labeling.refuse(
        "create_labeling_job", "ValidationException", "Could not assume role.", times=100
    )
    with pytest.raises(ResourceFailureError, match="ValidationException: Could not assume role"):
        setting.create()
    assert sum(setting.clock.slept) == 120


def test_a_value_that_the_service_forbids_is_not_sent_again(setting: Setting) -> None:
    setting.labeling.refuse(
        "create_labeling_job",
        "ValidationException",
        "1 validation error detected: Value '' at 'x' failed to satisfy constraint: y",
    )
    with pytest.raises(ResourceFailureError, match="failed to satisfy constraint"):
        setting.create()
    assert setting.clock.slept == []


def test_an_account_without_the_service_is_pointed_to_the_open_engine(setting: Setting) -> None:
    words = "The account is not authorized to use this service."
    setting.labeling.refuse("create_labeling_job", "AccessDeniedException", words)
    with pytest.raises(ResourceFailureError) as caught:
        setting.create()
    assert f"AccessDeniedException: {words}" in str(caught.value)
    assert "since 30 July 2026" in str(caught.value)
    assert "engine=open" in str(caught.value)


def test_the_hint_comes_as_well_when_already_the_first_look_is_refused(setting: Setting) -> None:
    setting.labeling.refuse("describe_labeling_job", "AccessDeniedException", "no")
    with pytest.raises(ResourceFailureError, match="engine=open"):
        setting.create()


def test_an_update_that_changes_nothing_keeps_the_job(setting: Setting) -> None:
    created = setting.create()
    answer = setting.update(created["PhysicalResourceId"], properties(), properties())
    assert answer == created
    assert len(setting.labeling.jobs) == 1


def test_other_tags_are_no_reason_for_a_new_job(setting: Setting) -> None:
    created = setting.create()
    after = properties(Tags={"team": "a"})
    answer = setting.update(created["PhysicalResourceId"], properties(), after)
    assert answer["LabelingJobArn"] == created["LabelingJobArn"]
    assert setting.labeling.called("add_tags") == [
        {
            "ResourceArn": created["LabelingJobArn"],
            "Tags": [{"Key": "team", "Value": "a"}],
        }
    ]
    assert setting.labeling.called("delete_tags") == [
        {"ResourceArn": created["LabelingJobArn"], "TagKeys": ["course"]}
    ]


@pytest.mark.parametrize("change", [{"InputHash": "def"}, {"WorkersPerObject": "5"}])
def test_what_defines_the_job_makes_a_new_one(setting: Setting, change: dict[str, str]) -> None:
    created = setting.create()
    answer = setting.update(created["PhysicalResourceId"], properties(), properties(**change))
    assert answer["PhysicalResourceId"] != created["PhysicalResourceId"]
    assert set(setting.labeling.jobs) == {created["LabelingJobName"], answer["LabelingJobName"]}


def test_an_update_that_is_rolled_back_returns_to_the_job_that_still_runs(
    setting: Setting,
) -> None:
    created = setting.create()
    changed = properties(InputHash="def")
    updated = setting.update(created["PhysicalResourceId"], properties(), changed)
    back = setting.update(updated["PhysicalResourceId"], changed, properties(), "rollback-1")
    assert back["PhysicalResourceId"] == created["PhysicalResourceId"]
    assert len(setting.labeling.jobs) == 2


def test_a_job_that_ended_is_not_returned_to(setting: Setting) -> None:
    created = setting.create()
    changed = properties(InputHash="def")
    updated = setting.update(created["PhysicalResourceId"], properties(), changed)
    setting.status(created["LabelingJobName"], "Stopped")
    again = setting.update(updated["PhysicalResourceId"], changed, properties(), "update-2")
    assert again["PhysicalResourceId"] != created["PhysicalResourceId"]
    assert len(setting.labeling.jobs) == 3


def test_deletion_stops_the_job_and_waits_until_it_has_stopped(setting: Setting) -> None:
    created = setting.create()
    event = setting.deletion(created["PhysicalResourceId"])
    assert setting.framework.poll(event) == {"IsComplete": False}
    assert setting.framework.poll(event) == {"IsComplete": False}
    assert len(setting.labeling.called("stop_labeling_job")) == 1
    setting.status(created["LabelingJobName"], "Stopped")
    assert setting.framework.poll(event) == {"IsComplete": True}


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_ended_needs_no_stop(setting: Setting, status: str) -> None:
    created = setting.create()
    setting.status(created["LabelingJobName"], status)
    assert setting.framework.poll(setting.deletion(created["PhysicalResourceId"]))["IsComplete"]
    assert setting.labeling.called("stop_labeling_job") == []


@pytest.mark.parametrize(
    "physical_id",
    [
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/never-created",
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "request-1",
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workforce/x",
    ],
)
def test_deleting_a_job_that_was_never_created_succeeds(setting: Setting, physical_id: str) -> None:
    assert setting.framework.poll(setting.deletion(physical_id)) == {"IsComplete": True}
    assert setting.labeling.called("stop_labeling_job") == []


def test_a_job_too_young_to_stop_is_stopped_later(setting: Setting) -> None:
    created = setting.create()
    setting.status(created["LabelingJobName"], "Initializing")
    setting.labeling.refuse("stop_labeling_job", "ValidationException", "Still initializing.")
    event = setting.deletion(created["PhysicalResourceId"])
    assert setting.framework.poll(event) == {"IsComplete": False}
    setting.framework.poll(event)
    assert setting.labeling.jobs[created["LabelingJobName"]]["LabelingJobStatus"] == "Stopping"


def test_a_job_that_does_not_stop_is_told(setting: Setting) -> None:
    created = setting.create()
    event = setting.deletion(created["PhysicalResourceId"])
    setting.framework.poll(event)
    setting.clock.pass_by(minutes=21)
    with pytest.raises(ResourceFailureError, match="has not stopped after 0:20:00"):
        setting.framework.poll(event)


def test_a_missing_right_to_stop_is_told_at_once(setting: Setting) -> None:
    created = setting.create()
    setting.labeling.refuse("stop_labeling_job", "AccessDeniedException", "not authorized")
    with pytest.raises(ResourceFailureError, match="AccessDeniedException: not authorized"):
        setting.framework.poll(setting.deletion(created["PhysicalResourceId"]))


def test_the_longest_answer_fits_into_cloudformations_limit(setting: Setting) -> None:
    setting.findings = [Findings(warnings=tuple(Finding("w" * 200, "x" * 200) for _ in range(50)))]
    answer = setting.create(NamePrefix="n" * 60, OutputPath=f"s3://{'b' * 63}/{'k' * 300}")
    assert len(json.dumps(answer)) < ANSWER_BYTES - 600
