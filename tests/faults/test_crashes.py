"""A function dies just before or just after any of its writes; what called it calls again."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from groundwork import s3_client
from groundwork.jobs.model import JobStatus
from tests.support.fault_rows import Survived
from tests.support.faults import (
    AUTOMATED,
    BOXES,
    BOXES_AND_CLASSES,
    CLASSES,
    FAILING,
    STOPPED,
    WHENS,
    Answer,
    FaultShop,
    Run,
    Scenario,
    When,
    assert_nothing_lost,
    crash,
    crashing,
    points_of,
    some,
    steps_points_of,
)
from tests.support.job_fakes import CrashError
from tests.support.state_machine import Call


def crash_everywhere(
    scenario: Scenario, survived: Survived, every: int, *, part: int = 0, parts: int = 1
) -> None:
    """Let a crash happen at each point in turn, before and after the write, or at a part of them.

    Parts run side by side.
    """
    expected = Run(scenario).go().outcome()
    for name, when in some(both_sides_of(steps_points_of(scenario))[part::parts], every):
        run = crashing(scenario, name, when)
        assert_nothing_lost(run)
        assert run.outcome() == expected, f"another outcome after a crash {when} {name}"
        survived.at(1)


def both_sides_of(names: Sequence[str]) -> list[tuple[str, When]]:
    """Return each point before and after its write; of an odd part, some of either kind."""
    return [(name, when) for name in names for when in WHENS]


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a bounding-box job by people: steps, and a worker's "
    "take, take ahead, start, release, answer and changed answer",
    outcome="the step or the call runs again and the job ends with the very same labels",
)
def test_a_crash_anywhere_in_a_job_of_boxes_changes_nothing(survived: Survived) -> None:
    crash_everywhere(BOXES, survived, every=3)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a classification job by two workers for each object, "
    "with a declined task and consolidation",
    outcome="the step or the call runs again and the job ends with the very same labels",
)
def test_a_crash_anywhere_in_a_job_of_classes_by_two_workers_changes_nothing(
    survived: Survived,
) -> None:
    crash_everywhere(CLASSES, survived, every=5)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of the steps of a job with automated labeling: features, "
    "training, inference, plans, proposals, verdicts",
    outcome="the step runs again and the job ends with the very same labels by people and machine",
)
@pytest.mark.parametrize("part", some(range(4), 4))
def test_a_crash_anywhere_in_automated_labeling_changes_nothing(
    part: int, survived: Survived
) -> None:
    crash_everywhere(AUTOMATED, survived, every=11, part=part, parts=4)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a job that is stopped while people work",
    outcome="the job is Stopped, with every answer that was accepted before",
)
def test_a_crash_anywhere_in_a_job_that_is_stopped_loses_no_answer(survived: Survived) -> None:
    for name, when in some(both_sides_of(points_of(STOPPED)), 3):
        run = crashing(STOPPED, name, when)
        assert run.shop.job().status is JobStatus.STOPPED
        assert_nothing_lost(run)
        survived.at(1)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a job that fails, because the customer's consolidation "
    "function answers what it must not",
    outcome="the job is Failed with the reason, the earlier batches' labels and all answers are "
    "published",
)
def test_a_crash_anywhere_in_a_job_that_fails_loses_no_label(survived: Survived) -> None:
    crash_everywhere(FAILING, survived, every=5)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a job whose files all come in parts of 100 bytes",
    outcome="a file is there whole or not at all; the job ends with the very same labels",
)
def test_a_crash_between_the_parts_of_a_file_leaves_no_part_of_it(
    survived: Survived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_client, "PART_BYTES", 100)
    names = points_of(BOXES)
    assert sum(name.startswith("complete_multipart_upload") for name in names) > 5
    crash_everywhere(BOXES, survived, every=61)


def _begin_dying(shop: FaultShop) -> Answer:
    def die_of_consolidation(call: Call, step: Callable[[], Any]) -> Any:
        if call.step == "consolidate":
            raise CrashError
        return step()

    shop.machine.around = die_of_consolidation
    return BOXES.begin(shop)


SAVED = Scenario(
    "saved while it fails", 5, 1, _begin_dying, lambda crew: None, ends=JobStatus.FAILED
)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of a job that fails because a step always dies, so that "
    "the step that fails it saves the labels of its last batch",
    outcome="the job is Failed with the reason; the last batch's labels are in the output, and "
    "counted",
)
def test_a_crash_while_a_failing_jobs_labels_are_saved_loses_none(survived: Survived) -> None:
    crash_everywhere(SAVED, survived, every=3)


@pytest.mark.fault(
    what="function crash, again and again",
    where="each step's and each call's first three attempts, at the first point that each comes to",
    outcome="the fourth attempt does it",
)
@BOXES_AND_CLASSES
def test_three_crashes_in_a_row_at_one_point_are_survived(
    scenario: Scenario, survived: Survived
) -> None:
    expected = Run(scenario).go().outcome()
    for name in some(points_of(scenario), 17):
        what = name.rpartition(" (")[0]
        if not name.endswith("(1)"):
            continue
        run = Run(scenario)
        for number in (1, 2, 3):
            run.points.plan(f"{what} ({number})", "before", crash)
        run.go()
        assert run.points.fired == [f"{what} ({number})" for number in (1, 2, 3)]
        assert_nothing_lost(run)
        assert run.outcome() == expected
        survived.at(3)
