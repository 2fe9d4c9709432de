"""A service throttles or fails, for one call, for an hour, or for good."""

import json
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

import pytest

from groundwork.contract.registry import Workteam
from groundwork.jobs.model import JobStatus
from groundwork.portal.directory import Directory
from groundwork.portal.http import Request, Response
from groundwork.portal.routes import Portal
from groundwork.portal.sessions import Session
from groundwork.portal.sign_in import Identity, hash_of, issuer_of
from groundwork.portal.task_content import TaskContents
from groundwork.s3_client import S3Client
from tests.support.fault_rows import Survived
from tests.support.faults import (
    BOXES,
    BOXES_AND_CLASSES,
    EACH,
    FAILING,
    MOSTLY,
    PEOPLE,
    Calls,
    FaultShop,
    Run,
    Scenario,
    assert_nothing_lost,
    own,
    seen_box,
    some,
)
from tests.support.job_fakes import BUCKET, TEAM, CrashError, refusal
from tests.support.portal_fakes import POOL, FakeRecords, FakeRegistry
from tests.support.state_machine import Call

TEMPLATE = "<crowd-form>{{ task.input.taskObject | grant_read_access }}</crowd-form>"
PORTAL = "https://portal.example"


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call of DynamoDB, S3 and Step Functions, reads as well, by steps and by workers, "
    "and every notice",
    outcome="the step runs again, the worker's page calls again; the job ends with the very same "
    "labels",
)
@EACH
def test_every_call_of_a_service_may_be_refused(scenario: Scenario, survived: Survived) -> None:
    reference = Run(scenario)
    calls = Calls(reference.shop)
    reference.go()
    names = own(scenario, calls.names)
    expected = reference.outcome()
    for name in some(names, 47):
        run = Run(scenario)
        refusing = Calls(run.shop)
        refusing.refuse = {name}.__contains__
        run.go()
        assert refusing.refused == [name]
        assert_nothing_lost(run)
        assert run.outcome() == expected, f"another outcome after {name} was refused"
        survived.at(1)


@pytest.mark.fault(
    what="S3 fails for an hour",
    where="each step in turn is refused its first object 15 times in a row",
    outcome="the state machine tries again for more than an hour; the job ends with the very same "
    "labels",
)
@BOXES_AND_CLASSES
def test_a_bad_hour_of_s3_is_slept_over(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go()
    for number in some(range(len(expected.shop.machine.calls)), 4):
        run = Run(scenario)
        refused = 0

        def refuse(call: Call, step: Any) -> Any:
            nonlocal refused
            if len(run.shop.machine.calls) > number and refused < 15:  # noqa: B023
                run.shop.s3.before = lambda operation, key: refuse_s3(operation)  # noqa: B023
                refused += 1
            try:
                return step()
            finally:
                run.shop.s3.before = lambda operation, key: None  # noqa: B023

        run.shop.machine.around = refuse
        run.go()
        assert_nothing_lost(run)
        assert run.outcome() == expected.outcome()
        survived.at(refused)


def refuse_s3(operation: str) -> None:
    raise refusal("ServiceUnavailable", operation)


@pytest.mark.fault(
    what="S3 fails for good",
    where="from each step of the job on",
    outcome="the job is Failed and says why; the answers stay where they were stored as they came "
    "in",
)
@BOXES_AND_CLASSES
def test_a_job_without_s3_fails_and_says_why(scenario: Scenario, survived: Survived) -> None:
    steps = len(Run(scenario).go().shop.machine.calls)
    for number in some(range(steps), 4):
        run = Run(scenario)
        shop = run.shop

        def close(call: Call, step: Any) -> Any:
            if len(shop.machine.calls) > number:  # noqa: B023
                shop.s3.before = lambda operation, key: refuse_s3(operation)  # noqa: B023
            return step()

        shop.machine.around = close
        shop.loop.run()
        crew = run.crew
        for _ in range(20):
            if shop.job().status.is_final:
                break
            if number_of(shop) <= number:
                crew.submit(0, crew.take(0))
                crew.submit(1, crew.take(1))
            # Nobody can answer, so that the tasks' time runs out.
            shop.clock.advance(shop.job().availability_lifetime_seconds)
            shop.machine.time_out()
        job = shop.job()
        # What can do without S3 may end the job.
        assert job.status.is_final
        assert job.status is not JobStatus.FAILED or any(
            why in str(job.failure_reason) for why in ("ServiceUnavailable", "expired")
        )
        assert shop.machine.failed == []
        assert shop.machine.sleeping == []
        kept = [json.loads(shop.s3.objects[BUCKET, key]) for key in shop.s3.keys("/answers/")]
        assert all(content in kept for content in crew.accepted.values())
        survived.at(1)


def number_of(shop: FaultShop) -> int:
    return len(shop.machine.calls)


@pytest.mark.fault(
    what="a step that dies each time it runs",
    where="each step in turn, failing the job included",
    outcome="the job is Failed and says why; the earlier batches' labels are published",
)
@pytest.mark.parametrize(
    "scenario",
    # Which has a reason of its own.
    [scenario for scenario in MOSTLY if scenario is not FAILING],
    ids=lambda scenario: scenario.name,
)
def test_a_step_that_always_dies_fails_the_job(scenario: Scenario, survived: Survived) -> None:
    steps = {call.step for call in Run(scenario).go().shop.machine.calls}
    for step_name in sorted(steps):
        for fails_in_order in (True, False):
            run = Run(scenario)
            dying = {step_name} if fails_in_order else {step_name, "fail"}

            def die(call: Call, step: Any, dying: set[str] = dying) -> Any:
                if call.step in dying:
                    raise CrashError
                return step()

            run.shop.machine.around = die
            run.shop.loop.run()
            if not run.shop.job().status.is_final:
                run.crew.label()
            job = run.shop.job()
            assert job.status is JobStatus.FAILED
            assert "the function is gone" in str(job.failure_reason)
            assert run.shop.machine.failed == []
            assert run.shop.machine.sleeping == []
            survived.at(1)


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call of the step that fails a job and saves the labels of its last batch",
    outcome="the step runs again until they are saved",
)
def test_a_failing_jobs_last_labels_are_saved_even_so(survived: Survived) -> None:
    def run_refusing(name: str | None) -> tuple[Run, list[str]]:
        run = Run(BOXES)
        calls = Calls(run.shop)
        while_saving: list[str] = []

        def around(call: Call, step: Any) -> Any:
            if call.step == "consolidate":
                raise CrashError
            begun = len(calls.names)
            try:
                return step()
            finally:
                if call.step == "fail":
                    while_saving.extend(calls.names[begun:])

        run.shop.machine.around = around
        calls.refuse = lambda called: called == name
        run.go()
        assert_nothing_lost(run)
        assert run.shop.job().status is JobStatus.FAILED
        assert run.shop.job().counters.human_labeled == len(run.crew.accepted) > 0
        return run, while_saving

    _, names = run_refusing(None)
    for name in some(names, 5):
        run, _ = run_refusing(name)
        assert run.shop.machine.retries.count("Fail") == 1, name
        survived.at(1)


