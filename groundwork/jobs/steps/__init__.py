"""The steps of a labeling job's loop.

Each may run again at any time, after a crash or because it was called twice: what it writes follows
from the job and the iteration alone, and what it decided once is kept and not decided again.
"""

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from groundwork.autolabel.learner import Learner
from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Clock, FilesForJob, Job
from groundwork.jobs.notice_client import Notices

# Objects whose features, forecasts and labels are worked on by one function: half a minute of work,
# and well within its memory.
_OBJECTS_PER_SHARD = 500


def no_learner(task_key: str) -> Learner:
    """Stand in where there is no network, and nothing is to be learned."""
    raise NotImplementedError(f"this function cannot learn {task_key}: it has no network")


@dataclass(frozen=True)
class Engine:
    """What the steps work with.

    Parameters
    ----------
    files_for_job, functions_for_job
        Give S3 and the customer's functions with the job's own role.
    clock, random
        The time, and what shuffles the tasks of a batch.
    learner_of
        Gives a task type's learner by its key, in the function that has the network.
    objects_per_shard
        How many objects of a new job are worked on together.
    """

    store: JobStore
    files_for_job: FilesForJob
    functions_for_job: Callable[[Job], FunctionClient]
    loop: LoopClient
    notices: Notices
    clock: Clock
    random: random_module.Random = field(default_factory=random_module.SystemRandom)
    learner_of: Callable[[str], Learner] = no_learner
    objects_per_shard: int = _OBJECTS_PER_SHARD


@dataclass(frozen=True)
class StepResult:
    """Where the loop is after a step, and what the state machine is to do next.

    ``shards`` are the groups of objects that the next step is to be run on, side by side.
    """

    job: str
    iteration: int
    outcome: str
    shards: tuple[int, ...] | None = None

    def answer(self) -> dict[str, Any]:
        """Return what the function answers to the state machine."""
        answer: dict[str, Any] = {
            "job": self.job,
            "iteration": self.iteration,
            "outcome": self.outcome,
        }
        return answer if self.shards is None else {**answer, "shards": list(self.shards)}
