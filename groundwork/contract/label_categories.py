"""The label category file of image, text and custom tasks: read and checked.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-label-cat-config-attributes.html.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from groundwork.contract.builtin_tasks import BuiltinTask
from groundwork.json_text import JsonTextError, read_json

DOCUMENT_VERSION = "2018-11-28"
# Also of the other small file that a job names, its template: nothing larger is read as text.
MAXIMUM_LABEL_FILE_BYTES = 1_000_000
MAXIMUM_LABEL_CHARACTERS = 256
_MAXIMUM_PROBLEMS = 20
_EXCERPT_CHARACTERS = 40


class LabelCategoriesError(ValueError):
    """A label category file is wrong; the message names the problems.

    Parameters
    ----------
    problems
        One sentence for each; beyond the first 20 only their number is kept.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        hidden = len(problems) - _MAXIMUM_PROBLEMS
        more = [f"and {hidden:,} more problems"] if hidden > 0 else []
        self.problems = (*problems[:_MAXIMUM_PROBLEMS], *more)
        super().__init__(f"label category file: {'; '.join(self.problems)}")


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
        document = read_json(data.removeprefix(codecs.BOM_UTF8), refuse_halves=True)
    except JsonTextError as error:
        raise LabelCategoriesError([f"not JSON that can be used: {error}"]) from error
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
        f"{_shown(label)}"
        for number, label in enumerate(labels, 1)
        if len(label) > MAXIMUM_LABEL_CHARACTERS
    ]
    problems += [
        f"label {_shown(label)} occurs {count} times; labels have to be unique"
        for label, count in Counter(labels).items()
        if count > 1
    ]
    problems += [
        f"label {number} has half of a surrogate pair, which no text may have: {_shown(label)}"
        for number, label in enumerate(labels, 1)
        if any("\ud800" <= letter <= "\udfff" for letter in label)
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
            f'"documentVersion" {_shown(document["documentVersion"])} is for 3D and video frames '
            f'only; expected "document-version": "{DOCUMENT_VERSION}"'
        )
    else:
        yield f'"document-version" is {_shown(version)}; expected "{DOCUMENT_VERSION}"'


def _entry_problems(labels: Sequence[Any]) -> Iterator[str]:
    for number, label in enumerate(labels, 1):
        if not isinstance(label, str):
            yield f'label {number} has to be an object {{"label": "<name>"}} with text as its name'


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= _EXCERPT_CHARACTERS:
        return repr(value)
    return f"{text[:_EXCERPT_CHARACTERS]!r}..."
