"""The form around the elements: submitting, the talk with the page, and templates' scripts."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.task_frame import IMAGE, TaskFrame, assert_accessible, eventually

INPUT = '<crowd-input name="tag" label="Tag" required></crowd-input>'
FORM = f"<crowd-form>{INPUT}</crowd-form>"


def test_one_submit_button_is_added_when_there_is_none(task: TaskFrame) -> None:
    task.open(FORM)

    expect(task.frame.get_by_role("button", name="Submit")).to_have_count(1)


@pytest.mark.parametrize(
    "own",
    [
        '<crowd-button form-action="submit">Submit</crowd-button>',
        '<button type="submit">Submit</button>',
        '<form><input name="x"><input type="submit" value="Submit"></form>',
    ],
    ids=["crowd", "html", "inner form"],
)
def test_an_own_submit_button_is_the_only_one(task: TaskFrame, own: str) -> None:
    task.open(f'<crowd-form><crowd-input name="tag" value="a"></crowd-input>{own}</crowd-form>')

    assert task.submit() == {"tag": "a"}


def test_a_plain_submit_button_submits_the_form(task: TaskFrame) -> None:
    task.open("""<crowd-form><input name="tag" value="a" aria-label="Tag">
      <button type="reset">Back</button><button>Go</button></crowd-form>""")
    task.frame.get_by_label("Tag").fill("b")
    task.frame.get_by_role("button", name="Back").click()
    task.frame.get_by_role("button", name="Go").click()

    assert task.wait_for("submit")["answer"] == {"tag": "a"}


def test_enter_in_a_field_submits_and_in_a_text_area_does_not(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-text-area name="story" label="Story"></crowd-text-area>
      <crowd-input name="tag" label="Tag"></crowd-input></crowd-form>""")
    task.frame.get_by_label("Story").fill("once")
    task.page.keyboard.press("Enter")
    task.frame.get_by_label("Tag").fill("a")
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {"story": "once\n", "tag": "a"}
    assert len(task.messages("submit")) == 1


