"""The steps of the loop that need the network, by the names that the state machine calls them.

They run in a function of their own, which has the network and more memory than the other one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.extracting import extract_features
from groundwork.jobs.steps.inferring import infer
from groundwork.jobs.steps.training import train

Event = Mapping[str, Any]

AUTO_LABELING_STEPS: Mapping[str, Callable[[Engine, Event], StepResult]] = {
    "features": lambda engine, event: extract_features(engine, event["job"], event["shard"]),
    "train": lambda engine, event: train(engine, event["job"], event["iteration"]),
    "infer": lambda engine, event: infer(engine, event["job"], event["iteration"], event["shard"]),
}


def run_auto_labeling_step(engine: Engine, event: Event) -> StepResult:
    """Run the step that an event names: ``step``, ``job``, ``iteration`` and mostly a ``shard``."""
    return AUTO_LABELING_STEPS[event["step"]](engine, event)
