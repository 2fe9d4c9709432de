"""Faults at chosen points of a labeling job, people who go on, and what has to hold then.

A point is a write that takes effect elsewhere: of items, of an S3 object, a token sent, an
execution started. A run without faults lists them; further runs have the fault at one of them.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import pytest

from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.errors import WorkError
from groundwork.jobs.lifecycle import stop_job
from groundwork.jobs.model import BatchState, Counters, Job, JobStatus
from groundwork.jobs.work import LeasedTask, Work, Worker
from groundwork.table_client import ConflictError, Put, Write
from groundwork.unavailable import UnavailableError
from tests.support.fault_rows import every_point
from tests.support.job_fakes import (
    BUCKET,
    OWN_POST,
    CrashError,
    Workshop,
    box,
    boxes_answer,
    class_answer,
    refusal,
    worker,
)
from tests.support.learning_fakes import LABELS, colour_world
from tests.support.state_machine import Machine

When = Literal["before", "after"]
WHENS: tuple[When, When] = ("before", "after")
Answer = Callable[[int], Mapping[str, Any]]
T = TypeVar("T")

PEOPLE = tuple(worker(number) for number in range(3))
# What the page takes as "not now", and then calls again.
PASSING = (ConflictError, UnavailableError)
_CALLS = 10
_ROUNDS = 120
# Leases, answers, and looking for tasks.
_BY_WORKERS = ("WORKER#", "/answers/", "TASK#", "pages BATCH#", "count BATCH#", "get JOB")


class FaultShop(Workshop):
    """A workshop whose loop is the deployed state machine's definition.

    ``doing`` is the step or call that is going on, to be made once more beside itself.
    """

    def __init__(self) -> None:
        self.machine = Machine()
        self.doing: Callable[[], Any] | None = None
        super().__init__(loop=self.machine)

    def do(self, act: Callable[[], T]) -> T:
        """Make a call, and let it be known while it goes on."""
        before, self.doing = self.doing, act
        try:
            return act()
        finally:
            self.doing = before


class Points:
    """Watches a workshop's writes, and lets something happen just before or after chosen ones."""

    def __init__(self, shop: FaultShop) -> None:
        self.names: list[str] = []
        self.fired: list[str] = []
        self._seen: Counter[str] = Counter()
        self._planned: dict[tuple[str, When], Callable[[], None]] = {}
        self._watch_table(shop)
        self._watch_files(shop)
        self._watch_loop(shop)

    def plan(self, name: str, when: When, happening: Callable[[], None]) -> None:
        """Let something happen once, at one point."""
        self._planned[name, when] = happening

    def _passed(self, what: str, effect: Callable[[], T]) -> T:
        self._seen[what] += 1
        name = f"{what} ({self._seen[what]})"
        self.names.append(name)
        self._happen(name, "before")
        result = effect()
        self._happen(name, "after")
        return result

    def _happen(self, name: str, when: When) -> None:
        happening = self._planned.pop((name, when), None)
        if happening is not None:
            self.fired.append(name)
            happening()

    def _watch_table(self, shop: FaultShop) -> None:
        apply = shop.table.transact

        def transact(writes: Sequence[Write]) -> None:
            what = ", ".join(_written(write) for write in writes)
            self._passed(what, lambda: apply(writes))

        shop.table.transact = transact  # type: ignore[method-assign]  # wraps it

    def _watch_files(self, shop: FaultShop) -> None:
        for operation in (
            "put_object",
            "create_multipart_upload",
            "upload_part",
            "complete_multipart_upload",
        ):
            setattr(shop.s3, operation, self._watched(operation, getattr(shop.s3, operation)))

    def _watched(self, operation: str, call: Callable[..., T]) -> Callable[..., T]:
        def watched(**arguments: Any) -> T:
            return self._passed(f"{operation} {arguments['Key']}", lambda: call(**arguments))

        return watched

    def _watch_loop(self, shop: FaultShop) -> None:
        wake, start = shop.machine.wake, shop.machine.start

        def woken(token: str, outcome: dict[str, Any]) -> None:
            self._passed(f"send token {token}", lambda: wake(token, outcome))

        def started(job_name: str) -> None:
            self._passed(f"start {job_name}", lambda: start(job_name))

        shop.machine.wake = woken  # type: ignore[method-assign]  # wraps it
        shop.machine.start = started  # type: ignore[method-assign]  # wraps it
        available, ended = shop.notices.work_available, shop.notices.job_ended

        def told_of_work(job: Job) -> None:
            self._passed("tell of work", lambda: available(job))

        def told_of_end(job: Job) -> None:
            self._passed("tell of the end", lambda: ended(job))

        shop.notices.work_available = told_of_work  # type: ignore[method-assign]  # wraps it
        shop.notices.job_ended = told_of_end  # type: ignore[method-assign]  # wraps it


