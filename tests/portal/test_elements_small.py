"""Each small element gives exactly the answer that Ground Truth documents."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.task_frame import IMAGE, TaskFrame, assert_accessible

ALL_SMALL = f"""
<crowd-form>
  <crowd-alert type="info" dismissible>Read the <b>instructions</b> first.</crowd-alert>
  <crowd-alert type="success">Saved.</crowd-alert>
  <crowd-alert type="warning">The image is blurred.</crowd-alert>
  <crowd-alert type="error">The answer is missing.</crowd-alert>
  <h2 id="photo">Describe the photo <crowd-badge for="photo" label="3"></crowd-badge></h2>
  <crowd-instructions link-text="View instructions" link-type="button">
    <short-summary><p>Give three words.</p></short-summary>
    <detailed-instructions><p>Imagine that you tell a friend.</p></detailed-instructions>
    <positive-example><p>Highway, cars</p></positive-example>
    <negative-example><p>Outside, day</p></negative-example>
  </crowd-instructions>
  <crowd-modal link-text="Look at the rules">All rules.</crowd-modal>
  <crowd-tabs>
    <crowd-tab header="Words">
      <crowd-input name="tag1" label="First word" required></crowd-input>
      <crowd-input name="tag2" label="Second word" placeholder="car"></crowd-input>
      <crowd-text-area name="story" label="Story" rows="3" char-counter max-length="200">
      </crowd-text-area>
    </crowd-tab>
    <crowd-tab header="Marks">
      <crowd-checkbox name="attributes" value="blurry">Blurry</crowd-checkbox>
      <crowd-checkbox name="attributes" value="dim" checked>Too dim</crowd-checkbox>
    </crowd-tab>
  </crowd-tabs>
  <crowd-checkbox name="seen">I have seen the whole photo</crowd-checkbox>
  <p><crowd-toggle-button name="night">At night</crowd-toggle-button>
     <crowd-toggle-button name="day" checked>By day</crowd-toggle-button></p>
  <crowd-radio-group aria-label="Mood">
    <crowd-radio-button name="calm" value="yes" checked>Calm</crowd-radio-button>
    <crowd-radio-button name="busy" value="yes">Busy</crowd-radio-button>
    <crowd-radio-button name="sad" value="yes" disabled>Sad</crowd-radio-button>
  </crowd-radio-group>
  <p>How sure are you? <crowd-slider name="sure" min="1" max="10" value="7" pin editable>
  </crowd-slider></p>
  <crowd-card heading="Two balls" image="{IMAGE}">On a meadow.
    <crowd-icon-button icon="favorite" title="Like"></crowd-icon-button></crowd-card>
  <p><crowd-button variant="normal" icon="search">Search</crowd-button>
     <crowd-button variant="link" href="https://example.com">Link</crowd-button>
     <crowd-button loading>Waiting</crowd-button>
     <crowd-button variant="icon" icon="refresh">Again</crowd-button>
     <crowd-button form-action="reset">Start again</crowd-button>
     <crowd-fab icon="report-problem" title="Report"></crowd-fab></p>
  <crowd-toast text="Your work is kept" duration="0"></crowd-toast>
</crowd-form>
"""


def test_inputs_answer_with_their_text_and_empty_ones_are_left_out(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-input name="tag1" label="Word/phrase 1"></crowd-input>
      <crowd-input name="tag2" label="Word/phrase 2"></crowd-input>
      <crowd-input name="tag3" label="Word/phrase 3"></crowd-input></crowd-form>""")
    task.frame.get_by_label("Word/phrase 1").fill("blue")
    task.frame.get_by_label("Word/phrase 2").fill("red")

    assert task.submit() == {"tag1": "blue", "tag2": "red"}


def test_check_boxes_that_share_a_name_answer_in_one_object(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <div><crowd-checkbox name="image_attributes" value="blurry"> Blurry </crowd-checkbox></div>
      <div><crowd-checkbox name="image_attributes" value="dim"> Too Dim </crowd-checkbox></div>
      <div><crowd-checkbox name="image_attributes" value="exposed"> Too Bright </crowd-checkbox>
      </div></crowd-form>""")
    task.frame.get_by_role("checkbox", name="Blurry").click()
    task.frame.get_by_role("checkbox", name="Too Dim").click()

    assert task.submit() == {"image_attributes": {"blurry": True, "dim": True, "exposed": False}}


def test_check_boxes_with_names_of_their_own_answer_apart(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-checkbox name="Stop" value="Red"> Red </crowd-checkbox>
      <crowd-checkbox name="Slow" value="Yellow"> Yellow </crowd-checkbox>
      <crowd-checkbox name="Go"> Green </crowd-checkbox></crowd-form>""")
    task.frame.get_by_role("checkbox", name="Red").click()

    assert task.submit() == {"Stop": {"Red": True}, "Slow": {"Yellow": False}, "Go": {"on": False}}


