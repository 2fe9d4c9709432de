"""What workers answered, streamed from a job's output tree.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html: a file for each object and
iteration, ``annotations/worker-response/iteration-<N>/<object id>/<time>.json``.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from groundwork.json_text import read_json
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import Label, read_label
from groundwork.results.numbers import number_of
from groundwork.results.output_tree import JobOutput

_FOLDER = "annotations/worker-response"
_FILE = re.compile(rf"{_FOLDER}/iteration-(\d+)/([^/]+)/[^/]+\.json")
_THREADS = 16
_GROUP = 256


@dataclass(frozen=True)
class WorkerAnswer:
    """One worker's answer for one object.

    Parameters
    ----------
    object_id
        The zero-based line number in the input manifest; None where the folder's name is no number.
    seconds
        How long the worker took; None in files from before this was written.
    sub
        The worker's identity in the workforce's user pool, for private teams.
    content
        The answer by element names, as the page gave it.
    """

    iteration: int
    object_id: int | None
    worker_id: str
    sub: str | None
    accepted_at: datetime | None
    submitted_at: datetime | None
    seconds: float | None
    content: Mapping[str, Any]

    def label(self) -> Label | None:
        """Return what the answer says; None where it is neither boxes nor classes.

        The name of the page's element is not known here, so the first that says such a thing is
        taken: pages of a task type have one.
        """
        for value in self.content.values():
            if not isinstance(value, Mapping):
                continue
            if isinstance(value.get("boundingBoxes"), list):
                return read_label(value, {})
            if isinstance(value.get("label"), str):
                return Label(LabelKind.CLASS, classes=(value["label"],))
            labels = value.get("labels")
            if isinstance(labels, list) and all(isinstance(each, str) for each in labels):
                return Label(LabelKind.CLASSES, classes=tuple(labels))
        return None


def read_answers(output: JobOutput, problems: list[str] | None = None) -> Iterator[WorkerAnswer]:
    """Yield all answers, some files read side by side.

    Parameters
    ----------
    problems
        Collects a sentence for each file that cannot be understood.
    """
    problems = [] if problems is None else problems
    files = (found for path in output.files.paths(_FOLDER) if (found := _FILE.fullmatch(path)))
    with ThreadPoolExecutor(_THREADS) as pool:
        while group := list(islice(files, _GROUP)):
            contents = pool.map(lambda found: _read(output, found[0]), group)
            for found, content in zip(group, contents, strict=True):
                if isinstance(content, str):
                    problems.append(content)
                    continue
                object_id = int(found[2]) if found[2].isdecimal() else None
                for answer in content:
                    yield _answer(int(found[1]), object_id, answer)


def _read(output: JobOutput, path: str) -> list[Mapping[str, Any]] | str:
    try:
        document = read_json(b"".join(output.files.stream(path)))
        answers = document["answers"]
        if not isinstance(answers, list) or not all(isinstance(each, dict) for each in answers):
            raise TypeError("its answers are no list of objects")
    except (ValueError, KeyError, TypeError) as error:
        return f"{output.files.address(path)} is no file of answers: {error!r}"
    return answers


def _answer(iteration: int, object_id: int | None, answer: Mapping[str, Any]) -> WorkerAnswer:
    accepted_at, submitted_at = _time(answer, "acceptanceTime"), _time(answer, "submissionTime")
    spent = answer.get("timeSpentInSeconds")
    seconds = number_of(spent) if isinstance(spent, int | float) else None
    if seconds is None and accepted_at and submitted_at:
        seconds = (submitted_at - accepted_at).total_seconds()
    metadata = answer.get("workerMetadata")
    identity = metadata.get("identityData") if isinstance(metadata, Mapping) else None
    sub = identity.get("sub") if isinstance(identity, Mapping) else None
    content = answer.get("answerContent")
    return WorkerAnswer(
        iteration=iteration,
        object_id=object_id,
        worker_id=str(answer.get("workerId", "")),
        sub=None if sub is None else str(sub),
        accepted_at=accepted_at,
        submitted_at=submitted_at,
        seconds=seconds,
        content=content if isinstance(content, Mapping) else {},
    )


def _time(answer: Mapping[str, Any], key: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(answer.get(key)))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
