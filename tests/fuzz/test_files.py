"""Manifests and label category files: read, or refused with what is wrong in which line."""

import json
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groundwork.contract.arns import Arn, ArnFormatError
from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.contract.label_categories import LabelCategoriesError, parse_label_categories
from groundwork.jobs.automation.labels import LABEL_FORMS, LabelError
from groundwork.manifest import (
    LineError,
    ManifestError,
    ManifestLine,
    examine,
    line_problems,
    parse_object,
    read_lines,
    with_failure,
    with_label,
)
from groundwork.preflight.scan import scan_manifest
from groundwork.results.labels import LineProblems, read_objects
from groundwork.s3_uri import S3Uri, S3UriFormatError
from tests.support.fuzzing import ODD_TEXTS, hostile, hostile_json
from tests.support.output_trees import box, boxes_line, class_line, failed_line, unlabeled_line

LINES: list[Any] = [
    {"source-ref": "s3://images/a b/한글 #1%20.jpg"},
    {"source": "text with\u2028odd \u0000 letters", "n": 1.5e3},
    boxes_line("a.jpg", [box(1), box(0, 5, 6, 7, 8)]),
    class_line("b.jpg", 1),
    failed_line("c.jpg"),
    unlabeled_line("d.jpg"),
]
CATEGORIES: list[Any] = [
    {"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "개, 강아지 🐶"}]},
    {"documentVersion": "2020-03-01", "labels": [{"label": "cat", "attributes": []}]},
]
MOST_CHARACTERS = 20_000


@hostile
@given(hostile_json(CATEGORIES), st.sampled_from([None, *BUILTIN_TASKS.values()]))
def test_a_label_category_file_gives_names_or_what_is_wrong(data: bytes, task: Any) -> None:
    try:
        labels = parse_label_categories(data, task)
    except LabelCategoriesError as error:
        assert len(str(error)) < MOST_CHARACTERS
        assert all(error.problems)
    else:
        assert len(set(labels)) == len(labels)
        assert all(label.strip() and label.encode() for label in labels)


@hostile
@given(st.lists(hostile_json(LINES), max_size=5), st.integers(1, 50), st.booleans())
def test_a_manifest_is_counted_line_by_line_whatever_is_in_it(
    lines: list[bytes], size: int, needs_reference: bool
) -> None:
    data = b"\n".join(lines)
    size = max(size, len(data) // 100)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]

    summary = examine(iter(chunks), label_attribute="label", needs_reference=needs_reference)
    seen = scan_manifest(
        iter(chunks),
        label_attribute="label",
        needs_reference=needs_reference,
        sample_size=3,
        random=Random(1),
    )

    # A file that ends the reading is broken in a line that was not read.
    assert 0 <= sum(summary.states.values()) + summary.broken - summary.lines <= 1
    assert (summary.broken > 0) == bool(summary.problems)
    assert len(summary.describe_problems()) < MOST_CHARACTERS
    assert (seen.objects, seen.broken_lines) == (sum(summary.states.values()), summary.broken)
    assert all(str(problem) for problem in summary.problems)


@hostile
@given(hostile_json(LINES))
def test_a_good_line_can_be_labeled_and_read_by_anybody(body: bytes) -> None:
    if b"\n" in body or line_problems(ManifestLine(1, 0, body, b"\n")):
        return
    for written in (
        with_label(body, "label", {"annotations": []}, {"human-annotated": "yes"}),
        with_failure(body, "label", {"failure-reason": "half \ud800"}),
    ):
        strict = json.loads(written, parse_constant=lambda name: 1 / 0)
        assert strict["label-metadata"]
        # What both have of half a surrogate pair is read as it is everywhere here.
        kept, given_attributes = (
            {key: value for key, value in parse_object(line).items() if not key.startswith("label")}
            for line in (written, body)
        )
        assert kept == given_attributes


@hostile
@given(st.lists(hostile_json(LINES), max_size=4), st.sampled_from(["label", "한", ""]))
def test_an_augmented_manifest_gives_labels_or_what_is_wrong(
    lines: list[bytes], attribute: str
) -> None:
    broken = LineProblems()
    try:
        objects = list(read_objects([b"\n".join(lines)], attribute, broken))
    except (LineError, ManifestError) as error:
        assert str(error)
        return
    for each in objects:
        label = each.read()
        assert len(label.classes) == len(label.confidences)
        assert len(each.boxes()) == len(label.boxes)
        assert all(b.width > 0 and b.height > 0 for b in label.boxes)
        assert isinstance(each.job_name + each.created, str)
    assert len(objects) + broken.count == sum(1 for _ in read_lines([b"\n".join(lines)]))


@hostile
@given(hostile_json(LINES), st.integers(1, 3))
def test_a_label_is_learned_from_or_told(body: bytes, classes: int) -> None:
    try:
        value = parse_object(body).get("label")
    except LineError:
        return
    for form in LABEL_FORMS.values():
        try:
            label = form.read(value, classes)
        except LabelError as error:
            assert 0 < len(str(error)) < 500
        else:
            assert 0 <= form.quality(label, label) <= 1


@hostile
@given(st.one_of(st.sampled_from(ODD_TEXTS), st.text(), st.text().map("s3://b/{}".format)))
def test_an_address_is_one_or_told(text: str) -> None:
    try:
        uri = S3Uri.parse(text)
    except S3UriFormatError as error:
        assert len(str(error)) < 1_000
    else:
        assert uri.bucket
        assert str(uri).encode()
        assert S3Uri.parse(str(uri)) == uri


@hostile
@given(
    st.one_of(
        st.sampled_from(ODD_TEXTS),
        st.text(),
        st.lists(st.sampled_from(["arn", "aws", "", "sagemaker", "workteam/x/y", "한"])).map(
            ":".join
        ),
    )
)
def test_an_arn_is_one_or_told(text: str) -> None:
    try:
        arn = Arn.parse(text)
    except ArnFormatError as error:
        assert text[:20] in str(error) or repr(text)[1:20] in str(error)
    else:
        assert str(arn) == text
        assert arn.team_kind is None or arn.resource_type == "workteam"
