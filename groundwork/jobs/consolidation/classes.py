"""One class from several people's classes, by how reliable each person turns out to be.

Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
Applied Statistics 28 (1979) 20-28, https://doi.org/10.2307/2346806. Each worker has a confusion
matrix: how often they say k when the truth is j. Expectation and maximization alternate: the truth
of every object from the workers' matrices, the matrices from the truth. The start is the share of
votes. Smoothing keeps workers with few answers near the average: without it, one answer would make
someone an oracle or a liar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.jobs.consolidation import CONFIDENCE_DIGITS, AnswerError, Label

# Answers that every worker is taken to have given before, as a prior: mostly right ones.
_PRIOR_RIGHT = 4.0
_PRIOR_WRONG = 1.0
_PRIOR_CLASS = 1.0
_MAXIMUM_ROUNDS = 100
_CONVERGED = 1e-6

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Vote:
    """One worker's class for an object."""

    worker_id: str
    class_index: int


def read_vote(content: Mapping[str, Any], element: str | None, labels: Sequence[str]) -> int:
    """Return the class index in a worker's answer.

    Parameters
    ----------
    content
        The answer by element names.
    element
        The name that the task's template should have given its element.
    labels
        The job's classes.

    Raises
    ------
    AnswerError
        If there is no class in it, or none of the job's.
    """
    answer = content.get(element or "")
    if not isinstance(answer, Mapping) or "label" not in answer:
        answers = [value for value in content.values() if isinstance(value, Mapping)]
        answer = next((value for value in answers if "label" in value), None)
    if answer is None:
        raise AnswerError(f"the answer has no element {element!r} with a label")
    label = answer["label"]
    if label not in labels:
        raise AnswerError(f"{repr(label)[:60]} is not one of the job's labels")
    return labels.index(label)


def consolidate_classes(
    votes: Sequence[Sequence[Vote]], labels: Sequence[str], workers_per_object: int
) -> list[Label]:
    """Return one label per object, in order; each object has at least one vote.

    With one worker per object there is nothing to agree on and confidence is 0, as the service has
    it.
    """
    if workers_per_object == 1:
        return [class_label(labels, given[0].class_index, 0.0) for given in votes]
    best, confidences = dawid_skene(votes)
    return [
        class_label(labels, index, confidence)
        for index, confidence in zip(best, confidences, strict=True)
    ]


def class_label(labels: Sequence[str], index: int, confidence: float) -> Label:
    """Return a class as the output manifest has it, whoever chose it."""
    return Label(index, {"confidence": confidence, "class-name": labels[index]})


def dawid_skene(votes: Sequence[Sequence[Vote]]) -> tuple[list[int], list[float]]:
    """Return each object's likeliest class and its probability; equal ones go to the lower index.

    Memory grows with objects times classes that occur, however many workers there are.
    """
    if not votes:
        return [], []
    occurring = sorted({vote.class_index for given in votes for vote in given})
    place = {index: position for position, index in enumerate(occurring)}
    answers = _by_worker(votes, place)
    posterior = _vote_shares(votes, place)
    for _ in range(_MAXIMUM_ROUNDS):
        updated = _round(posterior, answers)
        converged = float(np.abs(updated - posterior).max()) < _CONVERGED
        posterior = updated
        if converged:
            break
    winners = posterior.argmax(axis=1)
    confidences = posterior.max(axis=1)
    return (
        [occurring[int(winner)] for winner in winners],
        [round(float(confidence), CONFIDENCE_DIGITS) for confidence in confidences],
    )


def _round(posterior: Floats, answers: Sequence[tuple[Integers, Integers]]) -> Floats:
    classes = posterior.shape[1]
    prior = posterior.sum(axis=0) + _PRIOR_CLASS
    log_likelihood = np.tile(np.log(prior / prior.sum()), (len(posterior), 1))
    # Wrong answers share their part of the prior, so that it does not grow with the classes.
    smoothing = np.full((classes, classes), _PRIOR_WRONG / max(1, classes - 1))
    np.fill_diagonal(smoothing, _PRIOR_RIGHT)
    for objects, given in answers:
        confusion = smoothing.copy()
        np.add.at(confusion.T, given, posterior[objects])
        confusion /= confusion.sum(axis=1, keepdims=True)
        np.add.at(log_likelihood, objects, np.log(confusion).T[given])
    log_likelihood -= log_likelihood.max(axis=1, keepdims=True)
    likelihood: Floats = np.exp(log_likelihood)
    normalized: Floats = likelihood / likelihood.sum(axis=1, keepdims=True)
    return normalized


def _by_worker(
    votes: Sequence[Sequence[Vote]], place: Mapping[int, int]
) -> list[tuple[Integers, Integers]]:
    gathered: dict[str, tuple[list[int], list[int]]] = {}
    for index, given in enumerate(votes):
        for vote in given:
            objects, classes = gathered.setdefault(vote.worker_id, ([], []))
            objects.append(index)
            classes.append(place[vote.class_index])
    return [
        (np.array(objects, dtype=np.intp), np.array(classes, dtype=np.intp))
        for _, (objects, classes) in sorted(gathered.items())
    ]


def _vote_shares(votes: Sequence[Sequence[Vote]], place: Mapping[int, int]) -> Floats:
    shares = np.zeros((len(votes), len(place)))
    for index, given in enumerate(votes):
        for vote in given:
            shares[index, place[vote.class_index]] += 1 / len(given)
    return shares
