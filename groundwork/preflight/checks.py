"""The rules of a preflight: pure judgements over what was gathered."""

from collections.abc import Iterator, Mapping
from typing import Any

from groundwork.contract.automated_labeling import FEWEST_OBJECTS, SMALLEST_SAMPLE
from groundwork.contract.builtin_tasks import BuiltinTask
from groundwork.contract.label_categories import LabelCategoriesError, parse_label_categories
from groundwork.contract.rules import labeling_job_problems, open_engine_problems, task_of
from groundwork.contract.service_model import validate
from groundwork.preflight.findings import Finding, Findings
from groundwork.preflight.inputs import (
    Absence,
    BucketSeen,
    ImageSeen,
    Inputs,
    ManifestSeen,
    Unavailable,
)
from groundwork.templates import check_template

# Quotas of Ground Truth: https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html
AUTOMATED_PIXELS = 3840 * 2160
AUTOMATED_SEGMENTATION_PIXELS = 1920 * 1080
MAXIMUM_OBJECTS = 100_000
MAXIMUM_SEGMENTATION_OBJECTS = 20_000
DEFAULT_BATCH_SIZE = 1000

_SAGEMAKER = "sagemaker.amazonaws.com"
_LISTED_IMAGES = 5


def check(inputs: Inputs) -> Findings:
    """Return every problem and warning of a labeling job that is about to be created."""
    task = task_of(inputs.request) if inputs.request.get("HumanTaskConfig") else None
    data = check_data(inputs, task)
    problems = (
        *_request_problems(inputs),
        *_role_problems(inputs),
        *_team_problems(inputs),
        *data.problems,
    )
    return Findings(problems, data.warnings)


def check_data(inputs: Inputs, task: BuiltinTask | None) -> Findings:
    """Return the problems and warnings of what is to be labeled, before there is a role or a team.

    Parameters
    ----------
    inputs
        Of the request only what names the data and says how it will be labeled.
    task
        What is to be done; None for a custom task.
    """
    problems = (
        *_label_problems(inputs, task),
        *_template_problems(inputs, task),
        *_manifest_problems(inputs, task),
        *(problem for bucket in inputs.buckets for problem in _bucket_problems(bucket, inputs)),
        *_image_problems(inputs),
    )
    warnings = (
        *_labeled_warnings(inputs),
        *_bucket_warnings(inputs),
        *_size_warnings(inputs),
        *_image_warnings(inputs, task),
    )
    return Findings(problems, warnings)


def _request_problems(inputs: Inputs) -> Iterator[Finding]:
    # The other rules read fields that may be missing where the service model is not kept.
    texts = validate("CreateLabelingJob", inputs.request) or labeling_job_problems(
        inputs.request, region=inputs.region, account=inputs.account
    )
    if not texts and inputs.engine == "open":
        texts = open_engine_problems(inputs.request)
    for text in texts:
        yield Finding("request", text, to_do="correct the configuration")


def _label_problems(inputs: Inputs, task: BuiltinTask | None) -> Iterator[Finding]:
    if inputs.labels is None:
        return
    subject = f"label file {inputs.request.get('LabelCategoryConfigS3Uri')}"
    if isinstance(inputs.labels, Unavailable):
        yield _unreadable(subject, inputs.labels)
        return
    try:
        parse_label_categories(inputs.labels, task)
    except LabelCategoriesError as error:
        for problem in error.problems:
            yield Finding(subject, problem, to_do="correct the workshop's labels")


def _template_problems(inputs: Inputs, task: BuiltinTask | None) -> Iterator[Finding]:
    if inputs.template is None:
        return
    page = inputs.request["HumanTaskConfig"]["UiConfig"]
    subject = f"worker template {page.get('UiTemplateS3Uri')}"
    if isinstance(inputs.template, Unavailable):
        yield _unreadable(subject, inputs.template)
        return
    for problem in check_template(inputs.template, task):
        yield Finding(subject, problem, to_do="correct the template")