# --- what a worker's browser is told -------------------------------------------------------------


class _Registry(FakeRegistry):
    """A workforce whose team is the job's."""

    def workteams(self) -> list[Workteam]:
        return [replace(team, arn=TEAM) for team in super().workteams()[:1]]


class PortalOf:
    """The portal in front of a workshop, with its first worker signed in."""

    def __init__(self, shop: FaultShop) -> None:
        self.shop = shop
        shop.s3.add(f"s3://{BUCKET}/template.liquid", TEMPLATE.encode())
        records = FakeRecords()
        identity = Identity(PEOPLE[0].sub, issuer_of(POOL), "ann", "ann@example.com")
        now = shop.clock.now
        records.add(
            Session(
                hash_of("token"),
                identity,
                frozenset({"labelers"}),
                now + timedelta(days=1),
                now + timedelta(days=7),
            )
        )
        self.portal = Portal(
            portal_url=PORTAL,
            directory=Directory(_Registry(), shop.clock),
            records=records,
            cognito_for=lambda pool, client: cast(Any, None),
            work=shop.process(),
            contents=TaskContents(lambda task: S3Client(shop.s3), shop.clock),
            files=cast(Any, None),
            clock=shop.clock,
        )

    def call(self, method: str, path: str, body: Any = None) -> Response:
        return self.portal.handle(
            Request(
                method=method,
                path=path,
                headers={
                    "content-type": "application/json",
                    "origin": PORTAL,
                    "x-groundwork-request": "1",
                },
                cookies={"__Host-groundwork-session": "token"},
                body=b"" if body is None else json.dumps(body).encode(),
            )
        )


def worker_calls(lease: str) -> dict[str, tuple[str, str, Any]]:
    """What a page sends, by its name."""
    answer = {"answerContent": seen_box(1), "timeSpentInSeconds": 3}
    return {
        "list jobs": ("GET", "/api/jobs", None),
        "take": ("POST", "/api/jobs/job/tasks", {}),
        "list tasks": ("GET", "/api/jobs/job/tasks", None),
        "resume": ("GET", f"/api/tasks/{lease}", None),
        "start": ("POST", f"/api/tasks/{lease}/start", {}),
        "answer": ("POST", f"/api/tasks/{lease}/answer", answer),
        "release": ("POST", f"/api/tasks/{lease}/release", {}),
        "decline": ("POST", f"/api/tasks/{lease}/decline", {}),
    }


def portal_with_a_task() -> tuple[PortalOf, str]:
    """A portal whose worker holds a task."""
    shop = FaultShop()
    shop.start(shop.add_images(1), batch=1)
    portal = PortalOf(shop)
    taken = portal.call("POST", "/api/jobs/job/tasks", {})
    assert taken.status == HTTPStatus.OK, taken.body
    lease: str = json.loads(taken.body)["lease"]
    # Another process, that remembers nothing.
    return PortalOf(shop), lease


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call of DynamoDB, S3 and Step Functions that the portal makes for a worker's call",
    outcome="503 with Retry-After; the same call again does it, and an answer is in once",
)
@pytest.mark.parametrize("name", list(worker_calls("")))
def test_a_worker_is_told_to_try_again_and_then_it_is_done(name: str, survived: Survived) -> None:
    portal, lease = portal_with_a_task()
    seen = Calls(portal.shop)
    first = portal.call(*worker_calls(lease)[name])
    assert first.status < HTTPStatus.MULTIPLE_CHOICES, first.body
    for refused in seen.names:
        portal, lease = portal_with_a_task()
        calls = Calls(portal.shop)
        calls.refuse = {refused}.__contains__
        told = portal.call(*worker_calls(lease)[name])
        assert calls.refused == [refused]
        assert told.status == HTTPStatus.SERVICE_UNAVAILABLE, (refused, told.body)
        assert told.headers["retry-after"]
        again = portal.call(*worker_calls(lease)[name])
        done = {first.status}
        if name in ("release", "decline"):
            # It was done before something else failed, and the task is the worker's no longer.
            done |= {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
        assert again.status in done, (refused, again.body)
        if name == "answer":
            portal.shop.loop.run()
            assert portal.shop.job().status is JobStatus.COMPLETED
            assert portal.shop.job().counters.human_labeled == 1
        survived.at(1)
