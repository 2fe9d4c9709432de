"""Workers sign in on Cognito's own pages and label through the worker API."""

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from itertools import count
from typing import Any

import httpx
import pytest

from groundwork.portal.worker_client import (
    Resolved,
    WorkerApiError,
    WorkerClient,
    WorkerSignInError,
)
from tests.contract.worker_api_support import GROUP, PortalService, portal_service
from tests.support.labeling_service import BUCKET, LabelingService

FIRST = "Temporary-passw0rd"
SECOND = "Chosen-passw0rd-2"

_numbers = count(1)


@pytest.fixture(scope="module")
def portal(
    running_service: LabelingService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalService]:
    with portal_service(running_service, tmp_path_factory.mktemp("portal")) as service:
        yield service


@pytest.fixture
def email(portal: PortalService) -> str:
    """A worker who was just invited into the team."""
    address = f"worker-{next(_numbers)}@example.com"
    portal.invite(address, FIRST, GROUP)
    return address


@pytest.fixture
def worker(portal: PortalService, email: str) -> Iterator[WorkerClient]:
    with WorkerClient.sign_in(portal.url, email, FIRST, SECOND) as client:
        yield client


@pytest.fixture
def job(portal: PortalService) -> str:
    """An open job of two images, each wanted from two workers."""
    name = f"logos-{next(_numbers)}"
    portal.start_job(name)
    return name


def box(label: str = "cat") -> dict[str, Any]:
    boxes = [{"label": label, "left": 1, "top": 2, "width": 10, "height": 12}]
    size = {"width": 40, "height": 30}
    return {"boundingBox": {"boundingBoxes": boxes, "inputImageProperties": size}}


