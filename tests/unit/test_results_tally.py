"""Counting block by block gives what counting line by line gives."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundwork.manifest import LabelState, LineError
from groundwork.results.counting import count_manifest, whole_lines
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import label_attributes, object_of, parse_line
from groundwork.results.quality import Box
from groundwork.results.tally import BlockCounter, LabelTally, ManifestTally
from groundwork.results.truth import Truth
from tests.support.output_trees import (
    NAMES,
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
)

TRUTH = Truth({"a.jpg": (Box("cup", 10, 20, 30, 40),), "b.jpg": ()})

sides = st.one_of(st.integers(-2, 700), st.sampled_from([0, 0.5, 30.25, "7", None, True]))
class_ids = st.one_of(st.integers(0, 2), st.sampled_from(["1", 1.0, 7, -1, None, "x"]))
boxes = st.builds(
    lambda class_id, left, width: box(0) | {"class_id": class_id, "left": left, "width": width},
    class_ids,
    sides,
    st.one_of(st.integers(1, 50), sides),
)
usual_boxes = st.builds(box, st.integers(0, 2), st.integers(0, 9), width=st.integers(1, 9))
changes = st.dictionaries(
    st.sampled_from(
        [
            "human-annotated",
            "job-name",
            "class-map",
            "class-name",
            "objects",
            "confidence",
            "failure-reason",
            "job_name",
            "own",
        ]
    ),
    st.sampled_from(
        [
            "yes",
            "no",
            "maybe",
            None,
            3,
            {},
            {"0": "cup"},
            {"x": 1},
            [],
            [{"confidence": 2}],
            [{"confidence": 0.5}],
            0.25,
        ]
    ),
    max_size=2,
)
names = st.sampled_from(["a.jpg", "b.jpg", "ü.jpg", "d.jpg"])


@st.composite
def lines(draw: Any) -> Any:
    name = draw(names)
    kind = draw(st.integers(0, 9))
    by = draw(st.sampled_from(["yes", "no"]))
    attribute = draw(st.sampled_from(["label", "label", "kind"]))
    if kind < 3:
        return boxes_line(
            name,
            draw(st.lists(usual_boxes, max_size=3)),
            by=by,
            attribute=attribute,
            confidence=draw(st.sampled_from([0, 0.5, 1.0])),
        )
    if kind < 5:
        given = draw(st.lists(boxes, max_size=3))
        line = boxes_line(name, [], by=by, attribute=attribute)
        line[attribute]["annotations"] = given
        line[f"{attribute}-metadata"] |= {
            "objects": [{"confidence": 0.5} for _ in given],
            "class-map": {str(number): label for number, label in enumerate(NAMES)},
        } | draw(changes)
        return line
    if kind < 7:
        index = draw(st.sampled_from([0, 1, 2, "1", 2.0]))
        return class_line(name, index, by=by, attribute=attribute, changes=draw(changes))
    return draw(
        st.sampled_from(
            [
                failed_line(name),
                unlabeled_line(name),
                "",
                "{",
                "{} {}",
                "[1]",
                '{"a":',
                "1}",
                {"photo": 1},
                {"source": "text"},
                unlabeled_line(name) | {"label": None},
                unlabeled_line(name)
                | {"label": [0, 2], "label-metadata": {"class-map": {"0": "cup"}}},
                unlabeled_line(name) | {"own-metadata": {"camera": 1}},
                unlabeled_line(name) | {"note": 'a "label-metadata": {} in text'},
            ]
        )
    )


def counted_slowly(
    given: list[Any], attribute: str | None, truth: Truth | None, iterations: list[int]
) -> ManifestTally:
    """Count every line by the long way."""
    tally = ManifestTally(lines=len(given))
    for number, line in enumerate(given):
        text = line if isinstance(line, str) else json.dumps(line)
        try:
            attributes = parse_line(text.encode())
        except LineError as error:
            tally.broken.add(number, str(error))
            continue
        for name in [attribute] if attribute else ["label", "kind"]:
            if attribute or name in label_attributes(attributes):
                found = object_of(number, attributes, name)
                iteration = iterations[number] if number < len(iterations) else None
                tally.attributes.setdefault(name, LabelTally()).add(found, truth, iteration)
    tally.attributes = {name: each for name, each in tally.attributes.items() if each.states}
    return tally


@settings(max_examples=100, deadline=None)
@example(["", boxes_line("a.jpg", [box(0)])], None, None, 1, b"\n")
@example(['{"source": ', "{}}", '{"source": 1}{"source": 2}'], None, None, 2000, b"\n")
@given(
    st.lists(lines(), max_size=12),
    st.sampled_from([None, "label"]),
    st.sampled_from([None, TRUTH]),
    st.integers(1, 2000),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_blocks_count_as_single_lines_do(
    given: list[Any], attribute: str | None, truth: Truth | None, block_bytes: int, end: bytes
) -> None:
    """Whatever the lines have and wherever the blocks end, the counts are the same."""
    iterations = [1, 0, 2]
    data = manifest(given).replace(b"\n", end)
    counter = BlockCounter(attribute, truth, iterations)
    fast = ManifestTally()
    for block in whole_lines([data], block_bytes):
        fast.merge(counter.count(block, fast.lines))

    slow = counted_slowly(given, attribute, truth, iterations)
    assert fast.lines == slow.lines
    assert fast.broken == slow.broken
    if attribute is None:
        # A label whose metadata no job wrote is only a column, unless it is asked for.
        assert fast.attributes.keys() == slow.attributes.keys()
    for name, expected in slow.attributes.items():
        found = fast.attributes[name]
        for field in (
            "states",
            "kinds",
            "classes",
            "iterations",
            "jobs",
            "reasons",
            "named",
            "problems",
            "confidences",
        ):
            assert getattr(found, field) == getattr(expected, field), field
        assert found.confidence.count == expected.confidence.count
        for state, mean in expected.quality.items():
            assert found.quality[state].count == mean.count
            assert abs(found.quality[state].total - mean.total) < 1e-9
            assert abs(found.quality[state].squares - mean.squares) < 1e-9
            assert found.quality[state].bins == mean.bins
            assert found.quality[state].is_graded == mean.is_graded


def test_lines_that_are_no_utf_8_are_broken_wherever_the_bytes_are() -> None:
    good = json.dumps(boxes_line("a.jpg", [box(0)])).encode()
    bad = good.replace(b'"depth"', b'"d\xffpth"')
    tally = BlockCounter().count(good + b"\n" + bad + b"\n" + good + b"\n", 0)
    assert tally.broken.count == 1
    assert tally.broken.first[0].number == 2
    assert tally.attributes["label"].states[LabelState.HUMAN] == 2


def test_a_second_jobs_attribute_is_found_wherever_it_begins() -> None:
    first = [boxes_line(f"{number}.jpg", [box(0)]) for number in range(2000)]
    late = boxes_line("late.jpg", [box(1)]) | class_line("late.jpg", 2, attribute="kind")
    tally = count_manifest([manifest([*first, late])], 0)
    assert tally.attributes["label"].states.total() == 2001
    assert tally.attributes["kind"].states.total() == 1
    assert tally.attributes["kind"].kinds == {LabelKind.CLASS: 1}


def test_classes_that_lines_do_not_name_take_the_only_name_that_others_have() -> None:
    nameless = boxes_line("b.jpg", [box(1), box(2)], changes={"class-map": {}})
    given = [boxes_line("a.jpg", [box(1)]), nameless]
    tally = count_manifest([manifest(given)], 0).attributes["label"]
    assert tally.named_classes() == {
        (LabelState.HUMAN, "jug"): 2,
        (LabelState.HUMAN, "class 2"): 1,
    }
    assert tally.problems.count == 1

    other = boxes_line("c.jpg", [box(1)], changes={"class-map": {"1": "mug"}})
    tally = count_manifest([manifest([*given, other])], 0).attributes["label"]
    assert tally.named_classes()[LabelState.HUMAN, "class 1"] == 1


def test_processes_count_what_one_counts() -> None:
    given = [
        boxes_line(f"{number}.jpg", [box(number % 3)], by="no" if number % 2 else "yes")
        for number in range(3000)
    ]
    data = manifest([*given, "broken"])
    chunks = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
    assert count_manifest(chunks, len(data), processes=2) == count_manifest(chunks, len(data))


def test_reasons_and_problems_do_not_grow_with_the_manifest() -> None:
    tally = LabelTally()
    for number in range(500):
        line = failed_line("a.jpg")
        line["label-metadata"]["failure-reason"] = f"there is no {number}.jpg"
        tally.add(object_of(number, line, "label"))
        tally.add(object_of(number, boxes_line("a.jpg", [box(0, width=0)]), "label"))
    assert tally.reasons.total() == 500
    assert len(tally.reasons) <= 51
    assert tally.problems.count == 500
    assert len(tally.problems.first) == 20
