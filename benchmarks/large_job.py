"""A job of 100,000 lines, created, listed, stopped and published: seconds, and peak memory."""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.portal_next_task import portal_cloud
from benchmarks.support.labeling_crowd import (
    GuaranteeBrokenError,
    Labeling,
    add_small_images,
    further_job,
    signed_in,
)
from groundwork.local.cloud import LocalCloud
from groundwork.local.workshop import JobState, job_state
from groundwork.portal.worker_client import WorkerClient
from groundwork.s3_uri import S3Uri

_FEW, _MANY = 10_000, 100_000
_BATCH = 1000
_PICTURES = 10
_ANSWERS = 5
_DEADLINE_SECONDS = 300
# Three parts of an upload, of 8 MiB each, are held: the small job's manifest fills none.
_MOST_GROWTH_MIB = 40
_FUNCTION = re.compile(rb"ministack-lambda-(?P<name>.+)-\w+/")


def run() -> dict[str, Any]:
    """Take a small job and a large one through the same, and compare the functions' memory.

    Every line is an object of its own; they share a few pictures, which are looked at when their
    batch is made, a thousand at a time.

    Raises
    ------
    GuaranteeBrokenError
        If a line is missing from what was published, or the memory grows with the lines.
    """
    load_before = os.getloadavg()[0]
    with portal_cloud(partial(add_small_images, count=_PICTURES)) as (cloud, portal_url):
        like = cloud.output("LabelingJobName")
        if like is None:
            raise RuntimeError("the stack has no job")
        [worker] = signed_in(cloud, portal_url, 1)
        few = _taken_through(cloud, worker, like, _FEW)
        many = _taken_through(cloud, worker, like, _MANY)
    load_after = os.getloadavg()[0]
    grown = {
        name: (few["peak_mib"][name], peak)
        for name, peak in many["peak_mib"].items()
        if peak > few["peak_mib"].get(name, peak) + _MOST_GROWTH_MIB
    }
    if grown:
        raise GuaranteeBrokenError(f"memory grows with the lines, in MiB: {grown}")
    small, large = max(few["peak_mib"].values()), max(many["peak_mib"].values())
    return {
        "name": "large_job",
        "figure": large,
        "unit": f"MiB peak of a function at {_MANY:,} lines",
        "against": small,
        "ratio": round(large / small, 2),
        "details": {
            "against": f"the same at {_FEW:,} lines",
            str(_FEW): few,
            str(_MANY): many,
            "load_of_the_machine": {
                "before": round(load_before, 2),
                "after": round(load_after, 2),
            },
        },
    }


def _taken_through(
    cloud: LocalCloud, worker: WorkerClient, like: str, lines: int
) -> dict[str, Any]:
    """Create a job, list it, answer a few tasks, stop it; return the seconds and the memory."""
    name = f"large-{lines}"
    request = further_job(cloud, name, like, MaxConcurrentTaskCount=_BATCH)
    request["InputConfig"] = {
        "DataSource": {"S3DataSource": {"ManifestS3Uri": _write_manifest(cloud, request, lines)}}
    }
    _forget_peaks(cloud)
    seconds: dict[str, float] = {}
    with _timed(seconds, "create"):
        cloud.client("sagemaker").create_labeling_job(**request)
        _wait(cloud, name, lambda state: state.status != "Initializing")
        labeling = Labeling()
        _until(lambda: labeling.label_one(worker, name, lambda: 0.0), f"{name} gives no task")
    with _timed(seconds, "list"):
        listed = cloud.client("sagemaker").list_labeling_jobs(MaxResults=100)
        [open_job] = [job for job in worker.jobs() if job["name"] == name]
    for _ in range(_ANSWERS - 1):
        labeling.label_one(worker, name, lambda: 0.0)
    with _timed(seconds, "stop_and_publish"):
        cloud.client("sagemaker").stop_labeling_job(LabelingJobName=name)
        state = _wait(cloud, name, lambda state: state.is_over)
    peaks = _peak_mib(cloud)
    published, labeled = _published(cloud, state)
    counters = {key: state.counters[key] for key in ("HumanLabeled", "Unlabeled")}
    seen = {
        "status": state.status,
        "listed": name in [job["LabelingJobName"] for job in listed["LabelingJobSummaryList"]],
        "tasks_left": open_job["tasksLeft"],
        "published": published,
        "labeled": labeled,
        "counters": counters,
    }
    expected = {
        "status": "Stopped",
        "listed": True,
        "tasks_left": _BATCH - 1,
        "published": lines,
        "labeled": _ANSWERS,
        "counters": {"HumanLabeled": _ANSWERS, "Unlabeled": lines - _ANSWERS},
    }
    if seen != expected:
        raise GuaranteeBrokenError(f"{name}: {seen}, not {expected}")
    return {"seconds": seconds, "peak_mib": peaks, "published": published, "labeled": labeled}


def _write_manifest(cloud: LocalCloud, request: dict[str, Any], lines: int) -> str:
    s3 = cloud.client("s3")
    source = S3Uri.parse(request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"])
    body = s3.get_object(Bucket=source.bucket, Key=source.key)["Body"].read()
    pictures = [json.loads(line)["source-ref"] for line in body.splitlines()]
    target = S3Uri(source.bucket, f"large/{lines}.manifest")
    manifest = "".join(
        json.dumps({"source-ref": pictures[number % len(pictures)], "number": number}) + "\n"
        for number in range(lines)
    )
    s3.put_object(Bucket=target.bucket, Key=target.key, Body=manifest.encode())
    return str(target)


def _published(cloud: LocalCloud, state: JobState) -> tuple[int, int]:
    """Return how many lines a job published, each with its own number, and how many labels."""
    if state.output_manifest is None:
        return 0, 0
    output = S3Uri.parse(state.output_manifest)
    body = cloud.client("s3").get_object(Bucket=output.bucket, Key=output.key)["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    numbers = {line["number"] for line in lines}
    return len(numbers), sum(1 for line in lines if state.label_attribute in line)


def _wait(cloud: LocalCloud, name: str, reached: Any) -> JobState:
    _until(lambda: reached(job_state(cloud, name)), f"{name} does not get on")
    return job_state(cloud, name)


def _until(reached: Any, problem: str) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise GuaranteeBrokenError(f"{problem} in {_DEADLINE_SECONDS} seconds")
        time.sleep(0.2)


@contextlib.contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[what] = round(time.monotonic() - started, 1)


def _function_processes(cloud: LocalCloud) -> Iterator[tuple[str, Path]]:
    """Yield the emulator's processes that run functions, with their functions' names (Linux)."""
    running = cloud.emulator.running()
    assert running is not None
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            found = _FUNCTION.search((process / "cmdline").read_bytes())
            if parent == running.pid and found:
                yield found["name"].decode(), process


def _forget_peaks(cloud: LocalCloud) -> None:
    """Let each process's peak begin anew: https://docs.kernel.org/filesystems/proc.html."""
    for _, process in _function_processes(cloud):
        (process / "clear_refs").write_text("5")


def _peak_mib(cloud: LocalCloud) -> dict[str, float]:
    """Return the highest resident memory of any process of each function since then."""
    peaks: dict[str, float] = {}
    for name, process in _function_processes(cloud):
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
            if found:
                peaks[name] = max(peaks.get(name, 0), round(int(found[1]) / 1024, 1))
    return peaks
