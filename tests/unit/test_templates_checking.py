"""Templates that could not do their task's work are told so before anybody waits."""

import pytest

from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.templates import NoDefaultTemplateError, check_template, default_template, render
from groundwork.templates.rendering import MAXIMUM_TEMPLATE_CHARACTERS
from tests.support.cpu_time import cpu_seconds_at_most

BOXES = BUILTIN_TASKS["BoundingBox"]
CLASSES = BUILTIN_TASKS["ImageMultiClass"]
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
GOOD = f"""{SCRIPT}
<crowd-form>
<crowd-bounding-box name="boundingBox" header="a > b"
  labels="{{{{ task.input.labels | append: "<" | to_json | escape }}}}"></crowd-bounding-box>
</crowd-form>"""


def test_a_good_template_has_no_problems() -> None:
    assert check_template(GOOD, BOXES) == []


def test_every_problem_is_told_at_once() -> None:
    problems = check_template("<p>{{ a | zap }}</p>", BOXES)
    assert [problem.partition(",")[0].partition(";")[0] for problem in problems] == [
        "line 1: unknown filter 'zap'",
        "crowd-html-elements.js is not loaded",
        "there is no <crowd-form>",
        "there is no <crowd-bounding-box>",
    ]


@pytest.mark.parametrize(
    ("attribute", "seen"),
    [('name="box"', "'box'"), ("", "none"), ("name=boxes", "'boxes'")],
    ids=["other", "missing", "unquoted"],
)
def test_the_element_has_to_answer_under_its_name(attribute: str, seen: str) -> None:
    [problem] = check_template(GOOD.replace('name="boundingBox"', attribute), BOXES)
    assert problem == (
        f'<crowd-bounding-box> needs name="boundingBox" (found: {seen}): '
        "answers are read under that name"
    )


@pytest.mark.parametrize("quoted", ["'boundingBox'", "boundingBox", '"boundingBox"'])
def test_a_name_may_be_quoted_in_any_way(quoted: str) -> None:
    assert check_template(GOOD.replace('"boundingBox"', quoted), BOXES) == []


def test_another_tasks_element_will_not_do() -> None:
    [problem] = check_template(GOOD, CLASSES)
    assert "there is no <crowd-image-classifier>" in problem


def test_a_longer_element_name_is_another_element() -> None:
    template = default_template("ImageMultiClass").replace(
        "<crowd-image-classifier", "<crowd-image-classifier-multi-select"
    )
    assert any(
        "there is no <crowd-image-classifier>" in p for p in check_template(template, CLASSES)
    )


def test_what_is_commented_out_does_not_count() -> None:
    [problem] = check_template(
        GOOD.replace("<crowd-form>", "<!-- <crowd-form>").replace("</crowd-form>", "-->"), None
    )
    assert problem.startswith("there is no <crowd-form>")


def test_a_custom_task_may_use_any_elements() -> None:
    assert check_template(f"{SCRIPT}<crowd-form><crowd-input name=x></crowd-form>", None) == []


def test_entity_annotation_brings_its_own_form() -> None:
    assert check_template(f"{SCRIPT}<crowd-entity-annotation name=x>", None) == []


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_template_is_told(text: str) -> None:
    assert check_template(text, BOXES) == ["the template is empty"]


def test_unclosed_liquid_is_told() -> None:
    assert check_template(f"{GOOD}\n{{{{ x", BOXES) == [
        "line 6: {{ is never closed; end it with }}"
    ]


@pytest.mark.parametrize(
    "unit", ["<crowd-bounding-box ", "<!--", '<crowd-form "', "<crowd-form name="]
)
def test_hostile_html_is_checked_soon(unit: str) -> None:
    with cpu_seconds_at_most(30):
        assert check_template(unit * (MAXIMUM_TEMPLATE_CHARACTERS // len(unit)), BOXES)


@pytest.mark.parametrize("key", ["BoundingBox", "ImageMultiClass"])
def test_default_templates_are_good_for_their_tasks(key: str) -> None:
    assert check_template(default_template(key), BUILTIN_TASKS[key]) == []


@pytest.mark.parametrize(
    ("key", "attribute"), [("BoundingBox", "labels"), ("ImageMultiClass", "categories")]
)
def test_default_templates_show_the_image_and_the_labels(key: str, attribute: str) -> None:
    task_input = {"taskObject": "s3://bucket/a.jpg", "labels": ['12" disc', "b"]}
    output = render(
        default_template(key), {"task": {"input": task_input}}, lambda uri: f"https://x/{uri[5:]}"
    )
    assert 'src="https://x/bucket/a.jpg"' in output
    assert f'{attribute}="[&#34;12\\&#34; disc&#34;, &#34;b&#34;]"' in output


def test_the_hosts_words_are_shown_and_not_carried_out() -> None:
    words = 'Mark <logos> & "names" {{ task }} {% if %}\n\nTwice'
    template = default_template(
        "BoundingBox", header=words, short_instructions=words, full_instructions=words
    )
    assert check_template(template, BOXES) == []
    output = render(template.replace(" | grant_read_access", ""), {}, str)
    shown = "Mark &lt;logos&gt; &amp; &quot;names&quot; &#123;&#123; task }} &#123;% if %}"
    assert f'header="{shown} Twice"' in output
    assert output.count(f"<p>{shown}</p>\n      <p>Twice</p>") == 2


def test_other_task_types_need_a_template_of_ones_own() -> None:
    with pytest.raises(NoDefaultTemplateError, match="only for BoundingBox, ImageMultiClass"):
        default_template("SemanticSegmentation")
