"""What a job of the open engine uses of AWS, reckoned from what was or will be labeled.

Only counts are known of a job; what each of them takes is in the constants here, chosen rather too
high, but for the rounds that an object is labeled in, which are an assumption. They are estimates,
which a bill may prove wrong, and every output says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from groundwork.costs.prices import (
    DYNAMODB_READ,
    DYNAMODB_WRITE,
    GROUND_TRUTH_OBJECT,
    HTTP_API_REQUEST,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    S3_GB_MONTH,
    S3_GET,
    S3_PUT,
    STATE_TRANSITION,
    Price,
)

# Of each answer: the page, the task, its image's address, kept drawings, the answer, the next task.
_REQUESTS_PER_ANSWER = 8
_SECONDS_PER_REQUEST = 0.15
_PORTAL_GB = 0.5
# Lease, answer and counters are transactions, which cost twice: make bench NAME=task_costs.
_WRITES_PER_ANSWER = 20
_READS_PER_ANSWER = 25
_PUTS_PER_ANSWER = 3
# Of each object: its line in the batch, consolidation, and a share of the snapshots.
_STEP_SECONDS_PER_OBJECT = 0.05
_STEPS_GB = 1.0
_GETS_PER_OBJECT = 4
# Of each batch: its states, and a look every hour while people work.
_TRANSITIONS_PER_BATCH = 80
# Of each object of an automated job: features once, a label in every round that it is left.
_FEATURE_SECONDS = 0.15
_LABEL_SECONDS = 0.05
# An assumption: how soon the machine's labels are accepted depends on the images. It is at most the
# number of batches, if nothing is accepted before the last; docs/scale.md has what that would cost.
_ROUNDS_PER_OBJECT = 5
# Of each batch of an automated job: a training.
_TRAINING_SECONDS = 60.0
AUTO_LABELING_GB = 3.0
_BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class Item:
    """One line of a bill."""

    name: str
    amount: float
    price: Price

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.price.of(self.amount)

    @property
    def amount_text(self) -> str:
        """How much it is, for people."""
        digits = 0 if self.amount >= 100 else 2 if self.amount >= 1 else 6
        return f"{self.amount:,.{digits}f} {self.price.unit}"


@dataclass(frozen=True)
class Usage:
    """What a job is reckoned from.

    Parameters
    ----------
    human, machine
        Objects labeled by people, and by the machine.
    answers
        Workers' answers.
    answer_seconds
        The time of people, in seconds.
    batches
        How often people got a batch.
    automated_seconds
        Seconds of the functions for automated labeling; None to reckon them from the objects of an
        automated job.
    is_automated
        Whether the job asked for automated labeling.
    stored_bytes
        What is kept in S3.
    stored
        What that is, in words: of a finished job the output alone is counted, as its images are
        elsewhere; an estimate has the images, too.
    """

    human: int
    machine: int
    answers: int
    answer_seconds: float
    batches: int
    is_automated: bool
    stored_bytes: int
    stored: str
    automated_seconds: float | None = None

    @property
    def labeled(self) -> int:
        """Objects with a label."""
        return self.human + self.machine

    def engine_items(self) -> Iterator[Item]:
        """Yield what the open engine uses, storage for a month."""
        requests = self.answers * _REQUESTS_PER_ANSWER
        seconds = requests * _SECONDS_PER_REQUEST * _PORTAL_GB
        seconds += self.human * _STEP_SECONDS_PER_OBJECT * _STEPS_GB
        yield Item("Lambda: portal and steps", seconds, LAMBDA_GB_SECOND)
        if self.is_automated:
            yield Item(
                "Lambda: automated labeling",
                self._automated_seconds() * AUTO_LABELING_GB,
                LAMBDA_GB_SECOND,
            )
        yield Item("Lambda: requests", requests, LAMBDA_REQUEST)
        yield Item("API Gateway: requests", requests, HTTP_API_REQUEST)
        yield Item("DynamoDB: writes", self.answers * _WRITES_PER_ANSWER, DYNAMODB_WRITE)
        yield Item("DynamoDB: reads", self.answers * _READS_PER_ANSWER, DYNAMODB_READ)
        yield Item("Step Functions", self.batches * _TRANSITIONS_PER_BATCH, STATE_TRANSITION)
        yield Item("S3: writes", self.answers * _PUTS_PER_ANSWER, S3_PUT)
        yield Item("S3: reads", self.labeled * _GETS_PER_OBJECT, S3_GET)
        yield self.storage_item()

    def ground_truth_items(self) -> Iterator[Item]:
        """Yield what Ground Truth charges for the same, without its training and inference."""
        yield Item("Ground Truth", self.labeled, GROUND_TRUTH_OBJECT)
        yield self.storage_item()

    def storage_item(self) -> Item:
        """Return a month of storage."""
        amount = self.stored_bytes / _BYTES_PER_GB
        return Item(f"S3: {self.stored} for a month", amount, S3_GB_MONTH)

    def _automated_seconds(self) -> float:
        if self.automated_seconds is not None:
            return self.automated_seconds
        of_objects = self.labeled * (_FEATURE_SECONDS + _LABEL_SECONDS * _ROUNDS_PER_OBJECT)
        return of_objects + self.batches * _TRAINING_SECONDS
