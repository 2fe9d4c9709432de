"""Label category files: good ones, and everything that can be wrong with them."""

import json
from typing import Any

import pytest

from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.contract.label_categories import (
    LabelCategoriesError,
    label_problems,
    parse_label_categories,
)

BOXES = BUILTIN_TASKS["BoundingBox"]
CLASSES = BUILTIN_TASKS["ImageMultiClass"]


def category_file(*labels: Any, version: str = "2018-11-28") -> bytes:
    document = {"document-version": version, "labels": [{"label": label} for label in labels]}
    return json.dumps(document).encode()


def refusals(data: bytes, task: Any = BOXES) -> tuple[str, ...]:
    with pytest.raises(LabelCategoriesError) as error:
        parse_label_categories(data, task)
    return error.value.problems


def test_labels_keep_the_files_order() -> None:
    assert parse_label_categories(category_file("zebra", "ant", "Ä 犬"), CLASSES) == (
        "zebra",
        "ant",
        "Ä 犬",
    )


def test_a_byte_order_mark_and_further_members_do_no_harm() -> None:
    document = {
        "document-version": "2018-11-28",
        "labels": [{"label": "a", "shortDisplayName": "A"}],
        "instructions": {"shortInstruction": "x"},
    }

    assert parse_label_categories(b"\xef\xbb\xbf" + json.dumps(document).encode(), None) == ("a",)


def test_all_problems_are_told_at_once() -> None:
    data = category_file("cat", "", "cat", "x" * 257, 7, version="2020-03-01")

    found = refusals(data)

    assert found == (
        '"document-version" is \'2020-03-01\'; expected "2018-11-28"',
        'label 5 has to be an object {"label": "<name>"} with text as its name',
        "label 2 is empty",
        f"label 4 has 257 characters, at most 256 may be: '{'x' * 40}'...",
        "label 'cat' occurs 2 times; labels have to be unique",
    )


def test_classification_needs_two_labels_and_boxes_one() -> None:
    assert parse_label_categories(category_file("a"), BOXES) == ("a",)
    assert refusals(category_file("a"), CLASSES) == (
        "1 labels; image classification, single label needs at least 2",
    )
    assert refusals(category_file(), BOXES) == ("0 labels; bounding box needs at least 1",)


def test_boxes_take_50_labels_at_most() -> None:
    labels = [f"l{number}" for number in range(51)]

    assert label_problems(labels[:50], BOXES) == []
    assert label_problems(labels, BOXES) == ["51 labels; bounding box takes at most 50"]
    assert label_problems(labels, CLASSES) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"{", "not JSON"),
        (b"[" * 5_000, "nested too deeply"),
        (b'{"labels": ' + b"9" * 5_000 + b"}", "is larger than any number may be"),
        (
            b'{"document-version": "2018-11-28", "labels": [{"label": "\\ud800"}]}',
            "there is half of a surrogate pair",
        ),
        (b"[]", "expected {"),
        (b'{"document-version": "2018-11-28"}', '"labels" has to be a list'),
        (b'{"documentVersion": "2020-03-01", "labels": []}', "is for 3D and video frames only"),
    ],
)
def test_other_files_are_refused_with_what_is_expected(data: bytes, words: str) -> None:
    assert any(words in problem for problem in refusals(data))


def test_of_very_many_problems_the_first_are_told() -> None:
    problems = refusals(category_file(*[""] * 10_000))

    assert len(problems) == 21
    assert problems[-1] == "and 9,982 more problems"
