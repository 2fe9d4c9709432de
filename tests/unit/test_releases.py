"""Today's code goes on with what every release has left behind, and refuses what is newer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from groundwork.jobs.auto_labeling_loop import AUTO_LABELING_STEPS
from groundwork.jobs.errors import JobFormatError
from groundwork.jobs.job_store import FORMAT
from groundwork.jobs.loop import STEPS
from groundwork.jobs.model import Counters, JobStatus
from stacks.constructs.loop_definition import definition
from tests.support.faults import FaultShop
from tests.support.job_fakes import Workshop, worker
from tests.support.release_snapshot import (
    ANN,
    AUTOMATED,
    AUTOMATED_OBJECTS,
    BEN,
    PEOPLE,
    PEOPLES_OBJECTS,
    STOPPING,
    Left,
    leave_off,
    one_box,
    read,
    releases,
)


@pytest.fixture(params=[*releases(), "today"])
def left(request: pytest.FixtureRequest) -> Left:
    """What each release has left, and what today's code leaves."""
    return leave_off() if request.param == "today" else read(request.param)


def test_there_is_a_snapshot_of_each_format() -> None:
    """Whoever changes a format first takes a snapshot of the one before."""
    assert releases() == [f"release-{number}" for number in range(1, FORMAT + 1)]


def test_people_go_on_with_what_they_hold(left: Left) -> None:
    shop = left.shop
    lease = left.leases["Ben's"]
    task = shop.work.resume(BEN, lease)
    assert [each.lease_id for each in shop.work.leases(BEN, PEOPLE)] == [lease]
    shop.work.submit(BEN, lease, one_box(BEN, task))
    shop.loop.run()

    job = shop.job(PEOPLE)
    assert job.status is JobStatus.COMPLETED
    assert job.counters == Counters(human_labeled=PEOPLES_OBJECTS)
    assert len(shop.output(PEOPLE)) == PEOPLES_OBJECTS
    assert all("animals" in line for line in shop.output(PEOPLE))


def test_answers_that_came_in_before_are_not_asked_for_again(left: Left) -> None:
    shop = left.shop
    answered = shop.answer_all([worker(3)], one_box, PEOPLE)

    assert answered == []
    assert shop.job(PEOPLE).counters.human_labeled == 3


def test_a_job_with_automated_labeling_goes_on_where_it_was(left: Left) -> None:
    shop = left.shop
    before = shop.job(AUTOMATED).counters.human_labeled
    shop.answer_all([ANN, BEN], left.world.answer, AUTOMATED)

    counters = shop.job(AUTOMATED).counters
    assert shop.job(AUTOMATED).status is JobStatus.COMPLETED
    assert counters.human_labeled > before
    assert counters.machine_labeled > 0
    assert counters.total_labeled == AUTOMATED_OBJECTS
    assert len(shop.output(AUTOMATED)) == AUTOMATED_OBJECTS


def test_a_job_that_was_stopped_ends(left: Left) -> None:
    left.shop.stop(STOPPING)
    left.shop.loop.time_out()

    assert left.shop.job(STOPPING).status is JobStatus.STOPPED


def newer(shop: Workshop, job: str) -> None:
    shop.table.items["JOB", job]["format"] = FORMAT + 1


def test_a_newer_releases_job_is_left_alone_with_a_message_that_says_so(left: Left) -> None:
    shop = left.shop
    newer(shop, PEOPLE)
    before = dict(shop.table.items)

    with pytest.raises(JobFormatError, match=f"format {FORMAT + 1}.*up to {FORMAT}.*Deploy"):
        shop.store.get(PEOPLE)
    with pytest.raises(JobFormatError):
        shop.processes[1].submit(BEN, left.leases["Ben's"], {})
    assert shop.table.items == before


def test_other_jobs_go_on_beside_one_of_a_newer_release(left: Left) -> None:
    shop = left.shop
    newer(shop, PEOPLE)

    assert {job.name for job in shop.work.jobs_for(ANN)} == {AUTOMATED, STOPPING}
    assert {job.name for job in shop.store.list()} == {AUTOMATED, STOPPING}
    shop.answer_all([ANN, BEN], left.world.answer, AUTOMATED)
    assert shop.job(AUTOMATED).status is JobStatus.COMPLETED


def test_a_job_that_an_older_release_met_goes_on_after_the_newer_one_is_back() -> None:
    """The rolled back engine lets go of it soon, and does not end it when it can read it again."""
    shop = FaultShop()
    shop.start(shop.add_images(2), batch=1)
    newer(shop, "job")
    shop.machine.time_out()
    assert [each.name for each in shop.machine.failed] == ["job"]
    assert "GiveUp" not in shop.machine.retries

    shop.table.items["JOB", "job"]["format"] = FORMAT
    shop.machine.begin("job_again-1", {"job": "job", "iteration": 0})
    shop.machine.run()
    shop.answer_all([ANN], one_box, "job")
    assert shop.job().status is JobStatus.COMPLETED
    assert shop.job().counters == Counters(human_labeled=2)


def machines() -> Iterator[Mapping[str, Any]]:
    yield from (read(release).machine for release in releases())


def states(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        yield from states(state.get("ItemProcessor", {"States": {}}))


def test_running_executions_find_each_step_that_their_definition_names() -> None:
    tables = {"${LabelingSteps}": STEPS, "${AutoLabeling}": AUTO_LABELING_STEPS}
    today = dict(states(definition()))
    for machine in machines():
        for name, state in states(machine):
            parameters = state.get("Parameters", {})
            if "Payload" not in parameters:
                continue
            payload = parameters["Payload"]
            assert payload["step"] in tables[parameters["FunctionName"]], name
            same = today.get(name, state).get("Parameters", {}).get("Payload", payload)
            assert payload.keys() >= same.keys(), f"{name}: a running execution does not say all"


def test_no_step_answers_what_a_running_execution_does_not_know() -> None:
    """An unknown outcome fails the execution where nobody catches it."""
    today = dict(states(definition()))
    for machine in machines():
        for name, state in states(machine):
            known = {json.dumps(each) for each in outcomes(state)}
            new = {json.dumps(each) for each in outcomes(today.get(name, state))}
            if "Default" not in state:
                assert new <= known, f"{name}: start new executions for new outcomes"


def outcomes(state: Mapping[str, Any]) -> list[str]:
    return [each["StringEquals"] for each in state.get("Choices", []) if "StringEquals" in each]
