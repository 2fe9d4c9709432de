"""Drawing boxes in a real browser: by mouse, by keyboard alone, by touch."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, expect

from tests.portal.conftest import BROWSER_ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.support.box_pages import BoxPage, photo
from tests.support.task_frame import TaskFrame, assert_accessible, eventually

INITIAL = [
    {"label": "DHL", "left": 100, "top": 100, "width": 200, "height": 100},
    {"label": "RedBull", "left": 150, "top": 120, "width": 40, "height": 30},
]


@pytest.fixture
def boxes(task: TaskFrame) -> BoxPage:
    """A page with the tool, not opened yet."""
    return BoxPage(task)


@pytest.fixture
def dense(browser: Browser, elements_script: Path) -> Iterator[BoxPage]:
    """A page on a screen with two device pixels per CSS pixel, that can be touched."""
    # A browser of its own: the density that a driver emulates does not reach sandboxed frames.
    arguments = [*BROWSER_ARGUMENTS, "--force-device-scale-factor=2", "--window-size=1000,700"]
    found = browser.browser_type.launch(
        executable_path=CHROMIUM if Path(CHROMIUM).exists() else None, args=arguments
    )
    context = found.new_context(no_viewport=True, has_touch=True)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    task = TaskFrame(context, elements_script)
    yield BoxPage(task)
    assert task.page_errors == []
    found.close()


def test_a_drag_draws_a_box_and_the_answer_is_the_documented_json(boxes: BoxPage) -> None:
    boxes.open()
    boxes.drag((40, 60), (240, 160))

    assert boxes.task.submit() == {
        "boundingBox": {
            "boundingBoxes": [{"height": 100, "label": "DHL", "left": 40, "top": 60, "width": 200}],
            "inputImageProperties": {"height": 600, "width": 800},
        }
    }


def test_a_box_keeps_inside_the_picture_when_the_drag_leaves_it(boxes: BoxPage) -> None:
    boxes.open()
    boxes.drag((780, 590), (850, 650))
    boxes.drag((10, 10), (-30, -30))

    assert boxes.boxes == [("DHL", 780, 590, 20, 10), ("DHL", 0, 0, 10, 10)]


def test_a_click_selects_the_smallest_box_first_and_goes_on_below(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL)
    selected = boxes.task.locator(".boxes .row.chosen")

    boxes.click(170, 135)
    expect(selected).to_contain_text("2. RedBull")
    boxes.click(170, 135)
    expect(selected).to_contain_text("1. DHL")
    boxes.click(600, 500)
    expect(selected).to_have_count(0)
    assert boxes.boxes[0] == ("DHL", 100, 100, 200, 100)


def test_the_selected_box_moves_and_is_sized_by_corner_and_edge(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL[:1])
    boxes.click(200, 150)
    boxes.drag((200, 150), (250, 170))
    assert boxes.boxes == [("DHL", 150, 120, 200, 100)]

    boxes.drag((350, 220), (400, 300))
    assert boxes.boxes == [("DHL", 150, 120, 250, 180)]

    boxes.drag((150, 200), (130, 260))
    assert boxes.boxes == [("DHL", 130, 120, 270, 180)]


def test_shift_draws_inside_the_selected_box(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL[:1])
    boxes.click(200, 150)
    boxes.page.keyboard.down("Shift")
    boxes.drag((150, 120), (180, 140))
    boxes.page.keyboard.up("Shift")

    assert boxes.boxes == [("DHL", 100, 100, 200, 100), ("DHL", 150, 120, 30, 20)]


def test_boxes_at_rest_do_not_catch_a_drag(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL[:1])
    boxes.drag((110, 110), (130, 130))

    assert boxes.boxes[1] == ("DHL", 110, 110, 20, 20)


def test_escape_gives_up_a_box_while_it_is_drawn(boxes: BoxPage) -> None:
    boxes.open()
    boxes.page.mouse.move(*boxes.at(100, 100))
    boxes.page.mouse.down()
    boxes.page.mouse.move(*boxes.at(200, 200))
    boxes.press("Escape")
    boxes.page.mouse.move(*boxes.at(300, 300))
    boxes.page.mouse.up()

    assert boxes.boxes == []


def test_everything_can_be_done_by_keyboard_alone(boxes: BoxPage) -> None:
    boxes.open()
    boxes.press("2", "b", "Control+ArrowLeft", "Shift+ArrowUp", "ArrowUp", "Enter")
    boxes.wait_heard("First corner at 300, 289")
    boxes.press("Control+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowDown", "Enter")
    boxes.wait_heard("McDonalds drawn, 100 by 21 pixels. Boxes: 1.")
    assert boxes.boxes == [("McDonalds", 300, 289, 100, 21)]

    boxes.press("ArrowRight", "Shift+ArrowDown")
    assert boxes.boxes == [("McDonalds", 301, 299, 100, 21)]
    boxes.press("Control+ArrowRight", "Control+Shift+ArrowDown", "Alt+ArrowLeft", "Alt+ArrowDown")
    assert boxes.boxes == [("McDonalds", 300, 300, 102, 30)]

    boxes.press("Control+d", "3", "p")
    boxes.wait_heard("Box 1. McDonalds, 102 by 30 pixels, left 300, top 300")
    boxes.press("n", "Delete")
    assert boxes.boxes == [("McDonalds", 300, 300, 102, 30)]

    boxes.press("Enter")
    assert len(boxes.task.wait_for("submit")["answer"]["boundingBox"]["boundingBoxes"]) == 1


def test_enter_sets_corners_and_submits_only_afterwards(boxes: BoxPage) -> None:
    boxes.open()
    boxes.press("b", "Enter", "Shift+ArrowRight", "Shift+ArrowDown", "Enter", "Enter")

    assert len(boxes.boxes) == 1
    assert boxes.task.messages("submit") == []


def test_keys_work_with_a_korean_layout(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL, locale="ko")
    boxes.frame.evaluate(
        """() => document.body.dispatchEvent(new KeyboardEvent("keydown",
           {key: "ㅜ", code: "KeyN", bubbles: true, cancelable: true, composed: true}))"""
    )

    expect(boxes.task.locator(".boxes .row.chosen")).to_contain_text("1. DHL")


def test_undo_and_redo_go_through_every_kind_of_change(boxes: BoxPage) -> None:
    boxes.open()
    states = [boxes.boxes]
    boxes.drag((40, 60), (240, 160))
    states.append(boxes.boxes)
    boxes.drag((100, 100), (150, 130))
    states.append(boxes.boxes)
    for key in ["3", "Control+d", "Delete"]:
        boxes.press(key)
        states.append(boxes.boxes)
    assert len({str(state) for state in states}) == len(states) - 1

    for state in reversed(states[:-1]):
        boxes.press("Control+z")
        assert boxes.boxes == state
    for number, state in enumerate(states[1:]):
        boxes.press("Control+y" if number % 2 else "Control+Shift+z")
        assert boxes.boxes == state


def test_a_digit_labels_the_selected_box_and_the_next_ones(boxes: BoxPage) -> None:
    boxes.open()
    boxes.press("2")
    boxes.drag((40, 60), (240, 160))
    boxes.press("3")
    boxes.drag((300, 300), (340, 340))

    assert [label for label, *_ in boxes.boxes] == ["RedBull", "RedBull"]
    expect(boxes.task.locator(".labels .row.chosen")).to_contain_text("RedBull")
    expect(boxes.task.locator(".labels .row.chosen .count")).to_have_attribute("data-text", "2")


def test_many_labels_are_found_by_typing(boxes: BoxPage) -> None:
    boxes.open(labels=[f"label {number}" for number in range(49)] + ["신호등"])
    boxes.press("l")
    boxes.page.keyboard.insert_text("신호")
    boxes.press("Enter")
    boxes.drag((40, 60), (240, 160))

    assert boxes.boxes[0][0] == "신호등"


def test_hidden_labels_cannot_be_hit_and_stay_in_the_answer(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL)
    boxes.task.locator(".labels").get_by_role("button", name="Hide boxes of RedBull").click()
    boxes.click(170, 135)

    expect(boxes.task.locator(".boxes .row.chosen")).to_contain_text("1. DHL")
    assert len(boxes.boxes) == 2


def test_zooming_keeps_the_point_under_the_pointer_and_image_pixels_exact(boxes: BoxPage) -> None:
    boxes.open()
    fitted = boxes.view
    boxes.page.mouse.move(*boxes.at(400, 300))
    boxes.page.mouse.wheel(0, -1000)
    boxes.frame.wait_for_function(
        "scale => document.querySelector('crowd-bounding-box').tool.view.scale > scale * 5",
        arg=fitted["scale"],
    )
    left, _ = boxes.at(400, 300)
    box = boxes.stage.bounding_box()
    assert box is not None
    assert abs(left - box["x"] - (400 * fitted["scale"] + fitted["x"])) < 0.01
    boxes.drag((400, 300), (417, 311))
    assert boxes.boxes == [("DHL", 400, 300, 17, 11)]

    boxes.press("f")
    assert boxes.view == fitted
    boxes.press("a")
    assert boxes.view["scale"] == 1


@pytest.mark.parametrize("way", ["space", "middle", "m"])
def test_the_picture_can_be_moved(boxes: BoxPage, way: str) -> None:
    boxes.open()
    boxes.click(400, 300)
    before = boxes.view
    if way == "space":
        boxes.page.keyboard.down(" ")
    elif way == "m":
        boxes.press("m")
    start, end = (400, 300), (450, 320)
    boxes.drag(start, end, button="middle" if way == "middle" else "left")
    if way == "space":
        boxes.page.keyboard.up(" ")

    moved = boxes.view
    assert abs(moved["x"] - before["x"] - 50 * before["scale"]) < 1
    assert abs(moved["y"] - before["y"] - 20 * before["scale"]) < 1
    assert boxes.boxes == []


def test_nothing_to_label_is_asked_for_and_asks_before_it_deletes(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL)
    boxes.press("e")
    boxes.task.frame.get_by_role("button", name="Keep the boxes").click()
    assert len(boxes.boxes) == 2

    boxes.press("e")
    boxes.task.frame.get_by_role("button", name="Delete the boxes").click()
    assert boxes.boxes == []
    boxes.press("Control+z")
    assert len(boxes.boxes) == 2
    boxes.press("Control+y")
    assert boxes.task.submit()["boundingBox"] == {
        "boundingBoxes": [],
        "inputImageProperties": {"height": 600, "width": 800},
        "initialValueModified": True,
    }


def test_without_boxes_the_form_wants_the_explicit_word(boxes: BoxPage) -> None:
    boxes.open()
    assert boxes.task.refused() == ["Draw a box, or choose “Nothing to label”, before you submit."]
    nothing = boxes.task.frame.get_by_role("button", name="Nothing to label")
    nothing.click()
    expect(nothing).to_have_attribute("aria-pressed", "true")
    boxes.drag((40, 60), (240, 160))
    expect(nothing).to_have_attribute("aria-pressed", "false")
    boxes.press("Control+z")
    expect(nothing).to_have_attribute("aria-pressed", "true")

    assert boxes.task.submit()["boundingBox"]["boundingBoxes"] == []


def test_an_untouched_initial_value_is_said_to_be_unmodified(boxes: BoxPage) -> None:
    boxes.open(initial="[{label: 'DHL', left: 10.4, top: 20, width: 30, height: 40,},]")
    boxes.click(20, 40)

    assert boxes.answer["initialValueModified"] is False
    assert boxes.boxes == [("DHL", 10, 20, 30, 40)]
    boxes.press("ArrowRight")
    assert boxes.answer["initialValueModified"] is True


def test_a_draft_brings_back_boxes_and_undo_after_a_reload(boxes: BoxPage) -> None:
    boxes.open()
    boxes.press("2")
    boxes.drag((40, 60), (240, 160))
    boxes.press("Control+d")
    drawn = boxes.boxes
    boxes.page.wait_for_function(
        """() => window.messages.findLast((it) => it.type === "draft")
                 ?.draft?.boundingBox?.[0]?.boxes?.length === 2"""
    )
    draft = boxes.task.messages("draft")[-1]["draft"]

    boxes.open(draft=draft)
    assert boxes.boxes == drawn
    expect(boxes.task.locator(".labels .row.chosen")).to_contain_text("McDonalds")
    boxes.press("Control+z")
    assert boxes.boxes == drawn[:1]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_coordinates_are_of_the_picture_as_stored(boxes: BoxPage, orientation: int) -> None:
    boxes.images["turned.jpg"] = photo(400, 200, orientation=orientation)
    boxes.open(image="turned.jpg")

    assert boxes.answer["inputImageProperties"] == {"height": 200, "width": 400}
    # The red rectangle is where it is stored, which is what the screen must show.
    left, top = boxes.at(25, 12)
    shot = boxes.page.screenshot(clip={"x": left, "y": top, "width": 2, "height": 2})
    assert _color(shot)[0] > 200
    assert _color(shot)[1] < 60
    boxes.drag((0, 0), (50, 25))
    assert boxes.boxes == [("DHL", 0, 0, 50, 25)]


def test_a_dense_screen_gets_sharp_lines_and_the_same_numbers(dense: BoxPage) -> None:
    dense.open()
    dense.drag((40, 60), (240, 160))

    assert dense.boxes == [("DHL", 40, 60, 200, 100)]
    widths = dense.stage.evaluate("it => [it.clientWidth, it.querySelector('canvas').width]")
    assert widths[1] == widths[0] * 2
    dense.press("a")
    assert dense.view["scale"] == 0.5


def test_one_finger_draws_and_two_zoom(dense: BoxPage) -> None:
    dense.open()
    dense.touch("touchStart", dense.at(100, 100))
    dense.touch("touchMove", dense.at(200, 150))
    dense.touch("touchMove", dense.at(300, 200))
    dense.touch("touchEnd")
    assert dense.boxes == [("DHL", 100, 100, 200, 100)]

    before = dense.view["scale"]
    one, other = dense.at(300, 300), dense.at(500, 300)
    dense.touch("touchStart", one)
    dense.touch("touchStart", one, other)
    dense.touch("touchMove", (one[0] - 60, one[1]), (other[0] + 60, other[1]))
    dense.touch("touchEnd", (one[0] - 60, one[1]))
    dense.touch("touchMove", (one[0] - 160, one[1]))
    dense.touch("touchEnd")

    distance = other[0] - one[0]
    assert abs(dense.view["scale"] / before - (distance + 120) / distance) < 0.01
    assert len(dense.boxes) == 1


def test_a_crosshair_follows_the_pointer_and_a_box_says_its_size_while_it_is_drawn(
    boxes: BoxPage,
) -> None:
    boxes.open()
    boxes.frame.evaluate(
        """() => {
          window.written = [];
          for (const kind of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
            const write = kind.prototype.fillText;
            kind.prototype.fillText = function (text, ...place) {
              window.written.push(text);
              return write.call(this, text, ...place);
            };
          }
        }"""
    )
    boxes.page.mouse.move(*boxes.at(440.4, 330.4))
    expect(boxes.task.locator(".note.facts")).to_contain_text("440, 330")
    # Far from the pointer, but on the line through it.
    left, top = boxes.at(440.4, 520)
    across: FloatRect = {"x": left - 3, "y": top, "width": 6, "height": 1}

    def is_crossed() -> bool:
        line = Image.open(BytesIO(boxes.page.screenshot(clip=across)))
        return max(line.convert("L").tobytes()) > 230

    assert eventually(is_crossed, boxes.page)
    boxes.page.mouse.move(*boxes.at(500, 330))
    assert eventually(lambda: not is_crossed(), boxes.page)
    boxes.page.mouse.move(*boxes.at(440.4, 330.4))

    boxes.page.mouse.down()
    for x, y in ((500, 400), (540, 380)):
        boxes.page.mouse.move(*boxes.at(x, y))
    size = "window.written.some((text) => text.trim() === '100 × 50')"  # noqa: RUF001
    assert eventually(lambda: boxes.frame.evaluate(size), boxes.page)
    boxes.page.mouse.up()
    assert boxes.boxes == [("DHL", 440, 330, 100, 50)]


def test_brightness_and_contrast_change_only_what_is_seen(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL[:1])
    left, top = boxes.at(450, 300)
    spot: FloatRect = {"x": left, "y": top, "width": 2, "height": 2}
    before = _color(boxes.page.screenshot(clip=spot))
    boxes.press("d", *["ArrowRight"] * 4, "Escape")
    expect(boxes.stage).to_be_focused()
    brighter = before

    def is_brighter() -> bool:
        nonlocal brighter
        brighter = _color(boxes.page.screenshot(clip=spot))
        return all(now > then + 15 for now, then in zip(brighter, before, strict=True))

    def is_flatter() -> bool:
        now = _color(boxes.page.screenshot(clip=spot))
        return max(now) - min(now) < max(brighter) - min(brighter)

    assert eventually(is_brighter, boxes.page)
    boxes.press("c", *["ArrowLeft"] * 8, "Escape")
    assert eventually(is_flatter, boxes.page)
    assert boxes.answer["initialValueModified"] is False


def test_single_keys_can_be_switched_off(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL)
    boxes.task.frame.get_by_role("button", name="Single-key shortcuts").click()
    assert boxes.task.wait_for("settings")["settings"]["boxesSingleKeys"] is False

    boxes.press("e")
    expect(boxes.task.locator("dialog[open]")).to_have_count(0)
    boxes.stage.focus()
    boxes.press("n")
    expect(boxes.task.locator(".boxes .row.chosen")).to_contain_text("1. DHL")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("missing", "status 404"),
        ("broken", "no picture that this browser can show"),
        ("cors", "CORS"),
        ("none", "names no picture"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_told_in_place(
    boxes: BoxPage, fault: str, said: str
) -> None:
    boxes.images["broken.jpg"] = photo()[:300]
    boxes.images["cors.jpg"] = photo()
    boxes.without_cors.add("cors.jpg")
    boxes.open(image=None if fault == "none" else f"{fault}.jpg", wait="image-error")

    assert said in boxes.task.messages("image-error")[0]["message"]
    expect(boxes.task.locator(".message [role=alert]")).to_contain_text(said)
    assert "not there yet" in boxes.task.refused()[0]


def test_a_picture_can_be_asked_for_again_and_the_draft_is_still_there(boxes: BoxPage) -> None:
    boxes.open()
    boxes.drag((40, 60), (240, 160))
    draft = boxes.task.wait_for("draft")["draft"]
    boxes.statuses["photo.jpg"] = 503
    boxes.open(draft=draft, wait="image-error")
    boxes.statuses.clear()
    boxes.task.frame.get_by_role("button", name="Try again").click()
    boxes.task.wait_for("loaded")

    assert boxes.boxes == [("DHL", 40, 60, 200, 100)]


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ({"labels": "[]"}, "labels"),
        ({"labels": "[1]"}, "labels"),
        ({"initial": "{"}, "initial-value"),
    ],
)
def test_a_template_with_a_mistake_says_which(
    boxes: BoxPage, options: dict[str, str], attribute: str
) -> None:
    boxes.open(wait="error", **options)

    assert f"“{attribute}”" in boxes.task.messages("error")[0]["message"]
    assert boxes.task.refused() != []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tool_is_accessible(boxes: BoxPage, axe: Path, scheme: str) -> None:
    boxes.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    foreign = {"label": "Other", "left": 400, "top": 300, "width": 50, "height": 50}
    boxes.open(initial=[*INITIAL, foreign], labels=[*"abcdefgh", "DHL", "RedBull"])
    boxes.click(200, 150)
    boxes.press("d")
    assert_accessible(boxes.frame, axe)

    boxes.press("Escape", "e")
    assert_accessible(boxes.frame, axe)


def test_the_tool_is_accessible_while_a_picture_fails(boxes: BoxPage, axe: Path) -> None:
    boxes.open(image="missing.jpg", wait="image-error", locale="ko")

    assert_accessible(boxes.frame, axe)


def test_every_control_is_reached_by_tab_and_none_keeps_the_focus(boxes: BoxPage) -> None:
    boxes.open(initial=INITIAL)
    reached = []
    for _ in range(12):
        boxes.press("Tab")
        reached.append(
            boxes.frame.evaluate(
                """() => { const it = document.activeElement?.shadowRoot?.activeElement;
                   return it ? `${it.getAttribute("aria-label") ?? it.textContent}`.trim() : "" }"""
            )
        )

    assert any(name.startswith("Picture to draw") for name in reached)
    assert any("DHL, boxes: 1" in name for name in reached)
    assert any(name.startswith("1. DHL") for name in reached)
    assert "Box" in reached
    assert any("Nothing to label" in name for name in reached)


def _color(png: bytes) -> tuple[int, int, int]:
    red, green, blue = Image.open(BytesIO(png)).convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    return int(red), int(green), int(blue)