def test_control_and_enter_submit_from_anywhere(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-text-area name="story" label="Story"></crowd-text-area>
      </crowd-form>""")
    task.frame.get_by_label("Story").fill("once")
    task.page.keyboard.press("Control+Enter")

    assert task.wait_for("submit")["answer"] == {"story": "once"}


def test_an_answer_is_sent_once_until_the_page_says_that_it_failed(task: TaskFrame) -> None:
    task.open(FORM)
    task.frame.get_by_label("Tag").fill("a")
    task.submit()
    expect(task.frame.get_by_role("button", name="Submitting")).to_have_attribute(
        "aria-disabled", "true"
    )
    task.frame.get_by_label("Tag").press("Enter")
    assert len(task.messages("submit")) == 1
    task.tell({"type": "submit-failed"})
    expect(task.frame.get_by_role("button", name="Submit", exact=True)).to_be_visible()

    assert task.submit() == {"tag": "a"}


def test_the_page_can_ask_for_the_answer(task: TaskFrame) -> None:
    task.open(FORM)
    task.tell({"type": "request-submit"})
    assert task.wait_for("invalid")["messages"] == ["Tag: this is required."]
    task.frame.get_by_label("Tag").fill("a")
    task.tell({"type": "request-submit"})

    assert task.wait_for("submit")["answer"] == {"tag": "a"}


def test_a_handler_can_prevent_the_submit_change_fields_and_submit(task: TaskFrame) -> None:
    task.open(f"""<crowd-form>{INPUT}<crowd-input name="count" id="count"></crowd-input>
      </crowd-form><script>
      document.querySelector("crowd-form").onsubmit = function (event) {{
        event.preventDefault();
        document.getElementById("count").value = "7";
        this.submit();
      }};</script>""")
    task.frame.get_by_label("Tag").fill("a")

    assert task.submit() == {"tag": "a", "count": "7"}
    assert len(task.messages("submit")) == 1


def test_a_listener_that_prevents_keeps_the_answer_back(task: TaskFrame) -> None:
    task.open(f"""<crowd-form>{INPUT}</crowd-form><div id="errorBox"></div><script>
      document.querySelector("crowd-form").addEventListener("submit", (event) => {{
        if (document.querySelector("crowd-input").value === "b") return;
        event.preventDefault();
        errorBox.innerHTML = '<crowd-alert type="error" dismissible>Say b</crowd-alert>';
      }});</script>""")
    task.frame.get_by_label("Tag").fill("a")
    task.frame.get_by_role("button", name="Submit").click()
    expect(task.frame.get_by_role("alert").filter(has_text="Error")).to_be_visible()
    expect(task.frame.get_by_text("Say b")).to_be_visible()
    assert task.messages("submit") == []
    task.frame.get_by_label("Tag").fill("b")

    assert task.submit() == {"tag": "b"}


def test_scripts_are_told_when_all_elements_are_ready(task: TaskFrame) -> None:
    task.open("""<script>document.addEventListener("all-crowd-elements-ready", () => {
        document.querySelector("crowd-classifier").categories = ["Red", "Blue"];
        const field = document.createElement("crowd-input");
        field.name = "late";
        field.value = "yes";
        document.querySelector("crowd-form").form.appendChild(field);
      });</script>
      <crowd-form><crowd-classifier name="c" categories="[]" header="Color">
      <classification-target>Sky</classification-target></crowd-classifier></crowd-form>""")
    task.frame.get_by_role("radio", name="Blue").check()

    assert task.submit() == {"c": {"label": "Blue"}, "late": "yes"}


def test_values_that_scripts_set_before_the_elements_are_defined_count(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="version" id="version"></crowd-input></crowd-form>
      <script>document.getElementById("version").value = "7";</script>""")

    assert task.submit() == {"version": "7"}


def test_a_draft_is_told_after_changes_and_comes_back(task: TaskFrame) -> None:
    template = """<crowd-form><crowd-input name="tag" label="Tag"></crowd-input>
      <crowd-checkbox name="attributes" value="blurry">Blurry</crowd-checkbox>
      <crowd-checkbox name="attributes" value="dim">Dim</crowd-checkbox>
      <crowd-radio-group><crowd-radio-button name="r1" value="x" checked>R1</crowd-radio-button>
      <crowd-radio-button name="r2" value="x">R2</crowd-radio-button></crowd-radio-group>
      <crowd-slider name="much" min="1" max="9"></crowd-slider>
      <label>Plain <input name="plain"></label>
      <select name="size" aria-label="Size"><option>s<option>m</select></crowd-form>"""
    task.open(template)
    task.frame.get_by_label("Tag").fill("a")
    task.frame.get_by_role("checkbox", name="Dim").click()
    task.frame.get_by_role("radio", name="R2").click()
    task.frame.get_by_role("slider").fill("4")
    task.frame.get_by_label("Plain").fill("p")
    task.frame.get_by_label("Size").select_option("m")
    draft: dict[str, Any] = {}

    def is_told() -> bool:
        nonlocal draft
        draft = task.wait_for("draft")["draft"]
        return bool(draft["size"] == [["m"]])

    assert eventually(is_told, task.page)
    task.open(template, draft=draft)

    assert task.submit() == {
        "tag": "a",
        "attributes": {"blurry": False, "dim": True},
        "r1": {"x": False},
        "r2": {"x": True},
        "much": 4,
        "plain": "p",
        "size": "m",
    }


