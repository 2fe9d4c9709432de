"""Give a batch to people, and look after it while they work."""

from dataclasses import replace
from datetime import timedelta

from groundwork.jobs import tasks
from groundwork.jobs.model import Batch, BatchState, Job, JobStatus
from groundwork.jobs.steps import Engine, StepResult
from groundwork.table_client import ConflictError


def open_batch(engine: Engine, job_name: str, iteration: int, token: str) -> StepResult:
    """Let people work on a batch, and keep what wakes the loop when they are done.

    Opening it again, as happens every hour, only changes the token.
    """
    job = engine.store.get(job_name)
    now = engine.clock()
    if iteration == 1 and job.status is JobStatus.IN_PROGRESS:
        _tell_of_work(engine, job)

    def opened(batch: Batch) -> Batch:
        if batch.state not in (BatchState.SELECTED, BatchState.OPEN):
            return batch
        lifetime = timedelta(seconds=job.availability_lifetime_seconds)
        return replace(
            batch,
            state=BatchState.OPEN,
            opened_at=batch.opened_at or now,
            closes_at=batch.closes_at or min(now + lifetime, job.expires_at),
            task_token=token,
        )

    engine.store.change_batch(job.name, iteration, opened)
    current = engine.store.change(
        job.name, lambda job: replace(job, iteration=max(job.iteration, iteration))
    )
    # A stop or a last answer that came before the token was there could not wake the loop. So both
    # are looked for once it is there.
    batch = engine.store.get_batch(job.name, iteration, counted=True)
    if current.status is not JobStatus.IN_PROGRESS or _is_over(engine, batch):
        outcome = {"job": job.name, "iteration": iteration, "outcome": "closed"}
        engine.loop.wake(token, outcome)
    return StepResult(job.name, iteration, "open")


def _tell_of_work(engine: Engine, job: Job) -> None:
    """Tell the team of a job's first batch, before it is marked as opened.

    A function that dies between the two tells it again; the other way round nobody would be told.
    """
    if engine.store.get_batch(job.name, 1).state is BatchState.SELECTED:
        engine.notices.work_available(job)


def check_batch(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Tell whether people are still to work on a batch: ``open`` or ``closed``.

    Tasks that were declined by all, the last one by letting the time run out, are closed here.
    """
    job = engine.store.get(job_name)
    now = engine.clock()
    for task in engine.store.tasks(job.name, iteration):
        settled = tasks.settle(task, now)
        if settled is not task:
            try:
                engine.store.save_task(task, settled, now)
            except ConflictError:
                continue
    batch = engine.store.get_batch(job.name, iteration, counted=True)
    over = job.status is not JobStatus.IN_PROGRESS or _is_over(engine, batch)
    return StepResult(job.name, iteration, "closed" if over else "open")


def _is_over(engine: Engine, batch: Batch) -> bool:
    late = batch.closes_at is not None and batch.closes_at <= engine.clock()
    closed = batch.state in (BatchState.CLOSED, BatchState.PUBLISHED)
    return closed or late or batch.is_complete
