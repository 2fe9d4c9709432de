"""How much a round of automated labeling may ask of people and accept from a model."""

from typing import Any

import numpy as np
import pytest

from groundwork.jobs.automation.objects import ObjectState, Shards, objects_in
from groundwork.jobs.automation.room import Room, room_for
from groundwork.jobs.automation.settings import Automation, automation_of
from groundwork.jobs.model import Counters, Job, JobStatus, Progress
from tests.support.job_fakes import START, job_request


def room(
    *,
    pool: int,
    human: int = 0,
    before: int = 0,
    batch: int = 1000,
    by_people: int | None = None,
    **limits: int,
) -> Room:
    """Return the room of a job with as many objects in each state."""
    states = np.array(
        [ObjectState.POOL] * pool
        + [ObjectState.HUMAN] * human
        + [ObjectState.HUMAN_BEFORE] * before,
        np.uint8,
    )
    job = Job(
        name="job",
        arn="arn:aws:sagemaker:us-east-1:111122223333:labeling-job/job",
        status=JobStatus.IN_PROGRESS,
        created_at=START,
        modified_at=START,
        request=job_request(batch=batch, limits=limits),
        reference_code="reference",
    )
    counters = Counters(human_labeled=human + before, unlabeled=pool)
    labeled = human if by_people is None else by_people
    return room_for(job, Progress(counters=counters, labeled_by_people=labeled), states)


@pytest.mark.parametrize(
    ("objects", "people"),
    [(30, 30), (60, 50), (499, 50), (500, 50), (2_000, 200), (9_990, 999), (50_000, 1_000)],
)
def test_people_get_a_tenth_at_a_time_within_the_batch_size(objects: int, people: int) -> None:
    assert room(pool=objects).people == people


def test_the_tenth_is_of_what_was_to_be_labeled_at_first() -> None:
    assert room(pool=100, human=900, before=5_000).people == 100


def test_without_a_limit_everything_may_be_labeled_by_machine() -> None:
    assert room(pool=800, human=200).labels == 800


def test_what_people_may_get_is_set_aside_from_a_share_of_the_input() -> None:
    found = room(pool=1_000, MaxPercentageOfInputDatasetLabeled=50)

    assert (found.people, found.labels) == (100, 400)
    assert found.people + found.labels == 500


def test_people_s_own_limit_bounds_them_and_not_the_machine() -> None:
    found = room(pool=900, human=100, MaxHumanLabeledObjectCount=130)

    assert (found.people, found.labels) == (30, 900)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"pool": 40}, "no more than 40 objects are left"),
        ({"pool": 500, "batch": 19}, "people may get 19 more objects at a time"),
        (
            {"pool": 500, "MaxPercentageOfInputDatasetLabeled": 14},
            "MaxPercentageOfInputDatasetLabeled leaves room for 20 labels",
        ),
    ],
)
def test_where_no_label_could_be_accepted_it_says_why(state: dict[str, Any], told: str) -> None:
    reason = room(**state).too_little()
    assert reason is not None
    assert told in reason


@pytest.mark.parametrize(
    "state",
    [
        {"pool": 41},
        {"pool": 500, "batch": 20},
        {"pool": 500, "MaxPercentageOfInputDatasetLabeled": 15},
    ],
)
def test_where_some_could_it_says_nothing(state: dict[str, Any]) -> None:
    assert room(**state).too_little() is None


def test_shards_hold_every_object_once() -> None:
    shards = Shards(101, 25)

    members = [object_id for shard in range(shards.count) for object_id in shards.members(shard)]

    assert members == list(range(101))
    assert all(each in shards.members(shards.of(each)) for each in members)
    assert shards.with_any(np.array([3, 26, 100])) == (0, 1, 4)
    assert shards.grouped([100, 3, 26, 0]) == {0: [0, 3], 1: [26], 4: [100]}
    assert shards.with_any(objects_in(np.zeros(0, np.uint8), ObjectState.POOL)) == ()


@pytest.mark.parametrize(
    ("task", "tags", "expected"),
    [
        ("BoundingBox", {}, Automation(0.6)),
        ("ImageMultiClass", {"team": "cats"}, Automation(0.95)),
        (
            "BoundingBox",
            {
                "groundwork:auto-labeling-target": "0.75",
                "groundwork:auto-labeling-sample-percentage": "12.5",
            },
            Automation(0.75, 0.125),
        ),
    ],
)
def test_tags_say_what_labels_have_to_be(
    task: str, tags: dict[str, str], expected: Automation
) -> None:
    assert automation_of(task, tags) == expected
