"""Workshops on a local cloud of the test's own, and people who label in them."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from groundwork.demo.crowd import Answer, Crowd, Drawer
from groundwork.local.cloud import LocalCloud
from groundwork.local.invitations import invitations
from groundwork.local.workshop import JobState, LocalWorkshop, job_state
from groundwork.results.labels import LabeledObject, read_objects
from groundwork.results.truth import Truth

PROJECT = Path(__file__).parents[2]
WORKERS = ("ann@example.com", "ben@example.com")
# Well above what the slowest run needed, on a busy machine, so that a hang is told as one.
LABELING_TIMEOUT_SECONDS = 500


def shared_folder(name: str) -> Path:
    """Where data lies that is not part of the project: beside it, or in GROUNDWORK_SHARED."""
    root = os.environ.get("GROUNDWORK_SHARED")
    return (Path(root) if root else PROJECT.parent / "shared") / "data" / name


@dataclass
class Workshop:
    """A deployed workshop, its settings, and what its people know."""

    cloud: LocalCloud
    engine: str
    context: dict[str, str]
    truth: Truth

    def deploy(self, **changes: str) -> None:
        """Deploy with the CDK CLI, with changed settings that stay changed."""
        self.context |= changes
        LocalWorkshop(self.cloud, self.engine, self.context).deploy()

    @property
    def job_name(self) -> str:
        """The job that the stack started last."""
        name = self.cloud.output("LabelingJobName")
        assert name is not None
        return name

    def crowd(self, answer_of: Callable[[int], Answer] | None = None) -> Crowd:
        """People who draw the true boxes with their errors, or answer as told."""
        portal_url = self.cloud.output("PortalUrl")
        assert portal_url is not None
        logins = [
            (each.email, each.temporary_password)
            for each in invitations(self.cloud.mails())
            if each.email in WORKERS
        ]
        assert sorted(email for email, _ in logins) == sorted(WORKERS)
        return Crowd(
            self.cloud,
            portal_url,
            logins,
            answer_of or (lambda worker: Drawer(self.truth, seed=7, worker=worker)),
        )

    def wait_until(
        self, job: str, reached: Callable[[JobState], bool], crowd: Crowd | None = None
    ) -> JobState:
        """Wait until a job is where it should be, while nobody of the crowd fails."""
        deadline = time.monotonic() + LABELING_TIMEOUT_SECONDS
        while True:
            if crowd is not None:
                crowd.check()
            state = job_state(self.cloud, job)
            if reached(state):
                return state
            assert time.monotonic() < deadline, f"{state}; {self.cloud.emulator.log_path}"
            time.sleep(0.3)

    def label(self, job: str, answer_of: Callable[[int], Answer] | None = None) -> JobState:
        """Let the people work until a job is over."""
        with self.crowd(answer_of) as crowd:
            return self.wait_until(job, lambda state: state.is_over, crowd)

    def results(self, state: JobState) -> list[LabeledObject]:
        """Read a job's augmented manifest."""
        assert state.output_manifest is not None
        body = self.read(state.output_manifest)
        return list(read_objects([body], state.label_attribute))

    def read(self, uri: str) -> bytes:
        """Read an object by its S3 URI."""
        parts = urlsplit(uri)
        response = self.cloud.client("s3").get_object(
            Bucket=parts.netloc, Key=parts.path.lstrip("/")
        )
        body: bytes = response["Body"].read()
        return body

    def write(self, uri: str, content: str | bytes) -> str:
        """Write an object; return its S3 URI."""
        parts = urlsplit(uri)
        body = content.encode() if isinstance(content, str) else content
        self.cloud.client("s3").put_object(
            Bucket=parts.netloc, Key=parts.path.lstrip("/"), Body=body
        )
        return uri

    def keys(self, uri: str) -> list[str]:
        """List the keys below an S3 URI, relative to it."""
        parts = urlsplit(uri)
        prefix = parts.path.lstrip("/")
        pages = (
            self.cloud.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=parts.netloc, Prefix=prefix)
        )
        return [item["Key"][len(prefix) :] for page in pages for item in page.get("Contents", [])]


def settings(images: Path, labels: tuple[str, ...], batch_size: int) -> dict[str, str]:
    """The context of a small bounding-box workshop."""
    return {
        "images": str(images),
        "labels": json.dumps(labels),
        "worker_emails": ",".join(WORKERS),
        "batch_size": str(batch_size),
    }


def job_names(cloud: LocalCloud, **filters: Any) -> list[str]:
    """List labeling jobs, the oldest first."""
    jobs = cloud.client("sagemaker").list_labeling_jobs(
        SortBy="CreationTime", SortOrder="Ascending", MaxResults=100, **filters
    )
    return [job["LabelingJobName"] for job in jobs["LabelingJobSummaryList"]]


def described(cloud: LocalCloud, job: str) -> Mapping[str, Any]:
    """Describe a labeling job as the service does."""
    answer: Mapping[str, Any] = cloud.client("sagemaker").describe_labeling_job(LabelingJobName=job)
    return answer
