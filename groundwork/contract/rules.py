"""What CreateLabelingJob demands beyond the service model.

``labeling_job_problems`` holds for both engines; deployments check it before they ask for a job.
``open_engine_problems`` are the limits of the open engine alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from groundwork.contract.arns import PUBLIC_CROWD_ACCOUNT, Arn, TeamKind
from groundwork.contract.builtin_tasks import (
    ALGORITHM_ACCOUNT,
    BUILTIN_TASKS,
    EIGHT_HOURS_SECONDS,
    HUMAN_TASK_UIS,
    THIRTY_DAYS_SECONDS,
    BuiltinTask,
    algorithm_arn,
    function_account,
    human_task_ui_arn,
    task_of_lambda_arn,
)
from groundwork.jobs.automation.settings import automation_tag_problems
from groundwork.s3_uri import S3Uri, S3UriFormatError

RESERVED_LABEL_ATTRIBUTES = ("source", "source-ref")
# What the loop can consolidate by itself; custom tasks bring their own functions, or none.
OPEN_ENGINE_TASKS = frozenset({"BoundingBox", "ImageMultiClass"})

Request = Mapping[str, Any]


def task_of(request: Request) -> BuiltinTask | None:
    """Return the built-in task type of a CreateLabelingJob request, or None for a custom one.

    The consolidation function decides, if there is one: it makes the labels.
    """
    arns = [arn for _, arn in _functions(request)]
    return task_of_lambda_arn(arns[-1]) if arns else None


def labeling_job_problems(request: Request, *, region: str, account: str) -> list[str]:
    """Return every rule of the service that a request breaks; the request fits the service model.

    Parameters
    ----------
    request
        What CreateLabelingJob is called with.
    region, account
        Where it is called.
    """
    task = task_of(request)
    return [
        *_label_attribute_problems(request["LabelAttributeName"], task),
        *_input_problems(request),
        *_output_problems(request),
        *_function_problems(request, region, account),
        *_page_problems(request, task, region),
        *_label_category_problems(request, task),
        *_role_problems(request["RoleArn"], account),
        *_team_problems(request, region, account),
        *_text_problems(request["HumanTaskConfig"]),
        *_time_problems(request["HumanTaskConfig"], task),
        *_algorithm_problems(request, task, region),
    ]


def open_engine_problems(request: Request) -> list[str]:
    """Return everything in a valid request that the open engine does not do."""
    return [
        *_automation_problems(request),
        *_unbuilt_task_problems(request),
        *_vendor_team_problems(request),
        *_streaming_problems(request),
    ]


def _unbuilt_task_problems(request: Request) -> Iterator[str]:
    page = request["HumanTaskConfig"]["UiConfig"].get("HumanTaskUiArn")
    tasks = {task_of_lambda_arn(arn) for _, arn in _functions(request)} - {None}
    unbuilt = [task for task in tasks if task and task.key not in OPEN_ENGINE_TASKS]
    built = ", ".join(sorted(OPEN_ENGINE_TASKS))
    for task in unbuilt:
        yield (
            f"task type {task.key} ({task.title}): the open engine has {built} and custom "
            "tasks with your own Lambda functions or none"
        )
    if page and not unbuilt:
        yield f"UiConfig.HumanTaskUiArn {page}: the open engine has no worker pages of its own"


def _vendor_team_problems(request: Request) -> Iterator[str]:
    arn = request["HumanTaskConfig"]["WorkteamArn"]
    if Arn.parse(arn).team_kind == TeamKind.VENDOR:
        yield (
            f"HumanTaskConfig.WorkteamArn {arn}: vendors' people work in Ground Truth only, not in "
            "the open engine; use a private work team, or engine=ground-truth"
        )


def _streaming_problems(request: Request) -> Iterator[str]:
    if "SnsDataSource" in request["InputConfig"]["DataSource"]:
        yield (
            "InputConfig.DataSource.SnsDataSource: the open engine has no streaming jobs; give a "
            "manifest in S3DataSource"
        )
    if "SnsTopicArn" in request["OutputConfig"]:
        yield "OutputConfig.SnsTopicArn: the open engine does not send labels to a topic"


def _automation_problems(request: Request) -> Iterator[str]:
    config = request.get("LabelingJobAlgorithmsConfig")
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    yield from automation_tag_problems(tags, automated=config is not None)
    if config is not None and config.get("LabelingJobResourceConfig"):
        # To ignore where data may go, or which key protects them, would break a promise.
        yield (
            "LabelingJobAlgorithmsConfig.LabelingJobResourceConfig: the open engine learns in its "
            "own functions, without volumes and outside your VPC; leave it out, or use "
            "engine=ground-truth"
        )


def _label_attribute_problems(name: str, task: BuiltinTask | None) -> Iterator[str]:
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateLabelingJob.html
    what = f"LabelAttributeName {name!r}"
    if name in RESERVED_LABEL_ATTRIBUTES:
        reserved = " and ".join(RESERVED_LABEL_ATTRIBUTES)
        yield f"{what} is reserved for the input data, as are {reserved}"
        return
    if name.endswith("-metadata"):
        yield f"{what} must not end in -metadata, which is the key of the label's metadata"
    kind = f"task type {task.key}" if task else "a custom task"
    if task and task.label_attribute_is_reference:
        if not name.endswith("-ref"):
            yield f"{what} has to end in -ref for {kind}, whose label is a file in S3"
    elif name.endswith("-ref"):
        yield f"{what} must not end in -ref for {kind}"


def _input_problems(request: Request) -> Iterator[str]:
    source = request["InputConfig"]["DataSource"]
    if not source:
        yield "InputConfig.DataSource is empty: give S3DataSource (a manifest) or SnsDataSource"
    if "S3DataSource" in source:
        yield from _object_problems(
            "InputConfig.DataSource.S3DataSource.ManifestS3Uri",
            source["S3DataSource"]["ManifestS3Uri"],
        )


def _output_problems(request: Request) -> Iterator[str]:
    yield from _s3_problems("OutputConfig.S3OutputPath", request["OutputConfig"]["S3OutputPath"])


def _function_problems(request: Request, region: str, account: str) -> Iterator[str]:
    functions = _functions(request)
    tasks = {}
    for place, arn in functions:
        yield from _one_function_problems(place, arn, region, account)
        task = task_of_lambda_arn(arn)
        if task:
            tasks[place] = task
    if len({task.key for task in tasks.values()}) > 1:
        found = " and ".join(f"{place} is for {task.key}" for place, task in tasks.items())
        yield f"{found}; both have to be of the same task type"
    elif tasks and len(functions) == 1:
        (place, task) = next(iter(tasks.items()))
        yield (
            f"{place} is for {task.key}, which needs both {task.pre_lambda_name} and "
            f"{task.consolidation_lambda_name}"
        )


def _one_function_problems(place: str, arn: str, region: str, account: str) -> Iterator[str]:
    parsed = Arn.parse(arn)
    prefix = "ACS" if place.startswith("AnnotationConsolidation") else "PRE"
    name = parsed.resource.partition(":")[2]
    if parsed.region != region:
        yield f"{place} {arn} is in {parsed.region}; the job runs in {region}"
    kind, _, key = name.partition("-")
    if kind not in ("PRE", "ACS") or parsed.account == account:
        return
    if key not in BUILTIN_TASKS:
        known = ", ".join(BUILTIN_TASKS)
        yield f"{place} {arn}: there is no built-in task type {key!r}; the types are {known}"
    elif kind != prefix:
        yield f"{place} {arn} is a {kind}- function; a {prefix}- function belongs here"
    if parsed.account != function_account(region):
        yield (
            f"{place} {arn}: account {parsed.account} has no built-in functions in {region}; there "
            f"it is {function_account(region)}"
        )


def _page_problems(request: Request, task: BuiltinTask | None, region: str) -> Iterator[str]:
    page = request["HumanTaskConfig"]["UiConfig"]
    template, arn = page.get("UiTemplateS3Uri"), page.get("HumanTaskUiArn")
    if template and arn:
        yield "UiConfig has both UiTemplateS3Uri and HumanTaskUiArn; give one of them"
        return
    if not template and not arn:
        yield "UiConfig is empty; give UiTemplateS3Uri, or HumanTaskUiArn if the task type has one"
        return
    if template:
        yield from _object_problems("UiConfig.UiTemplateS3Uri", template)
        if task and task.human_task_ui:
            own = human_task_ui_arn(region, task)
            yield f"task type {task.key} takes UiConfig.HumanTaskUiArn {own}, not a template"
        return
    yield from _service_page_problems(arn, task, region)


def _service_page_problems(arn: str, task: BuiltinTask | None, region: str) -> Iterator[str]:
    parsed = Arn.parse(arn)
    if parsed.account != PUBLIC_CROWD_ACCOUNT or parsed.resource_name not in HUMAN_TASK_UIS:
        pages = ", ".join(sorted(HUMAN_TASK_UIS))
        yield (
            f"UiConfig.HumanTaskUiArn {arn}: the service's pages are in account "
            f"{PUBLIC_CROWD_ACCOUNT} and named {pages} (without a leading 3D)"
        )
    elif parsed.region != region:
        yield f"UiConfig.HumanTaskUiArn {arn} is in {parsed.region}; the job runs in {region}"
    elif task and task.human_task_ui is None:
        yield f"UiConfig.HumanTaskUiArn: task type {task.key} has none; give UiTemplateS3Uri"
    elif task and task.human_task_ui != parsed.resource_name:
        yield (
            f"UiConfig.HumanTaskUiArn {arn} is for {parsed.resource_name}; task type {task.key} "
            f"takes {human_task_ui_arn(region, task)}"
        )


def _label_category_problems(request: Request, task: BuiltinTask | None) -> Iterator[str]:
    uri = request.get("LabelCategoryConfigS3Uri")
    if uri:
        yield from _object_problems("LabelCategoryConfigS3Uri", uri)
    elif task and task.minimum_labels:
        yield f"LabelCategoryConfigS3Uri is missing; task type {task.key} needs its labels"


def _role_problems(arn: str, account: str) -> Iterator[str]:
    role_account = Arn.parse(arn).account
    if role_account != account:
        yield f"RoleArn {arn} is in account {role_account}; the job's role has to be in {account}"


def _team_problems(request: Request, region: str, account: str) -> Iterator[str]:
    task_config = request["HumanTaskConfig"]
    arn = task_config["WorkteamArn"]
    team = Arn.parse(arn)
    kind = team.team_kind
    if kind is None:
        kinds = ", ".join(TeamKind)
        yield f"HumanTaskConfig.WorkteamArn {arn}: expected workteam/<{kinds}>/<name>"
    elif kind == TeamKind.PUBLIC:
        yield (
            f"HumanTaskConfig.WorkteamArn {arn} is Amazon Mechanical Turk, which closed on 30 "
            "September 2026; use a private work team or a vendor's"
        )
    elif kind == TeamKind.PRIVATE and team.account != account:
        yield (
            f"HumanTaskConfig.WorkteamArn {arn} is in account {team.account}; a private work "
            f"team has to be in the job's, {account}"
        )
    if team.region != region:
        yield f"HumanTaskConfig.WorkteamArn {arn} is in {team.region}; the job runs in {region}"
    if "PublicWorkforceTaskPrice" in task_config and kind != TeamKind.PUBLIC:
        yield "HumanTaskConfig.PublicWorkforceTaskPrice is for the public work team only"


def _text_problems(task_config: Request) -> Iterator[str]:
    title = task_config["TaskTitle"]
    if len(title.splitlines()) > 1 or not title.strip():
        yield f"HumanTaskConfig.TaskTitle {title!r} has to be a single line of text"


def _time_problems(task_config: Request, task: BuiltinTask | None) -> Iterator[str]:
    limit = task.maximum_time_limit_seconds if task else EIGHT_HOURS_SECONDS
    seconds = task_config["TaskTimeLimitInSeconds"]
    if seconds > limit:
        kind = f"task type {task.key}" if task else "a custom task"
        yield f"HumanTaskConfig.TaskTimeLimitInSeconds is {seconds}; {kind} takes at most {limit}"
    lifetime = task_config.get("TaskAvailabilityLifetimeInSeconds")
    if lifetime is not None and lifetime > THIRTY_DAYS_SECONDS:
        yield (
            f"HumanTaskConfig.TaskAvailabilityLifetimeInSeconds is {lifetime}; at most "
            f"{THIRTY_DAYS_SECONDS} (30 days)"
        )


def _algorithm_problems(request: Request, task: BuiltinTask | None, region: str) -> Iterator[str]:
    config = request.get("LabelingJobAlgorithmsConfig")
    if config is None:
        return
    place = "LabelingJobAlgorithmsConfig.LabelingJobAlgorithmSpecificationArn"
    arn = config["LabelingJobAlgorithmSpecificationArn"]
    expected = algorithm_arn(region, task) if task else None
    if expected is None:
        kind = f"task type {task.key}" if task else "a custom task"
        automated = ", ".join(key for key, task in BUILTIN_TASKS.items() if task.algorithm)
        yield f"{place}: {kind} cannot be labeled automatically; {automated} can"
    elif arn != expected:
        yield (
            f"{place} is {arn}; task type {task.key if task else None} takes {expected} "
            f"(account {ALGORITHM_ACCOUNT} in every region)"
        )
    if "SnsDataSource" in request["InputConfig"]["DataSource"]:
        yield "LabelingJobAlgorithmsConfig: a streaming job cannot be labeled automatically"


def _functions(request: Request) -> list[tuple[str, str]]:
    """Return the places and ARNs of the Lambda functions that a request names, in their order."""
    task_config = request["HumanTaskConfig"]
    consolidation = task_config.get("AnnotationConsolidationConfig") or {}
    found = {
        "PreHumanTaskLambdaArn": task_config.get("PreHumanTaskLambdaArn"),
        "AnnotationConsolidationLambdaArn": consolidation.get("AnnotationConsolidationLambdaArn"),
    }
    return [(place, arn) for place, arn in found.items() if arn]


def _s3_problems(place: str, uri: str) -> Iterator[str]:
    try:
        S3Uri.parse(uri)
    except S3UriFormatError as error:
        yield f"{place} is {error}"


def _object_problems(place: str, uri: str) -> Iterator[str]:
    problems = list(_s3_problems(place, uri))
    yield from problems
    if not problems and (not S3Uri.parse(uri).key or uri.endswith("/")):
        yield f"{place} {uri!r} names a bucket or folder; an object is expected"
