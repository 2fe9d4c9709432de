"""Stand-ins for what the worker portal talks to: Cognito, the registry, its records, the work."""

import base64
import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from groundwork.contract.registry import Workforce, Workteam
from groundwork.jobs.errors import LeaseNotFoundError, NotInTeamError
from groundwork.jobs.model import JobStatus
from groundwork.jobs.work import LeasedTask, Worker, WorkerJob
from groundwork.portal.errors import SignInError
from groundwork.portal.sessions import Session
from groundwork.portal.sign_in import Identity, PendingSignIn, issuer_of

POOL = "us-east-1_TestPool1"
CLIENT = "client123"
PAGES = "https://workshop.auth.us-east-1.amazoncognito.com"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TEAM_ARN = "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/labelers"


class FakeClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class CountingTokens:
    """Tokens that differ and can be told apart: token-1, token-2, ..."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        return f"token-{next(self._numbers)}"


class FakeRecords:
    """Sessions and pending sign-ins in memory."""

    def __init__(self) -> None:
        self.pending: dict[str, PendingSignIn] = {}
        self.sessions: dict[str, Session] = {}
        self.reads = 0

    def add_pending(self, state_hash: str, pending: PendingSignIn) -> None:
        self.pending[state_hash] = pending

    def take_pending(self, state_hash: str) -> PendingSignIn | None:
        return self.pending.pop(state_hash, None)

    def add(self, session: Session) -> None:
        self.sessions[session.token_hash] = session

    def get(self, token_hash: str) -> Session | None:
        self.reads += 1
        return self.sessions.get(token_hash)

    def update_groups(self, session: Session) -> None:
        if session.token_hash in self.sessions:
            self.sessions[session.token_hash] = session

    def remove(self, token_hash: str) -> None:
        self.sessions.pop(token_hash, None)


@dataclass
class FakeRegistry:
    """A workforce with one team, the group ``labelers``."""

    present: bool = True
    reads: int = 0

    def workforces(self) -> list[Workforce]:
        self.reads += 1
        if not self.present:
            return []
        arn = "arn:aws:sagemaker:us-east-1:123456789012:workforce/default"
        return [Workforce("default", arn, POOL, CLIENT, START, START)]

    def workteams(self) -> list[Workteam]:
        team = Workteam("labelers", TEAM_ARN, "People", ("labelers",), "default", START, START)
        foreign = replace(team, name="foreign", arn=f"{TEAM_ARN}-2", workforce_name="another")
        return [team, foreign]


def jwt(claims: Mapping[str, Any], algorithm: object = "RS256") -> str:
    """Return a token with these claims that says to be signed."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": algorithm}, dict(claims))
    ]
    return ".".join([*parts, "signature"])


@dataclass
class FakeCognito:
    """A pool whose sign-in page hands out the code ``good-code``."""

    clock: FakeClock
    groups: set[str] = field(default_factory=lambda: {"labelers"})
    claims: dict[str, Any] = field(default_factory=dict)
    exchanged: list[dict[str, str]] = field(default_factory=list)
    asked_for_groups: list[str] = field(default_factory=list)

    def pages_url(self) -> str:
        return PAGES

    def exchange_code(self, code: str, *, callback_url: str, code_verifier: str) -> str:
        self.exchanged.append({"code": code, "callback": callback_url, "verifier": code_verifier})
        if code != "good-code":
            raise SignInError("Cognito did not accept the sign-in: invalid_grant.")
        return jwt(
            {
                "iss": issuer_of(POOL),
                "aud": CLIENT,
                "token_use": "id",
                "exp": (self.clock() + timedelta(hours=1)).timestamp(),
                "sub": "sub-1",
                "cognito:username": "ada",
                "email": "ada@example.com",
                **self.claims,
            }
        )

    def groups_of(self, identity: Identity) -> frozenset[str]:
        self.asked_for_groups.append(identity.username)
        return frozenset(self.groups)


class FakeWork:
    """Work with one job of one task, as the portal sees it."""

    def __init__(self, clock: Any, template_uri: str | None = "s3://bucket/template.html") -> None:
        self.clock = clock
        self.template_uri = template_uri
        self.image_uri = "s3://bucket/images/a.jpg"
        self.tasks_left = 1
        self.held: dict[str, str] = {}
        self.answers: list[tuple[str, str, dict[str, Any], float | None]] = []
        self.given_back: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.wishes: tuple[list[str], str | None] = ([], None)
        self.ahead = False
        self.replaced = False

    def jobs_for(self, worker: Worker) -> list[WorkerJob]:
        self._check()
        if TEAM_ARN not in worker.team_arns:
            return []
        return [
            WorkerJob(
                name="logos",
                title="Find logos",
                description="Draw boxes around logos",
                status=JobStatus.IN_PROGRESS,
                created_at=START,
                tasks_left=self.tasks_left,
                customer="123456789012",
                task_time_limit_seconds=300,
            )
        ]

    def take(
        self,
        worker: Worker,
        job_name: str,
        besides: Collection[str] = (),
        again: str | None = None,
    ) -> LeasedTask | None:
        self._check()
        self.wishes = (list(besides), again)
        if TEAM_ARN not in worker.team_arns:
            raise NotInTeamError(f"you are not in the work team of {job_name}")
        if self.tasks_left == 0:
            return None
        self.tasks_left -= 1
        lease = f"lease-{self.tasks_left}"
        self.held[lease] = worker.worker_id
        self.ahead = bool(besides)
        return self._leased(lease)

    def start(self, worker: Worker, lease_id: str) -> LeasedTask:
        self._hold(worker, lease_id)
        self.ahead = False
        return self._leased(lease_id)

    def leases(self, worker: Worker, job_name: str) -> list[LeasedTask]:
        self._check()
        return [
            self._leased(lease) for lease, owner in self.held.items() if owner == worker.worker_id
        ]

    def resume(self, worker: Worker, lease_id: str) -> LeasedTask:
        self._hold(worker, lease_id)
        return self._leased(lease_id)

    def submit(
        self,
        worker: Worker,
        lease_id: str,
        answer_content: Mapping[str, Any],
        time_spent_seconds: float | None = None,
        *,
        replaces: bool = False,
    ) -> None:
        self.replaced = replaces
        self._hold(worker, lease_id)
        del self.held[lease_id]
        self.answers.append((worker.worker_id, lease_id, dict(answer_content), time_spent_seconds))

    def release(self, worker: Worker, lease_id: str) -> None:
        self._hold(worker, lease_id)
        self.given_back.append(("release", lease_id))
        del self.held[lease_id]

    def decline(self, worker: Worker, lease_id: str) -> None:
        self._hold(worker, lease_id)
        self.given_back.append(("decline", lease_id))
        del self.held[lease_id]

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def _hold(self, worker: Worker, lease_id: str) -> None:
        self._check()
        if self.held.get(lease_id) != worker.worker_id:
            raise LeaseNotFoundError(f"you hold no task {lease_id}")

    def _leased(self, lease: str) -> LeasedTask:
        now = self.clock()
        return LeasedTask(
            lease_id=lease,
            job_name="logos",
            title="Find logos",
            description="Draw boxes around logos",
            object_id=0,
            task_input={"taskObject": self.image_uri, "labels": ["Apple"]},
            template_uri=self.template_uri,
            role_arn="arn:aws:iam::123456789012:role/job",
            accepted_at=now,
            expires_at=now + timedelta(seconds=300),
            time_limit_seconds=300,
            ahead=self.ahead,
        )
