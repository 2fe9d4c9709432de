"""How many requests automated labeling needs for the files it keeps."""

import json

import pytest

from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.settings import Automation
from tests.support.job_fakes import Workshop
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
