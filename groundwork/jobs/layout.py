"""Where a labeling job writes what: the output tree of Ground Truth, and a few files of our own.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html. Every name follows from
the job, the iteration and what is being written, so that a step that runs again writes the same
files.
"""

from datetime import datetime, timedelta
from typing import Protocol

from groundwork.s3_uri import S3Uri


class Output(Protocol):
    """What has a place for its files: a job, or what is known of one that left them."""

    @property
    def output_prefix(self) -> S3Uri:
        """The folder of everything that the job writes."""

    @property
    def kms_key_id(self) -> str | None:
        """The customer's key for it, or None."""


def annotations_uri(job: Output) -> S3Uri:
    """The folder of everything about annotations; own Lambdas get it as ``outputConfig``."""
    return job.output_prefix.child("annotations")


def batch_uri(job: Output, iteration: int) -> S3Uri:
    """The objects of a batch, one a line, with the input of their tasks."""
    return annotations_uri(job).child(f"intermediate/{iteration}/batch.jsonl")


def batch_manifest_uri(job: Output, iteration: int) -> S3Uri:
    """The manifest of a batch: the lines of ``batch_uri`` with their labels, in the same order."""
    return annotations_uri(job).child(f"intermediate/{iteration}/output.manifest")


def answer_uri(job: Output, iteration: int, object_id: int, worker_id: str, digest: str) -> S3Uri:
    """A worker's answer as it came in.

    Its name carries the content's digest, so that an answer which was accepted is never
    overwritten by another one that comes late.
    """
    name = f"{object_id}/{worker_id}.{digest[:16]}.json"
    return annotations_uri(job).child(f"intermediate/{iteration}/answers/{name}")


def worker_response_uri(job: Output, iteration: int, object_id: int, moment: datetime) -> S3Uri:
    """All answers for one object."""
    name = f"worker-response/iteration-{iteration}/{object_id}/{_file_time(moment)}.json"
    return annotations_uri(job).child(name)


def consolidation_uri(job: Output, iteration: int, kind: str, moment: datetime, part: int) -> S3Uri:
    """A consolidation's ``request`` or ``response``; the parts of a batch are a second apart."""
    name = f"{_file_time(moment + timedelta(seconds=part))}.json"
    folder = f"consolidated-annotation/consolidation-{kind}/iteration-{iteration}"
    return annotations_uri(job).child(f"{folder}/{name}")


def snapshot_uri(job: Output, iteration: int) -> S3Uri:
    """All lines as they are after an iteration, labeled or not.

    Before the first it is a copy of the input manifest, which its owner may change or remove.
    """
    return job.output_prefix.child(f"manifests/intermediate/{iteration}/output.manifest")


def line_starts_uri(job: Output) -> S3Uri:
    """Where each line of the manifest begins, and at the end where the last one ends.

    Little-endian 64-bit numbers, so that a range of bytes tells of any object.
    """
    return job.output_prefix.child("inference/lines.bin")


def shards_uri(job: Output) -> S3Uri:
    """How many objects there are, and how many are worked on together."""
    return job.output_prefix.child("inference/shards.json")


def features_uri(job: Output, shard: int) -> S3Uri:
    """Features of a shard's objects: a record of one length for each, in the manifest's order."""
    return job.output_prefix.child(f"inference/features/{shard}.bin")


def pictures_uri(job: Output, shard: int) -> S3Uri:
    """What was found out about a shard's images, and why some have no features."""
    return job.output_prefix.child(f"inference/features/{shard}.json")


def training_uri(job: Output, iteration: int) -> S3Uri:
    """The folder of an iteration's model; that of another job may be one's first model."""
    return job.output_prefix.child(f"training/{iteration}")


def forecasts_uri(job: Output, iteration: int, shard: int) -> S3Uri:
    """Which objects of a shard got a label from an iteration's model, and how good it should be."""
    return job.output_prefix.child(f"inference/{iteration}/{shard}.npz")


def machine_labels_uri(job: Output, iteration: int, shard: int) -> S3Uri:
    """The labels themselves, in the order of ``forecasts_uri``: ``<object id> <json>`` lines."""
    return job.output_prefix.child(f"inference/{iteration}/{shard}.jsonl")


def plan_uri(job: Output, iteration: int) -> S3Uri:
    """Which objects people are asked about next, and why."""
    return _round(job, iteration, "plan.json")


def proposal_uri(job: Output, iteration: int) -> S3Uri:
    """The labels that wait for people's word on a sample of them."""
    return _round(job, iteration, "proposal.npz")


def verdict_uri(job: Output, iteration: int) -> S3Uri:
    """What became of the proposal that was made an iteration before."""
    return _round(job, iteration, "verdict.json")


def accepted_labels_uri(job: Output, iteration: int) -> S3Uri:
    """The accepted labels: ``<object id> <its line of the output manifest>`` lines.

    Ground Truth, too, has a folder between the iteration and the file; AWS's notebooks count on it:
    https://github.com/aws/amazon-sagemaker-examples, object_detection_tutorial.ipynb.
    """
    return _round(job, iteration, "auto_annotator/auto_annotator_output.txt")


def object_states_uri(job: Output, iteration: int) -> S3Uri:
    """A byte for each object: whether it has a label after an iteration, and from whom."""
    return _round(job, iteration, "objects.npy")


def round_uri(job: Output, iteration: int) -> S3Uri:
    """The record of an iteration, for people."""
    return _round(job, iteration, "round.json")


def summary_uri(job: Output) -> S3Uri:
    """The record of the job so far."""
    return job.output_prefix.child("activelearning/summary.json")


def _round(job: Output, iteration: int, name: str) -> S3Uri:
    return job.output_prefix.child(f"activelearning/{iteration}/{name}")


def _file_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d_%H:%M:%S}"
