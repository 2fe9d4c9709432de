"""The task types that can be labeled automatically, by their keys in the contract."""

from collections.abc import Callable, Mapping

from groundwork.autolabel.backbone.network import Backbone
from groundwork.autolabel.boxes.learner import BoxLearner
from groundwork.autolabel.classes.learner import ClassLearner
from groundwork.autolabel.learner import Learner

LEARNERS: Mapping[str, Callable[[Backbone], Learner]] = {
    "BoundingBox": BoxLearner,
    "ImageMultiClass": ClassLearner,
}


def learner_of(task_key: str) -> Learner:
    """Return the learner of a task type, on this machine's backbone."""
    return LEARNERS[task_key](Backbone.of_this_machine())
