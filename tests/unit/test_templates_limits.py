"""A hostile template costs seconds and megabytes at most."""

import itertools
import tracemalloc

import pytest

from groundwork.templates import TemplateError, render, rendering
from groundwork.templates.rendering import MAXIMUM_CPU_SECONDS, MAXIMUM_TEMPLATE_CHARACTERS
from tests.support.cpu_time import cpu_seconds_at_most

SIZE = MAXIMUM_TEMPLATE_CHARACTERS
NESTED = "{% for i in (1..300) %}{% for j in (1..300) %}"
DOUBLING = (
    "{% assign s = 'xxxxxxxx' %}{% for i in (1..90) %}{% assign s = s | append: s %}{% endfor %}"
)
LONG = "{% assign s = 'x' %}{% for i in (1..17) %}{% assign s = s | append: s %}{% endfor %}"
MANY = (
    "{% assign l = 'x,x' | split: ',' %}"
    "{% for i in (1..11) %}{% assign l = l | concat: l %}{% endfor %}"
)
POWERS = "{% assign n = 9 %}{% for i in (1..99) %}{% assign n = n | times: n %}{% endfor %}"

HOSTILE = {
    "endless loop": "{% for i in (1..1000000000000) %}x{% endfor %}",
    "loops in loops": NESTED + "{% if a %}b{% endif %}" * 5_000 + "{% endfor %}{% endfor %}",
    "silent loops": NESTED + "{% if a %}{% endif %}" * 5_000 + "{% endfor %}{% endfor %}",
    "doubled text": DOUBLING,
    "doubled list": MANY.replace("11", "60") + "{{ l }}",
    "replaced by itself": LONG + "{{ s | replace: 'x', s }}",
    "joined by itself": LONG + MANY + "{{ l | join: s }}",
    "list of long texts": LONG + "{% assign l = s | split: 'y' %}"
    "{% for i in (1..40) %}{% assign l = l | concat: l %}{% endfor %}{{ l | join }}",
    "huge range": "{{ (1..99999999999) | join: ',' }}",
    "larger than memory": "{{ (1..9999999999999999999999999) | reverse }}",
    "huge number": POWERS,
    "much output": LONG + "{% for i in (1..9999) %}{{ s }}{% endfor %}",
    "much captured": LONG + "{% for i in (1..9999) %}{% capture c %}{{ c }}{{ s }}{% endcapture %}"
    "{% endfor %}",
    "long date format": "{{ 'now' | date: '" + "%c" * 1_000 + "' }}",
    "unclosed outputs": "{{ " * (SIZE // 3),
    "unclosed tags": "{% if " * (SIZE // 6),
    "unclosed raws": "{% raw %}" * (SIZE // 9),
    "blank output": "{{" + " " * (SIZE - 4) + "}}",
    "blank in an output": "{{ a" + " " * (SIZE - 10) + "b }}",
    "blanks up to the limit": ("{% a" + " " * 190 + "%}") * (SIZE // 200),
    "comments in comments": "{% comment %}" * 9_700 + "{% endcomment %}",
    "unclosed in comment": "{% comment %}" + "{{ " * 40_000,
    "nested brackets": "{{ a" + "[a" * 1_300 + "]" * 1_300 + " }}",
    "many filters": "{{ 'x'" + "| upcase " * 400 + "}}",
    "nested blocks": "{% if a %}" * 10_000,
    "many problems": "{{ a | b }}" * 10_000,
    "angle brackets": LONG + "{{ s | replace: 'x', '<' | strip_html }}",
}


GROWING = [
    name
    for name in HOSTILE
    if name.startswith(("doubled", "huge", "larger", "list", "much", "joined", "replaced"))
]


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MAXIMUM_CPU_SECONDS", 0.3)


def stop(template: str) -> None:
    try:
        assert len(render(template, {}, str)) < 3_000_000
    except TemplateError as error:
        assert 1 <= len(error.problems) <= rendering.MAXIMUM_PROBLEMS + 1


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_stopped_soon(name: str) -> None:
    assert len(HOSTILE[name]) <= SIZE + 100
    with cpu_seconds_at_most(30):
        stop(HOSTILE[name])


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize("name", GROWING)
def test_a_growing_template_is_stopped_before_it_has_much_memory(name: str) -> None:
    tracemalloc.start()
    try:
        stop(HOSTILE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


def test_a_template_longer_than_the_api_takes_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"128,001 characters; at most 128,000"):
        render("x" * (SIZE + 1), {}, str)


def test_a_long_list_of_labels_is_no_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two seconds pass by in as many looks at the clock as twenty such lists take.
    looks = itertools.count()
    monkeypatch.setattr(rendering, "_clock", lambda: next(looks) * MAXIMUM_CPU_SECONDS / 100_000)
    labels = [f"label {number}" for number in range(4_000)]
    template = "{% for label in task.input.labels %}{{ label | escape }}\n{% endfor %}"
    output = render(template, {"task": {"input": {"labels": labels}}}, str)
    assert output.count("\n") == 4_000
    assert 1_000 < next(looks) < 10_000


@pytest.mark.usefixtures("short_limit")
def test_a_stopped_template_leaves_the_next_one_alone() -> None:
    with pytest.raises(TemplateError):
        render(HOSTILE["endless loop"], {}, str)
    assert render("{{ x }}", {"x": 1}, str) == "1"
