"""The labeling job of an audit: like the audited job, on the sample, by people alone."""

from collections.abc import Mapping
from typing import Any

from groundwork.audits.sampling import AUDIT_ATTRIBUTE, AuditError
from groundwork.service import Service

# Of DescribeLabelingJob's answer, what CreateLabelingJob takes unchanged.
_SAME = ("RoleArn", "LabelCategoryConfigS3Uri", "HumanTaskConfig")
_NAME_CHARACTERS = 63
_ENDED = ("Completed", "Failed", "Stopped")


def audit_job_name(job: str, seed: int) -> str:
    """Return the name of the audit job; another seed's audit has another one."""
    end = f"-audit-{seed}"
    return job[: _NAME_CHARACTERS - len(end)].rstrip("-") + end


def check_has_ended(description: Mapping[str, Any]) -> None:
    """Raise AuditError for a job that runs: what it labels later would be in no sample."""
    status = str(description["LabelingJobStatus"])
    if status not in _ENDED:
        raise AuditError(
            f"The job {description['LabelingJobName']} is {status}: it may label more by machine, "
            "of which an audit started now would say nothing. Wait for its end, or take its labels "
            "so far with `groundwork audit draw`."
        )


def audit_job_request(
    description: Mapping[str, Any],
    *,
    name: str,
    manifest: str,
    workers_per_object: int | None = None,
) -> dict[str, Any]:
    """Return the CreateLabelingJob request of an audit.

    Parameters
    ----------
    description
        What DescribeLabelingJob answered of the audited job.
    workers_per_object
        None for as many as the audited job has.
    """
    request = {key: description[key] for key in _SAME if key in description}
    if workers_per_object is not None:
        request["HumanTaskConfig"] = {
            **request["HumanTaskConfig"],
            "NumberOfHumanWorkersPerDataObject": workers_per_object,
        }
    output = description["OutputConfig"]
    return {
        **request,
        "LabelingJobName": name,
        "LabelAttributeName": AUDIT_ATTRIBUTE,
        "InputConfig": {
            **{
                key: value
                for key, value in description["InputConfig"].items()
                if key == "DataAttributes"
            },
            "DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}},
        },
        "OutputConfig": {
            key: output[key] for key in ("S3OutputPath", "KmsKeyId") if output.get(key)
        },
    }


def start_audit_job(labeling: Service, request: Mapping[str, Any]) -> str:
    """Create the job and return its ARN; ServiceRefusedError says what the service did."""
    return str(labeling.call("create_labeling_job", **request)["LabelingJobArn"])
