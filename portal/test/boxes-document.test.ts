import { describe, expect, it } from "vitest";
import {
  answerOf,
  DRAFT_STEPS,
  readDraft,
  readInitialBoxes,
  writeDraft,
} from "../src/boxes/answer";
import {
  addBox,
  type BoxDocument,
  duplicateBox,
  EMPTY,
  neighbour,
  placeBox,
  relabelBox,
  removeBox,
  select,
  setNothing,
} from "../src/boxes/document";
import { History, MERGE_MILLISECONDS } from "../src/boxes/history";
import { keyAction } from "../src/boxes/keyboard";
import { labelStyle, searchLabels } from "../src/boxes/labels";

const IMAGE = { width: 400, height: 300 };
const BOX = { left: 10, top: 20, width: 30, height: 40 };

function drawn(...labels: string[]): BoxDocument {
  return labels.reduce((document, label) => addBox(document, BOX, label), EMPTY);
}

describe("document", () => {
  it("gives each new box an id of its own, and selects it", () => {
    const document = addBox(removeBox(drawn("a", "b"), 1), BOX, "c");

    expect(document.boxes.map(({ id, label }) => [id, label])).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
    expect(document.selected).toBe(3);
  });

  it("stays the same object when an edit changes nothing", () => {
    const document = drawn("a");

    expect(placeBox(document, 1, { ...BOX })).toBe(document);
    expect(relabelBox(document, 1, "a")).toBe(document);
    expect(removeBox(document, 9)).toBe(document);
  });

  it("clears the boxes for nothing to label, and takes it back with a drawn box", () => {
    const nothing = setNothing(drawn("a", "b"), true);

    expect(nothing).toEqual({ boxes: [], selected: undefined, nothing: true });
    expect(addBox(nothing, BOX, "a").nothing).toBe(false);
  });

  it("puts a duplicate where it can be seen, also in the image's last corner", () => {
    const corner = addBox(EMPTY, { left: 370, top: 260, width: 30, height: 40 }, "a");

    const copy = duplicateBox(corner, 1, 12, IMAGE).boxes[1];

    expect(copy).toEqual({ id: 2, label: "a", left: 358, top: 248, width: 30, height: 40 });
  });

  it("goes round the visible boxes", () => {
    const document = select(drawn("a", "b", "c"), 1);

    expect(neighbour(document, 1, (box) => box.label !== "b")).toBe(3);
    expect(neighbour(document, -1, () => true)).toBe(3);
    expect(neighbour(document, 1, () => false)).toBeUndefined();
  });
});

describe("history", () => {
  it("undoes and redoes without limit", () => {
    const history = new History(EMPTY);
    for (let count = 0; count < 500; count += 1)
      history.commit(addBox(history.present, BOX, "a"), 0);

    for (let count = 0; count < 500; count += 1) expect(history.undo()).toBe(true);
    expect(history.present).toBe(EMPTY);
    expect(history.undo()).toBe(false);
    for (let count = 0; count < 500; count += 1) expect(history.redo()).toBe(true);
    expect(history.present.boxes).toHaveLength(500);
  });

  it("does not count selecting as a step", () => {
    const history = new History(EMPTY);
    history.commit(drawn("a"), 0);
    history.commit(select(history.present, undefined), 1);
    history.undo();

    expect(history.present).toBe(EMPTY);
    expect(history.canUndo).toBe(false);
  });

  it("merges a held key into one step, but not two separate presses", () => {
    const history = new History(drawn("a"));
    const nudge = (left: number, now: number): void =>
      history.commit(placeBox(history.present, 1, { ...BOX, left }), now, "nudge 1");
    nudge(11, 0);
    nudge(12, 30);
    nudge(13, 30 + MERGE_MILLISECONDS);

    expect(history.past).toHaveLength(2);
    history.undo();
    expect(history.present.boxes[0]?.left).toBe(12);
    history.undo();
    expect(history.present.boxes[0]?.left).toBe(10);
  });

  it("forgets what was undone once something else is done", () => {
    const history = new History(EMPTY);
    history.commit(drawn("a"), 0);
    history.undo();
    history.commit(drawn("b"), 0);

    expect(history.redo()).toBe(false);
  });
});

describe("answer", () => {
  it("is exactly the documented JSON", () => {
    expect(JSON.stringify(answerOf(drawn("a"), IMAGE))).toBe(
      '{"boundingBoxes":[{"height":40,"label":"a","left":10,"top":20,"width":30}],' +
        '"inputImageProperties":{"height":300,"width":400}}',
    );
  });

  it("reads initial values as templates write them, and leaves out what is no box", () => {
    const initial = [
      { label: "a", left: "10.4", top: 20.2, width: 30, height: 40 },
      { label: "b", left: 900, top: 0, width: 10, height: 10 },
      { left: 1, top: 1, width: 1, height: 1 },
      "box",
      null,
    ];

    expect(readInitialBoxes(initial, IMAGE)).toEqual([{ id: 1, label: "a", ...BOX }]);
    expect(readInitialBoxes({}, IMAGE)).toEqual([]);
  });
});