def _role_problems(inputs: Inputs) -> Iterator[Finding]:
    subject = f"role {inputs.request['RoleArn']}"
    trust = inputs.role_trust
    if trust is None:
        return
    if isinstance(trust, Unavailable):
        if trust.absence == Absence.MISSING:
            yield Finding(
                subject,
                f"does not exist ({trust.said})",
                "an IAM role of this account",
                "create it, or correct the ARN",
                may_pass=True,
            )
        else:
            yield _unreadable(subject, trust, right="iam:GetRole")
        return
    services, principals = trusted_principals(trust)
    seen = ", ".join(sorted(services | principals)) or "nobody"
    if inputs.engine == "open" and not principals:
        yield Finding(
            subject,
            f"may be assumed by {seen}",
            "a trust policy that lets the open engine's functions (an AWS principal) assume it",
            "add their roles to the trust policy",
        )
    elif inputs.engine != "open" and not services & {_SAGEMAKER, "*"}:
        yield Finding(
            subject,
            f"may be assumed by {seen}",
            f"a trust policy that lets {_SAGEMAKER} assume it",
            "add that service to the trust policy",
        )


def trusted_principals(trust: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the services and the AWS principals that a trust policy lets assume the role."""
    services: set[str] = set()
    principals: set[str] = set()
    for statement in _listed(trust.get("Statement")):
        actions = {str(action).lower() for action in _listed(statement.get("Action"))}
        if statement.get("Effect") != "Allow" or not actions & {"sts:assumerole", "sts:*", "*"}:
            continue
        principal = statement.get("Principal", {})
        if principal == "*":
            principal = {"AWS": "*"}
        services.update(_listed(principal.get("Service")))
        principals.update(_listed(principal.get("AWS")))
    return frozenset(services), frozenset(principals)


def _team_problems(inputs: Inputs) -> Iterator[Finding]:
    team = inputs.team
    if not isinstance(team, Unavailable):
        return
    subject = f"work team {inputs.request['HumanTaskConfig']['WorkteamArn']}"
    if team.absence == Absence.MISSING:
        yield Finding(
            subject,
            f"does not exist ({team.said})",
            "a private work team of this account and region, or a subscribed vendor's",
            "correct the ARN (aws sagemaker list-workteams shows what there is)",
        )
    else:
        yield _unreadable(subject, team, right="sagemaker:DescribeWorkteam")


def _manifest_problems(inputs: Inputs, task: BuiltinTask | None) -> Iterator[Finding]:
    manifest = inputs.manifest
    if manifest is None:
        return
    uri = inputs.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    subject = f"manifest {uri}"
    if isinstance(manifest, Unavailable):
        yield _unreadable(subject, manifest)
        return
    for problem in manifest.broken:
        yield Finding(subject, problem, to_do="correct the line or take it out")
    if manifest.broken and manifest.broken_lines > len(manifest.broken):
        yield Finding(
            subject,
            f"{manifest.broken_lines:,} lines are broken in all",
            to_do="correct the others as well",
        )
    if manifest.objects == 0 and not manifest.broken_lines:
        yield Finding(
            subject,
            "it has no lines",
            'at least one JSON object per line, such as {"source-ref": "s3://bucket/image.jpg"}',
            "add images to the workshop",
        )
    segmentation = task is not None and task.key.endswith("SemanticSegmentation")
    limit = MAXIMUM_SEGMENTATION_OBJECTS if segmentation else MAXIMUM_OBJECTS
    if inputs.engine != "open" and manifest.objects > limit:
        yield Finding(
            subject,
            f"it has {manifest.objects:,} objects",
            f"at most {limit:,} for this task type",
            "split it into several jobs, or use engine=open",
        )


def _bucket_problems(bucket: BucketSeen, inputs: Inputs) -> Iterator[Finding]:
    subject = f"bucket {bucket.name} ({bucket.objects:,} objects of the manifest)"
    if isinstance(bucket.region, Unavailable):
        if bucket.region.absence == Absence.MISSING:
            yield Finding(
                subject,
                f"does not exist ({bucket.region.said})",
                to_do="correct the addresses in the manifest",
            )
        else:
            yield Finding(
                subject,
                f"cannot be read ({bucket.region.said})",
                "a bucket that this deployment's role and the job's role may read",
                "copy the images into the workshop's bucket, or allow both roles "
                "s3:ListBucket, s3:GetBucketCORS and s3:GetObject there",
                may_pass=True,
            )
        return
    if bucket.region != inputs.region:
        yield Finding(
            subject,
            f"is in {bucket.region}",
            f"buckets in the job's region, {inputs.region}",
            "copy the images, or deploy to the bucket's region",
        )
    yield from _cors_problems(subject, bucket)


def _cors_problems(subject: str, bucket: BucketSeen) -> Iterator[Finding]:
    """Ask for the rule without which browsers may not draw the image unrotated.

    Ground Truth takes no origin but ``*``: https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html
    """
    if isinstance(bucket.cors_rules, Unavailable):
        yield _unreadable(f"CORS rules of {subject}", bucket.cors_rules, right="s3:GetBucketCORS")
        return
    for rule in bucket.cors_rules:
        if "GET" in rule.get("AllowedMethods", []) and "*" in rule.get("AllowedOrigins", []):
            return
    count = len(bucket.cors_rules)
    yield Finding(
        subject,
        "has no CORS rules" if count == 0 else f"none of its {count} CORS rules lets workers in",
        'a rule with AllowedMethods ["GET"], AllowedOrigins ["*"] and ExposeHeaders '
        '["Access-Control-Allow-Origin"]',
        f"set it with `aws s3api put-bucket-cors --bucket {bucket.name}`",
    )


def _image_problems(inputs: Inputs) -> Iterator[Finding]:
    # One word about a bucket is enough for all its images.
    told = tuple(f"s3://{b.name}/" for b in inputs.buckets if isinstance(b.region, Unavailable))
    images = [image for image in inputs.images if not image.uri.startswith(told)]
    found = [problem for image in images if (problem := _image_problem(image))]
    yield from found[:_LISTED_IMAGES]
    unlisted = found[_LISTED_IMAGES:]
    if unlisted:
        yield Finding(
            "images",
            f"{len(unlisted)} more of the {len(images)} looked at cannot be used",
            to_do="correct them as well, and look at the others",
            may_pass=all(problem.may_pass for problem in unlisted),
        )


def _image_problem(image: ImageSeen) -> Finding | None:
    listed = image.line_number is not None
    subject = f"image {image.uri}" + (f" (line {image.line_number})" if listed else "")
    if image.unusable:
        to_do = "convert it or take out its line" if listed else "convert it or take it out"
        return Finding(subject, image.unusable, to_do=to_do)
    if image.unavailable is None:
        return None
    said = image.unavailable.said
    if image.unavailable.absence == Absence.MISSING:
        return Finding(subject, f"does not exist ({said})", to_do="upload it or take out its line")
    return Finding(
        subject,
        f"cannot be read ({said})",
        "an object that the roles of this deployment and of the job may read",
        "allow both s3:GetObject on it",
        may_pass=image.unavailable.absence == Absence.DENIED,
    )


def _image_warnings(inputs: Inputs, task: BuiltinTask | None) -> Iterator[Finding]:
    if "LabelingJobAlgorithmsConfig" not in inputs.request or inputs.engine == "open":
        return
    segmentation = task is not None and task.key == "SemanticSegmentation"
    limit = AUTOMATED_SEGMENTATION_PIXELS if segmentation else AUTOMATED_PIXELS
    large = [image for image in inputs.images if image.width * image.height > limit]
    if large:
        yield Finding(
            "images",
            f"{len(large)} of the {len(inputs.images)} looked at are too large to be labeled "
            f"automatically, such as {large[0].uri} ({large[0].width} x {large[0].height})",
            "1920 x 1080" if segmentation else "3840 x 2160",
            "scale them down, or leave them to people",
        )


def _labeled_warnings(inputs: Inputs) -> Iterator[Finding]:
    manifest = inputs.manifest
    if isinstance(manifest, ManifestSeen) and 0 < manifest.objects == manifest.labeled:
        yield Finding(
            "manifest",
            f"all {manifest.objects:,} objects have the label "
            f"{inputs.request.get('LabelAttributeName')} already, so there is nothing to do",
            to_do="choose another label attribute to label them again",
        )


def _bucket_warnings(inputs: Inputs) -> Iterator[Finding]:
    manifest = inputs.manifest
    if isinstance(manifest, ManifestSeen) and len(manifest.buckets) > len(inputs.buckets):
        yield Finding(
            "buckets",
            f"the manifest names {len(manifest.buckets):,}, of which the {len(inputs.buckets)} "
            "most used were looked at",
            to_do="make sure of the CORS rule and the roles' rights on the others",
        )


def _size_warnings(inputs: Inputs) -> Iterator[Finding]:
    """Warn of batches that leave nothing to automate.

    Ground Truth validates on a fifth of a small data set and a tenth of one from 5,000 objects on;
    the open engine makes people's batches small enough by itself, down to a least size.
    """
    if not isinstance(inputs.manifest, ManifestSeen) or not inputs.manifest.objects:
        return
    objects = inputs.manifest.objects
    batch = inputs.request["HumanTaskConfig"].get("MaxConcurrentTaskCount", DEFAULT_BATCH_SIZE)
    if batch > DEFAULT_BATCH_SIZE and inputs.engine != "open":
        yield Finding(
            "batch size",
            f"{batch:,} is more than accounts get by default",
            f"{DEFAULT_BATCH_SIZE:,} without a support case",
            "lower it if the service refuses the job",
        )
    if "LabelingJobAlgorithmsConfig" not in inputs.request:
        return
    yield from _automation_warnings(objects, batch, inputs.engine)


def _automation_warnings(objects: int, batch: int, engine: str) -> Iterator[Finding]:
    fewest = FEWEST_OBJECTS[engine]
    if objects < fewest:
        yield Finding(
            "automated labeling",
            f"the data set has {objects:,} objects, so people will probably label all of them",
            f"about {fewest:,}, better more"
            if engine == "open"
            else f"at least {fewest:,}, better 5,000",
            "add images, or switch auto-labeling off",
        )
    if engine == "open":
        # The engine itself asks people for a tenth of the objects at a time.
        if batch < SMALLEST_SAMPLE:
            yield Finding(
                "batch size",
                f"in batches of {batch} people cannot prove automated labels, so they will label "
                "all objects",
                f"{SMALLEST_SAMPLE} or more: a sample has so many objects",
                "raise it, or switch auto-labeling off",
            )
        return
    validation = objects // 5 if objects < 5000 else objects // 10
    if batch + validation >= objects:
        yield Finding(
            "batch size",
            f"batches of {batch:,} and {validation:,} objects for validation leave none of the "
            f"{objects:,} to be labeled automatically",
            f"well below {max(1, objects - validation):,}",
            f"set a batch size of about {max(1, objects // 10):,}",
        )


def _unreadable(subject: str, absent: Unavailable, *, right: str = "s3:GetObject") -> Finding:
    if absent.absence == Absence.MISSING:
        return Finding(
            subject, f"does not exist ({absent.said})", to_do="correct its address or create it"
        )
    denied = absent.absence == Absence.DENIED
    return Finding(
        subject,
        f"cannot be read ({absent.said})",
        to_do=f"allow {right} on it to the role that runs this check" if denied else "try again",
        may_pass=denied,
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
