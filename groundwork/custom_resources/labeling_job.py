"""Custom::LabelingJob: a labeling job that starts with the stack and stops with it."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from groundwork.contract.arns import Arn, ArnFormatError, labeling_job_arn
from groundwork.custom_resources.events import (
    Clock,
    ResourceEvent,
    done,
    looking_again,
    started,
    waiting,
)
from groundwork.custom_resources.failure import (
    failure,
    failure_of_many,
    refusal,
)
from groundwork.custom_resources.tags import sync_tags, tag_list
from groundwork.jobs.automation.settings import SAMPLE_PERCENTAGE_TAG, TARGET_TAG
from groundwork.preflight import Findings
from groundwork.service import Service, ServiceRefusedError, pages

# Roles, teams and policies made a moment ago are not known everywhere at once; Terraform's provider
# retries the same refusals for two minutes.
CREATION_BOUND = timedelta(minutes=2)
CREATION_INTERVAL = timedelta(seconds=5)
STOP_BOUND = timedelta(minutes=20)

# Tells by which stack, resource and properties a job was made.
DEFINITION_TAG = "groundwork:definition"

_NAME_CHARACTERS = 63
_DIGEST_CHARACTERS = 8
_WARNINGS_CHARACTERS = 1000
_FINAL = frozenset({"Completed", "Failed", "Stopped"})
_RUNNING = frozenset({"Initializing", "InProgress"})
# Properties that say nothing about the job itself.
_NOT_DEFINING = frozenset({"Tags", "ServiceToken", "ServiceTimeout"})
_CONSOLE_HOSTS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}

Preflight = Callable[[Mapping[str, Any], str], Findings]
Sleep = Callable[[float], None]

_logger = logging.getLogger(__name__)


class LabelingJobResource:
    """The resource's three verbs.

    Parameters
    ----------
    labeling
        The labeling API of either engine.
    preflight
        Checks a CreateLabelingJob request for an engine before it is sent.
    clock, sleep
        The time, and how to let it pass, in seconds.
    region, account
        Where the function runs, and so where the job does.
    """

    def __init__(
        self,
        labeling: Service,
        preflight: Preflight,
        *,
        clock: Clock,
        sleep: Sleep,
        region: str,
        account: str,
    ) -> None:
        self._labeling = labeling
        self._preflight = preflight
        self._clock = clock
        self._sleep = sleep
        self._region = region
        self._account = account

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Decide which job the event is about: its ARN is the physical id."""
        request = ResourceEvent.parse(event)
        if request.request_type == "Delete" and request.physical_id:
            return started(request.physical_id, self._clock())
        if request.request_type == "Update" and request.physical_id:
            old, new = _defining(request.old_properties), _defining(request.properties)
            if old == new:
                return started(request.physical_id, self._clock())
            # An update that is rolled back wants the job before it, which still runs.
            if twin := self._running_twin(request):
                return started(twin, self._clock())
        arn = labeling_job_arn(self._region, self._account, job_name(request))
        return started(arn, self._clock())

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Start the job, or stop it; tell whether that is finished."""
        request = ResourceEvent.parse(event)
        return looking_again(self._is_complete, request, self._clock, STOP_BOUND)

    def _is_complete(self, request: ResourceEvent) -> dict[str, Any]:
        if request.request_type == "Delete":
            return self._stop(request)
        arn = request.physical_id or ""
        name = Arn.parse(arn).resource_name
        found = self._describe(name, request.text("Engine"))
        warnings: tuple[str, ...] = ()
        if found is None:
            warnings = self._create(request, name)
        elif request.request_type == "Create" and found.get("LabelingJobStatus") == "Failed":
            raise failure(
                f"The labeling job {name} failed right after it was created.",
                said=found.get("FailureReason", "no reason was given"),
                to_do="correct what the reason names and deploy again.",
            )
        elif request.request_type == "Update":
            sync_tags(
                self._labeling,
                arn,
                before=request.old_properties.get("Tags", {}),
                after=request.properties.get("Tags", {}),
            )
        return done(
            LabelingJobName=name,
            LabelingJobArn=arn,
            OutputManifestUri=f"{_folder(request, name)}/manifests/output/output.manifest",
            ConsoleUrl=console_url(request, name, Arn.parse(arn)),
            Warnings="\n".join(warnings)[:_WARNINGS_CHARACTERS],
        )

    def _create(self, event: ResourceEvent, name: str) -> tuple[str, ...]:
        request = creation_request(event, name)
        engine = event.text("Engine")
        deadline = self._clock() + CREATION_BOUND
        findings = self._preflight(request, engine)
        while findings.problems and findings.may_pass and self._clock() < deadline:
            self._sleep(CREATION_INTERVAL.total_seconds())
            findings = self._preflight(request, engine)
        for warning in findings.warnings:
            _logger.warning("preflight warning", extra={"job": name, "warning": str(warning)})
        if findings.problems:
            problems = [str(problem) for problem in findings.problems]
            for problem in problems:
                _logger.error("preflight problem", extra={"job": name, "problem": problem})
            raise failure_of_many(
                f"The labeling job was not created: {len(problems)} problem(s) were found first.",
                problems,
                to_do="correct them all and deploy again.",
            )
        self._send(request, engine, deadline)
        return tuple(str(warning) for warning in findings.warnings)

    def _send(self, request: Mapping[str, Any], engine: str, deadline: Any) -> None:
        name = request["LabelingJobName"]
        while True:
            try:
                self._labeling.call("create_labeling_job", **request)
            except ServiceRefusedError as error:
                # The SDK may have sent the request twice after a lost answer.
                if (
                    error.code.startswith("ResourceInUse")
                    and self._describe(name, engine) is not None
                ):
                    return
                if not _may_pass(error) or self._clock() >= deadline:
                    raise refusal(
                        f"The labeling job {name} was refused.", error, engine=engine
                    ) from error
                _logger.info("trying again", extra={"job": name, "reason": str(error)})
                self._sleep(CREATION_INTERVAL.total_seconds())
            else:
                return

    def _stop(self, event: ResourceEvent) -> dict[str, Any]:
        name = _job_name_in(event.physical_id)
        found = self._describe(name, event.text("Engine")) if name else None
        if found is None or found["LabelingJobStatus"] in _FINAL:
            return done()
        said: ServiceRefusedError | str = f"status {found['LabelingJobStatus']}"
        if found["LabelingJobStatus"] in _RUNNING:
            try:
                self._labeling.call("stop_labeling_job", LabelingJobName=name)
            except ServiceRefusedError as error:
                if error.is_access_refusal:
                    raise refusal(
                        f"The labeling job {name} could not be stopped.",
                        error,
                        engine=event.text("Engine"),
                    ) from error
                # It may have ended, or be too young to stop: the next look at it tells.
                said = error
        if event.is_overdue(self._clock(), STOP_BOUND):
            raise failure(
                f"The labeling job {name} has not stopped after {STOP_BOUND}.",
                said=said,
                to_do="wait until `aws sagemaker describe-labeling-job --labeling-job-name "
                f"{name}` shows Stopped, then delete the stack again.",
            )
        return waiting()

    def _describe(self, name: str, engine: str) -> Mapping[str, Any] | None:
        try:
            return self._labeling.call("describe_labeling_job", LabelingJobName=name)
        except ServiceRefusedError as error:
            if error.code.startswith("ResourceNotFound"):
                return None
            raise refusal(
                f"The labeling job {name} could not be read.", error, engine=engine
            ) from error

    def _running_twin(self, request: ResourceEvent) -> str | None:
        """Return a job that this resource made from these very properties and that still runs."""
        wanted, engine = definition_digest(request), request.text("Engine")
        try:
            for summary in pages(
                self._labeling,
                "list_labeling_jobs",
                "LabelingJobSummaryList",
                NameContains=_prefix(request),
            ):
                if summary["LabelingJobStatus"] not in _RUNNING:
                    continue
                job = self._describe(summary["LabelingJobName"], engine) or {}
                tags = {tag["Key"]: tag["Value"] for tag in job.get("Tags", [])}
                if tags.get(DEFINITION_TAG) == wanted:
                    return str(job["LabelingJobArn"])
        except ServiceRefusedError as error:
            raise refusal("The labeling jobs could not be listed.", error, engine=engine) from error
        return None


def job_name(request: ResourceEvent) -> str:
    """Return the name for a new job: the same for a repeated event, another for the next.

    Labeling jobs cannot be deleted, so that a name, once used, stays taken.
    """
    identity = f"{request.stack_id}{request.logical_id}{request.request_id}"
    return (
        f"{_prefix(request)}-{hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"
    )


def definition_digest(request: ResourceEvent) -> str:
    """Return what tells one definition of this resource's job from another."""
    defining = [request.stack_id, request.logical_id, _defining(request.properties)]
    text = json.dumps(defining, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def creation_request(event: ResourceEvent, name: str) -> dict[str, Any]:
    """Return the CreateLabelingJob request that the resource's properties describe."""
    properties = event.properties
    request: dict[str, Any] = {
        "LabelingJobName": name,
        "LabelAttributeName": event.text("LabelAttributeName"),
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": event.text("InputManifestUri")}}
        },
        "OutputConfig": {"S3OutputPath": event.text("OutputPath")},
        "RoleArn": event.text("RoleArn"),
        "LabelCategoryConfigS3Uri": event.text("LabelCategoryConfigUri"),
        "HumanTaskConfig": _human_task_config(event),
        "Tags": tag_list(
            {
                **properties.get("Tags", {}),
                **_automation_tags(properties),
                DEFINITION_TAG: definition_digest(event),
            }
        ),
    }
    if key := properties.get("KmsKeyArn"):
        request["OutputConfig"]["KmsKeyId"] = key
    conditions = {
        name: int(properties[source])
        for name, source in (
            ("MaxHumanLabeledObjectCount", "MaxHumanLabeledObjects"),
            ("MaxPercentageOfInputDatasetLabeled", "MaxLabeledPercentage"),
        )
        if properties.get(source)
    }
    if conditions:
        request["StoppingConditions"] = conditions
    if event.flag("AutoLabeling"):
        request["LabelingJobAlgorithmsConfig"] = {
            "LabelingJobAlgorithmSpecificationArn": event.text("AlgorithmArn")
        }
    return request


