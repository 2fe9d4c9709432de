"""JSON from outside is read as far as it can be handed on."""

import json
from typing import Any

import pytest

from groundwork.json_text import MAXIMUM_DEPTH, JsonLimitError, JsonTextError, read_json


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, 2**64, "한글 👩‍🌾", [], {}, {"a": [1, {"b": "[[[[{{{{"}]}]
)
def test_what_can_be_handed_on_is_read(value: Any) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value at character 1"),
        ("[1,]", "at character 4"),
        ("NaN", "NaN is not a JSON value"),
        ("-Infinity", "-Infinity is not a JSON value"),
        (b"\xff", "not UTF-8 at byte 0"),
        ("\ufeff{}", "Expecting value at character 1"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: str | bytes, problem: str) -> None:
    with pytest.raises(JsonTextError, match=problem) as refused:
        read_json(text)
    assert not isinstance(refused.value, JsonLimitError)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 101 + "]" * 101, "nested too deeply; at most 100 levels"),
        ('{"a":' * 101 + "1" + "}" * 101, "nested too deeply; at most 100 levels"),
        ("[" * 100_000, "nested too deeply"),
        ("1e999", "1e999 is larger than any number may be"),
        ("-" + "9" * 301, "-9999999999999999999… is larger than any number may be"),
        ("9" * 5_000, "is larger than any number may be"),
    ],
)
def test_json_beyond_the_limits_is_refused(text: str, problem: str) -> None:
    with pytest.raises(JsonLimitError, match=problem):
        read_json(text)


def test_half_of_a_surrogate_pair_is_replaced_or_refused() -> None:
    text = r'{"a\ud800": ["\udc00b", "\ud83d\udc36", "\\ud800"]}'
    assert read_json(text) == {"a\ufffd": ["\ufffdb", "🐶", r"\ud800"]}
    with pytest.raises(JsonLimitError, match="half of a surrogate pair"):
        read_json(text, refuse_halves=True)
    assert read_json(r'["\ud83d\udc36"]', refuse_halves=True) == ["🐶"]


def test_brackets_side_by_side_and_in_texts_are_no_depth() -> None:
    deepest = "[" * MAXIMUM_DEPTH + "]" * MAXIMUM_DEPTH
    read_json(f'[[], {", ".join(["[]"] * 500)}, "{"[" * 500}"]')
    read_json(deepest)
