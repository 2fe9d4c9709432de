"""What worker templates render to."""

import html
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.templates import TemplateError, render

TEXTS = st.text(max_size=200)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


def grant(uri: str) -> str:
    return f"https://files.example/{uri.removeprefix('s3://')}?X-Amz-Date=1&X-Amz-Expires=9"


def rendered(template: str, **task_input: object) -> str:
    return render(template, {"task": {"input": task_input}}, grant)


def problems_of(template: str, **task_input: object) -> list[str]:
    with pytest.raises(TemplateError) as raised:
        rendered(template, **task_input)
    return [str(problem) for problem in raised.value.problems]


def test_keys_with_hyphens_are_read_as_keys() -> None:
    assert rendered("{{ task.input.source-ref }}", **{"source-ref": "s3://b/k"}) == "s3://b/k"


def test_the_manifest_line_of_an_adjustment_is_readable() -> None:
    line = {"logo-metadata": {"class-map": {"0": "Apple"}}}
    template = "{{ task.input.manifestLine.logo-metadata.class-map['0'] }}"
    assert rendered(template, manifestLine=line) == "Apple"


def test_what_is_not_there_renders_as_nothing() -> None:
    assert rendered("[{{ task.input.nothing.at.all }}]") == "[]"


@settings(deadline=None)
@given(TEXTS)
def test_output_is_escaped_and_reads_back_as_the_value(value: str) -> None:
    output = rendered('<p title="{{ task.input.x }}">', x=value)
    inside = output.removeprefix('<p title="').removesuffix('">')
    assert not set(inside) & set("<>\"'")
    assert html.unescape(inside) == value


@settings(deadline=None)
@given(TEXTS)
def test_escape_is_what_happens_anyway(value: str) -> None:
    assert rendered("{{ task.input.x | escape }}", x=value) == rendered(
        "{{ task.input.x }}", x=value
    )


@settings(deadline=None)
@given(TEXTS)
def test_skip_autoescape_leaves_a_value_as_it_is(value: str) -> None:
    assert rendered("{{ task.input.x | skip_autoescape }}", x=value) == value


@settings(deadline=None)
@given(TEXTS)
def test_escape_once_twice_is_escape_once(value: str) -> None:
    once = rendered("{{ task.input.x | escape_once }}", x=value)
    assert rendered("{{ task.input.x | escape_once }}", x=once) == once
    assert not set(once) & set("<>\"'")


def test_escape_once_leaves_entities_and_escapes_the_rest() -> None:
    assert rendered("{{ task.input.x | escape_once }}", x="1 < 2 &amp; 3 & 4") == (
        "1 &lt; 2 &amp; 3 &amp; 4"
    )


@settings(deadline=None)
@given(JSON_VALUES)
def test_to_json_in_an_attribute_reads_back_as_the_value(value: object) -> None:
    output = rendered("{{ task.input.x | to_json | escape }}", x=value)
    assert not set(output) & set("<>\"'")
    assert json.loads(html.unescape(output)) == value


@settings(deadline=None)
@given(JSON_VALUES)
def test_to_json_in_a_script_cannot_end_it(value: object) -> None:
    output = rendered("{{ task.input.x | to_json }}", x=value)
    assert "<" not in output
    assert json.loads(output) == value


def test_a_granted_url_is_escaped_for_its_attribute() -> None:
    output = rendered('<img src="{{ task.input.x | grant_read_access }}">', x="s3://bucket/a.jpg")
    assert output == (
        '<img src="https://files.example/bucket/a.jpg?X-Amz-Date=1&amp;X-Amz-Expires=9">'
    )


@pytest.mark.parametrize(
    ("value", "seen"),
    [(None, "nothing"), ("", "''"), ("https://x", "'https://x'"), (7, "7")],
    ids=["missing", "empty", "https", "number"],
)
def test_access_is_granted_to_s3_uris_only(value: object, seen: str) -> None:
    assert problems_of("\n{{ task.input.x | grant_read_access }}", x=value) == [
        f"line 2: grant_read_access takes an s3:// URI, not {seen}"
    ]