describe("draft", () => {
  function session(): History {
    const history = new History(EMPTY);
    const steps: ((document: BoxDocument) => BoxDocument)[] = [
      (document) => addBox(document, BOX, "a"),
      (document) => addBox(document, { ...BOX, left: 100 }, "b"),
      (document) => addBox(document, { ...BOX, left: 200 }, "c"),
      (document) => placeBox(document, 2, { ...BOX, left: 120 }),
      (document) => removeBox(document, 1),
      (document) => relabelBox(document, 3, "d"),
      (document) => setNothing(document, true),
      (document) => addBox(document, BOX, "e"),
    ];
    for (const step of steps) history.commit(step(history.present), 0);
    return history;
  }

  const work = (document: BoxDocument) => ({ boxes: document.boxes, nothing: document.nothing });

  it("brings back the boxes and every step to undo, through JSON", () => {
    const history = session();
    const written = JSON.parse(
      JSON.stringify(writeDraft(history.present, history.past, "b", IMAGE)),
    );
    const draft = readDraft(written, IMAGE);

    expect(draft?.label).toBe("b");
    expect(work(draft?.document ?? EMPTY)).toEqual(work(history.present));
    expect(draft?.past.map(work)).toEqual(history.past.map(work));
  });

  it("remembers a bounded number of steps in few bytes", () => {
    const history = new History(EMPTY);
    for (let count = 0; count < 300; count += 1)
      history.commit(addBox(history.present, BOX, "a"), 0);
    const written = writeDraft(history.present, history.past, "a", IMAGE);

    expect(readDraft(written, IMAGE)?.past).toHaveLength(DRAFT_STEPS);
    expect(JSON.stringify(written).length).toBeLessThan(12_000);
  });

  it.each([
    ["of another image", { image: [1, 1] }],
    ["of another version", { version: 2 }],
    ["with a broken box", { boxes: [[1, "a", "x", 0, 1, 1]] }],
    [
      "with one id twice",
      {
        boxes: [
          [1, "a", 0, 0, 5, 5],
          [1, "a", 0, 0, 5, 5],
        ],
      },
    ],
  ])("is ignored when it is %s", (_case, difference) => {
    const written = writeDraft(drawn("a"), [], "a", IMAGE) as object;

    expect(readDraft({ ...written, ...difference }, IMAGE)).toBeUndefined();
  });

  it("keeps the boxes when only its steps are broken", () => {
    const written = writeDraft(drawn("a"), [EMPTY], "a", IMAGE) as object;
    const draft = readDraft({ ...written, steps: [{ gone: [], come: [["?"]] }] }, IMAGE);

    expect(draft?.document.boxes).toHaveLength(1);
    expect(draft?.past).toEqual([]);
  });
});

describe("labels", () => {
  it("look different from each other up to the fifty that a job may have", () => {
    const looks = Array.from({ length: 50 }, (_, position) => labelStyle(position)).map(
      ({ color, dash }) => `${color} ${dash}`,
    );

    expect(new Set(looks).size).toBe(50);
  });

  it("have the digits 1 to 9 and then 0", () => {
    expect([0, 8, 9, 10].map((position) => labelStyle(position).digit)).toEqual([
      "1",
      "9",
      "0",
      undefined,
    ]);
  });

  it("are found by any of their words, best first", () => {
    const labels = ["Traffic light", "Light truck", "Car"];

    expect(searchLabels(labels, "light")).toEqual(["Light truck", "Traffic light"]);
    expect(searchLabels(labels, "truck li")).toEqual(["Light truck"]);
    expect(searchLabels(labels, " ")).toEqual(labels);
  });
});

describe("keys", () => {
  const key = (name: string, more: object = {}) => ({
    key: name,
    code: /^[a-z]$/i.test(name) ? `Key${name.toUpperCase()}` : name,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    ...more,
  });

  it("work with a Korean layout by the letter printed on them", () => {
    expect(keyAction(key("ㅠ", { code: "KeyB" }), false)).toEqual({ type: "draw" });
    expect(keyAction(key("Process", { code: "KeyF" }), false)).toEqual({ type: "fit" });
    expect(keyAction(key("z", { code: "KeyW" }), false)).toEqual({ type: "zoom-in" });
  });

  it("take ten times the step with Shift, and size with Ctrl and Alt", () => {
    const arrow = key("ArrowRight", { shiftKey: true });

    expect(keyAction(arrow, false)).toEqual({ type: "arrow", dx: 10, dy: 0, side: "all" });
    expect(keyAction({ ...arrow, ctrlKey: true }, false)).toMatchObject({ dx: 10, side: "end" });
    expect(keyAction({ ...arrow, altKey: true }, false)).toMatchObject({ dx: 10, side: "start" });
    expect(keyAction({ ...arrow, ctrlKey: true }, true)).toMatchObject({ dx: 100, side: "all" });
  });

  it("undo and redo in both common ways, and leave the browser's own keys alone", () => {
    const ctrl = { ctrlKey: true };

    expect(keyAction(key("z", ctrl), false)).toEqual({ type: "undo" });
    expect(keyAction(key("Z", { ...ctrl, shiftKey: true }), false)).toEqual({ type: "redo" });
    expect(keyAction(key("y", ctrl), false)).toEqual({ type: "redo" });
    expect(keyAction(key("c", ctrl), false)).toBeUndefined();
    expect(keyAction(key("f", ctrl), false)).toBeUndefined();
    expect(keyAction(key("D", { shiftKey: true }), false)).toBeUndefined();
  });

  it("choose and hide labels by digit", () => {
    expect(keyAction(key("3", { code: "Digit3" }), false)).toEqual({ type: "label", position: 2 });
    expect(keyAction(key("0", { code: "Numpad0" }), false)).toEqual({ type: "label", position: 9 });
    expect(keyAction(key("!", { code: "Digit1", shiftKey: true }), false)).toEqual({
      type: "label-visibility",
      position: 0,
    });
  });
});
