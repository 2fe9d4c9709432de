"""What is measured of jobs, their people and the loop, under the names that Ground Truth uses.

How far a job is, is told as a whole each time, for the statistic ``Maximum``: a step that runs
again tells the same. What is counted, for ``Sum``, is told by whoever made the change, after it
was written: a crash between the two loses one count, and no repeated call adds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from groundwork.contract.arns import Arn
from groundwork.jobs.model import AnswerRecord, Counters, Job, JobStatus, Lease, Task
from groundwork.metrics import (
    ENGINE_NAMESPACE,
    JOB_DIMENSION,
    JOBS_NAMESPACE,
    TEAM_DIMENSION,
    WORKTEAM_NAMESPACE,
    publish,
)

if TYPE_CHECKING:
    from groundwork.jobs.work import Worker

_ENDS = {
    JobStatus.COMPLETED: "JobsSucceeded",
    JobStatus.FAILED: "JobsFailed",
    JobStatus.STOPPED: "JobsStopped",
}


def progressed(job: Job, counters: Counters, iteration: int, moment: datetime) -> None:
    """Tell how far a job is."""
    values = {
        "TotalDatasetObjectsLabeled": counters.total_labeled,
        "DatasetObjectsHumanAnnotated": counters.human_labeled,
        "DatasetObjectsLabelingFailed": counters.failed,
    }
    if job.automation is not None:
        values["DatasetObjectsAutoAnnotated"] = counters.machine_labeled
    publish(
        "job progressed",
        JOBS_NAMESPACE,
        values,
        moment,
        dimensions={JOB_DIMENSION: job.name},
        by=[[JOB_DIMENSION]],
        ids={"job": job.name, "iteration": iteration, "unlabeled": counters.unlabeled},
    )


def ended(job: Job, moment: datetime) -> None:
    """Count a job that has just ended."""
    publish(
        "job ended",
        JOBS_NAMESPACE,
        {_ENDS[job.status]: 1},
        moment,
        ids={
            "job": job.name,
            "status": job.status.value,
            "iteration": job.iteration,
            "reason": job.failure_reason,
        },
    )


def accepted(job: Job, worker: Worker, task: Task, lease: Lease) -> None:
    """Count a task that a worker was given."""
    _worker_event("TasksAccepted", job, worker, task, lease.accepted_at, lease.accepted_at)


def submitted(job: Job, worker: Worker, task: Task, answer: AnswerRecord) -> None:
    """Count an answer, and the time that was spent on it."""
    _worker_event(
        "TasksSubmitted",
        job,
        worker,
        task,
        answer.accepted_at,
        answer.submitted_at,
        time_spent_seconds=answer.time_spent_seconds,
    )


def given_back(
    job: Job, worker: Worker, task: Task, lease: Lease, moment: datetime, *, declined: bool
) -> None:
    """Count a task that a worker returned or declined."""
    name = "TasksDeclined" if declined else "TasksReturned"
    _worker_event(name, job, worker, task, lease.accepted_at, moment)


def watched(stuck: Sequence[str], open_jobs: int, moment: datetime) -> None:
    """Tell how many jobs are open, and how many of them nothing drives any more."""
    publish(
        "jobs watched",
        ENGINE_NAMESPACE,
        {"JobsStuck": len(stuck), "JobsOpen": open_jobs},
        moment,
        ids={"stuck": list(stuck)},
    )


def _worker_event(
    name: str,
    job: Job,
    worker: Worker,
    task: Task,
    accepted_at: datetime,
    moment: datetime,
    *,
    time_spent_seconds: float | None = None,
) -> None:
    """Log what a worker did, as the service's log of worker activity has it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/workteam-private-tracking.html
    """
    values: dict[str, float] = {name: 1}
    if time_spent_seconds is not None:
        values["TimeSpent"] = time_spent_seconds
    publish(
        name,
        WORKTEAM_NAMESPACE,
        values,
        moment,
        dimensions={
            JOB_DIMENSION: job.name,
            TEAM_DIMENSION: Arn.parse(job.workteam_arn).resource_name,
        },
        # Not by worker, as the service has it: each worker would be five metrics to pay for.
        by=[[TEAM_DIMENSION, JOB_DIMENSION]],
        ids={
            "job": job.name,
            "iteration": task.iteration,
            "object_id": task.object_id,
            "worker_id": worker.worker_id,
            "cognito_sub_id": worker.sub,
            "task_accepted_time": accepted_at.isoformat(timespec="milliseconds"),
        },
    )
