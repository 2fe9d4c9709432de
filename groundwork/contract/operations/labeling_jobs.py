"""Labeling jobs: created, described, listed and stopped."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from groundwork.contract.arns import Arn, labeling_job_arn
from groundwork.contract.engine import Engine
from groundwork.contract.errors import (
    AccessDeniedError,
    ResourceInUseError,
    ResourceNotFoundError,
    validation_error,
)
from groundwork.contract.label_categories import (
    MAXIMUM_LABEL_FILE_BYTES,
    LabelCategoriesError,
    parse_label_categories,
)
from groundwork.contract.operations.initial_models import (
    InitialModel,
    find_initial_model,
    initial_model_problems,
    model_label_problems,
)
from groundwork.contract.operations.tags import requested_tags, tag_problems
from groundwork.contract.paging import page, time_key
from groundwork.contract.registry import WorkteamNotFoundError
from groundwork.contract.rules import labeling_job_problems, open_engine_problems, task_of
from groundwork.jobs.automation.models import model_arn
from groundwork.jobs.automation.settings import Automation, automation_of
from groundwork.jobs.errors import JobExistsError, JobNotFoundError
from groundwork.jobs.lifecycle import start_job, stop_job
from groundwork.jobs.model import Counters, Job, JobStatus
from groundwork.role_client import RoleError, job_session_name
from groundwork.s3_client import S3Error
from groundwork.s3_uri import S3Uri
from groundwork.templates import check_template

_MAXIMUM_REASON_CHARACTERS = 1_024
# What DescribeLabelingJob repeats of the request as it was.
_ECHOED = (
    "LabelAttributeName",
    "InputConfig",
    "OutputConfig",
    "RoleArn",
    "LabelCategoryConfigS3Uri",
    "StoppingConditions",
    "LabelingJobAlgorithmsConfig",
    "HumanTaskConfig",
)
_WITH_OUTPUT = (JobStatus.COMPLETED, JobStatus.STOPPED)


def create(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Create a labeling job and start its loop."""
    initial_model = find_initial_model(engine, request)
    problems = [
        *labeling_job_problems(request, region=engine.region, account=engine.account),
        *open_engine_problems(request),
        *initial_model_problems(request, initial_model),
        *tag_problems(request),
    ]
    if problems:
        raise validation_error(problems)
    _refuse_unpassable(engine, request["RoleArn"])
    tags = requested_tags(request)
    now = engine.clock()
    name = request["LabelingJobName"]
    _refuse_taken_name(engine, name)
    job = Job(
        name=name,
        arn=labeling_job_arn(engine.region, engine.account, name),
        status=JobStatus.INITIALIZING,
        created_at=now,
        modified_at=now,
        request={key: value for key, value in request.items() if key != "Tags"},
        reference_code=engine.new_reference_code(),
        automation=_automation(request, tags, initial_model),
    )
    if problems := [*_team_problems(engine, job), *_file_problems(engine, job, initial_model)]:
        raise validation_error(problems)
    try:
        start_job(engine.jobs, engine.loop, job, engine.registry.only_these(job.arn, tags))
    except JobExistsError:
        # Another request came between.
        _refuse_taken_name(engine, name)
        raise
    except Exception as error:
        _fail(engine, job, f"the labeling loop could not be started: {error}")
        raise
    return {"LabelingJobArn": job.arn}


