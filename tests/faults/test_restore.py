"""Table and files are brought back to an earlier moment, as docs/operations.md tells it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from groundwork.jobs.model import JobStatus
from groundwork.table_client import Write
from tests.support.fault_rows import Survived
from tests.support.faults import (
    BOXES,
    BOXES_AND_CLASSES,
    CLASSES,
    Crew,
    FaultShop,
    Run,
    Scenario,
    assert_counters_add_up,
    assert_nothing_open,
    published,
    some,
)
from tests.support.job_fakes import box, boxes_answer, class_answer

LATER = {
    BOXES.name: boxes_answer(box("cat", 1, 2, 3, 4)),
    CLASSES.name: class_answer("cat"),
}


def is_of_job(key: tuple[str, str]) -> bool:
    """Whether an item is one of those that the guide names."""
    pk, sk = key
    if pk == "JOB":
        return sk == "job"
    return (
        pk == "JOB#job"
        or pk.startswith("BATCH#job#")
        or (pk.startswith("WORKER#") and pk.endswith("#job"))
    )


@dataclass(frozen=True)
class Moment:
    """What there was of a job just after a write: its items, and which files."""

    items: Mapping[tuple[str, str], Mapping[str, Any]]
    files: frozenset[tuple[str, str]]

    @property
    def answers(self) -> set[tuple[str, int]]:
        """Who had answered which object."""
        return {
            (answer["worker_id"], int(item["object_id"]))
            for (pk, _), item in self.items.items()
            if pk.startswith("BATCH#")
            for answer in item.get("answers", ())
        }

    @property
    def iteration_before(self) -> int:
        """The input of an execution that goes on with the batch of this moment."""
        batches = [
            int(item["iteration"]) for (pk, _), item in self.items.items() if pk == "JOB#job"
        ]
        return max(0, max(batches, default=0) - 1)

    def bring_back(self, shop: FaultShop) -> None:
        """Replace the job's items, and delete newer files, people's answers excepted."""
        items = shop.table.items
        for key in [key for key in items if is_of_job(key)]:
            del items[key]
        for key, item in self.items.items():
            items[key] = deepcopy(dict(item))
        for bucket, name in shop.s3.objects.keys() - self.files:
            if "/answers/" not in name:
                del shop.s3.objects[bucket, name]


def run_with_moments(scenario: Scenario) -> tuple[Run, list[Moment]]:
    """Run a job to its end; return it with what there was after each write."""
    run = Run(scenario)
    table, moments = run.shop.table, []
    apply = table.transact

    def transact(writes: Sequence[Write]) -> None:
        apply(writes)
        items = {key: deepcopy(table.items[key]) for key in table.items if is_of_job(key)}
        moments.append(Moment(items, frozenset(run.shop.s3.objects)))

    table.transact = transact  # type: ignore[method-assign]  # wraps it
    return run.go(), moments


@BOXES_AND_CLASSES
@pytest.mark.fault(
    what="loss of the engine's table, brought back from its backup after the job's end",
    where="a backup of the moment after each write of a job",
    outcome="with the loop started again the job goes on to its end: answers that the backup has "
    "are published, the others are asked for again",
)
def test_a_job_goes_on_from_a_backup(scenario: Scenario, survived: Survived) -> None:
    _, moments = run_with_moments(scenario)
    later = LATER[scenario.name]
    for number in some(range(len(moments)), 5):
        run, moments = run_with_moments(scenario)
        moment, shop = moments[number], run.shop
        moment.bring_back(shop)
        if shop.job().status.is_final:
            continue
        shop.machine.begin("job_again-1", {"job": "job", "iteration": moment.iteration_before})
        Crew(shop, lambda object_id: later).label()

        assert shop.job().status is JobStatus.COMPLETED
        assert_counters_add_up(shop, run.scenario.lines)
        assert_nothing_open(shop, shop.job())
        found = dict(published(shop))
        assert moment.answers <= found.keys()
        for key, content in found.items():
            assert content in (run.crew.tried[key] if key in moment.answers else [later])
        survived.at(1)
