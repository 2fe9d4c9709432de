"""Tasks, images and answers are for the worker who holds them: asked for by others, by known id."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from groundwork.contract.registry import Workforce, Workteam
from groundwork.portal.http import Response
from groundwork.portal.sessions import GROUPS_VALID_FOR
from groundwork.portal.sign_in import Identity
from tests.support.job_fakes import BUCKET, TEAM, Workshop, boxes_answer
from tests.support.portal_browser import Browser, content, error_of
from tests.support.portal_fakes import CLIENT, POOL, START, FakeClock, FakeCognito

ANSWER = {"answerContent": boxes_answer()}
MEMBERS = {"ann": {"labelers"}, "ben": {"labelers"}, "eve": {"others"}, "zoe": set[str]()}
# The routes by which something of a job or a task can be asked for.
ROUTES = [
    (route.method, route.path)
    for route in Browser().portal._routes
    if "{job}" in route.path or "{lease}" in route.path
]
OF_LEASES = [(method, path) for method, path in ROUTES if "{lease}" in path]


class TwoTeams:
    """A workforce with the job's team, and another one."""

    def workforces(self) -> list[Workforce]:
        arn = "arn:aws:sagemaker:us-east-1:111122223333:workforce/default"
        return [Workforce("default", arn, POOL, CLIENT, START, START)]

    def workteams(self) -> list[Workteam]:
        team = Workteam("labelers", TEAM, "People", ("labelers",), "default", START, START)
        return [team, replace(team, name="others", arn=f"{TEAM}-2", groups=("others",))]


class Members(FakeCognito):
    """A pool whose users differ in their groups."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.members = {name: set(groups) for name, groups in MEMBERS.items()}

    def groups_of(self, identity: Identity) -> frozenset[str]:
        return frozenset(self.members.get(identity.username, ()))


class Portal:
    """A portal in front of the real work, with a job for one of two teams."""

    def __init__(self) -> None:
        self.shop = Workshop()
        self.shop.start(self.shop.add_images(2), name="job")
        clock = cast(FakeClock, self.shop.clock)
        self.first = Browser(work=self.shop.work, registry=TwoTeams(), clock=clock)
        self.members = Members(clock)
        self.first.cognito = self.members
        self.first.portal._cognito_for = lambda pool, client: self.members

    def sign_in(self, name: str) -> Browser:
        """Return the browser of a user."""
        browser = self.first.another()
        self.members.claims |= {"sub": f"sub-{name}", "cognito:username": name, "email": name}
        browser.sign_in()
        return browser

    def leased(self, browser: Browser) -> str:
        """Take a task and return its lease."""
        return str(content(browser.change("/api/jobs/job/tasks"))["lease"])

    def state(self) -> Any:
        """Return everything that is stored of the job."""
        return json.dumps([sorted(map(repr, self.shop.table.items.items())), self.answers()])

    def answers(self) -> list[str]:
        """Return where answers are stored."""
        return self.shop.s3.keys("/answers/")


@pytest.fixture
def portal() -> Portal:
    return Portal()


def ask(browser: Browser, method: str, path: str, lease: str) -> Response:
    """Send a call as the portal's own pages do, for a job and a lease that exist."""
    target = path.replace("{job}", "job").replace("{lease}", lease)
    return browser.get(target) if method == "GET" else browser.change(target, ANSWER)


def nobody(portal: Portal) -> Browser:
    return portal.first.another()


def of_another_team(portal: Portal) -> Browser:
    return portal.sign_in("eve")


def of_no_team(portal: Portal) -> Browser:
    return portal.sign_in("zoe")


def removed(portal: Portal) -> Browser:
    """Return a worker who was taken out of the team a while ago, and is still signed in."""
    browser = portal.sign_in("ben")
    assert content(browser.get("/api/jobs"))["jobs"]
    portal.members.members["ben"].clear()
    portal.shop.clock.advance(GROUPS_VALID_FOR.total_seconds())
    return browser


def deleted(portal: Portal) -> Browser:
    """Return a worker whose user was deleted a while ago."""
    browser = portal.sign_in("ben")
    del portal.members.members["ben"]
    portal.shop.clock.advance(GROUPS_VALID_FOR.total_seconds())
    return browser


@pytest.mark.parametrize("stranger", [nobody, of_another_team, of_no_team, removed, deleted])
def test_strangers_get_nothing_of_a_job(
    portal: Portal, stranger: Callable[[Portal], Browser]
) -> None:
    eve = stranger(portal)
    lease = portal.leased(portal.sign_in("ann"))
    before = portal.state()
    for method, path in ROUTES:
        response = ask(eve, method, path, lease)
        # The page is everybody's; what is on it comes by the other routes.
        assert response.status in ({200, 303} if path == "/jobs/{job}" else {401, 403}), path
        _nothing_told(response)
        assert portal.state() == before