def _automation_tags(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return what the open engine is asked of automated labels, for which the API has no field."""
    return {
        tag: str(properties[source])
        for tag, source in (
            (TARGET_TAG, "AutoLabelingTarget"),
            (SAMPLE_PERCENTAGE_TAG, "AutoLabelingSamplePercentage"),
        )
        if source in properties
    }


def _human_task_config(event: ResourceEvent) -> dict[str, Any]:
    properties = event.properties
    user_interface = (
        {"HumanTaskUiArn": properties["HumanTaskUiArn"]}
        if properties.get("HumanTaskUiArn")
        else {"UiTemplateS3Uri": event.text("UiTemplateUri")}
    )
    config: dict[str, Any] = {
        "WorkteamArn": event.text("WorkteamArn"),
        "UiConfig": user_interface,
        "PreHumanTaskLambdaArn": event.text("PreLambdaArn"),
        "TaskTitle": event.text("TaskTitle"),
        "TaskDescription": event.text("TaskDescription"),
        "NumberOfHumanWorkersPerDataObject": int(event.text("WorkersPerObject")),
        "TaskTimeLimitInSeconds": int(event.text("TaskTimeLimitSeconds")),
        "MaxConcurrentTaskCount": int(event.text("BatchSize")),
        "AnnotationConsolidationConfig": {
            "AnnotationConsolidationLambdaArn": event.text("ConsolidationLambdaArn")
        },
    }
    if keywords := properties.get("TaskKeywords"):
        config["TaskKeywords"] = list(keywords)
    if lifetime := properties.get("AvailabilityLifetimeSeconds"):
        config["TaskAvailabilityLifetimeInSeconds"] = int(lifetime)
    return config


def console_url(event: ResourceEvent, name: str, arn: Arn) -> str:
    """Return the console's page of the job, or of its files where the console knows no such job."""
    host = f"{arn.region}.{_CONSOLE_HOSTS.get(arn.partition, 'console.aws.amazon.com')}"
    if event.text("Engine") == "ground-truth":
        page = f"#/labeling-jobs/details/{name}"
        return f"https://{host}/sagemaker/groundtruth?region={arn.region}{page}"
    bucket, _, folder = _folder(event, name).removeprefix("s3://").partition("/")
    return f"https://{host}/s3/buckets/{bucket}?region={arn.region}&prefix={folder}/"


def _folder(event: ResourceEvent, name: str) -> str:
    return f"{event.text('OutputPath').rstrip('/')}/{name}"


def _prefix(request: ResourceEvent) -> str:
    # SageMaker writes names in ARNs in lower case, and the ARN has to be known beforehand.
    length = _NAME_CHARACTERS - _DIGEST_CHARACTERS - 1
    return request.text("NamePrefix")[:length].rstrip("-").lower()


def _defining(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in _NOT_DEFINING}


def _job_name_in(physical_id: str | None) -> str | None:
    """Return the job's name, or None for the id of a creation that never got to name one."""
    try:
        arn = Arn.parse(physical_id or "")
    except ArnFormatError:
        return None
    return arn.resource_name if arn.resource_type == "labeling-job" else None


def _may_pass(error: ServiceRefusedError) -> bool:
    # Values that the service model forbids stay forbidden.
    return (
        error.code == "ValidationException" and "failed to satisfy constraint" not in error.message
    )
