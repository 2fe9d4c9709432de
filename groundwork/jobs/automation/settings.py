"""What a job asks of automated labeling.

CreateLabelingJob has no fields for it, since Ground Truth's targets are fixed; tags of the job say
it here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_TAG_PREFIX = "groundwork:auto-labeling-"
TARGET_TAG = f"{_TAG_PREFIX}target"
SAMPLE_PERCENTAGE_TAG = f"{_TAG_PREFIX}sample-percentage"
_TAGS = (TARGET_TAG, SAMPLE_PERCENTAGE_TAG)

# Ground Truth's fixed targets, by task types: mean IoU of boxes, share of right classes.
# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-automated-labeling.html
DEFAULT_TARGETS: Mapping[str, float] = MappingProxyType(
    {"BoundingBox": 0.6, "ImageMultiClass": 0.95}
)
_HIGHEST_SAMPLE_PERCENTAGE = 50.0
# People's share of what was to be labeled at first, at a time: ten batches are enough to learn from
# and to judge with, and smaller ones would spend people's time on waiting for trainings.
_SHARE_AT_ONCE = 10
_LEAST_AT_ONCE = 50


@dataclass(frozen=True)
class Automation:
    """What automated labels of a job have to be.

    Parameters
    ----------
    target
        The mean quality that they must have, from 0 to 1.
    sampled_share
        How much of what a round proposes people see at least, from 0 to 1.
    initial_model
        The S3 folder of the model that the job begins with, or None.
    """

    target: float
    sampled_share: float = 0.0
    initial_model: str | None = None


def objects_at_once(to_label: int) -> int:
    """Return how many objects people get at a time, whatever the batch size allows.

    It is a tenth of what the job is to label, so that something is left to automate, but not fewer
    than 50.
    """
    return max(_LEAST_AT_ONCE, to_label // _SHARE_AT_ONCE)


def automation_of(task_key: str, tags: Mapping[str, str]) -> Automation:
    """Return what tags without problems ask for."""
    target = _number(tags.get(TARGET_TAG))
    percentage = _number(tags.get(SAMPLE_PERCENTAGE_TAG))
    return Automation(
        target=DEFAULT_TARGETS[task_key] if target is None else target,
        sampled_share=0.0 if percentage is None else percentage / 100,
    )


def automation_tag_problems(tags: Mapping[str, str], *, automated: bool) -> Iterator[str]:
    """Yield everything that is wrong with a job's tags about automated labeling.

    Parameters
    ----------
    automated
        Whether the job asks for automated labeling at all.
    """
    own = {key: value for key, value in tags.items() if key.startswith(_TAG_PREFIX)}
    if own and not automated:
        told = ", ".join(sorted(own))
        yield (
            f"Tags {told}: the job does not ask for automated labeling; add "
            "LabelingJobAlgorithmsConfig, or leave the tags out"
        )
    for key in sorted(own.keys() - set(_TAGS)):
        yield f"tag {key!r} is none of {', '.join(_TAGS)}"
    yield from _range_problem(own, TARGET_TAG, 1.0, "above 0, at most 1", above_zero=True)
    yield from _range_problem(
        own,
        SAMPLE_PERCENTAGE_TAG,
        _HIGHEST_SAMPLE_PERCENTAGE,
        f"from 0 to {_HIGHEST_SAMPLE_PERCENTAGE:.0f}",
        above_zero=False,
    )


def _range_problem(
    tags: Mapping[str, str], key: str, highest: float, accepted: str, *, above_zero: bool
) -> Iterator[str]:
    if key not in tags:
        return
    number = _number(tags[key])
    if number is None or not 0 <= number <= highest or (above_zero and number == 0):
        yield f"tag {key!r} is {tags[key]!r}; a number {accepted} is expected"


def _number(text: str | None) -> float | None:
    """Return a finite number, or None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