def test_a_colleagues_task_is_not_shown_and_not_touched(portal: Portal) -> None:
    lease = portal.leased(portal.sign_in("ann"))
    ben = portal.sign_in("ben")
    before = portal.state()
    for method, path in OF_LEASES:
        response = ask(ben, method, path, lease)
        assert response.status == 404, path
        _nothing_told(response)
        assert portal.state() == before


def test_guessed_leases_lead_nowhere(portal: Portal) -> None:
    ann, ben = portal.sign_in("ann"), portal.sign_in("ben")
    job, iteration, task, nonce = portal.leased(ann).split(".")
    guesses = [
        f"{job}.{iteration}.{task}.",
        f"{job}.{iteration}.{task}.{'0' * 24}",
        f"{job}.{iteration}.{task}.{nonce.upper()}x",
        f"{job}.{iteration}.{1 - int(task)}.{nonce}",
        f"{job}.0.{task}.{nonce}",
        f"another.{iteration}.{task}.{nonce}",
        f"{job}.-1.{task}.{nonce}",
        f"{job}.{iteration}.{task}",
        f"{job}%2e{iteration}.{task}.{nonce}",
        "..",
    ]
    before = portal.state()
    for browser in (ann, ben):
        for method, path in OF_LEASES:
            for guess in guesses:
                response = ask(browser, method, path, guess)
                assert response.status == 404, (path, guess)
                _nothing_told(response)
    assert portal.state() == before


def test_an_answer_is_shown_to_nobody_again_but_its_worker(portal: Portal) -> None:
    ann, ben, eve = (portal.sign_in(name) for name in ("ann", "ben", "eve"))
    lease = portal.leased(ann)
    assert ann.change(f"/api/tasks/{lease}/answer", ANSWER).status == 204
    assert len(portal.answers()) == 1
    for browser, statuses in ((ben, {404, 409}), (eve, {403})):
        for method, path in OF_LEASES:
            response = ask(browser, method, path, lease)
            assert response.status in statuses, path
            _nothing_told(response)
    assert ann.get(f"/api/tasks/{lease}").status == 200


def test_a_removed_worker_has_the_old_rights_for_five_minutes_at_most(portal: Portal) -> None:
    ben = portal.sign_in("ben")
    lease = portal.leased(ben)
    portal.members.members["ben"].clear()
    portal.shop.clock.advance(GROUPS_VALID_FOR.total_seconds() - 1)
    assert ben.get(f"/api/tasks/{lease}").status == 200
    portal.shop.clock.advance(1)
    assert error_of(ben.get(f"/api/tasks/{lease}")) == (403, "NotInTeam")
    assert error_of(ben.change(f"/api/tasks/{lease}/answer", ANSWER)) == (403, "NotInTeam")
    assert ben.get(f"/tasks/{lease}/frame").status == 403
    assert portal.answers() == []


@pytest.mark.parametrize("ahead", [False, True])
def test_a_tasks_addresses_end_with_its_lease(portal: Portal, ahead: bool) -> None:
    ann = portal.sign_in("ann")
    template = b"<img src='{{ task.input.taskObject | grant_read_access }}'>"
    portal.first.portal._api._contents._files_of = lambda _: portal.shop.files
    portal.shop.s3.add(f"s3://{BUCKET}/template.liquid", template)
    task = content(ann.change("/api/jobs/job/tasks"))
    if ahead:
        task = content(ann.change("/api/jobs/job/tasks", {"besides": [task["lease"]]}))
    portal.shop.clock.advance(100)
    shown = content(ann.get(f"/api/tasks/{task['lease']}"))
    [address] = re.findall(r"src='([^']+)'", shown["content"])
    place, _, seconds = address.partition("?expires=")
    assert (
        place
        == f"https://{BUCKET}.example/{shown['taskInput']['taskObject'][len('s3://images/') :]}"
    )
    left = datetime.fromisoformat(shown["expiresAt"]) - portal.shop.clock()
    # One that waits ahead has the whole time again from when it is seen.
    assert 0 < int(seconds) <= left.total_seconds() + (300 if ahead else 0)
    portal.shop.clock.advance(300)
    assert error_of(ann.get(f"/api/tasks/{task['lease']}")) == (410, "LeaseExpired")
    assert ann.get(f"/tasks/{task['lease']}/frame").status == 410


def _nothing_told(response: Response) -> None:
    for told in (b"s3://", b"photos", b"Find the animals", b"crowd-", b"https://signed"):
        assert told not in response.body
