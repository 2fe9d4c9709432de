"""How much of its input a job may still have labeled.

Neither stopping condition is ever exceeded, so that nobody labels, and no model does, what the
customer did not ask for:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_LabelingJobStoppingConditions.html
"""

from groundwork.jobs.model import Job, Progress

_PEOPLE = "MaxHumanLabeledObjectCount"
_PERCENTAGE = "MaxPercentageOfInputDatasetLabeled"


def objects_for_people(job: Job, progress: Progress) -> int:
    """Return how many objects people may get next; none when a condition is met."""
    allowance = min(job.batch_size, objects_to_label(job, progress))
    most_by_people = _conditions(job).get(_PEOPLE)
    if most_by_people is not None:
        allowance = min(allowance, most_by_people - progress.labeled_by_people)
    return max(0, allowance)


def objects_to_label(job: Job, progress: Progress) -> int:
    """Return how many objects may still get a label, by people and machine together."""
    counters = progress.counters
    percentage = _conditions(job).get(_PERCENTAGE)
    if percentage is None:
        return counters.unlabeled
    most = counters.total_objects * percentage // 100
    return max(0, min(counters.unlabeled, most - counters.total_labeled))


def condition_met(job: Job, progress: Progress) -> str | None:
    """Name the stopping condition that leaves nothing to do, or return None."""
    conditions = _conditions(job)
    if progress.counters.unlabeled == 0 or objects_for_people(job, progress) > 0:
        return None
    met = _PERCENTAGE if objects_to_label(job, progress) == 0 else _PEOPLE
    return f"{met} ({conditions[met]}) is reached"


def _conditions(job: Job) -> dict[str, int]:
    return job.request.get("StoppingConditions") or {}
