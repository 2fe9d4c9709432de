"""Classifiers: answers as documented, one key per class, and help when something is missing."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.task_frame import (
    BROKEN_IMAGE,
    IMAGE,
    MISSING_IMAGE,
    TaskFrame,
    assert_accessible,
)

REGIONS = """
  <full-instructions header="Classification Instructions">
    <p>Read the task carefully and inspect the image.</p>
    <p>Use <b>None of the Above</b> if no other label suits the image.</p>
  </full-instructions>
  <short-instructions><p>Choose the label that suits the image best.</p></short-instructions>
"""
IMAGE_CLASSIFIER = f"""<crowd-form>
  <crowd-image-classifier src="{IMAGE}" header="Choose the correct category for the image"
    categories="['Cat', 'Dog', 'Bird', 'None of the Above']" name="category">{REGIONS}
  </crowd-image-classifier></crowd-form>"""
IMAGE_MULTI = f"""<crowd-form>
  <crowd-image-classifier-multi-select name="animals" src="{IMAGE}"
    categories="['Cat', 'Dog', 'Horse', 'Pig', 'Bird']" header="Identify the animals"
    exclusion-category="{{ text: 'None of the above' }}">{REGIONS}
  </crowd-image-classifier-multi-select></crowd-form>"""
TEXT_CLASSIFIER = f"""<crowd-form>
  <crowd-classifier name="category" categories="['Positive', 'Negative', 'Neutral', 'N/A']"
    header="What sentiment does this text convey?">
    <classification-target>Everything is wonderful.</classification-target>{REGIONS}
  </crowd-classifier></crowd-form>"""
TEXT_MULTI = f"""<crowd-form>
  <crowd-classifier-multi-select name="category" categories="['Positive', 'Negative', 'Neutral']"
    header="Select the relevant categories" exclusion-category="{{ text: 'None of the above' }}">
    <classification-target>Good food, slow service.</classification-target>{REGIONS}
  </crowd-classifier-multi-select></crowd-form>"""
VERIFICATION = f"""<crowd-form>
  <crowd-image-classifier name="check" src="{IMAGE}" header="Rate the boxes"
    categories="['good', 'bad', 'okay']"
    overlay='{{"boundingBox": {{ labels: ["ball", "sun"], value: [
      {{height: 160, label: "ball", left: 80, top: 180, width: 160}},
      {{height: 180, label: "sun", left: 380, top: 120, width: 180}}, ] }}, }}'>{REGIONS}
    <worker-comment header="Why this rating?" link-text="Explain your rating"
      placeholder="The box is too large">Say what is wrong.</worker-comment>
  </crowd-image-classifier></crowd-form>"""


def test_an_image_classifier_answers_with_its_label(task: TaskFrame) -> None:
    task.open(IMAGE_CLASSIFIER)
    task.wait_for("loaded")
    task.frame.get_by_role("radio", name="Dog").check()

    assert task.submit() == {"category": {"label": "Dog"}}


def test_a_key_chooses_a_class_and_enter_submits(task: TaskFrame) -> None:
    task.open(IMAGE_CLASSIFIER)
    task.wait_for("loaded")
    task.page.keyboard.press("2")
    task.page.keyboard.press("3")
    expect(task.frame.get_by_role("radio", name="Bird")).to_be_focused()
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {"category": {"label": "Bird"}}


def test_a_task_is_done_by_keyboard_alone_with_arrows(task: TaskFrame) -> None:
    task.open(TEXT_CLASSIFIER)
    task.frame.get_by_role("radio", name="Positive").focus()
    task.page.keyboard.press("Space")
    task.page.keyboard.press("ArrowDown")
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {"category": {"label": "Negative"}}


def test_a_multi_select_answers_with_its_labels_in_the_order_of_the_list(task: TaskFrame) -> None:
    task.open(IMAGE_MULTI)
    task.wait_for("loaded")
    for key in "5123":
        task.page.keyboard.press(key)
    task.page.keyboard.press("2")
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {"animals": {"labels": ["Cat", "Horse", "Bird"]}}


def test_the_exclusion_clears_all_labels_and_answers_with_none(task: TaskFrame) -> None:
    task.open(TEXT_MULTI)
    task.frame.get_by_role("checkbox", name="Positive").check()
    task.frame.get_by_role("checkbox", name="None of the above").check()
    expect(task.frame.get_by_role("checkbox", name="Positive")).not_to_be_checked()

    assert task.submit() == {"category": {"labels": []}}


def test_a_label_clears_the_exclusion(task: TaskFrame) -> None:
    task.open(TEXT_MULTI)
    task.page.keyboard.press("4")
    expect(task.frame.get_by_role("checkbox", name="None of the above")).to_be_checked()
    task.page.keyboard.press("3")

    assert task.submit() == {"category": {"labels": ["Neutral"]}}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (IMAGE_CLASSIFIER, "Choose a category before you submit."),
        (TEXT_CLASSIFIER, "Choose a category before you submit."),
        (
            TEXT_MULTI,
            "Choose at least one category, or “None of the above”, before you submit.",
        ),
    ],
    ids=["image", "text", "multi"],
)
def test_nothing_chosen_is_not_submitted(task: TaskFrame, template: str, message: str) -> None:
    task.open(template)

    assert task.refused() == [message]


def test_keys_go_on_with_letters_after_ten_classes(task: TaskFrame) -> None:
    names = json.dumps([f"Class {number}" for number in range(1, 41)]).replace('"', "&quot;")
    task.open(f"""<crowd-form><crowd-classifier name="c" header="Many" categories="{names}">
      <classification-target>Text</classification-target></crowd-classifier></crowd-form>""")
    task.page.keyboard.press("0")
    expect(task.frame.get_by_role("radio", name="Class 10", exact=True)).to_be_checked()
    task.page.keyboard.press("b")
    expect(task.frame.get_by_role("radio", name="Class 12", exact=True)).to_be_checked()

    assert task.submit() == {"c": {"label": "Class 12"}}


def test_many_classes_can_be_searched_and_picked_with_enter(
    task: TaskFrame, screenshots: Path
) -> None:
    names = json.dumps([f"Class {number}" for number in range(1, 41)]).replace('"', "&quot;")
    task.open(f"""<crowd-form><crowd-classifier name="c" header="Many" categories="{names}">
      <classification-target>Text</classification-target></crowd-classifier></crowd-form>""")
    search = task.frame.get_by_role("searchbox", name="Find a category")
    search.press_sequentially("38")
    expect(task.frame.get_by_role("radio")).to_have_count(1)
    task.screenshot(screenshots, "elements-classifier-search")
    search.press("Enter")
    expect(task.frame.get_by_role("radio", name="Class 38")).to_be_focused()
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {"c": {"label": "Class 38"}}


def test_korean_keyboards_choose_classes_by_the_place_of_the_key(task: TaskFrame) -> None:
    names = json.dumps([f"Class {number}" for number in range(1, 13)]).replace('"', "&quot;")
    task.open(f"""<crowd-form><crowd-classifier name="c" header="Many" categories="{names}">
      <classification-target>Text</classification-target></crowd-classifier></crowd-form>""")
    task.frame.evaluate(
        """document.body.dispatchEvent(new KeyboardEvent("keydown",
           {key: "\\u3141", code: "KeyA", bubbles: true}))"""
    )

    expect(task.frame.get_by_role("radio", name="Class 11")).to_be_checked()


def test_keys_typed_into_a_field_choose_nothing(task: TaskFrame) -> None:
    task.open(TEXT_CLASSIFIER.replace("</crowd-form>", '<input name="n"></crowd-form>'))
    task.locator("input[name=n]").press_sequentially("12")

    assert task.refused() == ["Choose a category before you submit."]


def test_a_comment_goes_with_the_answer(task: TaskFrame) -> None:
    task.open(VERIFICATION)
    task.wait_for("loaded")
    task.frame.get_by_role("button", name="Explain your rating").click()
    expect(task.frame.get_by_text("Say what is wrong.")).to_be_visible()
    field = task.frame.get_by_role("textbox", name="Why this rating?")
    expect(field).to_have_attribute("placeholder", "The box is too large")
    field.press_sequentially("Sun cut off at 1 o'clock")
    task.frame.get_by_role("button", name="Done").click()
    task.page.keyboard.press("2")

    assert task.submit() == {"check": {"label": "bad", "workerComment": "Sun cut off at 1 o'clock"}}


def test_no_comment_is_left_out(task: TaskFrame) -> None:
    task.open(VERIFICATION)
    task.wait_for("loaded")
    task.frame.get_by_role("radio", name="good").check()

    assert task.submit() == {"check": {"label": "good"}}


def test_boxes_to_verify_lie_on_the_image(task: TaskFrame, screenshots: Path) -> None:
    task.open(VERIFICATION)
    task.wait_for("loaded")
    task.screenshot(screenshots, "elements-verification")
    image = task.locator("crowd-image-classifier img").bounding_box()
    ball = task.locator("crowd-image-classifier rect.rim").first.bounding_box()
    assert image is not None
    assert ball is not None
    scale = image["width"] / 640

    assert ball["x"] == pytest.approx(image["x"] + 80 * scale, abs=5)
    assert ball["y"] == pytest.approx(image["y"] + 180 * scale, abs=5)
    expect(task.frame.get_by_text("ball \u00d7 1")).to_be_visible()
    task.frame.get_by_label("Show the earlier answer").uncheck()
    expect(task.locator("crowd-image-classifier svg.overlay")).to_be_hidden()


@pytest.mark.parametrize(
    "source", [MISSING_IMAGE, BROKEN_IMAGE, "", "https://elsewhere.test/a.png"]
)
def test_an_image_that_does_not_load_is_told(task: TaskFrame, source: str) -> None:
    task.open(IMAGE_CLASSIFIER.replace(IMAGE, source))

    told = task.wait_for("image-error")
    assert told["src"] == source
    expect(task.frame.get_by_text("The image could not be loaded.")).to_be_visible()
    assert task.messages("loaded") == []


def test_a_failed_image_can_be_tried_again(task: TaskFrame, screenshots: Path) -> None:
    task.failing_images = 2
    task.open(IMAGE_CLASSIFIER)
    task.wait_for("image-error")
    task.screenshot(screenshots, "elements-image-failed")
    task.frame.get_by_role("button", name="Try again").click()

    task.wait_for("loaded")
    expect(task.frame.get_by_role("img", name="Image to classify")).to_be_visible()


@pytest.mark.parametrize(
    ("categories", "problem"),
    [
        ("categories=\"['Cat', 'Dog\"", "expected a string that ends at character 9"),
        ("categories='{\"a\": 1}'", "expected a list, found an object"),
        ("categories='[]'", "the list is empty"),
        ("", "it is missing"),
    ],
    ids=["broken", "object", "empty", "missing"],
)
def test_a_wrong_attribute_is_told_to_the_worker_and_the_page(
    task: TaskFrame, categories: str, problem: str
) -> None:
    task.open(f"""<crowd-form><crowd-image-classifier name="c" src="{IMAGE}" header="H"
      {categories}></crowd-image-classifier></crowd-form>""")

    assert problem in task.wait_for("error")["message"]
    expect(task.frame.get_by_text("The task's template has a mistake")).to_be_visible()
    assert task.refused() != []


def test_a_wrong_overlay_is_told_in_the_language_of_the_page(task: TaskFrame) -> None:
    task.open(
        f"""<crowd-form><crowd-image-classifier name="c" src="{IMAGE}" header="H"
        categories="['a', 'b']" overlay="{{boundingBox"></crowd-image-classifier></crowd-form>""",
        locale="ko",
    )

    expect(task.frame.get_by_role("alert").filter(has_text="overlay")).to_contain_text(
        "작업 템플릿에 오류가 있습니다"
    )
    assert len(task.messages("error")) == 1


def test_a_phone_shows_the_work_before_the_instructions(task: TaskFrame) -> None:
    task.page.set_viewport_size({"width": 400, "height": 760})
    task.open(IMAGE_CLASSIFIER)
    expect(task.frame.get_by_text("Choose the label that suits")).to_be_hidden()
    task.frame.get_by_role("button", name="Instructions", exact=True).click()

    expect(task.frame.get_by_text("Choose the label that suits")).to_be_visible()


def test_a_phones_instructions_leave_the_whole_header_readable(task: TaskFrame) -> None:
    question = "Which animal is it, of those that people keep at home and in the garden?"
    task.page.set_viewport_size({"width": 400, "height": 760})
    task.open(re.sub('header="[^"]*"', f'header="{question}"', IMAGE_CLASSIFIER, count=1))
    task.frame.get_by_role("button", name="Instructions", exact=True).click()
    header = task.frame.get_by_role("heading", name=question).bounding_box()
    panel = task.frame.get_by_role("complementary", name="Instructions").bounding_box()
    assert header is not None
    assert panel is not None
    assert header["height"] > 40
    assert panel["y"] >= header["y"] + header["height"]


def test_full_instructions_open_in_a_dialog_under_their_own_header(task: TaskFrame) -> None:
    task.open(IMAGE_CLASSIFIER)
    expect(task.frame.get_by_text("Choose the label that suits the image best.")).to_be_visible()
    expect(task.frame.get_by_text("Read the task carefully")).to_be_hidden()
    task.frame.get_by_role("button", name="Full instructions").click()

    dialog = task.frame.get_by_role("dialog", name="Classification Instructions")
    expect(dialog).to_be_visible()
    expect(task.frame.get_by_text("Read the task carefully")).to_be_visible()
    task.page.keyboard.press("2")
    dialog.get_by_role("button", name="Close").click()
    assert task.refused() == ["Choose a category before you submit."]


def test_the_instructions_panel_stays_closed_in_the_next_task(task: TaskFrame) -> None:
    task.open(IMAGE_CLASSIFIER)
    task.frame.get_by_role("button", name="Instructions", exact=True).click()
    expect(task.frame.get_by_text("Choose the label that suits")).to_be_hidden()
    kept = task.wait_for("settings")["settings"]
    assert kept == {"instructionsOpen": False}
    task.open(IMAGE_CLASSIFIER, settings=kept)

    expect(task.frame.get_by_text("Choose the label that suits")).to_be_hidden()


def test_a_draft_comes_back(task: TaskFrame) -> None:
    task.open(IMAGE_MULTI)
    task.wait_for("loaded")
    task.page.keyboard.press("2")
    task.page.keyboard.press("4")
    draft = task.wait_for("draft")["draft"]
    task.open(IMAGE_MULTI, draft=draft)

    assert task.submit() == {"animals": {"labels": ["Dog", "Pig"]}}


def test_scripts_read_the_value_of_a_classifier(task: TaskFrame) -> None:
    frame = task.open(TEXT_CLASSIFIER)
    task.page.keyboard.press("1")

    assert frame.evaluate("document.querySelector('crowd-classifier').value") == {
        "label": "Positive"
    }


@pytest.mark.parametrize(
    ("template", "locale"),
    [
        (IMAGE_CLASSIFIER, "en"),
        (IMAGE_MULTI, "ko"),
        (TEXT_CLASSIFIER, "ko"),
        (TEXT_MULTI, "en"),
        (VERIFICATION, "ko"),
    ],
    ids=["image-en", "image-multi-ko", "text-ko", "text-multi-en", "verification-ko"],
)
def test_classifiers_are_accessible_in_both_languages(
    task: TaskFrame, axe: Path, screenshots: Path, template: str, locale: str
) -> None:
    task.page.emulate_media(color_scheme="dark" if locale == "ko" else "light")
    frame = task.open(template, locale=locale)
    task.wait_for("loaded")
    task.page.keyboard.press("2")
    element = template.split("<crowd-")[2].split(maxsplit=1)[0]
    task.screenshot(screenshots, f"elements-{element}-{locale}")

    assert_accessible(frame, axe)


def test_a_narrow_screen_shows_image_and_classes_below_each_other(
    task: TaskFrame, axe: Path, screenshots: Path
) -> None:
    task.page.set_viewport_size({"width": 400, "height": 760})
    frame = task.open(IMAGE_CLASSIFIER)
    task.wait_for("loaded")
    task.screenshot(screenshots, "elements-classifier-phone")
    image = task.frame.get_by_role("img", name="Image to classify").bounding_box()
    option = task.frame.get_by_role("radio", name="Cat").bounding_box()
    assert image is not None
    assert option is not None
    assert option["y"] > image["y"] + image["height"]
    task.frame.get_by_text("Dog").click()
    assert_accessible(frame, axe)

    assert task.submit() == {"category": {"label": "Dog"}}