def test_names_that_mean_something_to_javascript_are_names_like_others(task: TaskFrame) -> None:
    names = ["__proto__", "constructor", "toString"]
    inputs = [f'<input name="{name}" aria-label="{name}">' for name in names]
    template = f"<crowd-form>{''.join(inputs)}</crowd-form>"
    task.open(template)
    for name in names:
        task.frame.get_by_label(name).fill(f"my {name}")

    def told(kind: str, part: str) -> object:
        # As text, since the driver sets prototypes where it reads objects.
        message = f"window.messages.filter((it) => it.type === '{kind}').at(-1).{part}"
        return json.loads(task.page.evaluate(f"JSON.stringify({message})"))

    kept = {name: [f"my {name}"] for name in names}
    task.wait_for("draft")
    assert eventually(lambda: told("draft", "draft") == kept, task.page)
    task.submit()
    assert told("submit", "answer") == {name: f"my {name}" for name in names}
    task.open(template, draft={"constructor": ["back"], "toString": ["here"]})
    expect(task.frame.get_by_label("toString")).to_have_value("here")
    expect(task.frame.get_by_label("constructor")).to_have_value("back")
    assert task.frame.evaluate("Object.keys(Object.prototype)") == []


@pytest.mark.parametrize(
    "draft",
    [{"tag": [7]}, {"tag": "a"}, {"tag": [{"x": 1}], "__proto__": [1]}, {"other": [None]}],
)
def test_a_draft_that_does_not_fit_is_left_aside(task: TaskFrame, draft: dict[str, object]) -> None:
    task.open('<crowd-form><crowd-input name="tag" value="a"></crowd-input></crowd-form>')
    task.tell({"type": "start", "draft": draft, "locale": "en", "visible": True})

    assert task.submit() == {"tag": "a"}


def test_the_language_changes_in_place(task: TaskFrame) -> None:
    task.open(FORM)
    task.refused()
    task.tell({"type": "language", "locale": "ko"})

    expect(task.frame.get_by_role("button", name="제출")).to_be_visible()
    expect(task.frame.get_by_role("alert")).to_contain_text("Tag: 필수 항목입니다.")


def test_shortcuts_are_told_in_the_language_of_the_page(task: TaskFrame) -> None:
    task.open(
        """<crowd-form><crowd-classifier name="c" categories="['A', 'B']" header="H">
        <classification-target>T</classification-target></crowd-classifier></crowd-form>""",
        locale="ko",
    )

    assert task.wait_for("shortcuts")["list"] == [
        {"keys": "1\u20132", "does": "이 키의 범주 고르기"},
        {"keys": "↑ ↓", "does": "다음 또는 이전 범주"},
        {"keys": "Enter", "does": "제출"},
    ]


def test_the_page_hears_of_its_own_keys(task: TaskFrame) -> None:
    task.open(FORM)
    task.frame.get_by_label("Tag").press("?")
    task.frame.get_by_label("Tag").press("Escape")
    task.wait_for("shortcut")

    assert task.messages("shortcut") == [{"type": "shortcut", "key": "Escape"}]


def test_messages_from_elsewhere_are_not_heard(task: TaskFrame) -> None:
    frame = task.open('<crowd-form><crowd-input name="tag" value="a"></crowd-input></crowd-form>')
    frame.evaluate("""window.postMessage({type: "request-submit"}, "*")""")
    frame.evaluate("""window.postMessage({type: "language", locale: "ko"}, "*")""")
    task.page.wait_for_timeout(100)

    assert task.messages("submit") == []
    expect(task.frame.get_by_role("button", name="Submit")).to_be_visible()


def test_without_a_page_the_answer_is_shown(task: TaskFrame, axe: Path, screenshots: Path) -> None:
    frame = task.open(FORM, with_page=False)
    task.frame.get_by_label("Tag").fill("blue")
    task.frame.get_by_role("button", name="Submit").click()
    expect(task.frame.get_by_role("dialog")).to_contain_text('"tag": "blue"')
    task.screenshot(screenshots, "elements-preview")

    assert task.messages("submit") == []
    assert_accessible(frame, axe)


