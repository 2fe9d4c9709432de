"""The values that the labeling loop works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from groundwork.contract.arns import Arn
from groundwork.contract.builtin_tasks import BuiltinTask, task_of_lambda_arn
from groundwork.contract.rules import task_of
from groundwork.jobs.automation.settings import Automation
from groundwork.s3_uri import S3Uri

if TYPE_CHECKING:
    from groundwork.s3_client import S3Client

# Defaults and limits of HumanTaskConfig for a private work team:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HumanTaskConfig.html
DEFAULT_BATCH_SIZE = 1000
DEFAULT_AVAILABILITY_LIFETIME_SECONDS = 30 * 24 * 3600
JOB_LIFETIME = timedelta(days=30)


class JobStatus(StrEnum):
    """The statuses that DescribeLabelingJob knows."""

    INITIALIZING = "Initializing"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED)


@dataclass(frozen=True)
class Counters:
    """The five counters of ``LabelCounters``; total plus failed plus unlabeled is every line."""

    human_labeled: int = 0
    machine_labeled: int = 0
    failed: int = 0
    unlabeled: int = 0

    @property
    def total_labeled(self) -> int:
        """Objects with a label, by people or by machine."""
        return self.human_labeled + self.machine_labeled

    @property
    def total_objects(self) -> int:
        """Every object of the input manifest."""
        return self.total_labeled + self.failed + self.unlabeled


@dataclass(frozen=True)
class Job:
    """A labeling job as it was requested, and how far it is.

    Parameters
    ----------
    request
        The CreateLabelingJob request as validated: the one source of what was asked for.
    iteration
        The number of the current batch, from 1; 0 before the first.
    total_objects
        Lines of the input manifest; None until they were counted.
    automation
        What is asked of automated labels; None where people label everything.
    final_model
        The iteration whose model is the job's last, once it has ended; None if it has none.
    """

    name: str
    arn: str
    status: JobStatus
    created_at: datetime
    modified_at: datetime
    request: Mapping[str, Any]
    reference_code: str
    failure_reason: str | None = None
    counters: Counters = field(default_factory=Counters)
    iteration: int = 0
    total_objects: int | None = None
    automation: Automation | None = None
    final_model: int | None = None

    @property
    def account(self) -> str:
        """The account that the job belongs to."""
        return Arn.parse(self.arn).account

    @property
    def region(self) -> str:
        """The region that the job runs in."""
        return Arn.parse(self.arn).region

    @property
    def label_attribute(self) -> str:
        """The key under which labels are written to the output manifest."""
        return str(self.request["LabelAttributeName"])

    @property
    def role_arn(self) -> str:
        """The role whose rights every access to the customer's data uses."""
        return str(self.request["RoleArn"])

    @property
    def manifest_uri(self) -> S3Uri:
        """The input manifest."""
        source = self.request["InputConfig"]["DataSource"]["S3DataSource"]
        return S3Uri.parse(source["ManifestS3Uri"])

    @property
    def output_prefix(self) -> S3Uri:
        """The folder of everything that the job writes: ``<S3OutputPath>/<job name>``."""
        return S3Uri.parse(self.request["OutputConfig"]["S3OutputPath"]).child(self.name)

    @property
    def output_manifest_uri(self) -> S3Uri:
        """Where the resulting manifest is when the job has ended."""
        return self.output_prefix.child("manifests/output/output.manifest")

    @property
    def kms_key_id(self) -> str | None:
        """The customer's key for everything that the job writes, or None."""
        return self.request["OutputConfig"].get("KmsKeyId") or None

    @property
    def label_categories_uri(self) -> S3Uri | None:
        """The label category file, or None when the job has none."""
        uri = self.request.get("LabelCategoryConfigS3Uri")
        return S3Uri.parse(uri) if uri else None

    @property
    def human_task(self) -> Mapping[str, Any]:
        """``HumanTaskConfig`` of the request."""
        config: Mapping[str, Any] = self.request["HumanTaskConfig"]
        return config

    @property
    def workteam_arn(self) -> str:
        """The work team that labels."""
        return str(self.human_task["WorkteamArn"])

    @property
    def title(self) -> str:
        """The task's title for workers."""
        return str(self.human_task["TaskTitle"])

    @property
    def description(self) -> str:
        """The task's description for workers."""
        return str(self.human_task["TaskDescription"])

    @property
    def template_uri(self) -> str | None:
        """The worker template in S3, or None when the job uses a page of the service."""
        uri = self.human_task["UiConfig"].get("UiTemplateS3Uri")
        return str(uri) if uri else None

    @property
    def workers_per_object(self) -> int:
        """How many people answer each object."""
        return int(self.human_task["NumberOfHumanWorkersPerDataObject"])

    @property
    def task_time_limit_seconds(self) -> int:
        """How long a worker may hold a task."""
        return int(self.human_task["TaskTimeLimitInSeconds"])

    @property
    def batch_size(self) -> int:
        """How many objects are with people at the same time."""
        return int(self.human_task.get("MaxConcurrentTaskCount", DEFAULT_BATCH_SIZE))

    @property
    def availability_lifetime_seconds(self) -> int:
        """How long the tasks of a batch wait for people."""
        lifetime = self.human_task.get("TaskAvailabilityLifetimeInSeconds")
        return int(lifetime or DEFAULT_AVAILABILITY_LIFETIME_SECONDS)

    @property
    def pre_lambda_arn(self) -> str | None:
        """The customer's pre-annotation function; None for a built-in one or none at all."""
        arn = self.human_task.get("PreHumanTaskLambdaArn")
        return str(arn) if arn and task_of_lambda_arn(arn) is None else None

    @property
    def consolidation_lambda_arn(self) -> str | None:
        """The customer's post-annotation function; None for a built-in one or none at all."""
        config = self.human_task.get("AnnotationConsolidationConfig") or {}
        arn = config.get("AnnotationConsolidationLambdaArn")
        return str(arn) if arn and task_of_lambda_arn(arn) is None else None

    @property
    def task(self) -> BuiltinTask | None:
        """The built-in task type that its functions name, or None for a custom task."""
        return task_of(self.request)

    @property
    def uses_builtin_input(self) -> bool:
        """Whether a built-in pre-annotation function makes the tasks' input."""
        arn = self.human_task.get("PreHumanTaskLambdaArn")
        return bool(arn) and task_of_lambda_arn(str(arn)) is not None

    @property
    def expires_at(self) -> datetime:
        """When the job ends at the latest; it can be chained to go on.

        See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-monitor-cloud-watch.html.
        """
        return self.created_at + JOB_LIFETIME


