"""An engine of the labeling API in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from groundwork.contract.engine import Engine
from groundwork.contract.registry import Workteam, WorkteamNotFoundError
from groundwork.jobs.errors import JobExistsError, JobNotFoundError
from groundwork.jobs.model import Job
from groundwork.s3_client import S3NotFoundError, S3UnusableError
from groundwork.s3_uri import S3Uri
from groundwork.table_client import Write
from tests.support.labeling_requests import TEAM_ARN
from tests.support.labeling_service import ACCOUNT, REGION

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FakeRegistry:
    """A registry with one work team and no tags."""

    def workteam(self, name: str) -> Workteam:
        team = Workteam("team-a", TEAM_ARN, "who labels", ("labelers",), "default", NOW, NOW)
        if name.lower() != team.name:
            raise WorkteamNotFoundError(name)
        return team

    def workteams(self) -> list[Workteam]:
        return [self.workteam("team-a")]

    def tags(self, arn: str) -> dict[str, str]:
        return {}

    def only_these(self, arn: str, tags: dict[str, str]) -> list[Write]:
        """Forget them."""
        return []


class FakeJobs:
    """Jobs by their names in lower case."""

    def __init__(self) -> None:
        self.kept: dict[str, Job] = {}

    def create(self, job: Job, beside: Sequence[Write] = ()) -> None:
        if job.name.lower() in self.kept:
            raise JobExistsError(job.name)
        self.kept[job.name.lower()] = job

    def get(self, name: str) -> Job:
        try:
            return self.kept[name.lower()]
        except KeyError:
            raise JobNotFoundError(name) from None

    def change(self, name: str, decide: Callable[[Job], Job]) -> Job:
        self.kept[name.lower()] = decide(self.get(name))
        return self.kept[name.lower()]


class FakeLoop:
    """Remembers what was started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, job_name: str) -> None:
        self.started.append(job_name)


class FakeFiles:
    """Objects in S3 by their URIs."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def size(self, uri: S3Uri) -> int:
        return len(self._object(uri))

    def get_small(self, uri: S3Uri, maximum_bytes: int) -> bytes:
        data = self._object(uri)
        if len(data) > maximum_bytes:
            told = f"{uri} has {len(data):,} bytes; at most {maximum_bytes:,} are read"
            raise S3UnusableError(told)
        return data

    def _object(self, uri: S3Uri) -> bytes:
        if str(uri) not in self._objects:
            raise S3NotFoundError(f"get_object {uri}: NoSuchKey: it does not exist")
        return self._objects[str(uri)]


def fake_engine(**parts: Any) -> Engine:
    """Return an engine of fakes, some of which are given."""
    defaults = {
        "region": REGION,
        "account": ACCOUNT,
        "portal_url": "http://portal.localhost:4566/",
        "registry": FakeRegistry(),
        "jobs": FakeJobs(),
        "loop": FakeLoop(),
        "may_pass": lambda caller_arn, role_arn: False,
        "files_for_role": lambda role_arn, session_name: FakeFiles({}),
        "clock": lambda: NOW,
        "new_reference_code": lambda: "reference-code",
    }
    return Engine(**cast("dict[str, Any]", {**defaults, **parts}))


def context(request_id: str = "request-1") -> Any:
    """Return what Lambda gives a handler beside the event."""
    return SimpleNamespace(
        aws_request_id=request_id,
        invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:labeling-api",
    )