def test_radio_buttons_of_a_group_exclude_each_other(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-radio-group>
      <crowd-radio-button name="btn1" value="yes">Yes</crowd-radio-button>
      <crowd-radio-button name="btn2" value="no">No</crowd-radio-button>
      </crowd-radio-group></crowd-form>""")
    task.frame.get_by_role("radio", name="No").click()
    task.frame.get_by_role("radio", name="Yes").click()

    assert task.submit() == {"btn1": {"yes": True}, "btn2": {"no": False}}


def test_radio_buttons_outside_of_a_group_do_not_exclude_each_other(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-radio-button name="topic" value="tech">Technology</crowd-radio-button>
      <crowd-radio-button name="topic" value="politics">Politics</crowd-radio-button>
      </crowd-form>""")
    task.frame.get_by_role("radio", name="Technology").click()
    task.frame.get_by_role("radio", name="Politics").click()

    assert task.submit() == {"topic": {"tech": True, "politics": True}}


def test_a_radio_group_is_one_tab_stop_with_arrows_between(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-radio-group>
      <crowd-radio-button name="a" value="x">A</crowd-radio-button>
      <crowd-radio-button name="b" value="x" disabled>B</crowd-radio-button>
      <crowd-radio-button name="c" value="x">C</crowd-radio-button>
      </crowd-radio-group><crowd-input name="after" label="After"></crowd-input></crowd-form>""")
    task.frame.get_by_role("radio", name="A").focus()
    task.page.keyboard.press("Space")
    task.page.keyboard.press("ArrowDown")
    expect(task.frame.get_by_role("radio", name="C")).to_be_focused()
    task.page.keyboard.press("ArrowRight")
    task.page.keyboard.press("Tab")
    task.page.keyboard.type("last")
    task.page.keyboard.press("Enter")

    assert task.wait_for("submit")["answer"] == {
        "a": {"x": True},
        "c": {"x": False},
        "after": "last",
    }


def test_switches_answer_with_on_unless_they_have_a_value(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-toggle-button name="theToggler">Dark</crowd-toggle-button>
      <crowd-toggle-button name="other" value="someValue" checked>Big</crowd-toggle-button>
      </crowd-form>""")
    task.frame.get_by_role("switch", name="Dark").focus()
    task.page.keyboard.press("Space")

    assert task.submit() == {"theToggler": {"on": True}, "other": {"someValue": True}}


def test_text_areas_answer_with_line_feeds(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-text-area name="textInput1" label="Text"></crowd-text-area>
      </crowd-form>""")
    field = task.frame.get_by_label("Text")
    field.press_sequentially("The text that")
    field.press("Enter")
    field.press_sequentially("makes the crowd go wild.")

    assert task.submit() == {"textInput1": "The text that\nmakes the crowd go wild."}


def test_sliders_answer_with_a_number(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-slider name="howMuch" min="1" max="10" step="0.5" pin required></crowd-slider>
      <crowd-slider name="preset" min="0" max="5" value="3"></crowd-slider></crowd-form>""")
    assert task.refused() == ["howMuch: this is required."]
    task.frame.get_by_role("slider", name="howMuch").focus()
    task.page.keyboard.press("ArrowRight")

    assert task.submit() == {"howMuch": 1.5, "preset": 3}


def test_an_editable_slider_takes_typed_numbers_within_its_range(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-slider name="n" min="0" max="20" editable></crowd-slider>
      </crowd-form>""")
    task.frame.get_by_role("spinbutton").fill("99")
    task.frame.get_by_role("spinbutton").press("Tab")

    assert task.submit() == {"n": 20}


def test_a_preset_counts_when_the_worker_types_nothing(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="color" value="blue"></crowd-input>
      <crowd-text-area name="why" value="sky"></crowd-text-area></crowd-form>""")

    assert task.submit() == {"color": "blue", "why": "sky"}


