"""The preflight: every problem at once, each with what was seen, accepted and to do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.preflight import (
    Absence,
    BucketSeen,
    Finding,
    Findings,
    ImageSeen,
    Inputs,
    ManifestSeen,
    Unavailable,
    check,
)
from groundwork.preflight.checks import trusted_principals
from groundwork.preflight.scan import scan_manifest
from groundwork.templates import default_template

REGION = "eu-west-1"
ACCOUNT = "111122223333"
TASK = BUILTIN_TASKS["BoundingBox"]
TEAM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators"
PUBLIC_TEAM = f"arn:aws:sagemaker:{REGION}:394669845002:workteam/public-crowd/default"
CORS_RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": []}
DENIED = Unavailable(Absence.DENIED, "head_bucket: 403: Forbidden")
MISSING = Unavailable(Absence.MISSING, "head_bucket: 404: Not Found")


def trust(**principal: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {"Version": "2012-10-17", "Statement": [statement]}


def request(*, automated: bool = False, **task_config: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "LabelingJobName": "job",
        "LabelAttributeName": "label",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://data/input.manifest"}}
        },
        "OutputConfig": {"S3OutputPath": "s3://data/output"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
        "LabelCategoryConfigS3Uri": "s3://data/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": TEAM,
            "UiConfig": {"UiTemplateS3Uri": "s3://data/template.html"},
            "PreHumanTaskLambdaArn": pre_lambda_arn(REGION, TASK),
            "TaskTitle": "Draw boxes",
            "TaskDescription": "Draw boxes",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 300,
            "MaxConcurrentTaskCount": 100,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": consolidation_lambda_arn(REGION, TASK)
            },
            **task_config,
        },
    }
    if automated:
        wanted["LabelingJobAlgorithmsConfig"] = {
            "LabelingJobAlgorithmSpecificationArn": algorithm_arn(REGION, TASK)
        }
    return wanted


def label_file(*labels: str) -> bytes:
    return json.dumps(
        {"document-version": "2018-11-28", "labels": [{"label": label} for label in labels]}
    ).encode()


def good_inputs() -> Inputs:
    """Return what a job without a fault looks like."""
    return Inputs(
        engine="ground-truth",
        region=REGION,
        account=ACCOUNT,
        request=request(),
        manifest=ManifestSeen(objects=2000, buckets={"data": 2000}),
        labels=label_file("logo"),
        template=default_template(TASK.key),
        images=(ImageSeen(1, "s3://data/1.jpg", width=800, height=600),),
        buckets=(BucketSeen("data", 2000, REGION, (CORS_RULE,)),),
        role_trust=trust(Service="sagemaker.amazonaws.com"),
        team={"Workteam": {"WorkteamName": "annotators"}},
    )


def problems_of(**changes: Any) -> list[str]:
    return [str(problem) for problem in check(replace(good_inputs(), **changes)).problems]


def warnings_of(**changes: Any) -> list[str]:
    return [str(warning) for warning in check(replace(good_inputs(), **changes)).warnings]


def only_problem(**changes: Any) -> str:
    (problem,) = problems_of(**changes)
    return problem


def test_a_good_job_has_no_findings() -> None:
    assert check(good_inputs()) == Findings()


def test_a_finding_reads_as_what_was_seen_what_is_accepted_and_what_to_do() -> None:
    assert str(Finding("bucket b", "is in us-east-1", "eu-west-1", "copy it")) == (
        "bucket b: is in us-east-1; accepted: eu-west-1; copy it"
    )
    assert str(Finding("bucket b", "is gone")) == "bucket b: is gone"


def test_all_problems_are_found_at_once() -> None:
    found = problems_of(
        request=request(TaskTitle=" ", WorkteamArn=PUBLIC_TEAM),
        manifest=ManifestSeen(objects=1, broken=("line 2 is not JSON",), broken_lines=1),
        labels=label_file("logo", "logo"),
        template="<p>nothing</p>",
        images=(ImageSeen(1, "s3://data/1.gif", unusable="the file is GIF"),),
        buckets=(BucketSeen("data", 1, "us-west-2", ()),),
        role_trust=trust(Service="lambda.amazonaws.com"),
        team=None,
    )
    for part in (
        "TaskTitle",
        "Amazon Mechanical Turk, which closed",
        "line 2 is not JSON",
        "label 'logo' occurs 2 times",
        "there is no <crowd-form>",
        "there is no <crowd-bounding-box>",
        "image s3://data/1.gif (line 1): the file is GIF",
        "is in us-west-2; accepted: buckets in the job's region, eu-west-1",
        "has no CORS rules",
        "may be assumed by lambda.amazonaws.com",
    ):
        assert any(part in problem for problem in found), part


def test_a_request_that_the_service_model_refuses_hides_no_other_problem() -> None:
    broken = request(NumberOfHumanWorkersPerDataObject=12)
    found = problems_of(request=broken, labels=label_file())
    assert any("numberOfHumanWorkersPerDataObject" in problem for problem in found)
    assert any("0 labels; bounding box needs at least 1" in problem for problem in found)


def with_own_network(wanted: dict[str, Any]) -> dict[str, Any]:
    network = {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}
    config = {**wanted["LabelingJobAlgorithmsConfig"], "LabelingJobResourceConfig": network}
    return {**wanted, "LabelingJobAlgorithmsConfig": config}


def test_what_the_open_engine_does_not_have_is_told_there_only() -> None:
    changes: dict[str, Any] = {
        "request": with_own_network(request(automated=True)),
        "role_trust": trust(AWS=f"arn:aws:iam::{ACCOUNT}:root", Service="sagemaker.amazonaws.com"),
    }
    assert problems_of(**changes) == []
    assert "outside your VPC" in only_problem(engine="open", **changes)


# Files


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("labels", "label file s3://data/labels.json"),
        ("template", "worker template s3://data/template.html"),
        ("manifest", "manifest s3://data/input.manifest"),
    ],
)
def test_a_missing_file_is_named(field: str, name: str) -> None:
    absent = Unavailable(Absence.MISSING, "get_object: NoSuchKey: no such key")
    problem = only_problem(**{field: absent})
    assert problem.startswith(f"{name}: does not exist (get_object: NoSuchKey: no such key)")


def test_a_file_that_may_not_be_read_says_which_right_is_missing() -> None:
    absent = Unavailable(Absence.DENIED, "get_object: AccessDenied: no")
    problem = only_problem(labels=absent)
    assert "cannot be read (get_object: AccessDenied: no); allow s3:GetObject" in problem


def test_a_job_with_a_page_of_the_service_needs_no_template() -> None:
    assert problems_of(template=None) == []


def test_broken_lines_are_counted_beyond_those_listed() -> None:
    found = problems_of(
        manifest=ManifestSeen(
            objects=5, broken=("line 2 is empty", "line 9 is empty"), broken_lines=7
        )
    )
    assert found[0].startswith("manifest s3://data/input.manifest: line 2 is empty")
    assert found[1].startswith("manifest s3://data/input.manifest: line 9 is empty")
    assert "7 lines are broken in all" in found[2]


def test_an_empty_manifest_is_refused() -> None:
    assert "it has no lines" in only_problem(manifest=ManifestSeen(objects=0))


def test_a_data_set_larger_than_ground_truth_takes_is_refused_there_only() -> None:
    manifest = ManifestSeen(objects=100_001, buckets={"data": 100_001})
    assert "100,001 objects; accepted: at most 100,000" in only_problem(manifest=manifest)
    assert problems_of(manifest=manifest, engine="open", role_trust=trust(AWS="*")) == []


def test_a_data_set_that_is_labeled_already_is_a_warning() -> None:
    (warning,) = warnings_of(manifest=ManifestSeen(objects=10, labeled=10, buckets={"data": 10}))
    assert "all 10 objects have the label label already" in warning


# Buckets


def test_the_good_origin_and_method_may_be_in_any_rule() -> None:
    other = {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://a.example"]}
    bucket = BucketSeen("data", 1, REGION, (other, CORS_RULE))
    assert problems_of(buckets=(bucket,)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]},
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.sagemaker.aws"]},
    ],
    ids=["another method", "an origin pattern"],
)
def test_cors_rules_that_do_not_let_workers_in_are_refused(rule: Mapping[str, Any]) -> None:
    problem = only_problem(buckets=(BucketSeen("data", 1, REGION, (rule,)),))
    assert "none of its 1 CORS rules lets workers in" in problem
    assert 'AllowedMethods ["GET"], AllowedOrigins ["*"]' in problem
    assert "aws s3api put-bucket-cors --bucket data" in problem


def test_every_bucket_of_the_manifest_is_judged() -> None:
    buckets = (
        BucketSeen("data", 5, REGION, ()),
        BucketSeen("foreign", 3, DENIED, DENIED),
        BucketSeen("gone", 2, MISSING, MISSING),
    )
    cors, foreign, gone = problems_of(
        buckets=buckets,
        manifest=ManifestSeen(objects=10, buckets={"data": 5, "foreign": 3, "gone": 2}),
    )
    assert cors.startswith("bucket data (5 objects of the manifest): has no CORS rules")
    assert foreign.startswith("bucket foreign (3 objects of the manifest): cannot be read")
    assert "copy the images into the workshop's bucket" in foreign
    assert gone.startswith("bucket gone (2 objects of the manifest): does not exist")


def test_cors_rules_that_cannot_be_read_say_which_right_is_missing() -> None:
    unreadable = Unavailable(Absence.DENIED, "get_bucket_cors: AccessDenied: no")
    problem = only_problem(buckets=(BucketSeen("data", 1, REGION, unreadable),))
    assert "allow s3:GetBucketCORS" in problem


def test_buckets_that_were_not_looked_at_are_a_warning() -> None:
    counts = {f"bucket-{number}": 1 for number in range(30)}
    (warning,) = warnings_of(manifest=ManifestSeen(objects=2000, buckets=counts))
    assert "the manifest names 30, of which the 1 most used were looked at" in warning


# Images


def test_images_that_cannot_be_used_are_listed_and_the_rest_counted() -> None:
    images = tuple(
        ImageSeen(number, f"s3://data/{number}.gif", unusable="the file is GIF")
        for number in range(1, 9)
    )
    found = problems_of(images=images)
    assert len(found) == 6
    assert found[0].startswith("image s3://data/1.gif (line 1): the file is GIF")
    assert found[5].startswith("images: 3 more of the 8 looked at cannot be used")


def test_a_missing_image_and_one_that_may_not_be_read_are_told_apart() -> None:
    absent = Unavailable(Absence.MISSING, "get_object: NoSuchKey: x")
    denied = Unavailable(Absence.DENIED, "get_object: AccessDenied: x")
    images = (
        ImageSeen(1, "s3://data/1.jpg", unavailable=absent),
        ImageSeen(2, "s3://other/2.jpg", unavailable=denied),
    )
    missing, refused = problems_of(images=images)
    assert "(line 1): does not exist" in missing
    assert "(line 2): cannot be read" in refused
    assert "s3:GetObject" in refused


def test_images_of_a_bucket_that_is_told_about_are_not_told_about_again() -> None:
    images = (
        ImageSeen(1, "s3://gone/1.jpg", unavailable=MISSING),
        ImageSeen(2, "s3://gone-too/2.jpg", unusable="the file is GIF"),
    )
    bucket, image = problems_of(buckets=(BucketSeen("gone", 1, MISSING, MISSING),), images=images)
    assert bucket.startswith("bucket gone ")
    assert image.startswith("image s3://gone-too/2.jpg")


def test_a_service_that_does_not_answer_is_no_lack_of_rights() -> None:
    silent = Unavailable(Absence.FAILED, "describe_workteam: EndpointConnectionError: no")
    problem = only_problem(team=silent)
    assert problem.endswith(
        "cannot be read (describe_workteam: EndpointConnectionError: no); try again"
    )


def test_images_too_large_to_be_labeled_automatically_are_a_warning() -> None:
    images = (ImageSeen(1, "s3://data/1.jpg", width=6000, height=4000),)
    (warning,) = warnings_of(images=images, request=request(automated=True))
    assert "s3://data/1.jpg (6000 x 4000); accepted: 3840 x 2160" in warning
    assert warnings_of(images=images) == []


# Role and team


def test_a_role_has_to_trust_the_service() -> None:
    problem = only_problem(role_trust=trust(AWS=f"arn:aws:iam::{ACCOUNT}:root"))
    assert f"may be assumed by arn:aws:iam::{ACCOUNT}:root" in problem
    assert "sagemaker.amazonaws.com" in problem


def test_for_the_open_engine_a_role_has_to_trust_its_functions() -> None:
    problem = only_problem(engine="open", role_trust=trust(Service="sagemaker.amazonaws.com"))
    assert "lets the open engine's functions" in problem
    own = trust(AWS=[f"arn:aws:iam::{ACCOUNT}:role/Engine-LabelingSteps"])
    assert problems_of(engine="open", role_trust=own) == []


def test_a_missing_role_may_just_be_new() -> None:
    absent = Unavailable(Absence.MISSING, "get_role: NoSuchEntity: no role")
    findings = check(replace(good_inputs(), role_trust=absent))
    assert "does not exist (get_role: NoSuchEntity: no role)" in str(findings.problems[0])
    assert findings.may_pass


def test_trust_policies_are_read_in_all_their_forms() -> None:
    document = {
        "Statement": [
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"Service": "a"}},
            {"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"Service": "b"}},
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Principal": {"Service": ["c", "d"], "AWS": "e"},
            },
            {"Effect": "Allow", "Action": "sts:*", "Principal": "*"},
        ]
    }
    services, principals = trusted_principals(document)
    assert services == {"c", "d"}
    assert principals == {"e", "*"}
    alone = trusted_principals({"Statement": document["Statement"][2]})
    assert alone == (frozenset({"c", "d"}), frozenset({"e"}))


def test_a_missing_team_is_named() -> None:
    absent = Unavailable(Absence.MISSING, "describe_workteam: ValidationException: The work team")
    problem = only_problem(team=absent)
    assert problem.startswith(f"work team {TEAM}: does not exist (describe_workteam")
    assert "aws sagemaker list-workteams" in problem


def test_the_public_team_is_refused_with_the_reason() -> None:
    problem = only_problem(request=request(WorkteamArn=PUBLIC_TEAM), team=None)
    assert "Amazon Mechanical Turk, which closed on 30 September 2026" in problem


def test_a_team_of_another_region_is_refused() -> None:
    other = TEAM.replace(REGION, "us-west-2")
    assert "is in us-west-2; the job runs in eu-west-1" in only_problem(
        request=request(WorkteamArn=other)
    )


# Batch size against data set size


@pytest.mark.parametrize(
    ("objects", "batch", "warned"),
    [(2000, 1000, False), (2000, 1600, True), (5000, 4500, True), (5000, 1000, False)],
)
def test_batches_that_leave_nothing_to_automate_are_a_warning(
    objects: int, batch: int, warned: bool
) -> None:
    found = warnings_of(
        request=request(automated=True, MaxConcurrentTaskCount=batch),
        manifest=ManifestSeen(objects=objects, buckets={"data": objects}),
    )
    assert any("leave none of the" in warning for warning in found) is warned


def test_the_default_batch_counts_where_none_is_given() -> None:
    wanted = request(automated=True)
    del wanted["HumanTaskConfig"]["MaxConcurrentTaskCount"]
    (warning,) = warnings_of(
        request=wanted, manifest=ManifestSeen(objects=1250, buckets={"data": 1250})
    )
    assert "batches of 1,000 and 250 objects for validation leave none of the 1,250" in warning


def test_a_small_data_set_is_no_matter_when_people_label_everything() -> None:
    assert warnings_of(manifest=ManifestSeen(objects=30, buckets={"data": 30})) == []


def test_too_few_objects_for_automated_labeling_are_a_warning() -> None:
    found = warnings_of(
        request=request(automated=True, MaxConcurrentTaskCount=5),
        manifest=ManifestSeen(objects=30, buckets={"data": 30}),
    )
    assert len(found) == 1
    assert "the data set has 30 objects" in found[0]
    assert "at least 1,250" in found[0]


@pytest.mark.parametrize(
    ("objects", "batch", "warned"),
    [
        (400, 1000, []),
        (100, 1000, ["the data set has 100 objects", "about 200"]),
        (400, 10, ["in batches of 10 people cannot prove", "20 or more"]),
    ],
)
def test_what_leaves_the_open_engine_nothing_to_automate_is_a_warning(
    objects: int, batch: int, warned: list[str]
) -> None:
    """It has a smaller minimum, and asks for a tenth of the objects at a time by itself."""
    found = warnings_of(
        engine="open",
        request=request(automated=True, MaxConcurrentTaskCount=batch),
        manifest=ManifestSeen(objects=objects, buckets={"data": objects}),
    )
    assert len(found) == min(1, len(warned))
    assert all(part in found[0] for part in warned)


def test_a_batch_that_needs_a_support_case_is_a_warning() -> None:
    (warning,) = warnings_of(request=request(MaxConcurrentTaskCount=3000))
    assert "1,000 without a support case" in warning


# May waiting help?


def test_waiting_helps_only_where_every_problem_may_pass() -> None:
    assert Findings((Finding("a", "b", may_pass=True),)).may_pass
    assert not Findings((Finding("a", "b", may_pass=True), Finding("c", "d"))).may_pass


# The pass over the manifest


def lines(*objects: Any) -> list[bytes]:
    return [b"\n".join(json.dumps(value).encode() for value in objects) + b"\n"]


def scan(chunks: list[bytes], *, sample_size: int = 10, seed: int = 1) -> ManifestSeen:
    return scan_manifest(
        chunks,
        label_attribute="label",
        needs_reference=True,
        sample_size=sample_size,
        random=Random(seed),
    )


def test_one_pass_counts_objects_buckets_and_labels() -> None:
    seen = scan(
        lines(
            {"source-ref": "s3://a/1.jpg"},
            {"source-ref": "s3://b/2.jpg", "label": {}, "label-metadata": {}},
            {"source-ref": "s3://a/3.jpg", "label-metadata": {"failure-reason": "x"}},
        )
    )
    assert (seen.objects, seen.labeled, seen.broken_lines) == (3, 2, 0)
    assert seen.buckets == {"a": 2, "b": 1}
    assert [(chosen.line_number, chosen.uri) for chosen in seen.sample] == [
        (1, "s3://a/1.jpg"),
        (2, "s3://b/2.jpg"),
        (3, "s3://a/3.jpg"),
    ]


def test_every_broken_line_counts_and_the_first_are_listed_with_their_numbers() -> None:
    chunks = [b'{"source-ref": "s3://a/1.jpg"}\n', b"{broken\n" * 50, b'{"source": "text"}\n']
    seen = scan(chunks)
    assert seen.objects == 1
    assert seen.broken_lines == 51
    assert len(seen.broken) == 20
    assert seen.broken[0].startswith("line 2 is not JSON")


def test_the_sample_is_the_same_each_time_and_spread_over_the_file() -> None:
    chunks = lines(*({"source-ref": f"s3://a/{number}.jpg"} for number in range(1, 1001)))
    first = scan(chunks, sample_size=50)
    assert first == scan(chunks, sample_size=50)
    assert first != scan(chunks, sample_size=50, seed=2)
    numbers = [chosen.line_number for chosen in first.sample]
    assert len(set(numbers)) == 50
    assert numbers == sorted(numbers)
    assert 300 < sum(numbers) / 50 < 700


def test_text_needs_no_reference() -> None:
    seen = scan_manifest(
        lines({"source": "a text"}),
        label_attribute="label",
        needs_reference=False,
        sample_size=10,
        random=Random(1),
    )
    assert (seen.objects, seen.sample, seen.buckets) == (1, (), {})


def test_a_file_that_is_no_manifest_is_told_instead_of_filling_memory() -> None:
    seen = scan([b"x" * 1024 * 1024] * 20)
    assert seen.broken_lines == 1
    assert "is this a manifest?" in seen.broken[0]