Clock = Callable[[], datetime]
FilesForJob = Callable[[Job], "S3Client"]


class BatchState(StrEnum):
    """Where a batch of objects is on its way through people's hands."""

    SELECTED = "selected"
    OPEN = "open"
    CLOSED = "closed"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Progress:
    """How far the loop is in the input manifest, between two batches.

    Parameters
    ----------
    next_byte, next_line
        Where in the manifest the next batch begins.
    counters
        What the job has achieved, objects that were labeled before it included.
    labeled_by_people
        Objects that this job's people labeled, for ``MaxHumanLabeledObjectCount``.
    snapshot
        The iteration of the last snapshot; 0 is the copy of the input manifest.
    finished_since_snapshot
        Objects that got a label or failed since then.
    """

    next_byte: int = 0
    next_line: int = 0
    counters: Counters = field(default_factory=Counters)
    labeled_by_people: int = 0
    snapshot: int = 0
    finished_since_snapshot: int = 0


@dataclass(frozen=True)
class Batch:
    """The objects of one iteration that are with people.

    Parameters
    ----------
    total, done
        Tasks that were given out, and those that need nobody any more.
    stopped
        Whether it was closed because the job was asked to stop.
    task_token
        What wakes the waiting state machine; None while nothing waits.
    selected
        Objects in ``batch.jsonl``, also those that no task was made for.
    before, after
        The loop's progress at the batch's two ends; ``after`` is None until it is published.
    next_byte, next_line
        Where in the manifest the following batch begins.
    """

    job: str
    iteration: int
    state: BatchState
    total: int = 0
    done: int = 0
    selected: int = 0
    before: Progress = field(default_factory=Progress)
    after: Progress | None = None
    next_byte: int = 0
    next_line: int = 0
    opened_at: datetime | None = None
    closes_at: datetime | None = None
    closed_at: datetime | None = None
    stopped: bool = False
    task_token: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether no task of the batch needs a person any more."""
        return self.done >= self.total

    @property
    def moment(self) -> datetime:
        """The time that names and dates what comes of a batch that is closed."""
        return self.closed_at or datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Lease:
    """A worker's exclusive hold on one of a task's places.

    ``ahead`` is whether the worker has not seen the task yet: their time begins when they do.
    """

    worker_id: str
    nonce: str
    accepted_at: datetime
    expires_at: datetime
    ahead: bool = False


@dataclass(frozen=True)
class AnswerRecord:
    """An accepted answer; its content lies in S3 under its digest."""

    worker_id: str
    nonce: str
    digest: str
    accepted_at: datetime
    submitted_at: datetime
    time_spent_seconds: float
    issuer: str
    sub: str


@dataclass(frozen=True)
class Task:
    """One object of a batch, and who works or worked on it.

    Parameters
    ----------
    input_start, input_length
        Which bytes of ``batch.jsonl`` hold the object, so that an item stays small.
    shuffle
        A fixed random number by which workers are spread over the tasks.
    closed
        Whether it takes no further answers.
    removed_at
        When the table may drop it, in epoch seconds.
    version
        Counts changes, for optimistic locking.
    """

    job: str
    iteration: int
    object_id: int
    workers_wanted: int
    input_start: int
    input_length: int
    shuffle: int = 0
    leases: tuple[Lease, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    declined_by: tuple[str, ...] = ()
    closed: bool = False
    removed_at: int = 0
    version: int = 0
