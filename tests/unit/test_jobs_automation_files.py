"""How many requests automated labeling needs for the files it keeps."""

import json
import threading
from dataclasses import asdict

import pytest

from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.models import ModelOrigin, ModelRecord
from groundwork.jobs.automation.records import Decision, PlanRecord
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.recording import record_round
from tests.support.job_fakes import Workshop, worker
from tests.support.learning_fakes import LABELS, colour_world

CLASSES = "ImageMultiClass"


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


def started(shop: Workshop, objects: int = 120) -> tuple[AutomationFiles, list[str]]:
    """Start a job of three shards; return its files and its manifest's lines."""
    _, lines = colour_world(shop, objects, task=CLASSES)
    job = shop.start(lines, LABELS, task=CLASSES, batch=50, automation=Automation(0.6))
    shop.s3.calls.clear()
    return AutomationFiles(shop.files, job), lines


def gets(shop: Workshop, part: str) -> int:
    return sum(operation == "get_object" and part in key for operation, key in shop.s3.calls)


def test_the_lines_of_some_objects_are_read_a_shard_at_a_time(shop: Workshop) -> None:
    files, lines = started(shop)
    objects = [*range(3, 39, 4), 40, 79, *range(81, 120)]

    found = list(files.lines_of(objects))

    assert [line.object_id for line in found] == objects
    assert [line.parse() for line in found] == [json.loads(lines[each]) for each in objects]
    assert gets(shop, "lines.bin") == gets(shop, "manifest") == 3


def side_by_side(shop: Workshop, part: str, count: int) -> None:
    """Let reads of some files begin together only."""
    together = threading.Barrier(count)

    def wait(operation: str, key: str) -> None:
        if operation == "get_object" and part in key:
            together.wait(20)

    shop.s3.before = wait


def a_plan(iteration: int) -> PlanRecord:
    return PlanRecord(iteration, Decision.LEARN, "", (), (iteration,), 9, (), 0.0, 0.0)


def test_plans_are_read_side_by_side_and_yielded_in_order(shop: Workshop) -> None:
    files, _ = started(shop)
    for iteration in (6, 7, 9):
        files.keep_plan(a_plan(iteration), None)
    side_by_side(shop, "plan.json", 5)

    assert [plan.iteration for plan in files.plans(range(10, 5, -1))] == [9, 7, 6]


def test_the_last_model_is_looked_for_in_several_rounds_at_once(shop: Workshop) -> None:
    files, _ = started(shop)
    record = ModelRecord(2, CLASSES, LABELS, ModelOrigin.TRAINED, 20, 20, "", 1, 0.0)
    files.keep_model_record(record)
    files.keep_model_record(ModelRecord(**{**asdict(record), "iteration": 3, "origin": None}))
    side_by_side(shop, "model.json", 5)

    assert files.last_model(4) == 2


def test_a_round_s_record_reads_each_plan_and_verdict_once(shop: Workshop) -> None:
    world, lines = colour_world(shop, 200, task=CLASSES)
    job = shop.start(lines, LABELS, task=CLASSES, batch=50, automation=Automation(0.6))
    shop.answer_all([worker(1)], world.answer)
    last = shop.job().iteration
    assert last > 1
    assert shop.loop.engine is not None
    automated = Automated.of(shop.loop.engine, job)
    shop.s3.calls.clear()

    assert record_round(automated, last) is not None

    plans = [key for operation, key in shop.s3.calls if key.endswith("/plan.json")]
    assert len(plans) == len(set(plans)) > 1
    assert gets(shop, "verdict.json") == last