def describe(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a labeling job."""
    job = _found(engine, request["LabelingJobName"])
    _ensure_loop(engine, job)
    answer = {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "LabelingJobStatus": str(job.status),
        "JobReferenceCode": job.reference_code,
        "LabelCounters": _counters(job.counters),
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        **{key: job.request[key] for key in _ECHOED if key in job.request},
        **_outcome(job),
    }
    tags = engine.registry.tags(job.arn)
    if tags:
        answer["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return answer


def list_all(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """List labeling jobs."""
    contained = request.get("NameContains", "").lower()
    status = request.get("StatusEquals")
    jobs = [
        job
        for job in engine.jobs.list()
        if contained in job.name.lower()
        and status in (None, job.status)
        and _created_within(job, request)
        and request.get("LastModifiedTimeAfter", job.modified_at) <= job.modified_at
        and request.get("LastModifiedTimeBefore", job.modified_at) >= job.modified_at
    ]
    sort_values: dict[str, Callable[[Job], str]] = {
        "Name": lambda job: "",
        "Status": lambda job: str(job.status),
        "CreationTime": lambda job: time_key(job.created_at),
    }
    sort_value = sort_values[request.get("SortBy", "CreationTime")]
    shown, token = page(jobs, lambda job: (sort_value(job), job.name.lower()), request)
    return {"LabelingJobSummaryList": [_summary(job) for job in shown], **token}


def list_for_workteam(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """List a work team's labeling jobs."""
    arn = request["WorkteamArn"]
    try:
        team = engine.registry.workteam(Arn.parse(arn).resource_name)
    except WorkteamNotFoundError:
        team = None
    if team is None or team.arn.lower() != arn.lower():
        raise ResourceNotFoundError(f"The work team {arn} does not exist")
    contained = request.get("JobReferenceCodeContains", "")
    jobs = [
        job
        for job in engine.jobs.list()
        if job.workteam_arn.lower() == arn.lower()
        and contained in job.reference_code
        and _created_within(job, request)
    ]
    shown, token = page(jobs, lambda job: (time_key(job.created_at), job.name.lower()), request)
    return {"LabelingJobSummaryList": [_team_summary(job) for job in shown], **token}


def stop(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    """Ask a labeling job to stop; what has been labeled is kept."""
    job = _found(engine, request["LabelingJobName"])
    stop_job(engine.jobs, engine.loop, job.name, engine.clock())
    _ensure_loop(engine, job)
    return {}


def _ensure_loop(engine: Engine, job: Job) -> None:
    """Start the loop of a job that has not begun, once more.

    A function that died while it created the job may have left it without a loop, which then
    nothing would begin, end or stop. A loop that runs is not disturbed.
    """
    if job.status is JobStatus.INITIALIZING:
        engine.loop.start(job.name)


def _refuse_taken_name(engine: Engine, name: str) -> None:
    try:
        job = engine.jobs.get(name)
    except JobNotFoundError:
        return
    _ensure_loop(engine, job)
    reason = f" ({job.failure_reason})" if job.failure_reason else ""
    raise ResourceInUseError(
        f"Labeling job {job.arn} already exists and is {job.status}{reason}; labeling jobs "
        "cannot be deleted, choose another name"
    )


def _fail(engine: Engine, job: Job, reason: str) -> None:
    """End a job whose loop does not run, which nothing else would ever end.

    It is not deleted: an execution of its name may have been started after all, and a name is not
    taken twice. Whoever tries again is told the reason together with ResourceInUse.
    """

    def failed(current: Job) -> Job:
        return replace(
            current,
            status=JobStatus.FAILED,
            failure_reason=reason[:_MAXIMUM_REASON_CHARACTERS],
            modified_at=engine.clock(),
        )

    engine.jobs.change(job.name, failed)


def _automation(
    request: dict[str, Any], tags: dict[str, str], initial_model: InitialModel | None
) -> Automation | None:
    task = task_of(request)
    if "LabelingJobAlgorithmsConfig" not in request or task is None:
        return None
    automation = automation_of(task.key, tags)
    if initial_model is None:
        return automation
    return replace(automation, initial_model=str(initial_model.folder))


def _team_problems(engine: Engine, job: Job) -> list[str]:
    missing = f"The work team {job.workteam_arn} does not exist"
    try:
        team = engine.registry.workteam(Arn.parse(job.workteam_arn).resource_name)
    except WorkteamNotFoundError:
        return [missing]
    # Workers' jobs are found by the exact ARN.
    return [] if team.arn == job.workteam_arn else [f"{missing}; there is {team.arn}"]


def _refuse_unpassable(engine: Engine, role_arn: str) -> None:
    if engine.caller is None or engine.may_pass(engine.caller, role_arn):
        return
    raise AccessDeniedError(
        f"User: {engine.caller} is not authorized to perform: iam:PassRole on resource: {role_arn} "
        "because no identity-based policy allows the iam:PassRole action. Allow it on this role, "
        "with the condition that iam:PassedToService is sagemaker.amazonaws.com."
    )


def _file_problems(engine: Engine, job: Job, initial_model: InitialModel | None) -> list[str]:
    """Return what is wrong with the files that a job names, as its role sees them."""
    files = engine.files_for_role(job.role_arn, job_session_name(job.name))

    def manifest_problems() -> Iterable[str]:
        if files.size(job.manifest_uri) == 0:
            yield f"the input manifest {job.manifest_uri} is empty"

    def label_problems() -> Iterable[str]:
        if job.label_categories_uri:
            try:
                labels = parse_label_categories(
                    files.get_small(job.label_categories_uri, MAXIMUM_LABEL_FILE_BYTES), job.task
                )
            except LabelCategoriesError as error:
                yield from (f"{job.label_categories_uri}: {text}" for text in error.problems)
            else:
                if initial_model is not None:
                    yield from model_label_problems(files, initial_model, labels)

    def template_problems() -> Iterable[str]:
        if job.template_uri:
            uri = S3Uri.parse(job.template_uri)
            text = files.get_small(uri, MAXIMUM_LABEL_FILE_BYTES).decode("utf-8-sig")
            yield from (f"{job.template_uri}: {item}" for item in check_template(text, job.task))

    problems: list[str] = []
    for check in (manifest_problems, label_problems, template_problems):
        try:
            problems += check()
        except UnicodeDecodeError as error:
            problems.append(f"{job.template_uri}: not UTF-8 text: {error}")
        except S3Error as error:
            if isinstance(error.__cause__, RoleError):
                return [*problems, str(error.__cause__)]
            problems.append(f"the job's role {job.role_arn} cannot read a file of the job: {error}")
    return problems


def _found(engine: Engine, name: str) -> Job:
    try:
        return engine.jobs.get(name)
    except JobNotFoundError as error:
        raise _missing(name) from error


def _missing(name: str) -> ResourceNotFoundError:
    return ResourceNotFoundError(f"Could not find labeling job {name!r}")


def _created_within(job: Job, request: dict[str, Any]) -> bool:
    after = request.get("CreationTimeAfter", job.created_at)
    before = request.get("CreationTimeBefore", job.created_at)
    return bool(after <= job.created_at <= before)


def _counters(counters: Counters) -> dict[str, int]:
    return {
        "TotalLabeled": counters.total_labeled,
        "HumanLabeled": counters.human_labeled,
        "MachineLabeled": counters.machine_labeled,
        "FailedNonRetryableError": counters.failed,
        "Unlabeled": counters.unlabeled,
    }


def _outcome(job: Job) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    if job.failure_reason:
        outcome["FailureReason"] = job.failure_reason
    if job.status in _WITH_OUTPUT:
        output = {"OutputDatasetS3Uri": str(job.output_manifest_uri)}
        if job.final_model is not None:
            arn = model_arn(job.region, job.account, job.name, job.final_model)
            output["FinalActiveLearningModelArn"] = arn
        outcome["LabelingJobOutput"] = output
    return outcome


def _summary(job: Job) -> dict[str, Any]:
    summary = {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        "LabelingJobStatus": str(job.status),
        "LabelCounters": _counters(job.counters),
        "WorkteamArn": job.workteam_arn,
        "InputConfig": job.request["InputConfig"],
        **_outcome(job),
    }
    task_config = job.human_task
    if "PreHumanTaskLambdaArn" in task_config:
        summary["PreHumanTaskLambdaArn"] = task_config["PreHumanTaskLambdaArn"]
    if "AnnotationConsolidationConfig" in task_config:
        consolidation = task_config["AnnotationConsolidationConfig"]
        summary["AnnotationConsolidationLambdaArn"] = consolidation[
            "AnnotationConsolidationLambdaArn"
        ]
    return summary


def _team_summary(job: Job) -> dict[str, Any]:
    return {
        "LabelingJobName": job.name,
        "JobReferenceCode": job.reference_code,
        "WorkRequesterAccountId": job.account,
        "CreationTime": job.created_at,
        "NumberOfHumanWorkersPerDataObject": job.workers_per_object,
        "LabelCounters": {
            "HumanLabeled": job.counters.human_labeled,
            "PendingHuman": job.counters.unlabeled,
            "Total": job.counters.total_objects,
        },
    }