def test_a_refused_grant_is_told_with_its_line() -> None:
    def refuse(uri: str) -> str:
        raise RuntimeError(f"no rights on {uri}")

    with pytest.raises(TemplateError, match=r"line 1: grant_read_access: no rights on s3://b/k"):
        render("{{ 's3://b/k' | grant_read_access }}", {}, refuse)


def test_literals_of_the_template_stay_html_and_values_joined_to_them_do_not() -> None:
    assert rendered("{{ '<b>' | append: task.input.x }}", x="<i>") == "<b>&lt;i&gt;"


def test_captured_output_is_escaped_once() -> None:
    template = "{% capture a %}<b>{{ task.input.x }}</b>{% endcapture %}{{ a }}"
    assert rendered(template, x="<") == "<b>&lt;</b>"


def test_standard_liquid_works() -> None:
    template = (
        "{% for label in task.input.labels %}{{ forloop.index }}.{{ label | upcase }}"
        "{% unless forloop.last %}, {% endunless %}{% endfor %}"
    )
    assert rendered(template, labels=["a", "b"]) == "1.A, 2.B"


def test_every_syntax_problem_is_told_with_its_line() -> None:
    template = "{{ a | zap }}\n{% wrong %}\n{{ b | | }}\n<p>\n{% include 'x' %}"
    lines = sorted(problem.partition(":")[0] for problem in problems_of(template))
    assert lines == ["line 1", "line 2", "line 3", "line 5"]
    assert "line 1: unknown filter 'zap'" in problems_of(template)


@pytest.mark.parametrize("name", ["safe", "escapejs"])
def test_filters_that_are_not_liquids_are_unknown(name: str) -> None:
    assert problems_of(f"{{{{ 'x' | {name} }}}}") == [f"line 1: unknown filter '{name}'"]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{{ b", "line 2: {{ is never closed; end it with }}"),
        ("{% if a", "line 1: {% is never closed; end it with %}"),
        ("{% raw %} {{ x }}", "line 1: {% raw %} is never closed; end it with {% endraw %}"),
        ("{{ }}", "line 1: {{ }} with nothing inside"),
        ("{%-  -%}", "line 1: {% %} with nothing inside"),
    ],
)
def test_broken_delimiters_are_told(template: str, problem: str) -> None:
    assert problems_of(template) == [problem]


def test_verbatim_blocks_may_hold_anything() -> None:
    assert rendered("{% raw %}{{ x {% y {% endraw %}!") == "{{ x {% y !"


def test_a_missing_end_tag_is_told() -> None:
    [problem] = problems_of("{% if a %}x")
    assert "endif" in problem


def test_values_that_a_filter_cannot_take_are_a_problem_of_the_line() -> None:
    [problem] = problems_of("\n\n{{ '/w==' | base64_decode }}")
    assert problem.startswith("line 3: base64_decode: ")


OPENINGS = ["{{", "}}", "{%", "%}", "{% raw %}", "{% endraw %}", "{% comment %}", "'", "[", "]"]
TAGS = ["for i in ", "endfor", "if ", "endif", "tablerow i in ", "case ", "when ", "endcase", "or "]
OTHERS = ["capture a", "endcapture", "assign a = ", "cycle ", "task.input.x", "a", "-", ".", ": "]
FILTERS = [" | ", "date: ", "split: ''", "times: 9", "join", "(1..99999999999999999999)", ",", " "]
PIECES = st.sampled_from([*OPENINGS, *TAGS, *OTHERS, *FILTERS])


@settings(deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), JSON_VALUES)
def test_any_template_renders_or_tells_its_problems(template: str, value: object) -> None:
    try:
        output = rendered(template, x=value)
    except TemplateError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)
    else:
        assert isinstance(output, str)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in (1..99999999999999999999999) %}{% endfor %}",
        "{% tablerow i in (1..99999999999999999999999) %}{% endtablerow %}",
        "{{ task.input.x }}",
        "{% cycle task.input.x, 'a' %}",
    ],
)
def test_values_that_nothing_can_be_made_of_are_a_problem(template: str) -> None:
    assert problems_of(template, x="half a pair: \ud83d")
