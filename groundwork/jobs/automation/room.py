"""How much a round may ask of people and accept from a model."""

from dataclasses import dataclass

import numpy as np

from groundwork.contract.automated_labeling import SMALLEST_SAMPLE
from groundwork.jobs.allowance import objects_for_people, objects_to_label
from groundwork.jobs.automation.objects import BEFORE, ObjectState, States, objects_in
from groundwork.jobs.automation.settings import objects_at_once
from groundwork.jobs.model import Job, Progress


@dataclass(frozen=True)
class Room:
    """What the next round may be at most.

    Parameters
    ----------
    people
        How many objects people get at a time while the model learns.
    sample
        How many they may get to judge labels by, which saves them more than it costs.
    labels
        How many labels may be accepted beside people's.
    pool
        How many objects are left.
    """

    people: int
    sample: int
    labels: int
    pool: int

    def too_little(self) -> str | None:
        """Say why no label could be accepted, whatever the model; None if some could."""
        if self.pool <= 2 * SMALLEST_SAMPLE:
            return (
                f"no more than {self.pool} objects are left: a sample of {SMALLEST_SAMPLE} would "
                "not save people more work than it costs them"
            )
        if self.people < SMALLEST_SAMPLE:
            return (
                f"people may get {self.people} more objects at a time (MaxConcurrentTaskCount, "
                f"stopping conditions), fewer than the {SMALLEST_SAMPLE} that a sample takes"
            )
        if self.labels <= SMALLEST_SAMPLE:
            return (
                f"MaxPercentageOfInputDatasetLabeled leaves room for {self.labels} labels beside "
                f"people's next batch, no more than the {SMALLEST_SAMPLE} that a sample takes"
            )
        return None


def room_for(job: Job, progress: Progress, states: States) -> Room:
    """Return what the next round may be.

    People never get more than the job's own limits allow. Where the job is to label a
    part of its input only, what people may get is set aside before labels are accepted, so that
    both together stay within it.
    """
    to_label = len(states) - len(objects_in(states, *BEFORE))
    allowed = objects_for_people(job, progress)
    people = min(allowed, objects_at_once(to_label))
    left = objects_to_label(job, progress)
    unlimited = left == progress.counters.unlabeled
    return Room(
        people=people,
        sample=allowed if unlimited else people,
        labels=left if unlimited else left - people,
        pool=int(np.count_nonzero(states == ObjectState.POOL)),
    )
