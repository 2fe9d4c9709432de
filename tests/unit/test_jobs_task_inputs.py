"""Tasks' inputs come out of the batch's file with few reads of it."""

import json

import pytest

from groundwork.jobs.model import Job, Task
from groundwork.jobs.task_inputs import BLOCK_BYTES, TaskInputs
from tests.support.job_fakes import Workshop


def batch_of(*texts: str) -> tuple[Workshop, Job, list[Task], TaskInputs]:
    """A batch whose tasks show these texts."""
    shop = Workshop()
    job = shop.start(shop.add_images(1))
    lines = [
        json.dumps({"id": number, "input": {"text": text}}) for number, text in enumerate(texts)
    ]
    [key] = shop.s3.keys("intermediate/1/batch.jsonl")
    shop.s3.add(f"s3://images/{key}", "".join(f"{line}\n" for line in lines).encode())
    tasks = []
    start = 0
    for number, line in enumerate(lines):
        tasks.append(Task(job.name, 1, number, 1, start, len(line)))
        start += len(line) + 1
    shop.s3.calls.clear()
    return shop, job, tasks, TaskInputs(lambda _: shop.files)


def test_many_tasks_take_one_read() -> None:
    shop, job, tasks, inputs = batch_of(*(f"input {number}" for number in range(500)))
    for number, task in enumerate(tasks):
        assert inputs.of(job, task) == {"text": f"input {number}"}
    assert len(shop.s3.calls) == 1


@pytest.mark.parametrize("length", [BLOCK_BYTES - 100, BLOCK_BYTES, 3 * BLOCK_BYTES])
def test_an_input_may_lie_across_blocks_and_be_larger_than_one(length: int) -> None:
    texts = ("before", "x" * length, "after")
    _, job, tasks, inputs = batch_of(*texts)
    assert [inputs.of(job, task)["text"] for task in tasks] == list(texts)


def test_no_more_than_a_few_blocks_are_kept() -> None:
    shop, job, tasks, inputs = batch_of(*("x" * BLOCK_BYTES for _ in range(40)))
    for task in tasks:
        inputs.of(job, task)
    shop.s3.calls.clear()
    inputs.of(job, tasks[-1])
    assert shop.s3.calls == []
    inputs.of(job, tasks[0])
    assert len(shop.s3.calls) == 2
