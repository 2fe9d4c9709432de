"""Photos and people for trying a workshop: what the commands accept, and who comes to work."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from groundwork.cli import main
from groundwork.demo import crowd as crowd_module
from groundwork.demo.crowd import Crowd
from groundwork.local.cloud import LocalCloud
from groundwork.portal.worker_client import WorkerSignInError

LOGINS = (("me@example.com", "first-1"), ("ann@example.com", "first-2"))


def test_samples_draws_photos_and_tells_where_their_objects_are(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    result = CliRunner().invoke(main, ["samples", str(folder), "--count", "3", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["photos"] == 3
    assert told["labels"] == ["Beacon", "Comet", "Harbor"]
    assert len(list(folder.glob("*.jpg"))) == len(json.loads(Path(told["truth"]).read_text())) == 3


def test_simulate_says_when_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "truth.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["simulate", "my-job", "--truth", "truth.json"])
    assert result.exit_code == 1
    assert "The local cloud is not running" in result.output


class FakeWorker:
    """Somebody who came, and finds two open jobs."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True

    def jobs(self) -> list[dict[str, Any]]:
        return [{"name": "mine"}, {"name": "other"}]

    def take(self, job: str) -> None:
        self.asked.append(job)


@pytest.fixture
def come(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeWorker]:
    """Workers by their e-mail addresses; nobody else gets in."""
    workers: dict[str, FakeWorker] = {}

    class Doors:
        @staticmethod
        def sign_in(portal: str, email: str, *_: str, resolve_to: str) -> FakeWorker:
            assert (portal, resolve_to) == ("http://portal", "127.0.0.1:4566")
            if email not in workers:
                raise WorkerSignInError(f"wrong password of {email}")
            return workers[email]

    monkeypatch.setattr(crowd_module, "WorkerClient", Doors)
    return workers


def no_answer(task_input: dict[str, Any], picture: bytes) -> dict[str, Any]:
    raise AssertionError(f"there was no task: {task_input}, {len(picture)}")


def crowd(tmp_path: Path, logins: Sequence[tuple[str, str]] = LOGINS, **options: Any) -> Crowd:
    cloud = LocalCloud(tmp_path, port=4566)
    return Crowd(cloud, "http://portal", logins, lambda worker: no_answer, **options)


def test_those_with_their_own_password_may_be_absent(
    tmp_path: Path, come: dict[str, FakeWorker]
) -> None:
    come["ann@example.com"] = FakeWorker()
    with crowd(tmp_path, may_be_absent=True) as people:
        people.check()
    assert people.absent == ["me@example.com"]


def test_all_have_to_come_otherwise_and_somebody_always(
    tmp_path: Path, come: dict[str, FakeWorker]
) -> None:
    with pytest.raises(WorkerSignInError, match="me@example"), crowd(tmp_path, may_be_absent=True):
        pass
    come["ann@example.com"] = FakeWorker()
    with pytest.raises(WorkerSignInError, match="me@example"), crowd(tmp_path):
        pass
    assert come["ann@example.com"].closed


def test_a_crowd_for_one_job_leaves_others_alone(
    tmp_path: Path, come: dict[str, FakeWorker]
) -> None:
    """Somebody's own photos, in another job, are not for simulated people to label."""
    worker = come["ann@example.com"] = FakeWorker()
    with crowd(tmp_path, LOGINS[1:], only_job="mine"):
        wait_for("mine", worker)
    assert set(worker.asked) == {"mine"}
    everything = come["ann@example.com"] = FakeWorker()
    with crowd(tmp_path, LOGINS[1:]):
        wait_for("other", everything)
    assert set(everything.asked) == {"mine", "other"}


def wait_for(job: str, worker: FakeWorker) -> None:
    deadline = time.monotonic() + 10
    while job not in worker.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