def test_a_file_opened_by_itself_works(task: TaskFrame, tmp_path: Path) -> None:
    script = tmp_path / "crowd-html-elements.js"
    script.write_text(task.script, encoding="utf-8")
    page = tmp_path / "preview.html"
    page.write_text(f'<script src="{script.name}"></script>{FORM}', encoding="utf-8")
    task.page.goto(page.as_uri())
    task.page.get_by_label("Tag").fill("blue")
    task.page.get_by_role("button", name="Submit").click()

    expect(task.page.get_by_role("dialog")).to_contain_text('"tag": "blue"')


@pytest.mark.parametrize(
    "element", ["crowd-semantic-segmentation", "crowd-polygon", "crowd-hologram"]
)
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_an_unsupported_element_is_told_and_keeps_the_form(
    task: TaskFrame, axe: Path, screenshots: Path, element: str, locale: str
) -> None:
    frame = task.open(
        f"""<crowd-form><{element} name="a" src="{IMAGE}" labels="['x']" header="Draw">
        <short-instructions>Outline the x.</short-instructions></{element}></crowd-form>""",
        locale=locale,
    )

    assert task.messages("ready")[0]["unsupported"] == [element]
    expect(task.frame.get_by_role("alert")).to_contain_text(element)
    expect(task.frame.get_by_role("alert")).to_contain_text(
        "This task needs a tool" if locale == "en" else "이 작업에 필요한 도구"
    )
    expect(task.frame.get_by_text("Outline the x.")).to_be_visible()
    task.tell({"type": "request-submit"})
    task.wait_for("invalid")
    task.screenshot(screenshots, f"elements-unsupported-{locale}")
    assert_accessible(frame, axe)


def test_an_element_with_its_own_form_is_told_as_unsupported(task: TaskFrame) -> None:
    task.open("""<crowd-entity-annotation name="e" text="Seoul" labels="[]">
      <short-instructions>Mark places.</short-instructions></crowd-entity-annotation>""")

    assert task.messages("ready")[0]["unsupported"] == ["crowd-entity-annotation"]
    expect(task.frame.get_by_role("alert")).to_contain_text("crowd-entity-annotation")


def test_the_page_hears_what_is_used_and_when_it_can_be_worked_on(task: TaskFrame) -> None:
    task.open(FORM)

    assert task.messages("ready") == [
        {"type": "ready", "elements": ["crowd-input", "crowd-form"], "unsupported": []}
    ]
    task.wait_for("loaded")


def test_a_script_that_fails_is_told_to_the_page(task: TaskFrame) -> None:
    task.open(f"{FORM}<script>setTimeout(() => {{ throw new Error('Broken template'); }})</script>")

    assert "Broken template" in task.wait_for("error")["message"]
    task.page_errors.clear()


def test_a_large_element_beside_other_fields_keeps_its_place(
    task: TaskFrame, screenshots: Path
) -> None:
    task.open(f"""<crowd-form><h1>Two questions</h1>
      <crowd-image-classifier name="c" src="{IMAGE}" categories="['A', 'B']" header="Which?">
      <short-instructions>Look.</short-instructions></crowd-image-classifier>
      {INPUT}</crowd-form>""")
    task.wait_for("loaded")
    task.screenshot(screenshots, "elements-mixed")
    task.frame.get_by_role("radio", name="B").check()
    task.frame.get_by_label("Tag").fill("a")

    assert task.submit() == {"c": {"label": "B"}, "tag": "a"}


def test_authors_colors_keep_the_page_light(task: TaskFrame) -> None:
    task.page.emulate_media(color_scheme="dark")
    frame = task.open(f"<style>p {{ color: #222 }}</style>{FORM}")
    styled = frame.evaluate("getComputedStyle(document.documentElement).colorScheme")
    frame = task.open(FORM)
    plain = frame.evaluate("getComputedStyle(document.documentElement).colorScheme")

    assert (styled, plain) == ("normal", "light dark")
