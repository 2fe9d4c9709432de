"""Manifests are read, checked and rewritten line by line."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.manifest import (
    MAXIMUM_PROBLEMS,
    LabelState,
    LineError,
    ManifestError,
    ManifestLine,
    examine,
    label_state,
    line_problems,
    parse_object,
    read_lines,
    rewrite,
    with_failure,
    with_label,
)

GOOD = b'{"source-ref": "s3://bucket/a.jpg"}'


def line(body: bytes) -> ManifestLine:
    return ManifestLine(1, 0, body, b"\n")


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@settings(deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b and b"\r" not in b)),
    endings=st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=1),
    size=st.integers(1, 17),
    last_line_ends=st.booleans(),
)
def test_lines_are_the_same_in_whatever_pieces_a_file_arrives(
    bodies: list[bytes], endings: list[bytes], size: int, last_line_ends: bool
) -> None:
    data = b"".join(body + endings[i % len(endings)] for i, body in enumerate(bodies))
    if not last_line_ends:
        data = data.removesuffix(b"\r\n").removesuffix(b"\n")
    lines = list(read_lines(pieces(data, size)))

    assert b"".join(line.body + line.ending for line in lines) == data
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    for found in lines:
        assert data[found.start : found.end] == found.body + found.ending


def test_reading_can_begin_at_the_end_of_any_line() -> None:
    data = b'{"a":1}\r\n{"b":2}\n{"c":3}'
    first = next(read_lines([data]))
    rest = list(read_lines([data[first.end :]], start=first.end, first_number=first.number + 1))
    assert rest == list(read_lines([data]))[1:]
    assert [found.object_id for found in rest] == [1, 2]


def test_a_file_without_line_ends_is_refused_before_it_fills_memory() -> None:
    with pytest.raises(ManifestError, match="line 1 is longer than 16,777,216 bytes"):
        list(read_lines(b"x" * 1_000_000 for _ in range(10_000)))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is empty; every line has to be one JSON object"),
        (b"   ", "is empty; every line has to be one JSON object"),
        (b"{", "is not JSON (Expecting property name"),
        (b'{"source": NaN}', "is not JSON (NaN is not a JSON value)"),
        (b"[1, 2]", "is not a JSON object but '[1, 2]'"),
        (b'"text"', "is not a JSON object"),
        (b'{"source": "\xff"}', "is not UTF-8 at byte 12"),
        (b"\xef\xbb\xbf" + GOOD, "begins with a byte order mark"),
        (b"[" * 200_000, "cannot be used: nested too deeply; at most 100 levels are accepted"),
        (b'{"source": ' + b"[" * 101 + b"]" * 101 + b"}", "cannot be used: nested too deeply"),
        (b'{"source": "a", "n": 1e999}', "cannot be used: 1e999 is larger than any number may be"),
        (b'{"source": "a", "n": ' + b"9" * 400 + b"}", "is larger than any number may be"),
        (b'\xff\xfe{\0"\0', "is not UTF-8 at byte 0; save the file as UTF-8"),
        (b'{"source-ref": "s3://my bucket/a.jpg"}', "no bucket is named 'my bucket'"),
        (
            b'{"source-ref": "s3://b/' + "한".encode() * 400 + b'"}',
            "has a key of 1,200 bytes; S3 takes 1,024 at most",
        ),
        (b'{"other": 1}', "has neither 'source-ref' nor 'source'"),
        (b'{"source": 5}', "'source' is not text but 5"),
        (b'{"source-ref": 5}', "'source-ref' is 5, not text"),
        (b'{"source-ref": "https://x/y.jpg"}', "not an S3 URI: 'https://x/y.jpg'; write"),
        (b'{"source-ref": "s3://bucket"}', "a bucket without a key"),
        (b'{"source": "a", "$id": 1}', "attribute '$id' begins with $, which is reserved"),
        (
            json.dumps({"source": "a" * 20_001}).encode(),
            "attribute 'source' has 20,001 characters; at most 20,000",
        ),
        (
            json.dumps({"source": "a", "list": list(range(9_000))}).encode(),
            "attribute 'list' has",
        ),
        (
            json.dumps({str(n): "x" * 19_000 for n in range(6)} | {"source": "a"}).encode(),
            "characters; at most 100,000",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_broken_rule_is_told(body: bytes, problem: str) -> None:
    told = line_problems(line(body))
    assert any(problem in text for text in told), told


def test_a_file_in_utf_16_is_told_once() -> None:
    data = "".join('{"source": "a"}\n' for _ in range(100)).encode("utf-16")
    summary = examine([data], label_attribute="x")
    assert summary.describe_problems() == (
        "line 1: the file is UTF-16; save it as UTF-8 without a byte order mark"
    )


def test_all_problems_of_a_line_are_told_at_once() -> None:
    problems = line_problems(line(b'{"$a": 1, "$b": 2}'))
    assert len(problems) == 3


def test_long_names_of_attributes_are_cut_in_what_is_told() -> None:
    told = line_problems(line(json.dumps({"source": "a", "$" + "x" * 10_000: 1}).encode()))
    assert len(told[0]) < 200


def test_characters_are_counted_rather_than_bytes() -> None:
    body = json.dumps({"source": "한" * 20_000}, ensure_ascii=False).encode()
    assert line_problems(line(body)) == []


def test_image_tasks_need_a_reference() -> None:
    assert line_problems(line(b'{"source": "text"}')) == []
    assert line_problems(line(b'{"source": "text"}'), needs_reference=True) == [
        "has no 'source-ref', the S3 URI of the image"
    ]


def test_an_examination_counts_states_and_names_lines() -> None:
    lines = [
        {"source": "a"},
        {"source": "b", "x": 1, "x-metadata": {"human-annotated": "yes"}},
        {"source": "c", "x": 1, "x-metadata": {"human-annotated": "no"}},
        {"source": "d", "x-metadata": {"failure-reason": "broken"}},
        {"nothing": 1},
    ]
    data = b"\r\n".join(json.dumps(entry).encode() for entry in lines)
    summary = examine(pieces(data, 7), label_attribute="x")

    assert summary.lines == 5
    assert summary.states == {
        LabelState.UNLABELED: 1,
        LabelState.HUMAN: 1,
        LabelState.MACHINE: 1,
        LabelState.FAILED: 1,
    }
    assert summary.broken == 1
    assert summary.describe_problems() == "line 5: has neither 'source-ref' nor 'source'"


def test_problems_are_capped_but_broken_lines_are_all_counted() -> None:
    summary = examine([b"{}\n" * 1_000], label_attribute="x")
    assert summary.broken == 1_000
    assert len(summary.problems) == MAXIMUM_PROBLEMS
    assert summary.describe_problems().endswith("; and 980 more lines")


@pytest.mark.parametrize(
    ("attributes", "state"),
    [
        ({}, LabelState.UNLABELED),
        ({"x": 0}, LabelState.HUMAN),
        ({"x": {}, "x-metadata": {"human-annotated": "yes"}}, LabelState.HUMAN),
        ({"x": 3, "x-metadata": {"human-annotated": "no"}}, LabelState.MACHINE),
        ({"x-metadata": {"failure-reason": "r"}}, LabelState.FAILED),
        ({"y": 3, "y-metadata": {"human-annotated": "no"}}, LabelState.UNLABELED),
        ({"x": 3, "x-metadata": "odd"}, LabelState.HUMAN),
    ],
)
def test_a_line_tells_the_state_of_a_label(attributes: dict[str, Any], state: LabelState) -> None:
    assert label_state(attributes, "x") is state


def test_a_label_is_added_behind_a_line_that_stays_as_it_was() -> None:
    body = b'{"source-ref":  "s3://b/\xed\x95\x9c.jpg", "n": 1.0 }  '
    labeled = with_label(body, "x", [1], {"human-annotated": "yes"})
    assert labeled.startswith(b'{"source-ref":  "s3://b/\xed\x95\x9c.jpg", "n": 1.0, ')
    assert parse_object(labeled) == {
        **parse_object(body),
        "x": [1],
        "x-metadata": {"human-annotated": "yes"},
    }


def test_a_new_label_replaces_an_old_one_and_an_old_failure() -> None:
    body = b'{"source": "a", "x": 1, "x-metadata": {"failure-reason": "old"}, "z": 2}'
    assert json.loads(with_label(body, "x", 2, {"new": True})) == {
        "source": "a",
        "z": 2,
        "x": 2,
        "x-metadata": {"new": True},
    }
    failed = json.loads(with_failure(body, "x", {"failure-reason": "new"}))
    assert failed == {"source": "a", "z": 2, "x-metadata": {"failure-reason": "new"}}


def test_rewriting_copies_other_lines_byte_for_byte() -> None:
    data = b'{"a" : 1}\r\n{"b":2}\n{ "c":3}'
    new = [(1, b'{"b":2, "x": 1}')]
    written = b"".join(rewrite(read_lines(pieces(data, 4)), new))
    assert written == b'{"a" : 1}\r\n{"b":2, "x": 1}\n{ "c":3}'


@pytest.mark.parametrize("ids", [[2], [1, 0]])
def test_a_replacement_is_never_lost(ids: list[int]) -> None:
    with pytest.raises(ManifestError, match=f"object {ids[-1]} has no line"):
        list(rewrite(read_lines([b"{}\n{}\n"]), [(object_id, b"{}") for object_id in ids]))


def test_a_broken_line_cannot_be_parsed() -> None:
    with pytest.raises(LineError, match="is not JSON"):
        line(b"{").parse()
