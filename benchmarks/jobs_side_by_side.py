"""Twenty jobs at the same time: every object is labeled once, and every job counts right."""

import json
import os
import time
from collections import Counter
from functools import partial
from typing import Any

from benchmarks.portal_load import GOAL_P95_MILLISECONDS
from benchmarks.portal_next_task import portal_cloud
from benchmarks.support.labeling_crowd import (
    GuaranteeBrokenError,
    Labeling,
    add_small_images,
    between,
    further_job,
    per_second,
    signed_in,
)
from groundwork.local.cloud import LocalCloud
from groundwork.local.workshop import JobState, job_state
from groundwork.portal.worker_client import WorkerApiError, WorkerClient
from groundwork.s3_uri import S3Uri

_JOBS = 20
_PICTURES = 20
_WORKERS = 20
_PAUSE = (0.5, 1.5)
_DEADLINE_SECONDS = 400
_IDLE_SECONDS = 0.5
# A job ended, or a batch did, while somebody was about to take or answer a task of it.
_LATE_CODES = frozenset({"JobNotOpen"})


def run() -> dict[str, Any]:
    """Let twenty people go round twenty jobs until all have ended.

    Raises
    ------
    GuaranteeBrokenError
        If an object was labeled twice or not at all, or a job's counters do not add up.
    """
    load_before = os.getloadavg()[0]
    with portal_cloud(partial(add_small_images, count=_PICTURES)) as (cloud, portal_url):
        first = cloud.output("LabelingJobName")
        if first is None:
            raise RuntimeError("the stack has no job")
        names = [first, *(f"side-by-side-{number:02d}" for number in range(1, _JOBS))]
        workers = signed_in(cloud, portal_url, _WORKERS)
        started = time.monotonic()
        for name in names[1:]:
            cloud.client("sagemaker").create_labeling_job(**further_job(cloud, name, first))
        labeling = Labeling()
        rate = per_second(workers, partial(_go_round, cloud, labeling, names))
        states = [job_state(cloud, name) for name in names]
        seconds = time.monotonic() - started
        figures = labeling.figures(rate, load_before)
        problems = [problem for state in states for problem in _problems(cloud, labeling, state)]
    if problems:
        raise GuaranteeBrokenError("; ".join(problems))
    return {
        "name": "jobs_side_by_side",
        "figure": round(labeling.p95(), 1),
        "unit": f"ms p95 of requests, {_WORKERS} workers on {_JOBS} jobs",
        "against": GOAL_P95_MILLISECONDS,
        "ratio": round(labeling.p95() / GOAL_P95_MILLISECONDS, 3),
        "details": {
            **figures,
            "given_twice": labeling.given_twice(),
            "seconds_until_all_ended": round(seconds, 1),
        },
    }


def _go_round(
    cloud: LocalCloud, labeling: Labeling, names: list[str], number: int, worker: WorkerClient
) -> int:
    """Answer a task of each job in turn until all have ended; return the calls that this took."""
    open_jobs = names[number:] + names[:number]
    pause = between(*_PAUSE)
    deadline = time.monotonic() + _DEADLINE_SECONDS
    calls = 0
    while open_jobs and time.monotonic() < deadline:
        found = False
        for name in open_jobs:
            try:
                found = labeling.label_one(worker, name, pause) or found
            except WorkerApiError as error:
                if error.code not in _LATE_CODES:
                    raise
            calls += 2
        if not found:
            time.sleep(_IDLE_SECONDS)
            open_jobs = [name for name in open_jobs if not job_state(cloud, name).is_over]
    return calls


def _problems(cloud: LocalCloud, labeling: Labeling, state: JobState) -> list[str]:
    """Return what is wrong with a job that ought to have ended with everything labeled once."""
    described = cloud.client("sagemaker").describe_labeling_job(LabelingJobName=state.name)
    counters = described["LabelCounters"]
    problems = []
    if described["LabelingJobStatus"] != "Completed":
        return [f"{state.name} is {described['LabelingJobStatus']} with {counters}"]
    if counters["HumanLabeled"] != _PICTURES or counters["TotalLabeled"] != _PICTURES:
        problems.append(f"{state.name} counts {counters}")
    answers = Counter(picture for _, job, picture in labeling.answered if job == state.name)
    if sorted(answers.elements()) != list(range(_PICTURES)):
        problems.append(f"{state.name} was answered {dict(answers)}")
    output = S3Uri.parse(described["LabelingJobOutput"]["OutputDatasetS3Uri"])
    body = cloud.client("s3").get_object(Bucket=output.bucket, Key=output.key)["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    attribute = described["LabelAttributeName"]
    labeled = {line["source-ref"] for line in lines if attribute in line}
    if len(lines) != _PICTURES or len(labeled) != _PICTURES:
        problems.append(f"{state.name} published {len(lines)} lines, {len(labeled)} labeled")
    return problems
