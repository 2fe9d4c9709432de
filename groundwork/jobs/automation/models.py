"""A round's model: what is kept of it, and the ARN by which a later job may begin with it.

The labeling API reads it, too, so that nothing here needs arrays.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from groundwork.contract.arns import Arn, sagemaker_arn

RECORD_NAME = "model.json"
_MODEL = "model"


class ModelOrigin(StrEnum):
    """Where an iteration's model comes from."""

    TRAINED = "trained"
    # By InitialActiveLearningModelArn.
    GIVEN = "given"


@dataclass(frozen=True)
class ModelRecord:
    """An iteration's model, or why there is none: ``training/<iteration>/model.json``.

    Parameters
    ----------
    task, classes
        The task type's key, and the labels in the order of their class ids: what a later job has to
        have, too, in order to begin with this model.
    learned_from
        How many labels the model has learned from.
    known
        How many labels by people there were.
    reason
        Why this model was chosen, or why there is none.
    """

    iteration: int
    task: str
    classes: tuple[str, ...]
    origin: ModelOrigin | None
    learned_from: int
    known: int
    reason: str
    seed: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ModelRecord":
        """Read the document."""
        origin = document["origin"]
        return cls(
            **{
                **document,
                "classes": tuple(document["classes"]),
                "origin": None if origin is None else ModelOrigin(origin),
            }
        )


def model_arn(region: str, account: str, job_name: str, iteration: int) -> str:
    """Return the ARN of the model that a job made in an iteration."""
    return sagemaker_arn(region, account, f"{_MODEL}/{job_name}-{iteration}")


def job_and_iteration(arn: Arn) -> tuple[str, int] | None:
    """Return whose model an ARN names; None if it is no model's of ours."""
    job_name, _, iteration = arn.resource_name.rpartition("-")
    is_model = arn.service == "sagemaker" and arn.resource == f"{_MODEL}/{arn.resource_name}"
    # Ten digits are more iterations than any job has.
    if not (is_model and job_name and iteration.isascii() and iteration.isdigit()):
        return None
    return (job_name, int(iteration)) if len(iteration) <= 10 else None
