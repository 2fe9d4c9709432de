"""How labeling jobs stand, on the local cloud or in an AWS account."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import click

from groundwork.cli.local import cloud_state, show_cloud
from groundwork.cli.places import NOT_RUNNING, engine_options, running_cloud
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    say,
    told_plainly,
)
from groundwork.contract.labeling_jobs_client import LabelingJobs
from groundwork.errors import UserError
from groundwork.job_progress import JobProgress
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.s3_client import S3Client

_NEWEST = 10


class StatusError(UserError):
    """There is nothing to show the status of."""


@click.command()
@click.argument("job", required=False)
@engine_options
@click.option("--watch", is_flag=True, help="Go on until the job has ended.")
@click.option(
    "--every",
    "pause_seconds",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    help="With --watch, how many seconds to wait between two looks.",
)
@json_option
@told_plainly
def status(
    *,
    job: str | None,
    aws: bool,
    endpoint: str | None,
    region: str | None,
    watch: bool,
    pause_seconds: float,
    as_json: bool,
) -> None:
    """Show how labeling jobs stand: counters, iteration, open tasks, expected end.

    Without options the whole local cloud: its stacks, jobs, portal and invited workers. With the
    name of a JOB, that job. With --aws the jobs of the account, the newest first. --watch prints a
    line for every change, with --json a document. Example:

    \b
        groundwork status
        groundwork status --watch my-job
        groundwork status --aws --region eu-west-1
    """
    if region and not (aws or endpoint):
        raise click.UsageError("--region belongs to --aws or --endpoint.")
    if aws or endpoint:
        jobs = LabelingJobs.of_account(endpoint, region)
    else:
        if not (job or watch):
            _show_local(as_json)
            return
        cloud = running_cloud()
        jobs = LabelingJobs(cloud.client("sagemaker"), S3Client(cloud.client("s3")))
    if watch:
        _watch(jobs, job or _newest_name(jobs), pause_seconds, as_json)
    elif job:
        _show_job(jobs.progress(job), as_json)
    else:
        _show_jobs(list(jobs.newest(_NEWEST)), as_json)


def _newest_name(jobs: LabelingJobs) -> str:
    newest = next(iter(jobs.newest(1)), None)
    if newest is None:
        raise StatusError("There is no labeling job.")
    return newest.name


def _show_local(as_json: bool) -> None:
    cloud = LocalCloud(project_root())
    running = cloud.attach()
    if as_json:
        print_json(cloud_state(cloud) if running else {"running": False})
    elif running:
        show_cloud(cloud)
    else:
        say(NOT_RUNNING)


def _show_job(progress: JobProgress, as_json: bool) -> None:
    if as_json:
        print_json(progress.to_dict())
        return
    rows = [("job", progress.name), ("status", progress.status)]
    if progress.failure_reason:
        rows.append(("because", progress.failure_reason))
    rows += [(name, f"{count:,}") for name, count in _counted(progress.counters)]
    if not progress.is_over:
        batch = progress.batch
        rows.append(("iteration", "unknown" if batch is None else str(batch.iteration)))
        tasks = None if batch is None else batch.tasks_open
        rows.append(("tasks open", "unknown" if tasks is None else f"{tasks:,}"))
        rows.append(("expected end", _moment(progress.expected_end)))
    print_rows(rows)
    if progress.batch is not None and progress.batch.workers:
        print_rows(
            [
                (worker, state.answered, state.tasks_open)
                for worker, state in progress.batch.workers.items()
            ],
            header=("worker", "answered in this iteration", "tasks open to this worker"),
        )


def _show_jobs(found: list[JobProgress], as_json: bool) -> None:
    if as_json:
        print_json([progress.to_dict() for progress in found])
    elif found:
        for progress in found:
            say(_line(progress))
    else:
        say("There is no labeling job.")


def _watch(jobs: LabelingJobs, name: str, pause_seconds: float, as_json: bool) -> None:
    for progress in _changes(lambda: jobs.progress(name), pause_seconds):
        if as_json:
            print_json(progress.to_dict())
        else:
            say(_line(progress))


def _changes(look: Callable[[], JobProgress], pause_seconds: float) -> Iterator[JobProgress]:
    """Yield a job's state whenever it is another one, until it has ended."""
    shown = None
    while True:
        progress = look()
        state = (progress.status, tuple(progress.counters.items()), progress.batch)
        if state != shown:
            shown = state
            yield progress
        if progress.is_over:
            return
        time.sleep(pause_seconds)


def _line(progress: JobProgress) -> str:
    counted = ", ".join(f"{name} {count:,}" for name, count in _counted(progress.counters))
    parts = [f"{progress.name}: {progress.status}", counted]
    if progress.batch is not None:
        tasks = progress.batch.tasks_open
        told = "" if tasks is None else f", {tasks:,} tasks open"
        parts.append(f"iteration {progress.batch.iteration}{told}")
    if progress.expected_end is not None:
        parts.append(f"expected end {_moment(progress.expected_end)}")
    if progress.failure_reason:
        parts.append(progress.failure_reason)
    return "; ".join(parts)


def _counted(counters: Mapping[str, int]) -> list[tuple[str, int]]:
    names = {
        "TotalLabeled": "labeled",
        "HumanLabeled": "by people",
        "MachineLabeled": "by machine",
        "FailedNonRetryableError": "failed",
        "Unlabeled": "unlabeled",
    }
    return [(told, counters.get(name, 0)) for name, told in names.items()]


def _moment(moment: datetime | None) -> str:
    return "unknown" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"