class Attributes(HTMLParser):
    """The attributes of a task page's tool, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tool: dict[str, str | None] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "crowd-bounding-box":
            self.tool = dict(attrs)


def test_a_worker_signs_in_with_the_temporary_password_and_chooses_another(
    portal: PortalService, email: str
) -> None:
    with WorkerClient.sign_in(portal.url, email, FIRST, SECOND) as client:
        me = client.me()
    assert me["email"] == email
    assert me["workerId"].startswith("private.us-east-1.")
    assert [team["name"] for team in me["teams"]] == ["team-a"]
    with WorkerClient.sign_in(portal.url, email, SECOND) as again:
        assert again.me()["workerId"] == me["workerId"]


@pytest.mark.parametrize(
    ("password", "new_password", "reason"),
    [
        ("wrong", SECOND, "Incorrect username or password"),
        (FIRST, "short", "Password did not conform with policy"),
        (FIRST, None, "a new password is asked for"),
    ],
)
def test_what_the_sign_in_pages_refuse_is_told(
    portal: PortalService, email: str, password: str, new_password: str | None, reason: str
) -> None:
    with pytest.raises(WorkerSignInError, match=reason):
        WorkerClient.sign_in(portal.url, email, password, new_password)


def test_a_job_is_labeled_through_the_api(
    portal: PortalService, worker: WorkerClient, job: str
) -> None:
    [listed] = [entry for entry in worker.jobs() if entry["name"] == job]
    assert (listed["title"], listed["status"], listed["tasksLeft"]) == (
        "Draw boxes",
        "InProgress",
        2,
    )

    task = worker.take(job)
    assert task is not None
    assert task["contentProblems"] == []
    tool = Attributes(task["content"]).tool
    assert tool["name"] == "boundingBox"
    assert json.loads(tool["labels"] or "") == ["cat", "dog"]
    with urllib.request.urlopen(tool["src"] or "") as image:
        stored = portal.cloud.emulator("s3").get_object(
            Bucket=BUCKET, Key=task["taskInput"]["taskObject"].removeprefix(f"s3://{BUCKET}/")
        )
        assert image.read() == stored["Body"].read()

    assert [held["lease"] for held in worker.leases(job)] == [task["lease"]]
    assert worker.resume(task["lease"])["taskInput"] == task["taskInput"]
    worker.answer(task["lease"], box(), 3.5)
    worker.answer(task["lease"], box(), 3.5)

    other = worker.take(job)
    assert other is not None
    assert other["taskInput"] != task["taskInput"]
    worker.answer(other["lease"], box("dog"), 1)
    assert worker.take(job) is None
    assert worker.leases(job) == []


def test_another_answer_under_the_same_lease_is_refused(worker: WorkerClient, job: str) -> None:
    task = worker.take(job)
    assert task is not None
    worker.answer(task["lease"], box())
    with pytest.raises(WorkerApiError) as raised:
        worker.answer(task["lease"], box("dog"))
    assert (raised.value.status, raised.value.code) == (409, "AlreadyAnswered")


def test_a_declined_task_goes_to_others_only(worker: WorkerClient, job: str) -> None:
    first = worker.take(job)
    assert first is not None
    worker.decline(first["lease"])
    second = worker.take(job)
    assert second is not None
    assert second["taskInput"] != first["taskInput"]
    worker.decline(second["lease"])
    assert worker.take(job) is None


def test_a_released_task_can_be_taken_again(worker: WorkerClient, job: str) -> None:
    task = worker.take(job)
    assert task is not None
    worker.release(task["lease"])
    assert worker.leases(job) == []
    with pytest.raises(WorkerApiError) as raised:
        worker.answer(task["lease"], box())
    assert (raised.value.status, raised.value.code) == (404, "LeaseNotFound")
    assert worker.take(job) is not None


def test_a_worker_cannot_touch_anothers_task(
    portal: PortalService, worker: WorkerClient, job: str
) -> None:
    task = worker.take(job)
    assert task is not None
    portal.invite("other@example.com", FIRST, GROUP)
    with WorkerClient.sign_in(portal.url, "other@example.com", FIRST, SECOND) as other:
        for attempt in (
            lambda: other.resume(task["lease"]),
            lambda: other.answer(task["lease"], box()),
            lambda: other.release(task["lease"]),
            lambda: other.decline(task["lease"]),
        ):
            with pytest.raises(WorkerApiError) as raised:
                attempt()
            assert (raised.value.status, raised.value.code) == (404, "LeaseNotFound")
        assert other.leases(job) == []
    assert [held["lease"] for held in worker.leases(job)] == [task["lease"]]


def test_a_lease_that_ran_out_is_gone(portal: PortalService, worker: WorkerClient) -> None:
    name = f"logos-{next(_numbers)}"
    portal.start_job(name, TaskTimeLimitInSeconds=1)
    task = worker.take(name)
    assert task is not None
    with pytest.raises(WorkerApiError) as raised:
        while True:
            worker.resume(task["lease"])
    assert (raised.value.status, raised.value.code) == (410, "LeaseExpired")


def test_people_outside_the_team_get_no_work(portal: PortalService, job: str) -> None:
    portal.invite("guest@example.com", FIRST)
    with WorkerClient.sign_in(portal.url, "guest@example.com", FIRST, SECOND) as guest:
        assert guest.me()["teams"] == []
        assert guest.jobs() == []
        with pytest.raises(WorkerApiError) as raised:
            guest.take(job)
    assert (raised.value.status, raised.value.code) == (403, "NotInTeam")


def test_an_unknown_job_is_not_found(worker: WorkerClient) -> None:
    with pytest.raises(WorkerApiError) as raised:
        worker.take("nothing-here")
    assert (raised.value.status, raised.value.code) == (404, "JobNotFound")


def test_signing_out_ends_the_session(portal: PortalService, worker: WorkerClient) -> None:
    worker.sign_out()
    with pytest.raises(WorkerApiError) as raised:
        worker.me()
    assert (raised.value.status, raised.value.code) == (401, "SignedOut")


def test_nothing_of_a_session_that_could_be_used_is_stored(
    portal: PortalService, email: str
) -> None:
    with WorkerClient.sign_in(portal.url, email, FIRST, SECOND) as client:
        token = client._http.cookies["groundwork-session"]
        items = portal.cloud.table().scan()["Items"]
    sessions = [item for item in items if item["SK"] == "SESSION"]
    assert email in {item["email"] for item in sessions}
    assert token not in repr(items)
    assert not any("token" in name for item in sessions for name in item)
    assert all(item["expires_at"] > 0 for item in sessions)


def test_a_code_that_was_stolen_is_of_no_use_in_another_browser(
    portal: PortalService, email: str
) -> None:
    stolen: list[str] = []

    def watch(response: httpx.Response) -> None:
        location = response.headers.get("location", "")
        if "/oauth2/idpresponse?" in location:
            stolen.append(location)
            raise ConnectionAbortedError("the code never reaches the portal")

    client = WorkerClient(
        portal.url, httpx.Client(event_hooks={"response": [watch]}, follow_redirects=True)
    )
    with client, pytest.raises(ConnectionAbortedError):
        client._pass_pages(email, FIRST, SECOND)
    response = httpx.get(stolen[0])
    assert response.status_code == 400
    assert "another browser" in response.text
    assert "set-cookie" not in response.headers


def test_a_host_that_python_does_not_resolve_is_reached_with_its_cookies(
    portal: PortalService,
) -> None:
    address = portal.url.removeprefix("http://")
    with httpx.Client(transport=Resolved(address)) as http:
        first = http.get("http://portal.localhost:4566/sign-in")
        second = http.get("http://portal.localhost:4566/sign-in")
    cookies = [response.headers["set-cookie"].partition(";")[0] for response in (first, second)]
    assert cookies[0].startswith("groundwork-browser=")
    assert cookies[0] == cookies[1]


def test_workers_at_the_same_time_never_get_a_task_twice(portal: PortalService, job: str) -> None:
    addresses = [f"crowd-{number}@example.com" for number in range(4)]
    for address in addresses:
        portal.invite(address, FIRST, GROUP)

    def label(address: str) -> list[str]:
        with WorkerClient.sign_in(portal.url, address, FIRST, SECOND) as client:
            done = []
            while (task := client.take(job)) is not None:
                client.answer(task["lease"], box(), 1)
                done.append(task["taskInput"]["taskObject"])
            return done

    with ThreadPoolExecutor(len(addresses)) as pool:
        labeled = list(pool.map(label, addresses))
    assert all(len(done) == len(set(done)) for done in labeled)
    # Two images, each wanted from two workers.
    assert sorted(image for done in labeled for image in done) == sorted(
        [f"s3://{BUCKET}/images/0.png", f"s3://{BUCKET}/images/1.png"] * 2
    )
