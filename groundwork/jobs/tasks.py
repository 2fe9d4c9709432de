"""The rules by which a task goes through people's hands.

Everything here is pure: a task and a time go in, a task comes out. ``job_store`` writes the result
if the task is still the one that was decided on, and decides anew if it is not.
"""

from dataclasses import replace
from datetime import datetime

from groundwork.jobs.errors import (
    AlreadyAnsweredError,
    JobNotOpenError,
    LeaseExpiredError,
    LeaseNotFoundError,
)
from groundwork.jobs.model import AnswerRecord, Lease, Task

_EXPIRED_LEASES_KEPT = 5


def can_take(task: Task, worker_id: str, now: datetime) -> bool:
    """Tell whether a worker may have this task now.

    Nobody gets a task again that they answered, declined or still hold, and no more people work on
    it than were asked for.
    """
    return (
        not task.closed
        and not is_declined(task)
        and worker_id not in workers_done(task)
        and all(lease.worker_id != worker_id for lease in _live(task, now))
        and _places_left(task, now) > 0
    )


def take(task: Task, lease: Lease, now: datetime) -> Task:
    """Give a task to a worker who may have it.

    Some leases that ran out are kept, so that who held them is told so instead of "not yours".
    """
    others = [kept for kept in task.leases if kept.worker_id != lease.worker_id]
    expired = [kept for kept in others if kept.expires_at <= now][-_EXPIRED_LEASES_KEPT:]
    live = [kept for kept in others if kept.expires_at > now]
    return _changed(task, leases=(*expired, *live, lease))


def start(task: Task, lease: Lease, expires_at: datetime, now: datetime) -> Task:
    """Let the time of a lease that was taken ahead begin now; once, so it is no way to hold on."""
    started = replace(lease, accepted_at=now, expires_at=expires_at, ahead=False)
    return _changed(task, leases=(*_without(task, lease.nonce), started))


def held_lease(task: Task, worker_id: str, nonce: str, now: datetime) -> Lease:
    """Return a worker's lease.

    Raises
    ------
    JobNotOpenError, LeaseNotFoundError, LeaseExpiredError
        If the task takes no answers any more, or the worker does not hold it (any more).
    """
    if task.closed:
        raise JobNotOpenError(
            "This task is closed and takes no answers any more: its time is over, or the job ended."
        )
    for lease in task.leases:
        if lease.nonce == nonce and lease.worker_id == worker_id:
            if lease.expires_at <= now:
                raise LeaseExpiredError(
                    f"The time for this task ran out at {lease.expires_at:%Y-%m-%d %H:%M:%S} UTC. "
                    "Take the task again, if it is still there, and submit within its time limit."
                )
            return lease
    raise LeaseNotFoundError("You do not hold this task; take it first.")


def is_answered(task: Task, worker_id: str, nonce: str, digest: str) -> bool:
    """Tell whether this very answer was accepted before.

    Raises
    ------
    AlreadyAnsweredError
        If another one was accepted under the same lease.
    """
    answer = own_answer(task, worker_id, nonce)
    if answer is not None and answer.digest != digest:
        raise AlreadyAnsweredError("Another answer to this task was accepted from you before.")
    return answer is not None


def submit(task: Task, record: AnswerRecord, now: datetime) -> Task:
    """Accept an answer from a worker who holds the task."""
    rest = _without(task, record.nonce)
    return _settled(_changed(task, leases=rest, answers=(*task.answers, record)), now)


def own_answer(task: Task, worker_id: str, nonce: str) -> AnswerRecord | None:
    """Return the answer that was accepted under a worker's lease, or None."""
    for answer in task.answers:
        if answer.nonce == nonce and answer.worker_id == worker_id:
            return answer
    return None


def replace_answer(task: Task, earlier: AnswerRecord, record: AnswerRecord) -> Task:
    """Put a worker's answer in the place of their earlier one; whether it is closed stays so."""
    answers = tuple(record if answer == earlier else answer for answer in task.answers)
    return _changed(task, leases=task.leases, answers=answers)


def release(task: Task, lease: Lease, now: datetime) -> Task:
    """Take a task back, for anybody."""
    return _settled(_changed(task, leases=_without(task, lease.nonce)), now)


def decline(task: Task, lease: Lease, now: datetime) -> Task:
    """Take a task back, for anybody else.

    When it was declined as many times as people were asked for, it is not given out again:
    https://docs.aws.amazon.com/sagemaker/latest/dg/sms-monitor-cloud-watch.html
    """
    declined = (*task.declined_by, lease.worker_id)
    changed = _changed(task, leases=_without(task, lease.nonce), declined_by=declined)
    return _settled(changed, now)


def close(task: Task) -> Task:
    """Let a task take no further answers."""
    return _changed(task, leases=(), closed=True)


def settle(task: Task, now: datetime) -> Task:
    """Close a task that nobody can work on any more; otherwise return it as it is."""
    return close(task) if _needs_nobody(task, now) and not task.closed else task


def is_declined(task: Task) -> bool:
    """Tell whether a task was given up because people declined it."""
    return len(task.declined_by) >= task.workers_wanted


def workers_done(task: Task) -> frozenset[str]:
    """Return who will not get this task again, for having answered or declined it."""
    answered = {answer.worker_id for answer in task.answers}
    return frozenset(answered | set(task.declined_by))


def available_from(task: Task, now: datetime) -> datetime | None:
    """Return when the task can next be taken; None if it is so already.

    A task whose places are all taken comes back when the first lease runs out. Only tasks that are
    not closed have such a time.
    """
    if _places_left(task, now) > 0 and not is_declined(task):
        return None
    return min((lease.expires_at for lease in _live(task, now)), default=None)


def _settled(task: Task, now: datetime) -> Task:
    if _needs_nobody(task, now):
        return replace(task, leases=(), closed=True)
    return task


def _needs_nobody(task: Task, now: datetime) -> bool:
    enough = len(task.answers) >= task.workers_wanted
    return enough or (is_declined(task) and not _live(task, now))


def _places_left(task: Task, now: datetime) -> int:
    return task.workers_wanted - len(task.answers) - len(_live(task, now))


def _live(task: Task, now: datetime) -> tuple[Lease, ...]:
    return tuple(lease for lease in task.leases if lease.expires_at > now)


def _without(task: Task, nonce: str) -> tuple[Lease, ...]:
    return tuple(lease for lease in task.leases if lease.nonce != nonce)


def _changed(
    task: Task,
    *,
    leases: tuple[Lease, ...],
    answers: tuple[AnswerRecord, ...] | None = None,
    declined_by: tuple[str, ...] | None = None,
    closed: bool = False,
) -> Task:
    return replace(
        task,
        leases=leases,
        answers=task.answers if answers is None else answers,
        declined_by=task.declined_by if declined_by is None else declined_by,
        closed=task.closed or closed,
        version=task.version + 1,
    )
