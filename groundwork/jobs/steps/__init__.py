"""The steps of a labeling job's loop.

Each may run again at any time, after a crash or because it was called twice: what it writes follows
from the job and the iteration alone, and what it decided once is kept and not decided again.
"""

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass, field

from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Clock, FilesForJob, Job
from groundwork.jobs.notice_client import Notices


@dataclass(frozen=True)
class Engine:
    """What the steps work with.

    Parameters
    ----------
    files_for_job, functions_for_job
        Give S3 and the customer's functions with the job's own role.
    clock, random
        The time, and what shuffles the tasks of a batch.
    """

    store: JobStore
    files_for_job: FilesForJob
    functions_for_job: Callable[[Job], FunctionClient]
    loop: LoopClient
    notices: Notices
    clock: Clock
    random: random_module.Random = field(default_factory=random_module.SystemRandom)


@dataclass(frozen=True)
class StepResult:
    """Where the loop is after a step, and what the state machine is to do next."""

    job: str
    iteration: int
    outcome: str
