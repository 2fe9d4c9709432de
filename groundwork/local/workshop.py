"""A workshop on the local cloud: which stacks make it, in which order, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from groundwork.local.cloud import BOOTSTRAP_STACK, LocalCloud, Stack

OPEN = "open"
GROUND_TRUTH = "ground-truth"
ENGINES = (OPEN, GROUND_TRUTH)
ENGINE_STACK = "GroundworkEngine"

_ASSEMBLY = "workshop"
_ENGINE_ASSEMBLY = "engine"
_OVER = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class JobState:
    """A labeling job as the service describes it."""

    name: str
    status: str
    counters: Mapping[str, int]
    failure_reason: str | None
    label_attribute: str
    output_manifest: str | None
    output_folder: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in _OVER


class LocalWorkshop:
    """The project's stacks in one flavour.

    With `engine=open` the engine's stack is part of the app. With `engine=ground-truth` the app is
    the workshop alone, deployed as on AWS with plain `cdk deploy`; the engine, deployed before,
    stands in for SageMaker.
    """

    def __init__(self, cloud: LocalCloud, engine: str, context: Mapping[str, str]) -> None:
        self._cloud = cloud
        self._engine = engine
        self._context = {**context, "engine": engine}

    def deploy(self) -> None:
        """Deploy everything, or what changed."""
        if self._engine == OPEN:
            self._cloud.deploy(["--all"], self._context, assembly=_ASSEMBLY)
            return
        if not any(stack.name == ENGINE_STACK for stack in self._cloud.stacks()):
            self._cloud.deploy(
                [ENGINE_STACK, "--exclusively"],
                {**self._context, "engine": OPEN},
                assembly=_ENGINE_ASSEMBLY,
            )
        self._cloud.deploy([], self._context, assembly=_ASSEMBLY)


def destroy(cloud: LocalCloud) -> None:
    """Destroy what was deployed last, the engine after the workshop that needs it."""
    cloud.destroy(["--all"], assembly=_ASSEMBLY)
    if any(stack.name == ENGINE_STACK for stack in cloud.stacks()):
        cloud.destroy([ENGINE_STACK], assembly=_ENGINE_ASSEMBLY)


def project_stacks(cloud: LocalCloud) -> list[Stack]:
    """Return the deployed stacks without the CDK's own."""
    return [stack for stack in cloud.stacks() if stack.name != BOOTSTRAP_STACK]


def job_state(cloud: LocalCloud, name: str) -> JobState:
    """Describe a labeling job."""
    job = cloud.client("sagemaker").describe_labeling_job(LabelingJobName=name)
    return _state(job)


def job_states(cloud: LocalCloud) -> list[JobState]:
    """Describe all labeling jobs, the newest first; none when there is no engine."""
    client = cloud.client("sagemaker")
    try:
        pages = client.get_paginator("list_labeling_jobs").paginate(
            SortBy="CreationTime", SortOrder="Descending"
        )
        names = [job["LabelingJobName"] for page in pages for job in page["LabelingJobSummaryList"]]
    except ClientError as error:
        if "No SageMaker here" in str(error):
            return []
        raise
    return [job_state(cloud, name) for name in names]


def _state(job: Mapping[str, Any]) -> JobState:
    return JobState(
        name=job["LabelingJobName"],
        status=job["LabelingJobStatus"],
        counters=job["LabelCounters"],
        failure_reason=job.get("FailureReason"),
        label_attribute=job.get("LabelAttributeName", ""),
        output_manifest=job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri"),
        output_folder=f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{job['LabelingJobName']}",
    )
