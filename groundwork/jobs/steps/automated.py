"""What the steps of automated labeling have in common."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from groundwork.autolabel.learner import Learner
from groundwork.autolabel.rounds import Terms
from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.labels import LABEL_FORMS, LabelForm
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.model import Job, JobStatus, Progress
from groundwork.jobs.steps import Engine
from groundwork.jobs.steps.preparation import read_labels


@dataclass(frozen=True)
class Automated:
    """A job with automated labeling, with its files and the form of its labels."""

    engine: Engine
    job: Job
    automation: Automation
    task_key: str
    files: AutomationFiles

    @classmethod
    def of(cls, engine: Engine, job: Job) -> "Automated":
        """Return the job as the steps of automated labeling see it."""
        if job.automation is None or job.task is None:
            raise JobFailedError(f"job {job.name} has no automated labeling")
        files = AutomationFiles(engine.files_for_job(job), job)
        return cls(engine, job, job.automation, job.task.key, files)

    @property
    def is_running(self) -> bool:
        """Whether the job goes on: one that is to stop needs no further model."""
        return self.job.status is JobStatus.IN_PROGRESS

    @property
    def form(self) -> LabelForm:
        """The form of the job's labels."""
        return LABEL_FORMS[self.task_key]

    @property
    def learner(self) -> Learner:
        """What learns this task, in the function that has the network."""
        return self.engine.learner_of(self.task_key)

    @property
    def terms(self) -> Terms:
        """What the job asks of automated labels."""
        return Terms(
            target=self.automation.target,
            graded=self.form.graded,
            sampled_share=self.automation.sampled_share,
        )

    @property
    def seed(self) -> int:
        """What the learner's random choices come from, so that a training repeats itself."""
        return _number(self.job.arn)

    def draws(self, iteration: int, purpose: str) -> np.random.Generator:
        """Return what draws objects: the same again for the same purpose.

        People could work out the job's ARN, and who knew the sample could label it with more care
        than the rest. The reference code is random and no worker sees it.
        """
        return np.random.default_rng(
            [_number(f"{self.job.arn} {self.job.reference_code} {purpose}"), iteration]
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The job's labels in the order of their class ids."""
        return read_labels(self.files.s3, self.job) or ()

    def progress(self, iteration: int) -> Progress:
        """Return how far the job is after an iteration."""
        return self.engine.store.progress_after(self.job.name, iteration)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
