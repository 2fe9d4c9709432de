"""Starting and stopping a labeling job."""

from collections.abc import Sequence
from datetime import datetime

from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Job, JobStatus
from groundwork.table_client import Write


def start_job(store: JobStore, loop: LoopClient, job: Job, beside: Sequence[Write] = ()) -> None:
    """Keep a new job and start its loop; raises JobExistsError when the name is taken.

    Parameters
    ----------
    beside
        What is written with the job or not at all.
    """
    store.create(job, beside)
    loop.start(job.name)


def stop_job(store: JobStore, loop: LoopClient, name: str, now: datetime) -> Job:
    """Ask a job to stop, and wake its loop if it waits for people.

    Parameters
    ----------
    store, loop
        The engine's state, and what wakes the loop.

    Raises
    ------
    JobNotFoundError
        If there is no such job. One that has ended stays as it is.
    """
    job = store.request_stop(name, now)
    if job.status is JobStatus.STOPPING:
        batch = store.find_batch(job.name, job.iteration)
        if batch is not None and batch.task_token:
            outcome = {"job": job.name, "iteration": batch.iteration, "outcome": "closed"}
            loop.wake(batch.task_token, outcome)
    return job