def test_disabled_fields_give_no_answer(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="a" value="1" disabled></crowd-input>
      <crowd-checkbox name="b" disabled required>B</crowd-checkbox>
      <crowd-input name="c" value="3"></crowd-input></crowd-form>""")

    assert task.submit() == {"c": "3"}


def test_required_fields_are_named_and_focused(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <crowd-input name="tag" label="Tag" required></crowd-input>
      <crowd-text-area name="why" label="Why" required error-message="Tell us why.">
      </crowd-text-area>
      <crowd-checkbox name="ok" required>Instructions were clear</crowd-checkbox></crowd-form>""")

    assert task.refused() == [
        "Tag: this is required.",
        "Tell us why.",
        "Instructions were clear: this is required.",
    ]
    expect(task.frame.get_by_label("Tag")).to_be_focused()
    expect(task.frame.get_by_role("alert")).to_contain_text("Tell us why.")


def test_lengths_are_checked(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="zip" label="Zip" min-length="5" max-length="6">
      </crowd-input></crowd-form>""")
    task.frame.get_by_label("Zip").press_sequentially("123")
    assert task.refused() == ["Zip: at least 5 characters are needed, and there are 3."]
    task.frame.get_by_label("Zip").press_sequentially("45678")

    assert task.submit() == {"zip": "123456"}


def test_auto_validate_ignores_characters_outside_of_the_pattern(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="year" label="Year" auto-validate
      allowed-pattern="[0-9]" error-message="Digits only"></crowd-input></crowd-form>""")
    task.frame.get_by_label("Year").press_sequentially("2a0b26")
    expect(task.locator("crowd-input")).to_contain_text("")

    assert task.submit() == {"year": "2026"}


def test_input_types_are_those_of_html(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="day" type="date" label="Day"></crowd-input>
      <crowd-input name="mail" type="email" label="Mail"></crowd-input></crowd-form>""")
    task.frame.get_by_label("Day").fill("2026-11-22")
    task.frame.get_by_label("Mail").fill("nobody")
    assert task.refused() == ["Mail: this is not filled in as asked."]
    task.frame.get_by_label("Mail").fill("nobody@example.com")

    assert task.submit() == {"day": "2026-11-22", "mail": "nobody@example.com"}


def test_plain_html_fields_count_as_well(task: TaskFrame) -> None:
    task.open("""<crowd-form>
      <label>Name <input name="name"></label> <input name="empty"> <input value="no name">
      <input type="hidden" name="version" value="7">
      <textarea name="note" aria-label="Note"></textarea>
      <select name="size" aria-label="Size"><option>small</option><option>big</option></select>
      <label><input type="radio" name="rate" value="1">One</label>
      <label><input type="radio" name="rate" value="2">Two</label>
      <label><input type="checkbox" name="sure">Sure</label></crowd-form>""")
    task.frame.get_by_label("Name").fill("Kim")
    task.frame.get_by_label("Size").select_option("big")
    task.frame.get_by_label("Two").check()
    task.frame.get_by_label("Sure").check()

    assert task.submit() == {
        "name": "Kim",
        "version": "7",
        "size": "big",
        "rate": {"1": False, "2": True},
        "sure": {"on": True},
    }


def test_a_required_html_field_keeps_the_form(task: TaskFrame) -> None:
    task.open("""<crowd-form><label>Name <input name="name" required></label></crowd-form>""")

    assert task.refused() == ["Name: this is required."]


def test_a_missing_field_in_a_hidden_tab_comes_to_the_front(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-tabs>
      <crowd-tab header="One">First page</crowd-tab>
      <crowd-tab header="Two"><crowd-input name="x" label="X" required></crowd-input></crowd-tab>
      </crowd-tabs></crowd-form>""")
    expect(task.frame.get_by_label("X")).to_be_hidden()

    task.refused()

    expect(task.frame.get_by_role("tab", name="Two")).to_have_attribute("aria-selected", "true")
    expect(task.frame.get_by_label("X")).to_be_focused()


def test_tabs_go_by_arrow_keys(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-tabs><crowd-tab header="One">First page</crowd-tab>
      <crowd-tab header="Two">Second page</crowd-tab></crowd-tabs></crowd-form>""")
    task.frame.get_by_role("tab", name="One").focus()
    task.page.keyboard.press("ArrowRight")

    expect(task.frame.get_by_text("Second page")).to_be_visible()
    expect(task.frame.get_by_text("First page")).to_be_hidden()
    expect(task.frame.get_by_role("tab", name="Two")).to_be_focused()


def test_modals_open_and_close(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-modal link-text="Rules" link-type="button">No spam.
      </crowd-modal></crowd-form>""")
    task.frame.get_by_role("button", name="Rules").click()
    expect(task.frame.get_by_role("dialog")).to_contain_text("Rules")
    expect(task.frame.get_by_text("No spam.")).to_be_visible()
    task.page.keyboard.press("Escape")

    expect(task.frame.get_by_role("dialog")).to_have_count(0)


