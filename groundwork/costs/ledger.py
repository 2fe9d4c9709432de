"""What a job used, from its output: what is counted there, and what is reckoned from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from groundwork.costs.prices import AS_OF
from groundwork.costs.usage import Item, Usage
from groundwork.manifest import LabelState
from groundwork.results.agreement import WorkerWork
from groundwork.results.output_tree import JobOutput
from groundwork.results.report import Report
from groundwork.results.rounds import Round

# Seconds of a round that functions for automated labeling take.
_COMPUTED = ("training", "inference", "planning")


@dataclass(frozen=True)
class Bill:
    """The same labels by both engines.

    Parameters
    ----------
    hourly_wage
        What an hour of people's time costs in USD; None to leave it out.
    """

    usage: Usage
    hourly_wage: float | None = None

    @property
    def engine_usd(self) -> float:
        """The open engine, with a month of storage: of what, ``Usage.stored`` tells."""
        return _total(self.usage.engine_items())

    @property
    def ground_truth_usd(self) -> float:
        """Ground Truth at its published price, with a month of storage."""
        return _total(self.usage.ground_truth_items())

    @property
    def people_usd(self) -> float | None:
        """People's time, which is the same for both."""
        if self.hourly_wage is None:
            return None
        return self.usage.answer_seconds / 3600 * self.hourly_wage

    def to_dict(self) -> dict[str, Any]:
        """Return everything as ``--json`` prints it."""
        usage = self.usage
        return {
            "prices_as_of": AS_OF.isoformat(),
            "labels": {"human": usage.human, "machine": usage.machine},
            "answers": usage.answers,
            "human_minutes": usage.answer_seconds / 60,
            "people_usd": self.people_usd,
            "open": {"usd": self.engine_usd, "items": _dicts(usage.engine_items())},
            "ground_truth": {
                "usd": self.ground_truth_usd,
                "items": _dicts(usage.ground_truth_items()),
            },
        }


def job_usage(
    output: JobOutput, report: Report, workers: Iterable[WorkerWork], rounds: list[Round]
) -> Usage:
    """Return what a job used.

    Parameters
    ----------
    workers, rounds
        What the output tells of them; nothing where it is a manifest by itself.

    Raises
    ------
    S3Error
        If the output cannot be listed.
    """
    states = report.summary.states
    found = list(workers)
    answers = sum(worker.tasks for worker in found)
    return Usage(
        human=states[LabelState.HUMAN],
        machine=states[LabelState.MACHINE],
        # Each label by people had one answer at least.
        answers=answers or states[LabelState.HUMAN],
        answer_seconds=sum(sum(worker.seconds) for worker in found),
        batches=len(report.iteration_rows()) or 1,
        is_automated=bool(states[LabelState.MACHINE] or rounds),
        stored_bytes=output.files.total_bytes("") if output.is_tree else output.size(),
        stored="output",
        automated_seconds=_automated_seconds(rounds),
    )


def _automated_seconds(rounds: list[Round]) -> float | None:
    if not rounds:
        return None
    features = sum(each.pictures.seconds for each in rounds if each.pictures is not None)
    return features + sum(each.seconds.get(name, 0.0) for each in rounds for name in _COMPUTED)


def _total(items: Iterable[Item]) -> float:
    return sum(item.usd for item in items)


def _dicts(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [
        {"name": item.name, "amount": item.amount, "unit": item.price.unit, "usd": item.usd}
        for item in items
    ]
