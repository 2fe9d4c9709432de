"""What the functions of the loop work with where they are deployed."""

from collections.abc import Callable
from datetime import UTC, datetime

from groundwork.autolabel.learner import Learner
from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.notice_client import NoticeClient
from groundwork.jobs.steps import Engine, no_learner
from groundwork.role_client import job_session_name
from groundwork.s3_client import S3Client


def engine_from_environment(learner_of: Callable[[str], Learner] = no_learner) -> Engine:
    """Use the function's own rights for the engine, and a job's role for its files.

    Parameters
    ----------
    learner_of
        Gives a task type's learner, in the function that has the network.
    """
    return Engine(
        store=JobStore.from_environment(),
        files_for_job=lambda job: S3Client.for_role(job.role_arn, job_session_name(job.name)),
        functions_for_job=lambda job: FunctionClient.for_role(
            job.role_arn, job_session_name(job.name)
        ),
        loop=LoopClient.from_environment(),
        notices=NoticeClient.from_environment(),
        clock=lambda: datetime.now(UTC),
        learner_of=learner_of,
    )
