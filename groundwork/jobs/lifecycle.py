"""Starting and stopping a labeling job."""

from __future__ import annotations

from datetime import datetime

from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Job


def start_job(store: JobStore, loop: LoopClient, job: Job) -> None:
    """Keep a new job and start its loop; raises JobExistsError when the name is taken."""
    store.create(job)
    loop.start(job.name)


def stop_job(store: JobStore, loop: LoopClient, name: str, now: datetime) -> Job:
    """Ask a job to stop, and wake its loop if it waits for people."""
    raise NotImplementedError
