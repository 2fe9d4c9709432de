"""What the load runs count: a task given twice or to too many is seen."""

from collections.abc import Mapping
from typing import Any

from benchmarks.support.labeling_crowd import Labeling, between


class FakeWorker:
    """Is given the tasks that it was made with, in turn."""

    def __init__(self, *objects: int) -> None:
        self._objects = list(objects)
        self.answered: list[str] = []

    def take(self, job: str) -> dict[str, Any] | None:
        if not self._objects:
            return None
        number = self._objects.pop(0)
        return {"lease": f"{job}.{number}", "objectId": number}

    def answer(self, lease: str, content: Mapping[str, Any], seconds: float) -> None:
        self.answered.append(lease)


def labeled(*workers: FakeWorker, job: str = "job") -> Labeling:
    labeling = Labeling()
    for each in workers:
        while labeling.label_one(each, job, lambda: 0.0):  # type: ignore[arg-type]
            pass
    return labeling


def test_a_task_for_each_is_fine() -> None:
    first, second = FakeWorker(1, 2), FakeWorker(2, 3)
    labeling = labeled(first, second)
    assert first.answered == ["job.1", "job.2"]
    assert labeling.given_twice() == 0
    assert labeling.given_to_too_many(2) == 0


def test_a_task_that_a_worker_had_before_is_counted() -> None:
    assert labeled(FakeWorker(1, 2, 1)).given_twice() == 1


def test_an_object_of_too_many_workers_is_counted() -> None:
    assert labeled(FakeWorker(1), FakeWorker(1)).given_to_too_many(1) == 1


def test_objects_of_other_jobs_are_others() -> None:
    labeling = labeled(FakeWorker(1))
    labeling.add(labeled(FakeWorker(1), job="another"))
    assert labeling.given_to_too_many(1) == 0
    # Each took a task, answered it, and asked in vain for another.
    assert len(labeling.milliseconds) == 6


def test_people_pause_differently() -> None:
    pause = between(1.0, 3.0)
    pauses = {pause() for _ in range(9)}
    assert len(pauses) == 9
    assert all(1 <= each <= 3 for each in pauses)
