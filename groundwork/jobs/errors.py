"""What can go wrong with a labeling job or with a worker's task."""


class JobError(Exception):
    """Something about a labeling job prevents what was asked for."""


class JobExistsError(JobError):
    """A labeling job of this name, in whatever case, exists already."""


class JobNotFoundError(JobError):
    """There is no labeling job of this name."""


class JobFailedError(JobError):
    """The labeling job cannot go on; trying the same step again would not help."""


class JobFormatError(JobError):
    """A newer release wrote this job, in a form that this one cannot read."""


class WorkError(JobError):
    """A worker cannot do this with a task now."""


class NotInTeamError(WorkError):
    """The worker is not a member of the job's work team."""


class JobNotOpenError(WorkError):
    """The job, or the batch that the task belongs to, takes no answers any more."""


class LeaseNotFoundError(WorkError):
    """The worker does not hold this task, or the lease id is not one of ours."""


class LeaseExpiredError(WorkError):
    """The worker held this task for longer than its time limit."""


class AlreadyAnsweredError(WorkError):
    """Another answer was accepted under the same lease."""


class AnswerTooLargeError(WorkError):
    """The answer is larger than a function's request may be."""
