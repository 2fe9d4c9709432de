"""What the operations of the open engine work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.s3_client import S3Client


@dataclass(frozen=True)
class Engine:
    """One engine: where it runs, what it remembers, and how it reaches the outside.

    Parameters
    ----------
    portal_url
        Where workers sign in, with or without a scheme.
    may_pass
        Tells whether a caller, by its ARN, may hand a role to the engine.
    files_for_role
        Gives S3 with a role's rights, from the role's ARN and a name for the session.
    clock
        The present, aware of its time zone.
    new_reference_code
        A new identifier of a labeling job.
    caller
        ARN of who signed the request; None where the function was invoked directly.
    """

    region: str
    account: str
    portal_url: str
    registry: RegistryStore
    jobs: JobStore
    loop: LoopClient
    may_pass: Callable[[str, str], bool]
    files_for_role: Callable[[str, str], S3Client]
    clock: Callable[[], datetime]
    new_reference_code: Callable[[], str]
    caller: str | None = None

    @property
    def sub_domain(self) -> str:
        """The portal's bare host, as ``Workforce.SubDomain`` has it."""
        return urlsplit(self.portal_url).netloc or self.portal_url.rstrip("/")
