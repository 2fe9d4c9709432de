"""Jobs, batches, tasks and leases in DynamoDB."""

from __future__ import annotations

from datetime import datetime

from groundwork.jobs.model import Job
from groundwork.table_client import Table


class JobStore:
    """Keeps jobs and the tasks of their current batch.

    Parameters
    ----------
    table
        The engine's table (``groundwork.table_client.Table``), or a stand-in.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def from_environment(cls) -> JobStore:
        """Use the table that the function was deployed with."""
        return cls(Table.from_environment())

    def create(self, job: Job) -> None:
        """Keep a new job; raises JobExistsError when the name is taken, in whatever case."""
        raise NotImplementedError

    def get(self, name: str) -> Job:
        """Return a job by its name, in whatever case; raises JobNotFoundError."""
        raise NotImplementedError

    def list(self) -> list[Job]:
        """Return every job."""
        raise NotImplementedError

    def list_open(self, workteam_arn: str) -> list[Job]:
        """Return a team's jobs that have not ended."""
        raise NotImplementedError

    def request_stop(self, name: str, now: datetime) -> Job:
        """Ask a job to stop; asking again, or when it has ended, changes nothing.

        Use ``groundwork.jobs.lifecycle.stop_job``, which also wakes the loop.
        """
        raise NotImplementedError
