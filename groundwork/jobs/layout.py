"""Where a labeling job writes what: the output tree of Ground Truth, and a few files of our own.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html. Every name follows from
the job, the iteration and what is being written, so that a step that runs again writes the same
files.
"""

from datetime import datetime, timedelta

from groundwork.jobs.model import Job
from groundwork.s3_uri import S3Uri


def annotations_uri(job: Job) -> S3Uri:
    """The folder of everything about annotations; own Lambdas get it as ``outputConfig``."""
    return job.output_prefix.child("annotations")


def batch_uri(job: Job, iteration: int) -> S3Uri:
    """The objects of a batch, one a line, with the input of their tasks."""
    return annotations_uri(job).child(f"intermediate/{iteration}/batch.jsonl")


def batch_manifest_uri(job: Job, iteration: int) -> S3Uri:
    """The manifest of a batch: the lines of ``batch_uri`` with their labels, in the same order."""
    return annotations_uri(job).child(f"intermediate/{iteration}/output.manifest")


def answer_uri(job: Job, iteration: int, object_id: int, worker_id: str, digest: str) -> S3Uri:
    """A worker's answer as it came in.

    Its name carries the content's digest, so that an answer which was accepted is never
    overwritten by another one that comes late.
    """
    name = f"{object_id}/{worker_id}.{digest[:16]}.json"
    return annotations_uri(job).child(f"intermediate/{iteration}/answers/{name}")


def worker_response_uri(job: Job, iteration: int, object_id: int, moment: datetime) -> S3Uri:
    """All answers for one object."""
    name = f"worker-response/iteration-{iteration}/{object_id}/{_file_time(moment)}.json"
    return annotations_uri(job).child(name)


def consolidation_uri(job: Job, iteration: int, kind: str, moment: datetime, part: int) -> S3Uri:
    """A consolidation's ``request`` or ``response``; the parts of a batch are a second apart."""
    name = f"{_file_time(moment + timedelta(seconds=part))}.json"
    folder = f"consolidated-annotation/consolidation-{kind}/iteration-{iteration}"
    return annotations_uri(job).child(f"{folder}/{name}")


def snapshot_uri(job: Job, iteration: int) -> S3Uri:
    """All lines as they are after an iteration, labeled or not.

    Before the first it is a copy of the input manifest, which its owner may change or remove.
    """
    return job.output_prefix.child(f"manifests/intermediate/{iteration}/output.manifest")


def _file_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d_%H:%M:%S}"
