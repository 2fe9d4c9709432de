"""Labeling jobs of any account, ours or Ground Truth's, as people ask for them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from groundwork.contract.labeling_client import account_labeling_client
from groundwork.job_progress import BatchState, JobProgress, job_progress, read_batch
from groundwork.results.files import S3Files
from groundwork.s3_client import S3Client, S3Error
from groundwork.s3_uri import S3Uri
from groundwork.service import ServiceRefusedError


class LabelingJobs:
    """Looks at jobs, and changes nothing.

    Parameters
    ----------
    api
        A boto3 SageMaker client.
    files
        S3, for what the service does not tell.
    """

    def __init__(self, api: Any, files: S3Client) -> None:
        self._api = api
        self._files = files

    @classmethod
    def of_account(cls, endpoint_url: str | None, region: str | None) -> "LabelingJobs":
        """Look at the jobs of the user's own account.

        Parameters
        ----------
        endpoint_url
            The open engine's address; None for Ground Truth.
        region
            None for the profile's.

        Raises
        ------
        ServiceRefusedError
            If there is no region, or the address is none.
        """
        return cls(account_labeling_client(endpoint_url, region), S3Client.from_environment())

    def progress(self, name: str) -> JobProgress:
        """Describe a job; ServiceRefusedError if there is none or the service refuses."""
        description = self._call("describe_labeling_job", LabelingJobName=name)
        return job_progress(description, self._batch(description), datetime.now(UTC))

    def newest(self, most: int) -> Iterator[JobProgress]:
        """Describe the newest jobs."""
        listed = self._call(
            "list_labeling_jobs", SortBy="CreationTime", SortOrder="Descending", MaxResults=most
        )
        for summary in listed["LabelingJobSummaryList"]:
            yield self.progress(summary["LabelingJobName"])

    def _batch(self, description: dict[str, Any]) -> BatchState | None:
        if description["LabelingJobStatus"] != "InProgress":
            return None
        folder = S3Uri.parse(description["OutputConfig"]["S3OutputPath"])
        output = S3Files(self._files, folder.child(description["LabelingJobName"]))
        workers = int(description["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"])
        try:
            return read_batch(output, workers)
        except S3Error:
            # Whoever may describe a job need not have the right to read its output.
            return None

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._api, operation)(**parameters)
        except ClientError as error:
            told = error.response["Error"]
            raise ServiceRefusedError(operation, told["Code"], told.get("Message", "")) from error
        except BotoCoreError as error:
            raise ServiceRefusedError(operation, type(error).__name__, str(error)) from error
        return answer
