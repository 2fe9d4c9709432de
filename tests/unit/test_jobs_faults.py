"""Whatever order things happen in, and wherever they break off, no work is lost or doubled."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.jobs.errors import WorkError
from groundwork.jobs.model import Counters, JobStatus
from groundwork.jobs.work import LeasedTask
from groundwork.table_client import Write
from tests.support.job_fakes import (
    BUCKET,
    CrashError,
    Workshop,
    box,
    boxes_answer,
    worker,
)

PEOPLE = [worker(number) for number in range(4)]
WORK = ("take", "take", "submit", "submit", "submit", "release", "decline")
ACTIONS = (*WORK * 6, "wait", "hour", "stop")


class Accidents:
    """Crashes writes and S3 calls now and then, before or after they take effect.

    ``rivalry`` is how often somebody else acts just before a write.
    """

    def __init__(self, shop: Workshop, seed: int, rate: float, rivalry: float = 0) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._rivalry = rivalry
        self.active = True
        self.crowd: Crowd | None = None
        apply = shop.table.transact

        def transact(writes: Sequence[Write]) -> None:
            self._perhaps()
            self._let_somebody_come_first()
            apply(writes)
            self._perhaps()

        shop.table.transact = transact  # type: ignore[method-assign]  # wraps it
        shop.s3.before = lambda operation, key: self._perhaps()

    def _let_somebody_come_first(self) -> None:
        """Have another worker act between what was read and what is written of it."""
        crowd, self.crowd = self.crowd, None
        if crowd is not None and self.active and self._random.random() < self._rivalry:
            person, action = self._random.randrange(len(PEOPLE)), self._random.choice(WORK)
            crowd.do(person, action, goes_on=False)
        self.crowd = crowd

    def _perhaps(self) -> None:
        if self.active and self._random.random() < self._rate:
            raise CrashError


class Crowd:
    """People who do all kinds of things, and remember what they were told."""

    def __init__(self, shop: Workshop, seed: int) -> None:
        self._shop = shop
        self._random = random.Random(seed)
        self._held: dict[str, LeasedTask] = {}
        self.accepted: Counter[tuple[str, int]] = Counter()

    def do(self, person: int, action: str, *, goes_on: bool = True) -> None:
        """Have somebody do something, after which the loop goes on where it can."""
        with suppress(CrashError, WorkError):
            self._do(person, action)
        if goes_on:
            self._shop.loop.run()

    def _do(self, person: int, action: str) -> None:
        shop, who = self._shop, PEOPLE[person]
        work = self._random.choice(shop.processes)
        task = self._held.get(who.sub)
        match action:
            case "take":
                taken = work.take(who, "job")
                if taken is not None:
                    self._held[who.sub] = taken
            case "submit" if task is not None:
                work.submit(who, task.lease_id, answer_of(task.object_id))
                self.accepted[who.worker_id, task.object_id] = 1
            case "release" if task is not None:
                work.release(who, task.lease_id)
            case "decline" if task is not None:
                work.decline(who, task.lease_id)
            case "wait":
                shop.clock.advance(200)
            case "hour":
                shop.clock.advance(3600)
                shop.loop.time_out()
            case "stop":
                shop.stop()


def answer_of(object_id: int) -> dict[str, Any]:
    return boxes_answer(box("cat", object_id, 1, 10, 10))


@settings(max_examples=100, deadline=None)
@given(
    actions=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(ACTIONS)), min_size=20, max_size=60
    ),
    objects=st.integers(1, 6),
    batch=st.integers(1, 4),
    workers=st.integers(1, 3),
    broken=st.integers(0, 5),
    crash_rate=st.sampled_from([0.0, 0.02, 0.1]),
    rivalry=st.sampled_from([0.0, 0.5]),
    index_lag=st.sampled_from([0, 3]),
    seed=st.integers(0, 1_000),
)
def test_accepted_answers_are_published_once_and_counters_add_up(
    *,
    actions: list[tuple[int, str]],
    objects: int,
    batch: int,
    workers: int,
    broken: int,
    crash_rate: float,
    rivalry: float,
    index_lag: int,
    seed: int,
) -> None:
    shop = Workshop(seed=seed)
    shop.table.index_lag = index_lag
    lines = shop.add_images(objects)
    shop.s3.add(f"s3://{BUCKET}/photos/{broken:04d}.jpg", b"broken")
    shop.start(lines, batch=batch, workers=workers)
    accidents = Accidents(shop, seed, crash_rate, rivalry)
    crowd = accidents.crowd = Crowd(shop, seed)
    for person, action in actions:
        crowd.do(person, action)
    for person in range(len(PEOPLE)):
        crowd.do(person, "submit")
    accidents.active = False
    shop.stop()

    job = shop.job()
    assert job.status in (JobStatus.STOPPED, JobStatus.COMPLETED)
    published = published_answers(shop)
    assert all(count == 1 for count in published.values())
    # An answer whose acceptance nobody heard of may be there as well; none that was is missing.
    assert crowd.accepted.keys() <= published.keys()
    people = Counter(object_id for _, object_id in published)
    assert all(count <= workers for count in people.values())
    assert_counters_fit(shop, objects)
    for object_id, entry in enumerate(shop.output()):
        if "animals" in entry:
            assert entry["animals"]["annotations"][0]["left"] == object_id


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.sampled_from([0.02, 0.08]), again=st.booleans())
def test_a_job_ends_the_same_however_often_its_steps_break_off(
    seed: int, rate: float, again: bool
) -> None:
    shop = Workshop(again=again, seed=seed)
    lines = shop.add_images(7)
    shop.s3.add(f"s3://{BUCKET}/photos/0003.jpg", b"broken")
    shop.start(lines, run=False, batch=3, workers=2)
    accidents = Accidents(shop, seed, rate)
    shop.loop.run()
    idle = 0
    while not shop.job().status.is_final and idle < 100:
        for person in PEOPLE:
            try:
                task = shop.work.take(person, "job")
                if task is None:
                    idle += 1
                else:
                    shop.work.submit(person, task.lease_id, answer_of(task.object_id))
            except CrashError:
                continue
            except WorkError:
                break
            finally:
                shop.loop.run()
    accidents.active = False
    if not shop.job().status.is_final:
        shop.clock.advance(400)
        shop.answer_all(PEOPLE, lambda person, task: answer_of(task.object_id))
        shop.loop.time_out()

    job = shop.job()
    assert (job.status, job.counters) == (
        JobStatus.COMPLETED,
        Counters(human_labeled=6, failed=1),
    )
    assert sum(published_answers(shop).values()) == 12
    assert_counters_fit(shop, 7)


@settings(max_examples=30, deadline=None)
@given(
    objects=st.integers(1, 12),
    people=st.integers(1, 4),
    workers=st.integers(1, 4),
    batch=st.integers(1, 5),
)
def test_every_object_gets_as_many_different_people_as_there_are_up_to_what_was_asked(
    objects: int, people: int, workers: int, batch: int
) -> None:
    shop = Workshop()
    shop.start(shop.add_images(objects), batch=batch, workers=workers, lifetime=3600)
    for _ in range(objects):
        shop.answer_all(PEOPLE[:people], lambda person, task: answer_of(task.object_id))
        shop.clock.advance(3601)
        shop.loop.time_out()
        if shop.job().status.is_final:
            break
    expected = min(people, workers)
    people_per_object = Counter(object_id for _, object_id in published_answers(shop))
    assert people_per_object == dict.fromkeys(range(objects), expected)
    assert shop.job().counters == Counters(human_labeled=objects)


def published_answers(shop: Workshop) -> Counter[tuple[str, int]]:
    published: Counter[tuple[str, int]] = Counter()
    for key in shop.s3.keys("/worker-response/"):
        object_id = int(key.split("/")[5])
        for answer in shop.json(key)["answers"]:
            published[answer["workerId"], object_id] += 1
    return published


def assert_counters_fit(shop: Workshop, objects: int) -> None:
    counters = shop.job().counters
    output = shop.output()
    assert len(output) == objects
    labeled = sum("animals" in entry for entry in output)
    failed = sum("failure-reason" in entry.get("animals-metadata", {}) for entry in output)
    assert counters == Counters(
        human_labeled=labeled, failed=failed, unlabeled=objects - labeled - failed
    )
    assert [json.loads(line)["number"] for line in map(json.dumps, output)] == list(range(objects))
