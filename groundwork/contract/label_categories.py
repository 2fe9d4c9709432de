"""The label category file of image, text and custom tasks: read and checked.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-label-cat-config-attributes.html.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from groundwork.contract.builtin_tasks import BuiltinTask

DOCUMENT_VERSION = "2018-11-28"
MAXIMUM_LABEL_CHARACTERS = 256


class LabelCategoriesError(ValueError):
    """A label category file is wrong; the message names every problem.

    Parameters
    ----------
    problems
        One sentence for each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"label category file: {'; '.join(problems)}")
        self.problems = tuple(problems)


def parse_label_categories(data: bytes, task: BuiltinTask | None) -> tuple[str, ...]:
    """Return the labels of a label category file in their order, which gives their class ids.

    Parameters
    ----------
    data
        The file.
    task
        The built-in task type that limits the number of labels; None for a custom task.

    Raises
    ------
    LabelCategoriesError
        With all problems of the file.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise LabelCategoriesError([f"not UTF-8 text: {error}"]) from error
    except json.JSONDecodeError as error:
        raise LabelCategoriesError([f"not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise LabelCategoriesError(
            [f'expected {{"document-version": "{DOCUMENT_VERSION}", "labels": [...]}}']
        )
    problems = list(_version_problems(document))
    entries = document.get("labels")
    if not isinstance(entries, list):
        problems.append('"labels" has to be a list of objects {"label": "<name>"}')
        raise LabelCategoriesError(problems)
    labels = [entry.get("label") if isinstance(entry, dict) else None for entry in entries]
    problems += _entry_problems(labels)
    names = [label for label in labels if isinstance(label, str)]
    problems += label_problems(names, task)
    if problems:
        raise LabelCategoriesError(problems)
    return tuple(names)


def label_problems(labels: Sequence[str], task: BuiltinTask | None) -> list[str]:
    """Return everything wrong with a list of label names for a task type."""
    problems = [
        f"label {number} is empty" for number, label in enumerate(labels, 1) if not label.strip()
    ]
    problems += [
        f"label {number} has {len(label)} characters, at most {MAXIMUM_LABEL_CHARACTERS} may be: "
        f"{label[:40]!r}..."
        for number, label in enumerate(labels, 1)
        if len(label) > MAXIMUM_LABEL_CHARACTERS
    ]
    problems += [
        f"label {label!r} occurs {count} times; labels have to be unique"
        for label, count in Counter(labels).items()
        if count > 1
    ]
    minimum = task.minimum_labels if task else 1
    if len(labels) < minimum:
        what = task.title if task else "a custom task"
        problems.append(f"{len(labels)} labels; {what} needs at least {minimum}")
    if task and task.maximum_labels is not None and len(labels) > task.maximum_labels:
        problems.append(f"{len(labels)} labels; {task.title} takes at most {task.maximum_labels}")
    return problems


def _version_problems(document: dict[str, Any]) -> Iterator[str]:
    version = document.get("document-version")
    if version == DOCUMENT_VERSION:
        return
    if version is None and "documentVersion" in document:
        yield (
            f'"documentVersion" {document["documentVersion"]!r} is for 3D and video frames only; '
            f'expected "document-version": "{DOCUMENT_VERSION}"'
        )
    else:
        yield f'"document-version" is {version!r}; expected "{DOCUMENT_VERSION}"'


def _entry_problems(labels: Sequence[Any]) -> Iterator[str]:
    for number, label in enumerate(labels, 1):
        if not isinstance(label, str):
            yield f'label {number} has to be an object {{"label": "<name>"}} with text as its name'