class Calls:
    """Watches all that a workshop asks of its services, and lets chosen calls be refused."""

    def __init__(self, shop: FaultShop) -> None:
        self.names: list[str] = []
        self.refused: list[str] = []
        self.refuse: Callable[[str], bool] = lambda name: False
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        table, machine = shop.table, shop.machine
        for operation in ("get", "pages", "count", "transact"):
            setattr(table, operation, self._watched(operation, getattr(table, operation)))
        machine.wake = self._watched("wake", machine.wake)  # type: ignore[method-assign]
        shop.s3.before = self._s3_called
        self._counts = True
        look = shop.job

        def look_uncounted(name: str = "job") -> Job:
            self._counts = False
            try:
                return look(name)
            finally:
                self._counts = True

        # The test's own look is no call of the engine.
        shop.job = look_uncounted  # type: ignore[method-assign]  # wraps it
        for operation in ("work_available", "job_ended"):
            told = self._watched(operation, getattr(shop.notices, operation))
            setattr(shop.notices, operation, told)

    def _watched(self, operation: str, call: Callable[..., T]) -> Callable[..., T]:
        def watched(*arguments: Any, **more: Any) -> T:
            if self._is_refused(f"{operation} {_place(arguments[0])}"):
                raise UnavailableError(f"{operation} was throttled")
            return call(*arguments, **more)

        return watched

    def _s3_called(self, operation: str, key: str) -> None:
        if self._is_refused(f"{operation} {key}"):
            raise refusal("SlowDown", operation)

    def _is_refused(self, what: str) -> bool:
        if not self._counts:
            return False
        with self._lock:
            self._seen[what] += 1
            name = f"{what} ({self._seen[what]})"
            self.names.append(name)
            if not self.refuse(name):
                return False
            self.refused.append(name)
            return True