def test_instructions_have_three_pages(task: TaskFrame) -> None:
    task.open(ALL_SMALL)
    task.frame.get_by_role("button", name="View instructions").click()
    dialog = task.frame.get_by_role("dialog")
    expect(task.frame.get_by_text("Give three words.")).to_be_visible()
    dialog.get_by_role("tab", name="Examples").click()

    expect(task.frame.get_by_text("Highway, cars")).to_be_visible()
    expect(task.frame.get_by_text("Outside, day")).to_be_visible()
    expect(task.frame.get_by_text("Give three words.")).to_be_hidden()


def test_alerts_can_be_dismissed(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-alert type="error" dismissible>Gone soon</crowd-alert>
      </crowd-form>""")
    expect(task.frame.get_by_text("Gone soon")).to_be_visible()
    task.frame.get_by_role("button", name="Dismiss").click()

    expect(task.frame.get_by_text("Gone soon")).to_be_hidden()


def test_toasts_go_away_by_themselves(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-toast text="Kept" duration="1500"></crowd-toast>
      <crowd-input name="x"></crowd-input></crowd-form>""")
    expect(task.frame.get_by_text("Kept")).to_be_visible()

    expect(task.frame.get_by_text("Kept")).to_be_hidden()


def test_buttons_submit_and_reset_their_form(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-input name="x" label="X" value="preset"></crowd-input>
      <crowd-checkbox name="y" checked>Y</crowd-checkbox>
      <crowd-button form-action="reset">Start again</crowd-button>
      <crowd-button form-action="submit">Send it</crowd-button></crowd-form>""")
    task.frame.get_by_label("X").fill("other")
    task.frame.get_by_role("checkbox", name="Y").click()
    task.frame.get_by_role("button", name="Start again").click()
    expect(task.frame.get_by_role("button", name="Submit")).to_have_count(0)
    task.frame.get_by_role("button", name="Send it").click()

    assert task.wait_for("submit")["answer"] == {"x": "preset", "y": {"on": True}}


@pytest.mark.parametrize("state", ["disabled", "loading"])
def test_a_button_that_is_off_does_nothing(task: TaskFrame, state: str) -> None:
    task.open(f"""<crowd-form><crowd-input name="x" value="1"></crowd-input>
      <crowd-button form-action="submit" {state}>Send it</crowd-button></crowd-form>""")
    task.locator("crowd-button").dispatch_event("click")
    expect(task.locator("crowd-button button")).to_be_disabled()

    assert task.messages("submit") == []


def test_links_never_run_scripts(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-button href="javascript:alert(1)">Bad</crowd-button>
      <crowd-button href="https://example.com/help" target="_blank">Good</crowd-button>
      </crowd-form>""")

    expect(task.frame.get_by_role("link", name="Bad")).to_have_attribute("href", "about:blank")
    good = task.frame.get_by_role("link", name="Good")
    expect(good).to_have_attribute("href", "https://example.com/help")
    expect(good).to_have_attribute("rel", "noopener noreferrer")


def test_content_after_an_unclosed_element_is_still_there(task: TaskFrame) -> None:
    task.open("""<crowd-form><crowd-fab icon="help" title="Help"/>
      <crowd-input name="tag" label="Tag"/><p>Still readable</p></crowd-form>""")

    expect(task.frame.get_by_text("Still readable")).to_be_visible()
    expect(task.frame.get_by_label("Tag")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_small_elements_are_accessible(
    task: TaskFrame, axe: Path, screenshots: Path, scheme: str
) -> None:
    task.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    task.page.set_viewport_size({"width": 1000, "height": 1500})
    frame = task.open(ALL_SMALL)
    task.screenshot(screenshots, f"elements-small-{scheme}")
    assert_accessible(frame, axe)
    task.frame.get_by_role("button", name="View instructions").click()
    task.frame.get_by_role("tab", name="Examples").click()
    task.screenshot(screenshots, f"elements-instructions-{scheme}")

    assert_accessible(frame, axe)
