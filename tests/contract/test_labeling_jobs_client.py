"""Jobs are looked at through the labeling API, and their output in S3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundwork.contract.labeling_jobs_client import LabelingJobs
from groundwork.job_progress import BatchState
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.model import Counters, Job, JobStatus
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri
from groundwork.service import ServiceRefusedError
from groundwork.table_client import Table
from tests.support.labeling_requests import labeling_job_request
from tests.support.labeling_service import ACCOUNT, BUCKET, REGION, LabelingService

CREATED = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def jobs(service: LabelingService, labeling: Any) -> LabelingJobs:
    return LabelingJobs(labeling, S3Client(service.emulator("s3")))


def stored(service: LabelingService, name: str, status: JobStatus) -> None:
    """Keep a job without starting a loop for it."""
    job = Job(
        name=name,
        arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}",
        status=status,
        created_at=CREATED,
        modified_at=CREATED,
        request=labeling_job_request(
            LabelingJobName=name, OutputConfig={"S3OutputPath": f"s3://{BUCKET}/progress/"}
        ),
        reference_code=f"code-{name}",
        counters=Counters(human_labeled=25, unlabeled=75),
    )
    JobStore(Table(service.table())).create(job)


def test_a_running_jobs_iteration_is_read_from_its_output(
    service: LabelingService, jobs: LabelingJobs
) -> None:
    stored(service, "running", JobStatus.IN_PROGRESS)
    answers = S3Uri(BUCKET, "progress/running/annotations/worker-response/iteration-1/0/now.json")
    S3Client(service.emulator("s3")).put(answers, b"{}")
    progress = jobs.progress("running")
    assert progress.status == "InProgress"
    assert progress.counters["HumanLabeled"] == 25
    assert progress.batch == BatchState(1, tasks_open=None)
    assert progress.expected_end is not None
    left = progress.expected_end - datetime.now(UTC)
    assert left.total_seconds() == pytest.approx(3 * 3600, rel=0.2)


def test_the_newest_jobs_are_listed_also_those_that_are_over(
    service: LabelingService, jobs: LabelingJobs
) -> None:
    for name in ("one", "two"):
        stored(service, name, JobStatus.STOPPED)
    found = list(jobs.newest(10))
    assert {progress.name for progress in found} == {"one", "two"}
    assert all(progress.is_over for progress in found)


def test_a_refusal_keeps_the_services_words(jobs: LabelingJobs) -> None:
    with pytest.raises(ServiceRefusedError, match="none") as refusal:
        jobs.progress("none")
    assert refusal.value.code == "ResourceNotFound"