def _place(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    if isinstance(argument, Job):
        return argument.name
    return ", ".join(_written(write) for write in argument)


def _written(write: Write) -> str:
    if isinstance(write, Put):
        return f"put {write.item['PK']} {write.item['SK']}"
    return f"{type(write).__name__.lower()} {write.pk} {write.sk}"


def crash() -> None:
    """End the function that is running, as if its machine had burnt down."""
    raise CrashError


class Crew:
    """People at work, whose page calls again what did not get through.

    ``accepted`` is what they were told to be in; ``tried`` what may be in as well, since nobody
    heard of it. ``twice`` is how often each call is made.
    """

    def __init__(self, shop: FaultShop, answer: Answer, people: Sequence[Worker] = PEOPLE) -> None:
        self.shop = shop
        self.people = people
        self.accepted: dict[tuple[str, int], Mapping[str, Any]] = {}
        self.tried: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        self.calls = 0
        self.twice = False
        self.processes = [shop.process()]
        self._answer = answer

    def take(self, person: int, besides: Sequence[LeasedTask] = ()) -> LeasedTask | None:
        who, at_hand = self.people[person], [task.lease_id for task in besides]
        return self.call(lambda work: work.take(who, "job", at_hand))

    def start(self, person: int, task: LeasedTask | None) -> None:
        if task is not None:
            lease = task.lease_id
            self.call(lambda work: work.start(self.people[person], lease))

    def release(self, person: int, task: LeasedTask | None) -> None:
        if task is not None:
            lease = task.lease_id
            self.call(lambda work: work.release(self.people[person], lease))

    def decline(self, person: int, task: LeasedTask | None) -> None:
        if task is not None:
            lease = task.lease_id
            self.call(lambda work: work.decline(self.people[person], lease))

    def submit(
        self,
        person: int,
        task: LeasedTask | None,
        content: Mapping[str, Any] | None = None,
        *,
        replaces: bool = False,
    ) -> None:
        if task is None:
            return
        who, lease = self.people[person], task.lease_id
        content = content or self._answer(task.object_id)
        key = who.worker_id, task.object_id
        self.tried.setdefault(key, []).append(content)

        def send(work: Work) -> bool:
            work.submit(who, lease, content, replaces=replaces)
            return True

        if self.call(send):
            self.accepted[key] = content

    def stop(self) -> None:
        shop = self.shop
        self._insist(
            lambda work: stop_job(
                shop.store,
                shop.loop,  # type: ignore[arg-type]  # stands in for the client
                "job",
                shop.clock(),
            )
        )
        shop.loop.run()

    def call(self, act: Callable[[Work], T]) -> T | None:
        """Do something as a worker's page does; None if the portal refused it."""
        self.calls += 1
        result: T | None = None
        with suppress(WorkError):
            result = self._insist(act)
        if self.twice:
            with suppress(WorkError):
                again = self._insist(act)
                result = again if result is None else result
        self.shop.loop.run()
        self.shop.clock.advance(3)
        return result

    def sibling(self) -> "Crew":
        """Return the same people on other machines, who act in between."""
        crew = Crew(self.shop, self._answer, self.people)
        crew.accepted, crew.tried = self.accepted, self.tried
        return crew

    def _insist(self, act: Callable[[Work], T]) -> T:
        for _ in range(_CALLS):
            process = self.processes[0]
            self.processes = [*self.processes[1:], process]
            try:
                return self.shop.do(lambda: act(process))  # noqa: B023 - used at once
            except CrashError:
                self.processes[-1] = self.shop.process()
            except PASSING:
                continue
        raise AssertionError("the portal never answered")

    def label(self) -> None:
        """Take and answer in turn until the job is over, at worst when the loop looks by itself."""
        self.shop.loop.run()
        for _ in range(_ROUNDS):
            found = False
            for person in range(len(self.people)):
                if self.shop.job().status.is_final:
                    return
                task = self.take(person)
                found = found or task is not None
                self.submit(person, task)
            if not found:
                self.shop.clock.advance(3600)
                self.shop.loop.time_out()
        raise AssertionError(f"the job does not end: {self.shop.machine.executions}")


@dataclass(frozen=True)
class Scenario:
    """A job and what people do on it."""

    name: str
    lines: int
    workers: int
    begin: Callable[[FaultShop], Answer]
    people_do: Callable[[Crew], None]
    ends: JobStatus = JobStatus.COMPLETED


@dataclass
class Run:
    """One run of a scenario, with its points."""

    scenario: Scenario
    shop: FaultShop = field(default_factory=FaultShop)
    points: Points = field(init=False)
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        answer = self.scenario.begin(self.shop)
        self.points = Points(self.shop)
        self.crew = Crew(self.shop, answer)

    def go(self) -> "Run":
        """Let the loop begin, and people do what they do until the job is over."""
        self.shop.loop.run()
        self.scenario.people_do(self.crew)
        self.crew.label()
        return self

    def outcome(self) -> tuple[JobStatus, Counters, list[Any]]:
        """What two runs must have in common: status, counters, labels.

        Which objects of a stopped job people had got to depends on how its tasks were shuffled.
        """
        job = self.shop.job()
        labels = [line.get("animals") for line in self.shop.output()]
        return job.status, job.counters, [] if self.scenario is STOPPED else labels


def points_of(scenario: Scenario) -> list[str]:
    """Return the points of a run in which nothing goes wrong."""
    run = Run(scenario).go()
    assert run.shop.job().status is scenario.ends
    assert_nothing_lost(run)
    return run.points.names


def steps_points_of(scenario: Scenario) -> list[str]:
    """Return the points but, of automated labeling, those of its workers: they do what all do."""
    names = points_of(scenario)
    if scenario is not AUTOMATED:
        return names
    return [name for name in names if not any(part in name for part in _BY_WORKERS)]


def own_points_of(scenario: Scenario) -> list[str]:
    """Return the points, of automated labeling one of each kind of its own."""
    return own(scenario, steps_points_of(scenario))


def own(scenario: Scenario, names: Sequence[str]) -> list[str]:
    """Keep one point or call of each kind where there are many alike: in automated labeling."""
    if scenario is not AUTOMATED:
        return list(names)
    kept: dict[str, str] = {}
    for name in names:
        if not any(part in name for part in _BY_WORKERS):
            kept.setdefault(re.sub(r"\d+", "#", name), name)
    return list(kept.values())


def some(names: Sequence[T], every: int) -> Sequence[T]:
    """Return all points where all are asked for, and else one of so many."""
    return names if every_point() else names[::every]


def crashing(scenario: Scenario, name: str, when: When) -> Run:
    """Run a scenario with a crash at one point."""
    run = Run(scenario)
    run.points.plan(name, when, crash)
    run.go()
    assert run.points.fired == [name], f"the run never came to {name}"
    return run


def assert_nothing_lost(run: Run) -> None:
    """Check what has to hold whatever happened."""
    shop, job = run.shop, run.shop.job()
    assert job.status.is_final
    assert job.status is not JobStatus.FAILED or job.failure_reason
    if run.crew.accepted:
        assert ("work", "job", JobStatus.IN_PROGRESS) in shop.notices.told
    assert ("ended", "job", job.status) in shop.notices.told
    assert_answers_are_published(run)
    assert_counters_add_up(shop, run.scenario.lines)
    assert_nothing_open(shop, job)


def assert_answers_are_published(run: Run) -> None:
    """Every accepted answer is in the output once, and no object has more than were asked for."""
    found = dict(published(run.shop))
    people = Counter(object_id for _, object_id in found)
    assert all(count <= run.scenario.workers for count in people.values())
    assert run.crew.accepted.keys() <= found.keys()
    for key, content in found.items():
        tried, accepted = run.crew.tried[key], run.crew.accepted.get(key)
        # The last that was accepted, or one after it whose acceptance nobody heard of.
        first = 0 if accepted is None else tried.index(accepted)
        assert content in tried[first:]


def published(shop: FaultShop) -> Iterator[tuple[tuple[str, int], Mapping[str, Any]]]:
    """The answers in the output, by worker and object."""
    seen = set()
    for name in shop.s3.keys("/worker-response/"):
        object_id = int(name.split("/")[5])
        assert object_id not in seen, f"the answers to object {object_id} are there twice"
        seen.add(object_id)
        answers = shop.json(name)["answers"]
        workers = [answer["workerId"] for answer in answers]
        assert len(workers) == len(set(workers)), f"somebody answered object {object_id} twice"
        for answer in answers:
            yield (answer["workerId"], object_id), answer["answerContent"]


def assert_counters_add_up(shop: FaultShop, lines: int) -> None:
    """The job's counters are those of the output's lines, in the input's order."""
    output = shop.output()
    assert [line["source-ref"] for line in output] == _inputs(shop)
    assert len(output) == lines
    told = [line.get("animals-metadata", {}) for line in output]
    failed = sum("failure-reason" in each for each in told)
    human = sum(each.get("human-annotated") == "yes" for each in told)
    machine = sum(each.get("human-annotated") == "no" for each in told)
    assert shop.job().counters == Counters(
        human_labeled=human,
        machine_labeled=machine,
        failed=failed,
        unlabeled=lines - failed - human - machine,
    )


def _inputs(shop: FaultShop) -> list[str]:
    text = shop.s3.objects[BUCKET, "in.manifest"].decode()
    return [json.loads(line)["source-ref"] for line in text.splitlines()]


def assert_nothing_open(shop: FaultShop, job: Job) -> None:
    """No task can be taken or is held, no batch waits, no execution sleeps or broke off."""
    assert shop.machine.sleeping == []
    assert shop.machine.failed == []
    for iteration in range(1, job.iteration + 1):
        batch = shop.store.get_batch(job.name, iteration)
        assert batch.state is BatchState.PUBLISHED or job.status is JobStatus.FAILED
        for task in shop.store.tasks(job.name, iteration):
            assert task.closed
            assert not task.leases


# --- the jobs that faults happen to --------------------------------------------------------------


def seen_box(object_id: int) -> Mapping[str, Any]:
    """Return the answer that anybody gives of an object."""
    return boxes_answer(box("cat", object_id, 1, 10, 10))


def seen_class(object_id: int) -> Mapping[str, Any]:
    """Return the class that anybody sees in an object."""
    return class_answer(LABELS[object_id % 2])


def _begin_boxes(shop: FaultShop) -> Answer:
    lines = shop.add_images(5)
    shop.s3.add(f"s3://{BUCKET}/photos/0003.jpg", b"broken")
    shop.start(lines, batch=2, run=False)
    return seen_box


def _all_that_one_can_do(crew: Crew) -> None:
    """Give a task back, take one ahead, and change an answer while its batch is open."""
    first = crew.take(0)
    crew.release(0, first)
    first = crew.take(0)
    second = crew.take(0, besides=[first] if first else [])
    crew.submit(0, first, seen_box(90))
    crew.submit(0, first, replaces=True)
    crew.start(0, second)
    crew.submit(0, second)


def _begin_classes(shop: FaultShop) -> Answer:
    shop.start(shop.add_images(3), batch=2, workers=2, task="ImageMultiClass", run=False)
    return seen_class


def _decline_one(crew: Crew) -> None:
    crew.decline(0, crew.take(0))


def _begin_automated(shop: FaultShop) -> Answer:
    world, lines = colour_world(shop, 120, task="ImageMultiClass")
    shop.start(
        lines,
        LABELS,
        task="ImageMultiClass",
        batch=30,
        automation=Automation(0.6, 0.0, None),
        run=False,
    )
    return lambda object_id: world.seen(json.loads(lines[object_id])["source-ref"])


def _stop_after_one(crew: Crew) -> None:
    crew.submit(0, crew.take(0))
    crew.take(1)
    crew.stop()


def _begin_failing(shop: FaultShop) -> Answer:
    """The customer's own function fails from the second batch on."""

    def consolidate(event: Mapping[str, Any]) -> Any:
        key = event["payload"]["s3Uri"].removeprefix(f"s3://{BUCKET}/")
        if "iteration-2" in key:
            return "no list"
        return [
            {
                "datasetObjectId": entry["datasetObjectId"],
                "consolidatedAnnotation": {"content": {"animals": entry["datasetObjectId"]}},
            }
            for entry in shop.json(key)
        ]

    shop.functions.functions[OWN_POST] = consolidate
    shop.start(shop.add_images(3), batch=2, task=None, post=OWN_POST, run=False)
    return seen_box


BOXES = Scenario("boxes", 5, 1, _begin_boxes, _all_that_one_can_do)
CLASSES = Scenario("classes by two workers", 3, 2, _begin_classes, _decline_one)
AUTOMATED = Scenario("automated labeling", 120, 1, _begin_automated, lambda crew: None)
STOPPED = Scenario("stopped", 5, 1, _begin_boxes, _stop_after_one, JobStatus.STOPPED)
FAILING = Scenario("own function fails", 3, 1, _begin_failing, lambda crew: None, JobStatus.FAILED)
BY_PEOPLE = (BOXES, CLASSES, STOPPED, FAILING)
# Without automated labeling, which takes ten times as long, unless all points are asked for.
MOSTLY = (*BY_PEOPLE, AUTOMATED) if every_point() else BY_PEOPLE
EACH = pytest.mark.parametrize("scenario", MOSTLY, ids=lambda scenario: scenario.name)
BOXES_AND_CLASSES = pytest.mark.parametrize(
    "scenario", [BOXES, CLASSES], ids=lambda scenario: scenario.name
)
