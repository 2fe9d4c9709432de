"""What the metadata of every label and of every failure says."""

from datetime import datetime
from typing import Any

from groundwork.jobs.model import Job

CUSTOM_TYPE = "groundtruth/custom"


def common_metadata(job: Job, moment: datetime) -> dict[str, Any]:
    """Return what says where a label comes from, and when it was made."""
    kind = job.task.metadata_type if job.task and job.task.metadata_type else CUSTOM_TYPE
    return {
        "type": kind,
        "job-name": f"labeling-job/{job.name}",
        # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html: without a zone.
        "creation-date": f"{moment:%Y-%m-%dT%H:%M:%S.%f}",
    }


def labeled_by(job: Job, moment: datetime, *, people: bool) -> dict[str, Any]:
    """Return the same for a label, with who made it."""
    return {"human-annotated": "yes" if people else "no", **common_metadata(job, moment)}
