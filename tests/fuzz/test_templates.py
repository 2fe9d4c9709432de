"""Worker templates: a page, or what is wrong in which line, in bounded work either way."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.json_text import JsonTextError, read_json
from groundwork.templates import TemplateError, check_template, render
from tests.support.fuzzing import ODD_TEXTS, hostile, hostile_json

PARTS = [
    "{{ task.input.taskObject | grant_read_access }}",
    "{{ task.input.labels | to_json | escape }}",
    "{{ task.input[task] }}",
    "{{ x | date: '%Y' | split: ',' | join: x }}",
    "{{ 1 | divided_by: 0 }}",
    "{{ 9 | times: 99999999999999999999 | modulo: 0.0 }}",
    "{{ 'x' | slice: -9, 99 | truncate: -1 | replace: '' , 'y' }}",
    "{{ (1..5) | sort | map: 'a' | where: 'a' | sum }}",
    "{{ task.input | first | last | size }}",
    "{% for i in task.input.labels limit: -1 offset: 'x' reversed %}{{ i }}{% endfor %}",
    "{% for i in (1..x) %}{{ i }}{% else %}none{% endfor %}",
    "{% if x contains 'a' and y > nil or blank %}a{% elsif %}b{% endif %}",
    "{% case task %}{% when 1, 'a' %}x{% endcase %}",
    "{% assign a = task.input.labels | concat: x %}{% capture b %}{{ a }}{% endcapture %}",
    "{% cycle 'a', 'b' %}{% increment x %}{% decrement x %}",
    "{% tablerow i in (1..9) cols: 0 %}{{ i }}{% endtablerow %}",
    "{% raw %}{{ x {% endraw %}{% comment %}{% {{ {% endcomment %}",
    "{% liquid\nassign x = 1\necho x | plus: 1 %}",
    "{% include 'a' %}{% render 'b' %}{% unknown %}",
    "{% macro a %}{% endmacro %}{% call a %}{% extends 'x' %}{% block y %}{% endblock %}",
    "{{", "}}", "{%", "%}", "{{-", "-%}", "{% endfor %}", "{#", "|", ":", "\x00", "\ud800",
    "<crowd-form>", "</crowd-form>", '<crowd-bounding-box name="boundingBox" src="', '">', "<!--",
    '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
]  # fmt: skip
TEMPLATES = st.lists(
    st.one_of(st.sampled_from(PARTS), st.sampled_from(ODD_TEXTS), st.text(max_size=12)), max_size=12
).map("".join)
INPUTS: list[Any] = [
    {"taskObject": "s3://images/a b/#한글.jpg", "labels": ["고양이", 'a "b"', "</script>", "🐶"]}
]


def grant(uri: str) -> str:
    if "bad" in uri:
        raise ValueError(f"no access to {uri}")
    return f"https://signed.example/{uri[5:]}"


@hostile
@given(TEMPLATES, hostile_json(INPUTS))
def test_any_template_is_rendered_or_told_for_any_input(template: str, data: bytes) -> None:
    try:
        task_input = read_json(data)
    except JsonTextError:
        task_input = None
    try:
        page = render(template, {"task": {"input": task_input}, "x": task_input}, grant)
    except TemplateError as error:
        assert 0 < len(error.problems) <= 21
        assert all(0 < len(str(problem)) < 30_000 for problem in error.problems)
    else:
        assert len(page) < 2_000_001


@hostile
@given(TEMPLATES, st.sampled_from([None, *BUILTIN_TASKS.values()]))
def test_any_template_is_checked(template: str, task: Any) -> None:
    problems = check_template(template, task)
    assert len(problems) < 30
    assert all(problems)
